//! The error of every public operation: what happened, where, and what to do about it.

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use std::path::PathBuf;

/// Where a machine in a cloud gives credentials to what runs on it.
const MACHINE_CREDENTIALS: &str = "169.254.169.254";

/// What servers call a bucket or container that is not there, and what to do about it.
const NOWHERE: [(&str, &str); 2] = [
    (
        "NoSuchBucket",
        "create the bucket, as with `aws s3 mb s3://BUCKET`, or name another one with --lake (RETROHUNT_LAKE) or as the \
         PATH of the logs; AWS_ENDPOINT_URL and AWS_REGION say where it is looked for",
    ),
    (
        "ContainerNotFound",
        "create the container, as with `az storage container create --name CONTAINER`, or name another one with --lake \
         (RETROHUNT_LAKE) or as the PATH of the logs; AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING says in \
         which account it is looked for",
    ),
];

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
    /// Something is to be planned, and nothing was measured.
    #[error("there are no measurements at {}", path.display())]
    NoMeasurements {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// What was to be measured failed.
    #[error("cannot measure {work}: {problem}")]
    Benchmark {
        /// What was run.
        work: String,
        /// What it said.
        problem: String,
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
    #[error("{}: {}", path.display(), system_message(source))]
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
    /// Evidence was asked for by an id that is nowhere.
    #[error("nothing has the id {id:?}: {looked}")]
    NoEvidence {
        /// The id as typed.
        id: String,
        /// What was looked at.
        looked: String,
    },
    /// More would be read, or paid, than was allowed.
    #[error("{0}")]
    Refused(String),
    /// The store or the table format failed.
    #[error("{action}: {}", answer(source))]
    Store {
        /// What was being done, with the URL.
        action: String,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The query engine failed.
    #[error("{}", explain(.0))]
    Engine(Box<DataFusionError>),
    /// The query needs more memory than it was given.
    #[error("the query needs more memory than {}", shortage(.0))]
    Memory(String),
    /// Writing results failed.
    #[error("cannot write the output: {}", system_message(.0))]
    Output(#[source] std::io::Error),
    /// Interrupted by the user.
    #[error("interrupted")]
    Interrupted,
    /// A state that cannot be: our bug.
    #[error("internal error: {0}; this is a bug in retrohunt")]
    Internal(String),
}

impl Error {
    /// Whether the memory limit was the reason.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// What to do about it, in one sentence.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoLake { url } => Some(format!(
                "run `retrohunt ingest LOGS --lake {url}` to make one, or point --lake (RETROHUNT_LAKE) at an existing one"
            )),
            Self::NoMeasurements { .. } => Some(
                "run `retrohunt bench`, on a machine like the one that is planned, or give what it wrote there with --measurements (RETROHUNT_MEASUREMENTS)".into(),
            ),
            Self::Refused(_) => Some(
                "narrow --from and --to, name fewer detections, or allow more; --dry-run says what each would read".into(),
            ),
            Self::Memory(_) => Some("raise --memory-limit, lower --threads, or narrow the range".into()),
            Self::NoInput { .. } => Some("give files, folders or quoted glob patterns".into()),
            Self::NoEvidence { .. } => Some(
                "an id is an event.id, an event_key or an alert_id; alerts are found in the lake where a schedule or `retrohunt alerts promote` recorded them, else in what `retrohunt hunt --format jsonl --output FILE` wrote: add --alerts FILE; another lake is asked with --lake".into(),
            ),
            Self::Unknown {
                kind: "detection",
                nearest,
                ..
            } if nearest.is_empty() => Some("`retrohunt detections list` lists them".into()),
            Self::Unknown {
                kind: "function",
                nearest,
                ..
            } if nearest.is_empty() => Some("`retrohunt functions` lists them".into()),
            Self::Unknown { kind: "alert", .. } => Some(
                "`retrohunt alerts list` lists those that are recorded, with --suppressed and --withdrawn all of them; what a hunt found is recorded by `retrohunt alerts promote FILE`".into(),
            ),
            Self::Engine(error) => remedy(error).map(str::to_owned),
            // Whoever asks the machine itself, as in a cloud, had no other credentials.
            Self::Store { source, .. } if source.to_string().contains(MACHINE_CREDENTIALS) => Some(
                "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for Azure \
                 AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or log in with `az login`"
                    .into(),
            ),
            Self::Store { source, .. } => {
                let text = source.to_string();
                let nowhere = NOWHERE.iter().find(|(code, _)| text.contains(code));
                nowhere.map(|(_, hint)| (*hint).to_owned())
            }
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

/// What a store said, without the XML that its server says it in.
pub(crate) fn answer(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let element = |name: &str| {
        let (_, inner) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = inner.split_once(&format!("</{name}>"))?;
        inner.lines().next().map(str::trim)
    };
    let begin = text.find("<?xml").or_else(|| text.find("<Error>"));
    match (begin, element("Code")) {
        (Some(begin), Some(code)) => {
            let before = text[..begin].trim_end_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            match element("Message") {
                Some(message) => format!("{before} {message} ({code})"),
                None => format!("{before} {code}"),
            }
        }
        _ => text,
    }
}

fn suggestion(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [only] => format!("; did you mean {only}?"),
        several => format!("; did you mean one of {}?", several.join(", ")),
    }
}

/// What the system said, without its number for it.
fn system_message(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or(&text).to_owned()
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(message) => Self::Memory(message.clone()),
            _ => Self::Engine(Box::new(error)),
        }
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::Engine(Box::new(error.into()))
    }
}

/// What the engine says, in the words of whoever wrote the query: without the names of its
/// own parts and steps, and with the place in the SQL text where it is known.
fn explain(error: &DataFusionError) -> String {
    use DataFusionError as E;
    let text = match error {
        E::Plan(text) | E::Execution(text) | E::Configuration(text) | E::ResourcesExhausted(text) => reworded(text),
        E::Internal(text) => format!("internal error of the query engine: {}", reworded(text)),
        E::NotImplemented(text) => format!("not supported: {}", reworded(text)),
        E::SQL(error, _) => format!("syntax error: {}", reworded(&error.to_string())),
        E::ArrowError(error, _) => explain_arrow(error),
        E::SchemaError(error, _) => reworded(&error.to_string()),
        // A context with spaces says something; the others are names of optimizer steps.
        E::Context(context, inner) if !context.contains(' ') || context.starts_with("Optimizer rule") => explain(inner),
        E::Context(context, inner) => format!("{context}: {}", explain(inner)),
        E::Diagnostic(_, inner) => explain(inner),
        E::Shared(inner) => explain(inner),
        E::Collection(errors) => errors.first().map(explain).unwrap_or_default(),
        E::External(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => explain(inner),
            None => match inner.downcast_ref::<ArrowError>() {
                Some(inner) => explain_arrow(inner),
                None => inner.to_string(),
            },
        },
        other => reworded(&other.strip_backtrace()),
    };
    match error {
        E::Diagnostic(..) => text + &place(error),
        _ => text,
    }
}

fn explain_arrow(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => "division by zero".into(),
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => explain(inner),
            None => inner.to_string(),
        },
        other => reworded(&other.to_string()),
    }
}

/// Where in the SQL text an error is, where the engine knows: ` (line 1, column 8)`.
pub(crate) fn place(error: &DataFusionError) -> String {
    match error.diagnostic().and_then(|diagnostic| diagnostic.span) {
        Some(span) if span.start.line > 0 => format!(" (line {}, column {})", span.start.line, span.start.column),
        _ => String::new(),
    }
}

/// What the engine puts before its messages, at every level it passes them through.
const PREFIXES: &[&str] = &[
    "Error during planning: ",
    "Execution error: ",
    "Internal error: ",
    "External error: ",
    "Arrow error: ",
    "Parquet error: ",
    "Object Store error: ",
    "Schema error: ",
    "Parser error: ",
    "Cast error: ",
    "Compute error: ",
    "Invalid argument error: ",
    "This feature is not implemented: ",
    "External: ",
];

fn reworded(text: &str) -> String {
    let mut text = text.to_owned();
    for prefix in PREFIXES {
        text = text.replace(prefix, "");
    }
    // The system's number for what it also says in words.
    while let Some((before, after)) = text.split_once(" (os error ") {
        let after = after.split_once(')').map_or("", |(_, after)| after);
        text = format!("{before}{after}");
    }
    // Three times the same type of text; which of them it is, is of no use to anybody.
    for name in ["LargeUtf8", "Utf8View", "Utf8"] {
        text = text.replace(name, "text");
    }
    if let Some(between) = wrong_call(&text) {
        return between;
    }
    if let Some((_, rest)) = text.split_once("must be in GROUP BY or an aggregate function: ")
        && let Some(column) = rest.split('"').nth(1)
    {
        return format!("{column} is neither in GROUP BY nor inside an aggregate such as max(...)");
    }
    if let Some(rest) = text.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or(rest);
        let nearest = rest
            .split("Did you mean '")
            .nth(1)
            .and_then(|rest| rest.split('\'').next());
        return format!(
            "unknown function {name}{}",
            suggestion(&nearest.map(str::to_owned).into_iter().collect::<Vec<_>>())
        );
    }
    if let Some(name) = text
        .strip_prefix("table function '")
        .and_then(|rest| rest.strip_suffix("' not found"))
    {
        return format!("unknown table function {name}");
    }
    text
}

/// A function that was called with arguments it does not take.
fn wrong_call(text: &str) -> Option<String> {
    let (reason, rest) = text.split_once("No function matches the given name and argument types '")?;
    let (call, rest) = rest.split_once("'.")?;
    if let Some((_, reason)) = reason.split_once("user-defined coercion failed with: ") {
        return Some(reason.trim_end_matches([' ', '.']).to_owned());
    }
    let forms: Vec<&str> = rest
        .lines()
        .skip(1)
        .map(str::trim)
        .filter(|line| !line.ends_with(':'))
        .collect();
    Some(match forms.as_slice() {
        [] => format!("there is no {call}"),
        forms => format!("there is no {call}; there is {}", forms.join(", ")),
    })
}

/// What to write instead, for what goes wrong on values rather than on the text of a query.
fn remedy(error: &DataFusionError) -> Option<&'static str> {
    let error = match error.find_root() {
        DataFusionError::ArrowError(error, _) => error,
        DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) => {
            return Some("a file of the lake is missing or damaged; restore it, or ingest the logs into a new lake");
        }
        _ => return None,
    };
    match error.as_ref() {
        ArrowError::DivideByZero => Some("divide by nullif(x, 0) to get NULL instead"),
        ArrowError::CastError(_) => Some("try_cast(x AS type) gives NULL where a value does not fit"),
        ArrowError::ParseError(text) if text.contains("timestamp") => {
            Some("write a time as TIMESTAMP '2026-03-01T08:00:00Z'")
        }
        _ => None,
    }
}

/// From the engine's account of its memory: the limit, and what part of a query hit it.
fn shortage(account: &str) -> String {
    if !account.contains("pool_size: ") {
        return format!("the limit allows: {account}");
    }
    let part = [
        ("Aggregate", " for GROUP BY, DISTINCT or an aggregate"),
        ("Join", " for a join"),
        ("Sort", " for sorting"),
        ("Window", " for a window function"),
    ];
    let consumer = account.lines().next().unwrap_or_default();
    let part = part
        .iter()
        .find(|(name, _)| consumer.contains(name))
        .map_or("", |(_, words)| words);
    format!("the limit allows{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_the_machine_for_credentials_had_none() {
        let asked = Error::store(
            "cannot open",
            "Error performing PUT http://169.254.169.254/latest/api/token",
        );
        assert!(asked.hint().unwrap().contains("AWS_PROFILE"));
        assert_eq!(Error::store("cannot open", "503 Slow Down").hint(), None);
    }

    #[test]
    fn what_is_not_there_is_to_be_created() {
        let xml = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code><Message>It does not exist.\nTime:1</Message></Error>";
        let error = Error::store("cannot list s3://x", format!("404 Not Found: {xml}"));
        assert_eq!(
            error.to_string(),
            "cannot list s3://x: 404 Not Found: It does not exist. (NoSuchBucket)"
        );
        assert!(error.hint().unwrap().contains("create the bucket"));
        let other = Error::store("cannot list", "403: <html>no</html>");
        assert_eq!(other.to_string(), "cannot list: 403: <html>no</html>");
    }

    #[test]
    fn engine_messages_lose_the_engine() {
        let plan = |text: &str| Error::from(DataFusionError::Plan(text.into())).to_string();
        assert_eq!(
            plan(
                "Execution error: Function 'f' user-defined coercion failed with: Error during planning: f needs 2 arguments, not 1. No function matches the given name and argument types 'f(Utf8View)'. You might need to add explicit type casts.\n\tCandidate functions:\n\tf(UserDefined)"
            ),
            "f needs 2 arguments, not 1"
        );
        assert_eq!(
            plan(
                "Function 'upper' expects 1 arguments but received 2. No function matches the given name and argument types 'upper(Int64, Utf8)'. You might need to add explicit type casts.\n\tCandidate functions:\n\tupper(String)"
            ),
            "there is no upper(Int64, text); there is upper(String)"
        );
        let nested = DataFusionError::Context(
            "type_coercion".into(),
            Box::new(DataFusionError::Plan("Error during planning: x".into())),
        );
        assert_eq!(Error::from(nested).to_string(), "x");
        let divided = Error::from(ArrowError::DivideByZero);
        assert_eq!(divided.to_string(), "division by zero");
        assert!(divided.hint().is_some_and(|hint| hint.contains("nullif")));
        assert_eq!(
            Error::Memory("Additional allocation failed for AggregateStream[0] with\n  x\nError: Failed to allocate - halves(pool_size: 64000000)".into()).to_string(),
            "the query needs more memory than the limit allows for GROUP BY, DISTINCT or an aggregate"
        );
    }
}
