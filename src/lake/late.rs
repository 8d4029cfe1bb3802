//! A table that is opened when it is first read.

use super::layout::TableName;
use super::{Lake, LakeTableProvider};
use crate::error::{Error, Result};
use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, project_schema};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A table that most queries do not read: to open it would cost each of them as many requests
/// as `events` does. Where there is none, it has no rows.
#[derive(Debug)]
pub struct LateTable {
    lake: Lake,
    name: TableName,
    schema: SchemaRef,
    provider: OnceCell<Option<LakeTableProvider>>,
}

impl LateTable {
    /// The table of this name, at the version that it has when it is first read.
    pub fn new(lake: &Lake, name: TableName) -> Self {
        Self {
            lake: lake.clone(),
            name,
            schema: name.read_schema(),
            provider: OnceCell::new(),
        }
    }

    /// The table, if it has been read and there is one.
    pub fn opened(&self) -> Option<&LakeTableProvider> {
        self.provider.get()?.as_ref()
    }

    async fn provider(&self) -> Result<Option<&LakeTableProvider>> {
        let open = || async {
            let (lake, name) = (self.lake.clone(), self.name);
            // To its end, whoever waits for it: the Delta reader panics where nobody does.
            let opened = tokio::spawn(async move { lake.table_if_exists(name).await }).await;
            let opened = opened.map_err(|error| Error::Internal(format!("opening a table ended: {error}")))?;
            opened?.map(LakeTableProvider::new).transpose()
        };
        Ok(self.provider.get_or_try_init(open).await?.as_ref())
    }
}

#[async_trait]
impl TableProvider for LateTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
        match self.provider().await? {
            Some(provider) => provider.scan(state, projection, filters, limit).await,
            None => Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?))),
        }
    }
}
