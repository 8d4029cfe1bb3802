//! The answers for people: sections of at most a few lines, in 80 columns.

use super::LIST_MAILBOXES;
use super::page::{Page, WHEN};
use crate::config::format_instant;
use crate::investigations::{AccessReport, AccessType, AuditLog, MailboxReport, SyncedFolder, Tallies, Tally, Verdict};
use std::collections::HashMap;
use std::fmt::Write as _;

/// The answer about a mailbox.
pub(super) fn mailbox(report: &MailboxReport) -> String {
    let mut page = Page::new();
    page.heading(&format!("Mailbox {}", report.mailbox), report.from, report.to);
    page.verdict(report.verdict.display(), &report.verdict_text);
    page.counts(&[
        (
            report.events,
            "record of MailItemsAccessed",
            "records of MailItemsAccessed",
        ),
        (report.bind_events, "access record (Bind)", "access records (Bind)"),
        (report.bind_messages, "different message", "different messages"),
        (
            report.bind_items_without_message_id,
            "item without a message id",
            "items without a message id",
        ),
        (
            report.bind_items_not_listed,
            "item counted but not named",
            "items counted but not named",
        ),
        (
            report.sync_events,
            "synchronisation record (Sync)",
            "synchronisation records (Sync)",
        ),
        (
            report.synced_folders.len() as u64,
            "different folder",
            "different folders",
        ),
        (report.sync_events_without_folder, "names no folder", "name no folder"),
        (
            report.unknown_events,
            "says neither Bind nor Sync",
            "say neither Bind nor Sync",
        ),
        (report.failed_events, "says that it failed", "say that they failed"),
        (
            report.events_without_owner,
            "names no owner of the mailbox",
            "name no owner of the mailbox",
        ),
        (report.throttled_events, "throttled", "throttled"),
        (
            report.throttled_events_before,
            "throttled in the day before the range",
            "throttled in the day before the range",
        ),
    ]);
    page.audit_log(&report.audit_log);
    if report.verdict == Verdict::NoAccessRecorded {
        page.paragraph(&format!("All mailboxes with mail accesses: {LIST_MAILBOXES}"));
    }
    page.section(
        "Unlogged: assume that everything was read",
        &["from", "to"],
        &report.unlogged_windows,
        |window| vec![format_instant(window.from), format_instant(window.to)],
    );
    page.section(
        "Synchronised folders: assume that all of it was taken",
        &["folder", WHEN, "by"],
        &taken(&report.syncs),
        |folder| {
            vec![
                folder.shown.clone(),
                when(folder.first, folder.last),
                joined(&folder.by),
            ]
        },
    );
    page.tallies(&report.by);
    page.section(
        "Messages",
        &["message", "folder", WHEN, "records"],
        &report.messages,
        |message| {
            vec![
                message.message_id.clone(),
                joined(&message.folders),
                when(message.first, message.last),
                message.events.to_string(),
            ]
        },
    );
    page.text
}

/// A synchronised folder, whatever took it.
struct Taken {
    shown: String,
    first: i64,
    last: i64,
    /// Users, addresses and clients.
    by: Vec<String>,
}

/// One row a folder, as the number of them is what the verdict says.
fn taken(syncs: &[SyncedFolder]) -> Vec<Taken> {
    let mut position: HashMap<_, usize> = HashMap::new();
    let mut folders: Vec<Taken> = Vec::new();
    for sync in syncs {
        let next = folders.len();
        let at = *position.entry((&sync.folder, &sync.folder_id)).or_insert(next);
        if at == next {
            folders.push(Taken {
                shown: sync.folder.clone().unwrap_or_else(|| "(not named)".into()),
                first: sync.first,
                last: sync.last,
                by: Vec::new(),
            });
        }
        if let Some(folder) = folders.get_mut(at) {
            folder.first = folder.first.min(sync.first);
            folder.last = folder.last.max(sync.last);
            for text in sync.users.iter().chain(&sync.address).chain(&sync.client) {
                if !folder.by.contains(text) {
                    folder.by.push(text.clone());
                }
            }
        }
    }
    folders
}

/// The answer about a trace.
pub(super) fn accesses(report: &AccessReport) -> String {
    let mut page = Page::new();
    page.heading(
        &format!("Mail accessed: {} {}", report.question.kind(), report.question.value()),
        report.from,
        report.to,
    );
    page.verdict(report.verdict.display(), &report.verdict_text);
    page.audit_log(&report.audit_log);
    page.tallied("Mailboxes", "mailbox", &report.mailboxes, |row| {
        (row.mailbox.clone(), &row.tally)
    });
    page.tallies(&report.by);
    page.section("Accesses", &[WHEN, "mailbox", "what"], &report.accesses, |access| {
        let what = match (access.access_type, access.items.as_slice()) {
            (AccessType::Sync, _) => format!("folder {}", access.folders.join(", ")),
            (_, [item]) => item
                .message_id
                .clone()
                .or_else(|| item.item_id.clone())
                .unwrap_or_default(),
            (_, items) => format!("{} items", items.len()),
        };
        let mut mailbox = access.mailbox.clone();
        if let Some(user) = access
            .user
            .as_ref()
            .filter(|user| user.to_lowercase() != access.mailbox)
        {
            let _ = write!(mailbox, "\nby {user}");
        }
        if let Some(address) = &access.address {
            let _ = write!(mailbox, "\nfrom {address}");
        }
        vec![minute(access.time), mailbox, what]
    });
    if !report.accesses.is_empty() {
        page.paragraph(
            "Synchronised folders and unlogged times name no messages: ask about each mailbox with retrohunt mailbox USER.",
        );
    }
    page.text
}

impl Page {
    fn heading(&mut self, title: &str, from: Option<i64>, to: Option<i64>) {
        self.paragraph(title);
        let range = match (from, to) {
            (None, None) => "in the whole lake".to_owned(),
            (Some(from), None) => format!("from {} on", format_instant(from)),
            (None, Some(to)) => format!("before {}", format_instant(to)),
            (Some(from), Some(to)) => format!("from {} to {}", format_instant(from), format_instant(to)),
        };
        self.paragraph(&range);
    }

    fn verdict(&mut self, verdict: &str, text: &str) {
        self.blank();
        self.paragraph(&format!("Verdict: {verdict}"));
        self.paragraph(text);
    }

    fn audit_log(&mut self, log: &AuditLog) {
        self.blank();
        let (Some(first), Some(last)) = (log.first, log.last) else {
            return;
        };
        self.paragraph(&format!(
            "The audit log in the lake: {} events from {} to {}, of them {} mail accesses in {} mailboxes.",
            log.events,
            format_instant(first),
            format_instant(last),
            log.mail_items_accessed.events,
            log.mail_items_accessed.mailboxes,
        ));
        if log.rejected_records_about_mail_access > 0 {
            self.paragraph(&format!(
                "{} rejected records in the table quarantine mention MailItemsAccessed; they are not part of this.",
                log.rejected_records_about_mail_access
            ));
        }
    }

    fn tallies(&mut self, by: &Tallies) {
        self.tallied("Users", "user", &by.users, |row| (row.user.clone(), &row.tally));
        self.tallied("Addresses", "address", &by.addresses, |row| {
            (row.address.clone(), &row.tally)
        });
        self.tallied("Applications", "application", &by.applications, |row| {
            // The two ids under each other: side by side they leave no room for the rest.
            (row.application.display().replacen(" via ", "\nvia ", 1), &row.tally)
        });
        self.tallied("Clients", "client", &by.clients, |row| (row.client.clone(), &row.tally));
        self.tallied("Sessions", "session", &by.sessions, |row| {
            (row.session.clone(), &row.tally)
        });
    }

    fn tallied<T>(&mut self, title: &str, key: &str, rows: &[T], with: impl Fn(&T) -> (String, &Tally)) {
        self.section(title, &[key, WHEN, "bind", "sync"], rows, |row| {
            let (key, tally) = with(row);
            vec![
                key,
                when(tally.first, tally.last),
                tally.bind_events.to_string(),
                tally.sync_events.to_string(),
            ]
        });
    }
}

/// First and last time, as short as they can be told apart to the minute.
fn when(first: i64, last: i64) -> String {
    let (first, last) = (minute(first), minute(last));
    match (first.split_once(' '), last.split_once(' ')) {
        _ if first == last => first,
        (Some((day, _)), Some((other, time))) if day == other => format!("{first}-{time}"),
        (Some((day, _)), Some((other, _))) => format!("{day} to {other}"),
        _ => first,
    }
}

fn minute(micros: i64) -> String {
    let text = format_instant(micros);
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

fn joined<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    texts.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let at = |text: &str| crate::config::parse_instant(text, 0).unwrap();
        let when = |first, last| when(at(first), at(last));
        assert_eq!(when("2026-03-02T08:00:01", "2026-03-02T08:00:59"), "2026-03-02 08:00");
        assert_eq!(when("2026-03-02T08:00", "2026-03-02T09:10"), "2026-03-02 08:00-09:10");
        assert_eq!(when("2026-03-02T08:00", "2026-04-02T09:10"), "2026-03-02 to 2026-04-02");
    }

    #[test]
    fn lines_fit() {
        for width in 30..=200 {
            let text = page_of(width);
            for line in text.lines() {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}\n{text}");
            }
            assert!(width < 40 || text.contains("1970-01-01 00:00-00:01"), "{text}");
        }
        let text = page_of(80);
        assert!(text.contains("and 2 more (--format csv writes all)"));
        assert!(text.contains("when (UTC)"), "{text}");
        assert!(
            text.lines().any(|line| line.starts_with(&format!("via {GUID}"))),
            "{text}"
        );
    }

    const GUID: &str = "30f6735d-d938-5116-9653-afdc8ecfbaba";

    fn page_of(width: u16) -> String {
        let mut page = Page::of_width(width);
        let tally = Tally {
            first: 0,
            last: 60_000_000,
            events: 1,
            bind_events: 123_456,
            sync_events: 7,
            messages: 9,
        };
        page.heading(
            &format!("Mailbox {}@contoso.example", "x".repeat(100)),
            Some(0),
            Some(1),
        );
        page.counts(&[(5, "", "throttled in the day before the range, say that they failed")]);
        let application = (format!("{GUID}\nvia {GUID}"), tally.clone());
        page.tallied("Applications", "application", &vec![application; 12], |row| {
            (row.0.clone(), &row.1)
        });
        let client = "Client=OWA;Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 ".repeat(3);
        page.tallied("Clients", "client", &[(client, tally)], |row| (row.0.clone(), &row.1));
        page.section("Messages", &["message", "folder", WHEN, "records"], &[()], |()| {
            vec![
                format!("<{}@contoso.example>", "m".repeat(120)),
                "\\Inbox\\Problèmes de synchronisation".repeat(4),
                when(0, 86_400_000_000),
                "5".into(),
            ]
        });
        page.paragraph(&"words and words ".repeat(20));
        page.text
    }

    #[test]
    fn a_folder_taken_twice_is_one_row() {
        let sync = |folder: &str, id: &str, address: &str| SyncedFolder {
            folder: Some(folder.into()),
            folder_id: Some(id.into()),
            client: Some("Outlook".into()),
            address: Some(address.into()),
            first: 0,
            last: 0,
            events: 1,
            users: Default::default(),
            sessions: Default::default(),
            applications: Default::default(),
        };
        let rows = taken(&[
            sync("Archive", "1", "192.0.2.1"),
            sync("Archive", "2", "192.0.2.1"),
            sync("Archive", "1", "192.0.2.2"),
        ]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].by, ["192.0.2.1", "Outlook", "192.0.2.2"]);
    }
}
