//! Which row groups of a file a scan needs, by the file's own statistics.

use super::leaf::Leaf;
use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, Result as DfResult, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use std::collections::HashSet;
use std::sync::Arc;

/// A file's row groups as containers that a predicate can rule out.
pub(super) struct RowGroups<'a> {
    file: &'a PartitionedFile,
    partition_columns: Vec<&'a str>,
    table: &'a SchemaRef,
    metadata: Arc<ParquetMetaData>,
    schema: Schema,
}

/// What rules out row groups for a scan; none where its predicate cannot.
pub(super) fn pruning(leaf: &Leaf) -> Option<PruningPredicate> {
    let predicate = leaf.predicate.as_ref()?;
    // A predicate that statistics say nothing about rules nothing out.
    PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(leaf.table().table_schema()))
        .try_build(Arc::clone(predicate))
        .ok()
        .filter(|pruning| !pruning.always_true())
}

impl<'a> RowGroups<'a> {
    /// Reads the metadata of a file, which the reader then finds in the cache.
    pub(super) async fn read(leaf: &'a Leaf, file: &'a PartitionedFile) -> DfResult<Self> {
        let unseen = ExecutionPlanMetricsSet::new();
        let mut reader = leaf.readers.create_reader(0, file.clone(), None, &unseen)?;
        let metadata = reader.get_metadata(None).await?;
        let described = metadata.file_metadata();
        let schema = parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata())?;
        let partition_columns = leaf.config.table_partition_cols().iter();
        Ok(Self {
            file,
            partition_columns: partition_columns.map(|field| field.name().as_str()).collect(),
            table: leaf.table().table_schema(),
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
        // The log's statistics have already ruled out a file by its only row group.
        let all = vec![true; self.len()];
        match pruning.filter(|_| self.len() > 1) {
            Some(pruning) => pruning.prune(self).unwrap_or(all),
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
