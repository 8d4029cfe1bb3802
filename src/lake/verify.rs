//! Whether the files of a table are there, and hold what its log says.

use super::DataFile;
use super::entry::parse_statistics;
use super::table::LakeTable;
use super::writer::Statistics;
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt as _;
use std::cmp::Ordering;
use std::collections::HashMap;

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

    /// Reads a file whole and shows its rows. Returns in what it is not as the log says.
    pub async fn verify(&self, file: &DataFile, look: &mut (dyn FnMut(&RecordBatch) + Send)) -> Result<Vec<String>> {
        let mut rows = self.rows_of(file, None).await?;
        let failed = |error| Error::store(format!("cannot read {}{}", self.url(), file.path), error);
        let mut statistics = Statistics::new(self.name(), rows.schema());
        let mut count = 0;
        while let Some(batch) = rows.try_next().await.map_err(failed)? {
            count += batch.num_rows() as u64;
            statistics.add(&batch);
            look(&batch);
        }
        let mut problems = Vec::new();
        match file.rows {
            Some(rows) if rows != count => problems.push(format!("it has {count} rows, and the log says {rows}")),
            _ => {}
        }
        let (_, found) = parse_statistics(&statistics.into_json().to_string(), &self.name().file_schema());
        for (column, said) in &file.statistics {
            let Some(found) = found.get(column) else { continue };
            if said.nulls.is_some() && said.nulls != found.nulls {
                problems.push(format!("{column} has other nulls than the log says"));
            }
            // A bound may be wider than what it bounds, and never narrower.
            let below =
                |a, b| matches!((a, b), (Some(a), Some(b)) if PartialOrd::partial_cmp(a, b) == Some(Ordering::Less));
            if below(found.min.as_ref(), said.min.as_ref()) || below(said.max.as_ref(), found.max.as_ref()) {
                problems.push(format!("{column} has values beyond the bounds that the log says"));
            }
        }
        problems.sort();
        Ok(problems)
    }
}
