//! What a lake holds, as the logs of its tables say: no data file is read.

use crate::config::format_instant;
use crate::error::{Error, Result};
use crate::lake::{DataFile, Lake, TableName};
use datafusion::common::ScalarValue;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashSet};

/// What a lake holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holdings {
    /// Path or URL of the lake.
    pub url: String,
    /// The tables that have been made.
    pub tables: Vec<TableHoldings>,
    /// What `events` holds, by dataset.
    pub datasets: Vec<DatasetHoldings>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableHoldings {
    /// Its name.
    pub name: &'static str,
    /// Its newest version.
    pub version: u64,
    /// Files of this version.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
}

/// Events of one dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatasetHoldings {
    /// ECS `event.dataset`.
    pub dataset: String,
    /// Days that have events.
    pub days: u64,
    /// Files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Events.
    pub events: u64,
    /// Time of the first event, microseconds since the Unix epoch; RFC 3339 in JSON.
    #[serde(serialize_with = "instant")]
    pub first: Option<i64>,
    /// Time of the last event, likewise.
    #[serde(serialize_with = "instant")]
    pub last: Option<i64>,
}

fn instant<S: Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(format_instant).serialize(serializer)
}

/// What a lake holds; [`Error::NoLake`] where there is none.
pub async fn holdings(lake: &Lake) -> Result<Holdings> {
    let mut holdings = Holdings {
        url: lake.display(),
        tables: Vec::new(),
        datasets: Vec::new(),
    };
    for name in TableName::ALL {
        let Some(table) = lake.table_if_exists(name).await? else {
            if name == TableName::Events {
                return Err(Error::NoLake { url: lake.display() });
            }
            continue;
        };
        let files = table.files()?;
        holdings.tables.push(TableHoldings {
            name: name.as_str(),
            version: table.version(),
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
            rows: files.iter().filter_map(|file| file.rows).sum(),
        });
        if name == TableName::Events {
            holdings.datasets = datasets(&files);
        }
    }
    Ok(holdings)
}

fn datasets(files: &[DataFile]) -> Vec<DatasetHoldings> {
    let mut datasets: BTreeMap<&str, (DatasetHoldings, HashSet<&ScalarValue>)> = BTreeMap::new();
    for file in files {
        let [ScalarValue::Utf8(Some(dataset)), day] = file.partition.as_slice() else {
            continue;
        };
        let (held, days) = datasets.entry(dataset).or_default();
        days.insert(day);
        held.files += 1;
        held.bytes += file.size;
        held.events += file.rows.unwrap_or_default();
        if let Some((first, last)) = file.times() {
            held.first = held.first.map_or(Some(first), |known| Some(known.min(first)));
            // To the millisecond, as bounds are rounded up within it.
            let last = last - last.rem_euclid(1000);
            held.last = held.last.map_or(Some(last), |known| Some(known.max(last)));
        }
    }
    let named = datasets.into_iter().map(|(dataset, (held, days))| DatasetHoldings {
        dataset: dataset.to_owned(),
        days: days.len() as u64,
        ..held
    });
    named.collect()
}
