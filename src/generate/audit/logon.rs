//! UserLoggedIn and UserLoginFailed, the audit log's copy of sign-ins.

use super::super::applications::{FIRST_PARTY, RESOURCES};
use super::super::places;
use super::super::scene::{COMPUTER_AGENTS, Device, Scene};
use super::super::text::put;
use super::{Head, Kind};

const LOGGED_IN: Kind = Kind::new("UserLoggedIn", "AzureActiveDirectory");
const FAILED: Kind = Kind::new("UserLoginFailed", "AzureActiveDirectory");

/// Why sign-ins fail: number, name in the audit log, most often first.
pub(in crate::generate) const FAILURES: [(u64, &str); 5] = [
    (50_126, "InvalidUserNameOrPassword"),
    (50_140, "KmsiInterrupt"),
    (50_076, "UserStrongAuthClientAuthNRequiredInterrupt"),
    (50_053, "IdsLocked"),
    (700_082, "ExpiredOrRevokedGrantInactiveToken"),
];

/// Somebody signs in, or does not get in; now and then it is a stranger who tries passwords.
pub(super) fn logon(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let application = FIRST_PARTY[scene.random.skewed(FIRST_PARTY.len() as u64, 1) as usize].id;
    let failure = match scene.random.below(1_000) {
        0..25 => {
            stranger(scene);
            Some(FAILURES[0])
        }
        25..70 => Some(FAILURES[scene.random.skewed(FAILURES.len() as u64, 1) as usize]),
        _ => None,
    };
    logged_on(scene, application, failure, out)
}

/// Puts a stranger in the place of the user: a scanner that tries passwords.
pub(in crate::generate) fn stranger(scene: &mut Scene<'_>) {
    scene.address = places::scanner(scene.random.next());
    scene.device = Device::Private;
    scene.agent = COMPUTER_AGENTS[2];
    scene.session = scene.guid();
}

/// One attempt.
pub(in crate::generate) fn logged_on(
    scene: &mut Scene<'_>,
    application: &str,
    failure: Option<(u64, &str)>,
    out: &mut Vec<u8>,
) -> Kind {
    let user = scene.user;
    let kind = if failure.is_some() { FAILED } else { LOGGED_IN };
    let begin = out.len();
    Head {
        kind,
        record_type: 15,
        result: Some("Success"),
        user_key: &user.id,
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
    // The record's id comes again as IntraSystemId.
    let id_begin = begin + super::TIME_END + r#"","Id":""#.len();
    let resource = RESOURCES[scene.random.skewed(RESOURCES.len() as u64, 1) as usize].0;
    put!(out, r#","ClientIP":""#, scene.address, r#"","ObjectId":""#, resource);
    put!(
        out,
        r#"","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":""#
    );
    put!(out, if failure.is_some() { "UserError" } else { "Success" });
    put!(
        out,
        r#""},{"Name":"UserAgent","Value":""#,
        scene.agent,
        r#""},{"Name":"RequestType","Value":""#
    );
    put!(
        out,
        *scene
            .random
            .pick(&["OAuth2:Authorize", "OAuth2:Token", "Login:login", "OAuth2:Authorize"])
    );
    put!(
        out,
        r#""}],"ModifiedProperties":[],"Actor":[{"ID":""#,
        user.id,
        r#"","Type":0},{"ID":""#,
        user.upn
    );
    put!(
        out,
        r#"","Type":5}],"ActorContextId":""#,
        scene.organisation.id,
        r#"","ActorIpAddress":""#,
        scene.address
    );
    put!(out, r#"","InterSystemsId":""#, scene.guid(), r#"","IntraSystemId":""#);
    out.extend_from_within(id_begin..id_begin + 36);
    put!(
        out,
        r#"","SupportTicketId":"","Target":[{"ID":""#,
        resource,
        r#"","Type":0}],"TargetContextId":""#
    );
    put!(
        out,
        scene.organisation.id,
        r#"","ApplicationId":""#,
        application,
        r#"","DeviceProperties":["#
    );
    let managed = scene.device == Device::Computer;
    if managed {
        let (id, name) = &user.computer;
        put!(
            out,
            r#"{"Name":"Id","Value":""#,
            id,
            r#""},{"Name":"DisplayName","Value":""#,
            name,
            r#""},"#
        );
    }
    put!(
        out,
        r#"{"Name":"OS","Value":""#,
        scene.system(),
        r#""},{"Name":"BrowserType","Value":""#
    );
    let browser = scene.browser();
    put!(
        out,
        browser.split(' ').next().unwrap_or(browser),
        r#""},{"Name":"IsCompliantAndManaged","Value":""#
    );
    put!(
        out,
        if managed {
            r#"True"},{"Name":"TrustType","Value":"1"}"#
        } else {
            r#"False"}"#
        }
    );
    put!(
        out,
        r#",{"Name":"SessionId","Value":""#,
        scene.session,
        r#""}],"ErrorNumber":""#
    );
    match failure {
        Some((number, name)) => put!(out, number, r#"","LogonError":""#, name, r#""}"#),
        None => put!(out, r#"0"}"#),
    }
    kind
}
