//! A consumer's own predicate and projection over the batches of a common pass.

use super::leaf::Leaf;
use datafusion::arrow::array::AsArray as _;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::physical_expr::projection::Projector;
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

/// What a consumer takes of the batches of a pass.
pub(super) struct Taste {
    predicate: Option<Arc<dyn PhysicalExpr>>,
    projector: Projector,
    /// The columns it reads, and its projection over just these.
    columns: Vec<usize>,
}

impl Taste {
    /// The batches have the schema `pass`.
    pub(super) fn new(leaf: &Leaf, pass: &SchemaRef) -> DfResult<Self> {
        let predicate = leaf.predicate.clone();
        let predicate = predicate.map(|expr| reassign_expr_columns(expr, pass)).transpose()?;
        let mut columns = Vec::new();
        for column in leaf.projection.column_indices() {
            columns.push(pass.index_of(leaf.table().table_schema().field(column).name())?);
        }
        let narrow = pass.project(&columns)?;
        let projection = leaf.projection.clone();
        let projection = projection.try_map_exprs(|expr| reassign_expr_columns(expr, &narrow))?;
        Ok(Self {
            predicate,
            projector: projection.make_projector(&narrow)?,
            columns,
        })
    }

    /// The consumer's rows of a batch; none where it takes none.
    pub(super) fn of(&self, batch: &RecordBatch) -> DfResult<Option<RecordBatch>> {
        let narrow = batch.project(&self.columns)?;
        let rows = match &self.predicate {
            None => narrow,
            Some(predicate) => {
                let mask = predicate.evaluate(batch)?.into_array(batch.num_rows())?;
                let Some(mask) = mask.as_boolean_opt() else {
                    return Err(DataFusionError::Internal(format!("{predicate} is not a condition")));
                };
                match mask.true_count() {
                    0 => return Ok(None),
                    all if all == batch.num_rows() => narrow,
                    _ => filter_record_batch(&narrow, mask)?,
                }
            }
        };
        self.projector.project_batch(&rows).map(Some)
    }
}
