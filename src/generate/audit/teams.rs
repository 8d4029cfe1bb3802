//! Microsoft Teams.

use super::super::scene::Scene;
use super::super::text::{Base64, put};
use super::{Head, Kind};

const fn teams_kind(operation: &'static str) -> Kind {
    Kind::new(operation, "MicrosoftTeams")
}

/// What is done, most often first.
const KINDS: [Kind; 6] = [
    teams_kind("MessageSent"),
    teams_kind("TeamsSessionStarted"),
    teams_kind("MessageUpdated"),
    teams_kind("ReactedToMessage"),
    teams_kind("MeetingParticipantDetail"),
    teams_kind("ChatCreated"),
];

/// Something in a chat or a meeting.
pub(super) fn teams(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let kind = KINDS[scene.random.skewed(KINDS.len() as u64, 1) as usize];
    let user = scene.user;
    Head {
        kind,
        record_type: 25,
        result: None,
        user_key: &user.id,
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
    put!(out, r#","ClientIP":""#, scene.address, "\"");
    if kind.operation == "TeamsSessionStarted" {
        put!(
            out,
            r#","ObjectId":""#,
            scene.agent,
            r#"","CreationTime64":"#,
            scene.second,
            r#","ItemName":"#
        );
        put!(out, r#"null,"Members":[],"CorrelationId":""#, scene.guid(), r#""}"#);
        return kind;
    }
    // A chat of people who work together.
    let colleague = scene.colleague();
    let (a, b) = if user.number < colleague.number {
        (user, colleague)
    } else {
        (colleague, user)
    };
    put!(
        out,
        r#","ChatThreadId":"19:"#,
        a.id,
        "_",
        b.id,
        r#"@unq.gbl.spaces","CommunicationType":"OneOnOne""#
    );
    put!(
        out,
        r#","ExtraProperties":[{"Key":"TimeZone","Value":"UTC"},{"Key":"OsName","Value":"windows"},{"Key":"#
    );
    put!(
        out,
        r#""OsVersion","Value":"NT 10.0"},{"Key":"Country","Value":"de"},{"Key":"ClientName","Value":"skypeteams"},{"Key":"#
    );
    put!(
        out,
        r#""ClientVersion","Value":"27/25110319"}],"MessageId":""#,
        scene.second * 1_000 + scene.random.below(1_000)
    );
    put!(
        out,
        r#"","MessageVersion":""#,
        scene.second * 1_000,
        r#"","MessageURLs":[],"ParticipantInfo":{"HasForeignTenantUsers":false"#
    );
    put!(
        out,
        r#","HasGuestUsers":false,"HasOtherGuestUsers":false,"HasUnauthenticatedUsers":false,"ParticipatingTenantIds":[""#
    );
    put!(
        out,
        scene.organisation.id,
        r#""]},"ResourceTenantId":""#,
        scene.organisation.id
    );
    put!(
        out,
        r#"","ItemName":"19:"#,
        a.id,
        "_",
        b.id,
        r#"@unq.gbl.spaces","Token":""#,
        Base64(scene.random.next()),
        r#""}"#
    );
    kind
}
