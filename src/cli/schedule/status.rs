//! `retrohunt schedule status`

use super::PlanArgs;
use super::planned::{lake, plan};
use crate::cli::{Outcome, output};
use crate::config::{Resources, format_instant};
use crate::error::{Error, Result};
use crate::report::human::counted;
use crate::schedule::{DetectionStatus, Status, status};
use clap::Args;
use comfy_table::{ContentArrangement, Table};

/// Say how the schedule is doing: how far each detection is, what it left out, and who runs it
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// As JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    plan: PlanArgs,
}

pub(super) async fn run(args: StatusArgs, resources: Resources) -> Result<Outcome> {
    let settings = args.plan.settings()?;
    let now = chrono::Utc::now().timestamp_micros();
    let mut status = status(&lake(&settings)?, &plan(&settings)?, resources, now).await?;
    // Those that were taken out of the settings are sent nothing.
    status.sinks_behind.retain(|sink, _| settings.sinks.contains_key(sink));
    if args.json {
        let text = serde_json::to_string_pretty(&status).map_err(|error| Error::Internal(error.to_string()))?;
        output::data(&format!("{text}\n"))?;
    } else {
        output::data(&shown(&status))?;
    }
    Ok(Outcome::Done)
}

fn shown(status: &Status) -> String {
    let mut text = match &status.lease {
        Some(lease) if lease.holds => format!(
            "run by {} (lease until {})\n",
            lease.holder,
            format_instant(lease.expires)
        ),
        Some(lease) => format!(
            "run by nobody; last by {} until {}\n",
            lease.holder,
            format_instant(lease.expires)
        ),
        None => "never run\n".to_owned(),
    };
    if let Some(recorded) = status.recorded {
        text.push_str(&format!("last recorded at {}\n", format_instant(recorded)));
    }
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["detection", "kind", "state", "last tick", "next due", "gaps"]);
    if let Some(width) = output::terminal_width() {
        table.set_width(width);
    }
    for detection in &status.detections {
        table.add_row(row(detection));
    }
    text.push_str(&format!("{table}\n"));
    for detection in &status.detections {
        for gap in &detection.gaps {
            let after = gap.after.map_or_else(|| "the beginning".into(), format_instant);
            text.push_str(&format!(
                "gap of {}: after {after}, until {}: {}\n",
                detection.detection,
                format_instant(gap.until),
                gap.reason
            ));
        }
        if let Some(error) = detection.last_run.as_ref().and_then(|run| run.error.as_ref()) {
            text.push_str(&format!("{} failed last: {error}\n", detection.detection));
        }
    }
    for (sink, behind) in status.sinks_behind.iter().filter(|(_, behind)| **behind > 0) {
        let revisions = counted(*behind, "revision", "revisions");
        text.push_str(&format!("sink {sink} is {revisions} of alerts behind\n"));
    }
    text
}

fn row(detection: &DetectionStatus) -> [String; 6] {
    let at = |time: Option<i64>| time.map_or_else(|| "-".to_owned(), format_instant);
    [
        detection.detection.clone(),
        detection.kind.unwrap_or("-").to_owned(),
        detection.state.to_owned(),
        at(detection.tick),
        at(detection.next_due),
        detection.gaps.len().to_string(),
    ]
}
