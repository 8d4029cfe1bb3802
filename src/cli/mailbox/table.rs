//! The answers for people: sections of at most a few lines, in 80 columns.

use super::super::output;
use crate::config::format_instant;
use crate::investigations::{AccessReport, AccessType, AuditLog, MailboxReport, Tallies, Tally};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Rows of a section; the other formats have all.
const ROWS: usize = 10;

/// Columns where no terminal says otherwise.
const COLUMNS: u16 = 80;

/// The answer about a mailbox.
pub(super) fn mailbox(report: &MailboxReport) -> String {
    let mut page = Page::new();
    page.heading(&format!("Mailbox {}", report.mailbox), report.from, report.to);
    page.verdict(report.verdict.display(), &report.verdict_text);
    page.counts(&[
        (report.events, "records of MailItemsAccessed"),
        (report.bind_events, "opened messages (Bind)"),
        (report.bind_messages, "different messages"),
        (report.bind_items_without_message_id, "items without a message id"),
        (report.bind_items_not_listed, "items counted but not named"),
        (report.sync_events, "synchronised folders (Sync)"),
        (report.unknown_events, "say neither Bind nor Sync"),
        (report.failed_events, "say that they failed"),
        (report.events_without_owner, "name no owner of the mailbox"),
        (report.throttled_events, "throttled"),
        (report.throttled_events_before, "throttled in the day before the range"),
    ]);
    page.audit_log(&report.audit_log);
    page.section(
        "Unlogged: assume that everything was read",
        &["from", "to"],
        &report.unlogged_windows,
        |window| vec![format_instant(window.from), format_instant(window.to)],
    );
    page.section(
        "Synchronised folders: assume that all of it was taken",
        &["folder", "when", "by"],
        &report.syncs,
        |sync| {
            let by = sync
                .users
                .iter()
                .chain(&sync.address)
                .chain(&sync.client)
                .map(String::as_str);
            vec![
                sync.folder.clone().unwrap_or_else(|| "(not named)".into()),
                when(sync.first, sync.last),
                by.collect::<Vec<_>>().join("\n"),
            ]
        },
    );
    page.tallies(&report.by);
    page.section(
        "Messages",
        &["message", "folder", "when", "records"],
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
    page.section("Accesses", &["time", "mailbox", "what"], &report.accesses, |access| {
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

struct Page {
    text: String,
    width: u16,
}

impl Page {
    fn new() -> Self {
        Self {
            text: String::new(),
            width: output::terminal_width().unwrap_or(COLUMNS),
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn heading(&mut self, title: &str, from: Option<i64>, to: Option<i64>) {
        self.line(&plain(title));
        let range = match (from, to) {
            (None, None) => "in the whole lake".to_owned(),
            (Some(from), None) => format!("from {} on", format_instant(from)),
            (None, Some(to)) => format!("before {}", format_instant(to)),
            (Some(from), Some(to)) => format!("from {} to {}", format_instant(from), format_instant(to)),
        };
        self.line(&range);
    }

    fn verdict(&mut self, verdict: &str, text: &str) {
        self.line("");
        self.line(&format!("Verdict: {verdict}"));
        self.paragraph(text);
    }

    /// Text in lines that fit.
    fn paragraph(&mut self, text: &str) {
        let mut line = String::new();
        for word in plain(text).split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > usize::from(self.width) {
                self.line(&line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }

    /// Numbers with what they count; the first always, the others unless nothing.
    fn counts(&mut self, counts: &[(u64, &str)]) {
        self.line("");
        for (position, (count, what)) in counts.iter().enumerate() {
            if position == 0 || *count > 0 {
                self.line(&format!("{count:>10} {what}"));
            }
        }
    }

    fn audit_log(&mut self, log: &AuditLog) {
        self.line("");
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
        self.section(title, &[key, "when", "bind", "sync"], rows, |row| {
            let (key, tally) = with(row);
            vec![
                key,
                when(tally.first, tally.last),
                tally.bind_events.to_string(),
                tally.sync_events.to_string(),
            ]
        });
    }

    fn section<T>(&mut self, title: &str, header: &[&str], rows: &[T], with: impl Fn(&T) -> Vec<String>) {
        if rows.is_empty() {
            return;
        }
        self.line("");
        self.line(&format!("{title} ({})", rows.len()));
        let mut table = Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(self.width).set_header(header.to_vec());
        for row in rows.iter().take(ROWS) {
            table.add_row(with(row).iter().map(|cell| plain(cell)).collect::<Vec<_>>());
        }
        let last = header.len() - 1;
        for (position, (column, name)) in table.column_iter_mut().zip(header).enumerate() {
            column.set_padding((0, if position == last { 0 } else { 2 }));
            if matches!(*name, "when" | "time") {
                // Times in one line: the other columns give way.
                column.set_constraint(ColumnConstraint::ContentWidth);
            } else if *name == "folder" {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Percentage(40)));
            }
        }
        let table = table.to_string();
        for line in table.lines() {
            self.line(line);
        }
        if rows.len() > ROWS {
            self.line(&format!("and {} more (--format csv writes all)", rows.len() - ROWS));
        }
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

fn joined(texts: &BTreeSet<String>) -> String {
    texts.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// Text of a log record, without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
        .collect()
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
    fn terminals_are_not_told_anything() {
        assert_eq!(plain("a\u{1b}[2Jb\tc\nd"), "a\u{fffd}[2Jb\u{fffd}c\nd");
    }

    #[test]
    fn lines_fit() {
        let mut page = Page {
            text: String::new(),
            width: 80,
        };
        let guid = "30f6735d-d938-5116-9653-afdc8ecfbaba";
        let tally = Tally {
            first: 0,
            last: 60_000_000,
            events: 1,
            bind_events: 123_456,
            sync_events: 7,
            messages: 9,
        };
        let application = (format!("{guid}\nvia {guid}"), tally.clone());
        page.tallied("Applications", "application", &vec![application; 12], |row| {
            (row.0.clone(), &row.1)
        });
        let client = "Client=OWA;Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 ".repeat(3);
        page.tallied("Clients", "client", &[(client, tally)], |row| (row.0.clone(), &row.1));
        page.paragraph(&"words and words ".repeat(20));
        assert!(
            page.text.lines().all(|line| line.chars().count() <= 80),
            "{}",
            page.text
        );
        assert!(page.text.contains("and 2 more (--format csv writes all)"));
        assert!(
            page.text.lines().any(|line| line.starts_with(&format!("via {guid}"))),
            "{}",
            page.text
        );
        assert!(page.text.contains("1970-01-01 00:00-00:01"));
    }
}
