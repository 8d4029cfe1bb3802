//! A chunk of text to batches of events and rejected records. Runs on every core.

use super::Place;
use super::batch::{EventBatch, EventBatchBuilder, EventMeta};
use super::content_hash::{content_hash, hash_text, hexadecimal, identity_hash};
use super::framing::{Chunk, CsvHeader, MAX_RECORD_BYTES, Shape, rows};
use super::near::{Near, organization};
use super::{tables, windows_1252};
use crate::config::format_instant;
use crate::schema::{self, Cell, EVENT_DATASET, EventRow, FieldId, TIMESTAMP};
use crate::sources::{self, Document, Json, Recognised, Rejection, SOURCES, Source};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Longest record that quarantine keeps whole; of a longer one it keeps this much.
const KEPT_BYTES: usize = 1 << 20;

/// Times that events can have, in microseconds: from 1990 to the end of what nanoseconds
/// since 1970 can hold. One event at the year 1, which is what an unset time looks like in
/// some exports, would stretch the lake over two thousand years.
const PLAUSIBLE: std::ops::Range<i64> = 631_152_000_000_000..9_223_372_036_854_775;

/// A record that did not become an event.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    pub(super) place: Place,
    /// None for the file itself.
    pub(super) position: Option<u64>,
    pub(super) format: Option<&'static str>,
    pub(super) reason: Rejection,
    /// The record's text as it was in the file.
    pub(super) record: Vec<u8>,
    /// The event itself where it is known, else the one before it in its file, else the one
    /// after it.
    pub(super) near: Option<Near>,
}

/// What a chunk held.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) place: Place,
    pub(super) read: u64,
    /// Recognised, and no event by its nature: why, and how many.
    pub(super) skipped: BTreeMap<&'static str, u64>,
    pub(super) batches: Vec<EventBatch>,
    pub(super) rejected: Vec<Rejected>,
    /// The first event and the last one.
    pub(super) ends: Option<(Near, Near)>,
}

/// Parses and maps every record of a chunk from this place, and, with `unwrap`, the records of
/// the audit log that records carry.
pub(super) fn parse(chunk: Chunk, place: Place, unwrap: bool) -> Parsed {
    let Chunk {
        bytes,
        offset,
        shape,
        too_long,
    } = chunk;
    let text = Arc::new(bytes);
    let mut parser = Parser {
        unwrap,
        expected: match &shape {
            Shape::Json(spans) => spans.len(),
            Shape::Csv(_, rows) => *rows,
        },
        text: Arc::clone(&text),
        batches: Vec::new(),
        datasets: HashMap::new(),
        last: 0,
        format: ("", u8::MAX),
        row: None,
        parsed: Parsed {
            place,
            read: 0,
            skipped: BTreeMap::new(),
            batches: Vec::new(),
            rejected: Vec::new(),
            ends: None,
        },
    };
    if let Some(length) = too_long {
        let limit = (MAX_RECORD_BYTES >> 20) as u64;
        parser.parsed.read += 1;
        parser.reject(&text, offset, None, Rejection::TooLong { length, limit });
        return parser.finish();
    }
    match &shape {
        Shape::Json(spans) => {
            for &(from, to) in spans {
                let record = &text[from as usize..to as usize];
                parser.record(record, record, offset + u64::from(from));
            }
        }
        Shape::Csv(header, _) => {
            for (at, row, fields) in rows(&text, header) {
                let position = offset + at as u64;
                match fields
                    .map_err(|e| e.to_string())
                    .and_then(|fields| document_of(&fields, header))
                {
                    Ok(document) => parser.row(&document, row, position),
                    Err(problem) => parser.rejected(row, position, None, Rejection::Csv(problem)),
                }
            }
        }
    }
    parser.finish()
}

/// Cuts what quarantine keeps of a record.
pub(super) fn kept(record: &[u8]) -> Vec<u8> {
    record[..record.len().min(KEPT_BYTES)].to_vec()
}

/// A row as the object that has its columns as keys.
fn document_of(fields: &csv::ByteRecord, header: &CsvHeader) -> Result<Document<'static>, String> {
    if fields.len() > header.columns.len() {
        return Err(format!(
            "{} fields under {} columns",
            fields.len(),
            header.columns.len()
        ));
    }
    let texts = header.columns.iter().zip(fields).map(|(name, value)| {
        let text = match std::str::from_utf8(value) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => {
                let decoded = windows_1252::decode(value).ok_or_else(|| format!("column {name}: {error}"))?;
                Cow::Owned(decoded)
            }
        };
        Ok((name.as_str(), text))
    });
    let texts: Vec<_> = texts.collect::<Result<_, String>>()?;
    Document::of_texts(&texts).ok_or_else(|| "a row of 4 GB".to_owned())
}

/// The record in a text that holds its JSON, as tools leave it that encode what is encoded
/// already. Each layer is shorter than the one around it.
pub(super) fn encoded_again(record: Json<'_>) -> Option<&str> {
    record
        .as_str()
        .map(str::trim)
        .filter(|inner| inner.starts_with(['{', '"']))
}

struct Parser {
    unwrap: bool,
    /// Records of the chunk, as far as is known.
    expected: usize,
    /// The chunk's.
    text: Arc<Vec<u8>>,
    batches: Vec<EventBatchBuilder>,
    /// Place of each dataset among the batches.
    datasets: HashMap<String, usize>,
    /// Place of the one of the event before.
    last: usize,
    /// The format of the event before, and its number.
    format: (&'static str, u8),
    parsed: Parsed,
    /// An empty row in the memory of the one before.
    row: Option<EventRow<'static>>,
}

impl Parser {
    /// One record: `text` is its JSON, `original` its bytes in the file.
    fn record(&mut self, text: &[u8], original: &[u8], position: u64) {
        let parsed = simdutf8::basic::from_utf8(text)
            // Which says where.
            .or_else(|_| std::str::from_utf8(text))
            .map_err(|error| Rejection::Json(error.to_string()))
            .and_then(|text| Ok((text, sources::parse(text).map_err(Rejection::Json)?)));
        match parsed {
            Ok((text, record)) => self.parsed_record(text, record, original, position),
            Err(reason) => self.rejected(original, position, None, reason),
        }
    }

    /// One record that is JSON.
    fn parsed_record(&mut self, text: &str, document: Document<'_>, original: &[u8], position: u64) {
        let record = document.root();
        if let Some(inner) = encoded_again(record) {
            return self.record(inner.as_bytes(), original, position);
        }
        match self.event(Some(text), record, position) {
            Ok(()) => self.parsed.read += 1,
            Err(Stop::Skip(why)) => self.skipped(why),
            Err(Stop::Reject(None, Rejection::Unknown(_))) if tables::is_result(record) => {
                // Its rows take memory of their own.
                drop(document);
                tables::each_row(text, &mut |row| {
                    let (original, position) = (row.original.as_bytes(), position + row.at as u64);
                    match row.object {
                        Ok(object) => self.record(object.as_bytes(), original, position),
                        Err(problem) => self.rejected(original, position, None, Rejection::Csv(problem)),
                    }
                });
            }
            Err(Stop::Reject(format, reason)) => self.rejected(original, position, format, reason),
        }
    }

    /// A row of delimited text.
    fn row(&mut self, document: &Document<'_>, original: &[u8], position: u64) {
        match self.event(None, document.root(), position) {
            Ok(()) => self.parsed.read += 1,
            Err(Stop::Skip(why)) => self.skipped(why),
            Err(Stop::Reject(format, reason)) => self.rejected(original, position, format, reason),
        }
    }

    fn skipped(&mut self, why: &'static str) {
        *self.parsed.skipped.entry(why).or_default() += 1;
    }

    /// Counts a record that is rejected.
    fn rejected(&mut self, record: &[u8], position: u64, format: Option<&'static str>, reason: Rejection) {
        self.parsed.read += 1;
        self.reject(record, position, format, reason);
    }

    fn reject(&mut self, record: &[u8], position: u64, format: Option<&'static str>, reason: Rejection) {
        self.parsed.rejected.push(Rejected {
            place: self.parsed.place,
            position: Some(position),
            format,
            reason,
            record: kept(record),
            near: self.parsed.ends.as_ref().map(|(_, last)| last.clone()),
        });
    }

    /// The event of a record of this text; a row of delimited text has none that is JSON.
    fn event(&mut self, text: Option<&str>, record: Json<'_>, position: u64) -> Result<(), Stop> {
        let source = match sources::recognise(record).map_err(|reason| Stop::Reject(None, reason))? {
            Recognised::Event(source) => source,
            Recognised::NotAnEvent(why) => return Err(Stop::Skip(why)),
        };
        let format = Some(source.name());
        let reject = |reason| Stop::Reject(format, reason);
        let content = source.content(record, text.unwrap_or_default()).map_err(reject)?;
        match content {
            None => {
                let text = text.map_or_else(|| Cow::Owned(record.to_json()), Cow::Borrowed);
                self.mapped_with_carried(source, &text, record, position)
                    .map_err(reject)
            }
            Some(inner) => {
                let parsed =
                    sources::parse(&inner).map_err(|reason| reject(Rejection::Content("the content", reason)))?;
                let record = parsed.root();
                self.mapped_with_carried(source, &inner, record, position)
                    .map_err(reject)
            }
        }
    }

    /// Adds the event of a record, and that of the one which it carries.
    fn mapped_with_carried(
        &mut self,
        source: &'static dyn Source,
        raw: &str,
        record: Json<'_>,
        position: u64,
    ) -> Result<(), Rejection> {
        self.mapped(source, raw, record, position, false)?;
        if self.unwrap
            && let Some(carried) = source.carried(record, raw)
            && let Ok(inner) = sources::parse(&carried.text)
        {
            // What no record of the audit log is, as other applications have theirs there, stays
            // in the record around it.
            let _ = self.mapped(carried.source, &carried.text, inner.root(), position, true);
        }
        Ok(())
    }

    /// Adds the event of a record.
    fn mapped(
        &mut self,
        source: &'static dyn Source,
        raw: &str,
        record: Json<'_>,
        position: u64,
        derived: bool,
    ) -> Result<(), Rejection> {
        let format = self.format(source.name());
        let mut row: EventRow<'_> = self.row.take().unwrap_or_default();
        let identity = source.map(record, &mut row)?;
        let Some(&Cell::Timestamp(time)) = row.get(TIMESTAMP) else {
            return Err(Rejection::NoTime("the record"));
        };
        if !PLAUSIBLE.contains(&time) {
            return Err(Rejection::ImplausibleTime(format_instant(time)));
        }
        leave_out_times(&mut row);
        let content = content_hash(record);
        let key = match &identity.id {
            Some(id) => identity_hash(&identity.organization, id),
            None => content,
        };
        let dataset = row.get_text(EVENT_DATASET).unwrap_or("generic");
        if !derived {
            let organization = organization(|field| row.get_text(field));
            match &mut self.parsed.ends {
                Some((_, last)) => last.follow(dataset, organization, time),
                None => {
                    let near = Near::new(dataset, organization, time);
                    self.parsed.ends = Some((near.clone(), near));
                }
            }
        }
        let batch = self.batch(dataset);
        row.text(schema::RAW, raw);
        row.text(schema::SOURCE_FORMAT, source.name());
        row.text(schema::EVENT_KEY, key_text(key));
        row.text(schema::EVENT_HASH, hash_text(content as i64));
        row.set(schema::SOURCE_POSITION, Cell::Long(position as i64));
        let meta = EventMeta {
            key,
            content: content as i64,
            format,
            time,
            position,
            derived,
        };
        self.batches[batch].push(&row, meta);
        self.row = Some(row.cleared());
        Ok(())
    }

    /// The number of a format. Events in a row are mostly of one.
    fn format(&mut self, name: &'static str) -> u8 {
        if self.format.0 != name {
            let place = SOURCES.iter().position(|known| known.name() == name);
            self.format = (name, place.map_or(u8::MAX, |place| place as u8));
        }
        self.format.1
    }

    /// The place of the batch for a dataset. Events in a row are mostly of one.
    fn batch(&mut self, dataset: &str) -> usize {
        if self
            .batches
            .get(self.last)
            .is_some_and(|last| last.dataset() == dataset)
        {
            return self.last;
        }
        self.last = match self.datasets.get(dataset) {
            Some(&known) => known,
            None => {
                let text = Arc::clone(&self.text);
                // Most chunks are of one dataset. Room for each of many would be too much.
                let expected = if self.batches.is_empty() { self.expected } else { 0 };
                let builder = EventBatchBuilder::new(dataset.to_owned(), self.parsed.place, text, expected);
                self.batches.push(builder);
                self.datasets.insert(dataset.to_owned(), self.batches.len() - 1);
                self.batches.len() - 1
            }
        };
        self.last
    }

    fn finish(mut self) -> Parsed {
        let mut batches: Vec<EventBatch> = self.batches.into_iter().map(EventBatchBuilder::finish).collect();
        batches.sort_by(|a, b| a.dataset.cmp(&b.dataset));
        self.parsed.batches = batches;
        self.parsed
    }
}

/// Leaves out times that nanoseconds since 1970 cannot hold, such as the years 1 and 9999 that
/// stand for "never": functions of time fail on them, and with them every query over the column.
fn leave_out_times(row: &mut EventRow<'_>) {
    const HELD: std::ops::Range<i64> = -9_223_372_036_854_775..9_223_372_036_854_775;
    let beyond = |(field, cell): &(FieldId, Cell<'_>)| match cell {
        Cell::Timestamp(time) if !HELD.contains(time) => Some(*field),
        _ => None,
    };
    let beyond: Vec<FieldId> = row.cells().iter().filter_map(beyond).collect();
    for field in beyond {
        row.take(field);
    }
}

/// Why a record became no event.
enum Stop {
    Skip(&'static str),
    Reject(Option<&'static str>, Rejection),
}

/// The text of an identity as `event_key` keeps it: 32 hexadecimal digits.
pub(super) fn key_text(key: u128) -> String {
    hexadecimal::<32>(key)
}
