//! `retrohunt hunt --explain`

use super::args::OutputArgs;
use super::{Outcome, output};
use crate::detections::Detection;
use crate::engine::{Engine, ScanPlan};
use crate::error::{Error, Result};
use crate::hunt::{Explanation, HuntRequest, explain};
use crate::report::Format;
use crate::report::human::{bytes, count, counted};
use std::io::Write as _;

/// Fails for a format that an explanation, or what else `asked` for one, does not have.
pub(crate) fn check(options: &OutputArgs, asked: &str) -> Result<()> {
    match options.format {
        Format::Table | Format::Json => Ok(()),
        other => Err(Error::Setting {
            setting: format!("--format {}", other.as_str()),
            problem: format!("is not for {asked}; use table for text, or json"),
        }),
    }
}

/// Explains each detection; an error at the end when one cannot be planned.
pub(crate) async fn explain_and_print(
    engine: &Engine,
    chosen: &[Detection],
    request: HuntRequest,
    options: &OutputArgs,
) -> Result<Outcome> {
    let chosen: Vec<&Detection> = chosen.iter().collect();
    let explanations = explain(engine, &chosen, request).await;
    let text = match options.format {
        Format::Json => {
            let json = serde_json::to_string_pretty(&explanations);
            json.map_err(|error| Error::Internal(error.to_string()))? + "\n"
        }
        _ => explanations.iter().map(text).collect::<Vec<_>>().join("\n"),
    };
    let failed = explanations.iter().filter(|explanation| explanation.error.is_some());
    let failed: Vec<&str> = failed.map(|explanation| explanation.detection.as_str()).collect();
    write(&text, options, &failed).map(|()| Outcome::Done)
}

/// Writes what is said of detections; an error at the end for those that cannot be planned.
pub(crate) fn write(text: &str, options: &OutputArgs, failed: &[&str]) -> Result<()> {
    let mut out = options.open()?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::Output)?;
    match failed {
        [] => Ok(()),
        failed => Err(Error::Detection(format!("{} cannot be planned", failed.join(", ")))),
    }
}

fn text(explanation: &Explanation) -> String {
    let mut text = format!("{} ({})\n", explanation.detection, explanation.kind.as_str());
    let mut line = |name: &str, value: &str| {
        let lines = output::wrapped(value, &" ".repeat(20));
        text.push_str(&format!("  {name:<18}{}\n", lines.trim()));
    };
    if let Some(error) = &explanation.error {
        line("cannot run", error);
        return text;
    }
    line("evaluated", explanation.evaluation.as_deref().unwrap_or_default());
    if let Some(copies) = explanation.window_copies {
        line(
            "windows",
            &format!("an event is in {} at most", counted(copies, "window", "windows")),
        );
    }
    match explanation.per_pane {
        Some(true) => line("aggregates", "per pane, and panes are combined to windows"),
        Some(false) => line("aggregates", "none per pane: events are copied to their windows"),
        None => {}
    }
    if !explanation.raw_fields.is_empty() {
        line("from the text", &explanation.raw_fields.join(", "));
    }
    let asked = explanation.asked_first.iter().map(|scan| ("asks first", scan));
    for (name, scan) in asked.chain(explanation.scans.iter().map(|scan| ("reads", scan))) {
        line(name, &read(scan));
        if let Some(predicate) = &scan.predicate {
            line("  where", predicate);
        }
        if !scan.columns.is_empty() {
            line("  columns", &scan.columns.join(", "));
        }
    }
    if explanation.scans.is_empty() && explanation.physical_plan.is_some() {
        line("reads", "nothing: no file of the lake can hold what it needs");
    }
    for (name, plan) in [
        ("logical plan", &explanation.logical_plan),
        ("physical plan", &explanation.physical_plan),
    ] {
        text.push_str(&format!("  {name}\n"));
        for line in plan.iter().flat_map(|plan| plan.lines()) {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

fn read(scan: &ScanPlan) -> String {
    if scan.files == 0 {
        return format!(
            "{}: none of {} can hold a row",
            scan.table,
            counted(scan.files_of, "file", "files")
        );
    }
    format!(
        "{}: {} of {}, {}",
        scan.table,
        count(scan.files),
        counted(scan.files_of, "file", "files"),
        bytes(scan.bytes)
    )
}
