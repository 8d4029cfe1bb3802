//! `kind = "object"`: one JSONL object per batch in a bucket, a container or a folder.

use super::{Outcome, Sink, json_lines, wrong_setting};
use crate::alerts::Revision;
use crate::error::{Error, Result};
use crate::lake::stores;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Settings of `kind = "object"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectSettings {
    /// `s3://BUCKET/FOLDER`, `az://CONTAINER/FOLDER`, `abfss://...` or a folder. Credentials are
    /// found where those of a lake are.
    pub url: String,
}

/// Writes each batch as one object, under a name that the batch alone decides: sent again, it
/// overwrites itself.
pub struct ObjectSink {
    name: String,
    shown: String,
    folder: Path,
    store: Arc<dyn ObjectStore>,
    timeout: Duration,
}

impl std::fmt::Debug for ObjectSink {
    /// Without the store, which knows secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectSink")
            .field("name", &self.name)
            .field("url", &self.shown)
            .finish_non_exhaustive()
    }
}

impl ObjectSink {
    /// A sink with a name. Asks nothing of the store yet.
    pub fn new(name: &str, settings: &ObjectSettings, timeout: Duration) -> Result<Self> {
        let url = stores::parse("url", &settings.url).map_err(|error| match error {
            Error::Setting { problem, .. } => wrong_setting(name, "url", problem),
            other => other,
        })?;
        let folder = Path::from_url_path(url.path());
        let folder = folder.map_err(|error| wrong_setting(name, "url", error.to_string()))?;
        let shown = match url.to_file_path() {
            Ok(path) => path.display().to_string(),
            Err(()) => url.to_string(),
        };
        let shown = shown.trim_end_matches('/').to_owned();
        Ok(Self::in_store(name, shown, folder, stores::open(&url)?, timeout))
    }

    /// A sink with a name that writes below a folder of a store of one's own, which errors call
    /// as shown.
    pub fn in_store(name: &str, shown: String, folder: Path, store: Arc<dyn ObjectStore>, timeout: Duration) -> Self {
        Self {
            name: name.to_owned(),
            shown,
            folder,
            store,
            timeout,
        }
    }
}

#[async_trait]
impl Sink for ObjectSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, revisions: &[&Revision]) -> Outcome {
        let Some(first) = revisions.first() else {
            return Outcome::sent(0);
        };
        let written = async {
            let lines = json_lines(revisions)?;
            let place = object_name(first, revisions)
                .into_iter()
                .fold(self.folder.clone(), |path, part| path.join(part));
            let put = self.store.put(&place, lines.into());
            match tokio::time::timeout(self.timeout, put).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(without_queries(without_number(&error.to_string()))),
                Err(_) => Err(super::within::no_answer(self.timeout)),
            }
        };
        let written = written.await.map_err(|problem| format!("{}: {problem}", self.shown));
        Outcome::together(revisions.len(), written)
    }
}

/// Folders of the day, and a name. That of several revisions has a hash of them all: another
/// batch that begins with the same one must not overwrite this one.
fn object_name(first: &Revision, revisions: &[&Revision]) -> Vec<String> {
    let recorded: DateTime<Utc> = DateTime::from_timestamp_micros(first.recorded).unwrap_or_default();
    let mut name = format!(
        "{}-{}-{}",
        recorded.format("%Y%m%dT%H%M%S%.6fZ"),
        first.alert.alert_id,
        first.revision
    );
    if revisions.len() > 1 {
        let mut hasher = Sha256::new();
        for revision in revisions {
            hasher.update(format!("{} {}\n", revision.alert.alert_id, revision.revision));
        }
        let hash: String = hasher
            .finalize()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        name = format!("{name}-{hash}");
    }
    let day = ["%Y", "%m", "%d"].map(|part| recorded.format(part).to_string());
    day.into_iter().chain([format!("{name}.jsonl")]).collect()
}

/// What a store says, without the system's number for it.
fn without_number(text: &str) -> &str {
    text.split(" (os error ").next().unwrap_or(text)
}

/// What a store says, without what is after the `?` of a URL: it may be a signature.
fn without_queries(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        match word.split_once('?') {
            Some((url, _)) if url.contains("://") => words.push(format!("{url}?...")),
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{quick, revision};
    use super::*;
    use object_store::memory::InMemory;

    async fn names(store: &InMemory) -> Vec<String> {
        use futures::TryStreamExt as _;
        let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
        listed.into_iter().map(|object| object.location.to_string()).collect()
    }

    #[tokio::test]
    async fn a_batch_overwrites_itself_and_no_other() {
        let store = Arc::new(InMemory::new());
        let shared: Arc<dyn ObjectStore> = Arc::clone(&store) as _;
        let sink = ObjectSink::in_store("o", "memory".into(), Path::from("a/b"), shared, quick().timeout);
        let (one, two, three) = (&revision(1), &revision(2), &revision(3));
        for batch in [&[one][..], &[one, two], &[one, two], &[one, three], &[one]] {
            assert_eq!(sink.send(batch).await, Outcome::sent(batch.len()));
        }
        let names = names(&store).await;
        assert_eq!(names.len(), 3, "{names:?}");
        let alone = format!("a/b/2026/03/01/20260301T000001.000001Z-{}-1.jsonl", one.alert.alert_id);
        assert!(names.contains(&alone), "{names:?}");
    }

    #[test]
    fn signatures_are_not_shown() {
        let shown = without_queries("Error performing PUT https://a.example/c/x?sv=2024&sig=hunter2 in 1s, why?");
        assert_eq!(shown, "Error performing PUT https://a.example/c/x?... in 1s, why?");
    }

    #[test]
    fn a_place_that_is_none_is_named() {
        let url = |url: &str| ObjectSettings { url: url.into() };
        let problem = |text: &str| {
            let sink = ObjectSink::new("archive", &url(text), quick().timeout);
            sink.unwrap_err().to_string()
        };
        assert!(
            problem("").starts_with("[sinks.archive] url: is empty"),
            "{}",
            problem("")
        );
        let secret = problem("az://container/folder?sig=hunter2");
        assert!(!secret.contains("hunter2"), "{secret}");
        assert!(problem("gs://bucket").contains("s3://"));
    }
}
