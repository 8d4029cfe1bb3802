//! Bytes of a file to the places of its records. Knows JSON and CSV as text, and no log.
//!
//! Records are found by brackets and quotes alone, so that a file is cut into chunks
//! once, in order, and the chunks are parsed on all cores. What is between records and
//! is no record is framed too, and later rejected: nothing is skipped but white space,
//! commas, byte order marks, NUL padding and stray closing brackets.

mod csv;
mod json;

pub(super) use csv::{CsvHeader, rows};

use json::JsonFramer;
use std::io::Read;
use std::sync::Arc;

/// Bytes of a chunk: large enough to parse in parallel without overhead, small
/// enough that a few of them per core fit in little memory.
const CHUNK_BYTES: usize = 4 << 20;

/// A piece of a file that begins and ends between records.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Position of the first byte in the decompressed file.
    pub(super) offset: u64,
    /// What the text is.
    pub(super) shape: Shape,
}

/// How records lie in a chunk.
#[derive(Debug)]
pub(super) enum Shape {
    /// From where to where each record goes.
    Json(Vec<(u32, u32)>),
    /// Whole rows under this header.
    Csv(Arc<CsvHeader>),
}

/// What a file turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
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
    mut input: impl Read,
    emit: &mut dyn FnMut(Chunk) -> bool,
) -> Result<Content, (Content, std::io::Error)> {
    let mut window = Window::default();
    window.fill(&mut input);
    let content = classify(&window.bytes);
    let window = match content {
        Content::Empty | Content::Unknown => window,
        Content::Json => JsonFramer::default().run(window, &mut input, emit),
        Content::Csv => csv::run(window, &mut input, emit),
    };
    window.error.map_or(Ok(content), |error| Err((content, error)))
}

fn classify(bytes: &[u8]) -> Content {
    if bytes.is_empty() {
        return Content::Empty;
    }
    match bytes.iter().position(|byte| !json::is_filler(*byte)) {
        None => Content::Empty,
        Some(at) if matches!(bytes[at], b'{' | b'[') => Content::Json,
        Some(_) if csv::header(bytes).is_some() => Content::Csv,
        Some(_) => Content::Unknown,
    }
}

/// The part of the stream that is in memory.
#[derive(Debug, Default)]
struct Window {
    bytes: Vec<u8>,
    /// Position of the first byte in the decompressed file.
    offset: u64,
    ended: bool,
    /// An error of the stream, kept until what came before it has been framed.
    error: Option<std::io::Error>,
}

impl Window {
    /// Reads until at least a chunk more is there, or the stream ends.
    fn fill(&mut self, input: &mut impl Read) {
        let wanted = self.bytes.len() + CHUNK_BYTES;
        self.bytes.reserve(CHUNK_BYTES);
        while self.bytes.len() < wanted && !self.ended {
            let missing = (wanted - self.bytes.len()) as u64;
            let before = self.bytes.len();
            match input.by_ref().take(missing).read_to_end(&mut self.bytes) {
                Ok(_) => self.ended = self.bytes.len() - before < missing as usize,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
    }

    /// Takes the first bytes out as a chunk and keeps the rest.
    fn take(&mut self, length: usize, shape: Shape) -> Chunk {
        let rest = self.bytes.split_off(length);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let offset = self.offset;
        self.offset += length as u64;
        Chunk { bytes, offset, shape }
    }
}
