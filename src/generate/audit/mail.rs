//! MailItemsAccessed, the record that matters most: Bind (messages that were opened) and Sync
//! (a folder that Outlook synchronised).

use super::super::applications::{Client, FIRST_PARTY, MAIL_CLIENTS};
use super::super::names::MAIL_FOLDERS;
use super::super::organisation::User;
use super::super::places;
use super::super::scene::Scene;
use super::super::text::put;
use super::message::{FolderId, ItemId, Message};
use super::{Head, Kind};

const ACCESSED: Kind = Kind::new("MailItemsAccessed", "Exchange");

/// Messages of one record, as often as the public export has them.
const COUNTS: [u64; 32] = [
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 10, 11,
];

/// Who opens which mailbox, how.
pub(in crate::generate) struct Access<'a> {
    /// The application's id, where the record has one.
    pub(in crate::generate) application: Option<&'a str>,
    pub(in crate::generate) client: Client,
    pub(in crate::generate) owner: &'a User,
    /// 0 the owner, 2 a delegate.
    pub(in crate::generate) logon_type: u64,
    pub(in crate::generate) messages: u64,
    pub(in crate::generate) throttled: bool,
}

/// Some messages opened by somebody.
pub(super) fn bind(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let organisation = scene.organisation;
    let mut access = Access {
        application: None,
        client: Client::Rest,
        owner: scene.user,
        logon_type: 0,
        messages: *scene.random.pick(&COUNTS),
        throttled: false,
    };
    match scene.random.below(100) {
        0..72 => {
            let application = &FIRST_PARTY[MAIL_CLIENTS[scene.random.skewed(MAIL_CLIENTS.len() as u64, 1) as usize]];
            (access.application, access.client) = (Some(application.id), application.client);
        }
        72..88 => access.client = Client::Browser,
        88..92 => {
            access.owner = scene.colleague();
            access.logon_type = if access.owner.number == scene.user.number { 0 } else { 2 };
            access.client = Client::Outlook;
        }
        92..96 => {
            let approved = &organisation.approved[scene.random.skewed(organisation.approved.len() as u64, 1) as usize];
            access.application = Some(&approved.0);
        }
        _ => return by_service(scene, out),
    }
    accessed(scene, &access, out)
}

/// Messages opened.
pub(in crate::generate) fn accessed(scene: &mut Scene<'_>, access: &Access<'_>, out: &mut Vec<u8>) -> Kind {
    let user = scene.user;
    Head {
        kind: ACCESSED,
        record_type: 50,
        result: Some("Succeeded"),
        user_key: &user.key,
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
    if let Some(application) = access.application {
        put!(
            out,
            r#","AppId":"00000003-0000-0000-c000-000000000000","ClientAppId":""#,
            application,
            "\""
        );
    }
    client(scene, access, out);
    context(scene, access.owner, access.logon_type, &user.sid, out);
    let throttled = if access.throttled { "True" } else { "False" };
    put!(
        out,
        r#","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":""#
    );
    put!(out, throttled, r#""}],"SessionId":""#, scene.session, "\"");
    folders(scene, access.owner, access.messages, out);
    put!(out, r#","OperationCount":"#, access.messages, "}");
    ACCESSED
}

/// A program that reads mail with permissions of its own.
fn by_service(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let service = scene.random.pick(&scene.organisation.services);
    let (owner, messages) = (scene.user, *scene.random.pick(&COUNTS));
    Head {
        kind: ACCESSED,
        record_type: 50,
        result: Some("Succeeded"),
        user_key: &service.principal,
        user_type: 5,
        user: &service.principal,
    }
    .write(scene, out);
    let address = places::front_end(scene.random.next());
    put!(
        out,
        r#","AppId":"00000003-0000-0000-c000-000000000000","ClientAppId":""#,
        service.application
    );
    put!(
        out,
        r#"","ClientIPAddress":""#,
        address,
        r#"","ClientInfoString":"Client=REST;;""#
    );
    context(scene, owner, 1, "S-1-5-18", out);
    put!(
        out,
        r#","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}]"#
    );
    folders(scene, owner, messages, out);
    put!(out, r#","OperationCount":"#, messages, "}");
    ACCESSED
}

/// A folder synchronised by Outlook for Windows.
pub(super) fn sync(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let user = scene.user;
    Head {
        kind: ACCESSED,
        record_type: 2,
        result: Some("Succeeded"),
        user_key: &user.key,
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
    put!(
        out,
        r#","ClientIP":""#,
        scene.address,
        r#"","ClientIPAddress":""#,
        scene.address
    );
    put!(
        out,
        r#"","ClientInfoString":"Client=MSExchangeRPC","ClientProcessName":"OUTLOOK.EXE","ClientVersion":"16.0.19426."#
    );
    put!(out, 20_000 + user.seed % 200, "\"");
    context(scene, user, 0, &user.sid, out);
    put!(
        out,
        r#","OperationProperties":[{"Name":"MailAccessType","Value":"Sync"},{"Name":"IsThrottled","Value":"False"}],"SessionId":""#
    );
    let folder = scene.random.skewed(MAIL_FOLDERS.len() as u64, 2) as usize;
    let path = MAIL_FOLDERS[folder];
    let name = path.rsplit('\\').next().unwrap_or_default();
    put!(
        out,
        scene.session,
        r#"","Item":{"Id":""#,
        FolderId(user, folder),
        r#"","ParentFolder":{"Id":""#
    );
    put!(
        out,
        FolderId(user, folder),
        r#"","Name":""#,
        name,
        r#"","Path":""#,
        path,
        r#""}}}"#
    );
    ACCESSED
}

/// From where, and by which kind of program.
pub(super) fn client(scene: &Scene<'_>, access: &Access<'_>, out: &mut Vec<u8>) {
    put!(
        out,
        r#","ClientIPAddress":""#,
        scene.address,
        r#"","ClientInfoString":""#
    );
    match access.client {
        Client::Browser => put!(out, "Client=OWA;", scene.agent, ";"),
        Client::Outlook => put!(out, "Client=MSExchangeRPC"),
        Client::Rest | Client::None => put!(out, "Client=REST;Client=RESTSystem;;"),
    }
    out.push(b'"');
}

/// Whose mailbox, and on which server.
pub(super) fn context(scene: &mut Scene<'_>, owner: &User, logon_type: u64, sid: &str, out: &mut Vec<u8>) {
    let logon_type_inside = if logon_type == 1 { 1_u64 } else { 0 };
    put!(
        out,
        r#","ExternalAccess":false,"InternalLogonType":"#,
        logon_type_inside,
        r#","LogonType":"#,
        logon_type
    );
    put!(out, r#","LogonUserSid":""#, sid, r#"","MailboxGuid":""#, owner.mailbox);
    put!(
        out,
        r#"","MailboxOwnerSid":""#,
        owner.sid,
        r#"","MailboxOwnerUPN":""#,
        owner.upn
    );
    put!(
        out,
        r#"","OrganizationName":""#,
        scene.organisation.name,
        r#".onmicrosoft.example","OriginatingServer":""#
    );
    let server = &scene.organisation.servers[owner.seed as usize % scene.organisation.servers.len()];
    put!(
        out,
        server,
        r#" (15.20.9388.0"#,
        10 + scene.second / 604_800 % 9,
        r#")\r\n""#
    );
}

/// The messages, most of them new ones and in one folder.
fn folders(scene: &mut Scene<'_>, owner: &User, messages: u64, out: &mut Vec<u8>) {
    let in_second = if messages > 1 && scene.random.below(6) == 0 {
        1 + scene.random.below(messages - 1)
    } else {
        0
    };
    let first = scene.random.skewed(MAIL_FOLDERS.len() as u64, 2) as usize;
    let second = (first + 1) % MAIL_FOLDERS.len();
    put!(out, r#","Folders":["#);
    for (position, (folder, count)) in [(first, messages - in_second), (second, in_second)]
        .into_iter()
        .enumerate()
    {
        if count == 0 {
            continue;
        }
        put!(out, if position > 0 { "," } else { "" }, r#"{"FolderItems":["#);
        for item in 0..count {
            let message = Message::recent(owner, scene.second, &mut scene.random);
            put!(
                out,
                if item > 0 { "," } else { "" },
                r#"{"Id":""#,
                ItemId(owner, folder, message.0)
            );
            put!(
                out,
                r#"","InternetMessageId":""#,
                message,
                r#"","SizeInBytes":"#,
                message.size(),
                "}"
            );
        }
        put!(
            out,
            r#"],"Id":""#,
            FolderId(owner, folder),
            r#"","Path":""#,
            MAIL_FOLDERS[folder],
            r#""}"#
        );
    }
    out.push(b']');
}
