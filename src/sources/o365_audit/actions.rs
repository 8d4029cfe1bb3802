//! `event.category`, `event.type` and `event.action`: what each operation counts as.
//!
//! Elastic starts every record with `web` and `info` and adds to them for the operations
//! it knows. Most operations, all Exchange cmdlets among them, stay there.

use super::About;
use crate::schema::*;

struct Kind {
    categories: &'static [&'static str],
    types: &'static [&'static str],
    /// Elastic's own name for the operation.
    action: Option<&'static str>,
}

const fn kind(categories: &'static [&'static str], types: &'static [&'static str]) -> Kind {
    Kind {
        categories,
        types,
        action: None,
    }
}

const fn renamed(types: &'static [&'static str], action: &'static str) -> Kind {
    Kind {
        categories: &["iam"],
        types,
        action: Some(action),
    }
}

pub(super) fn map<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    row.add(EVENT_CATEGORY, "web");
    row.add(EVENT_TYPE, "info");
    let code = about.code.unwrap_or_default();
    let mut action = about.operation;
    for kind in [of_record(code), of_operation(code, about.operation)]
        .into_iter()
        .flatten()
    {
        kind.categories
            .iter()
            .for_each(|category| row.add_new(EVENT_CATEGORY, *category));
        kind.types.iter().for_each(|of_type| row.add_new(EVENT_TYPE, *of_type));
        action = kind.action.unwrap_or(action);
    }
    row.text(EVENT_ACTION, action);
}

fn of_record(code: &str) -> Option<Kind> {
    Some(match code {
        "AzureActiveDirectoryStsLogon" => kind(&["authentication"], &["start", "access"]),
        "ExchangeItem" => kind(&["email"], &[]),
        "ExchangeItemAggregated" => kind(&["email"], &["access"]),
        "ComplianceDLPSharePoint" | "ComplianceDLPExchange" => kind(&["file"], &["access"]),
        _ => return None,
    })
}

fn of_operation(code: &str, operation: &str) -> Option<Kind> {
    Some(match (code, operation) {
        ("AzureActiveDirectory", "Add user.") => renamed(&["user", "creation"], "added-user-account"),
        ("AzureActiveDirectory", "Update user.") => renamed(&["user", "change"], "modified-user-account"),
        ("AzureActiveDirectory" | "MicrosoftTeams", "Delete user.") => {
            renamed(&["user", "deletion"], "deleted-user-account")
        }
        ("MicrosoftTeams", "TeamCreated") => renamed(&["group", "creation"], "added-group-account-to"),
        ("MicrosoftTeams", "MemberAdded") => renamed(&["group", "change"], "added-users-to-group"),
        ("Yammer", "NetworkSecurityConfigurationUpdated") => kind(&["iam", "configuration"], &["change", "admin"]),
        ("Yammer", "SoftDeleteSettingsUpdated" | "ProcessProfileFields" | "SupervisorAdminToggled") => {
            kind(&["configuration"], &["change"])
        }
        ("Yammer", name) if name.starts_with("Network") && name.ends_with("Updated") => {
            kind(&["configuration"], &["change"])
        }
        ("Yammer", "GroupCreation") => kind(&["iam"], &["group", "creation"]),
        ("Yammer", "GroupDeletion") => kind(&["iam"], &["group", "deletion"]),
        ("Yammer", "FileCreated") => kind(&["file"], &["creation"]),
        ("Yammer", "FileVisited") => kind(&["file"], &["access"]),
        (_, "ComplianceSettingChanged") => kind(&["configuration"], &["change"]),
        (_, "FileAccessed" | "FileDownloaded") => kind(&["file"], &["access"]),
        (_, "FileModified" | "FileMoved" | "FileRenamed" | "FileRestored") => kind(&["file"], &["change"]),
        (_, "FolderModified" | "FolderMoved" | "FolderRenamed" | "FolderRestored") => kind(&["file"], &["change"]),
        (_, "FileDeleted" | "FolderDeleted") => kind(&["file"], &["deletion"]),
        (_, "FileUploaded" | "FolderCreated" | "FolderCopied") => kind(&["file"], &["creation"]),
        _ => return None,
    })
}
