//! How a schedule is doing, from what it left in the lake.

use super::checkpoint::{Checkpoint, Gap};
use super::lease::{Lease, last_of};
use super::plan::{Plan, Planned};
use super::runs::HUNT;
use crate::config::{Resources, format_instant};
use crate::engine::{Engine, Scope};
use crate::error::Result;
use crate::hunt::rows::{texts, times};
use crate::lake::{Lake, TableName};
use futures::TryStreamExt as _;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// How a schedule is doing.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The lake.
    pub lake: String,
    /// Who runs it, if anybody does.
    pub lease: Option<LeaseStatus>,
    /// When it last recorded anything.
    #[serde(serialize_with = "instant")]
    pub recorded: Option<i64>,
    /// In the order of their ids.
    pub detections: Vec<DetectionStatus>,
    /// By sink: revisions of alerts that it has not been sent, or not all of whose commit.
    pub sinks_behind: BTreeMap<String, u64>,
}

/// Who runs a schedule.
#[derive(Debug, Serialize)]
pub struct LeaseStatus {
    /// Host, process and a random part.
    pub holder: String,
    /// Until when it holds.
    #[serde(serialize_with = "present")]
    pub expires: i64,
    /// Whether it does still.
    pub holds: bool,
}

/// How a detection is doing.
#[derive(Debug, Serialize)]
pub struct DetectionStatus {
    /// Its id.
    pub detection: String,
    /// Its kind, where it is one of the plan.
    pub kind: Option<&'static str>,
    /// `new`, `waiting`, `behind`, `failing`, or `not planned`.
    pub state: &'static str,
    /// All ticks up to this one are in its alerts, but for the gaps.
    #[serde(serialize_with = "instant")]
    pub tick: Option<i64>,
    /// When the next tick is due.
    #[serde(serialize_with = "instant")]
    pub next_due: Option<i64>,
    /// What arrived up to this version of the events is in its alerts.
    pub version: Option<u64>,
    /// What it did not look at.
    pub gaps: Vec<GapStatus>,
    /// Its last evaluation, where the table `runs` has one.
    pub last_run: Option<LastRun>,
}

/// What a detection did not look at.
#[derive(Debug, Serialize)]
pub struct GapStatus {
    /// Ticks after this one.
    #[serde(serialize_with = "instant")]
    pub after: Option<i64>,
    /// Up to this one.
    #[serde(serialize_with = "present")]
    pub until: i64,
    /// What arrived in these versions of the events: after the first, up to the second.
    pub versions: (Option<u64>, Option<u64>),
    /// When it was left out.
    #[serde(serialize_with = "present")]
    pub since: i64,
    /// Why.
    pub reason: String,
    /// The schedule closes it by itself.
    pub backlog: bool,
}

/// An evaluation, from the table `runs`.
#[derive(Debug, Clone, Serialize)]
pub struct LastRun {
    /// When it began.
    #[serde(serialize_with = "instant")]
    pub started: Option<i64>,
    /// `done`, `failed` or `gap`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
}

fn instant<S: Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(format_instant).serialize(serializer)
}

fn present<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    format_instant(*micros).serialize(serializer)
}

/// How the schedule of a lake is doing. Detections without a plan are those that ran once.
pub async fn status(lake: &Lake, plan: &Plan, resources: Resources, now: i64) -> Result<Status> {
    lake.table(TableName::Events).await?;
    let alerts = lake.table_if_exists(TableName::Alerts).await?;
    let checkpoint = match &alerts {
        Some(alerts) => Checkpoint::read(lake, alerts).await?,
        None => Checkpoint::default(),
    };
    let lease = last_of(lake).await?.map(|Lease { holder, expires, .. }| LeaseStatus {
        holds: expires > now,
        holder,
        expires,
    });
    let mut runs = last_runs(lake, resources).await?;
    let mut detections: BTreeMap<String, DetectionStatus> = BTreeMap::new();
    let planned = plan
        .detections
        .iter()
        .map(|planned| (planned.detection.id(), Some(planned)));
    let recorded = checkpoint.detections.keys().map(|id| (id.as_str(), None));
    for (id, planned) in planned.chain(recorded) {
        if !detections.contains_key(id) {
            let last_run = runs.remove(id);
            detections.insert(id.to_owned(), of_detection(id, planned, &checkpoint, last_run, now));
        }
    }
    let mut sinks_behind = BTreeMap::new();
    if let Some(alerts) = &alerts {
        for (sink, sent) in &checkpoint.sinks {
            sinks_behind.insert(sink.clone(), alerts.arrived_since(Some(*sent)).await?.rows());
        }
    }
    Ok(Status {
        lake: lake.display(),
        lease,
        recorded: (checkpoint.number > 0).then_some(checkpoint.written),
        detections: detections.into_values().collect(),
        sinks_behind,
    })
}

fn of_detection(
    id: &str,
    planned: Option<&Planned>,
    checkpoint: &Checkpoint,
    last_run: Option<LastRun>,
    now: i64,
) -> DetectionStatus {
    let position = checkpoint.detections.get(id);
    let tick = position.and_then(|position| position.tick);
    let next_due = planned.zip(tick).map(|(planned, tick)| planned.next_due(tick));
    let failed = last_run.as_ref().is_some_and(|run| run.state != "done");
    let state = match (planned, tick, next_due) {
        (None, ..) => "not planned",
        _ if failed => "failing",
        (_, None, _) => "new",
        // One tick late is nothing: it is being evaluated.
        (Some(planned), Some(tick), _) if planned.next_due(planned.next_due(tick)) < now => "behind",
        _ => "waiting",
    };
    let gaps = position.map(|position| position.gaps.as_slice()).unwrap_or_default();
    DetectionStatus {
        detection: id.to_owned(),
        kind: planned.map(|planned| planned.detection.kind().as_str()),
        state,
        tick,
        next_due,
        version: position.and_then(|position| position.version),
        gaps: gaps.iter().map(of_gap).collect(),
        last_run,
    }
}

fn of_gap(gap: &Gap) -> GapStatus {
    GapStatus {
        after: gap.tick_from,
        until: gap.tick_to,
        versions: (gap.version_from, gap.version_to),
        since: gap.since,
        reason: gap.reason.clone(),
        backlog: gap.backlog,
    }
}

/// The last evaluation of each detection.
async fn last_runs(lake: &Lake, resources: Resources) -> Result<BTreeMap<String, LastRun>> {
    let engine = Engine::open(lake, resources).await?;
    let session = engine.session(Scope::default())?;
    let mut rows = session
        .query(&format!(
            "SELECT detection, started, state, error FROM (SELECT detection, started, state, error, \
             row_number() OVER (PARTITION BY detection ORDER BY started DESC, attempt DESC) AS place FROM runs \
             WHERE scheduler <> '{HUNT}') WHERE place = 1"
        ))
        .await?;
    let mut found = BTreeMap::new();
    while let Some(batch) = rows.try_next().await? {
        let (ids, states, errors) = (
            texts(&batch, "detection")?,
            texts(&batch, "state")?,
            texts(&batch, "error")?,
        );
        let started = times(&batch, "started")?;
        for (row, id) in ids.into_iter().enumerate() {
            let run = LastRun {
                started: started[row],
                state: states[row].clone().unwrap_or_default(),
                error: errors[row].clone(),
            };
            found.insert(id.unwrap_or_default(), run);
        }
    }
    Ok(found)
}
