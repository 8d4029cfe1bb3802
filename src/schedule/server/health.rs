//! What a scheduler tells of itself, and what that means.

use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a scheduler tells of itself.
#[derive(Debug)]
pub struct Health {
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    progress: Instant,
    rounds: u64,
    lease_held: bool,
    stopping: bool,
}

/// What is told to whoever asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// `starting`, `ok`, `stalled` or `stopping`.
    pub status: &'static str,
    /// Rounds since the start.
    pub rounds: u64,
    /// Seconds since the last sign of progress.
    pub last_progress_seconds: f64,
    /// Seconds without progress after which it is stalled.
    pub patience_seconds: f64,
    /// Whether this scheduler holds the lease; another one does where it does not.
    pub lease_held: bool,
}

impl Condition {
    /// Whether it is alive: it makes progress, or has not been given the time to.
    pub fn is_healthy(&self) -> bool {
        matches!(self.status, "starting" | "ok")
    }

    /// Whether it does what it is there for.
    pub fn is_ready(&self) -> bool {
        self.status == "ok"
    }
}

impl Health {
    /// Of a scheduler that starts now, and is stalled after so long without progress: several of
    /// its shortest intervals, and longer than one evaluation may take.
    pub fn new(patience: Duration) -> Self {
        let state = State {
            progress: Instant::now(),
            rounds: 0,
            lease_held: false,
            stopping: false,
        };
        Self {
            patience,
            state: Mutex::new(state),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Something was done, such as one evaluation of many in a long round.
    pub fn progress(&self) {
        self.change(|state| state.progress = Instant::now());
    }

    /// A round has ended, with something to do or without.
    pub fn round_ended(&self) {
        self.change(|state| {
            state.progress = Instant::now();
            state.rounds += 1;
        });
    }

    /// Whether this scheduler holds the lease.
    pub fn lease(&self, held: bool) {
        self.change(|state| state.lease_held = held);
    }

    /// It was told to stop, and nothing more should be sent to it.
    pub fn stopping(&self) {
        self.change(|state| state.stopping = true);
    }

    /// How it is at this moment.
    pub fn condition(&self, now: Instant) -> Condition {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(state.progress);
        let status = match state {
            State { stopping: true, .. } => "stopping",
            _ if since > self.patience => "stalled",
            State { rounds: 0, .. } => "starting",
            _ => "ok",
        };
        Condition {
            status,
            rounds: state.rounds,
            last_progress_seconds: since.as_millis() as f64 / 1000.0,
            patience_seconds: self.patience.as_secs_f64(),
            lease_held: state.lease_held,
        }
    }
}
