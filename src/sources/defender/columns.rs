//! Microsoft's columns, each to the field of its name.

use super::super::{Json, json};
use super::tables::Table;
use crate::schema::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Every column with a field, by Microsoft's spelling.
static COLUMNS: LazyLock<HashMap<&'static str, FieldId>> = LazyLock::new(|| {
    let fields = MICROSOFT.iter().filter_map(|column| {
        let ecs = format!("m365_defender.event.{}", snake_case(column));
        CATALOGUE.by_ecs(&ecs).map(|field| (*column, field.id))
    });
    fields.collect()
});

/// Whether a table of Defender has such a column.
pub(super) fn is_known(column: &str) -> bool {
    COLUMNS.contains_key(column)
}

/// Fills the field of every column of a row.
pub(super) fn fill<'a>(table: Table, record: Json<'a>, row: &mut EventRow<'a>) {
    for (key, value) in json::entries(record) {
        // A number everywhere but in the sign-in tables, where it is a GUID.
        let field = if key == "ApplicationId" && table.is_sign_in() {
            M365_DEFENDER_EVENT_SIGN_IN_APPLICATION_ID
        } else if let Some(field) = COLUMNS.get(key) {
            *field
        } else {
            continue;
        };
        put(row, field, value);
    }
}

/// As [`json::put`], and containers in a keyword field become JSON text, booleans in a
/// number field 0 and 1, and JSON text in a list field its elements.
fn put<'a>(row: &mut EventRow<'a>, field: FieldId, value: Json<'a>) {
    match field.field().data_type {
        FieldType::Keyword => {
            if let Some(text) = json::shown(value) {
                row.text(field, text);
            }
        }
        FieldType::Long => {
            let number = json::integer(value).or_else(|| json::boolean(value).map(i64::from));
            if let Some(number) = number {
                row.set(field, Cell::Long(number));
            }
        }
        FieldType::Keywords => match json::inner(value) {
            Some(list) => json::items(list.root()).filter_map(json::text).for_each(|item| {
                row.add(field, Cow::<'a, str>::Owned(item.into_owned()));
            }),
            None => json::put(row, field, value),
        },
        _ => json::put(row, field, value),
    }
}

/// `OAuth` is one word; the rest as column names are made.
fn snake_case(column: &str) -> String {
    column_name(&column.replace("OAuth", "Oauth"))
}

/// The columns of all tables, as documented; `ISP` is how the streaming API spells `Isp`.
const MICROSOFT: &[&str] = &[
    "Application",
    "ApplicationId",
    "AppInstanceId",
    "AccountObjectId",
    "AccountId",
    "AccountDisplayName",
    "IsAdminOperation",
    "DeviceType",
    "OSPlatform",
    "IsAnonymousProxy",
    "CountryCode",
    "City",
    "Isp",
    "ISP",
    "ActivityType",
    "ActivityObjects",
    "ObjectName",
    "ObjectType",
    "ObjectId",
    "ReportId",
    "AccountType",
    "IsExternalUser",
    "IsImpersonated",
    "IPTags",
    "IPCategory",
    "UserAgentTags",
    "AdditionalFields",
    "LastSeenForUser",
    "UncommonForUser",
    "AuditSource",
    "SessionData",
    "OAuthAppId",
    // Sign-ins
    "LogonType",
    "ErrorCode",
    "CorrelationId",
    "SessionId",
    "AccountUpn",
    "IsGuestUser",
    "AlternateSignInName",
    "LastPasswordChangeTimestamp",
    "ResourceDisplayName",
    "ResourceId",
    "ResourceTenantId",
    "DeviceName",
    "EntraIdDeviceId",
    "AadDeviceId",
    "DeviceTrustType",
    "IsManaged",
    "IsCompliant",
    "AuthenticationProcessingDetails",
    "AuthenticationRequirement",
    "TokenIssuerType",
    "RiskLevelAggregated",
    "RiskLevelDuringSignIn",
    "RiskDetails",
    "RiskState",
    "ClientAppUsed",
    "Browser",
    "ConditionalAccessPolicies",
    "ConditionalAccessStatus",
    "Country",
    "State",
    "Latitude",
    "Longitude",
    "NetworkLocationDetails",
    "RequestId",
    "EndpointCall",
    "IsThroughGlobalSecureAccess",
    "UniqueTokenId",
    // Alert evidence
    "AlertId",
    "Title",
    "Categories",
    "AttackTechniques",
    "ServiceSource",
    "DetectionSource",
    "EntityType",
    "EvidenceRole",
    "EvidenceDirection",
    "FileName",
    "FolderPath",
    "SHA1",
    "SHA256",
    "FileSize",
    "ThreatFamily",
    "RemoteIP",
    "RemoteUrl",
    "AccountName",
    "AccountDomain",
    "AccountSid",
    "DeviceId",
    "LocalIP",
    "NetworkMessageId",
    "EmailSubject",
    "OAuthApplicationId",
    "ProcessCommandLine",
    "RegistryKey",
    "RegistryValueName",
    "RegistryValueData",
    "Severity",
    "CloudResource",
    "CloudPlatform",
    "ResourceType",
    "ResourceID",
    "SubscriptionId",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_field() {
        for column in MICROSOFT {
            assert!(COLUMNS.contains_key(column), "{column} ({})", snake_case(column));
        }
    }
}
