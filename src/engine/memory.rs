//! The memory that queries share.

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Beginning of the names of those who only pass rows on, from some tasks to others.
const PASSES_ON: &str = "RepartitionExec[";

/// Beginning of the names of joins that gather one side and then copy it into one piece. They
/// count what they gather, not the copy.
const COPIES: &str = "HashJoinInput";

/// Part of the memory, one in so many, of which nobody is refused any: those who can go to disk have a
/// fair part of all of it, but most of them need little.
const FREE: usize = 2;

/// Largest consumers that an error names.
const NAMED: usize = 5;

/// Gives everybody who can go to disk what it asks for while half of the memory is free, and a fair
/// part from then on, but whoever only passes rows on what it asks for, and counts twice what is held
/// twice.
///
/// An operator that passes rows on holds a few batches, as its channels let nobody send before
/// somebody receives. When refused memory for one, it would write the batch to one of several
/// files and read these in another order; with a receiver on each side that waits for a file which
/// a sender would have to end first, and senders that wait for the receivers, it stood still
/// (DataFusion 55). It would also halve the parts of the others.
#[derive(Debug)]
struct QueryMemory {
    /// All there is.
    bytes: usize,
    others: TrackConsumersPool<FairSpillPool>,
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
        let taken = taken(reservation.consumer(), additional);
        if reservation.consumer().can_spill() {
            let then = self.others.reserved().saturating_add(taken);
            if then <= self.bytes / FREE {
                self.others.grow(reservation, taken);
                return Ok(());
            }
            // Fair parts add up to all of it only where nobody has more than that.
            if then > self.bytes {
                return Err(resources_datafusion_err!(
                    "{} cannot have {taken} bytes more: {then} of {} would be taken",
                    reservation.consumer().name(),
                    self.bytes
                ));
            }
        }
        self.others.try_grow(reservation, taken)
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
        bytes,
        others: TrackConsumersPool::new(FairSpillPool::new(bytes), named),
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
    fn half_is_for_whoever_asks_and_the_rest_in_fair_parts() {
        let pool = pool(1000);
        let sort = |number: usize| {
            let sort = MemoryConsumer::new(format!("ExternalSorter[{number}]"));
            sort.with_can_spill(true).register(&pool)
        };
        let sorts: Vec<_> = (0..4).map(sort).collect();
        assert!(sorts[0].try_grow(450).is_ok(), "much more than a fourth");
        assert!(sorts[1].try_grow(250).is_ok(), "a fourth");
        assert!(sorts[0].try_grow(1).is_err());
        assert!(sorts[1].try_grow(1).is_err());
        assert!(sorts[2].try_grow(250).is_ok());
        let error = sorts[3].try_grow(51).unwrap_err().to_string();
        assert!(error.contains("ExternalSorter[3]"), "{error}");
        assert!(sorts[3].try_grow(50).is_ok(), "the last there is");
        sorts[0].shrink(450);
        assert!(sorts[3].try_grow(200).is_ok());
        drop(sorts);
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
