//! Settings of `kind = "webhook"`.

use super::super::secret::Secret;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Settings of `kind = "webhook"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where to; a secret, as chats put their token into it.
    #[serde(deserialize_with = "url")]
    pub url: Secret,
    /// `json`, `slack`, `teams` or the path of a template.
    #[serde(default = "as_json")]
    pub template: String,
    /// Headers of every request; their values are secrets.
    #[serde(default)]
    pub headers: Headers,
    /// For JSON: so many alerts at most in one request, as an array.
    pub batch: Option<usize>,
}

/// Names and values of headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Secret)>);

/// With the key in the error.
fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    Secret::deserialize(deserializer)
        .map_err(|error| D::Error::custom(format!("url: {}", error.to_string().trim_end())))
}

fn as_json() -> String {
    "json".into()
}

impl<'de> Deserialize<'de> for Headers {
    /// With errors that do not quote what was written.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("write headers = { NAME = { env = \"VARIABLE\" } }");
        match toml::Value::deserialize(deserializer) {
            Ok(toml::Value::Table(table)) => {
                let header = |(name, value): (String, toml::Value)| {
                    let value = Secret::deserialize(value);
                    let value = value.map_err(|error| D::Error::custom(format!("header {name}: {}", error.message())));
                    Ok((name, value?))
                };
                Ok(Self(table.into_iter().map(header).collect::<Result<_, _>>()?))
            }
            _ => Err(wrong()),
        }
    }
}
