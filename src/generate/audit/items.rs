//! What is done to items of a mailbox: sent, made, changed, moved, deleted.

use super::super::applications::Client;
use super::super::names::{MAIL_FOLDERS, SUBJECTS};
use super::super::scene::{Device, Scene};
use super::super::text::put;
use super::mail::{Access, client, context};
use super::message::{FolderId, ItemId, Message};
use super::{Head, Kind};

const SEND: Kind = Kind::new("Send", "Exchange");
const ITEM: [Kind; 3] = [
    Kind::new("Create", "Exchange"),
    Kind::new("Update", "Exchange"),
    Kind::new("MessageBind", "Exchange"),
];
const GROUP: [Kind; 4] = [
    Kind::new("MoveToDeletedItems", "Exchange"),
    Kind::new("SoftDelete", "Exchange"),
    Kind::new("HardDelete", "Exchange"),
    Kind::new("Move", "Exchange"),
];

/// A message sent.
pub(super) fn send(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    head(SEND, 2, scene, out);
    let message = Message(scene.random.next());
    put!(
        out,
        r#","Item":{"Id":"Unknown","InternetMessageId":""#,
        message,
        r#"","ParentFolder":{"Id":""#
    );
    put!(
        out,
        FolderId(scene.user, 2),
        r#"","Path":""#,
        MAIL_FOLDERS[2],
        r#""},"SizeInBytes":"#,
        message.size()
    );
    put!(
        out,
        r#","Subject":""#,
        *scene.random.pick(&SUBJECTS),
        r#""},"SaveToSentItems":true}"#
    );
    SEND
}

/// An item made, changed or opened by an administrator's tool.
pub(super) fn item(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let kind = ITEM[scene.random.skewed(2, 1) as usize];
    head(kind, 2, scene, out);
    let (message, folder) = (
        Message(scene.random.next()),
        scene.random.skewed(MAIL_FOLDERS.len() as u64, 1) as usize,
    );
    put!(
        out,
        r#","Item":{"Id":""#,
        ItemId(scene.user, folder, message.0),
        r#"","InternetMessageId":""#,
        message
    );
    put!(
        out,
        r#"","IsRecord":false,"ParentFolder":{"Id":""#,
        FolderId(scene.user, folder),
        r#"","Path":""#
    );
    put!(out, MAIL_FOLDERS[folder], r#""},"SizeInBytes":"#, message.size());
    put!(out, r#","Subject":""#, *scene.random.pick(&SUBJECTS), r#""}"#);
    if kind.operation == "Update" {
        let changed = [
            r#","ModifiedProperties":["RecipientCollection"]}"#,
            r#","ModifiedProperties":["AllAttachmentsHidden","Subject"]}"#,
        ];
        put!(out, *scene.random.pick(&changed));
    } else {
        out.push(b'}');
    }
    kind
}

/// Items moved or deleted.
pub(super) fn group(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let kind = *scene.random.pick(&GROUP);
    head(kind, 3, scene, out);
    let folder = scene.random.skewed(MAIL_FOLDERS.len() as u64, 2) as usize;
    put!(out, r#","AffectedItems":["#);
    for number in 0..1 + scene.random.skewed(8, 3) {
        let message = Message::recent(scene.user, scene.second, &mut scene.random);
        put!(
            out,
            if number > 0 { "," } else { "" },
            r#"{"Id":""#,
            ItemId(scene.user, folder, message.0)
        );
        put!(
            out,
            r#"","InternetMessageId":""#,
            message,
            r#"","ParentFolder":{"Id":""#,
            FolderId(scene.user, folder)
        );
        put!(
            out,
            r#"","Path":""#,
            MAIL_FOLDERS[folder],
            r#""},"Subject":""#,
            *scene.random.pick(&SUBJECTS),
            r#""}"#
        );
    }
    put!(out, r#"],"CrossMailboxOperation":false"#);
    if kind.operation.starts_with("Move") {
        put!(
            out,
            r#","DestFolder":{"Id":""#,
            FolderId(scene.user, 3),
            r#"","Path":""#,
            MAIL_FOLDERS[3],
            r#""}"#
        );
    }
    put!(
        out,
        r#","Folder":{"Id":""#,
        FolderId(scene.user, folder),
        r#"","Path":""#,
        MAIL_FOLDERS[folder],
        r#""}}"#
    );
    kind
}

/// All up to the items.
fn head(kind: Kind, record_type: u64, scene: &mut Scene<'_>, out: &mut Vec<u8>) {
    let user = scene.user;
    Head {
        kind,
        record_type,
        result: Some("Succeeded"),
        user_key: &user.key,
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
    put!(out, r#","ClientIP":""#, scene.address, "\"");
    let by_program = scene.device == Device::Computer && scene.random.below(3) > 0;
    let access = Access {
        application: None,
        client: if by_program { Client::Outlook } else { Client::Browser },
        owner: user,
        logon_type: 0,
        messages: 0,
        throttled: false,
    };
    if !by_program {
        put!(out, r#","AppId":"00000002-0000-0ff1-ce00-000000000000""#);
    }
    client(scene, &access, out);
    if by_program {
        put!(
            out,
            r#","ClientProcessName":"OUTLOOK.EXE","ClientRequestId":"{"#,
            scene.guid(),
            r#"}","ClientVersion":"16.0.19426.20118""#
        );
    }
    context(scene, user, 0, &user.sid, out);
    put!(out, r#","SessionId":""#, scene.session, "\"");
}
