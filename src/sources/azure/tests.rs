//! Records as Azure Monitor and Graph deliver them, and the fields they become.

use super::super::testing::{mapped, try_map};

pub(in crate::sources) const SIGN_IN: &str = r#"{"time":"2026-03-02T08:15:20.1234567Z","resourceId":"/tenants/9F/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0",
 "category":"NonInteractiveUserSignInLogs","tenantId":"9F","resultType":"50126","resultSignature":"None","resultDescription":"Error","durationMs":"12","callerIpAddress":"<null>","correlationId":"c1","identity":"Ann",
 "Level":4,"location":"FR","properties":{"id":"s1","createdDateTime":"2026-03-02T08:14:01.1+00:00","userDisplayName":"Ann","userPrincipalName":"ann@contoso.example","userId":"u1","appId":"app1",
 "appDisplayName":"Mail","ipAddress":"::ffff:198.51.100.7","status":{"errorCode":"50126","failureReason":"Bad password","additionalDetails":"MFA"},"clientAppUsed":"Browser","userAgent":"UA",
 "deviceDetail":{"deviceId":"","operatingSystem":"Windows10","isCompliant":"False","isManaged":true,"trustType":"Hybrid"},"location":{"city":"Paris","state":"Ile","countryOrRegion":"FR","geoCoordinates":{"latitude":48.8,"longitude":2.3}},
 "isInteractive":false,"riskLevelDuringSignIn":"high","riskEventTypes_v2":["unfamiliarFeatures"],"processingTimeInMilliseconds":"7","autonomousSystemNumber":"3215","sessionId":"S1","resourceId":"r1",
 "authenticationProcessingDetails":[{"key":"Oauth Scope Info","value":"[\"adrs_access\"]"},{"key":"Root Key Type","value":"Unknown"}],
 "authenticationDetails":[{"authenticationMethod":"Password","succeeded":false},{"authenticationMethod":"MFA","succeeded":true}],
 "appliedConditionalAccessPolicies":[{"id":"p1","result":"failure","enforcedGrantControls":["Mfa","Block"]}],
 "tokenProtectionStatusDetails":{"signInSessionStatus":"unbound"},"mfaDetail":null,"servicePrincipalId":""}}"#;

pub(in crate::sources) const AUDIT: &str = r#"{"time":"2026-03-02T08:15:20Z","operationName":"Add member to role","category":"AuditLogs","tenantId":"9f","durationMs":0,"callerIpAddress":"198.51.100.7","correlationId":"c1","level":"Informational","Level":"4",
 "properties":{"id":"Directory_c1_x","category":"RoleManagement","result":"success","resultReason":"ok","activityDisplayName":"Add member to role","activityDateTime":"2026-03-02T08:15:19.5Z","loggedByService":"Core Directory","operationType":"Assign","userAgent":"UA",
 "initiatedBy":{"user":{"id":"u1","userPrincipalName":"ann@contoso.example","ipAddress":"198.51.100.7","roles":[]}},
 "targetResources":[{"id":"t1","displayName":"Bob","type":"User","userPrincipalName":"bob@contoso.example","modifiedProperties":[{"displayName":"Role.ObjectID","oldValue":null,"newValue":"\"x\""},{"displayName":"Role.DisplayName","oldValue":"[]","newValue":"\"Global Administrator\""}]},{"id":"t2","type":"Role"}],
 "additionalDetails":[{"key":"User-Agent","value":"EvoSTS"}]}}"#;

pub(in crate::sources) const RISK: &str = r#"{"time":"3/24/2022 2:42:35 PM","operationName":"User Risk Detection","category":"UserRiskEvents","tenantId":"9f","properties":{"id":"rd1","riskType":"unfamiliarFeatures","riskEventType":"unfamiliarFeatures","riskState":"atRisk","riskLevel":"high","riskDetail":"none",
 "activityDateTime":"2022-03-24T14:38:00Z","ipAddress":"203.0.113.9","userId":"u1","userDisplayName":"Ann","userPrincipalName":"ann@contoso.example","location":{"city":"Paris","countryOrRegion":"FR"},"additionalInfo":"[{\"Key\":\"userAgent\",\"Value\":\"UA\"}]"}}"#;

pub(in crate::sources) const GRAPH_RISK_DETECTION: &str = r#"{"id":"rd1","requestId":"r1","correlationId":"c1","riskEventType":"unfamiliarFeatures","riskState":"atRisk","riskLevel":"high","riskDetail":"none","source":"IdentityProtection","detectionTimingType":"realtime","activity":"signin","tokenIssuerType":"AzureAD",
 "ipAddress":"203.0.113.9","activityDateTime":"2022-03-24T14:38:00Z","detectedDateTime":"2022-03-24T14:38:01Z","lastUpdatedDateTime":"2022-03-24T14:42:35.1234567Z","userId":"u1","userDisplayName":"Ann","userPrincipalName":"ann@contoso.example","additionalInfo":"[{\"Key\":\"userAgent\",\"Value\":\"UA\"}]","location":{"city":"Paris","state":null,"countryOrRegion":"FR","geoCoordinates":{"latitude":48.8,"longitude":2.3}}}"#;

pub(in crate::sources) const GRAPH_RISKY_USER: &str = r#"{"id":"u1","isDeleted":false,"isProcessing":false,"riskLevel":"high","riskState":"confirmedCompromised","riskDetail":"adminConfirmedUserCompromised","riskLastUpdatedDateTime":"2022-03-24T15:00:00Z","userDisplayName":"Ann","userPrincipalName":"ann@contoso.example"}"#;

#[test]
fn sign_in() {
    let event = mapped(SIGN_IN);
    assert_eq!(event.source, "azure_monitor");
    assert_eq!(
        (event.identity.organization.as_str(), event.identity.id.as_deref()),
        ("", Some("s1"))
    );
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:01.100Z"),
        ("event.dataset", "azure.signinlogs"),
        ("event.action", "Sign-in activity"),
        ("event.category", "[authentication]"),
        ("event.type", "[info]"),
        ("event.id", "s1"),
        ("event.outcome", "failure"),
        ("retrohunt.logon_failed", "true"),
        ("event.duration", "12000000"),
        ("message", "Bad password (MFA)"),
        ("azure.tenant_id", "9F"),
        ("azure.resource.provider", "Microsoft.aadiam"),
        ("azure.signinlogs.category", "NonInteractiveUserSignInLogs"),
        ("azure.signinlogs.result_type", "50126"),
        ("azure.signinlogs.caller_ip_address", "-"),
        ("azure.signinlogs.properties.status.error_code", "50126"),
        ("azure.signinlogs.properties.created_at", "2026-03-02T08:14:01.100Z"),
        ("azure.signinlogs.properties.app_id", "app1"),
        ("azure.signinlogs.properties.device_detail.is_compliant", "false"),
        ("azure.signinlogs.properties.device_detail.is_managed", "true"),
        ("azure.signinlogs.properties.device_detail.device_id", "-"),
        ("azure.signinlogs.properties.risk_level_during_signin", "high"),
        (
            "azure.signinlogs.properties.risk_event_types_v2",
            "[unfamiliarFeatures]",
        ),
        ("azure.signinlogs.properties.processing_time_ms", "7"),
        ("azure.signinlogs.properties.session_id", "S1"),
        (
            "azure.signinlogs.properties.authentication_processing_details",
            "[Oauth Scope Info=[\"adrs_access\"], Root Key Type=Unknown]",
        ),
        (
            "azure.signinlogs.properties.authentication_details.authentication_method",
            "[Password, MFA]",
        ),
        (
            "azure.signinlogs.properties.authentication_details.succeeded",
            "[false, true]",
        ),
        (
            "azure.signinlogs.properties.applied_conditional_access_policies.enforced_grant_controls",
            "[Mfa, Block]",
        ),
        (
            "azure.signinlogs.properties.token_protection_status_details.sign_in_session_status",
            "unbound",
        ),
        ("source.ip", "198.51.100.7"),
        ("source.address", "::ffff:198.51.100.7"),
        ("source.as.number", "3215"),
        ("related.ip", "[198.51.100.7]"),
        ("user.name", "ann@contoso.example"),
        ("user.email", "ann@contoso.example"),
        ("user.id", "u1"),
        ("user.domain", "-"),
        ("user_agent.original", "UA"),
        ("log.level", "4"),
        ("geo.country_iso_code", "FR"),
        ("geo.city_name", "Paris"),
        ("geo.region_name", "Ile"),
        ("geo.location", "48.8,2.3"),
        ("related.entity", "[app1, r1, u1]"),
    ]);
}

#[test]
fn time_of_the_envelope_where_the_sign_in_has_none() {
    mapped(r#"{"time":"1/9/2007 10:41:00 AM +01:00","category":"ADFSSignInLogs","resourceId":"/TENANTS/9F/PROVIDERS/X","properties":{"ipAddress":"6e5a1c1c-9a57-4f0e-8a0f-3f6a3b1c2d3e"}}"#)
        .expect(&[
            ("@timestamp", "2007-01-09T09:41:00Z"),
            ("event.outcome", "success"),
            ("source.ip", "-"),
            ("source.address", "6e5a1c1c-9a57-4f0e-8a0f-3f6a3b1c2d3e"),
        ]);
}

#[test]
fn directory_audit() {
    let event = mapped(AUDIT);
    assert_eq!(event.identity.id.as_deref(), Some("Directory_c1_x"));
    event.expect(&[
        ("event.dataset", "azure.auditlogs"),
        ("event.action", "Add member to role"),
        ("event.outcome", "success"),
        ("azure.auditlogs.properties.result", "-"),
        ("event.category", "-"),
        ("log.level", "Informational"),
        ("azure.auditlogs.level", "4"),
        ("azure.auditlogs.operation_name", "Add member to role"),
        ("azure.auditlogs.properties.category", "RoleManagement"),
        (
            "azure.auditlogs.properties.activity_datetime",
            "2026-03-02T08:15:19.500Z",
        ),
        ("azure.auditlogs.properties.userAgent", "UA"),
        (
            "azure.auditlogs.properties.initiated_by.user.userPrincipalName",
            "ann@contoso.example",
        ),
        ("azure.auditlogs.properties.target_resources.0.display_name", "Bob"),
        (
            "azure.auditlogs.properties.target_resources.0.modified_properties.1.new_value",
            "\"Global Administrator\"",
        ),
        (
            "azure.auditlogs.properties.target_resources.0.modified_properties.1.old_value",
            "[]",
        ),
        ("azure.auditlogs.properties.target_resources.1.type", "Role"),
        ("azure.auditlogs.properties.target_resources.type", "[User, Role]"),
        (
            "azure.auditlogs.properties.target_resources.modified_properties.display_name",
            "[Role.ObjectID, Role.DisplayName]",
        ),
        ("azure.auditlogs.properties.additional_details", "[User-Agent=EvoSTS]"),
        ("source.ip", "198.51.100.7"),
        ("event.reason", "ok"),
    ]);
}

#[test]
fn risk_detection() {
    let event = mapped(RISK);
    assert_eq!(event.identity.id, None);
    event.expect(&[
        ("@timestamp", "2022-03-24T14:42:35Z"),
        ("event.dataset", "azure.identity_protection"),
        (
            "azure.identityprotection.properties.risk_event_type",
            "unfamiliarFeatures",
        ),
        (
            "azure.identityprotection.properties.activity_datetime",
            "2022-03-24T14:38:00Z",
        ),
        ("azure.identityprotection.properties.location.countryOrRegion", "FR"),
        (
            "azure.identityprotection.properties.additional_info",
            "[{\"Key\":\"userAgent\",\"Value\":\"UA\"}]",
        ),
        ("user.name", "ann@contoso.example"),
        ("source.ip", "203.0.113.9"),
    ]);
}

/// What Graph returns in the envelope of Azure Monitor.
fn monitored(properties: &str, category: &str, time: &str) -> String {
    format!(r#"{{"time":"{time}","category":"{category}","tenantId":"9f","properties":{properties}}}"#)
}

#[test]
fn risk_of_graph() {
    let detection = mapped(GRAPH_RISK_DETECTION);
    assert_eq!(detection.source, "graph_risk_detection");
    detection.expect(&[
        ("@timestamp", "2022-03-24T14:42:35.123456Z"),
        ("event.dataset", "azure.identity_protection"),
        ("event.action", "User Risk Detection"),
        ("event.id", "rd1"),
        ("azure.correlation_id", "c1"),
        ("azure.identityprotection.category", "UserRiskEvents"),
        ("azure.identityprotection.properties.token_issuer_type", "AzureAD"),
        ("azure.identityprotection.properties.location.countryOrRegion", "FR"),
        (
            "azure.identityprotection.properties.last_updated_datetime",
            "2022-03-24T14:42:35.123456Z",
        ),
        ("user.id", "u1"),
        ("source.ip", "203.0.113.9"),
    ]);
    let user = mapped(GRAPH_RISKY_USER);
    assert_eq!(user.source, "graph_risky_user");
    user.expect(&[
        ("@timestamp", "2022-03-24T15:00:00Z"),
        ("event.action", "Risky user"),
        ("azure.identityprotection.category", "RiskyUsers"),
        ("azure.identityprotection.properties.risk_state", "confirmedCompromised"),
        ("azure.identityprotection.properties.is_deleted", "false"),
        ("user.name", "ann@contoso.example"),
    ]);
    // Without a time of its state, the one of the detection.
    let old = GRAPH_RISK_DETECTION.replace("lastUpdatedDateTime", "x");
    let old = mapped(&old);
    assert_eq!(
        (old.shown("@timestamp").as_str(), old.identity.id.clone()),
        ("2022-03-24T14:38:01Z", None)
    );
}

#[test]
fn a_state_of_risk_is_one_event_wherever_it_comes_from() {
    let same = |graph: &str, category: &str, time: &str| {
        let (graph, monitor) = (mapped(graph), mapped(&monitored(graph, category, time)));
        assert!(graph.identity.id.is_some());
        assert_eq!(graph.identity, monitor.identity);
        graph.identity.id
    };
    let (user, time) = ("UserRiskEvents", "3/24/2022 2:42:35 PM");
    let first = same(GRAPH_RISK_DETECTION, user, time);
    // Once more, when somebody has looked at it, and with another state at the same time.
    let later = GRAPH_RISK_DETECTION.replace("14:42:35", "16:00:00");
    let dismissed = GRAPH_RISK_DETECTION.replace("atRisk", "dismissed");
    let states = [first, same(&later, user, time), same(&dismissed, user, time)];
    assert_eq!(states.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    same(GRAPH_RISKY_USER, "RiskyUsers", "2022-03-24T15:00:00Z");
}

#[test]
fn other_categories_are_named() {
    let error = try_map(r#"{"time":"x","category":"MicrosoftGraphActivityLogs","properties":{}}"#)
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("MicrosoftGraphActivityLogs"), "{error}");
}

#[test]
fn graph_objects() {
    let event = mapped(
        r#"{"id":"s1","createdDateTime":"2026-03-02T08:14:01Z","userPrincipalName":"ann@contoso.example","appId":"app1","ipAddress":"198.51.100.7","status":{"errorCode":0},"signInEventTypes":["nonInteractiveUser"]}"#,
    );
    assert_eq!(
        (event.source, event.identity.id.as_deref()),
        ("graph_sign_in", Some("s1"))
    );
    event.expect(&[
        ("azure.signinlogs.category", "NonInteractiveUserSignInLogs"),
        ("event.outcome", "success"),
        ("source.ip", "198.51.100.7"),
    ]);
    let event = mapped(
        r#"{"id":"d1","activityDateTime":"2026-03-02T08:14:01Z","activityDisplayName":"Add app","category":"ApplicationManagement","result":"failure","initiatedBy":{"app":{"displayName":"X"}},"targetResources":[{"Type":"App"}]}"#,
    );
    assert_eq!(event.source, "graph_directory_audit");
    event.expect(&[
        ("event.action", "Add app"),
        ("event.outcome", "failure"),
        ("azure.auditlogs.properties.category", "ApplicationManagement"),
        ("azure.auditlogs.properties.target_resources.0.type", "App"),
    ]);
}
