//! What evaluations read, found and took, as rows of the table `runs`.

use crate::alerts::Change;
use crate::error::Result;
use crate::hunt::live::{StateRead, Step};
use crate::lake::{Committed, Lake, LakeTable, TableName, encode};
use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use std::sync::Arc;

/// Attempts against other writers.
const ATTEMPTS: usize = 20;

/// Who evaluated a detection where no scheduler did.
pub(super) const HUNT: &str = "hunt";

/// What stands for all detections of a hunt together.
pub const ALL: &str = "*";

/// How an evaluation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunEnd {
    /// What was due is in the alerts.
    Done,
    /// It failed and is tried again.
    Failed,
    /// It failed and what was due is left out.
    Gap,
}

impl RunEnd {
    /// As the table spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Gap => "gap",
        }
    }
}

/// One evaluation of a detection.
#[derive(Debug, Clone)]
pub struct Run {
    /// Microseconds since the Unix epoch.
    pub started: i64,
    /// Wall-clock time.
    pub seconds: f64,
    /// Id of the detection.
    pub detection: String,
    /// Its kind.
    pub kind: &'static str,
    /// How it ended.
    pub end: RunEnd,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Why it failed.
    pub error: Option<String>,
    /// The tick of the evaluation before.
    pub tick_from: Option<i64>,
    /// Up to this tick.
    pub tick_to: i64,
    /// Ticks whose windows were evaluated.
    pub ticks: u64,
    /// Versions of the events: what arrived after the first, up to the second.
    pub versions: (Option<u64>, u64),
    /// Files, rows and bytes that arrived.
    pub arrived: (u64, u64, u64),
    /// What was read of events.
    pub read: crate::engine::ScanFigures,
    /// What was read of the state, and requests for it.
    pub state: StateRead,
    /// Requests to the store for events.
    pub requests: u64,
    /// Alerts by change: new, grown, revised, withdrawn.
    pub alerts: [u64; 4],
    /// Of these, suppressed.
    pub suppressed: u64,
    /// What was expected before it began.
    pub estimated: Option<Estimated>,
    /// What it cost by the prices of the estimate, in its currency.
    pub cost: Option<f64>,
}

/// What was expected of an evaluation before it began.
#[derive(Debug, Clone, Default)]
pub struct Estimated {
    /// What has to be read, at most.
    pub to_read: crate::engine::ToRead,
    /// Wall-clock time.
    pub seconds: Option<crate::capacity::Estimate>,
    /// What it costs.
    pub cost: Option<f64>,
    /// In which currency.
    pub currency: Option<String>,
}

impl Run {
    /// The first attempt at a detection of a kind, which has read nothing yet.
    pub fn of(detection: &str, kind: &'static str) -> Self {
        Self {
            started: 0,
            seconds: 0.0,
            detection: detection.to_owned(),
            kind,
            end: RunEnd::Done,
            attempt: 1,
            error: None,
            tick_from: None,
            tick_to: 0,
            ticks: 0,
            versions: (None, 0),
            arrived: (0, 0, 0),
            read: crate::engine::ScanFigures::default(),
            state: StateRead::default(),
            requests: 0,
            alerts: [0; 4],
            suppressed: 0,
            estimated: None,
            cost: None,
        }
    }

    /// Takes over what a step found.
    pub(super) fn found(&mut self, step: &Step) {
        self.ticks = step.ticks;
        self.read = step.read;
        for changed in &step.changes {
            let place = Change::ALL.iter().position(|change| *change == changed.change);
            if let Some(count) = place.and_then(|place| self.alerts.get_mut(place)) {
                *count += 1;
            }
        }
    }
}

/// Appends what a hunt did.
pub async fn record_hunt(lake: &Lake, runs: &[Run]) -> Result<()> {
    append(lake, HUNT, runs).await
}

/// Appends rows to the table, which is made where there is none.
pub(super) async fn append(lake: &Lake, scheduler: &str, runs: &[Run]) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    let rows = to_batch(scheduler, runs)?;
    let mut table = lake.table_or_create(TableName::Runs).await?;
    append_rows(&mut table, rows).await
}

/// Appends rows whatever others append meanwhile.
pub(super) async fn append_rows(table: &mut LakeTable, rows: RecordBatch) -> Result<()> {
    let file = encode(table.name(), &rows.schema(), Vec::new(), [Ok(rows)])?;
    table.upload(&file).await?;
    let files = [file];
    for _ in 0..ATTEMPTS {
        if table.append(&files).await? != Committed::Outdated {
            return Ok(());
        }
    }
    table.discard(&files).await;
    Err(crate::error::Error::store(
        format!("cannot commit to table {}", table.name().as_str()),
        "other writers were first each time",
    ))
}

fn to_batch(scheduler: &str, runs: &[Run]) -> Result<RecordBatch> {
    let text =
        |value: fn(&Run) -> Option<&str>| -> ArrayRef { Arc::new(runs.iter().map(value).collect::<StringArray>()) };
    let time = |value: fn(&Run) -> Option<i64>| -> ArrayRef {
        let times: TimestampMicrosecondArray = runs.iter().map(value).collect();
        Arc::new(times.with_timezone("UTC"))
    };
    let number = |value: fn(&Run) -> Option<u64>| -> ArrayRef {
        let numbers = runs
            .iter()
            .map(|run| Some(i64::try_from(value(run)?).unwrap_or(i64::MAX)));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let real =
        |value: fn(&Run) -> Option<f64>| -> ArrayRef { Arc::new(runs.iter().map(value).collect::<Float64Array>()) };
    let columns: Vec<ArrayRef> = vec![
        time(|run| Some(run.started)),
        real(|run| Some(run.seconds)),
        Arc::new(runs.iter().map(|_| Some(scheduler)).collect::<StringArray>()),
        text(|run| Some(&run.detection)),
        text(|run| Some(run.kind)),
        text(|run| Some(run.end.as_str())),
        number(|run| Some(run.attempt.into())),
        text(|run| run.error.as_deref()),
        time(|run| run.tick_from),
        time(|run| Some(run.tick_to)),
        number(|run| Some(run.ticks)),
        number(|run| run.versions.0),
        number(|run| Some(run.versions.1)),
        number(|run| Some(run.arrived.0)),
        number(|run| Some(run.arrived.1)),
        number(|run| Some(run.arrived.2)),
        number(|run| Some(run.read.rows_in)),
        number(|run| Some(run.read.rows_matched)),
        number(|run| Some(run.read.bytes_read)),
        number(|run| Some(run.state.bytes)),
        number(|run| Some(run.requests + run.state.requests)),
        number(|run| Some(run.alerts[0])),
        number(|run| Some(run.alerts[1])),
        number(|run| Some(run.alerts[2])),
        number(|run| Some(run.alerts[3])),
        number(|run| Some(run.suppressed)),
        number(|run| Some(run.estimated.as_ref()?.to_read.files)),
        number(|run| Some(run.estimated.as_ref()?.to_read.row_groups)),
        number(|run| Some(run.estimated.as_ref()?.to_read.bytes)),
        number(|run| Some(run.estimated.as_ref()?.to_read.requests)),
        real(|run| Some(run.estimated.as_ref()?.seconds?.value)),
        real(|run| Some(run.estimated.as_ref()?.seconds?.low)),
        real(|run| Some(run.estimated.as_ref()?.seconds?.high)),
        real(|run| run.estimated.as_ref()?.cost),
        real(|run| run.cost),
        text(|run| run.estimated.as_ref()?.currency.as_deref()),
    ];
    Ok(RecordBatch::try_new(TableName::Runs.file_schema(), columns)?)
}
