//! What bytes would be taken for, without a file and without a lake: the steps of an ingest up to
//! where something is stored.

use super::Place;
use super::archive::{self, Limits, Visitor};
use super::framing::{Content, Shape, frame_in_steps, rows};
use super::parse;
use crate::sources::Rejection;
use std::io::{self, Cursor, Read};
use std::sync::atomic::AtomicBool;

/// What a text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// What it was taken for.
    pub content: Content,
    /// What it was cut into.
    pub framed: Vec<Framed>,
    /// How many records were read: each is among the events or the rejected.
    pub read: u64,
    /// Positions of the records that are events.
    pub events: Vec<u64>,
    /// Positions of those that are none, and why.
    pub rejected: Vec<(u64, Rejection)>,
    /// How many were recognised as no events by their nature.
    pub skipped: u64,
    /// Why the text could not be read to its end.
    pub error: Option<io::ErrorKind>,
}

/// A record as it lies in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// Where it begins.
    pub position: u64,
    /// Its bytes; of a record that is too long, the first.
    pub bytes: Vec<u8>,
    /// Its length.
    pub length: u64,
}

/// Frames and maps a decompressed text, of which so many bytes are read at a time. What it holds
/// does not depend on that.
pub fn examine(input: impl Read, step: usize) -> Examined {
    let mut examined = Examined {
        content: Content::Empty,
        framed: Vec::new(),
        read: 0,
        events: Vec::new(),
        rejected: Vec::new(),
        skipped: 0,
        error: None,
    };
    let ended = frame_in_steps(step, input, &mut |chunk| {
        let mut framed = |at: usize, bytes: &[u8]| {
            examined.framed.push(Framed {
                position: chunk.offset + at as u64,
                bytes: bytes.to_vec(),
                length: chunk.too_long.unwrap_or(bytes.len() as u64),
            });
        };
        match &chunk.shape {
            Shape::Json(spans) => {
                let spans = spans.iter().map(|&(from, to)| (from as usize, to as usize));
                spans.for_each(|(from, to)| framed(from, &chunk.bytes[from..to]));
            }
            Shape::Csv(header, _) => rows(&chunk.bytes, header).for_each(|(at, row, _)| framed(at, row)),
        }
        let parsed = parse::parse(chunk, Place::default(), true);
        examined.read += parsed.read;
        examined.skipped += parsed.skipped.values().sum::<u64>();
        let events = parsed.batches.iter().flat_map(|batch| &batch.meta);
        let events = events.filter(|meta| !meta.derived);
        examined.events.extend(events.map(|meta| meta.position));
        let rejected = parsed.rejected.into_iter();
        let rejected = rejected.map(|record| (record.position.unwrap_or_default(), record.reason));
        examined.rejected.extend(rejected);
        true
    });
    match ended {
        Ok(content) => examined.content = content,
        Err((content, error)) => (examined.content, examined.error) = (content, Some(error.kind())),
    }
    examined.events.sort_unstable();
    examined
}

/// The files in a file, which is given up where more than so many bytes come out of it: the path
/// of each, empty for the file itself, and its bytes or what is wrong with it.
pub fn members(file: Vec<u8>, limit: u64) -> Vec<(String, io::Result<Vec<u8>>)> {
    let stop = AtomicBool::new(false);
    let mut members = Members(Vec::new());
    archive::visit(Box::new(Cursor::new(file)), Limits::of(limit, &stop), &mut members);
    members.0
}

struct Members(Vec<(String, io::Result<Vec<u8>>)>);

impl Visitor for Members {
    fn content(&mut self, member: &str, content: &mut dyn Read) -> bool {
        let mut bytes = Vec::new();
        let read = content.read_to_end(&mut bytes);
        self.0.push((member.to_owned(), read.map(|_| bytes)));
        true
    }

    fn damaged(&mut self, member: &str, error: io::Error) {
        self.0.push((member.to_owned(), Err(error)));
    }
}
