//! What the accesses of a mailbox allow to conclude.

use super::coverage::AuditLog;
use serde::Serialize;

/// What can be concluded, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The lake has no unified audit log for the range: nothing can be concluded.
    NoAuditLog,
    /// Nobody's mail access is recorded: it is not audited, or was not exported.
    NotAudited,
    /// Others' mail access is recorded, but none of what was asked for.
    NoAccessRecorded,
    /// Logging was throttled: for a time, everything may have been read.
    Throttled,
    /// Whole folders were taken.
    FoldersSynchronised,
    /// Records count more messages than they name, or do not say how they accessed them.
    PartlyListed,
    /// The named messages are all that was read.
    Complete,
    /// Accesses were found.
    Found,
}

impl Verdict {
    /// In words, for a line.
    pub fn display(self) -> &'static str {
        match self {
            Self::NoAuditLog => "no audit log",
            Self::NotAudited => "not audited",
            Self::NoAccessRecorded => "no access recorded",
            Self::Throttled => "incomplete: throttled",
            Self::FoldersSynchronised => "folders synchronised",
            Self::PartlyListed => "incomplete: not all messages are named",
            Self::Complete => "complete",
            Self::Found => "found",
        }
    }
}

/// What the verdict on a mailbox depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    pub(super) events: u64,
    pub(super) windows: usize,
    pub(super) synced_folders: usize,
    pub(super) sync_events: u64,
    pub(super) sync_events_without_folder: u64,
    pub(super) messages: u64,
    pub(super) items_without_message_id: u64,
    pub(super) unlisted_items: u64,
    pub(super) unknown_events: u64,
}

/// The verdict on a mailbox, with a sentence or two.
pub(super) fn on_mailbox(facts: Facts, log: &AuditLog) -> (Verdict, String) {
    if facts.events == 0 && facts.windows == 0 {
        return nothing(log, "this mailbox");
    }
    let verdict = match facts {
        Facts { windows: 1.., .. } => Verdict::Throttled,
        Facts { sync_events: 1.., .. } => Verdict::FoldersSynchronised,
        Facts {
            unlisted_items: 1.., ..
        }
        | Facts {
            unknown_events: 1.., ..
        } => Verdict::PartlyListed,
        _ => Verdict::Complete,
    };
    let mut sentences = Vec::new();
    if facts.windows > 0 {
        sentences.push(format!(
            "Logging was throttled: assume that everything in the mailbox was read in {}.",
            counted(facts.windows as u64, "unlogged window")
        ));
    }
    if facts.sync_events > 0 {
        sentences.push(match facts.synced_folders {
            0 => "Folders were synchronised, which the records do not name: assume that the whole mailbox was taken."
                .into(),
            folders => format!(
                "{} synchronised: assume that every message in {} was taken.",
                was(folders as u64, "folder"),
                if folders == 1 { "it" } else { "them" }
            ),
        });
    }
    if facts.synced_folders > 0 && facts.sync_events_without_folder > 0 {
        sentences.push(format!(
            "{} not name the folder, which may be any other.",
            does(facts.sync_events_without_folder, "synchronisation record")
        ));
    }
    if facts.unlisted_items > 0 {
        sentences.push(format!(
            "{} counted but not named.",
            was(facts.unlisted_items, "accessed item")
        ));
    }
    if facts.unknown_events > 0 {
        sentences.push(format!(
            "{} not say whether messages or folders were accessed.",
            does(facts.unknown_events, "record")
        ));
    }
    if facts.messages > 0 {
        let messages = counted(facts.messages, "message");
        sentences.push(match verdict {
            Verdict::Complete => format!("The records name all that was opened: {messages}."),
            _ => format!(
                "The records name {messages} that {} opened.",
                if facts.messages == 1 { "was" } else { "were" }
            ),
        });
    }
    if facts.items_without_message_id > 0 {
        sentences.push(format!(
            "{} listed by item id, for want of a message id.",
            was(facts.items_without_message_id, "item")
        ));
    }
    if sentences.is_empty() {
        sentences.push("The records name no messages.".into());
    }
    (verdict, sentences.join(" "))
}

/// The verdict on what a trace leads to.
pub(super) fn on_trace(events: u64, mailboxes: usize, log: &AuditLog) -> (Verdict, String) {
    if events == 0 {
        return nothing(log, "what was asked for");
    }
    let text = format!(
        "{} of {}.",
        counted(events, "record"),
        counted_as(mailboxes as u64, "mailbox", "mailboxes")
    );
    (Verdict::Found, text)
}

/// Why there is no access.
fn nothing(log: &AuditLog, wanted: &str) -> (Verdict, String) {
    let others = &log.mail_items_accessed;
    if log.events == 0 {
        let text =
            "The lake holds no unified audit log (o365.audit) for this range: nothing can be concluded. Ingest it.";
        return (Verdict::NoAuditLog, text.into());
    }
    if others.events == 0 {
        let elsewhere = match &log.mail_items_accessed_at_other_times {
            Some(other) if other.events > 0 => {
                format!(" At other times the lake holds {} of it.", counted(other.events, "record"))
            }
            _ => " The licence (E5, G5 or their audit add-on) or the audit setting of the mailboxes may be missing, or the \
                  export left the operation out."
                .into(),
        };
        let text = format!(
            "MailItemsAccessed is not recorded for anybody in this range, in {}: nothing can be concluded.{elsewhere}",
            counted(log.events, "audit event")
        );
        return (Verdict::NotAudited, text);
    }
    let text = format!(
        "{} of {} in this range, none of them about {wanted}. Check its spelling; and that MailItemsAccessed is audited \
         for the mailbox in question, which needs a licence for its user and the action in its audit settings.",
        counted(others.events, "mail access record"),
        counted_as(others.mailboxes, "mailbox", "mailboxes"),
    );
    (Verdict::NoAccessRecorded, text)
}

/// `1 message`, `2 messages`.
fn counted(count: u64, noun: &str) -> String {
    counted_as(count, noun, &format!("{noun}s"))
}

fn counted_as(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn was(count: u64, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "was" } else { "were" })
}

fn does(count: u64, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "does" } else { "do" })
}

#[cfg(test)]
mod tests {
    use super::super::coverage::MailAccessLog;
    use super::*;

    fn log(events: u64, mail: u64, elsewhere: Option<u64>) -> AuditLog {
        let mail_log = |events| MailAccessLog {
            events,
            mailboxes: events.min(2),
            ..MailAccessLog::default()
        };
        AuditLog {
            events,
            mail_items_accessed: mail_log(mail),
            mail_items_accessed_at_other_times: elsewhere.map(mail_log),
            ..AuditLog::default()
        }
    }

    #[track_caller]
    fn check(facts: Facts, log: &AuditLog, verdict: Verdict, says: &str) {
        let (given, text) = on_mailbox(facts, log);
        assert_eq!(given, verdict);
        assert!(text.contains(says), "{text}");
    }

    #[test]
    fn absence() {
        let none = Facts::default();
        check(none, &log(0, 0, Some(0)), Verdict::NoAuditLog, "no unified audit log");
        check(none, &log(9, 0, None), Verdict::NotAudited, "licence");
        check(none, &log(9, 0, Some(0)), Verdict::NotAudited, "licence");
        check(
            none,
            &log(9, 0, Some(1)),
            Verdict::NotAudited,
            "At other times the lake holds 1 record of it",
        );
        check(
            none,
            &log(9, 5, None),
            Verdict::NoAccessRecorded,
            "5 mail access records of 2 mailboxes",
        );
        // A record of the day before the range says that this mailbox was not logged in it.
        check(
            Facts { windows: 1, ..none },
            &log(9, 0, Some(5)),
            Verdict::Throttled,
            "1 unlogged window",
        );
    }

    #[test]
    fn presence() {
        let (some, log) = (
            Facts {
                events: 3,
                messages: 7,
                ..Facts::default()
            },
            log(9, 9, None),
        );
        check(some, &log, Verdict::Complete, "all that was opened: 7 messages");
        check(
            Facts {
                items_without_message_id: 1,
                ..some
            },
            &log,
            Verdict::Complete,
            "1 item was listed by item id",
        );
        check(
            Facts {
                unlisted_items: 2,
                ..some
            },
            &log,
            Verdict::PartlyListed,
            "2 accessed items were counted",
        );
        check(
            Facts {
                unknown_events: 1,
                ..some
            },
            &log,
            Verdict::PartlyListed,
            "1 record does not say",
        );
        let synced = Facts {
            sync_events: 2,
            synced_folders: 1,
            unlisted_items: 1,
            ..some
        };
        check(synced, &log, Verdict::FoldersSynchronised, "1 folder was synchronised");
        check(
            Facts {
                synced_folders: 0,
                ..synced
            },
            &log,
            Verdict::FoldersSynchronised,
            "the whole mailbox",
        );
        check(
            Facts {
                sync_events_without_folder: 2,
                ..synced
            },
            &log,
            Verdict::FoldersSynchronised,
            "in it was taken. 2 synchronisation records do not name",
        );
        check(
            Facts { windows: 2, ..synced },
            &log,
            Verdict::Throttled,
            "2 unlogged windows. 1 folder",
        );
        assert_eq!(on_trace(2, 1, &log), (Verdict::Found, "2 records of 1 mailbox.".into()));
        assert_eq!(on_trace(0, 0, &log).0, Verdict::NoAccessRecorded);
    }
}
