//! A store that counts what it is asked, and fails where it is told to.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use retrohunt::lake::stores::requests_for;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// What a store does at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not do what it is asked for, and says so.
    Refused,
    /// It does what it is asked for, and the answer is lost.
    Unanswered,
    /// From here on it refuses everything, as when the process is killed.
    Gone,
}

/// A store in memory.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    inner: Arc<InMemory>,
    calls: Arc<Mutex<Calls>>,
}

#[derive(Debug, Default)]
struct Calls {
    made: Vec<String>,
    fault: Option<(usize, Fault)>,
}

impl Watched {
    /// What has been asked, in order, and forgets it.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap().made)
    }

    /// Fails at the call of this number from now on, counted from 0.
    pub(crate) fn fail_at(&self, call: usize, fault: Fault) {
        let mut calls = self.calls.lock().unwrap();
        calls.made.clear();
        calls.fault = Some((call, fault));
    }

    pub(crate) fn recover(&self) {
        self.calls.lock().unwrap().fault = None;
    }
}

/// Notes a call. An error if it is to fail before anything is done; otherwise whether it is to
/// fail afterwards.
fn note(calls: &Mutex<Calls>, what: String) -> Result<bool> {
    let mut calls = calls.lock().unwrap();
    let number = calls.made.len();
    calls.made.push(what);
    match calls.fault {
        Some((at, Fault::Refused)) if number == at => Err(failure()),
        Some((at, Fault::Gone)) if number >= at => Err(failure()),
        Some((at, Fault::Unanswered)) if number == at => Ok(true),
        _ => Ok(false),
    }
}

fn failure() -> Error {
    Error::Generic {
        store: "watched",
        source: "503 Slow Down".into(),
    }
}

fn unless<T>(lost: bool, result: Result<T>) -> Result<T> {
    if lost { Err(failure()) } else { result }
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

#[derive(Debug)]
struct WatchedUpload {
    inner: Box<dyn MultipartUpload>,
    calls: Arc<Mutex<Calls>>,
}

#[async_trait]
impl MultipartUpload for WatchedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let noted = note(&self.calls, "part".into());
        let put = self.inner.put_part(data);
        Box::pin(async move {
            let lost = noted?;
            let result = put.await;
            unless(lost, result)
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let lost = note(&self.calls, "complete".into())?;
        let result = self.inner.complete().await;
        unless(lost, result)
    }

    async fn abort(&mut self) -> Result<()> {
        let lost = note(&self.calls, "abort".into())?;
        let result = self.inner.abort().await;
        unless(lost, result)
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let lost = note(&self.calls, format!("put {location}"))?;
        let result = self.inner.put_opts(location, payload, options).await;
        unless(lost, result)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let lost = note(&self.calls, format!("begin {location}"))?;
        let inner = unless(lost, self.inner.put_multipart_opts(location, options).await)?;
        Ok(Box::new(WatchedUpload {
            inner,
            calls: Arc::clone(&self.calls),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let verb = if options.head { "head" } else { "get" };
        let bytes = match &options.range {
            Some(GetRange::Bounded(range)) => format!(", {} bytes", range.end - range.start),
            _ => String::new(),
        };
        let lost = note(&self.calls, format!("{verb} {location}{bytes}"))?;
        let result = self.inner.get_opts(location, options).await;
        unless(lost, result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let mut lost = false;
        for _ in 0..requests_for(ranges).max(1) {
            lost |= note(&self.calls, format!("get {location}"))?;
        }
        let result = self.inner.get_ranges(location, ranges).await;
        unless(lost, result)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (inner, calls) = (Arc::clone(&self.inner), Arc::clone(&self.calls));
        let deleted = locations.and_then(move |location| {
            let (inner, calls) = (Arc::clone(&inner), Arc::clone(&calls));
            async move {
                let lost = note(&calls, format!("delete {location}"))?;
                let only = stream::once(async move { Ok(location) }).boxed();
                let mut results: Vec<_> = inner.delete_stream(only).collect().await;
                unless(lost, results.remove(0))
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let what = format!("list {}", prefix.map(Path::as_ref).unwrap_or_default());
        match note(&self.calls, what) {
            Ok(false) => self.inner.list(prefix),
            Ok(true) | Err(_) => stream::once(async { Err(failure()) }).boxed(),
        }
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let what = format!("list {}", prefix.map(Path::as_ref).unwrap_or_default());
        match note(&self.calls, what) {
            Ok(false) => self.inner.list_with_offset(prefix, offset),
            Ok(true) | Err(_) => stream::once(async { Err(failure()) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let lost = note(&self.calls, "list".into())?;
        let result = self.inner.list_with_delimiter(prefix).await;
        unless(lost, result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let lost = note(&self.calls, format!("copy {to}"))?;
        let result = self.inner.copy_opts(from, to, options).await;
        unless(lost, result)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let lost = note(&self.calls, format!("rename {to}"))?;
        let result = self.inner.rename_opts(from, to, options).await;
        unless(lost, result)
    }
}
