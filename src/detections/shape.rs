//! The shape of a SELECT: what it is made of, without knowing any table.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, GroupByExpr, Ident, ObjectNamePart, Query, Select, SelectItem, SetExpr, Spanned,
    Statement, TableFactor, Visit, Visitor,
};
use std::ops::ControlFlow;

/// Built-in and own functions that turn many rows into one.
const AGGREGATES: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "new_terms",
    "nth_value",
    "percentile_cont",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var",
    "var_pop",
    "var_samp",
];

/// Functions whose value is the time at which they are called.
const CLOCKS: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "now",
    "today",
];

/// Something the linter has a say about, and its line (0 where unknown).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<T> {
    pub(super) what: T,
    pub(super) line: u64,
}

/// The columns a query gives; `None` if one is a `*`.
pub(super) fn outputs(statement: &Statement) -> Option<Vec<String>> {
    let select = match statement {
        Statement::Query(query) => first_select(&query.body)?,
        _ => return None,
    };
    select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            SelectItem::UnnamedExpr(expr) => {
                Some(written_name(expr).map_or_else(|| expr.to_string(), |name| without_alias(&name, select)))
            }
            _ => None,
        })
        .collect()
}

fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// A name as written, whatever the parser made of it (`user.id` is a function's field).
fn written_name(expr: &Expr) -> Option<String> {
    let dotted = |parts: &[Ident]| {
        parts
            .iter()
            .map(|part| part.value.as_str())
            .collect::<Vec<_>>()
            .join(".")
    };
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(parts) => Some(dotted(parts)),
        Expr::CompoundFieldAccess { .. } => Some(expr.to_string()),
        _ => None,
    }
}

/// `c.ActionType` is `ActionType` where `c` is a relation of the FROM clause.
fn without_alias(name: &str, select: &Select) -> String {
    let relations = select
        .from
        .iter()
        .flat_map(|item| std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation)));
    let qualifiers = relations.filter_map(|relation| match relation {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.value.as_str())
        }
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().map(|name| name.value.as_str()),
        _ => None,
    });
    match name.split_once('.') {
        Some((first, rest))
            if qualifiers
                .into_iter()
                .any(|qualifier| qualifier.eq_ignore_ascii_case(first)) =>
        {
            rest.to_owned()
        }
        _ => name.to_owned(),
    }
}

/// What keeps a query from being a filter of single events.
pub(super) fn more_than_a_filter(statement: &Statement) -> Option<Place<&'static str>> {
    let Statement::Query(query) = statement else {
        return None;
    };
    let line = query.span().start.line;
    let at = |what| Some(Place { what, line });
    let select = match query.body.as_ref() {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { .. } => return at("UNION, INTERSECT or EXCEPT"),
        _ => return at("no SELECT at its top"),
    };
    let found = of_many_rows(query, &mut Vec::new());
    if found.is_none() && (select.from.len() != 1 || select.from.iter().any(|item| !item.joins.is_empty())) {
        return at("a join");
    }
    found
}

/// What makes a row depend on other rows, here or in the queries that FROM reads. `ctes`
/// are those in scope, innermost last.
fn of_many_rows<'a>(query: &'a Query, ctes: &mut Vec<(&'a Ident, &'a Query)>) -> Option<Place<&'static str>> {
    let line = query.span().start.line;
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return Some(Place { what: "LIMIT", line });
    }
    let outer = ctes.len();
    let with = query.with.iter().flat_map(|with| &with.cte_tables);
    ctes.extend(with.map(|cte| (&cte.alias.name, cte.query.as_ref())));
    let found = body_of_many_rows(&query.body, line, ctes);
    ctes.truncate(outer);
    found
}

fn body_of_many_rows<'a>(
    body: &'a SetExpr,
    line: u64,
    ctes: &mut Vec<(&'a Ident, &'a Query)>,
) -> Option<Place<&'static str>> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return of_many_rows(query, ctes),
        SetExpr::SetOperation { left, right, .. } => {
            return body_of_many_rows(left, line, ctes).or_else(|| body_of_many_rows(right, line, ctes));
        }
        _ => return None,
    };
    let at = |what| Some(Place { what, line });
    if select.distinct.is_some() {
        return at("DISTINCT");
    }
    if select.top.is_some() {
        return at("TOP");
    }
    if !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty()) {
        return at("GROUP BY");
    }
    if select.having.is_some() {
        return at("HAVING");
    }
    let mut calls = Calls::default();
    let _ = select.projection.visit(&mut calls);
    if calls.found.is_some() {
        return calls.found;
    }
    select.from.iter().find_map(|item| match &item.relation {
        TableFactor::Derived { subquery, .. } => of_many_rows(subquery, ctes),
        TableFactor::Table { name, .. } => {
            let name = name.0.last()?.as_ident()?;
            let position = ctes
                .iter()
                .rposition(|(cte, _)| cte.value.eq_ignore_ascii_case(&name.value))?;
            // A CTE sees those before it, so this ends, also for one that reads itself.
            let (_, query) = *ctes.get(position)?;
            of_many_rows(query, &mut ctes.get(..position)?.to_vec())
        }
        _ => None,
    })
}

/// Finds aggregates and window functions outside subqueries.
#[derive(Default)]
struct Calls {
    depth: usize,
    found: Option<Place<&'static str>>,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Function(function) = expr
        {
            let line = expr.span().start.line;
            if function.over.is_some() {
                self.found = Some(Place {
                    what: "a window function",
                    line,
                });
                return ControlFlow::Break(());
            }
            if is_call_of(function, AGGREGATES) {
                self.found = Some(Place {
                    what: "an aggregate",
                    line,
                });
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

fn is_call_of(function: &Function, names: &[&str]) -> bool {
    matches!(function.name.0.as_slice(), [ObjectNamePart::Identifier(name)]
        if names.contains(&name.value.to_ascii_lowercase().as_str()))
}

/// Places anywhere in a statement, subqueries included.
#[derive(Debug, Default)]
pub(super) struct Everywhere {
    /// `(a - b) > INTERVAL '..'`, as written.
    pub(super) interval_comparisons: Vec<Place<String>>,
    /// LIMIT, FETCH or TOP.
    pub(super) limits: Vec<Place<()>>,
    /// `now()` and its kin.
    pub(super) clocks: Vec<Place<String>>,
}

impl Everywhere {
    pub(super) fn of(statement: &Statement) -> Self {
        let mut everywhere = Self::default();
        let _ = statement.visit(&mut everywhere);
        everywhere
    }
}

impl Visitor for Everywhere {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if query.limit_clause.is_some() || query.fetch.is_some() {
            self.limits.push(Place {
                what: (),
                line: query.span().start.line,
            });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.top.is_some() {
            self.limits.push(Place {
                what: (),
                line: select.span().start.line,
            });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        let line = expr.span().start.line;
        let trap = match expr {
            Expr::BinaryOp {
                left,
                op: Eq | NotEq | Gt | GtEq | Lt | LtEq,
                right,
            } => is_difference(left) && is_interval(right) || is_interval(left) && is_difference(right),
            Expr::Between { expr, low, high, .. } => is_difference(expr) && (is_interval(low) || is_interval(high)),
            _ => false,
        };
        if trap {
            self.interval_comparisons.push(Place {
                what: expr.to_string(),
                line,
            });
        }
        if let Expr::Function(function) = expr
            && is_call_of(function, CLOCKS)
        {
            self.clocks.push(Place {
                what: expr.to_string(),
                line,
            });
        }
        ControlFlow::Continue(())
    }
}

/// The difference of two instants: neither side an interval, or it would be an instant.
fn is_difference(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_difference(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Minus,
            right,
        } => !is_interval(left) && !is_interval(right),
        _ => false,
    }
}

fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Interval(_) => true,
        Expr::Nested(inner) => is_interval(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Multiply | BinaryOperator::Plus,
            right,
        } => is_interval(left) || is_interval(right),
        _ => false,
    }
}
