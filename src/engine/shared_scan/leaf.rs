//! What one scan of a plan asks for, taken out of its `DataSourceExec`.

use super::predicate::{columns_of, is_dynamic, safe_part};
use super::selectivity::kept;
use crate::lake::{FilesOfScan, ReadColumns};
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::utils::{conjunction_opt, reassign_expr_columns, split_conjunction};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// A scan that can be fed by a common one.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// The scan itself, which still reads what no other scan wants.
    pub(super) exec: Arc<DataSourceExec>,
    pub(super) config: FileScanConfig,
    pub(super) source: ParquetSource,
    pub(super) readers: Arc<dyn ParquetFileReaderFactory>,
    /// Whole files, by path.
    pub(super) files: BTreeMap<String, PartitionedFile>,
    /// The predicate without its dynamic parts; none keeps every row.
    pub(super) predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Its dynamic parts, which keep a row less the longer the plan runs.
    pub(super) dynamic: Option<Arc<dyn PhysicalExpr>>,
    /// The how manieth its plan reads of the scans of which each waits for the one before.
    pub(super) phase: usize,
    /// What of the predicate cannot fail, so that it can be evaluated for several scans at
    /// once; none keeps every row.
    pub(super) safe: Option<Arc<dyn PhysicalExpr>>,
    /// Share of the rows that its whole predicate is likely to keep, and that its safe part is.
    pub(super) kept: f64,
    pub(super) safely_kept: f64,
    pub(super) projection: ProjectionExprs,
    /// The table as the columns of these expressions count: of all scans that are fed
    /// together, once these are known.
    table: TableSchema,
    /// Columns of the table that the predicate reads.
    pub(super) predicate_columns: BTreeSet<usize>,
    /// Columns of the table that its safe part reads.
    pub(super) safe_columns: BTreeSet<usize>,
    /// All columns of the table that it reads.
    pub(super) columns: BTreeSet<usize>,
}

impl Leaf {
    /// The scan in a plan's leaf; none where it cannot be fed by a common scan.
    pub(super) fn of(plan: &Arc<dyn ExecutionPlan>, phase: usize) -> DfResult<Option<Self>> {
        let Some(exec) = plan.downcast_ref::<DataSourceExec>() else {
            return Ok(None);
        };
        let Some((config, source)) = exec.downcast_to_file_source::<ParquetSource>() else {
            return Ok(None);
        };
        let Some(readers) = source.parquet_file_reader_factory() else {
            return Ok(None);
        };
        // A limit ends a scan early; an order or a partitioning says which rows come where.
        let plain = config.limit.is_none()
            && !config.preserve_order
            && config.output_ordering.is_empty()
            && config.output_partitioning.is_none()
            && config.expr_adapter_factory.is_none()
            && source.table_schema().virtual_columns().is_empty();
        let predicate = source.filter();
        let exact = predicate.is_none() || source.table_parquet_options().global.pushdown_filters;
        let Some(files) = whole_files(config).filter(|_| plain && exact) else {
            return Ok(None);
        };
        let Some(projection) = source.projection().cloned() else {
            return Ok(None);
        };
        let conjuncts = predicate.iter().flat_map(split_conjunction).cloned();
        let (dynamic, fixed): (Vec<_>, Vec<_>) = conjuncts.partition(is_dynamic);
        // Its value comes from another part of the same plan, which may itself wait for rows.
        if fixed.iter().chain(&dynamic).any(reads_subquery) || projection.expr_iter().any(|expr| reads_subquery(&expr))
        {
            return Ok(None);
        }
        let predicate = conjunction_opt(fixed);
        let safe = predicate.as_ref().and_then(safe_part);
        let partition = source.table_schema().file_schema().fields().len();
        let likely = |expr: Option<&Arc<dyn PhysicalExpr>>| expr.map_or(1.0, |expr| kept(expr, partition));
        let mut leaf = Self {
            exec: Arc::new(exec.clone()),
            config: config.clone(),
            source: source.clone(),
            readers: Arc::clone(readers),
            files,
            kept: likely(source.filter().as_ref()),
            safely_kept: likely(safe.as_ref()),
            predicate,
            dynamic: conjunction_opt(dynamic),
            phase,
            safe,
            projection,
            table: source.table_schema().clone(),
            predicate_columns: BTreeSet::new(),
            safe_columns: BTreeSet::new(),
            columns: BTreeSet::new(),
        };
        leaf.count_columns();
        Ok(Some(leaf))
    }

    fn count_columns(&mut self) {
        self.predicate_columns = self.predicate.as_ref().map(columns_of).unwrap_or_default();
        self.safe_columns = self.safe.as_ref().map(columns_of).unwrap_or_default();
        self.columns = self.predicate_columns.clone();
        self.columns.extend(self.tasted());
    }

    /// Columns of the table that are read of rows which pass the predicate.
    pub(super) fn tasted(&self) -> BTreeSet<usize> {
        let mut columns = self.dynamic.as_ref().map(columns_of).unwrap_or_default();
        columns.extend(self.projection.column_indices());
        columns
    }

    /// The table, with the columns that any scan reads which is fed together with this one.
    pub(super) fn table(&self) -> &TableSchema {
        &self.table
    }

    /// A file as this scan alone reads it.
    pub(super) fn own(&self, file: &PartitionedFile) -> PartitionedFile {
        let columns = ReadColumns::of(self.source.table_schema().file_schema());
        file.clone().with_extension(columns)
    }

    /// Names of the columns that it reads.
    pub(super) fn column_names(&self) -> impl Iterator<Item = String> {
        let fields = self.table.table_schema().fields();
        let read = self.columns.iter().filter_map(|column| fields.get(*column));
        read.map(|field| field.name().clone())
    }

    /// Whether both read the same table of the same store: what they both know of it agrees.
    pub(super) fn same_table(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.table.file_schema(), other.table.file_schema());
        let agrees = |field: &FieldRef| {
            let same = theirs.fields().find(field.name());
            same.is_none_or(|(_, same)| same == field)
        };
        self.config.object_store_url == other.config.object_store_url
            && self.table.table_partition_cols() == other.table.table_partition_cols()
            && ours.fields().iter().all(agrees)
    }

    /// Counts columns as in this table, which has all that the scan reads.
    pub(super) fn widen(&mut self, table: &TableSchema) -> DfResult<()> {
        let schema = table.table_schema();
        let widened = |expr: &Option<Arc<dyn PhysicalExpr>>| {
            let expr = expr.clone();
            expr.map(|expr| reassign_expr_columns(expr, schema)).transpose()
        };
        (self.predicate, self.safe) = (widened(&self.predicate)?, widened(&self.safe)?);
        self.dynamic = widened(&self.dynamic)?;
        let projection = self.projection.clone();
        self.projection = projection.try_map_exprs(|expr| reassign_expr_columns(expr, schema))?;
        self.table = table.clone();
        self.count_columns();
        Ok(())
    }
}

/// The columns of all these scans of one table.
pub(super) fn common_table<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> TableSchema {
    let mut fields: Vec<FieldRef> = Vec::new();
    let mut seen: HashSet<&String> = HashSet::new();
    let mut partition_columns = Vec::new();
    for leaf in leaves {
        partition_columns = leaf.table.table_partition_cols().to_vec();
        let more = leaf.source.table_schema().file_schema().fields().iter();
        fields.extend(more.filter(|field| seen.insert(field.name())).cloned());
    }
    TableSchema::builder(Arc::new(Schema::new(fields)))
        .with_table_partition_cols(partition_columns)
        .build()
}

fn reads_subquery(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let mut found = false;
    // The closure never fails, so there is no result to look at.
    let _ = expr.apply(|part| {
        found |= part.downcast_ref::<ScalarSubqueryExpr>().is_some();
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// The files of a scan, put together where the optimizer cut them into ranges of bytes; none
/// where a part of a file is missing.
fn whole_files(config: &FileScanConfig) -> Option<BTreeMap<String, PartitionedFile>> {
    let mut files: BTreeMap<String, (PartitionedFile, u64)> = BTreeMap::new();
    for file in config.file_groups.iter().flat_map(|group| group.iter()) {
        let known = [
            file.extensions.contains::<ReadColumns>(),
            file.extensions.contains::<FilesOfScan>(),
        ];
        let known = known.into_iter().filter(|known| *known).count();
        if file.extensions.len() > known {
            return None;
        }
        let covered = match &file.range {
            None => file.object_meta.size,
            Some(range) => u64::try_from(range.end.checked_sub(range.start)?).ok()?,
        };
        let (_, sum) = files.entry(file.path().to_string()).or_insert_with(|| {
            let mut whole = file.clone();
            whole.range = None;
            (whole, 0)
        });
        *sum = sum.checked_add(covered)?;
    }
    let covered = files.values().all(|(file, sum)| *sum == file.object_meta.size);
    covered.then(|| files.into_iter().map(|(path, (file, _))| (path, file)).collect())
}
