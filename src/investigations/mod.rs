//! Investigations: saved questions with parameters, and what their answers mean.
//!
//! So far one: who read which mail, out of the MailItemsAccessed records of the unified
//! audit log. [`investigate_mailbox`] asks about one mailbox, [`find_accesses`] the other
//! way round: which mailboxes a message, application, address or session touches.
//!
//! The queries are in `sql/investigations`; what a user typed reaches them as bound values
//! only. All else here is computing on the accesses they return, without input or output.

mod access;
mod application;
mod coverage;
mod csv_files;
mod folders;
mod items;
mod mailbox;
mod queries;
mod question;
mod reverse;
mod similar;
mod tally;
mod unlogged;
mod verdict;

#[cfg(test)]
mod tests;

pub use access::{Access, AccessType};
pub use application::Application;
pub use coverage::{AuditLog, MailAccessLog};
pub use csv_files::CsvFile;
pub use folders::Folder;
pub use items::Item;
pub use mailbox::{MailboxReport, Message, SyncedFolder, investigate_mailbox};
pub use question::{Question, Range};
pub use reverse::{AccessReport, AccessedMailbox, find_accesses};
pub use tally::{ByAddress, ByApplication, ByClient, BySession, ByUser, Tallies, Tally};
pub use unlogged::{Unlogged, unlogged_windows};
pub use verdict::Verdict;

/// A time as the outputs show it.
fn instant<S: serde::Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::config::format_instant(*micros))
}

/// As [`instant`], where there may be none.
fn maybe_instant<S: serde::Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match micros {
        Some(micros) => instant(micros, serializer),
        None => serializer.serialize_none(),
    }
}
