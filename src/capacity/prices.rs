//! What things cost: a table that the user brings. There is none in the program, as prices differ
//! by place, contract and date.

use crate::error::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Bytes of the gigabyte that prices are for.
pub const PRICED_GB: f64 = 1e9;

/// A table to fill in, with numbers that are made up.
pub const EXAMPLE: &str = include_str!("prices_example.toml");

/// Prices, in one currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Prices {
    /// Of whom, and for where.
    pub name: String,
    /// Of when.
    pub date: String,
    /// `EUR`, `USD`, ...
    pub currency: String,
    /// Of a GB for a month, by tier.
    pub storage_per_gb_month: BTreeMap<String, f64>,
    /// Of 1,000 requests.
    pub put_per_1000: Option<f64>,
    /// Of 1,000 requests.
    pub get_per_1000: Option<f64>,
    /// Of 1,000 requests.
    pub list_per_1000: Option<f64>,
    /// Of a GB read from the store.
    pub transfer_per_gb: Option<f64>,
    /// Of a core for an hour.
    pub core_hour: Option<f64>,
    /// Of a GB of memory for an hour.
    pub memory_gb_hour: Option<f64>,
    /// Machines that can be had.
    pub machines: Vec<MachinePrice>,
}

/// A machine that can be had.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachinePrice {
    /// Its name.
    pub name: String,
    /// Its cores.
    pub cores: u32,
    /// Its memory.
    pub memory_gb: f64,
    /// Price of an hour.
    pub per_hour: f64,
}

/// What is wrong in a file, each with its line.
struct Faults<'a> {
    text: &'a str,
    found: Vec<(usize, String)>,
}

impl Faults<'_> {
    fn add(&mut self, at: Range<usize>, problem: impl Into<String>) {
        let before = self.text.as_bytes().iter().take(at.start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        self.found.push((line, problem.into()));
    }
}

impl Prices {
    /// Reads a table; `name` is its file, for errors, which say all that is wrong, with lines.
    pub fn read(text: &str, name: &str) -> Result<Self> {
        let mut faults = Faults {
            text,
            found: Vec::new(),
        };
        let prices = Self::take(text, &mut faults);
        if faults.found.is_empty() {
            return Ok(prices);
        }
        faults.found.sort();
        let lines = faults
            .found
            .iter()
            .map(|(line, problem)| format!("{name}:{line}: {problem}"));
        Err(Error::Setting {
            setting: "--prices".into(),
            problem: lines.collect::<Vec<_>>().join("\n"),
        })
    }

    fn take(text: &str, faults: &mut Faults<'_>) -> Self {
        let mut prices = Self::default();
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                faults.add(error.span().unwrap_or(0..0), error.message().trim());
                return prices;
            }
        };
        for (key, value) in &table {
            let name = key.get_ref().as_ref();
            match name {
                "name" => prices.name = words(name, value, faults),
                "date" => prices.date = words(name, value, faults),
                "currency" => prices.currency = words(name, value, faults),
                "storage" => {
                    for (tier, value) in inner(name, value, faults) {
                        if let Some(price) = price(&format!("storage.{}", tier.get_ref()), value, faults) {
                            prices.storage_per_gb_month.insert(tier.get_ref().to_string(), price);
                        }
                    }
                }
                "requests" => {
                    let known = [
                        ("put_per_1000", &mut prices.put_per_1000),
                        ("get_per_1000", &mut prices.get_per_1000),
                        ("list_per_1000", &mut prices.list_per_1000),
                    ];
                    keys(name, value, known, faults);
                }
                "transfer" => keys(name, value, [("per_gb", &mut prices.transfer_per_gb)], faults),
                "compute" => {
                    let known = [
                        ("core_hour", &mut prices.core_hour),
                        ("memory_gb_hour", &mut prices.memory_gb_hour),
                    ];
                    keys(name, value, known, faults);
                }
                "machine" => prices.machines = machines(value, faults),
                other => faults.add(
                    key.span(),
                    format!(
                        "there is no key `{other}`; the keys are name, date, currency, storage, requests, transfer, \
                         compute, machine"
                    ),
                ),
            }
        }
        for (key, known) in [
            ("name", &prices.name),
            ("date", &prices.date),
            ("currency", &prices.currency),
        ] {
            if known.is_empty() && !table.keys().any(|there| there.get_ref() == key) {
                faults.add(0..0, format!("`{key}` is missing"));
            }
        }
        prices
    }

    /// The price of storage in a tier; without one, that of the only tier or of `standard`.
    pub fn storage(&self, tier: Option<&str>) -> Result<Option<(&str, f64)>> {
        let of = |name: &str| self.storage_per_gb_month.get_key_value(name);
        let found = match tier {
            Some(name) => Some(of(name).ok_or_else(|| {
                let known: Vec<&str> = self.storage_per_gb_month.keys().map(String::as_str).collect();
                Error::Setting {
                    setting: "--tier".into(),
                    problem: format!("the prices have no tier {name:?}; they have {}", listed(&known)),
                }
            })?),
            None if self.storage_per_gb_month.len() == 1 => self.storage_per_gb_month.iter().next(),
            None if self.storage_per_gb_month.is_empty() => None,
            None => Some(of("standard").ok_or_else(|| Error::Setting {
                setting: "--tier".into(),
                problem: "the prices have several tiers and none named standard; say which".into(),
            })?),
        };
        Ok(found.map(|(name, price)| (name.as_str(), *price)))
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn inner<'a, 'b>(
    name: &str,
    value: &'b Spanned<DeValue<'a>>,
    faults: &mut Faults<'_>,
) -> impl Iterator<Item = (&'b Spanned<std::borrow::Cow<'a, str>>, &'b Spanned<DeValue<'a>>)> + use<'a, 'b> {
    let table = match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => {
            faults.add(value.span(), format!("`{name}` must be a table: [{name}]"));
            None
        }
    };
    table.into_iter().flatten()
}

/// Takes the prices of a table into their places.
fn keys<const N: usize>(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    mut known: [(&str, &mut Option<f64>); N],
    faults: &mut Faults<'_>,
) {
    for (key, value) in inner(name, value, faults) {
        match known.iter_mut().find(|(known, _)| key.get_ref() == known) {
            Some((known, place)) => **place = price(&format!("{name}.{known}"), value, faults),
            None => {
                let known: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
                let key_name = key.get_ref();
                faults.add(
                    key.span(),
                    format!("there is no key `{name}.{key_name}`; the keys are {}", known.join(", ")),
                );
            }
        }
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', "").parse().ok(),
        DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
        _ => None,
    }
}

/// A number that is not negative.
fn price(name: &str, value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Option<f64> {
    let price = number(value.get_ref()).filter(|price| price.is_finite() && *price >= 0.0);
    if price.is_none() {
        faults.add(
            value.span(),
            format!("`{name}` must be a price: a number, 0 or more, without a currency"),
        );
    }
    price
}

fn words(name: &str, value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) if !text.trim().is_empty() => text.to_string(),
        DeValue::Datetime(date) if name == "date" => date.to_string(),
        _ => {
            faults.add(value.span(), format!("`{name}` must be a text in quotes"));
            String::new()
        }
    }
}

fn machines(value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Vec<MachinePrice> {
    let DeValue::Array(tables) = value.get_ref() else {
        faults.add(value.span(), "`machine` must be tables: [[machine]], once for each");
        return Vec::new();
    };
    tables.iter().filter_map(|table| machine(table, faults)).collect()
}

fn machine(value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Option<MachinePrice> {
    let mut name = None;
    let mut numbers = [("cores", None), ("memory_gb", None), ("per_hour", None)];
    for (key, value) in inner("machine", value, faults) {
        let is_known = |(known, _): &&mut (&str, Option<f64>)| key.get_ref() == *known;
        if key.get_ref() == "name" {
            name = Some(words("machine.name", value, faults));
        } else if let Some((known, place)) = numbers.iter_mut().find(is_known) {
            *place = price(&format!("machine.{known}"), value, faults);
        } else {
            faults.add(
                key.span(),
                format!(
                    "there is no key `machine.{}`; the keys are name, cores, memory_gb, per_hour",
                    key.get_ref()
                ),
            );
        }
    }
    let [cores, memory, hour] = numbers.map(|(_, number)| number);
    match (name, cores, memory, hour) {
        (Some(name), Some(cores), Some(memory_gb), Some(per_hour)) if cores >= 1.0 && memory_gb > 0.0 => {
            Some(MachinePrice {
                name,
                cores: cores as u32,
                memory_gb,
                per_hour,
            })
        }
        _ => {
            faults.add(
                value.span(),
                "a machine needs name, cores (1 or more), memory_gb (more than 0) and per_hour",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        Prices::read(text, "prices.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_read_and_says_that_it_is_one() {
        let prices = Prices::read(EXAMPLE, "example").unwrap();
        assert!(prices.name.contains("EXAMPLE") && EXAMPLE.contains("to be replaced"));
        assert_eq!(prices.storage(None).unwrap().unwrap().0, "standard");
        assert_eq!(prices.storage(Some("cool")).unwrap().unwrap().0, "cool");
        assert!(prices.put_per_1000.is_some() && prices.transfer_per_gb.is_some() && prices.core_hour.is_some());
        assert!(prices.machines.len() > 1);
        let said = prices.storage(Some("frozen")).unwrap_err().to_string();
        assert!(said.contains("they have cool, standard"), "{said}");
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_line() {
        let text = "name = 'n'\ndate = 2026-01-01\nstorage = 5\nrequest = 1\n[requests]\nput = 1\nget_per_1000 = '0.1'\n\
                    [compute]\ncore_hour = -1\n[[machine]]\nname = 'small'\ncores = 2\n";
        let expected = "--prices: prices.toml:1: `currency` is missing\n\
                        prices.toml:3: `storage` must be a table: [storage]\n\
                        prices.toml:4: there is no key `request`; the keys are name, date, currency, storage, requests, \
                        transfer, compute, machine\n\
                        prices.toml:6: there is no key `requests.put`; the keys are put_per_1000, get_per_1000, \
                        list_per_1000\n\
                        prices.toml:7: `requests.get_per_1000` must be a price: a number, 0 or more, without a currency\n\
                        prices.toml:9: `compute.core_hour` must be a price: a number, 0 or more, without a currency\n\
                        prices.toml:10: a machine needs name, cores (1 or more), memory_gb (more than 0) and per_hour";
        assert_eq!(said(text), expected);
        assert!(said("name = \n").starts_with("--prices: prices.toml:1: "));
    }

    #[test]
    fn several_tiers_need_a_choice() {
        let head = "name = 'n'\ndate = '2026'\ncurrency = 'EUR'\n";
        let of = |storage: &str| Prices::read(&format!("{head}{storage}"), "p").unwrap();
        assert_eq!(of("[storage]\nhot = 0.02").storage(None).unwrap(), Some(("hot", 0.02)));
        assert!(of("[storage]\nhot = 0.02\ncool = 1").storage(None).is_err());
        assert_eq!(of("").storage(None).unwrap(), None);
    }
}
