//! Which tenants are generated.
//!
//! One shape over the same days, so that only events grow from size to size; and two with other
//! numbers of days, so that what is due to days and files can be told from what is due to events.

use super::{Bench, Stop};
use crate::capacity::Phase;
use crate::error::{Error, Result};
use crate::generate::{self, Summary, Tenant};
use crate::report::human::counted;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sizes that the model needs to say how far it is off.
pub const LEAST_SIZES: usize = 3;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// People: so many that the smallest tenant has several events of each.
const EVENTS_OF_USER_DAY: u64 = 60;

/// Files of logs of a day, about: several, so that a partition can be stored in several pieces.
const FILES_OF_DAY: u64 = 8;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) events: u64,
    pub(super) days: u64,
    pub(super) phase: Phase,
    /// Whether its days are others than those of the rest.
    pub(super) is_spread: bool,
}

impl Shape {
    /// For people.
    pub(super) fn words(&self) -> String {
        let days = if self.is_spread {
            format!(" of {} days", self.days)
        } else {
            String::new()
        };
        counted(self.events, "event", "events") + &days
    }

    /// The name of its folders.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.events, self.days)
    }
}

/// All, the smallest first.
pub(super) fn of(bench: &Bench) -> Vec<Shape> {
    let sized = |phase| {
        move |events: &u64| Shape {
            events: *events,
            days: bench.days,
            phase,
            is_spread: false,
        }
    };
    let smallest = bench.sizes.first().copied().unwrap_or_default();
    let spread = |events, days| Shape {
        events,
        days,
        phase: Phase::Fit,
        is_spread: true,
    };
    let mut shapes = vec![
        spread(smallest / 3, bench.days / 3),
        spread(smallest * 2, bench.days * 2),
    ];
    // Else leaving out one size would leave out two tenants.
    shapes.retain(|shape| !bench.quick && shape.days > 0 && !bench.sizes.contains(&shape.events));
    shapes.extend(bench.sizes.iter().map(sized(Phase::Fit)));
    shapes.extend(bench.validate.iter().map(sized(Phase::Validate)));
    shapes.sort_by_key(|shape| shape.events);
    shapes
}

/// A tenant's logs.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) shape: Shape,
    pub(super) folder: PathBuf,
    pub(super) summary: Summary,
    /// What arrives after them.
    pub(super) arrivals: Vec<Arrival>,
}

/// Logs that arrive when the others are in the lake.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) folder: PathBuf,
    pub(super) summary: Summary,
    /// The time of the clock when a schedule looks at them, RFC 3339 and in microseconds.
    pub(super) until: i64,
}

/// Writes the logs of a tenant. The next day's, and of the smallest tenant also an hour's worth
/// of events, arrive later.
pub(super) async fn generate(bench: &Bench, shape: Shape, stop: &Stop) -> Result<Logs> {
    let base = Tenant {
        seed: bench.seed,
        users: (shape.events / shape.days / EVENTS_OF_USER_DAY).clamp(10, 1_000_000),
        events: shape.events,
        days: shape.days,
        threads: bench.resources.threads,
        ..Tenant::default()
    };
    // A record takes about two kilobytes.
    let files_of = (shape.events * 2000 / (shape.days * FILES_OF_DAY)).clamp(64 << 10, 64 << 20);
    let folder = bench.workspace.join(format!("logs-{}", shape.name()));
    let main = Tenant {
        files_of,
        ..base.clone()
    };
    let summary = write(main, &folder, stop).await?;
    let mut arrivals = Vec::new();
    let daily = (shape.events / shape.days).max(24);
    let is_smallest = bench.sizes.first() == Some(&shape.events);
    let wanted = [("day", daily, true), ("hour", daily / 24, is_smallest)];
    let wanted = wanted
        .into_iter()
        .filter(|(_, _, is_wanted)| *is_wanted && !shape.is_spread);
    for (name, events, _) in wanted {
        let folder = bench.workspace.join(format!("{name}-{}", shape.name()));
        let from = base.from + shape.days as i64 * DAY;
        let later = Tenant {
            events,
            from,
            days: 1,
            attacks: 0,
            ..base.clone()
        };
        arrivals.push(Arrival {
            summary: write(later, &folder, stop).await?,
            folder,
            until: from + DAY,
        });
    }
    Ok(Logs {
        shape,
        folder,
        summary,
        arrivals,
    })
}

async fn write(tenant: Tenant, folder: &Path, stop: &Stop) -> Result<Summary> {
    let (folder, stop) = (folder.to_owned(), Arc::clone(stop));
    let writing = move || generate::write(&tenant, &folder, &Quiet, &stop);
    let written = tokio::task::spawn_blocking(writing).await;
    written.map_err(|error| Error::Internal(format!("generating ended: {error}")))?
}

/// Nobody is told.
pub(super) struct Quiet;

impl generate::Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

impl crate::ingest::Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}
