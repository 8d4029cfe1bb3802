//! Whether the files of a table are there, and hold what its log says.

use super::DataFile;
use super::entry::StatisticsReader;
use super::table::LakeTable;
use super::writer::{Statistics, hex};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

impl LakeTable {
    /// Bytes of every file in the table's folder, by path below it, but for its log.
    pub async fn stored(&self) -> Result<HashMap<String, u64>> {
        let failed = |error| Error::store(format!("cannot list table {}", self.name().as_str()), error);
        let listed = self.store().list(None).map_err(failed);
        let files = listed.map_ok(|meta| (meta.location.to_string(), meta.size));
        let mut files: HashMap<String, u64> = files.try_collect().await?;
        files.retain(|path, _| !path.starts_with("_delta_log"));
        Ok(files)
    }

    /// Every file of this version with its SHA-256, where the log has it.
    pub fn files_with_hashes(&self) -> Result<Vec<(DataFile, Option<String>)>> {
        let mut hashes = self.hashes()?;
        let files = self.files()?.into_iter();
        Ok(files
            .map(|file| {
                let hash = hashes.remove(&file.path);
                (file, hash)
            })
            .collect())
    }

    /// Reads a file whole and shows its rows. Returns in what it is not as the log says, or that
    /// it cannot be read.
    pub async fn verify(
        &self,
        file: &DataFile,
        sha256: Option<&str>,
        look: &mut (dyn FnMut(&RecordBatch) + Send),
    ) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(sha256) = sha256 {
            match self.hash(file).await {
                Ok(now) if now == sha256 => {}
                Ok(now) => problems.push(format!(
                    "it has changed since it was written: SHA-256 was {sha256} and is {now}"
                )),
                // Said once, by what reads it again.
                Err(_) => {}
            }
        }
        match self.compare(file, look).await {
            Ok(differences) => problems.extend(differences),
            Err(error) => problems.push(error.to_string()),
        }
        problems
    }

    async fn compare(&self, file: &DataFile, look: &mut (dyn FnMut(&RecordBatch) + Send)) -> Result<BTreeSet<String>> {
        let mut rows = self.rows_of(file, None).await?;
        let failed = |error| Error::store(format!("cannot read {}{}", self.url(), file.path), error);
        let mut statistics = Statistics::new(self.name(), rows.schema());
        let mut count = 0;
        while let Some(batch) = rows.try_next().await.map_err(failed)? {
            count += batch.num_rows() as u64;
            statistics.add(&batch);
            look(&batch);
        }
        let mut differences = BTreeSet::new();
        if let Some(rows) = file.rows.filter(|rows| *rows != count) {
            differences.insert(format!("it has {count} rows, and the log says {rows}"));
        }
        let reader = StatisticsReader::new(&self.name().file_schema());
        let (_, found) = reader.read(&statistics.into_json().to_string());
        for (column, said) in &file.statistics {
            let Some(found) = found.get(column) else { continue };
            if said.nulls.is_some() && said.nulls != found.nulls {
                differences.insert(format!("{column} has other nulls than the log says"));
            }
            // A bound may be wider than what it bounds, and never narrower.
            let below =
                |a, b| matches!((a, b), (Some(a), Some(b)) if PartialOrd::partial_cmp(a, b) == Some(Ordering::Less));
            if below(found.min.as_ref(), said.min.as_ref()) || below(said.max.as_ref(), found.max.as_ref()) {
                differences.insert(format!("{column} has values beyond the bounds that the log says"));
            }
        }
        Ok(differences)
    }

    async fn hash(&self, file: &DataFile) -> Result<String> {
        let failed = |error| Error::store(format!("cannot read {}{}", self.url(), file.path), error);
        let object = self
            .store()
            .get(&Path::from(file.path.as_str()))
            .await
            .map_err(failed)?;
        let mut bytes = object.into_stream();
        let mut hasher = Sha256::new();
        while let Some(part) = bytes.try_next().await.map_err(failed)? {
            hasher.update(&part);
        }
        Ok(hex(&hasher.finalize()))
    }
}
