//! Sign-ins of programs.

use super::super::applications::RESOURCES;
use super::super::places;
use super::super::scene::Scene;
use super::super::text::{Base64, Tick, put};
use super::envelope;

/// A sign-in of a program with credentials of its own, or of a machine in Azure.
pub(super) fn service(scene: &mut Scene<'_>, managed: bool, out: &mut Vec<u8>) {
    let service = scene.random.pick(&scene.organisation.services);
    scene.address = places::front_end(service.principal.as_bytes()[0].into());
    let category = if managed {
        "ManagedIdentitySignInLogs"
    } else {
        "ServicePrincipalSignInLogs"
    };
    let correlation = scene.guid();
    envelope(scene, ("Sign-in activity", category, 0), correlation, 120, out);
    let time = Tick(scene.second, scene.random.below(10_000_000));
    put!(
        out,
        r#","Level":4,"location":"IE","properties":{"id":""#,
        scene.guid(),
        r#"","createdDateTime":""#,
        time
    );
    put!(
        out,
        r#"+00:00","appId":""#,
        service.application,
        r#"","ipAddress":""#,
        scene.address
    );
    put!(
        out,
        r#"","status":{"errorCode":0},"clientAppUsed":"","location":{"city":"Dublin","state":"Dublin","countryOrRegion":"IE","#
    );
    put!(
        out,
        r#""geoCoordinates":{"latitude":53.35,"longitude":-6.24}},"correlationId":""#,
        correlation
    );
    put!(
        out,
        r#"","conditionalAccessStatus":"notApplied","isInteractive":false,"servicePrincipalId":""#,
        service.principal
    );
    put!(
        out,
        r#"","servicePrincipalName":""#,
        service.name,
        r#"","servicePrincipalCredentialKeyId":""#
    );
    put!(
        out,
        service.application,
        r#"","resourceDisplayName":""#,
        RESOURCES[1].1,
        r#"","resourceId":""#,
        RESOURCES[1].0
    );
    put!(
        out,
        r#"","resourceTenantId":""#,
        scene.organisation.id,
        r#"","authenticationProcessingDetails":[{"key":"Is CAE Token","#
    );
    put!(
        out,
        r#""value":"False"}],"riskDetail":"none","riskLevelAggregated":"none","riskLevelDuringSignIn":"none","riskState":"none","#
    );
    put!(
        out,
        r#""uniqueTokenIdentifier":""#,
        Base64(scene.random.next()),
        r#"AA"}}"#
    );
}
