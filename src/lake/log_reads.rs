//! Reads each file of a table's log once.
//!
//! The Delta reader goes over the commits of a log twice, and reads a checkpoint in pieces. On a
//! disk that costs nothing. Each request to a store takes as long as a megabyte, so here a file
//! of the log comes whole with its first request, and later ones get it from memory until the
//! table is open ([`LogReads::forget`]). Nobody ever changes such a file.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _, stream};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A file of the log and what the store says of it.
#[derive(Debug, Clone)]
struct Known {
    meta: ObjectMeta,
    bytes: Bytes,
}

type Files = HashMap<Path, Arc<OnceCell<Known>>>;

/// A store whose logs are read once.
#[derive(Debug)]
pub(super) struct LogReads {
    inner: Arc<dyn ObjectStore>,
    files: Mutex<Files>,
}

impl LogReads {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            files: Mutex::default(),
        }
    }

    /// Gives the memory back.
    pub(super) fn forget(&self) {
        self.files().clear();
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn known(&self, location: &Path) -> Result<Known> {
        let cell = Arc::clone(self.files().entry(location.clone()).or_default());
        let known = cell.get_or_try_init(|| async {
            let result = self.inner.get(location).await?;
            let meta = result.meta.clone();
            let bytes = result.bytes().await?;
            Ok::<_, object_store::Error>(Known { meta, bytes })
        });
        known.await.cloned()
    }
}

/// A commit, or a checkpoint; `_last_checkpoint`, which changes, is neither.
fn is_of_log(location: &Path) -> bool {
    let mut parts = location.parts().rev();
    let (name, folder) = (parts.next(), parts.next());
    let in_log = folder.is_some_and(|folder| folder.as_ref() == "_delta_log");
    in_log && name.is_some_and(|name| name.as_ref().starts_with(|first: char| first.is_ascii_digit()))
}

impl std::fmt::Display for LogReads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for LogReads {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let conditional = options.if_match.is_some()
            || options.if_none_match.is_some()
            || options.if_modified_since.is_some()
            || options.if_unmodified_since.is_some()
            || options.version.is_some();
        if !is_of_log(location) || conditional || options.head {
            return self.inner.get_opts(location, options).await;
        }
        let Known { meta, bytes } = self.known(location).await?;
        let range = match &options.range {
            None => 0..meta.size,
            Some(range) => range
                .as_range(meta.size)
                .map_err(|error| object_store::Error::Generic {
                    store: "log",
                    source: Box::new(error),
                })?,
        };
        let part = bytes.slice(range.start as usize..range.end as usize);
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async move { Ok(part) }).boxed()),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if !is_of_log(location) {
            return self.inner.get_ranges(location, ranges).await;
        }
        let bytes = self.known(location).map(|known| known.map(|known| known.bytes)).await?;
        let part = |range: &Range<u64>| {
            let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
            let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
            bytes.slice(start..end)
        };
        Ok(ranges.iter().map(part).collect())
    }

    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
