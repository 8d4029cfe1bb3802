//! Alerts as rows of a table, and back, exactly.

use super::Alert;
use crate::error::{Error, Result};
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Builder, StringBuilder, UInt32Builder};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt32Type};
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};

/// Rows of a batch: few, because one alert may be large.
pub(super) const FULL_ROWS: usize = 32;

/// About the bytes after which a batch with fewer rows is full.
const FULL_BYTES: usize = 256 << 10;

/// Columns of the rows: who wrote it, what is sorted by, and the rest of the alert.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("writer", DataType::UInt32, false),
        Field::new("time", DataType::Int64, false),
        Field::new("detection", DataType::Utf8, false),
        Field::new("alert_id", DataType::Utf8, false),
        Field::new("rest", DataType::Utf8, false),
    ]))
});

pub(super) fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// What is no column of its own, as JSON: severity, key, window start and end, windows,
/// event ids, event count, whether the history is complete, fields.
type Rest = (
    String,
    Map<String, Value>,
    Option<i64>,
    Option<i64>,
    Option<u64>,
    Vec<String>,
    u64,
    Option<bool>,
    Map<String, Value>,
);

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) writer: u32,
    pub(super) time: i64,
    pub(super) detection: String,
    pub(super) alert_id: String,
    pub(super) rest: String,
}

/// Rows that become a batch.
#[derive(Debug, Default)]
pub(super) struct Rows {
    writers: UInt32Builder,
    times: Int64Builder,
    detections: StringBuilder,
    alert_ids: StringBuilder,
    rests: StringBuilder,
    rows: usize,
    bytes: usize,
}

impl Rows {
    pub(super) fn push(&mut self, writer: u32, alert: &Alert) -> Result<()> {
        let rest = (
            &alert.severity,
            &alert.key,
            alert.window_start,
            alert.window_end,
            alert.windows,
            &alert.event_ids,
            alert.event_count,
            alert.history_complete,
            &alert.fields,
        );
        let rest = serde_json::to_string(&rest).map_err(|error| Error::Internal(error.to_string()))?;
        self.add(writer, alert.time, &alert.detection, &alert.alert_id, &rest);
        Ok(())
    }

    pub(super) fn push_row(&mut self, row: &Row) {
        self.add(row.writer, row.time, &row.detection, &row.alert_id, &row.rest);
    }

    fn add(&mut self, writer: u32, time: i64, detection: &str, alert_id: &str, rest: &str) {
        self.writers.append_value(writer);
        self.times.append_value(time);
        self.detections.append_value(detection);
        self.alert_ids.append_value(alert_id);
        self.rests.append_value(rest);
        self.rows += 1;
        self.bytes += detection.len() + alert_id.len() + rest.len();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= FULL_ROWS || self.bytes >= FULL_BYTES
    }

    /// The rows as a batch; none are left.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.writers.finish()),
            Arc::new(self.times.finish()),
            Arc::new(self.detections.finish()),
            Arc::new(self.alert_ids.finish()),
            Arc::new(self.rests.finish()),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }

    /// The rows of a batch.
    pub(super) fn read(batch: &RecordBatch) -> Result<impl Iterator<Item = Row> + '_> {
        let wrong = || Error::Internal("rows that are no alerts".into());
        let [writers, times, detections, alert_ids, rests] = batch.columns() else {
            return Err(wrong());
        };
        let writers = writers.as_primitive_opt::<UInt32Type>().ok_or_else(wrong)?;
        let times = times.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
        let text = |column: &'_ ArrayRef| column.as_string_opt::<i32>().cloned().ok_or_else(wrong);
        let (detections, alert_ids, rests) = (text(detections)?, text(alert_ids)?, text(rests)?);
        Ok((0..batch.num_rows()).map(move |row| Row {
            writer: writers.value(row),
            time: times.value(row),
            detection: detections.value(row).to_owned(),
            alert_id: alert_ids.value(row).to_owned(),
            rest: rests.value(row).to_owned(),
        }))
    }

    /// The alerts of a batch.
    pub(super) fn alerts(batch: &RecordBatch) -> Result<Vec<Alert>> {
        Self::read(batch)?.map(Row::alert).collect()
    }
}

impl Row {
    fn alert(self) -> Result<Alert> {
        // Not serde_json, which reads some numbers only nearly.
        let rest: Rest = sonic_rs::from_str(&self.rest)
            .map_err(|error| Error::Internal(format!("an alert cannot be read back: {error}")))?;
        let (severity, key, window_start, window_end, windows, event_ids, event_count, history_complete, fields) = rest;
        Ok(Alert {
            alert_id: self.alert_id,
            detection: self.detection,
            severity,
            time: self.time,
            key,
            window_start,
            window_end,
            windows,
            event_ids,
            event_count,
            history_complete,
            fields,
        })
    }
}
