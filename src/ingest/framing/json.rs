//! Records in JSON text: one per line, pretty-printed, concatenated, in arrays, or in
//! an array inside an object (`{"records":[…]}`), also mixed and interrupted.

use super::{Chunk, Shape, Window};
use memchr::{memchr, memchr3};
use std::io::Read;

/// Keys of an object whose array holds the records.
const CONTAINERS: [&str; 5] = ["records", "Records", "value", "results", "Results"];

/// How far into an object to look for such a key.
const CONTAINER_LOOKAHEAD: usize = 64 << 10;

/// Bytes that carry nothing between records. Three of them are the byte order mark.
pub(super) fn is_filler(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0 | 0xEF | 0xBB | 0xBF)
}

/// Where the framer is between records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of every array.
    Top,
    /// Among the elements of an array, which may be inside a container object.
    Array { in_container: bool },
    /// Behind the array of a container, up to its closing bracket.
    Tail,
}

/// Progress within a value whose end is not known yet.
#[derive(Debug, Clone, Copy)]
struct Scan {
    start: usize,
    at: usize,
    depth: usize,
    in_string: bool,
    /// The record begins like one that is written on a single line.
    compact: bool,
}

#[derive(Debug)]
pub(super) struct JsonFramer {
    place: Place,
    at: usize,
    scan: Option<Scan>,
    spans: Vec<(u32, u32)>,
}

impl Default for JsonFramer {
    fn default() -> Self {
        Self {
            place: Place::Top,
            at: 0,
            scan: None,
            spans: Vec::new(),
        }
    }
}

impl JsonFramer {
    /// Frames the whole stream; returns the window with the stream's error, if any.
    pub(super) fn run(
        mut self,
        mut window: Window,
        input: &mut impl Read,
        emit: &mut dyn FnMut(Chunk) -> bool,
    ) -> Window {
        loop {
            while self.step(&window.bytes, window.ended) {}
            let done = self.scan.map_or(self.at, |scan| scan.start);
            if done > 0 {
                let spans = std::mem::take(&mut self.spans);
                let chunk = window.take(done, Shape::Json(spans));
                self.at -= done;
                if let Some(scan) = &mut self.scan {
                    scan.start -= done;
                    scan.at -= done;
                }
                if !emit(chunk) {
                    return window;
                }
            }
            if window.ended {
                return window;
            }
            window.fill(input);
        }
    }

    /// Advances to the end of the next record; false when more bytes are needed or none are left.
    fn step(&mut self, bytes: &[u8], ended: bool) -> bool {
        if let Some(scan) = self.scan.take() {
            return self.resume(scan, bytes, ended);
        }
        let Some(skipped) = bytes[self.at..].iter().position(|byte| !is_filler(*byte)) else {
            self.at = bytes.len();
            return false;
        };
        let start = self.at + skipped;
        self.at = start;
        match (bytes[start], self.place) {
            (_, Place::Tail) => self.resume(
                Scan {
                    start,
                    at: start,
                    depth: 1,
                    in_string: false,
                    compact: false,
                },
                bytes,
                ended,
            ),
            (b'{', Place::Top) => match container(&bytes[start..], ended) {
                Lookahead::Array(length) => {
                    self.place = Place::Array { in_container: true };
                    self.at = start + length;
                    true
                }
                Lookahead::More => false,
                Lookahead::Record => match whole_line(bytes, start) {
                    Some(end) => self.record(start, end),
                    None => self.value(start, bytes, ended),
                },
            },
            (b'[', Place::Top) => {
                self.place = Place::Array { in_container: false };
                self.at = start + 1;
                true
            }
            (b']', Place::Array { in_container }) => {
                self.place = if in_container { Place::Tail } else { Place::Top };
                self.at = start + 1;
                true
            }
            (b']' | b'}', _) => {
                self.at = start + 1;
                true
            }
            (b'{' | b'[', _) => self.value(start, bytes, ended),
            _ => self.garbage(start, bytes, ended),
        }
    }

    fn record(&mut self, start: usize, end: usize) -> bool {
        if self.place != Place::Tail {
            self.spans.push((start as u32, end as u32));
        }
        self.at = end;
        true
    }

    fn value(&mut self, start: usize, bytes: &[u8], ended: bool) -> bool {
        let compact = bytes.get(start + 1).is_some_and(|byte| !byte.is_ascii_whitespace());
        self.resume(
            Scan {
                start,
                at: start,
                depth: 0,
                in_string: false,
                compact,
            },
            bytes,
            ended,
        )
    }

    /// Text that begins no value: to the end of its line.
    fn garbage(&mut self, start: usize, bytes: &[u8], ended: bool) -> bool {
        match memchr(b'\n', &bytes[start..]) {
            Some(length) => self.record(start, start + length),
            None if ended => self.record(start, bytes.len()),
            None => false,
        }
    }

    fn resume(&mut self, mut scan: Scan, bytes: &[u8], ended: bool) -> bool {
        let end = match scan.find_end(bytes) {
            Some(end) => end,
            None if ended => bytes.len(),
            None => {
                self.scan = Some(scan);
                return false;
            }
        };
        if self.place == Place::Tail {
            self.place = Place::Top;
            self.at = end;
            return true;
        }
        self.record(scan.start, end)
    }
}

impl Scan {
    /// The end of the value, or none where the bytes do not reach it.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            if self.in_string {
                let found = self.at + memchr3(b'"', b'\\', b'\n', bytes.get(self.at..)?)?;
                match bytes[found] {
                    b'"' => {
                        self.in_string = false;
                        self.at = found + 1;
                    }
                    b'\\' if found + 1 < bytes.len() => self.at = found + 2,
                    b'\\' => return None,
                    // A string never holds a bare line feed: the record was cut off here.
                    _ if self.compact => return Some(found),
                    _ => self.at = found + 1,
                }
                continue;
            }
            let byte = *bytes.get(self.at)?;
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.at + 1);
                    }
                }
                // A record written on one line has no other line: where the next line
                // begins a value, this one was cut off.
                b'\n' if self.compact => match bytes.get(self.at + 1)? {
                    b'{' | b'[' => return Some(self.at),
                    _ => {}
                },
                _ => {}
            }
            self.at += 1;
        }
    }
}

/// The end of a record that is one line: it begins and ends with the brackets of an object.
fn whole_line(bytes: &[u8], start: usize) -> Option<usize> {
    let line = &bytes[start..start + memchr(b'\n', &bytes[start..])?];
    let trimmed = line.trim_ascii_end();
    // Several records on one line have to be told apart bracket by bracket.
    let several = memchr::memmem::find(trimmed, b"}{").is_some();
    (trimmed.ends_with(b"}") && trimmed.starts_with(b"{\"") && !several).then_some(start + trimmed.len())
}

enum Lookahead {
    /// The object is a container; its array begins after this many bytes.
    Array(usize),
    /// The object is a record.
    Record,
    /// Not decidable yet.
    More,
}

/// Whether the object at the start of `bytes` only holds an array of records.
fn container(bytes: &[u8], ended: bool) -> Lookahead {
    let mut cursor = Cursor {
        bytes: &bytes[..bytes.len().min(CONTAINER_LOOKAHEAD)],
        at: 1,
    };
    match cursor.find_array() {
        Some(true) => Lookahead::Array(cursor.at),
        Some(false) => Lookahead::Record,
        None if ended || bytes.len() >= CONTAINER_LOOKAHEAD => Lookahead::Record,
        None => Lookahead::More,
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// True with `at` behind the opening bracket of the array; none when the bytes end before that is known.
    fn find_array(&mut self) -> Option<bool> {
        loop {
            if self.next_visible()? != b'"' {
                return Some(false);
            }
            let key = self.string()?;
            if self.next_visible()? != b':' {
                return Some(false);
            }
            self.at += 1;
            let value = self.next_visible()?;
            if value == b'[' && CONTAINERS.iter().any(|name| name.as_bytes() == key) {
                self.at += 1;
                let behind = self.at;
                let element = self.next_visible()?;
                self.at = behind;
                return Some(matches!(element, b'{' | b']'));
            }
            // Only what the services write before their array may stand there.
            match value {
                b'"' if key.starts_with(b"@odata.") => drop(self.string()?),
                b'0'..=b'9' if key.starts_with(b"@odata.") => {
                    while self.bytes.get(self.at)?.is_ascii_digit() {
                        self.at += 1;
                    }
                }
                b'[' if key.eq_ignore_ascii_case(b"schema") => {
                    let mut scan = Scan {
                        start: self.at,
                        at: self.at,
                        depth: 0,
                        in_string: false,
                        compact: false,
                    };
                    self.at = scan.find_end(self.bytes)?;
                }
                _ => return Some(false),
            }
            if self.next_visible()? != b',' {
                return Some(false);
            }
            self.at += 1;
        }
    }

    fn next_visible(&mut self) -> Option<u8> {
        while self.bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        Some(self.bytes[self.at])
    }

    /// The string that begins here, without its quotes; escapes are left as they are.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.bytes.get(at)? {
                b'"' => {
                    self.at = at + 1;
                    return Some(&self.bytes[start..at]);
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Content, frame};
    use super::*;
    use proptest::prelude::*;

    /// The records of a text, and what kind it was taken for.
    fn records(text: &[u8]) -> (Content, Vec<String>) {
        let mut found = Vec::new();
        let mut end = 0;
        let content = frame(text, &mut |chunk| {
            if let Shape::Json(spans) = &chunk.shape {
                assert_eq!(chunk.offset, end, "chunks follow each other");
                end += chunk.bytes.len() as u64;
                for &(from, to) in spans {
                    found.push(String::from_utf8_lossy(&chunk.bytes[from as usize..to as usize]).into_owned());
                }
            }
            true
        })
        .unwrap();
        (content, found)
    }

    fn json_records(text: &str) -> Vec<String> {
        records(text.as_bytes()).1
    }

    #[test]
    fn every_framing() {
        let expected = [r#"{"a":1}"#, r#"{"b":"]}{[\""}"#];
        for text in [
            "{\"a\":1}\n{\"b\":\"]}{[\\\"\"}\n",
            "{\"a\":1}\r\n\r\n{\"b\":\"]}{[\\\"\"}",
            "[{\"a\":1},{\"b\":\"]}{[\\\"\"}]",
            "\u{feff}[\n{\"a\":1},\n{\"b\":\"]}{[\\\"\"}\n]\n",
            "[{\"a\":1}]\n\n[{\"b\":\"]}{[\\\"\"}]",
            "[{\"a\":1}][{\"b\":\"]}{[\\\"\"}",
            "{\"records\":[{\"a\":1},{\"b\":\"]}{[\\\"\"}]}",
            "{\"@odata.context\":\"x\",\"@odata.count\":2, \"value\": [ {\"a\":1}, {\"b\":\"]}{[\\\"\"} ], \"more\": [1,{\"c\":2}]}",
            "{\"schema\":[{\"name\":\"x\"}],\"results\":[{\"a\":1},{\"b\":\"]}{[\\\"\"}]}",
            "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"b\":\"]}{[\\\"\"}]}\n",
            "{\"a\":1}{\"b\":\"]}{[\\\"\"}",
            "{\"a\":1}\0\0\u{feff}{\"b\":\"]}{[\\\"\"}",
        ] {
            assert_eq!(json_records(text), expected, "{text}");
        }
    }

    #[test]
    fn pretty_printed() {
        let text = "{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}\n{\n  \"c\": 1\n}\n";
        assert_eq!(
            json_records(text),
            ["{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}", "{\n  \"c\": 1\n}"]
        );
    }

    #[test]
    fn a_broken_line_costs_only_itself() {
        for broken in [
            r#"{"a":"cut he"#,
            r#"{"a":1,"b":"#,
            r#"{"a":{"b":[1,"#,
            "garbage",
            r#"{"a":{}"#,
        ] {
            let text = format!("{{\"x\":1}}\n{broken}\n{{\"y\":2}}\n{{\"z\":3}}\n");
            assert_eq!(
                json_records(&text),
                ["{\"x\":1}", broken, "{\"y\":2}", "{\"z\":3}"],
                "{broken}"
            );
        }
    }

    #[test]
    fn a_record_named_like_a_container_is_a_record() {
        assert_eq!(json_records("{\"value\":[1,2]}\n"), ["{\"value\":[1,2]}"]);
        assert_eq!(json_records("{\"value\":\"x\"}\n"), ["{\"value\":\"x\"}"]);
        assert_eq!(
            json_records("{\"id\":1,\"records\":[{}]}\n"),
            ["{\"id\":1,\"records\":[{}]}"]
        );
    }

    #[test]
    fn nothing_is_not_json() {
        assert_eq!(records(b"").0, Content::Empty);
        assert_eq!(records(b"\xEF\xBB\xBF \n").0, Content::Empty);
        assert_eq!(records(b"\x89PNG\r\n").0, Content::Unknown);
    }

    /// Reads a few bytes at a time, so that every record is cut by a refill somewhere.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(7);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn chunk_borders_cut_no_record() {
        let element = format!("{{\"a\":\"{}\"}}", "x\\\"".repeat(200_000));
        let text = format!("[{}]", [element.as_str(); 30].join(","));
        let mut count = 0;
        frame(Dribble(text.as_bytes()), &mut |chunk| {
            if let Shape::Json(spans) = &chunk.shape {
                for &(from, to) in spans {
                    assert_eq!(&chunk.bytes[from as usize..to as usize], element.as_bytes());
                    count += 1;
                }
            }
            true
        })
        .unwrap();
        assert_eq!(count, 30);
    }

    proptest! {
        #[test]
        fn any_bytes_are_framed_without_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            records(&text);
        }

        #[test]
        fn bracket_soup_is_framed_without_panic(text in "[\\[\\]{}\",:\\\\\n a1]{0,80}") {
            records(text.as_bytes());
        }
    }
}
