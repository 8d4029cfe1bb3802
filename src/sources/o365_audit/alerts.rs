//! Alerts of the security and compliance centre (RecordType 40).

use super::super::{json, severity};
use super::About;
use crate::schema::*;

pub(super) fn map<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    row.text(EVENT_KIND, "alert");
    for (key, field) in [
        ("Name", RULE_NAME),
        ("PolicyId", RULE_ID),
        ("Category", RULE_CATEGORY),
        ("EntityType", RULE_RULESET),
        ("AlertEntityId", RULE_DESCRIPTION),
    ] {
        if let Some(text) = about.get(key).and_then(json::text) {
            row.text(field, text);
        }
    }
    row.copy(RULE_NAME, MESSAGE);
    if let Some(links) = about.get("AlertLinks") {
        let link = json::items(links).find_map(|link| json::text_of(link, "AlertLinkHref"));
        row.text(RULE_REFERENCE, link.unwrap_or_default());
    }
    if let Some(severity) = about.get("Severity").and_then(severity::of) {
        row.set(EVENT_SEVERITY, Cell::Long(severity));
    }
    if let Some(data) = about.get("Data").and_then(|data| data.as_str()) {
        row.text(O365_AUDIT_DATA_FLATTENED, data);
    }
}
