//! A profile of Amazon's tools: `~/.aws/config` and `~/.aws/credentials`.
//!
//! Keys in it are used as they are, and so is what its `credential_process` prints. Everything
//! else that a profile can mean (single sign-on, assumed roles) is Amazon's own command line's
//! to do, which prints what it gets in the same form.

use super::variable;
use crate::error::{Error, Result};
use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::process::Command;
use tokio::sync::Mutex;

/// Credentials that end sooner are got anew.
const MARGIN: Duration = Duration::from_secs(300);

/// What the files say of one profile.
#[derive(Debug, Default)]
pub(super) struct Profile {
    name: String,
    settings: HashMap<String, String>,
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, or `default`. That a file is absent is no error;
    /// that a named profile is, is one.
    pub(super) fn load() -> Result<Self> {
        let named = variable("AWS_PROFILE");
        let read = |variable_name: &str, file: &str| {
            let path = variable(variable_name).map(PathBuf::from);
            let path = path.or_else(|| Some(std::env::home_dir()?.join(".aws").join(file)))?;
            std::fs::read_to_string(path).ok()
        };
        let config = read("AWS_CONFIG_FILE", "config").unwrap_or_default();
        let credentials = read("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
        let name = named.clone().unwrap_or_else(|| "default".into());
        match Self::parse(&name, &config, &credentials) {
            Some(profile) => Ok(profile),
            None if named.is_some() => Err(Error::Setting {
                setting: format!("AWS_PROFILE={name}"),
                problem: "neither ~/.aws/config nor ~/.aws/credentials has this profile".into(),
            }),
            None => Ok(Self::default()),
        }
    }

    fn parse(name: &str, config: &str, credentials: &str) -> Option<Self> {
        let mut settings = HashMap::new();
        let mut found = false;
        for text in [config, credentials] {
            let mut inside = false;
            for line in text.lines() {
                if let Some(section) = line.trim().strip_prefix('[') {
                    let section = section.split(']').next().unwrap_or_default().trim();
                    inside = section.strip_prefix("profile").map_or(section, str::trim) == name;
                    found |= inside;
                } else if inside
                    && !line.starts_with([' ', '\t', '#', ';'])
                    && let Some((key, value)) = line.split_once('=')
                {
                    // Indented lines belong to a section within the setting above them.
                    settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
                }
            }
        }
        found.then(|| Self {
            name: name.to_owned(),
            settings,
        })
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.settings
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// Credentials of a profile, got when they are first needed and again before they end.
#[derive(Debug)]
pub(super) struct ProfileCredentials {
    source: Source,
    current: Mutex<Option<Current>>,
}

enum Source {
    Keys(Arc<AwsCredential>),
    /// A program that prints credentials, and how to call it in an error.
    Process {
        command: Vec<String>,
        shown: String,
    },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The command of a process may hold a secret.
        f.write_str(match self {
            Self::Keys(_) => "Keys",
            Self::Process { .. } => "Process",
        })
    }
}

#[derive(Debug)]
struct Current {
    credential: Arc<AwsCredential>,
    until: Option<SystemTime>,
}

impl ProfileCredentials {
    /// None where the profile has no credentials and no way to any.
    pub(super) fn of(profile: Profile) -> Option<Self> {
        let source = match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
            (Some(key), Some(secret)) => Source::Keys(Arc::new(AwsCredential {
                key_id: key.to_owned(),
                secret_key: secret.to_owned(),
                token: profile.get("aws_session_token").map(str::to_owned),
            })),
            _ => match profile.get("credential_process") {
                Some(process) => Source::Process {
                    command: shell(process),
                    shown: format!("credential_process of the AWS profile {}", profile.name),
                },
                None if ["sso_session", "sso_start_url", "role_arn", "login_session"]
                    .iter()
                    .any(|key| profile.get(key).is_some()) =>
                {
                    let command = [
                        "aws",
                        "configure",
                        "export-credentials",
                        "--format",
                        "process",
                        "--profile",
                    ];
                    let command: Vec<String> = command
                        .into_iter()
                        .chain([profile.name.as_str()])
                        .map(Into::into)
                        .collect();
                    Source::Process {
                        shown: command.join(" "),
                        command,
                    }
                }
                None => return None,
            },
        };
        Some(Self {
            source,
            current: Mutex::default(),
        })
    }
}

fn shell(command: &str) -> Vec<String> {
    match cfg!(windows) {
        true => vec!["cmd".into(), "/C".into(), command.into()],
        false => vec!["sh".into(), "-c".into(), command.into()],
    }
}

/// What a credential process prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<chrono::DateTime<chrono::Utc>>,
}

#[async_trait]
impl CredentialProvider for ProfileCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let (command, shown) = match &self.source {
            Source::Keys(credential) => return Ok(Arc::clone(credential)),
            Source::Process { command, shown } => (command, shown),
        };
        let mut current = self.current.lock().await;
        if let Some(known) = current.as_ref()
            && known.until.is_none_or(|until| until > SystemTime::now() + MARGIN)
        {
            return Ok(Arc::clone(&known.credential));
        }
        let failed = |problem: String| object_store::Error::Generic {
            store: "S3",
            source: format!("no credentials: {shown}: {problem}").into(),
        };
        let (program, arguments) = command.split_first().ok_or_else(|| failed("is empty".into()))?;
        let mut child = Command::new(program);
        child
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        let output = child.output().await.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(said.trim().to_owned()));
        }
        // Not the error: it would quote what was printed.
        let printed: Printed =
            serde_json::from_slice(&output.stdout).map_err(|_| failed("did not print credentials as JSON".into()))?;
        let credential = Arc::new(AwsCredential {
            key_id: printed.access_key_id,
            secret_key: printed.secret_access_key,
            token: printed.session_token,
        });
        *current = Some(Current {
            credential: Arc::clone(&credential),
            until: printed.expiration.map(Into::into),
        });
        Ok(credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\ns3 =\n  endpoint_url = http://nested\n\n[profile hunt]\nregion=eu-central-1\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"S\",\"SessionToken\":\"T\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n";
    const CREDENTIALS: &str = "# keys\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key = secret=1\n";

    #[tokio::test]
    async fn keys_and_processes() {
        let profile = |name| Profile::parse(name, CONFIG, CREDENTIALS);
        let default = profile("default").unwrap();
        assert_eq!(default.get("region"), Some("eu-west-1"));
        assert_eq!(default.get("endpoint_url"), None);
        let credentials = ProfileCredentials::of(default).unwrap();
        assert!(!format!("{credentials:?}").contains("secret=1"));
        assert_eq!(credentials.get_credential().await.unwrap().secret_key, "secret=1");

        let hunt = profile("hunt").unwrap();
        assert_eq!(hunt.get("region"), Some("eu-central-1"));
        let credential = ProfileCredentials::of(hunt).unwrap().get_credential().await.unwrap();
        assert_eq!(
            (credential.key_id.as_str(), credential.token.as_deref()),
            ("AK", Some("T"))
        );
        assert!(profile("absent").is_none());
    }

    #[tokio::test]
    async fn a_process_that_fails_says_so_without_what_it_printed() {
        let config = "[default]\ncredential_process = echo hunter2; echo sign in first >&2; exit 1\n";
        let credentials = ProfileCredentials::of(Profile::parse("default", config, "").unwrap()).unwrap();
        let problem = credentials.get_credential().await.unwrap_err().to_string();
        assert!(
            problem.contains("sign in first") && !problem.contains("hunter2"),
            "{problem}"
        );
    }
}
