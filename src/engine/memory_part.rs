//! A part of the engine's memory, for what runs beside its queries.

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Takes from a pool, and never more than a limit of its own. A fair pool lets the first
/// that comes have all of it, and takes nothing back when others come: who stays for long
/// has to be modest.
#[derive(Debug)]
pub(super) struct MemoryPart {
    whole: Arc<dyn MemoryPool>,
    limit: usize,
    used: AtomicUsize,
}

impl MemoryPart {
    pub(super) fn new(whole: Arc<dyn MemoryPool>, limit: usize) -> Self {
        Self {
            whole,
            limit,
            used: AtomicUsize::new(0),
        }
    }
}

impl fmt::Display for MemoryPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part(pool_size: {})", human_readable_size(self.limit))
    }
}

impl MemoryPool for MemoryPart {
    fn name(&self) -> &str {
        "part"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.whole.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.whole.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.whole.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.whole.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let fits = |used: usize| used.checked_add(additional).filter(|sum| *sum <= self.limit);
        if self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_err()
        {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} needs {} more - {self}",
                reservation.consumer().name(),
                human_readable_size(additional)
            )));
        }
        self.whole.try_grow(reservation, additional).inspect_err(|_| {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        })
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::execution::memory_pool::FairSpillPool;

    #[test]
    fn gives_no_more_than_its_part_and_what_the_whole_has() {
        let whole: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(100));
        let part: Arc<dyn MemoryPool> = Arc::new(MemoryPart::new(Arc::clone(&whole), 40));
        let inside = MemoryConsumer::new("inside").register(&part);
        let outside = MemoryConsumer::new("outside").register(&whole);
        inside.try_grow(30).unwrap();
        assert!(inside.try_grow(11).is_err());
        assert_eq!((part.reserved(), whole.reserved()), (30, 30));
        outside.try_grow(65).unwrap();
        assert!(inside.try_grow(10).is_err(), "the whole has only 5 left");
        assert_eq!((part.reserved(), whole.reserved()), (30, 95));
        inside.try_grow(5).unwrap();
        drop(inside);
        assert_eq!((part.reserved(), whole.reserved()), (0, 65));
    }
}
