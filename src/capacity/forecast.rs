//! What a hunt will take, told from the bytes that it has to read, before it reads them.
//!
//! A work was measured over lakes of so many events, and for each it was counted how many bytes
//! it had to read. So bytes say which size of a measured lake a hunt is like, whatever range,
//! mix or pruning they come from.

use super::bill::{Bill, CostItem};
use super::fit::{Driver, Estimate};
use super::model::{At, Model, WorkModel};
use super::prices::{PRICED_GB, Prices};
use super::statistics::median;
use super::work::Work;
use serde::Serialize;

/// Where a hunt runs, and what its range has.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// As measurements name it: `local`, `s3`, `az`.
    pub store: &'a str,
    /// Threads that it has.
    pub threads: u32,
    /// Days of the range that have events.
    pub days: f64,
    /// Files that are read.
    pub files: f64,
}

/// What a forecast rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The same was measured.
    Measured,
    /// Each detection was measured, alone; together they share what they read.
    Sum,
    /// Other work was measured: so much time for so many bytes.
    Alike,
}

/// Seconds that a hunt will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Start-up included.
    pub seconds: Estimate,
    /// What it rests on.
    pub basis: Basis,
    /// Why it should be taken with care.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

impl WorkModel {
    /// Events of the measured lakes for which as many bytes had to be read.
    fn events_of(&self, bytes: u64) -> Option<f64> {
        let fit = self.to_read_bytes.as_ref().or(self.read_bytes.as_ref())?;
        let each = fit.cost(Driver::Event);
        (each > 0.0).then(|| ((bytes as f64 - fit.cost(Driver::Fixed)) / each).max(0.0))
    }

    fn forecast(&self, bytes: u64, given: Given<'_>) -> Option<(Estimate, Vec<String>)> {
        let at = At {
            days: Some(given.days),
            files: Some(given.files),
            ..At::new(self.events_of(bytes)?, given.threads)
        };
        Some((self.seconds_at(at)?, self.doubts(at)))
    }
}

impl Model {
    /// What one detection takes that has to read so many bytes. An error says why nobody knows.
    pub fn forecast(&self, detection: &str, bytes: u64, given: Given<'_>) -> Result<Forecast, String> {
        let work = self.work(&Work::Hunt(detection.to_owned()), given.store);
        if let Some((seconds, doubts)) = work.and_then(|work| work.forecast(bytes, given)) {
            return Ok(Forecast {
                seconds,
                basis: Basis::Measured,
                doubts,
            });
        }
        let alike = self.works.iter().filter(|model| {
            let is_alike = matches!(
                model.work,
                Work::Hunt(_) | Work::NewTerms | Work::Aggregate | Work::Join
            );
            is_alike && model.store == given.store
        });
        let seconds: Vec<Estimate> = alike
            .filter_map(|model| Some(model.forecast(bytes, given)?.0))
            .collect();
        let values: Vec<f64> = seconds.iter().map(|seconds| seconds.value).collect();
        let Some(value) = median(&values) else {
            return Err(format!(
                "no hunt was measured on the store {} with {} threads",
                given.store, given.threads
            ));
        };
        Ok(Forecast {
            seconds: Estimate {
                value,
                low: seconds.iter().map(|seconds| seconds.low).fold(value, f64::min),
                high: seconds.iter().map(|seconds| seconds.high).fold(value, f64::max),
            },
            basis: Basis::Alike,
            doubts: vec![format!(
                "{detection} was not measured: other hunts that read as much were"
            )],
        })
    }

    /// What detections take that run together, each with the bytes that it has to read alone.
    /// `measured` are those that were measured together.
    pub fn forecast_all(
        &self,
        detections: &[(&str, u64)],
        together: u64,
        measured: &[String],
        given: Given<'_>,
    ) -> Result<Forecast, String> {
        if let [(detection, bytes)] = detections {
            return self.forecast(detection, *bytes, given);
        }
        let are_the_same = detections.len() == measured.len()
            && (detections.iter()).all(|(detection, _)| measured.iter().any(|known| known == detection));
        let all = self.work(&Work::HuntAll, given.store).filter(|_| are_the_same);
        if let Some((seconds, doubts)) = all.and_then(|all| all.forecast(together, given)) {
            return Ok(Forecast {
                seconds,
                basis: Basis::Measured,
                doubts,
            });
        }
        let mut sum: Option<Forecast> = None;
        let mut longest = 0.0_f64;
        for (detection, bytes) in detections {
            let one = self.forecast(detection, *bytes, given)?;
            // The program starts once.
            let start = self.forecast(detection, 0, given)?.seconds.value.min(one.seconds.low);
            longest = longest.max(one.seconds.low);
            sum = Some(match sum {
                None => one,
                Some(sum) => Forecast {
                    seconds: sum.seconds.plus(Estimate {
                        value: one.seconds.value - start,
                        low: one.seconds.low - start,
                        high: one.seconds.high - start,
                    }),
                    basis: sum.basis,
                    doubts: [sum.doubts, one.doubts].concat(),
                },
            });
        }
        let mut sum = sum.ok_or("there are no detections")?;
        // What is read once for all may save as much as it would take all but the longest.
        sum.seconds.low = longest.min(sum.seconds.low);
        sum.basis = Basis::Sum;
        sum.doubts.push(
            "these detections were not measured together: they share what they read and take less than the sum"
                .to_owned(),
        );
        Ok(sum)
    }
}

/// What a hunt costs by the prices of the user.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HuntCost {
    /// Name of the price table.
    pub prices: String,
    /// Its date.
    pub prices_date: String,
    /// Its currency.
    pub currency: String,
    /// What costs.
    pub items: Vec<CostItem>,
    /// Their sum.
    pub cost: f64,
    /// What is not in the sum, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

impl HuntCost {
    /// Of bytes and GET requests of a store, and of seconds on so many cores. On a local disk only
    /// the cores cost.
    pub fn of(prices: &Prices, given: Given<'_>, bytes: u64, requests: u64, seconds: Option<f64>) -> Self {
        let mut bill = Bill::default();
        if given.store != "local" {
            bill.add(
                "GET requests",
                Some(requests as f64 / 1000.0),
                "1,000 requests",
                prices.get_per_1000,
            );
            bill.add("transfer", Some(bytes as f64 / PRICED_GB), "GB", prices.transfer_per_gb);
        }
        let hours = seconds.map(|seconds| seconds / 3600.0);
        let enough = prices.machines.iter().filter(|machine| machine.cores >= given.threads);
        match enough.min_by(|a, b| a.per_hour.total_cmp(&b.per_hour)) {
            Some(machine) => bill.add(
                &format!("machine ({})", machine.name),
                hours,
                "hours",
                Some(machine.per_hour),
            ),
            None => {
                let cores = hours.map(|hours| hours * f64::from(given.threads));
                bill.add("cores", cores, "core-hours", prices.core_hour);
            }
        }
        Self {
            prices: prices.name.clone(),
            prices_date: prices.date.clone(),
            currency: prices.currency.clone(),
            cost: bill.items.iter().map(|item| item.cost).sum(),
            items: bill.items,
            left_out: bill.left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::run;
    use super::*;

    const GIVEN: Given<'_> = Given {
        store: "local",
        threads: 4,
        days: 30.0,
        files: 30.0,
    };

    #[test]
    fn as_many_bytes_take_as_long_as_they_took() {
        let model = Model::of(&run());
        let hunt = model
            .works
            .iter()
            .find(|model| matches!(model.work, Work::Hunt(_)))
            .unwrap();
        let Work::Hunt(id) = &hunt.work else { unreachable!() };
        // Made-up hunts read 30 bytes of each event.
        for events in [100_000, 2_000_000] {
            let said = model.forecast(id, events * 30, GIVEN).unwrap();
            let known = hunt
                .seconds_at(At {
                    days: Some(30.0),
                    files: Some(30.0),
                    ..At::new(events as f64, 4)
                })
                .unwrap();
            assert_eq!(said.basis, Basis::Measured);
            assert!(
                (said.seconds.value / known.value - 1.0).abs() < 0.01,
                "{said:?} {known:?}"
            );
        }
        // Nothing to read is what starting takes.
        let nothing = model.forecast(id, 0, GIVEN).unwrap().seconds;
        assert!(nothing.value < model.forecast(id, 3_000_000, GIVEN).unwrap().seconds.value);
    }

    #[test]
    fn what_was_not_measured_is_between_what_was() {
        let model = Model::of(&run());
        let said = model.forecast("mine", 60_000_000, GIVEN).unwrap();
        assert_eq!(said.basis, Basis::Alike);
        let here = |model: &&WorkModel| matches!(model.work, Work::Hunt(_)) && model.store == GIVEN.store;
        for one in model.works.iter().filter(here) {
            let (known, _) = one.forecast(60_000_000, GIVEN).unwrap();
            assert!(said.seconds.low <= known.low && known.high <= said.seconds.high);
        }
        let elsewhere = Given { store: "moon", ..GIVEN };
        assert!(model.forecast("mine", 1, elsewhere).unwrap_err().contains("moon"));
    }

    #[test]
    fn several_take_no_less_than_the_longest_and_no_more_than_all() {
        let (run, mut ids) = (run(), Vec::new());
        let model = Model::of(&run);
        for work in &model.works {
            if let Work::Hunt(id) = &work.work {
                ids.push((id.as_str(), 30_000_000));
            }
        }
        ids.push(("mine", 30_000_000));
        let said = model
            .forecast_all(&ids, 40_000_000, &run.settings.detections, GIVEN)
            .unwrap();
        let each = ids
            .iter()
            .map(|(id, bytes)| model.forecast(id, *bytes, GIVEN).unwrap().seconds);
        let each: Vec<Estimate> = each.collect();
        assert_eq!(said.basis, Basis::Sum);
        assert!(said.seconds.value < each.iter().map(|one| one.value).sum());
        assert!(each.iter().all(|one| said.seconds.low >= one.low));
    }

    #[test]
    fn on_a_disk_only_cores_cost() {
        let prices = Prices {
            get_per_1000: Some(0.5),
            transfer_per_gb: Some(0.02),
            core_hour: Some(0.04),
            ..Prices::default()
        };
        let here = HuntCost::of(&prices, GIVEN, 2_000_000_000, 4000, Some(900.0));
        assert!((here.cost - 0.04).abs() < 1e-9, "{here:?}");
        let there = HuntCost::of(
            &prices,
            Given { store: "s3", ..GIVEN },
            2_000_000_000,
            4000,
            Some(900.0),
        );
        assert!((there.cost - (0.04 + 2.0 + 0.04)).abs() < 1e-9, "{there:?}");
        let unknown = HuntCost::of(&prices, GIVEN, 1, 1, None);
        assert_eq!(unknown.left_out, ["cores: not measured"]);
    }
}
