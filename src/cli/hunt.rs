//! `retrohunt hunt`

use super::alerts::print_alerts;
use super::args::{FolderArgs, LakeArgs, OutputArgs};
use super::{Outcome, output};
use crate::config::{self, Resources, format_instant};
use crate::detections::{self, Detection};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::{DetectionRun, HuntReport, HuntRequest, hunt};
use crate::report::human::{count, counted};
use clap::Args;
use std::fmt::Write as _;

/// Run detections over a past range: what each would have found had it been running
///
/// Without --from and --to the whole lake is hunted. Events count from --from on and
/// before --to; windowed detections are evaluated at every tick from --from to --to.
#[derive(Debug, Args)]
pub(crate) struct HuntArgs {
    /// Ids of detections (default: all that are enabled)
    #[arg(value_name = "DETECTION")]
    ids: Vec<String>,

    /// Start: 2026-03-01, 2026-03-01T08:00:00Z, or how long ago, such as 14d
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// End, in the same forms
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    #[command(flatten)]
    folder: FolderArgs,

    /// Each window an alert of its own, instead of one alert for consecutive windows
    #[arg(long)]
    per_window: bool,

    /// Evaluate every tick, also those whose windows hold nothing to find
    #[arg(long)]
    replay: bool,

    #[command(flatten)]
    lake: LakeArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: HuntArgs, resources: Resources) -> Result<Outcome> {
    let request = HuntRequest {
        from: instant("--from", args.from.as_deref())?,
        to: instant("--to", args.to.as_deref())?,
        per_window: args.per_window,
        replay: args.replay,
    };
    if let (Some(from), Some(to)) = (request.from, request.to)
        && from >= to
    {
        return Err(Error::Setting {
            setting: "--to".into(),
            problem: format!("{} is not after --from {}", format_instant(to), format_instant(from)),
        });
    }
    let (known, faults) = args.folder.load()?;
    let chosen = detections::choose(known, &faults, &args.ids)?;
    args.output.check()?;
    let engine = Engine::open(&args.lake.lake()?, resources).await?;
    say_if_outside(&engine, request);
    let report = hunt_watched(&engine, &chosen, request).await?;
    print_alerts(&report.alerts, &args.output)?;
    output::note(summary(&report));
    outcome(&report)
}

/// No alerts mean little where there are no events.
fn say_if_outside(engine: &Engine, request: HuntRequest) {
    let Some(extent) = engine.extent() else {
        output::note("note: the lake holds no events");
        return;
    };
    let before = request.to.is_some_and(|to| to <= extent.first);
    let after = request.from.is_some_and(|from| from > extent.last);
    if before || after {
        output::note(format_args!(
            "note: the lake holds events from {} to {}, none of them in the range",
            format_instant(extent.first),
            format_instant(extent.last - extent.last.rem_euclid(1000))
        ));
    }
}

/// Hunts with a spinner; Ctrl-C ends it, and what the detections before it found stays.
pub(crate) async fn hunt_watched(engine: &Engine, chosen: &[Detection], request: HuntRequest) -> Result<HuntReport> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            // Nobody listens any more when the hunt is already done.
            let _ = stop.send(true);
        }
        // Kept open: a closed channel would look like a wish to stop.
        std::future::pending::<()>().await;
    });
    let spinner = output::spinner("hunting");
    let chosen: Vec<&Detection> = chosen.iter().collect();
    let report = hunt(engine, &chosen, request, stopped, |detection| {
        spinner.set_message(format!("hunting {}", detection.id()));
    })
    .await;
    spinner.finish_and_clear();
    interrupt.abort();
    let report = report?;
    if report.interrupted {
        let done = report.runs.len();
        output::note(format_args!(
            "interrupted: partial result, the alerts of {done} of {} detections follow",
            chosen.len()
        ));
    }
    Ok(report)
}

/// An error when a detection failed or was not run: its alerts are missing.
pub(crate) fn outcome(report: &HuntReport) -> Result<Outcome> {
    let failed: Vec<&str> = report
        .runs
        .iter()
        .filter(|run| run.error.is_some())
        .map(|run| run.detection.as_str())
        .collect();
    match failed.as_slice() {
        _ if report.interrupted => Err(Error::Interrupted),
        [] => Ok(Outcome::Done),
        failed => Err(Error::Detection(format!(
            "{} failed; their alerts are missing",
            failed.join(", ")
        ))),
    }
}

fn instant(setting: &str, text: Option<&str>) -> Result<Option<i64>> {
    let now = chrono::Utc::now().timestamp_micros();
    let parse = |text| config::parse_instant(text, now);
    text.map(parse).transpose().map_err(|problem| Error::Setting {
        setting: setting.into(),
        problem,
    })
}

/// A line per detection: what it found and how long it took.
pub(crate) fn summary(report: &HuntReport) -> String {
    let mut text = String::new();
    let line = |text: &mut String, run: &DetectionRun| match &run.error {
        Some(error) => writeln!(
            text,
            "  {:<28} failed: {}",
            run.detection,
            error.replace('\n', "\n    ")
        ),
        None => {
            let ticks = match (run.ticks, run.ticks_evaluated) {
                (Some(all), Some(done)) if done < all => {
                    format!(
                        ", {} ticks, {} of them with something to look at",
                        count(all),
                        count(done)
                    )
                }
                (Some(all), _) => format!(", {} ticks", count(all)),
                _ => String::new(),
            };
            let alerts = counted(run.alerts, "alert", "alerts");
            writeln!(text, "  {:<28} {alerts} in {:.1} s{ticks}", run.detection, run.seconds)
        }
    };
    let _ = writeln!(text, "{}", counted(report.alerts.len() as u64, "alert", "alerts"));
    for run in &report.runs {
        let _ = line(&mut text, run);
        if !run.raw_fields.is_empty() {
            let _ = writeln!(text, "    reads from the record's text: {}", run.raw_fields.join(", "));
        }
    }
    text.trim_end().to_owned()
}
