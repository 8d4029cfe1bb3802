//! Records of the unified audit log that other records carry.
//!
//! Whoever has only the exports of Defender or Sentinel has the audit log in them: the
//! `RawEventData` of CloudAppEvents is the complete record, and a row of OfficeActivity is one
//! whose keys are spelled differently. They become events of `o365.audit` of their own, under
//! the record's id, so that they are repeats of those that come from the log itself.

use super::{Identity, Json, Rejection, Source, o365_audit};
use crate::schema::EventRow;
use std::borrow::Cow;

/// A record inside another one.
#[derive(Debug)]
pub struct Carried<'a> {
    /// What maps it.
    pub source: &'static dyn Source,
    /// Its JSON: byte for byte where it is an object in the text around it.
    pub text: Cow<'a, str>,
}

/// Records that are found in others alone, and recognised by what carries them.
#[derive(Debug)]
pub(crate) struct Inner {
    name: &'static str,
    recognised_by: &'static str,
}

/// `RawEventData` of CloudAppEvents.
pub(super) static RAW_EVENT_DATA: Inner = Inner {
    name: "defender_raw_event_data",
    recognised_by: "RawEventData of a CloudAppEvents record",
};

/// What a row of OfficeActivity was made of.
pub(super) static OFFICE_ACTIVITY_RECORD: Inner = Inner {
    name: "log_analytics_office_activity_record",
    recognised_by: "a row of OfficeActivity",
};

impl Source for Inner {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognised_by(&self) -> &'static str {
        self.recognised_by
    }

    fn recognises(&self, _: Json<'_>) -> bool {
        false
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        o365_audit::map(record, row)
    }
}
