//! Where lakes are made: the workspace, and below a URL.

use super::Bench;
use crate::error::{Error, Result};
use crate::lake::{Lake, stores};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Objects that are copied or deleted at once.
const AT_ONCE: usize = 16;

/// A place for lakes.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// A folder or URL, without a slash at its end.
    root: String,
    name: String,
}

impl Place {
    /// The workspace, and the store if there is one.
    pub(super) fn all(bench: &Bench) -> Result<Vec<Self>> {
        let mut places = vec![Self {
            root: bench.workspace.display().to_string(),
            name: "local".into(),
        }];
        if let Some(url) = &bench.store {
            let parsed = stores::parse("--store", url)?;
            let name = match parsed.scheme() {
                "file" => {
                    return Err(Error::Setting {
                        setting: format!("--store {url}"),
                        problem: "is no object store; the local disk is measured anyway, where --workspace is".into(),
                    });
                }
                "abfs" | "abfss" => "az",
                scheme => scheme,
            };
            places.push(Self {
                // Nobody else's.
                root: format!(
                    "{}/retrohunt-bench-{}",
                    url.trim_end_matches('/'),
                    Uuid::new_v4().simple()
                ),
                name: name.to_owned(),
            });
        }
        Ok(places)
    }

    /// As measurements name it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_local(&self) -> bool {
        self.name == "local"
    }

    /// A lake's location, as a command takes it.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    /// Copies a lake. On a disk the copy shares its files, which nobody changes.
    pub(super) async fn copy(&self, from: &str, to: &str) -> Result<()> {
        if self.is_local() {
            return link(Path::new(from), Path::new(to));
        }
        let (store, from) = of(from)?;
        let (_, to) = of(to)?;
        let copied = store.list(Some(&from)).map_ok(|object| {
            let rest: Vec<_> = object.location.prefix_match(&from).into_iter().flatten().collect();
            let target = rest.into_iter().fold(to.clone(), |path, part| path.join(part));
            let (store, source) = (Arc::clone(&store), object.location.clone());
            async move { store.copy(&source, &target).await }
        });
        let copied = copied.try_buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await;
        copied.map(drop).map_err(|source| failed("copy", &self.root, source))
    }

    /// Removes a lake.
    pub(super) async fn remove(&self, location: &str) -> Result<()> {
        if self.is_local() {
            let path = Path::new(location);
            return match path.exists() {
                true => fs::remove_dir_all(path).map_err(|source| Error::File {
                    path: path.to_owned(),
                    source,
                }),
                false => Ok(()),
            };
        }
        let (store, prefix) = of(location)?;
        let found = store.list(Some(&prefix)).map_ok(|object| object.location).boxed();
        let removed = store.delete_stream(found).try_collect::<Vec<_>>().await;
        removed.map(drop).map_err(|source| failed("remove", location, source))
    }

    /// Removes everything, but for what is in the workspace.
    pub(super) async fn clear(&self) -> Result<()> {
        match self.is_local() {
            true => Ok(()),
            false => self.remove(&self.root).await,
        }
    }
}

fn of(location: &str) -> Result<(Arc<dyn ObjectStore>, ObjectPath)> {
    let lake = Lake::at(location)?;
    let path = ObjectPath::from_url_path(lake.url().path());
    let path = path.map_err(|error| Error::Internal(format!("{location}: {error}")))?;
    Ok((Arc::clone(lake.store()), path))
}

fn failed(action: &str, place: &str, source: object_store::Error) -> Error {
    Error::Store {
        action: format!("cannot {action} {place}"),
        source: Box::new(source),
    }
}

fn link(from: &Path, to: &Path) -> Result<()> {
    let failed = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| Error::File { path, source }
    };
    fs::create_dir_all(to).map_err(failed(to))?;
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            link(&source, &target)?;
        } else if fs::hard_link(&source, &target).is_err() {
            // Not every file system has links.
            fs::copy(&source, &target).map_err(failed(&target))?;
        }
    }
    Ok(())
}
