//! What share of the rows a condition is likely to keep, by its form alone.
//!
//! As planners of databases guess since System R: nothing of the values is known but what a
//! condition says of them. It decides which scans are read together, never which rows come.

use super::predicate::columns_of;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

/// One value of a column.
const EQUAL: f64 = 0.05;
/// Values up to, or from, some one.
const RANGE: f64 = 0.3;
/// A text like a pattern.
const LIKE: f64 = 0.1;
/// No value at all.
const NULL: f64 = 0.1;
/// What a function says, or a join's other side once it is known.
const UNKNOWN: f64 = 0.2;

/// Between 0 and 1, of the rows of a file that may have some. Columns from the `partition`th on say
/// of a file as a whole which it is, so that it would not be read if it were not wanted.
pub(super) fn kept(condition: &Arc<dyn PhysicalExpr>, partition: usize) -> f64 {
    let kept = |part: &Arc<dyn PhysicalExpr>| kept(part, partition);
    let binary = condition.downcast_ref::<BinaryExpr>();
    match binary.map(|binary| (binary.op(), binary)) {
        Some((Operator::And, both)) => return kept(both.left()) * kept(both.right()),
        Some((Operator::Or, either)) => return 1.0 - (1.0 - kept(either.left())) * (1.0 - kept(either.right())),
        _ => {}
    }
    let columns = columns_of(condition);
    if columns.first().is_some_and(|first| *first >= partition) {
        return 1.0;
    }
    if let Some(binary) = binary {
        return match binary.op() {
            Operator::Eq | Operator::IsNotDistinctFrom => EQUAL,
            Operator::NotEq | Operator::IsDistinctFrom => 1.0 - EQUAL,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => RANGE,
            _ => UNKNOWN,
        };
    }
    let unless = |negated: bool, share: f64| if negated { 1.0 - share } else { share };
    if let Some(not) = condition.downcast_ref::<NotExpr>() {
        return 1.0 - kept(not.arg());
    }
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        let share = (EQUAL * list.list().len() as f64).min(0.5);
        return unless(list.negated(), share);
    }
    if let Some(like) = condition.downcast_ref::<LikeExpr>() {
        return unless(like.negated(), LIKE);
    }
    if condition.downcast_ref::<IsNullExpr>().is_some() {
        return NULL;
    }
    if condition.downcast_ref::<IsNotNullExpr>().is_some() {
        return 1.0 - NULL;
    }
    if let Some(literal) = condition.downcast_ref::<Literal>() {
        return match literal.value() {
            ScalarValue::Boolean(Some(true)) => 1.0,
            _ => 0.0,
        };
    }
    UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::common::DFSchema;
    use datafusion::logical_expr::{Expr, col, lit, not};
    use datafusion::prelude::SessionContext;

    /// Of a table with two columns of its files and one of its partitions.
    fn share(condition: Expr) -> f64 {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![text("action"), text("address"), text("dataset")]);
        let schema = DFSchema::try_from(schema).unwrap();
        let session = SessionContext::new();
        kept(&session.state().create_physical_expr(condition, &schema).unwrap(), 2)
    }

    #[test]
    fn what_names_one_value_keeps_least_and_what_excludes_one_most() {
        let action = || col("action").eq(lit("a"));
        let there = || col("address").is_not_null();
        let ascending = [
            share(action().and(col("address").eq(lit("b")))),
            share(action().and(there())),
            share(action()),
            share(action().or(col("action").eq(lit("b")))),
            share(col("action").gt(lit("b"))),
            share(there()),
            share(not(action())),
        ];
        assert!(ascending.is_sorted_by(|less, more| less < more), "{ascending:?}");
        assert!(ascending.iter().all(|share| (0.0..=1.0).contains(share)));
        let many: Vec<Expr> = (0..40).map(|value| lit(value.to_string())).collect();
        assert!(share(action()) < share(col("action").in_list(many.clone(), false)));
        assert!(share(there()) > share(col("action").in_list(many, true)));
        assert_eq!(share(lit(true)), 1.0);
    }

    #[test]
    fn of_many_alternatives_each_is_looked_at_once() {
        let address = |n: i32| col("address").like(lit(format!("%{n}%")));
        let many = (0..80).map(address).reduce(Expr::or).unwrap();
        assert!(share(many) > 0.99);
    }

    #[test]
    fn of_a_file_that_is_read_a_partition_keeps_all() {
        let dataset = || col("dataset").eq(lit("o365.audit"));
        assert_eq!(share(dataset()), 1.0);
        assert_eq!(share(not(dataset())), 1.0);
        assert_eq!(share(dataset().or(col("action").eq(lit("a")))), 1.0);
        assert_eq!(
            share(dataset().and(col("action").eq(lit("a")))),
            share(col("action").eq(lit("a")))
        );
    }
}
