//! Which row groups of a file a scan needs, by the file's own statistics.

use crate::lake::ReadColumns;
use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, Result as DfResult, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, ParquetFileReaderFactory};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::object_store::path::Path;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// A file's row groups as containers that a predicate can rule out.
pub(super) struct RowGroups<'a> {
    file: &'a PartitionedFile,
    partition_columns: Vec<&'a str>,
    table: &'a SchemaRef,
    metadata: Arc<ParquetMetaData>,
    schema: Schema,
}

/// What is read of a file at once, before anything is skipped within a row group.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) path: Path,
    /// Bytes of the file.
    pub(super) size: u64,
    /// Row groups of the file.
    pub(super) row_groups_of: u64,
    /// Number and rows of each row group that is read, and where its columns' chunks are.
    pub(super) row_groups: Vec<(usize, u64, Vec<Range<u64>>)>,
    /// Where the page index is, if it is read.
    pub(super) index: Option<Range<u64>>,
    /// How often the file is opened for that, each time with its index.
    pub(super) opened: u64,
    /// The columns of which the metadata are read, which are kept.
    pub(super) metadata_of: Option<ReadColumns>,
    /// Whether the same scan has not just read of the file, and still has its end.
    pub(super) comes_anew: bool,
}

/// What rules out row groups for a scan of a table; none where its predicate cannot.
pub(super) fn pruning(table: &TableSchema, predicate: Option<&Arc<dyn PhysicalExpr>>) -> Option<PruningPredicate> {
    // A predicate that statistics say nothing about rules nothing out.
    PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(table.table_schema()))
        .try_build(Arc::clone(predicate?))
        .ok()
        .filter(|pruning| !pruning.always_true())
}

impl<'a> RowGroups<'a> {
    /// Reads the metadata of a file, which the reader then finds in the cache.
    pub(super) async fn read(
        readers: &dyn ParquetFileReaderFactory,
        table: &'a TableSchema,
        file: &'a PartitionedFile,
    ) -> DfResult<Self> {
        let unseen = ExecutionPlanMetricsSet::new();
        let mut reader = readers.create_reader(0, file.clone(), None, &unseen)?;
        let metadata = reader.get_metadata(None).await?;
        let described = metadata.file_metadata();
        let schema = parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata())?;
        let partition_columns = table.table_partition_cols().iter();
        Ok(Self {
            file,
            partition_columns: partition_columns.map(|field| field.name().as_str()).collect(),
            table: table.table_schema(),
            metadata,
            schema,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// Rows of one.
    pub(super) fn rows(&self, row_group: usize) -> u64 {
        let groups = self.metadata.row_groups();
        groups
            .get(row_group)
            .map_or(0, |group| u64::try_from(group.num_rows()).unwrap_or_default())
    }

    /// What of these columns there is to read in these row groups.
    pub(super) fn reading(
        &self,
        row_groups: impl IntoIterator<Item = usize>,
        columns: &BTreeSet<String>,
        with_index: bool,
    ) -> Reading {
        let of_group = |number| {
            let chunks = self.chunks(number).filter(|(column, _)| columns.contains(*column));
            (number, self.rows(number), chunks.map(|(_, range)| range).collect())
        };
        Reading {
            path: self.file.object_meta.location.clone(),
            size: self.file.object_meta.size,
            row_groups_of: self.len() as u64,
            row_groups: row_groups.into_iter().map(of_group).collect(),
            index: self.index().filter(|_| with_index),
            opened: 1,
            metadata_of: self.file.extensions.get::<ReadColumns>().cloned(),
            comes_anew: true,
        }
    }

    /// Where the page index is, which is read at once.
    fn index(&self) -> Option<Range<u64>> {
        let chunks = self.metadata.row_groups().iter().flat_map(|group| group.columns());
        let indexes = chunks.flat_map(|chunk| {
            [
                chunk.column_index_offset().zip(chunk.column_index_length()),
                chunk.offset_index_offset().zip(chunk.offset_index_length()),
            ]
        });
        let ranges = indexes.flatten().filter_map(|(offset, length)| {
            let start = u64::try_from(offset).ok()?;
            Some(start..start + u64::try_from(length).ok()?)
        });
        ranges.reduce(|all, one| all.start.min(one.start)..all.end.max(one.end))
    }

    /// Where the chunks of a row group are in the file, each with the name of its column.
    fn chunks(&self, row_group: usize) -> impl Iterator<Item = (&str, Range<u64>)> {
        let groups = self.metadata.row_groups();
        let chunks = groups.get(row_group).map_or(&[][..], |group| group.columns());
        chunks.iter().filter_map(|chunk| {
            let (start, length) = chunk.byte_range();
            Some((chunk.column_path().parts().first()?.as_str(), start..start + length))
        })
    }

    /// Compressed bytes of each column of the table in a row group; 0 where the file has it not.
    pub(super) fn column_bytes(&self, row_group: usize) -> Vec<u64> {
        let mut bytes = vec![0; self.table.fields().len()];
        let groups = self.metadata.row_groups();
        for column in groups.get(row_group).map_or(&[][..], |group| group.columns()) {
            let name = column.column_path().parts().first();
            if let Some((position, _)) = name.and_then(|name| self.table.column_with_name(name))
                && let Some(sum) = bytes.get_mut(position)
            {
                *sum += u64::try_from(column.compressed_size()).unwrap_or_default();
            }
        }
        bytes
    }

    /// Per row group, whether the predicate may keep a row of it.
    pub(super) fn wanted(&self, pruning: Option<&PruningPredicate>) -> Vec<bool> {
        // What Bloom filters left of the file when its scan was planned.
        let left = self.file.extensions.get::<ParquetAccessPlan>();
        let left = |group| left.is_none_or(|left| group < left.len() && left.should_scan(group));
        let all: Vec<bool> = (0..self.len()).map(left).collect();
        // The log's statistics have already ruled out a file by its only row group.
        let pruned = pruning
            .filter(|_| self.len() > 1)
            .and_then(|pruning| pruning.prune(self).ok());
        match pruned {
            Some(pruned) => all.into_iter().zip(pruned).map(|(left, kept)| left && kept).collect(),
            None => all,
        }
    }

    fn partition_value(&self, column: &Column) -> Option<&ScalarValue> {
        let position = self.partition_columns.iter().position(|name| *name == column.name)?;
        self.file.partition_values.get(position)
    }

    fn converter(&self, column: &Column) -> Option<StatisticsConverter<'_>> {
        let parquet = self.metadata.file_metadata().schema_descr();
        StatisticsConverter::try_new(&column.name, &self.schema, parquet).ok()
    }

    fn in_file(&self, column: &Column) -> bool {
        self.schema.column_with_name(&column.name).is_some()
    }

    /// A column that the file does not have is null in every row.
    fn nulls(&self, column: &Column) -> Option<ArrayRef> {
        let field = self.table.field_with_name(&column.name).ok()?;
        Some(datafusion::arrow::array::new_null_array(field.data_type(), self.len()))
    }
}

impl PruningStatistics for RowGroups<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        if let Some(value) = self.partition_value(column) {
            return value.to_array_of_size(self.len()).ok();
        }
        if !self.in_file(column) {
            return self.nulls(column);
        }
        self.converter(column)?.row_group_mins(self.metadata.row_groups()).ok()
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        if let Some(value) = self.partition_value(column) {
            return value.to_array_of_size(self.len()).ok();
        }
        if !self.in_file(column) {
            return self.nulls(column);
        }
        self.converter(column)?.row_group_maxes(self.metadata.row_groups()).ok()
    }

    fn num_containers(&self) -> usize {
        self.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        if let Some(value) = self.partition_value(column) {
            return if value.is_null() {
                self.row_counts()
            } else {
                Some(Arc::new(UInt64Array::from(vec![0; self.len()])))
            };
        }
        if !self.in_file(column) {
            return self.row_counts();
        }
        let counts = self
            .converter(column)?
            .row_group_null_counts(self.metadata.row_groups());
        counts.ok().map(|counts| Arc::new(counts) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = (0..self.len()).map(|group| Some(self.rows(group))).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
