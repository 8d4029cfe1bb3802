//! `kind = "syslog"`: RFC 5424 over UDP, TCP or a socket of this machine.

mod format;
mod settings;
mod transport;

pub use settings::{Facility, Message, SyslogSettings};

use super::{Outcome, Sink};
use crate::alerts::Revision;
use crate::error::Result;
use async_trait::async_trait;
use format::Format;
use std::time::Duration;
use transport::Address;

/// Sends each alert as a message of RFC 5424.
#[derive(Debug)]
pub struct SyslogSink {
    name: String,
    address: Address,
    format: Format,
    confirm: bool,
    timeout: Duration,
}

impl SyslogSink {
    /// A sink with a name. Connects to nothing yet.
    pub fn new(name: &str, settings: &SyslogSettings, timeout: Duration) -> Result<Self> {
        let address = settings.address(name)?;
        Ok(Self {
            name: name.to_owned(),
            format: Format {
                facility: settings.facility,
                message: settings.message,
                hostname: settings.hostname(name)?,
                process: std::process::id(),
                most: settings.max_size(name, &address)?,
            },
            address,
            confirm: settings.confirm,
            timeout,
        })
    }
}

#[async_trait]
impl Sink for SyslogSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, revisions: &[&Revision]) -> Outcome {
        // What has no form as a message is left out, and reported if the others arrived.
        let mut rejected = Vec::new();
        let mut messages = Vec::new();
        for (at, revision) in revisions.iter().enumerate() {
            match self.format.message(revision) {
                Ok(message) => messages.push(message),
                Err(problem) => rejected.push((at, problem)),
            }
        }
        let sent = transport::send(&self.address, &messages, self.confirm, self.timeout).await;
        let sent = sent.map_err(|problem| format!("{}: {problem}", self.address));
        let mut outcome = Outcome::together(revisions.len(), sent);
        if outcome.unavailable.is_none() {
            outcome.rejected = rejected;
        }
        outcome
    }
}
