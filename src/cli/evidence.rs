//! `retrohunt evidence`

use super::args::LakeArgs;
use super::{Outcome, output};
use crate::config::{Resources, format_instant};
use crate::custody::evidence::{self, AlertFile, BundleRequest, Bundled, EventEvidence, Evidence};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::Stop;
use crate::report::human::{bytes, count, counted};
use crate::report::{indented, printable};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The original record behind an alert or event, its file, hash and place, verified
///
/// Each event is looked for in the lake, and then read again in the file it came from: is the
/// file there, is its SHA-256 what it was, does the record still lie at its position? The
/// position counts bytes from 0 in the decompressed file, or in the member of an archive, and in
/// the UTF-8 of a file in UTF-16. Exit codes: 0 all is verified, 1 an id is nowhere, 3 something
/// could not be verified.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    /// Events by event.id or event_key, alerts by alert_id: those that the lake has recorded, and
    /// those in --alerts
    #[arg(value_name = "ID", required = true, value_parser = NonEmptyStringValueParser::new())]
    ids: Vec<String>,

    /// A file of alerts, as `hunt --format jsonl --output FILE` writes it; `-` is standard input.
    /// May be given several times
    #[arg(long, value_name = "FILE")]
    alerts: Vec<PathBuf>,

    /// How to print it
    #[arg(long, value_enum, default_value_t = EvidenceFormat::Text)]
    format: EvidenceFormat,

    /// Print the record's text alone, byte for byte, of one event
    #[arg(long, conflicts_with = "format")]
    raw: bool,

    /// Write all of it to a zip file to hand over: records, the bytes cut out of their files,
    /// alerts, hashes, and how to check them
    #[arg(long, value_name = "FILE.zip")]
    bundle: Option<PathBuf>,

    /// Copy the whole files that the events came from into the bundle
    #[arg(long, requires = "bundle")]
    with_sources: bool,

    /// Replace a bundle that is there
    #[arg(long, requires = "bundle")]
    force: bool,

    #[command(flatten)]
    lake: LakeArgs,
}

/// Forms of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EvidenceFormat {
    /// For people
    Text,
    /// One JSON array with an object for each event
    Json,
}

pub(crate) async fn run(args: EvidenceArgs, resources: Resources) -> Result<Outcome> {
    if let Some(path) = args.bundle.as_ref().filter(|path| !args.force && path.exists()) {
        return Err(Error::Setting {
            setting: format!("--bundle {}", path.display()),
            problem: "is there already; give another name, or --force to replace it".into(),
        });
    }
    let lake = args.lake.lake()?;
    let files = args.alerts.iter().map(alert_file).collect::<Result<Vec<_>>>()?;
    let engine = Engine::open(&lake, resources).await?;
    let stop = Stop::default();
    let spinner = output::spinner("looking for the records");
    let gathered = or_interrupted(&stop, evidence::gather(&lake, &engine, &args.ids, files, &stop)).await;
    spinner.finish_and_clear();
    let evidence = Arc::new(gathered?);
    engine.abandon();
    if args.raw && evidence.events.len() != 1 {
        return Err(Error::Setting {
            setting: "--raw".into(),
            problem: format!(
                "is for one event, and {} were found; give the event_key of one",
                count(evidence.events.len() as u64)
            ),
        });
    }
    if let Some(path) = args.bundle {
        let request = BundleRequest {
            path: path.clone(),
            replace: args.force,
            with_sources: args.with_sources,
        };
        let bundled = or_interrupted(
            &stop,
            evidence::bundle(Arc::clone(&evidence), request, Arc::clone(&stop)),
        )
        .await?;
        say_bundled(&path.display().to_string(), &bundled);
    }
    print(&evidence, args.raw, args.format)?;
    say_what_is_missing(&evidence);
    Ok(match evidence.is_proved() {
        true => Outcome::Done,
        false => Outcome::Incomplete,
    })
}

/// A file of alerts as typed.
pub(super) fn alert_file(path: &PathBuf) -> Result<AlertFile> {
    if path.as_os_str() == "-" {
        return Ok(AlertFile {
            name: "standard input".into(),
            content: Box::new(std::io::stdin()),
        });
    }
    let file = File::open(path).map_err(|source| Error::File {
        path: path.clone(),
        source,
    })?;
    Ok(AlertFile {
        name: path.display().to_string(),
        content: Box::new(file),
    })
}

/// What Ctrl-C ends: files that are being read see it as well.
async fn or_interrupted<T>(stop: &Stop, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        _ = tokio::signal::ctrl_c() => stop.store(true, Ordering::Relaxed),
    }
    // A bundle that is half written has to be taken away; a second Ctrl-C does not wait.
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
    }
}

fn say_bundled(path: &str, bundled: &Bundled) {
    let Bundled { sha256, size, left_out } = bundled;
    output::note(format_args!("bundle: {path}, {}, SHA-256 {sha256}", bytes(*size)));
    for problem in left_out {
        output::note(format_args!("not copied: {}", printable(problem)));
    }
}

fn say_what_is_missing(evidence: &Evidence) {
    for alert in &evidence.alerts {
        let id = printable(&alert.alert_id);
        if alert.unlisted() > 0 {
            output::note(format_args!(
                "note: alert {id} stands for {} and names {} of them",
                counted(alert.event_count, "event", "events"),
                count(alert.event_ids.len() as u64)
            ));
        }
        for missing in &alert.not_in_lake {
            output::note(format_args!(
                "not in {}: event {} of alert {id}",
                evidence.lake,
                printable(missing)
            ));
        }
    }
    for (status, number) in evidence.by_status() {
        output::note(format_args!("{}: {status}", counted(number, "event", "events")));
    }
}

fn print(evidence: &Evidence, raw: bool, format: EvidenceFormat) -> Result<()> {
    if let (true, [event]) = (raw, evidence.events.as_slice()) {
        return output::data(&event.raw);
    }
    match format {
        EvidenceFormat::Json => {
            let text =
                serde_json::to_string_pretty(&evidence.events).map_err(|error| Error::Internal(error.to_string()))?;
            output::data(&(text + "\n"))
        }
        EvidenceFormat::Text => {
            let total = evidence.events.len();
            for (index, event) in evidence.events.iter().enumerate() {
                output::data(&shown(index + 1, total, event))?;
            }
            Ok(())
        }
    }
}

/// An event for people.
fn shown(number: usize, total: usize, evidence: &EventEvidence) -> String {
    let (event, verification) = (&evidence.event, &evidence.verification);
    let mut text = format!("event {number} of {total}: {}\n", verification.status);
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<14} {}", printable(value));
    };
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    line("event.id", &known(&event.event_id));
    line("event_key", &event.event_key);
    if !event.other_ids.is_empty() {
        line("known as", &event.other_ids.join(", "));
    }
    line("dataset", &event.dataset);
    line("time", &format_instant(event.timestamp));
    line("organization", &known(&event.organization));
    line("action", &known(&event.action));
    line("user", &known(&event.user));
    if event.asked != [event.event_key.clone()] && event.asked.first() != event.event_id.as_ref() {
        line("asked for by", &event.asked.join(", "));
    }
    line("stored", &known(&event.event_ingested.map(format_instant)));
    line("source file", &event.source_file);
    line("SHA-256", &event.source_sha256);
    let position = event.source_position.map(|position| format!("byte {position}"));
    line("position", &known(&position));
    line("format", &known(&event.source_format));
    match &evidence.ledger {
        Some(row) => line("ledger", &ledger(row)),
        None => line("ledger", "has no row of this file: its ingest was not finished"),
    }
    let of_status = format!("{}: {}", verification.status, verification.detail);
    line("verification", &of_status);
    line("record", &counted(evidence.raw.len() as u64, "byte", "bytes"));
    let record = indented(&evidence.raw);
    for of_record in record.as_deref().unwrap_or(&evidence.raw).lines() {
        let _ = writeln!(text, "    {}", printable(of_record));
    }
    text.push('\n');
    text
}

/// A row of the ledger in one line.
fn ledger(row: &Map<String, Value>) -> String {
    let number = |name: &str| count(row.get(name).and_then(Value::as_u64).unwrap_or_default());
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let mut line = format!(
        "ingested {}, {} bytes: {} read, {} stored, {} duplicate, {} rejected",
        text("ingested").unwrap_or("-"),
        number("size"),
        number("read"),
        number("stored"),
        number("duplicate"),
        number("rejected")
    );
    if let Some(problem) = text("problem") {
        let _ = write!(line, "; {problem}");
    }
    line
}
