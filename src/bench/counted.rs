//! How much there is to do: counted in this process, where nobody takes the time.

use super::questions::{Ask, Question};
use crate::capacity::Requests;
use crate::config::Resources;
use crate::detections::Detection;
use crate::engine::{Engine, ScanFigures, Scope};
use crate::error::{Error, Result};
use crate::hunt::{HuntRequest, RunState, hunt, to_read};
use crate::lake::{Lake, stores};
use crate::schedule::metrics::Metrics;
use crate::schedule::settings::Settings;
use crate::schedule::{Observer, Outbox, Plan, Planned, Scheduler};
use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use futures::StreamExt as _;
use std::sync::Arc;
use tokio::sync::watch;

/// A hunt over a whole lake.
const EVERYTHING: HuntRequest = HuntRequest {
    from: None,
    to: None,
    per_window: false,
    replay: false,
    suppressed: false,
};

/// A lake whose requests are counted.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) lake: Lake,
    requests: Arc<stores::Requests>,
}

impl Counted {
    pub(super) fn at(location: &str) -> Result<Self> {
        let lake = Lake::at(location)?;
        let requests = Arc::new(stores::Requests::of(Arc::clone(lake.store())));
        Ok(Self {
            lake: Lake::in_store(lake.url().clone(), Arc::clone(&requests) as _),
            requests,
        })
    }

    /// Requests so far. Those of a disk are none.
    pub(super) fn requests(&self) -> Option<Requests> {
        let made = self.requests.by_kind();
        (self.lake.url().scheme() != "file").then_some(Requests {
            put: made.put,
            get: made.get,
            list: made.list,
        })
    }
}

/// What a question read and found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    pub(super) read: ScanFigures,
    /// Alerts, or rows.
    pub(super) found: u64,
    /// Of a hunt, at most, as is known before.
    pub(super) to_read: Option<u64>,
    pub(super) requests: Option<Requests>,
}

/// Asks a question.
pub(super) async fn answer(location: &str, question: &Question, resources: Resources) -> Result<Answer> {
    let counted = Counted::at(location)?;
    let engine = Engine::open(&counted.lake, resources).await?;
    let detections = match &question.ask {
        Ask::Hunt(detections) => detections.as_slice(),
        Ask::HuntIn(_, detection) => std::slice::from_ref(detection.as_ref()),
        Ask::Sql(_) => &[],
    };
    let (read, found) = match &question.ask {
        Ask::Hunt(_) | Ask::HuntIn(..) => hunted(&engine, detections).await?,
        Ask::Sql(sql) => {
            let (read, batches) = rows(&engine, sql).await?;
            (read, batches.iter().map(|column| column.len() as u64).sum())
        }
    };
    let requests = counted.requests();
    let to_read = match detections {
        [] => None,
        detections => {
            let chosen: Vec<&Detection> = detections.iter().collect();
            Some(to_read(&engine, &chosen, EVERYTHING).await?.together.bytes)
        }
    };
    engine.abandon();
    Ok(Answer {
        read,
        found,
        to_read,
        requests,
    })
}

async fn hunted(engine: &Engine, detections: &[Detection]) -> Result<(ScanFigures, u64)> {
    let chosen: Vec<&Detection> = detections.iter().collect();
    let (_kept, stop) = watch::channel(0);
    let report = hunt(engine, &chosen, EVERYTHING, stop, |_| {}).await?;
    let mut read = ScanFigures::default();
    for run in &report.runs {
        if run.state != RunState::Done {
            return Err(Error::Benchmark {
                work: format!("the detection {}", run.detection),
                problem: run.error.clone().unwrap_or_else(|| "it was not run".into()),
            });
        }
        read += run.read;
    }
    read.bytes_read += report.common_bytes;
    Ok((read, report.alerts.total()))
}

/// The first column of a statement's result.
async fn rows(engine: &Engine, sql: &str) -> Result<(ScanFigures, Vec<ArrayRef>)> {
    let session = engine.session(Scope::default())?;
    let planned = session.plan(sql).await?;
    let mut running = session.run_counted(&planned.plan).await?;
    let mut columns = Vec::new();
    while let Some(batch) = running.next().await {
        columns.push(Arc::clone(batch?.column(0)));
    }
    Ok((running.figures(), columns))
}

/// A statement's one number, and what was read for it.
pub(super) async fn number(engine: &Engine, sql: &str) -> Result<(u64, ScanFigures)> {
    let (read, columns) = rows(engine, sql).await?;
    let first = columns.iter().find(|column| !column.is_empty());
    let number = first.and_then(|column| {
        let number = cast(column, &DataType::Int64).ok()?;
        let number = number.as_any().downcast_ref::<Int64Array>()?;
        (!number.is_null(0)).then(|| number.value(0))
    });
    Ok((
        number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default(),
        read,
    ))
}

/// A statement's one text, or the first text of its one list.
pub(super) async fn text(engine: &Engine, sql: &str) -> Result<Option<String>> {
    let (_, columns) = rows(engine, sql).await?;
    let Some(column) = columns.into_iter().find(|column| !column.is_empty()) else {
        return Ok(None);
    };
    let texts = match column.as_list_opt::<i32>() {
        Some(lists) if !lists.is_null(0) => lists.value(0),
        _ => column,
    };
    let texts = cast(&texts, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    Ok((!texts.is_empty() && !texts.is_null(0)).then(|| texts.value(0).to_owned()))
}

struct Nobody;

impl Observer for Nobody {}

/// A round of a schedule, by a clock that stands at `until`.
pub(super) async fn tick(lake: &Lake, detections: &[Detection], resources: Resources, until: i64) -> Result<()> {
    let usual = Settings::default();
    let planned = detections.iter().map(|detection| Planned {
        delay: detection.header.delay,
        timeout: usual.timeout,
        detection: Arc::new(detection.clone()),
    });
    let plan = Plan {
        detections: planned.collect(),
        start: usual.start,
        newest_first: usual.newest_first,
        concurrency: usual.concurrency,
        attempts: usual.attempts,
        retry_after: usual.retry_after,
        lease: usual.lease,
        once: true,
        until: Some(until),
    };
    let metrics = Arc::new(Metrics::new());
    let outbox = Outbox::new(lake, Vec::new(), &metrics);
    let mut nobody = Nobody;
    let scheduler = Scheduler::open(lake, plan, resources, outbox, &mut nobody).await?;
    let (_kept, stop) = watch::channel(0);
    let ended = scheduler.run(stop).await?;
    match ended.given_up.into_iter().next() {
        Some((detection, problem)) => Err(Error::Benchmark {
            work: format!("the schedule of {detection}"),
            problem,
        }),
        None => Ok(()),
    }
}
