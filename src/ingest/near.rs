//! Where in time a record is that has no readable time itself: beside its neighbours.

use super::batch::EventBatch;
use crate::schema::{AZURE_TENANT_ID, FieldId, M365_DEFENDER_EVENT_TENANT_ID, ORGANIZATION_ID};
use std::sync::Arc;

/// Where logs say whose they are. Coverage looks in the same fields.
const ORGANIZATIONS: [FieldId; 3] = [ORGANIZATION_ID, AZURE_TENANT_ID, M365_DEFENDER_EVENT_TENANT_ID];

/// Whose an event is, by the text of its fields. In any letter case.
pub(super) fn organization<'t>(text: impl Fn(FieldId) -> Option<&'t str>) -> Option<&'t str> {
    ORGANIZATIONS.into_iter().find_map(text)
}

/// The log and the moment of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) dataset: Arc<str>,
    /// In lower case.
    pub(super) organization: Option<Arc<str>>,
    /// Microseconds since the Unix epoch.
    pub(super) time: i64,
}

impl Near {
    pub(super) fn new(dataset: &str, organization: Option<&str>, time: i64) -> Self {
        Self {
            dataset: dataset.into(),
            organization: organization.map(lower),
            time,
        }
    }

    /// Becomes that of the next event. Events in a row are mostly of one log, so texts are
    /// compared and seldom copied.
    pub(super) fn follow(&mut self, dataset: &str, organization: Option<&str>, time: i64) {
        if &*self.dataset != dataset {
            self.dataset = dataset.into();
        }
        let same = match (&self.organization, organization) {
            (Some(known), Some(organization)) => known.eq_ignore_ascii_case(organization),
            (known, organization) => known.is_none() && organization.is_none(),
        };
        if !same {
            self.organization = organization.map(lower);
        }
        self.time = time;
    }

    /// That of an event itself.
    pub(super) fn of(batch: &EventBatch, row: u32) -> Self {
        let (organization, time) = place(batch, row);
        Self::new(&batch.dataset, organization, time)
    }
}

fn lower(organization: &str) -> Arc<str> {
    organization.to_ascii_lowercase().into()
}

/// Organisation and time of an event.
pub(super) fn place(batch: &EventBatch, row: u32) -> (Option<&str>, i64) {
    let organization = organization(|field| batch.text(row, field));
    (organization, batch.meta[row as usize].time)
}
