//! Azure Blob Storage.
//!
//! Settings and credentials from the environment, as Azure's own tools read them:
//! `AZURE_STORAGE_CONNECTION_STRING`, `AZURE_STORAGE_ACCOUNT` with `AZURE_STORAGE_KEY` or
//! `AZURE_STORAGE_SAS_TOKEN`, a service principal (`AZURE_CLIENT_ID`, `AZURE_TENANT_ID`,
//! `AZURE_CLIENT_SECRET`), workload identity (`AZURE_FEDERATED_TOKEN_FILE`), the Azure CLI's
//! login, managed identity.

use super::{client_options, unusable, variable};
use crate::error::{Error, Result};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::{ObjectStore, RetryConfig};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";

/// Names that Azure's tools know and the library does not.
const NAMES: [(&str, AzureConfigKey); 2] = [
    ("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName),
    ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
];

pub(super) fn open(url: &Url, retries: RetryConfig) -> Result<Arc<dyn ObjectStore>> {
    let mut endpoint = variable("AZURE_STORAGE_ENDPOINT").or_else(|| variable("AZURE_ENDPOINT"));
    let mut builder = MicrosoftAzureBuilder::from_env();
    for (name, key) in NAMES {
        if let Some(value) = variable(name) {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(text) = variable(CONNECTION) {
        let connection = Connection::parse(&text)?;
        endpoint = endpoint.or_else(|| connection.endpoint.clone());
        builder = connection.configure(builder);
    }
    if let Some(endpoint) = &endpoint {
        builder = builder.with_config(AzureConfigKey::Endpoint, endpoint.trim_end_matches('/'));
    }
    let store = with_login(builder)
        .with_url(url.as_str())
        .with_retry(retries)
        .with_client_options(client_options(endpoint.as_deref()))
        .build();
    match store {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) if error.to_string().contains("Account must be specified") => Err(Error::Setting {
            setting: url.to_string(),
            problem: "which storage account? Set AZURE_STORAGE_ACCOUNT, or write \
                      abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER"
                .into(),
        }),
        Err(error) => Err(unusable(url, &error)),
    }
}

/// Without other credentials: the login of the Azure CLI, where there is one. On a machine of
/// Azure's, where nobody has logged in, its managed identity.
fn with_login(builder: MicrosoftAzureBuilder) -> MicrosoftAzureBuilder {
    use AzureConfigKey as Key;
    let keys = [
        Key::AccessKey,
        Key::SasKey,
        Key::Token,
        Key::ClientSecret,
        Key::FederatedTokenFile,
    ];
    let given = keys.iter().any(|key| builder.get_config_value(key).is_some());
    let folder = std::env::var_os("AZURE_CONFIG_DIR").map(Into::into);
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".azure")));
    let logged_in = folder.is_some_and(|folder: std::path::PathBuf| folder.join("azureProfile.json").is_file());
    match !given && logged_in && variable("AZURE_USE_AZURE_CLI").is_none() {
        true => builder.with_use_azure_cli(true),
        false => builder,
    }
}

/// What a connection string says, as the Azure portal gives it.
#[derive(Default)]
struct Connection {
    account: Option<String>,
    key: Option<String>,
    sas: Option<String>,
    endpoint: Option<String>,
}

impl Connection {
    fn parse(text: &str) -> Result<Self> {
        let wrong = |problem: &str| Error::Setting {
            setting: CONNECTION.into(),
            problem: problem.into(),
        };
        let mut parts: HashMap<String, &str> = HashMap::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| wrong("has a part without ="))?;
            parts.insert(name.to_ascii_lowercase(), value);
        }
        let part = |name: &str| parts.get(name).map(|value| (*value).to_owned());
        if part("usedevelopmentstorage").is_some_and(|value| value == "true") {
            return Err(wrong("for the emulator, set AZURE_STORAGE_USE_EMULATOR=true instead"));
        }
        let account = part("accountname");
        let endpoint = part("blobendpoint").or_else(|| {
            let protocol = parts.get("defaultendpointsprotocol").unwrap_or(&"https");
            let suffix = parts.get("endpointsuffix")?;
            Some(format!("{protocol}://{}.blob.{suffix}", account.as_deref()?))
        });
        if account.is_none() && endpoint.is_none() {
            return Err(wrong("names neither AccountName nor BlobEndpoint"));
        }
        // The account of an endpoint such as https://account.blob.core.windows.net.
        let of_host = || {
            let host = endpoint.as_deref()?.split("://").nth(1)?;
            Some(host.split(['.', '/', ':']).next()?.to_owned())
        };
        Ok(Self {
            account: account.or_else(of_host),
            key: part("accountkey"),
            sas: part("sharedaccesssignature"),
            endpoint,
        })
    }

    fn configure(self, builder: MicrosoftAzureBuilder) -> MicrosoftAzureBuilder {
        let settings = [
            (AzureConfigKey::AccountName, self.account),
            (AzureConfigKey::AccessKey, self.key),
            (AzureConfigKey::SasKey, self.sas),
        ];
        let given = settings.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given.fold(builder, |builder, (key, value)| builder.with_config(key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings() {
        let text =
            "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=a+b/c==;EndpointSuffix=core.windows.net";
        let full = Connection::parse(text).unwrap();
        assert_eq!(full.account.as_deref(), Some("contoso"));
        assert_eq!(full.key.as_deref(), Some("a+b/c=="));
        assert_eq!(full.endpoint.as_deref(), Some("https://contoso.blob.core.windows.net"));
        let sas = "BlobEndpoint=https://contoso.blob.core.windows.net/;SharedAccessSignature=sv=2024&sig=x%3D";
        let sas = Connection::parse(sas).unwrap();
        assert_eq!(sas.account.as_deref(), Some("contoso"));
        assert_eq!(sas.sas.as_deref(), Some("sv=2024&sig=x%3D"));
        for wrong in ["", "AccountKey=secret", "secret"] {
            let problem = Connection::parse(wrong).err().unwrap().to_string();
            assert!(problem.contains(CONNECTION) && !problem.contains("secret"), "{problem}");
        }
    }
}
