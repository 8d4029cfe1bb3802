//! `retrohunt generate`

use super::ingest::SummaryFormat;
use super::{Outcome, output};
use crate::config::{self, Resources};
use crate::error::{Error, Result};
use crate::generate::{self, Compression, Format, Progress, Summary, Tenant};
use crate::report::human::{bytes, count, counted};
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Write the logs of an invented tenant, for tests and benchmarks
///
/// People with devices, addresses and time zones work by the day and the week; records are
/// like Microsoft's in keys, forms and sizes; some are delivered twice; attacks are planted
/// that every built-in detection finds. The same arguments give the same bytes, whatever
/// the number of threads. Logs go to FOLDER/logs, and what they hold, attacks and all,
/// to FOLDER/tenant.json, which an ingest of FOLDER skips.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  retrohunt generate tenant
  retrohunt generate tenant --users 2000 --days 90 --seed 7 --compress zstd
  retrohunt generate tenant --events 1000000 --formats audit --attacks 0
  retrohunt ingest tenant --lake lake && retrohunt hunt --lake lake")]
pub(crate) struct GenerateArgs {
    /// Where to write; made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// People with an account
    #[arg(long, value_name = "N", default_value_t = 200)]
    users: u64,

    /// Events of a user on an average day, all formats together
    #[arg(long, value_name = "N", default_value_t = 120.0)]
    events_per_user_day: f64,

    /// Events in all, in place of what users, their rate and days give
    #[arg(long, value_name = "N", conflicts_with = "events_per_user_day")]
    events: Option<u64>,

    /// The first moment: a date or a time
    #[arg(long, value_name = "TIME", default_value = "2026-01-01")]
    from: String,

    /// How many days
    #[arg(long, value_name = "N", default_value_t = 30)]
    days: u64,

    /// What all that is random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Records delivered again, per event: from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    duplicates: f64,

    /// Attacks to plant
    #[arg(long, value_name = "N", default_value_t = 3)]
    attacks: u64,

    /// Size of a file, before compression
    #[arg(long, value_name = "SIZE", default_value = "64MB", value_parser = config::parse_bytes)]
    files_of: u64,

    /// Which logs to write, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Format::USUAL)]
    formats: Vec<Format>,

    /// How to compress files
    #[arg(long, value_enum, default_value_t = Compression::None)]
    compress: Compression,

    /// Write although FOLDER is not empty, in the place of logs generated there before
    #[arg(long)]
    force: bool,

    /// How to print what was written
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

impl GenerateArgs {
    fn tenant(&self, resources: Resources) -> Result<Tenant> {
        let setting = |setting: &str, problem: String| Error::Setting {
            setting: setting.into(),
            problem,
        };
        let rate = self.events_per_user_day;
        if !(0.0..=1e6).contains(&rate) {
            return Err(setting("--events-per-user-day", "must be from 0 to 1000000".into()));
        }
        // A time that depends on when the command runs would give other bytes each time.
        let from = config::parse_instant(&self.from, 0).map_err(|problem| setting("--from", problem))?;
        let average = self.users as f64 * self.days as f64 * rate;
        Ok(Tenant {
            seed: self.seed,
            users: self.users,
            events: self.events.unwrap_or(average.round() as u64),
            from,
            days: self.days,
            duplicates: self.duplicates,
            attacks: self.attacks,
            formats: self.formats.clone(),
            files_of: self.files_of,
            compression: self.compress,
            threads: resources.threads,
            force: self.force,
        })
    }
}

impl Progress for output::BytesBar {
    fn total(&self, bytes: u64) {
        crate::ingest::Progress::total(self, bytes);
    }

    fn position(&self, bytes: u64) {
        crate::ingest::Progress::position(self, bytes);
    }
}

pub(crate) async fn run(args: GenerateArgs, resources: Resources) -> Result<Outcome> {
    let tenant = args.tenant(resources)?;
    let bar = Arc::new(output::BytesBar::new("generating"));
    let stop = Arc::new(AtomicBool::new(false));
    let interrupted = Arc::clone(&stop);
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, Ordering::Relaxed);
        }
    });
    let started = Instant::now();
    let (folder, shown) = (args.folder.clone(), Arc::clone(&bar));
    let written = tokio::task::spawn_blocking(move || generate::write(&tenant, &folder, &*shown, &stop)).await;
    watch.abort();
    bar.finish();
    let summary = written.map_err(|error| Error::Internal(format!("generating ended: {error}")))??;
    let text = match args.format {
        SummaryFormat::Json => {
            serde_json::to_string(&summary).map_err(|error| Error::Internal(error.to_string()))? + "\n"
        }
        SummaryFormat::Table => for_people(&summary, &args.folder, started.elapsed().as_secs_f64()),
    };
    output::data(&text)?;
    Ok(Outcome::Done)
}

/// What was written, for people.
fn for_people(summary: &Summary, folder: &Path, seconds: f64) -> String {
    let folder = folder.display().to_string();
    let (from, to) = summary.range();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}, {} in {} in {folder}/logs in {seconds:.1} s ({:.0} MB/s)",
        counted(summary.events, "event", "events"),
        bytes(summary.bytes),
        counted(summary.files, "file", "files"),
        summary.bytes as f64 / 1e6 / seconds.max(0.001)
    );
    let _ = writeln!(
        text,
        "{} of {}, from {from} to {to}",
        counted(summary.settings.users, "user", "users"),
        summary.domain
    );
    for dataset in &summary.datasets {
        let _ = writeln!(
            text,
            "  {:>12} {}, {} in {}",
            count(dataset.events),
            dataset.dataset,
            bytes(dataset.bytes),
            counted(dataset.files, "file", "files")
        );
    }
    let _ = writeln!(text, "  {:>12} repeats of these", count(summary.repeats));
    if summary.file_bytes != summary.bytes {
        let _ = writeln!(text, "files take {}", bytes(summary.file_bytes));
    }
    for attack in &summary.attacks {
        let _ = writeln!(
            text,
            "attack on {} from {} through {:?} ({})\n  {} to {}",
            attack.user, attack.address, attack.application, attack.application_id, attack.from, attack.to
        );
    }
    let argument = output::as_argument(&folder);
    let _ = writeln!(
        text,
        "all of this is in {folder}/tenant.json; store it: retrohunt ingest {argument} --lake LAKE"
    );
    text
}
