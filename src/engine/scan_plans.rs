//! What a physical plan will read: its scans of the lake, before anything runs.

use super::Engine;
use crate::lake::LakeTableProvider;
use datafusion::catalog::TableProvider as _;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use serde::Serialize;

/// One scan of a table of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanPlan {
    /// The table.
    pub table: String,
    /// Columns that are read for what is above the scan; those of the predicate alone are
    /// not among them.
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
        tables.filter_map(|(name, table)| Some((name.as_str(), table.downcast_ref::<LakeTableProvider>()?)))
    }

    fn add_scans(&self, plan: &dyn ExecutionPlan, scans: &mut Vec<ScanPlan>) {
        scans.extend(self.scan(plan));
        for child in plan.children() {
            self.add_scans(child.as_ref(), scans);
        }
    }

    fn scan(&self, plan: &dyn ExecutionPlan) -> Option<ScanPlan> {
        let schema = plan.schema();
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        // What a scan becomes when none of its files can hold a row.
        if plan.is::<EmptyExec>() {
            let has_all = |table: &LakeTableProvider| {
                let known = table.schema();
                let mut columns = schema.fields().iter();
                columns.all(|field| known.field_with_name(field.name()).is_ok())
            };
            let (table, provider) = self.lake_tables().find(|(_, table)| has_all(table))?;
            return Some(ScanPlan {
                table: table.to_owned(),
                columns,
                predicate: None,
                files: 0,
                files_of: provider.files().len() as u64,
                bytes: 0,
            });
        }
        let source = plan.downcast_ref::<DataSourceExec>()?;
        let (config, parquet) = source.downcast_to_file_source::<ParquetSource>()?;
        let files = || config.file_groups.iter().flat_map(|group| group.files());
        let holds = |provider: &LakeTableProvider| files().all(|file| provider.holds(&file.object_meta.location));
        let (table, provider) = self.lake_tables().find(|(_, table)| holds(table))?;
        let predicate = parquet.filter();
        Some(ScanPlan {
            table: table.to_owned(),
            columns,
            predicate: predicate.map(|predicate| fmt_sql(predicate.as_ref()).to_string()),
            files: files().count() as u64,
            files_of: provider.files().len() as u64,
            bytes: bytes(config),
        })
    }
}

fn bytes(config: &FileScanConfig) -> u64 {
    let files = config.file_groups.iter().flat_map(|group| group.files());
    files.map(|file| file.object_meta.size).sum()
}
