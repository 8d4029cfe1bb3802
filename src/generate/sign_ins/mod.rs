//! Entra ID's sign-ins as diagnostic settings export them: people at a prompt, programs in
//! their name, and programs in their own.

mod envelope;
mod service;

pub(super) use envelope::envelope;

use super::applications::{Application, FIRST_PARTY, RESOURCES};
use super::audit::logon::{FAILURES, stranger};
use super::places::ZONES;
use super::scene::{Device, Scene};
use super::text::{Base64, Guid, Tick, put};
use envelope::reason;

/// A sign-in of a user.
pub(super) struct SignIn<'a> {
    pub(super) application: (&'a str, &'a str),
    pub(super) interactive: bool,
    /// Number of the error; 0 for none.
    pub(super) error: u64,
    /// `none`, `low`, `medium` or `high`.
    pub(super) risk: &'a str,
}

/// Whether sign-ins of a user are now and then rated risky although nothing is wrong. Those
/// are a quarter of all, and neither the victims of attacks nor those whom Defender's other
/// alerts are about.
pub(super) fn is_often_rated_risky(user: u64) -> bool {
    user % 4 == 1
}

/// Some sign-in. No line end.
pub(super) fn record(scene: &mut Scene<'_>, out: &mut Vec<u8>) {
    let kind = scene.random.below(1_000);
    if kind >= 940 {
        return service::service(scene, kind >= 985, out);
    }
    let Application { id, name, .. } = FIRST_PARTY[scene.random.skewed(FIRST_PARTY.len() as u64, 1) as usize];
    let mut sign_in = SignIn {
        application: (id, name),
        interactive: kind < 150,
        error: 0,
        risk: "none",
    };
    match scene.random.below(1_000) {
        0..20 if sign_in.interactive => {
            stranger(scene);
            sign_in.error = 50_126;
        }
        20..60 => sign_in.error = FAILURES[scene.random.skewed(FAILURES.len() as u64, 1) as usize].0,
        60..68 if is_often_rated_risky(scene.user.number) => sign_in.risk = "low",
        68..70 if is_often_rated_risky(scene.user.number) => sign_in.risk = "medium",
        _ => {}
    }
    user(scene, &sign_in, out);
}

/// A sign-in of a user.
pub(super) fn user(scene: &mut Scene<'_>, sign_in: &SignIn<'_>, out: &mut Vec<u8>) {
    let user = scene.user;
    let category = if sign_in.interactive {
        "SignInLogs"
    } else {
        "NonInteractiveUserSignInLogs"
    };
    let (correlation, delay) = (scene.guid(), 60 + scene.random.below(180));
    envelope(
        scene,
        ("Sign-in activity", category, sign_in.error),
        correlation,
        delay,
        out,
    );
    put!(
        out,
        r#","identity":""#,
        user.name,
        r#"","Level":4,"location":""#,
        ZONES[scene.zone].country
    );
    let (application, name) = sign_in.application;
    let time = Tick(scene.second, scene.random.below(10_000_000));
    put!(
        out,
        r#"","properties":{"id":""#,
        scene.guid(),
        r#"","createdDateTime":""#,
        time,
        r#"+00:00","userDisplayName":""#
    );
    put!(
        out,
        user.name,
        r#"","userPrincipalName":""#,
        user.upn,
        r#"","userId":""#,
        user.id,
        r#"","appId":""#,
        application
    );
    put!(
        out,
        r#"","appDisplayName":""#,
        name,
        r#"","ipAddress":""#,
        scene.address,
        r#"","status":{"errorCode":"#
    );
    put!(out, sign_in.error);
    if sign_in.error > 0 {
        put!(out, r#","failureReason":""#, reason(sign_in.error), "\"");
    }
    let client = if scene.device == Device::Phone {
        "Mobile Apps and Desktop clients"
    } else {
        "Browser"
    };
    put!(
        out,
        r#"},"clientAppUsed":""#,
        client,
        r#"","userAgent":""#,
        scene.agent,
        "\""
    );
    device(scene, out);
    place(scene, out);
    put!(out, r#","correlationId":""#, correlation, "\"");
    conditional_access(scene, sign_in, out);
    put!(
        out,
        r#","isInteractive":"#,
        sign_in.interactive,
        r#","tokenIssuerName":"","tokenIssuerType":"AzureAD","#
    );
    put!(
        out,
        r#""authenticationProcessingDetails":[{"key":"Login Hint Present","value":"True"},{"key":"Legacy TLS (TLS 1.0, 1.1, 3DES)","#
    );
    put!(
        out,
        r#""value":"False"},{"key":"Is CAE Token","value":"True"}],"networkLocationDetails":[],"clientCredentialType":"none","#
    );
    put!(
        out,
        r#""processingTimeInMilliseconds":"#,
        40 + scene.random.skewed(900, 2),
        r#","riskDetail":"none","riskLevelAggregated":""#
    );
    put!(
        out,
        sign_in.risk,
        r#"","riskLevelDuringSignIn":""#,
        sign_in.risk,
        r#"","riskState":""#
    );
    match sign_in.risk {
        "none" => put!(out, r#"none","riskEventTypes":[],"riskEventTypes_v2":[]"#),
        _ => put!(
            out,
            r#"atRisk","riskEventTypes":["unfamiliarFeatures"],"riskEventTypes_v2":["unfamiliarFeatures"]"#
        ),
    }
    let resource = RESOURCES[scene.random.skewed(RESOURCES.len() as u64, 1) as usize];
    let tenant = &scene.organisation.id;
    put!(
        out,
        r#","resourceDisplayName":""#,
        resource.1,
        r#"","resourceId":""#,
        resource.0,
        r#"","resourceTenantId":""#,
        tenant
    );
    put!(out, r#"","homeTenantId":""#, tenant, r#"","tenantId":""#, tenant, "\"");
    steps(scene, sign_in, time, out);
    put!(
        out,
        r#","userType":"Member","flaggedForReview":false,"isTenantRestricted":false,"autonomousSystemNumber":"#
    );
    put!(
        out,
        ZONES[scene.zone].network,
        r#","crossTenantAccessType":"none","uniqueTokenIdentifier":""#
    );
    let token = scene.random.next();
    put!(out, Base64(token), Base64(token >> 4), r#"AA","incomingTokenType":""#);
    put!(out, if sign_in.interactive { "none" } else { "refreshToken" });
    put!(out, r#"","authenticationProtocol":"none","sessionId":""#, scene.session);
    put!(
        out,
        r#"","originalTransferMethod":"none","isThroughGlobalSecureAccess":false}}"#
    );
}

fn device(scene: &Scene<'_>, out: &mut Vec<u8>) {
    let (id, name) = &scene.user.computer;
    put!(out, r#","deviceDetail":{"deviceId":""#);
    if scene.device == Device::Computer {
        put!(
            out,
            id,
            r#"","displayName":""#,
            name,
            r#"","operatingSystem":"Windows10","browser":""#,
            scene.browser()
        );
        put!(
            out,
            r#"","isCompliant":true,"isManaged":true,"trustType":"Azure AD joined"}"#
        );
    } else {
        put!(
            out,
            r#"","displayName":"","operatingSystem":""#,
            scene.system(),
            r#"","browser":""#,
            scene.browser()
        );
        put!(out, r#"","isCompliant":false,"isManaged":false,"trustType":""}"#);
    }
}

fn place(scene: &Scene<'_>, out: &mut Vec<u8>) {
    let zone = &ZONES[scene.zone];
    put!(
        out,
        r#","location":{"city":""#,
        zone.city,
        r#"","state":""#,
        zone.state,
        r#"","countryOrRegion":""#,
        zone.country
    );
    put!(
        out,
        r#"","geoCoordinates":{"latitude":"#,
        zone.position.0,
        r#","longitude":"#,
        zone.position.1,
        "}}"
    );
}

fn conditional_access(scene: &Scene<'_>, sign_in: &SignIn<'_>, out: &mut Vec<u8>) {
    let status = match sign_in.error {
        0 if sign_in.interactive => "success",
        50_076 => "failure",
        _ => "notApplied",
    };
    put!(
        out,
        r#","conditionalAccessStatus":""#,
        status,
        r#"","appliedConditionalAccessPolicies":["#
    );
    let seed = scene.organisation.seed;
    for (number, name) in ["Require MFA", "Block legacy authentication"].into_iter().enumerate() {
        let number = number as u64;
        put!(
            out,
            if number > 0 { "," } else { "" },
            r#"{"id":""#,
            Guid(seed ^ number << 20, !seed),
            r#"","displayName":""#
        );
        put!(
            out,
            name,
            r#"","enforcedGrantControls":["Mfa"],"enforcedSessionControls":[],"result":""#
        );
        put!(out, if number == 0 { status } else { "notApplied" });
        put!(
            out,
            r#"","conditionsSatisfied":3,"conditionsNotSatisfied":"#,
            number * 8,
            "}"
        );
    }
    out.push(b']');
}

/// How the user proved to be the user.
fn steps(scene: &mut Scene<'_>, sign_in: &SignIn<'_>, time: Tick, out: &mut Vec<u8>) {
    let (method, detail) = match (sign_in.interactive, sign_in.error) {
        (_, 1..) => ("Password", "Incorrect password"),
        (true, _) => ("Password", "Password in the cloud"),
        (false, _) => ("Previously satisfied", ""),
    };
    put!(
        out,
        r#","authenticationDetails":[{"authenticationStepDateTime":""#,
        time,
        r#"+00:00","authenticationMethod":""#
    );
    put!(
        out,
        method,
        r#"","authenticationMethodDetail":""#,
        detail,
        r#"","succeeded":"#,
        sign_in.error == 0
    );
    put!(out, r#","authenticationStepResultDetail":""#);
    put!(
        out,
        if sign_in.error == 0 {
            "First factor requirement satisfied by claim in the token"
        } else {
            reason(sign_in.error)
        }
    );
    put!(
        out,
        r#"","authenticationStepRequirement":"Primary authentication","StatusSequence":0,"RequestSequence":"#
    );
    put!(out, scene.random.below(2), r#"}],"authenticationRequirement":""#);
    put!(
        out,
        if scene.user.seed.is_multiple_of(5) {
            "singleFactorAuthentication"
        } else {
            "multiFactorAuthentication"
        },
        "\""
    );
}
