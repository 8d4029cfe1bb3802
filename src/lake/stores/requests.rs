//! Counts what is asked of a store.

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A store that counts the requests made of it, by how stores price them. What was repeated
/// because it failed counts once.
#[derive(Debug)]
pub struct Requests {
    inner: Arc<dyn ObjectStore>,
    put: Arc<AtomicU64>,
    get: AtomicU64,
    list: Arc<AtomicU64>,
    delete: AtomicU64,
}

/// How many requests were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Objects, and parts of them, written; copies.
    pub put: u64,
    /// Objects, and ranges of them, read; questions about one.
    pub get: u64,
    /// Pages of lists.
    pub list: u64,
    /// Deletions, many objects at once.
    pub delete: u64,
}

/// Objects on a page of a list.
const PAGE: u64 = 1000;

impl Requests {
    /// None yet.
    pub fn of(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            put: Arc::default(),
            get: AtomicU64::new(0),
            list: Arc::default(),
            delete: AtomicU64::new(0),
        }
    }

    /// How many were made, of all kinds.
    pub fn made(&self) -> u64 {
        let made = self.by_kind();
        made.put + made.get + made.list + made.delete
    }

    /// How many were made of each kind.
    pub fn by_kind(&self) -> Made {
        Made {
            put: self.put.load(Ordering::Relaxed),
            get: self.get.load(Ordering::Relaxed),
            list: self.list.load(Ordering::Relaxed),
            delete: self.delete.load(Ordering::Relaxed),
        }
    }

    fn one_more(&self, of: &AtomicU64) -> &dyn ObjectStore {
        of.fetch_add(1, Ordering::Relaxed);
        self.inner.as_ref()
    }

    /// A list, each page of which is a request.
    fn listed(&self, objects: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (pages, mut seen) = (Arc::clone(&self.list), 0);
        let each = objects.inspect(move |_| {
            seen += 1;
            // The first page was counted when the list was asked for.
            if seen % PAGE == 0 {
                pages.fetch_add(1, Ordering::Relaxed);
            }
        });
        each.boxed()
    }
}

/// Requests for ranges of one object: those near each other are read together.
pub fn requests_for(ranges: &[Range<u64>]) -> u64 {
    let mut sorted: Vec<&Range<u64>> = ranges.iter().collect();
    sorted.sort_by_key(|range| range.start);
    let (mut requests, mut end): (u64, Option<u64>) = (0, None);
    for range in sorted {
        match end {
            Some(before) if range.start <= before + OBJECT_STORE_COALESCE_DEFAULT => end = Some(before.max(range.end)),
            _ => {
                requests += 1;
                end = Some(range.end);
            }
        }
    }
    requests
}

/// An upload whose parts are counted.
#[derive(Debug)]
struct Parts {
    inner: Box<dyn MultipartUpload>,
    put: Arc<AtomicU64>,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.put.fetch_add(1, Ordering::Relaxed);
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.put.fetch_add(1, Ordering::Relaxed);
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

impl std::fmt::Display for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Requests {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.one_more(&self.put).put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.one_more(&self.put).put_multipart_opts(location, options).await?;
        let put = Arc::clone(&self.put);
        Ok(Box::new(Parts { inner, put }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.one_more(&self.get).get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        self.get.fetch_add(requests_for(ranges), Ordering::Relaxed);
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.one_more(&self.delete).delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.one_more(&self.list).list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.one_more(&self.list).list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.one_more(&self.list).list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.one_more(&self.put).copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.one_more(&self.put).rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt as _;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;

    #[tokio::test]
    async fn requests_are_counted_by_kind() {
        let store = Requests::of(Arc::new(InMemory::new()));
        for number in 0..3 {
            let path = Path::from(format!("a/{number}"));
            store.put(&path, PutPayload::from_static(b"hello")).await.unwrap();
        }
        let path = Path::from("a/1");
        store.get(&path).await.unwrap();
        store.head(&path).await.unwrap();
        store.get_ranges(&path, &[0..1, 2..3]).await.unwrap();
        let listed: Vec<ObjectMeta> = store.list(None).try_collect().await.unwrap();
        assert_eq!(listed.len(), 3);
        store.delete(&path).await.unwrap();
        let made = store.by_kind();
        assert_eq!((made.put, made.get, made.list, made.delete), (3, 3, 1, 1));
        assert_eq!(store.made(), 8);
    }

    #[test]
    fn ranges_far_apart_are_requests_of_their_own() {
        let far = 3 * OBJECT_STORE_COALESCE_DEFAULT;
        assert_eq!(requests_for(&[]), 0);
        assert_eq!(requests_for(&[5..9, 0..3, 20..30]), 1);
        assert_eq!(requests_for(&[far..far + 1, 0..3]), 2);
    }
}
