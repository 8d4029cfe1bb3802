//! A JSON text as one flat list of its values, which point into the text. Made for records of
//! logs: one pass, one allocation, and nothing is copied but strings with escapes.

use super::value::Json;
use std::borrow::Cow;

/// How deep a text may nest to be parsed at all: what follows walks values by recursion.
pub(super) const DEEPEST_TEXT: usize = 128;

/// A parsed JSON text. Made by [`super::parse`].
#[derive(Debug, Clone)]
pub struct Document<'t> {
    pub(super) text: Cow<'t, str>,
    /// Each value before those within it; each key before its value.
    pub(super) nodes: Vec<Node>,
    /// Strings that are spelled with escapes in the text.
    pub(super) unescaped: String,
    /// Bits by [`key_bit`] of the keys of the outermost object.
    pub(super) keys: [u64; 4],
}

/// A value, or a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The node behind it and all that is within it.
    pub(super) next: u32,
    /// Where it is in the text (a string without its quotes), or among the unescaped ones.
    pub(super) from: u32,
    pub(super) length: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    /// A string with escapes: it is among the unescaped ones.
    Unescaped,
    Array,
    Object,
}

/// Which bit says that a key may be there.
pub(super) fn key_bit(key: &[u8]) -> (usize, u64) {
    let (first, last) = (key.first().copied().unwrap_or(0), key.last().copied().unwrap_or(0));
    let middle = key.get(key.len() / 2).copied().unwrap_or(0);
    let mixed = key.len() * 31 + usize::from(first) * 7 + usize::from(last) * 13 + usize::from(middle) * 5;
    (mixed >> 6 & 3, 1 << (mixed & 63))
}

impl Default for Document<'_> {
    /// `null`
    fn default() -> Self {
        let text = Cow::Borrowed("null");
        let node = Node {
            kind: Kind::Null,
            next: 1,
            from: 0,
            length: 4,
        };
        Self {
            text,
            nodes: vec![node],
            unescaped: String::new(),
            keys: [0; 4],
        }
    }
}

impl<'t> Document<'t> {
    /// None where the text is no JSON, or nests too deeply.
    pub(super) fn parse(text: Cow<'t, str>) -> Option<Self> {
        // Places are kept in 32 bits.
        if text.len() >= u32::MAX as usize {
            return None;
        }
        let mut parser = Parser {
            bytes: text.as_bytes(),
            text: &text,
            at: 0,
            nodes: Vec::with_capacity(text.len() / 12 + 8),
            unescaped: String::new(),
            keys: [0; 4],
        };
        parser.document()?;
        let Parser {
            nodes, unescaped, keys, ..
        } = parser;
        Some(Self {
            text,
            nodes,
            unescaped,
            keys,
        })
    }

    /// The bytes of a string.
    pub(super) fn bytes_of(&self, node: Node) -> &[u8] {
        let text = match node.kind {
            Kind::Unescaped => self.unescaped.as_bytes(),
            _ => self.text.as_bytes(),
        };
        &text[node.from as usize..(node.from + node.length) as usize]
    }

    /// The outermost value.
    pub fn root(&self) -> Json<'_> {
        Json::new(self, 0)
    }
}

struct Parser<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    nodes: Vec<Node>,
    unescaped: String,
    keys: [u64; 4],
}

/// A container that is open: its node, and whether it is an object.
type Open = (u32, bool);

impl Parser<'_> {
    fn document(&mut self) -> Option<()> {
        let mut open: Vec<Open> = Vec::with_capacity(16);
        self.skip_blanks();
        self.value(&mut open)?;
        while let Some(&(node, is_object)) = open.last() {
            self.skip_blanks();
            let first = self.nodes.len() as u32 == node + 1;
            match *self.bytes.get(self.at)? {
                b'}' if is_object => self.close(&mut open),
                b']' if !is_object => self.close(&mut open),
                b',' if !first => {
                    self.at += 1;
                    self.skip_blanks();
                    self.member(&mut open, is_object)?;
                }
                _ if first => self.member(&mut open, is_object)?,
                _ => return None,
            }
        }
        self.skip_blanks();
        (self.at == self.bytes.len()).then_some(())
    }

    fn close(&mut self, open: &mut Vec<Open>) {
        self.at += 1;
        if let Some((node, _)) = open.pop() {
            let next = self.nodes.len() as u32;
            let node = &mut self.nodes[node as usize];
            node.next = next;
            node.length = self.at as u32 - node.from;
        }
    }

    /// A value of an array, or a key and its value.
    fn member(&mut self, open: &mut Vec<Open>, is_object: bool) -> Option<()> {
        if is_object {
            if self.bytes.get(self.at) != Some(&b'"') {
                return None;
            }
            let key = self.nodes.len();
            self.string()?;
            if open.len() == 1 {
                let key = self.nodes[key];
                let (from, to) = (key.from as usize, (key.from + key.length) as usize);
                let (word, bit) = match key.kind {
                    Kind::Text => key_bit(&self.bytes[from..to]),
                    _ => key_bit(&self.unescaped.as_bytes()[from..to]),
                };
                self.keys[word] |= bit;
            }
            self.skip_blanks();
            if self.bytes.get(self.at) != Some(&b':') {
                return None;
            }
            self.at += 1;
            self.skip_blanks();
        }
        self.value(open)
    }

    fn value(&mut self, open: &mut Vec<Open>) -> Option<()> {
        match *self.bytes.get(self.at)? {
            b'"' => self.string(),
            byte @ (b'{' | b'[') => {
                if open.len() == DEEPEST_TEXT {
                    return None;
                }
                open.push((self.nodes.len() as u32, byte == b'{'));
                let kind = if byte == b'{' { Kind::Object } else { Kind::Array };
                self.push(kind, self.at, 0);
                self.at += 1;
                Some(())
            }
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
            b'n' => self.word(b"null", Kind::Null),
            _ => self.number(),
        }
    }

    fn push(&mut self, kind: Kind, from: usize, length: usize) {
        self.nodes.push(Node {
            kind,
            next: self.nodes.len() as u32 + 1,
            from: from as u32,
            length: length as u32,
        });
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Option<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return None;
        }
        self.push(kind, self.at, word.len());
        self.at += word.len();
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let from = self.at;
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'-'));
        match self.bytes.get(self.at)? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return None,
        }
        let mut large = self.at - from > 300;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
            large = true;
        }
        // Nothing has a number that no float is near to.
        if large && !self.text[from..self.at].parse::<f64>().is_ok_and(f64::is_finite) {
            return None;
        }
        self.push(Kind::Number, from, self.at - from);
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        let from = self.at + 1;
        let end = special(self.bytes, from);
        match *self.bytes.get(end)? {
            b'"' => {
                self.push(Kind::Text, from, end - from);
                self.at = end + 1;
                Some(())
            }
            b'\\' => self.escaped(from, end),
            _ => None,
        }
    }

    /// A string from here on, whose first escape is there.
    fn escaped(&mut self, mut from: usize, mut end: usize) -> Option<()> {
        let begin = self.unescaped.len();
        loop {
            self.unescaped.push_str(&self.text[from..end]);
            match *self.bytes.get(end)? {
                b'"' => break,
                b'\\' => {
                    self.at = end + 1;
                    let character = self.escape()?;
                    self.unescaped.push(character);
                }
                _ => return None,
            }
            from = self.at;
            end = special(self.bytes, from);
        }
        self.at = end + 1;
        self.push(Kind::Unescaped, begin, self.unescaped.len() - begin);
        Some(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<char> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.four_digits()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                if !self.bytes[self.at..].starts_with(b"\\u") {
                    return None;
                }
                self.at += 2;
                let low = self.four_digits()?;
                if !(0xDC00..0xE000).contains(&low) {
                    return None;
                }
                return char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |number, digit| Some(number << 4 | (*digit as char).to_digit(16)?))
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }
}

/// Where the next quote, backslash or control character is, or the end.
fn special(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // The highest bit of each byte that is zero; false ones stand only behind a true one.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(eight) = bytes.get(at..at + 8) {
        let mut word = [0; 8];
        word.copy_from_slice(eight);
        let word = u64::from_le_bytes(word);
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = quote | backslash | control;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default().iter();
    at + rest.take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}
