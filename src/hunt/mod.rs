//! Detections over a past range: what each would have found had it been running.

mod event;
mod new_terms;
mod rows;
mod windowed;

use crate::alerts::{self, Alert};
use crate::detections::{Detection, Kind};
use crate::engine::{Clock, Engine, Resolution, Scope, Window};
use crate::error::Result;
use serde::Serialize;
use std::time::Instant;

/// What to hunt.
#[derive(Debug, Clone, Copy)]
pub struct HuntRequest {
    /// Events from here on; ticks from here on. Absent: from the lake's first event.
    pub from: Option<i64>,
    /// Events before this; ticks up to and including this. Absent: to the lake's last
    /// event, and for windowed detections to the last tick that sees it.
    pub to: Option<i64>,
    /// Each window an alert of its own instead of episodes.
    pub per_window: bool,
    /// Evaluate every tick, also those whose windows hold nothing to find.
    pub replay: bool,
}

/// What one detection found.
#[derive(Debug, Clone, Serialize)]
pub struct DetectionRun {
    /// Id of the detection.
    pub detection: String,
    /// Its shape.
    #[serde(serialize_with = "kind_name")]
    pub kind: Kind,
    /// Alerts.
    pub alerts: u64,
    /// Ticks of the range, for a windowed detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<u64>,
    /// Ticks that were evaluated; the windows of the others hold nothing to find.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks_evaluated: Option<u64>,
    /// Wall-clock time.
    pub seconds: f64,
    /// Fields read from the record's text, which is slow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw_fields: Vec<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a hunt found.
#[derive(Debug, Clone, Default)]
pub struct HuntReport {
    /// In order of time.
    pub alerts: Vec<Alert>,
    /// One per detection, in the order asked for.
    pub runs: Vec<DetectionRun>,
    /// The hunt was ended early: the detection it was at, and those after it, are missing.
    pub interrupted: bool,
}

/// Becomes true when somebody else wants the hunt to end early.
pub type Stop = tokio::sync::watch::Receiver<bool>;

/// A half-open range of event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: i64,
    to: i64,
}

/// What evaluating one detection gives.
#[derive(Debug, Default)]
struct Found {
    alerts: Vec<Alert>,
    ticks: Option<(u64, u64)>,
    raw_fields: Vec<String>,
    /// Why a windowed detection was evaluated tick by tick without having been asked to.
    replayed_because: Option<String>,
}

fn kind_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

/// A length of time in microseconds.
fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Runs detections one after the other. One that fails does not stop the others.
pub async fn hunt(
    engine: &Engine,
    detections: &[&Detection],
    request: HuntRequest,
    mut stop: Stop,
    mut progress: impl FnMut(&Detection),
) -> Result<HuntReport> {
    let mut report = HuntReport::default();
    for detection in detections {
        progress(detection);
        let started = Instant::now();
        let found = tokio::select! {
            found = evaluate(engine, detection, request) => found,
            _ = stop.wait_for(|stopped| *stopped) => {
                report.interrupted = true;
                break;
            }
        };
        let mut run = DetectionRun {
            detection: detection.id().to_owned(),
            kind: detection.kind(),
            alerts: 0,
            ticks: None,
            ticks_evaluated: None,
            seconds: started.elapsed().as_secs_f64(),
            raw_fields: Vec::new(),
            error: None,
        };
        match found {
            Ok(found) => {
                run.alerts = found.alerts.len() as u64;
                run.ticks = found.ticks.map(|(all, _)| all);
                run.ticks_evaluated = found.ticks.map(|(_, evaluated)| evaluated);
                run.raw_fields = found.raw_fields;
                report.alerts.extend(found.alerts);
            }
            Err(error) => run.error = Some(error.to_string()),
        }
        report.runs.push(run);
    }
    alerts::sort(&mut report.alerts);
    Ok(report)
}

/// Plans a detection as a hunt would, without running it: an error if it cannot run, else
/// what its names stand for.
pub async fn plan(engine: &Engine, detection: &Detection) -> Result<Resolution> {
    let session = engine.session(Scope {
        window: Some(Window { after: 0, until: 1 }),
        now: Some(Clock::At(1)),
    })?;
    let planned = match detection.kind() {
        Kind::Event => event::plan_with_identity(&session, detection, &[]).await?,
        Kind::NewTerms => new_terms::plan(&session, detection).await?,
        Kind::Windowed => session.plan(&detection.sql).await?,
    };
    session.physical(&planned.plan).await?;
    Ok(planned.resolution)
}

async fn evaluate(engine: &Engine, detection: &Detection, request: HuntRequest) -> Result<Found> {
    let Some(extent) = engine.extent() else {
        return Ok(Found::default());
    };
    let range = Range {
        from: request.from.unwrap_or(extent.first),
        to: request.to.unwrap_or(extent.last.saturating_add(1)),
    };
    match detection.kind() {
        Kind::Event => event::evaluate(engine, detection, range).await,
        Kind::NewTerms => new_terms::evaluate(engine, detection, range).await,
        Kind::Windowed => windowed::evaluate(engine, detection, request, range).await,
    }
}
