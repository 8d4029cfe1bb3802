//! The TOML header of a detection.

use super::duration::parse_duration;
use super::rhythm::Rhythm;
use serde::Deserialize;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;

/// What the header of a detection says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Unique name; the file's stem.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What it detects and how, in a paragraph.
    pub description: String,
    /// How bad a true finding is.
    pub severity: Severity,
    /// 0 to 100.
    pub risk_score: u8,
    /// When it runs; for a windowed detection, the times of its ticks.
    pub rhythm: Rhythm,
    /// Whether the header says so itself.
    pub has_rhythm: bool,
    /// How far each run of a windowed detection looks.
    pub lookback: Option<Duration>,
    /// How long after a tick it is first evaluated, to let late events arrive.
    pub delay: Duration,
    /// Columns that make two results the same finding.
    pub key: Vec<String>,
    /// ATT&CK: tactic and technique, such as `TA0009/T1114.002`.
    pub attack: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// What else looks like this.
    pub false_positives: Vec<String>,
    /// What to look at next.
    pub triage: String,
    /// Set for a new terms detection.
    pub new_terms: Option<NewTerms>,
    /// Which alerts another one stands for.
    pub suppress: Option<Suppress>,
    /// Whether `hunt` and `schedule` run it unless asked by name.
    pub enabled: bool,
    /// The most alerts one run reports; what it leaves out is said.
    pub max_alerts: Option<u64>,
}

/// The `[new_terms]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTerms {
    /// The fields whose combination of values must be new.
    pub fields: Vec<String>,
    /// How long a combination must not have occurred before.
    pub history: Duration,
}

/// The `suppress` of a header: of alerts with the same values in some columns, the first stands
/// for those that begin within some time after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppress {
    /// Columns of the SELECT.
    pub by: Vec<String>,
    /// For how long.
    pub length: Duration,
}

/// How bad a true finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All, from the least.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As written in headers and alerts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault of a header, and where in its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

/// How often a detection without windows runs, if its header does not say.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Option<Spanned<String>>,
    title: Option<Spanned<String>>,
    #[serde(default)]
    description: String,
    severity: Option<Spanned<String>>,
    risk_score: Option<Spanned<i64>>,
    interval: Option<Spanned<String>>,
    cron: Option<Spanned<String>>,
    lookback: Option<Spanned<String>>,
    delay: Option<Spanned<String>>,
    key: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    attack: Vec<Spanned<String>>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    false_positives: Vec<String>,
    #[serde(default)]
    triage: String,
    new_terms: Option<Spanned<WrittenNewTerms>>,
    suppress: Option<Spanned<WrittenSuppress>>,
    enabled: Option<bool>,
    max_alerts: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNewTerms {
    fields: Option<Spanned<Vec<String>>>,
    history: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSuppress {
    by: Option<Spanned<Vec<String>>>,
    #[serde(rename = "for")]
    length: Option<Spanned<String>>,
}

impl Header {
    /// Reads and checks the text between the markers. All faults at once.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let written: Written = toml::from_str(text).map_err(|error| {
            vec![Fault {
                at: error.span().unwrap_or(0..0),
                message: with_nearest_key(error.message().trim()),
            }]
        })?;
        let mut faults = Faults(Vec::new());
        let header = faults.check(written);
        if faults.0.is_empty() {
            header.ok_or_else(Vec::new)
        } else {
            Err(faults.0)
        }
    }
}

/// The parser's message about an unknown key, which ends with all known ones, with the
/// one that was meant before them.
fn with_nearest_key(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(written) = words.next().filter(|_| message.starts_with("unknown field")) else {
        return message.to_owned();
    };
    let known: Vec<&str> = words.collect();
    let nearest = nearest(written, known.iter().copied());
    let nearest = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    format!(
        "the header has no key `{written}`{nearest} (the keys are {})",
        known.join(", ")
    )
}

/// The known word that a written one is most likely meant to be.
fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.7;
    let plain = |word: &str| word.to_ascii_lowercase().replace('-', "_");
    known
        .map(|known| (strsim::jaro_winkler(&plain(written), known), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.0.push(Fault {
            at,
            message: message.into(),
        });
    }

    fn required<T>(&mut self, name: &str, value: Option<Spanned<T>>) -> Option<Spanned<T>> {
        if value.is_none() {
            self.add(0..0, format!("the header has no `{name}`; every detection needs one"));
        }
        value
    }

    fn duration(&mut self, name: &str, value: Option<Spanned<String>>) -> Option<Duration> {
        let value = value?;
        match parse_duration(value.as_ref()) {
            Ok(duration) if duration.is_zero() && name != "delay" => {
                self.add(value.span(), format!("`{name}` must be longer than nothing"));
                None
            }
            Ok(duration) => Some(duration),
            Err(problem) => {
                self.add(value.span(), format!("`{name}`: {problem}"));
                None
            }
        }
    }

    fn check(&mut self, written: Written) -> Option<Header> {
        let windowed = written.lookback.is_some();
        let id = self.required("id", written.id).and_then(|id| self.id(id));
        let title = self.required("title", written.title).map(Spanned::into_inner);
        let severity = self
            .required("severity", written.severity)
            .and_then(|severity| self.severity(severity));
        let risk_score = self
            .required("risk_score", written.risk_score)
            .and_then(|score| self.risk_score(score));
        let has_rhythm = written.interval.is_some() || written.cron.is_some();
        if windowed && !has_rhythm {
            self.add(
                0..0,
                "a detection with `lookback` needs an `interval`: how often it is evaluated, such as \"1h\"; \
                 or a `cron`: when, such as \"0 6 * * 1-5\"",
            );
        }
        let rhythm = self.rhythm(written.interval, written.cron);
        let lookback_at = written.lookback.as_ref().map(Spanned::span);
        let lookback = self.duration("lookback", written.lookback);
        let delay = self.duration("delay", written.delay).unwrap_or(Duration::ZERO);
        if let (Some(at), Some(_)) = (lookback_at, &written.new_terms) {
            self.add(
                at,
                "`lookback` and `[new_terms]` exclude each other; new terms look as far back as their `history`",
            );
        }
        let key = written.key.map(|key| (key.span(), key.into_inner()));
        match &key {
            None if windowed => self.add(
                0..0,
                "a detection with `lookback` needs a `key`: the columns that make two results the same finding",
            ),
            Some((at, key)) if key.is_empty() || key.iter().any(|name| name.trim().is_empty()) => {
                self.add(
                    at.clone(),
                    "`key` must name at least one column of the SELECT, or be left out",
                );
            }
            _ => {}
        }
        let attack = written
            .attack
            .into_iter()
            .map(|technique| self.attack(technique))
            .collect();
        if let Some(max_alerts) = &written.max_alerts
            && *max_alerts.as_ref() == 0
        {
            self.add(
                max_alerts.span(),
                "`max_alerts` must be at least 1; to switch a detection off use `enabled = false`",
            );
        }
        let new_terms = match written.new_terms {
            Some(new_terms) => Some(self.new_terms(new_terms)?),
            None => None,
        };
        let suppress = match written.suppress {
            Some(suppress) => Some(self.suppress(suppress)?),
            None => None,
        };
        Some(Header {
            id: id?,
            title: title?,
            description: written.description.trim().to_owned(),
            severity: severity?,
            risk_score: risk_score?,
            rhythm: rhythm.unwrap_or_else(|| Rhythm::every(DEFAULT_INTERVAL)),
            has_rhythm,
            lookback,
            delay,
            key: key.map(|(_, key)| key).unwrap_or_default(),
            attack,
            references: written.references,
            false_positives: written.false_positives,
            triage: written.triage.trim().to_owned(),
            new_terms,
            suppress,
            enabled: written.enabled.unwrap_or(true),
            max_alerts: written.max_alerts.map(Spanned::into_inner),
        })
    }

    fn rhythm(&mut self, interval: Option<Spanned<String>>, cron: Option<Spanned<String>>) -> Option<Rhythm> {
        if let (Some(_), Some(cron)) = (&interval, &cron) {
            self.add(
                cron.span(),
                "`cron` and `interval` exclude each other; keep the one that says when it runs",
            );
        }
        let interval = self.duration("interval", interval);
        let pattern = cron.and_then(|cron| match Rhythm::cron(cron.as_ref()) {
            Ok(pattern) => Some(pattern),
            Err(problem) => {
                self.add(cron.span(), format!("`cron`: {problem}"));
                None
            }
        });
        pattern.or_else(|| interval.map(Rhythm::every))
    }

    fn id(&mut self, id: Spanned<String>) -> Option<String> {
        let valid = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
        if id.as_ref().is_empty() || !id.as_ref().chars().all(valid) {
            self.add(
                id.span(),
                format!(
                    "{:?} is no id; use lower-case letters, digits and underscores",
                    id.as_ref()
                ),
            );
            return None;
        }
        Some(id.into_inner())
    }

    fn severity(&mut self, severity: Spanned<String>) -> Option<Severity> {
        let found = Severity::ALL
            .into_iter()
            .find(|known| known.as_str() == severity.as_ref());
        if found.is_none() {
            let known = Severity::ALL.map(Severity::as_str);
            let advice = match nearest(severity.as_ref(), known.into_iter()) {
                Some(nearest) => format!("did you mean {nearest:?}? (one of {})", known.join(", ")),
                None => format!("use one of {}", known.join(", ")),
            };
            self.add(
                severity.span(),
                format!("{:?} is no severity; {advice}", severity.as_ref()),
            );
        }
        found
    }

    fn risk_score(&mut self, score: Spanned<i64>) -> Option<u8> {
        let found = u8::try_from(*score.as_ref()).ok().filter(|score| *score <= 100);
        if found.is_none() {
            self.add(
                score.span(),
                format!("`risk_score` is {}; use 0 to 100", score.as_ref()),
            );
        }
        found
    }

    fn attack(&mut self, technique: Spanned<String>) -> String {
        if !is_attack(technique.as_ref()) {
            let message = format!(
                "{:?} is no ATT&CK id; write TA0009/T1114.002, T1114 or TA0009",
                technique.as_ref()
            );
            self.add(technique.span(), message);
        }
        technique.into_inner()
    }

    fn new_terms(&mut self, written: Spanned<WrittenNewTerms>) -> Option<NewTerms> {
        let at = written.span();
        let written = written.into_inner();
        if written.fields.is_none() {
            self.add(
                at.clone(),
                "`[new_terms]` has no `fields`; name the fields whose values must be new",
            );
        }
        if written.history.is_none() {
            self.add(
                at,
                "`[new_terms]` has no `history`; say how long values must not have occurred, such as \"14d\"",
            );
        }
        let fields = written.fields?;
        if fields.as_ref().is_empty() {
            self.add(fields.span(), "`fields` of `[new_terms]` must name at least one field");
        }
        let history = self.duration("history", written.history)?;
        Some(NewTerms {
            fields: fields.into_inner(),
            history,
        })
    }

    fn suppress(&mut self, written: Spanned<WrittenSuppress>) -> Option<Suppress> {
        let at = written.span();
        let written = written.into_inner();
        if written.by.is_none() || written.length.is_none() {
            self.add(
                at,
                "`suppress` needs `by`, the columns by which alerts are the same, and `for`, how long one stands for others, such as { by = [\"user.id\"], for = \"6h\" }",
            );
        }
        let by = written.by?;
        if by.as_ref().iter().any(|name| name.trim().is_empty()) {
            self.add(by.span(), "`by` of `suppress` names columns of the SELECT");
        }
        let length = self.duration("suppress", written.length)?;
        Some(Suppress {
            by: by.into_inner(),
            length,
        })
    }
}

/// `TA0009`, `T1114`, `T1114.002`, or a tactic and a technique with a slash.
fn is_attack(text: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let tactic = |text: &str| text.strip_prefix("TA").is_some_and(|number| digits(number, 4));
    let technique = |text: &str| {
        text.strip_prefix('T')
            .is_some_and(|number| match number.split_once('.') {
                Some((number, part)) => digits(number, 4) && digits(part, 3),
                None => digits(number, 4),
            })
    };
    match text.split_once('/') {
        Some((first, second)) => tactic(first) && technique(second),
        None => tactic(text) || technique(text),
    }
}
