//! Bloom filters of texts, as Parquet splits them into blocks
//! (<https://github.com/apache/parquet-format/blob/master/BloomFilter.md>).
//!
//! Writers mostly round their size up to a power of two. Made when all texts are known, a filter is
//! as large as it has to be: those of a tenth of the false positives take a quarter more on
//! average.

use datafusion::parquet::bloom_filter::Sbbf;
use twox_hash::XxHash64;

/// How often a filter says of a text that is not there that it may be.
pub(in crate::lake) const FALSE_POSITIVES: f64 = 0.001;

/// Texts of a block. With 15, one in a thousand others finds its eight bits set, blocks that have
/// more by chance and those that have fewer taken together.
const TEXTS_OF_A_BLOCK: usize = 15;

/// Bytes of a block, and bits of each of its eight words.
pub(in crate::lake) const BLOCK: u64 = 32;
const WORD_BITS: u32 = 32;

const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The hash by which a text is in a filter.
fn hash(text: &[u8]) -> u64 {
    XxHash64::oneshot(0, text)
}

/// Which of so many blocks is a hash's.
fn block(hash: u64, blocks: u64) -> u64 {
    ((hash >> 32) * blocks) >> 32
}

/// Which of so many blocks is a text's.
pub(in crate::lake) fn block_of(text: &str, blocks: u64) -> u64 {
    block(hash(text.as_bytes()), blocks)
}

/// Hashes up to which they are counted one by one.
const FEW: usize = 1024;

/// How many hashes are distinct: nearly, of many, by how many places of a bitmap they leave empty
/// (linear counting, Whang et al. 1990). To sort them takes longer than all else of a filter.
fn distinct(hashes: &[u64]) -> usize {
    if hashes.len() <= FEW {
        let mut sorted = hashes.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        return sorted.len();
    }
    let places = (4 * hashes.len() as u64).next_multiple_of(u64::from(u64::BITS));
    let mut taken = vec![0u64; (places / u64::from(u64::BITS)) as usize];
    for hash in hashes {
        let place = block(*hash, places);
        taken[(place / u64::from(u64::BITS)) as usize] |= 1 << (place % u64::from(u64::BITS));
    }
    let taken: u64 = taken.iter().map(|word| u64::from(word.count_ones())).sum();
    let empty = (places - taken) as f64 / places as f64;
    let counted = (places as f64 * -empty.ln()).round() as usize;
    counted.min(hashes.len())
}

/// The texts of a column chunk, on their way to a filter.
#[derive(Debug, Default)]
pub(super) struct Filter {
    hashes: Vec<u64>,
}

impl Filter {
    pub(super) fn insert(&mut self, text: &[u8]) {
        self.hashes.push(hash(text));
    }

    /// The filter, of one block at least.
    pub(super) fn finish(self) -> Sbbf {
        let blocks = distinct(&self.hashes).div_ceil(TEXTS_OF_A_BLOCK).max(1);
        let mut bytes = vec![0; blocks * BLOCK as usize];
        for hash in &self.hashes {
            let begin = block(*hash, blocks as u64) as usize * BLOCK as usize;
            for (word, salt) in SALT.into_iter().enumerate() {
                let bit = (*hash as u32).wrapping_mul(salt) >> 27;
                // Words begin with their lowest byte.
                bytes[begin + (word * WORD_BITS as usize + bit as usize) / 8] |= 1 << (bit % 8);
            }
        }
        Sbbf::new(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(texts: impl Iterator<Item = u32>) -> Sbbf {
        let mut filter = Filter::default();
        texts.for_each(|text| filter.insert(text.to_string().as_bytes()));
        filter.finish()
    }

    #[test]
    fn what_was_put_in_is_found_and_of_others_one_in_a_thousand() {
        for texts in [1, 14, 15, 16, 1000, 20_000] {
            let filter = filter(0..texts);
            let blocks = (texts as usize).div_ceil(15);
            let off = if texts as usize > FEW { blocks / 50 } else { 0 };
            assert!(filter.num_blocks().abs_diff(blocks) <= off, "{}", filter.num_blocks());
            assert!((0..texts).all(|text| filter.check(text.to_string().as_str())));
            let others = 200_000;
            let found = (texts..texts + others).filter(|text| filter.check(text.to_string().as_str()));
            // Small ones may have any share of their few blocks.
            let most = if texts < 1000 { 0.02 } else { 1.3 * FALSE_POSITIVES };
            assert!((found.count() as f64) < most * f64::from(others), "{texts}");
        }
    }

    #[test]
    fn repeated_texts_make_it_no_larger_and_of_no_texts_nothing_is_in_it() {
        assert_eq!(filter((0..1000).map(|text| text % 30)).num_blocks(), 2);
        assert!((2..=3).contains(&filter((0..9000).map(|text| text % 30)).num_blocks()));
        assert!(!Filter::default().finish().check("0"));
    }

    /// The library's own filter of as many blocks has the same bits.
    #[test]
    fn bits_are_those_of_the_library() {
        let texts: Vec<String> = (0..60).map(|text: u32| text.to_string()).collect();
        let mut theirs = Sbbf::new_with_num_of_bytes(4 * BLOCK as usize);
        texts.iter().for_each(|text| theirs.insert(text.as_str()));
        let ours = filter(0..60);
        let written = |filter: &Sbbf| {
            let mut bytes = Vec::new();
            filter.write(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(written(&ours), written(&theirs));
        let block = block_of("7", 4) as usize * BLOCK as usize;
        let bytes = written(&ours);
        let header = bytes.len() - 4 * BLOCK as usize;
        assert!(Sbbf::new(&bytes[header + block..header + block + BLOCK as usize]).check("7"));
    }
}
