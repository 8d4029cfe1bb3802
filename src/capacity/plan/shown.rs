//! A plan as tables and sentences, for the terminal and for the page.

use super::words::plain;
use super::{Part, Plan, Task};
use crate::capacity::fit::Estimate;
use crate::capacity::scenario::MONTH_DAYS;
use crate::report::human::{bytes, count, seconds};

/// A table with its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// Names of the columns.
    pub header: Vec<&'static str>,
    /// Texts, one per column.
    pub rows: Vec<Vec<String>>,
    /// Sentences under it.
    pub notes: Vec<String>,
}

/// Months of a table: more are thinned out.
const MONTHS: usize = 13;

impl Plan {
    /// All tables, in the order in which they are read. What could not be said has none.
    pub fn sections(&self) -> Vec<Section> {
        let sections = [
            self.lake(),
            self.by_month(),
            self.work(),
            self.hunt_times(),
            self.breaking(),
            self.bill(),
            self.model_errors(),
        ];
        let is_filled = |section: &Section| !section.rows.is_empty() || !section.notes.is_empty();
        sections.into_iter().filter(is_filled).collect()
    }

    fn lake(&self) -> Section {
        let state = &self.steady;
        let mut rows = vec![
            row("events a day", [amount(state.events_per_day)]),
            row("events in the lake", [amount(state.events_held)]),
        ];
        let mut add = |name: &str, text: Option<String>| rows.extend(text.map(|text| row(name, [text])));
        add("storage", self.stored_bytes.map(|stored| spread(stored, size)));
        add("files, compacted", self.files.map(amount));
        add(
            "files a day adds before that",
            self.files_per_day_before_compaction.map(amount),
        );
        add("most memory", self.peak_memory_bytes.map(|memory| spread(memory, size)));
        Section {
            title: format!("With {} days in the lake", plain(self.scenario.retention_days)),
            header: vec!["", ""],
            rows,
            notes: Vec::new(),
        }
    }

    fn by_month(&self) -> Section {
        let mut header = vec!["month", "events a day", "events", "storage", "files", "hours of work"];
        let has_requests = self.months.iter().any(|month| month.requests.is_some());
        let has_costs = self.costs.is_some();
        header.extend(has_requests.then_some("requests"));
        header.extend(has_costs.then_some("cost"));
        let step = self.months.len().div_ceil(MONTHS);
        let last = self.months.len();
        let shown = self.months.iter().filter(|month| {
            step <= 1 || month.month == 1 || month.month as usize == last || (month.month as usize).is_multiple_of(step)
        });
        let rows = shown.map(|month| {
            let hours = month.machine_hours.values().sum::<f64>();
            let hours = Some(hours).filter(|_| !month.machine_hours.is_empty());
            let mut cells = vec![
                month.month.to_string(),
                amount(month.state.events_per_day),
                amount(month.state.events_held),
                or_nothing(month.stored_bytes.map(|stored| size(stored.value))),
                or_nothing(month.files.map(amount)),
                or_nothing(hours.map(digits)),
            ];
            if has_requests {
                cells.push(or_nothing(
                    month.requests.map(|made| amount(made.put + made.get + made.list)),
                ));
            }
            if has_costs {
                cells.push(or_nothing(month.cost.map(money)));
            }
            cells
        });
        let reached = self.months.iter().find(|month| month.is_retention_reached);
        Section {
            title: "By month, at its end".to_owned(),
            rows: rows.collect(),
            header,
            notes: vec![match reached {
                Some(month) => format!("The retention is reached in month {}.", month.month),
                None => "The retention is not reached in these months.".to_owned(),
            }],
        }
    }

    fn work(&self) -> Section {
        let with = |task: &Task| {
            let daily = task.seconds.value * task.times_per_day;
            vec![
                task.part.as_str().to_owned(),
                plain(task.times_per_day),
                amount(task.events),
                spread(task.seconds, seconds),
                digits(daily * MONTH_DAYS / 3600.0),
                or_nothing(task.memory_bytes.map(|memory| size(memory.value))),
                or_nothing(task.requests.map(|made| {
                    let [put, get, list] = [made.put, made.get, made.list].map(amount);
                    format!("{put} / {get} / {list}")
                })),
            ]
        };
        Section {
            title: format!("The work of a day, with {} cores", self.scenario.cores),
            header: vec![
                "work",
                "times a day",
                "events each",
                "seconds each",
                "hours a month",
                "memory",
                "PUT / GET / LIST each",
            ],
            rows: self.tasks.iter().map(with).collect(),
            notes: Vec::new(),
        }
    }

    fn hunt_times(&self) -> Section {
        let rows = self.hunts.iter().map(|hunt| {
            vec![
                hunt.work.to_string(),
                spread(hunt.seconds, seconds),
                or_nothing(hunt.memory_bytes.map(|memory| size(memory.value))),
                or_nothing(hunt.read_bytes.map(size)),
            ]
        });
        let mut notes = Vec::new();
        if let Some(cores) = &self.cores {
            let within = seconds(cores.answer_within_seconds);
            notes.push(match (cores.cores_expected, cores.cores_safe) {
                (None, _) => format!(
                    "No number of cores answers within {within}: with 1,024 a hunt takes {}.",
                    seconds(cores.least_seconds)
                ),
                (Some(fewest), Some(safe)) if fewest == safe => {
                    format!("An answer within {within} needs {}.", cores_of(fewest))
                }
                (Some(fewest), Some(safe)) => {
                    format!(
                        "An answer within {within} needs {}, to be safe {safe}.",
                        cores_of(fewest)
                    )
                }
                (Some(fewest), None) => format!(
                    "An answer within {within} needs {} as far as can be expected; no number is safe.",
                    cores_of(fewest)
                ),
            });
        }
        Section {
            title: format!(
                "Hunts over {} days, {} events, with {} cores",
                plain(self.steady.range_days),
                amount(self.steady.range_events),
                self.scenario.cores
            ),
            header: vec!["hunt or query", "seconds", "memory", "bytes read"],
            rows: rows.collect(),
            notes,
        }
    }

    fn breaking(&self) -> Section {
        let rows = self.limits.iter().map(|limit| {
            let load = match limit.load_factor {
                None => "not at 10,000 times".to_owned(),
                Some(factor) if factor <= 1.0 => format!("{} times: it is over", factor_text(factor)),
                Some(factor) => format!("{} times", factor_text(factor)),
            };
            vec![
                limit.reason.words().to_owned(),
                load,
                or_nothing(limit.events_per_day.map(amount)),
                limit
                    .month
                    .map_or_else(|| "not in 120".to_owned(), |month| month.to_string()),
            ]
        });
        Section {
            title: "When one machine stops being enough".to_owned(),
            header: vec!["because", "at this load", "events a day", "month"],
            rows: rows.collect(),
            notes: Vec::new(),
        }
    }

    fn bill(&self) -> Section {
        let mut section = Section {
            title: String::new(),
            header: vec!["item", "quantity", "of", "price", "cost"],
            rows: Vec::new(),
            notes: Vec::new(),
        };
        let Some(costs) = &self.costs else { return section };
        section.title = format!("Cost of a month, in {}", costs.currency);
        section.rows = costs
            .items
            .iter()
            .map(|item| {
                vec![
                    item.item.clone(),
                    digits(item.quantity),
                    item.unit.to_owned(),
                    item.price.to_string(),
                    money(item.cost),
                ]
            })
            .collect();
        let sum = [
            "sum".to_owned(),
            String::new(),
            String::new(),
            String::new(),
            money(costs.per_month),
        ];
        section.rows.push(sum.to_vec());
        section.notes.push(format!(
            "{} {} until the retention is reached, {} over {} months. Prices: {}, {}.",
            money(costs.until_retention),
            costs.currency,
            money(costs.over_all_months),
            self.months.len(),
            costs.prices,
            costs.prices_date
        ));
        if !costs.left_out.is_empty() {
            section
                .notes
                .push(format!("Not in the sums: {}.", costs.left_out.join("; ")));
        }
        section
    }

    fn model_errors(&self) -> Section {
        let percent = |error: f64| format!("{:.1} %", error * 100.0);
        let rows = self.errors.iter().map(|one| {
            vec![
                one.work.to_string(),
                percent(one.fit_max),
                or_nothing(one.left_out_max.map(percent)),
                or_nothing(one.validation_max.map(percent)),
            ]
        });
        Section {
            title: "Largest error of the model".to_owned(),
            header: vec!["work", "where fitted", "sizes left out", "sizes to validate"],
            rows: rows.collect(),
            notes: Vec::new(),
        }
    }

    /// What is asked, in one sentence.
    pub fn headline(&self) -> String {
        let hunt = self.tasks.iter().find(|task| task.part == Part::Hunts);
        let mut text = format!("{} events a day", amount(self.steady.events_per_day));
        if let Some(stored) = self.stored_bytes {
            text.push_str(&format!(", {} in the lake", size(stored.value)));
        }
        if let Some(hunt) = hunt {
            text.push_str(&format!(
                ", a hunt over {} events in {}",
                amount(hunt.events),
                spread(hunt.seconds, seconds)
            ));
        }
        text
    }
}

fn row<const N: usize>(name: &str, cells: [String; N]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(cells).collect()
}

fn cores_of(number: u32) -> String {
    match number {
        1 => "1 core".to_owned(),
        number => format!("{number} cores"),
    }
}

fn or_nothing(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// `1,234`, of what is counted.
pub(super) fn amount(number: f64) -> String {
    count(number.round().max(0.0) as u64)
}

pub(super) fn size(number: f64) -> String {
    bytes(number.max(0.0) as u64)
}

/// `1,234`, `12.3` or `0.012`: what matters of a number.
fn digits(number: f64) -> String {
    match number {
        _ if number >= 100.0 => amount(number),
        _ if number >= 1.0 => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}

fn factor_text(factor: f64) -> String {
    if factor >= 100.0 {
        amount(factor)
    } else {
        format!("{factor:.2}")
    }
}

pub(super) fn money(number: f64) -> String {
    let cents = (number * 100.0).round() as i64;
    format!("{}.{:02}", count((cents / 100).unsigned_abs()), (cents % 100).abs())
}

/// `12.3 s (11.0 s to 14.2 s)`
fn spread(estimate: Estimate, text: fn(f64) -> String) -> String {
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(text);
    if low == high {
        value
    } else {
        format!("{value} ({low} to {high})")
    }
}
