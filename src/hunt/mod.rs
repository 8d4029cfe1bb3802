//! Detections over a past range: what each would have found had it been running.

mod earlier;
mod event;
mod explain;
pub mod live;
mod meeting;
mod new_terms;
mod ordered;
pub(crate) mod rows;
#[cfg(test)]
mod tests;
mod ticks;
mod to_read;
mod together;
mod verify;
mod window_rows;
mod windowed;
mod witnesses;

pub use explain::{Explanation, explain};
pub use to_read::{Expected, HuntToRead, to_read};
pub use verify::{Difference, OneOf, Verification, verify};

use crate::alerts::{AlertStore, AlertWriter, SortedAlerts};
use crate::detections::{Detection, Kind};
use crate::engine::{Clock, Engine, Resolution, ScanFigures, Scope, Window};
use crate::error::{Error, Result};
use meeting::Seat;
use serde::Serialize;
use together::{Done, plans_of};

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
    /// Evaluate windowed detections tick by tick, as a schedule would.
    pub replay: bool,
    /// Those alerts too for which another one stands, by the `suppress` of their detection.
    pub suppressed: bool,
}

/// How evaluating a detection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It was evaluated over the whole range.
    Done,
    /// It failed: it has no alerts.
    Failed,
    /// The hunt was ended before, or during its evaluation: it has no alerts.
    NotRun,
}

/// What one detection found.
#[derive(Debug, Clone, Serialize)]
pub struct DetectionRun {
    /// Id of the detection.
    pub detection: String,
    /// Its shape.
    #[serde(serialize_with = "kind_name")]
    pub kind: Kind,
    /// How it ended.
    pub state: RunState,
    /// What was read for it; nothing where it is not done.
    #[serde(flatten)]
    pub read: ScanFigures,
    /// Alerts.
    pub alerts: u64,
    /// Alerts that were left out, as another one stands for them.
    #[serde(skip_serializing_if = "is_zero")]
    pub suppressed: u64,
    /// Ticks of the range, for a windowed detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<u64>,
    /// Wall-clock time.
    pub seconds: f64,
    /// Fields read from the record's text, which is slow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw_fields: Vec<String>,
    /// What else is worth knowing about how it was evaluated, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a hunt found.
#[derive(Debug)]
pub struct HuntReport {
    /// The alerts of the detections that were done, in order of time.
    pub alerts: SortedAlerts,
    /// One per detection, in the order asked for.
    pub runs: Vec<DetectionRun>,
    /// Bytes read once for several detections; they are in no detection's own figures.
    pub common_bytes: u64,
    /// The hunt was ended early: some detections were not run.
    pub interrupted: bool,
}

/// How often somebody wanted the hunt to end early. The first time ends the evaluation of
/// detections; once more, while what they found is put in order, ends that as well.
pub type Stop = tokio::sync::watch::Receiver<u32>;

/// A half-open range of event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: i64,
    to: i64,
}

/// What evaluating one detection gives, beside its alerts.
#[derive(Debug, Default)]
struct Found {
    ticks: Option<u64>,
    read: ScanFigures,
    raw_fields: Vec<String>,
    notes: Vec<String>,
}

fn kind_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A length of time in microseconds.
fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Runs detections, many of them together so that they read the lake once. One that fails
/// does not stop the others.
pub async fn hunt(
    engine: &Engine,
    detections: &[&Detection],
    request: HuntRequest,
    mut stop: Stop,
    mut progress: impl FnMut(&[&Detection]),
) -> Result<HuntReport> {
    let store = AlertStore::new(engine);
    let store = match request.suppressed {
        true => store,
        false => store.suppressing(detections),
    };
    let mut done = Done {
        runs: detections.iter().map(|detection| DetectionRun::of(detection)).collect(),
        writers: vec![None; detections.len()],
        common_bytes: 0,
        interrupted: false,
    };
    let places: Vec<usize> = (0..detections.len()).collect();
    for together in places.chunks(together::at_once(engine)) {
        progress(&together.iter().map(|place| detections[*place]).collect::<Vec<_>>());
        done.evaluate(engine, detections, together, request, &store, &mut stop)
            .await;
        if done.interrupted {
            break;
        }
    }
    let times = *stop.borrow_and_update();
    let alerts = tokio::select! {
        alerts = store.finish() => alerts?,
        Ok(_) = stop.wait_for(|now| *now > times) => return Err(Error::Interrupted),
    };
    for (run, writer) in done.runs.iter_mut().zip(done.writers) {
        run.alerts = writer.map_or(0, |writer| alerts.of(writer));
        run.suppressed = writer.map_or(0, |writer| alerts.suppressed_of(writer));
    }
    Ok(HuntReport {
        alerts,
        runs: done.runs,
        common_bytes: done.common_bytes,
        interrupted: done.interrupted,
    })
}

impl DetectionRun {
    fn of(detection: &Detection) -> Self {
        Self {
            detection: detection.id().to_owned(),
            kind: detection.kind(),
            state: RunState::NotRun,
            read: ScanFigures::default(),
            alerts: 0,
            suppressed: 0,
            ticks: None,
            seconds: 0.0,
            raw_fields: Vec::new(),
            notes: Vec::new(),
            error: None,
        }
    }

    fn done(&mut self, found: Found) {
        self.state = RunState::Done;
        self.read = found.read;
        self.ticks = found.ticks;
        self.raw_fields = found.raw_fields;
        self.notes = found.notes;
    }
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

/// Evaluates a detection; its alerts count under the number that is returned.
async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    request: HuntRequest,
    seat: Seat,
    mut alerts: AlertWriter,
) -> Result<(Found, u32)> {
    let found = match engine.extent() {
        None => Found::default(),
        Some(extent) => {
            let range = Range {
                from: request.from.unwrap_or(extent.first),
                to: request.to.unwrap_or(extent.last.saturating_add(1)),
            };
            let alerts = &mut alerts;
            match detection.kind() {
                Kind::Event => event::evaluate(engine, detection, range, seat, alerts).await?,
                Kind::NewTerms => new_terms::evaluate(engine, detection, range, seat, alerts).await?,
                Kind::Windowed => windowed::evaluate(engine, detection, request, range, seat, alerts).await?,
            }
        }
    };
    Ok((found, alerts.keep().await?))
}
