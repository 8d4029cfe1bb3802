//! The DataFusion table over a version of a lake table.

use super::entry::{DataFile, TableFiles};
use super::file_reader::{FileReaders, FilesOfScan, LastFetched, ReadColumns};
use super::layout::TableName;
use super::needles::{Candidate, Needles};
use super::table::LakeTable;
use super::writer::ROW_GROUP_ROWS;
use crate::error::{Error, Result};
use crate::schema::RAW;
use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result as DfResult, Statistics, stats::Precision};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Of a table with no more columns, a scan gets the metadata of all, so that another scan of the
/// same table finds them in the cache.
const FEW_COLUMNS: usize = 32;

/// A version of a table, readable by a query. Its files are pruned by the log's
/// statistics; what is left prunes and filters itself while it is read.
#[derive(Debug)]
pub struct LakeTableProvider {
    table: LakeTable,
    files: Arc<TableFiles>,
    schema: TableSchema,
    /// What scans have just read.
    last_fetched: LastFetched,
}

impl LakeTableProvider {
    /// The version that `table` sees.
    pub fn new(table: LakeTable) -> Result<Self> {
        let files = table.files()?;
        let schema = table_schema(table.name());
        let partition_columns = schema.table_partition_cols().iter();
        let partition_columns = partition_columns.map(|field| field.name().clone()).collect();
        let files = TableFiles::new(files, partition_columns, Arc::clone(schema.table_schema()));
        Ok(Self {
            files: Arc::new(files),
            table,
            schema,
            last_fetched: LastFetched::default(),
        })
    }

    /// The same with those of the files' columns that have one of these names: to plan against
    /// hundreds takes longer than to read a few small files.
    pub fn with_columns(&self, is_named: impl Fn(&str) -> bool) -> Self {
        let fields = self.schema.file_schema().fields().iter();
        let named: Vec<FieldRef> = fields.filter(|field| is_named(field.name())).cloned().collect();
        Self {
            table: self.table.clone(),
            files: Arc::clone(&self.files),
            schema: self.schema_of(Schema::new(named)),
            last_fetched: self.last_fetched.clone(),
        }
    }

    /// The same with no other files than these, which must be files of the table.
    pub fn with_files(&self, files: Vec<DataFile>) -> Self {
        let partition_columns = self.schema.table_partition_cols().iter();
        let partition_columns = partition_columns.map(|field| field.name().clone()).collect();
        let files = TableFiles::new(files, partition_columns, Arc::clone(self.schema.table_schema()));
        Self {
            table: self.table.clone(),
            files: Arc::new(files),
            schema: self.schema.clone(),
            last_fetched: self.last_fetched.clone(),
        }
    }

    /// That of files with these columns, in the same partitions.
    fn schema_of(&self, in_files: Schema) -> TableSchema {
        TableSchema::builder(Arc::new(in_files))
            .with_table_partition_cols(self.schema.table_partition_cols().to_vec())
            .build()
    }

    /// The files of this version.
    pub fn files(&self) -> &[DataFile] {
        self.files.all()
    }

    /// Whether an object of the store is a file of this table.
    pub fn holds(&self, location: &Path) -> bool {
        let folder = self.table.url().path();
        location.prefix_matches(&Path::from_url_path(folder).unwrap_or_else(|_| Path::from(folder)))
    }

    fn object_store_url(&self) -> DfResult<ObjectStoreUrl> {
        let url = self.table.url();
        ObjectStoreUrl::parse(&url[..url::Position::BeforePath])
    }

    /// Whether any file can hold a row that fulfils all of these conditions.
    pub fn may_hold(&self, filters: &[Expr]) -> DfResult<bool> {
        let schema = DFSchema::try_from(self.schema.table_schema().as_ref().clone())?;
        let (execution, planning) = (ExecutionProps::new(), PhysicalPlanningContext::default());
        // What is no expression over a row alone, as with the clock of a tick, says nothing here.
        let physical = filters
            .iter()
            .filter_map(|filter| create_physical_expr(filter, &schema, &execution, &planning).ok());
        let predicate = datafusion::physical_expr::conjunction(physical);
        Ok(self.kept(predicate)?.into_iter().any(|kept| kept))
    }

    fn prune(&self, state: &dyn Session, filters: &[Expr]) -> DfResult<Vec<&DataFile>> {
        let Some(predicate) = conjunction(filters.to_vec()) else {
            return Ok(self.files().iter().collect());
        };
        let schema = DFSchema::try_from(self.schema.table_schema().as_ref().clone())?;
        let kept = self.kept(state.create_physical_expr(predicate, &schema)?)?;
        let files = self.files().iter().zip(kept);
        Ok(files.filter_map(|(file, kept)| kept.then_some(file)).collect())
    }

    /// For each file whether it can hold a row of the predicate.
    fn kept(&self, predicate: Arc<dyn PhysicalExpr>) -> DfResult<Vec<bool>> {
        PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(self.schema.table_schema()))
            .try_build(predicate)?
            .prune(self.files.as_ref())
    }

    /// The table with only those of its files' columns that a scan reads, and where these are
    /// in it. Every file that is opened is compared with this schema, column by column, so
    /// hundreds that nobody asked for would cost more than reading a small file.
    fn narrowed(&self, projection: Option<&Vec<usize>>) -> DfResult<(TableSchema, Vec<usize>)> {
        let Some(projection) = projection else {
            let all = (0..self.schema.table_schema().fields().len()).collect();
            return Ok((self.schema.clone(), all));
        };
        let file_schema = self.schema.file_schema();
        let in_files = file_schema.fields().len();
        let read: BTreeSet<usize> = projection.iter().copied().filter(|column| *column < in_files).collect();
        let read: Vec<usize> = read.into_iter().collect();
        let narrow = self.schema_of(file_schema.project(&read)?);
        let place = |column: &usize| match column.checked_sub(in_files) {
            Some(partition) => read.len() + partition,
            None => read.partition_point(|earlier| earlier < column),
        };
        Ok((narrow, projection.iter().map(place).collect()))
    }

    fn partitioned_file(&self, file: &DataFile) -> PartitionedFile {
        let mut partitioned = PartitionedFile::from(self.table.object_meta(file));
        partitioned.partition_values = file
            .partition
            .iter()
            .zip(self.schema.table_partition_cols())
            .map(|(value, field)| value.cast_to(field.data_type()).unwrap_or_else(|_| value.clone()))
            .collect();
        partitioned
    }
}

#[async_trait]
impl TableProvider for LakeTableProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let url = self.object_store_url()?;
        let store = state.runtime_env().object_store(&url)?;
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let readers = FileReaders::new(url.as_str(), store, Some(cache)).for_scans(&self.last_fetched);
        let mut files = self.prune(state, filters)?;
        let wanted = Needles::of(filters, self.table.name().needle_columns());
        // Of files of which not all row groups are read, which are.
        let mut parts: HashMap<&str, ParquetAccessPlan> = HashMap::new();
        if !wanted.is_empty() {
            let candidates = files.iter().map(|file| Candidate {
                file: self.table.object_meta(file),
                filters: file.filters.clone(),
            });
            let candidates = candidates.collect();
            let mut kept = wanted.may_be_in(&readers, candidates).await?.into_iter();
            files.retain(|file| {
                let groups = kept.next().unwrap_or_default();
                if groups.contains(&true) && groups.contains(&false) {
                    parts.insert(&file.path, only(&groups));
                }
                groups.contains(&true)
            });
        }
        if files.is_empty() {
            let schema = datafusion::physical_plan::project_schema(self.schema.table_schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let (schema, projection) = self.narrowed(projection)?;
        let rows = files
            .iter()
            .try_fold(0_usize, |sum, file| Some(sum + usize::try_from(file.rows?).ok()?));
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        let statistics = Statistics {
            num_rows: rows.map_or(Precision::Absent, Precision::Exact),
            total_byte_size: Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX)),
            column_statistics: Statistics::unknown_column(schema.table_schema()),
        };
        let mut options = state.config_options().execution.parquet.clone();
        // The log's statistics have ruled out what they can of files with one row group. To build
        // the same from each file's own costs more than reading its first column.
        let large = files
            .iter()
            .any(|file| file.rows.is_none_or(|rows| rows > ROW_GROUP_ROWS as u64));
        options.pruning &= large;
        // Of the texts of records, which are most of a file, only the pages with a row that is
        // asked for are read, where it is known which those are.
        let of_records = !filters.is_empty() && schema.file_schema().field_with_name(&RAW.field().column).is_ok();
        options.enable_page_index &= large || of_records;
        let all = self.schema.file_schema();
        let columns = ReadColumns::of(match all.fields().len() <= FEW_COLUMNS {
            true => all,
            false => schema.file_schema(),
        });
        let groups = split(files, state.config().target_partitions());
        let read = schema.file_schema().fields().iter().map(|field| field.name().clone());
        let read: BTreeSet<String> = read.collect();
        let source = ParquetSource::new(schema)
            .with_table_parquet_options(datafusion::config::TableParquetOptions {
                global: options,
                ..Default::default()
            })
            .with_parquet_file_reader_factory(Arc::new(readers));
        let mut groups: Vec<Vec<PartitionedFile>> = groups
            .into_iter()
            .map(|files| {
                let files = files.into_iter().map(|file| {
                    let opened = self.partitioned_file(file).with_extension(columns.clone());
                    match parts.get(file.path.as_str()) {
                        Some(part) => opened.with_extension(part.clone()),
                        None => opened,
                    }
                });
                files.collect()
            })
            .collect();
        FilesOfScan::attach(&mut groups, read);
        let groups = groups.into_iter().map(FileGroup::new).collect();
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(Some(projection))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// A plan to read some row groups.
fn only(groups: &[bool]) -> ParquetAccessPlan {
    let access = groups.iter().map(|is_read| match is_read {
        true => RowGroupAccess::Scan,
        false => RowGroupAccess::Skip,
    });
    ParquetAccessPlan::new(access.collect())
}

fn table_schema(name: TableName) -> TableSchema {
    let partition_fields: Vec<FieldRef> = name.partition_columns().iter().map(as_read).collect();
    let file_fields: Vec<FieldRef> = name.file_schema().fields().iter().map(as_read).collect();
    TableSchema::builder(Arc::new(Schema::new(file_fields)))
        .with_table_partition_cols(partition_fields)
        .build()
}

impl TableName {
    /// All columns as a query sees them.
    pub fn read_schema(self) -> SchemaRef {
        Arc::clone(table_schema(self).table_schema())
    }
}

/// Spreads files over at most `parts` groups of about the same number of bytes.
fn split(mut files: Vec<&DataFile>, parts: usize) -> Vec<Vec<&DataFile>> {
    files.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path)));
    let mut groups: Vec<(u64, Vec<&DataFile>)> = vec![(0, Vec::new()); parts.clamp(1, files.len().max(1))];
    for file in files {
        if let Some(smallest) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            smallest.0 += file.size;
            smallest.1.push(file);
        }
    }
    groups.into_iter().map(|(_, files)| files).collect()
}

/// The type a query sees: strings as views, which is how Parquet is read fastest.
fn as_read(field: &FieldRef) -> FieldRef {
    match field.data_type() {
        DataType::Utf8 => Arc::new(Field::new(field.name(), DataType::Utf8View, field.is_nullable())),
        DataType::Binary => Arc::new(Field::new(field.name(), DataType::BinaryView, field.is_nullable())),
        _ => Arc::clone(field),
    }
}

impl From<Error> for datafusion::error::DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(inner) => *inner,
            other => Self::External(Box::new(other)),
        }
    }
}
