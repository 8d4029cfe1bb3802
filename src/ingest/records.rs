//! Rows of the ledger and of the quarantine.

use super::near::Near;
use super::parse::Rejected;
use super::pending::Origin;
use super::report::FileReport;
use crate::error::Result;
use crate::lake::{ledger_schema, quarantine_schema, repeat_fields};
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, Int64Array, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field};
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
            Arc::new(near(rejected, |near| Some(&*near.dataset)).collect::<StringArray>()),
            Arc::new(near(rejected, |near| near.organization.as_deref()).collect::<StringArray>()),
            Arc::new(
                near(rejected, |near| Some(near.time))
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ],
    )?)
}

/// Of what is near each of the records.
fn near<'a, T>(rejected: &'a [&Rejected], value: impl Fn(&'a Near) -> Option<T>) -> impl Iterator<Item = Option<T>> {
    rejected.iter().map(move |r| r.near.as_ref().and_then(&value))
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
            repeats(files)?,
        ],
    )?)
}

fn times(at: i64, rows: usize) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from_value(at, rows).with_timezone("UTC")
}

/// The repeats of each file as a list.
fn repeats(files: &[&FileReport]) -> Result<ArrayRef> {
    let rows = || files.iter().flat_map(|file| file.repeats.iter());
    let hours = || rows().map(|(hour, _)| hour);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(
            hours()
                .map(|hour| hour.map(|(dataset, _, _)| dataset))
                .collect::<StringArray>(),
        ),
        Arc::new(
            hours()
                .map(|hour| hour.and_then(|(_, organization, _)| organization.as_ref()))
                .collect::<StringArray>(),
        ),
        Arc::new(
            hours()
                .map(|hour| hour.map(|(_, _, hour)| *hour))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        Arc::new(Int64Array::from_iter_values(rows().map(|(_, count)| count as i64))),
    ];
    let structs = StructArray::try_new(repeat_fields(), columns, None)?;
    let item = Arc::new(Field::new_list_field(DataType::Struct(repeat_fields()), true));
    let lengths = OffsetBuffer::from_lengths(files.iter().map(|file| file.repeats.iter().count()));
    Ok(Arc::new(ListArray::try_new(item, lengths, Arc::new(structs), None)?))
}
