//! What a common scan lets through is what any of its scans wants, and never fails.

use super::super::predicate::{any_of, safe_part};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;
use std::sync::Arc;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("action", DataType::Utf8, true),
        Field::new("at", DataType::Int64, true),
        Field::new("raw", DataType::Utf8, true),
    ]))
}

fn expr(sql: &str) -> Arc<dyn PhysicalExpr> {
    let schema = DFSchema::try_from(schema().as_ref().clone()).unwrap();
    let context = SessionContext::new();
    let logical = context.parse_sql_expr(sql, &schema).unwrap();
    context.create_physical_expr(logical, &schema).unwrap()
}

fn together(predicates: &[&str]) -> String {
    let predicates: Vec<_> = predicates.iter().map(|sql| safe_part(&expr(sql))).collect();
    any_of(&predicates, &schema())
        .unwrap()
        .map_or("everything".into(), |predicate| predicate.to_string())
}

#[test]
fn one_condition_for_several_scans() {
    assert_eq!(
        together(&["action = 'a'", "action = 'b'"]),
        "action@0 IN (SET) ([a, b])"
    );
    assert_eq!(
        together(&["at > 5 AND action = 'a'", "at > 5 AND action IN ('b', 'c')"]),
        "at@1 > 5 AND action@0 IN (SET) ([a, b, c])"
    );
    assert_eq!(
        together(&["action = 'a' AND at > 5", "action = 'b' AND at > 7"]),
        "action@0 IN (SET) ([a, b]) AND (action@0 = a AND at@1 > 5 OR action@0 = b AND at@1 > 7)"
    );
    assert_eq!(together(&["at > 5", "at > 5 AND action = 'a'"]), "at@1 > 5");
    assert_eq!(together(&["at > 5", "action = 'a'"]), "at@1 > 5 OR action@0 = a");
}

#[test]
fn what_can_fail_is_left_out() {
    assert_eq!(
        together(&["action = 'a' AND 10 / at > 1", "action = 'b'"]),
        "action@0 IN (SET) ([a, b])"
    );
    assert_eq!(together(&["CAST(raw AS BIGINT) = 1", "action = 'b'"]), "everything");
    assert_eq!(together(&["action = 'a' OR 10 / at > 1", "action = 'b'"]), "everything");
    assert_eq!(together(&["NOT (10 / at > 1)", "action = 'b'"]), "everything");
}
