//! What a running schedule tells: its log, its metrics, and whether it is alive.

use crate::alerts::Revision;
use crate::cli::output::chain;
use crate::config::format_instant;
use crate::error::Error;
use crate::schedule::metrics::Metrics;
use crate::schedule::server::Health;
use crate::schedule::{Observer, Position, Run, RunEnd};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tells what it hears.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    /// Who was said last to hold the lease.
    pub(super) holder: Option<Option<String>>,
    /// The version of the events up to which arrivals were counted.
    pub(super) counted: Option<u64>,
}

impl Observer for Watch {
    fn evaluated(&mut self, run: &Run) {
        self.metrics.evaluated(run);
        // What arrives is looked at by every detection and counted once.
        if self
            .counted
            .is_none_or(|counted| run.versions.0.unwrap_or_default() >= counted)
            && run.end == RunEnd::Done
        {
            self.metrics.arrived(run.arrived.1);
            self.counted = Some(run.versions.1);
        }
        self.health.progress();
        match &run.error {
            Some(error) => tracing::warn!(
                detection = run.detection,
                attempt = run.attempt,
                state = run.end.as_str(),
                tick = format_instant(run.tick_to),
                error,
                "evaluation failed"
            ),
            None => tracing::debug!(
                detection = run.detection,
                tick = format_instant(run.tick_to),
                ticks = run.ticks,
                rows = run.read.rows_in,
                bytes = run.read.bytes_read + run.state.bytes,
                requests = run.requests + run.state.requests,
                seconds = run.seconds,
                "evaluated"
            ),
        }
    }

    fn recorded(&mut self, revisions: &[Revision], _version: u64) {
        self.metrics.committed(chrono::Utc::now().timestamp_micros());
        for revision in revisions {
            self.metrics.recorded(&revision.alert.detection, revision.change, 1);
            tracing::info!(
                detection = revision.alert.detection,
                alert = revision.alert.alert_id,
                revision = revision.revision,
                change = revision.change.as_str(),
                severity = revision.alert.severity,
                time = format_instant(revision.alert.time),
                suppressed = revision.suppressed_by.is_some(),
                "alert"
            );
        }
    }

    fn lease(&mut self, holder: Option<&str>) {
        self.metrics.lease(holder.is_none());
        self.health.lease(holder.is_none());
        let holder = holder.map(str::to_owned);
        if self.holder.as_ref() != Some(&holder) {
            match &holder {
                None => tracing::info!("holds the lease of the schedule"),
                Some(other) => tracing::info!(other, "another scheduler holds the lease: waiting"),
            }
            self.holder = Some(holder);
        }
        self.health.round_ended();
    }

    fn problem(&mut self, error: &Error) {
        tracing::error!(error = chain(error), "trying again");
    }

    fn round(&mut self, positions: &BTreeMap<String, Position>, now: i64) {
        for (id, position) in positions {
            if let Some(tick) = position.tick {
                self.metrics.lag(id, now.saturating_sub(tick).max(0) as f64 / 1e6);
            }
            self.metrics.gaps(id, position.gaps.len() as u64);
        }
        self.health.round_ended();
    }
}
