//! `retrohunt hunt --dry-run`, and hunts that are estimated before they run.

use super::args::{OutputArgs, measurements, measurements_path, prices, store_of};
use super::hunt::Hunted;
use super::plan::table::{list, table, widths};
use super::{explain, output};
use crate::capacity::{Estimate, Forecast, Given, HuntCost, Measurements, Model, Prices, Section};
use crate::config;
use crate::detections::Detection;
use crate::engine::{Engine, ToRead};
use crate::error::{Error, Result};
use crate::hunt::{DetectionRun, Expected, HuntRequest, HuntToRead, RunState, to_read};
use crate::lake::Lake;
use crate::report::Format;
use crate::report::human::{bytes, count, counted, seconds};
use crate::schedule::{ALL_DETECTIONS, Estimated, Run, RunEnd, record_hunt};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Whether to estimate, with what, and how much may be read.
#[derive(Debug, Clone, Args)]
pub(crate) struct EstimateArgs {
    /// Read nothing but the metadata of files: say what would be read, how long that takes and,
    /// with --prices, what it costs. As text, or with --format json
    #[arg(long, conflicts_with_all = ["explain", "per_window", "max_alerts", "report", "verify", "estimate"])]
    pub(crate) dry_run: bool,

    /// Do so first, and keep it beside what the hunt took in the lake's table `runs`
    #[arg(long, conflicts_with = "explain")]
    estimate: bool,

    /// Hunt only if no more has to be read, such as 20GB. Estimates first
    #[arg(long, value_name = "SIZE", value_parser = config::parse_bytes, conflicts_with = "explain")]
    max_bytes: Option<u64>,

    /// Hunt only if it costs no more, in the currency of the prices. Estimates first
    #[arg(long, value_name = "AMOUNT", value_parser = amount, requires = "prices", conflicts_with = "explain")]
    max_cost: Option<f64>,

    /// Your prices, as TOML; `retrohunt plan --print-prices` prints an example
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// What `retrohunt bench` wrote, which times are computed from; without it, bench.json in
    /// $XDG_DATA_HOME/retrohunt or in ~/.local/share/retrohunt
    #[arg(long, value_name = "FILE", env = "RETROHUNT_MEASUREMENTS")]
    measurements: Option<PathBuf>,
}

fn amount(text: &str) -> Result<f64, String> {
    let amount: Option<f64> = text.replace('_', "").parse().ok();
    let amount = amount.filter(|amount| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| "write an amount, 0 or more, without a currency".to_owned())
}

impl EstimateArgs {
    /// Whether anything is to be estimated.
    pub(crate) fn is_wanted(&self) -> bool {
        self.dry_run || self.estimate || self.max_bytes.is_some() || self.max_cost.is_some()
    }

    /// What estimates are computed from, once it is known to be readable.
    pub(crate) fn means(&self) -> Result<Means> {
        let prices = self.prices.as_deref().map(prices).transpose()?;
        let (measurements, unmeasured) = match (&self.measurements, measurements_path()) {
            (Some(path), _) => (measurements(Some(path))?, None),
            // Where measurements would be is no matter if there are none.
            (None, Err(_)) => (None, None),
            // Nobody named the file: what is wrong with it keeps nobody from a hunt.
            (None, Ok(_)) => match measurements(None) {
                Ok(found) => (found, None),
                Err(problem) => (None, Some(problem.to_string())),
            },
        };
        Ok(Means {
            prices,
            measurements,
            unmeasured,
        })
    }

    /// An error if more would be read, or paid, than is allowed.
    pub(crate) fn check(&self, estimate: &HuntEstimate) -> Result<()> {
        let together = estimate.together.bytes;
        if let Some(most) = self.max_bytes.filter(|most| together > *most) {
            return Err(Error::Refused(format!(
                "the hunt has to read up to {}, and --max-bytes allows {}; nothing was read",
                bytes(together),
                bytes(most)
            )));
        }
        let (Some(most), Some(cost)) = (self.max_cost, &estimate.cost) else {
            return Ok(());
        };
        if !cost.left_out.is_empty() {
            return Err(Error::Refused(format!(
                "what the hunt costs is not known, and --max-cost allows {most} {}: {}; nothing was read",
                cost.currency,
                cost.left_out.join("; ")
            )));
        }
        if cost.cost > most {
            return Err(Error::Refused(format!(
                "the hunt costs about {} {}, and --max-cost allows {most}; nothing was read",
                money(cost.cost),
                cost.currency
            )));
        }
        Ok(())
    }
}

/// What estimates are computed from.
#[derive(Debug)]
pub(crate) struct Means {
    prices: Option<Prices>,
    measurements: Option<Measurements>,
    /// Why there are none, where a file of them is not as it should be.
    unmeasured: Option<String>,
}

/// What a hunt is expected to take.
#[derive(Debug, Serialize)]
pub(crate) struct HuntEstimate {
    detections: Vec<One>,
    together: ToRead,
    /// Files of the lake that have events.
    files_of: u64,
    /// Days of the range that have events.
    days: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast: Option<Forecast>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<HuntCost>,
    /// What is not known, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_known: Vec<String>,
    #[serde(skip)]
    store: String,
    #[serde(skip)]
    threads: u32,
}

/// What one detection is expected to take, alone.
#[derive(Debug, Serialize)]
struct One {
    #[serde(flatten)]
    expected: Expected,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<Estimate>,
}

impl HuntEstimate {
    /// Reads the metadata of files.
    pub(crate) async fn of(
        engine: &Engine,
        lake: &Lake,
        chosen: &[Detection],
        request: HuntRequest,
        means: &Means,
    ) -> Result<Self> {
        let chosen: Vec<&Detection> = chosen.iter().collect();
        let read = to_read(engine, &chosen, request).await?;
        let store = store_of(lake.url().as_str()).to_owned();
        let threads = u32::try_from(engine.threads()).unwrap_or(u32::MAX);
        Ok(Self::computed(read, store, threads, means))
    }

    fn computed(read: HuntToRead, store: String, threads: u32, means: &Means) -> Self {
        let HuntToRead {
            detections,
            together,
            files_of,
            days,
        } = read;
        let given = |files: u64| Given {
            store: &store,
            threads,
            days: days as f64,
            files: files as f64,
        };
        let mut not_known = Vec::new();
        let back: Vec<&str> = (detections.iter().filter(|one| one.follows_back))
            .map(|one| one.detection.as_str())
            .collect();
        if !back.is_empty() {
            not_known.push(format!(
                "what is read before the range, where alerts are open when it begins: {}",
                back.join(", ")
            ));
        }
        let mut forecast = None;
        let mut alone: Vec<Option<Estimate>> = vec![None; detections.len()];
        match &means.measurements {
            Some(run) => {
                let model = Model::of(run);
                for (one, seconds) in detections.iter().zip(&mut alone) {
                    let said = model.forecast(&one.detection, one.to_read.bytes, given(one.to_read.files));
                    *seconds = said.ok().map(|said| said.seconds);
                }
                let each = detections.iter().map(|one| (one.detection.as_str(), one.to_read.bytes));
                let each: Vec<(&str, u64)> = each.collect();
                let measured = &run.settings.detections;
                match model.forecast_all(&each, together.bytes, measured, given(together.files)) {
                    Ok(said) => forecast = Some(said),
                    Err(reason) => not_known.push(format!("how long it takes: {reason}")),
                }
            }
            None => not_known.push(match &means.unmeasured {
                Some(problem) => format!("how long it takes: {problem}; `retrohunt bench` measures anew"),
                None => "how long it takes: this machine was not measured; `retrohunt bench` does so, once".to_owned(),
            }),
        }
        let seconds = forecast.as_ref().map(|said: &Forecast| said.seconds.value);
        let cost = means.prices.as_ref();
        let cost = cost.map(|prices| HuntCost::of(prices, given(0), together.bytes, together.requests, seconds));
        let of_one = |(expected, seconds)| One { expected, seconds };
        Self {
            detections: detections.into_iter().zip(alone).map(of_one).collect(),
            together,
            files_of,
            days,
            forecast,
            cost,
            not_known,
            threads,
            store,
        }
    }

    /// Writes it; an error at the end if a detection cannot be planned.
    pub(crate) fn print(&self, options: &OutputArgs) -> Result<()> {
        let text = match options.format {
            Format::Json => {
                let json = serde_json::to_string_pretty(self);
                json.map_err(|error| Error::Internal(error.to_string()))? + "\n"
            }
            _ => self.text(output::terminal_width().filter(|_| options.output.is_none())),
        };
        let failed = self.detections.iter().filter(|one| one.expected.error.is_some());
        let failed: Vec<&str> = failed.map(|one| one.expected.detection.as_str()).collect();
        explain::write(&text, options, &failed)
    }

    fn text(&self, width: Option<u16>) -> String {
        let (width, columns) = widths(width);
        let mut section = Section {
            title: format!(
                "Would be read, at most, of {} and {}",
                counted(self.files_of, "file", "files"),
                counted(self.days, "day", "days")
            ),
            header: vec!["detection", "files", "row groups", "bytes", "time", "from", "to"],
            rows: Vec::new(),
            notes: Vec::new(),
        };
        for one in &self.detections {
            let expected = &one.expected;
            match &expected.error {
                None => section
                    .rows
                    .push(row(&expected.detection, &expected.to_read, one.seconds)),
                Some(error) => section
                    .notes
                    .push(format!("{} cannot run: {error}", expected.detection)),
            }
        }
        let together = self.forecast.as_ref().map(|said| said.seconds);
        if self.detections.len() > 1 {
            section.rows.push(row("together", &self.together, together));
        }
        if self.forecast.is_none() {
            section.header.truncate(4);
            section.rows.iter_mut().for_each(|row| row.truncate(4));
        }
        if self.store != "local" {
            let requests = counted(self.together.requests, "GET request", "GET requests");
            section.notes.push(format!("{requests} of the store"));
        }
        let mut text = String::new();
        table(&mut text, &section, width, columns);
        text.push('\n');
        if let Some(cost) = &self.cost {
            let items = cost.items.iter().map(|item| {
                vec![
                    item.item.clone(),
                    format!("{} {}", money(item.quantity), item.unit),
                    money(item.cost),
                ]
            });
            let sum = vec!["sum".to_owned(), String::new(), money(cost.cost)];
            let section = Section {
                title: format!("Costs in {}, by {} of {}", cost.currency, cost.prices, cost.prices_date),
                header: vec!["", "", ""],
                rows: items.chain([sum]).collect(),
                notes: cost.left_out.iter().map(|what| format!("left out: {what}")).collect(),
            };
            table(&mut text, &section, width, columns);
            text.push('\n');
        }
        list(&mut text, "Not known", &self.not_known, columns);
        let doubts = self.forecast.as_ref().map(|said| said.doubts.as_slice());
        list(&mut text, "To be taken with care", doubts.unwrap_or_default(), columns);
        text.truncate(text.trim_end().len());
        text + "\n"
    }

    /// One line that holds it against what the hunt took, and rows of the table `runs`. That they
    /// cannot be kept is said and fails nothing: the alerts are there.
    pub(crate) async fn close(&self, lake: &Lake, hunted: &Hunted, request: HuntRequest, took: Took<'_>) {
        let read = hunted.bytes_read();
        let mut line = format!("estimated: up to {}", bytes(self.together.bytes));
        if let Some(said) = &self.forecast {
            line.push_str(&format!(
                " and {} ({} to {})",
                seconds(said.seconds.value),
                seconds(said.seconds.low),
                seconds(said.seconds.high)
            ));
        }
        line.push_str(&format!("; taken: {} and {}", bytes(read), seconds(took.seconds)));
        output::note(line);
        let runs = self.runs(hunted, request, took);
        if let Err(error) = record_hunt(lake, &runs).await {
            output::note(format_args!(
                "note: this is not in the table runs: {}",
                output::chain(&error)
            ));
        }
    }

    fn runs(&self, hunted: &Hunted, request: HuntRequest, took: Took<'_>) -> Vec<Run> {
        let given = Given {
            store: &self.store,
            threads: self.threads,
            days: 0.0,
            files: 0.0,
        };
        let (prices, read) = (took.means.prices.as_ref(), hunted.bytes_read());
        let cost = prices.map(|prices| HuntCost::of(prices, given, read, took.requests, Some(took.seconds)).cost);
        let base = |run: &DetectionRun| {
            let mut row = Run::of(&run.detection, run.kind.as_str());
            row.started = took.started;
            row.seconds = run.seconds;
            row.tick_from = request.from;
            row.tick_to = request.to.unwrap_or(took.started);
            row.ticks = run.ticks.unwrap_or_default();
            row.read = run.read;
            row.alerts[0] = run.alerts;
            row.suppressed = run.suppressed;
            row.error = run.error.clone();
            row.end = match run.state {
                RunState::Done => RunEnd::Done,
                RunState::Failed | RunState::NotRun => RunEnd::Failed,
            };
            row
        };
        let currency = self.cost.as_ref().map(|cost| cost.currency.clone());
        let of_all = Estimated {
            to_read: self.together,
            seconds: self.forecast.as_ref().map(|said| said.seconds),
            cost: self.cost.as_ref().map(|cost| cost.cost),
            currency: currency.clone(),
        };
        let mut rows: Vec<Run> = hunted.detections().iter().map(base).collect();
        if let [alone] = rows.as_mut_slice() {
            alone.seconds = took.seconds;
            alone.read.bytes_read = read;
            alone.requests = took.requests;
            alone.cost = cost;
            alone.estimated = Some(of_all);
            return rows;
        }
        for (row, one) in rows.iter_mut().zip(&self.detections) {
            row.estimated = Some(Estimated {
                to_read: one.expected.to_read,
                seconds: one.seconds,
                cost: None,
                currency: None,
            });
        }
        let mut all = Run::of(ALL_DETECTIONS, "hunt");
        (all.started, all.seconds) = (took.started, took.seconds);
        (all.tick_from, all.tick_to) = (request.from, request.to.unwrap_or(took.started));
        for row in &rows {
            all.read += row.read;
            all.alerts[0] += row.alerts[0];
            all.suppressed += row.suppressed;
            if row.end != RunEnd::Done {
                all.end = RunEnd::Failed;
            }
        }
        all.read.bytes_read = read;
        (all.requests, all.cost, all.estimated) = (took.requests, cost, Some(of_all));
        rows.push(all);
        rows
    }
}

/// What a hunt took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took<'a> {
    /// Microseconds since the Unix epoch.
    pub(crate) started: i64,
    /// Wall-clock time of the program, without that of the estimate.
    pub(crate) seconds: f64,
    /// Requests to the store for data files.
    pub(crate) requests: u64,
    pub(crate) means: &'a Means,
}

fn row(name: &str, to_read: &ToRead, seconds: Option<Estimate>) -> Vec<String> {
    let time = |of: fn(Estimate) -> f64| seconds.map_or_else(String::new, |seconds| self::seconds(of(seconds)));
    vec![
        name.to_owned(),
        count(to_read.files),
        format!("{} of {}", count(to_read.row_groups), count(to_read.row_groups_of)),
        bytes(to_read.bytes),
        time(|seconds| seconds.value),
        time(|seconds| seconds.low),
        time(|seconds| seconds.high),
    ]
}

/// Small amounts with the digits that they have.
fn money(amount: f64) -> String {
    match amount {
        _ if amount == 0.0 => "0".to_owned(),
        _ if amount >= 1.0 => format!("{amount:.2}"),
        _ => format!("{amount:.6}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
    }
}
