//! The end of a record, wherever the stream was cut into windows.

use super::Limits;
use super::brackets::Brackets;
use super::multi_line::MultiLine;
use memchr::{memchr, memchr3};

/// How far at least a record is followed behind a line that begins like another.
const MIN_LOOKAHEAD: usize = 4 << 10;

/// A record whose end is not known yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) start: usize,
    /// Blanks in front of it, if nothing else is in front of it on its line.
    pub(super) column: Option<usize>,
    pub(super) found_by: Search,
}

impl Pending {
    /// Up to where all the bytes belong to the record.
    pub(super) fn searched(&self, length: usize) -> usize {
        match &self.found_by {
            Search::Brackets(search) => search.at,
            Search::MultiLine(search) => search.searched(),
            Search::Element { at, .. } => *at,
            Search::Line => length,
        }
    }

    /// The first bytes are gone.
    pub(super) fn shift(&mut self, length: usize) {
        self.start = self.start.saturating_sub(length);
        match &mut self.found_by {
            Search::Brackets(search) => search.at -= length,
            Search::MultiLine(search) => search.shift(length),
            Search::Element { at, .. } => *at -= length,
            Search::Line => {}
        }
    }
}

/// How the end of a record is found.
#[derive(Debug)]
pub(super) enum Search {
    /// A value that ends within its line, most likely.
    Brackets(Brackets),
    /// A value that does not.
    MultiLine(MultiLine),
    /// An element of an array that is neither object nor array: up to a comma, a closing
    /// bracket or the end of the line outside of quotes.
    Element { at: usize, in_string: bool },
    /// Text that is no JSON: up to the end of the line.
    Line,
}

impl Search {
    /// For an object or an array.
    pub(super) fn value(start: usize) -> Self {
        Self::Brackets(Brackets::new(start))
    }

    /// For anything else in an array.
    pub(super) fn element(start: usize) -> Self {
        Self::Element {
            at: start,
            in_string: false,
        }
    }
}

/// Finds the ends of records.
#[derive(Debug)]
pub(super) struct Searcher {
    limits: Limits,
    /// Less than the limit where records were followed in vain: if all lines are cut off,
    /// it is not to be read again and again how all of them go on.
    lookahead: usize,
    line_feeds: LineFeeds,
}

impl Searcher {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            lookahead: limits.lookahead,
            line_feeds: LineFeeds::default(),
        }
    }

    /// The first bytes are gone.
    pub(super) fn shift(&mut self, length: usize) {
        self.line_feeds.shift(length);
    }

    /// The end of the record; none where that is behind the bytes. Of a record that is
    /// skipped, only what was not searched yet is there.
    pub(super) fn find_end(
        &mut self,
        pending: &mut Pending,
        bytes: &[u8],
        ended: bool,
        skipping: bool,
    ) -> Option<usize> {
        if let Search::Brackets(search) = &mut pending.found_by {
            let line_feed = self.line_feeds.next(bytes, search.at);
            let line = &bytes[..line_feed.unwrap_or(bytes.len())];
            if let Some(end) = search.find_end(line) {
                return Some(end);
            }
            let start = pending.start;
            let Some(line_feed) = line_feed else {
                return ended.then_some(bytes.len());
            };
            if skipping || line_feed - start > self.limits.record {
                return Some(line_feed);
            }
            let compact = !bytes[start + 1].is_ascii_whitespace();
            let search = MultiLine::new(start, pending.column, compact, self.lookahead);
            pending.found_by = Search::MultiLine(search);
        }
        match &mut pending.found_by {
            Search::MultiLine(search) => {
                let end = search.find_end(bytes, ended)?;
                match search.in_vain() {
                    Some(true) => self.lookahead = (self.lookahead / 2).max(MIN_LOOKAHEAD.min(self.lookahead)),
                    Some(false) => self.lookahead = self.limits.lookahead,
                    None => {}
                }
                Some(end)
            }
            Search::Element { at, in_string } => element_end(at, in_string, bytes, ended),
            Search::Line | Search::Brackets(_) => {
                let line_feed = self.line_feeds.next(bytes, pending.start);
                line_feed.or(ended.then_some(bytes.len()))
            }
        }
    }
}

/// The end of a string, number or word in an array.
fn element_end(at: &mut usize, in_string: &mut bool, bytes: &[u8], ended: bool) -> Option<usize> {
    while let Some(&byte) = bytes.get(*at) {
        if !*in_string {
            match byte {
                b',' | b']' | b'\n' => return Some(*at),
                b'"' => *in_string = true,
                _ => {}
            }
            *at += 1;
            continue;
        }
        let Some(found) = memchr3(b'"', b'\\', b'\n', &bytes[*at..]) else {
            *at = bytes.len();
            break;
        };
        *at += found;
        match bytes[*at] {
            b'\n' => return Some(*at),
            b'"' => *in_string = false,
            // Both bytes of an escape at once; a line feed ends the string nevertheless.
            _ if *at + 1 == bytes.len() && !ended => return None,
            _ if bytes.get(*at + 1).is_some_and(|byte| *byte != b'\n') => *at += 1,
            _ => {}
        }
        *at += 1;
    }
    ended.then_some(bytes.len())
}

/// Where the next line feed is, so that each stretch of text is searched only once.
#[derive(Debug, Default)]
struct LineFeeds {
    next: Option<usize>,
    /// Before this there is none but `next`.
    searched: usize,
}

impl LineFeeds {
    fn next(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        if self.next.is_none_or(|next| next < from) {
            let from = self.searched.max(from);
            self.next = memchr(b'\n', bytes.get(from..).unwrap_or_default()).map(|at| from + at);
            self.searched = self.next.map_or(bytes.len(), |next| next + 1);
        }
        self.next
    }

    fn shift(&mut self, length: usize) {
        self.next = self.next.and_then(|next| next.checked_sub(length));
        self.searched = self.searched.saturating_sub(length);
    }
}
