//! What can be asked.

use crate::error::{Error, Result};
use serde::Serialize;
use std::net::IpAddr;

/// The times that are asked about: from the first, included, to the last, excluded.
/// Microseconds since the Unix epoch; open where absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Included.
    pub from: Option<i64>,
    /// Excluded.
    pub to: Option<i64>,
}

impl Range {
    /// The years 1 to 9999: what a timestamp can be, with room to add days.
    const ALWAYS: (i64, i64) = (-62_135_596_800_000_000, 253_402_300_800_000_000);

    /// Both ends as numbers.
    pub(super) fn bounds(self) -> (i64, i64) {
        (self.from.unwrap_or(Self::ALWAYS.0), self.to.unwrap_or(Self::ALWAYS.1))
    }
}

/// A question that begins with a trace and looks for mailboxes. Values are compared without
/// regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Question {
    /// Who read this message? An InternetMessageId.
    MessageId(String),
    /// What did this application read? The id of an application or of its service principal.
    AppId(String),
    /// What was read from this address or range?
    Address(String),
    /// What was read in this session?
    Session(String),
}

impl Question {
    /// About a message, whose id is taken with or without its angle brackets.
    pub fn message_id(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let inner = trimmed.strip_prefix('<').unwrap_or(trimmed);
        let inner = inner.strip_suffix('>').unwrap_or(inner);
        Ok(Self::MessageId(value("--message-id", inner)?))
    }

    /// About an application.
    pub fn app_id(text: &str) -> Result<Self> {
        Ok(Self::AppId(value("--app-id", text)?))
    }

    /// About an address or a CIDR range.
    pub fn address(text: &str) -> Result<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let known = address.parse::<IpAddr>().ok();
        let longest = if known.is_some_and(|ip| ip.is_ipv6()) { 128 } else { 32 };
        let good_prefix = prefix.is_none_or(|prefix| prefix.parse::<u32>().is_ok_and(|bits| bits <= longest));
        if known.is_none() || !good_prefix {
            return Err(Error::Setting {
                setting: "--address".into(),
                problem: format!(
                    "{text:?} is no address; write for example 198.51.100.7, 198.51.100.0/24 or 2001:db8::/32"
                ),
            });
        }
        Ok(Self::Address(text.to_owned()))
    }

    /// About a session.
    pub fn session(text: &str) -> Result<Self> {
        Ok(Self::Session(value("--session", text)?))
    }

    /// What is looked for.
    pub fn value(&self) -> &str {
        match self {
            Self::MessageId(value) | Self::AppId(value) | Self::Address(value) | Self::Session(value) => value,
        }
    }

    /// In words, without the value.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MessageId(_) => "message",
            Self::AppId(_) => "application",
            Self::Address(_) => "address",
            Self::Session(_) => "session",
        }
    }
}

/// A value as the queries compare it.
pub(super) fn value(setting: &str, text: &str) -> Result<String> {
    match text.trim() {
        "" => Err(Error::Setting {
            setting: setting.into(),
            problem: "must not be empty".into(),
        }),
        text => Ok(text.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_lose_brackets_and_case() {
        for text in ["<M1@Contoso.example>", "m1@contoso.example", " <m1@contoso.example> "] {
            assert_eq!(
                Question::message_id(text).unwrap(),
                Question::MessageId("m1@contoso.example".into())
            );
        }
        assert!(Question::message_id("<>").is_err());
    }

    #[test]
    fn addresses() {
        for good in ["198.51.100.7", "198.51.100.0/24", "2001:db8::/32", "::1", "0.0.0.0/0"] {
            assert!(Question::address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "198.51.100",
            "198.51.100.0/33",
            "2001:db8::/129",
            "host",
            "1.2.3.4/",
            "1.2.3.4/x' OR 1=1",
        ] {
            assert!(Question::address(bad).is_err(), "{bad}");
        }
    }
}
