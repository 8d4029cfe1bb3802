//! Kinds of work that are measured and predicted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What was done. In JSON its text, such as `hunt:suspicious_source`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Files to events, in a lake that is empty or holds `Quantities::events` less what was
    /// stored.
    Ingest,
    /// One detection, by its id, over the whole lake.
    Hunt(String),
    /// All detections together, over the whole lake.
    HuntAll,
    /// One evaluation of all detections by a schedule, after `events` arrived.
    Tick,
    /// One value looked for: `message_id`, `address`, `session`, ...
    Needle(String),
    /// Every event read, by a condition that prunes nothing.
    Scan,
    /// New terms over pairs of fields.
    NewTerms,
    /// The most frequent values of a field.
    Aggregate,
    /// Sign-ins joined to what was done in mailboxes.
    Join,
    /// Small files merged into large ones.
    Compaction,
}

/// What a measurement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The model is fitted on it.
    Fit,
    /// The model, fitted without it, is held against it.
    Validate,
}

/// Whether the files were in the system's memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// They were, as far as they fit: the work had been done before.
    #[default]
    Warm,
    /// They were not.
    Cold,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ingest => f.write_str("ingest"),
            Self::Hunt(id) => write!(f, "hunt:{id}"),
            Self::HuntAll => f.write_str("hunt_all"),
            Self::Tick => f.write_str("tick"),
            Self::Needle(name) => write!(f, "needle:{name}"),
            Self::Scan => f.write_str("scan"),
            Self::NewTerms => f.write_str("new_terms"),
            Self::Aggregate => f.write_str("aggregate"),
            Self::Join => f.write_str("join"),
            Self::Compaction => f.write_str("compaction"),
        }
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once(':') {
            Some(("hunt", id)) if !id.is_empty() => Self::Hunt(id.to_owned()),
            Some(("needle", name)) if !name.is_empty() => Self::Needle(name.to_owned()),
            _ => match text {
                "ingest" => Self::Ingest,
                "hunt_all" => Self::HuntAll,
                "tick" => Self::Tick,
                "scan" => Self::Scan,
                "new_terms" => Self::NewTerms,
                "aggregate" => Self::Aggregate,
                "join" => Self::Join,
                "compaction" => Self::Compaction,
                _ => return Err(format!("{text:?} is no work")),
            },
        })
    }
}

impl Serialize for Work {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_have_names() {
        for text in [
            "ingest",
            "hunt:a:b",
            "hunt_all",
            "tick",
            "needle:address",
            "scan",
            "new_terms",
            "aggregate",
            "join",
            "compaction",
        ] {
            assert_eq!(text.parse::<Work>().unwrap().to_string(), text);
        }
        assert!("hunt:".parse::<Work>().is_err());
        assert!("sleep".parse::<Work>().is_err());
    }
}
