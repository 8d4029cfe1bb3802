//! Whether the files of a table are there, and hold what its log says.

use super::DataFile;
use super::entry::StatisticsReader;
use super::file_reader::{FileReaders, ReadColumns};
use super::filter_places::FilterPlaces;
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
        if let Some(told) = &file.filters
            && !self.are_filters_where(told, file).await?
        {
            differences.insert("its filters are elsewhere than the log says".to_owned());
        }
        Ok(differences)
    }

    /// Whether the filters of a file are where the log tells. What is told of other columns nobody uses.
    async fn are_filters_where(&self, told: &str, file: &DataFile) -> Result<bool> {
        let failed = |error| Error::store(format!("cannot read {}{}", self.url(), file.path), error);
        let columns = self.name().needle_columns();
        if !FilterPlaces::is_told_of(told, columns) {
            return Ok(true);
        }
        let readers = FileReaders::new(self.url().as_str(), self.root_store(), None);
        let mut reader = readers.reader(self.object_meta(file).into(), ReadColumns::named([]));
        let footer = reader.footer().await.map_err(failed)?;
        let found = FilterPlaces::decoded(&footer, columns).map_err(failed)?;
        Ok(FilterPlaces::of_told(told, columns, columns) == Some(found))
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

#[cfg(test)]
mod tests {
    use crate::lake::needles::tests::{Row, merged_file, written_file};
    use crate::lake::{Lake, TableName};
    use serde_json::json;

    /// What is wrong with a file of which the log says something that is not so.
    #[tokio::test]
    async fn what_the_log_says_is_held_against_the_file() {
        let rows: Vec<Row> = (0..300).map(|row| (Some(format!("id {row}")), None)).collect();
        for made in [written_file(&rows), merged_file(&rows)] {
            let other = made.filters.as_deref().unwrap().replacen(' ', " 1", 1);
            let garbage = made.filters.as_deref().unwrap().replace('-', "");
            let elsewhere = "its filters are elsewhere than the log says";
            let nothing = "0000000000000000 -".to_owned();
            for (filters, statistics, expected) in [
                (made.filters.clone(), made.statistics.clone(), None),
                (Some(nothing), made.statistics.clone(), None),
                (None, made.statistics.clone(), None),
                (Some(other), made.statistics.clone(), Some(elsewhere)),
                (Some(garbage), made.statistics.clone(), Some(elsewhere)),
                (
                    made.filters.clone(),
                    json!({"numRecords": 299}),
                    Some("it has 300 rows, and the log says 299"),
                ),
            ] {
                let folder = tempfile::tempdir().unwrap();
                let lake = Lake::at(&folder.path().display().to_string()).unwrap();
                let mut table = lake.table_or_create(TableName::Events).await.unwrap();
                let mut file = made.clone();
                (file.filters, file.statistics) = (filters, statistics);
                table.upload(&file).await.unwrap();
                table.append(&[file]).await.unwrap();
                let files = table.files().unwrap();
                let problems = table.verify(&files[0], Some(&made.sha256), &mut |_| {}).await;
                assert_eq!(problems, expected.map(str::to_owned).into_iter().collect::<Vec<_>>());
            }
        }
    }
}
