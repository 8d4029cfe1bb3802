//! Rows come out in order, however many files they were in.

use super::*;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Word(String);

impl Spilled for Word {
    fn bytes(&self) -> usize {
        self.0.len()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_text(&self.0, out)
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        read_text(from).map(Self)
    }
}

fn sorter(budget: usize) -> Sorter<Word> {
    let pool = Arc::new(GreedyMemoryPool::new(1 << 30));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
    Sorter::new(runtime, budget)
}

/// All of them, in parts each of which is written before the next is added.
fn sorted(parts: &[Vec<String>], budget: usize) -> Vec<String> {
    let mut sorter = sorter(budget);
    for part in parts {
        let words: Vec<Word> = part.iter().cloned().map(Word).collect();
        if !sorter.has_room(words.iter().map(Word::bytes).sum()) {
            sorter.write().unwrap();
        }
        sorter.add(words);
    }
    assert_eq!(budget > 0, sorter.runs.is_empty());
    let rows = sorter.finish().unwrap().into_rows().unwrap();
    rows.map(|row| row.unwrap().0).collect()
}

#[test]
fn more_files_than_are_read_at_once_are_merged() {
    let parts: Vec<Vec<String>> = (0..3 * MOST_RUNS)
        .map(|part| {
            (0..3)
                .map(|row| format!("{:03}", (part * 71 + row * 37) % 211))
                .collect()
        })
        .collect();
    let mut expected = parts.concat();
    expected.sort();
    assert_eq!(sorted(&parts, 0), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn memory_and_disk_give_the_same(
        parts in prop::collection::vec(prop::collection::vec(".{0,5}", 1..6), 2..8),
    ) {
        let mut expected = parts.concat();
        expected.sort();
        prop_assert_eq!(&sorted(&parts, 1 << 20), &expected);
        prop_assume!(parts.iter().all(|part| part.iter().any(|word| !word.is_empty())));
        prop_assert_eq!(&sorted(&parts, 0), &expected);
    }
}

#[test]
fn blocks_end_at_rows_and_bytes_and_an_error_keeps_its_place() {
    let small = |count: usize| std::iter::repeat_n(1, count);
    let large = BLOCK_BYTES + 1;
    let lengths: Vec<usize> = small(2 * BLOCK_ROWS + 1).chain([large, large, 1]).collect();
    let rows = || lengths.iter().map(|length| Ok(Word("x".repeat(*length))));
    let counts = |blocks: &[Result<Vec<Word>>]| -> Vec<Option<usize>> {
        blocks.iter().map(|block| block.as_ref().ok().map(Vec::len)).collect()
    };
    let blocks: Vec<_> = in_blocks(rows()).collect();
    assert_eq!(
        counts(&blocks),
        [Some(BLOCK_ROWS), Some(BLOCK_ROWS), Some(2), Some(1), Some(1)]
    );
    let error = || Err(Error::Internal("damaged".into()));
    let blocks: Vec<_> = in_blocks(rows().take(3).chain([error()]).chain(rows().take(2))).collect();
    assert_eq!(counts(&blocks), [Some(3), None, Some(2)]);
    assert_eq!(in_blocks(std::iter::empty::<Result<Word>>()).count(), 0);
}
