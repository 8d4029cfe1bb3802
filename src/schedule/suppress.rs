//! Keeps what `suppress` of a detection says true for all of its alerts, whatever changed.

use crate::alerts::{Change, Origin, Revision, Suppression};
use crate::detections::Detection;
use crate::engine::Engine;
use crate::error::Result;
use crate::hunt::live::current;
use std::collections::{BTreeMap, BTreeSet};

/// Sets which alert stands for which, and adds revisions of recorded ones for which that changed.
pub(super) async fn suppress(
    engine: &Engine,
    detection: &Detection,
    revisions: &mut Vec<Revision>,
    recorded_at: i64,
) -> Result<()> {
    let Some(rule) = &detection.header.suppress else {
        return Ok(());
    };
    if revisions.is_empty() {
        return Ok(());
    }
    let mut alerts = current(engine, detection.id()).await?;
    apply(Suppression::new(rule), &mut alerts, revisions, recorded_at);
    Ok(())
}

fn apply(
    mut suppression: Suppression,
    alerts: &mut BTreeMap<String, Revision>,
    revisions: &mut Vec<Revision>,
    recorded_at: i64,
) {
    let mut touched = BTreeSet::new();
    for revision in revisions.iter() {
        touched.insert(suppression.group(&revision.alert));
        // A change may have moved it to another group.
        if let Some(known) = alerts.remove(&revision.alert.alert_id) {
            touched.insert(suppression.group(&known.alert));
        }
        if revision.change != Change::Withdrawn {
            alerts.insert(revision.alert.alert_id.clone(), revision.clone());
        }
    }
    let mut in_order: Vec<&Revision> = alerts.values().collect();
    in_order.retain(|revision| touched.contains(&suppression.group(&revision.alert)));
    in_order.sort_by(|a, b| (a.alert.time, &a.alert.alert_id).cmp(&(b.alert.time, &b.alert.alert_id)));
    let by: BTreeMap<&str, Option<String>> = in_order
        .iter()
        .map(|revision| (revision.alert.alert_id.as_str(), suppression.see(&revision.alert)))
        .collect();
    let mut said = BTreeSet::new();
    for revision in revisions.iter_mut() {
        if let Some(by) = by.get(revision.alert.alert_id.as_str()) {
            revision.suppressed_by.clone_from(by);
        }
        said.insert(revision.alert.alert_id.clone());
    }
    for revision in in_order
        .iter()
        .filter(|revision| !said.contains(&revision.alert.alert_id))
    {
        let now = by.get(revision.alert.alert_id.as_str()).cloned().flatten();
        if now != revision.suppressed_by {
            revisions.push(Revision {
                revision: revision.revision + 1,
                change: Change::Revised,
                recorded: recorded_at,
                late_by: None,
                suppressed_by: now,
                // What a schedule says of it is its own.
                origin: Origin::Schedule,
                ..(*revision).clone()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Alert;
    use crate::detections::{Suppress, parse};
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    fn revision(id: u32, number: u32, time: i64, user: u8, change: Change) -> Revision {
        let detection = parse(
            "d.sql",
            "/*---\nid = \"d\"\ntitle = \"T\"\nseverity = \"low\"\nrisk_score = 1\n---*/ SELECT user.id FROM events",
        )
        .unwrap();
        let alert = Alert {
            alert_id: format!("{id:03}"),
            detection: "d".into(),
            severity: "low".into(),
            time,
            key: json!({"user.id": user}).as_object().cloned().unwrap(),
            window_start: None,
            window_end: None,
            windows: None,
            event_ids: Vec::new(),
            event_count: 1,
            history_complete: None,
            fields: serde_json::Map::new(),
        };
        Revision {
            revision: number,
            change,
            ..Revision::first(&detection, alert, 0, Origin::Schedule)
        }
    }

    proptest! {
        #[test]
        fn whatever_order_alerts_come_in(steps in prop::collection::vec(prop::collection::vec((0_u32..12, 0_i64..40_000_000, 0_u8..2, any::<bool>()), 1..4), 1..8)) {
            let rule = Suppress { by: vec!["user.id".into()], length: Duration::from_secs(10) };
            let mut recorded: BTreeMap<String, Revision> = BTreeMap::new();
            let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
            for step in steps {
                let mut revisions: Vec<Revision> = Vec::new();
                for (id, time, user, gone) in step {
                    let text = format!("{id:03}");
                    if revisions.iter().any(|known| known.alert.alert_id == text) || (gone && !recorded.contains_key(&text)) {
                        continue;
                    }
                    let number = numbers.get(&text).copied().unwrap_or_default() + 1;
                    let change = if gone { Change::Withdrawn } else if number == 1 { Change::New } else { Change::Revised };
                    revisions.push(revision(id, number, time, user, change));
                }
                apply(Suppression::new(&rule), &mut recorded.clone(), &mut revisions, 7);
                for revision in revisions {
                    let id = revision.alert.alert_id.clone();
                    let number = numbers.entry(id.clone()).or_default();
                    *number += 1;
                    prop_assert_eq!(revision.revision, *number);
                    match revision.change {
                        Change::Withdrawn => drop(recorded.remove(&id)),
                        _ => drop(recorded.insert(id, revision)),
                    }
                }
                // As if all had come at once.
                let mut all: Vec<&Revision> = recorded.values().collect();
                all.sort_by(|a, b| (a.alert.time, &a.alert.alert_id).cmp(&(b.alert.time, &b.alert.alert_id)));
                let mut suppression = Suppression::new(&rule);
                for revision in all {
                    prop_assert_eq!(&suppression.see(&revision.alert), &revision.suppressed_by);
                }
            }
        }
    }
}
