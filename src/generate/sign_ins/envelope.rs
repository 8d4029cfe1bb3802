//! What every record of a diagnostic setting of Entra ID begins with.

use super::super::scene::Scene;
use super::super::text::{Guid, Tick, put};

/// The envelope up to the beginning of `properties`.
pub(in crate::generate) fn envelope(
    scene: &Scene<'_>,
    what: (&str, &str, u64),
    correlation: Guid,
    delay: u64,
    out: &mut Vec<u8>,
) {
    let (operation, category, error) = what;
    let tenant = &scene.organisation.id;
    put!(
        out,
        r#"{"time":""#,
        Tick(scene.second + delay, correlation.0 % 10_000_000),
        r#"Z","resourceId":"/tenants/"#,
        tenant
    );
    put!(
        out,
        r#"/providers/Microsoft.aadiam","operationName":""#,
        operation,
        r#"","operationVersion":"1.0","category":""#
    );
    put!(out, category, r#"","tenantId":""#, tenant, "\"");
    if operation == "Sign-in activity" {
        put!(out, r#","resultType":""#, error, "\"");
    }
    put!(out, r#","resultSignature":"None""#);
    if error > 0 {
        put!(out, r#","resultDescription":""#, reason(error), "\"");
    }
    put!(
        out,
        r#","durationMs":0,"callerIpAddress":""#,
        scene.address,
        r#"","correlationId":""#,
        correlation,
        "\""
    );
}

/// What Entra ID says of an error.
pub(super) fn reason(error: u64) -> &'static str {
    match error {
        50_126 => "Error validating credentials due to invalid username or password.",
        50_140 => "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
        50_076 => {
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."
        }
        50_053 => {
            "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."
        }
        _ => "The refresh token has expired due to inactivity.",
    }
}
