//! Alerts as the terminal and other programs read them.

use super::args::OutputArgs;
use super::output;
use crate::alerts::Alert;
use crate::config::format_instant;
use crate::error::{Error, Result};
use crate::report::human::{count, counted};
use crate::report::{self, Format};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::json::ReaderBuilder;
use serde_json::{Map, Value};
use std::io::Write as _;
use std::sync::Arc;

/// Alerts of a table for people; the other formats write all.
const TABLE_ALERTS: usize = 1000;

/// Columns that a table of alerts needs.
const WIDE: u16 = 130;

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
        // An empty table has no columns to show; the summary says that there is nothing.
        Format::Table if values.is_empty() => {}
        Format::Table if output::terminal_width().is_some_and(|width| width < WIDE) => {
            for alert in alerts.iter().take(TABLE_ALERTS) {
                writeln!(out, "{}", paragraph(alert)).map_err(Error::Output)?;
            }
            say_if_cut(alerts.len().min(TABLE_ALERTS), alerts.len());
        }
        format => {
            let limit = if format == Format::Table {
                TABLE_ALERTS
            } else {
                usize::MAX
            };
            let shown = &values[..values.len().min(limit)];
            let batch = flat(shown, format == Format::Table)?;
            report::write_batches(format, &batch.schema(), &[batch], &mut *out, output::terminal_width())?;
            say_if_cut(shown.len(), values.len());
        }
    }
    out.flush().map_err(Error::Output)
}

fn say_if_cut(shown: usize, all: usize) {
    if shown < all {
        let (shown, all) = (count(shown as u64), count(all as u64));
        output::note(format_args!("{shown} of {all} alerts shown; --format jsonl writes all"));
    }
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
            "history_complete",
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
