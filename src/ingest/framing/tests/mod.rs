//! Texts to records: every framing, what is broken in it, and cuts at every place.

mod csv;
mod json;
mod properties;

use super::*;

/// Small sizes, so that each limit is reached by little text.
const SMALL: Limits = Limits {
    chunk: 64,
    records: 7,
    record: 200,
    kept: 10,
    quoted: 100,
    lookahead: 60,
};

/// A record: its position, its text, its fields if it is a row, its length if it is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    position: u64,
    text: String,
    fields: Option<Result<Vec<String>, String>>,
    too_long: Option<u64>,
}

fn framed(limits: Limits, text: &[u8]) -> (Content, Vec<Found>) {
    let mut found = Vec::new();
    let mut end = None;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let content = frame_within(limits, text, &mut |chunk| {
        if let Some(end) = end {
            assert_eq!(chunk.offset, end, "chunks follow each other");
        }
        end = Some(chunk.offset + chunk.too_long.unwrap_or(chunk.bytes.len() as u64));
        let start = chunk.offset as usize;
        assert_eq!(&chunk.bytes[..], &text[start..start + chunk.bytes.len()]);
        let mut add = |position: usize, text: &[u8], fields| {
            found.push(Found {
                position: chunk.offset + position as u64,
                text: lossy(text),
                fields,
                too_long: chunk.too_long,
            });
        };
        match &chunk.shape {
            Shape::Json(spans) => {
                for &(from, to) in spans {
                    add(from as usize, &chunk.bytes[from as usize..to as usize], None);
                }
            }
            Shape::Csv(header, count) => {
                assert_eq!(rows(&chunk.bytes, header).count(), *count);
                for (position, row, fields) in rows(&chunk.bytes, header) {
                    let fields = fields
                        .map(|fields| fields.iter().map(lossy).collect())
                        .map_err(|e| e.to_string());
                    add(position, row, Some(fields));
                }
            }
        }
        true
    })
    .unwrap();
    (content, found)
}

fn texts(text: &str) -> Vec<String> {
    framed(LIMITS, text.as_bytes())
        .1
        .into_iter()
        .map(|found| found.text)
        .collect()
}

#[test]
fn nothing_is_not_json() {
    assert_eq!(framed(LIMITS, b"").0, Content::Empty);
    assert_eq!(framed(LIMITS, b"\xEF\xBB\xBF \n").0, Content::Empty);
    assert_eq!(framed(LIMITS, b"\x89PNG\r\n").0, Content::Unknown);
}

#[test]
fn padding_longer_than_a_window_is_not_the_end() {
    let text = format!("{}{{\"a\":1}}", "\0".repeat(6 << 20));
    let (content, found) = framed(LIMITS, text.as_bytes());
    assert_eq!(content, Content::Json);
    assert_eq!((found[0].position, found[0].text.as_str()), (6 << 20, "{\"a\":1}"));
}
