//! Events to a Parquet file, cell by cell in the order of its rows, without Arrow in between: what
//! is written is touched once. The pages are what Arrow's writer would make of the same rows.
//!
//! A row group is written whole, or by several threads that each write some of its columns.

mod bounds;
mod compression;
mod dictionary;
mod file;
mod filter;
mod leaf;
mod lengths;
mod levels;
mod pages;
mod segments;
#[cfg(test)]
mod tests;
mod values;

use super::layout::{TableName, events_schema};
use crate::error::{Error, Result};
use compression::{Codec, Compressor};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::errors::ParquetError;
pub use file::{events_file, row_groups};
pub(super) use filter::{BLOCK, FALSE_POSITIVES, block_of};
use leaf::{Finished, Leaf, LeafSettings, ValueType};
use std::sync::Arc;

/// Columns of one row group of `events` in the making, all of them or some. Cells come row by row, in
/// the order of the layout; a row has at most one of each column. Those of other columns are passed over.
pub struct ColumnsWriter {
    /// In the order of the table.
    columns: Vec<Column>,
    /// By position in [`events_schema`]: one more than the place in `columns`, or 0.
    places: Vec<u16>,
    /// Rows so far.
    rows: usize,
    compressor: Compressor,
}

struct Column {
    position: usize,
    /// Of pairs, the names.
    leaf: Leaf,
    /// Of pairs, the values.
    values: Option<Box<Leaf>>,
}

/// Columns of one row group, written: for [`events_file`].
pub struct Columns {
    rows: usize,
    columns: Vec<WrittenColumn>,
}

struct WrittenColumn {
    position: usize,
    /// Whether anything but nulls is in it.
    holds_values: bool,
    /// One; two for pairs: names and values.
    leaves: Vec<Finished>,
}

impl std::fmt::Debug for ColumnsWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnsWriter")
            .field("columns", &self.columns.len())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Columns")
            .field("columns", &self.columns.len())
            .field("rows", &self.rows)
            .finish()
    }
}

impl ColumnsWriter {
    /// For the columns at these positions of [`events_schema`], and so many rows as far as is known.
    pub fn new(positions: &[usize], expected: usize) -> Result<Self> {
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
            let value_type = match field.data_type() {
                DataType::Int64 | DataType::Timestamp(_, _) => ValueType::Long,
                DataType::Float64 => ValueType::Double,
                DataType::Boolean => ValueType::Boolean,
                _ => ValueType::Text,
            };
            let pairs =
                matches!(field.data_type(), DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)));
            // Each column that a query opens costs a decompressor, which zstd's is slow to make;
            // what nearly every condition names, and is small, has one that costs nothing.
            let codec = if kept.contains(&name) { Codec::Lz4 } else { Codec::Zstd };
            let mut leaf = || {
                let descr = described.next().ok_or_else(|| missing(name))?;
                let settings = LeafSettings {
                    descr: Arc::clone(descr),
                    codec,
                    // The text of records is unique: a dictionary and bounds of it are lost work.
                    bounded: name != "raw",
                    filtered: TableName::Events.needle_columns().contains(&name),
                };
                Ok::<_, Error>(Leaf::new(settings, value_type, expected))
            };
            columns.push(Column {
                position,
                leaf: leaf()?,
                values: if pairs { Some(Box::new(leaf()?)) } else { None },
            });
            places[position] = columns.len() as u16;
        }
        Ok(Self {
            columns,
            places,
            rows: 0,
            compressor: Compressor::new()?,
        })
    }

    fn column(&mut self, position: usize) -> Option<(&mut Column, usize, &mut Compressor)> {
        let place = usize::from(*self.places.get(position)?).checked_sub(1)?;
        Some((self.columns.get_mut(place)?, self.rows, &mut self.compressor))
    }

    /// Sets a text of the row.
    pub fn text(&mut self, position: usize, text: &[u8]) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let Column { leaf, values: None, .. } = column
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
            && let Column { leaf, values: None, .. } = column
        {
            leaf.begin(row, compressor)?;
            leaf.word(word);
        }
        Ok(())
    }

    /// Sets a flag of the row.
    pub fn boolean(&mut self, position: usize, flag: bool) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let Column { leaf, values: None, .. } = column
        {
            leaf.begin(row, compressor)?;
            leaf.flag(flag);
        }
        Ok(())
    }

    /// Sets a list of texts of the row.
    pub fn texts<'a>(&mut self, position: usize, texts: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        if let Some((column, row, compressor)) = self.column(position)
            && let Column { leaf, values: None, .. } = column
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
            && let Column {
                leaf: names,
                values: Some(values),
                ..
            } = column
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
    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Ends the row group.
    pub fn finish(mut self) -> Result<Columns> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            let leaves = || std::iter::once(&column.leaf).chain(column.values.as_deref());
            let holds_values = leaves().any(Leaf::holds_values);
            let leaves = std::iter::once(column.leaf).chain(column.values.map(|values| *values));
            let finished = leaves.map(|leaf| leaf.finish(self.rows, &mut self.compressor));
            columns.push(WrittenColumn {
                position: column.position,
                holds_values,
                leaves: finished.collect::<Result<_>>()?,
            });
        }
        Ok(Columns {
            rows: self.rows,
            columns,
        })
    }
}

/// Definition level of a list without elements.
const EMPTY_LIST: u8 = 1;

/// Definition level of a member without a value, of an element that is a structure.
const ABSENT_MEMBER: u8 = 3;

fn missing(column: &str) -> Error {
    Error::Internal(format!("the table's schema has too few leaves for {column}"))
}

fn failed(error: ParquetError) -> Error {
    Error::Internal(format!("cannot encode Parquet: {error}"))
}
