//! Bytes of a file to the places of its records. Knows JSON and CSV as text, and no log.
//!
//! Records are found by brackets and quotes alone, so that a file is cut into chunks
//! once, in order, and the chunks are parsed on all cores. What is between records and
//! is no record is framed too, and later rejected: nothing is skipped but white space,
//! commas, byte order marks, NUL padding, stray closing brackets and what an envelope
//! (`{"count":2,"value":[…]}`) says about its array.
//!
//! Where a record ends depends on the text only, never on where the stream was cut into
//! windows: an undecided record waits for more bytes.

mod brackets;
mod container;
mod csv;
mod csv_header;
mod json;
mod multi_line;
mod search;
#[cfg(test)]
mod tests;
mod window;

pub(super) use csv::rows;
pub(super) use csv_header::CsvHeader;

use csv_header::Head;
use json::JsonFramer;
use std::io::Read;
use std::sync::Arc;
use window::Window;

/// Longest record that is read; a longer one is counted and rejected.
pub(super) const MAX_RECORD_BYTES: usize = 256 << 20;

/// Sizes that decide about memory, and about text that never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// Bytes of a chunk: large enough to parse in parallel without overhead, small
    /// enough that a few of them per core fit in little memory.
    chunk: usize,
    /// Records of a chunk: no log has so short ones that this is reached, but what is no log
    /// may have one in every other byte, and each takes memory of its own.
    records: usize,
    /// Longest record. Far below 4 GiB, so that places in a chunk fit in 32 bits.
    record: usize,
    /// What is kept of a record that is longer.
    kept: usize,
    /// Longest quoted field of delimited text: in a longer one, a closing quote is missing.
    quoted: usize,
    /// How far a record may go on behind a line that looks like the begin of the next one.
    lookahead: usize,
}

const LIMITS: Limits = Limits {
    chunk: 4 << 20,
    records: 32 << 10,
    record: MAX_RECORD_BYTES,
    kept: 1 << 20,
    quoted: 16 << 20,
    lookahead: 1 << 20,
};

/// How much of a file is read to tell what it holds.
const HEAD_BYTES: usize = 1 << 20;

/// A piece of a file that begins and ends between records.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Position of the first byte in the decompressed file.
    pub(super) offset: u64,
    /// What the text is.
    pub(super) shape: Shape,
    /// Set where the text is only the begin of one record that is longer than
    /// [`MAX_RECORD_BYTES`]: the length of the whole. Its shape has it as one piece of
    /// JSON, whatever it is, and it is to be rejected.
    pub(super) too_long: Option<u64>,
}

impl Chunk {
    /// What is kept of a record that is too long.
    fn too_long(kept: Vec<u8>, offset: u64, length: u64) -> Self {
        let spans = vec![(0, kept.len() as u32)];
        Self {
            bytes: kept,
            offset,
            shape: Shape::Json(spans),
            too_long: Some(length),
        }
    }
}

impl Chunk {
    /// Records, one after the other.
    #[cfg(test)]
    pub(super) fn of_records(records: impl Iterator<Item = String>) -> Self {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for record in records {
            let from = bytes.len() as u32;
            bytes.extend(record.into_bytes());
            spans.push((from, bytes.len() as u32));
        }
        Self {
            bytes,
            offset: 0,
            shape: Shape::Json(spans),
            too_long: None,
        }
    }

    /// Whether anything in it is framed as a record.
    pub(super) fn holds_records(&self) -> bool {
        match &self.shape {
            Shape::Json(spans) => !spans.is_empty(),
            Shape::Csv(..) => !self.bytes.trim_ascii().is_empty(),
        }
    }
}

/// How records lie in a chunk.
#[derive(Debug)]
pub(super) enum Shape {
    /// From where to where each record goes.
    Json(Vec<(u32, u32)>),
    /// Whole rows under this header, and how many they are, with those that are broken.
    Csv(Arc<CsvHeader>, usize),
}

/// What a file turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// No byte.
    Empty,
    /// Neither JSON nor CSV: the file as a whole is one rejected record.
    Unknown,
    /// JSON in any framing.
    Json,
    /// Delimited text with a header line.
    Csv,
}

/// Cuts a decompressed stream into chunks, in order. `emit` returns false to stop.
///
/// An error of the stream comes back after everything before it has been emitted; a
/// record that it cut in two is emitted as it is, so that it is counted and kept.
pub(super) fn frame(
    input: impl Read,
    emit: &mut dyn FnMut(Chunk) -> bool,
) -> Result<Content, (Content, std::io::Error)> {
    frame_within(LIMITS, input, emit)
}

/// As [`frame`], reading so many bytes at a time.
pub(super) fn frame_in_steps(
    step: usize,
    input: impl Read,
    emit: &mut dyn FnMut(Chunk) -> bool,
) -> Result<Content, (Content, std::io::Error)> {
    let chunk = step.max(1);
    frame_within(Limits { chunk, ..LIMITS }, input, emit)
}

fn frame_within(
    limits: Limits,
    mut input: impl Read,
    emit: &mut dyn FnMut(Chunk) -> bool,
) -> Result<Content, (Content, std::io::Error)> {
    let mut window = Window::new(limits.chunk);
    let head = loop {
        window.fill(&mut input);
        // However much padding a file begins with, what comes behind it counts.
        let blank = window.bytes.iter().take_while(|byte| is_blank(**byte)).count();
        if blank >= HEAD_BYTES && blank == window.bytes.len() && !window.ended {
            window.discard(blank);
            continue;
        }
        if let Some(head) = classify(&window.bytes, window.ended || window.bytes.len() >= HEAD_BYTES, limits) {
            break head;
        }
    };
    let (content, window) = match head {
        None if window.bytes.is_empty() || window.bytes.iter().all(|byte| json::is_filler(*byte)) => {
            (Content::Empty, window)
        }
        None => (Content::Unknown, window),
        Some(Kind::Json) => (Content::Json, JsonFramer::new(limits).run(window, &mut input, emit)),
        Some(Kind::Csv(header)) => (Content::Csv, csv::run(header, window, &mut input, emit)),
    };
    window.error.map_or(Ok(content), |error| Err((content, error)))
}

/// How an object begins that is the text of a JSON string. No column of delimited text has
/// such a name.
const ENCODED_RECORD: &[u8] = br#""{\""#;

enum Kind {
    Json,
    Csv(CsvHeader),
}

/// What the text is; no kind where it is neither, and nothing where more has to be read.
fn classify(bytes: &[u8], ended: bool, limits: Limits) -> Option<Option<Kind>> {
    let start = bytes
        .iter()
        .position(|byte| !json::is_filler(*byte))
        .unwrap_or(bytes.len());
    match bytes.get(start) {
        None if !ended => None,
        None => Some(None),
        Some(b'{' | b'[') => Some(Some(Kind::Json)),
        // Records that were encoded once more, one a line.
        Some(b'"') if bytes[start..].starts_with(ENCODED_RECORD) => Some(Some(Kind::Json)),
        Some(_) => match csv_header::header(bytes, ended, limits) {
            Head::More => None,
            Head::No => begins_within_a_record(&bytes[start..], ended).map(|within| within.then_some(Kind::Json)),
            Head::Yes(header) => Some(Some(Kind::Csv(header))),
        },
    }
}

/// Whether only the first line is no JSON: a file of one record a line whose begin is missing.
/// None where that is not decidable yet.
fn begins_within_a_record(bytes: &[u8], ended: bool) -> Option<bool> {
    const RECORD: &[u8] = b"{\"";
    let line_feed = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let behind = bytes[line_feed..].iter().position(|byte| !json::is_filler(*byte));
    let next = &bytes[behind.map_or(bytes.len(), |behind| line_feed + behind)..];
    if next.len() < RECORD.len() && !ended {
        return None;
    }
    Some(next.starts_with(RECORD))
}

/// White space, NUL padding and the bytes of a byte order mark.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0xEF | 0xBB | 0xBF)
}
