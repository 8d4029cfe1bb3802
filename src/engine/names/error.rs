//! Why a statement cannot be resolved.

use datafusion::sql::sqlparser::tokenizer::Location;

/// A statement that cannot run as written: what is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Not SQL.
    #[error("syntax error: {message}{}", place(*location))]
    Syntax {
        /// What the parser expected and found.
        message: String,
        /// Where; nowhere at the end of the text.
        location: Location,
    },
    /// Not exactly one statement.
    #[error("{0} statements where one was expected; run them one at a time")]
    NotOne(usize),
    /// A statement that could change something.
    #[error("{kind} is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE")]
    NotReadOnly {
        /// The statement's leading keywords, such as `DROP TABLE`.
        kind: String,
    },
    /// A field that no table has and that looks like a misspelling.
    #[error("unknown field {name}{}{}", suggestion(nearest), place(*location))]
    UnknownField {
        /// The name as written.
        name: String,
        /// Known names that look alike, best first.
        nearest: Vec<String>,
        /// Where it is written.
        location: Location,
    },
    /// A name in double quotes that nothing has; most likely a text.
    #[error(
        "unknown column {name}{}{}; a text takes single quotes: '{}'",
        suggestion(nearest),
        place(*location),
        name.replace('\'', "''")
    )]
    Quoted {
        /// The name as written, without its quotes.
        name: String,
        /// Known names that look alike, best first.
        nearest: Vec<String>,
        /// Where it is written.
        location: Location,
    },
    /// A table or view that does not exist.
    #[error("unknown table {name}{}{}", suggestion(nearest), place(*location))]
    UnknownTable {
        /// The name as written.
        name: String,
        /// Known names that look alike, best first.
        nearest: Vec<String>,
        /// Where it is written.
        location: Location,
    },
    /// A known field that nothing in the FROM clause has.
    #[error("{name} is not in {relations}{}; select it there, or read a table that has it", place(*location))]
    NotInScope {
        /// The name as written.
        name: String,
        /// What FROM names.
        relations: String,
        /// Where the field is written.
        location: Location,
    },
    /// A construct whose meaning for lists is not defined.
    #[error("{0}")]
    List(String),
}

impl NameError {
    /// Line and column in the SQL text, from 1, where known.
    pub fn location(&self) -> Option<(u64, u64)> {
        let (Self::Syntax { location, .. }
        | Self::UnknownField { location, .. }
        | Self::Quoted { location, .. }
        | Self::UnknownTable { location, .. }
        | Self::NotInScope { location, .. }) = self
        else {
            return None;
        };
        (location.line > 0).then_some((location.line, location.column))
    }
}

fn suggestion(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [only] => format!("; did you mean {only}?"),
        several => format!("; did you mean one of {}?", several.join(", ")),
    }
}

fn place(location: Location) -> String {
    match location.line {
        // Names made by rewriting have no place.
        0 => String::new(),
        line => format!(" (line {line}, column {})", location.column),
    }
}
