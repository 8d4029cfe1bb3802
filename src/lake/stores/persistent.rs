//! A store that is asked again.
//!
//! The library makes a request again that was refused for now or not answered. It does not when
//! the answer ends too early, nor when it is an error whose text does. Whatever changes nothing,
//! or gives the same when it is done twice, is asked for again here. A write that must not
//! replace anything is not: who asks for that finds out whether it was done.
//!
//! And a store that is not believed: some servers list everything, whatever name a list is to
//! begin after, and a log of which old commits are listed again looks like one of another table.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often something is asked for again.
const TIMES: u32 = 4;

/// Before it is asked for the second time; twice as long before each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A store behind a connection.
#[derive(Debug)]
pub(super) struct Persistent {
    inner: Arc<dyn ObjectStore>,
    /// The library has spent as long on a request that it gives up: no use in asking again.
    patience: Duration,
}

impl Persistent {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, patience: Duration) -> Self {
        Self { inner, patience }
    }
}

async fn again<T, F: Future<Output = Result<T>>>(patience: Duration, mut ask: impl FnMut() -> F) -> Result<T> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    for _ in 0..TIMES {
        match ask().await {
            Err(Error::Generic { .. }) if begun.elapsed() + pause < patience => {}
            answered => return answered,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    ask().await
}

/// A list is made from its begin again, and shown when it is whole.
fn listed(
    patience: Duration,
    list: impl Fn() -> BoxStream<'static, Result<ObjectMeta>> + Send + Sync + 'static,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let whole = async move { again(patience, || list().try_collect::<Vec<ObjectMeta>>()).await };
    let objects = stream::once(whole).map_ok(|objects| stream::iter(objects).map(Ok));
    objects.try_flatten().boxed()
}

impl std::fmt::Display for Persistent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Persistent {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match options.mode {
            PutMode::Overwrite => {
                let put = || self.inner.put_opts(location, payload.clone(), options.clone());
                again(self.patience, put).await
            }
            PutMode::Create | PutMode::Update(_) => self.inner.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        again(self.patience, || self.inner.get_opts(location, options.clone())).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        again(self.patience, || self.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (inner, prefix) = (Arc::clone(&self.inner), prefix.cloned());
        listed(self.patience, move || inner.list(prefix.as_ref()))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let (inner, prefix, offset) = (Arc::clone(&self.inner), prefix.cloned(), offset.clone());
        listed(self.patience, move || {
            let after = offset.clone();
            let objects = inner.list_with_offset(prefix.as_ref(), &offset);
            let behind = move |object: &ObjectMeta| std::future::ready(object.location > after);
            objects.try_filter(behind).boxed()
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        again(self.patience, || self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn failure() -> Error {
        Error::Generic {
            store: "test",
            source: "cut off".into(),
        }
    }

    #[tokio::test]
    async fn what_may_pass_is_asked_for_again() {
        let asked = AtomicU32::new(0);
        let patience = Duration::from_secs(60);
        let ask = |failures: u32| {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            async move { if number < failures { Err(failure()) } else { Ok(number) } }
        };
        assert_eq!(again(patience, || ask(3)).await.unwrap(), 3);
        asked.store(0, Ordering::Relaxed);
        assert!(again(patience, || ask(u32::MAX)).await.is_err());
        assert_eq!(asked.swap(0, Ordering::Relaxed), TIMES + 1);
        // The library has tried for long enough.
        assert!(again(Duration::ZERO, || ask(1)).await.is_err());
        assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_answered_is_not() {
        let asked = AtomicU32::new(0);
        let missing = || {
            asked.fetch_add(1, Ordering::Relaxed);
            async {
                Err::<(), _>(Error::NotFound {
                    path: "x".into(),
                    source: "404".into(),
                })
            }
        };
        let answer = again(Duration::from_secs(60), missing).await;
        assert!(matches!(answer, Err(Error::NotFound { .. })));
        assert_eq!(asked.into_inner(), 1);
    }

    /// Lists everything, whatever it is to begin after, as Azurite does.
    #[derive(Debug, Default)]
    struct FromTheBegin(InMemory);

    impl std::fmt::Display for FromTheBegin {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }

    #[async_trait]
    impl ObjectStore for FromTheBegin {
        async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
            self.0.put_opts(location, payload, options).await
        }

        async fn put_multipart_opts(
            &self,
            location: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.0.put_multipart_opts(location, options).await
        }

        async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
            self.0.get_opts(location, options).await
        }

        fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
            self.0.delete_stream(locations)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.0.list(prefix)
        }

        fn list_with_offset(&self, prefix: Option<&Path>, _: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
            self.0.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.0.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.0.copy_opts(from, to, options).await
        }
    }

    #[tokio::test]
    async fn what_a_list_is_to_begin_after_is_not_in_it() {
        let store = FromTheBegin::default();
        for name in ["log/0.json", "log/1.json", "log/2.json", "log/_last"] {
            store.put(&name.into(), "{}".into()).await.unwrap();
        }
        let store = Persistent::new(Arc::new(store), Duration::from_secs(60));
        let listed = store.list_with_offset(Some(&"log".into()), &"log/1.json".into());
        let listed: Vec<ObjectMeta> = listed.try_collect().await.unwrap();
        let names: Vec<&str> = listed.iter().map(|object| object.location.as_ref()).collect();
        assert_eq!(names, ["log/2.json", "log/_last"]);
    }
}
