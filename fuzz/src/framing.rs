//! Bytes to records.

use retrohunt::ingest::{Content, Examined, examine};
use std::io::Read;

/// Any text: what it holds does not depend on how it is read, records lie where they are said to
/// lie, and each of them is accounted for.
pub fn framing(bytes: &[u8]) {
    let whole = examine(bytes, 4 << 20);
    assert_eq!(whole.error, None);
    accounted_for(bytes, &whole);
    if whole.content == Content::Json && !may_hold_an_envelope(bytes) {
        only_between_records(bytes, &whole, b" \t\r\n\0\xEF\xBB\xBF,[]}");
    }
    // A step of one byte looks at what is undecided again and again.
    let smallest = if bytes.len() > 4096 { 64 } else { 1 };
    for step in [smallest, 7 * smallest, 1000] {
        assert_eq!(examine(Dripping::of(bytes), step), whole, "steps of {step}");
    }
    let cut = &bytes[..bytes.len() / 2];
    let interrupted = examine(cut.chain(Broken), 4 << 20);
    assert_eq!(interrupted.error, Some(std::io::ErrorKind::InvalidData));
    accounted_for(cut, &interrupted);
}

/// Any rows under a header line: nothing between them is lost.
pub fn csv(bytes: &[u8]) {
    framing(bytes);
    let text = [b"AuditData,CreationDate,UserIds\n", bytes].concat();
    framing(&text);
    let found = examine(text.as_slice(), 4 << 20);
    assert_eq!(found.content, Content::Csv);
    // The header line.
    only_between_records(&text[31..], &shifted(&found, 31), b" \t\r\n\0\xEF\xBB\xBF");
}

fn shifted(found: &Examined, by: u64) -> Examined {
    let mut shifted = found.clone();
    shifted.framed.iter_mut().for_each(|record| record.position -= by);
    shifted
}

/// Whether there may be an object around an array of records, which is no record itself.
fn may_hold_an_envelope(bytes: &[u8]) -> bool {
    let keys: [&[u8]; 4] = [b"ecords\"", b"value\"", b"esults\"", b"hits\""];
    keys.iter()
        .any(|key| bytes.windows(key.len()).any(|window| window == *key))
}

/// Nothing else is left out.
fn only_between_records(bytes: &[u8], found: &Examined, these: &[u8]) {
    let mut end = 0;
    let whole = bytes.len() as u64;
    for (start, next) in found
        .framed
        .iter()
        .map(|record| (record.position, record.position + record.length))
        .chain([(whole, whole)])
    {
        let between = &bytes[end..start as usize];
        assert!(
            between.iter().all(|byte| these.contains(byte)),
            "lost before {start}: {between:?}"
        );
        end = next as usize;
    }
}

fn accounted_for(bytes: &[u8], found: &Examined) {
    let mut end = 0;
    for record in &found.framed {
        assert!(
            record.position >= end && !record.bytes.is_empty(),
            "{record:?} after {end}"
        );
        let start = record.position as usize;
        assert_eq!(&bytes[start..start + record.bytes.len()], record.bytes);
        end = record.position + record.length;
    }
    assert!(end <= bytes.len() as u64);
    let rejected = found.rejected.iter().map(|(position, _)| *position);
    assert_eq!(found.read, found.events.len() as u64 + rejected.len() as u64);
    assert_eq!(found.framed.len() as u64, found.read + found.skipped);
    let mut counted: Vec<u64> = found.events.iter().copied().chain(rejected).collect();
    counted.sort_unstable();
    let mut framed = found.framed.iter().map(|record| record.position);
    assert!(
        counted.iter().all(|position| framed.any(|at| at == *position)),
        "{counted:?}"
    );
}

/// Gives a few bytes at a time, and between them says to try again.
struct Dripping<'a> {
    rest: &'a [u8],
    turn: usize,
}

impl<'a> Dripping<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest, turn: rest.len() }
    }
}

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(5) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let most = (self.turn * 31 % 97 + 1).min(buffer.len());
        self.rest.read(&mut buffer[..most])
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::InvalidData.into())
    }
}
