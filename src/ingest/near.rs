//! Where in time a record is that has no readable time itself: beside its neighbours.

use super::batch::{EventBatch, schema_position};
use crate::schema::{ORGANIZATION_ID, TIMESTAMP};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use std::sync::Arc;

/// The log and the moment of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) dataset: Arc<str>,
    pub(super) organization: Option<Arc<str>>,
    /// Microseconds since the Unix epoch.
    pub(super) time: i64,
}

impl Near {
    pub(super) fn new(dataset: &str, organization: Option<&str>, time: i64) -> Self {
        Self {
            dataset: dataset.into(),
            organization: organization.map(Arc::from),
            time,
        }
    }

    /// Becomes that of the next event. Events in a row are mostly of one log, so texts are
    /// compared and seldom copied.
    pub(super) fn follow(&mut self, dataset: &str, organization: Option<&str>, time: i64) {
        if &*self.dataset != dataset {
            self.dataset = dataset.into();
        }
        if self.organization.as_deref() != organization {
            self.organization = organization.map(Arc::from);
        }
        self.time = time;
    }

    /// That of an event itself.
    pub(super) fn of(batch: &EventBatch, row: u32) -> Option<Self> {
        let (organization, time) = place(batch, row)?;
        Some(Self::new(&batch.dataset, organization, time))
    }
}

/// Organisation and time of an event.
pub(super) fn place(batch: &EventBatch, row: u32) -> Option<(Option<&str>, i64)> {
    let row = row as usize;
    let times = batch.column(schema_position(TIMESTAMP))?;
    let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
    let organizations = batch.column(schema_position(ORGANIZATION_ID));
    let organization = organizations
        .and_then(|column| column.as_string_opt::<i32>())
        .filter(|texts| texts.is_valid(row))
        .map(|texts| texts.value(row));
    Some((organization, times.value(row)))
}
