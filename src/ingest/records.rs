//! Rows of the ledger and of the quarantine.

use super::parse::Rejected;
use super::pending::Origin;
use super::report::FileReport;
use crate::error::Result;
use crate::lake::{ledger_schema, quarantine_schema};
use datafusion::arrow::array::{
    BinaryArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use std::sync::Arc;

/// Rejected records as rows.
pub(super) fn quarantine_rows(rejected: &[&Rejected], origins: &[Origin], ingested: i64) -> Result<RecordBatch> {
    let origin = |record: &&Rejected| &origins[record.place.origin];
    Ok(RecordBatch::try_new(
        quarantine_schema(),
        vec![
            Arc::new(times(ingested, rejected.len())),
            Arc::new(StringArray::from_iter_values(
                rejected.iter().map(|r| origin(r).path.as_str()),
            )),
            Arc::new(StringArray::from_iter_values(
                rejected.iter().map(|r| origin(r).sha256.as_str()),
            )),
            Arc::new(
                rejected
                    .iter()
                    .map(|r| r.position.map(|at| at as i64))
                    .collect::<Int64Array>(),
            ),
            Arc::new(rejected.iter().map(|r| r.format).collect::<StringArray>()),
            Arc::new(StringArray::from_iter_values(
                rejected.iter().map(|r| r.reason.to_string()),
            )),
            Arc::new(BinaryArray::from_iter_values(
                rejected.iter().map(|r| r.record.as_slice()),
            )),
        ],
    )?)
}

/// Finished files as rows.
pub(super) fn ledger_rows(files: &[&FileReport], ingested: i64, events_version: Option<u64>) -> Result<RecordBatch> {
    let count = |value: fn(&FileReport) -> u64| {
        Arc::new(Int64Array::from_iter_values(
            files.iter().map(|file| value(file) as i64),
        ))
    };
    let mut formats = ListBuilder::new(StringBuilder::new());
    for file in files {
        file.formats
            .keys()
            .for_each(|format| formats.values().append_value(format));
        formats.append(true);
    }
    let version = events_version.and_then(|version| i64::try_from(version).ok());
    Ok(RecordBatch::try_new(
        ledger_schema(),
        vec![
            Arc::new(times(ingested, files.len())),
            Arc::new(StringArray::from_iter_values(
                files.iter().map(|file| file.path.as_str()),
            )),
            Arc::new(StringArray::from_iter_values(
                files.iter().map(|file| file.sha256.as_str()),
            )),
            count(|file| file.size),
            count(|file| file.read),
            count(|file| file.stored),
            count(|file| file.duplicate),
            count(|file| file.rejected),
            count(|file| file.derived),
            count(|file| file.skipped.values().sum()),
            Arc::new(formats.finish()),
            Arc::new(
                files
                    .iter()
                    .map(|file| file.problem.as_deref())
                    .collect::<StringArray>(),
            ),
            Arc::new(Int64Array::from_iter(files.iter().map(|_| version))),
        ],
    )?)
}

fn times(at: i64, rows: usize) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from_value(at, rows).with_timezone("UTC")
}
