//! Amazon S3, and servers that speak its protocol.
//!
//! Settings and credentials in the order of Amazon's own tools: environment variables
//! (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, ...), the profile of
//! `~/.aws/config` and `~/.aws/credentials`, web identity, container, instance.

use super::aws_profile::{Profile, ProfileCredentials};
use super::{client_options, unusable, variable};
use crate::error::Result;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{ObjectStore, RetryConfig};
use std::sync::Arc;
use url::Url;

/// Other ways to credentials that the environment can tell of; each goes before the profile.
const OTHER_WAYS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

pub(super) fn open(url: &Url, retries: RetryConfig) -> Result<Arc<dyn ObjectStore>> {
    let profile = Profile::load()?;
    let setting = |variables: &[&str], key: &str| {
        let in_environment = variables.iter().find_map(|name| variable(name));
        in_environment.or_else(|| profile.get(key).map(str::to_owned))
    };
    let endpoint = setting(
        &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"],
        "endpoint_url",
    );
    let mut builder = AmazonS3Builder::from_env()
        .with_url(url.as_str())
        .with_retry(retries)
        .with_client_options(client_options(endpoint.as_deref()));
    if let Some(endpoint) = endpoint {
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    if let Some(region) = setting(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region") {
        builder = builder.with_region(region);
    }
    let named = variable("AWS_PROFILE").is_some();
    let other = OTHER_WAYS.iter().any(|name| variable(name).is_some());
    let profile_counts = (named && variable("AWS_ACCESS_KEY_ID").is_none()) || !other;
    if profile_counts && let Some(credentials) = ProfileCredentials::of(profile) {
        builder = builder.with_credentials(Arc::new(credentials));
    }
    let store = builder.build().map_err(|error| unusable(url, &error))?;
    Ok(Arc::new(store))
}
