//! `retrohunt lake info`

use super::LakeArgs;
use crate::cli::{Outcome, output};
use crate::config::format_instant;
use crate::custody::{Holdings, holdings};
use crate::error::{Error, Result};
use crate::report::human::{bytes, count};
use clap::{Args, ValueEnum};
use std::fmt::Write as _;

/// What there is: tables with their files, datasets with their first and last event
#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// How to print it
    #[arg(long, value_enum, default_value_t = InfoFormat::Table)]
    format: InfoFormat,
}

/// Forms of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InfoFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

pub(super) async fn run(args: InfoArgs) -> Result<Outcome> {
    let holdings = holdings(&args.lake.lake()?).await?;
    let text = match args.format {
        InfoFormat::Json => {
            serde_json::to_string(&holdings).map_err(|error| Error::Internal(error.to_string()))? + "\n"
        }
        InfoFormat::Table => shown(&holdings),
    };
    output::data(&text)?;
    Ok(Outcome::Done)
}

fn shown(holdings: &Holdings) -> String {
    let mut text = format!("{}\n\n", holdings.url);
    let _ = writeln!(
        text,
        "  {:<32} {:>8} {:>8} {:>10} {:>14}",
        "table", "version", "files", "size", "rows"
    );
    for table in &holdings.tables {
        let (files, size, rows) = (count(table.files), bytes(table.bytes), count(table.rows));
        let _ = writeln!(
            text,
            "  {:<32} {:>8} {files:>8} {size:>10} {rows:>14}",
            table.name, table.version
        );
    }
    if !holdings.datasets.is_empty() {
        let _ = writeln!(
            text,
            "\n  {:<32} {:>8} {:>8} {:>10} {:>14}  first and last event",
            "dataset", "days", "files", "size", "events"
        );
    }
    for dataset in &holdings.datasets {
        let (files, size, rows) = (count(dataset.files), bytes(dataset.bytes), count(dataset.events));
        let _ = write!(
            text,
            "  {:<32} {:>8} {files:>8} {size:>10} {rows:>14}",
            dataset.dataset,
            count(dataset.days)
        );
        if let (Some(first), Some(last)) = (dataset.first, dataset.last) {
            let _ = write!(text, "  {}  {}", format_instant(first), format_instant(last));
        }
        text.push('\n');
    }
    text
}
