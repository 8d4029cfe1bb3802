//! `retrohunt lake compact`

use super::LakeArgs;
use crate::cli::{Outcome, output};
use crate::config::{self, Resources};
use crate::error::{Error, Result};
use crate::lake::{Compacted, TableName};
use crate::report::human::{bytes, count, counted};
use clap::Args;

/// Merge small files into large ones, which makes hunts faster; readers and writers go on
///
/// The rows, their order and what is found in them stay the same. The bytes of the small files
/// stay as well until `lake vacuum`, for those who still read them.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// Bytes that a file is to have
    #[arg(long, value_name = "SIZE", default_value = "128MB", value_parser = config::parse_bytes)]
    target: u64,

    /// Print one JSON object: what was merged, by table
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: CompactArgs, resources: Resources) -> Result<Outcome> {
    let lake = args.lake.lake()?;
    // A merged file is in memory until it is written, and as many at once as there are threads.
    let target = args.target.min(resources.memory_limit / (4 * resources.threads as u64));
    let mut found = serde_json::Map::new();
    for name in TableName::ALL {
        let Some(mut table) = lake.table_if_exists(name).await? else {
            if name == TableName::Events {
                return Err(Error::NoLake { url: lake.display() });
            }
            continue;
        };
        let bar = output::spinner(format!("compacting {}", name.as_str()));
        let done = |files| {
            bar.set_message(format!(
                "compacting {}: {} merged",
                name.as_str(),
                counted(files, "file", "files")
            ))
        };
        let compacted = table.compact(target, resources.threads, &done).await;
        bar.finish_and_clear();
        let compacted = compacted?;
        if args.json {
            let value = serde_json::to_value(compacted).map_err(|error| Error::Internal(error.to_string()))?;
            found.insert(name.as_str().to_owned(), value);
        } else {
            output::data(&shown(name, compacted))?;
        }
    }
    if args.json {
        output::data(&format!("{}\n", serde_json::Value::Object(found)))?;
    }
    Ok(Outcome::Done)
}

fn shown(name: TableName, compacted: Compacted) -> String {
    let Compacted {
        files,
        bytes: before,
        into_files,
        into_bytes,
        rows,
    } = compacted;
    match files {
        0 => format!("{}: nothing to merge\n", name.as_str()),
        _ => format!(
            "{}: {} of {} became {} of {}, with {} rows\n",
            name.as_str(),
            counted(files, "file", "files"),
            bytes(before),
            count(into_files),
            bytes(into_bytes),
            count(rows)
        ),
    }
}
