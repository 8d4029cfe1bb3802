//! Detections that are evaluated at the same time.

use super::meeting::{Meetings, Seat};
use super::{DetectionRun, Found, HuntRequest, RunState, Stop, evaluate};
use crate::alerts::AlertStore;
use crate::detections::{Detection, Kind};
use crate::engine::Engine;
use crate::error::{Error, Result};
use datafusion::common::runtime::SpawnedTask;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use std::time::Instant;

/// Memory that a plan should find beside the others.
const MEMORY_OF_A_PLAN: u64 = 32 << 20;

/// Plans that run at once at most.
const MOST_AT_ONCE: usize = 64;

/// How many detections are evaluated together.
pub(super) fn at_once(engine: &Engine) -> usize {
    let fit = usize::try_from(engine.memory_of_queries() / MEMORY_OF_A_PLAN).unwrap_or(MOST_AT_ONCE);
    // One part is for the alerts.
    fit.saturating_sub(1).clamp(1, MOST_AT_ONCE)
}

/// What has been done so far, in the order of the detections.
pub(super) struct Done {
    pub(super) runs: Vec<DetectionRun>,
    /// Who wrote the alerts of the run at the same place.
    pub(super) writers: Vec<Option<u32>>,
    pub(super) common_bytes: u64,
    pub(super) interrupted: bool,
}

impl Done {
    /// Evaluates the detections at these places together. What there is too little memory
    /// for beside the others has another try alone, and then one more that is frugal.
    pub(super) async fn evaluate(
        &mut self,
        engine: &Engine,
        detections: &[&Detection],
        places: &[usize],
        request: HuntRequest,
        store: &AlertStore,
        stop: &mut Stop,
    ) {
        let hungry = self.at_once(engine, detections, places, request, store, stop).await;
        for place in hungry {
            if self.interrupted {
                break;
            }
            let alone = [place];
            if places.len() > 1
                && self
                    .at_once(engine, detections, &alone, request, store, stop)
                    .await
                    .is_empty()
            {
                continue;
            }
            // Where not even that is possible, the error of before stays.
            let Ok(frugal) = engine.frugal() else {
                continue;
            };
            let frugal = match detections[place].kind() {
                // In parts of its range.
                Kind::Windowed => frugal,
                Kind::Event | Kind::NewTerms => frugal.with_sorted_joins(),
            };
            self.at_once(&frugal, detections, &alone, request, store, stop).await;
        }
    }

    /// Gives the places of those that ran out of memory.
    async fn at_once(
        &mut self,
        engine: &Engine,
        detections: &[&Detection],
        places: &[usize],
        request: HuntRequest,
        store: &AlertStore,
        stop: &mut Stop,
    ) -> Vec<usize> {
        let started = Instant::now();
        let plans: Vec<usize> = places.iter().map(|place| plans_of(detections[*place].kind())).collect();
        let (meetings, seats) = Meetings::of(&plans, engine.threads());
        let mut tasks: FuturesUnordered<_> = places
            .iter()
            .zip(seats)
            .map(|(&place, seat)| {
                let task = spawned(engine, detections[place], request, seat, store);
                async move { (place, task.join().await) }
            })
            .collect();
        let mut hungry = Vec::new();
        loop {
            let (place, ended) = tokio::select! {
                next = tasks.next() => match next {
                    Some(next) => next,
                    None => break,
                },
                Ok(_) = stop.wait_for(|times| *times > 0) => {
                    self.interrupted = true;
                    break;
                }
            };
            let found = ended.unwrap_or_else(|error| Err(Error::Internal(format!("an evaluation ended: {error}"))));
            let (run, writer) = (&mut self.runs[place], &mut self.writers[place]);
            run.seconds += started.elapsed().as_secs_f64();
            match found {
                Ok((found, number)) => {
                    *writer = Some(number);
                    run.error = None;
                    run.done(found);
                }
                Err(error) => {
                    if error.is_out_of_memory() {
                        hungry.push(place);
                    }
                    run.state = RunState::Failed;
                    run.error = Some(error.to_string());
                }
            }
        }
        // Ends what is still running.
        drop(tasks);
        self.common_bytes += meetings.common_bytes();
        hungry.sort_unstable();
        hungry
    }
}

/// How many plans a detection brings, one after the other.
pub(super) fn plans_of(kind: Kind) -> usize {
    match kind {
        Kind::Event | Kind::Windowed => 1,
        // One that finds what is new, and one that reads the events.
        Kind::NewTerms => 2,
    }
}

fn spawned(
    engine: &Engine,
    detection: &Detection,
    request: HuntRequest,
    seat: Seat,
    store: &AlertStore,
) -> SpawnedTask<Result<(Found, u32)>> {
    let (engine, detection, writer) = (engine.clone(), detection.clone(), store.writer());
    SpawnedTask::spawn(async move { evaluate(&engine, &detection, request, seat, writer).await })
}
