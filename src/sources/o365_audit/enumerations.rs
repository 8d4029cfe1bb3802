//! Numbers of the audit log that some exports write as names.

use std::borrow::Cow;

/// By their numbers.
const USER_TYPES: &[&str] = &[
    "Regular",
    "Reserved",
    "Admin",
    "DcAdmin",
    "System",
    "Application",
    "ServicePrincipal",
    "CustomPolicy",
    "SystemPolicy",
    "PartnerTechnician",
    "Guest",
];

/// By their numbers.
const LOGON_TYPES: &[&str] = &[
    "Owner",
    "Admin",
    "Delegated",
    "Transport",
    "SystemService",
    "BestAccess",
    "DelegatedAdmin",
];

/// The number of a name that the key's enumeration has; any other value as it is.
pub(super) fn number<'a>(key: &str, value: Cow<'a, str>) -> Cow<'a, str> {
    let names = match key {
        // No name begins so.
        _ if value.starts_with(|first: char| first.is_ascii_digit()) => return value,
        "UserType" => USER_TYPES,
        "LogonType" | "InternalLogonType" => LOGON_TYPES,
        _ => return value,
    };
    match names.iter().position(|name| name.eq_ignore_ascii_case(&value)) {
        Some(number) => Cow::Owned(number.to_string()),
        None => value,
    }
}
