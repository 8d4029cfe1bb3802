//! What was looked at: events by hour, and where the logs have holes.
//!
//! Everything is counted in whole hours, UTC. A log is a dataset of an organisation, so that one
//! tenant's silence is not hidden by another's events.

mod files;
mod gaps;
mod lateness;
mod logs;
mod page;
mod queries;
mod words;

pub use files::{FileProblem, NearHour};
pub use lateness::{Lateness, how_long};
pub use logs::{CoveredHour, Gap, LogCoverage};
pub use page::page;
pub use words::{exceptions, looked_at};

use crate::config::format_instant;
use crate::engine::Engine;
use crate::error::{Error, Result};
use queries::Queries;
use serde::{Serialize, Serializer};

/// Microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// Times that an event can have, in hours: what is asked beyond them is cut.
const HOURS: (i64, i64) = (631_152_000_000_000 / HOUR, 9_223_372_036_854_775 / HOUR);

/// An hour that is empty with less than this probability is a gap.
pub const GAP_PROBABILITY: f64 = 0.001;

/// What to look at.
#[derive(Debug, Clone)]
pub struct CoverageRequest {
    /// Microseconds since the Unix epoch; the hour it is in counts as a whole. Without it, each
    /// log is looked at from its first event on.
    pub from: Option<i64>,
    /// Excluded, but for the rest of the hour it is in. Without it, each log is looked at up to
    /// its last event.
    pub to: Option<i64>,
    /// Only these datasets; empty for all.
    pub datasets: Vec<String>,
    /// Only these organisations or tenants, lower case; empty for all.
    pub organizations: Vec<String>,
    /// An hour that is empty with less than this probability is a gap.
    pub gap_probability: f64,
}

/// What a lake covers. Its fields under these names are a stable output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Begin of the first hour that was looked at.
    #[serde(serialize_with = "maybe_instant")]
    pub from: Option<i64>,
    /// End of the last hour.
    #[serde(serialize_with = "maybe_instant")]
    pub to: Option<i64>,
    /// As asked for.
    pub gap_probability: f64,
    /// Each dataset of each organisation.
    pub datasets: Vec<LogCoverage>,
    /// What no hour is known of.
    pub without_hour: WithoutHour,
    /// Files that were not taken in as a whole.
    pub files: Vec<FileProblem>,
}

/// Records of which no hour is known, whatever range and logs were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WithoutHour {
    /// Repeats whose file had those of too many hours.
    pub duplicates: u64,
    /// Rejected records of files in which no record could be read.
    pub rejected: u64,
}

fn instant<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_instant(*micros))
}

fn maybe_instant<S: Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(format_instant).serialize(serializer)
}

/// What a lake covers.
pub async fn coverage(engine: &Engine, request: &CoverageRequest) -> Result<Coverage> {
    let datasets = engine.extents();
    if let Some(unknown) = request.datasets.iter().find(|name| !datasets.contains_key(*name)) {
        let known: Vec<&str> = datasets.keys().map(String::as_str).collect();
        return Err(Error::Setting {
            setting: format!("--dataset {unknown}"),
            problem: format!("the lake has no events of it; it has {}", known.join(", ")),
        });
    }
    let range = Range::of(request);
    let queries = Queries::new(engine, request, range)?;
    let mut logs = logs::Logs::default();
    queries.hours(&mut logs).await?;
    if let Some(unknown) = request.organizations.iter().find(|id| !logs.has_organization(id)) {
        return Err(Error::Setting {
            setting: format!("--organization {unknown}"),
            problem: "the lake has no events of it".into(),
        });
    }
    queries.lateness(&mut logs).await?;
    let mut without_hour = WithoutHour::default();
    let mut files = files::Files::default();
    queries.ledger(&mut logs, &mut files, &mut without_hour).await?;
    queries.quarantine(&mut logs, &mut files, &mut without_hour).await?;
    queries.unfinished(&mut files).await?;
    let datasets = logs.covered(range, request.gap_probability);
    Ok(Coverage {
        from: range
            .from
            .or_else(|| datasets.iter().map(|log| log.from / HOUR).min())
            .map(|hour| hour * HOUR),
        to: range
            .to
            .or_else(|| datasets.iter().map(|log| log.to / HOUR).max())
            .map(|hour| hour * HOUR),
        gap_probability: request.gap_probability,
        datasets,
        without_hour,
        files: files.problems(),
    })
}

/// Hours from the Unix epoch on that are looked at, where a bound is given.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

impl Range {
    fn of(request: &CoverageRequest) -> Self {
        let within = |hour: i64| hour.clamp(HOURS.0, HOURS.1);
        Self {
            from: request.from.map(|from| within(from.div_euclid(HOUR))),
            to: request.to.map(|to| within((to - 1).div_euclid(HOUR) + 1)),
        }
    }

    fn holds(self, hour: i64) -> bool {
        self.from.is_none_or(|from| from <= hour) && self.to.is_none_or(|to| hour < to)
    }
}
