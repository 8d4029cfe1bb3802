//! What is recorded of a detection's alerts.

use crate::alerts::recorded::latest;
use crate::alerts::revision::from_batch;
use crate::alerts::{Change, Revision};
use crate::engine::{Engine, Scope};
use crate::error::Result;
use futures::TryStreamExt as _;
use std::collections::BTreeMap;

/// The last revisions of a detection's alerts that are not withdrawn, by id.
pub async fn current(engine: &Engine, detection: &str) -> Result<BTreeMap<String, Revision>> {
    current_where(engine, detection, "true").await
}

/// As [`current`], of the alerts that had a revision for which a condition, a text of SQL, holds.
pub async fn current_where(engine: &Engine, detection: &str, condition: &str) -> Result<BTreeMap<String, Revision>> {
    let mut last = last_where(engine, detection, condition).await?;
    last.retain(|_, revision| revision.change != Change::Withdrawn);
    Ok(last)
}

/// As [`current_where`], with those that are withdrawn.
pub(super) async fn last_where(
    engine: &Engine,
    detection: &str,
    condition: &str,
) -> Result<BTreeMap<String, Revision>> {
    let session = engine.session(Scope::default())?;
    // The id of a detection has nothing but letters, digits and underscores.
    let of_detection = format!("FROM alerts WHERE detection = '{detection}'");
    let sql = match condition {
        "true" => format!("SELECT * {of_detection}"),
        // A later revision of an alert may say something else.
        _ => format!("SELECT * {of_detection} AND alert_id IN (SELECT alert_id {of_detection} AND ({condition}))"),
    };
    let mut rows = session.query(&sql).await?;
    let mut last: BTreeMap<String, Revision> = BTreeMap::new();
    while let Some(batch) = rows.try_next().await? {
        for revision in from_batch(&batch)? {
            let known = last.get(&revision.alert.alert_id);
            if known.is_none_or(|known| known.order() < revision.order()) {
                last.insert(revision.alert.alert_id.clone(), revision);
            }
        }
    }
    Ok(last)
}

/// The last revisions of the alerts with these ids, withdrawn or not, by id.
pub(super) async fn last_of(
    engine: &Engine,
    ids: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, Revision>> {
    let last = latest(engine, &ids.into_iter().collect()).await?;
    Ok(last
        .into_iter()
        .map(|revision| (revision.alert.alert_id.clone(), revision))
        .collect())
}
