//! `email.*`: the messages a record is about.

use super::super::json;
use super::About;
use crate::schema::*;
use std::borrow::Cow;
use std::collections::HashSet;

pub(super) fn map<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    row.gather(
        &[O365_AUDIT_ITEM_SUBJECT, O365_AUDIT_SUBJECT, O365_AUDIT_DATA_MS],
        EMAIL_SUBJECT,
    );
    row.gather(&[O365_AUDIT_NETWORK_MESSAGE_ID, O365_AUDIT_DATA_AII], EMAIL_LOCAL_ID);
    collect_message_ids(row);
    if let Some(attachments) = json::at(about.record, &["Item", "Attachments"]).and_then(json::text) {
        self::attachments(row, &attachments);
    }
    for from in [
        O365_AUDIT_PARAMETERS_FORWARD_TO,
        O365_AUDIT_PARAMETERS_FORWARD_AS_ATTACHMENT_TO,
        O365_AUDIT_PARAMETERS_REDIRECT_TO,
    ] {
        if let Some(addresses) = row.get_text(from).map(str::to_owned) {
            for address in addresses.split(';').map(str::trim) {
                row.add(EMAIL_TO_ADDRESS, address.to_owned());
            }
        }
    }
    row.gather(&[O365_AUDIT_PARAMETERS_FROM], EMAIL_FROM_ADDRESS);
}

/// As many ids are compared one by one.
const FEW: usize = 16;

/// Every message id the record names, each once. Elastic stops at the single item; the
/// items of an aggregated access are the ones an investigation needs.
pub(in crate::sources) fn collect_message_ids(row: &mut EventRow<'_>) {
    let mut ids: Vec<Cow<'_, str>> = row.get_texts(EMAIL_MESSAGE_ID).to_vec();
    // Most records name a few; one that names thousands must not take their square.
    let mut seen: HashSet<Cow<'_, str>> = HashSet::new();
    let before = ids.len();
    for field in [
        O365_AUDIT_ITEM_INTERNET_MESSAGE_ID,
        O365_AUDIT_INTERNET_MESSAGE_ID,
        O365_AUDIT_DATA_IMSGID,
        O365_AUDIT_FOLDERS_FOLDER_ITEMS_INTERNET_MESSAGE_ID,
        O365_AUDIT_AFFECTED_ITEMS_INTERNET_MESSAGE_ID,
    ] {
        let values: &[Cow<'_, str>] = match row.get(field) {
            Some(Cell::Text(text)) => std::slice::from_ref(text),
            Some(Cell::Texts(texts)) => texts,
            _ => continue,
        };
        for value in values {
            if ids.len() == FEW && seen.is_empty() {
                seen.extend(ids.iter().cloned());
            }
            let new = match seen.is_empty() {
                true => !ids.contains(value),
                false => seen.insert(value.clone()),
            };
            if new {
                ids.push(value.clone());
            }
        }
    }
    if ids.len() > before {
        row.set(EMAIL_MESSAGE_ID, Cell::Texts(ids));
    }
}

/// `a.png (599b); b.docx (1403b)`: an attachment needs a dot in its name and a size.
fn attachments(row: &mut EventRow<'_>, text: &str) {
    for attachment in text.split(';').map(str::trim) {
        let Some((name, size)) = attachment.rsplit_once('(') else {
            continue;
        };
        let Some(digits) = size.strip_suffix("b)") else {
            continue;
        };
        let Some((_, extension)) = name.trim_end().rsplit_once('.') else {
            continue;
        };
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            row.add(EMAIL_ATTACHMENTS_FILE_NAME, name.trim_end().to_owned());
            row.add(EMAIL_ATTACHMENTS_FILE_EXTENSION, extension.to_owned());
        }
    }
}
