//! The tables under one URL: Delta tables over Hive-partitioned Parquet. Knows no JSON of logs.

mod entry;
mod file_reader;
mod layout;
mod provider;
mod reader;
mod table;
mod writer;

pub use entry::{ColumnStatistics, DataFile};
pub use file_reader::ReadColumns;
pub use layout::{TableName, events_schema, ledger_schema, quarantine_schema};
pub use provider::LakeTableProvider;
pub use table::{Appended, LakeTable};
pub use writer::{ParquetFile, encode, new_path};

use crate::error::{Error, Result};
use std::path::{Component, Path, PathBuf};
use url::Url;

/// A place that holds, or will hold, the tables.
#[derive(Debug, Clone)]
pub struct Lake {
    url: Url,
}

impl Lake {
    /// A lake at a path or URL as typed; opens nothing yet.
    pub fn at(location: &str) -> Result<Self> {
        let setting = |problem: String| Error::Setting {
            setting: format!("--lake {location}"),
            problem,
        };
        if location.is_empty() {
            return Err(setting("is empty; give a folder".into()));
        }
        if let Some((scheme, _)) = location.split_once("://")
            && scheme != "file"
        {
            return Err(setting(format!(
                "the scheme {scheme:?} is not one this version reads or writes; give a local folder"
            )));
        }
        let path = location.strip_prefix("file://").unwrap_or(location);
        if path.contains('%') {
            return Err(setting(
                "holds a %, which Delta's paths cannot; choose another name".into(),
            ));
        }
        let absolute = std::path::absolute(Path::new(path)).map_err(|e| setting(e.to_string()))?;
        let absolute = without_dots(&absolute);
        let url = Url::from_directory_path(&absolute).map_err(|()| setting("is not a usable path".into()))?;
        Ok(Self { url })
    }

    /// Where the tables are; ends with a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How to show it: a path where it is one.
    pub fn display(&self) -> String {
        match self.url.to_file_path() {
            Ok(path) => path.display().to_string().trim_end_matches('/').to_owned(),
            Err(()) => self.url.to_string(),
        }
    }

    /// A table that must exist; [`Error::NoLake`] where there is none.
    pub async fn table(&self, name: TableName) -> Result<LakeTable> {
        self.table_if_exists(name)
            .await?
            .ok_or_else(|| Error::NoLake { url: self.display() })
    }

    /// A table, or none where it has not been made yet.
    pub async fn table_if_exists(&self, name: TableName) -> Result<Option<LakeTable>> {
        LakeTable::open(self, name).await
    }

    /// A table, made where it is absent. Two that make it at once both get it.
    pub async fn table_or_create(&self, name: TableName) -> Result<LakeTable> {
        LakeTable::open_or_create(self, name).await
    }
}

/// The path without `.` and `..`, which stores do not resolve.
fn without_dots(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let shown = |text: &str| Lake::at(text).map(|lake| lake.display());
        assert_eq!(shown("/a/b/../c/./lake/").unwrap(), "/a/c/lake");
        assert_eq!(shown("file:///a/lake").unwrap(), "/a/lake");
        assert!(shown("relative").unwrap().ends_with("/relative"));
        for refused in ["", "s3://bucket/lake", "/a%20b"] {
            assert!(shown(refused).is_err(), "{refused}");
        }
    }
}
