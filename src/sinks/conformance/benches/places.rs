//! A file, and a folder of objects.

use super::super::super::{ObjectSink, Sink};
use super::{Bench, sink};
use async_trait::async_trait;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// A file in a folder, which goes away.
pub(in super::super) struct File(TempDir);

impl File {
    fn folder(&self) -> PathBuf {
        self.0.path().join("here")
    }
}

#[async_trait]
impl Bench for File {
    async fn start() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(bench.folder()).unwrap();
        bench
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!(
            "kind = 'file'\npath = '{}/alerts.jsonl'",
            self.folder().display()
        ))
    }

    async fn stop_working(&self) {
        std::fs::rename(self.folder(), self.0.path().join("away")).unwrap();
    }

    async fn repair(&self) {
        std::fs::rename(self.0.path().join("away"), self.folder()).unwrap();
    }

    async fn received(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder().join("alerts.jsonl")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    async fn never_answering(_: Duration) -> Option<(Self, Box<dyn Sink>)> {
        None
    }
}

/// A folder of objects, in whose place there is a file for a while.
pub(in super::super) struct Object(TempDir);

impl Object {
    fn folder(&self) -> PathBuf {
        self.0.path().join("a folder")
    }
}

#[async_trait]
impl Bench for Object {
    async fn start() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(bench.folder()).unwrap();
        bench
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!("kind = 'object'\nurl = '{}'", self.folder().display()))
    }

    async fn stop_working(&self) {
        std::fs::rename(self.folder(), self.0.path().join("away")).unwrap();
        std::fs::write(self.folder(), "").unwrap();
    }

    async fn repair(&self) {
        std::fs::remove_file(self.folder()).unwrap();
        std::fs::rename(self.0.path().join("away"), self.folder()).unwrap();
    }

    async fn received(&self) -> Vec<String> {
        let pattern = self.folder().join("*/*/*/*");
        let files = glob::glob(pattern.to_str().unwrap()).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap()).unwrap());
        texts
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)> {
        let slow = ThrottleConfig {
            wait_put_per_call: Duration::from_secs(3600),
            ..ThrottleConfig::default()
        };
        let store = Arc::new(ThrottledStore::new(InMemory::new(), slow));
        let sink = ObjectSink::in_store("soc", "memory".into(), Path::from("a"), store, timeout);
        Some((Self::start().await, Box::new(sink)))
    }
}
