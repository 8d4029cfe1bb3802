//! Alerts as the terminal and other programs read them.

use super::args::OutputArgs;
use super::interrupts::Interrupts;
use super::output;
use crate::alerts::{Alert, SortedAlerts};
use crate::config::format_instant;
use crate::error::{Error, Result};
use crate::report::human::{count, counted};
use crate::report::{self, Format};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::json::ReaderBuilder;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::Serializer as _;
use serde::ser::SerializeSeq as _;
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

async fn write_alerts(mut alerts: impl Stream<Item = Result<Alert>> + Unpin, options: &OutputArgs) -> Result<()> {
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
                let (event_ids, fields) = (Vec::new(), Map::new());
                rows.push(value(&Alert {
                    event_ids,
                    fields,
                    ..alert
                })?);
            }
            // An empty table has no columns to show; the summary says that there is nothing.
            if !rows.is_empty() {
                let batch = flat(&rows, &short_schema(&rows))?;
                report::write_batches(Format::Table, &batch.schema(), &[batch], &mut *out, width)?;
            }
        }
        format => {
            let schema = schema(&COLUMNS);
            let batches = alerts.chunks(BATCH_ROWS).map(|alerts| {
                let rows = alerts.into_iter().map(|alert| value(&alert?));
                let rows: Result<Vec<Value>> = rows.collect();
                Ok(flat(&rows?, &schema)?)
            });
            report::write(format, Arc::clone(&schema), Box::pin(batches), &mut *out, width).await?;
        }
    }
    out.flush().map_err(Error::Output)
}

fn value(alert: &Alert) -> Result<Value> {
    serde_json::to_value(alert).map_err(|error| Error::Internal(error.to_string()))
}

/// An alert over a few short lines, for a terminal too narrow for a table.
fn paragraph(alert: &Alert) -> String {
    let mut text = format!(
        "{}  {}  {}",
        format_instant(alert.time),
        alert.severity,
        alert.detection
    );
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

/// All columns, in order.
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

/// Those of a table for people.
const SHORT_COLUMNS: [&str; 8] = [
    "time",
    "severity",
    "detection",
    "key",
    "window_end",
    "windows",
    "event_count",
    "history_complete",
];

fn schema(names: &[&str]) -> SchemaRef {
    let fields = names.iter().map(|name| {
        let data_type = match *name {
            "windows" | "event_count" => DataType::Int64,
            "history_complete" => DataType::Boolean,
            _ => DataType::Utf8,
        };
        Field::new(*name, data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The short columns that have a value in any row.
fn short_schema(rows: &[Value]) -> SchemaRef {
    let filled = |name: &&str| rows.iter().any(|row| !row[*name].is_null());
    schema(&SHORT_COLUMNS.into_iter().filter(filled).collect::<Vec<_>>())
}

/// Alerts as rows: the parts that are objects or lists as text, in a table for people as
/// short as can be.
fn flat(alerts: &[Value], schema: &SchemaRef) -> Result<RecordBatch> {
    let short = schema.fields().len() < COLUMNS.len();
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
