//! Rows of delimited text with a header line, as PowerShell and the portals export them.
//!
//! One function, [`next_field`], decides both where a row ends and what its fields are, so
//! that the rows of a chunk are those it was cut at. A quote opens a quoted field only at
//! its first byte, and closes it only in front of a delimiter or the end of the line; a
//! quote anywhere in another field is text. Where quotes do not match, a single line is
//! rejected, and the next one is a row again: nothing is swallowed.

use super::csv_header::CsvHeader;
use super::window::Window;
use super::{Chunk, Limits, Shape};
use crate::sources::json::Sixteen;
use memchr::{memchr, memchr2, memchr3};
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

/// Why a row has no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::ingest) enum BrokenRow {
    #[error(
        "a quoted field is not closed within {} MB, or text follows its closing quote",
        super::LIMITS.quoted >> 20
    )]
    Quotes,
    /// So many bytes, as the row itself shows.
    #[error("a quoted field is longer than {} MB, which is as much as is read of one", .0 >> 20)]
    LongField(usize),
}

/// What follows a field.
enum Next {
    /// A field of the same row, here.
    Field(usize),
    /// Another row, here, or the end of the text.
    Row(usize),
}

enum Field {
    /// Its text without the quotes around it, and whether there are doubled ones in it.
    Text(Range<usize>, bool, Next),
    /// It begins with a quote that is not closed as it should be, or has no end.
    Broken,
    /// Not decidable yet.
    More,
}

/// The field that begins at `start`, which is to end before `limit`.
fn next_field(bytes: &[u8], start: usize, limit: usize, rules: &Rules, ended: bool) -> Field {
    let delimiter = rules.delimiter;
    if bytes.get(start) != Some(&b'"') {
        let text = bytes.get(start..limit).unwrap_or_default();
        let end = memchr3(delimiter, b'\n', b'\r', text).map(|at| start + at);
        return match end {
            Some(end) if bytes[end] == delimiter => Field::Text(start..end, false, Next::Field(end + 1)),
            Some(end) => match behind_line(bytes, end, ended) {
                Some(next) => Field::Text(start..end, false, Next::Row(next)),
                None => Field::More,
            },
            None if limit < bytes.len() => Field::Broken,
            None if ended => Field::Text(start..bytes.len(), false, Next::Row(bytes.len())),
            None => Field::More,
        };
    }
    let limit = limit.min(start + rules.limits.quoted);
    let (mut at, mut doubled) = (start + 1, false);
    let within = &bytes[..limit.min(bytes.len())];
    loop {
        let Some(end) = quote(within, at) else {
            return if ended || limit < bytes.len() {
                Field::Broken
            } else {
                Field::More
            };
        };
        let behind = end + 1;
        let next = match bytes.get(behind) {
            Some(b'"') => {
                (at, doubled) = (behind + 1, true);
                continue;
            }
            Some(&byte) if byte == delimiter => Next::Field(behind + 1),
            Some(b'\n' | b'\r') => match behind_line(bytes, behind, ended) {
                Some(next) => Next::Row(next),
                None => return Field::More,
            },
            Some(_) => return Field::Broken,
            None if ended => Next::Row(behind),
            None => return Field::More,
        };
        return Field::Text(start + 1..end, doubled, next);
    }
}

/// The begin of the next line: behind `\n`, `\r\n` or `\r`.
fn behind_line(bytes: &[u8], end: usize, ended: bool) -> Option<usize> {
    match (bytes[end], bytes.get(end + 1)) {
        (b'\r', Some(b'\n')) => Some(end + 2),
        (b'\r', None) if !ended => None,
        _ => Some(end + 1),
    }
}

/// What a row of delimited text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// Whole, up to here.
    Whole(usize),
    /// A line whose quotes do not match, up to here.
    Broken(usize),
    /// It has no end within the longest length of a record.
    TooLong,
    /// Not decidable yet.
    More,
}

/// How rows are written, and how long they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// How many fields a row has.
    pub(super) columns: usize,
    pub(super) delimiter: u8,
    pub(super) limits: Limits,
}

impl Rules {
    /// Why a line has no fields: one of them would be a field if it was not longer than is read of
    /// one, or quotes do not match.
    fn fault(&self, line: &[u8]) -> BrokenRow {
        let quoted = line.len();
        let limits = Limits { quoted, ..self.limits };
        let rules = Self { limits, ..*self };
        let mut at = byte_order_mark(line);
        loop {
            match next_field(line, at, line.len(), &rules, true) {
                Field::Text(text, ..) if text.start > at && text.len() + 2 > self.limits.quoted => {
                    return BrokenRow::LongField(self.limits.quoted);
                }
                Field::Text(_, _, Next::Field(next)) => at = next,
                _ => return BrokenRow::Quotes,
            }
        }
    }

    /// The row that begins at `start`; its fields go to `fields`.
    pub(super) fn row(&self, bytes: &[u8], start: usize, ended: bool, mut fields: impl FnMut(&[u8], bool)) -> Row {
        // A row is looked at no further than it may be long, however much is there.
        let limit = bytes.len().min(start + self.limits.record);
        let mut at = start + byte_order_mark(&bytes[start..]);
        let mut count = 0;
        loop {
            match next_field(bytes, at, limit, self, ended) {
                Field::Text(text, doubled, next) => {
                    count += 1;
                    // More fields than columns, over several lines: a quote that is missing
                    // further up turned the inside of fields to the outside.
                    let first = if count == self.columns + 1 { start } else { text.start };
                    if count > self.columns && memchr2(b'\n', b'\r', &bytes[first..text.end]).is_some() {
                        break;
                    }
                    fields(&bytes[text], doubled);
                    match next {
                        Next::Field(next) => at = next,
                        Next::Row(next) => return Row::Whole(next),
                    }
                }
                Field::More => return Row::More,
                Field::Broken => break,
            }
        }
        match memchr2(b'\n', b'\r', &bytes[start..limit]).map(|at| start + at) {
            Some(end) => behind_line(bytes, end, ended).map_or(Row::More, Row::Broken),
            None if limit < bytes.len() => Row::TooLong,
            None if ended => Row::Broken(bytes.len()),
            None => Row::More,
        }
    }
}

/// Length of the byte order mark that a text begins with; there is one in the middle of a
/// file where files were put together.
pub(super) fn byte_order_mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
}

/// Frames the rows behind the header; returns the window with the stream's error, if any.
pub(super) fn run(
    header: CsvHeader,
    mut window: Window,
    input: &mut impl Read,
    emit: &mut dyn FnMut(Chunk) -> bool,
) -> Window {
    let header = Arc::new(header);
    let rules = header.rules;
    window.discard(header.length);
    let (mut at, mut count) = (0, 0);
    loop {
        let row = match window.bytes.len() - at {
            // The first bytes of a byte order mark.
            0..3 if !window.ended => Row::More,
            0 => Row::More,
            _ => rules.row(&window.bytes, at, window.ended, |_, _| {}),
        };
        if let Row::Whole(end) | Row::Broken(end) = row {
            // Blank lines are no rows.
            count += usize::from(!window.bytes[at..end].iter().all(|byte| super::is_blank(*byte)));
            at = end;
            if at < rules.limits.chunk && count < rules.limits.records {
                continue;
            }
        }
        if at > 0 {
            let chunk = window.take(at, Shape::Csv(Arc::clone(&header), count));
            (at, count) = (0, 0);
            if !emit(chunk) {
                return window;
            }
        }
        match row {
            Row::Whole(_) | Row::Broken(_) => {}
            Row::TooLong => {
                if !emit(too_long(&rules.limits, &mut window, input)) {
                    return window;
                }
            }
            Row::More if window.ended => return window,
            Row::More => window.fill(input),
        }
    }
}

/// Takes the line that the window begins with out of the stream without keeping it.
fn too_long(limits: &Limits, window: &mut Window, input: &mut impl Read) -> Chunk {
    let offset = window.offset;
    let kept = window.bytes[..limits.kept.min(window.bytes.len())].to_vec();
    // There is no line end in what was searched already.
    window.discard(limits.record);
    loop {
        if let Some(end) = memchr2(b'\n', b'\r', &window.bytes) {
            window.discard(end);
            break;
        }
        window.discard(window.bytes.len());
        if window.ended {
            break;
        }
        window.fill(input);
    }
    Chunk::too_long(kept, offset, window.offset - offset)
}

/// Each row of a chunk as (position in the chunk, its bytes, its fields). Blank lines are no rows.
pub(in crate::ingest) fn rows<'a>(
    bytes: &'a [u8],
    header: &'a CsvHeader,
) -> impl Iterator<Item = (usize, &'a [u8], Result<::csv::ByteRecord, BrokenRow>)> {
    let mut start = 0;
    let mut scratch = Vec::new();
    // As much as the row before took.
    let (mut room, mut count) = (0, 0);
    std::iter::from_fn(move || {
        while start < bytes.len() {
            let mut record = ::csv::ByteRecord::with_capacity(room, count);
            let row = header.rules.row(bytes, start, true, |field, doubled| match doubled {
                true => record.push_field(undouble(field, &mut scratch)),
                false => record.push_field(field),
            });
            let (end, record) = match row {
                Row::Whole(end) => (end, Ok(record)),
                Row::Broken(end) => (end, Err(header.rules.fault(&bytes[start..end]))),
                // Chunks hold whole rows only.
                Row::TooLong | Row::More => (bytes.len(), Err(BrokenRow::Quotes)),
            };
            let position = start;
            (start, room) = (end, end - position);
            count = record.as_ref().map_or(0, |record| record.len());
            if !bytes[position..end].iter().all(|byte| super::is_blank(*byte)) {
                let line_end = |byte: &u8| !matches!(byte, b'\r' | b'\n');
                let length = bytes[position..end].iter().rposition(line_end).map_or(0, |at| at + 1);
                return Some((position, &bytes[position..position + length], record));
            }
        }
        None
    })
}

/// The text of a quoted field: two quotes stand for one. It is put together in `memory`.
pub(super) fn undouble<'m>(field: &[u8], memory: &'m mut Vec<u8>) -> &'m [u8] {
    // JSON in a field has them every few bytes: a whole block is written, and counts as far as it goes.
    if memory.len() < field.len() + BLOCK {
        memory.resize(field.len() + BLOCK, 0);
    }
    let (mut at, mut to) = (0, 0);
    while let Some(block) = field.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        memory[to..to + BLOCK].copy_from_slice(block);
        match Sixteen::new(block).equal(b'"').bits() {
            0 => (at, to) = (at + BLOCK, to + BLOCK),
            quotes => {
                let upto = quotes.trailing_zeros() as usize;
                (at, to) = (at + upto + 2, to + upto + 1);
            }
        }
    }
    while let Some(&byte) = field.get(at) {
        memory[to] = byte;
        to += 1;
        at += if byte == b'"' { 2 } else { 1 };
    }
    &memory[..to]
}

/// Bytes that are looked at at once.
const BLOCK: usize = 16;

/// Where the next quote is from here on.
fn quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        match Sixteen::new(block).equal(b'"').bits() {
            0 => at += BLOCK,
            quotes => return Some(at + quotes.trailing_zeros() as usize),
        }
    }
    memchr(b'"', bytes.get(at..)?).map(|found| at + found)
}
