//! Where alerts are sent: one file per kind of sink, and one way to deliver to all of them.
//!
//! A sink gets revisions of alerts in order and says how far it got. [`deliver`] chooses what a
//! sink wants, tries again what could not be sent, and gives back what was given up. A revision
//! may arrive more than once, always with the same `alert_id` and `revision`.
//!
//! To add a kind: a file with its settings and its [`Sink`], a line in `settings.rs`, and a bench
//! for the suite in `conformance/`, which every sink passes.

mod delivery;
mod file;
mod fit;
mod object;
mod policy;
mod secret;
mod settings;
mod stdout;
mod syslog;
mod templates;
mod webhook;
mod within;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests_templates;
#[cfg(test)]
mod tests_webhook;

pub use delivery::{DeadLetter, Delivered, deliver};
pub use file::{FileSettings, FileSink};
pub use object::{ObjectSettings, ObjectSink};
pub use policy::Policy;
pub use secret::Secret;
pub use settings::{Kind, Settings};
pub use stdout::{Output, StdoutSettings, StdoutSink};
pub use syslog::{Facility, Message, SyslogSettings, SyslogSink};
pub use webhook::{WebhookSettings, WebhookSink};

use crate::alerts::Revision;
use crate::error::{Error, Result};
use async_trait::async_trait;
use std::time::Duration;

/// Something that takes alerts. Its `Debug` and its problems hold no secret.
#[async_trait]
pub trait Sink: std::fmt::Debug + Send + Sync {
    /// Its name in the settings.
    fn name(&self) -> &str;

    /// Sends revisions in order, and stops where one cannot be sent for now. Tries nothing twice;
    /// every step has an end. Dropping the future is fine: what it was about to send is sent
    /// again.
    async fn send(&self, revisions: &[&Revision]) -> Outcome;
}

/// How far a sink got with what it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many, from the first on, are dealt with: sent or rejected.
    pub done: usize,
    /// Those among them that are not taken and never will be: position and why.
    pub rejected: Vec<(usize, String)>,
    /// Why it stopped before the rest.
    pub unavailable: Option<Unavailable>,
}

/// Why something could not be sent for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// How many after those that are done were tried: one where each is sent by itself, all
    /// where they are sent together.
    pub tried: usize,
    /// For people, without secrets.
    pub problem: String,
    /// How long the sink asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// All of these were sent.
    fn sent(count: usize) -> Self {
        Self {
            done: count,
            ..Self::default()
        }
    }

    /// All of these were sent together, or none was.
    fn together(count: usize, result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::sent(count),
            Err(problem) => Self::default().stopped(count, problem, None),
        }
    }

    /// After what is done, these were tried and could not be sent.
    fn stopped(self, tried: usize, problem: String, retry_after: Option<Duration>) -> Self {
        Self {
            unavailable: Some(Unavailable {
                tried,
                problem,
                retry_after,
            }),
            ..self
        }
    }
}

/// A revision in the form that sinks send: one JSON object in one line.
fn json(revision: &Revision) -> Result<String, String> {
    serde_json::to_string(revision).map_err(|error| format!("cannot be written as JSON: {error}"))
}

/// Revisions as JSONL.
fn json_lines(revisions: &[&Revision]) -> Result<String, String> {
    let mut lines = String::new();
    for revision in revisions {
        lines.push_str(&json(revision)?);
        lines.push('\n');
    }
    Ok(lines)
}

/// A setting of a sink that makes no sense.
fn wrong_setting(sink: &str, setting: &str, problem: impl Into<String>) -> Error {
    let setting = match setting {
        "" => format!("[sinks.{sink}]"),
        setting => format!("[sinks.{sink}] {setting}"),
    };
    Error::Setting {
        setting,
        problem: problem.into(),
    }
}
