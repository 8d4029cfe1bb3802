//! `x NOT IN (SELECT y FROM list)`, where the list is known: it has values and no NULL.
//!
//! In general NULLs count in such a condition, and the join that knows about them keeps all
//! rows of `x` in memory. Where the list has no NULL, a row stays if it has an `x` which the
//! list has not, and then the list is what waits in memory.

use datafusion::arrow::array::Array as _;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, Result};
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// Rule for after subqueries have become joins.
#[derive(Debug)]
pub(super) struct NotInList;

impl OptimizerRule for NotInList {
    fn name(&self) -> &'static str {
        "not_in_list"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(join) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let ([(value, Expr::Column(listed))], None, JoinType::LeftAnti, true) =
            (join.on.as_slice(), &join.filter, join.join_type, join.null_aware)
        else {
            return Ok(Transformed::no(plan));
        };
        if !has_values_only(&join.right, listed)? {
            return Ok(Transformed::no(plan));
        }
        let given = Filter::try_new(value.clone().is_not_null(), Arc::clone(&join.left))?;
        Ok(Transformed::yes(LogicalPlan::Join(Join {
            left: Arc::new(LogicalPlan::Filter(given)),
            null_aware: false,
            ..join.clone()
        })))
    }
}

/// Whether a column of a plan is that of a table in memory, which has rows, and none without
/// a value.
fn has_values_only(plan: &LogicalPlan, column: &Column) -> Result<bool> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => {
            let position = alias.schema.index_of_column(column)?;
            let below = Column::from(alias.input.schema().qualified_field(position));
            has_values_only(&alias.input, &below)
        }
        LogicalPlan::Projection(projection) => {
            let position = projection.schema.index_of_column(column)?;
            let mut expr = projection.expr.get(position);
            loop {
                expr = match expr {
                    Some(Expr::Alias(alias)) => Some(&alias.expr),
                    // It fails, or gives a value of a value.
                    Some(Expr::Cast(cast)) => Some(&cast.expr),
                    Some(Expr::Column(below)) => return has_values_only(&projection.input, below),
                    _ => return Ok(false),
                };
            }
        }
        LogicalPlan::TableScan(scan) if scan.filters.is_empty() && scan.fetch.is_none() => {
            let provider = source_as_provider(&scan.source)?;
            let table = provider.downcast_ref::<MemTable>();
            Ok(table.is_some_and(|table| holds_values_only(table, &column.name)))
        }
        _ => Ok(false),
    }
}

fn holds_values_only(table: &MemTable, column: &str) -> bool {
    let mut rows = 0;
    for part in &table.batches {
        // Nobody writes to them; if somebody did, nothing would be known.
        let Ok(batches) = part.try_read() else {
            return false;
        };
        for batch in batches.iter() {
            match batch.column_by_name(column) {
                Some(values) if values.null_count() == 0 => rows += values.len(),
                _ => return false,
            }
        }
    }
    rows > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
    use datafusion::prelude::SessionContext;

    fn table(values: Vec<Option<&str>>) -> Arc<MemTable> {
        let column: ArrayRef = Arc::new(StringArray::from(values));
        let batch = RecordBatch::try_from_iter_with_nullable([("v", column, true)]).unwrap();
        Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap())
    }

    /// The values kept with the rule and without it, and whether the rule changed the plan.
    async fn kept(list: Vec<Option<&str>>, sql: &str) -> (Vec<String>, bool) {
        let mut answers = Vec::new();
        let mut aware = Vec::new();
        for rule in [true, false] {
            let context = SessionContext::new();
            if rule {
                context.add_optimizer_rule(Arc::new(NotInList));
            }
            context
                .register_table("t", table(vec![Some("a"), None, Some("b"), Some("c")]))
                .unwrap();
            context.register_table("list", table(list.clone())).unwrap();
            let frame = context.sql(sql).await.unwrap();
            let plan = frame.clone().into_optimized_plan().unwrap();
            aware.push(format!("{plan:?}").contains("null_aware: true"));
            let batches = frame.collect().await.unwrap();
            let shown = datafusion::arrow::util::pretty::pretty_format_batches(&batches).unwrap();
            let mut rows: Vec<String> = shown.to_string().lines().skip(3).map(str::to_owned).collect();
            rows.sort();
            answers.push(rows);
        }
        assert_eq!(answers[0], answers[1], "{sql} of {list:?}");
        (answers.remove(0), aware == [false, true])
    }

    #[tokio::test]
    async fn a_list_without_null_needs_no_join_that_knows_of_it() {
        let sql = "SELECT v FROM t WHERE v NOT IN (SELECT v FROM list)";
        let (rows, changed) = kept(vec![Some("b"), Some("x")], sql).await;
        assert!(changed);
        assert_eq!(rows.iter().filter(|row| row.starts_with("| ")).count(), 2, "{rows:?}");
        // With a NULL in the list nothing stays, with nothing in it everything, NULL too.
        assert!(!kept(vec![Some("b"), None], sql).await.1);
        assert!(!kept(vec![], sql).await.1);
        // Of a part of the list it is not known whether there is anything.
        let part = "SELECT v FROM t WHERE v NOT IN (SELECT v FROM list WHERE v > 'w')";
        assert!(!kept(vec![Some("b")], part).await.1);
        let cast = "SELECT v FROM t WHERE v NOT IN (SELECT arrow_cast(v, 'Utf8View') FROM list)";
        assert!(kept(vec![Some("a")], cast).await.1);
        let renamed = "SELECT v FROM t WHERE v NOT IN (SELECT l.v AS other FROM list AS l)";
        assert!(kept(vec![Some("a")], renamed).await.1);
    }
}
