//! The other way round: from a message, application, address or session to mailboxes.

use super::access::Access;
use super::coverage::AuditLog;
use super::folders::{Folder, Folders};
use super::queries::{Queries, Wanted};
use super::question::{Question, Range};
use super::tally::{Tallies, Tally, by};
use super::verdict::{Verdict, on_trace};
use crate::engine::Engine;
use crate::error::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The answer about a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessReport {
    /// What was asked for.
    pub question: Question,
    /// Begin of the range, included.
    #[serde(serialize_with = "super::maybe_instant")]
    pub from: Option<i64>,
    /// End of the range, excluded.
    #[serde(serialize_with = "super::maybe_instant")]
    pub to: Option<i64>,
    /// Whether there is anything, and if not, what that means.
    pub verdict: Verdict,
    /// The same in sentences.
    pub verdict_text: String,
    /// All records found.
    pub events: u64,
    /// The mailboxes they are of, in order of their first access.
    pub mailboxes: Vec<AccessedMailbox>,
    /// By session, client, address, application and user.
    #[serde(flatten)]
    pub by: Tallies,
    /// Every record, in order of time. Asked for a message, they show that message alone.
    pub accesses: Vec<Access>,
    /// What the lake holds of the audit log in the range.
    pub audit_log: AuditLog,
}

/// A mailbox that was accessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessedMailbox {
    /// Whose, lower case.
    pub mailbox: String,
    /// Its accesses.
    #[serde(flatten)]
    pub tally: Tally,
    /// Those that were throttled: what came after them is not known.
    pub throttled_events: u64,
    /// Folders that were synchronised, each once. Different folders may be shown alike.
    pub synced_folders: Vec<String>,
}

/// Finds the accesses that a trace leads to.
pub async fn find_accesses(engine: &Engine, question: Question, range: Range) -> Result<AccessReport> {
    let queries = Queries::new(engine)?;
    let accesses = queries.accesses(&Wanted::Trace(&question), range).await?;
    let audit_log = queries.audit_log(range).await?;
    Ok(report(question, range, accesses, audit_log))
}

fn report(question: Question, range: Range, mut accesses: Vec<Access>, audit_log: AuditLog) -> AccessReport {
    if let Question::MessageId(wanted) = &question {
        for access in &mut accesses {
            access
                .items
                .retain(|item| item.message_id.as_deref().is_some_and(|id| is_message(id, wanted)));
        }
    }
    let mailboxes = mailboxes(&accesses);
    let (verdict, verdict_text) = on_trace(accesses.len() as u64, mailboxes.len(), &audit_log);
    AccessReport {
        question,
        from: range.from,
        to: range.to,
        verdict,
        verdict_text,
        events: accesses.len() as u64,
        mailboxes,
        by: Tallies::of(&accesses),
        accesses,
        audit_log,
    }
}

/// Message ids compare without angle brackets and case.
fn is_message(id: &str, wanted: &str) -> bool {
    let id = id.to_lowercase();
    id == wanted || id.strip_prefix('<').and_then(|id| id.strip_suffix('>')) == Some(wanted)
}

fn mailboxes(accesses: &[Access]) -> Vec<AccessedMailbox> {
    let mut beside: BTreeMap<&str, (u64, Vec<&Folder>)> = BTreeMap::new();
    for access in accesses {
        let (throttled, folders) = beside.entry(&access.mailbox).or_default();
        *throttled += u64::from(access.throttled);
        folders.extend(&access.synced);
    }
    let tallies: Vec<(String, Tally)> = by(accesses, |access| Some(access.mailbox.clone()));
    let with = |(mailbox, tally): (String, Tally)| {
        let (throttled_events, folders) = beside.remove(mailbox.as_str()).unwrap_or_default();
        AccessedMailbox {
            mailbox,
            tally,
            throttled_events,
            synced_folders: names_of_different(&folders),
        }
    };
    tallies.into_iter().map(with).collect()
}

/// Each folder once, of one mailbox.
fn names_of_different(folders: &[&Folder]) -> Vec<String> {
    let known = Folders::of(folders.iter().copied());
    let different: BTreeSet<_> = folders.iter().filter_map(|folder| known.identify(folder)).collect();
    different.into_iter().map(|folder| folder.shown).collect()
}
