//! How far a schedule has come: one document, which the commit that has the alerts of its ticks
//! makes the current one.
//!
//! A document is written under a number that nobody else has, and then the commit to the table
//! `alerts` notes that number as a Delta application transaction. So alerts and checkpoint
//! appear together or not at all, and of two schedulers that began at the same checkpoint one
//! commits and the other finds a number that it does not know.

use crate::detections::Kind;
use crate::error::{Error, Result};
use crate::lake::{Lake, LakeTable};
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The application of the transactions.
pub(super) const APPLICATION: &str = "retrohunt.schedule";

/// Documents before the current one that are kept, for those who are about to read one.
const KEPT: i64 = 8;

/// How many numbers may have been taken by those who did not get to commit.
const MOST_TAKEN: i64 = 10_000;

/// The form of the document that this release writes; it reads no later one.
const FORMAT: u32 = 1;

/// How far a schedule has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(super) format: u32,
    /// 0 before the first.
    pub number: i64,
    /// When it was written, microseconds since the Unix epoch.
    pub written: i64,
    /// Who wrote it.
    pub scheduler: String,
    /// By detection.
    pub detections: BTreeMap<String, Position>,
    /// By sink: the version of the table `alerts` up to which it has been sent everything.
    pub sinks: BTreeMap<String, u64>,
}

/// How far a detection has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Hash of what the detection says: another one starts anew.
    pub definition: String,
    /// Nothing before this counts, if set. Microseconds since the Unix epoch.
    pub from: Option<i64>,
    /// What arrived up to this version of the events is in its alerts.
    pub version: Option<u64>,
    /// All ticks up to this one are.
    pub tick: Option<i64>,
    /// The name of its state.
    pub state: Option<String>,
    /// What is not in its alerts, in order.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// What a detection did not look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// What arrived after this version of the events; since ever where none is given.
    pub version_from: Option<u64>,
    /// Up to this version.
    pub version_to: Option<u64>,
    /// Ticks after this one; since ever where none is given.
    pub tick_from: Option<i64>,
    /// Up to this one.
    pub tick_to: i64,
    /// When it was given up, microseconds since the Unix epoch.
    pub since: i64,
    /// Why.
    pub reason: String,
    /// Left for later on purpose, to look at what is new first: the schedule closes it itself.
    #[serde(default)]
    pub backlog: bool,
}

impl Checkpoint {
    /// The current one, as the table is. A new one where there is none.
    pub async fn read(lake: &Lake, alerts: &LakeTable) -> Result<Self> {
        let Some(number) = alerts.noted(APPLICATION).await? else {
            return Ok(Self {
                format: FORMAT,
                ..Self::default()
            });
        };
        let path = path(lake, number)?;
        let failed = |error| Error::store(format!("cannot read the schedule's checkpoint {path}"), error);
        let bytes = lake
            .store()
            .get(&path)
            .await
            .map_err(failed)?
            .bytes()
            .await
            .map_err(failed)?;
        let read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::store(format!("the schedule's checkpoint {path} is damaged"), error))?;
        if read.format > FORMAT {
            return Err(Error::Setting {
                setting: format!("schedule of {}", lake.display()),
                problem: format!("was written by a later release (format {}); use that one", read.format),
            });
        }
        Ok(read)
    }

    /// Writes it under the next number that is free, which is part of it then.
    pub(super) async fn write(&mut self, lake: &Lake) -> Result<()> {
        self.format = FORMAT;
        let first = self.number + 1;
        for number in first..first + MOST_TAKEN {
            self.number = number;
            let path = path(lake, number)?;
            let text = serde_json::to_vec(self).map_err(|error| Error::Internal(error.to_string()))?;
            let options = PutOptions::from(PutMode::Create);
            match lake.store().put_opts(&path, text.into(), options).await {
                Ok(_) => return Ok(()),
                // Somebody who did not get to commit, or is about to.
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {}
                Err(error) => {
                    return Err(Error::store(
                        format!("cannot write the schedule's checkpoint {path}"),
                        error,
                    ));
                }
            }
        }
        Err(Error::Internal("no number is free for a checkpoint".into()))
    }

    /// Removes one that was not committed.
    pub(super) async fn discard(&self, lake: &Lake) {
        if let Ok(path) = path(lake, self.number) {
            let _ = lake.store().delete(&path).await;
        }
    }

    /// Removes one that is long past.
    pub(super) async fn remove_old(&self, lake: &Lake) {
        if let Ok(path) = path(lake, self.number - KEPT) {
            let _ = lake.store().delete(&path).await;
        }
    }
}

impl Position {
    /// Of a detection that has not been looked at.
    pub(super) fn new(definition: String, from: Option<i64>) -> Self {
        Self {
            definition,
            from,
            version: None,
            tick: None,
            state: None,
            gaps: Vec::new(),
        }
    }

    /// Of a detection that says something else now: what it said before stays, and what it says
    /// counts from where it is; from the first gap on, if it has any, as it was mended perhaps.
    pub(super) fn redefined(&self, definition: String, kind: Kind) -> Self {
        let (version, tick) = match self.gaps.first() {
            Some(gap) => (gap.version_from, gap.tick_from),
            None => (self.version, self.tick),
        };
        Self {
            definition,
            from: match kind {
                Kind::Event => self.from,
                Kind::Windowed | Kind::NewTerms => tick.map(|tick| tick.saturating_add(1)).or(self.from),
            },
            version,
            tick,
            state: None,
            gaps: Vec::new(),
        }
    }

    /// Leaves out what arrived and was due up to here.
    pub(super) fn give_up(&mut self, version: u64, tick: i64, since: i64, reason: String, backlog: bool) {
        match self.gaps.last_mut() {
            Some(last)
                if last.version_to == self.version && Some(last.tick_to) == self.tick && last.backlog == backlog =>
            {
                last.version_to = Some(version);
                last.tick_to = tick;
                last.reason = reason;
            }
            _ => self.gaps.push(Gap {
                version_from: self.version,
                version_to: Some(version),
                tick_from: self.tick,
                tick_to: tick,
                since,
                reason,
                backlog,
            }),
        }
        self.version = Some(version);
        self.tick = Some(tick);
    }
}

fn path(lake: &Lake, number: i64) -> Result<Path> {
    place(lake, &format!("schedule/checkpoints/{number:012}.json"))
}

/// Something of the schedule's in the lake's store.
pub(super) fn place(lake: &Lake, below: &str) -> Result<Path> {
    let url = lake.url().join(below);
    let url = url.map_err(|error| Error::Internal(format!("{below} has no place: {error}")))?;
    Path::from_url_path(url.path()).map_err(|error| Error::Internal(format!("{below} has no place: {error}")))
}
