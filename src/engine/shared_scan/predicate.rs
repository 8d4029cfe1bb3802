//! Predicates of several scans as one, which lets through at least the rows that any wants.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
    in_list,
};
use datafusion::physical_expr::utils::{collect_columns, conjunction_opt, split_conjunction};
use datafusion::physical_plan::PhysicalExpr;
use std::collections::BTreeSet;
use std::sync::Arc;

type Expr = Arc<dyn PhysicalExpr>;

/// Indices of the columns that an expression reads.
pub(super) fn columns_of(expr: &Expr) -> BTreeSet<usize> {
    collect_columns(expr).iter().map(Column::index).collect()
}

/// Whether an expression changes while its plan runs.
pub(super) fn is_dynamic(expr: &Expr) -> bool {
    any(expr, |part| part.downcast_ref::<DynamicFilterPhysicalExpr>().is_some())
}

fn any(expr: &Expr, test: impl Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    // The closure never fails, so there is no result to look at.
    let _ = expr.apply(|part| {
        found = found || test(part);
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    found
}

/// A weaker predicate that fails on no row: one plan's bad cast must not end the scan of the
/// others. None where nothing is left of it, which keeps every row.
pub(super) fn safe_part(expr: &Expr) -> Option<Expr> {
    match expr.downcast_ref::<BinaryExpr>() {
        Some(both) if *both.op() == Operator::And => {
            conjunction_opt(safe_part(both.left()).into_iter().chain(safe_part(both.right())))
        }
        Some(either) if *either.op() == Operator::Or => {
            let (left, right) = (safe_part(either.left())?, safe_part(either.right())?);
            Some(Arc::new(BinaryExpr::new(left, Operator::Or, right)))
        }
        _ => (!any(expr, |part| !cannot_fail(part))).then(|| Arc::clone(expr)),
    }
}

fn cannot_fail(part: &Expr) -> bool {
    match part.downcast_ref::<BinaryExpr>() {
        Some(binary) => matches!(
            binary.op(),
            Operator::And
                | Operator::Or
                | Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq
                | Operator::IsDistinctFrom
                | Operator::IsNotDistinctFrom
        ),
        None => {
            part.downcast_ref::<Column>().is_some()
                || part.downcast_ref::<Literal>().is_some()
                || part.downcast_ref::<InListExpr>().is_some()
                || part.downcast_ref::<IsNullExpr>().is_some()
                || part.downcast_ref::<IsNotNullExpr>().is_some()
                || part.downcast_ref::<NotExpr>().is_some()
                || part.downcast_ref::<LikeExpr>().is_some()
        }
    }
}

/// What keeps every row that any of these keeps; none where one of them keeps every row.
///
/// What all have in common stays a condition of its own, and where each names values of one
/// column there is one list of them all: both are cheap, prune, and are evaluated first.
pub(super) fn any_of(predicates: &[Option<Expr>], schema: &SchemaRef) -> DfResult<Option<Expr>> {
    let Some(predicates) = predicates.iter().cloned().collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let split: Vec<Vec<Expr>> = predicates
        .iter()
        .map(|predicate| split_conjunction(predicate).into_iter().cloned().collect())
        .collect();
    let Some(first) = split.first() else {
        return Ok(None);
    };
    let mut parts: Vec<Expr> = Vec::new();
    for part in first {
        if !parts.contains(part) && split.iter().all(|conjuncts| conjuncts.contains(part)) {
            parts.push(Arc::clone(part));
        }
    }
    let mut rests: Vec<Vec<Expr>> = Vec::new();
    for conjuncts in &split {
        let rest: Vec<Expr> = conjuncts.iter().filter(|part| !parts.contains(part)).cloned().collect();
        if rest.is_empty() {
            return Ok(conjunction_opt(parts));
        }
        if !rests.contains(&rest) {
            rests.push(rest);
        }
    }
    let lists = value_lists(&rests, schema)?;
    // A list says it all where no scan has another condition beside it.
    let said = lists.len() == 1 && rests.iter().all(|rest| rest.len() == 1);
    parts.extend(lists);
    if !said {
        let alternatives = rests.into_iter().filter_map(conjunction_opt).collect();
        parts.extend(disjunction(alternatives));
    }
    Ok(conjunction_opt(parts))
}

/// For each column of which every one of these names values, the list of all of them.
fn value_lists(rests: &[Vec<Expr>], schema: &SchemaRef) -> DfResult<Vec<Expr>> {
    let named = |rest: &[Expr]| -> Vec<(Column, Vec<Expr>)> { rest.iter().filter_map(named_values).collect() };
    let Some((first, others)) = rests.split_first() else {
        return Ok(Vec::new());
    };
    let mut lists = Vec::new();
    for (column, mut values) in named(first) {
        let mut everywhere = true;
        for rest in others {
            match named(rest).into_iter().find(|(other, _)| *other == column) {
                Some((_, more)) => {
                    for value in more {
                        if !values.contains(&value) {
                            values.push(value);
                        }
                    }
                }
                None => everywhere = false,
            }
        }
        if everywhere {
            lists.push(in_list(Arc::new(column), values, &false, schema)?);
        }
    }
    Ok(lists)
}

/// The values that a column must have one of.
fn named_values(part: &Expr) -> Option<(Column, Vec<Expr>)> {
    let literal = |expr: &Expr| {
        let literal = expr.downcast_ref::<Literal>()?;
        (!literal.value().is_null()).then(|| Arc::clone(expr))
    };
    if let Some(list) = part.downcast_ref::<InListExpr>() {
        let column = list.expr().downcast_ref::<Column>()?.clone();
        let values = list.list().iter().map(literal).collect::<Option<Vec<_>>>()?;
        return (!list.negated()).then_some((column, values));
    }
    let binary = part.downcast_ref::<BinaryExpr>()?;
    match binary.op() {
        Operator::Eq => {
            let column = binary.left().downcast_ref::<Column>()?.clone();
            Some((column, vec![literal(binary.right())?]))
        }
        // Short lists arrive as alternatives.
        Operator::Or => {
            let (column, mut values) = named_values(binary.left())?;
            let (other, more) = named_values(binary.right())?;
            values.extend(more);
            (column == other).then_some((column, values))
        }
        _ => None,
    }
}

/// Alternatives as a balanced tree: a list of hundreds must not become as many levels.
fn disjunction(mut parts: Vec<Expr>) -> Option<Expr> {
    while parts.len() > 1 {
        parts = parts
            .chunks(2)
            .filter_map(|pair| match pair {
                [left, right] => {
                    Some(Arc::new(BinaryExpr::new(Arc::clone(left), Operator::Or, Arc::clone(right))) as Expr)
                }
                [one] => Some(Arc::clone(one)),
                _ => None,
            })
            .collect();
    }
    parts.pop()
}
