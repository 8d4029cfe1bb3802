//! Alerts of a hunt, however many: they go in one by one, in any order, and come out each
//! once, sorted, in bounded memory.
//!
//! Two of DataFusion's external sorts do the work, in a part of the engine's memory and
//! with its place on disk. The first, by id, takes the alerts in while detections run and
//! puts repeats side by side; the second puts what is left in order of time. So the number
//! of alerts is known before the first comes out.

use super::Alert;
use super::rows::{FULL_ROWS, Row, Rows, schema};
use crate::engine::Engine;
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan as _;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc::Sender;

type DfResult<T> = datafusion::error::Result<T>;

/// Batches on their way to a sort.
const CHANNEL: usize = 4;

/// Bytes that wait before the sort begins: most hunts find less, and an idle sort would
/// take a share of the memory from the queries.
const WAITING: usize = 1 << 20;

/// Takes the alerts of a hunt.
#[derive(Debug)]
pub struct AlertStore {
    shared: Arc<Shared>,
    writers: u32,
}

struct Shared {
    /// While detections run, theirs is most of the memory.
    taking: Arc<TaskContext>,
    /// Afterwards there is more; the first sort still merges what it wrote to disk.
    ordering: Arc<TaskContext>,
    state: tokio::sync::Mutex<State>,
    kept: Mutex<BTreeSet<u32>>,
}

enum State {
    Waiting {
        batches: Vec<RecordBatch>,
        bytes: usize,
    },
    Sorting {
        sender: Sender<DfResult<RecordBatch>>,
        sort: Started,
    },
    Closed,
}

/// A sort that takes in what comes; it has begun to give when the task ends.
type Started = SpawnedTask<DfResult<Sorted>>;

type Sorted = BoxStream<'static, DfResult<RecordBatch>>;

/// Adds the alerts of one detection. They count when it is done: see [`Self::keep`].
#[derive(Debug)]
pub struct AlertWriter {
    shared: Arc<Shared>,
    number: u32,
    rows: Rows,
}

impl AlertStore {
    /// An empty store, in the memory of this engine.
    pub fn new(engine: &Engine) -> Result<Self> {
        let state = State::Waiting {
            batches: Vec::new(),
            bytes: 0,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                taking: engine.beside_queries(4, FULL_ROWS)?,
                ordering: engine.beside_queries(2, FULL_ROWS)?,
                state: tokio::sync::Mutex::new(state),
                kept: Mutex::default(),
            }),
            writers: 0,
        })
    }

    /// A way in, for the alerts of one detection; several may write at the same time.
    pub fn writer(&mut self) -> AlertWriter {
        self.writers += 1;
        AlertWriter {
            shared: Arc::clone(&self.shared),
            number: self.writers,
            rows: Rows::default(),
        }
    }

    /// Ends the taking in: the alerts of all writers that were kept, in order of time,
    /// detection and id. Of alerts with the same id the earliest stays, and of those at one
    /// time the first by its text.
    pub async fn finish(self) -> Result<SortedAlerts> {
        let shared = &self.shared;
        let state = std::mem::replace(&mut *shared.state.lock().await, State::Closed);
        let (sender, sort) = match state {
            State::Sorting { sender, sort } => (sender, sort),
            State::Waiting { batches, .. } => {
                let (sender, sort) = shared.start_taking()?;
                for batch in batches {
                    // Where the sort is gone, its error is what is wrong.
                    let _ = sender.send(Ok(batch)).await;
                }
                (sender, sort)
            }
            State::Closed => return Err(closed()),
        };
        drop(sender);
        let by_id = started(sort).await?;

        let kept = std::mem::take(&mut *shared.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let counts = Arc::new(Mutex::new(BTreeMap::new()));
        let mut unique = RecordBatchReceiverStream::builder(schema(), CHANNEL);
        unique.spawn(each_once(by_id, kept, Arc::clone(&counts), unique.tx()));
        let by_time = sort_by(&["time", "detection", "alert_id"], unique.build(), &shared.ordering)?;
        let alerts = started(by_time).await?;
        let counts = std::mem::take(&mut *counts.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(SortedAlerts {
            alerts: alerts
                .map_err(Error::from)
                .and_then(async |batch| Rows::alerts(&batch))
                .map_ok(|alerts| futures::stream::iter(alerts.into_iter().map(Ok)))
                .try_flatten()
                .boxed(),
            total: counts.values().sum(),
            counts,
        })
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    fn start_taking(&self) -> Result<(Sender<DfResult<RecordBatch>>, Started)> {
        let builder = RecordBatchReceiverStream::builder(schema(), CHANNEL);
        let sender = builder.tx();
        Ok((sender, sort_by(&["alert_id"], builder.build(), &self.taking)?))
    }

    async fn take(&self, batch: RecordBatch) -> Result<()> {
        let mut state = self.state.lock().await;
        let mut ready = vec![batch];
        if let State::Waiting { batches, bytes } = &mut *state {
            *bytes += ready.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
            batches.append(&mut ready);
            if *bytes < WAITING {
                return Ok(());
            }
            let (sender, sort) = self.start_taking()?;
            ready = std::mem::take(batches);
            *state = State::Sorting { sender, sort };
        }
        let State::Sorting { sender, .. } = &*state else {
            return Err(closed());
        };
        for batch in ready {
            sender.send(Ok(batch)).await.map_err(|_| closed())?;
        }
        Ok(())
    }
}

impl AlertWriter {
    /// Adds an alert.
    pub async fn add(&mut self, alert: &Alert) -> Result<()> {
        self.rows.push(self.number, alert)?;
        if self.rows.is_full() {
            self.shared.take(self.rows.take()?).await?;
        }
        Ok(())
    }

    /// The detection is done: its alerts count. Those of a writer that is dropped without
    /// this are as if they had never been added. Gives the writer's number, for
    /// [`SortedAlerts::of`].
    pub async fn keep(mut self) -> Result<u32> {
        if !self.rows.is_empty() {
            self.shared.take(self.rows.take()?).await?;
        }
        let mut kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(self.number);
        Ok(self.number)
    }
}

/// The alerts of a hunt: a stream in order of time, then detection, then id.
pub struct SortedAlerts {
    alerts: BoxStream<'static, Result<Alert>>,
    total: u64,
    counts: BTreeMap<u32, u64>,
}

impl SortedAlerts {
    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of them a writer added.
    pub fn of(&self, writer: u32) -> u64 {
        self.counts.get(&writer).copied().unwrap_or_default()
    }

    /// All at once, where they are few.
    pub async fn collect(self) -> Result<Vec<Alert>> {
        self.try_collect().await
    }
}

impl Stream for SortedAlerts {
    type Item = Result<Alert>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.alerts.poll_next_unpin(context)
    }
}

impl std::fmt::Debug for SortedAlerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SortedAlerts")
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

/// Who writes after the end, or into a sort that failed. [`AlertStore::finish`] has the
/// error of the sort.
fn closed() -> Error {
    Error::Internal("the alerts are no longer taken in".into())
}

/// Begins to sort a stream by these columns.
fn sort_by(columns: &[&str], rows: SendableRecordBatchStream, context: &Arc<TaskContext>) -> Result<Started> {
    let source = Arc::new(Once(Mutex::new(Some(rows)), schema()));
    let source = StreamingTableExec::try_new(schema(), vec![source], None, [], false, None)?;
    let columns = columns.iter().map(|column| {
        let column = col(column, &schema())?;
        Ok(PhysicalSortExpr::new_default(column))
    });
    let order = LexOrdering::new(columns.collect::<DfResult<Vec<_>>>()?)
        .ok_or_else(|| Error::Internal("a sort by nothing".into()))?;
    let mut sorted = SortExec::new(order, Arc::new(source)).execute(0, Arc::clone(context))?;
    Ok(SpawnedTask::spawn(async move {
        // The first row comes out when the last one is in.
        let first = sorted.try_next().await?;
        Ok(futures::stream::iter(first.map(Ok)).chain(sorted).boxed())
    }))
}

async fn started(sort: Started) -> Result<Sorted> {
    let ended = sort.join().await;
    Ok(ended.map_err(|error| Error::Internal(format!("the sorting of alerts ended: {error}")))??)
}

/// Passes on one alert of each id, of those that were kept, and counts them by writer.
async fn each_once(
    mut by_id: Sorted,
    kept: BTreeSet<u32>,
    counts: Arc<Mutex<BTreeMap<u32, u64>>>,
    sender: Sender<DfResult<RecordBatch>>,
) -> DfResult<()> {
    let mut best: Option<Row> = None;
    let mut rows = Rows::default();
    let mut counted: BTreeMap<u32, u64> = BTreeMap::new();
    let mut pass_on = |row: Row, rows: &mut Rows| {
        *counted.entry(row.writer).or_default() += 1;
        rows.push_row(&row);
    };
    while let Some(batch) = by_id.try_next().await? {
        for row in Rows::read(&batch)? {
            if !kept.contains(&row.writer) {
                continue;
            }
            match &mut best {
                Some(best) if best.alert_id == row.alert_id => {
                    if (row.time, &row.rest) < (best.time, &best.rest) {
                        *best = row;
                    }
                }
                best => {
                    if let Some(done) = best.replace(row) {
                        pass_on(done, &mut rows);
                    }
                }
            }
            // Nobody listens any more: the hunt was ended.
            if rows.is_full() && sender.send(Ok(rows.take()?)).await.is_err() {
                return Ok(());
            }
        }
    }
    if let Some(done) = best {
        pass_on(done, &mut rows);
    }
    *counts.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    // As above.
    let _ = sender.send(Ok(rows.take()?)).await;
    Ok(())
}

/// A stream as the source of a plan that is executed once.
struct Once(Mutex<Option<SendableRecordBatchStream>>, SchemaRef);

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.1
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| {
            let error = datafusion::error::DataFusionError::Internal("the alerts are read twice".into());
            let stream = futures::stream::iter([Err(error)]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.1), stream))
        })
    }
}
