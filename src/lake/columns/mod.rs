//! Events to a Parquet file, cell by cell in the order of its rows, without Arrow in between: what
//! is written is touched once. The pages are what Arrow's writer would make of the same rows.

mod bounds;
mod compression;
mod dictionary;
mod filter;
mod leaf;
mod levels;
mod pages;
#[cfg(test)]
mod tests;
mod values;

use super::layout::{TableName, events_schema};
use super::writer::{Bound, ParquetFile, ROW_GROUP_ROWS, Statistics};
use crate::error::{Error, Result};
use bounds::{NumberBounds, TextBounds};
use compression::{Codec, Compressor};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::writer::SerializedFileWriter;
pub(super) use filter::{BLOCK, FALSE_POSITIVES, block_of};
use leaf::{Leaf, LeafSettings, ValueType};
use std::sync::Arc;

/// Bytes of values that are held at most before a row group ends: few records are so long.
const ROW_GROUP_BYTES: usize = 512 << 20;

/// A file of `events` in the making. Cells come row by row, in the order of the layout; a row has
/// at most one of each column.
pub struct EventsWriter {
    /// In the order of the table.
    columns: Vec<Column>,
    /// By position in [`events_schema`]: one more than the place in `columns`, or 0.
    places: Vec<u16>,
    /// Rows of the row group so far.
    rows: usize,
    statistics: Statistics,
    compressor: Compressor,
    /// Row groups that are written.
    file: Option<SerializedFileWriter<Vec<u8>>>,
}

struct Column {
    position: usize,
    value_type: ValueType,
    settings: Vec<LeafSettings>,
    /// One; two for pairs: names and values.
    leaves: Vec<Leaf>,
}

impl std::fmt::Debug for EventsWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventsWriter")
            .field("columns", &self.columns.len())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl EventsWriter {
    /// For rows that have no other columns than those at these positions of [`events_schema`],
    /// which are in order.
    pub fn new(positions: &[usize]) -> Result<Self> {
        let all = events_schema();
        let fields: Vec<_> = positions.iter().map(|&at| Arc::clone(&all.fields()[at])).collect();
        let schema = Schema::new(fields);
        let described = ArrowSchemaConverter::new().convert(&schema).map_err(failed)?;
        let mut described = described.columns().iter();
        let kept = TableName::Events.statistics_columns();
        let mut places = vec![0; all.fields().len()];
        let mut columns = Vec::with_capacity(positions.len());
        for &position in positions {
            let field = all.field(position);
            let name = field.name().as_str();
            let (value_type, leaves) = match field.data_type() {
                DataType::Int64 | DataType::Timestamp(_, _) => (ValueType::Long, 1),
                DataType::Float64 => (ValueType::Double, 1),
                DataType::Boolean => (ValueType::Boolean, 1),
                DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => (ValueType::Text, 2),
                _ => (ValueType::Text, 1),
            };
            // Each column that a query opens costs a decompressor, which zstd's is slow to make;
            // what nearly every condition names, and is small, has one that costs nothing.
            let codec = if kept.contains(&name) { Codec::Lz4 } else { Codec::Zstd };
            let settings = described.by_ref().take(leaves).map(|descr| LeafSettings {
                descr: Arc::clone(descr),
                codec,
                // The text of records is unique: a dictionary and bounds of it are lost work.
                bounded: name != "raw",
                filtered: TableName::Events.needle_columns().contains(&name),
            });
            let settings: Vec<LeafSettings> = settings.collect();
            columns.push(Column {
                position,
                value_type,
                leaves: settings.iter().map(|of| Leaf::new(of.clone(), value_type)).collect(),
                settings,
            });
            places[position] = columns.len() as u16;
        }
        Ok(Self {
            columns,
            places,
            rows: 0,
            statistics: Statistics::new(TableName::Events, &all),
            compressor: Compressor::new()?,
            file: None,
        })
    }

    fn column(&mut self, position: usize) -> Option<(&mut Column, usize, &mut Compressor)> {
        let place = usize::from(*self.places.get(position)?).checked_sub(1)?;
        Some((self.columns.get_mut(place)?, self.rows, &mut self.compressor))
    }

    /// Sets a text of the row.
    pub fn text(&mut self, position: usize, text: &[u8]) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let [leaf] = column.leaves.as_mut_slice()
        {
            leaf.begin(row, compressor)?;
            leaf.text(text, 0, compressor)?;
        }
        Ok(())
    }

    /// Sets a number of the row, or a time in microseconds.
    pub fn long(&mut self, position: usize, number: i64) -> Result<()> {
        self.word(position, number as u64)
    }

    /// Sets a number of the row.
    pub fn double(&mut self, position: usize, number: f64) -> Result<()> {
        self.word(position, number.to_bits())
    }

    fn word(&mut self, position: usize, word: u64) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let [leaf] = column.leaves.as_mut_slice()
        {
            leaf.begin(row, compressor)?;
            leaf.word(word);
        }
        Ok(())
    }

    /// Sets a flag of the row.
    pub fn boolean(&mut self, position: usize, flag: bool) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let [leaf] = column.leaves.as_mut_slice()
        {
            leaf.begin(row, compressor)?;
            leaf.flag(flag);
        }
        Ok(())
    }

    /// Sets a list of texts of the row.
    pub fn texts<'a>(&mut self, position: usize, texts: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let [leaf] = column.leaves.as_mut_slice()
        {
            leaf.begin(row, compressor)?;
            let mut repetition = 0;
            for text in texts {
                leaf.text(text, repetition, compressor)?;
                repetition = 1;
            }
            if repetition == 0 {
                leaf.absent(EMPTY_LIST, 0);
            }
        }
        Ok(())
    }

    /// Sets a list of names, and of the values of those that have one, of the row.
    pub fn pairs<'a>(
        &mut self,
        position: usize,
        pairs: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let [names, values] = column.leaves.as_mut_slice()
        {
            names.begin(row, compressor)?;
            values.begin(row, compressor)?;
            let mut repetition = 0;
            for (name, value) in pairs {
                names.text(name, repetition, compressor)?;
                match value {
                    Some(value) => values.text(value, repetition, compressor)?,
                    None => values.absent(ABSENT_MEMBER, repetition),
                }
                repetition = 1;
            }
            if repetition == 0 {
                names.absent(EMPTY_LIST, 0);
                values.absent(EMPTY_LIST, 0);
            }
        }
        Ok(())
    }

    /// Ends the row.
    pub fn end_row(&mut self) -> Result<()> {
        self.rows += 1;
        // Looking at every column takes as long as writing a row.
        let held = self.rows.is_multiple_of(1024) && self.memory() >= ROW_GROUP_BYTES;
        if self.rows == ROW_GROUP_ROWS || held {
            self.end_row_group(false)?;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let leaves = self.columns.iter().flat_map(|column| &column.leaves);
        leaves.map(Leaf::memory).sum()
    }

    fn end_row_group(&mut self, last: bool) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                if last {
                    // Nothing comes anymore that a column could be for.
                    self.columns
                        .retain(|column| column.leaves.iter().any(Leaf::holds_values));
                }
                let file = new_file(&self.columns)?;
                self.file.insert(file)
            }
        };
        let mut group = file.next_row_group().map_err(failed)?;
        self.statistics.add_rows(self.rows);
        for column in &mut self.columns {
            let fresh = column
                .settings
                .iter()
                .map(|of| Leaf::new(of.clone(), column.value_type));
            let leaves = std::mem::replace(&mut column.leaves, fresh.collect());
            for leaf in leaves {
                let finished = leaf.finish(self.rows, &mut self.compressor)?;
                let bounds = bounds_of(column.position, finished.texts, finished.numbers);
                let values = self.rows.saturating_sub(finished.nulls as usize);
                self.statistics.note_values(column.position, values, bounds);
                let bytes = bytes::Bytes::from(finished.bytes);
                group.append_column(&bytes, finished.close).map_err(failed)?;
            }
        }
        group.close().map_err(failed)?;
        self.rows = 0;
        Ok(())
    }

    /// Ends the file.
    pub fn finish(mut self, partition: Vec<(String, Option<String>)>) -> Result<ParquetFile> {
        self.end_row_group(true)?;
        let file = match self.file {
            Some(file) => file,
            None => new_file(&self.columns)?,
        };
        let bytes = file.into_inner().map_err(failed)?;
        Ok(ParquetFile::new(partition, bytes, self.statistics))
    }
}

/// Definition level of a list without elements.
const EMPTY_LIST: u8 = 1;

/// Definition level of a member without a value, of an element that is a structure.
const ABSENT_MEMBER: u8 = 3;

fn new_file(columns: &[Column]) -> Result<SerializedFileWriter<Vec<u8>>> {
    let all = events_schema();
    let fields: Vec<_> = columns
        .iter()
        .map(|column| Arc::clone(&all.fields()[column.position]))
        .collect();
    let schema = ArrowSchemaConverter::new()
        .convert(&Schema::new(fields))
        .map_err(failed)?;
    let properties = WriterProperties::builder().set_created_by(super::writer::CREATED_BY.to_owned());
    let file = SerializedFileWriter::new(Vec::new(), schema.root_schema_ptr(), Arc::new(properties.build()));
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

fn failed(error: ParquetError) -> Error {
    Error::Internal(format!("cannot encode Parquet: {error}"))
}
