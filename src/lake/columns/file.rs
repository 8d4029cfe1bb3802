//! Row groups to a file.

use super::bounds::{NumberBounds, TextBounds};
use super::{Columns, WrittenColumn, failed};
use crate::error::{Error, Result};
use crate::lake::layout::{TableName, events_schema};
use crate::lake::writer::{Bound, CREATED_BY, ParquetFile, ROW_GROUP_ROWS, Statistics};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::writer::SerializedFileWriter;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of rows after which a row group ends: few records are so long.
const ROW_GROUP_BYTES: usize = 1 << 30;

/// Bytes that a file has of a column chunk beside its pages and its filter: what the index and the
/// footer say of it.
const AROUND_A_CHUNK: usize = 1 << 10;

/// Which rows are a row group each, by how many bytes each row has.
pub fn row_groups(rows: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let (mut begin, mut end, mut bytes) = (0, 0, 0usize);
    for row in rows {
        end += 1;
        bytes = bytes.saturating_add(row);
        if end - begin == ROW_GROUP_ROWS || bytes >= ROW_GROUP_BYTES {
            groups.push(begin..end);
            (begin, bytes) = (end, 0);
        }
    }
    if begin < end {
        groups.push(begin..end);
    }
    groups
}

/// A file of row groups, each of which comes in one part or in several that have different columns.
/// All row groups have the same.
///
/// # Errors
///
/// [`Error::Internal`] where the parts of a row group differ in their rows, or row groups in their
/// columns.
pub fn events_file(partition: Vec<(String, Option<String>)>, groups: Vec<Vec<Columns>>) -> Result<ParquetFile> {
    let mut statistics = Statistics::new(TableName::Events, &events_schema());
    let mut groups: Vec<_> = groups.into_iter().map(joined).collect::<Result<_>>()?;
    if let [(_, only)] = groups.as_mut_slice() {
        // No other has anything that these could be for.
        only.retain(|column| column.holds_values);
    }
    let positions = |columns: &[WrittenColumn]| columns.iter().map(|of| of.position).collect::<Vec<_>>();
    let all = groups
        .first()
        .map(|(_, columns)| positions(columns))
        .unwrap_or_default();
    let bytes = |(_, columns): &(usize, Vec<WrittenColumn>)| {
        let leaves = columns.iter().flat_map(|column| &column.leaves);
        leaves
            .map(|leaf| leaf.bytes.len() + AROUND_A_CHUNK + leaf.bytes_of_filter())
            .sum::<usize>()
    };
    let mut file = new_file(&all, groups.iter().map(bytes).sum())?;
    for (rows, columns) in groups {
        if positions(&columns) != all {
            return Err(Error::Internal("row groups of a file have different columns".into()));
        }
        let mut group = file.next_row_group().map_err(failed)?;
        statistics.add_rows(rows);
        for column in columns {
            for leaf in column.leaves {
                let bounds = bounds_of(column.position, leaf.texts, leaf.numbers);
                let values = rows.saturating_sub(leaf.nulls as usize);
                statistics.note_values(column.position, values, bounds);
                group.append_column(&leaf.bytes, leaf.close).map_err(failed)?;
            }
        }
        group.close().map_err(failed)?;
    }
    let bytes = file.into_inner().map_err(failed)?;
    Ok(ParquetFile::new(TableName::Events, partition, bytes, statistics))
}

/// The columns of a row group in their order, and how many rows it has.
fn joined(parts: Vec<Columns>) -> Result<(usize, Vec<WrittenColumn>)> {
    let rows = parts.first().map_or(0, |part| part.rows);
    if parts.iter().any(|part| part.rows != rows) {
        return Err(Error::Internal("columns of a row group have different rows".into()));
    }
    let mut columns: Vec<WrittenColumn> = parts.into_iter().flat_map(|part| part.columns).collect();
    columns.sort_unstable_by_key(|column| column.position);
    Ok((rows, columns))
}

fn new_file(positions: &[usize], bytes: usize) -> Result<SerializedFileWriter<Vec<u8>>> {
    let all = events_schema();
    let fields: Vec<_> = positions.iter().map(|&at| Arc::clone(&all.fields()[at])).collect();
    let schema = ArrowSchemaConverter::new()
        .convert(&Schema::new(fields))
        .map_err(failed)?;
    let properties = WriterProperties::builder().set_created_by(CREATED_BY.to_owned());
    let file = SerializedFileWriter::new(
        Vec::with_capacity(bytes),
        schema.root_schema_ptr(),
        Arc::new(properties.build()),
    );
    file.map_err(failed)
}

fn bounds_of(position: usize, texts: Option<TextBounds>, numbers: Option<NumberBounds>) -> Option<(Bound, Bound)> {
    let text = |bytes: &[u8]| Bound::Text(String::from_utf8_lossy(bytes).into_owned());
    if let Some(bounds) = &texts {
        return bounds.get().map(|(low, high)| (text(low), text(high)));
    }
    let (low, high) = numbers?.0?;
    let is_time = matches!(events_schema().field(position).data_type(), DataType::Timestamp(_, _));
    let bound = if is_time { Bound::Time } else { Bound::Number };
    Some((bound(low), bound(high)))
}
