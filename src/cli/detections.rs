//! `retrohunt detections`

use super::args::FolderArgs;
use super::{Outcome, output};
use crate::config::Resources;
use crate::detections::{self, Detection, Fault, Level, format_duration, lint};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::report::{self, Format};
use clap::{Args, Subcommand};
use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use std::io::Write as _;
use std::sync::Arc;

/// List, show and check detections
#[derive(Debug, Args)]
pub(crate) struct DetectionsArgs {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All detections, a line each
    List {
        /// Form of the list
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// One detection whole: what it finds, what to do next, its SQL
    Show {
        /// Its id
        id: String,
    },
    /// Whether every detection would run: header, names, types
    Check,
}

pub(crate) async fn run(args: DetectionsArgs, resources: Resources) -> Result<Outcome> {
    let (known, faults) = args.folder.load()?;
    match args.action {
        Action::List { format } => {
            let outcome = list(&known, format)?;
            for fault in &faults {
                output::note(format_args!("not listed: {}", fault.message));
            }
            Ok(outcome)
        }
        Action::Show { id } => show(detections::choose(known, &faults, &[id])?.first()),
        Action::Check => check(&known, &faults, resources).await,
    }
}

fn list(known: &[Detection], format: Format) -> Result<Outcome> {
    type Cell = fn(&Detection) -> String;
    let columns: [(&str, Cell); 7] = [
        ("id", |d| d.id().to_owned()),
        ("kind", |d| d.kind().as_str().to_owned()),
        ("severity", |d| d.header.severity.to_string()),
        ("interval", |d| d.header.rhythm.to_string()),
        ("looks_back", |d| d.reach().map(format_duration).unwrap_or_default()),
        ("enabled", |d| if d.header.enabled { "yes" } else { "no" }.to_owned()),
        ("title", |d| d.header.title.clone()),
    ];
    let width = output::terminal_width();
    // The id is what has to be typed, so it is never cut: what else there is room for.
    let narrow = format == Format::Table && width.is_some_and(|width| width < 120);
    let columns = if narrow { &columns[..5] } else { &columns[..] };
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, _)| Field::new(*name, DataType::Utf8, false))
        .collect();
    let arrays = columns
        .iter()
        .map(|(_, cell)| Arc::new(StringArray::from_iter_values(known.iter().map(cell))) as _);
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect())?;
    let mut stdout = std::io::stdout();
    report::write_batches(format, &schema, &[batch], &mut stdout, width)?;
    stdout.flush().map_err(Error::Output)?;
    Ok(Outcome::Done)
}

fn show(detection: Option<&Detection>) -> Result<Outcome> {
    if let Some(detection) = detection {
        output::data(&described(detection))?;
    }
    Ok(Outcome::Done)
}

/// Everything about a detection, for people.
fn described(detection: &Detection) -> String {
    let header = &detection.header;
    let mut text = format!("{}: {}\n\n{}\n\n", header.id, header.title, header.description.trim());
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<16}{value}\n"));
        }
    };
    line("kind", detection.kind().as_str().to_owned());
    line("severity", format!("{} (risk {})", header.severity, header.risk_score));
    match header.rhythm.pattern() {
        Some(pattern) => line("cron", format!("{pattern} (UTC)")),
        None => line("interval", header.rhythm.to_string()),
    }
    line("lookback", header.lookback.map(format_duration).unwrap_or_default());
    if let Some(new_terms) = &header.new_terms {
        line(
            "new terms",
            format!(
                "{} within {}",
                new_terms.fields.join(", "),
                format_duration(new_terms.history)
            ),
        );
    }
    line("key", detection.key().join(", "));
    line("attack", header.attack.join(", "));
    for reference in &header.references {
        line("reference", reference.clone());
    }
    for false_positive in &header.false_positives {
        line("also seen when", false_positive.clone());
    }
    if !header.triage.trim().is_empty() {
        text.push_str(&format!("\nWhat to look at next\n{}\n", header.triage.trim()));
    }
    text.push_str(&format!("\n-- {}\n{}\n", detection.origin, detection.sql.trim()));
    text
}

/// Lints and plans each; the first error does not hide the others.
async fn check(known: &[Detection], faults: &[Fault], resources: Resources) -> Result<Outcome> {
    let engine = Engine::empty(resources)?;
    let mut verdicts: Vec<Verdict> = faults.iter().map(Verdict::of_fault).collect();
    for detection in known {
        verdicts.push(Verdict::of(detection, &engine).await);
    }
    verdicts.sort_by(|a, b| a.id.cmp(&b.id));
    for verdict in &verdicts {
        let word = if verdict.problems.is_empty() { "ok" } else { "fails" };
        output::data(&format!("{:<28} {:<10} {word}\n", verdict.id, verdict.kind))?;
        verdict.warnings.iter().chain(&verdict.problems).for_each(output::note);
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.problems.is_empty()).count();
    match failed {
        0 => Ok(Outcome::Done),
        failed => Err(Error::Detection(format!(
            "{failed} of {} detections would not run",
            verdicts.len()
        ))),
    }
}

/// What `check` says about one file.
struct Verdict {
    id: String,
    kind: &'static str,
    warnings: Vec<String>,
    problems: Vec<String>,
}

impl Verdict {
    fn of_fault(fault: &Fault) -> Self {
        Self {
            id: fault.id.clone().unwrap_or_else(|| fault.origin.clone()),
            kind: "-",
            warnings: Vec::new(),
            problems: vec![fault.message.clone()],
        }
    }

    async fn of(detection: &Detection, engine: &Engine) -> Self {
        let (mut warnings, mut problems) = (Vec::new(), Vec::new());
        for finding in lint(detection) {
            match finding.level {
                Level::Warning => warnings.push(finding.to_string()),
                Level::Error => problems.push(finding.to_string()),
            }
        }
        match crate::hunt::plan(engine, detection).await {
            Ok(resolution) => {
                let notes = output::resolution_notes(&resolution);
                warnings.extend(
                    notes
                        .iter()
                        .map(|note| format!("{}: warning: {note}", detection.origin)),
                );
            }
            Err(error) => problems.push(placed(&detection.origin, &output::chain(&error))),
        }
        Self {
            id: detection.id().to_owned(),
            kind: detection.kind().as_str(),
            warnings,
            problems,
        }
    }
}

/// The message after the file and the line that it names, as linters write them.
fn placed(origin: &str, message: &str) -> String {
    let line = message
        .split_once("(line ")
        .and_then(|(_, rest)| rest.split_once(", column "))
        .and_then(|(line, _)| line.parse::<u64>().ok());
    match line {
        Some(line) => format!("{origin}:{line}: {message}"),
        None => format!("{origin}: {message}"),
    }
}
