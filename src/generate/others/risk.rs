//! Detections of Entra ID Protection (UserRiskEvents).

use super::super::scene::Scene;
use super::super::sign_ins::is_often_rated_risky;
use super::super::text::{AmericanSecond, Hex, Tick, put};

/// A low or medium one, about somebody whose sign-ins are rated risky now and then.
pub(in crate::generate) fn record(scene: &mut Scene<'_>, out: &mut Vec<u8>) {
    let users = &scene.organisation.users;
    let near = scene.user.number as usize / 4 * 4 + 1;
    scene.user = users.get(near).unwrap_or(scene.user);
    debug_assert!(is_often_rated_risky(near as u64));
    let level = if scene.random.below(4) == 0 { "medium" } else { "low" };
    event(scene, level, "unfamiliarFeatures", out);
}

/// One detection.
pub(in crate::generate) fn event(scene: &mut Scene<'_>, level: &str, kind: &str, out: &mut Vec<u8>) {
    let (user, tenant) = (scene.user, &scene.organisation.id);
    let time = Tick(scene.second, scene.random.below(10_000_000));
    put!(
        out,
        r#"{"time":""#,
        AmericanSecond(scene.second),
        r#"","resourceId":"/tenants/"#,
        tenant
    );
    put!(
        out,
        r#"/providers/microsoft.aadiam","operationName":"User Risk Detection","operationVersion":"1.0","category":"#
    );
    put!(
        out,
        r#""UserRiskEvents","tenantId":""#,
        tenant,
        r#"","resultSignature":"None","durationMs":0,"callerIpAddress":""#
    );
    put!(
        out,
        scene.address,
        r#"","correlationId":""#,
        scene.guid(),
        r#"","identity":""#,
        user.upn,
        r#"","Level":4,"properties":{"id":""#
    );
    put!(
        out,
        Hex(scene.random.next()),
        Hex(scene.random.next()),
        r#"","riskType":""#,
        kind,
        r#"","riskEventType":""#,
        kind
    );
    put!(
        out,
        r#"","riskState":"atRisk","riskLevel":""#,
        level,
        r#"","riskDetail":"none","source":"IdentityProtection","#
    );
    put!(
        out,
        r#""detectionTimingType":"realtime","activity":"signin","ipAddress":""#,
        scene.address,
        r#"","activityDateTime":""#
    );
    put!(
        out,
        time,
        r#"Z","detectedDateTime":""#,
        time,
        r#"Z","lastUpdatedDateTime":""#,
        time,
        r#"Z","userId":""#,
        user.id
    );
    put!(
        out,
        r#"","userDisplayName":""#,
        user.name,
        r#"","userPrincipalName":""#,
        user.upn
    );
    put!(
        out,
        r#"","additionalInfo":"[{\"Key\":\"riskReasons\",\"Value\":[\"UnfamiliarIP\",\"UnfamiliarASN\"]},{\"Key\":\"userAgent\",\"Value\":\""#
    );
    put!(out, scene.agent, r#"\"}]"}}"#);
}
