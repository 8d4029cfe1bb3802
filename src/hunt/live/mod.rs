//! Detections as events arrive: what they find changes by what came, and by the time that passed.
//!
//! After every [`step`] the alerts of a detection are what a hunt over the lake finds, as it is
//! then and up to the tick, and the step says what is to be changed for that. It reads what
//! arrived and what it keeps of before, its *state*:
//!
//! | kind | state | read beside what arrived |
//! |---|---|---|
//! | event | none | nothing |
//! | new terms | sightings by day | the sightings of the history before what arrived |
//! | windowed | rows of the last ticks, episodes that are open | the windows of ticks that an event entered or left |
//!
//! What arrives for times before those that the state reaches back to is found by looking at the
//! events again.

mod event;
mod new_terms;
mod per_row;
mod probe;
mod recorded;
mod reopen;
mod sightings;
mod state;
#[cfg(test)]
mod tests;
mod whole;
mod windowed;
mod windowed_state;

pub use recorded::{current, current_where};
pub use state::{StateFiles, StateRead};

use crate::alerts::{Alert, Change};
use crate::detections::{Detection, Kind};
use crate::engine::{Engine, ScanFigures};
use crate::error::Result;
use crate::lake::Arrived;
use std::collections::BTreeSet;

/// What a detection is to be brought up to.
#[derive(Debug, Clone, Copy)]
pub struct StepRequest<'a> {
    /// The lake at the version that has what arrived.
    pub engine: &'a Engine,
    /// What arrived since the last step; at the first, everything.
    pub arrived: &'a Arrived,
    /// Nothing before this counts, as in a hunt from there. Microseconds since the Unix epoch, as
    /// all times here.
    pub from: Option<i64>,
    /// The tick of the last step; none at the first.
    pub before: Option<i64>,
    /// Evaluated up to this tick.
    pub tick: i64,
    /// Ticks that are evaluated in any case: what steps that failed left out.
    pub again: Option<(i64, i64)>,
    /// The name of the state that the last step left.
    pub state: Option<&'a str>,
    /// Where states are.
    pub files: &'a StateFiles,
}

/// A change to what is recorded of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// What it is now; of what is withdrawn, what it was.
    pub alert: Alert,
    /// What happened to it.
    pub change: Change,
    /// The number of the revision that says so.
    pub revision: u32,
    /// Set where it is late: the first tick that could have found it.
    pub late_since: Option<i64>,
}

/// What a step found.
#[derive(Debug, Default)]
pub struct Step {
    /// What is to be changed, in order of time.
    pub changes: Vec<Changed>,
    /// The name of the state that it leaves; none where the kind has none.
    pub state: Option<String>,
    /// Ticks whose windows were evaluated.
    pub ticks: u64,
    /// What was read of events.
    pub read: ScanFigures,
    /// What is worth knowing about how it was done.
    pub notes: Vec<String>,
}

impl Step {
    /// Adds changes, of each alert one: whoever looks at an alert finds the same.
    fn add(&mut self, changes: Vec<Changed>) {
        let said: BTreeSet<String> = self
            .changes
            .iter()
            .map(|changed| changed.alert.alert_id.clone())
            .collect();
        let more = changes
            .into_iter()
            .filter(|changed| !said.contains(&changed.alert.alert_id));
        self.changes.extend(more);
    }
}

/// Brings a detection up to what has arrived and to a tick.
pub async fn step(detection: &Detection, request: StepRequest<'_>) -> Result<Step> {
    let mut step = match detection.kind() {
        Kind::Event => event::step(detection, request).await?,
        Kind::NewTerms => new_terms::step(detection, request).await?,
        Kind::Windowed => windowed::step(detection, request).await?,
    };
    step.changes.sort_by(|a, b| {
        let order = |changed: &Changed| (changed.alert.time, changed.alert.alert_id.clone(), changed.revision);
        order(a).cmp(&order(b))
    });
    Ok(step)
}

/// Removes the files of a detection that are no part of its state and were written before a time,
/// in milliseconds since the Unix epoch.
pub async fn remove_unused(files: &StateFiles, kind: Kind, state: Option<&str>, before: i64) -> Result<()> {
    let mut used = BTreeSet::new();
    if let Some(state) = state {
        if kind == Kind::NewTerms {
            used = new_terms::files_of(files, state).await?;
        }
        used.insert(state.to_owned());
    }
    let unused = files.list().await?.into_iter();
    let unused = unused.filter(|(name, written)| *written < before && !used.contains(name));
    files.remove(&unused.map(|(name, _)| name).collect::<Vec<_>>()).await;
    Ok(())
}

/// The last tick at or before a time.
pub fn tick_before(detection: &Detection, time: i64) -> i64 {
    detection.header.rhythm.at_or_before(time)
}

/// The first tick at or after a time.
fn tick_at(detection: &Detection, time: i64) -> i64 {
    detection.header.rhythm.at_or_after(time)
}
