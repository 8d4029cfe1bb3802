//! Where bytes are: a disk, Amazon S3 and what speaks its protocol, Azure Blob.
//!
//! A store is rooted at its bucket or container; on a disk, at the root of the file system.

mod aws;
mod aws_profile;
mod azure;
mod disk;
mod location;
mod persistent;
mod requests;

pub use location::{is_url, parse};
pub use requests::{Made, Requests, requests_for};

use persistent::Persistent;

use crate::error::{Error, Result};
use object_store::ObjectStore;
use object_store::{ClientOptions, RetryConfig};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// For how long requests that a store refuses for now, or that get no answer, are made again.
const RETRY_SECONDS: u64 = 60;

/// The setting of it.
const RETRY_SETTING: &str = "RETROHUNT_STORE_RETRY_SECONDS";

/// Time for one request. None moves more than a few megabytes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The store of a location, with the credentials that its cloud's own tools would find. Nothing
/// is asked of it yet.
pub fn open(url: &Url) -> Result<Arc<dyn ObjectStore>> {
    let retries = retries()?;
    let patience = retries.retry_timeout;
    let store = match url.scheme() {
        "file" => return Ok(Arc::new(disk::Disk::default())),
        "s3" => aws::open(url, retries)?,
        "az" | "abfs" | "abfss" => azure::open(url, retries)?,
        scheme => return Err(Error::Internal(format!("no store for the scheme {scheme:?}"))),
    };
    Ok(Arc::new(Persistent::new(store, patience)))
}

fn retries() -> Result<RetryConfig> {
    let seconds = match variable(RETRY_SETTING) {
        None => RETRY_SECONDS,
        Some(text) => text.parse().map_err(|_| Error::Setting {
            setting: RETRY_SETTING.into(),
            problem: format!("{text:?} is no number of seconds"),
        })?,
    };
    Ok(RetryConfig {
        max_retries: if seconds == 0 { 0 } else { 10_000 },
        retry_timeout: Duration::from_secs(seconds),
        ..RetryConfig::default()
    })
}

/// For a server at this address; unencrypted only where somebody wrote `http:`.
fn client_options(endpoint: Option<&str>) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")))
        .with_timeout(REQUEST_TIMEOUT)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_user_agent(object_store::HeaderValue::from_static(concat!(
            "retrohunt/",
            env!("CARGO_PKG_VERSION")
        )))
}

/// An environment variable that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn unusable(url: &Url, error: &object_store::Error) -> Error {
    Error::Setting {
        setting: url.to_string(),
        problem: error.to_string(),
    }
}
