//! Defender's tables as its streaming export writes them: AlertEvidence, and CloudAppEvents
//! around records of the audit log.

use super::super::audit::{Kind, TIME_END};
use super::super::places::ZONES;
use super::super::scene::{Device, Scene};
use super::super::text::{Hex, Second, Tick, put};

/// What alerts are about that are none of the planted attacks: title, tactic, technique.
const ALERTS: [(&str, &str, &str); 4] = [
    (
        "Email messages containing malicious URL removed after delivery",
        "InitialAccess",
        "Phishing (T1566)",
    ),
    (
        "User reported a suspicious message",
        "InitialAccess",
        "Phishing (T1566)",
    ),
    ("Unusual volume of file deletion", "Impact", "Data Destruction (T1485)"),
    (
        "Suspicious PowerShell command line",
        "Execution",
        "PowerShell (T1059.001)",
    ),
];

/// Evidence of an alert that is no attack, about a quarter of the users: not those whose
/// sign-ins are rated risky, and not the victims.
pub(in crate::generate) fn record(scene: &mut Scene<'_>, out: &mut Vec<u8>) {
    let near = scene.user.number as usize / 4 * 4 + 3;
    let user = scene.organisation.users.get(near);
    scene.user = user.or(scene.organisation.users.first()).unwrap_or(scene.user);
    let alert = *scene.random.pick(&ALERTS);
    evidence(scene, alert, "Low", out);
}

/// A user whom an alert (title, tactic, technique) is about.
pub(in crate::generate) fn evidence(
    scene: &mut Scene<'_>,
    (title, tactic, technique): (&str, &str, &str),
    severity: &str,
    out: &mut Vec<u8>,
) {
    let user = scene.user;
    let time = Tick(scene.second, scene.random.below(10_000_000));
    envelope(scene, "AlertEvidence", 60, out);
    put!(
        out,
        time,
        r#"Z","AlertId":"da"#,
        Hex(scene.random.next()),
        r#"_1","Title":""#,
        title,
        r#"","Categories":"[\""#,
        tactic
    );
    put!(
        out,
        r#"\"]","AttackTechniques":"[\""#,
        technique,
        r#"\"]","ServiceSource":"Microsoft Defender XDR","DetectionSource":"#
    );
    put!(
        out,
        r#""Custom detection","EntityType":"User","EvidenceRole":"Impacted","EvidenceDirection":"","RemoteIP":""#
    );
    put!(
        out,
        scene.address,
        r#"","RemoteUrl":"","AccountName":""#,
        user.alias,
        r#"","AccountDomain":""#,
        scene.organisation.name
    );
    put!(
        out,
        r#"","AccountSid":""#,
        user.sid,
        r#"","AccountObjectId":""#,
        user.id,
        r#"","AccountUpn":""#,
        user.upn
    );
    put!(
        out,
        r#"","DeviceId":"","DeviceName":"","AdditionalFields":"{\"Type\":\"account\"}","Severity":""#,
        severity
    );
    put!(out, r#""},"Tenant":"DefaultTenant"}"#);
}

/// An event of a cloud application, which carries the record of the audit log that it is.
pub(in crate::generate) fn cloud_app_event(scene: &mut Scene<'_>, kind: Kind, record: &[u8], out: &mut Vec<u8>) {
    let user = scene.user;
    let (application, number) = match kind.workload {
        "Exchange" => ("Microsoft Exchange Online", 20_893),
        "SharePoint" => ("Microsoft SharePoint Online", 20_892),
        "OneDrive" => ("Microsoft OneDrive for Business", 15_600),
        "MicrosoftTeams" => ("Microsoft Teams", 28_375),
        _ => ("Microsoft 365", 11_161_u64),
    };
    let zone = &ZONES[scene.zone];
    envelope(scene, "CloudAppEvents", 600, out);
    put!(
        out,
        Second(scene.second),
        r#"Z","ActionType":""#,
        kind.operation,
        r#"","Application":""#,
        application
    );
    put!(
        out,
        r#"","ApplicationId":"#,
        number,
        r#","AppInstanceId":0,"AccountObjectId":""#,
        user.id,
        r#"","AccountId":""#,
        user.id
    );
    put!(
        out,
        r#"","AccountDisplayName":""#,
        user.name,
        r#"","IsAdminOperation":false,"DeviceType":""#
    );
    put!(
        out,
        if scene.device == Device::Phone {
            "Mobile"
        } else {
            "Desktop"
        },
        r#"","OSPlatform":""#,
        scene.system()
    );
    put!(
        out,
        r#"","IPAddress":""#,
        scene.address,
        r#"","IsAnonymousProxy":false,"CountryCode":""#,
        zone.country
    );
    put!(
        out,
        r#"","City":""#,
        zone.city,
        r#"","ISP":"AS"#,
        zone.network,
        r#"","UserAgent":""#,
        scene.agent,
        r#"","ActivityType":"Basic","#
    );
    put!(
        out,
        r#""ActivityObjects":[{"Type":"User","Role":"Actor","Name":""#,
        user.name,
        r#"","Id":""#,
        user.id
    );
    put!(
        out,
        r#"","ApplicationId":"#,
        number,
        r#","ApplicationInstance":0}],"ObjectName":"","ObjectType":"","ObjectId":"","ReportId":""#
    );
    // The audit record's id ends the report's.
    let id = TIME_END + r#"","Id":""#.len();
    put!(out, scene.second % 1_000_000_000 + 1, "_", number, "_");
    out.extend_from_slice(record.get(id..id + 36).unwrap_or_default());
    put!(
        out,
        r#"","AccountType":"Regular","IsExternalUser":false,"IsImpersonated":false,"IPTags":[],"IPCategory":"","#
    );
    put!(out, r#""UserAgentTags":[],"RawEventData":"#);
    let (time, rest) = record.split_at(TIME_END.min(record.len()));
    out.extend_from_slice(time);
    out.push(b'Z');
    out.extend_from_slice(rest);
    put!(out, r#","AdditionalFields":{}},"Tenant":"DefaultTenant"}"#);
}

/// Up to the value of `Timestamp`.
fn envelope(scene: &Scene<'_>, table: &str, delay: u64, out: &mut Vec<u8>) {
    put!(
        out,
        r#"{"time":""#,
        Tick(scene.second + delay, 0),
        r#"Z","tenantId":""#,
        scene.organisation.id
    );
    put!(
        out,
        r#"","operationName":"Publish","category":"AdvancedHunting-"#,
        table,
        r#"","_TimeReceivedBySvc":""#
    );
    put!(
        out,
        Tick(scene.second + delay / 2, 0),
        r#"Z","properties":{"Timestamp":""#
    );
}
