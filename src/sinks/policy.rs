//! What a sink wants, and how persistently it gets it: the settings that all kinds share.

use super::wrong_setting;
use crate::alerts::{Change, Revision};
use crate::detections::{Severity, parse_duration};
use crate::error::Result;
use serde::Deserialize;
use std::time::Duration;

/// The longest that is waited between two attempts, whatever a peer asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// More attempts than this are not made.
const MOST_ATTEMPTS: u32 = 100;

/// What a sink wants, and how persistently it gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The changes that are sent.
    pub changes: Vec<Change>,
    /// The least severity that is sent.
    pub min_severity: Severity,
    /// Whether suppressed alerts are sent.
    pub suppressed: bool,
    /// Alerts whose last event or window is older are not sent.
    pub max_age: Option<Duration>,
    /// How often one revision is tried; at least 1.
    pub attempts: u32,
    /// The wait after the first failed attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The longest wait between two attempts, also where a peer asks for a longer one.
    pub longest_wait: Duration,
    /// How long a connection, a request, a write may take.
    pub timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            changes: vec![Change::New, Change::Revised, Change::Withdrawn],
            min_severity: Severity::Informational,
            suppressed: false,
            max_age: None,
            attempts: 5,
            backoff: Duration::from_secs(1),
            longest_wait: LONGEST_WAIT,
            timeout: Duration::from_secs(30),
        }
    }
}

/// As it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    changes: Option<Vec<Change>>,
    min_severity: Option<String>,
    suppressed: Option<bool>,
    max_age: Option<String>,
    attempts: Option<u32>,
    backoff: Option<String>,
    timeout: Option<String>,
}

impl Policy {
    /// The keys of the settings that are read here.
    pub(super) const KEYS: [&str; 7] = [
        "changes",
        "min_severity",
        "suppressed",
        "max_age",
        "attempts",
        "backoff",
        "timeout",
    ];

    /// From those keys of a sink's table; what is absent has its default.
    pub(super) fn read(sink: &str, table: toml::Table) -> Result<Self> {
        let mut policy = Self::default();
        let mut written = Written::default();
        for (key, value) in table {
            // One by one, so that the error can name the key.
            let one = toml::Table::from_iter([(key.clone(), value)]);
            let one = Written::deserialize(one).map_err(|error| wrong_setting(sink, &key, error.message()))?;
            written = written.or(one);
        }
        let duration = |key: &str, text: Option<String>| {
            let duration = text.map(|text| parse_duration(&text)).transpose();
            duration.map_err(|problem| wrong_setting(sink, key, problem))
        };
        if let Some(changes) = written.changes {
            policy.changes = changes;
        }
        if let Some(name) = written.min_severity {
            let found = Severity::ALL.into_iter().find(|known| known.as_str() == name);
            policy.min_severity = found.ok_or_else(|| {
                let known = Severity::ALL.map(Severity::as_str).join(", ");
                wrong_setting(
                    sink,
                    "min_severity",
                    format!("{name:?} is no severity; write one of {known}"),
                )
            })?;
        }
        policy.suppressed = written.suppressed.unwrap_or(policy.suppressed);
        policy.max_age = duration("max_age", written.max_age)?;
        policy.attempts = written.attempts.unwrap_or(policy.attempts);
        if policy.attempts == 0 || policy.attempts > MOST_ATTEMPTS {
            let problem = format!("must be from 1 to {MOST_ATTEMPTS}");
            return Err(wrong_setting(sink, "attempts", problem));
        }
        if let Some(backoff) = duration("backoff", written.backoff)? {
            policy.backoff = backoff;
        }
        if let Some(timeout) = duration("timeout", written.timeout)? {
            policy.timeout = timeout;
        }
        if policy.timeout.is_zero() {
            return Err(wrong_setting(sink, "timeout", "must be 1s or more"));
        }
        Ok(policy)
    }

    /// Whether a revision is to be sent, at a time in microseconds since the Unix epoch.
    pub fn wants(&self, revision: &Revision, now: i64) -> bool {
        let alert = &revision.alert;
        // A severity that is not known is sent: better once too often.
        let severity = Severity::ALL.into_iter().find(|known| known.as_str() == alert.severity);
        let age = now.saturating_sub(alert.window_end.unwrap_or(alert.time));
        let too_old = self.max_age.is_some_and(|most| {
            let most = i64::try_from(most.as_micros()).unwrap_or(i64::MAX);
            age > most
        });
        self.changes.contains(&revision.change)
            && severity.is_none_or(|severity| severity >= self.min_severity)
            && (self.suppressed || revision.suppressed_by.is_none())
            && !too_old
    }

    /// How long to wait after so many failures in a row: it doubles, up to a limit, and is between
    /// half and all of that, so that many senders do not come back at the same moment. Longer
    /// where the peer asks for it, up to the same limit.
    pub(super) fn wait(&self, failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
        let most = self.backoff.saturating_mul(doubled).min(self.longest_wait);
        let wait = most.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        wait.max(asked.unwrap_or_default().min(self.longest_wait))
    }
}

impl Written {
    fn or(self, other: Self) -> Self {
        Self {
            changes: self.changes.or(other.changes),
            min_severity: self.min_severity.or(other.min_severity),
            suppressed: self.suppressed.or(other.suppressed),
            max_age: self.max_age.or(other.max_age),
            attempts: self.attempts.or(other.attempts),
            backoff: self.backoff.or(other.backoff),
            timeout: self.timeout.or(other.timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::revision;
    use super::*;

    #[test]
    fn what_is_wanted() {
        let policy = |text: &str| Policy::read("s", toml::from_str(text).unwrap()).unwrap();
        let day = 86_400_000_000;
        let alert = revision(1);
        let now = alert.alert.time;
        assert!(policy("").wants(&alert, now));
        assert!(!policy("min_severity = 'critical'").wants(&alert, now));
        assert!(policy("min_severity = 'high'").wants(&alert, now));
        let grown = Revision {
            change: Change::Grown,
            ..alert.clone()
        };
        assert!(!policy("").wants(&grown, now));
        assert!(policy("changes = ['grown']").wants(&grown, now));
        assert!(!policy("changes = []").wants(&alert, now));
        let suppressed = Revision {
            suppressed_by: Some("a".into()),
            ..alert.clone()
        };
        assert!(!policy("").wants(&suppressed, now));
        assert!(policy("suppressed = true").wants(&suppressed, now));
        let recent = policy("max_age = '7d'");
        assert!(recent.wants(&alert, now + 7 * day));
        assert!(!recent.wants(&alert, now + 7 * day + 1));
        // What goes on is as old as its last window.
        let mut windowed = alert.clone();
        windowed.alert.window_end = Some(now + day);
        assert!(recent.wants(&windowed, now + 8 * day));
        let mut strange = alert;
        strange.alert.severity = "apocalyptic".into();
        assert!(policy("min_severity = 'critical'").wants(&strange, now));
    }

    #[test]
    fn waits_double_and_end() {
        let policy = Policy::default();
        let wait = |failures, asked: Option<u64>, chance| {
            let asked = asked.map(Duration::from_secs);
            policy.wait(failures, asked, chance).as_secs_f64()
        };
        assert_eq!(
            [1, 2, 3, 4].map(|failures| wait(failures, None, 1.0)),
            [1.0, 2.0, 4.0, 8.0]
        );
        assert_eq!(wait(3, None, 0.0), 2.0);
        assert_eq!(wait(50, None, 1.0), 60.0);
        assert_eq!(wait(1, Some(20), 0.0), 20.0);
        assert_eq!(wait(5, Some(3), 1.0), 16.0);
        assert_eq!(wait(1, Some(86_400), 1.0), 60.0);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let problem = |text: &str| {
            let table = toml::from_str(text).unwrap();
            Policy::read("soc", table).unwrap_err().to_string()
        };
        insta::assert_snapshot!(
            [
                "changes = ['now']",
                "changes = 'new'",
                "min_severity = 'worst'",
                "attempts = 0",
                "attempts = -1",
                "backoff = 5",
                "timeout = '0s'",
                "max_age = 'long'",
                "suppressed = 'no'",
            ]
            .map(problem)
            .join("\n"),
            @r#"
        [sinks.soc] changes: unknown variant `now`, expected one of `new`, `grown`, `revised`, `withdrawn`
        [sinks.soc] changes: invalid type: string "new", expected a sequence
        [sinks.soc] min_severity: "worst" is no severity; write one of informational, low, medium, high, critical
        [sinks.soc] attempts: must be from 1 to 100
        [sinks.soc] attempts: invalid value: integer `-1`, expected u32
        [sinks.soc] backoff: invalid type: integer `5`, expected a string
        [sinks.soc] timeout: must be 1s or more
        [sinks.soc] max_age: "long" is no duration; write numbers with w, d, h, m or s, such as "8h" or "7d 12h"
        [sinks.soc] suppressed: invalid type: string "no", expected a boolean
        "#
        );
    }
}
