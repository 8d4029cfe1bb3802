//! Rows as the streaming API and exports deliver them, and the fields they become.

use super::super::testing::{mapped, try_map};

pub(in crate::sources) const CLOUD_APP_EVENT: &str = r#"{"time":"2026-03-02T08:20:09.74Z","tenantId":"9f","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","Tenant":"DefaultTenant",
 "properties":{"Timestamp":"2026-03-02T08:14:55Z","ActionType":"MailItemsAccessed","Application":"Microsoft Exchange Online","ApplicationId":20893,"AccountObjectId":"u1","IsExternalUser":false,"IsAdminOperation":true,
 "IPAddress":"198.51.100.7","ISP":"Example Net","CountryCode":"FR","IPTags":["a"],"ActivityObjects":[{"Type":"User"}],"RawEventData":{"CreationTime":"2026-03-02T08:14:55Z","Id":"6a0e","Operation":"MailItemsAccessed","UserId":"ann@contoso.example"},"ReportId":"1_20893_6a0e","OAuthAppId":"o1"}}"#;

pub(in crate::sources) const SIGN_IN: &str = r#"{"Timestamp":"2021-08-02T13:11:39.7724491Z","Application":"Mail","ApplicationId":"00000002-0000-0ff1-ce00-000000000000","LogonType":"[\"interactiveUser\"]","ErrorCode":"50126","SessionId":"S1","AccountUpn":"ann@contoso.example",
 "AccountObjectId":"u1","IsExternalUser":"-1","IsGuestUser":"False","IsManaged":"0","IsCompliant":"1","DeviceTrustType":"","RiskLevelDuringSignIn":"100","IPAddress":"198.51.100.7","Country":"FR","RequestId":"q1","ReportId":"r1","UniqueTokenId":"t1"}"#;

pub(in crate::sources) const EVIDENCE: &str = r#"{"Timestamp":"2026-03-02T08:14:55Z","AlertId":"al1","Title":"Suspicious inbox rule","Categories":"[\"InitialAccess\",\"Collection\"]","AttackTechniques":"[\"Phishing (T1566)\"]","ServiceSource":"Microsoft Defender for Cloud Apps",
 "EntityType":"User","EvidenceRole":"Impacted","AccountObjectId":"u1","AccountUpn":"ann@contoso.example","Severity":"High","FileSize":"","RemoteIP":"203.0.113.9","DeviceName":"PC1","AdditionalFields":"{\"a\":1}"}"#;

#[test]
fn cloud_app_event() {
    let event = mapped(CLOUD_APP_EVENT);
    assert_eq!(event.source, "defender_streaming_cloud_app_events");
    assert_eq!(
        (event.identity.organization.as_str(), event.identity.id.as_deref()),
        ("", Some("1_20893_6a0e"))
    );
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:55Z"),
        ("event.dataset", "m365_defender.cloud_app_events"),
        ("event.action", "MailItemsAccessed"),
        ("event.id", "1_20893_6a0e"),
        ("user.id", "u1"),
        ("user.email", "ann@contoso.example"),
        ("source.ip", "198.51.100.7"),
        ("source.as.organization.name", "Example Net"),
        ("m365_defender.event.raw_event_data_id", "6a0e"),
        ("m365_defender.event.application_id", "20893"),
        ("m365_defender.event.is_external_user", "0"),
        ("m365_defender.event.is_admin_operation", "true"),
        ("m365_defender.event.activity_objects", "[{\"Type\":\"User\"}]"),
        ("m365_defender.event.ip_tags", "[a]"),
        ("m365_defender.event.isp", "Example Net"),
        ("m365_defender.event.oauth_app_id", "o1"),
        ("m365_defender.event.category", "AdvancedHunting-CloudAppEvents"),
        ("m365_defender.event.tenant.id", "9f"),
        ("m365_defender.event.time", "2026-03-02T08:20:09.740Z"),
    ]);
}

#[test]
fn cloud_app_event_of_the_portal() {
    let event = mapped(
        r#"{"Timestamp":"2026-03-02T08:14:55Z","ActionType":"X","ApplicationId":"20893","IsAdminOperation":"False","IPTags":"[\"a\",\"b\"]","RawEventData":"{\"Id\":\"6a0e\",\"UserId\":\"not a user\"}","ReportId":"r"}"#,
    );
    assert_eq!(event.source, "defender_cloud_app_events_csv");
    event.expect(&[
        ("m365_defender.event.raw_event_data_id", "6a0e"),
        ("m365_defender.event.application_id", "20893"),
        ("m365_defender.event.is_admin_operation", "false"),
        ("m365_defender.event.ip_tags", "[a, b]"),
        ("user.email", "-"),
    ]);
}

#[test]
fn sign_in() {
    let event = mapped(SIGN_IN);
    assert_eq!(event.source, "defender_entra_id_sign_in_events_csv");
    event.expect(&[
        ("@timestamp", "2021-08-02T13:11:39.772449Z"),
        ("event.dataset", "m365_defender.sign_in_events"),
        ("event.outcome", "failure"),
        ("retrohunt.logon_failed", "true"),
        (
            "m365_defender.event.sign_in_application_id",
            "00000002-0000-0ff1-ce00-000000000000",
        ),
        ("m365_defender.event.application_id", "-"),
        ("m365_defender.event.error_code", "50126"),
        ("m365_defender.event.is_external_user", "-1"),
        ("m365_defender.event.is_managed", "0"),
        ("m365_defender.event.is_compliant", "1"),
        ("m365_defender.event.is_guest_user", "false"),
        ("m365_defender.event.risk_level_during_sign_in", "100"),
        ("m365_defender.event.device_trust_type", "-"),
        ("m365_defender.event.session_id", "S1"),
        ("m365_defender.event.request_id", "q1"),
    ]);
    let beta = mapped(r#"{"Timestamp":"2026-03-02T08:14:55Z","ErrorCode":0,"RequestId":"q","ReportId":"r"}"#);
    assert_eq!(beta.source, "defender_aad_sign_in_events_beta");
    beta.expect(&[("event.outcome", "success"), ("retrohunt.logon_failed", "false")]);
}

#[test]
fn alert_evidence() {
    let event = mapped(EVIDENCE);
    assert_eq!(event.source, "defender_alert_evidence");
    let streamed = format!(
        r#"{{"time":"2026-03-02T08:20:00Z","category":"AdvancedHunting-AlertEvidence","properties":{}}}"#,
        EVIDENCE
            .replace("08:14:55Z", "08:14:55.0000000Z")
            .replace(r#""FileSize":"""#, r#""FileSize":null"#)
    );
    assert_eq!(mapped(&streamed).identity, event.identity, "the same evidence");
    let sentinel = EVIDENCE.replace(
        r#""Timestamp""#,
        r#""TenantId":"w","Type":"AlertEvidence","SourceSystem":"x","TimeGenerated""#,
    );
    assert_eq!(mapped(&sentinel).identity, event.identity, "in a workspace");
    let other = EVIDENCE.replace("Impacted", "Related");
    assert_ne!(mapped(&other).identity, event.identity);
    event.expect(&[
        ("event.kind", "alert"),
        ("event.id", "al1"),
        ("event.severity", "4"),
        ("event.category", "[iam]"),
        ("message", "Suspicious inbox rule"),
        ("host.name", "pc1"),
        ("source.ip", "203.0.113.9"),
        ("threat.technique.id", "[T1566]"),
        ("m365_defender.event.categories", "[InitialAccess, Collection]"),
        ("m365_defender.event.account_object_id", "u1"),
        ("m365_defender.event.additional_fields", "{\"a\":1}"),
        ("file.size", "-"),
    ]);
}

#[test]
fn other_tables_are_named() {
    let error = try_map(r#"{"time":"x","category":"AdvancedHunting-DeviceEvents","properties":{}}"#)
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("\"DeviceEvents\""), "{error}");
}
