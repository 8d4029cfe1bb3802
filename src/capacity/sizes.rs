//! Bytes and files of each dataset.

use super::fit::{Driver, Estimate, Fit, Load, Sample, fit};
use super::measurement::{DatasetSizes, Measurements};
use super::scenario::{Scenario, Source};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the events of one dataset take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetModel {
    /// ECS `event.dataset`.
    pub dataset: String,
    /// Its part of the events that arrive.
    pub part: f64,
    /// Bytes that an event takes, in the largest lake that was measured.
    pub stored_bytes_per_event: f64,
    /// Bytes of a record in the log files, uncompressed.
    pub input_bytes_per_event: Option<f64>,
    /// Bytes of a day's partition by its events; absent where only one lake was measured.
    #[serde(skip)]
    by_day: Option<Fit>,
}

impl DatasetModel {
    /// Those of a scenario: with its mix, else that of its lake, else the measured one. The
    /// second of the pair names what nothing is known of.
    pub fn all(run: Option<&Measurements>, scenario: &Scenario) -> (Vec<Self>, Vec<String>) {
        let mut lakes: BTreeMap<&str, Vec<&DatasetSizes>> = BTreeMap::new();
        for sizes in run
            .iter()
            .flat_map(|run| &run.datasets)
            .filter(|sizes| sizes.events > 0)
        {
            lakes.entry(&sizes.dataset).or_default().push(sizes);
        }
        let mut known: Vec<Self> = lakes.values().filter_map(|lakes| Self::of(lakes)).collect();
        if let Source::Lake { datasets, .. } = &scenario.source {
            let of_lake = datasets.iter().filter(|held| held.events > 0).map(|held| Self {
                dataset: held.dataset.clone(),
                part: held.events as f64 / held.days.max(1) as f64,
                stored_bytes_per_event: held.stored_bytes as f64 / held.events as f64,
                input_bytes_per_event: known
                    .iter()
                    .find(|known| known.dataset == held.dataset)
                    .and_then(|known| known.input_bytes_per_event),
                by_day: None,
            });
            known = of_lake.collect();
        }
        let mut missing = Vec::new();
        if !scenario.mix.is_empty() {
            for (dataset, _) in &scenario.mix {
                if !known.iter().any(|known| known.dataset == *dataset) {
                    missing.push(dataset.clone());
                }
            }
            known.retain_mut(|known| {
                let wanted = scenario.mix.iter().find(|(dataset, _)| *dataset == known.dataset);
                known.part = wanted.map_or(0.0, |(_, part)| *part);
                known.part > 0.0
            });
        } else {
            let whole: f64 = known.iter().map(|known| known.part).sum();
            known.iter_mut().for_each(|known| known.part /= whole);
        }
        (known, missing)
    }

    /// Compacted lakes where there are any, as a lake is kept.
    fn of(lakes: &[&DatasetSizes]) -> Option<Self> {
        let is_any_compacted = lakes.iter().any(|sizes| sizes.compacted);
        let lakes = lakes.iter().filter(|sizes| sizes.compacted == is_any_compacted);
        let largest = lakes.clone().max_by_key(|sizes| sizes.events)?;
        let events = largest.events as f64;
        let samples = lakes.filter(|sizes| sizes.days > 0).map(|sizes| Sample {
            load: Load {
                events: sizes.events as f64 / sizes.days as f64,
                threads: 1.0,
                counted: BTreeMap::new(),
            },
            value: sizes.stored_bytes as f64 / sizes.days as f64,
            noise: None,
        });
        let samples: Vec<Sample> = samples.collect();
        Some(Self {
            dataset: largest.dataset.clone(),
            part: events,
            stored_bytes_per_event: largest.stored_bytes as f64 / events,
            input_bytes_per_event: largest.input_bytes.map(|bytes| bytes as f64 / events),
            by_day: fit(&samples, &[Driver::Fixed, Driver::Event], &[]),
        })
    }

    /// Bytes of a day's partition with so many events of this dataset.
    pub fn day_bytes(&self, events: f64) -> Estimate {
        let load = Load {
            events,
            threads: 1.0,
            counted: BTreeMap::new(),
        };
        match &self.by_day {
            Some(fit) => fit.predict(&load),
            None => {
                let bytes = self.stored_bytes_per_event * events;
                Estimate {
                    value: bytes,
                    low: bytes,
                    high: bytes,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::run;
    use super::super::scenario::{Held, scenario};
    use super::*;

    fn close(found: f64, wanted: f64) -> bool {
        (found / wanted - 1.0).abs() < 1e-6
    }

    #[test]
    fn a_partition_has_a_cost_of_its_own() {
        let (models, missing) = DatasetModel::all(Some(&run()), &scenario());
        assert!(missing.is_empty());
        let [signins, audit] = models.as_slice() else {
            panic!("{models:?}")
        };
        assert!(close(signins.part, 0.3) && close(audit.part, 0.7));
        assert!(close(audit.day_bytes(1e6).value, 20_000.0 + 200e6));
        assert!(close(audit.day_bytes(10.0).value, 22_000.0));
        assert!(close(signins.input_bytes_per_event.unwrap(), 1200.0));
    }

    #[test]
    fn a_mix_wins_over_what_was_measured() {
        let scenario = Scenario {
            mix: vec![("o365.audit".into(), 0.9), ("suricata.eve".into(), 0.1)],
            ..scenario()
        };
        let (models, missing) = DatasetModel::all(Some(&run()), &scenario);
        assert_eq!(models.len(), 1);
        assert!(close(models[0].part, 0.9));
        assert_eq!(missing, ["suricata.eve"]);
    }

    #[test]
    fn a_lake_says_what_its_events_take() {
        let held = Held {
            dataset: "o365.audit".into(),
            days: 10,
            events: 1000,
            stored_bytes: 500_000,
            files: 10,
        };
        let scenario = Scenario {
            source: Source::Lake {
                url: "./lake".into(),
                datasets: vec![held],
            },
            ..scenario()
        };
        let (models, _) = DatasetModel::all(None, &scenario);
        assert!(close(models[0].day_bytes(100.0).value, 50_000.0));
        assert!(close(models[0].part, 1.0));
    }
}
