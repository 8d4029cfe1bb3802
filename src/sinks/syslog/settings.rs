//! Settings of `kind = "syslog"`.

use super::super::wrong_setting;
use super::format::{LONGEST_HOSTNAME, SMALLEST, printable};
use super::transport::Address;
use crate::config::parse_bytes;
use crate::error::Result;
use serde::Deserialize;

/// What rsyslog takes if it was not told otherwise.
const MAX_SIZE: usize = 8192;

/// The longest that fits into a UDP datagram.
const DATAGRAM: usize = 65_507;

/// More in one message is nobody's intent.
const LARGEST: usize = 16 << 20;

/// Settings of `kind = "syslog"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogSettings {
    /// `udp://HOST:PORT`, `tcp://HOST:PORT` (framed by RFC 6587's octet counting) or
    /// `unix:///PATH`.
    pub address: String,
    /// Facility of the messages.
    #[serde(default)]
    pub facility: Facility,
    /// What the text of a message is.
    #[serde(default)]
    pub message: Message,
    /// HOSTNAME of the messages; else this machine's.
    pub hostname: Option<String>,
    /// Bytes of the longest message, such as `"8KB"`; longer texts in an alert are cut.
    pub max_size: Option<String>,
    /// Streams: an alert counts as sent when the receiver, after it was told that there is no
    /// more, has closed the connection.
    #[serde(default = "yes")]
    pub confirm: bool,
}

fn yes() -> bool {
    true
}

/// What the text of a message is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The alert as JSON.
    #[default]
    Json,
    /// One line for people.
    Summary,
}

/// Facilities that fit an alert, with their numbers of RFC 5424.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are names of RFC 5424")]
pub enum Facility {
    User = 1,
    Daemon = 3,
    Auth = 4,
    Authpriv = 10,
    Audit = 13,
    Alert = 14,
    #[default]
    Local0 = 16,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

impl SyslogSettings {
    pub(super) fn address(&self, sink: &str) -> Result<Address> {
        Address::parse(&self.address).map_err(|problem| wrong_setting(sink, "address", problem))
    }

    pub(super) fn hostname(&self, sink: &str) -> Result<String> {
        let Some(name) = &self.hostname else {
            return Ok(printable(&machine_name(), LONGEST_HOSTNAME));
        };
        if name.is_empty() || printable(name, LONGEST_HOSTNAME) != *name {
            let problem = "is no name of a machine: up to 255 letters, digits and marks of ASCII without a space";
            return Err(wrong_setting(sink, "hostname", problem));
        }
        Ok(name.clone())
    }

    pub(super) fn max_size(&self, sink: &str, address: &Address) -> Result<usize> {
        let wrong = |problem: String| wrong_setting(sink, "max_size", problem);
        let most = if address.is_stream() { LARGEST } else { DATAGRAM };
        let size = match &self.max_size {
            None => MAX_SIZE,
            Some(text) => parse_bytes(text)
                .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
                .map_err(wrong)?,
        };
        match (SMALLEST..=most).contains(&size) {
            true => Ok(size),
            false => Err(wrong(format!("must be from {SMALLEST} to {most} bytes here"))),
        }
    }
}

/// The name of this machine, or `-`, which says that it is not known.
fn machine_name() -> String {
    let file = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    let variable = || {
        std::env::var("HOSTNAME")
            .or_else(|_| std::env::var("COMPUTERNAME"))
            .ok()
    };
    file.or_else(variable).unwrap_or_else(|| "-".into()).trim().to_owned()
}
