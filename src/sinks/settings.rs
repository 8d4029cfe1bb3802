//! A sink's table in the settings: `[sinks.NAME]`.

use super::file::{FileSettings, FileSink};
use super::object::{ObjectSettings, ObjectSink};
use super::policy::Policy;
use super::stdout::{Output, StdoutSettings, StdoutSink};
use super::syslog::{SyslogSettings, SyslogSink};
use super::webhook::{WebhookSettings, WebhookSink};
use super::{Sink, wrong_setting};
use crate::error::Result;
use serde::Deserialize;
use std::sync::Arc;

/// What a table `[sinks.NAME]` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// NAME.
    pub name: String,
    /// What it is, with the settings of its kind.
    pub kind: Kind,
    /// What it wants, and how persistently it gets it.
    pub policy: Policy,
}

/// The kinds of sinks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// JSONL to the standard output.
    Stdout(StdoutSettings),
    /// JSONL at the end of a file.
    File(FileSettings),
    /// HTTP requests.
    Webhook(WebhookSettings),
    /// RFC 5424.
    Syslog(SyslogSettings),
    /// JSONL objects in a bucket, a container or a folder.
    Object(ObjectSettings),
}

impl Settings {
    /// Reads the table of a sink. Errors name the sink and the key, and quote no secret.
    pub fn read(name: &str, value: &toml::Value) -> Result<Self> {
        let Some(table) = value.as_table() else {
            return Err(wrong_setting(name, "", "write a table with a kind: kind = \"webhook\""));
        };
        let (shared, own): (toml::Table, toml::Table) = table
            .clone()
            .into_iter()
            .partition(|(key, _)| Policy::KEYS.contains(&key.as_str()));
        let policy = Policy::read(name, shared)?;
        let kind = Kind::deserialize(own).map_err(|error| {
            let mut problem = error.message().to_owned();
            if problem.starts_with("unknown field") {
                problem = format!("{problem}; every kind has {} as well", Policy::KEYS.join(", "));
            }
            wrong_setting(name, "", problem)
        })?;
        Ok(Self {
            name: name.to_owned(),
            kind,
            policy,
        })
    }

    /// The sink. Secrets and templates are read, so that what is missing is said now; nothing is
    /// sent yet. `stdout` is where sinks of that kind write.
    pub fn open(&self, stdout: &Output) -> Result<Box<dyn Sink>> {
        let (name, timeout) = (&self.name, self.policy.timeout);
        Ok(match &self.kind {
            Kind::Stdout(_) => Box::new(StdoutSink::new(name, Arc::clone(stdout), timeout)),
            Kind::File(settings) => Box::new(FileSink::new(name, settings, timeout)?),
            Kind::Webhook(settings) => Box::new(WebhookSink::new(name, settings, timeout)?),
            Kind::Syslog(settings) => Box::new(SyslogSink::new(name, settings, timeout)?),
            Kind::Object(settings) => Box::new(ObjectSink::new(name, settings, timeout)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn read(text: &str) -> Result<Settings> {
        Settings::read("soc", &toml::Value::Table(toml::from_str(text).unwrap()))
    }

    fn opened(text: &str) -> Result<Box<dyn Sink>> {
        let nowhere: Output = Arc::new(Mutex::new(Vec::new()));
        read(text)?.open(&nowhere)
    }

    #[tokio::test]
    async fn every_kind_opens() {
        for text in [
            "kind = 'stdout'",
            "kind = 'file'\npath = 'alerts.jsonl'",
            "kind = 'webhook'\nurl = 'https://example.com/hook'",
            "kind = 'webhook'\nurl = 'http://127.0.0.1:1/'\ntemplate = 'slack'\nheaders = { Authorization = { env = 'PATH' } }",
            "kind = 'webhook'\nurl = { env = 'PATH' }",
            "kind = 'syslog'\naddress = 'udp://127.0.0.1:514'\nfacility = 'authpriv'\nmessage = 'summary'",
            "kind = 'object'\nurl = 'alerts'",
        ] {
            match opened(text) {
                Ok(sink) => assert_eq!(sink.name(), "soc"),
                Err(error) => assert_eq!(
                    error.to_string(),
                    "[sinks.soc] url: is no http:// or https:// URL",
                    "{text}"
                ),
            }
        }
    }

    #[test]
    fn the_examples_of_the_documentation_are_right() {
        let text = include_str!("../../docs/sinks.md");
        let examples = text
            .split("```toml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next());
        let mut kinds = std::collections::BTreeSet::new();
        for example in examples.filter(|example| example.starts_with("[sinks.")) {
            let document: toml::Table = toml::from_str(example).unwrap();
            for (name, table) in document["sinks"].as_table().unwrap() {
                Settings::read(name, table).unwrap();
                kinds.insert(table["kind"].to_string());
            }
        }
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        for key in Policy::KEYS {
            assert!(text.contains(&format!("| `{key}` |")), "{key}");
        }
    }

    #[test]
    fn what_all_kinds_share_is_read_beside_their_own() {
        let settings = read("kind = 'stdout'\nattempts = 2\nbackoff = '5s'\nchanges = ['new', 'grown']").unwrap();
        assert_eq!(settings.kind, Kind::Stdout(StdoutSettings {}));
        assert_eq!((settings.policy.attempts, settings.policy.changes.len()), (2, 2));
        let absent = read("kind = 'stdout'").unwrap();
        assert_eq!(absent.policy, Policy::default());
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_named_and_secrets_are_not() {
        let problems = [
            "",
            "kind = 'pigeon'",
            "kind = 'stdout'\ncolour = 'red'",
            "kind = 'file'",
            "kind = 'file'\npath = ''",
            "kind = 'webhook'",
            "kind = 'webhook'\nurl = 'hunter2'",
            "kind = 'webhook'\nurl = 'ftp://hunter2'",
            "kind = 'webhook'\nurl = { env = 'RETROHUNT_TEST_ABSENT' }",
            "kind = 'webhook'\nurl = { file = '/no/such/file' }",
            "kind = 'webhook'\nurl = ['hunter2']",
            "kind = 'webhook'\nurl = 'https://h/'\nheaders = 'hunter2'",
            "kind = 'webhook'\nurl = 'https://h/'\nheaders = { Authorization = ['hunter2'] }",
            "kind = 'webhook'\nurl = 'https://h/'\nheaders = { 'a b' = 'hunter2' }",
            "kind = 'webhook'\nurl = 'https://h/'\nheaders = { Authorization = \"hunter2\\u0001\" }",
            "kind = 'webhook'\nurl = 'https://h/'\ntemplate = '/no/such/template'",
            "kind = 'webhook'\nurl = 'https://h/'\ntemplate = 'slack'\nbatch = 5",
            "kind = 'webhook'\nurl = 'https://h/'\nbatch = 0",
            "kind = 'syslog'\naddress = 'localhost'",
            "kind = 'syslog'\naddress = 'udp://localhost:514'\nfacility = 'kern'",
            "kind = 'syslog'\naddress = 'udp://localhost:514'\nhostname = 'a b'",
            "kind = 'syslog'\naddress = 'udp://localhost:514'\nmax_size = '1MB'",
            "kind = 'syslog'\naddress = 'tcp://localhost:514'\nmax_size = '100'",
            "kind = 'object'\nurl = 'ftp://bucket'",
            "kind = 'object'\nurl = 's3://bucket?sig=hunter2'",
        ]
        .map(|text| opened(text).unwrap_err().to_string());
        let problems = problems.join("\n");
        assert!(!problems.contains("hunter2"), "{problems}");
        insta::assert_snapshot!(problems, @r#"
        [sinks.soc]: missing field `kind`
        [sinks.soc]: unknown variant `pigeon`, expected one of `stdout`, `file`, `webhook`, `syslog`, `object`
        [sinks.soc]: unknown field `colour`, there are no fields; every kind has changes, min_severity, suppressed, max_age, attempts, backoff, timeout as well
        [sinks.soc]: missing field `path`
        [sinks.soc] path: is empty; give a file
        [sinks.soc]: missing field `url`
        [sinks.soc] url: is no http:// or https:// URL
        [sinks.soc] url: is no http:// or https:// URL
        [sinks.soc] url: the environment variable RETROHUNT_TEST_ABSENT is not set
        [sinks.soc] url: the file /no/such/file cannot be read: No such file or directory
        [sinks.soc]: url: write { env = "NAME" }, { file = "/path" } or a text
        [sinks.soc]: write headers = { NAME = { env = "VARIABLE" } }
        [sinks.soc]: header Authorization: write { env = "NAME" }, { file = "/path" } or a text
        [sinks.soc] headers.a b: is no name of a header
        [sinks.soc] headers.authorization: holds characters that a header cannot have
        [sinks.soc] template: "/no/such/template" is neither json, slack or teams nor a template that can be read: No such file or directory
        [sinks.soc] batch: goes with template = "json" alone
        [sinks.soc] batch: must be 1 or more
        [sinks.soc] address: "localhost" is no address; write udp://HOST:514, tcp://HOST:601 or unix:///dev/log
        [sinks.soc]: unknown variant `kern`, expected one of `user`, `daemon`, `auth`, `authpriv`, `audit`, `alert`, `local0`, `local1`, `local2`, `local3`, `local4`, `local5`, `local6`, `local7`
        [sinks.soc] hostname: is no name of a machine: up to 255 letters, digits and marks of ASCII without a space
        [sinks.soc] max_size: must be from 2048 to 65507 bytes here
        [sinks.soc] max_size: must be from 2048 to 16777216 bytes here
        [sinks.soc] url: the scheme "ftp" is none that is read or written: give a folder, s3://, az:// or abfss://
        [sinks.soc] url: the URL has a password, a ? or a #; credentials belong in the environment
        "#);
    }
}
