//! Rows as exports and queries deliver them, and the fields they become.

use super::super::testing::{carried, mapped, try_map};

pub(in crate::sources) const SIGN_IN_ROW: &str = r#"{"TimeGenerated":"2026-03-02T08:16:20.1Z","TenantId":"work-space","SourceSystem":"Azure AD","Type":"SigninLogs","AADTenantId":"9F","OperationName":"Sign-in activity","Category":"SignInLogs","ResultType":"50126",
 "ResultDescription":"Bad password","DurationMs":12,"Identity":"Ann","Level":"4","Location":"FR","AppDisplayName":"Mail","AppId":"app1","CorrelationId":"c1","CreatedDateTime":"2026-03-02T08:14:01.1Z","Id":"s1","IPAddress":"198.51.100.7","IsInteractive":true,
 "ResourceId":"/tenants/9f/providers/Microsoft.aadiam","ResourceIdentity":"r1","ProcessingTimeInMs":"7","RiskEventTypes_V2":["unfamiliarFeatures"],"RiskLevelDuringSignIn":"high","UserAgent":"UA","UserDisplayName":"Ann","UserId":"u1","UserPrincipalName":"ann@contoso.example",
 "Status":{"errorCode":50126,"failureReason":"Bad password"},"DeviceDetail":{"operatingSystem":"Windows10","isManaged":true},"LocationDetails":{"city":"Paris","state":"Ile","countryOrRegion":"FR"},"ConditionalAccessPolicies":[{"id":"p1","result":"failure"}]}"#;

pub(in crate::sources) const AUDIT_ROW: &str = r#"{"TimeGenerated":"2026-03-02T08:15:20Z","TenantId":"work-space","Type":"AuditLogs","AADTenantId":"9f","AADOperationType":"Assign","OperationName":"Add member to role","Category":"RoleManagement","Result":"success","ActivityDateTime":"2026-03-02T08:15:19.5Z",
 "ActivityDisplayName":"Add member to role","CorrelationId":"c1","Id":"Directory_c1_x","InitiatedBy":"{\"user\":{\"id\":\"u1\",\"userPrincipalName\":\"ann@contoso.example\"}}","TargetResources":"[{\"id\":\"t1\",\"displayName\":\"Bob\",\"modifiedProperties\":[{\"displayName\":\"Role.DisplayName\",\"oldValue\":null,\"newValue\":\"\\\"Global Administrator\\\"\"}]}]",
 "DurationMs":0,"LoggedByService":"Core Directory"}"#;

pub(in crate::sources) const OFFICE_ROW: &str = r#"{"TimeGenerated":"2026-03-02T08:14:55Z","TenantId":"work-space","Type":"OfficeActivity","OfficeId":"6a0e","OrganizationId":"9F","OfficeWorkload":"Exchange","RecordType":"ExchangeItemAggregated","Operation":"MailItemsAccessed","ResultStatus":"Succeeded","UserType":"Regular",
 "UserId":"ann@contoso.example","Client_IPAddress":"198.51.100.7","Logon_Type":"Owner","ExternalAccess":"False","OperationCount":"2","OperationProperties":"[{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"},{\"Name\":\"IsThrottled\",\"Value\":\"True\"}]","Folders":"","Folders_":"[{\"Path\":\"\\\\Inbox\",\"FolderItems\":[{\"InternetMessageId\":\"<m1@x>\"}]}]"}"#;

#[test]
fn sign_in() {
    let event = mapped(SIGN_IN_ROW);
    assert_eq!(event.source, "log_analytics_sign_in");
    assert_eq!(
        (event.identity.organization.as_str(), event.identity.id.as_deref()),
        ("", Some("s1"))
    );
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:01.100Z"),
        ("event.dataset", "azure.signinlogs"),
        ("event.action", "Sign-in activity"),
        ("event.outcome", "failure"),
        ("event.duration", "12000000"),
        ("message", "Bad password"),
        ("azure.tenant_id", "9F"),
        ("azure.correlation_id", "c1"),
        ("azure.resource.provider", "Microsoft.aadiam"),
        ("azure.signinlogs.category", "SignInLogs"),
        ("azure.signinlogs.result_type", "50126"),
        ("azure.signinlogs.properties.status.error_code", "50126"),
        ("azure.signinlogs.properties.resource_id", "r1"),
        ("azure.signinlogs.properties.tenant_id", "-"),
        ("azure.signinlogs.properties.processing_time_ms", "7"),
        (
            "azure.signinlogs.properties.risk_event_types_v2",
            "[unfamiliarFeatures]",
        ),
        ("azure.signinlogs.properties.risk_level_during_signin", "high"),
        ("azure.signinlogs.properties.device_detail.is_managed", "true"),
        (
            "azure.signinlogs.properties.applied_conditional_access_policies.result",
            "[failure]",
        ),
        ("source.ip", "198.51.100.7"),
        ("user.name", "ann@contoso.example"),
        ("user_agent.original", "UA"),
        ("geo.city_name", "Paris"),
        ("geo.country_iso_code", "FR"),
    ]);
}

#[test]
fn spellings_of_one_sign_in() {
    let flat = r#"{"TimeGenerated":"2026-03-02T08:14:01Z","Type":"AADNonInteractiveUserSignInLogs","Id":"s1","IsInteractive":false,"Status":"{\"errorCode\":50126}","ResultType":"50126"}"#;
    let event = mapped(flat);
    assert_eq!(event.source, "log_analytics_sign_in_flat");
    event.expect(&[
        ("azure.signinlogs.category", "NonInteractiveUserSignInLogs"),
        ("event.outcome", "failure"),
    ]);
    let text = r#"{"TimeGenerated [UTC]":"3/2/2026, 8:14:01.500 AM","Id":"s1","IsInteractive":"False","ResultType":"50126","AppId":"a","ResultDescription":"Bad password","Status":""}"#;
    let event = mapped(text);
    assert_eq!(event.source, "log_analytics_sign_in_text");
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:01.500Z"),
        ("azure.signinlogs.category", "SignInLogs"),
        ("event.outcome", "failure"),
        ("message", "Bad password"),
        ("azure.signinlogs.properties.is_interactive", "false"),
    ]);
}

#[test]
fn directory_audit() {
    let event = mapped(AUDIT_ROW);
    assert_eq!(
        (event.source, event.identity.id.as_deref()),
        ("log_analytics_audit_flat", Some("Directory_c1_x"))
    );
    event.expect(&[
        ("event.dataset", "azure.auditlogs"),
        ("event.outcome", "success"),
        ("azure.auditlogs.category", "AuditLogs"),
        ("azure.auditlogs.properties.category", "RoleManagement"),
        ("azure.auditlogs.properties.operation_type", "Assign"),
        (
            "azure.auditlogs.properties.target_resources.0.modified_properties.0.new_value",
            "\"Global Administrator\"",
        ),
        (
            "azure.auditlogs.properties.initiated_by.user.userPrincipalName",
            "ann@contoso.example",
        ),
    ]);
}

#[test]
fn office_activity() {
    let event = mapped(OFFICE_ROW);
    assert_eq!(event.source, "log_analytics_office_activity_text");
    assert_eq!(
        (event.identity.organization.as_str(), event.identity.id.as_deref()),
        ("9f", Some("6a0e"))
    );
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:55Z"),
        ("event.dataset", "log_analytics.office_activity"),
        ("event.action", "MailItemsAccessed"),
        ("event.id", "6a0e"),
        ("o365.audit.RecordType", "-"),
    ]);
    let (record, _) = carried(OFFICE_ROW).unwrap();
    assert_eq!(record.identity, event.identity);
    record.expect(&[
        ("@timestamp", "2026-03-02T08:14:55Z"),
        ("event.dataset", "o365.audit"),
        ("event.code", "ExchangeItemAggregated"),
        ("event.provider", "Exchange"),
        ("o365.audit.RecordType", "50"),
        ("o365.audit.UserType", "0"),
        ("o365.audit.LogonType", "0"),
        ("o365.audit.OperationCount", "2"),
        ("o365.audit.is_throttled", "true"),
        ("o365.audit.Folders.Path", "[\\Inbox]"),
        ("email.message_id", "[<m1@x>]"),
        ("source.ip", "198.51.100.7"),
        ("organization.id", "9f"),
    ]);
}

#[test]
fn other_tables_are_named() {
    let error = try_map(r#"{"TimeGenerated":"2026-03-02T08:14:55Z","TenantId":"w","Type":"SecurityAlert"}"#)
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("\"SecurityAlert\""), "{error}");
    let error = try_map(r#"{"TimeGenerated":"x","Type":"OfficeActivity"}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.to_string(), "no readable time in TimeGenerated");
}
