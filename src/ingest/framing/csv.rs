//! Rows of delimited text with a header line, as PowerShell and the portals export them.

use super::{Chunk, Shape, Window};
use memchr::{memchr, memchr2};
use std::io::Read;
use std::sync::Arc;

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct CsvHeader {
    /// Names in order.
    pub(in crate::ingest) columns: Vec<String>,
    /// `,`, `;` or a tab.
    pub(in crate::ingest) delimiter: u8,
    /// Bytes up to the end of the header line.
    length: usize,
}

/// The header of a text, where its first line looks like one: at least two distinct
/// names without control characters. A `#TYPE` line before it is PowerShell's.
pub(super) fn header(bytes: &[u8]) -> Option<CsvHeader> {
    let mut start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    if bytes[start..].starts_with(b"#TYPE") {
        start += memchr(b'\n', &bytes[start..])? + 1;
    }
    let end = row_end(bytes, start).unwrap_or(bytes.len());
    let line = std::str::from_utf8(&bytes[start..end]).ok()?;
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| line.bytes().filter(|byte| byte == delimiter).count())?;
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    let columns: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
    let name_like = |name: &String| {
        name.chars().any(char::is_alphabetic)
            && name.len() <= 64
            && !name.chars().any(|c| c.is_control() || matches!(c, '{' | '}' | '"'))
    };
    let distinct: std::collections::HashSet<_> = columns.iter().collect();
    (columns.len() >= 2 && columns.iter().all(name_like) && distinct.len() == columns.len()).then_some(CsvHeader {
        columns,
        delimiter,
        length: end,
    })
}

/// The end of the row that starts at `start`: behind the line feed outside of quotes.
fn row_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut quoted = false;
    loop {
        let found = at + memchr2(b'"', b'\n', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            quoted = !quoted;
        } else if !quoted {
            return Some(found + 1);
        }
        at = found + 1;
    }
}

pub(super) fn run(mut window: Window, input: &mut impl Read, emit: &mut dyn FnMut(Chunk) -> bool) -> Window {
    let Some(header) = header(&window.bytes) else {
        return window;
    };
    let header = Arc::new(header);
    window.take(header.length, Shape::Csv(Arc::clone(&header)));
    let (mut end, mut at, mut quoted) = (0, 0, false);
    loop {
        // Quotes are counted once, also where a row is longer than the window.
        while let Some(found) = window.bytes.get(at..).and_then(|rest| memchr2(b'"', b'\n', rest)) {
            match window.bytes[at + found] {
                b'"' => quoted = !quoted,
                _ if !quoted => end = at + found + 1,
                _ => {}
            }
            at += found + 1;
        }
        at = window.bytes.len();
        if window.ended {
            end = window.bytes.len();
        }
        if end > 0 {
            let chunk = window.take(end, Shape::Csv(Arc::clone(&header)));
            at -= end;
            end = 0;
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

/// Each row of a chunk as (position in the chunk, its bytes, its fields). Blank lines are no rows.
pub(in crate::ingest) fn rows<'a>(
    bytes: &'a [u8],
    header: &'a CsvHeader,
) -> impl Iterator<Item = (usize, &'a [u8], Result<::csv::ByteRecord, ::csv::Error>)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        loop {
            if start >= bytes.len() {
                return None;
            }
            let end = row_end(bytes, start).unwrap_or(bytes.len());
            let (position, row) = (start, bytes[start..end].trim_ascii_end());
            start = end;
            if row.is_empty() {
                continue;
            }
            let mut reader = ::csv::ReaderBuilder::new()
                .delimiter(header.delimiter)
                .has_headers(false)
                .flexible(true)
                .buffer_capacity(row.len().max(64))
                .from_reader(row);
            let mut record = ::csv::ByteRecord::new();
            let read = reader.read_byte_record(&mut record).map(|_| record);
            return Some((position, row, read));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Content, frame};
    use super::*;

    fn all_rows(text: &str) -> (Content, Vec<(u64, Vec<String>)>) {
        let mut found = Vec::new();
        let content = frame(text.as_bytes(), &mut |chunk| {
            if let Shape::Csv(header) = &chunk.shape {
                for (position, _, record) in rows(&chunk.bytes, header) {
                    let fields = record
                        .unwrap()
                        .iter()
                        .map(|f| String::from_utf8_lossy(f).into_owned())
                        .collect();
                    found.push((chunk.offset + position as u64, fields));
                }
            }
            true
        })
        .unwrap();
        (content, found)
    }

    #[test]
    fn quotes_line_feeds_and_type_line() {
        let text = "\u{feff}#TYPE Selected\r\n\"AuditData\",\"Identity\"\r\n\"{\"\"a\"\":\r\n1}\",x\r\n\r\ny,\"z\"";
        let (content, rows) = all_rows(text);
        assert_eq!(content, Content::Csv);
        let texts: Vec<_> = rows.iter().map(|(_, fields)| fields.clone()).collect();
        assert_eq!(texts, [["{\"a\":\r\n1}", "x"], ["y", "z"]]);
        let at = rows[1].0 as usize;
        assert_eq!(
            &text.as_bytes()[at..at + 1],
            b"y",
            "the position is that of the row in the file"
        );
    }

    #[test]
    fn semicolons_and_tabs() {
        assert_eq!(all_rows("a;b;c\n1;\"2;3\";4\n").1[0].1, ["1", "2;3", "4"]);
        assert_eq!(all_rows("a\tb\n1\t2\n").1[0].1, ["1", "2"]);
    }

    #[test]
    fn prose_is_no_table() {
        assert_eq!(all_rows("Dear analyst\nplease find attached\n").0, Content::Unknown);
    }
}
