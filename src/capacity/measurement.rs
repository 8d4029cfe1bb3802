//! What a benchmark measured, as the JSON that it writes and that the model is fitted on.
//!
//! Names carry their units. Sizes are bytes, times are seconds, speeds bytes a second. What was
//! not measured is absent, never zero: the model refuses what rests on it.

use super::machine::{Limit, Machine};
use super::work::{Cache, Phase, Work};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The form of the file; it changes when an older program would misread a newer file.
pub const VERSION: u32 = 1;

/// One run of a benchmark on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// Where it ran.
    pub machine: Machine,
    /// What it was told to do.
    pub settings: Settings,
    /// One per work, size, threads, store, cache and phase.
    pub measurements: Vec<Measurement>,
    /// Sizes of each dataset in the lakes that were made, one per dataset and lake.
    #[serde(default)]
    pub datasets: Vec<DatasetSizes>,
    /// What the machine can do at best, measured in the same run.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// What the benchmark was told to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Seed of the generated tenants.
    pub seed: u64,
    /// Events of the lakes that the model is fitted on, ascending.
    pub sizes_events: Vec<u64>,
    /// Events of the lakes that it is validated on.
    #[serde(default)]
    pub validation_sizes_events: Vec<u64>,
    /// Thread counts, ascending.
    pub threads: Vec<u32>,
    /// Where the lakes were: `local`, `s3`, `az`, ...
    pub stores: Vec<String>,
    /// Repetitions of each measurement.
    pub repetitions: u32,
    /// `--memory-limit` of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Ids of the detections that [`Work::HuntAll`] ran together.
    #[serde(default)]
    pub detections: Vec<String>,
    /// Size that compaction merged files to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compaction_target_bytes: Option<u64>,
}

/// One work at one size, repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was done.
    pub work: Work,
    /// For fitting or for validating.
    pub phase: Phase,
    /// Threads that it had.
    pub threads: u32,
    /// Where the lake was: `local`, `s3`, `az`, ...
    pub store: String,
    /// Whether its files were in memory.
    #[serde(default)]
    pub cache: Cache,
    /// How much there was to do.
    pub quantities: Quantities,
    /// Wall time of each repetition, start-up included, without the first if that warmed the cache.
    pub seconds: Vec<f64>,
    /// Most memory that the process had (resident), the largest of the repetitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
}

/// How much there was to do, and what it took besides time, in one repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantities {
    /// The size of the work, by which everything is scaled: for a hunt or a query the events of
    /// its range in the lake (also those that were pruned), for an ingest the records read, for
    /// a tick the events that arrived, for a compaction the events of the files merged.
    pub events: u64,
    /// Rows that the scans looked at, after pruning; for an ingest the events stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_read: Option<u64>,
    /// Bytes of the log files (as they are on disk) that an ingest read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<u64>,
    /// Bytes of the data files: those of the lake for a hunt or query, those written for an
    /// ingest or a compaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<u64>,
    /// Bytes read of the lake's data files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_read: Option<u64>,
    /// What a hunt has to read of them at most, as is known before it reads: more than
    /// `bytes_read` where conditions spared columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_to_read: Option<u64>,
    /// Data files: of the lake's range for a hunt or query, written for an ingest, merged for a
    /// compaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Row groups in these files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_groups: Option<u64>,
    /// What was asked of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// Rows that passed the conditions of the scans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_matched: Option<u64>,
    /// Alerts found, or rows of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<u64>,
    /// Distinct terms that were held in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_terms: Option<u64>,
    /// Days that have partitions, of the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u64>,
}

/// Requests of an object store, by how they are priced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// PUT, POST, COPY and parts of uploads.
    pub put: u64,
    /// GET and HEAD.
    pub get: u64,
    /// LIST, a page each.
    pub list: u64,
}

/// Sizes of one dataset in one lake.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSizes {
    /// ECS `event.dataset`.
    pub dataset: String,
    /// Events stored.
    pub events: u64,
    /// Bytes of its records in the log files, uncompressed, repeats not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<u64>,
    /// Bytes of its data files.
    pub stored_bytes: u64,
    /// Its data files.
    pub files: u64,
    /// Days that have events.
    pub days: u64,
    /// Whether the lake had been compacted.
    #[serde(default)]
    pub compacted: bool,
}

impl Measurements {
    /// A run in which nothing has been measured yet.
    pub fn new(machine: Machine, settings: Settings) -> Self {
        Self {
            version: VERSION,
            machine,
            settings,
            measurements: Vec::new(),
            datasets: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// Reads what [`Self::to_json`] wrote. `name` is where the text is from, for errors.
    pub fn from_json(text: &str, name: &str) -> Result<Self> {
        let problem = |problem: String| Error::Setting {
            setting: format!("the measurements in {name}"),
            problem,
        };
        #[derive(Deserialize)]
        struct Versioned {
            version: Option<u32>,
        }
        let written: Versioned =
            serde_json::from_str(text).map_err(|error| problem(format!("are no JSON object: {error}")))?;
        match written.version {
            Some(VERSION) => {}
            Some(other) => {
                return Err(problem(format!(
                    "have version {other}, which this retrohunt does not know; measure again with `retrohunt bench`"
                )));
            }
            None => return Err(problem("have no version: `retrohunt bench` did not write them".into())),
        }
        let read: Self = serde_json::from_str(text).map_err(|error| problem(error.to_string()))?;
        read.check().map_err(problem)?;
        Ok(read)
    }

    /// As JSON over several lines.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(text + "\n")
    }

    /// Times that can be computed with.
    fn check(&self) -> Result<(), String> {
        for one in &self.measurements {
            let place = || format!("{} of {} events", one.work, one.quantities.events);
            if one.seconds.is_empty() {
                return Err(format!("{}: no seconds", place()));
            }
            if one
                .seconds
                .iter()
                .any(|seconds| !(seconds.is_finite() && *seconds > 0.0))
            {
                return Err(format!("{}: seconds must be more than nothing", place()));
            }
            if one.threads == 0 || one.quantities.events == 0 {
                return Err(format!("{}: threads and events must be more than nothing", place()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::LimitKind;

    fn one() -> Measurements {
        let mut run = Measurements::new(Machine::default(), Settings::default());
        run.measurements.push(Measurement {
            work: Work::Hunt("suspicious_source".into()),
            phase: Phase::Validate,
            threads: 2,
            store: "local".into(),
            cache: Cache::Cold,
            quantities: Quantities {
                events: 3_000_000,
                requests: Some(Requests {
                    put: 1,
                    get: 20,
                    list: 3,
                }),
                ..Quantities::default()
            },
            seconds: vec![1.25, 1.5],
            peak_memory_bytes: None,
        });
        run.limits.push(Limit {
            kind: LimitKind::DiskRead,
            threads: 1,
            bytes_per_second: 1.5e9,
        });
        run
    }

    #[test]
    fn what_is_written_is_read() {
        let run = one();
        let text = run.to_json().unwrap();
        assert_eq!(Measurements::from_json(&text, "bench.json").unwrap(), run);
        for part in [
            "\"work\": \"hunt:suspicious_source\"",
            "\"phase\": \"validate\"",
            "\"kind\": \"disk_read\"",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("peak_memory_bytes"), "what was not measured is absent");
    }

    #[test]
    fn what_cannot_be_computed_with_is_refused() {
        let said = |change: &dyn Fn(&mut Measurements)| {
            let mut run = one();
            change(&mut run);
            let text = run.to_json().unwrap();
            Measurements::from_json(&text, "bench.json").unwrap_err().to_string()
        };
        assert_eq!(
            said(&|run| run.version = 9),
            "the measurements in bench.json: have version 9, which this retrohunt does not know; measure again with \
             `retrohunt bench`"
        );
        assert!(said(&|run| run.measurements[0].seconds.clear()).contains("hunt:suspicious_source of 3000000 events"));
        assert!(said(&|run| run.measurements[0].seconds[0] = 0.0).contains("more than nothing"));
        assert!(said(&|run| run.measurements[0].quantities.events = 0).contains("more than nothing"));
        for (text, words) in [
            ("{}", "no version"),
            ("[]", "no JSON object"),
            ("{\"version\":1}", "machine"),
        ] {
            let said = Measurements::from_json(text, "x").unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
