//! Event detections: every event that the SELECT keeps is an alert.

use super::meeting::Seat;
use super::rows::{fields, key, texts, times};
use super::{Found, Range};
use crate::alerts::{Alert, AlertWriter, alert_id};
use crate::detections::Detection;
use crate::engine::{Clock, Engine, Planned, Scope, Session, Window};
use crate::error::{Error, Result};
use futures::TryStreamExt as _;
use serde_json::{Map, Value};

/// Columns added to a SELECT: the event's own id, what tells it from all others, its time
/// and dataset.
type Identity = [(&'static str, &'static str); 4];

/// Where these are: in `events`, or in a view with Microsoft's names, whose rows have
/// nothing that tells them from all others.
const IDENTITIES: [Identity; 3] = [
    [
        ("coalesce(kibana_alert_uuid, event_id, event_key)", "__id"),
        ("concat(event_dataset, ' ', event_key)", "__key"),
        ("timestamp", "__time"),
        ("event_dataset", "__dataset"),
    ],
    [
        ("coalesce(\"ReportId\", '')", "__id"),
        ("NULL", "__key"),
        ("\"Timestamp\"", "__time"),
        ("NULL", "__dataset"),
    ],
    [
        ("coalesce(\"AlertId\", '')", "__id"),
        ("NULL", "__key"),
        ("\"Timestamp\"", "__time"),
        ("NULL", "__dataset"),
    ],
];

/// Plans a detection's SELECT with the columns that say which event each row is.
pub(super) async fn plan_with_identity(
    session: &Session,
    detection: &Detection,
    more: &[(&str, &str)],
) -> Result<Planned> {
    let mut first_error = None;
    for identity in &IDENTITIES {
        let extra: Vec<(&str, &str)> = identity.iter().chain(more).copied().collect();
        match session.plan_with(&detection.sql, &extra).await {
            Ok(planned) => return Ok(planned),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    // What is wrong may be the SELECT itself, or a term; its own message is the better one.
    session.plan(&detection.sql).await?;
    session.plan_with(&detection.sql, more).await?;
    let problem = first_error.map(|error| error.to_string()).unwrap_or_default();
    Err(Error::Detection(format!(
        "{}: its rows cannot be told apart as events ({problem}); the first table after FROM has to be events or a view of it",
        detection.id()
    )))
}

/// Plans a detection over a range.
pub(super) async fn plan(engine: &Engine, detection: &Detection, range: Range) -> Result<(Session, Planned)> {
    let session = engine.session(Scope {
        window: Some(Window {
            after: range.from.saturating_sub(1),
            until: range.to.saturating_sub(1),
        }),
        now: Some(Clock::At(range.to)),
    })?;
    let planned = plan_with_identity(&session, detection, &[]).await?;
    Ok((session, planned))
}

pub(super) async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    range: Range,
    mut seat: Seat,
    alerts: &mut AlertWriter,
) -> Result<Found> {
    let (session, planned) = plan(engine, detection, range).await?;
    let mut stream = seat.run(&session, &planned.plan).await?;
    while let Some(batch) = stream.try_next().await? {
        let (ids, keys, at) = (
            texts(&batch, "__id")?,
            texts(&batch, "__key")?,
            times(&batch, "__time")?,
        );
        for row in 0..batch.num_rows() {
            let fields = fields(&batch, row);
            let event_id = ids[row].clone().unwrap_or_default();
            let time = at[row].unwrap_or(range.from);
            let mut key = key(detection, &fields)?;
            if key.is_empty() {
                key = Map::from_iter([("event.id".to_owned(), Value::from(event_id.clone()))]);
            }
            let occurrence = match &keys[row] {
                Some(key) => format!("{key} {time}"),
                None => format!("{event_id} {time} {}", Value::Object(fields.clone())),
            };
            // A join may give an event several times: one alert, as they have one id.
            let alert = Alert {
                alert_id: alert_id(detection.id(), &key, &occurrence),
                detection: detection.id().to_owned(),
                severity: detection.header.severity.to_string(),
                time,
                key,
                window_start: None,
                window_end: None,
                windows: None,
                event_ids: Some(event_id).filter(|id| !id.is_empty()).into_iter().collect(),
                event_count: 1,
                history_complete: None,
                fields,
            };
            alerts.add(&alert).await?;
        }
    }
    Ok(Found {
        raw_fields: planned.resolution.raw_fields,
        read: stream.figures(),
        ..Found::default()
    })
}
