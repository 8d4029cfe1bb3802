//! Data loss prevention (RecordTypes 11 and 13): the rule that matched, what it matched
//! and whether it blocked.

use super::super::{Json, json, severity, time};
use super::About;
use crate::schema::*;

pub(super) fn map<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    row.text(EVENT_KIND, "alert");
    let policies = || about.get("PolicyDetails").into_iter().flat_map(json::items);
    let rules = || {
        policies()
            .filter_map(|policy| json::get(policy, "Rules"))
            .flat_map(json::items)
    };
    for (key, policy_key, field) in [("RuleId", "PolicyId", RULE_ID), ("RuleName", "PolicyName", RULE_NAME)] {
        let name = rules()
            .chain(policies())
            .chain([about.record])
            .find_map(|holder| json::text_of(holder, key).or_else(|| json::text_of(holder, policy_key)));
        row.text(field, name.unwrap_or_default());
    }
    if let Some(severity) = rules()
        .filter_map(|rule| severity::of(json::get(rule, "Severity")?))
        .max()
    {
        row.set(EVENT_SEVERITY, Cell::Long(severity));
    }
    let blocked = rules()
        .filter_map(|rule| json::get(rule, "Actions"))
        .flat_map(json::items)
        .any(|action| json::text(action).as_deref() == Some("BlockAccess"));
    row.text(EVENT_OUTCOME, outcome(about, blocked));
    if let Some(file) = about.get("SharePointMetaData") {
        shared_file(file, row);
    }
    if let Some(message) = about.get("ExchangeMetaData") {
        self::message(message, about.operation, row);
    }
}

fn outcome(about: &About<'_>, blocked: bool) -> &'static str {
    let passed = match about.operation {
        _ if !blocked => true,
        "DlpRuleUndo" => true,
        "DlpInfo" => false,
        _ => about.get("ExceptionInfo").is_some(),
    };
    if passed { "success" } else { "failure" }
}

fn shared_file<'a>(file: Json<'a>, row: &mut EventRow<'a>) {
    for (key, field) in [
        ("From", USER_ID),
        ("FileName", FILE_NAME),
        ("FilePathUrl", URL_ORIGINAL),
        ("UniqueId", FILE_INODE),
        ("UniqueID", FILE_INODE),
        ("FileOwner", FILE_OWNER),
    ] {
        if let Some(text) = json::text_of(file, key) {
            row.text(field, text);
        }
    }
    if let Some(changed) = json::get(file, "LastModifiedTime").and_then(time::of) {
        row.set(FILE_MTIME, Cell::Timestamp(changed));
    }
}

fn message<'a>(message: Json<'a>, operation: &str, row: &mut EventRow<'a>) {
    let sender = json::text_of(message, "From").unwrap_or_default();
    let subject = json::text_of(message, "Subject").unwrap_or_default();
    row.text(
        MESSAGE,
        format!("Office365 Alert: {operation} detected in email sent by {sender} with subject '{subject}'"),
    );
    row.text(SOURCE_USER_EMAIL, sender);
    row.add_new(EMAIL_SUBJECT, subject);
    for recipients in ["To", "CC", "BCC"].iter().filter_map(|key| json::get(message, key)) {
        for recipient in json::items(recipients).filter_map(json::text) {
            row.add(DESTINATION_USER_EMAIL, recipient);
        }
    }
    if let Some(id) = json::text_of(message, "MessageID") {
        row.add_new(EMAIL_MESSAGE_ID, id);
    }
}
