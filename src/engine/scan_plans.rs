//! What a physical plan will read: its scans of the lake, before anything runs.

use super::Engine;
use crate::config::format_instant;
use crate::lake::{LakeTableProvider, LateTable};
use datafusion::catalog::TableProvider as _;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::object_store::path::Path;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One scan of a table of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanPlan {
    /// The table.
    pub table: String,
    /// Columns that are read, those of the predicate among them.
    pub columns: Vec<String>,
    /// The condition that is evaluated while reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Files left after those that the log's statistics show to hold nothing.
    pub files: u64,
    /// Files of the table.
    pub files_of: u64,
    /// Size of the files that are left. Less is read: what is needed of the columns.
    pub bytes: u64,
}

impl Engine {
    /// The scans of a physical plan, in the order in which the plan shows them.
    pub fn scans(&self, plan: &dyn ExecutionPlan) -> Vec<ScanPlan> {
        let mut scans = Vec::new();
        self.add_scans(plan, &mut scans);
        scans
    }

    fn lake_tables(&self) -> impl Iterator<Item = (&str, &LakeTableProvider)> {
        let tables = self.tables.iter();
        tables.filter_map(|(name, table)| {
            let late = || table.downcast_ref::<LateTable>().and_then(LateTable::opened);
            let lake = table.downcast_ref::<LakeTableProvider>().or_else(late)?;
            Some((name.as_str(), lake))
        })
    }

    fn add_scans(&self, plan: &dyn ExecutionPlan, scans: &mut Vec<ScanPlan>) {
        scans.extend(self.scan(plan));
        for child in plan.children() {
            self.add_scans(child.as_ref(), scans);
        }
    }

    fn scan(&self, plan: &dyn ExecutionPlan) -> Option<ScanPlan> {
        // What a scan becomes when none of its files can hold a row.
        if plan.is::<EmptyExec>() {
            let schema = plan.schema();
            let has_all = |table: &LakeTableProvider| {
                let known = table.schema();
                let mut columns = schema.fields().iter();
                columns.all(|field| known.field_with_name(field.name()).is_ok())
            };
            let (table, provider) = self.lake_tables().find(|(_, table)| has_all(table))?;
            return Some(ScanPlan {
                table: table.to_owned(),
                columns: Vec::new(),
                predicate: None,
                files: 0,
                files_of: provider.files().len() as u64,
                bytes: 0,
            });
        }
        let source = plan.downcast_ref::<DataSourceExec>()?;
        let (config, parquet) = source.downcast_to_file_source::<ParquetSource>()?;
        let files = files(config);
        let holds = |table: &LakeTableProvider| files.keys().all(|location| table.holds(location));
        let (table, provider) = self.lake_tables().find(|(_, table)| holds(table))?;
        let predicate = parquet.filter();
        Some(ScanPlan {
            table: table.to_owned(),
            columns: columns(parquet),
            predicate: predicate.as_ref().map(as_sql),
            files: files.len() as u64,
            files_of: provider.files().len() as u64,
            bytes: files.values().map(|file| file.object_meta.size).sum(),
        })
    }
}

/// The files of a scan, each once: a large one may be read in several parts.
pub(super) fn files(config: &FileScanConfig) -> BTreeMap<&Path, &PartitionedFile> {
    let files = config.file_groups.iter().flat_map(|group| group.files());
    files.map(|file| (&file.object_meta.location, file)).collect()
}

/// The columns that a scan needs of its files, and those that its files' folders name.
pub(super) fn columns(parquet: &ParquetSource) -> Vec<String> {
    let schema = parquet.table_schema().table_schema();
    let projected = parquet
        .projection()
        .into_iter()
        .flat_map(|projection| projection.iter());
    let expressions = projected.map(|item| Arc::clone(&item.expr)).chain(parquet.filter());
    let columns: BTreeSet<usize> = expressions
        .flat_map(|expr| collect_columns(&expr))
        .map(|column| column.index())
        .collect();
    let fields = columns.into_iter().filter_map(|index| schema.fields().get(index));
    fields.map(|field| field.name().clone()).collect()
}

/// A condition with its texts in quotes and its times readable.
fn as_sql(predicate: &Arc<dyn PhysicalExpr>) -> String {
    let shown = Arc::clone(predicate).transform(|expr| {
        let text = match expr.downcast_ref::<Literal>().map(Literal::value) {
            Some(ScalarValue::TimestampMicrosecond(Some(time), _)) => format!("'{}'", format_instant(*time)),
            Some(value) => match value.try_as_str() {
                Some(Some(text)) => format!("'{}'", text.replace('\'', "''")),
                _ => return Ok(Transformed::no(expr)),
            },
            None => return Ok(Transformed::no(expr)),
        };
        // A column's name is shown as it is.
        Ok(Transformed::yes(
            Arc::new(Column::new(&text, 0)) as Arc<dyn PhysicalExpr>
        ))
    });
    let shown = shown.map_or_else(|_| Arc::clone(predicate), |shown| shown.data);
    fmt_sql(shown.as_ref()).to_string()
}
