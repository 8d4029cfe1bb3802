//! From the common scan to one consumer: what there is memory for, and the rest on disk.

use super::figures::Counters;
use super::memory::{QueueMemory, Taken};
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::spill::spill_pool::{SpillPoolSink, spsc_channel};
use futures::StreamExt as _;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Batches that may wait in memory for a consumer for whom the common scan waits. For another one,
/// the memory alone decides.
const IN_MEMORY: usize = 4;

/// Bytes after which a batch is sent though it could have more rows.
const BATCH_BYTES: usize = 1 << 20;

/// A panic elsewhere leaves nothing half done that these locks guard.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What waits for a consumer.
#[derive(Debug)]
enum Waiting {
    Memory(
        RecordBatch,
        #[expect(dead_code, reason = "held, not read")] Option<Held>,
    ),
    /// The next batch of the spill.
    Spilled,
}

/// A place in the queue and the memory for it, both given back when dropped.
#[derive(Debug)]
struct Held {
    _memory: Taken,
    _place: OwnedSemaphorePermit,
}

/// What needs a running plan's context.
struct Running {
    memory: QueueMemory,
    spill: Mutex<SpillPoolSink>,
    spilled: tokio::sync::Mutex<SendableRecordBatchStream>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<DfResult<Waiting>>,
    /// Nothing comes any more.
    ended: bool,
}

/// The queue of one consumer. Whichever of its partitions asks gets the next batch, so one
/// that nobody polls holds up none.
pub(super) struct Queue {
    schema: SchemaRef,
    /// Whether the common scan may wait for this consumer. Not for one of a plan with more of
    /// them: a join reads its other side first, and that may be what the scan would give.
    may_wait: bool,
    started: AtomicBool,
    line: Mutex<Line>,
    /// Wakes all who ask: one of them alone may be one that nobody polls just then.
    changed: Notify,
    places: Arc<Semaphore>,
    running: OnceLock<Running>,
    coalescer: Mutex<BatchCoalescer>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("may_wait", &self.may_wait)
            .finish_non_exhaustive()
    }
}

impl Queue {
    pub(super) fn new(schema: SchemaRef, may_wait: bool, batch_rows: usize, counters: Arc<Counters>) -> Self {
        Self {
            // A batch that is large already is not copied.
            coalescer: Mutex::new(
                BatchCoalescer::new(Arc::clone(&schema), batch_rows)
                    .with_biggest_coalesce_batch_size(Some(batch_rows / 2)),
            ),
            schema,
            may_wait,
            started: AtomicBool::new(false),
            line: Mutex::new(Line::default()),
            changed: Notify::new(),
            places: Arc::new(Semaphore::new(if may_wait {
                IN_MEMORY
            } else {
                Semaphore::MAX_PERMITS
            })),
            running: OnceLock::new(),
            counters,
        }
    }

    /// Before the first batch.
    pub(super) fn prepare(&self, context: &TaskContext, memory: &QueueMemory) {
        self.running.get_or_init(|| {
            let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
            let manager = SpillManager::new(context.runtime_env(), metrics, Arc::clone(&self.schema))
                .with_compression_type(context.session_config().spill_compression());
            let file_bytes = context.session_config().options().execution.max_spill_file_size_bytes;
            let (spill, spilled) = spsc_channel(file_bytes.into(), Arc::new(manager));
            Running {
                memory: memory.clone(),
                spill: Mutex::new(spill),
                spilled: tokio::sync::Mutex::new(spilled),
            }
        });
    }

    /// Whether rows are still wanted.
    pub(super) fn is_open(&self) -> bool {
        !lock(&self.line).ended
    }

    /// Whether rows have been asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Nobody will ask any more: what waits is dropped, and a scan that waits goes on.
    pub(super) fn close(&self) {
        self.places.close();
        let dropped = std::mem::replace(
            &mut *lock(&self.line),
            Line {
                waiting: VecDeque::new(),
                ended: true,
            },
        );
        drop(dropped);
        self.changed.notify_waiters();
    }

    /// Ends the queue with an error.
    pub(super) fn fail(&self, error: DataFusionError) {
        self.put(Err(error), true);
    }

    /// Ends the queue when all rows were pushed.
    pub(super) async fn finish(&self) {
        match self.flush().await {
            Ok(()) => lock(&self.line).ended = true,
            Err(error) => self.fail(error),
        }
        self.changed.notify_waiters();
    }

    fn put(&self, waiting: DfResult<Waiting>, last: bool) {
        let mut line = lock(&self.line);
        // Who has gone, or has had an error, does not need it.
        if !line.ended {
            line.waiting.push_back(waiting);
            line.ended = last;
        }
        drop(line);
        self.changed.notify_waiters();
    }

    /// Gives the consumer rows, small batches put together to large ones.
    pub(super) async fn push(&self, batch: RecordBatch) -> DfResult<()> {
        if self.schema.fields().is_empty() {
            self.send(batch).await
        } else {
            let full = {
                let mut coalescer = lock(&self.coalescer);
                coalescer.push_batch(batch)?;
                if coalescer.size() > BATCH_BYTES {
                    coalescer.finish_buffered_batch()?;
                }
                drain(&mut coalescer)
            };
            for batch in full {
                self.send(batch).await?;
            }
            Ok(())
        }
    }

    /// Sends what [`Queue::push`] still holds back.
    async fn flush(&self) -> DfResult<()> {
        let rest = {
            let mut coalescer = lock(&self.coalescer);
            coalescer.finish_buffered_batch()?;
            drain(&mut coalescer)
        };
        for batch in rest {
            self.send(batch).await?;
        }
        Ok(())
    }

    async fn send(&self, batch: RecordBatch) -> DfResult<()> {
        let Some(running) = self.running.get().filter(|_| batch.num_rows() > 0) else {
            return Ok(());
        };
        // A number of rows without columns takes no memory.
        if self.schema.fields().is_empty() {
            self.put(Ok(Waiting::Memory(batch, None)), false);
            return Ok(());
        }
        // A plan that nobody runs yet may wait for another to end.
        let waits = self.may_wait && self.is_asked();
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Some(place),
            Err(TryAcquireError::Closed) => return Ok(()),
            Err(TryAcquireError::NoPermits) if waits => match Arc::clone(&self.places).acquire_owned().await {
                Ok(place) => Some(place),
                Err(_) => return Ok(()),
            },
            Err(TryAcquireError::NoPermits) => None,
        };
        let bytes = get_record_batch_memory_size(&batch);
        if let Some(place) = place {
            let memory = match running.memory.try_take(bytes, self.may_wait) {
                Some(memory) => Some((memory, place)),
                None if waits => {
                    // One batch on its way, like any between two operators, without a queue.
                    drop(place);
                    let all = Arc::clone(&self.places).acquire_many_owned(IN_MEMORY as u32).await;
                    let Ok(all) = all else { return Ok(()) };
                    Some((running.memory.none(), all))
                }
                None => None,
            };
            if let Some((memory, place)) = memory {
                let held = Held {
                    _memory: memory,
                    _place: place,
                };
                self.put(Ok(Waiting::Memory(batch, Some(held))), false);
                return Ok(());
            }
        }
        // One writer at a time, so that marks and batches come in the same order.
        let spill = lock(&running.spill);
        spill.push_batch(&batch)?;
        self.counters.spilled(bytes);
        self.put(Ok(Waiting::Spilled), false);
        Ok(())
    }

    /// The next batch for whoever asks; none at the end.
    pub(super) async fn next(&self) -> Option<DfResult<RecordBatch>> {
        self.started.store(true, Ordering::Release);
        let waiting = loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            {
                let mut line = lock(&self.line);
                if let Some(waiting) = line.waiting.pop_front() {
                    break waiting;
                }
                if line.ended {
                    return None;
                }
            }
            changed.await;
        };
        match waiting {
            Err(error) => Some(Err(error)),
            Ok(Waiting::Memory(batch, _)) => Some(Ok(batch)),
            Ok(Waiting::Spilled) => self.running.get()?.spilled.lock().await.next().await,
        }
    }
}

fn drain(coalescer: &mut BatchCoalescer) -> Vec<RecordBatch> {
    std::iter::from_fn(|| coalescer.next_completed_batch()).collect()
}
