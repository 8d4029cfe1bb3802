//! Half of the memory for whoever asks first, half in fair parts.

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whoever can go to disk gets what it asks for while half of the memory is free. The other half is kept
/// for all of them in fair parts; a fair part of all of it has who asks while what is kept for the
/// others remains. Who cannot go to disk gets what there is.
///
/// With fair parts of all of it (DataFusion's `FairSpillPool`), an aggregate of a plan with a dozen of
/// them went to disk while most of the memory was free, as most of them hold next to nothing.
#[derive(Debug)]
pub(super) struct HalvesPool {
    bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those who can go to disk, and what they and the others have.
    spillers: usize,
    spillable: usize,
    unspillable: usize,
}

impl State {
    /// What those have who are like this one.
    fn of(&mut self, reservation: &MemoryReservation) -> &mut usize {
        match reservation.consumer().can_spill() {
            true => &mut self.spillable,
            false => &mut self.unspillable,
        }
    }
}

impl HalvesPool {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for HalvesPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(pool_size: {})", self.name(), self.bytes)
    }
}

impl MemoryPool for HalvesPool {
    fn name(&self) -> &'static str {
        "halves"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        *self.state().of(reservation) += additional;
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        let taken = state.of(reservation);
        *taken = taken.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        let half = self.bytes / 2;
        let all = state.spillable + state.unspillable;
        let mut available = self.bytes.saturating_sub(all);
        if reservation.consumer().can_spill() {
            let (spillers, size) = (state.spillers.max(1), reservation.size());
            let kept = self.bytes.saturating_sub(half.max(state.unspillable)) / spillers;
            let unasked = self.bytes.saturating_sub(kept * (spillers - 1)).saturating_sub(all);
            let part = self.bytes.saturating_sub(state.unspillable) / spillers;
            let fair = part.saturating_sub(size).min(unasked);
            let first = half.saturating_sub(all);
            available = available.min(first.max(fair).max(kept.saturating_sub(size)));
        }
        if additional > available {
            return Err(resources_datafusion_err!(
                "{additional} bytes more for {}, which has {}: {available} remain for it of {self}",
                reservation.consumer().name(),
                reservation.size()
            ));
        }
        *state.of(reservation) += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state();
        state.spillable + state.unspillable
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn of_sorts(pool: &Arc<dyn MemoryPool>, count: usize) -> Vec<MemoryReservation> {
        let sort = |number: usize| {
            let sort = MemoryConsumer::new(format!("ExternalSorter[{number}]"));
            sort.with_can_spill(true).register(pool)
        };
        (0..count).map(sort).collect()
    }

    #[test]
    fn who_asks_first_has_half_and_everybody_a_fair_part_of_the_rest() {
        let pool: Arc<dyn MemoryPool> = Arc::new(HalvesPool::new(1000));
        let sorts = of_sorts(&pool, 4);
        assert!(sorts[0].try_grow(500).is_ok());
        let error = sorts[0].try_grow(1).unwrap_err().to_string();
        assert!(
            error.contains("1 bytes more for ExternalSorter[0], which has 500: 0 remain"),
            "{error}"
        );
        for sort in &sorts[1..] {
            assert!(sort.try_grow(125).is_ok(), "a fourth of the rest");
            assert!(sort.try_grow(1).is_err());
        }
        sorts[0].shrink(400);
        assert!(sorts[1].try_grow(125).is_ok(), "a fourth of all, as half is free again");
        assert!(sorts[1].try_grow(1).is_err());
        drop(sorts);
        assert_eq!(pool.reserved(), 0);
        let alone = of_sorts(&pool, 1);
        assert!(alone[0].try_grow(1000).is_ok(), "all is for who is alone");
    }

    #[test]
    fn who_cannot_go_to_disk_has_what_there_is() {
        let pool: Arc<dyn MemoryPool> = Arc::new(HalvesPool::new(1000));
        let sorts = of_sorts(&pool, 2);
        let join = MemoryConsumer::new("HashJoinInput[0]").register(&pool);
        assert!(sorts[0].try_grow(300).is_ok());
        assert!(join.try_grow(701).is_err());
        assert!(join.try_grow(600).is_ok());
        assert!(sorts[1].try_grow(101).is_err(), "no more than there is");
        assert!(sorts[1].try_grow(100).is_ok());
        assert!(join.try_grow(1).is_err());
    }
}
