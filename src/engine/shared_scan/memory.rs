//! Memory that all queues of a common scan share.

use crate::engine::memory::part;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use std::sync::Arc;

/// Most of the memory pool that queues take, one in so many parts: the plans that read them need
/// the rest.
const SHARE: usize = 8;

/// Bytes in all queues beyond which those get none for whom the scan does not wait: what is needed
/// late, the disk holds as well.
const UNWAITED_BYTES: usize = 128 << 20;

/// A part of the memory pool.
///
/// It is not registered as one that can spill, though it can: the pool gives each of those
/// the same, and beside the sorts and aggregates of forty plans that is next to nothing.
#[derive(Debug, Clone)]
pub(super) struct QueueMemory {
    reservation: Arc<MemoryReservation>,
    limit: usize,
}

/// Bytes taken, given back when dropped.
#[derive(Debug)]
pub(super) struct Taken {
    reservation: Arc<MemoryReservation>,
    bytes: usize,
}

impl QueueMemory {
    pub(super) fn of(pool: &Arc<dyn MemoryPool>) -> Self {
        Self {
            reservation: Arc::new(MemoryConsumer::new("SharedScan").register(pool)),
            limit: part(pool, SHARE),
        }
    }

    /// Memory for so many bytes, if there is some. The last of it is for queues that the scan waits
    /// for, which are short.
    pub(super) fn try_take(&self, bytes: usize, scan_waits: bool) -> Option<Taken> {
        let limit = if scan_waits {
            self.limit
        } else {
            (self.limit / 4 * 3).min(UNWAITED_BYTES)
        };
        let fits = self.reservation.size().saturating_add(bytes) <= limit;
        (fits && self.reservation.try_grow(bytes).is_ok()).then(|| Taken {
            reservation: Arc::clone(&self.reservation),
            bytes,
        })
    }

    /// No memory.
    pub(super) fn none(&self) -> Taken {
        Taken {
            reservation: Arc::clone(&self.reservation),
            bytes: 0,
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.reservation.shrink(self.bytes);
    }
}
