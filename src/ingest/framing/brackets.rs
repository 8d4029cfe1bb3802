//! The end of a JSON value within a line, 64 bytes at a time.
//!
//! This sees every byte of every file in a single thread, before the parsers share the work.

use crate::sources::json::Sixteen;

/// Bytes that are compared at a time: one bit each.
const BLOCK: usize = 64;

/// Progress towards the bracket that closes a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brackets {
    /// Where to go on.
    pub(super) at: usize,
    depth: usize,
    in_string: bool,
    /// The next byte is behind a backslash.
    escaped: bool,
}

impl Brackets {
    /// At the opening bracket of a value.
    pub(super) fn new(start: usize) -> Self {
        Self {
            at: start + 1,
            depth: 1,
            in_string: false,
            escaped: false,
        }
    }

    /// The place behind the closing bracket; none where the bytes do not reach it.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(block) = bytes.get(self.at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            if let Some(length) = self.block(block) {
                return Some(self.at + length);
            }
            self.at += BLOCK;
        }
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            if self.byte(byte) {
                return Some(self.at);
            }
        }
        None
    }

    /// How far into the block the value goes; none where it goes on behind it.
    fn block(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        let Masks {
            quote,
            backslash,
            open,
            close,
        } = masks(block);
        let quote = if backslash == 0 && !self.escaped {
            quote
        } else {
            quote & !self.escapes(backslash)
        };
        let strings = between_quotes(quote) ^ if self.in_string { u64::MAX } else { 0 };
        self.in_string = strings >> (BLOCK - 1) == 1;
        let (open, close) = (open & !strings, close & !strings);
        if (close.count_ones() as usize) < self.depth {
            self.depth = self.depth + open.count_ones() as usize - close.count_ones() as usize;
            return None;
        }
        let mut both = open | close;
        while both != 0 {
            let at = both.trailing_zeros();
            both &= both - 1;
            if open >> at & 1 == 1 {
                self.depth += 1;
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(at as usize + 1);
                }
            }
        }
        None
    }

    /// The bytes that a backslash before them makes plain text.
    fn escapes(&mut self, backslash: u64) -> u64 {
        let mut left = backslash;
        let mut escaped = u64::from(self.escaped);
        self.escaped = false;
        left &= !escaped;
        while left != 0 {
            let at = left.trailing_zeros();
            if at as usize == BLOCK - 1 {
                self.escaped = true;
                break;
            }
            let behind = 1_u64 << (at + 1);
            escaped |= behind;
            left &= !(behind | 1 << at);
        }
        escaped
    }

    /// True where this byte closes the value.
    fn byte(&mut self, byte: u8) -> bool {
        if std::mem::take(&mut self.escaped) {
            // Inside of strings only quotes and backslashes matter, outside of them an
            // escape is an error that the brackets behind it survive.
            if matches!(byte, b'"' | b'\\') {
                return false;
            }
        }
        match byte {
            b'\\' => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' | b'[' if !self.in_string => self.depth += 1,
            b'}' | b']' if !self.in_string => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// From each opening quote up to its closing one: every bit says whether the quotes up to
/// it are odd in number.
fn between_quotes(mut quotes: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        quotes ^= quotes << shift;
    }
    quotes
}

/// Where in a block which bytes are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Masks {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
}

/// Bit that only brackets and braces differ in.
const BRACE: u8 = 0x20;

fn masks(block: &[u8; BLOCK]) -> Masks {
    let mut masks = Masks::default();
    let parts = block.as_chunks::<16>().0;
    for (at, part) in parts.iter().enumerate() {
        let (part, shift) = (Sixteen::new(part), 16 * at);
        let braces = part.with(BRACE);
        masks.quote |= part.equal(b'"').bits() << shift;
        masks.backslash |= part.equal(b'\\').bits() << shift;
        masks.open |= braces.equal(b'{').bits() << shift;
        masks.close |= braces.equal(b'}').bits() << shift;
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn byte_by_byte(text: &[u8]) -> Option<usize> {
        let mut brackets = Brackets::new(0);
        (1..text.len()).find(|&at| brackets.byte(text[at])).map(|at| at + 1)
    }

    proptest! {
        #[test]
        fn blocks_find_what_bytes_find(text in "\\{[\\[\\]{}\"\\\\ab:,]{0,300}", pad in 0_usize..70) {
            let mut text = text.into_bytes();
            text.splice(1..1, std::iter::repeat_n(b'{', pad));
            prop_assert_eq!(Brackets::new(0).find_end(&text), byte_by_byte(&text));
        }
    }
}
