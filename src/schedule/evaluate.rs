//! One evaluation of a detection, with an end.

use super::checkpoint::{Gap, Position};
use super::runs::{Run, RunEnd};
use super::suppress::suppress;
use crate::alerts::{Origin, Revision};
use crate::detections::Detection;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::live::{StateFiles, Step, StepRequest, step};
use crate::lake::{Arrived, Lake};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) lake: Lake,
    pub(super) engine: Engine,
    pub(super) detection: Arc<Detection>,
    /// Where the detection is.
    pub(super) position: Position,
    pub(super) arrived: Arc<Arrived>,
    /// The version of the events that has what arrived.
    pub(super) version: u64,
    pub(super) tick: i64,
    /// The gap that is to be closed, by its number.
    pub(super) gap: Option<(usize, Gap)>,
    pub(super) attempt: u32,
    pub(super) timeout: Duration,
    /// What the clock says, microseconds since the Unix epoch.
    pub(super) now: i64,
    /// After a tick, before it is evaluated.
    pub(super) delay: i64,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub(super) job: Job,
    pub(super) run: Run,
    /// Where the detection is now, and what is to be recorded; or why it is where it was.
    pub(super) result: Result<(Position, Vec<Revision>)>,
}

impl Job {
    pub(super) async fn run(self) -> Evaluated {
        let began = Instant::now();
        let mut run = self.blank();
        let timeout = self.timeout;
        let evaluated = tokio::time::timeout(timeout, self.evaluate(&mut run)).await;
        let result = evaluated.unwrap_or_else(|_| {
            Err(Error::Detection(format!(
                "{} took longer than {} (timeout)",
                self.detection.id(),
                crate::detections::format_duration(timeout)
            )))
        });
        run.seconds = began.elapsed().as_secs_f64();
        if let Err(error) = &result {
            run.end = RunEnd::Failed;
            run.error = Some(error.to_string());
        }
        Evaluated { job: self, run, result }
    }

    /// What came of it where it panicked or was ended.
    pub(super) fn broken(self, error: &tokio::task::JoinError) -> Evaluated {
        let problem = Error::Internal(format!("the evaluation of {} ended: {error}", self.detection.id()));
        let run = Run {
            end: RunEnd::Failed,
            error: Some(problem.to_string()),
            ..self.blank()
        };
        Evaluated {
            job: self,
            run,
            result: Err(problem),
        }
    }

    fn blank(&self) -> Run {
        Run {
            started: self.now,
            attempt: self.attempt,
            tick_from: self.position.tick,
            tick_to: self.tick,
            versions: (self.position.version, self.version),
            arrived: (
                self.arrived.files.len() as u64,
                self.arrived.rows(),
                self.arrived.bytes(),
            ),
            ..Run::of(self.detection.id(), self.detection.kind().as_str())
        }
    }

    async fn evaluate(&self, run: &mut Run) -> Result<(Position, Vec<Revision>)> {
        let (engine, requests) = self.engine.counting(&self.lake)?;
        let files = StateFiles::of(&self.lake, self.detection.id())?;
        let mut step = self.step(&engine, &files).await;
        if step.as_ref().is_err_and(Error::is_out_of_memory) {
            step = self.step(&engine.frugal()?, &files).await;
        }
        run.requests = requests.made();
        run.state = files.figures();
        let step = step?;
        run.found(&step);
        let mut revisions: Vec<Revision> = Vec::with_capacity(step.changes.len());
        for changed in step.changes {
            let due = changed.late_since.map(|due| due.saturating_add(self.delay));
            revisions.push(Revision {
                revision: changed.revision,
                change: changed.change,
                late_by: due.map(|due| self.now.saturating_sub(due).max(0) as f64 / 1e6),
                ..Revision::first(&self.detection, changed.alert, self.now, Origin::Schedule)
            });
        }
        suppress(&engine, &self.detection, &mut revisions, self.now).await?;
        run.suppressed = revisions.iter().filter(|of| of.suppressed_by.is_some()).count() as u64;
        let mut position = Position {
            state: step.state,
            ..self.position.clone()
        };
        match &self.gap {
            Some((number, _)) => drop(position.gaps.remove(*number)),
            None => {
                position.version = Some(self.version);
                position.tick = Some(self.tick);
            }
        }
        Ok((position, revisions))
    }

    async fn step(&self, engine: &Engine, files: &StateFiles) -> Result<Step> {
        let rhythm = &self.detection.header.rhythm;
        let again = self.gap.as_ref().map(|(_, gap)| {
            // Since ever: the detection begins where events do.
            let first = gap.tick_from.map_or(i64::MIN, |tick| rhythm.next(tick));
            (first, gap.tick_to)
        });
        let request = StepRequest {
            engine,
            arrived: &self.arrived,
            from: self.position.from,
            before: self.position.tick,
            tick: self.tick,
            again,
            state: self.position.state.as_deref(),
            files,
        };
        step(&self.detection, request).await
    }
}
