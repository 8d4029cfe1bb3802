//! `retrohunt lake check`

use super::LakeArgs;
use crate::cli::{Outcome, output};
use crate::config::Resources;
use crate::custody::{CheckRequest, Checked, Finding, check};
use crate::error::{Error, Result};
use crate::report::human::{bytes, counted};
use clap::Args;
use std::fmt::Write as _;
use std::sync::Arc;

/// Whether the lake is whole: reads all of it, and the files that it was made of
///
/// Files are there and hold what the logs say; every event is there once, on its day, and its
/// record is the one that was stored; the ledger's counts add up to what is there; the source
/// files that can still be reached have the hash that they had. The exit code is 1 if anything
/// is wrong.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// Read no events: only look whether the files are there
    #[arg(long)]
    quick: bool,

    /// Do not read the source files
    #[arg(long)]
    skip_sources: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: CheckArgs, resources: Resources) -> Result<Outcome> {
    let lake = args.lake.lake()?;
    let request = CheckRequest {
        quick: args.quick,
        sources: !args.skip_sources,
        threads: resources.threads,
    };
    let bar = Arc::new(output::BytesBar::new("checking"));
    let checked = check(&lake, request, Arc::clone(&bar) as _).await;
    bar.finish();
    let checked = checked?;
    let text = match args.json {
        true => serde_json::to_string(&checked).map_err(|error| Error::Internal(error.to_string()))? + "\n",
        false => shown(&checked, &args),
    };
    output::data(&text)?;
    Ok(match checked.problems.is_empty() {
        true => Outcome::Done,
        false => Outcome::Failed,
    })
}

fn shown(checked: &Checked, args: &CheckArgs) -> String {
    let mut text = String::new();
    let mut list = |findings: &[Finding], kind: &str| {
        for finding in findings {
            let _ = writeln!(text, "{kind}: {}: {}", finding.place, finding.text);
        }
    };
    list(&checked.problems, "wrong");
    list(&checked.notes, "note");
    let files = counted(checked.files, "file", "files");
    let _ = write!(text, "{files} of {} are looked at", bytes(checked.bytes));
    if !args.quick {
        let _ = write!(text, ", {} read", counted(checked.events, "event", "events"));
    }
    if !args.skip_sources {
        let sources = counted(checked.sources, "source file has", "source files have");
        let _ = write!(text, "; {sources} the hash of the ledger");
        if checked.sources_unreachable > 0 {
            let _ = write!(text, ", {} cannot be reached", checked.sources_unreachable);
        }
    }
    let _ = match checked.problems.len() as u64 {
        0 => writeln!(text, ".\nThe lake is whole."),
        count => writeln!(text, ".\n{}.", counted(count, "thing is wrong", "things are wrong")),
    };
    text
}
