//! The memory that queries share.

mod halves;

use datafusion::common::Result;
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use halves::HalvesPool;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Beginning of the names of those who only pass rows on, from some tasks to others.
const PASSES_ON: &str = "RepartitionExec[";

/// Beginning of the names of joins that gather one side and then copy it into one piece. They
/// count what they gather, not the copy.
const COPIES: &str = "HashJoinInput";

/// Largest consumers that an error names.
const NAMED: usize = 5;

/// Gives everybody what [`HalvesPool`] has for it, but whoever only passes rows on what it asks for,
/// and counts twice what is held twice.
///
/// An operator that passes rows on holds a few batches, as its channels let nobody send before
/// somebody receives. When refused memory for one, it would write the batch to one of several
/// files and read these in another order; with a receiver on each side that waits for a file which
/// a sender would have to end first, and senders that wait for the receivers, it stood still
/// (DataFusion 55). It would also halve the parts of the others.
#[derive(Debug)]
struct QueryMemory {
    others: TrackConsumersPool<HalvesPool>,
    passed_on: AtomicUsize,
}

fn passes_on(consumer: &MemoryConsumer) -> bool {
    consumer.can_spill() && consumer.name().starts_with(PASSES_ON)
}

/// The bytes that a consumer really takes when it asks for so many.
fn taken(consumer: &MemoryConsumer, bytes: usize) -> usize {
    match consumer.name().starts_with(COPIES) {
        true => bytes.saturating_mul(2),
        false => bytes,
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.others.fmt(f)
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &'static str {
        "query_memory"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if !passes_on(consumer) {
            self.others.register(consumer);
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if !passes_on(consumer) {
            self.others.unregister(consumer);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        if passes_on(reservation.consumer()) {
            self.passed_on.fetch_add(additional, Ordering::Relaxed);
        } else {
            self.others.grow(reservation, taken(reservation.consumer(), additional));
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        if passes_on(reservation.consumer()) {
            self.passed_on.fetch_sub(shrink, Ordering::Relaxed);
        } else {
            self.others.shrink(reservation, taken(reservation.consumer(), shrink));
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if passes_on(reservation.consumer()) {
            self.grow(reservation, additional);
            return Ok(());
        }
        self.others
            .try_grow(reservation, taken(reservation.consumer(), additional))
    }

    fn reserved(&self) -> usize {
        self.others.reserved() + self.passed_on.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.others.memory_limit()
    }
}

/// So many bytes, for a runtime.
pub(super) fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
    let named = NonZeroUsize::new(NAMED).unwrap_or(NonZeroUsize::MIN);
    Arc::new(QueryMemory {
        others: TrackConsumersPool::new(HalvesPool::new(bytes), named),
        passed_on: AtomicUsize::new(0),
    })
}

/// One in so many parts of the memory of a pool, in bytes.
pub(super) fn part(pool: &Arc<dyn MemoryPool>, parts: usize) -> usize {
    match pool.memory_limit() {
        MemoryLimit::Finite(bytes) => bytes / parts,
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_join_gathers_counts_twice() {
        let pool = pool(1000);
        let join = MemoryConsumer::new("HashJoinInput[1]").register(&pool);
        assert!(join.try_grow(400).is_ok());
        assert_eq!(pool.reserved(), 800);
        assert!(join.try_grow(101).is_err());
        join.grow(50);
        join.shrink(250);
        assert_eq!(pool.reserved(), 400);
        drop(join);
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn who_passes_rows_on_is_refused_nothing_and_takes_no_part() {
        let pool = pool(1000);
        let sort = MemoryConsumer::new("ExternalSorter[0]")
            .with_can_spill(true)
            .register(&pool);
        let passing = MemoryConsumer::new("RepartitionExec[0]")
            .with_can_spill(true)
            .register(&pool);
        let merging = MemoryConsumer::new("RepartitionExec[Merge 0]").register(&pool);
        assert!(passing.try_grow(5000).is_ok());
        assert!(sort.try_grow(900).is_ok());
        assert!(merging.try_grow(200).is_err());
        let error = sort.try_grow(200).unwrap_err().to_string();
        assert!(error.contains("ExternalSorter"), "{error}");
        assert_eq!(pool.reserved(), 5900);
        passing.shrink(4000);
        drop(sort);
        assert_eq!(pool.reserved(), 1000);
        drop(passing);
        assert_eq!(pool.reserved(), 0);
    }
}
