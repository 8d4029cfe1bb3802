//! Alerts of a hunt, however many: they go in one by one, in any order, and come out each
//! once, sorted, in bounded memory. Their number is known before the first comes out.

use super::rows::{Identity, Row};
use super::{Alert, Suppression};
use crate::detections::{Detection, Suppress};
use crate::engine::Engine;
use crate::engine::sorter::{BLOCKS_AHEAD, Ordered, Sorter, Spilled as _, in_background, in_blocks};
use crate::error::{Error, Result};
use datafusion::error::DataFusionError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::OwnedMutexGuard;

/// Most of the engine's memory is for its queries: the alerts take one part in so many, and
/// no more than so many bytes.
const PART: u64 = 8;
const MOST_BYTES: u64 = 256 << 20;

/// A writer hands on its rows when they are so many, or have about so many bytes.
const HELD_ROWS: usize = 64;
const HELD_BYTES: usize = 64 << 10;

/// Rows that are counted without a look at what else there is to do.
const COUNTED_AT_ONCE: usize = 4096;

/// Takes the alerts of a hunt.
#[derive(Debug)]
pub struct AlertStore {
    shared: Arc<Shared>,
    /// By detection.
    rules: HashMap<String, Suppress>,
}

#[derive(Debug)]
struct Shared {
    /// How many numbers writers have.
    writers: AtomicU32,
    sorter: Arc<tokio::sync::Mutex<Taking>>,
    kept: Mutex<BTreeSet<u32>>,
}

/// A sorter that takes rows in, or why there is none any more.
type Taking = std::result::Result<Sorter<Row>, String>;

/// Adds the alerts of one detection. They count when it is done: see [`Self::keep`].
#[derive(Debug)]
pub struct AlertWriter {
    shared: Arc<Shared>,
    number: u32,
    rows: Vec<Row>,
    bytes: usize,
}

impl AlertStore {
    /// An empty store, in the memory of this engine.
    pub fn new(engine: &Engine) -> Self {
        let budget = (engine.memory_of_queries() / PART).min(MOST_BYTES);
        let budget = usize::try_from(budget).unwrap_or(usize::MAX);
        let sorter = Sorter::new(Arc::clone(engine.runtime()), budget);
        Self {
            shared: Arc::new(Shared {
                sorter: Arc::new(tokio::sync::Mutex::new(Ok(sorter))),
                kept: Mutex::default(),
                writers: AtomicU32::new(0),
            }),
            rules: HashMap::new(),
        }
    }

    /// Leaves out, and counts, the alerts of these detections for which another one stands.
    #[must_use]
    pub fn suppressing(mut self, detections: &[&Detection]) -> Self {
        let rules = detections.iter().filter_map(|detection| {
            let rule = detection.header.suppress.clone()?;
            Some((detection.id().to_owned(), rule))
        });
        self.rules.extend(rules);
        self
    }

    /// A way in, for the alerts of one detection; several may write at the same time.
    pub fn writer(&self) -> AlertWriter {
        AlertWriter {
            number: self.shared.next_number(),
            shared: Arc::clone(&self.shared),
            rows: Vec::new(),
            bytes: 0,
        }
    }

    /// Ends the taking in: the alerts of all writers that were kept, in order of time,
    /// detection and id. Of those that are the same in these the first by its text stays.
    pub async fn finish(self) -> Result<SortedAlerts> {
        let ended = Err("the alerts are no longer taken in".to_owned());
        let sorter = std::mem::replace(&mut *self.shared.sorter.lock().await, ended).map_err(|why| lost(&why))?;
        let mut ordered = in_background(move || sorter.finish()).await?;
        let kept = std::mem::take(&mut *self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let counts = counted(&mut ordered, Choice::new(&self.rules, kept.clone())).await?;
        let mut choice = Choice::new(&self.rules, kept);
        let alerts = ordered.into_rows()?.filter(move |row| match row {
            Ok(row) => choice.of(row) == Chosen::Counts,
            Err(_) => true,
        });
        Ok(SortedAlerts {
            alerts: read_back(alerts),
            total: counts.values().map(|count| count.alerts).sum(),
            counts,
        })
    }
}

/// Rows as alerts, in their order: some are made while others are taken.
fn read_back(rows: impl Iterator<Item = Result<Row>> + Send + 'static) -> BoxStream<'static, Result<Alert>> {
    let blocks = in_blocks(rows).map(|block| {
        in_background(move || {
            let alerts = block?.into_iter().map(Row::alert);
            Ok(alerts.collect::<Vec<_>>())
        })
    });
    let alerts = futures::stream::iter(blocks).buffered(BLOCKS_AHEAD);
    alerts.map_ok(futures::stream::iter).try_flatten().boxed()
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// It is an alert.
    Counts,
    /// It is one for which another one stands.
    Suppressed,
    /// It was not kept, or is the one before once more.
    Not,
}

/// Looks at rows in order.
struct Choice {
    kept: BTreeSet<u32>,
    last: Option<Identity>,
    suppression: HashMap<String, Suppression>,
}

impl Choice {
    fn new(rules: &HashMap<String, Suppress>, kept: BTreeSet<u32>) -> Self {
        let suppression = rules.iter().map(|(id, rule)| (id.clone(), Suppression::new(rule)));
        Self {
            kept,
            last: None,
            suppression: suppression.collect(),
        }
    }

    fn of(&mut self, row: &Row) -> Chosen {
        if !self.kept.contains(&row.writer) || self.last.as_ref().is_some_and(|last| row.is(last)) {
            return Chosen::Not;
        }
        self.last = Some(row.identity());
        let Some(suppression) = self.suppression.get_mut(row.detection()) else {
            return Chosen::Counts;
        };
        // One that cannot be read is an error when it is its turn.
        match row.clone().alert().ok().and_then(|alert| suppression.see(&alert)) {
            Some(_) => Chosen::Suppressed,
            None => Chosen::Counts,
        }
    }
}

/// How many alerts a writer added.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    alerts: u64,
    suppressed: u64,
}

/// How many alerts there are of each writer.
async fn counted(ordered: &mut Ordered<Row>, mut choice: Choice) -> Result<BTreeMap<u32, Count>> {
    let mut counts: BTreeMap<u32, Count> = BTreeMap::new();
    let (in_memory, on_disk) = ordered.parts()?;
    in_memory.retain(|row| choice.kept.contains(&row.writer));
    in_memory.dedup_by(|row, earlier| row.is(&earlier.identity()));
    let mut count = |row: &Row, chosen| {
        let count = counts.entry(row.writer).or_default();
        count.alerts += u64::from(chosen == Chosen::Counts);
        count.suppressed += u64::from(chosen == Chosen::Suppressed);
    };
    for row in in_memory {
        let chosen = choice.of(row);
        count(row, chosen);
    }
    for (row, number) in on_disk.zip(1_usize..) {
        let row = row?;
        let chosen = choice.of(&row);
        count(&row, chosen);
        if number % COUNTED_AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(counts)
}

fn lost(why: &str) -> Error {
    Error::from(DataFusionError::Execution(why.to_owned()))
}

impl Shared {
    fn next_number(&self) -> u32 {
        self.writers.fetch_add(1, Ordering::Relaxed)
    }

    async fn take(&self, rows: Vec<Row>, bytes: usize) -> Result<()> {
        let mut held: OwnedMutexGuard<Taking> = Arc::clone(&self.sorter).lock_owned().await;
        if !held.as_mut().map_err(|why| lost(why))?.has_room(bytes) {
            // Goes on to its end, and then lets the others in, when this task is dropped.
            held = in_background(move || {
                let written = held.as_mut().map_err(|why| lost(why))?.write();
                if let Err(error) = &written {
                    *held = Err(error.to_string());
                }
                written.map(|()| held)
            })
            .await?;
        }
        held.as_mut().map_err(|why| lost(why))?.add(rows);
        Ok(())
    }
}

/// Makes what a writer takes in of alerts, on whatever thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowMaker(u32);

impl RowMaker {
    pub(crate) fn row(self, alert: &Alert) -> Result<Row> {
        Row::of(self.0, alert)
    }
}

impl AlertWriter {
    /// Adds an alert.
    pub async fn add(&mut self, alert: &Alert) -> Result<()> {
        self.add_rows(vec![self.maker().row(alert)?]).await
    }

    /// Makes rows for [`Self::add_rows`].
    pub(crate) fn maker(&self) -> RowMaker {
        RowMaker(self.number)
    }

    /// Adds alerts of which rows were made.
    pub(crate) async fn add_rows(&mut self, rows: Vec<Row>) -> Result<()> {
        for row in rows {
            self.bytes += row.bytes();
            self.rows.push(row);
            if self.rows.len() >= HELD_ROWS || self.bytes >= HELD_BYTES {
                self.hand_on().await?;
            }
        }
        Ok(())
    }

    /// What was added so far does not count.
    pub fn start_over(&mut self) {
        (self.rows, self.bytes) = (Vec::new(), 0);
        self.number = self.shared.next_number();
    }

    async fn hand_on(&mut self) -> Result<()> {
        let (rows, bytes) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.bytes));
        self.shared.take(rows, bytes).await
    }

    /// The detection is done: its alerts count. Those of a writer that is dropped without
    /// this are as if they had never been added. Gives the writer's number, for
    /// [`SortedAlerts::of`].
    pub async fn keep(mut self) -> Result<u32> {
        self.hand_on().await?;
        let mut kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(self.number);
        Ok(self.number)
    }
}

/// The alerts of a hunt: a stream in order of time, then detection, then id.
pub struct SortedAlerts {
    alerts: BoxStream<'static, Result<Alert>>,
    total: u64,
    counts: BTreeMap<u32, Count>,
}

impl SortedAlerts {
    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of them a writer added.
    pub fn of(&self, writer: u32) -> u64 {
        self.counts.get(&writer).map_or(0, |count| count.alerts)
    }

    /// For how many more that it added another one stands.
    pub fn suppressed_of(&self, writer: u32) -> u64 {
        self.counts.get(&writer).map_or(0, |count| count.suppressed)
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
