//! `retrohunt hunt`

use super::alerts::print::print_alerts;
use super::args::{FolderArgs, LakeArgs, OutputArgs, check_writable, optional_instant};
use super::estimate::{EstimateArgs, HuntEstimate, Means, Took};
use super::hunt_table::summary;
use super::interrupts::Interrupts;
use super::verify::{VerifyArgs, verify_and_print};
use super::{Outcome, explain, output};
use crate::config::{Resources, format_instant};
use crate::detections::{self, Detection};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::{DetectionRun, HuntReport, HuntRequest, RunState, hunt};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Run detections over a past range: what each would have found had it been running
///
/// Without --from and --to the whole lake is hunted. Events count from --from on and
/// before --to; windowed detections are evaluated at every tick from --from to --to. A table
/// on standard error says at the end what each detection read, found and took. Ctrl-C ends
/// the hunt with the alerts of the detections that were done.
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

    /// Evaluate windowed detections tick by tick, as a schedule would: slow, obviously right
    #[arg(long)]
    replay: bool,

    /// Those alerts too for which another one stands, by their detection's suppress
    #[arg(long)]
    suppressed: bool,

    /// Write the first N alerts in order of time, and say how many there are
    #[arg(long, value_name = "N")]
    max_alerts: Option<u64>,

    /// Write what each detection read, found and took, as JSON, to a file
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,

    /// Run nothing: say how each detection would be evaluated and what would be read, with
    /// its plans. As text, or with --format json
    #[arg(long, conflicts_with_all = ["per_window", "max_alerts", "report", "verify"])]
    explain: bool,

    #[command(flatten)]
    verify: VerifyArgs,

    #[command(flatten)]
    estimate: EstimateArgs,

    #[command(flatten)]
    lake: LakeArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: HuntArgs, resources: Resources) -> Result<Outcome> {
    let request = HuntRequest {
        from: optional_instant("--from", args.from.as_deref())?,
        to: optional_instant("--to", args.to.as_deref())?,
        per_window: args.per_window,
        replay: args.replay,
        suppressed: args.suppressed,
    };
    if let (Some(from), Some(to)) = (request.from, request.to)
        && from >= to
    {
        return Err(Error::Setting {
            setting: "--to".into(),
            problem: format!("{} is not after --from {}", format_instant(to), format_instant(from)),
        });
    }
    let (began, started) = (Instant::now(), chrono::Utc::now().timestamp_micros());
    let lake = args.lake.lake()?;
    // Both take their time, and neither needs the other.
    let (engine, chosen) = tokio::join!(Engine::open(&lake, resources), async { args.checked() });
    let ((chosen, means), engine) = (chosen?, engine?);
    say_if_outside(&engine, request);
    if args.explain {
        return explain::explain_and_print(&engine, &chosen, request, &args.output).await;
    }
    let Some(means) = means else {
        let hunted = hunt_and_print(&engine, &chosen, request, args.wanted()).await?;
        engine.abandon();
        return hunted.outcome();
    };
    let (engine, requests) = engine.counting(&lake)?;
    let estimating = Instant::now();
    let estimate = HuntEstimate::of(&engine, &lake, &chosen, request, &means).await?;
    let estimating = estimating.elapsed();
    if args.estimate.dry_run {
        estimate.print(&args.output)?;
        return args.estimate.check(&estimate).map(|()| Outcome::Done);
    }
    args.estimate.check(&estimate)?;
    let hunted = hunt_and_print(&engine, &chosen, request, args.wanted()).await?;
    let took = Took {
        started,
        seconds: (began.elapsed() - estimating).as_secs_f64(),
        requests: requests.made(),
        means: &means,
    };
    estimate.close(&lake, &hunted, request, took).await;
    engine.abandon();
    hunted.outcome()
}

impl HuntArgs {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            output: &self.output,
            most: self.max_alerts,
            report: self.report.as_deref(),
            verify: self.verify,
        }
    }
}
impl HuntArgs {
    /// The detections that are hunted and what is estimated from, if that is wanted, once all
    /// that is asked for is known to be possible.
    fn checked(&self) -> Result<(Vec<Detection>, Option<Means>)> {
        let (known, faults) = self.folder.load()?;
        let chosen = detections::choose(known, &faults, &self.ids)?;
        self.output.check()?;
        let text_only = [("--explain", self.explain), ("--dry-run", self.estimate.dry_run)];
        if let Some((what, _)) = text_only.into_iter().find(|(_, is_asked)| *is_asked) {
            explain::check(&self.output, what)?;
        }
        let means = self.estimate.is_wanted().then(|| self.estimate.means()).transpose()?;
        if let Some(path) = &self.report {
            check_writable(path)?;
        }
        Ok((chosen, means))
    }
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

/// What is written, and where to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) output: &'a OutputArgs,
    /// At most so many alerts.
    pub(crate) most: Option<u64>,
    /// A file for [`Hunted`].
    pub(crate) report: Option<&'a Path>,
    pub(crate) verify: VerifyArgs,
}

/// A hunt that is over, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Hunted {
    /// Alerts found.
    alerts: u64,
    /// Alerts written.
    alerts_shown: u64,
    /// Ctrl-C ended it: detections were not run, or alerts not written.
    interrupted: bool,
    /// Bytes read once for several detections.
    common_bytes: u64,
    detections: Vec<DetectionRun>,
}

/// Hunts, writes the alerts, and says what was read, found and took. Ctrl-C ends the hunt,
/// and what the detections before it found is written; then, or with one more, it ends that.
pub(crate) async fn hunt_and_print(
    engine: &Engine,
    chosen: &[Detection],
    request: HuntRequest,
    wanted: Wanted<'_>,
) -> Result<Hunted> {
    let interrupts = Interrupts::watch();
    let spinner = output::spinner("hunting");
    let chosen: Vec<&Detection> = chosen.iter().collect();
    let report = hunt(engine, &chosen, request, interrupts.stop(), |together| {
        spinner.set_message(match together {
            [detection] => format!("hunting {}", detection.id()),
            together => format!("hunting with {} detections", together.len()),
        });
    })
    .await;
    spinner.finish_and_clear();
    let HuntReport {
        alerts,
        runs,
        common_bytes,
        interrupted,
    } = report?;
    if interrupted {
        let done = runs.iter().filter(|run| run.state != RunState::NotRun).count();
        output::note(format_args!(
            "interrupted: partial result, the alerts of {done} of {} detections follow",
            chosen.len()
        ));
    }
    let done: Vec<&Detection> = (chosen.iter().zip(&runs))
        .filter_map(|(detection, run)| (run.state == RunState::Done).then_some(*detection))
        .collect();
    let total = alerts.total();
    let printed = print_alerts(alerts, wanted.output, wanted.most, &interrupts).await?;
    output::note(summary(total, &runs, common_bytes));
    let hunted = Hunted {
        alerts: total,
        alerts_shown: printed.shown,
        interrupted: interrupted || printed.interrupted,
        common_bytes,
        detections: runs,
    };
    if let Some(path) = wanted.report {
        let text = serde_json::to_string(&hunted).map_err(|error| Error::Internal(error.to_string()))?;
        std::fs::write(path, text + "\n").map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?;
    }
    if !hunted.interrupted {
        verify_and_print(engine, &done, request, wanted.verify, &interrupts).await?;
    }
    Ok(hunted)
}

impl Hunted {
    /// One per detection.
    pub(crate) fn detections(&self) -> &[DetectionRun] {
        &self.detections
    }

    /// Of data files, what was read once for several detections among them.
    pub(crate) fn bytes_read(&self) -> u64 {
        let own = self.detections.iter().map(|run| run.read.bytes_read);
        own.sum::<u64>() + self.common_bytes
    }

    /// An error when a detection failed or was not run, as its alerts are missing, or when
    /// alerts were not written.
    pub(crate) fn outcome(&self) -> Result<Outcome> {
        let failed = self.detections.iter().filter(|run| run.state == RunState::Failed);
        let failed: Vec<&str> = failed.map(|run| run.detection.as_str()).collect();
        match failed.as_slice() {
            _ if self.interrupted => Err(Error::Interrupted),
            [] => Ok(Outcome::Done),
            failed => Err(Error::Detection(format!(
                "{} failed; their alerts are missing",
                failed.join(", ")
            ))),
        }
    }
}
