//! What a header and its SELECT must fit together on, checked without any table.

use super::reads::other_events;
use super::shape::{Everywhere, more_than_a_filter};
use super::{Detection, FIRST_TIMES, Kind, format_duration, same_column};

/// How bad a finding of the linter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Runs, but not as its author may think.
    Warning,
    /// Does not run.
    Error,
}

/// Something about a detection that its author should change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The detection's file.
    pub origin: String,
    /// Line in the file, where known.
    pub line: Option<u64>,
    /// What is wrong and what to do.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.origin)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        let level = match self.level {
            Level::Warning => " warning:",
            Level::Error => "",
        };
        write!(f, "{level} {}", self.message)
    }
}

/// Everything the linter finds, errors first.
pub fn lint(detection: &Detection) -> Vec<Finding> {
    let mut linter = Linter {
        detection,
        findings: Vec::new(),
    };
    linter.shape();
    linter.everywhere();
    linter.columns();
    linter.windows();
    linter.explanations();
    linter.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    linter.findings
}

struct Linter<'a> {
    detection: &'a Detection,
    findings: Vec<Finding>,
}

impl Linter<'_> {
    fn add(&mut self, level: Level, line: u64, message: String) {
        let line = (line > 0).then_some(line);
        self.findings.push(Finding {
            level,
            origin: self.detection.origin.clone(),
            line,
            message,
        });
    }

    fn warn(&mut self, message: impl Into<String>) {
        self.add(Level::Warning, 0, message.into());
    }

    /// Without windows, a detection looks at one event at a time.
    fn shape(&mut self) {
        let advice = match self.detection.kind() {
            Kind::Windowed => return,
            Kind::Event => "give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter",
            Kind::NewTerms => "a new terms detection is a filter; the engine finds what is new",
        };
        if let Some(found) = more_than_a_filter(&self.detection.statement) {
            self.add(
                Level::Error,
                found.line,
                format!("{} needs more than one event at a time; {advice}", found.what),
            );
        } else if let Some(found) = other_events(&self.detection.statement) {
            self.add(
                Level::Warning,
                found.line,
                format!(
                    "{}, and a hunt without windows sees only those of its range: what it finds depends on --from and \
                     --to; give the header a `lookback`, an `interval` and a `key`, or read the event alone",
                    found.what
                ),
            );
        }
    }

    fn everywhere(&mut self) {
        let found = Everywhere::of(&self.detection.statement);
        for trap in found.interval_comparisons {
            let message = format!(
                "`{}` compares a duration with an interval, which is silently wrong in DataFusion; \
                 write `a > b + INTERVAL '...'` instead of `a - b > INTERVAL '...'`",
                trap.what
            );
            self.add(Level::Error, trap.line, message);
        }
        if self.detection.kind() == Kind::Windowed {
            for limit in found.limits {
                let message = "LIMIT cannot be lifted over many ticks at once, so a hunt replays this detection \
                               tick by tick, slowly; rank with row_number() and filter instead";
                self.add(Level::Warning, limit.line, message.into());
            }
        } else {
            for clock in found.clocks {
                let message = format!(
                    "`{}` means nothing without windows: whether an event is found must not depend on when it is \
                     looked for; compare fields of the event, or give the header a `lookback`",
                    clock.what
                );
                self.add(Level::Error, clock.line, message);
            }
        }
    }

    /// The columns the header and the alerts rely on.
    fn columns(&mut self) {
        let Some(outputs) = self.detection.output_columns() else {
            return;
        };
        let has = |name: &str| outputs.iter().any(|output| same_column(name, output));
        let missing: Vec<&String> = self.detection.header.key.iter().filter(|name| !has(name)).collect();
        let missing_key: Vec<String> = missing.into_iter().cloned().collect();
        for name in missing_key {
            let message = format!(
                "`key` names {name}, which the SELECT does not give; it gives {}",
                outputs.join(", ")
            );
            self.add(Level::Error, 0, message);
        }
        let suppress = self.detection.header.suppress.iter();
        let by = suppress.flat_map(|suppress| &suppress.by);
        let missing_by: Vec<String> = by.filter(|name| !has(name)).cloned().collect();
        for name in missing_by {
            let message = format!(
                "`suppress` names {name}, which the SELECT does not give; it gives {}",
                outputs.join(", ")
            );
            self.add(Level::Error, 0, message);
        }
        if self.detection.kind() == Kind::Windowed {
            for (column, purpose) in [
                ("event_ids", "which events an alert is about"),
                ("event_count", "how many"),
            ] {
                if !has(column) {
                    self.warn(format!(
                        "the SELECT gives no `{column}`, so alerts cannot say {purpose}"
                    ));
                }
            }
            if !FIRST_TIMES
                .iter()
                .any(|name| outputs.iter().any(|output| output == name))
            {
                self.warn(format!(
                    "the SELECT gives none of `{}`, so alerts cannot say when their first event was",
                    FIRST_TIMES.join("`, `")
                ));
            }
        }
    }

    fn windows(&mut self) {
        let header = &self.detection.header;
        let setting = match header.rhythm.pattern() {
            Some(_) => "cron",
            None => "interval",
        };
        if self.detection.kind() == Kind::Event && header.has_rhythm {
            self.warn(format!(
                "`{setting}` without `lookback` makes no windows: each event that the SELECT keeps is an alert; \
                 add a `lookback` and a `key`, or leave `{setting}` out"
            ));
        }
        if let Some(lookback) = header.lookback
            && let longest = header.rhythm.longest_gap()
            && longest > lookback
        {
            let lookback = format_duration(lookback);
            self.warn(match header.rhythm.pattern() {
                None => format!(
                    "it runs every {} but looks back only {lookback}, so no window holds the events between; \
                     make `interval` at most `lookback`",
                    header.rhythm
                ),
                Some(pattern) => format!(
                    "the times of `cron` ({pattern}) are up to {} apart but it looks back only {lookback}, so no \
                     window holds the events between; make `lookback` as long",
                    format_duration(longest)
                ),
            });
        }
    }

    fn explanations(&mut self) {
        let header = &self.detection.header;
        let missing: Vec<&str> = [
            ("description", header.description.is_empty()),
            ("triage", header.triage.is_empty()),
            ("false_positives", header.false_positives.is_empty()),
            ("attack", header.attack.is_empty()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        if !missing.is_empty() {
            self.warn(format!(
                "the header has no `{}`; whoever gets the alert will miss it",
                missing.join("`, `")
            ));
        }
    }
}
