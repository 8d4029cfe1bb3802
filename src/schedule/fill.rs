//! Asks for gaps to be closed: by the schedule that runs, or by whoever runs it next.

use super::checkpoint::Checkpoint;
use super::record::{Record, Recorded};
use crate::error::{Error, Result};
use crate::lake::{Lake, TableName};

/// Attempts against a schedule that runs.
const ATTEMPTS: usize = 100;

/// Marks the gaps of these detections, of all where none is named, to be closed. Gives the
/// detections that have any, with their number.
pub async fn ask_to_fill(lake: &Lake, ids: &[String]) -> Result<Vec<(String, usize)>> {
    lake.table(TableName::Events).await?;
    let mut record = Record::open(lake).await?;
    for _ in 0..ATTEMPTS {
        let mut next = Checkpoint {
            written: chrono::Utc::now().timestamp_micros(),
            ..record.checkpoint.clone()
        };
        let mut asked = Vec::new();
        let mut changed = false;
        for (id, position) in &mut next.detections {
            let wanted = ids.is_empty() || ids.contains(id);
            if !wanted || position.gaps.is_empty() {
                continue;
            }
            asked.push((id.clone(), position.gaps.len()));
            for gap in &mut position.gaps {
                changed |= !gap.backlog;
                gap.backlog = true;
            }
        }
        if !changed || record.commit(&[], next).await? != Recorded::Lost {
            return Ok(asked);
        }
    }
    Err(Error::store(
        format!("cannot change the schedule of {}", lake.display()),
        "a schedule that runs was first each time",
    ))
}

/// How many gaps these detections have.
pub async fn gaps(lake: &Lake, ids: &[String]) -> Result<usize> {
    let Some(alerts) = lake.table_if_exists(TableName::Alerts).await? else {
        return Ok(0);
    };
    let checkpoint = Checkpoint::read(lake, &alerts).await?;
    let wanted = |id: &String| ids.is_empty() || ids.contains(id);
    let detections = checkpoint.detections.iter().filter(|(id, _)| wanted(id));
    Ok(detections.map(|(_, position)| position.gaps.len()).sum())
}
