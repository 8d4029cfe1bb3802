//! What was looked at and what was not, in sentences to paste into a report.

use super::{Coverage, HOUR, LogCoverage};
use crate::config::format_instant;
use crate::report::human::{count, counted};
use std::fmt::Write as _;

/// Hours of rejected records, and files, that a sentence names.
const NAMED: usize = 20;

/// "Looked at N events of DATASET of ORGANISATION from A to B, except: ..."
pub fn looked_at(log: &LogCoverage) -> String {
    let organization = match &log.organization {
        Some(id) => format!("organisation {}", plain(id)),
        None => "no named organisation".to_owned(),
    };
    let mut text = format!(
        "Looked at {} of {} of {organization} from {} to {}",
        counted(log.events, "event", "events"),
        plain(&log.dataset),
        format_instant(log.from),
        format_instant(log.to)
    );
    let mut except: Vec<String> = log.gaps.iter().map(gap).collect();
    if log.rejected > 0 {
        except.push(rejected(log));
    }
    match except.is_empty() {
        true if log.hours_expected == 0 => {
            text.push_str("; no record was rejected, and events are too few to tell an hour without them from a gap.");
        }
        true => text.push_str("; no gap was found and no record rejected."),
        false => {
            let _ = write!(text, ", except: {}.", except.join("; "));
            if log.gaps.is_empty() && log.hours_expected == 0 {
                text.push_str(" Events are too few to tell an hour without them from a gap.");
            }
        }
    }
    text
}

fn gap(gap: &super::Gap) -> String {
    let hours = counted(((gap.to - gap.from) / HOUR) as u64, "hour", "hours");
    let (from, to) = (format_instant(gap.from), format_instant(gap.to));
    format!(
        "{from} to {to} ({hours} without events, about {} expected)",
        count(gap.expected)
    )
}

fn rejected(log: &LogCoverage) -> String {
    let hours: Vec<_> = log.hours.iter().filter(|hour| hour.rejected > 0).collect();
    let named = hours.iter().take(NAMED);
    let mut named: Vec<String> = named
        .map(|hour| format!("{} ({})", format_instant(hour.hour), count(hour.rejected)))
        .collect();
    if hours.len() > NAMED {
        let others = (hours.len() - NAMED) as u64;
        named.push(format!("and {}", counted(others, "more hour", "more hours")));
    }
    let records = counted(log.rejected, "record that was rejected", "records that were rejected");
    format!("{records}, in or near the hour of {}", named.join(", "))
}

/// What is not in the lake and belongs to no hour of a log: of files, and in total.
pub fn exceptions(coverage: &Coverage) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let of_file = coverage.files.iter().filter_map(|file| {
        let name = plain(&file.file);
        match (&file.problem, file.finished) {
            (Some(problem), true) => Some(format!("Not read as a whole: {name} ({}).", plain(problem))),
            (Some(problem), false) => Some(format!(
                "Not read to its end: {name} ({}); ingest it again.",
                plain(problem)
            )),
            (None, false) => Some(format!(
                "Not read to its end: {name} (the ingest ended before, or still runs); ingest it again."
            )),
            (None, true) => None,
        }
    });
    let of_file: Vec<String> = of_file.collect();
    let more = of_file.len().saturating_sub(NAMED);
    sentences.extend(of_file.into_iter().take(NAMED));
    if more > 0 {
        let files = counted(more as u64, "more file", "more files");
        sentences.push(format!("Nor were {files} read as a whole."));
    }
    if coverage.without_hour.rejected > 0 {
        let records = counted(coverage.without_hour.rejected, "record", "records");
        sentences.push(format!("Rejected, of no known time: {records}."));
    }
    sentences
}

/// Text of a log record or a path, in one line, without what a terminal or a reader's eye would
/// obey.
pub(super) fn plain(text: &str) -> String {
    let harmless = |c: char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{CoveredHour, Gap, WithoutHour};
    use super::*;
    use crate::custody::coverage::FileProblem;

    fn log() -> LogCoverage {
        let start = 1_772_438_400_000_000;
        LogCoverage {
            dataset: "o365.audit".into(),
            organization: Some("9f".into()),
            from: start,
            to: start + 48 * HOUR,
            first: Some(start + 5),
            last: Some(start + 47 * HOUR),
            events: 1_234,
            duplicates: 0,
            rejected: 0,
            late: None,
            hours_expected: 9,
            hours: Vec::new(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn a_whole_log_has_no_exceptions() {
        assert_eq!(
            looked_at(&log()),
            "Looked at 1,234 events of o365.audit of organisation 9f from 2026-03-02T08:00:00Z to 2026-03-04T08:00:00Z; \
             no gap was found and no record rejected."
        );
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        let quiet = LogCoverage {
            hours_expected: 0,
            ..log()
        };
        assert!(looked_at(&quiet).ends_with("too few to tell an hour without them from a gap."));
    }

    #[test]
    fn every_exception_is_named() {
        let mut log = log();
        log.gaps = vec![Gap {
            from: log.from + 2 * HOUR,
            to: log.from + 5 * HOUR,
            expected: 1_000,
        }];
        log.rejected = 21;
        log.hours = (0..21)
            .map(|hour| CoveredHour {
                hour: log.from + hour * HOUR,
                rejected: 1,
                ..CoveredHour::default()
            })
            .collect();
        let text = looked_at(&log);
        assert!(text.contains(
            ", except: 2026-03-02T10:00:00Z to 2026-03-02T13:00:00Z (3 hours without events, about 1,000 expected); \
             21 records that were rejected, in or near the hour of 2026-03-02T08:00:00Z (1), "
        ));
        assert!(text.ends_with("2026-03-03T03:00:00Z (1), and 1 more hour."), "{text}");
    }

    #[test]
    fn files_and_what_has_no_time() {
        let file = |name: &str, finished, problem: Option<&str>| FileProblem {
            file: name.into(),
            finished,
            problem: problem.map(str::to_owned),
            rejected: 1,
            ..FileProblem::default()
        };
        let coverage = Coverage {
            from: None,
            to: None,
            gap_probability: 0.001,
            datasets: Vec::new(),
            without_hour: WithoutHour {
                duplicates: 4,
                rejected: 2,
            },
            files: vec![
                file("cut.gz", true, Some("ends early")),
                file("half\n\u{202e}.json", false, None),
                file("whole.json", true, None),
            ],
        };
        assert_eq!(
            exceptions(&coverage),
            [
                "Not read as a whole: cut.gz (ends early).",
                "Not read to its end: half\u{fffd}\u{fffd}.json (the ingest ended before, or still runs); ingest it again.",
                "Rejected, of no known time: 2 records.",
            ]
        );
    }
}
