//! Runs what is due, records what is found, and goes on.

use super::checkpoint::{Checkpoint, Position};
use super::evaluate::{Evaluated, Job};
use super::lease::Leasing;
use super::outbox::Outbox;
use super::plan::{Plan, Planned};
use super::record::{Record, Recorded};
use super::runs::{self, Run, RunEnd};
use super::settings::Start;
use crate::alerts::Revision;
use crate::config::Resources;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::live::{StateFiles, remove_unused};
use crate::lake::{Arrived, Lake, LakeTable, TableName};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use uuid::Uuid;

/// What changes nothing in the alerts is committed after so long.
const COMMIT_AFTER: Duration = Duration::from_secs(10);

/// Rows for the table `runs` wait for so long, and are no more than so many.
const RUNS_AFTER: Duration = Duration::from_secs(15);
const MOST_RUNS: usize = 1000;

/// The schedule looks around at least so often.
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// Evaluations under way may take so long to end when the schedule ends.
const GRACE: Duration = Duration::from_secs(20);

/// Files of states that are of no use any more are removed so often, when they are that old: another
/// scheduler may be about to find that it is not the first.
const CLEAN_EVERY: Duration = Duration::from_secs(1800);

/// A table of the schedule's with more files than so many has them merged into files of this size.
const MOST_FILES: usize = 100;
const MERGED_BYTES: u64 = 64 << 20;

/// Hears what a schedule does.
pub trait Observer: Send {
    /// An evaluation ended.
    fn evaluated(&mut self, _run: &Run) {}
    /// Alerts were recorded, with this version of the table `alerts`.
    fn recorded(&mut self, _revisions: &[Revision], _version: u64) {}
    /// Whether this scheduler holds the lease; else who does.
    fn lease(&mut self, _holder: Option<&str>) {}
    /// Something failed that is tried again.
    fn problem(&mut self, _error: &Error) {}
    /// The schedule is alive; the positions are what will be committed.
    fn round(&mut self, _positions: &BTreeMap<String, Position>, _now: i64) {}
}

/// How a schedule ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Evaluations that were done.
    pub evaluated: u64,
    /// Revisions of alerts that were recorded.
    pub recorded: u64,
    /// Evaluations that were given up, by detection.
    pub given_up: BTreeMap<String, String>,
    /// Another scheduler holds the lease: nothing was done.
    pub held_by: Option<String>,
}

/// Every commit makes a file, and to read many small ones takes long. Not before all sinks have been
/// sent what is in them: of files that have been merged nobody knows what is new.
async fn merge(lake: &Lake, name: TableName, sent: &[u64]) -> Result<()> {
    let Some(mut table) = lake.table_if_exists(name).await? else {
        return Ok(());
    };
    if table.files()?.len() <= MOST_FILES {
        return Ok(());
    }
    if name == TableName::Alerts {
        for version in sent {
            if !table.arrived_since(Some(*version)).await?.files.is_empty() {
                return Ok(());
            }
        }
    }
    table.compact(MERGED_BYTES, 1, &|_| {}).await?;
    Ok(())
}

/// Whether ticks were missed that are better looked at after the last one.
fn is_far_behind(planned: &Planned, position: &Position, tick: i64) -> bool {
    let windowed = planned.detection.kind() == crate::detections::Kind::Windowed;
    let missed = position
        .tick
        .is_some_and(|at| planned.tick_before(planned.tick_before(tick)) > at);
    windowed && missed && position.state.is_some()
}

/// An evaluation that ended, or broke.
type Joined = Result<(task::Id, Evaluated), task::JoinError>;

/// A detection whose evaluation failed.
#[derive(Debug)]
struct Failing {
    attempts: u32,
    next: Instant,
}

/// Runs a plan on a lake.
pub struct Scheduler<'a> {
    lake: Lake,
    plan: Plan,
    resources: Resources,
    outbox: Outbox,
    observer: &'a mut dyn Observer,
    holder: String,
    leasing: Leasing,
    record: Record,
    /// The checkpoint to be, without what is under way.
    positions: BTreeMap<String, Position>,
    uncommitted: Option<Instant>,
    engine: Option<Engine>,
    events: Option<LakeTable>,
    failing: HashMap<String, Failing>,
    running: JoinSet<Evaluated>,
    /// What is under way.
    jobs: HashMap<task::Id, Job>,
    /// The positions may be ahead of what is recorded: nothing begins from them.
    stale: bool,
    runs: Vec<Run>,
    runs_since: Instant,
    cleaned: Option<Instant>,
    cleaning: JoinSet<()>,
    ended: Ended,
}

impl std::fmt::Debug for Scheduler<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("lake", &self.lake)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// Who a scheduler is: the host, the process, and what nobody else has.
fn holder() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "host",
        host => host,
    };
    let random = Uuid::new_v4().simple().to_string();
    format!("{host}/{}/{}", std::process::id(), random.get(..8).unwrap_or_default())
}

impl<'a> Scheduler<'a> {
    /// Opens what a schedule needs of a lake, which has to be there.
    pub async fn open(
        lake: &Lake,
        plan: Plan,
        resources: Resources,
        outbox: Outbox,
        observer: &'a mut dyn Observer,
    ) -> Result<Self> {
        lake.table(TableName::Events).await?;
        let record = Record::open(lake).await?;
        let holder = holder();
        Ok(Self {
            lake: lake.clone(),
            leasing: Leasing::new(lake, holder.clone(), plan.lease),
            plan,
            resources,
            outbox,
            observer,
            holder,
            positions: record.checkpoint.detections.clone(),
            record,
            uncommitted: None,
            engine: None,
            events: None,
            failing: HashMap::new(),
            running: JoinSet::new(),
            jobs: HashMap::new(),
            stale: true,
            runs: Vec::new(),
            runs_since: Instant::now(),
            cleaned: None,
            cleaning: JoinSet::new(),
            ended: Ended::default(),
        })
    }

    /// Who this scheduler is, as the lease and the table `runs` name it.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// What the clock says, which does not go on after the end of the plan.
    fn now(&self) -> i64 {
        let now = chrono::Utc::now().timestamp_micros();
        self.plan.until.map_or(now, |until| now.min(until))
    }

    /// Whether the clock has come to the end of the plan.
    fn is_over(&self) -> bool {
        let now = chrono::Utc::now().timestamp_micros();
        self.plan.until.is_some_and(|until| now >= until)
    }

    /// Runs until there is nothing left to do, or until it is asked to stop.
    pub async fn run(mut self, mut stop: watch::Receiver<u32>) -> Result<Ended> {
        let mut renew = Instant::now();
        let mut ours = false;
        let ended = loop {
            if *stop.borrow_and_update() > 0 {
                break Ok(());
            }
            if Instant::now() >= renew {
                match self.leasing.hold(chrono::Utc::now().timestamp_micros()).await {
                    Ok(None) => {
                        self.stale |= !ours || self.is_overtaken().await;
                        ours = true;
                        self.observer.lease(None);
                    }
                    Ok(Some(other)) => {
                        ours = false;
                        self.observer.lease(Some(&other.holder));
                        self.abandon().await;
                        if self.plan.once {
                            self.ended.held_by = Some(other.holder);
                            break Ok(());
                        }
                    }
                    Err(error) if self.plan.once => break Err(error),
                    Err(error) => self.observer.problem(&error),
                }
                renew = Instant::now() + self.plan.lease / 3;
            }
            let mut wake = Instant::now() + LOOK_AROUND.min(self.plan.lease / 3);
            if ours {
                match self.round().await {
                    Ok(next) => wake = wake.min(next),
                    Err(error) if self.plan.once => break Err(error),
                    // What the store does not give now it may give later.
                    Err(error) => {
                        self.observer.problem(&error);
                        self.engine = None;
                    }
                }
                if self.running.is_empty() && (self.plan.once || self.is_over()) && !self.anything_due() {
                    break Ok(());
                }
            }
            tokio::select! {
                Some(ended) = self.running.join_next_with_id(), if !self.running.is_empty() => {
                    match self.take(ended).await {
                        Err(error) if self.plan.once => break Err(error),
                        Err(error) => self.observer.problem(&error),
                        Ok(()) => {}
                    }
                }
                () = tokio::time::sleep_until(wake.into()) => {}
                changed = stop.changed() => if changed.is_err() {
                    tokio::time::sleep_until(wake.into()).await;
                },
            }
        };
        self.end(ended, ours).await
    }

    /// What is under way may still end; what was found is recorded.
    async fn end(mut self, ended: Result<()>, ours: bool) -> Result<Ended> {
        if ours && ended.is_ok() {
            let over = Instant::now() + GRACE;
            while let Ok(Some(ended)) = tokio::time::timeout_at(over.into(), self.running.join_next_with_id()).await {
                self.take(ended).await?;
            }
            if self.uncommitted.is_some() && !self.stale {
                self.commit(&[]).await?;
            }
            self.outbox.drain(GRACE).await;
            let sent = &self.record.checkpoint.sinks;
            if self
                .outbox
                .delivered()
                .iter()
                .any(|(sink, version)| sent.get(sink) != Some(version))
            {
                self.commit(&[]).await?;
            }
        }
        self.abandon().await;
        let over = Instant::now() + GRACE;
        while let Ok(Some(_)) = tokio::time::timeout_at(over.into(), self.cleaning.join_next()).await {}
        let runs = std::mem::take(&mut self.runs);
        if let Err(error) = runs::append(&self.lake, &self.holder, &runs).await {
            self.observer.problem(&error);
        }
        if ours {
            self.leasing.release(chrono::Utc::now().timestamp_micros()).await;
        }
        ended.map(|()| self.ended)
    }

    /// The lease is ours again: goes on from what is recorded.
    async fn begin_again(&mut self) -> Result<()> {
        self.stale = true;
        self.abandon().await;
        self.record.refresh().await?;
        self.positions = self.record.checkpoint.detections.clone();
        self.uncommitted = None;
        self.outbox.begin(&self.record.checkpoint.sinks, self.record.version());
        self.stale = false;
        Ok(())
    }

    /// Whether somebody has recorded something else meanwhile: who asks for gaps to be closed does
    /// it without the lease. Where there is something to commit, the commit finds it out.
    async fn is_overtaken(&mut self) -> bool {
        if !self.running.is_empty() || self.uncommitted.is_some() {
            return false;
        }
        // What cannot be read now is seen the next time.
        self.record.refresh().await.unwrap_or(false)
    }

    /// Ends what is under way.
    async fn abandon(&mut self) {
        self.running.shutdown().await;
        self.jobs.clear();
    }

    /// Starts what is due, and says when the next thing is.
    async fn round(&mut self) -> Result<Instant> {
        if self.stale {
            self.begin_again().await?;
        }
        if self.uncommitted.is_some_and(|since| since.elapsed() >= COMMIT_AFTER) {
            self.commit(&[]).await?;
        }
        if !self.runs.is_empty() && (self.runs_since.elapsed() >= RUNS_AFTER || self.runs.len() >= MOST_RUNS) {
            runs::append(&self.lake, &self.holder, &self.runs).await?;
            self.runs.clear();
        }
        if self.cleaned.is_none_or(|cleaned| cleaned.elapsed() >= CLEAN_EVERY) {
            self.clean();
        }
        let now = self.now();
        self.observer.round(&self.positions, now);
        let due = self.due(now);
        if !due.is_empty() {
            self.start(due, now).await?;
        }
        Ok(self.next_due(now))
    }

    /// Removes what is of no use any more, beside the work.
    fn clean(&mut self) {
        self.cleaned = Some(Instant::now());
        let age = i64::try_from(CLEAN_EVERY.as_millis()).unwrap_or(i64::MAX);
        let before = chrono::Utc::now().timestamp_millis().saturating_sub(age);
        let (lake, plan) = (self.lake.clone(), self.plan.detections.clone());
        let recorded = self.record.checkpoint.detections.clone();
        // A sink that is served no more holds nothing up.
        let served = self.outbox.delivered();
        let recorded_sinks = self.record.checkpoint.sinks.iter();
        let sinks: Vec<u64> = recorded_sinks
            .filter_map(|(sink, version)| served.contains_key(sink).then_some(*version))
            .collect();
        while self.cleaning.try_join_next().is_some() {}
        self.cleaning.spawn(async move {
            for name in [TableName::Alerts, TableName::Runs, TableName::DeadLetters] {
                let _ = merge(&lake, name, &sinks).await;
            }
            for planned in plan {
                let id = planned.detection.id();
                let state = recorded.get(id).and_then(|position| position.state.as_deref());
                // What cannot be removed now is removed the next time.
                if let Ok(files) = StateFiles::of(&lake, id) {
                    let _ = remove_unused(&files, planned.detection.kind(), state, before).await;
                }
            }
        });
    }

    /// Whether a detection is to be evaluated as soon as there is a place for it.
    fn is_due(&self, planned: &Planned, now: i64) -> bool {
        let id = planned.detection.id();
        if self.is_busy(id) {
            return false;
        }
        if self
            .failing
            .get(id)
            .is_some_and(|failing| failing.next > Instant::now())
        {
            return false;
        }
        let Some(position) = self.positions.get(id) else {
            return true;
        };
        let tick = position.tick.unwrap_or(i64::MIN);
        // At the end, what arrived does not wait for a tick.
        let over = || self.plan.once || self.is_over();
        let arrived = || over() && self.events.as_ref().map(LakeTable::version) != position.version;
        planned.last_due(now) > tick
            || position.definition != planned.definition()
            || position.gaps.iter().any(|gap| gap.backlog)
            || arrived()
    }

    fn is_busy(&self, id: &str) -> bool {
        self.jobs.values().any(|job| job.detection.id() == id)
    }

    fn anything_due(&self) -> bool {
        let now = self.now();
        let waits = |planned: &Planned| self.failing.contains_key(planned.detection.id());
        let mut detections = self.plan.detections.iter();
        detections.any(|planned| waits(planned) || self.is_due(planned, now))
    }

    /// The detections that are due, in the order of their ticks: who waits longest is first.
    fn due(&mut self, now: i64) -> Vec<Planned> {
        let mut due: Vec<Planned> = self.plan.detections.clone();
        due.retain(|planned| self.is_due(planned, now));
        due.sort_by_key(|planned| {
            self.positions
                .get(planned.detection.id())
                .and_then(|position| position.tick)
        });
        due.truncate(self.plan.concurrency.saturating_sub(self.running.len()));
        due
    }

    fn next_due(&self, now: i64) -> Instant {
        let waiting = self.failing.values().map(|failing| failing.next);
        let ticks = self.plan.detections.iter().filter_map(|planned| {
            let id = planned.detection.id();
            if self.is_busy(id) || self.failing.contains_key(id) {
                return None;
            }
            let tick = self.positions.get(id)?.tick?;
            let wait = planned.next_due(tick).saturating_sub(now).max(0);
            Some(Instant::now() + Duration::from_micros(wait.unsigned_abs()))
        });
        let far = Instant::now() + LOOK_AROUND;
        waiting.chain(ticks).fold(far, Instant::min)
    }

    /// Starts evaluations over the lake as it is now.
    async fn start(&mut self, due: Vec<Planned>, now: i64) -> Result<()> {
        let events = match self.events.take() {
            Some(mut events) => {
                events.refresh().await?;
                events
            }
            None => self.lake.table(TableName::Events).await?,
        };
        self.events = Some(events.clone());
        let version = events.version();
        let engine = match self.engine.take() {
            None => Engine::open(&self.lake, self.resources)
                .await?
                .at_version(&self.lake, events.clone())?,
            Some(engine) => engine.at_version(&self.lake, events.clone())?,
        };
        self.engine = Some(engine.clone());
        let mut arrivals: HashMap<Option<u64>, Arc<Arrived>> = HashMap::new();
        for planned in due {
            let id = planned.detection.id().to_owned();
            let tick = planned.last_due(now);
            let mut position = self.position(&planned, now);
            if self.plan.newest_first && is_far_behind(&planned, &position, tick) {
                let last = planned.tick_before(tick);
                position.give_up(version, last, now, "looked at later (newest_first)".into(), true);
            }
            let gap = position.gaps.iter().position(|gap| gap.backlog);
            let is_behind = position.tick.is_none_or(|at| tick > at) || gap.is_none();
            let gap = gap
                .filter(|_| !is_behind)
                .and_then(|number| Some((number, position.gaps.get(number)?.clone())));
            let since = match &gap {
                _ if position.state.is_none() && planned.needs_everything_without_state() => None,
                Some((_, gap)) => gap.version_from,
                None => position.version,
            };
            let arrived = match arrivals.get(&since) {
                Some(arrived) => Arc::clone(arrived),
                None => {
                    let arrived = Arc::new(events.arrived_since(since).await?);
                    arrivals.insert(since, Arc::clone(&arrived));
                    arrived
                }
            };
            let job = Job {
                lake: self.lake.clone(),
                engine: engine.clone(),
                detection: Arc::clone(&planned.detection),
                tick: position.tick.map_or(tick, |at| at.max(tick)),
                position,
                arrived,
                version,
                gap,
                attempt: self.failing.get(&id).map_or(0, |failing| failing.attempts) + 1,
                timeout: planned.timeout,
                now,
                delay: planned.delay_micros(),
            };
            let under_way = self.running.spawn(job.clone().run());
            self.jobs.insert(under_way.id(), job);
        }
        Ok(())
    }

    /// Where a detection is, or begins.
    fn position(&self, planned: &Planned, now: i64) -> Position {
        let definition = planned.definition();
        match self.positions.get(planned.detection.id()) {
            Some(position) if position.definition == definition => position.clone(),
            Some(position) => position.redefined(definition, planned.detection.kind()),
            None => Position::new(
                definition,
                match self.plan.start {
                    Start::All => None,
                    Start::Now => Some(now),
                    Start::At(time) => Some(time),
                },
            ),
        }
    }

    /// Takes what an evaluation gave, and those that ended with it.
    async fn take(&mut self, ended: Joined) -> Result<()> {
        let mut all = vec![ended];
        while let Some(ended) = self.running.try_join_next_with_id() {
            all.push(ended);
        }
        let (mut revisions, mut gaps) = (Vec::new(), false);
        for ended in all {
            let evaluated = match ended {
                Ok((task, evaluated)) => {
                    self.jobs.remove(&task);
                    evaluated
                }
                Err(error) => match self.jobs.remove(&error.id()) {
                    Some(job) => job.broken(&error),
                    None => continue,
                },
            };
            let Evaluated { job, mut run, result } = evaluated;
            let id = job.detection.id().to_owned();
            match result {
                Ok((position, found)) => {
                    self.failing.remove(&id);
                    self.ended.evaluated += 1;
                    self.positions.insert(id, position);
                    revisions.extend(found);
                }
                Err(error) => {
                    self.failed(&job, &mut run, &error);
                    gaps |= run.end == RunEnd::Gap;
                }
            }
            self.uncommitted.get_or_insert_with(Instant::now);
            self.observer.evaluated(&run);
            if self.runs.is_empty() {
                self.runs_since = Instant::now();
            }
            self.runs.push(run);
        }
        if !revisions.is_empty() || gaps {
            self.commit(&revisions).await?;
        }
        Ok(())
    }

    /// Another attempt, or what was due is left out.
    fn failed(&mut self, job: &Job, run: &mut Run, error: &Error) {
        let id = job.detection.id().to_owned();
        if job.attempt < self.plan.attempts {
            let wait = self.plan.retry_after.saturating_mul(1 << (job.attempt - 1).min(16));
            let failing = Failing {
                attempts: job.attempt,
                next: Instant::now() + wait,
            };
            self.failing.insert(id, failing);
            return;
        }
        run.end = RunEnd::Gap;
        self.failing.remove(&id);
        self.ended.given_up.insert(id.clone(), error.to_string());
        let mut position = job.position.clone();
        match &job.gap {
            // It stays, and is not tried again by itself.
            Some((number, _)) => {
                if let Some(gap) = position.gaps.get_mut(*number) {
                    gap.backlog = false;
                    gap.reason = error.to_string();
                }
            }
            None => position.give_up(job.version, job.tick, job.now, error.to_string(), false),
        }
        self.positions.insert(id, position);
    }

    /// Records revisions and where the detections are now. Where that fails, all goes on from what
    /// is recorded.
    async fn commit(&mut self, revisions: &[Revision]) -> Result<()> {
        // Those that this scheduler does not serve stay where they are.
        let mut sinks = self.record.checkpoint.sinks.clone();
        sinks.extend(self.outbox.delivered());
        let next = Checkpoint {
            sinks,
            written: chrono::Utc::now().timestamp_micros(),
            scheduler: self.holder.clone(),
            detections: self.positions.clone(),
            ..self.record.checkpoint.clone()
        };
        let recorded = self.record.commit(revisions, next).await;
        if let Ok(Recorded::At(version)) = recorded {
            self.uncommitted = None;
            self.ended.recorded += revisions.len() as u64;
            self.outbox.push(revisions, version);
            self.observer.recorded(revisions, version);
            return Ok(());
        }
        self.stale = true;
        self.begin_again().await?;
        recorded.map(drop)
    }
}
