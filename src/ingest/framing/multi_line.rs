//! The end of a JSON value that goes on behind its first line, or was cut off there.
//!
//! Brackets alone cannot tell: behind a record that was cut off they never balance, or
//! only with the help of the records that follow. So wherever a line begins like a record
//! (an opening bracket in the same column as the record, or in the first column where
//! the record is compact), the grammar decides. If no value can stand there, the record
//! was cut off. If one can, the record may go on: it is followed to its closing bracket,
//! and cut at the first such line if it goes on for too long, or if it turns out to be
//! cut off further down.

use memchr::memchr3;

/// Brackets that are told apart. A value nested deeper than that is no record.
const MAX_DEPTH: usize = 1 << 16;

/// Blanks in front of a line beyond which it is not looked at.
const MAX_INDENT: usize = 64 << 10;

/// Progress towards the end of the value.
#[derive(Debug, Clone)]
pub(super) struct MultiLine {
    at: usize,
    /// Blanks in front of the record, if nothing else is in front of it on its line.
    column: Option<usize>,
    /// The record begins like one that is written on a single line.
    compact: bool,
    /// How far to follow the record behind `doubtful`.
    lookahead: usize,
    in_string: bool,
    /// The opening brackets around here, and their number, which may be larger.
    around: Vec<u8>,
    depth: usize,
    /// The last byte that is not white space.
    last: u8,
    /// The first line feed behind which a line begins like a record.
    doubtful: Option<usize>,
    gave_up: bool,
}

enum NextLine {
    /// It begins with this byte, here, after so many blanks.
    Begins(u8, usize, usize),
    /// Not decidable yet.
    More,
}

impl MultiLine {
    pub(super) fn new(start: usize, column: Option<usize>, compact: bool, lookahead: usize) -> Self {
        Self {
            at: start,
            column,
            compact,
            lookahead,
            in_string: false,
            around: Vec::new(),
            depth: 0,
            last: 0,
            doubtful: None,
            gave_up: false,
        }
    }

    /// Up to where all the bytes belong to the value.
    pub(super) fn searched(&self) -> usize {
        self.doubtful.unwrap_or(self.at)
    }

    /// Whether some line looked like the begin of a record, and what became of that: true
    /// where the record was followed in vain until too far, or to the end of the text.
    pub(super) fn in_vain(&self) -> Option<bool> {
        self.doubtful.map(|_| self.gave_up)
    }

    /// The first bytes were taken out.
    pub(super) fn shift(&mut self, length: usize) {
        self.at -= length;
        self.doubtful = self.doubtful.map(|at| at - length);
    }

    /// Where the value ends or was cut off; none where that is behind the bytes.
    pub(super) fn find_end(&mut self, bytes: &[u8], ended: bool) -> Option<usize> {
        loop {
            if let Some(doubtful) = self.doubtful
                && self.at - doubtful > self.lookahead
            {
                self.gave_up = true;
                return Some(doubtful);
            }
            let found = match self.in_string {
                false => (self.at < bytes.len()).then_some(self.at),
                true => memchr3(b'"', b'\\', b'\n', bytes.get(self.at..).unwrap_or_default()).map(|at| self.at + at),
            };
            let Some(at) = found else {
                self.at = bytes.len().max(self.at);
                self.gave_up = ended;
                return ended.then(|| self.doubtful.unwrap_or(bytes.len()));
            };
            self.at = at + 1;
            match (bytes[at], self.in_string) {
                (b'\n', _) => match self.line_feed(at, bytes, ended) {
                    Line::GoesOn => {}
                    Line::Cut => return Some(self.doubtful.unwrap_or(at)),
                    Line::More => {
                        self.at = at;
                        return None;
                    }
                },
                (b'"', true) => self.in_string = false,
                (b'\\', true) if at + 1 < bytes.len() => {
                    // A line feed behind a backslash is none the less a line feed.
                    self.at = if bytes[at + 1] == b'\n' { at + 1 } else { at + 2 };
                }
                (b'\\', true) if !ended => {
                    self.at = at;
                    return None;
                }
                (_, true) | (b' ' | b'\t' | b'\r', false) => {}
                (byte, false) => {
                    self.last = byte;
                    if self.visible(byte) {
                        return Some(at + 1);
                    }
                }
            }
        }
    }

    /// Takes a byte outside of strings; true where it closes the value.
    fn visible(&mut self, byte: u8) -> bool {
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                if self.depth == self.around.len() && self.depth < MAX_DEPTH {
                    self.around.push(byte);
                }
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth -= 1;
                self.around.truncate(self.depth);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }

    fn line_feed(&mut self, at: usize, bytes: &[u8], ended: bool) -> Line {
        // A string holds no bare line feed: a record on a single line was cut off here.
        if self.in_string && self.compact {
            return Line::Cut;
        }
        let (first, start, indent) = match next_line(bytes, at, ended) {
            NextLine::Begins(first, start, indent) => (first, start, indent),
            NextLine::More => return Line::More,
        };
        self.at = start;
        let here = self.column == Some(indent) || (self.compact && indent == 0);
        match first {
            b'{' if here && self.in_string => Line::Cut,
            b'{' | b'[' if here && !self.in_string => {
                if !self.value_can_stand_here() {
                    return Line::Cut;
                }
                self.doubtful.get_or_insert(at);
                Line::GoesOn
            }
            _ => Line::GoesOn,
        }
    }

    fn value_can_stand_here(&self) -> bool {
        match self.last {
            b'[' | b':' => true,
            b',' => self.around.get(self.depth - 1).is_none_or(|around| *around == b'['),
            _ => false,
        }
    }
}

enum Line {
    GoesOn,
    Cut,
    More,
}

/// How the next line that is not blank begins.
fn next_line(bytes: &[u8], line_feed: usize, ended: bool) -> NextLine {
    let (mut at, mut indent) = (line_feed + 1, 0);
    while at - line_feed < MAX_INDENT {
        match bytes.get(at) {
            None if !ended => return NextLine::More,
            None => break,
            Some(b'\n') => indent = 0,
            Some(b' ' | b'\t') => indent += 1,
            Some(b'\r') => {}
            Some(&first) => return NextLine::Begins(first, at, indent),
        }
        at += 1;
    }
    NextLine::Begins(b' ', at, indent)
}
