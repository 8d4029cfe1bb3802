//! Bytes that grow without being moved: those of a column chunk until it is part of its file.

use bytes::Bytes;
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read, Write};

/// The most that is asked for before it is needed.
const LARGEST: usize = 1 << 20;

/// Bytes in the making, one piece after the other.
#[derive(Debug, Default)]
pub(super) struct Segments {
    segments: Vec<Vec<u8>>,
    length: usize,
}

impl Write for Segments {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = |segment: &Vec<u8>| segment.capacity() - segment.len() >= bytes.len();
        match self.segments.last_mut().filter(|last| room(last)) {
            Some(last) => last.extend_from_slice(bytes),
            None => {
                // Half of all again, so that there are few.
                let ahead = (self.length / 2).min(LARGEST);
                let mut segment = Vec::with_capacity(bytes.len() + ahead);
                segment.extend_from_slice(bytes);
                self.segments.push(segment);
            }
        }
        self.length += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Segments {
    pub(super) fn finish(self) -> ChunkBytes {
        ChunkBytes {
            segments: self.segments.into_iter().map(Bytes::from).collect(),
            length: self.length,
        }
    }
}

/// All bytes of a column chunk.
#[derive(Debug)]
pub(super) struct ChunkBytes {
    segments: Vec<Bytes>,
    length: usize,
}

impl ChunkBytes {
    pub(super) fn len(&self) -> usize {
        self.length
    }
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.length as u64
    }
}

impl ChunkReader for ChunkBytes {
    type T = SegmentsReader;

    fn get_read(&self, start: u64) -> Result<SegmentsReader> {
        let mut passed = start as usize;
        let rest = self.segments.iter().filter_map(|segment| {
            let skipped = passed.min(segment.len());
            passed -= skipped;
            Some(segment.slice(skipped..)).filter(|rest| !rest.is_empty())
        });
        Ok(SegmentsReader(rest.collect()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// What of segments has not been read.
#[derive(Debug)]
pub(super) struct SegmentsReader(std::collections::VecDeque<Bytes>);

impl Read for SegmentsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(first) = self.0.front_mut() else { return Ok(0) };
        let count = first.len().min(buffer.len());
        buffer[..count].copy_from_slice(&first.split_to(count));
        if first.is_empty() {
            self.0.pop_front();
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_from_any_place(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..30),
            start in 0usize..100,
            length in 0usize..200,
        ) {
            let mut segments = Segments::default();
            pieces.iter().for_each(|piece| segments.write_all(piece).unwrap());
            let bytes = segments.finish();
            let all = pieces.concat();
            prop_assert_eq!(bytes.len(), all.len());
            let from = &all[start.min(all.len())..];
            let mut read = Vec::new();
            bytes.get_read(start as u64).unwrap().read_to_end(&mut read).unwrap();
            prop_assert_eq!(&read[..], from);
            prop_assert_eq!(&bytes.get_bytes(start as u64, length).unwrap()[..], &from[..length.min(from.len())]);
        }
    }
}
