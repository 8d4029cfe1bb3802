//! SharePoint, OneDrive, Teams and Yammer: files, addresses, groups.

use super::super::json;
use super::About;
use crate::schema::*;

pub(super) fn map<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    let text = |key: &str| about.get(key).and_then(json::text);
    // The first key that is there wins, so the moved ones of SharePoint come first.
    let shared = about.is(&[6, 14]);
    let yammer = about.code == Some("Yammer");
    for (applies, key, field) in [
        (shared, "ObjectId", URL_ORIGINAL),
        (shared, "SourceRelativeUrl", FILE_DIRECTORY),
        (shared, "SourceFileName", FILE_NAME),
        (shared, "SourceFileExtension", FILE_EXTENSION),
        (yammer, "FileId", FILE_INODE),
        (yammer, "FileName", FILE_NAME),
        (yammer, "GroupName", GROUP_NAME),
        (true, "FileExtension", FILE_EXTENSION),
        (true, "FilePath", FILE_PATH),
        (true, "TargetFilePath", FILE_PATH),
        (true, "Sha1", FILE_HASH_SHA1),
        (true, "Sha256", FILE_HASH_SHA256),
        (true, "OriginatingDomain", URL_DOMAIN),
        (true, "ApplicationDisplayName", APPLICATION_NAME),
        (true, "TeamName", GROUP_NAME),
    ] {
        if applies
            && !row.has(field)
            && let Some(value) = text(key)
        {
            row.text(field, value);
        }
    }
    if let Some(size) = about
        .get("FileSizeBytes")
        .or_else(|| about.get("FileSize"))
        .and_then(json::integer)
    {
        row.set(FILE_SIZE, Cell::Long(size));
    }
    platform(row);
}

/// The client platform by name, where the record gives its number.
fn platform(row: &mut EventRow<'_>) {
    const PLATFORMS: &[(&str, &str, &str)] = &[
        ("0", "Unknown", ""),
        ("1", "Windows", "windows"),
        ("2", "MacOS", "macos"),
        ("3", "iOS", "ios"),
        ("4", "Android", "android"),
        ("5", "Web Browser", ""),
    ];
    let Some(given) = row.get_text(O365_AUDIT_PLATFORM) else {
        return;
    };
    let known = PLATFORMS
        .iter()
        .find(|(number, name, _)| *number == given || name.eq_ignore_ascii_case(given));
    if let Some((_, name, of_type)) = known {
        row.text(O365_AUDIT_PLATFORM, *name);
        row.text(HOST_OS_PLATFORM, *name);
        row.text(HOST_OS_TYPE, *of_type);
    }
}
