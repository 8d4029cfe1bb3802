//! The lists of names and values: parameters of cmdlets, extended and modified
//! properties, properties of operations.

use super::super::{Json, json};
use super::About;
use crate::schema::*;
use json::{Keys, Pair};
use std::borrow::Cow;

/// Each known parameter to its field, all of them to the list. Of a name that comes twice
/// the last value counts, as it does for the cmdlet.
pub(super) fn parameters<'a>(value: Json<'a>, row: &mut EventRow<'a>) {
    named(value, row, O365_AUDIT_PARAMETERS, O365_AUDIT_PARAMETERS_RAW);
}

/// As [`parameters`].
pub(super) fn extended_properties<'a>(value: Json<'a>, row: &mut EventRow<'a>) {
    named(
        value,
        row,
        O365_AUDIT_EXTENDED_PROPERTIES,
        O365_AUDIT_EXTENDED_PROPERTIES_RAW,
    );
}

fn named<'a>(value: Json<'a>, row: &mut EventRow<'a>, all: FieldId, unread: FieldId) {
    let pairs = json::pairs(value);
    if pairs.is_empty() {
        if value.is_str()
            && let Some(text) = json::text(value)
        {
            row.text(unread, text);
        }
        return;
    }
    let node = CATALOGUE.node(all.field().ecs);
    for (name, value) in &pairs {
        if let Some(value) = value
            && let Some(field) = node.and_then(|node| json::descend(node, name, Keys::Kept)?.field())
            && field.field().data_type == FieldType::Keyword
        {
            row.text(field, value.clone());
        }
    }
    row.set(all, Cell::Pairs(pairs));
}

/// Name, new value and old value. A known property has fields of its own where both
/// values are there, which is when Elastic keeps it; the lists hold every one.
pub(super) fn modified_properties<'a>(value: Json<'a>, row: &mut EventRow<'a>) {
    if let Some(inner) = json::inner(value) {
        let mut below = EventRow::new();
        modified_properties(inner.root(), &mut below);
        row.absorb(below);
        return;
    }
    if value.is_str() {
        if let Some(text) = json::text(value) {
            row.text(O365_AUDIT_MODIFIED_PROPERTIES_RAW, text);
        }
        return;
    }
    let node = CATALOGUE.node("o365.audit.ModifiedProperties");
    let (mut new_values, mut old_values) = (Vec::new(), Vec::new());
    for item in json::items(value) {
        let Some(name) = json::text_of(item, "Name").map(property_name) else {
            continue;
        };
        let new = item.get("NewValue").filter(|value| !value.is_null());
        let old = item.get("OldValue").filter(|value| !value.is_null());
        if let (Some(new), Some(old)) = (new, old)
            && let Some(node) = node.and_then(|node| node.child(&name))
        {
            for (key, value) in [("NewValue", new), ("OldValue", old)] {
                if let Some(field) = node.child(key).and_then(|node| node.field())
                    && let Some(shown) = json::shown(value)
                {
                    row.text(field, shown);
                }
            }
        }
        new_values.push((name.clone(), new.and_then(json::shown)));
        old_values.push((name, old.and_then(json::shown)));
    }
    if !new_values.is_empty() {
        row.set(O365_AUDIT_MODIFIED_PROPERTIES_NEW_VALUE, Cell::Pairs(new_values));
        row.set(O365_AUDIT_MODIFIED_PROPERTIES_OLD_VALUE, Cell::Pairs(old_values));
    }
}

/// `Role.DisplayName` is `Role_DisplayName`.
fn property_name(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.contains([' ', '.']) {
        Cow::Owned(name.replace([' ', '.'], "_"))
    } else {
        name
    }
}

/// Every value of every member, and the known ones by name.
pub(super) fn members<'a>(value: Json<'a>, row: &mut EventRow<'a>, audit: Node<'_>) {
    let mut leaves = Vec::new();
    json::leaves(value, &mut leaves);
    if !leaves.is_empty() {
        row.set(O365_AUDIT_MEMBERS, Cell::Texts(leaves));
    }
    for child in ["UPN", "DisplayName", "Role"] {
        if let Some(node) = audit.child("Members").and_then(|node| node.child(child)) {
            for member in json::items(value) {
                if let Some(value) = json::get(member, child) {
                    json::flatten(row, node, value, Keys::Kept);
                }
            }
        }
    }
}

/// How mail was accessed and whether logging was throttled, out of OperationProperties.
pub(in crate::sources) fn derive_from_operation_properties(row: &mut EventRow<'_>) {
    let Some(Cell::Pairs(pairs)) = row.get(O365_AUDIT_OPERATION_PROPERTIES) else {
        return;
    };
    let access = value_of(pairs, "MailAccessType").map(str::to_owned);
    let throttled = value_of(pairs, "IsThrottled").map(|value| value.eq_ignore_ascii_case("true"));
    if let Some(access) = access {
        row.text(O365_AUDIT_MAIL_ACCESS_TYPE, access);
    }
    if let Some(throttled) = throttled {
        row.set(O365_AUDIT_IS_THROTTLED, Cell::Boolean(throttled));
    }
}

fn value_of<'p>(pairs: &'p [Pair<'_>], name: &str) -> Option<&'p str> {
    pairs.iter().find(|pair| pair.0 == name)?.1.as_deref()
}

/// The user agent, from wherever the record keeps it, and the device that Entra names
/// beside it.
pub(super) fn user_agent<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    let mut agent = about.get("UserAgent").and_then(json::text).map(Cow::into_owned);
    let mut device = None;
    if let Some(Cell::Pairs(pairs)) = row.get(O365_AUDIT_EXTENDED_PROPERTIES) {
        agent = agent.or_else(|| value_of(pairs, "UserAgent").map(str::to_owned));
        if let Some(details) = value_of(pairs, "additionalDetails").filter(|text| text.starts_with('{'))
            && let Ok(details) = json::parse(details)
        {
            agent = agent.or_else(|| json::text_of(details.root(), "User-Agent").map(Cow::into_owned));
            device = json::text_of(details.root(), "DeviceId").map(Cow::into_owned);
        }
    }
    if let Some(agent) = agent {
        row.text(USER_AGENT_ORIGINAL, agent);
    }
    row.copy(O365_AUDIT_APP_ACCESS_CONTEXT_DEVICE_ID, DEVICE_ID);
    if let Some(device) = device.filter(|_| !row.has(DEVICE_ID)) {
        row.text(DEVICE_ID, device);
    }
    row.copy(O365_AUDIT_APP_ACCESS_CONTEXT_AAD_SESSION_ID, SESSION_ID);
    row.copy(O365_AUDIT_APP_ACCESS_CONTEXT_UNIQUE_TOKEN_ID, TOKEN_ID);
}
