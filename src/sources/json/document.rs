//! A JSON text as one flat list of its values, which point into the text. Made for records of
//! logs: one pass, one allocation, and nothing is copied but strings with escapes.

use super::Sixteen;
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
    /// Of the outermost object.
    pub(super) keys: Keys,
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

/// Where the keys of an object are, by their hash: a record is asked for a hundred keys, of which
/// it has few.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// The nodes of keys, and 0 for none, as no key is the first node. One that finds its place
    /// taken is in the next one that is free.
    slots: [u16; Self::SLOTS],
    count: usize,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            slots: [0; Self::SLOTS],
            count: 0,
        }
    }
}

impl Keys {
    const SLOTS: usize = 128;
    /// No more, so that what is not there is seen not to be soon.
    const MOST: usize = 96;

    /// Where a key is looked for first. Of one that the program names, the compiler knows.
    #[inline(always)]
    pub(super) fn slot(key: &[u8]) -> usize {
        let (first, last) = (key.first().copied().unwrap_or(0), key.last().copied().unwrap_or(0));
        let middle = key.get(key.len() / 2).copied().unwrap_or(0);
        let mixed = key.len() * 31 + usize::from(first) * 7 + usize::from(last) * 13 + usize::from(middle) * 5;
        mixed % Self::SLOTS
    }

    fn add(&mut self, key: &[u8], node: usize) {
        self.count += 1;
        match u16::try_from(node) {
            Ok(node) if self.count <= Self::MOST => {
                let mut slot = Self::slot(key);
                while self.slots[slot] != 0 {
                    slot = (slot + 1) % Self::SLOTS;
                }
                self.slots[slot] = node;
            }
            // From here on it does not know all of them.
            _ => self.count = Self::MOST + 1,
        }
    }

    /// The first node of those that may be a key's of this slot which is it. None where all keys have
    /// to be looked at.
    #[inline]
    pub(super) fn find(&self, mut slot: usize, is: impl Fn(u32) -> bool) -> Option<Option<u32>> {
        if self.count > Self::MOST {
            return None;
        }
        loop {
            match u32::from(self.slots[slot]) {
                0 => return Some(None),
                node if is(node) => return Some(Some(node)),
                _ => slot = (slot + 1) % Self::SLOTS,
            }
        }
    }
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
            keys: Keys::default(),
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
            keys: Keys::default(),
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

    /// The object that has these texts by these keys, no two of which are the same. None where they
    /// are too long.
    pub fn of_texts(texts: &[(&str, Cow<'_, str>)]) -> Option<Document<'static>> {
        let length: usize = texts.iter().map(|(key, text)| key.len() + text.len()).sum();
        if length >= u32::MAX as usize {
            return None;
        }
        let mut document = Document {
            text: Cow::Borrowed(""),
            nodes: Vec::with_capacity(2 * texts.len() + 1),
            unescaped: String::with_capacity(length),
            keys: Keys::default(),
        };
        document.nodes.push(Node {
            kind: Kind::Object,
            next: 2 * texts.len() as u32 + 1,
            from: 0,
            length: 0,
        });
        for (key, text) in texts {
            document.keys.add(key.as_bytes(), document.nodes.len());
            for text in [*key, text] {
                document.nodes.push(Node {
                    kind: Kind::Unescaped,
                    next: document.nodes.len() as u32 + 1,
                    from: document.unescaped.len() as u32,
                    length: text.len() as u32,
                });
                document.unescaped.push_str(text);
            }
        }
        Some(document)
    }

    /// The bytes of a string.
    #[inline]
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
    keys: Keys,
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
                b'}' if is_object => {
                    self.close(&mut open);
                    continue;
                }
                b']' if !is_object => {
                    self.close(&mut open);
                    continue;
                }
                b',' if !first => {
                    self.at += 1;
                    self.skip_blanks();
                }
                _ if first => {}
                _ => return None,
            }
            self.member(&mut open, is_object)?;
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
    #[inline(always)]
    fn member(&mut self, open: &mut Vec<Open>, is_object: bool) -> Option<()> {
        if is_object {
            if self.bytes.get(self.at) != Some(&b'"') {
                return None;
            }
            let key = self.nodes.len();
            self.string()?;
            if open.len() == 1 {
                let Node { kind, from, length, .. } = self.nodes[key];
                let (from, to) = (from as usize, (from + length) as usize);
                let spelled = match kind {
                    Kind::Text => &self.bytes[from..to],
                    _ => &self.unescaped.as_bytes()[from..to],
                };
                self.keys.add(spelled, key);
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

    #[inline(always)]
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

    #[inline(always)]
    fn push(&mut self, kind: Kind, from: usize, length: usize) {
        self.nodes.push(Node {
            kind,
            next: self.nodes.len() as u32 + 1,
            from: from as u32,
            length: length as u32,
        });
    }

    #[inline(never)]
    fn word(&mut self, word: &[u8], kind: Kind) -> Option<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return None;
        }
        self.push(kind, self.at, word.len());
        self.at += word.len();
        Some(())
    }

    #[inline(never)]
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

    #[inline(always)]
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
    #[inline(never)]
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

    #[inline(always)]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }
}

/// Where the next quote, backslash or control character is, or the end.
#[inline(always)]
fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let block = Sixteen::new(block);
        let found = (block.equal(b'"') | block.equal(b'\\') | block.at_most(0x1F)).bits();
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    let rest = bytes.get(at..).unwrap_or_default().iter();
    at + rest.take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}
