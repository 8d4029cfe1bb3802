//! Who did it and from where: users, client and server addresses, host and tenant names,
//! and the `related.*` lists that gather them.

use super::super::address::{self, Address};
use super::super::{Json, json};
use super::About;
use crate::schema::*;
use std::borrow::Cow;

/// The key whose address counts as the client's, the first that holds one, and that address.
pub(super) fn client_of(record: Json<'_>) -> Option<(&'static str, Address<'_>)> {
    ["ClientIPAddress", "ClientIP", "ActorIpAddress"]
        .into_iter()
        .find_map(|key| {
            let address = address::parse(json::str_of(record, key)?);
            (address != Address::default()).then_some((key, address))
        })
}

pub(super) fn map<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    users(about, row);
    client(about, row);
    server(about, row);
    if about.is(&[1, 2])
        && let Some(name) = about.get("OrganizationName").and_then(json::text)
    {
        row.text(ORGANIZATION_NAME, name);
    }
    for from in [O365_AUDIT_DEVICE_NAME, ORGANIZATION_NAME, USER_DOMAIN] {
        if !row.has(HOST_NAME) {
            row.copy(from, HOST_NAME);
        }
    }
}

fn users<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    let text = |key: &str| about.get(key).and_then(json::text);
    if about.is(&[2]) {
        // Overwritten below where the user is known by address: Elastic keeps one e-mail.
        if let Some(owner) = text("MailboxOwnerUPN") {
            row.text(USER_EMAIL, owner);
        }
        if let Some(name) = text("LogonUserDisplayName") {
            row.text(USER_FULL_NAME, name);
        }
        if let Some(name) = text("ClientProcessName") {
            row.text(PROCESS_NAME, name);
        }
    }
    if !row.has(PROCESS_NAME)
        && let Some(name) = text("Application")
    {
        row.text(PROCESS_NAME, name);
    }
    let by_sid = || if about.is(&[2]) { text("LogonUserSid") } else { None };
    if let Some(id) = text("UserId").or_else(by_sid) {
        person(row, id.clone(), USER_NAME, USER_DOMAIN, USER_EMAIL);
        row.text(USER_ID, id);
    }
    let is_target = about.is(&[8]) || (about.code == Some("MicrosoftTeams") && about.operation == "Delete user.");
    if is_target && let Some(id) = text("ObjectId") {
        person(row, id.clone(), USER_TARGET_NAME, USER_TARGET_DOMAIN, USER_TARGET_EMAIL);
        row.text(USER_TARGET_ID, id);
    }
    if about.code == Some("Yammer") {
        if let Some(email) = text("ActorUserId") {
            row.text(USER_EMAIL, email);
        }
        if let Some(email) = text("TargetUserId") {
            row.add(DESTINATION_USER_EMAIL, email);
        }
    }
}

/// Name, domain and address of an id with exactly one `@`; any other id gives none.
fn person<'a>(row: &mut EventRow<'a>, id: Cow<'a, str>, name: FieldId, domain: FieldId, email: FieldId) {
    match &id {
        Cow::Borrowed(text) => {
            let Some((local, host)) = parts(text) else { return };
            row.text(name, local);
            row.text(domain, host);
        }
        Cow::Owned(text) => {
            let Some((local, host)) = parts(text) else { return };
            row.text(name, local.to_owned());
            row.text(domain, host.to_owned());
        }
    }
    row.text(email, id);
}

fn parts(id: &str) -> Option<(&str, &str)> {
    id.split_once('@').filter(|(_, host)| !host.contains('@'))
}

fn client<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    let Some((_, client)) = &about.client else {
        return;
    };
    if let Some(ip) = &client.ip {
        row.text(NETWORK_TYPE, if ip.contains(':') { "ipv6" } else { "ipv4" });
        row.text(SOURCE_IP, ip.clone());
        row.text(CLIENT_IP, ip.clone());
    }
    if let Some(port) = client.port {
        row.set(CLIENT_PORT, Cell::Long(port));
        row.set(SOURCE_PORT, Cell::Long(port));
    }
    if let Some(address) = &client.address {
        row.text(CLIENT_ADDRESS, address.clone());
    }
    if let Some(domain) = client.domain {
        row.text(CLIENT_DOMAIN, domain);
    }
}

/// The server that wrote an Exchange record: `NAME (15.20.4129.032)`, whose bracket is a
/// build number. One that happens to read as an address becomes one, as in Elastic.
fn server<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    if !about.is(&[1, 2]) {
        return;
    }
    let Some(text) = about.get("OriginatingServer").and_then(|value| value.as_str()) else {
        return;
    };
    let server = address::parse(text);
    if let Some(ip) = server.ip {
        row.text(SERVER_IP, ip.clone());
        row.text(DESTINATION_IP, ip);
    }
    if let Some(domain) = server.domain {
        row.text(SERVER_DOMAIN, domain);
        row.text(SERVER_ADDRESS, domain);
    } else if let Some(address) = server.address {
        row.text(SERVER_ADDRESS, address);
    }
}

/// Fills the lists that gather all users, addresses, hosts and hashes of the event.
pub(super) fn relate(row: &mut EventRow<'_>) {
    const USERS: &[FieldId] = &[
        USER_ID,
        USER_NAME,
        USER_EMAIL,
        USER_TARGET_ID,
        USER_TARGET_NAME,
        USER_TARGET_EMAIL,
        FILE_OWNER,
        SOURCE_USER_EMAIL,
        O365_AUDIT_PARAMETERS_USER,
    ];
    row.gather(USERS, RELATED_USER);
    row.gather(&[CLIENT_IP], RELATED_IP);
    row.gather(&[CLIENT_DOMAIN, O365_AUDIT_DEVICE_NAME], RELATED_HOSTS);
    row.gather(&[FILE_HASH_SHA256, FILE_HASH_SHA1], RELATED_HASH);
}
