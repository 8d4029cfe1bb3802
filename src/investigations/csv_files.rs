//! Reports as CSV files that can be handed over.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and log
//! records hold text that an attacker chose (subjects, client names). Such a value gets an
//! apostrophe in front, as does one that begins with a tab or a line break.
//!
//! Each file begins with a byte order mark, without which common spreadsheet programs read
//! UTF-8 as the code page of the machine.

use super::access::Access;
use super::application::Application;
use super::coverage::AuditLog;
use super::mailbox::MailboxReport;
use super::reverse::AccessReport;
use super::tally::{Tallies, Tally};
use crate::config::format_instant;
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFile {
    /// Its name in the folder.
    pub name: &'static str,
    /// UTF-8, with a byte order mark and a header line.
    pub content: Vec<u8>,
}

/// Says that a file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const TALLY: [&str; 6] = ["first", "last", "events", "bind_events", "sync_events", "messages"];

impl MailboxReport {
    /// messages, syncs, sessions, clients, addresses, applications, users, unlogged, summary.
    pub fn csv_files(&self) -> Result<Vec<CsvFile>> {
        let mut syncs = Sheet::new(
            "syncs.csv",
            &[
                "folder",
                "folder_id",
                "first",
                "last",
                "events",
                "client",
                "address",
                "users",
                "sessions",
                "applications",
            ],
        )?;
        for sync in &self.syncs {
            syncs.row(vec![
                optional(&sync.folder),
                optional(&sync.folder_id),
                format_instant(sync.first),
                format_instant(sync.last),
                sync.events.to_string(),
                optional(&sync.client),
                optional(&sync.address),
                joined(&sync.users),
                joined(&sync.sessions),
                joined(&sync.applications),
            ])?;
        }
        let mut unlogged = Sheet::new("unlogged.csv", &["from", "to"])?;
        for window in &self.unlogged_windows {
            unlogged.row(vec![format_instant(window.from), format_instant(window.to)])?;
        }
        let mut files = vec![items("messages.csv", &self.accesses)?, syncs.finish()?];
        files.extend(tallies(&self.by)?);
        files.push(unlogged.finish()?);
        let mut summary = Summary::new()?;
        summary.add("mailbox", &self.mailbox)?;
        summary.range(self.from, self.to)?;
        summary.verdict(self.verdict.display(), &self.verdict_text)?;
        summary.add("first", &self.first.map(format_instant).unwrap_or_default())?;
        summary.add("last", &self.last.map(format_instant).unwrap_or_default())?;
        for (name, count) in [
            ("events", self.events),
            ("bind_events", self.bind_events),
            ("bind_messages", self.bind_messages),
            ("bind_items_without_message_id", self.bind_items_without_message_id),
            ("bind_items_not_listed", self.bind_items_not_listed),
            ("sync_events", self.sync_events),
            ("synced_folders", self.synced_folders.len() as u64),
            ("sync_events_without_folder", self.sync_events_without_folder),
            ("unknown_events", self.unknown_events),
            ("failed_events", self.failed_events),
            ("events_without_owner", self.events_without_owner),
            ("throttled_events", self.throttled_events),
            ("throttled_events_before", self.throttled_events_before),
            ("unlogged_windows", self.unlogged_windows.len() as u64),
        ] {
            summary.add(name, &count.to_string())?;
        }
        files.push(summary.finish(&self.audit_log)?);
        Ok(files)
    }
}

impl AccessReport {
    /// mailboxes, accesses, sessions, clients, addresses, applications, users, summary.
    pub fn csv_files(&self) -> Result<Vec<CsvFile>> {
        let mut mailboxes = Sheet::counted("mailboxes.csv", &["mailbox", "throttled_events", "synced_folders"])?;
        for mailbox in &self.mailboxes {
            let cells = vec![
                mailbox.mailbox.clone(),
                mailbox.throttled_events.to_string(),
                mailbox.synced_folders.join("; "),
            ];
            mailboxes.tally(cells, &mailbox.tally)?;
        }
        let mut files = vec![mailboxes.finish()?, items("accesses.csv", &self.accesses)?];
        files.extend(tallies(&self.by)?);
        let mut summary = Summary::new()?;
        summary.add(self.question.kind(), self.question.value())?;
        summary.range(self.from, self.to)?;
        summary.verdict(self.verdict.display(), &self.verdict_text)?;
        summary.add("events", &self.events.to_string())?;
        summary.add("mailboxes", &self.mailboxes.len().to_string())?;
        files.push(summary.finish(&self.audit_log)?);
        Ok(files)
    }
}

/// A row for each item of each access; an access without items has one row.
fn items(name: &'static str, accesses: &[Access]) -> Result<CsvFile> {
    let mut sheet = Sheet::new(
        name,
        &[
            "time",
            "mailbox",
            "access_type",
            "message_id",
            "item_id",
            "subject",
            "folder",
            "user",
            "user_type",
            "logon_type",
            "address",
            "client",
            "session",
            "client_app_id",
            "client_app_name",
            "app_id",
            "outcome",
            "throttled",
            "operation_count",
            "items_not_listed",
            "event_id",
            "source_file",
            "source_position",
        ],
    )?;
    for access in accesses {
        let Application {
            client_app_id,
            app_id,
            client_app_name,
        } = &access.application;
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut row = |message_id: String, item_id: String, subject: String, folder: String| {
            sheet.row(vec![
                format_instant(access.time),
                access.mailbox.clone(),
                access.access_type.display().to_owned(),
                message_id,
                item_id,
                subject,
                folder,
                optional(&access.user),
                optional(&access.user_type),
                optional(&access.logon_type),
                optional(&access.address),
                optional(&access.client),
                optional(&access.session),
                optional(client_app_id),
                optional(client_app_name),
                optional(app_id),
                optional(&access.outcome),
                access.throttled.to_string(),
                number(access.operation_count),
                access.unlisted_items().to_string(),
                optional(&access.event_id),
                optional(&access.source_file),
                number(access.source_position),
            ])
        };
        for item in &access.items {
            row(
                optional(&item.message_id),
                optional(&item.item_id),
                optional(&item.subject),
                optional(&item.folder),
            )?;
        }
        if access.items.is_empty() {
            row(String::new(), String::new(), String::new(), access.folders.join("; "))?;
        }
    }
    sheet.finish()
}

fn tallies(by: &Tallies) -> Result<[CsvFile; 5]> {
    let mut sessions = Sheet::counted("sessions.csv", &["session"])?;
    for row in &by.sessions {
        sessions.tally(vec![row.session.clone()], &row.tally)?;
    }
    let mut clients = Sheet::counted("clients.csv", &["client"])?;
    for row in &by.clients {
        clients.tally(vec![row.client.clone()], &row.tally)?;
    }
    let mut addresses = Sheet::counted("addresses.csv", &["address"])?;
    for row in &by.addresses {
        addresses.tally(vec![row.address.clone()], &row.tally)?;
    }
    let mut applications = Sheet::counted("applications.csv", &["client_app_id", "client_app_name", "app_id"])?;
    for row in &by.applications {
        let Application {
            client_app_id,
            app_id,
            client_app_name,
        } = &row.application;
        applications.tally(
            vec![optional(client_app_id), optional(client_app_name), optional(app_id)],
            &row.tally,
        )?;
    }
    let mut users = Sheet::counted("users.csv", &["user"])?;
    for row in &by.users {
        users.tally(vec![row.user.clone()], &row.tally)?;
    }
    Ok([
        sessions.finish()?,
        clients.finish()?,
        addresses.finish()?,
        applications.finish()?,
        users.finish()?,
    ])
}

/// A file with a name and a value a line.
struct Summary(Sheet);

impl Summary {
    fn new() -> Result<Self> {
        Ok(Self(Sheet::new("summary.csv", &["name", "value"])?))
    }

    fn add(&mut self, name: &str, value: &str) -> Result<()> {
        self.0.row(vec![name.to_owned(), value.to_owned()])
    }

    fn range(&mut self, from: Option<i64>, to: Option<i64>) -> Result<()> {
        self.add("from", &from.map(format_instant).unwrap_or_default())?;
        self.add("to", &to.map(format_instant).unwrap_or_default())
    }

    fn verdict(&mut self, verdict: &str, text: &str) -> Result<()> {
        self.add("verdict", verdict)?;
        self.add("verdict_text", text)
    }

    fn finish(mut self, log: &AuditLog) -> Result<CsvFile> {
        self.add("audit_log_events", &log.events.to_string())?;
        self.add("audit_log_first", &log.first.map(format_instant).unwrap_or_default())?;
        self.add("audit_log_last", &log.last.map(format_instant).unwrap_or_default())?;
        self.add("mail_access_events_of_all", &log.mail_items_accessed.events.to_string())?;
        self.add(
            "mailboxes_with_mail_access_events",
            &log.mail_items_accessed.mailboxes.to_string(),
        )?;
        self.add(
            "rejected_records_about_mail_access",
            &log.rejected_records_about_mail_access.to_string(),
        )?;
        self.0.finish()
    }
}

/// A file being written.
struct Sheet {
    name: &'static str,
    writer: csv::Writer<Vec<u8>>,
}

impl Sheet {
    fn new(name: &'static str, header: &[&str]) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
        writer.write_record(header).map_err(failed)?;
        Ok(Self { name, writer })
    }

    /// With the columns of a tally behind.
    fn counted(name: &'static str, header: &[&str]) -> Result<Self> {
        Self::new(name, &[header, &TALLY].concat())
    }

    fn row(&mut self, cells: Vec<String>) -> Result<()> {
        self.writer
            .write_record(cells.into_iter().map(harmless))
            .map_err(failed)
    }

    fn tally(&mut self, mut cells: Vec<String>, tally: &Tally) -> Result<()> {
        cells.extend([format_instant(tally.first), format_instant(tally.last)]);
        cells.extend(
            [tally.events, tally.bind_events, tally.sync_events, tally.messages].map(|count| count.to_string()),
        );
        self.row(cells)
    }

    fn finish(self) -> Result<CsvFile> {
        let content = self
            .writer
            .into_inner()
            .map_err(|error| Error::Output(error.into_error()))?;
        Ok(CsvFile {
            name: self.name,
            content,
        })
    }
}

/// A value that no spreadsheet takes for a formula.
fn harmless(value: String) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{value}")
    } else {
        value
    }
}

fn optional(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn joined(texts: &BTreeSet<String>) -> String {
    texts.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
}

fn failed(error: csv::Error) -> Error {
    Error::Output(std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        let mut sheet = Sheet::new("x.csv", &["value"]).unwrap();
        for value in ["=1+1", "+1", "-1", "@SUM", "\tx", "plain", "a=b", ""] {
            sheet.row(vec![value.to_owned()]).unwrap();
        }
        let text = String::from_utf8(sheet.finish().unwrap().content).unwrap();
        assert_eq!(text, "\u{feff}value\n'=1+1\n'+1\n'-1\n'@SUM\n'\tx\nplain\na=b\n\"\"\n");
    }
}
