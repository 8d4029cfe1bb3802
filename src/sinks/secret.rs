//! Values that nobody may see: where they come from, and how what a peer says is shown without them.

use super::within::said;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What stands for a secret wherever it would be shown.
const HIDDEN: &str = "[secret]";

/// A shorter part of a secret, such as `v1` in a URL, gives nothing away and is in many texts.
const SHORTEST_PART: usize = 8;

/// A value from the settings, the environment or a file. It is never shown: `Debug` says where it
/// comes from. A file is read whenever the value is needed, so that another one counts at once.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Written in the settings: `"..."`.
    Written(String),
    /// In this environment variable: `{ env = "NAME" }`.
    Environment(String),
    /// In this file: `{ file = "/path" }`.
    File(String),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Written(_) => f.write_str(HIDDEN),
            Self::Environment(name) => write!(f, "[secret in the environment variable {name}]"),
            Self::File(path) => write!(f, "[secret in the file {path}]"),
        }
    }
}

impl Secret {
    /// The value, without the space around it, or what is wrong with where it should be.
    pub fn reveal(&self) -> Result<String, String> {
        let (value, place) = match self {
            Self::Written(value) => (value.clone(), "the value".to_owned()),
            Self::Environment(name) => {
                let place = format!("the environment variable {name}");
                // Not the error: it quotes a value that is no text.
                let value = std::env::var(name).map_err(|_| format!("{place} is not set"))?;
                (value, place)
            }
            Self::File(path) => {
                let place = format!("the file {path}");
                let value = std::fs::read_to_string(path);
                (
                    value.map_err(|error| format!("{place} cannot be read: {}", said(&error)))?,
                    place,
                )
            }
        };
        let value = value.trim();
        if value.is_empty() {
            return Err(format!("{place} is empty"));
        }
        Ok(value.to_owned())
    }
}

impl<'de> Deserialize<'de> for Secret {
    /// With errors that do not quote what was written.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("write { env = \"NAME\" }, { file = \"/path\" } or a text");
        let written = toml::Value::deserialize(deserializer)?;
        let table = match written {
            toml::Value::String(text) => return Ok(Self::Written(text)),
            toml::Value::Table(table) => table,
            _ => return Err(wrong()),
        };
        let mut entries = table.into_iter();
        match (entries.next(), entries.next()) {
            (Some((key, toml::Value::String(name))), None) if key == "env" => Ok(Self::Environment(name)),
            (Some((key, toml::Value::String(path))), None) if key == "file" => Ok(Self::File(path)),
            _ => Err(wrong()),
        }
    }
}

/// A text that somebody else wrote, in which what is secret is replaced: each of the values, and
/// each longer part of them between the marks of URLs and headers.
pub(super) fn hide(text: &str, secrets: &[&str]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for secret in secrets {
        parts.push(secret);
        parts.extend(secret.split(|c: char| c.is_whitespace() || "/?&=#:@,;".contains(c)));
    }
    parts.retain(|part| part.len() >= SHORTEST_PART || secrets.contains(part) && !part.is_empty());
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
        .iter()
        .fold(text.to_owned(), |text, part| text.replace(part, HIDDEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        #[expect(dead_code, reason = "for its Debug")]
        url: Secret,
    }

    #[test]
    fn what_is_written_is_never_shown() {
        let read = |text: &str| toml::from_str::<Holder>(text);
        for text in [
            "url = 'hunter2'",
            "url = {env = 'NAME'}",
            "url = {file = '/secret/path'}",
        ] {
            let shown = format!("{:?}", read(text).unwrap());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        for text in [
            "url = ['hunter2']",
            "url = {env = 'a', hunter2 = 'hunter2'}",
            "url = {hunter2 = 'hunter2'}",
            "url = {env = ['hunter2']}",
        ] {
            let table: toml::Table = toml::from_str(text).unwrap();
            let problem = Holder::deserialize(table).unwrap_err().to_string();
            assert!(problem.contains("{ env = \"NAME\" }"), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn files_are_read_anew_and_trimmed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let secret = Secret::File(path.display().to_string());
        assert!(secret.reveal().unwrap_err().contains("token cannot be read"));
        std::fs::write(&path, " \n").unwrap();
        assert!(secret.reveal().unwrap_err().contains("token is empty"));
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(secret.reveal().unwrap(), "one");
        std::fs::write(&path, "two\r\n").unwrap();
        assert_eq!(secret.reveal().unwrap(), "two");
        let absent = Secret::Environment("RETROHUNT_TEST_ABSENT".into());
        assert!(
            absent
                .reveal()
                .unwrap_err()
                .contains("RETROHUNT_TEST_ABSENT is not set")
        );
        assert!(!std::env::var("PATH").unwrap().is_empty());
        assert!(Secret::Environment("PATH".into()).reveal().is_ok());
    }

    #[test]
    fn what_others_say_is_shown_without_secrets() {
        let url = "https://hooks.example/services/T0/B0/abcdefgh12345";
        let text = "no service at /services/T0/B0/abcdefgh12345 for Bearer hunter2hunter2; key x";
        let shown = hide(text, &[url, "Bearer hunter2hunter2", "x"]);
        assert!(
            !shown.contains("abcdefgh12345") && !shown.contains("hunter2"),
            "{shown}"
        );
        assert!(shown.ends_with("key [secret]"), "{shown}");
    }
}
