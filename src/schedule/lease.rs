//! Who runs the schedule of a lake.
//!
//! A lease is a row of small files with growing numbers, each made only if it is not there, which
//! every store can do: the last one says who holds it and for how long. It spares two schedulers
//! from doing the same work and from sending the same alert; that no alert is recorded twice does
//! not hang on it, nor on any clock, but on the [checkpoint](super::checkpoint).

use super::checkpoint::place;
use crate::error::{Error, Result};
use crate::lake::Lake;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A lease as it is in the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it: host, process and a random part.
    pub holder: String,
    /// When it was taken or renewed, microseconds since the Unix epoch.
    pub renewed: i64,
    /// Until when it holds, microseconds since the Unix epoch.
    pub expires: i64,
}

/// One scheduler's view of the lease.
#[derive(Debug)]
pub(super) struct Leasing {
    lake: Lake,
    holder: String,
    length: Duration,
    /// The last number and lease that were seen, and since when by our own clock.
    seen: Option<(u64, Lease, Instant)>,
}

impl Leasing {
    pub(super) fn new(lake: &Lake, holder: String, length: Duration) -> Self {
        Self {
            lake: lake.clone(),
            holder,
            length,
            seen: None,
        }
    }

    /// Takes or renews the lease. `None` where we have it, else who has.
    pub(super) async fn hold(&mut self, now: i64) -> Result<Option<Lease>> {
        let last = last(&self.lake).await?;
        if let Some((number, lease)) = &last {
            let known = self.seen.as_ref().filter(|seen| seen.0 == *number);
            let since = known.map_or_else(Instant::now, |seen| seen.2);
            self.seen = Some((*number, lease.clone(), since));
            // Its holder's clock and ours may differ, so it ends as well if nobody renews it for as
            // long as it holds.
            let over = lease.expires <= now || since.elapsed() >= self.length;
            if lease.holder != self.holder && !over {
                return Ok(Some(lease.clone()));
            }
        }
        let number = last.as_ref().map_or(0, |(number, _)| *number) + 1;
        let length = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        let lease = Lease {
            holder: self.holder.clone(),
            renewed: now,
            expires: now.saturating_add(length),
        };
        if !create(&self.lake, number, &lease).await? {
            // Somebody was faster.
            let other = last_of(&self.lake).await?;
            return Ok(other.filter(|other| other.holder != self.holder));
        }
        self.seen = Some((number, lease, Instant::now()));
        remove_before(&self.lake, number).await;
        Ok(None)
    }

    /// Gives it back, if we have it.
    pub(super) async fn release(&mut self, now: i64) {
        if let Ok(Some((number, lease))) = last(&self.lake).await
            && lease.holder == self.holder
        {
            let over = Lease { expires: now, ..lease };
            let _ = create(&self.lake, number + 1, &over).await;
        }
    }
}

/// The lease of a lake, if anybody ever had it.
pub(super) async fn last_of(lake: &Lake) -> Result<Option<Lease>> {
    Ok(last(lake).await?.map(|(_, lease)| lease))
}

fn folder(lake: &Lake) -> Result<Path> {
    place(lake, "schedule/lease")
}

async fn last(lake: &Lake) -> Result<Option<(u64, Lease)>> {
    let folder = folder(lake)?;
    let failed = |error| Error::store(format!("cannot read the schedule's lease in {folder}"), error);
    // Between the listing and the reading it may be replaced by the next one.
    for _ in 0..8 {
        let files = lake.store().list(Some(&folder));
        let numbers = files.try_filter_map(|file| async move {
            let name = file.location.filename().unwrap_or_default();
            Ok(name.strip_suffix(".json").and_then(|number| number.parse::<u64>().ok()))
        });
        let numbers: Vec<u64> = numbers.try_collect().await.map_err(failed)?;
        let Some(number) = numbers.into_iter().max() else {
            return Ok(None);
        };
        match lake.store().get(&file(&folder, number)).await {
            Ok(got) => {
                let bytes = got.bytes().await.map_err(failed)?;
                let lease = serde_json::from_slice(&bytes);
                let lease = lease.map_err(|error| Error::store(format!("the lease in {folder} is damaged"), error))?;
                return Ok(Some((number, lease)));
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(None)
}

fn file(folder: &Path, number: u64) -> Path {
    folder.clone().join(format!("{number:012}.json"))
}

/// Whether it was us who made it.
async fn create(lake: &Lake, number: u64, lease: &Lease) -> Result<bool> {
    let path = file(&folder(lake)?, number);
    let text = serde_json::to_vec(lease).map_err(|error| Error::Internal(error.to_string()))?;
    let options = PutOptions::from(PutMode::Create);
    match lake.store().put_opts(&path, text.clone().into(), options).await {
        Ok(_) => Ok(true),
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
            // A store can do what it is asked for and fail to say so.
            let there = match lake.store().get(&path).await {
                Ok(got) => got.bytes().await.ok(),
                Err(_) => None,
            };
            Ok(there.is_some_and(|there| there.as_ref() == text.as_slice()))
        }
        Err(error) => Err(Error::store(format!("cannot write the schedule's lease {path}"), error)),
    }
}

async fn remove_before(lake: &Lake, number: u64) {
    // One is left for those who have just listed it.
    if let (Ok(folder), Some(old)) = (folder(lake), number.checked_sub(2)) {
        let _ = lake.store().delete(&file(&folder, old)).await;
    }
}
