//! What sinks did not take, as rows of the table `dead_letters`.

use super::runs::append_rows;
use crate::error::{Error, Result};
use crate::lake::{Lake, TableName};
use crate::sinks::DeadLetter;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use std::sync::Arc;

/// Keeps what a sink did not take.
pub(super) async fn keep(lake: &Lake, sink: &str, letters: &[DeadLetter], now: i64) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let texts = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    let alerts = letters.iter().map(|letter| serde_json::to_string(&letter.revision));
    let alerts: Vec<String> = alerts
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Internal(error.to_string()))?;
    let times = TimestampMicrosecondArray::from(vec![now; letters.len()]).with_timezone("UTC");
    let revisions = letters.iter().map(|letter| i64::from(letter.revision.revision));
    let attempts = letters.iter().map(|letter| i64::from(letter.attempts));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times),
        texts(vec![sink; letters.len()]),
        texts(
            letters
                .iter()
                .map(|letter| letter.revision.alert.alert_id.as_str())
                .collect(),
        ),
        Arc::new(Int64Array::from_iter_values(revisions)),
        Arc::new(Int64Array::from_iter_values(attempts)),
        texts(letters.iter().map(|letter| letter.problem.as_str()).collect()),
        texts(alerts.iter().map(String::as_str).collect()),
    ];
    let rows = RecordBatch::try_new(TableName::DeadLetters.file_schema(), columns)?;
    let mut table = lake.table_or_create(TableName::DeadLetters).await?;
    append_rows(&mut table, rows).await
}
