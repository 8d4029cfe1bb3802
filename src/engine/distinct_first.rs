//! DISTINCT before a semi join, where that changes nothing.
//!
//! `SELECT DISTINCT s.user, s.address FROM sign_ins AS s JOIN mail AS m ON ...` is how people ask
//! which users of one log are in another one. DataFusion makes a semi join of it and then the rows
//! distinct. Users and addresses of months of logs are few, the events are many: where all that
//! the join looks at is among what is asked for, its rows are made distinct before it, and few
//! rows wait in memory.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, Result};
use datafusion::logical_expr::{Aggregate, Expr, Join, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use std::collections::HashSet;
use std::sync::Arc;

/// Rule for after joins have become semi joins.
#[derive(Debug)]
pub(super) struct DistinctFirst;

impl OptimizerRule for DistinctFirst {
    fn name(&self) -> &'static str {
        "distinct_first"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(distinct) = &plan else {
            return Ok(Transformed::no(plan));
        };
        Ok(match rewritten(distinct)? {
            Some(early) => Transformed::yes(early),
            None => Transformed::no(plan),
        })
    }
}

fn rewritten(distinct: &Aggregate) -> Result<Option<LogicalPlan>> {
    if !distinct.aggr_expr.is_empty() || distinct.group_expr.is_empty() {
        return Ok(None);
    }
    let (join, projection) = match distinct.input.as_ref() {
        LogicalPlan::Join(join) => (join, None),
        LogicalPlan::Projection(projection) => match projection.input.as_ref() {
            LogicalPlan::Join(join) => (join, Some(projection)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let kept = match join.join_type {
        JoinType::LeftSemi => &join.left,
        JoinType::RightSemi => &join.right,
        _ => return Ok(None),
    };
    // What is asked for, as columns of the join.
    let asked = distinct.group_expr.iter().map(|expr| source(expr, projection));
    let Some(asked) = asked.collect::<Option<Vec<Column>>>() else {
        return Ok(None);
    };
    let of_keys = join.on.iter().flat_map(|(left, right)| [left, right]);
    let compared = of_keys.chain(&join.filter).flat_map(Expr::column_refs);
    let mut of_kept = compared.filter(|column| kept.schema().has_column(column));
    let is_distinct_already = matches!(kept.as_ref(), LogicalPlan::Aggregate(below) if below.aggr_expr.is_empty());
    if is_distinct_already || !of_kept.all(|column| asked.contains(column)) {
        return Ok(None);
    }
    let mut each = asked.clone();
    let mut seen = HashSet::new();
    each.retain(|column| seen.insert(column.clone()));
    let rows = Aggregate::try_new(
        Arc::clone(kept),
        each.into_iter().map(Expr::Column).collect(),
        Vec::new(),
    )?;
    let rows = Arc::new(LogicalPlan::Aggregate(rows));
    let (left, right) = match join.join_type {
        JoinType::LeftSemi => (rows, Arc::clone(&join.right)),
        _ => (Arc::clone(&join.left), rows),
    };
    let early = Join::try_new(
        left,
        right,
        join.on.clone(),
        join.filter.clone(),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    // Under the names that they had.
    let named = distinct.schema.iter().zip(asked).map(|((qualifier, field), column)| {
        match column.relation.as_ref() == qualifier && column.name == *field.name() {
            true => Expr::Column(column),
            false => Expr::Column(column).alias_qualified(qualifier.cloned(), field.name()),
        }
    });
    let named = Projection::try_new(named.collect(), Arc::new(LogicalPlan::Join(early)))?;
    Ok(Some(LogicalPlan::Projection(named)))
}

/// The column below a projection that an expression above it stands for; none where it is more
/// than a column.
fn source(expr: &Expr, projection: Option<&Projection>) -> Option<Column> {
    let Expr::Column(column) = expr else { return None };
    let Some(projection) = projection else {
        return Some(column.clone());
    };
    let position = projection.schema.maybe_index_of_column(column)?;
    match projection.expr.get(position)?.clone().unalias() {
        Expr::Column(below) => Some(below),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::execution::session_state::SessionStateBuilder;
    use datafusion::prelude::SessionContext;
    use proptest::prelude::*;

    type Rows = Vec<(Option<u8>, Option<u8>)>;

    fn table(rows: &Rows) -> RecordBatch {
        let users = rows.iter().map(|(user, _)| user.map(|user| format!("u{user}")));
        let users: ArrayRef = Arc::new(users.collect::<StringArray>());
        let numbers = rows.iter().map(|(_, number)| number.map(i64::from));
        let numbers: ArrayRef = Arc::new(numbers.collect::<Int64Array>());
        RecordBatch::try_from_iter_with_nullable([("u", users, true), ("n", numbers, true)]).unwrap()
    }

    /// The rows in order, and the plan.
    fn asked(sql: &str, a: &Rows, b: &Rows, with_rule: bool) -> (String, String) {
        let mut state = SessionStateBuilder::new().with_default_features();
        if with_rule {
            state = state.with_optimizer_rule(Arc::new(DistinctFirst));
        }
        let context = SessionContext::new_with_state(state.build());
        context.register_batch("a", table(a)).unwrap();
        context.register_batch("b", table(b)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let frame = context.sql(sql).await.unwrap();
            let plan = frame.clone().into_optimized_plan().unwrap();
            let rows = pretty_format_batches(&frame.collect().await.unwrap())
                .unwrap()
                .to_string();
            let mut lines: Vec<&str> = rows.lines().collect();
            lines.sort_unstable();
            (lines.join("\n"), plan.display_indent().to_string())
        })
    }

    const REWRITTEN: [&str; 7] = [
        "SELECT DISTINCT a.u AS who, a.n AS number FROM a JOIN b ON a.u = b.u AND a.n = b.n",
        "SELECT DISTINCT who, again FROM (SELECT a.u AS who, a.u AS again FROM a JOIN b ON a.u = b.u)",
        "SELECT DISTINCT a.u, a.n FROM a JOIN b ON a.u = b.u AND a.n = b.n",
        "SELECT DISTINCT b.u FROM a JOIN b ON a.u = b.u",
        "SELECT a.u FROM a JOIN b ON a.u = b.u WHERE b.n > 1 GROUP BY a.u",
        "SELECT count(*) AS n FROM (SELECT DISTINCT a.u, a.n FROM a JOIN b ON a.u = b.u AND a.n <= b.n)",
        "SELECT DISTINCT u FROM a WHERE u IN (SELECT u FROM b WHERE n = 2)",
    ];

    const KEPT: [&str; 6] = [
        "SELECT DISTINCT a.n FROM a JOIN b ON a.u = b.u",
        "SELECT DISTINCT a.u FROM a JOIN b ON a.u = b.u AND a.n < b.n",
        "SELECT a.u, count(*) AS n FROM a JOIN b ON a.u = b.u GROUP BY a.u",
        "SELECT DISTINCT a.n, b.n FROM a JOIN b ON a.u = b.u",
        "SELECT DISTINCT u FROM a WHERE u NOT IN (SELECT u FROM b)",
        "SELECT DISTINCT a.u || 'x' AS u FROM a JOIN b ON a.u = b.u",
    ];

    /// Whether the semi join stands above the aggregate.
    fn is_early(plan: &str) -> bool {
        let semi = plan.find("Semi Join");
        let distinct = plan.find("aggr=[[]]");
        semi.zip(distinct).is_some_and(|(semi, distinct)| semi < distinct)
    }

    #[test]
    fn rows_are_distinct_before_the_join_where_it_looks_at_nothing_else() {
        let rows = vec![(Some(1), Some(1)), (Some(1), Some(2)), (None, Some(3))];
        for sql in REWRITTEN {
            let plan = asked(sql, &rows, &rows, true).1;
            assert!(is_early(&plan), "{sql}: {plan}");
        }
        for sql in KEPT {
            let plan = asked(sql, &rows, &rows, true).1;
            assert!(!is_early(&plan), "{sql}: {plan}");
        }
    }

    fn rows() -> impl Strategy<Value = Rows> {
        let value = || proptest::option::weighted(0.8, 0_u8..4);
        proptest::collection::vec((value(), value()), 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// The slow twin: the plan as it was.
        #[test]
        fn answers_stay_the_same(a in rows(), b in rows()) {
            for sql in REWRITTEN.iter().chain(&KEPT) {
                let (with, without) = (asked(sql, &a, &b, true).0, asked(sql, &a, &b, false).0);
                prop_assert_eq!(with, without, "{}", sql);
            }
        }
    }
}
