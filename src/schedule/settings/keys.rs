//! The list of settings: what each is called, and how its value is read.

use super::{LogFormat, Settings, Start};
use crate::config::parse_instant;
use crate::detections::parse_duration;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A setting that the file, the environment and flags can give.
#[derive(Debug)]
pub struct Key {
    /// In the file; a dot is a table.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    pub(super) set: fn(&mut Settings, &Value, i64) -> Result<(), String>,
}

impl Key {
    /// In the environment, after `RETROHUNT_SCHEDULE_`.
    pub fn variable(&self) -> String {
        self.name.replace('.', "_").to_ascii_uppercase()
    }
}

/// A value as the file has it; of the environment and of flags, a text.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<String>),
}

/// All settings but those of single detections and of sinks, which only a file can give.
pub const KEYS: &[Key] = &[
    Key {
        name: "lake",
        doc: "path or URL of the lake",
        set: |settings, value, _| {
            settings.lake = value.text()?;
            Ok(())
        },
    },
    Key {
        name: "detections",
        doc: "a folder with detections beside the built-in ones",
        set: |settings, value, _| {
            settings.detections = Some(PathBuf::from(value.text()?));
            Ok(())
        },
    },
    Key {
        name: "start",
        doc: "from where on events count at first: all, now, a time, or how long ago, such as 7d",
        set: |settings, value, now| {
            let text = value.text()?;
            settings.start = match text.as_str() {
                "all" => Start::All,
                "now" => Start::Now,
                time => Start::At(parse_instant(time, now).map_err(|problem| format!("{problem}, or all, or now"))?),
            };
            Ok(())
        },
    },
    Key {
        name: "only",
        doc: "ids of the detections that run",
        set: |settings, value, _| {
            settings.only = value.list()?;
            Ok(())
        },
    },
    Key {
        name: "except",
        doc: "ids of detections that do not run",
        set: |settings, value, _| {
            settings.except = value.list()?;
            Ok(())
        },
    },
    Key {
        name: "newest_first",
        doc: "of missed ticks the latest come first",
        set: |settings, value, _| {
            settings.newest_first = value.boolean()?;
            Ok(())
        },
    },
    Key {
        name: "concurrency",
        doc: "detections that are evaluated at once",
        set: |settings, value, _| {
            settings.concurrency = value.number(1024)? as usize;
            Ok(())
        },
    },
    Key {
        name: "timeout",
        doc: "how long one evaluation may take",
        set: |settings, value, _| {
            settings.timeout = value.duration()?;
            Ok(())
        },
    },
    Key {
        name: "attempts",
        doc: "how often an evaluation is tried before it becomes a gap",
        set: |settings, value, _| {
            settings.attempts = value.number(100)?;
            Ok(())
        },
    },
    Key {
        name: "retry_after",
        doc: "how long after a failure it is tried again",
        set: |settings, value, _| {
            settings.retry_after = value.duration()?;
            Ok(())
        },
    },
    Key {
        name: "lease",
        doc: "how long after its last sign of life a scheduler is taken for dead",
        set: |settings, value, _| {
            settings.lease = value.duration()?;
            Ok(())
        },
    },
    Key {
        name: "listen",
        doc: "address and port of health and metrics, or off",
        set: |settings, value, _| {
            settings.listen = value.address()?;
            Ok(())
        },
    },
    Key {
        name: "log.format",
        doc: "text or json",
        set: |settings, value, _| {
            settings.log_format = match value.text()?.as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                other => return Err(format!("{other:?} is no form of a log; write text or json")),
            };
            Ok(())
        },
    },
    Key {
        name: "log.level",
        doc: "the least that is logged: error, warn, info, debug or trace",
        set: |settings, value, _| {
            let level = value.text()?.to_ascii_lowercase();
            if !["error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
                return Err(format!(
                    "{level:?} is no level; write error, warn, info, debug or trace"
                ));
            }
            settings.log_level = level;
            Ok(())
        },
    },
];

impl Value {
    pub(super) fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Self::Text(_) => Err("is empty".into()),
            _ => Err("must be a text, in quotes".into()),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, String> {
        match self {
            Self::Boolean(value) => Ok(*value),
            Self::Text(text) if text == "true" => Ok(true),
            Self::Text(text) if text == "false" => Ok(false),
            _ => Err("must be true or false".into()),
        }
    }

    /// A duration that is longer than nothing.
    pub(super) fn duration(&self) -> Result<Duration, String> {
        match self.duration_or_none()? {
            Duration::ZERO => Err("must be longer than nothing".into()),
            duration => Ok(duration),
        }
    }

    pub(super) fn duration_or_none(&self) -> Result<Duration, String> {
        match self {
            Self::Text(text) => parse_duration(text),
            _ => Err("must be a duration, in quotes, such as \"30s\" or \"10m\"".into()),
        }
    }

    fn list(&self) -> Result<Vec<String>, String> {
        let texts = match self {
            Self::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Self::List(texts) => texts.clone(),
            _ => return Err("must be a list of ids, such as [\"a\", \"b\"]".into()),
        };
        match texts.iter().any(|text| text.is_empty()) {
            true => Err("has an empty id".into()),
            false => Ok(texts),
        }
    }

    fn number(&self, most: u32) -> Result<u32, String> {
        let number = match self {
            Self::Integer(number) => u32::try_from(*number).ok(),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        };
        number
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| format!("must be a number from 1 to {most}"))
    }

    fn address(&self) -> Result<Option<SocketAddr>, String> {
        let text = self.text()?;
        if text == "off" {
            return Ok(None);
        }
        let port = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let local = port.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let address = local.or_else(|| text.parse().ok());
        address.map(Some).ok_or_else(|| {
            format!("{text:?} is no address with a port; write one such as 127.0.0.1:9464, [::1]:9464, or off")
        })
    }
}

/// The known word that a written one is most likely meant to be.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.75;
    let plain = |word: &str| word.to_ascii_lowercase().replace('-', "_");
    known
        .map(|known| (strsim::jaro_winkler(&plain(written), &plain(known)), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
