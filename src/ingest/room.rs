//! How much of the input is in memory between those who read, parse and collect.
//!
//! The channels between them hold a number of chunks each, which is little where a chunk is a few
//! megabytes, and gigabytes where each is one record of hundreds.

use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Part of the memory limit that is for chunks on their way: one in so many bytes. The same again
/// and more is what parsing makes of them.
const SHARE: u64 = 8;

/// Bytes that are counted as one, as a semaphore counts in 32 bits.
const UNIT: usize = 4096;

/// Room for the bytes of chunks. Whoever reads waits for it before a chunk is sent, and it is
/// given back when what was made of the chunk has been taken, or when somebody on the way ends
/// and drops it. So nobody has to tell a reader that waits that there is no use in waiting.
#[derive(Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    units: u32,
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    _units: OwnedSemaphorePermit,
}

impl Room {
    /// As much as a memory limit of so many bytes allows.
    pub(super) fn within(memory_limit: u64) -> Self {
        Self::of(usize::try_from(memory_limit / SHARE).unwrap_or(usize::MAX))
    }

    /// For so many bytes.
    fn of(bytes: usize) -> Self {
        let most = Semaphore::MAX_PERMITS.min(u32::MAX as usize);
        let units = bytes.div_ceil(UNIT).clamp(1, most);
        Self {
            free: Arc::new(Semaphore::new(units)),
            units: units as u32,
        }
    }

    /// Waits until there is room for a chunk of so many bytes. One that is larger than all of the
    /// room waits until it is alone. Not to be called where others are polled.
    pub(super) fn enter(&self, runtime: &Handle, bytes: usize) -> Option<Held> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let entered = Arc::clone(&self.free).acquire_many_owned(units.min(self.units));
        // Nobody closes it.
        Some(Held {
            _units: runtime.block_on(entered).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    /// What is on its way, counted on its own.
    struct Counted {
        units: usize,
        on_the_way: Arc<AtomicUsize>,
        _held: Held,
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.on_the_way.fetch_sub(self.units, Ordering::SeqCst);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn no_more_is_on_its_way_than_there_is_room_or_one_chunk(
            units in 1_usize..20,
            chunks in prop::collection::vec(1_usize..40, 1..60),
            taken in 0_usize..80,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (room, handle) = (Room::of(units * UNIT), runtime.handle().clone());
            let on_the_way = Arc::new(AtomicUsize::new(0));
            let (sender, receiver) = mpsc::channel::<Counted>();
            let most = std::thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    let sender = sender;
                    let mut most = Vec::new();
                    for &chunk in &chunks {
                        let held = room.enter(&handle, chunk * UNIT).unwrap();
                        let before = on_the_way.fetch_add(chunk, Ordering::SeqCst);
                        most.push((before, chunk));
                        let on_the_way = Arc::clone(&on_the_way);
                        if sender.send(Counted { units: chunk, on_the_way, _held: held }).is_err() {
                            break;
                        }
                    }
                    most
                });
                // Takes them, or only some of them and ends.
                receiver.iter().take(taken).for_each(drop);
                drop(receiver);
                reader.join().unwrap()
            });
            for (before, chunk) in &most {
                prop_assert!(*before == 0 || before + chunk <= units, "{chunk} beside {before} in {units}");
            }
            prop_assert!(taken < chunks.len() || most.len() == chunks.len());
            prop_assert_eq!(on_the_way.load(Ordering::SeqCst), 0);
            prop_assert_eq!(room.free.available_permits(), units);
        }
    }
}
