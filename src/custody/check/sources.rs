//! The files that events came from: are they still what was ingested?

use super::Checked;
use super::accounts::Accounts;
use crate::error::{Error, Result};
use crate::ingest::Original;
use futures::{StreamExt as _, TryStreamExt as _};

/// Hashes the files of the ledger that can be reached.
pub(super) async fn compare(accounts: &Accounts, threads: usize, checked: &mut Checked) -> Result<()> {
    let files = accounts.by_hash.iter().flat_map(|(sha256, account)| {
        let names = account.names.iter();
        names.map(move |name| (name.clone(), sha256.clone()))
    });
    let files: Vec<(String, String)> = files.collect();
    let hashes = files.into_iter().map(|(name, sha256)| async move {
        let found = match Original::at(&name).await {
            Ok(original) => {
                let opened = tokio::task::spawn_blocking(move || original.open()).await;
                opened.map_err(|error| Error::Internal(format!("a hashing thread ended: {error}")))?
            }
            Err(problem) => Err(problem),
        };
        Ok::<_, Error>((name, sha256, found.map(|opened| opened.sha256().to_owned())))
    });
    let mut hashes = futures::stream::iter(hashes).buffered(threads.max(1));
    while let Some((name, sha256, found)) = hashes.try_next().await? {
        match found {
            Ok(now) if now == sha256 => checked.sources += 1,
            Ok(now) => checked.note(
                name,
                format!("the file has changed since it was ingested: SHA-256 was {sha256} and is {now}"),
            ),
            Err(_) => checked.sources_unreachable += 1,
        }
    }
    Ok(())
}
