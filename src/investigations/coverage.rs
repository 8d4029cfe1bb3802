//! What the lake holds, so that an absence can be told from a gap.

use serde::Serialize;

/// The unified audit log in a range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditLog {
    /// Its events, whatever the operation.
    pub events: u64,
    /// The first one.
    #[serde(serialize_with = "super::maybe_instant")]
    pub first: Option<i64>,
    /// The last one.
    #[serde(serialize_with = "super::maybe_instant")]
    pub last: Option<i64>,
    /// Its MailItemsAccessed events, of all mailboxes.
    pub mail_items_accessed: MailAccessLog,
    /// Those of the whole lake, where a range has none.
    pub mail_items_accessed_at_other_times: Option<MailAccessLog>,
    /// Records in quarantine that speak of MailItemsAccessed, of any time.
    pub rejected_records_about_mail_access: u64,
}

/// MailItemsAccessed events of all mailboxes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MailAccessLog {
    /// How many.
    pub events: u64,
    /// Of how many mailboxes.
    pub mailboxes: u64,
    /// The first one.
    #[serde(serialize_with = "super::maybe_instant")]
    pub first: Option<i64>,
    /// The last one.
    #[serde(serialize_with = "super::maybe_instant")]
    pub last: Option<i64>,
}
