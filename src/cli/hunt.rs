//! `retrohunt hunt`

use super::args::{FolderArgs, LakeArgs, OutputArgs};
use super::{Outcome, output};
use crate::alerts::Alert;
use crate::config::{self, Resources, format_instant};
use crate::detections::{self, Detection};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::{DetectionRun, HuntReport, HuntRequest, hunt};
use crate::report::human::{count, counted};
use crate::report::{self, Format};
use clap::Args;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::json::ReaderBuilder;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

/// Alerts of a table for people; the other formats write all.
const TABLE_ALERTS: usize = 1000;

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
    let known = args.folder.load()?;
    let chosen = detections::select(known, &args.ids)?;
    args.output.check()?;
    let engine = Engine::open(&args.lake.lake()?, resources).await?;
    let report = hunt_watched(&engine, &chosen, request).await?;
    print_alerts(&report.alerts, &args.output)?;
    output::note(summary(&report));
    outcome(&report)
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

/// Writes alerts in any format; JSON lines is the stable one.
pub(crate) fn print_alerts(alerts: &[Alert], options: &OutputArgs) -> Result<()> {
    let values: Vec<Value> = alerts
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Internal(error.to_string()))?;
    let mut out = options.open()?;
    match options.format {
        Format::Jsonl => {
            for value in &values {
                writeln!(out, "{value}").map_err(Error::Output)?;
            }
        }
        Format::Json => {
            let text = serde_json::to_string_pretty(&values).map_err(|error| Error::Internal(error.to_string()))?;
            writeln!(out, "{text}").map_err(Error::Output)?;
        }
        Format::Table if values.is_empty() => {}
        // An empty table has no columns to show; the summary says that there is nothing.
        Format::Table if values.is_empty() => {}
        format => {
            let limit = if format == Format::Table {
                TABLE_ALERTS
            } else {
                usize::MAX
            };
            let shown = &values[..values.len().min(limit)];
            let batch = flat(shown, format == Format::Table)?;
            report::write_batches(format, &batch.schema(), &[batch], &mut *out, output::terminal_width())?;
            if shown.len() < values.len() {
                output::note(format_args!(
                    "{} of {} alerts shown; --format jsonl writes all",
                    count(shown.len() as u64),
                    count(values.len() as u64)
                ));
            }
        }
    }
    out.flush().map_err(Error::Output)
}

/// Alerts as rows: the parts that are objects as text.
fn flat(alerts: &[Value], short: bool) -> Result<RecordBatch> {
    let texts: &[&str] = if short {
        &[
            "time",
            "severity",
            "detection",
            "key",
            "window_end",
            "windows",
            "event_count",
        ]
    } else {
        &[
            "alert_id",
            "detection",
            "severity",
            "time",
            "key",
            "window_start",
            "window_end",
            "windows",
            "event_ids",
            "event_count",
            "history_complete",
            "fields",
        ]
    };
    let schema = Arc::new(Schema::new(
        texts
            .iter()
            .filter(|name| !short || alerts.iter().any(|alert| !alert[**name].is_null()))
            .map(|name| {
                let data_type = match *name {
                    "windows" | "event_count" => DataType::Int64,
                    "history_complete" => DataType::Boolean,
                    _ => DataType::Utf8,
                };
                Field::new(*name, data_type, true)
            })
            .collect::<Vec<_>>(),
    ));
    let rows: Vec<Map<String, Value>> = alerts
        .iter()
        .map(|alert| {
            let cells = schema.fields().iter().map(|field| {
                let value = match &alert[field.name().as_str()] {
                    Value::Object(key) if short => Value::from(pairs(key)),
                    value @ (Value::Object(_) | Value::Array(_)) => Value::from(value.to_string()),
                    value => value.clone(),
                };
                (field.name().clone(), value)
            });
            cells.collect()
        })
        .collect();
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(rows.len().max(1))
        .build_decoder()?;
    decoder.serialize(&rows)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
}

/// `name: value` for each part of a key.
fn pairs(key: &Map<String, Value>) -> String {
    let pairs = key.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        value => format!("{name}: {value}"),
    });
    pairs.collect::<Vec<_>>().join(", ")
}
