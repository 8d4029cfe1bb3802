//! Bytes to records.

use retrohunt::ingest::{Content, Examined, examine};
use std::io::Read;

/// Any text: what it holds does not depend on how it is read, records lie where they are said to
/// lie, and each of them is accounted for.
pub fn framing(bytes: &[u8]) {
    let whole = examine(bytes, 4 << 20);
    assert_eq!(whole.error, None);
    accounted_for(bytes, &whole);
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
    let mut end = 31;
    for row in &found.framed {
        let blanks = &text[end..row.position as usize];
        assert!(blanks.iter().all(is_blank), "lost before {}: {blanks:?}", row.position);
        end = (row.position + row.length) as usize;
    }
    assert!(text[end..].iter().all(is_blank), "lost at the end: {:?}", &text[end..]);
}

/// White space, padding, and the bytes of a byte order mark.
fn is_blank(byte: &u8) -> bool {
    b" \t\r\n\0\xEF\xBB\xBF".contains(byte)
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
