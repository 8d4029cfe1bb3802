//! Asks first whether a row is in a span of its key.
//!
//! A scan looks at one condition after the other, each at the rows that are left, and begins
//! with that which reads the fewest bytes. [Spans](super::keyed_spans) are there because they
//! leave few rows, so that what else is asked, however cheap to read, is asked of these alone.

use super::keyed_spans::is_in_spans;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::datasource::physical_plan::FileSource as _;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::{conjunction, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// Rule for after the conditions have been pushed into the scans.
#[derive(Debug)]
pub(super) struct SpansFirst;

impl PhysicalOptimizerRule for SpansFirst {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match reordered(plan.as_ref()) {
            Some(scan) => Ok(Transformed::yes(scan)),
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "spans_first"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The scan with the other order, if there is a span among its conditions.
fn reordered(plan: &dyn ExecutionPlan) -> Option<Arc<dyn ExecutionPlan>> {
    let (config, parquet) = plan
        .downcast_ref::<DataSourceExec>()?
        .downcast_to_file_source::<ParquetSource>()?;
    let filter = parquet.filter()?;
    let conditions = split_conjunction(&filter);
    let (spans, others): (Vec<_>, Vec<_>) = conditions.into_iter().partition(|condition| is_in_spans(condition));
    if spans.is_empty() {
        return None;
    }
    let source = parquet
        .clone()
        .with_predicate(conjunction(spans.into_iter().chain(others).cloned()))
        .with_reorder_filters(false);
    let config = FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(source))
        .build();
    Some(DataSourceExec::from_data_source(config))
}
