//! What a schedule runs, and when.

use super::settings::Start;
use crate::detections::{Detection, Kind};
use crate::hunt::live::tick_before;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// A detection and how it is run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The detection, with the times at which it runs.
    pub detection: Arc<Detection>,
    /// After a tick, before it is evaluated.
    pub delay: Duration,
    /// For an evaluation.
    pub timeout: Duration,
}

/// What a schedule runs, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Each with its own times.
    pub detections: Vec<Planned>,
    /// From when on those count that are new.
    pub start: Start,
    /// After an outage, what is new is looked at before what was missed.
    pub newest_first: bool,
    /// So many evaluations at once.
    pub concurrency: usize,
    /// So many attempts before what is due is left out.
    pub attempts: u32,
    /// Before the second attempt; twice as long before each later one.
    pub retry_after: Duration,
    /// For how long a lease holds that is not renewed.
    pub lease: Duration,
    /// Ends when all that is due is done.
    pub once: bool,
    /// The clock goes no further, and the schedule ends there. Microseconds since the Unix epoch.
    pub until: Option<i64>,
}

impl Planned {
    /// The delay in microseconds.
    pub(super) fn delay_micros(&self) -> i64 {
        i64::try_from(self.delay.as_micros()).unwrap_or(i64::MAX)
    }

    /// The last tick that is due at a time.
    pub(super) fn last_due(&self, now: i64) -> i64 {
        tick_before(&self.detection, now.saturating_sub(self.delay_micros()))
    }

    /// The tick before one.
    pub(super) fn tick_before(&self, tick: i64) -> i64 {
        tick_before(&self.detection, tick.saturating_sub(1))
    }

    /// When the tick after this one is due.
    pub(super) fn next_due(&self, tick: i64) -> i64 {
        let next = self.detection.header.rhythm.next(tick);
        next.saturating_add(self.delay_micros())
    }

    /// What is recorded of a detection is about what it said then: this changes with whatever
    /// changes its alerts.
    pub(super) fn definition(&self) -> String {
        let header = &self.detection.header;
        let parts = (
            self.detection.sql.trim(),
            &header.rhythm,
            header.lookback,
            header.new_terms.as_ref().map(|terms| (&terms.fields, terms.history)),
            &header.key,
            header.severity.as_str(),
        );
        let hash = Sha256::digest(format!("{parts:?}"));
        crate::lake::hex(&hash[..16])
    }

    /// Whether it keeps what it knows of all that came before.
    pub(super) fn needs_everything_without_state(&self) -> bool {
        self.detection.kind() == Kind::NewTerms
    }
}
