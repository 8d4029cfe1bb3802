//! One mailbox: what was read in it, and how sure that is.

use super::access::{Access, AccessType};
use super::coverage::AuditLog;
use super::folders::{Folders, SameFolder};
use super::queries::{Queries, Wanted};
use super::question::{self, Range};
use super::similar::similar;
use super::tally::Tallies;
use super::unlogged::{Unlogged, unlogged_windows};
use super::verdict::{Facts, Verdict, on_mailbox};
use crate::engine::Engine;
use crate::error::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The answer about a mailbox. Its fields under these names are a stable output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxReport {
    /// Whose, lower case.
    pub mailbox: String,
    /// Begin of the range, included.
    #[serde(serialize_with = "super::maybe_instant")]
    pub from: Option<i64>,
    /// End of the range, excluded.
    #[serde(serialize_with = "super::maybe_instant")]
    pub to: Option<i64>,
    /// What can be concluded.
    pub verdict: Verdict,
    /// The same in sentences.
    pub verdict_text: String,
    /// True where anybody's mail access is recorded in the range.
    pub audited: bool,
    /// All records of the mailbox in the range.
    pub events: u64,
    /// The first one.
    #[serde(serialize_with = "super::maybe_instant")]
    pub first: Option<i64>,
    /// The last one.
    #[serde(serialize_with = "super::maybe_instant")]
    pub last: Option<i64>,
    /// Records of opened messages.
    pub bind_events: u64,
    /// Different message ids in them.
    pub bind_messages: u64,
    /// Items in them that have no message id.
    pub bind_items_without_message_id: u64,
    /// Items that they count but do not name.
    pub bind_items_not_listed: u64,
    /// Records of synchronised folders.
    pub sync_events: u64,
    /// Those folders, each once: its path, else its name, else its id. Different folders may be shown alike.
    pub synced_folders: Vec<String>,
    /// Records of synchronised folders that do not name them.
    pub sync_events_without_folder: u64,
    /// Records that say neither Bind nor Sync.
    pub unknown_events: u64,
    /// Records that say that they failed; all other counts include them.
    pub failed_events: u64,
    /// Records that name no owner.
    pub events_without_owner: u64,
    /// Throttled records in the range.
    pub throttled_events: u64,
    /// Throttled records up to a day before it, whose windows reach into it.
    pub throttled_events_before: u64,
    /// When nothing was logged. A window may begin before the range and end after it.
    pub unlogged_windows: Vec<Unlogged>,
    /// By session, client, address, application and user.
    #[serde(flatten)]
    pub by: Tallies,
    /// The opened messages.
    pub messages: Vec<Message>,
    /// The synchronised folders, by client and address.
    pub syncs: Vec<SyncedFolder>,
    /// Every record, in order of time.
    pub accesses: Vec<Access>,
    /// What the lake holds of the audit log in the range.
    pub audit_log: AuditLog,
    /// Where there is nothing about this mailbox: others in the range that may have been meant.
    pub similar_mailboxes: Vec<String>,
}

/// A message and how it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// InternetMessageId.
    pub message_id: String,
    /// Subjects that records give it.
    pub subjects: BTreeSet<String>,
    /// Folders it was in.
    pub folders: BTreeSet<String>,
    /// When it was first opened.
    #[serde(serialize_with = "super::instant")]
    pub first: i64,
    /// When it was last opened.
    #[serde(serialize_with = "super::instant")]
    pub last: i64,
    /// In how many records.
    pub events: u64,
    /// By whom.
    pub users: BTreeSet<String>,
    /// From where.
    pub addresses: BTreeSet<String>,
    /// With which clients.
    pub clients: BTreeSet<String>,
    /// In which sessions.
    pub sessions: BTreeSet<String>,
    /// With which applications.
    pub applications: BTreeSet<String>,
}

/// A folder that a client took from an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncedFolder {
    /// Its path, else its name, else its id; absent where the record does not name it.
    pub folder: Option<String>,
    /// Exchange's id of it, which tells it from others that are shown alike.
    pub folder_id: Option<String>,
    /// ClientInfoString.
    pub client: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// The first time.
    #[serde(serialize_with = "super::instant")]
    pub first: i64,
    /// The last time.
    #[serde(serialize_with = "super::instant")]
    pub last: i64,
    /// How many records.
    pub events: u64,
    /// By whom.
    pub users: BTreeSet<String>,
    /// In which sessions.
    pub sessions: BTreeSet<String>,
    /// With which applications.
    pub applications: BTreeSet<String>,
}

/// Finds out what was read in a mailbox. `user` is its owner's address, in any case.
pub async fn investigate_mailbox(engine: &Engine, user: &str, range: Range) -> Result<MailboxReport> {
    let mailbox = question::value("USER", user)?;
    let queries = Queries::new(engine)?;
    let accesses = queries.accesses(&Wanted::Mailbox(&mailbox), range).await?;
    let audit_log = queries.audit_log(range).await?;
    let mut report = report(mailbox, range, accesses, audit_log);
    if report.verdict == Verdict::NoAccessRecorded {
        report.similar_mailboxes = similar(&report.mailbox, &queries.mailboxes(range).await?);
        if let Some(suggestion) = suggestion(&report.similar_mailboxes) {
            report.verdict_text = format!("{} {suggestion}", report.verdict_text);
        }
    }
    Ok(report)
}

/// The report on accesses in order of time, which may begin with throttled ones before the range.
pub(super) fn report(mailbox: String, range: Range, accesses: Vec<Access>, audit_log: AuditLog) -> MailboxReport {
    let unlogged_windows = unlogged_windows(
        accesses
            .iter()
            .filter(|access| access.throttled)
            .map(|access| access.time),
    );
    let (from, _) = range.bounds();
    let (before, accesses): (Vec<_>, Vec<_>) = accesses.into_iter().partition(|access| access.time < from);

    let count = |wanted: &dyn Fn(&Access) -> bool| accesses.iter().filter(|access| wanted(access)).count() as u64;
    let binds = || accesses.iter().filter(|access| access.access_type == AccessType::Bind);
    let bind_messages: HashSet<&str> = binds()
        .flat_map(|access| &access.items)
        .filter_map(|item| item.message_id.as_deref())
        .collect();
    let bind_messages = bind_messages.len() as u64;
    let syncs = synced_folders(&accesses);
    let synced_folders = names_of_different(&syncs);
    let sync_events_without_folder =
        count(&|access| access.access_type == AccessType::Sync && access.synced.is_empty());
    let bind_items_without_message_id = items_without_message_id(binds());
    let bind_items_not_listed = binds().map(Access::unlisted_items).sum();
    let events = accesses.len() as u64;
    let sync_events = count(&|access| access.access_type == AccessType::Sync);
    let unknown_events = count(&|access| access.access_type == AccessType::Unknown);
    let messages = messages(&accesses);
    let facts = Facts {
        events,
        windows: unlogged_windows.len(),
        synced_folders: synced_folders.len(),
        sync_events,
        sync_events_without_folder,
        messages: messages.len() as u64,
        items_without_message_id: bind_items_without_message_id,
        unlisted_items: bind_items_not_listed,
        unknown_events,
    };
    let (verdict, verdict_text) = on_mailbox(facts, &audit_log);
    MailboxReport {
        mailbox,
        from: range.from,
        to: range.to,
        verdict,
        verdict_text,
        audited: audit_log.mail_items_accessed.events > 0,
        events,
        first: accesses.first().map(|access| access.time),
        last: accesses.last().map(|access| access.time),
        bind_events: binds().count() as u64,
        bind_messages,
        bind_items_without_message_id,
        bind_items_not_listed,
        sync_events,
        synced_folders,
        sync_events_without_folder,
        unknown_events,
        failed_events: count(&|access| access.outcome.as_deref() == Some("failure")),
        events_without_owner: count(&|access| !access.owner_recorded),
        throttled_events: count(&|access| access.throttled),
        throttled_events_before: before.len() as u64,
        unlogged_windows,
        by: Tallies::of(&accesses),
        messages,
        syncs,
        accesses,
        audit_log,
        similar_mailboxes: Vec::new(),
    }
}

/// Different items, by their id where they have one, that cannot be told by a message id.
fn items_without_message_id<'a>(accesses: impl Iterator<Item = &'a Access>) -> u64 {
    let nameless = accesses
        .flat_map(|access| &access.items)
        .filter(|item| item.message_id.is_none());
    let (with_id, without): (Vec<_>, Vec<_>) = nameless.partition(|item| item.item_id.is_some());
    let ids: HashSet<_> = with_id.into_iter().map(|item| &item.item_id).collect();
    (ids.len() + without.len()) as u64
}

/// The messages of all accesses but synchronisations, in order of their first time.
fn messages(accesses: &[Access]) -> Vec<Message> {
    let mut messages: BTreeMap<&str, Message> = BTreeMap::new();
    for access in accesses.iter().filter(|access| access.access_type != AccessType::Sync) {
        let mut counted = HashSet::new();
        for item in &access.items {
            let Some(id) = item.message_id.as_deref() else { continue };
            let message = messages.entry(id).or_insert_with(|| Message {
                message_id: id.to_owned(),
                subjects: BTreeSet::new(),
                folders: BTreeSet::new(),
                first: access.time,
                last: access.time,
                events: 0,
                users: BTreeSet::new(),
                addresses: BTreeSet::new(),
                clients: BTreeSet::new(),
                sessions: BTreeSet::new(),
                applications: BTreeSet::new(),
            });
            message.subjects.extend(item.subject.clone());
            message.folders.extend(item.folder.clone());
            if !counted.insert(id) {
                continue;
            }
            message.events += 1;
            message.first = message.first.min(access.time);
            message.last = message.last.max(access.time);
            message.users.extend(access.user.clone());
            message.addresses.extend(access.address.clone());
            message.clients.extend(access.client.clone());
            message.sessions.extend(access.session.clone());
            message
                .applications
                .extend(access.application.is_known().then(|| access.application.display()));
        }
    }
    let mut messages: Vec<Message> = messages.into_values().collect();
    messages.sort_by_key(|message| message.first);
    messages
}

/// Synchronised folders by folder, client and address.
fn synced_folders(accesses: &[Access]) -> Vec<SyncedFolder> {
    let known = Folders::of(accesses.iter().flat_map(|access| &access.synced));
    let mut syncs: BTreeMap<_, SyncedFolder> = BTreeMap::new();
    for access in accesses.iter().filter(|access| access.access_type == AccessType::Sync) {
        let named: BTreeSet<Option<SameFolder>> = access.synced.iter().map(|folder| known.identify(folder)).collect();
        let folders = if named.is_empty() {
            BTreeSet::from([None])
        } else {
            named
        };
        for folder in folders {
            let (shown, id) = match &folder {
                Some(folder) => (Some(folder.shown.clone()), folder.id.clone()),
                None => (None, None),
            };
            let sync = syncs
                .entry((folder, &access.client, &access.address))
                .or_insert_with(|| SyncedFolder {
                    folder: shown,
                    folder_id: id,
                    client: access.client.clone(),
                    address: access.address.clone(),
                    first: access.time,
                    last: access.time,
                    events: 0,
                    users: BTreeSet::new(),
                    sessions: BTreeSet::new(),
                    applications: BTreeSet::new(),
                });
            sync.events += 1;
            sync.first = sync.first.min(access.time);
            sync.last = sync.last.max(access.time);
            sync.users.extend(access.user.clone());
            sync.sessions.extend(access.session.clone());
            sync.applications
                .extend(access.application.is_known().then(|| access.application.display()));
        }
    }
    let mut syncs: Vec<SyncedFolder> = syncs.into_values().collect();
    syncs.sort_by_key(|sync| sync.first);
    syncs
}

/// The folders of rows that are by client and address too, each once.
fn names_of_different(syncs: &[SyncedFolder]) -> Vec<String> {
    let different: BTreeSet<_> = syncs
        .iter()
        .filter_map(|sync| Some((sync.folder.as_ref()?, &sync.folder_id)))
        .collect();
    different.into_iter().map(|(shown, _)| shown.clone()).collect()
}

fn suggestion(similar: &[String]) -> Option<String> {
    match similar {
        [] => None,
        [only] => Some(format!("Did you mean {only}?")),
        several => Some(format!("Did you mean one of {}?", several.join(", "))),
    }
}
