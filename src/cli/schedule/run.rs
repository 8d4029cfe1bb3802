//! `retrohunt schedule`: runs until it is told to stop.

use super::PlanArgs;
use super::planned::{lake, plan};
use super::watch::Watch;
use crate::cli::{Outcome, output};
use crate::config::{Resources, parse_instant};
use crate::detections::Rhythm;
use crate::error::{Error, Result};
use crate::report::human::counted;
use crate::schedule::metrics::Metrics;
use crate::schedule::server::{Health, StatusServer};
use crate::schedule::settings::{LogFormat, Settings};
use crate::schedule::{Ended, Outbox, Plan, Scheduler, Target, log};
use crate::sinks;
use clap::Args;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// The command without a subcommand.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Do what is due and end: for cron, a timer, a CronJob
    #[arg(long)]
    once: bool,

    /// The clock goes no further than this, and the schedule ends there: a time, as in hunt --to
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    #[command(flatten)]
    plan: PlanArgs,
}

/// A schedule is taken for stalled after so many of its shortest intervals without progress, and
/// after no less than this.
const PATIENT_INTERVALS: u32 = 3;
const LEAST_PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn run(args: RunArgs, resources: Resources) -> Result<Outcome> {
    let settings = args.plan.settings()?;
    let until = until(args.until.as_deref())?;
    let plan = Plan {
        once: args.once,
        until,
        ..plan(&settings)?
    };
    let lake = lake(&settings)?;
    let targets = targets(&settings)?;
    let directives = std::env::var(log::VARIABLE).ok();
    let colours = std::io::stderr().is_terminal();
    log::start(
        settings.log_format,
        &settings.log_level,
        directives.as_deref(),
        colours,
        std::io::stderr,
    )?;
    let metrics = Arc::new(Metrics::new());
    let health = Arc::new(Health::new(patience(&plan)));
    // Who is asked once has nobody to answer.
    let _server = match settings.listen.filter(|_| !args.once) {
        Some(address) => {
            let server = StatusServer::start(address, Arc::clone(&metrics), Arc::clone(&health))?;
            tracing::info!(address = %server.address(), "serves /healthz, /readyz and /metrics");
            Some(server)
        }
        None => None,
    };
    let outbox = Outbox::new(&lake, targets, &metrics);
    let mut told = Watch {
        metrics,
        health: Arc::clone(&health),
        holder: None,
        counted: None,
    };
    let scheduler = Scheduler::open(&lake, plan, resources, outbox, &mut told).await?;
    tracing::info!(lake = lake.display(), scheduler = scheduler.holder(), "schedule begins");
    let ended = scheduler.run(stop(health)).await?;
    match settings.log_format {
        LogFormat::Text => said(&ended),
        LogFormat::Json => logged(&ended),
    }
    Ok(match ended.given_up.is_empty() {
        true => Outcome::Done,
        false => Outcome::Incomplete,
    })
}

fn until(text: Option<&str>) -> Result<Option<i64>> {
    let now = chrono::Utc::now().timestamp_micros();
    let parsed = text.map(|text| parse_instant(text, now)).transpose();
    parsed.map_err(|problem| Error::Setting {
        setting: "--until".into(),
        problem,
    })
}

fn targets(settings: &Settings) -> Result<Vec<Target>> {
    let stdout: sinks::Output = Arc::new(Mutex::new(std::io::stdout()));
    let sinks = settings.sinks.iter().map(|(name, table)| {
        let settings = sinks::Settings::read(name, table)?;
        Ok(Target {
            sink: settings.open(&stdout)?,
            policy: settings.policy,
        })
    });
    sinks.collect()
}

/// How long nothing may happen.
fn patience(plan: &Plan) -> Duration {
    let rhythms = plan.detections.iter().map(|planned| &planned.detection.header.rhythm);
    let intervals = rhythms.map(Rhythm::longest_gap);
    let shortest = intervals.min().unwrap_or_default().saturating_mul(PATIENT_INTERVALS);
    let longest = plan
        .detections
        .iter()
        .map(|planned| planned.timeout)
        .max()
        .unwrap_or_default();
    shortest.min(Duration::from_secs(3600)).max(LEAST_PATIENCE) + longest
}

/// Counts how often the program was told to stop: by Ctrl-C, or by who runs it.
fn stop(health: Arc<Health>) -> watch::Receiver<u32> {
    let (sender, times) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            told_to_stop().await;
            health.stopping();
            tracing::info!("told to stop: ends what is under way");
            sender.send_modify(|times| *times += 1);
            if *sender.borrow() > 1 {
                // Whoever says it twice means now.
                std::process::exit(1);
            }
        }
    });
    times
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                Ok(()) = tokio::signal::ctrl_c() => {}
                else => std::future::pending().await,
            }
        }
        Err(_) => ctrl_c().await,
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    ctrl_c().await;
}

/// Where signals cannot be watched, Ctrl-C ends the program as it always does.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// [`said`], for a log of which every line is an object.
fn logged(ended: &Ended) {
    if let Some(other) = &ended.held_by {
        tracing::info!(
            other,
            "another scheduler runs the schedule of this lake: nothing was done here"
        );
        return;
    }
    for (detection, problem) in &ended.given_up {
        tracing::warn!(detection, problem, "left a gap");
    }
    tracing::info!(
        evaluations = ended.evaluated,
        revisions = ended.recorded,
        "schedule ends"
    );
}

fn said(ended: &Ended) {
    if let Some(other) = &ended.held_by {
        output::note(format_args!(
            "{other} runs the schedule of this lake: nothing was done here"
        ));
        return;
    }
    output::note(format_args!(
        "{}, {} of alerts recorded",
        counted(ended.evaluated, "evaluation", "evaluations"),
        counted(ended.recorded, "revision", "revisions"),
    ));
    for (detection, problem) in &ended.given_up {
        output::note(format_args!(
            "{detection}: left a gap: {problem}\n  retrohunt schedule status shows it, retrohunt schedule fill closes it"
        ));
    }
}
