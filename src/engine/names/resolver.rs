//! Walking a statement: FROM before everything else, so that each name meets its scope.
//!
//! Queries are walked by hand, because their parts must be taken in another order than
//! they are written; expressions by sqlparser's visitor, whose hooks are in `expressions`.

use super::error::NameError;
use super::scope::{Column, Columns, Kind, Relation, Scope};
use super::syntax::{dotted, ident, start};
use super::{Clock, Names, Resolution, fields};
use datafusion::sql::sqlparser::ast::{
    Cte, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select, SetExpr, Statement,
    TableAlias, TableFactor, TableWithJoins, VisitMut,
};
use std::ops::ControlFlow;

/// Boxed, because the visitor keeps one on the stack at every level.
pub(super) type Result<T, E = Box<NameError>> = std::result::Result<T, E>;

pub(super) struct Resolver<'a> {
    pub(super) names: &'a Names,
    pub(super) clock: Option<Clock>,
    /// Common table expressions in scope, innermost last.
    ctes: Vec<(Ident, Columns)>,
    /// SELECTs in scope, innermost last.
    pub(super) scopes: Vec<Scope>,
    /// Resolved subqueries of expressions, kept from the visitor until it has passed.
    pub(super) parked: Vec<Query>,
    pub(super) resolution: Resolution,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(names: &'a Names, clock: Option<Clock>) -> Self {
        Self {
            names,
            clock,
            ctes: vec![],
            scopes: vec![],
            parked: vec![],
            resolution: Resolution::default(),
        }
    }

    pub(super) fn into_resolution(self) -> Resolution {
        self.resolution
    }

    pub(super) fn statement(&mut self, statement: &mut Statement) -> Result<()> {
        match statement {
            Statement::Query(query) => self.query(query).map(|_| ()),
            Statement::Explain { statement, .. } => self.statement(statement),
            Statement::ExplainTable { table_name, .. } => {
                self.resolution.unnamed_columns = true;
                self.relation_columns(table_name, true).map(|_| ())
            }
            _ => {
                self.resolution.unnamed_columns = true;
                Ok(())
            }
        }
    }

    /// Resolves a query and returns the columns it gives.
    pub(super) fn query(&mut self, query: &mut Query) -> Result<Columns> {
        let outer_ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                self.cte(cte, with.recursive)?;
            }
        }
        let (columns, mut scope) = self.body(&mut query.body)?;
        scope.outputs_first = true;
        if columns.is_open() {
            // ORDER BY may name what only the planner knows.
            scope.relations.push(Relation {
                qualifier: None,
                columns: Columns::Open,
            });
        }
        self.scopes.push(scope);
        self.expressions(&mut query.order_by)?;
        self.expressions(&mut query.limit_clause)?;
        self.expressions(&mut query.fetch)?;
        self.expressions(&mut query.pipe_operators)?;
        self.scopes.pop();
        self.ctes.truncate(outer_ctes);
        // What a pipe gives is known only after planning.
        Ok(if query.pipe_operators.is_empty() {
            columns
        } else {
            self.open()
        })
    }

    fn cte(&mut self, cte: &mut Cte, recursive: bool) -> Result<()> {
        if recursive {
            self.ctes.push((cte.alias.name.clone(), Columns::Open));
        }
        let columns = self.query(&mut cte.query)?;
        if recursive {
            self.ctes.pop();
        }
        self.ctes.push((cte.alias.name.clone(), renamed(columns, &cte.alias)));
        Ok(())
    }

    fn body(&mut self, body: &mut SetExpr) -> Result<(Columns, Scope)> {
        let only_outputs = |columns: Columns| {
            let scope = Scope {
                outputs: columns.iter().cloned().collect(),
                ..Scope::default()
            };
            (columns, scope)
        };
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => Ok(only_outputs(self.query(query)?)),
            SetExpr::SetOperation { left, right, .. } => {
                let (columns, _) = self.body(left)?;
                self.body(right)?;
                Ok(only_outputs(columns))
            }
            SetExpr::Values(values) => {
                self.expressions(values)?;
                let width = values.rows.first().map_or(0, |row| row.len());
                let column = |position| Column {
                    name: format!("column{position}"),
                    kind: Kind::Plain,
                };
                Ok(only_outputs(Columns::known((1..=width).map(column).collect())))
            }
            _ => Ok((self.open(), Scope::default())),
        }
    }

    /// The columns of what is not looked into, which may be columns of a table.
    fn open(&mut self) -> Columns {
        self.resolution.unnamed_columns = true;
        Columns::Open
    }

    fn select(&mut self, select: &mut Select) -> Result<(Columns, Scope)> {
        self.scopes.push(Scope::default());
        let mut from = std::mem::take(&mut select.from);
        for item in &mut from {
            self.table_with_joins(item)?;
        }
        let mut projection = std::mem::take(&mut select.projection);
        let outputs = self.projection(&mut projection)?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.outputs = outputs.iter().cloned().collect();
        }
        self.expressions(select)?;
        select.from = from;
        select.projection = projection;
        Ok((outputs, self.scopes.pop().unwrap_or_default()))
    }

    /// Resolves every expression inside a piece of syntax, in the current scope.
    pub(super) fn expressions<T: VisitMut>(&mut self, part: &mut T) -> Result<()> {
        match part.visit(self) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn table_with_joins(&mut self, item: &mut TableWithJoins) -> Result<()> {
        self.table_factor(&mut item.relation)?;
        for join in &mut item.joins {
            self.table_factor(&mut join.relation)?;
            self.join_condition(join)?;
        }
        Ok(())
    }

    fn join_condition(&mut self, join: &mut Join) -> Result<()> {
        self.expressions(&mut join.join_operator)?;
        match constraint(&mut join.join_operator) {
            Some(JoinConstraint::Using(columns)) => {
                columns.iter_mut().for_each(|column| self.plain_column_name(column))
            }
            Some(JoinConstraint::Natural) => self.resolution.unnamed_columns = true,
            _ => {}
        }
        Ok(())
    }

    /// A column name outside an expression: `USING (AccountObjectId)`, `EXCLUDE (raw)`.
    pub(super) fn plain_column_name(&self, name: &mut ObjectName) {
        let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        if parts.len() != name.0.len() {
            return;
        }
        let written = dotted(&parts);
        let Some(scope) = self.scopes.last() else {
            return;
        };
        let field = match fields::meaning(&written) {
            fields::Meaning::Column(field) => scope.exact(&field.column),
            _ => None,
        };
        let found = scope.exact(&written).or(field).or_else(|| scope.similar(&written));
        if let Some(column) = found {
            *name = ObjectName::from(vec![ident(&column.name)]);
        }
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Result<()> {
        let relation = match factor {
            TableFactor::Table { name, alias, args, .. } => {
                if args.is_some() {
                    self.expressions(args)?;
                }
                let columns = self.relation_columns(name, args.is_none())?;
                let own_name = name
                    .0
                    .last()
                    .and_then(ObjectNamePart::as_ident)
                    .map(|name| name.value.clone());
                relation(alias.as_ref(), own_name, columns)
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let columns = self.query(subquery)?;
                relation(alias.as_ref(), None, columns)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                return self.table_with_joins(table_with_joins);
            }
            TableFactor::UNNEST { array_exprs, alias, .. } => {
                self.expressions(array_exprs)?;
                relation(alias.as_ref(), None, Columns::Open)
            }
            TableFactor::TableFunction { expr, alias } => {
                self.expressions(expr)?;
                relation(alias.as_ref(), None, Columns::Open)
            }
            TableFactor::Function { args, alias, .. } => {
                self.expressions(args)?;
                relation(alias.as_ref(), None, Columns::Open)
            }
            // The planner refuses most of the rest; what it takes keeps its own names.
            _ => Relation {
                qualifier: None,
                columns: self.open(),
            },
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(relation);
        }
        Ok(())
    }

    /// The columns of a named relation, whose name becomes the registered one.
    fn relation_columns(&mut self, name: &mut ObjectName, must_exist: bool) -> Result<Columns> {
        let [ObjectNamePart::Identifier(table)] = name.0.as_mut_slice() else {
            return Ok(self.open());
        };
        let unquoted = table.quote_style.is_none();
        let named = |(cte, _): &&(Ident, Columns)| cte.value == table.value;
        let alike = |(cte, _): &&(Ident, Columns)| unquoted && cte.value.eq_ignore_ascii_case(&table.value);
        let ctes = self.ctes.iter().rev();
        if let Some((cte, columns)) = ctes.clone().find(named).or_else(|| ctes.clone().find(alike)) {
            *table = cte.clone();
            return Ok(columns.clone());
        }
        if let Some((registered, columns)) = self.names.table(&table.value, unquoted) {
            *table = ident(registered);
            if !self.resolution.tables.contains(registered) {
                self.resolution.tables.push(registered.clone());
            }
            return Ok(columns.clone());
        }
        if must_exist && !self.names.tables.is_empty() {
            let tables = self.names.tables.iter().map(|(name, _)| name.as_str());
            let ctes = self.ctes.iter().map(|(name, _)| name.value.as_str());
            let error = NameError::UnknownTable {
                name: table.value.clone(),
                nearest: fields::nearest(&table.value, tables.chain(ctes)),
                location: start(std::slice::from_ref(table)),
            };
            return Err(Box::new(error));
        }
        Ok(self.open())
    }
}

fn relation(alias: Option<&TableAlias>, own_name: Option<String>, columns: Columns) -> Relation {
    match alias {
        Some(alias) => Relation {
            qualifier: Some(alias.name.value.clone()),
            columns: renamed(columns, alias),
        },
        None => Relation {
            qualifier: own_name,
            columns,
        },
    }
}

/// The columns under the names an alias gives them: `AS t (first, second)`.
fn renamed(columns: Columns, alias: &TableAlias) -> Columns {
    if alias.columns.is_empty() {
        return columns;
    }
    let kinds = columns
        .iter()
        .map(|column| column.kind)
        .chain(std::iter::repeat(Kind::Plain));
    let named = alias.columns.iter().zip(kinds);
    let mut renamed: Vec<Column> = named
        .map(|(definition, kind)| Column {
            name: definition.name.value.clone(),
            kind,
        })
        .collect();
    renamed.extend(columns.iter().skip(renamed.len()).cloned());
    Columns::known(renamed)
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::StraightJoin(constraint)
        | JoinOperator::AsOf { constraint, .. } => Some(constraint),
        JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => None,
    }
}
