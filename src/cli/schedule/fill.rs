//! `retrohunt schedule fill`

use super::PlanArgs;
use super::planned::{lake, plan};
use crate::cli::{Outcome, output};
use crate::config::Resources;
use crate::error::{Error, Result};
use crate::report::human::counted;
use crate::schedule::metrics::Metrics;
use crate::schedule::{Observer, Outbox, Plan, Run, RunEnd, Scheduler, ask_to_fill, gaps};
use clap::Args;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between looks at what a schedule that runs has closed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Close gaps: evaluate what was left out after it had failed too often
///
/// A schedule that runs on the lake does it, and this command waits for that; where none runs, it
/// does it itself.
#[derive(Debug, Args)]
pub(super) struct FillArgs {
    /// Ids of detections (default: all that have gaps)
    #[arg(value_name = "DETECTION")]
    ids: Vec<String>,

    #[command(flatten)]
    plan: PlanArgs,
}

/// Keeps why something failed.
#[derive(Debug, Default)]
struct Failures(BTreeMap<String, String>);

impl Observer for Failures {
    fn evaluated(&mut self, run: &Run) {
        if let (RunEnd::Gap, Some(error)) = (run.end, &run.error) {
            self.0.insert(run.detection.clone(), error.clone());
        }
    }
}

pub(super) async fn run(args: FillArgs, resources: Resources) -> Result<Outcome> {
    let settings = args.plan.settings()?;
    let lake = lake(&settings)?;
    let all = plan(&settings)?;
    if let Some(unknown) = args
        .ids
        .iter()
        .find(|id| all.detections.iter().all(|known| known.detection.id() != *id))
    {
        return Err(Error::Unknown {
            kind: "detection",
            name: unknown.clone(),
            nearest: Vec::new(),
        });
    }
    let asked = ask_to_fill(&lake, &args.ids).await?;
    if asked.is_empty() {
        output::note("there are no gaps");
        return Ok(Outcome::Done);
    }
    for (detection, gaps) in &asked {
        output::note(format_args!("{detection}: {}", counted(*gaps as u64, "gap", "gaps")));
    }
    let mut failures = Failures::default();
    let only: Vec<_> = (all.detections.iter())
        .filter(|planned| asked.iter().any(|(id, _)| id == planned.detection.id()))
        .cloned()
        .collect();
    loop {
        let metrics = Arc::new(Metrics::new());
        let plan = Plan {
            detections: only.clone(),
            once: true,
            ..all.clone()
        };
        // Sinks get what is found from the schedule that runs next: it goes on where they are.
        let outbox = Outbox::new(&lake, Vec::new(), &metrics);
        let scheduler = Scheduler::open(&lake, plan, resources, outbox, &mut failures).await?;
        let (_stop, stopped) = watch::channel(0);
        let ended = scheduler.run(stopped).await?;
        match ended.held_by {
            Some(other) if gaps(&lake, &args.ids).await? > 0 => {
                output::note(format_args!("waiting for {other}, which runs the schedule"));
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            _ => break,
        }
    }
    let left = gaps(&lake, &args.ids).await?;
    for (detection, problem) in &failures.0 {
        output::note(format_args!("{detection}: {problem}"));
    }
    if left > 0 {
        output::note(format_args!("{} left", counted(left as u64, "gap is", "gaps are")));
        return Ok(Outcome::Failed);
    }
    output::note("all gaps are closed");
    Ok(Outcome::Done)
}
