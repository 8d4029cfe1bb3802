//! The visitor's hooks: names, comparisons with lists, and the clock.

use super::Clock;
use super::error::NameError;
use super::like::any_like;
use super::reference::{columns_of, join_name, name_parts};
use super::resolver::{Resolver, Result};
use super::scope::{Column, Columns, Kind};
use super::syntax::{as_call, as_text, call, empty_query, ident, negate_if, text};
use crate::engine::lifting::TICK_FUNCTION;
use chrono::DateTime;
use chrono::format::{DelayedFormat, StrftimeItems};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ExcludeSelectItem, Expr, ObjectName, ObjectNamePart, Query, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, Value, ValueWithSpan,
    VisitorMut, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::parser::Parser;
use std::ops::ControlFlow;

impl VisitorMut for Resolver<'_> {
    type Break = Box<NameError>;

    /// A subquery of an expression is resolved as a query of its own, and hidden from the
    /// visitor, which would take its parts in the wrong order.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        let mut hidden = std::mem::replace(query, empty_query());
        let resolved = self.query(&mut hidden);
        self.parked.push(hidden);
        flow(resolved.map(|_| ()))
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        if let Some(resolved) = self.parked.pop() {
            *query = resolved;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        join_name(expr);
        flow(self.name(expr))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Some(instant) = self.clock.and_then(|clock| instant(expr, clock)) {
            *expr = instant;
        }
        flow(self.comparison(expr))
    }
}

fn flow(result: Result<()>) -> ControlFlow<Box<NameError>> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

impl Resolver<'_> {
    fn name(&mut self, expr: &mut Expr) -> Result<()> {
        if let Some(parts) = name_parts(expr).map(<[_]>::to_vec)
            && let Some(reference) = self.reference(&parts)?
        {
            *expr = reference.expr;
        }
        Ok(())
    }

    /// Resolves a SELECT list and returns the columns it gives. A name keeps the spelling
    /// of the user as its alias.
    pub(super) fn projection(&mut self, items: &mut [SelectItem]) -> Result<Columns> {
        let mut outputs: Vec<Column> = Vec::with_capacity(items.len());
        let mut open = false;
        for item in items {
            match item {
                SelectItem::UnnamedExpr(_) => {
                    let output = self.unnamed(item, &outputs)?;
                    outputs.push(output);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.expressions(expr)?;
                    outputs.push(Column {
                        name: alias.value.clone(),
                        kind: self.kind(expr),
                    });
                }
                SelectItem::ExprWithAliases { expr, .. } => {
                    self.expressions(expr)?;
                    open = true;
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    let columns = self.qualified_wildcard(kind)?;
                    open |= columns.is_open();
                    outputs.extend(self.wildcard(options, columns)?);
                }
                SelectItem::Wildcard(options) => {
                    let relations = self
                        .scopes
                        .last()
                        .map(|scope| scope.relations.clone())
                        .unwrap_or_default();
                    for relation in relations {
                        open |= relation.columns.is_open();
                        outputs.extend(self.wildcard(options, relation.columns)?);
                    }
                }
            }
        }
        Ok(if open { Columns::Open } else { Columns::known(outputs) })
    }

    fn unnamed(&mut self, item: &mut SelectItem, before: &[Column]) -> Result<Column> {
        let SelectItem::UnnamedExpr(expr) = item else {
            return Ok(Column {
                name: String::new(),
                kind: Kind::Plain,
            });
        };
        join_name(expr);
        let written = match name_parts(expr) {
            Some(parts) => super::syntax::dotted(parts),
            None => expr.to_string(),
        };
        let parts = name_parts(expr).map(<[_]>::to_vec);
        let reference = match &parts {
            Some(parts) => self.reference(parts)?,
            None => None,
        };
        let name = match (reference, parts) {
            (Some(reference), _) => {
                *expr = reference.expr;
                reference.output
            }
            (None, Some(parts)) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
            (None, None) => {
                self.expressions(expr)?;
                written.clone()
            }
        };
        // A name that is there already gives way to the whole of what was written.
        let taken = before.iter().any(|column| column.name == name);
        let name = if taken { written.clone() } else { name };
        let given = match name_parts(expr) {
            Some(parts) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
            None => expr.to_string(),
        };
        let column = Column {
            name: name.clone(),
            kind: self.kind(expr),
        };
        if given != name && (!taken || given != written) {
            let expr = std::mem::replace(expr, Expr::value(Value::Null));
            *item = SelectItem::ExprWithAlias {
                expr,
                alias: ident(&name),
            };
        }
        Ok(column)
    }

    fn qualified_wildcard(&mut self, kind: &mut SelectItemQualifiedWildcardKind) -> Result<Columns> {
        match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let found = match name.0.as_slice() {
                    [ObjectNamePart::Identifier(qualifier)] => columns_of(&self.scopes, qualifier),
                    _ => None,
                };
                let Some((qualifier, columns)) = found else {
                    return Ok(Columns::Open);
                };
                let columns = columns.clone();
                *name = ObjectName::from(vec![ident(qualifier)]);
                Ok(columns)
            }
            SelectItemQualifiedWildcardKind::Expr(expr) => {
                self.expressions(expr)?;
                Ok(Columns::Open)
            }
        }
    }

    fn wildcard(&mut self, options: &mut WildcardAdditionalOptions, columns: Columns) -> Result<Vec<Column>> {
        self.resolution.unnamed_columns = true;
        if let Some(replace) = &mut options.opt_replace {
            self.expressions(replace)?;
        }
        let mut left_out: Vec<String> = vec![];
        match &mut options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => {
                self.plain_column_name(name);
                left_out.push(unquoted(name));
            }
            Some(ExcludeSelectItem::Multiple(names)) => {
                for name in names {
                    self.plain_column_name(name);
                    left_out.push(unquoted(name));
                }
            }
            None => {}
        }
        if let Some(except) = &mut options.opt_except {
            for name in std::iter::once(&mut except.first_element).chain(&mut except.additional_elements) {
                let mut column = ObjectName::from(vec![name.clone()]);
                self.plain_column_name(&mut column);
                if let [ObjectNamePart::Identifier(fixed)] = column.0.as_slice() {
                    *name = fixed.clone();
                }
                left_out.push(name.value.clone());
            }
        }
        Ok(columns
            .iter()
            .filter(|column| !left_out.contains(&column.name))
            .cloned()
            .collect())
    }

    /// What comparing this resolved expression with a text means.
    fn kind(&self, expr: &Expr) -> Kind {
        match expr {
            Expr::Nested(inner) => self.kind(inner),
            Expr::Identifier(name) => {
                let column = self
                    .scopes
                    .iter()
                    .rev()
                    .find_map(|scope| match scope.exact(&name.value) {
                        Some(column) => Some(column),
                        None => scope.output(&name.value, false),
                    });
                column.map_or(Kind::Plain, |column| column.kind)
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [qualifier, name] => self
                    .scopes
                    .iter()
                    .rev()
                    .find_map(|scope| scope.relation(&qualifier.value, false))
                    .and_then(|relation| relation.columns.exact(&name.value))
                    .map_or(Kind::Plain, |column| column.kind),
                _ => Kind::Plain,
            },
            other => match as_call(other) {
                Some((name, _)) if name == "pair_names" || name == "pair_values" => Kind::List,
                _ => Kind::Plain,
            },
        }
    }

    fn is_list(&self, expr: &Expr) -> bool {
        self.kind(expr) != Kind::Plain
    }

    /// Rewrites a comparison of a list with texts into one of its elements.
    fn comparison(&self, expr: &mut Expr) -> Result<()> {
        let rewritten = match expr {
            Expr::BinaryOp {
                left,
                op: op @ (BinaryOperator::Eq | BinaryOperator::NotEq),
                right,
            } => {
                let (list, value) = match (self.is_list(left), self.is_list(right)) {
                    (true, false) => (left, right),
                    (false, true) => (right, left),
                    _ => return Ok(()),
                };
                if gives_list(value) {
                    return Ok(());
                }
                let values = vec![element(take(value))];
                negate_if(*op == BinaryOperator::NotEq, self.any_in(take(list), values))
            }
            Expr::InList {
                expr: list,
                list: values,
                negated,
            } if self.is_list(list) => {
                if values.iter().any(gives_list) {
                    return Ok(());
                }
                let values = std::mem::take(values).into_iter().map(element).collect();
                negate_if(*negated, self.any_in(take(list), values))
            }
            Expr::InSubquery {
                expr: list,
                subquery,
                negated,
            } if self.is_list(list) => {
                let subquery = std::mem::replace(subquery.as_mut(), empty_query());
                negate_if(*negated, self.any_in(take(list), vec![collected(subquery)?]))
            }
            Expr::Like {
                expr: list,
                pattern,
                negated,
                any: false,
                escape_char,
            } if self.is_list(list) => {
                let list = self.elements(take(list));
                negate_if(*negated, any_like(list, pattern, escape(escape_char.as_ref()), false)?)
            }
            Expr::ILike {
                expr: list,
                pattern,
                negated,
                any: false,
                escape_char,
            } if self.is_list(list) => {
                let list = self.elements(take(list));
                negate_if(*negated, any_like(list, pattern, escape(escape_char.as_ref()), true)?)
            }
            _ => return Ok(()),
        };
        *expr = rewritten;
        Ok(())
    }

    /// `any_in` is false, not NULL, for a missing list, so its negation is true there.
    fn any_in(&self, list: Expr, values: Vec<Expr>) -> Expr {
        let mut arguments = vec![self.elements(list)];
        arguments.extend(values);
        call("any_in", arguments)
    }

    fn elements(&self, list: Expr) -> Expr {
        if self.kind(&list) == Kind::Pairs {
            call("pair_values", vec![list])
        } else {
            list
        }
    }
}

fn unquoted(name: &ObjectName) -> String {
    name.0
        .iter()
        .filter_map(|part| part.as_ident())
        .map(|part| part.value.as_str())
        .collect::<Vec<_>>()
        .join(".")
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::value(Value::Null))
}

fn escape(character: Option<&ValueWithSpan>) -> Option<char> {
    character.and_then(|value| as_text(&Expr::Value(value.clone()))?.chars().next())
}

/// Elements are texts, so a number written without quotes is one too.
fn element(value: Expr) -> Expr {
    match &value {
        Expr::Value(ValueWithSpan {
            value: Value::Number(number, _),
            ..
        }) => text(number),
        _ => value,
    }
}

/// True where an expression is a list by its own form.
fn gives_list(expr: &Expr) -> bool {
    match expr {
        Expr::Array(_) => true,
        Expr::Nested(inner) => gives_list(inner),
        other => as_call(other).is_some_and(|(name, _)| {
            name.starts_with("array_") && !matches!(name.as_str(), "array_element" | "array_to_string")
                || matches!(
                    name.as_str(),
                    "make_array" | "string_to_array" | "pair_names" | "pair_values"
                )
        }),
    }
}

/// `(SELECT array_agg(value) FROM (query) AS list (value))`: its values as one list.
fn collected(query: Query) -> Result<Expr> {
    let parsed = Parser::parse_sql(
        &datafusion::sql::sqlparser::dialect::GenericDialect,
        "SELECT array_agg(value) FROM (SELECT 1) AS list (value)",
    );
    let internal = || Box::new(NameError::List("the list of a subquery cannot be built".into()));
    let Ok(mut statements) = parsed else {
        return Err(internal());
    };
    let Some(datafusion::sql::sqlparser::ast::Statement::Query(mut collecting)) = statements.pop() else {
        return Err(internal());
    };
    if let SetExpr::Select(select) = collecting.body.as_mut() {
        for item in &mut select.from {
            if let TableFactor::Derived { subquery, alias, .. } = &mut item.relation {
                **subquery = query;
                *alias = Some(TableAlias {
                    explicit: true,
                    name: ident("list"),
                    columns: vec![TableAliasColumnDef::from_name("value")],
                    at: None,
                });
                break;
            }
        }
    }
    Ok(Expr::Subquery(collecting))
}

/// What a clock function stands for: a literal, or a function of the tick.
fn instant(expr: &Expr, clock: Clock) -> Option<Expr> {
    let (name, arguments) = as_call(expr)?;
    if !arguments.is_empty() {
        return None;
    }
    let (date_type, time_type) = ("Date32", "Time64(Nanosecond)");
    let now = match clock {
        Clock::At(now) => DateTime::from_timestamp_micros(now)?,
        Clock::Tick => {
            let tick = || call(TICK_FUNCTION, Vec::new());
            return match name.as_str() {
                "now" | "current_timestamp" => Some(tick()),
                "current_time" => Some(call("arrow_cast", vec![tick(), text(time_type)])),
                "today" | "current_date" => Some(call("arrow_cast", vec![tick(), text(date_type)])),
                _ => None,
            };
        }
    };
    let cast = |value: DelayedFormat<StrftimeItems<'_>>, as_type: &str| {
        Some(call("arrow_cast", vec![text(&value.to_string()), text(as_type)]))
    };
    match name.as_str() {
        "now" | "current_timestamp" => cast(
            now.format("%Y-%m-%dT%H:%M:%S%.6fZ"),
            "Timestamp(Microsecond, Some(\"UTC\"))",
        ),
        "current_time" => cast(now.format("%H:%M:%S%.6f"), time_type),
        "today" | "current_date" => cast(now.format("%Y-%m-%d"), date_type),
        _ => None,
    }
}
