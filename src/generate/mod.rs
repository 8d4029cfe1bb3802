//! Logs of an invented Microsoft 365 tenant, for tests, benchmarks and planning.
//!
//! Deterministic: the same settings give the same bytes, whatever the number of threads.
//! People with time zones, devices and addresses work by the day and the week; records have
//! the keys, forms and sizes of real ones; some are resent; attacks are planted that every
//! built-in detection finds. Records are written into byte buffers from parts that are made
//! once, without a string of their own, so that most of the time goes into writing files.
//!
//! In the folder are `logs`, with a file name that says the format, and `tenant.json`, the
//! [`Summary`], which an ingest of the folder skips.

mod applications;
mod attack;
mod audit;
mod files;
mod names;
mod organisation;
mod others;
mod places;
mod random;
mod rhythm;
mod scene;
mod sign_ins;
mod stream;
mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use attack::Attack;
pub use summary::{Dataset, Summary};

use crate::config::format_instant;
use crate::error::{Error, Result};
use organisation::Organisation;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use stream::Stream;

/// What to generate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// What all that is random follows from.
    pub seed: u64,
    /// People with an account: 1 to 1,000,000.
    pub users: u64,
    /// Events, of all formats together. Repeats and attacks come on top.
    pub events: u64,
    /// The first moment, microseconds since 1970; whole seconds count.
    pub from: i64,
    /// Days from then on: 1 to 3,660.
    pub days: u64,
    /// Repeats per event, 0 to 1.
    pub duplicates: f64,
    /// Attacks to plant: 0 to 10,000.
    pub attacks: u64,
    /// Which logs to write.
    pub formats: Vec<Format>,
    /// Bytes of a file before compression, about; at least 64 KiB.
    pub files_of: u64,
    /// How files are compressed.
    pub compression: Compression,
    /// Threads that write. Does not change what is written.
    #[serde(skip, default = "one")]
    pub threads: usize,
    /// Write although the folder is not empty, in the place of logs generated before.
    #[serde(skip)]
    pub force: bool,
}

fn one() -> usize {
    1
}

impl Default for Tenant {
    /// 200 people for 30 days, with three attacks.
    fn default() -> Self {
        Self {
            seed: 1,
            users: 200,
            events: 200 * 120 * 30,
            // 2026-01-01
            from: 1_767_225_600_000_000,
            days: 30,
            duplicates: 0.02,
            attacks: 3,
            formats: Format::USUAL.to_vec(),
            files_of: 64 << 20,
            compression: Compression::None,
            threads: 1,
            force: false,
        }
    }
}

/// A log that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Unified audit log, as the Management Activity API delivers it.
    Audit,
    /// CloudAppEvents of Defender's streaming export, each with a record of the audit log.
    Cloudapp,
    /// Audit log of Entra ID, as diagnostic settings export it.
    Directory,
    /// AlertEvidence of Defender's streaming export.
    Evidence,
    /// Alerts of network sensors, from Suricata and from Elastic.
    Network,
    /// Risk detections of Entra ID Protection.
    Risk,
    /// Sign-ins of Entra ID: interactive, non-interactive, of service principals.
    Signins,
}

impl Format {
    /// What is written when nobody said.
    pub const USUAL: [Self; 6] = [
        Self::Audit,
        Self::Directory,
        Self::Evidence,
        Self::Network,
        Self::Risk,
        Self::Signins,
    ];

    /// The name on the command line and of files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Cloudapp => "cloudapp",
            Self::Directory => "directory",
            Self::Evidence => "evidence",
            Self::Network => "network",
            Self::Risk => "risk",
            Self::Signins => "signins",
        }
    }

    /// `event.dataset` of its events.
    pub fn dataset(self) -> &'static str {
        match self {
            Self::Audit => "o365.audit",
            Self::Cloudapp => "m365_defender.cloud_app_events",
            Self::Directory => "azure.auditlogs",
            Self::Evidence => "m365_defender.alert_evidence",
            Self::Network => "suricata.eve",
            Self::Risk => "azure.identity_protection",
            Self::Signins => "azure.signinlogs",
        }
    }

    /// How much of all events it has, beside the others that are written.
    fn weight(self) -> u64 {
        match self {
            Self::Audit => 60_000,
            Self::Cloudapp => 20_000,
            Self::Directory => 1_200,
            Self::Evidence => 20,
            Self::Network => 400,
            Self::Risk => 30,
            Self::Signins => 38_000,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// Fast.
    Gzip,
    /// Level 1.
    Zstd,
}

/// Told how far it is.
pub trait Progress: Send + Sync {
    /// How many bytes there will be, about.
    fn total(&self, bytes: u64);
    /// How many of them have been written.
    fn position(&self, bytes: u64);
}

impl Tenant {
    /// The first second, since 1970.
    fn first_second(&self) -> u64 {
        self.from.div_euclid(1_000_000).max(0) as u64
    }

    /// Fails where a setting makes no sense. Names settings as the command line does.
    pub fn check(&self) -> Result<()> {
        let problem = match self {
            _ if !(1..=1_000_000).contains(&self.users) => ("--users", "must be from 1 to 1000000"),
            _ if !(1..=3_660).contains(&self.days) => ("--days", "must be from 1 to 3660"),
            _ if self.events > 1_000_000_000_000 => ("--events", "must be at most 1000000000000"),
            _ if !(0.0..=1.0).contains(&self.duplicates) => {
                ("--duplicates", "must be from 0 to 1; 0.02 is one in fifty")
            }
            _ if self.attacks > 10_000 => ("--attacks", "must be at most 10000"),
            _ if self.attacks > 0 && self.users < 3 => ("--attacks", "needs at least 3 users; raise --users"),
            _ if self.formats.is_empty() => ("--formats", "must name at least one"),
            _ if self.files_of < 64 << 10 => ("--files-of", "must be at least 64KB"),
            // Until the year 2200; what is before 1990 no ingest takes.
            _ if !(631_152_000..7_258_118_400).contains(&self.from.div_euclid(1_000_000)) => {
                ("--from", "must be from 1990 to 2199")
            }
            _ => return Ok(()),
        };
        Err(Error::Setting {
            setting: problem.0.to_owned(),
            problem: problem.1.to_owned(),
        })
    }

    /// The formats, each once, in the order in which an ingest reads their files.
    fn sorted_formats(&self) -> Vec<Format> {
        let mut formats = self.formats.clone();
        formats.sort_unstable();
        formats.dedup();
        formats
    }

    /// Events of each format: the weights, and in all as many as asked for.
    fn shares(&self, formats: &[Format]) -> Vec<u64> {
        let all: u64 = formats.iter().map(|format| format.weight()).sum();
        let (mut weight, mut before) = (0, 0);
        let until = formats.iter().map(|format| {
            weight += format.weight();
            let until = (u128::from(self.events) * u128::from(weight) / u128::from(all)) as u64;
            until - std::mem::replace(&mut before, until)
        });
        until.collect()
    }
}

/// Writes the logs of a tenant below a folder, which is made where there is none.
///
/// Fails on settings that make no sense, where the folder is not empty ([`Tenant::force`]), and
/// where a file cannot be written; ends early with [`Error::Interrupted`] when `stop` is set. What
/// was written by then stays, without `tenant.json`.
pub fn write(tenant: &Tenant, folder: &Path, progress: &dyn Progress, stop: &AtomicBool) -> Result<Summary> {
    tenant.check()?;
    let formats = tenant.sorted_formats();
    let logs = files::prepare(folder, tenant.force)?;
    let organisation = Organisation::new(tenant.seed, tenant.users);
    let (mut attacks, mut planted) = (Vec::new(), Vec::new());
    for number in 0..tenant.attacks {
        let (attack, events) = attack::plant(&organisation, tenant, number);
        attacks.push(attack);
        planted.extend(events);
    }
    let shares = tenant.shares(&formats);
    let audit_events = formats
        .iter()
        .position(|format| *format == Format::Audit)
        .map(|at| shares[at]);
    let mut streams = Vec::new();
    for (format, events) in formats.iter().zip(shares) {
        let mut stream = Stream::new(&organisation, tenant, *format, events);
        if *format == Format::Cloudapp {
            let carried = audit_events.unwrap_or(events).max(events);
            stream = stream.carrying(Stream::new(&organisation, tenant, Format::Audit, carried));
        }
        stream.plant(planted.extract_if(.., |event| event.format == *format));
        streams.push(stream);
    }
    let datasets = files::write(&streams, tenant, &logs, progress, stop)?;
    let sum = |of: fn(&Dataset) -> u64| datasets.iter().map(of).sum();
    let summary = Summary {
        retrohunt_tenant: 1,
        settings: Tenant {
            formats,
            ..tenant.clone()
        },
        domain: organisation.domain.clone(),
        tenant_id: organisation.id.to_string(),
        events: sum(|dataset| dataset.events),
        repeats: sum(|dataset| dataset.repeats),
        bytes: sum(|dataset| dataset.bytes),
        file_bytes: sum(|dataset| dataset.file_bytes),
        files: sum(|dataset| dataset.files),
        datasets,
        attacks,
        approved_applications: organisation.approved.iter().map(|(id, _)| id.to_string()).collect(),
    };
    files::write_summary(&summary, folder)?;
    Ok(summary)
}

impl Summary {
    /// The range of time that the logs cover, as text: first moment, first moment after it.
    pub fn range(&self) -> (String, String) {
        let end = self.settings.from + self.settings.days as i64 * 86_400_000_000;
        (format_instant(self.settings.from), format_instant(end))
    }
}
