//! `retrohunt lake coverage`

use super::LakeArgs;
use crate::cli::args::check_writable;
use crate::cli::{Outcome, output};
use crate::config::{self, Resources, format_instant};
use crate::custody::coverage::{
    Coverage, CoverageRequest, GAP_PROBABILITY, LogCoverage, coverage, exceptions, how_long, looked_at, page,
};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::report::human::{count, counted};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Gaps of a log, and files, that the table lists; the other formats have all.
const LISTED: usize = 20;

/// What was looked at: events, repeats, rejected records and gaps by hour
///
/// For each dataset of each organisation: events, records that repeated one, records that were
/// rejected, how late events came, and the hours without events where the log's own history
/// expects some; then the files that were not taken in as a whole. It ends in sentences for a
/// report: "Looked at everything from A to B, except ...".
///
/// An hour is held against the same hour of the week in other weeks of the whole lake. Where
/// there are fewer than three, against the same hour on other weekdays or weekend days, else
/// against all other hours. It is a gap where so busy an hour is empty with a probability below
/// --gap-probability: three comparable hours must have 9 events each, many must have 7, up to a
/// quarter of them not counted. Stretches that are empty as a whole are held against the same
/// stretch of other weeks, so that a quiet log can lose a day.
///
/// A rejected record often has no time that can be read; it is counted in the hour of the record
/// before it in its file, or of the one after it.
#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    /// First moment of the range: 2026-03-01, 2026-03-01T08:00:00Z, or 14d ago; without it, each
    /// log is looked at from its first event on
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,

    /// End of the range; without it, each log is looked at up to its last event. The range is
    /// widened to whole hours
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<i64>,

    /// Only this dataset; may be repeated
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    dataset: Vec<String>,

    /// Only this organisation (organization.id, azure.tenant_id or m365_defender.event.tenant.id);
    /// may be repeated
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    organization: Vec<String>,

    /// An hour that is empty with less than this probability is a gap
    #[arg(long, value_name = "P", default_value_t = GAP_PROBABILITY, value_parser = probability)]
    gap_probability: f64,

    /// How to print it
    #[arg(long, value_enum, default_value_t = CoverageFormat::Table)]
    format: CoverageFormat,

    /// Write a heat map as well, as an HTML page that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    lake: LakeArgs,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CoverageFormat {
    /// For people
    Table,
    /// One JSON object with every hour
    Json,
}

fn instant(text: &str) -> Result<i64, String> {
    config::parse_instant(text, chrono::Utc::now().timestamp_micros())
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "write a number between 0 and 1, such as 0.001".to_owned())
}

pub(super) async fn run(args: CoverageArgs, resources: Resources) -> Result<Outcome> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(Error::Setting {
            setting: "--to".into(),
            problem: "must be later than --from".into(),
        });
    }
    if let Some(path) = &args.html {
        check_writable(path)?;
    }
    let lake = args.lake.lake()?;
    let engine = Engine::open(&lake, resources).await?;
    let organizations = args.organization.iter().map(|id| id.to_ascii_lowercase());
    let request = CoverageRequest {
        from: args.from,
        to: args.to,
        organizations: organizations.collect(),
        datasets: args.dataset,
        gap_probability: args.gap_probability,
    };
    let spinner = output::spinner("counting events by hour");
    let coverage = coverage(&engine, &request).await;
    spinner.finish_and_clear();
    let coverage = coverage?;
    if let Some(path) = args.html {
        let html = page(&coverage, &lake.display(), chrono::Utc::now().timestamp_micros());
        std::fs::write(&path, html).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        output::note(format!("wrote {}", path.display()));
    }
    let text = match args.format {
        CoverageFormat::Json => {
            serde_json::to_string(&coverage).map_err(|error| Error::Internal(error.to_string()))? + "\n"
        }
        CoverageFormat::Table => shown(&coverage),
    };
    output::data(&text)?;
    Ok(Outcome::Done)
}

fn shown(coverage: &Coverage) -> String {
    let mut text = String::new();
    if coverage.datasets.is_empty() {
        text.push_str("There are no events in this range.\n");
    }
    for log in &coverage.datasets {
        log_shown(&mut text, log);
        text.push('\n');
    }
    files_shown(&mut text, coverage);
    // A line each, to paste and to search.
    text.push_str("in words\n");
    for sentence in coverage.datasets.iter().map(looked_at).chain(exceptions(coverage)) {
        text.push_str(&sentence);
        text.push('\n');
    }
    text
}

fn log_shown(text: &mut String, log: &LogCoverage) {
    let organization = log.organization.as_deref().unwrap_or("no named organisation");
    let _ = writeln!(text, "{}  {}", one_line(&log.dataset), one_line(organization));
    if let (Some(first), Some(last)) = (log.first, log.last) {
        let _ = writeln!(
            text,
            "  {:<12}{} to {}",
            "events",
            format_instant(first),
            format_instant(last)
        );
    }
    let (with, all) = log.hours_with_events();
    let _ = writeln!(
        text,
        "  {:<12}{}, {}, {} rejected",
        "counts",
        counted(log.events, "event", "events"),
        counted(log.duplicates, "repeat", "repeats"),
        count(log.rejected)
    );
    let _ = writeln!(
        text,
        "  {:<12}{} of {} have events, {} are expected to",
        "hours",
        count(with),
        count(all),
        count(log.hours_expected)
    );
    if let Some(late) = &log.late {
        let [median, p95, max] = [late.median_seconds, late.p95_seconds, late.max_seconds].map(how_long);
        let _ = writeln!(text, "  {:<12}{median} (median), {p95} (95 %), {max} (all)", "late");
    }
    for (position, gap) in log.gaps.iter().take(LISTED).enumerate() {
        let name = if position == 0 { "gaps" } else { "" };
        let (from, to) = (format_instant(gap.from), format_instant(gap.to));
        let expected = counted(gap.expected, "event", "events");
        let _ = writeln!(text, "  {name:<12}{from} to {to}, about {expected} expected");
    }
    if log.gaps.is_empty() {
        let found = match log.hours_expected {
            0 => "none found; events are too few to tell",
            _ => "none",
        };
        let _ = writeln!(text, "  {:<12}{found}", "gaps");
    }
    if log.gaps.len() > LISTED {
        let _ = writeln!(text, "  {:<12}and {} more", "", count((log.gaps.len() - LISTED) as u64));
    }
}

fn files_shown(text: &mut String, coverage: &Coverage) {
    if coverage.files.is_empty() {
        return;
    }
    text.push_str("files\n");
    for file in coverage.files.iter().take(LISTED) {
        let _ = writeln!(text, "  {}", one_line(&file.file));
        if let Some(problem) = &file.problem {
            let _ = writeln!(text, "    {}", one_line(problem));
        }
        if !file.finished {
            text.push_str("    not ingested to its end\n");
        }
        if file.rejected == 0 {
            continue;
        }
        let rejected = counted(file.rejected, "record", "records");
        let times = file.near.iter().map(|near| near.hour);
        let near = match (times.clone().min(), times.max()) {
            (Some(first), Some(last)) if first == last => format!("in or near the hour of {}", format_instant(first)),
            (Some(first), Some(last)) => {
                format!(
                    "in or near hours of {} to {}",
                    format_instant(first),
                    format_instant(last)
                )
            }
            _ => "of no known time".to_owned(),
        };
        let _ = writeln!(text, "    {rejected} rejected, {near}");
    }
    if coverage.files.len() > LISTED {
        let more = count((coverage.files.len() - LISTED) as u64);
        let _ = writeln!(text, "  and {more} more (--format json has all)");
    }
    text.push('\n');
}

/// Text of a log record, without what a terminal would obey.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
