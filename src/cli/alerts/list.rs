//! `retrohunt alerts list`

use super::print::print_revisions;
use crate::alerts::recorded::{AlertFilter, current, every};
use crate::alerts::{Change, Origin};
use crate::cli::args::{LakeArgs, OutputArgs, optional_instant};
use crate::cli::interrupts::Interrupts;
use crate::cli::{Outcome, output};
use crate::config::{Resources, format_instant};
use crate::detections::Severity;
use crate::engine::Engine;
use crate::error::{Error, Result};
use clap::Args;

/// Alerts as they are now, in order of time
///
/// Those for which another alert stands, and those that late events have shown to be nothing,
/// are left out unless asked for. JSON lines are the stable form: that of `retrohunt hunt`,
/// and title, risk_score, attack, revision, change, recorded, late_by, suppressed_by, origin.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Alerts of this time and later: 2026-03-01, 2026-03-01T08:00:00Z, or how long ago, such as
    /// 14d
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Alerts before this time, in the same forms
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Of this detection; may be given several times
    #[arg(long, value_name = "ID")]
    detection: Vec<String>,

    /// Of this severity and worse: informational, low, medium, high or critical
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    severity: Option<Severity>,

    /// What the last revision is to the one before: new, grown, revised or withdrawn; may be
    /// given several times
    #[arg(long, value_name = "CHANGE", value_parser = change)]
    change: Vec<Change>,

    /// Found by a schedule, or promoted from a hunt
    #[arg(long, value_name = "schedule|hunt", value_parser = origin)]
    origin: Option<Origin>,

    /// Those too for which another alert stands
    #[arg(long)]
    suppressed: bool,

    /// Those too of which late events have shown that there is nothing
    #[arg(long)]
    withdrawn: bool,

    /// Every revision that is as asked for, not the last of each alert alone
    #[arg(long)]
    all_revisions: bool,

    /// Write the first N in order of time, and say if there are more
    #[arg(long, value_name = "N")]
    max_alerts: Option<u64>,

    #[command(flatten)]
    lake: LakeArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: ListArgs, resources: Resources) -> Result<Outcome> {
    let filter = AlertFilter {
        from: optional_instant("--from", args.from.as_deref())?,
        to: optional_instant("--to", args.to.as_deref())?,
        detections: args.detection,
        severity: args.severity,
        // Who asks for withdrawn ones by that name wants to see them.
        withdrawn: args.withdrawn || args.all_revisions || args.change.contains(&Change::Withdrawn),
        changes: args.change,
        origin: args.origin,
        suppressed: args.suppressed,
        id_prefix: None,
    };
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && from >= to
    {
        return Err(Error::Setting {
            setting: "--to".into(),
            problem: format!("{} is not after --from {}", format_instant(to), format_instant(from)),
        });
    }
    let lake = args.lake.lake()?;
    args.output.check()?;
    let engine = Engine::open(&lake, resources).await?;
    let interrupts = Interrupts::watch();
    let spinner = output::spinner("reading the alerts");
    let alerts = match args.all_revisions {
        true => every(&engine, &filter).await,
        false => current(&engine, &filter).await,
    };
    spinner.finish_and_clear();
    let printed = print_revisions(alerts?, &args.output, args.max_alerts, &interrupts).await?;
    engine.abandon();
    match printed.interrupted {
        true => Err(Error::Interrupted),
        false => Ok(Outcome::Done),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|known| known.as_str() == text);
    found.ok_or_else(|| "write informational, low, medium, high or critical".to_owned())
}

fn change(text: &str) -> Result<Change, String> {
    let found = Change::ALL.into_iter().find(|known| known.as_str() == text);
    found.ok_or_else(|| "write new, grown, revised or withdrawn".to_owned())
}

fn origin(text: &str) -> Result<Origin, String> {
    let found = [Origin::Schedule, Origin::Hunt];
    let found = found.into_iter().find(|known| known.as_str() == text);
    found.ok_or_else(|| "write schedule or hunt".to_owned())
}
