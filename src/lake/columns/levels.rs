//! Parquet's hybrid of run lengths and bit packing, in which levels and indices are written.

use crate::lake::varint;

/// A run of equal values that is shorter than this is packed.
const RUN: usize = 8;

/// Appends values of so many bits each.
pub(super) fn hybrid<T: Copy + Eq + Into<u64>>(values: &[T], bits: u32, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < values.len() {
        let run = run_of(&values[at..]);
        if run >= RUN {
            varint::unsigned((run as u64) << 1, out);
            let value: u64 = values[at].into();
            out.extend_from_slice(&value.to_le_bytes()[..bits.div_ceil(8) as usize]);
            at += run;
            continue;
        }
        // Groups of eight, up to where a run begins.
        let begin = at;
        loop {
            at += RUN;
            if at >= values.len() || run_of(&values[at..(at + RUN).min(values.len())]) == RUN {
                break;
            }
        }
        let packed = &values[begin..at.min(values.len())];
        varint::unsigned(((packed.len().div_ceil(RUN) as u64) << 1) | 1, out);
        pack(packed, bits, out);
    }
}

/// How many values at the begin are equal.
fn run_of<T: Copy + Eq>(values: &[T]) -> usize {
    let Some(first) = values.first() else { return 0 };
    // Most levels are the same from begin to end: so many at once, without a branch for each.
    let (chunks, _) = values.as_chunks::<32>();
    let alike = |chunk: &&[T; 32]| chunk.iter().fold(true, |alike, value| alike & (value == first));
    let run = 32 * chunks.iter().take_while(alike).count();
    run + values[run..].iter().take_while(|value| *value == first).count()
}

/// Packs values, and zeros up to a multiple of eight of them.
pub(super) fn pack<T: Copy + Into<u64>>(values: &[T], bits: u32, out: &mut Vec<u8>) {
    let bytes = values.len().div_ceil(RUN) * bits as usize;
    let end = out.len() + bytes;
    let (mut held, mut count) = (0u64, 0);
    for value in values {
        let value: u64 = (*value).into();
        held |= value << count;
        count += bits;
        while count >= 8 {
            out.push(held as u8);
            held >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(held as u8);
    }
    out.resize(end, 0);
}

/// Bits that the values up to this one take.
pub(super) fn bits_for(largest: u64) -> u32 {
    u64::BITS - largest.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow twin: reads what was written.
    fn read(mut bytes: &[u8], bits: u32, count: usize) -> Vec<u64> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 0 {
                let width = bits.div_ceil(8) as usize;
                let mut value = [0; 8];
                value[..width].copy_from_slice(&bytes[..width]);
                bytes = &bytes[width..];
                values.extend(std::iter::repeat_n(u64::from_le_bytes(value), (header >> 1) as usize));
            } else {
                let groups = (header >> 1) as usize;
                for position in 0..groups * 8 * bits as usize {
                    if position % bits as usize == 0 {
                        values.push(0);
                    }
                    let bit = u64::from(bytes[position / 8] >> (position % 8) & 1);
                    *values.last_mut().unwrap() |= bit << (position % bits as usize);
                }
                bytes = &bytes[groups * bits as usize..];
            }
        }
        assert!(bytes.is_empty());
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            runs in proptest::collection::vec((0u32..40, prop_oneof![1usize..30, 30usize..100]), 0..40),
            bits in 6u32..20,
        ) {
            let values: Vec<u32> = runs.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
            let mut bytes = Vec::new();
            hybrid(&values, bits, &mut bytes);
            let expected: Vec<u64> = values.iter().map(|value| u64::from(*value)).collect();
            prop_assert_eq!(read(&bytes, bits, values.len()), expected);
        }
    }

    #[test]
    fn runs_of_any_length() {
        for length in 1..=130 {
            let values = [vec![1u8; length], vec![0]].concat();
            assert_eq!(run_of(&values), length);
            assert_eq!(run_of(&values[..length]), length);
        }
        assert_eq!(run_of::<u8>(&[]), 0);
    }

    #[test]
    fn levels_of_one_bit() {
        let mut bytes = Vec::new();
        hybrid(&[1u8; 1000], 1, &mut bytes);
        assert_eq!(bytes, [0xD0, 0x0F, 1], "a run is a length and a value");
        let mut bytes = Vec::new();
        hybrid(&[1u8, 0, 1, 1], 1, &mut bytes);
        assert_eq!(bytes, [0b11, 0b1101]);
        assert_eq!((bits_for(0), bits_for(1), bits_for(4), bits_for(255)), (0, 1, 3, 8));
    }
}
