//! The files to ingest: finding, opening, hashing, decompressing.

use crate::error::{Error, Result};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// Files up to this size are read once and kept while they are hashed and parsed;
/// larger ones are read twice.
const HELD_BYTES: u64 = 64 << 20;

/// The files behind what was typed: files as they are, folders with everything below
/// them, glob patterns. In order of path, each once. Hidden files are not looked for,
/// but read when named.
pub(super) fn discover(patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for pattern in patterns {
        let before = files.len();
        let path = Path::new(pattern);
        if path.exists() {
            collect(path, &mut files)?;
        } else {
            let paths = glob::glob(pattern).map_err(|e| Error::Setting {
                setting: pattern.clone(),
                problem: e.to_string(),
            })?;
            for found in paths {
                let found = found.map_err(|e| Error::File {
                    path: e.path().to_owned(),
                    source: e.into(),
                })?;
                collect(&found, &mut files)?;
            }
        }
        if files.len() == before && !path.is_dir() {
            return Err(Error::NoInput {
                pattern: pattern.clone(),
            });
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    // A Delta table, most likely the lake itself, is no log.
    if path.join("_delta_log").is_dir() {
        return Ok(());
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        // A file, or a folder that cannot be read: opening it says what is wrong.
        Err(_) => {
            files.push(std::path::absolute(path).map_err(failed)?);
            return Ok(());
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link to a folder may lead back up; it is followed when it is named.
        let linked_folder = entry.path().is_symlink() && entry.path().is_dir();
        // Pipes and devices may never end; they too are read when they are named.
        let readable = entry.path().is_file() || entry.path().is_dir();
        if readable && !hidden && !linked_folder {
            found.push(entry.path());
        }
    }
    found.sort();
    found.iter().try_for_each(|entry| collect(entry, files))
}

/// A file whose hash is known, ready to be read.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) size: u64,
    /// Lower-case hexadecimal SHA-256 of the file as it is on disk.
    pub(super) sha256: String,
    held: Option<Vec<u8>>,
}

impl SourceFile {
    /// Hashes a file. A small one stays in memory for reading.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let size = file.metadata()?.len();
        if size <= HELD_BYTES {
            let mut bytes = Vec::with_capacity(size as usize + 1);
            file.read_to_end(&mut bytes)?;
            hasher.update(&bytes);
            return Ok(Self {
                size: bytes.len() as u64,
                sha256: hex(&hasher.finalize()),
                held: Some(bytes),
            });
        }
        let mut buffer = vec![0; 1 << 20];
        let mut size = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            size += count as u64;
            hasher.update(&buffer[..count]);
        }
        Ok(Self {
            size,
            sha256: hex(&hasher.finalize()),
            held: None,
        })
    }

    /// The decompressed content; what it is compressed with is told by its first bytes.
    pub(super) fn content(&mut self, path: &Path) -> io::Result<Box<dyn Read>> {
        match self.held.take() {
            Some(bytes) => decompressed(Cursor::new(bytes)),
            None => decompressed(File::open(path)?),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decompressed(input: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let start = io::BufRead::fill_buf(&mut input)?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
        [0xff, 0xfe, ..] => Box::new(Utf16::new(input, u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Box::new(Utf16::new(input, u16::from_be_bytes)),
        _ => Box::new(input),
    })
}

/// UTF-16 with a byte order mark, as Windows PowerShell's redirection writes it, read as UTF-8.
struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    /// First half of a pair that the last read ended with.
    pending: Option<u16>,
    output: Vec<u8>,
    read: usize,
}

impl<R: Read> Utf16<R> {
    fn new(input: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self {
            input,
            unit,
            pending: None,
            output: Vec::new(),
            read: 0,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(64 << 10);
        self.input.by_ref().take(64 << 10).read_to_end(&mut bytes)?;
        let mut units: Vec<u16> = self.pending.take().into_iter().collect();
        units.extend(bytes.chunks_exact(2).map(|pair| (self.unit)([pair[0], pair[1]])));
        if bytes.len() == 64 << 10 && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            self.pending = units.pop();
        }
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.output = text.into_bytes();
        self.read = 0;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.output.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.output.len() - self.read);
        buffer[..count].copy_from_slice(&self.output[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        decompressed(Cursor::new(bytes))
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn every_container_reads_the_same() {
        let text = "{\"a\":\"é😀\"}\n".repeat(20_000);
        let gzip = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(read(text.clone().into_bytes()), text);
        assert_eq!(read(gzip(&text)), text);
        assert_eq!(
            read([gzip("{\"x\":1}\n"), gzip(&text)].concat()),
            format!("{{\"x\":1}}\n{text}"),
            "members"
        );
        assert_eq!(read(zstd::stream::encode_all(text.as_bytes(), 1).unwrap()), text);
        let utf16 = |convert: fn(u16) -> [u8; 2]| {
            "\u{feff}"
                .encode_utf16()
                .chain(text.encode_utf16())
                .flat_map(convert)
                .collect()
        };
        assert_eq!(read(utf16(u16::to_le_bytes)).trim_start_matches('\u{feff}'), text);
        assert_eq!(read(utf16(u16::to_be_bytes)).trim_start_matches('\u{feff}'), text);
    }

    #[test]
    fn folders_are_searched_without_lakes_links_and_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b/x.json",
            "a.json",
            ".hidden",
            "lake/events/_delta_log/0.json",
            "lake/events/part.parquet",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/up")).unwrap();
        let found = discover(&[folder.path().display().to_string()]).unwrap();
        assert_eq!(found, [folder.path().join("a.json"), folder.path().join("b/x.json")]);
        let pattern = folder.path().join("*.json").display().to_string();
        assert_eq!(discover(&[pattern]).unwrap(), [folder.path().join("a.json")]);
    }

    #[test]
    fn sha256_is_of_the_file_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(SourceFile::open(&path).unwrap().sha256, expected);
    }
}
