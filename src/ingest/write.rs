//! Pending events to files in the store, on all threads.

use super::dedup::Partition;
use super::layout::FileLayout;
use super::pending::{Origin, Pending};
use crate::error::{Error, Result};
use crate::lake::{LakeTable, ParquetFile};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use std::cmp::Reverse;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Files that are on their way to the store at once.
const UPLOADS_AT_ONCE: usize = 8;

/// Encodes and uploads partitions of the events, which are given back. A partition that is more than half of
/// what a thread has to do is written by several: of a day's log, nearly all is one.
pub(super) async fn write(
    table: &LakeTable,
    pending: Pending,
    partitions: Vec<Partition>,
    origins: &[Origin],
    threads: usize,
) -> Result<(Pending, Vec<(Partition, ParquetFile)>)> {
    let ingested = chrono::Utc::now().timestamp_micros();
    let pending = Arc::new(pending);
    let origins: Arc<[Origin]> = origins.into();
    let layouts = layouts(&pending, partitions, threads).await?;
    let encoders = Arc::new(Semaphore::new(threads));
    let uploads = Semaphore::new(UPLOADS_AT_ONCE);
    let uploads = &uploads;
    let files = layouts.into_iter().map(|layout| {
        let (pending, origins, encoders) = (Arc::clone(&pending), Arc::clone(&origins), Arc::clone(&encoders));
        async move {
            let partition = layout.partition.clone();
            let mut file = encoded(layout, pending, origins, ingested, encoders).await?;
            let _upload = uploads.acquire().await;
            table.upload(&file).await?;
            file.forget_bytes();
            Ok::<_, Error>((partition, file))
        }
    });
    // Files are on their way to the store while the next are encoded.
    let files = futures::stream::iter(files).buffer_unordered(threads + UPLOADS_AT_ONCE);
    let files = files.try_collect().await?;
    let pending = Arc::into_inner(pending).ok_or_else(|| Error::Internal("a writer kept the events".into()))?;
    Ok((pending, files))
}

/// The files that these partitions become. Each is in as many parts as it takes for none to be most of what is
/// left, and the largest parts come first, so that all threads end at about the same time.
async fn layouts(pending: &Arc<Pending>, partitions: Vec<Partition>, threads: usize) -> Result<Vec<Arc<FileLayout>>> {
    let sized = partitions
        .into_iter()
        .map(|partition| (pending.bytes_of(&partition), partition));
    let sized: Vec<(usize, Partition)> = sized.collect();
    let all: usize = sized.iter().map(|(bytes, _)| bytes).sum();
    let layouts = sized.into_iter().map(|(bytes, partition)| {
        let pending = Arc::clone(pending);
        let parts = (2 * threads * bytes).div_ceil(all.max(1)).clamp(1, threads);
        on_a_thread(move || {
            let layout = FileLayout::new(&pending, &partition, parts);
            Ok((bytes / layout.parts().count().max(1), Arc::new(layout)))
        })
    });
    let layouts = futures::stream::iter(layouts).buffered(threads).try_collect();
    let mut layouts: Vec<(usize, Arc<FileLayout>)> = layouts.await?;
    // Of equal ones the order is that of the partitions.
    layouts.sort_by_key(|(bytes_of_a_part, _)| Reverse(*bytes_of_a_part));
    Ok(layouts.into_iter().map(|(_, layout)| layout).collect())
}

/// A file, each part of which waits for one of the threads.
async fn encoded(
    layout: Arc<FileLayout>,
    pending: Arc<Pending>,
    origins: Arc<[Origin]>,
    ingested: i64,
    encoders: Arc<Semaphore>,
) -> Result<ParquetFile> {
    // The semaphore is never closed.
    if let [part] = layout.parts().collect::<Vec<_>>()[..] {
        let _encoder = encoders.acquire().await;
        return on_a_thread(move || {
            let columns = layout.encode(&pending, part, &origins, ingested)?;
            layout.file(vec![columns])
        })
        .await;
    }
    let parts = layout.parts().map(|part| {
        let (layout, pending, origins) = (Arc::clone(&layout), Arc::clone(&pending), Arc::clone(&origins));
        let encoders = Arc::clone(&encoders);
        async move {
            let _encoder = encoders.acquire().await;
            on_a_thread(move || layout.encode(&pending, part, &origins, ingested)).await
        }
    });
    let parts = try_join_all(parts).await?;
    // At once: behind the parts of all files that wait, it would hold its bytes as long.
    on_a_thread(move || layout.file(parts)).await
}

/// Works on a thread of its own, from now on.
fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send {
    let working = tokio::task::spawn_blocking(work);
    async {
        let ended = working.await;
        ended.map_err(|error| Error::Internal(format!("a writer thread ended: {error}")))?
    }
}
