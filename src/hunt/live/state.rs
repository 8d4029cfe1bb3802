//! What detections keep between steps: files beside the tables, each written once.

use crate::error::{Error, Result};
use crate::lake::Lake;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// How hard states are compressed.
const LEVEL: i32 = 3;

/// The states of a detection: the folder `schedule/state/<detection>` of a lake.
#[derive(Debug, Clone)]
pub struct StateFiles {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    read: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
}

/// What was asked of the states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateRead {
    /// Bytes of files that were read.
    pub bytes: u64,
    /// Files that were read or written.
    pub requests: u64,
}

impl StateFiles {
    /// Those of a detection of a lake.
    pub fn of(lake: &Lake, detection: &str) -> Result<Self> {
        Ok(Self {
            store: Arc::clone(lake.store()),
            folder: folder(lake, &format!("schedule/state/{detection}"))?,
            read: Arc::default(),
            requests: Arc::default(),
        })
    }

    /// What was asked of them since they were made.
    pub fn figures(&self) -> StateRead {
        StateRead {
            bytes: self.read.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
        }
    }

    /// A file, whole.
    pub(super) async fn read(&self, name: &str) -> Result<Bytes> {
        let path = self.folder.clone().join(name);
        let failed = |error| Error::store(format!("cannot read the state {path}"), error);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let bytes = self
            .store
            .get(&path)
            .await
            .map_err(failed)?
            .bytes()
            .await
            .map_err(failed)?;
        self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Writes a file, and gives its name, which nobody else has.
    pub(super) async fn write(&self, extension: &str, bytes: Bytes) -> Result<String> {
        let name = format!("{}.{extension}", Uuid::new_v4());
        let path = self.folder.clone().join(name.as_str());
        self.requests.fetch_add(1, Ordering::Relaxed);
        let written = self.store.put(&path, bytes.into()).await;
        written.map_err(|error| Error::store(format!("cannot write the state {path}"), error))?;
        Ok(name)
    }

    /// Reads what [`Self::write_value`] wrote.
    pub(super) async fn read_value<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let damaged =
            |problem: String| Error::store(format!("the state {name} of {} is damaged", self.folder), problem);
        let bytes = self.read(name).await?;
        let text = zstd::decode_all(bytes.as_ref()).map_err(|error| damaged(error.to_string()))?;
        // Not serde_json, which reads some numbers only nearly.
        sonic_rs::from_slice(&text).map_err(|error| damaged(error.to_string()))
    }

    /// Writes a value as compressed JSON.
    pub(super) async fn write_value<T: Serialize>(&self, value: &T) -> Result<String> {
        let internal = |error: String| Error::Internal(format!("a state cannot be written: {error}"));
        let text = serde_json::to_vec(value).map_err(|error| internal(error.to_string()))?;
        let bytes = zstd::encode_all(text.as_slice(), LEVEL).map_err(|error| internal(error.to_string()))?;
        self.write("json.zst", bytes.into()).await
    }

    /// Names of all files that are there, and when they were written, milliseconds since the Unix
    /// epoch.
    pub async fn list(&self) -> Result<Vec<(String, i64)>> {
        use futures::TryStreamExt as _;
        let objects = self.store.list(Some(&self.folder));
        let names = objects.map_ok(|object| {
            let name = object.location.filename().unwrap_or_default().to_owned();
            (name, object.last_modified.timestamp_millis())
        });
        let failed = |error| Error::store(format!("cannot list {}", self.folder), error);
        names.try_collect().await.map_err(failed)
    }

    /// Removes files that are not needed any more. What cannot be removed stays.
    pub async fn remove(&self, names: &[String]) {
        for name in names {
            let _ = self.store.delete(&self.folder.clone().join(name.as_str())).await;
        }
    }
}

/// A folder of a lake as its store knows it.
fn folder(lake: &Lake, below: &str) -> Result<Path> {
    let url = lake.url().join(below);
    let url = url.map_err(|error| Error::Internal(format!("{below} has no place: {error}")))?;
    Path::from_url_path(url.path()).map_err(|error| Error::Internal(format!("{below} has no place: {error}")))
}
