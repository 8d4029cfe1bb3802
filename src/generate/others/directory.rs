//! Entra ID's audit log, as diagnostic settings export it.

use super::super::scene::Scene;
use super::super::sign_ins::envelope;
use super::super::text::{Tick, put};

/// What is changed, most often first: activity, category, type of operation, type of target.
const ACTIVITIES: [(&str, &str, &str, &str); 7] = [
    ("Update user", "UserManagement", "Update", "User"),
    ("Update device", "Device", "Update", "Device"),
    ("Add member to group", "GroupManagement", "Assign", "User"),
    ("Change user license", "UserManagement", "Update", "User"),
    (
        "Update StsRefreshTokenValidFrom Timestamp",
        "UserManagement",
        "Update",
        "User",
    ),
    ("Remove member from group", "GroupManagement", "Unassign", "User"),
    (
        "Add app role assignment grant to user",
        "UserManagement",
        "Assign",
        "User",
    ),
];

/// Some change, by one of the administrators.
pub(in crate::generate) fn record(scene: &mut Scene<'_>, out: &mut Vec<u8>) {
    let activity = ACTIVITIES[scene.random.skewed(ACTIVITIES.len() as u64, 1) as usize];
    let target = scene.user;
    scene.user = &scene.organisation.users[target.number as usize / 64 * 64];
    change(scene, activity, (&target.id, &target.name), out);
}

/// Somebody consents to an application (id, name).
pub(in crate::generate) fn consent(scene: &mut Scene<'_>, application: (&str, &str), out: &mut Vec<u8>) {
    let activity = (
        "Consent to application",
        "ApplicationManagement",
        "Assign",
        "ServicePrincipal",
    );
    change(scene, activity, application, out);
}

fn change(
    scene: &mut Scene<'_>,
    (activity, category, operation, of_type): (&str, &str, &str, &str),
    (id, name): (&str, &str),
    out: &mut Vec<u8>,
) {
    let (user, correlation) = (scene.user, scene.guid());
    let fraction = correlation.0 % 10_000_000;
    envelope(scene, (activity, "AuditLogs", 0), correlation, 0, out);
    put!(
        out,
        r#","Level":4,"properties":{"id":"Directory_"#,
        scene.guid(),
        "_",
        10_000_000 + fraction,
        r#"","category":""#
    );
    put!(
        out,
        category,
        r#"","correlationId":""#,
        correlation,
        r#"","result":"success","resultReason":"","activityDisplayName":""#
    );
    put!(
        out,
        activity,
        r#"","activityDateTime":""#,
        Tick(scene.second, fraction),
        r#"+00:00","loggedByService":"Core Directory","#
    );
    put!(
        out,
        r#""operationType":""#,
        operation,
        r#"","userAgent":null,"initiatedBy":{"user":{"id":""#,
        user.id
    );
    put!(
        out,
        r#"","displayName":null,"userPrincipalName":""#,
        user.upn,
        r#"","ipAddress":""#,
        scene.address
    );
    put!(
        out,
        r#"","roles":[]}},"targetResources":[{"id":""#,
        id,
        r#"","displayName":""#,
        name,
        r#"","type":""#,
        of_type
    );
    put!(out, r#"","modifiedProperties":["#);
    match of_type {
        "ServicePrincipal" => put!(
            out,
            r#"{"displayName":"ConsentContext.IsAdminConsent","oldValue":null,"newValue":"\"False\""},{"displayName":"ConsentAction.Permissions","oldValue":null,"newValue":"\"[] => [[ConsentType: Principal, Scope: offline_access Mail.Read Mail.Send]]; \""}"#
        ),
        "Device" => put!(
            out,
            r#"{"displayName":"DeviceOSVersion","oldValue":"[\"10.0.26100.7171\"]","newValue":"[\"10.0.26100.7462\"]"}"#
        ),
        _ => put!(
            out,
            r#"{"displayName":"Department","oldValue":"[\""#,
            user.department,
            r#"\"]","newValue":"[\""#,
            scene.colleague().department,
            r#"\"]"},{"displayName":"Included Updated Properties","oldValue":null,"newValue":"\"Department\""}"#
        ),
    }
    put!(
        out,
        r#"],"administrativeUnits":[]}],"additionalDetails":[{"key":"User-Agent","value":"EvoSTS"}]}}"#
    );
}
