//! Parquet's delta encoding, in which the lengths of texts stand before them.
//!
//! Lengths between the texts would cost zstd as much as the texts: each of an id's is a match of four
//! bytes, that takes longer to write than the digits behind it.

use super::levels::{bits_for, pack};
use crate::lake::varint;

/// Differences of a block, and of each of its parts, which have bits of their own.
const BLOCK: usize = 128;
const PART: usize = 32;

/// Appends lengths: the first, and blocks of what each is more than the one before, above the least of
/// the block.
pub(super) fn delta_packed(lengths: impl ExactSizeIterator<Item = u32>, out: &mut Vec<u8>) {
    varint::unsigned(BLOCK as u64, out);
    varint::unsigned((BLOCK / PART) as u64, out);
    varint::unsigned(lengths.len() as u64, out);
    let mut lengths = lengths.map(i64::from);
    let mut last = lengths.next().unwrap_or_default();
    varint::signed(last, out);
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        block.clear();
        block.extend(lengths.by_ref().take(BLOCK).map(|length| {
            let more = length - last;
            last = length;
            more
        }));
        let Some(&least) = block.iter().min() else { return };
        varint::signed(least, out);
        let bits = out.len();
        out.extend_from_slice(&[0; BLOCK / PART]);
        for (part, values) in block.chunks(PART).enumerate() {
            let mut above = [0_u32; PART];
            above
                .iter_mut()
                .zip(values)
                .for_each(|(above, value)| *above = (value - least) as u32);
            let width = bits_for(above.iter().copied().max().unwrap_or_default().into());
            out[bits + part] = width as u8;
            pack(&above, width, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow twin: a bit after the other.
    struct Bytes<'a>(&'a [u8]);

    impl Bytes<'_> {
        fn byte(&mut self) -> u8 {
            let byte = self.0[0];
            self.0 = &self.0[1..];
            byte
        }

        fn number(&mut self) -> u64 {
            let (mut value, mut shift) = (0, 0);
            loop {
                let byte = self.byte();
                value |= u64::from(byte & 0x7F) << shift;
                shift += 7;
                if byte < 0x80 {
                    return value;
                }
            }
        }

        fn signed(&mut self) -> i64 {
            let value = self.number();
            if value.is_multiple_of(2) {
                (value / 2) as i64
            } else {
                -((value / 2) as i64) - 1
            }
        }
    }

    fn read(bytes: &[u8]) -> Vec<u32> {
        let mut bytes = Bytes(bytes);
        let (block, parts, count) = (bytes.number(), bytes.number(), bytes.number() as usize);
        let part = (block / parts) as usize;
        let mut last = bytes.signed();
        let mut lengths: Vec<u32> = (0..count.min(1)).map(|_| last as u32).collect();
        while lengths.len() < count {
            let least = bytes.signed();
            let widths: Vec<usize> = (0..parts).map(|_| bytes.byte().into()).collect();
            for width in widths {
                if lengths.len() == count {
                    assert_eq!(width, 0, "of a part that is not there");
                    continue;
                }
                let packed: Vec<u8> = (0..part * width / 8).map(|_| bytes.byte()).collect();
                for value in 0..part {
                    let bit = |bit: usize| u64::from(packed[bit / 8] >> (bit % 8) & 1);
                    let above = (0..width).map(|at| bit(value * width + at) << at).sum::<u64>();
                    if lengths.len() < count {
                        last += least + above as i64;
                        lengths.push(last as u32);
                    }
                }
            }
        }
        assert!(bytes.0.is_empty());
        lengths
    }

    proptest! {
        #[test]
        fn lengths_are_read_as_they_were_written(lengths in proptest::collection::vec(prop_oneof![4 => 30_u32..40, 1 => 0..5000_u32, 1 => Just(0), 1 => 0..=i32::MAX as u32], 0..400)) {
            let mut out = Vec::new();
            delta_packed(lengths.iter().copied(), &mut out);
            prop_assert_eq!(read(&out), lengths);
        }
    }
}
