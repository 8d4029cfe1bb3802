//! What is visible where: the relations of a FROM clause and the names a SELECT gives.

use crate::schema::column_name;
use datafusion::arrow::datatypes::DataType;
use std::sync::Arc;

/// One column of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The name the planner knows.
    pub(super) name: String,
    /// What comparing it with a text means.
    pub(super) kind: Kind,
}

/// What comparing a column with a text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What SQL says.
    Plain,
    /// Any element of a list of texts.
    List,
    /// Any value of a list of name and value pairs.
    Pairs,
}

impl Column {
    /// A column of a table or view, whose type tells what it is.
    pub(super) fn of_type(name: &str, data_type: &DataType) -> Self {
        let kind = match data_type {
            DataType::List(element) if element.data_type().is_string() => Kind::List,
            DataType::List(element) if matches!(element.data_type(), DataType::Struct(_)) => Kind::Pairs,
            _ => Kind::Plain,
        };
        Self {
            name: name.to_owned(),
            kind,
        }
    }
}

/// The columns of a relation.
#[derive(Debug, Clone, Default)]
pub(super) enum Columns {
    /// All of them.
    Known(Arc<[Column]>),
    /// Not known before planning: a table function, a table of another schema.
    #[default]
    Open,
}

impl Columns {
    pub(super) fn known(columns: Vec<Column>) -> Self {
        Self::Known(columns.into())
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Column> {
        match self {
            Self::Known(columns) => columns.iter(),
            Self::Open => [].iter(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub(super) fn exact(&self, name: &str) -> Option<&Column> {
        self.iter().find(|column| column.name == name)
    }

    /// The column of this name, however its case or its dots are spelled; only if there
    /// is exactly one.
    pub(super) fn similar(&self, name: &str) -> Option<&Column> {
        let flat = column_name(name);
        only(self.iter().filter(|column| column.name.eq_ignore_ascii_case(name))).or_else(|| {
            only(
                self.iter()
                    .filter(|column| column.name.contains('.') && column_name(&column.name) == flat),
            )
        })
    }
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// One table, subquery or function of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Its alias, or its own name.
    pub(super) qualifier: Option<String>,
    pub(super) columns: Columns,
}

/// What one SELECT can name.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
    /// Names the SELECT list gives: visible in GROUP BY, HAVING and ORDER BY.
    pub(super) outputs: Vec<Column>,
    /// In ORDER BY a name of the SELECT list comes before a column.
    pub(super) outputs_first: bool,
}

impl Scope {
    pub(super) fn is_open(&self) -> bool {
        self.relations.iter().any(|relation| relation.columns.is_open())
    }

    pub(super) fn output(&self, name: &str, ignore_case: bool) -> Option<&Column> {
        self.outputs.iter().find(|column| column.name == name).or_else(|| {
            ignore_case
                .then(|| {
                    only(
                        self.outputs
                            .iter()
                            .filter(|column| column.name.eq_ignore_ascii_case(name)),
                    )
                })
                .flatten()
        })
    }

    pub(super) fn exact(&self, name: &str) -> Option<&Column> {
        self.relations.iter().find_map(|relation| relation.columns.exact(name))
    }

    /// A column spelled otherwise; only if the relations that have it spell it alike.
    pub(super) fn similar(&self, name: &str) -> Option<&Column> {
        let mut found = self
            .relations
            .iter()
            .filter_map(|relation| relation.columns.similar(name));
        let first = found.next()?;
        found.all(|other| other.name == first.name).then_some(first)
    }

    /// The relation of this name: exactly, else ignoring case.
    pub(super) fn relation(&self, qualifier: &str, ignore_case: bool) -> Option<&Relation> {
        let named = |relation: &&Relation| relation.qualifier.as_deref() == Some(qualifier);
        let alike = |relation: &&Relation| {
            relation
                .qualifier
                .as_ref()
                .is_some_and(|name| name.eq_ignore_ascii_case(qualifier))
        };
        self.relations
            .iter()
            .find(named)
            .or_else(|| ignore_case.then(|| self.relations.iter().find(alike)).flatten())
    }

    /// The names after FROM, for a message.
    pub(super) fn describe(&self) -> String {
        let names: Vec<&str> = self
            .relations
            .iter()
            .map(|relation| relation.qualifier.as_deref().unwrap_or("the subquery"))
            .collect();
        if names.is_empty() {
            "a SELECT without FROM".into()
        } else {
            names.join(", ")
        }
    }
}
