//! Files in files: archives and compression, told by their first bytes, in any nesting.
//!
//! Nothing is unpacked to a disk under a name from an archive: a member is read as a stream,
//! and its path is a text. What must be read from its end first (zip, 7z) and lies within
//! something else goes to a temporary file without a name.

mod limits;
mod seven_z;

use super::utf16::Utf16;
use limits::Metered;
use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use zip::result::ZipError;

pub(super) use limits::Limits;

/// How deep archives and compressions may lie within each other.
const DEPTH: u32 = 8;

/// Memory for the dictionary of a compressed file, in KiB: what `xz -9` needs, a few times.
const DICTIONARY_KIB: u32 = 512 << 10;

/// Longest index of a zip archive, which is held in memory: half a million members.
const INDEX_BYTES: u64 = 64 << 20;

/// The least that a member takes there.
const ZIP_MEMBER_BYTES: u64 = 46;

/// What may stand between two members of a tar archive, which is held in memory: the path of the
/// next one, where it is long.
const TAR_HEADER_BYTES: u64 = 1 << 20;

/// Between the path of an archive and that of a member within it.
pub(super) const MEMBER: &str = "!/";

/// The path of a member of an archive.
pub(super) fn member_of(archive: &str, member: &str) -> String {
    format!("{archive}{MEMBER}{member}")
}

const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
const SEVEN_Z: &[u8] = &[b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C];

/// Enough of a stream to tell what it is: the header of a tar member.
const TOLD_BY: usize = 512;

/// Something that can be read from any position.
pub(super) trait Input: Read + Seek {}

impl<T: Read + Seek> Input for T {}

/// Gets what is in a file.
pub(super) trait Visitor {
    /// The decompressed content of a member, by its path within the file: empty where the
    /// file is no archive. Returns false to see no more.
    fn content(&mut self, member: &str, content: &mut dyn Read) -> bool;

    /// What cannot be read, by its path within the file.
    fn damaged(&mut self, member: &str, error: io::Error);
}

/// Shows the visitor everything that is in a file, within the limits.
pub(super) fn visit(mut file: Box<dyn Input>, limits: Limits<'_>, visitor: &mut dyn Visitor) {
    let walk = Walk {
        limits,
        ended: Cell::new(false),
    };
    let begin = |file: &mut Box<dyn Input>| {
        let mut start = Vec::new();
        file.by_ref().take(TOLD_BY as u64).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0)).map(|_| start)
    };
    let shown = match begin(&mut file) {
        Ok(start) if is_indexed(&start) => walk.indexed(file, &start, "", 0, visitor),
        Ok(_) => walk.stream(&mut file, "", 0, visitor),
        Err(error) => Err(error),
    };
    if let Err(error) = shown {
        visitor.damaged("", error);
    }
}

/// Whether it is an archive whose index is at its end.
fn is_indexed(start: &[u8]) -> bool {
    ZIP.iter().any(|zip| start.starts_with(zip)) || start.starts_with(SEVEN_Z)
}

/// Whether a text begins like a member of a tar archive: its header sums up.
fn is_tar(start: &[u8]) -> bool {
    let Some(header) = start.first_chunk::<TOLD_BY>() else {
        return false;
    };
    let mut tar = tar::Header::new_old();
    tar.as_mut_bytes().copy_from_slice(header);
    let spaces = 8 * u32::from(b' ');
    let sum = header.iter().enumerate().filter(|(at, _)| !(148..156).contains(at));
    let sum: u32 = sum.map(|(_, byte)| u32::from(*byte)).sum();
    header[0] != 0 && tar.cksum().is_ok_and(|told| told == sum + spaces)
}

/// Whether a member of a tar archive has bytes. Folders, links and devices have none; what is of
/// no known type is a file, as POSIX has it.
fn holds_content(kind: tar::EntryType) -> bool {
    let special = kind.is_dir() || kind.is_symlink() || kind.is_hard_link() || kind.is_fifo();
    let device = kind.is_block_special() || kind.is_character_special();
    !(special || device || kind.is_pax_global_extensions())
}

/// Members that the systems which pack archives put beside what was asked for.
fn is_junk(member: &str) -> bool {
    let hidden = member.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    hidden || member.split('/').any(|part| part == "__MACOSX")
}

/// A path from an archive as a text of one line.
fn joined(outer: &str, name: &str) -> String {
    // As `tar -C folder .` packs.
    let name: String = name
        .trim_start_matches("./")
        .chars()
        .map(|c| match c {
            '\\' => '/',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect();
    match outer {
        "" => name,
        outer => member_of(outer, &name),
    }
}

struct Walk<'a> {
    limits: Limits<'a>,
    /// The visitor has seen enough.
    ended: Cell<bool>,
}

impl Walk<'_> {
    /// Shows what is in a stream.
    fn stream(&self, input: &mut dyn Read, member: &str, depth: u32, visitor: &mut dyn Visitor) -> io::Result<()> {
        if depth > DEPTH {
            let problem = format!("archives lie more than {DEPTH} deep in each other: unpack them first");
            return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
        }
        let mut input = self.limits.counted(input, depth);
        let mut input = Peeked::new(&mut input)?;
        let start = input.start.clone();
        let mut buffered = BufReader::with_capacity(64 << 10, &mut input);
        let within = depth + 1;
        match start.as_slice() {
            start if is_indexed(start) => {
                let mut held = tempfile::tempfile()?;
                io::copy(&mut buffered, &mut held)?;
                held.seek(SeekFrom::Start(0))?;
                self.indexed(Box::new(held), start, member, within, visitor)
            }
            [0x1F, 0x8B, ..] => {
                let mut content = flate2::bufread::MultiGzDecoder::new(buffered);
                self.stream(&mut content, member, within, visitor)
            }
            [0x28, 0xB5, 0x2F, 0xFD, ..] => {
                let mut content = zstd::stream::read::Decoder::with_buffer(buffered)?;
                self.stream(&mut content, member, within, visitor)
            }
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => {
                let mut content = bzip2::bufread::MultiBzDecoder::new(buffered);
                self.stream(&mut content, member, within, visitor)
            }
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => {
                let mut content = lzma_rust2::XzReader::new_mem_limit(buffered, true, DICTIONARY_KIB);
                self.stream(&mut content, member, within, visitor)
            }
            [0xFF, 0xFE, ..] => {
                let mut text = Utf16::new(buffered, u16::from_le_bytes);
                self.show(&mut text, member, visitor);
                Ok(())
            }
            [0xFE, 0xFF, ..] => {
                let mut text = Utf16::new(buffered, u16::from_be_bytes);
                self.show(&mut text, member, visitor);
                Ok(())
            }
            start if is_tar(start) => self.tar(&mut buffered, member, within, visitor),
            _ => {
                self.show(&mut buffered, member, visitor);
                Ok(())
            }
        }
    }

    fn show(&self, content: &mut dyn Read, member: &str, visitor: &mut dyn Visitor) {
        self.ended.set(!visitor.content(member, content));
    }

    /// Shows a member of an archive; false to go no further.
    fn member(&self, content: &mut dyn Read, member: &str, depth: u32, visitor: &mut dyn Visitor) -> io::Result<bool> {
        self.limits.member()?;
        let shown = self.stream(content, member, depth, visitor);
        shown.unwrap_or_else(|error| visitor.damaged(member, error));
        self.limits.check().map(|()| !self.ended.get())
    }

    fn tar(&self, input: &mut dyn Read, outer: &str, depth: u32, visitor: &mut dyn Visitor) -> io::Result<()> {
        let between = Cell::new(TAR_HEADER_BYTES);
        let mut archive = tar::Archive::new(Metered::new(input, &between, "what describes a member of the archive"));
        for entry in archive.entries()? {
            between.set(u64::MAX);
            let mut entry = entry?;
            let member = joined(outer, &String::from_utf8_lossy(&entry.path_bytes()));
            if holds_content(entry.header().entry_type())
                && !is_junk(&member)
                && !self.member(&mut entry, &member, depth, visitor)?
            {
                break;
            }
            // Up to here it is content, of which there may be any amount.
            io::copy(&mut self.limits.counted(&mut entry, depth), &mut io::sink())?;
            between.set(TAR_HEADER_BYTES);
        }
        Ok(())
    }

    /// Shows what is in a zip or 7z archive.
    fn indexed(
        &self,
        input: Box<dyn Input>,
        start: &[u8],
        outer: &str,
        depth: u32,
        visitor: &mut dyn Visitor,
    ) -> io::Result<()> {
        if start.starts_with(SEVEN_Z) {
            self.seven_z(input, outer, depth, visitor)
        } else {
            self.zip(input, outer, depth, visitor)
        }
    }

    fn zip(&self, mut input: Box<dyn Input>, outer: &str, depth: u32, visitor: &mut dyn Visitor) -> io::Result<()> {
        if zip_members(&mut input)? > INDEX_BYTES / ZIP_MEMBER_BYTES {
            let problem = "the index of the archive is too long: unpack it first";
            return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
        }
        let index = Cell::new(INDEX_BYTES);
        let mut archive = zip::ZipArchive::new(Metered::new(input, &index, "the index of the archive"))?;
        index.set(u64::MAX);
        if archive.has_duplicate_names() {
            let problem = "members have the same name, of which only the last is read: unpack it first";
            visitor.damaged(outer, io::Error::new(io::ErrorKind::Unsupported, problem));
        }
        for place in 0..archive.len() {
            let name = match archive.name_for_index(place) {
                Some(Ok(name)) => joined(outer, &name),
                // A text of no known encoding, or none at all.
                _ => joined(outer, &format!("member {}", place + 1)),
            };
            let mut entry = match archive.by_index(place) {
                Ok(entry) => entry,
                Err(error) => {
                    let error = match error {
                        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => encrypted(),
                        other => other.into(),
                    };
                    visitor.damaged(&name, error);
                    continue;
                }
            };
            if !entry.is_file() || is_junk(&name) {
                continue;
            }
            if !self.member(&mut entry, &name, depth, visitor)? {
                break;
            }
        }
        Ok(())
    }
}

/// How many members a zip archive says it has, where it has too many for 16 bits. Memory for all of
/// them is taken before the first is read.
fn zip_members(input: &mut dyn Input) -> io::Result<u64> {
    const TAIL: u64 = 1 << 20;
    let end = input.seek(SeekFrom::End(0))?;
    input.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    input.take(TAIL).read_to_end(&mut tail)?;
    let count = |at: usize| tail.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let ends = memchr::memmem::find_iter(&tail, b"PK\x06\x06");
    let counts = ends.flat_map(|at| [count(at + 24), count(at + 32)]).flatten();
    Ok(counts.max().unwrap_or(0))
}

fn encrypted() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "encrypted: unpack it first, with its password",
    )
}

/// A stream of which the first bytes are known.
struct Peeked<'a> {
    start: Vec<u8>,
    stream: io::Chain<Cursor<Vec<u8>>, &'a mut dyn Read>,
}

impl<'a> Peeked<'a> {
    fn new(input: &'a mut dyn Read) -> io::Result<Self> {
        let mut start = Vec::with_capacity(TOLD_BY);
        input.take(TOLD_BY as u64).read_to_end(&mut start)?;
        Ok(Self {
            stream: Cursor::new(start.clone()).chain(input),
            start,
        })
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

#[cfg(test)]
mod tests;
