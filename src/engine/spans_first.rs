//! Asks first whether a row is in a span of its key.
//!
//! A scan looks at one condition after the other, each at the rows that are left, and begins
//! with that which reads the fewest bytes. [Spans](super::keyed_spans) are there because they
//! leave few rows, so that what else is asked, however cheap to read, is asked of these alone.
//!
//! What may fail is asked last: a division, of a row that no other condition leaves, has to fail no
//! query. Above all, the times that a detection sees are a condition as others are.

use super::keyed_spans::is_in_spans;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::datasource::physical_plan::FileSource as _;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
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

/// Whether a condition may fail on a row.
fn may_fail(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let fails = |inner: &Arc<dyn PhysicalExpr>| {
        let divides = inner.downcast_ref::<BinaryExpr>();
        let divides = divides.is_some_and(|inner| matches!(inner.op(), Operator::Divide | Operator::Modulo));
        let reads = inner.downcast_ref::<CastExpr>();
        let reads = reads.is_some_and(|inner| inner.cast_type().is_numeric() || inner.cast_type().is_temporal());
        Ok(divides || reads)
    };
    condition.exists(fails).unwrap_or(true)
}

/// The scan with the other order, if there is a span among its conditions, or what may fail.
fn reordered(plan: &dyn ExecutionPlan) -> Option<Arc<dyn ExecutionPlan>> {
    let (config, parquet) = plan
        .downcast_ref::<DataSourceExec>()?
        .downcast_to_file_source::<ParquetSource>()?;
    let filter = parquet.filter()?;
    let conditions = split_conjunction(&filter);
    let (spans, others): (Vec<_>, Vec<_>) = conditions.into_iter().partition(|condition| is_in_spans(condition));
    let (failing, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|condition| may_fail(condition));
    if spans.is_empty() && (failing.is_empty() || others.is_empty()) {
        return None;
    }
    let source = parquet
        .clone()
        .with_predicate(conjunction(spans.into_iter().chain(others).chain(failing).cloned()))
        .with_reorder_filters(false);
    let config = FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(source))
        .build();
    Some(DataSourceExec::from_data_source(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::KeyedSpans;
    use datafusion::arrow::array::{ArrayRef, RecordBatch, StringViewArray, TimestampMicrosecondArray};
    use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use datafusion::common::DFSchema;
    use datafusion::datasource::listing::PartitionedFile;
    use datafusion::execution::object_store::ObjectStoreUrl;
    use datafusion::logical_expr::{Expr, ident, lit};
    use datafusion::prelude::SessionContext;

    fn scan(condition: Expr) -> Arc<dyn ExecutionPlan> {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Schema::new(vec![
            Field::new("time", time, true),
            Field::new("key", DataType::Utf8View, true),
        ]);
        let known = DFSchema::try_from(schema.clone()).unwrap();
        let predicate = SessionContext::new().create_physical_expr(condition, &known).unwrap();
        let source = ParquetSource::new(Arc::new(schema)).with_predicate(predicate);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file(PartitionedFile::new("a.parquet", 1))
            .build();
        DataSourceExec::from_data_source(config)
    }

    fn conditions(plan: &Arc<dyn ExecutionPlan>) -> Vec<String> {
        let source = plan.downcast_ref::<DataSourceExec>().unwrap();
        let (_, parquet) = source.downcast_to_file_source::<ParquetSource>().unwrap();
        let filter = parquet.filter().unwrap();
        split_conjunction(&filter).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn spans_come_before_what_was_there_before_them() {
        let key: ArrayRef = Arc::new(StringViewArray::from(vec!["c"]));
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![5]).with_timezone("UTC"));
        let found = RecordBatch::try_from_iter([("key", key), ("time", time)]).unwrap();
        let mut spans = KeyedSpans::new(vec![DataType::Utf8View]);
        spans.add(&found, |time| Some((time, time))).unwrap();
        let spans = Arc::new(spans.joined()).condition(ident("time"), vec![ident("key")], (5, 5));
        let others = ident("key").not_eq(lit("a")).and(ident("key").not_eq(lit("b")));
        let plan = scan(others.clone().and(spans));
        let before = conditions(&plan);
        let after = SpansFirst.optimize(plan, &ConfigOptions::new()).unwrap();
        let after = conditions(&after);
        assert!(after.first().unwrap().starts_with("__in_spans"), "{after:?}");
        let rest: Vec<&String> = before
            .iter()
            .filter(|condition| !condition.starts_with("__in_spans"))
            .collect();
        assert_eq!(after.iter().skip(1).collect::<Vec<_>>(), rest);

        let without = scan(others);
        let same = SpansFirst
            .optimize(Arc::clone(&without), &ConfigOptions::new())
            .unwrap();
        assert!(Arc::ptr_eq(&without, &same));
    }
    #[test]
    fn what_may_fail_comes_last() {
        let number = datafusion::logical_expr::cast(ident("key"), DataType::Int64);
        let share = (lit(12_i64) / (number - lit(2_i64))).gt(lit(0_i64));
        let plan = scan(
            share
                .clone()
                .and(ident("key").not_eq(lit("a")))
                .and(ident("key").not_eq(lit("b"))),
        );
        let before = conditions(&plan);
        let after = conditions(&SpansFirst.optimize(plan, &ConfigOptions::new()).unwrap());
        assert!(before[0].contains('/') && after[2].contains('/'), "{after:?}");
        assert_eq!(after[..2], before[1..]);

        let alone = scan(share);
        let same = SpansFirst.optimize(Arc::clone(&alone), &ConfigOptions::new()).unwrap();
        assert!(Arc::ptr_eq(&alone, &same));
    }
}
