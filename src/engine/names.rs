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
//! - **A fixed `now()`**, where the caller gives an instant.
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
mod tests_detections;
#[cfg(test)]
mod tests_run;

pub use error::NameError;
pub use parse::parse_query;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::ast::Statement;
use resolver::Resolver;
use scope::{Column, Columns};

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
    /// Tables and views read, as registered, in order of first use. No subquery names.
    pub tables: Vec<String>,
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
    /// With `now` (microseconds since the Unix epoch), `now()`, `current_timestamp`,
    /// `current_date` and `today()` become that instant and its date.
    pub fn resolve(&self, statement: &mut Statement, now: Option<i64>) -> Result<Resolution, NameError> {
        let mut resolver = Resolver::new(self, now);
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

    /// A message for a planning error about a column that does not exist, with the
    /// columns that do and look alike. `None` for any other error.
    pub fn explain_plan_error(&self, error: &DataFusionError) -> Option<String> {
        let DataFusionError::SchemaError(schema_error, _) = error.find_root() else {
            return None;
        };
        let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref() else {
            return None;
        };
        let name = &field.name;
        let here = fields::nearest(name, valid_fields.iter().map(|column| column.name.as_str()));
        let nearest = if here.is_empty() { self.nearest(name) } else { here };
        let place = match &field.relation {
            Some(table) => format!(" in {table}"),
            None => String::new(),
        };
        Some(match nearest.as_slice() {
            [] => format!("unknown column {name}{place}; `DESCRIBE <table>` lists the columns of a table"),
            names => format!("unknown column {name}{place}; did you mean {}?", names.join(", ")),
        })
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
