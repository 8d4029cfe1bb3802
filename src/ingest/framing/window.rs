//! The part of a stream that is in memory.

use super::{Chunk, Shape};
use std::io::Read;

#[derive(Debug)]
pub(super) struct Window {
    pub(super) bytes: Vec<u8>,
    /// Position of the first byte in the decompressed file.
    pub(super) offset: u64,
    /// Nothing more can be read.
    pub(super) ended: bool,
    /// An error of the stream, kept until what came before it has been framed.
    pub(super) error: Option<std::io::Error>,
    /// How much is read at a time.
    step: usize,
    /// What is read goes through it: it stays in the processor's cache, where all memory of a chunk
    /// would have to be cleared to be read into.
    buffer: Vec<u8>,
}

/// Bytes of it: as many as streams below read at once.
const BUFFER_BYTES: usize = 64 << 10;

impl Window {
    pub(super) fn new(step: usize) -> Self {
        Self {
            bytes: Vec::new(),
            offset: 0,
            ended: false,
            error: None,
            step,
            buffer: vec![0; BUFFER_BYTES.min(step)],
        }
    }

    /// Reads until at least a chunk more is there, or the stream ends.
    pub(super) fn fill(&mut self, input: &mut impl Read) {
        let wanted = self.bytes.len() + self.step;
        self.bytes.reserve(self.step);
        while self.bytes.len() < wanted && !self.ended {
            let missing = (wanted - self.bytes.len()).min(self.buffer.len());
            match input.read(&mut self.buffer[..missing]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.bytes.extend_from_slice(&self.buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
    }

    /// Takes the first bytes out as a chunk and keeps the rest.
    pub(super) fn take(&mut self, length: usize, shape: Shape) -> Chunk {
        let rest = self.bytes.split_off(length);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let offset = self.offset;
        self.offset += length as u64;
        Chunk {
            bytes,
            offset,
            shape,
            too_long: None,
        }
    }

    /// Drops the first bytes.
    pub(super) fn discard(&mut self, length: usize) {
        self.bytes.drain(..length);
        self.offset += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind, Result};

    /// Gives these pieces, one a time.
    struct Pieces(Vec<Result<&'static [u8]>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0)?;
            let count = piece.len().min(buffer.len());
            buffer[..count].copy_from_slice(&piece[..count]);
            if count < piece.len() {
                self.0.insert(0, Ok(&piece[count..]));
            }
            Ok(count)
        }
    }

    #[test]
    fn what_is_read_in_pieces_is_whole() {
        let interrupted = || Err(Error::from(ErrorKind::Interrupted));
        let mut input = Pieces(vec![Ok(b"abc"), interrupted(), Ok(b"defgh"), interrupted(), Ok(b"ij")]);
        let mut window = Window::new(5);
        window.fill(&mut input);
        assert_eq!((window.bytes.as_slice(), window.ended), (&b"abcde"[..], false));
        window.fill(&mut input);
        assert_eq!((window.bytes.as_slice(), window.ended), (&b"abcdefghij"[..], false));
        // That nothing is left is known once nothing was read.
        window.fill(&mut input);
        assert_eq!((window.bytes.as_slice(), window.ended), (&b"abcdefghij"[..], true));
        assert!(window.error.is_none());
    }

    #[test]
    fn what_comes_before_an_error_is_kept() {
        let mut input = Pieces(vec![Ok(b"abc"), Err(Error::other("gone")), Ok(b"never")]);
        let mut window = Window::new(1 << 20);
        window.fill(&mut input);
        assert_eq!((window.bytes.as_slice(), window.ended), (&b"abc"[..], true));
        assert_eq!(window.error.map(|error| error.to_string()).as_deref(), Some("gone"));
    }
}
