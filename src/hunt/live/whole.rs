//! Detections of whose result no part can be told from new events alone: evaluated over the whole
//! lake, and compared with what is recorded.

use super::recorded::last_where;
use super::{Changed, Step, StepRequest, tick_at};
use crate::alerts::{Alert, AlertStore, Change, Origin};
use crate::detections::Detection;
use crate::error::Result;
use crate::hunt::meeting::Meetings;
use crate::hunt::{HuntRequest, evaluate, plans_of};
use futures::TryStreamExt as _;

pub(super) async fn step(detection: &Detection, request: StepRequest<'_>) -> Result<Step> {
    let store = AlertStore::new(request.engine);
    let (_meetings, mut seats) = Meetings::of(&[plans_of(detection.kind())], request.engine.threads());
    let hunted = HuntRequest {
        from: request.from,
        to: None,
        per_window: false,
        replay: false,
        suppressed: true,
    };
    let mut found = None;
    if let Some(seat) = seats.pop() {
        found = Some(
            evaluate(request.engine, detection, hunted, seat, store.writer())
                .await?
                .0,
        );
    }
    let alerts: Vec<Alert> = store.finish().await?.try_collect().await?;
    let mut step = compared(detection, request, alerts, true).await?;
    if let Some(found) = found {
        step.read += found.read;
        step.notes.extend(found.notes);
    }
    Ok(step)
}

/// What is to be changed so that these are the alerts; of others that are recorded only where
/// they are all.
pub(super) async fn compared(
    detection: &Detection,
    request: StepRequest<'_>,
    alerts: Vec<Alert>,
    all: bool,
) -> Result<Step> {
    let mut recorded = last_where(request.engine, detection.id(), "true").await?;
    let mut step = Step::default();
    for alert in alerts {
        let known = recorded.remove(&alert.alert_id);
        let due = tick_at(detection, alert.time);
        let late_since = request.before.is_some_and(|before| due <= before).then_some(due);
        let revision = known.as_ref().map_or(0, |known| known.revision) + 1;
        let change = match known {
            None => Change::New,
            Some(known) if known.change == Change::Withdrawn => Change::Revised,
            Some(known) if known.alert != alert => Change::Revised,
            Some(_) => continue,
        };
        step.changes.push(Changed {
            alert,
            change,
            revision,
            late_since,
        });
    }
    let gone = recorded.into_values().filter(|revision| {
        let in_range = request.from.is_none_or(|from| revision.alert.time >= from);
        all && in_range && revision.origin == Origin::Schedule && revision.change != Change::Withdrawn
    });
    step.changes.extend(gone.map(|revision| Changed {
        revision: revision.revision + 1,
        alert: revision.alert,
        change: Change::Withdrawn,
        late_since: None,
    }));
    Ok(step)
}
