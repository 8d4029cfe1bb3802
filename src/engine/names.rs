//! Names in SQL: from what people write to what the planner knows.
//!
//! Detections spell fields as ECS does (`event.action`, `o365.audit.ClientAppId`), while
//! the lake has flat columns (`event_action`). [`Names::resolve`] rewrites a parsed
//! statement, before it is planned, so that every name is a column, and gives three
//! meanings that SQL does not have by itself:
//!
//! - **Any element.** Comparing a list with a text (`=`, `<>`, `IN`, `LIKE` and their
//!   negations) asks about its elements, as Elastic does: `event.category = 'web'` is true
//!   if any element is `web`, `<>` if none is. Such a comparison is never NULL: a missing
//!   list has no element, so `=` is false and `<>` is true. A list compared with a list
//!   (`['web']`, `make_array(..)`, another list column) keeps its SQL meaning.
//! - **Fields without a column** are read from the record's text by `raw_field`.
//! - **Another `now()`**, where the caller gives a clock: an instant, or the tick of a
//!   plan that answers for many.
//!
//! Names without quotes are compared without case where no exact match exists; the
//! session must not fold identifiers itself (`enable_ident_normalization = false`).

mod error;
mod expressions;
mod fields;
mod like;
mod parse;
mod reference;
mod resolver;
mod scope;
mod syntax;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_catalogue;
#[cfg(test)]
mod tests_detections;
#[cfg(test)]
mod tests_mistakes;
#[cfg(test)]
mod tests_run;

pub use error::NameError;
pub(super) use parse::words;
pub use parse::{parse_expression, parse_query};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Column as PlannedColumn, SchemaError, TableReference};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::ast::Statement;
use resolver::Resolver;
use scope::{Column, Columns};

/// What `now()`, `current_timestamp`, `current_date`, `today()` and `current_time` stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This instant, microseconds since the Unix epoch, its date and its time.
    At(i64),
    /// The tick of each row of a lifted plan.
    Tick,
}

/// The names a session knows: its tables and views with their columns, and the catalogue.
#[derive(Debug, Clone, Default)]
pub struct Names {
    tables: Vec<(String, Columns)>,
}

/// What resolving a statement found out about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Fields without a column, in order of first use: each is read from every record's
    /// text, which is slow, so the user should know.
    pub raw_fields: Vec<String>,
    /// Those of them that may be misspelled, each with the up to three fields with a column
    /// that it may be meant for, best first. A field that no record has is NULL, no error.
    pub doubtful: Vec<(String, Vec<String>)>,
    /// Tables and views read, as registered, in order of first use. No subquery names.
    pub tables: Vec<String>,
    /// Whether it may read columns that it does not name: `*`, `NATURAL JOIN`, `DESCRIBE`.
    pub unnamed_columns: bool,
}

impl Names {
    /// Names for tables and views, each with its columns and their types.
    pub fn new(tables: &[(String, SchemaRef)]) -> Self {
        let tables = tables
            .iter()
            .map(|(name, schema)| {
                let columns = schema
                    .fields()
                    .iter()
                    .map(|field| Column::of_type(field.name(), field.data_type()));
                (name.clone(), Columns::known(columns.collect()))
            })
            .collect();
        Self { tables }
    }

    /// Rewrites a statement of [`parse_query`] so that every name in it is a column.
    ///
    /// With a clock, it is what `now()` and its kin stand for.
    pub fn resolve(&self, statement: &mut Statement, clock: Option<Clock>) -> Result<Resolution, NameError> {
        let mut resolver = Resolver::new(self, clock);
        resolver.statement(statement).map_err(|error| *error)?;
        Ok(resolver.into_resolution())
    }

    /// Up to three known names that look like this one, best first.
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let columns = self
            .tables
            .iter()
            .flat_map(|(_, columns)| columns.iter().map(|column| column.name.as_str()));
        if name.contains('.') {
            fields::nearest(name, fields::names())
        } else {
            fields::nearest(name, columns)
        }
    }

    /// Whether [`Self::explain_plan_error`] may have a message for it.
    pub fn explains(error: &DataFusionError) -> bool {
        missing_field(error).is_some()
    }

    /// A message for a planning error about a column that does not exist, with the
    /// columns that do and look alike. `None` for any other error.
    pub fn explain_plan_error(&self, error: &DataFusionError) -> Option<String> {
        let (field, valid_fields) = missing_field(error)?;
        Some(self.unknown_column(field, valid_fields))
    }

    fn unknown_column(&self, field: &PlannedColumn, valid: &[PlannedColumn]) -> String {
        let name = &field.name;
        let mut relations: Vec<&str> = valid.iter().filter_map(relation).collect();
        relations.sort_unstable();
        relations.dedup();
        if let Some(table) = relation(field)
            && !relations.is_empty()
            && !relations.contains(&table)
        {
            return format!("{table}.{name}: FROM has no {table}; it has {}", relations.join(", "));
        }
        let table = relation(field).or(match relations.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let place = table.map(|table| format!(" in {table}")).unwrap_or_default();
        let here = fields::nearest(name, valid.iter().map(|column| column.name.as_str()));
        let elsewhere = self.tables_with(name);
        let advice = match (here.as_slice(), elsewhere.as_slice()) {
            ([], []) => match self.nearest_elsewhere(name).as_slice() {
                [] => "`DESCRIBE <table>` lists the columns of a table".to_owned(),
                names => format!("did you mean {}?", names.join(", ")),
            },
            (here, []) => format!("did you mean {}?", here.join(", ")),
            ([], tables) => format!("it is a column of {}", tables.join(", ")),
            (here, tables) => format!(
                "did you mean {}? ({name} is a column of {})",
                here.join(", "),
                tables.join(", ")
            ),
        };
        format!("unknown column {name}{place}; {advice}")
    }

    /// Tables and views with a column of this name.
    fn tables_with(&self, name: &str) -> Vec<&str> {
        let has = |columns: &Columns| columns.exact(name).or_else(|| columns.similar(name)).is_some();
        let tables = self.tables.iter().filter(|(_, columns)| has(columns));
        tables.map(|(table, _)| table.as_str()).collect()
    }

    /// [`Self::nearest`], each with the first table or view that has it.
    fn nearest_elsewhere(&self, name: &str) -> Vec<String> {
        let nearest = self.nearest(name).into_iter();
        nearest
            .map(|column| match self.tables_with(&column).first() {
                Some(table) => format!("{column} of {table}"),
                None => column,
            })
            .collect()
    }

    /// The registered table or view of this name: exactly, else ignoring case.
    fn table(&self, name: &str, ignore_case: bool) -> Option<&(String, Columns)> {
        self.tables.iter().find(|(table, _)| table == name).or_else(|| {
            ignore_case
                .then(|| self.tables.iter().find(|(table, _)| table.eq_ignore_ascii_case(name)))
                .flatten()
        })
    }
}

/// The column that an error says is not there, and those that are.
fn missing_field(error: &DataFusionError) -> Option<(&PlannedColumn, &[PlannedColumn])> {
    let DataFusionError::SchemaError(error, _) = error.find_root() else {
        return None;
    };
    match error.as_ref() {
        SchemaError::FieldNotFound { field, valid_fields } => Some((field, valid_fields)),
        _ => None,
    }
}

/// The table, view or alias before a column's name.
fn relation(column: &PlannedColumn) -> Option<&str> {
    column.relation.as_ref().map(TableReference::table)
}
