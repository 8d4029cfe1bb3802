//! The files to ingest: finding, opening, hashing.

use super::archive::Input;
use crate::error::{Error, Result};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Cursor, Read};
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

    /// Its bytes.
    pub(super) fn input(&mut self, path: &Path) -> io::Result<Box<dyn Input>> {
        Ok(match self.held.take() {
            Some(bytes) => Box::new(Cursor::new(bytes)),
            None => Box::new(File::open(path)?),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
