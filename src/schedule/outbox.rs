//! Alerts on their way to sinks, each sink by itself: a slow or dead one holds up nobody.
//!
//! The table `alerts` is the queue. A sink has been sent everything up to some version of it, which
//! is part of the checkpoint; who goes on from there sends what came after. So nothing is left out,
//! and what was sent right before a crash is sent again.

use super::dead_letters::keep;
use super::metrics::Metrics;
use crate::alerts::Revision;
use crate::alerts::revision::from_batch;
use crate::error::{Error, Result};
use crate::lake::{Lake, TableName};
use crate::sinks::{Policy, Sink, deliver};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Between attempts to read or write the lake.
const LAKE_AGAIN: Duration = Duration::from_secs(5);

/// A sink and what it wants.
#[derive(Debug)]
pub struct Target {
    /// Where alerts are sent.
    pub sink: Box<dyn Sink>,
    /// Which, and how persistently.
    pub policy: Policy,
}

/// All sinks of a schedule.
#[derive(Debug)]
pub struct Outbox {
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    name: String,
    parcels: mpsc::UnboundedSender<Parcel>,
    /// All up to this version was put into the lane.
    pushed: Option<u64>,
    /// All up to this version was sent or given up.
    delivered: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

/// What a sink is to be sent.
#[derive(Debug)]
enum Parcel {
    /// What was recorded with a version of the table.
    Recorded(u64, Arc<[Revision]>),
    /// What the table has after the first version, up to the second.
    Missed(u64, u64),
}

impl Outbox {
    /// Nothing is sent before the schedule begins.
    pub fn new(lake: &Lake, targets: Vec<Target>, metrics: &Arc<Metrics>) -> Self {
        let lanes = targets.into_iter().map(|target| {
            let (parcels, receiver) = mpsc::unbounded_channel();
            let delivered = Arc::new(AtomicU64::new(0));
            let carrier = Carrier {
                lake: lake.clone(),
                metrics: Arc::clone(metrics),
                delivered: Arc::clone(&delivered),
                target,
            };
            Lane {
                name: carrier.target.sink.name().to_owned(),
                parcels,
                pushed: None,
                delivered,
                task: tokio::spawn(carrier.run(receiver)),
            }
        });
        Self { lanes: lanes.collect() }
    }

    /// Goes on from what sinks have been sent according to a checkpoint, as of a version of the
    /// table. A sink that was not there before is sent what comes from now on.
    pub(super) fn begin(&mut self, sent: &BTreeMap<String, u64>, version: u64) {
        for lane in &mut self.lanes {
            let from = sent.get(&lane.name).copied().max(lane.pushed).unwrap_or(version);
            if lane.pushed.is_none() {
                lane.delivered.store(from, Ordering::Release);
            }
            if from < version {
                // The task ends with the lane alone.
                let _ = lane.parcels.send(Parcel::Missed(from, version));
            }
            lane.pushed = Some(version.max(from));
        }
    }

    /// Sends what was recorded with a version of the table.
    pub(super) fn push(&mut self, revisions: &[Revision], version: u64) {
        let revisions: Arc<[Revision]> = revisions.into();
        for lane in &mut self.lanes {
            // Commits of others in between hold what was promoted from hunts.
            let before = lane.pushed.unwrap_or(version);
            if before + 1 < version {
                let _ = lane.parcels.send(Parcel::Missed(before, version - 1));
            }
            let _ = lane.parcels.send(Parcel::Recorded(version, Arc::clone(&revisions)));
            lane.pushed = Some(version);
        }
    }

    /// Versions up to which sinks have been sent everything.
    pub(super) fn delivered(&self) -> BTreeMap<String, u64> {
        let begun = self.lanes.iter().filter(|lane| lane.pushed.is_some());
        let delivered = begun.map(|lane| (lane.name.clone(), lane.delivered.load(Ordering::Acquire)));
        delivered.collect()
    }

    /// Waits until all has been sent, but no longer than this.
    pub(super) async fn drain(&mut self, patience: Duration) {
        let over = tokio::time::Instant::now() + patience;
        for lane in &mut self.lanes {
            let (closed, _) = mpsc::unbounded_channel();
            drop(std::mem::replace(&mut lane.parcels, closed));
            let _ = tokio::time::timeout_at(over, &mut lane.task).await;
            lane.task.abort();
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.task.abort();
        }
    }
}

/// Sends the parcels of one sink, in order.
struct Carrier {
    lake: Lake,
    metrics: Arc<Metrics>,
    delivered: Arc<AtomicU64>,
    target: Target,
}

impl Carrier {
    async fn run(self, mut parcels: mpsc::UnboundedReceiver<Parcel>) {
        while let Some(parcel) = parcels.recv().await {
            let version = match parcel {
                Parcel::Recorded(version, revisions) => {
                    self.send(&revisions).await;
                    version
                }
                Parcel::Missed(after, version) => {
                    let missed = self.until_done(|| self.missed(after)).await;
                    self.send(&missed).await;
                    version
                }
            };
            self.delivered.fetch_max(version, Ordering::AcqRel);
        }
    }

    async fn send(&self, revisions: &[Revision]) {
        let now = chrono::Utc::now().timestamp_micros();
        let name = self.target.sink.name();
        let delivered = deliver(self.target.sink.as_ref(), &self.target.policy, revisions, now).await;
        let dead = delivered.dead.len() as u64;
        self.metrics.sent(name, delivered.sent as u64, delivered.failures, dead);
        if dead > 0 {
            tracing::warn!(
                sink = name,
                alerts = dead,
                "alerts were not taken; they are in dead_letters"
            );
            self.until_done(|| keep(&self.lake, name, &delivered.dead, now)).await;
        }
    }

    /// What the table has after a version.
    async fn missed(&self, after: u64) -> Result<Vec<Revision>> {
        let table = self.lake.table(TableName::Alerts).await?;
        let arrived = table.arrived_since(Some(after)).await?;
        let mut missed = Vec::new();
        for file in &arrived.files {
            let names = TableName::Alerts.file_schema();
            let names: Vec<&str> = names.fields().iter().map(|field| field.name().as_str()).collect();
            for batch in table.read_columns(file, &names).await? {
                missed.extend(from_batch(&batch)?);
            }
        }
        missed.sort_by_key(|revision| revision.recorded);
        Ok(missed)
    }

    async fn until_done<T, F: Future<Output = Result<T, Error>>>(&self, attempt: impl Fn() -> F) -> T {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(error) => {
                    tracing::warn!(sink = self.target.sink.name(), %error, "trying again");
                    tokio::time::sleep(LAKE_AGAIN).await;
                }
            }
        }
    }
}
