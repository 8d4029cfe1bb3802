//! Detections of every kind, and events that arrive when they like.

use super::bench::{Written, beginning, record};
use crate::random_hunts::choices::Choices;
use chrono::{DateTime, Duration as Span, Utc};
use serde_json::Value;

/// One or two of each kind.
pub(super) const FEW: [Written; 6] = [
    (
        "e_rule",
        "interval = \"10m\"\nsuppress = { by = [\"user.id\"], for = \"6h\" }",
        "SELECT event.id, user.id FROM events WHERE event.action IN ('New-InboxRule', 'Set-InboxRule')",
    ),
    (
        "e_join",
        "interval = \"1h\"",
        "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete' \
         AND user.id IN (SELECT user.id FROM events WHERE event.action = 'New-InboxRule')",
    ),
    (
        "w_many",
        "interval = \"1h\"\nlookback = \"6h\"\nkey = [\"user.id\"]",
        "SELECT user.id, count(*) AS event_count, min(timestamp) AS first_time, array_agg(event.id ORDER BY event.id) AS event_ids \
         FROM events WHERE event.action = 'FileDownloaded' GROUP BY user.id HAVING count(*) >= 4",
    ),
    (
        "w_absent",
        "interval = \"30m\"\nlookback = \"4h\"\nkey = [\"user.id\"]\nsuppress = { by = [\"user.id\"], for = \"12h\" }",
        "SELECT user.id, count(*) AS event_count, array_agg(event.id ORDER BY event.id) AS event_ids FROM events GROUP BY user.id \
         HAVING count(*) FILTER (WHERE event.action = 'HardDelete') > 0 AND count(*) FILTER (WHERE event.action = 'UserLoggedIn') = 0",
    ),
    (
        "w_ips",
        "interval = \"15m\"\nlookback = \"2h\"\nkey = [\"user.id\"]\ndelay = \"10m\"",
        "SELECT user.id, count(DISTINCT source.ip) AS ips, count(*) AS event_count FROM events \
         WHERE event.action = 'UserLoggedIn' GROUP BY user.id HAVING count(DISTINCT source.ip) > 1",
    ),
    (
        "n_ip",
        "interval = \"5m\"\nnew_terms = { fields = [\"user.id\", \"source.ip\"], history = \"2d\" }",
        "SELECT event.id, user.id, source.ip FROM events WHERE event.action = 'UserLoggedIn'",
    ),
];

/// What the longer simulation has beside.
pub(super) const MORE: [Written; 4] = [
    (
        "e_delete",
        "interval = \"5m\"",
        "SELECT event.id, user.id, source.ip FROM events WHERE event.action = 'HardDelete'",
    ),
    (
        "w_seq",
        "interval = \"1h\"\nlookback = \"8h\"\nkey = [\"user.id\"]",
        "SELECT a.user.id, count(*) AS event_count FROM events a JOIN events b ON a.user.id = b.user.id AND a.timestamp < b.timestamp \
         WHERE a.event.action = 'UserLoggedIn' AND b.event.action = 'New-InboxRule' GROUP BY a.user.id",
    ),
    (
        "w_quiet",
        "interval = \"6h\"\nlookback = \"6h\"\nkey = [\"k\"]",
        "SELECT 'all' AS k, count(*) AS event_count FROM events WHERE event.action = 'Set-InboxRule' HAVING count(*) = 0",
    ),
    (
        "n_op",
        "interval = \"20m\"\nnew_terms = { fields = [\"user.id\", \"event.action\"], history = \"18h\" }",
        "SELECT event.id, user.id, event.action FROM events",
    ),
];

const ACTIONS: [&str; 13] = [
    "FileDownloaded",
    "FileDownloaded",
    "FileDownloaded",
    "FileDownloaded",
    "FileDownloaded",
    "FileDownloaded",
    "UserLoggedIn",
    "UserLoggedIn",
    "UserLoggedIn",
    "UserLoggedIn",
    "HardDelete",
    "New-InboxRule",
    "Set-InboxRule",
];

/// Records that arrive later than they happen: most within hours, some after days, some twice.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// In order of arrival.
    waiting: std::vec::IntoIter<(DateTime<Utc>, Value)>,
}

fn seconds(choices: &mut Choices<'_>, below: i64) -> Span {
    Span::seconds(choices.below(usize::try_from(below).unwrap()) as i64)
}

impl Arrivals {
    /// So many events of so many days, of which the last arrives no more than `latest` after them.
    pub(super) fn of(choices: &mut Choices<'_>, days: i64, events: usize, latest: Span) -> Self {
        let end = beginning() + Span::days(days);
        let mut all: Vec<(DateTime<Utc>, Value)> = Vec::new();
        let mut last = beginning();
        for number in 0..events {
            last = match choices.chance(30) {
                true => (last + seconds(choices, 3600)).min(end - Span::seconds(1)),
                false => beginning() + seconds(choices, days * 86_400),
            };
            let wait = match choices.below(100) {
                0..88 => seconds(choices, 5400),
                88..97 => seconds(choices, 86_400),
                _ => seconds(choices, latest.num_seconds()),
            };
            let action = choices.pick(&ACTIONS);
            let record = record(number, last, action, choices.below(6), choices.below(9));
            if choices.chance(5) {
                all.push((
                    last + wait + seconds(choices, 86_400).min(latest - wait),
                    record.clone(),
                ));
            }
            all.push((last + wait, record));
        }
        all.sort_by_key(|(arrives, _)| *arrives);
        Self {
            waiting: all.into_iter(),
        }
    }

    /// What arrives up to this time.
    pub(super) fn until(&mut self, now: DateTime<Utc>) -> Vec<Value> {
        let mut arrived = Vec::new();
        while self
            .waiting
            .as_slice()
            .first()
            .is_some_and(|(arrives, _)| *arrives <= now)
        {
            arrived.extend(self.waiting.next().map(|(_, record)| record));
        }
        arrived
    }
}
