//! The error of every public operation: what happened, where, and what to do about it.

use datafusion::error::DataFusionError;
use std::path::PathBuf;

/// Result of every fallible public operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An outcome the caller can act on. The message names the place; [`Error::hint`] the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option or setting that makes no sense.
    #[error("{setting}: {problem}")]
    Setting {
        /// The flag or environment variable, as the user typed it.
        setting: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// A lake was asked for that is not there.
    #[error("there is no lake at {url}")]
    NoLake {
        /// Where it was looked for.
        url: String,
    },
    /// A table was written by something that uses features this program does not know.
    #[error("table {table} of {url} uses the Delta feature {feature}, which retrohunt does not read")]
    UnsupportedTable {
        /// The lake.
        url: String,
        /// The table.
        table: String,
        /// Delta's name of the feature.
        feature: String,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No file matches what was asked to be ingested.
    #[error("{pattern}: no such file or folder")]
    NoInput {
        /// The path or pattern as typed.
        pattern: String,
    },
    /// SQL that cannot run: syntax, an unknown name, or a statement that writes.
    #[error("{0}")]
    Query(String),
    /// A detection's file is wrong.
    #[error("{0}")]
    Detection(String),
    /// A detection or other thing was asked for by a name that does not exist.
    #[error("there is no {kind} named {name:?}{}", suggestion(nearest))]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// The name as typed.
        name: String,
        /// Names that exist and look alike.
        nearest: Vec<String>,
    },
    /// The store or the table format failed.
    #[error("{action}: {source}")]
    Store {
        /// What was being done, with the URL.
        action: String,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The query engine failed.
    #[error("{0}")]
    Engine(Box<DataFusionError>),
    /// The query needs more memory than it was given.
    #[error("the query needs more memory than the limit allows: {0}")]
    Memory(String),
    /// Writing results failed.
    #[error("cannot write the output: {0}")]
    Output(#[source] std::io::Error),
    /// Interrupted by the user.
    #[error("interrupted")]
    Interrupted,
    /// A state that cannot be: our bug.
    #[error("internal error: {0}; this is a bug in retrohunt")]
    Internal(String),
}

impl Error {
    /// What to do about it, in one sentence.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoLake { url } => Some(format!(
                "run `retrohunt ingest LOGS --lake {url}` to make one, or point --lake (RETROHUNT_LAKE) at an existing one"
            )),
            Self::Memory(_) => Some("raise --memory-limit, lower --threads, or narrow the range".into()),
            Self::NoInput { .. } => Some("give files, folders or quoted glob patterns".into()),
            _ => None,
        }
    }

    /// A failure of the store, with what was being done.
    pub(crate) fn store(
        action: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Store {
            action: action.into(),
            source: source.into(),
        }
    }
}

fn suggestion(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(", ")),
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(message) => Self::Memory(message.clone()),
            DataFusionError::External(inner) if inner.is::<std::io::Error>() => Self::Engine(Box::new(error)),
            _ => Self::Engine(Box::new(error)),
        }
    }
}

impl From<datafusion::arrow::error::ArrowError> for Error {
    fn from(error: datafusion::arrow::error::ArrowError) -> Self {
        Self::Engine(Box::new(error.into()))
    }
}
