//! Running the saved queries.

use super::access::{self, Access, Rows};
use super::coverage::{AuditLog, MailAccessLog};
use super::question::{Question, Range};
use super::unlogged;
use crate::engine::{Engine, Scope, Session};
use crate::error::Result;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ParamValues, ScalarValue};
use futures::TryStreamExt as _;

const MAIL_ACCESSES: &str = include_str!("../../sql/investigations/mail_accesses.sql");
const MAILBOXES: &str = include_str!("../../sql/investigations/mailboxes.sql");
const MAILBOX_GUIDS: &str = include_str!("../../sql/investigations/mailbox_guids.sql");
const MAIL_ACCESS_COVERAGE: &str = include_str!("../../sql/investigations/mail_access_coverage.sql");
const AUDIT_LOG_COVERAGE: &str = include_str!("../../sql/investigations/audit_log_coverage.sql");
const REJECTED_MAIL_ACCESSES: &str = include_str!("../../sql/investigations/rejected_mail_accesses.sql");

/// Whose accesses are looked for.
pub(super) enum Wanted<'a> {
    /// Those to a mailbox, lower case.
    Mailbox(&'a str),
    /// Those that a trace leads to.
    Trace(&'a Question),
}

type Parameter = (&'static str, ScalarValue);

/// Asks a lake the saved questions.
pub(super) struct Queries {
    session: Session,
    has_quarantine: bool,
}

impl Queries {
    pub(super) fn new(engine: &Engine) -> Result<Self> {
        Ok(Self {
            session: engine.session(Scope::default())?,
            has_quarantine: engine.relations().any(|name| name == "quarantine"),
        })
    }

    /// The accesses in a range, in order of time. Of a mailbox also the throttled ones of
    /// the day before it, which come first.
    pub(super) async fn accesses(&self, wanted: &Wanted<'_>, range: Range) -> Result<Vec<Access>> {
        let (from, until) = range.bounds();
        let earliest = match wanted {
            Wanted::Mailbox(_) if range.from.is_some() => unlogged::reaching(from),
            _ => from,
        };
        let (mut own, mut foreign) = (Vec::new(), Vec::new());
        if let Wanted::Mailbox(mailbox) = wanted {
            (own, foreign) = self.guids(mailbox, earliest, until).await?;
        }
        let mut parameters = vec![
            ("earliest", time(earliest)),
            ("from", time(from)),
            ("until", time(until)),
            ("own_guids", texts(&own)),
            ("foreign_guids", texts(&foreign)),
        ];
        let (mailbox, question) = match wanted {
            Wanted::Mailbox(mailbox) => (Some(*mailbox), None),
            Wanted::Trace(question) => (None, Some(*question)),
        };
        let asked = |wanted: fn(&Question) -> Option<&String>| question.and_then(wanted).map(String::as_str);
        let text = |value: Option<&str>| ScalarValue::Utf8(value.map(str::to_owned));
        parameters.extend([
            ("mailbox", text(mailbox)),
            (
                "message_id",
                text(asked(|q| {
                    if let Question::MessageId(id) = q {
                        Some(id)
                    } else {
                        None
                    }
                })),
            ),
            (
                "app_id",
                text(asked(|q| if let Question::AppId(id) = q { Some(id) } else { None })),
            ),
            (
                "address",
                text(asked(|q| {
                    if let Question::Address(range) = q {
                        Some(range)
                    } else {
                        None
                    }
                })),
            ),
            (
                "session",
                text(asked(|q| if let Question::Session(id) = q { Some(id) } else { None })),
            ),
        ]);
        let mut accesses = Vec::new();
        self.each(MAIL_ACCESSES, parameters, |batch| access::decode(batch, &mut accesses))
            .await?;
        accesses.sort_by(|a, b| (a.time, &a.event_id).cmp(&(b.time, &b.event_id)));
        Ok(accesses)
    }

    /// MailboxGuids of the mailbox, and of others that its owner opened. Which guid is whose
    /// is told anywhere in the lake, and is asked only where a record does not name its owner.
    async fn guids(&self, mailbox: &str, earliest: i64, until: i64) -> Result<(Vec<String>, Vec<String>)> {
        let mut without_owner = 0;
        let in_range = vec![("earliest", time(earliest)), ("until", time(until))];
        self.each(MAIL_ACCESS_COVERAGE, in_range, |batch| {
            without_owner += count(batch, "without_owner")?;
            Ok(())
        })
        .await?;
        if without_owner == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let parameters = vec![("mailbox", ScalarValue::Utf8(Some(mailbox.to_owned())))];
        let (mut own, mut foreign) = (Vec::new(), Vec::new());
        self.each(MAILBOX_GUIDS, parameters, |batch| {
            let rows = Rows { batch };
            for (guid, is_own) in rows.texts("mailbox_guid")?.iter().zip(rows.booleans("own")?.iter()) {
                let guids = if is_own == Some(true) { &mut own } else { &mut foreign };
                guids.extend(guid.map(str::to_owned));
            }
            Ok(())
        })
        .await?;
        Ok((own, foreign))
    }

    /// What the range holds of the audit log, and of mail accesses of everyone.
    pub(super) async fn audit_log(&self, range: Range) -> Result<AuditLog> {
        let mut log = AuditLog::default();
        self.each(AUDIT_LOG_COVERAGE, within(range), |batch| {
            let (events, first, last) = coverage(batch)?;
            (log.events, log.first, log.last) = (events, first, last);
            Ok(())
        })
        .await?;
        log.mail_items_accessed = self.mail_accesses(range).await?;
        if log.mail_items_accessed.events == 0 && range != Range::default() {
            log.mail_items_accessed_at_other_times = Some(self.mail_accesses(Range::default()).await?);
        }
        log.rejected_records_about_mail_access = self.rejected().await?;
        Ok(log)
    }

    /// The mailboxes whose mail accesses the range holds.
    pub(super) async fn mailboxes(&self, range: Range) -> Result<Vec<String>> {
        let mut mailboxes = Vec::new();
        self.each(MAILBOXES, within(range), |batch| {
            let names = Rows { batch }.texts("mailbox")?;
            mailboxes.extend(names.iter().flatten().map(str::to_owned));
            Ok(())
        })
        .await?;
        Ok(mailboxes)
    }

    async fn mail_accesses(&self, range: Range) -> Result<MailAccessLog> {
        let mut log = MailAccessLog::default();
        self.each(MAIL_ACCESS_COVERAGE, within(range), |batch| {
            let (events, first, last) = coverage(batch)?;
            log = MailAccessLog {
                events,
                mailboxes: count(batch, "mailboxes")?,
                first,
                last,
            };
            Ok(())
        })
        .await?;
        Ok(log)
    }

    async fn rejected(&self) -> Result<u64> {
        let mut records = 0;
        if self.has_quarantine {
            self.each(REJECTED_MAIL_ACCESSES, Vec::new(), |batch| {
                records += count(batch, "records")?;
                Ok(())
            })
            .await?;
        }
        Ok(records)
    }

    /// Runs a query with its parameters bound as values: no text of a user becomes SQL.
    async fn each(
        &self,
        sql: &str,
        parameters: Vec<Parameter>,
        mut with: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let planned = self.session.plan(sql).await?;
        let plan = planned.plan.with_param_values(ParamValues::from(parameters))?;
        let mut batches = self.session.run(&plan).await?;
        while let Some(batch) = batches.try_next().await? {
            with(&batch)?;
        }
        Ok(())
    }
}

fn within(range: Range) -> Vec<Parameter> {
    let (earliest, until) = range.bounds();
    vec![("earliest", time(earliest)), ("until", time(until))]
}

fn time(micros: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
}

fn texts(values: &[String]) -> ScalarValue {
    let values: Vec<ScalarValue> = values
        .iter()
        .map(|value| ScalarValue::Utf8(Some(value.clone())))
        .collect();
    ScalarValue::List(ScalarValue::new_list(&values, &DataType::Utf8, true))
}

fn count(batch: &RecordBatch, name: &str) -> Result<u64> {
    let numbers = Rows { batch }.numbers(name)?;
    Ok(numbers
        .iter()
        .flatten()
        .map(|number| u64::try_from(number).unwrap_or(0))
        .sum())
}

fn coverage(batch: &RecordBatch) -> Result<(u64, Option<i64>, Option<i64>)> {
    let rows = Rows { batch };
    let first = rows.times("first_time")?.iter().flatten().min();
    let last = rows.times("last_time")?.iter().flatten().max();
    Ok((count(batch, "events")?, first, last))
}
