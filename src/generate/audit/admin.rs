//! Administration: settings of mailboxes, rules, the directory, alerts of Microsoft's own.

use super::super::names::RULE_NAMES;
use super::super::organisation::User;
use super::super::places::WithPort;
use super::super::scene::Scene;
use super::super::text::{Second, put};
use super::{Head, Kind};

const SET_MAILBOX: Kind = Kind::new("Set-Mailbox", "Exchange");
const NEW_RULE: Kind = Kind::new("New-InboxRule", "Exchange");
const SET_RULE: Kind = Kind::new("Set-InboxRule", "Exchange");
const CONSENT: Kind = Kind::new("Consent to application.", "AzureActiveDirectory");
const DIRECTORY: [Kind; 4] = [
    Kind::new("Update user.", "AzureActiveDirectory"),
    Kind::new("Update device.", "AzureActiveDirectory"),
    Kind::new("Add member to group.", "AzureActiveDirectory"),
    Kind::new("Change user license.", "AzureActiveDirectory"),
];
const ALERT: Kind = Kind::new("AlertTriggered", "SecurityComplianceCenter");
const SYSTEM: &str = r"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)";

/// One of the things that are seldom done.
pub(super) fn admin(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    match scene.random.below(100) {
        0..55 => set_mailbox(scene, out),
        55..60 => {
            let rule = *scene.random.pick(&RULE_NAMES);
            let kind = if scene.random.below(2) == 0 { NEW_RULE } else { SET_RULE };
            inbox_rule(scene, kind, rule, r#"{"Name":"MoveToFolder","Value":"Sorted"}"#, out)
        }
        60..98 => directory(scene, out),
        _ => alert(scene, out),
    }
}

/// Exchange's own upkeep of a mailbox.
fn set_mailbox(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let user = scene.user;
    Head {
        kind: SET_MAILBOX,
        record_type: 1,
        result: Some("True"),
        user_key: &SYSTEM,
        user_type: 3,
        user: SYSTEM,
    }
    .write(scene, out);
    let mailbox = |out: &mut Vec<u8>| {
        put!(
            out,
            "EURPR07A009.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/"
        );
        put!(out, scene.organisation.name, ".onmicrosoft.example/", user.alias);
    };
    put!(out, r#","ObjectId":""#);
    mailbox(out);
    put!(out, r#"","AppId":"","ClientAppId":"","ExternalAccess":true"#);
    originating(scene, user, out);
    put!(out, r#","Parameters":[{"Name":"Identity","Value":""#);
    mailbox(out);
    put!(
        out,
        r#""},{"Name":"RecoverableItemsQuota","Value":"30 GB (32,212,254,720 bytes)"},{"Name":"RecoverableItemsWarningQuota"#
    );
    put!(
        out,
        r#"","Value":"20 GB (21,474,836,480 bytes)"},{"Name":"Force","Value":"True"},{"Name":"ProhibitSendQuota","Value":"#
    );
    put!(
        out,
        r#""99 GB (106,300,440,576 bytes)"},{"Name":"ProhibitSendReceiveQuota","Value":"100 GB (107,374,182,400 bytes)"},"#
    );
    put!(
        out,
        r#"{"Name":"IssueWarningQuota","Value":"98 GB (105,226,698,752 bytes)"},{"Name":"SCLDeleteEnabled","Value":"False"},"#
    );
    put!(
        out,
        r#"{"Name":"SCLRejectEnabled","Value":"False"},{"Name":"SCLQuarantineEnabled","Value":"False"},{"Name":"#
    );
    put!(
        out,
        r#""UseDatabaseQuotaDefaults","Value":"False"},{"Name":"RetainDeletedItemsFor","Value":"14.00:00:00"}],"RequestId":""#
    );
    put!(out, scene.guid(), r#""}"#);
    SET_MAILBOX
}

/// A rule for incoming mail; `action` is a parameter, as JSON.
fn inbox_rule(scene: &mut Scene<'_>, kind: Kind, name: &str, action: &str, out: &mut Vec<u8>) -> Kind {
    let user = scene.user;
    Head {
        kind,
        record_type: 1,
        result: Some("True"),
        user_key: &user.key,
        user_type: 2,
        user: &user.upn,
    }
    .write(scene, out);
    put!(
        out,
        r#","ClientIP":""#,
        WithPort(scene.address, 49_152 + scene.random.below(16_000))
    );
    put!(
        out,
        r#"","ObjectId":""#,
        user.alias,
        r"\\",
        name,
        r#"","AppId":"","ClientAppId":"","ExternalAccess":false"#
    );
    originating(scene, user, out);
    put!(
        out,
        r#","Parameters":[{"Name":"Name","Value":""#,
        name,
        r#""},"#,
        action
    );
    put!(
        out,
        r#",{"Name":"StopProcessingRules","Value":"True"}],"RequestId":""#,
        scene.guid()
    );
    put!(out, r#"","SessionId":""#, scene.session, r#""}"#);
    kind
}

/// A rule that hides mail about money and sends it elsewhere.
pub(in crate::generate) fn forwarding_rule(scene: &mut Scene<'_>, to: &str, out: &mut Vec<u8>) -> Kind {
    let action = format!(
        r#"{{"Name":"SubjectOrBodyContainsWords","Value":"invoice;payment;bank"}},{{"Name":"ForwardTo","Value":"{to}"}},{{"Name":"DeleteMessage","Value":"True"}}"#
    );
    inbox_rule(scene, NEW_RULE, "..", &action, out)
}

fn originating(scene: &Scene<'_>, user: &User, out: &mut Vec<u8>) {
    let server = &scene.organisation.servers[user.seed as usize % scene.organisation.servers.len()];
    put!(
        out,
        r#","OrganizationName":""#,
        scene.organisation.name,
        r#".onmicrosoft.example","OriginatingServer":""#
    );
    put!(out, server, r#" (15.20.9388.011)""#);
}

/// A change of the directory, by one of the administrators: the first user of each team of 64.
fn directory(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let kind = DIRECTORY[scene.random.skewed(DIRECTORY.len() as u64, 1) as usize];
    let target = scene.user;
    scene.user = &scene.organisation.users[target.number as usize / 64 * 64];
    let changed = match kind.operation {
        "Add member to group." => r#"{"Name":"Group.DisplayName","NewValue":"All Staff","OldValue":""}"#,
        "Change user license." => {
            r#"{"Name":"AssignedLicense","NewValue":"[\"[SkuName=SPE_E5, SkuId=06ebc4ee-1bb5-47dd-8120-11324bc54e06]\"]","OldValue":"[]"}"#
        }
        "Update device." => {
            r#"{"Name":"DeviceOSVersion","NewValue":"[\"10.0.26100.7462\"]","OldValue":"[\"10.0.26100.7171\"]"}"#
        }
        _ => {
            r#"{"Name":"Department","NewValue":"[\r\n  \"Sales\"\r\n]","OldValue":"[\r\n  \"Marketing\"\r\n]"},{"Name":"Included Updated Properties","NewValue":"Department","OldValue":""}"#
        }
    };
    changes(scene, kind, (&target.upn, &target.id), changed, out)
}

/// Consent to an application: whoever consented, to what.
pub(in crate::generate) fn consent(scene: &mut Scene<'_>, (id, name): (&str, &str), out: &mut Vec<u8>) -> Kind {
    let changed = r#"{"Name":"ConsentContext.IsAdminConsent","NewValue":"False","OldValue":""},{"Name":"ConsentAction.Permissions","NewValue":"[] => [[ConsentType: Principal, Scope: offline_access Mail.Read Mail.Send Files.Read.All openid profile]]; ","OldValue":""}"#;
    changes(scene, CONSENT, (name, id), changed, out)
}

/// A change of the directory: of a target (name, id), as JSON.
fn changes(scene: &mut Scene<'_>, kind: Kind, (name, id): (&str, &str), changed: &str, out: &mut Vec<u8>) -> Kind {
    let user = scene.user;
    Head {
        kind,
        record_type: 8,
        result: Some("Success"),
        user_key: &user.key,
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
    put!(out, r#","ClientIP":""#, scene.address, r#"","ObjectId":""#, name);
    put!(
        out,
        r#"","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"additionalDetails","Value":"#
    );
    put!(
        out,
        r#""{\"User-Agent\":\"EvoSTS\"}"},{"Name":"extendedAuditEventCategory","Value":"User"}],"ModifiedProperties":["#
    );
    put!(
        out,
        changed,
        r#"],"Actor":[{"ID":""#,
        user.upn,
        r#"","Type":5},{"ID":""#,
        user.key,
        r#"","Type":3},{"ID":"User_"#
    );
    put!(
        out,
        user.id,
        r#"","Type":2},{"ID":""#,
        user.id,
        r#"","Type":2},{"ID":"User","Type":2}],"ActorContextId":""#
    );
    put!(
        out,
        scene.organisation.id,
        r#"","ActorIpAddress":""#,
        scene.address,
        r#"","InterSystemsId":""#,
        scene.guid()
    );
    put!(
        out,
        r#"","IntraSystemId":""#,
        scene.guid(),
        r#"","SupportTicketId":"","Target":[{"ID":""#,
        id
    );
    put!(
        out,
        r#"","Type":2},{"ID":""#,
        name,
        r#"","Type":1}],"TargetContextId":""#,
        scene.organisation.id,
        r#""}"#
    );
    kind
}

/// An alert of the security and compliance centre.
fn alert(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    const NAME: &str = "SecurityComplianceAlerts";
    let (user, alert) = (scene.user, scene.guid());
    Head {
        kind: ALERT,
        record_type: 40,
        result: Some("Succeeded"),
        user_key: &NAME,
        user_type: 4,
        user: NAME,
    }
    .write(scene, out);
    put!(
        out,
        r#","ObjectId":""#,
        alert,
        r#"","AlertId":""#,
        alert,
        r#"","AlertLinks":[{"AlertLinkHref":""}],"AlertType":"#
    );
    put!(
        out,
        r#""System","Category":"ThreatManagement","Comments":"New alert","Data":"{\"f3u\":\""#,
        user.upn
    );
    put!(
        out,
        r#"\",\"ts\":\""#,
        Second(scene.second),
        r#".0000000Z\",\"op\":\"Unusual volume of file deletion\",\"tid\":\""#
    );
    put!(
        out,
        scene.organisation.id,
        r#"\",\"sev\":\"Low\"}","Name":"Unusual volume of file deletion","PolicyId":"#
    );
    put!(
        out,
        r#""d59a8fd4-1272-41ee-9408-86f7bcf72479","Severity":"Low","Source":"Office 365 Security & Compliance","#
    );
    put!(out, r#""Status":"Active"}"#);
    ALERT
}
