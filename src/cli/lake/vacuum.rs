//! `retrohunt lake vacuum`

use super::LakeArgs;
use crate::cli::{Outcome, output};
use crate::detections::parse_duration;
use crate::error::{Error, Result};
use crate::lake::{LakeTable, TableName, Vacuumed};
use crate::report::human::{bytes, counted};
use clap::Args;
use std::collections::BTreeMap;
use std::time::Duration;

/// Files younger than this may be those of an ingest that is still running.
const SAFE: Duration = Duration::from_secs(3600);

const DAY: i64 = 86_400_000;

/// Delete files that nothing needs any more, and events that are no longer to be kept
///
/// Files are needed as long as they are part of a table. Those that were merged, and those that
/// an interrupted ingest left, are deleted after a week, when nobody reads them any more.
#[derive(Debug, Args)]
pub(crate) struct VacuumArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// How long ago a file must have been left
    #[arg(long, value_name = "AGE", default_value = "7d", value_parser = parse_duration)]
    older_than: Duration,

    /// How long events are kept: of one dataset, or of all others, such as o365.audit=400d or
    /// 90d. Whole days that ended before are taken out of the lake at once, and their bytes
    /// deleted when they are older than --older-than
    #[arg(long, value_name = "[DATASET=]AGE", value_parser = retention)]
    retain: Vec<(Option<String>, Duration)>,

    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,

    /// Allow --older-than to be less than an hour: only when no ingest and no hunt is running
    #[arg(long)]
    force: bool,
}

fn retention(text: &str) -> Result<(Option<String>, Duration), String> {
    let (dataset, age) = match text.rsplit_once('=') {
        Some((dataset, age)) => (Some(dataset.to_owned()), age),
        None => (None, text),
    };
    let age = parse_duration(age)?;
    if age < Duration::from_secs(86_400) {
        return Err("days are the smallest unit that is kept: write 1d or more".into());
    }
    Ok((dataset, age))
}

/// Refuses a dataset of which there are no events, and were none that are no longer kept: with a
/// name that is mistyped, events would be kept for ever.
async fn has_datasets(table: &LakeTable, retain: &[(Option<String>, Duration)]) -> Result<()> {
    let known = table.datasets()?;
    for dataset in retain.iter().filter_map(|(dataset, _)| dataset.as_deref()) {
        if !known.contains(dataset) && table.first_kept(dataset).await?.is_none() {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(Error::Setting {
                setting: format!("--retain {dataset}"),
                problem: format!("the lake has no events of it; it has {}", known.join(", ")),
            });
        }
    }
    Ok(())
}

pub(super) async fn run(args: VacuumArgs) -> Result<Outcome> {
    let lake = args.lake.lake()?;
    if args.older_than < SAFE && !args.force {
        return Err(Error::Setting {
            setting: "--older-than".into(),
            problem: "less than an hour could delete what a running ingest has written and a running hunt reads; \
                      --force does it all the same"
                .into(),
        });
    }
    let now = chrono::Utc::now().timestamp_millis();
    let cutoff = now - i64::try_from(args.older_than.as_millis()).unwrap_or(i64::MAX);
    let (would, be) = match args.dry_run {
        true => ("would be ", "would be "),
        false => ("", "were "),
    };
    let first_kept = |dataset: &str| {
        let named = args
            .retain
            .iter()
            .rev()
            .find(|(name, _)| name.as_deref() == Some(dataset));
        let all = || args.retain.iter().rev().find(|(name, _)| name.is_none());
        let (_, age) = named.or_else(all)?;
        let first = (now - i64::try_from(age.as_millis()).ok()?).div_euclid(DAY);
        i32::try_from(first).ok()
    };
    let mut total = Vacuumed::default();
    for name in TableName::ALL {
        let Some(mut table) = lake.table_if_exists(name).await? else {
            if name == TableName::Events {
                return Err(Error::NoLake { url: lake.display() });
            }
            continue;
        };
        if name == TableName::Events && !args.retain.is_empty() {
            has_datasets(&table, &args.retain).await?;
            let expired: BTreeMap<String, Vacuumed> =
                table.expire(&first_kept, args.dry_run).await?.into_iter().collect();
            for (dataset, gone) in &expired {
                let day =
                    first_kept(dataset).and_then(|day| chrono::DateTime::from_timestamp_millis(i64::from(day) * DAY));
                output::data(&format!(
                    "{dataset}: events before {} {be}taken out: {} of {}\n",
                    day.unwrap_or_default().format("%Y-%m-%d"),
                    counted(gone.files, "file", "files"),
                    bytes(gone.bytes)
                ))?;
            }
            if expired.is_empty() {
                output::data("no events are older than they are to be kept\n")?;
            }
        }
        let vacuumed = table.vacuum(cutoff, args.dry_run).await?;
        total.files += vacuumed.files;
        total.bytes += vacuumed.bytes;
    }
    output::data(&format!(
        "{}deleted: {} of {}\n",
        would,
        counted(total.files, "file", "files"),
        bytes(total.bytes)
    ))?;
    Ok(Outcome::Done)
}
