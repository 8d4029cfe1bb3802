//! Whether a plan says of each event by itself whether it is found.

use crate::lake::TableName;
use datafusion::common::JoinType;
use datafusion::logical_expr::LogicalPlan;

/// How the rows of a plan come from events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// They do not: from lists, which never change.
    Fixed,
    /// Each from one event.
    Event,
    /// From several events together, or from what changes otherwise.
    Several,
}

/// True if what arrives adds rows to those that were there and changes none: evaluated over new
/// events alone, an optimised plan gives what is new.
pub(super) fn is_per_row(plan: &LogicalPlan) -> bool {
    source(plan) != Source::Several
}

fn source(plan: &LogicalPlan) -> Source {
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_some() => Source::Several,
        LogicalPlan::TableScan(scan) => match TableName::ALL
            .into_iter()
            .find(|name| name.as_str() == scan.table_name.table())
        {
            Some(TableName::Events) => Source::Event,
            Some(_) => Source::Several,
            None => Source::Fixed,
        },
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Source::Fixed,
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Union(_) => {
            let has_subquery = plan.expressions().iter().any(contains_subquery);
            if has_subquery { Source::Several } else { widest(plan) }
        }
        // Order is nothing to alerts, but what is left out of it is.
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => widest(plan),
        LogicalPlan::Join(join) => {
            let (left, right) = (source(&join.left), source(&join.right));
            match (left, right) {
                (Source::Several, _) | (_, Source::Several) | (Source::Event, Source::Event) => Source::Several,
                (Source::Fixed, Source::Fixed) => Source::Fixed,
                (Source::Event, Source::Fixed) => match join.join_type {
                    JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                        Source::Event
                    }
                    _ => Source::Several,
                },
                (Source::Fixed, Source::Event) => match join.join_type {
                    JoinType::Inner
                    | JoinType::Right
                    | JoinType::RightSemi
                    | JoinType::RightAnti
                    | JoinType::RightMark => Source::Event,
                    _ => Source::Several,
                },
            }
        }
        // Of what never changes anything may be made.
        _ if !plan.inputs().is_empty() && widest(plan) == Source::Fixed => Source::Fixed,
        _ => Source::Several,
    }
}

fn widest(plan: &LogicalPlan) -> Source {
    let sources = plan.inputs().into_iter().map(source);
    sources.fold(Source::Fixed, |widest, source| match (widest, source) {
        (Source::Several, _) | (_, Source::Several) => Source::Several,
        (Source::Event, _) | (_, Source::Event) => Source::Event,
        (Source::Fixed, Source::Fixed) => Source::Fixed,
    })
}

fn contains_subquery(expr: &datafusion::logical_expr::Expr) -> bool {
    use datafusion::common::tree_node::TreeNode as _;
    use datafusion::logical_expr::Expr;
    expr.exists(|inner| {
        Ok(matches!(
            inner,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::OuterReferenceColumn(..)
        ))
    })
    .unwrap_or(true)
}
