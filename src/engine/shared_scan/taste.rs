//! A consumer's own predicate and projection over the batches of a common pass.

use super::figures::Counters;
use super::leaf::Leaf;
use datafusion::arrow::array::{AsArray as _, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::projection::Projector;
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

/// What a consumer takes of the batches of a pass.
pub(super) struct Taste {
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// The columns that are read of rows which pass it; its dynamic conditions and its projection over
    /// just these.
    columns: Vec<usize>,
    dynamic: Option<Arc<dyn PhysicalExpr>>,
    projector: Projector,
}

impl Taste {
    /// The batches have the schema `pass`.
    pub(super) fn new(leaf: &Leaf, pass: &SchemaRef) -> DfResult<Self> {
        let over = |expr: &Option<Arc<dyn PhysicalExpr>>, schema: &SchemaRef| {
            let expr = expr.clone();
            expr.map(|expr| reassign_expr_columns(expr, schema)).transpose()
        };
        let mut columns = Vec::new();
        for column in leaf.tasted() {
            columns.push(pass.index_of(leaf.table().table_schema().field(column).name())?);
        }
        let narrow = Arc::new(pass.project(&columns)?);
        let projection = leaf.projection.clone();
        let projection = projection.try_map_exprs(|expr| reassign_expr_columns(expr, &narrow))?;
        Ok(Self {
            predicate: over(&leaf.predicate, pass)?,
            columns,
            dynamic: over(&leaf.dynamic, &narrow)?,
            projector: projection.make_projector(&narrow)?,
        })
    }

    /// The consumer's rows of a batch; none where it takes none. Those that pass its predicate are
    /// counted, whichever of them its plan has found no use for by now.
    pub(super) fn of(&self, batch: &RecordBatch, counters: &Counters) -> DfResult<Option<RecordBatch>> {
        let mut rows = batch.project(&self.columns)?;
        if let Some(predicate) = &self.predicate {
            rows = filtered(rows, kept(predicate, batch)?)?;
        }
        counters.matched(rows.num_rows());
        if let Some(dynamic) = self.dynamic.as_ref().filter(|_| rows.num_rows() > 0) {
            let kept = kept(dynamic, &rows)?;
            rows = filtered(rows, kept)?;
        }
        match rows.num_rows() {
            0 => Ok(None),
            _ => self.projector.project_batch(&rows).map(Some),
        }
    }
}

/// The rows that a condition keeps; nothing where it keeps all.
fn kept(condition: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> DfResult<Option<BooleanArray>> {
    let mask = match condition.evaluate(batch)? {
        ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))) => return Ok(None),
        mask => mask.into_array(batch.num_rows())?,
    };
    let Some(mask) = mask.as_boolean_opt() else {
        return Err(DataFusionError::Internal(format!("{condition} is not a condition")));
    };
    Ok((mask.true_count() < batch.num_rows()).then(|| mask.clone()))
}

fn filtered(rows: RecordBatch, kept: Option<BooleanArray>) -> DfResult<RecordBatch> {
    match kept {
        None => Ok(rows),
        Some(kept) if kept.true_count() == 0 => Ok(rows.slice(0, 0)),
        Some(kept) => Ok(filter_record_batch(&rows, &kept)?),
    }
}
