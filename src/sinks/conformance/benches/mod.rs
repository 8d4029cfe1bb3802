//! What sinks send to in the suite: one bench for each kind.

pub(super) mod places;
pub(super) mod stdout;
pub(super) mod syslog;
pub(super) mod webhook;

use super::super::{Output, Settings, Sink};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A receiver that can stop working and be repaired.
#[async_trait]
pub(super) trait Bench: Sized + Send + Sync {
    /// Bytes of the longest alert that is sent whole, where there is a limit.
    const MOST: Option<usize> = None;

    async fn start() -> Self;

    /// A sink that sends here.
    fn sink(&self) -> Box<dyn Sink>;

    /// Nothing more is taken.
    async fn stop_working(&self);

    /// From now on everything is taken.
    async fn repair(&self);

    /// What has arrived, in order, each as JSON.
    async fn received(&self) -> Vec<String>;

    /// A receiver that takes and never answers, if there is such a thing, and a sink to it with
    /// this timeout.
    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)>;
}

/// A sink from settings as they are written.
fn sink(settings: &str) -> Box<dyn Sink> {
    let nowhere: Output = Arc::new(Mutex::new(Vec::new()));
    let mut settings = Settings::read("soc", &toml::Value::Table(toml::from_str(settings).unwrap())).unwrap();
    settings.policy.timeout = super::quick().timeout;
    settings.open(&nowhere).unwrap()
}
