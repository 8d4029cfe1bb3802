//! The columns of delimited text.

use super::Limits;
use super::csv::{Row, Rules, byte_order_mark, undouble};
use memchr::memchr2;
use std::collections::HashSet;

/// More columns than any export has.
const MAX_COLUMNS: usize = 4096;

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct CsvHeader {
    /// Names in order. Where a name is repeated, it goes on with `_2`, `_3` and so on.
    pub(in crate::ingest) columns: Vec<String>,
    /// `,`, `;`, a tab, or what a first line like `sep=|` says.
    pub(in crate::ingest) delimiter: u8,
    pub(super) rules: Rules,
    /// Bytes up to the end of the header line.
    pub(super) length: usize,
}

/// Whether a text begins with a header.
pub(super) enum Head {
    Yes(CsvHeader),
    No,
    /// Not decidable yet.
    More,
}

/// The header of a text, where its first line looks like one: at least two names without
/// control characters. Before it may stand blank lines, PowerShell's `#TYPE` line, and
/// the line that tells Excel the delimiter.
pub(super) fn header(bytes: &[u8], ended: bool, limits: Limits) -> Head {
    let mut start = 0;
    let mut told = None;
    loop {
        start += byte_order_mark(&bytes[start..]);
        let end = memchr2(b'\n', b'\r', &bytes[start..]).map(|at| start + at);
        let Some(end) = end.or(ended.then_some(bytes.len())) else {
            return Head::More;
        };
        let line = &bytes[start..end];
        if let Some(delimiter) = told_delimiter(line) {
            told = Some(delimiter);
        } else if !line.starts_with(b"#TYPE") && !line.iter().all(|byte| super::is_blank(*byte)) {
            return columns(bytes, start, told.unwrap_or_else(|| most_frequent(line)), ended, limits);
        }
        if end == bytes.len() {
            return Head::No;
        }
        start = end + 1;
    }
}

/// What Excel is told by a line like `sep=;`.
fn told_delimiter(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii();
    let line = line
        .strip_prefix(b"\"")
        .and_then(|l| l.strip_suffix(b"\""))
        .unwrap_or(line);
    match line {
        // A tab was trimmed.
        b"sep=" => Some(b'\t'),
        [b's', b'e', b'p', b'=', delimiter] if delimiter.is_ascii_punctuation() && *delimiter != b'"' => {
            Some(*delimiter)
        }
        _ => None,
    }
}

fn most_frequent(line: &[u8]) -> u8 {
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // Of equals the last one counts.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn columns(bytes: &[u8], start: usize, delimiter: u8, ended: bool, limits: Limits) -> Head {
    let mut rules = Rules {
        columns: MAX_COLUMNS,
        delimiter,
        limits,
    };
    let mut names = Vec::new();
    let mut text = Vec::new();
    let row = rules.row(bytes, start, ended, |field, doubled| {
        let name = if doubled { undouble(field, &mut text) } else { field };
        names.push(std::str::from_utf8(name).map(|name| name.trim().to_owned()).ok());
    });
    let length = match row {
        Row::Whole(end) => end,
        Row::More => return Head::More,
        Row::Broken(_) | Row::TooLong => return Head::No,
    };
    let Some(names) = names.into_iter().collect::<Option<Vec<String>>>() else {
        return Head::No;
    };
    let distinct: HashSet<_> = names.iter().collect();
    if distinct.len() < 2 || !names.iter().all(|name| is_name(name)) {
        return Head::No;
    }
    rules.columns = names.len();
    Head::Yes(CsvHeader {
        columns: numbered(names),
        delimiter,
        rules,
        length,
    })
}

fn is_name(name: &str) -> bool {
    name.chars().any(char::is_alphabetic)
        && name.len() <= 64
        && !name.chars().any(|c| c.is_control() || matches!(c, '{' | '}' | '"'))
}

/// Gives each repeated name a number of its own.
fn numbered(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    let mut seen = HashSet::new();
    let number = |name: String| {
        if seen.insert(name.clone()) {
            return name;
        }
        let fresh = (2..)
            .map(|n| format!("{name}_{n}"))
            .find(|fresh| taken.insert(fresh.clone()));
        fresh.unwrap_or(name)
    };
    names.into_iter().map(number).collect()
}
