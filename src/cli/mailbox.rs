//! `retrohunt mailbox`

mod page;
mod table;

use super::args::LakeArgs;
use super::{Outcome, output};
use crate::config::{self, Resources};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::investigations::{CsvFile, Question, Range, find_accesses, investigate_mailbox};
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Lists the mailboxes that can be asked about.
const LIST_MAILBOXES: &str =
    "retrohunt sql \"SELECT DISTINCT o365.audit.MailboxOwnerUPN FROM events WHERE event.action = 'MailItemsAccessed'\"";

/// Who read which mail, and what the log cannot say: the MailItemsAccessed investigation
///
/// For a mailbox: the messages that were opened, the folders that were synchronised (assume
/// them taken as a whole), the times that throttling left unlogged (assume everything read),
/// by whom, with what and from where, and how far that can be relied on. Or the other way
/// round, from a message, application, address or session to the mailboxes it touches.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("question").required(true).args(["user", "message_id", "app_id", "address", "session"])))]
#[command(
    override_usage = "retrohunt mailbox [OPTIONS] USER\n       \
                      retrohunt mailbox [OPTIONS] --message-id <ID>\n       \
                      retrohunt mailbox [OPTIONS] --app-id <ID>\n       \
                      retrohunt mailbox [OPTIONS] --address <IP|CIDR>\n       \
                      retrohunt mailbox [OPTIONS] --session <ID>\n\n\
                      To see which mailboxes there are:\n       \
                      retrohunt sql \"SELECT DISTINCT o365.audit.MailboxOwnerUPN FROM events\n       \
                      WHERE event.action = 'MailItemsAccessed'\"",
    after_help = "All times are UTC. CSV files are UTF-8 with a byte order mark, so that spreadsheet programs read accents right; \
                  they mark values that a spreadsheet would take for a formula (they begin with = + - @) with an \
                  apostrophe in front."
)]
pub(crate) struct MailboxArgs {
    /// Owner of the mailbox: the user principal name, in any case
    #[arg(value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
    user: Option<String>,

    /// Who read this message: an InternetMessageId, with or without angle brackets
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,

    /// What this application read: the id of an application or of its service principal
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,

    /// What was read from this address or range
    #[arg(long, value_name = "IP|CIDR")]
    address: Option<String>,

    /// What was read in this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,

    /// First moment of the range: 2026-03-01, 2026-03-01T08:00:00Z, or 14d ago
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,

    /// End of the range; it is not part of it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<i64>,

    /// How to show the answer; csv writes a folder of files
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    format: ReportFormat,

    /// Folder for the CSV files (default: ./mailbox-USER)
    #[arg(long, short, visible_alias = "output", value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write into a folder that is not empty; files of the same names are replaced
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    lake: LakeArgs,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people
    Table,
    /// One JSON object with everything
    Json,
    /// A folder of CSV files to hand over
    Csv,
}

fn instant(text: &str) -> Result<i64, String> {
    config::parse_instant(text, chrono::Utc::now().timestamp_micros())
}

pub(crate) async fn run(args: MailboxArgs, resources: Resources) -> Result<Outcome> {
    let range = args.range()?;
    let question = args.question()?;
    let folder = args.folder(question.as_ref())?;
    let engine = Engine::open(&args.lake.lake()?, resources).await?;
    let spinner = output::spinner("looking for mail accesses");
    match question {
        None => {
            let report = investigate_mailbox(&engine, args.user.as_deref().unwrap_or_default(), range).await;
            spinner.finish_and_clear();
            let report = report?;
            show(
                args.format,
                &report,
                || table::mailbox(&report),
                || report.csv_files(),
                folder.as_deref(),
            )?;
        }
        Some(question) => {
            let report = find_accesses(&engine, question, range).await;
            spinner.finish_and_clear();
            let report = report?;
            show(
                args.format,
                &report,
                || table::accesses(&report),
                || report.csv_files(),
                folder.as_deref(),
            )?;
        }
    }
    Ok(Outcome::Done)
}

impl MailboxArgs {
    fn range(&self) -> Result<Range> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return Err(setting("--to", "must be later than --from"));
        }
        Ok(Range {
            from: self.from,
            to: self.to,
        })
    }

    /// What to look for, unless it is a mailbox.
    fn question(&self) -> Result<Option<Question>> {
        if let Some(text) = &self.message_id {
            return Question::message_id(text).map(Some);
        }
        if let Some(text) = &self.app_id {
            return Question::app_id(text).map(Some);
        }
        if let Some(text) = &self.address {
            return Question::address(text).map(Some);
        }
        self.session.as_deref().map(Question::session).transpose()
    }

    /// Where CSV files go; checked before anything is asked of the lake.
    fn folder(&self, question: Option<&Question>) -> Result<Option<PathBuf>> {
        if self.format != ReportFormat::Csv {
            let unused = if self.out.is_some() {
                Some("--out")
            } else {
                self.force.then_some("--force")
            };
            return match unused {
                Some(unused) => Err(setting(unused, "is for --format csv only")),
                None => Ok(None),
            };
        }
        let name = || match question {
            None => file_name(&format!(
                "mailbox-{}",
                self.user.as_deref().unwrap_or_default().trim().to_lowercase()
            )),
            Some(question) => file_name(&format!("mailbox-{}-{}", question.kind(), question.value())),
        };
        let folder = self.out.clone().unwrap_or_else(|| PathBuf::from(name()));
        let empty = match std::fs::read_dir(&folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(source) => return Err(Error::File { path: folder, source }),
        };
        if !empty && !self.force {
            let problem = format!(
                "{} is not empty; choose another folder, or --force to write into it",
                folder.display()
            );
            return Err(setting("--out", &problem));
        }
        Ok(Some(folder))
    }
}

fn setting(setting: &str, problem: &str) -> Error {
    Error::Setting {
        setting: setting.to_owned(),
        problem: problem.to_owned(),
    }
}

/// A name that every file system takes.
fn file_name(text: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || ".-_@".contains(c) {
            c
        } else {
            '_'
        }
    };
    text.chars().map(keep).take(120).collect()
}

fn show<T: Serialize>(
    format: ReportFormat,
    report: &T,
    text: impl Fn() -> String,
    files: impl Fn() -> Result<Vec<CsvFile>>,
    folder: Option<&Path>,
) -> Result<()> {
    match (format, folder) {
        (ReportFormat::Json, _) => {
            let json = serde_json::to_string(report).map_err(|error| Error::Internal(error.to_string()))?;
            output::data(&format!("{json}\n"))
        }
        (ReportFormat::Csv, Some(folder)) => write(folder, &files()?),
        _ => output::data(&text()),
    }
}

fn write(folder: &Path, files: &[CsvFile]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| Error::File {
        path: folder.to_owned(),
        source,
    })?;
    for file in files {
        let path = folder.join(file.name);
        std::fs::write(&path, &file.content).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        output::note(path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        mailbox: MailboxArgs,
    }

    fn parse(args: &[&str]) -> Result<MailboxArgs, clap::Error> {
        Cli::try_parse_from([&["mailbox"], args].concat()).map(|cli| cli.mailbox)
    }

    #[test]
    fn exactly_one_question() {
        assert!(parse(&["ann@contoso.example"]).unwrap().question().unwrap().is_none());
        let question = parse(&["--message-id", "<A@b>"]).unwrap().question().unwrap();
        assert_eq!(question, Some(Question::MessageId("a@b".into())));
        for wrong in [
            &[][..],
            &["ann@x", "--session", "s"],
            &["--app-id", "a", "--address", "::1"],
        ] {
            let message = parse(wrong).unwrap_err().to_string();
            assert!(
                message.contains("--session <ID>") || message.contains("--address <IP|CIDR>"),
                "{message}"
            );
            let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(message.contains(LIST_MAILBOXES), "{message}");
        }
    }

    #[test]
    fn wrong_settings() {
        assert!(
            parse(&["a@b", "--from", "2026-03-02", "--to", "2026-03-01"])
                .unwrap()
                .range()
                .is_err()
        );
        assert!(parse(&["a@b", "--from", "soon"]).is_err());
        for args in [&["a@b", "--out", "x"][..], &["a@b", "--force", "--format", "json"]] {
            assert!(
                parse(args)
                    .unwrap()
                    .folder(None)
                    .unwrap_err()
                    .to_string()
                    .contains("--format csv")
            );
        }
    }

    #[test]
    fn folders() {
        let there = tempfile::tempdir().unwrap();
        let out = there.path().to_string_lossy().into_owned();
        let args = ["a@b", "--format", "csv", "--out", out.as_str()];
        assert_eq!(
            parse(&args).unwrap().folder(None).unwrap(),
            Some(there.path().to_owned())
        );
        for spelling in ["--output", "-o"] {
            let args = ["a@b", "--format", "csv", spelling, out.as_str()];
            assert_eq!(parse(&args).unwrap().out, Some(there.path().to_owned()));
        }
        write(
            there.path(),
            &[CsvFile {
                name: "x.csv",
                content: b"x\n".to_vec(),
            }],
        )
        .unwrap();
        assert!(parse(&args).unwrap().folder(None).is_err());
        assert!(parse(&[&args[..], &["--force"]].concat()).unwrap().folder(None).is_ok());
        let named = parse(&["Ann@B/../c", "--format", "csv"]).unwrap().folder(None).unwrap();
        assert_eq!(named, Some(PathBuf::from("mailbox-ann@b_.._c")));
    }
}
