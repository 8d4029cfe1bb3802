//! What is asked of each lake.

use super::Bench;
use super::shapes::Logs;
use crate::capacity::Work;
use crate::detections::{self, Detection};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// A detection of new terms that many a tenant has: where users come from.
const NEW_TERMS: &str = "/*---
id = \"bench_new_terms\"
title = \"A user from an address not seen for 45 days\"
severity = \"low\"
risk_score = 21

[new_terms]
fields = [\"user.id\", \"source.ip\"]
history = \"45d\"
---*/
SELECT @timestamp, event.id, user.id, source.ip
FROM events
WHERE event.dataset IN ('azure.signinlogs', 'o365.audit')
    AND event.outcome = 'success'
";

/// Distinct terms that it holds.
pub(super) const TERMS: &str = "SELECT count(*) FROM (SELECT DISTINCT user.id, source.ip FROM events \
    WHERE event.dataset IN ('azure.signinlogs', 'o365.audit') AND event.outcome = 'success' \
    AND user.id IS NOT NULL AND source.ip IS NOT NULL)";

/// Reads the records of all events, as no statistics tell which hold a text.
const SCAN: &str = "SELECT count(*) FROM events WHERE raw LIKE '%no record holds this text%'";

const AGGREGATE: &str = "SELECT source.ip, count(*) AS events, max(@timestamp) AS last FROM events \
    GROUP BY source.ip ORDER BY events DESC, source.ip LIMIT 20";

const JOIN: &str = "SELECT mail.user, mail.ip, mail.actions, sign_ins.sign_ins FROM \
    (SELECT user.email AS user, source.ip AS ip, count(*) AS actions FROM events \
    WHERE event.dataset = 'o365.audit' AND event.provider = 'Exchange' GROUP BY 1, 2) AS mail \
    JOIN (SELECT user.email AS user, source.ip AS ip, count(*) AS sign_ins FROM events \
    WHERE event.dataset = 'azure.signinlogs' AND event.outcome = 'success' GROUP BY 1, 2) AS sign_ins \
    ON mail.user = sign_ins.user AND mail.ip = sign_ins.ip ORDER BY mail.actions DESC LIMIT 20";

/// How something is asked.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// By a hunt with these detections.
    Hunt(Vec<Detection>),
    /// By a hunt with a detection in a folder of its own.
    HuntIn(PathBuf, Box<Detection>),
    /// By a statement.
    Sql(String),
}

/// Something that is asked of a lake.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) work: Work,
    pub(super) ask: Ask,
}

impl Question {
    /// The command.
    pub(super) fn arguments(&self, lake: &str) -> Vec<String> {
        let mut arguments = match &self.ask {
            Ask::Hunt(detections) => {
                let ids = detections.iter().map(|detection| detection.id().to_owned());
                ["hunt".to_owned()].into_iter().chain(ids).collect()
            }
            Ask::HuntIn(folder, detection) => vec![
                "hunt".to_owned(),
                detection.id().to_owned(),
                "--detections".to_owned(),
                folder.display().to_string(),
            ],
            Ask::Sql(sql) => vec!["sql".to_owned(), sql.clone()],
        };
        arguments.extend(["--format", "jsonl", "--lake", lake].map(str::to_owned));
        arguments
    }
}

/// The built-in detections that are wanted.
pub(super) fn detections(bench: &Bench) -> Result<Vec<Detection>> {
    detections::choose(detections::load(None)?, &[], &bench.detections)
}

/// A value as SQL.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// All questions of a tenant's lake. `message_id` is one that the lake holds.
pub(super) fn all(
    logs: &Logs,
    detections: &[Detection],
    workspace: &Path,
    message_id: Option<&str>,
) -> Result<Vec<Question>> {
    let hunt = |detection: &Detection| Question {
        work: Work::Hunt(detection.id().to_owned()),
        ask: Ask::Hunt(vec![detection.clone()]),
    };
    let mut questions: Vec<Question> = detections.iter().map(hunt).collect();
    questions.push(Question {
        work: Work::HuntAll,
        ask: Ask::Hunt(detections.to_vec()),
    });
    let folder = workspace.join("detections");
    questions.push(Question {
        work: Work::NewTerms,
        ask: Ask::HuntIn(folder.clone(), Box::new(new_terms(&folder)?)),
    });
    for (work, sql) in [(Work::Scan, SCAN), (Work::Aggregate, AGGREGATE), (Work::Join, JOIN)] {
        questions.push(Question {
            work,
            ask: Ask::Sql(sql.to_owned()),
        });
    }
    // What somebody looks for who follows an attack.
    let Some(attack) = logs.summary.attacks.first() else {
        return Ok(questions);
    };
    let needles = [
        (
            "event_id",
            "event.id",
            attack.bulk_access_ids.first().map(String::as_str),
        ),
        ("address", "source.ip", Some(attack.address.as_str())),
        ("session", "o365.audit.SessionId", Some(attack.session_id.as_str())),
        (
            "application",
            "o365.audit.ClientAppId",
            Some(attack.application_id.as_str()),
        ),
        ("message_id", "email.message_id", message_id),
    ];
    let needles = needles.into_iter().filter_map(|(name, field, value)| {
        let value = quoted(value?);
        let sql = format!("SELECT @timestamp, event.action, user.id, source.ip FROM events WHERE {field} = {value}");
        Some(Question {
            work: Work::Needle(name.into()),
            ask: Ask::Sql(sql),
        })
    });
    questions.extend(needles);
    Ok(questions)
}

/// A statement that finds a message of the attack.
pub(super) fn a_message(logs: &Logs) -> Option<String> {
    let attack = logs.summary.attacks.first()?;
    Some(format!(
        "SELECT email.message_id FROM events WHERE source.ip = {} AND email.message_id IS NOT NULL \
         ORDER BY @timestamp, event.id LIMIT 1",
        quoted(&attack.address)
    ))
}

/// The detection of new terms, written to a folder for the program.
fn new_terms(folder: &Path) -> Result<Detection> {
    let path = folder.join("bench_new_terms.sql");
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, NEW_TERMS));
    written.map_err(|source| Error::File {
        path: path.clone(),
        source,
    })?;
    detections::parse(&path.display().to_string(), NEW_TERMS)
}
