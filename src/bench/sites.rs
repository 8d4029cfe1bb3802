//! A tenant's lakes in a place: whole, in pieces, and with a schedule that has begun.

use super::counted::{self, Counted, answer};
use super::place::Place;
use super::questions::{self, Question};
use super::shapes::{Arrival, Logs, Quiet};
use super::{Bench, Stop, go_on};
use crate::capacity::{Phase, Quantities, Requests, Work};
use crate::custody::{Holdings, holdings};
use crate::detections::Detection;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::{IngestReport, IngestRequest, ingest};
use crate::lake::{TARGET_FILE_BYTES, TableName};
use std::path::Path;
use std::sync::Arc;

/// So many times a tenant is stored in, for what compaction merges.
const PIECES: usize = 4;

/// A tenant's lakes.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) logs: &'a Logs,
    pub(super) place: &'a Place,
    /// All events, compacted, as a lake is kept.
    pub(super) whole: String,
    /// What it holds.
    pub(super) held: Holdings,
    pub(super) ingested: Quantities,
    /// The same events in small files, and what merging them is.
    pub(super) pieces: Option<(String, Quantities)>,
    /// With a schedule that has come to the end of the events.
    pub(super) begun: Option<String>,
    /// Each arrival's ingest and tick.
    pub(super) arrived: Vec<(Quantities, Quantities)>,
    pub(super) questions: Vec<(Question, Quantities)>,
}

/// Files, bytes and rows of the events of a lake.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    files: u64,
    bytes: u64,
    rows: u64,
}

impl Size {
    fn of(held: &Holdings) -> Self {
        let events = held
            .tables
            .iter()
            .find(|table| table.name == TableName::Events.as_str());
        events.map_or_else(Self::default, |table| Self {
            files: table.files,
            bytes: table.bytes,
            rows: table.rows,
        })
    }
}

fn days(held: &Holdings) -> u64 {
    held.datasets.iter().map(|held| held.days).max().unwrap_or_default()
}

impl<'a> Site<'a> {
    /// Whether the model is fitted on it.
    pub(super) fn is_fitted(&self) -> bool {
        self.logs.shape.phase == Phase::Fit
    }

    /// Stores a tenant and counts what there is to do.
    pub(super) async fn build(
        bench: &Bench,
        logs: &'a Logs,
        place: &'a Place,
        detections: &[Detection],
        stop: &Stop,
    ) -> Result<Self> {
        let name = logs.shape.name();
        let whole = place.at(&format!("whole-{name}"));
        let counted = Counted::at(&whole)?;
        let report = store(bench, &counted, vec![logs_of(&logs.folder)], stop).await?;
        let requests = counted.requests();
        let before = holdings(&counted.lake).await?;
        let ingested = ingested(&report, Size::default(), &before, requests);
        compact(bench, &counted).await?;
        let held = holdings(&counted.lake).await?;
        let mut site = Self {
            logs,
            place,
            whole,
            held,
            ingested,
            pieces: None,
            begun: None,
            arrived: Vec::new(),
            questions: Vec::new(),
        };
        site.ask(bench, detections, stop).await?;
        if !logs.shape.is_spread {
            site.in_pieces(bench, stop).await?;
            site.begin(bench, detections, stop).await?;
        }
        Ok(site)
    }

    async fn ask(&mut self, bench: &Bench, detections: &[Detection], stop: &Stop) -> Result<()> {
        let lake = Counted::at(&self.whole)?.lake;
        let engine = Engine::open(&lake, bench.resources).await?;
        let message = match questions::a_message(self.logs) {
            Some(sql) => counted::text(&engine, &sql).await?,
            None => None,
        };
        let (terms, _) = counted::number(&engine, questions::TERMS).await?;
        let size = Size::of(&self.held);
        for question in questions::all(self.logs, detections, &bench.workspace, message.as_deref())? {
            go_on(stop)?;
            let answer = answer(&self.whole, &question, bench.resources).await?;
            let quantities = Quantities {
                events: size.rows,
                events_read: Some(answer.read.rows_in),
                stored_bytes: Some(size.bytes),
                bytes_read: Some(answer.read.bytes_read),
                bytes_to_read: answer.to_read,
                files: Some(size.files),
                requests: answer.requests,
                rows_matched: Some(answer.read.rows_matched),
                alerts: Some(answer.found),
                distinct_terms: (question.work == Work::NewTerms).then_some(terms),
                days: Some(days(&self.held)),
                ..Quantities::default()
            };
            self.questions.push((question, quantities));
        }
        Ok(())
    }

    /// The same events, each partition in several files.
    async fn in_pieces(&mut self, bench: &Bench, stop: &Stop) -> Result<()> {
        let name = self.logs.shape.name();
        let location = self.place.at(&format!("pieces-{name}"));
        let lake = Counted::at(&location)?;
        let files = files_of(&self.logs.folder.join("logs"))?;
        for piece in 0..PIECES {
            let paths: Vec<String> = files.iter().skip(piece).step_by(PIECES).cloned().collect();
            if !paths.is_empty() {
                store(bench, &lake, paths, stop).await?;
            }
        }
        let copy = self.place.at(&format!("counted-{name}"));
        self.place.copy(&location, &copy).await?;
        let counted = Counted::at(&copy)?;
        let (files, bytes, rows) = compact(bench, &counted).await?;
        let quantities = Quantities {
            events: rows,
            bytes_read: Some(bytes),
            stored_bytes: Some(bytes),
            files: Some(files),
            requests: counted.requests(),
            days: Some(days(&self.held)),
            ..Quantities::default()
        };
        self.place.remove(&copy).await?;
        // Nothing to merge is nothing to measure.
        self.pieces = (rows > 0).then_some((location, quantities));
        Ok(())
    }

    /// A schedule comes to the end of the events, and then more arrive.
    async fn begin(&mut self, bench: &Bench, detections: &[Detection], stop: &Stop) -> Result<()> {
        let name = self.logs.shape.name();
        let begun = self.place.at(&format!("begun-{name}"));
        self.place.copy(&self.whole, &begun).await?;
        let settings = &self.logs.summary.settings;
        let end = settings.from + settings.days as i64 * 86_400_000_000;
        let lake = Counted::at(&begun)?.lake;
        counted::tick(&lake, detections, bench.resources, end).await?;
        for arrival in &self.logs.arrivals {
            go_on(stop)?;
            let copy = self.place.at(&format!("counted-{name}"));
            self.place.copy(&begun, &copy).await?;
            let counts = self.arrive(bench, detections, arrival, &copy, stop).await?;
            self.place.remove(&copy).await?;
            self.arrived.push(counts);
        }
        self.begun = Some(begun);
        Ok(())
    }

    async fn arrive(
        &self,
        bench: &Bench,
        detections: &[Detection],
        arrival: &Arrival,
        location: &str,
        stop: &Stop,
    ) -> Result<(Quantities, Quantities)> {
        let lake = Counted::at(location)?;
        let report = store(bench, &lake, vec![logs_of(&arrival.folder)], stop).await?;
        let requests = lake.requests();
        let held = holdings(&lake.lake).await?;
        let ingest = Quantities {
            days: Some(arrival.summary.settings.days),
            ..ingested(&report, Size::of(&self.held), &held, requests)
        };
        let lake = Counted::at(location)?;
        counted::tick(&lake.lake, detections, bench.resources, arrival.until).await?;
        let tick = Quantities {
            events: report.stored,
            files: ingest.files,
            stored_bytes: ingest.stored_bytes,
            requests: lake.requests(),
            days: ingest.days,
            ..Quantities::default()
        };
        Ok((ingest, tick))
    }
}

/// A folder of logs as an argument.
pub(super) fn logs_of(folder: &Path) -> String {
    folder.join("logs").display().to_string()
}

fn files_of(folder: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::File {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path().display().to_string());
    }
    files.sort();
    Ok(files)
}

async fn store(bench: &Bench, counted: &Counted, paths: Vec<String>, stop: &Stop) -> Result<IngestReport> {
    let request = IngestRequest {
        paths,
        memory_limit: bench.resources.memory_limit,
        threads: bench.resources.threads,
        again: false,
        unwrap: true,
    };
    let report = ingest(&counted.lake, request, Arc::new(Quiet), Arc::clone(stop)).await?;
    if report.has_rejects() {
        return Err(Error::Internal("records that were generated are rejected".into()));
    }
    Ok(report)
}

fn ingested(report: &IngestReport, before: Size, held: &Holdings, requests: Option<Requests>) -> Quantities {
    let after = Size::of(held);
    Quantities {
        events: report.read,
        events_read: Some(report.stored),
        input_bytes: Some(report.bytes),
        stored_bytes: Some(after.bytes.saturating_sub(before.bytes)),
        files: Some(after.files.saturating_sub(before.files)),
        requests,
        days: Some(days(held)),
        ..Quantities::default()
    }
}

/// Merges the events: files, bytes and rows that were merged.
async fn compact(bench: &Bench, counted: &Counted) -> Result<(u64, u64, u64)> {
    let mut events = counted.lake.table(TableName::Events).await?;
    let done = events
        .compact(TARGET_FILE_BYTES, bench.resources.threads, &|_| {})
        .await?;
    Ok((done.files, done.bytes, done.rows))
}
