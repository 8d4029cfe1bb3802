//! `retrohunt alerts show`

use crate::alerts::recorded::{AlertFilter, every, revisions};
use crate::alerts::{Change, Origin, Revision};
use crate::cli::args::LakeArgs;
use crate::cli::{Outcome, output};
use crate::config::{Resources, format_instant};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::report::human::{self, counted};
use crate::report::printable;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use futures::TryStreamExt as _;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

/// Of an id that is nowhere, so many characters are looked for.
const ALIKE: usize = 4;

/// One alert whole: what was found, in which events, and what has become of it since
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id, or as much of its beginning as no other has
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// As JSON: its last revision in the form of `alerts list`, and in `history` those before it
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    lake: LakeArgs,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    last: &'a Revision,
    history: &'a [Revision],
}

pub(crate) async fn run(args: ShowArgs, resources: Resources) -> Result<Outcome> {
    let lake = args.lake.lake()?;
    let engine = Engine::open(&lake, resources).await?;
    let revisions = found(&engine, &args.id).await?;
    engine.abandon();
    let Some((last, history)) = revisions.split_last() else {
        return Err(Error::Internal("an alert without a revision".into()));
    };
    if args.json {
        let shown = Shown { last, history };
        let text = serde_json::to_string_pretty(&shown).map_err(|error| Error::Internal(error.to_string()))?;
        output::data(&(text + "\n"))?;
    } else {
        output::data(&described(last, &revisions))?;
    }
    Ok(Outcome::Done)
}

/// The revisions of the one alert that is meant.
async fn found(engine: &Engine, typed: &str) -> Result<Vec<Revision>> {
    let exactly = revisions(engine, typed).await?;
    if !exactly.is_empty() {
        return Ok(exactly);
    }
    let typed = typed.to_ascii_lowercase();
    let ids = beginning_with(engine, &typed).await?;
    let mut first = ids.iter();
    match (first.next(), first.next()) {
        (Some(id), None) => revisions(engine, id).await,
        (Some(_), Some(_)) => Err(Error::Setting {
            setting: typed,
            problem: format!(
                "the ids of {} begin so, among them {}; write more of it",
                counted(ids.len() as u64, "alert", "alerts"),
                ids.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
            ),
        }),
        (None, _) => {
            let start: String = typed.chars().take(ALIKE).collect();
            let alike = match start.len() < ALIKE {
                true => BTreeSet::new(),
                false => beginning_with(engine, &start).await?,
            };
            Err(Error::Unknown {
                kind: "alert",
                name: typed,
                nearest: alike.into_iter().take(3).collect(),
            })
        }
    }
}

async fn beginning_with(engine: &Engine, start: &str) -> Result<BTreeSet<String>> {
    let filter = AlertFilter {
        id_prefix: Some(start.to_owned()),
        ..AlertFilter::all()
    };
    let mut ids = BTreeSet::new();
    let mut revisions = every(engine, &filter).await?;
    while let Some(revision) = revisions.try_next().await? {
        ids.insert(revision.alert.alert_id);
    }
    Ok(ids)
}

/// An alert for people. What stands in a log must not steer the terminal.
fn described(last: &Revision, revisions: &[Revision]) -> String {
    let alert = &last.alert;
    let mut text = format!("{}\n", printable(&last.title));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<14} {}", printable(value));
        }
    };
    line("alert_id", &alert.alert_id);
    line("detection", &alert.detection);
    line("severity", &format!("{} (risk {})", alert.severity, last.risk_score));
    line("attack", &last.attack.join(", "));
    line("time", &format_instant(alert.time));
    for (name, value) in &alert.key {
        line("key", &format!("{name}: {}", plain(value)));
    }
    if let (Some(start), Some(end)) = (alert.window_start, alert.window_end) {
        let windows = counted(alert.windows.unwrap_or(1), "window", "windows");
        line(
            "windows",
            &format!(
                "{windows}, after {} up to {}",
                format_instant(start),
                format_instant(end)
            ),
        );
    }
    line("events", &events(last));
    for id in &alert.event_ids {
        line("event", id);
    }
    if alert.history_complete == Some(false) {
        line("history", "the lake does not reach back over all of it");
    }
    line(
        "found by",
        match last.origin {
            Origin::Schedule => "a schedule",
            Origin::Hunt => "a hunt, from which it was promoted",
        },
    );
    if let Some(seconds) = last.late_by {
        line("late by", &format!("{}: events arrived late", late(seconds)));
    }
    line("suppressed by", last.suppressed_by.as_deref().unwrap_or_default());
    if last.change == Change::Withdrawn {
        line(
            "withdrawn",
            "events that arrived late have shown that there is nothing to find",
        );
    }
    list(&mut text, "fields", &alert.fields);
    text.push_str("\nrevisions\n");
    for revision in revisions {
        let _ = write!(
            text,
            "  {:<3} {:<9}  {}  {}",
            revision.revision,
            revision.change.as_str(),
            format_instant(revision.recorded),
            events(revision)
        );
        if let Some(seconds) = revision.late_by {
            let _ = write!(text, ", late by {}", late(seconds));
        }
        if let Some(by) = &revision.suppressed_by {
            let _ = write!(text, ", suppressed by {}", printable(by));
        }
        text.push('\n');
    }
    text
}

fn events(revision: &Revision) -> String {
    let alert = &revision.alert;
    let events = counted(alert.event_count, "event", "events");
    match alert.event_ids.len() as u64 {
        listed if listed == alert.event_count => events,
        listed => format!("{events}, {} of them by their ids", human::count(listed)),
    }
}

fn late(seconds: f64) -> String {
    human::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn list(text: &mut String, title: &str, values: &Map<String, Value>) {
    if values.is_empty() {
        return;
    }
    let _ = write!(text, "\n{title}\n");
    for (name, value) in values {
        let _ = writeln!(text, "  {}: {}", printable(name), printable(&plain(value)));
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
