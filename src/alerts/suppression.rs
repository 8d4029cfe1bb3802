//! Which alerts another one stands for: `suppress = { by = [...], for = "6h" }` of a detection.
//!
//! Of the alerts of a detection with the same values of the columns in `by`, the first in time
//! counts, and stands for those that begin within the time after it; the next one after that
//! counts again. Times are those of the alerts, so it does not matter when they were found.

use super::Alert;
use crate::detections::Suppress;
use crate::schema::column_name;
use serde_json::Value;
use std::collections::HashMap;

/// Looks at the alerts of one detection in order of time and id.
#[derive(Debug)]
pub struct Suppression {
    by: Vec<String>,
    length: i64,
    /// By group: the alert that stands for others, and from when on no more.
    standing: HashMap<String, (String, i64)>,
}

impl Suppression {
    /// That of a detection.
    pub fn new(suppress: &Suppress) -> Self {
        Self {
            by: suppress.by.clone(),
            length: i64::try_from(suppress.length.as_micros()).unwrap_or(i64::MAX),
            standing: HashMap::new(),
        }
    }

    /// Alerts with the same may stand for each other. What an alert does not have is null.
    pub fn group(&self, alert: &Alert) -> String {
        let values = self.by.iter().map(|name| value(alert, name).unwrap_or(&Value::Null));
        serde_json::to_string(&values.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Takes the next alert, and gives the id of the one that stands for it.
    pub fn see(&mut self, alert: &Alert) -> Option<String> {
        let group = self.group(alert);
        if let Some((id, until)) = self.standing.get(&group)
            && alert.time < *until
        {
            return Some(id.clone());
        }
        let until = alert.time.saturating_add(self.length);
        self.standing.insert(group, (alert.alert_id.clone(), until));
        None
    }
}

/// A column of an alert's key or of its detection's SELECT.
fn value<'a>(alert: &'a Alert, name: &str) -> Option<&'a Value> {
    let of = |values: &'a serde_json::Map<String, Value>| {
        values.get(name).or_else(|| {
            let column = column_name(name);
            let mut values = values.iter();
            values.find_map(|(known, value)| (column_name(known) == column).then_some(value))
        })
    };
    of(&alert.key).or_else(|| of(&alert.fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    fn alert(id: usize, time: i64, user: u8) -> Alert {
        let key = json!({"user.id": user});
        Alert {
            alert_id: format!("{id:03}"),
            detection: "d".into(),
            severity: "low".into(),
            time,
            key: key.as_object().cloned().unwrap_or_default(),
            window_start: None,
            window_end: None,
            windows: None,
            event_ids: Vec::new(),
            event_count: 1,
            history_complete: None,
            fields: serde_json::Map::new(),
        }
    }

    proptest! {
        #[test]
        fn the_first_of_each_stretch_counts(mut times in prop::collection::vec((0_i64..60_000_000, 0_u8..3), 0..40)) {
            times.sort_unstable();
            let suppress = Suppress { by: vec!["user_id".into()], length: Duration::from_secs(10) };
            let mut suppression = Suppression::new(&suppress);
            let mut standing: Vec<(usize, i64, u8)> = Vec::new();
            for (id, (time, user)) in times.into_iter().enumerate() {
                let by = standing.iter().rev().find(|(_, _, other)| *other == user);
                let by = by.filter(|(_, first, _)| time - first < 10_000_000).map(|(id, _, _)| format!("{id:03}"));
                if by.is_none() {
                    standing.push((id, time, user));
                }
                prop_assert_eq!(suppression.see(&alert(id, time, user)), by);
            }
        }
    }
}
