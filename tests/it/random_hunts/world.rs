//! A lake of random events in a temporary folder, and hunts in it.

use super::events::Events;
use retrohunt::alerts::Alert;
use retrohunt::config::Resources;
use retrohunt::detections::{Detection, parse};
use retrohunt::engine::Engine;
use retrohunt::hunt::{HuntRequest, hunt};
use retrohunt::ingest::{IngestReport, IngestRequest, Progress, Stop, ingest};
use retrohunt::lake::Lake;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// What most hunts here may use.
pub(super) const USUAL: Resources = Resources {
    memory_limit: 1 << 30,
    threads: 2,
};

/// What the library panics with (DataFusion 55): `last_value` in builds that check numbers, over a
/// batch of which FILTER leaves nothing; `first_value` by groups, where two of its orders are one.
const PANICS: [&str; 2] = ["attempt to subtract with overflow", "assertion `left == right` failed"];

/// Whether the library panicked with this message.
pub(super) fn is_of_the_library(message: &str) -> bool {
    PANICS.iter().any(|panic| message.contains(panic))
}

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Plans of an unoptimised build are deep.
        .thread_stack_size(16 << 20)
        .enable_all()
        .build()
        .unwrap()
});

/// Runs to the end on the threads of the runtime, which have the larger stacks.
pub(super) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.block_on(async { tokio::spawn(future).await.unwrap() })
}

struct Quiet;

impl Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

/// Where and when to hunt, and how the result is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) per_window: bool,
}

impl Range {
    /// The whole lake, each window by itself.
    pub(super) const WHOLE: Self = Self {
        from: None,
        to: None,
        per_window: true,
    };
}

/// What a hunt of one or several detections gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) alerts: Vec<Alert>,
    /// Per detection, whether and why it failed.
    pub(super) errors: Vec<Option<String>>,
    /// Ticks of all detections.
    pub(super) ticks: u64,
}

impl Outcome {
    /// Whether a detection failed on a row, by the one expression of the grammar that can.
    pub(super) fn divides_by_zero(&self) -> bool {
        let mut errors = self.errors.iter().flatten();
        errors.any(|error| error.contains("division by zero"))
    }

    /// The same findings, and the same detections that failed. How an error is worded may
    /// depend on the plan in which it happened. Where the query engine itself breaks on one
    /// of the two plans, there is nothing to compare.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let broken =
            |error: &&String| error.starts_with("internal error of the query engine") || is_of_the_library(error);
        if self
            .errors
            .iter()
            .chain(&other.errors)
            .flatten()
            .any(|error| broken(&error))
        {
            return true;
        }
        let failed = |outcome: &Self| outcome.errors.iter().map(Option::is_some).collect::<Vec<_>>();
        self.alerts == other.alerts && failed(self) == failed(other)
    }
}

/// A lake and the folder it lives in.
pub(super) struct World {
    folder: tempfile::TempDir,
    pub(super) engine: Engine,
}

impl World {
    /// Ingests each part by itself, one after the other.
    pub(super) fn of(parts: &[Vec<Value>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = lake(&folder);
        for (number, records) in parts.iter().enumerate().filter(|(_, records)| !records.is_empty()) {
            let lines: Vec<String> = records.iter().map(Value::to_string).collect();
            let path = folder.path().join(format!("part-{number}.jsonl"));
            std::fs::write(&path, lines.join("\n")).unwrap();
            let report = ingested(lake.clone(), path.display().to_string());
            assert_eq!(
                (report.rejected, report.bad_files),
                (0, 0),
                "every random record is an event: {:?}",
                report.reasons
            );
        }
        let engine = block_on(async move { Engine::open(&lake, USUAL).await }).unwrap();
        Self { folder, engine }
    }

    /// Two ingests, as the events say.
    pub(super) fn of_events(events: &Events) -> Self {
        let part = |wanted: usize| {
            let records = events.records.iter().filter(|(_, part)| *part == wanted);
            records.map(|(record, _)| record.clone()).collect::<Vec<_>>()
        };
        Self::of(&[part(0), part(1)])
    }

    /// The same lake with other resources.
    pub(super) fn engine_with(&self, resources: Resources) -> Engine {
        let lake = lake(&self.folder);
        block_on(async move { Engine::open(&lake, resources).await }).unwrap()
    }

    pub(super) fn hunt(&self, detections: &[Detection], range: Range, replay: bool) -> Outcome {
        hunt_with(&self.engine, detections, range, replay)
    }

    /// Evaluates detections both ways, which must give the same.
    pub(super) fn hunt_both_ways(&self, detections: &[Detection], range: Range) -> Result<Outcome, String> {
        let replayed = self.hunt(detections, range, true);
        let found = self.hunt(detections, range, false);
        if found.agrees(&replayed) {
            return Ok(found);
        }
        Err(format!(
            "replay and one pass differ, {range:?}\n{}\nonly in the replay: {}\nonly in one pass: {}\n\
             errors of the replay: {:#?}\nerrors of one pass: {:#?}",
            detections.iter().map(source).collect::<Vec<_>>().join("\n"),
            only_in(&replayed.alerts, &found.alerts),
            only_in(&found.alerts, &replayed.alerts),
            replayed.errors,
            found.errors,
        ))
    }
}

fn lake(folder: &tempfile::TempDir) -> Lake {
    Lake::at(&folder.path().join("lake").display().to_string()).unwrap()
}

fn ingested(lake: Lake, path: String) -> IngestReport {
    block_on(async move {
        let request = IngestRequest {
            paths: vec![path],
            memory_limit: USUAL.memory_limit,
            threads: 1,
            again: false,
            unwrap: true,
        };
        ingest(&lake, request, Arc::new(Quiet), Stop::default()).await
    })
    .unwrap()
}

/// The one place where these tests start a hunt.
pub(super) fn hunt_with(engine: &Engine, detections: &[Detection], range: Range, replay: bool) -> Outcome {
    let (engine, detections) = (engine.clone(), detections.to_vec());
    let request = HuntRequest {
        suppressed: true,
        from: range.from,
        to: range.to,
        per_window: range.per_window,
        replay,
    };
    block_on(async move {
        let (_stop, stopped) = tokio::sync::watch::channel(0);
        let chosen: Vec<&Detection> = detections.iter().collect();
        let report = hunt(&engine, &chosen, request, stopped, |_| {}).await.unwrap();
        assert!(!report.interrupted);
        for (run, detection) in report.runs.iter().zip(&chosen) {
            let refused = ["LIMIT", "ROLLUP", "CUBE", "GROUPING SETS"];
            let limited = refused.iter().any(|word| detection.sql.contains(word));
            // What fails on a row that no tick evaluates is left to the replay.
            let divides = "all ticks at once failed: division by zero";
            let expected = (run.notes.iter()).all(|note| note.ends_with(divides) || is_of_the_library(note));
            assert!(limited || expected, "{:?}\n{}", run.notes, detection.sql);
        }
        Outcome {
            ticks: report.runs.iter().filter_map(|run| run.ticks).sum(),
            errors: report.runs.iter().map(|run| run.error.clone()).collect(),
            alerts: report.alerts.collect().await.unwrap(),
        }
    })
}

/// A detection out of the text of its file.
pub(super) fn detection(id: &str, text: &str) -> Detection {
    parse(&format!("{id}.sql"), text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A windowed detection of its SELECT.
pub(super) fn windowed(id: &str, interval: &str, lookback: &str, key: &[&str], sql: &str) -> Detection {
    detection(
        id,
        &format!(
            "/*---\nid = \"{id}\"\ntitle = \"{id}\"\nseverity = \"low\"\nrisk_score = 21\ninterval = \"{interval}\"\n\
             lookback = \"{lookback}\"\nkey = {key:?}\n---*/\n{sql}"
        ),
    )
}

fn source(detection: &Detection) -> String {
    let header = &detection.header;
    format!(
        "{}: rhythm {:?}, lookback {:?}, key {:?}\n{}\n",
        header.id,
        header.rhythm,
        header.lookback,
        header.key,
        detection.sql.trim()
    )
}

/// The first of the alerts that the other side does not have, and how many there are.
fn only_in(these: &[Alert], those: &[Alert]) -> String {
    let only: Vec<&Alert> = these.iter().filter(|alert| !those.contains(alert)).collect();
    let shown: Vec<String> = only
        .iter()
        .take(3)
        .map(|alert| serde_json::to_string(alert).unwrap())
        .collect();
    format!("{} of {}\n  {}", only.len(), these.len(), shown.join("\n  "))
}
