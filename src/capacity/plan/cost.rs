//! What it costs, by the prices of the user.

use super::state::{Basis, State};
use crate::capacity::bill::{Bill, CostItem};
use crate::capacity::prices::{PRICED_GB, Prices};
use crate::capacity::scenario::MONTH_DAYS;
use crate::error::Result;
use serde::Serialize;

/// Hours of a month, in the mean.
const MONTH_HOURS: f64 = MONTH_DAYS * 24.0;

/// What it costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Costs {
    /// Name of the price table.
    pub prices: String,
    /// Its date.
    pub prices_date: String,
    /// Its currency.
    pub currency: String,
    /// Of a month when the lake has reached its retention.
    pub items: Vec<CostItem>,
    /// Their sum.
    pub per_month: f64,
    /// Over the months of the plan.
    pub over_all_months: f64,
    /// Until the retention is reached.
    pub until_retention: f64,
    /// What is not in the sums, and why.
    pub left_out: Vec<String>,
}

/// Prices, and the tier of storage that was chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priced<'a> {
    prices: &'a Prices,
    storage: Option<(&'a str, f64)>,
}

impl<'a> Priced<'a> {
    pub(super) fn new(prices: &'a Prices, tier: Option<&str>) -> Result<Self> {
        Ok(Self {
            prices,
            storage: prices.storage(tier)?,
        })
    }

    /// What a month costs at this load, and what has no price or was not measured.
    pub(super) fn month(&self, basis: &Basis<'_>, state: &State) -> (Vec<CostItem>, Vec<String>) {
        let mut bill = Bill::default();
        self.store(basis, state, &mut bill);
        if basis.scenario.store != "local" {
            self.requests(basis, state, &mut bill);
        }
        self.compute(basis, state, &mut bill);
        (bill.items, bill.left_out)
    }

    fn store(&self, basis: &Basis<'_>, state: &State, bill: &mut Bill) {
        let stored = basis.stored(state).map(|bytes| bytes.value / PRICED_GB);
        let (tier, price) = match self.storage {
            Some((tier, price)) => (format!("storage ({tier})"), Some(price)),
            None => ("storage".to_owned(), None),
        };
        bill.add(&tier, stored, "GB", price);
    }

    fn requests(&self, basis: &Basis<'_>, state: &State, bill: &mut Bill) {
        let tasks = basis.all_tasks(state);
        let prices = self.prices;
        let monthly = tasks.as_ref().and_then(|tasks| super::monthly_requests(tasks));
        let kinds = [
            ("PUT requests", monthly.map(|made| made.put), prices.put_per_1000),
            ("GET requests", monthly.map(|made| made.get), prices.get_per_1000),
            ("LIST requests", monthly.map(|made| made.list), prices.list_per_1000),
        ];
        for (name, number, price) in kinds {
            bill.add(name, number.map(|number| number / 1000.0), "1,000 requests", price);
        }
        let read = tasks.and_then(|tasks| {
            // An ingest reads logs, which are not in the store of the lake.
            let of_lake = tasks.iter().filter(|task| task.part != super::Part::Ingest);
            let monthly = of_lake.map(|task| Some(task.read_bytes? * task.times_per_day * MONTH_DAYS / PRICED_GB));
            monthly.sum::<Option<f64>>()
        });
        bill.add("transfer", read, "GB", prices.transfer_per_gb);
    }

    fn compute(&self, basis: &Basis<'_>, state: &State, bill: &mut Bill) {
        let prices = self.prices;
        let memory = basis.peak_memory(state).map(|memory| memory.value / PRICED_GB);
        if !prices.machines.is_empty() {
            let cores = basis.scenario.cores;
            let enough = prices
                .machines
                .iter()
                .filter(|machine| machine.cores >= cores && memory.is_none_or(|memory| machine.memory_gb >= memory));
            match enough.min_by(|a, b| a.per_hour.total_cmp(&b.per_hour)) {
                Some(machine) => {
                    let name = format!("machine ({})", machine.name);
                    bill.add(&name, Some(MONTH_HOURS), "hours", Some(machine.per_hour));
                }
                None => bill.left_out.push(format!(
                    "machine: none of the prices has {cores} cores and the memory that is needed"
                )),
            }
            return;
        }
        let hours = basis.all_tasks(state).map(|tasks| {
            let seconds = tasks.iter().map(|task| task.seconds.value * task.times_per_day);
            seconds.sum::<f64>() * MONTH_DAYS / 3600.0
        });
        let cores = hours.map(|hours| hours * f64::from(basis.scenario.cores));
        bill.add("cores", cores, "core-hours", prices.core_hour);
        if prices.memory_gb_hour.is_some() {
            let memory = hours.zip(memory).map(|(hours, memory)| hours * memory);
            bill.add("memory", memory, "GB-hours", prices.memory_gb_hour);
        }
    }

    /// The sums of a plan. `months` are the states at the ends of its months, each with whether
    /// the retention was reached before.
    pub(super) fn costs(&self, basis: &Basis<'_>, steady: &State, months: &[f64], until: usize) -> Costs {
        let (items, left_out) = self.month(basis, steady);
        Costs {
            prices: self.prices.name.clone(),
            prices_date: self.prices.date.clone(),
            currency: self.prices.currency.clone(),
            per_month: items.iter().map(|item| item.cost).sum(),
            items,
            over_all_months: months.iter().sum(),
            until_retention: months.iter().take(until).sum(),
            left_out,
        }
    }
}
