//! The fields of our own, for documents that were mapped by Elastic.

use super::super::o365_audit;
use crate::schema::*;

/// Fills them where the document has what they come from.
pub(super) fn all(row: &mut EventRow<'_>) {
    o365_audit::derive_from_operation_properties(row);
    o365_audit::collect_message_ids(row);
    operation(row);
    logon_failed(row);
}

/// The operation as recorded, back from Elastic's own names.
fn operation(row: &mut EventRow<'_>) {
    if row.get_text(EVENT_DATASET) != Some("o365.audit") || row.has(O365_AUDIT_OPERATION) {
        return;
    }
    let Some(action) = row.get_text(EVENT_ACTION) else {
        return;
    };
    let operation = match action {
        "added-user-account" => "Add user.",
        "modified-user-account" => "Update user.",
        "deleted-user-account" => "Delete user.",
        "added-group-account-to" => "TeamCreated",
        "added-users-to-group" => "MemberAdded",
        other => other,
    };
    let operation = operation.to_owned();
    row.text(O365_AUDIT_OPERATION, operation);
}

fn logon_failed(row: &mut EventRow<'_>) {
    if row.has(RETROHUNT_LOGON_FAILED) {
        return;
    }
    let failed = match row.get_text(EVENT_DATASET) {
        Some("o365.audit") => {
            let action = row.get_text(EVENT_ACTION).unwrap_or_default();
            let logon = row.get_text(EVENT_CODE) == Some("AzureActiveDirectoryStsLogon");
            if !logon && !matches!(action, "UserLoggedIn" | "UserLoginFailed") {
                return;
            }
            let error = row.get_text(O365_AUDIT_ERROR_NUMBER).unwrap_or_default();
            action == "UserLoginFailed"
                || row.has(O365_AUDIT_LOGON_ERROR)
                || !error.trim().trim_start_matches('0').is_empty()
        }
        Some("azure.signinlogs") => match row.get(AZURE_SIGNINLOGS_PROPERTIES_STATUS_ERROR_CODE) {
            Some(Cell::Long(code)) => *code != 0,
            _ => row.get_text(EVENT_OUTCOME) == Some("failure"),
        },
        _ => return,
    };
    row.set(RETROHUNT_LOGON_FAILED, Cell::Boolean(failed));
}
