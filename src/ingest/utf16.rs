//! UTF-16 as a stream of UTF-8.

use std::io::{self, Read};

/// UTF-16 with a byte order mark, as Windows PowerShell's redirection writes it, read as UTF-8.
pub(super) struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    /// First half of a pair that the last read ended with.
    pending: Option<u16>,
    output: Vec<u8>,
    read: usize,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(input: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self {
            input,
            unit,
            pending: None,
            output: Vec::new(),
            read: 0,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(64 << 10);
        self.input.by_ref().take(64 << 10).read_to_end(&mut bytes)?;
        let mut units: Vec<u16> = self.pending.take().into_iter().collect();
        units.extend(bytes.chunks_exact(2).map(|pair| (self.unit)([pair[0], pair[1]])));
        // Half a character at the end of a text that was cut off.
        if bytes.len() % 2 == 1 {
            units.push(0xFFFD);
        }
        if bytes.len() == 64 << 10 && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            self.pending = units.pop();
        }
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.output = text.into_bytes();
        self.read = 0;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.output.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.output.len() - self.read);
        buffer[..count].copy_from_slice(&self.output[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}
