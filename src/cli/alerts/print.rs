//! Alerts as the terminal and other programs read them.

use crate::alerts::{Alert, Revision, SortedAlerts};
use crate::cli::args::OutputArgs;
use crate::cli::interrupts::Interrupts;
use crate::cli::output;
use crate::config::format_instant;
use crate::error::{Error, Result};
use crate::report::human::{count, counted};
use crate::report::{self, Format};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::json::ReaderBuilder;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer as _};
use serde_json::{Map, Value};
use std::io::Write as _;
use std::sync::Arc;

/// Alerts of a table for people where nobody said how many; the other formats write all.
const TABLE_ALERTS: u64 = 1000;

/// Columns that a table of alerts needs.
const WIDE: u16 = 130;

/// Rows of a batch: few, because one alert may be large.
const BATCH_ROWS: usize = 32;

/// How the writing of alerts ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printed {
    /// Alerts that were written.
    pub(crate) shown: u64,
    /// Ctrl-C ended it before the others were.
    pub(crate) interrupted: bool,
}

/// Writes the first `most` alerts, as they come, in any format; JSON lines is the stable
/// one. Says how many were left out. Ctrl-C ends it; what is written then is whole.
pub(crate) async fn print_alerts(
    alerts: SortedAlerts,
    options: &OutputArgs,
    most: Option<u64>,
    interrupts: &Interrupts,
) -> Result<Printed> {
    let total = alerts.total();
    let table = options.format == Format::Table;
    let most_of_all = most.unwrap_or(if table { TABLE_ALERTS } else { u64::MAX }).min(total);
    let mut shown = 0;
    let wanted = alerts
        .take(usize::try_from(most_of_all).unwrap_or(usize::MAX))
        .take_until(Box::pin(interrupts.next()))
        .inspect_ok(|_| shown += 1);
    write_alerts(Box::pin(wanted), options).await?;
    let interrupted = shown < most_of_all;
    let of_all = format!("{} of {} alerts", count(shown), count(total));
    if interrupted {
        output::note(format_args!("interrupted: partial result, {of_all} written"));
    } else if shown < total && most.is_some() {
        output::note(format_args!("{of_all} shown (--max-alerts)"));
    } else if shown < total {
        output::note(format_args!("{of_all} shown; --format jsonl writes all"));
    }
    Ok(Printed { shown, interrupted })
}

/// Writes the first `most` of recorded alerts, as they come. Says if there are more. Ctrl-C ends
/// it; what is written then is whole.
pub(super) async fn print_revisions(
    revisions: BoxStream<'static, Result<Revision>>,
    options: &OutputArgs,
    most: Option<u64>,
    interrupts: &Interrupts,
) -> Result<Printed> {
    let table = options.format == Format::Table;
    let most_of_all = most.unwrap_or(if table { TABLE_ALERTS } else { u64::MAX });
    let mut shown = 0;
    let mut revisions = revisions.fuse();
    let mut interrupted = false;
    let wanted = (&mut revisions)
        .take(usize::try_from(most_of_all).unwrap_or(usize::MAX))
        .take_until(Box::pin(async {
            interrupts.next().await;
            interrupted = true;
        }))
        .inspect_ok(|_| shown += 1);
    write_alerts(Box::pin(wanted), options).await?;
    let alerts = counted(shown, "alert", "alerts");
    if interrupted {
        output::note(format_args!("interrupted: partial result, {alerts} written"));
    } else if shown == most_of_all && revisions.try_next().await?.is_some() {
        let advice = match most {
            Some(_) => "--max-alerts",
            None => "--format jsonl writes all",
        };
        output::note(format_args!("the first {alerts} shown, there are more ({advice})"));
    } else {
        output::note(alerts);
    }
    Ok(Printed { shown, interrupted })
}

/// What can be written: an alert of a hunt, or a recorded one.
trait Shown: Serialize {
    /// All columns, in order.
    const COLUMNS: &'static [&'static str];
    /// Those of a table for people, of which those without any value are left out.
    const SHORT_COLUMNS: &'static [&'static str];
    /// What was found.
    fn alert(&self) -> &Alert;
    /// What a paragraph begins with.
    fn first_line(&self) -> String;
}

impl Shown for Alert {
    const COLUMNS: &'static [&'static str] = COLUMNS.as_slice();
    const SHORT_COLUMNS: &'static [&'static str] = &[
        "time",
        "severity",
        "detection",
        "key",
        "window_end",
        "windows",
        "event_count",
        "history_complete",
    ];

    fn alert(&self) -> &Alert {
        self
    }

    fn first_line(&self) -> String {
        format!("{}  {}  {}", format_instant(self.time), self.severity, self.detection)
    }
}

impl Shown for Revision {
    const COLUMNS: &'static [&'static str] = &[
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
        "title",
        "risk_score",
        "attack",
        "revision",
        "change",
        "recorded",
        "late_by",
        "suppressed_by",
        "origin",
    ];
    const SHORT_COLUMNS: &'static [&'static str] = &[
        SHORT_ID,
        "time",
        "severity",
        "detection",
        "key",
        "window_end",
        "event_count",
        "revision",
        "change",
        "late_by",
    ];

    fn alert(&self) -> &Alert {
        &self.alert
    }

    fn first_line(&self) -> String {
        format!(
            "{}  {}  {}",
            short_id(&self.alert.alert_id),
            self.change.as_str(),
            self.alert.first_line()
        )
    }
}

/// In place of an id: as much of its beginning as commands need to know it.
const SHORT_ID: &str = "id";

fn short_id(id: &str) -> String {
    id.chars().take(12).collect()
}

async fn write_alerts<T: Shown>(mut alerts: impl Stream<Item = Result<T>> + Unpin, options: &OutputArgs) -> Result<()> {
    let json = |error: serde_json::Error| Error::Output(error.into());
    let width = output::terminal_width();
    let mut out = options.open()?;
    match options.format {
        Format::Jsonl => {
            while let Some(alert) = alerts.try_next().await? {
                serde_json::to_writer(&mut out, &alert).map_err(json)?;
                writeln!(out).map_err(Error::Output)?;
            }
        }
        Format::Json => {
            let mut writer = serde_json::Serializer::pretty(&mut out);
            let mut array = writer.serialize_seq(None).map_err(json)?;
            while let Some(alert) = alerts.try_next().await? {
                array.serialize_element(&alert).map_err(json)?;
            }
            array.end().map_err(json)?;
            writeln!(out).map_err(Error::Output)?;
        }
        Format::Table if width.is_some_and(|width| width < WIDE) => {
            while let Some(alert) = alerts.try_next().await? {
                writeln!(out, "{}", paragraph(&alert)).map_err(Error::Output)?;
            }
        }
        // Only a table needs its alerts all at once, for the widths of its columns; what it
        // does not show is not kept.
        Format::Table => {
            let mut rows = Vec::new();
            while let Some(alert) = alerts.try_next().await? {
                let mut row = value(&alert)?;
                if let Value::Object(row) = &mut row {
                    row.insert(SHORT_ID.to_owned(), short_id(&alert.alert().alert_id).into());
                    row.retain(|name, _| T::SHORT_COLUMNS.contains(&name.as_str()));
                }
                rows.push(row);
            }
            // An empty table has no columns to show; the summary says that there is nothing.
            if !rows.is_empty() {
                let batch = flat(&rows, &short_schema::<T>(&rows), true)?;
                report::write_batches(Format::Table, &batch.schema(), &[batch], &mut *out, width)?;
            }
        }
        format => {
            let schema = schema(T::COLUMNS);
            let batches = alerts.chunks(BATCH_ROWS).map(|alerts| {
                let rows = alerts.into_iter().map(|alert| value(&alert?));
                let rows: Result<Vec<Value>> = rows.collect();
                Ok(flat(&rows?, &schema, false)?)
            });
            report::write(format, Arc::clone(&schema), Box::pin(batches), &mut *out, width).await?;
        }
    }
    out.flush().map_err(Error::Output)
}

fn value(alert: &impl Serialize) -> Result<Value> {
    serde_json::to_value(alert).map_err(|error| Error::Internal(error.to_string()))
}

/// An alert over a few short lines, for a terminal too narrow for a table.
fn paragraph(shown: &impl Shown) -> String {
    let alert = shown.alert();
    let mut text = shown.first_line();
    for (name, value) in &alert.key {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // What stands in a log must not steer the terminal.
        let value = value.replace(char::is_control, "\u{FFFD}");
        text.push_str(&format!("\n  {name}: {value}"));
    }
    let events = counted(alert.event_count, "event", "events");
    match (alert.windows, alert.window_end) {
        (Some(windows), Some(end)) => {
            let windows = counted(windows, "window", "windows");
            text.push_str(&format!("\n  {events}, {windows} up to {}", format_instant(end)));
        }
        _ => text.push_str(&format!("\n  {events}")),
    }
    if alert.history_complete == Some(false) {
        text.push_str("\n  the lake does not reach back over the whole history");
    }
    text
}

/// Columns of an alert of a hunt, in order.
const COLUMNS: [&str; 12] = [
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
];

fn schema(names: &[&str]) -> SchemaRef {
    let fields = names.iter().map(|name| {
        let data_type = match *name {
            "windows" | "event_count" | "risk_score" | "revision" => DataType::Int64,
            "late_by" => DataType::Float64,
            "history_complete" => DataType::Boolean,
            _ => DataType::Utf8,
        };
        Field::new(*name, data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The short columns that have a value in any row.
fn short_schema<T: Shown>(rows: &[Value]) -> SchemaRef {
    let filled = |name: &&str| rows.iter().any(|row| !row[*name].is_null());
    schema(&T::SHORT_COLUMNS.iter().copied().filter(filled).collect::<Vec<_>>())
}

/// Alerts as rows: the parts that are objects or lists as text, in a table for people as
/// short as can be.
fn flat(alerts: &[Value], schema: &SchemaRef, short: bool) -> Result<RecordBatch> {
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
    let mut decoder = ReaderBuilder::new(Arc::clone(schema))
        .with_batch_size(rows.len().max(1))
        .build_decoder()?;
    decoder.serialize(&rows)?;
    let batch = decoder.flush()?;
    Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}

/// `name: value` for each part of a key.
fn pairs(key: &Map<String, Value>) -> String {
    let pairs = key.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        value => format!("{name}: {value}"),
    });
    pairs.collect::<Vec<_>>().join(", ")
}
