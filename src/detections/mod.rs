//! Detections as data: a TOML header and one SELECT in one file. Nothing here runs SQL.
//!
//! A detection has one of three kinds, told by its header:
//!
//! | header | kind | meaning |
//! |---|---|---|
//! | `[new_terms]` | [`Kind::NewTerms`] | the SELECT is a filter; an alert where a combination of values is new |
//! | `lookback` | [`Kind::Windowed`] | the SELECT is evaluated at every tick on the events of its window |
//! | neither | [`Kind::Event`] | the SELECT is a filter; each event that passes is an alert |

mod duration;
mod header;
mod lint;
mod load;
mod reads;
mod rhythm;
mod shape;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_lint;
#[cfg(test)]
mod tests_rhythm;

pub use duration::{format_duration, parse_duration};
pub use header::{Header, NewTerms, Severity, Suppress};
pub use lint::{Finding, Level, lint};
pub use load::{Fault, choose, embedded, load, load_all, load_folder, parse, select};
pub use rhythm::Rhythm;

use crate::schema::column_name;
use datafusion::sql::sqlparser::ast::Statement;
use std::time::Duration;

/// A detection, read and parsed.
#[derive(Debug, Clone)]
pub struct Detection {
    /// What its header says.
    pub header: Header,
    /// Where it comes from: a path, or `sql/detections/<id>.sql` for a built-in one.
    pub origin: String,
    /// The SELECT, as written, after blank lines in place of the header: places in it are
    /// lines of the whole file.
    pub sql: String,
    /// The parsed SELECT; places in it are lines of the whole file.
    pub statement: Statement,
}

/// Columns that hold the time of a windowed row's first event: the first of these that a
/// SELECT has.
pub const FIRST_TIMES: [&str; 6] = [
    "first_time",
    "first_seen",
    "time",
    "@timestamp",
    "timestamp",
    "Timestamp",
];

/// How a detection is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each event that passes the filter is an alert.
    Event,
    /// At every tick T, on the events of (T - lookback, T].
    Windowed,
    /// Each first occurrence of a combination of values within the history window.
    NewTerms,
}

impl Kind {
    /// As reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Windowed => "windowed",
            Self::NewTerms => "new_terms",
        }
    }
}

impl Detection {
    /// The id, which is also its file's stem.
    pub fn id(&self) -> &str {
        &self.header.id
    }

    /// How it is evaluated.
    pub fn kind(&self) -> Kind {
        match (&self.header.new_terms, self.header.lookback) {
            (Some(_), _) => Kind::NewTerms,
            (None, Some(_)) => Kind::Windowed,
            (None, None) => Kind::Event,
        }
    }

    /// Names of the columns that make two results the same finding: the header's `key`,
    /// else the fields of new terms, else none (each event is its own finding).
    pub fn key(&self) -> &[String] {
        match &self.header.new_terms {
            Some(new_terms) if self.header.key.is_empty() => &new_terms.fields,
            _ => &self.header.key,
        }
    }

    /// The names that the SELECT gives its columns; `None` if it has a `*`.
    pub fn output_columns(&self) -> Option<Vec<String>> {
        shape::outputs(&self.statement)
    }

    /// Whether the statement asks for the time anywhere, in subqueries and CTEs too: its
    /// result depends on when it is evaluated.
    pub fn uses_clock(&self) -> bool {
        !shape::Everywhere::of(&self.statement).clocks.is_empty()
    }

    /// How far back an alert can depend on events: the lookback, or the history.
    pub fn reach(&self) -> Option<Duration> {
        self.header
            .lookback
            .or_else(|| self.header.new_terms.as_ref().map(|new_terms| new_terms.history))
    }
}

/// True where a column is meant by a name of the header: `source.ip` and `source_ip` are
/// the same.
pub fn same_column(name: &str, column: &str) -> bool {
    name == column || column_name(name) == column_name(column)
}
