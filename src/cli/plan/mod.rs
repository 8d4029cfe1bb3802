//! `retrohunt plan`

pub(super) mod table;

use super::args::{check_writable, lake_at, measurements, measurements_path, prices, store_of};
use super::{Outcome, output};
use crate::capacity::{Detections, EXAMPLE_PRICES, Held, Measurements, Plan, Scenario, Source};
use crate::config::{self, Resources, format_instant};
use crate::custody::holdings;
use crate::detections::parse_duration;
use crate::error::{Error, Result};
use crate::lake::TARGET_FILE_BYTES;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a lake will take: storage, requests, hours, memory, cores, cost
///
/// Computed from what `retrohunt bench` measured on a machine, scaled to the
/// users, the retention and the hunts that are planned. Times have intervals,
/// and the error of the model is shown. What was not measured is named and left
/// out, nothing is made up; prices are yours (--print-prices prints an example).
///
/// Examples:
///
///   retrohunt plan --users 50000 --events-per-user-day 120 --hunt-range 90d
///
///   retrohunt plan --events 30000000 --format json
///
///   retrohunt plan --from-lake s3://logs/lake --growth 2% --report plan.html
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "retrohunt plan --users <N> --events-per-user-day <N> [OPTIONS]\n       retrohunt plan --events <N> [OPTIONS]\n       retrohunt plan --from-lake <URL> [OPTIONS]",
    group(ArgGroup::new("source").required(true).args(["users", "events", "from_lake", "print_prices"])))]
pub(crate) struct PlanArgs {
    /// Users whose logs arrive
    #[arg(long, value_name = "N", value_parser = positive, requires = "events_per_user_day")]
    users: Option<f64>,

    /// Events of one user on a day, as a mean over the week
    #[arg(long, value_name = "N", value_parser = positive, requires = "users")]
    events_per_user_day: Option<f64>,

    /// Instead of users: events in the lake when it has reached its retention
    #[arg(long, value_name = "N", value_parser = positive)]
    events: Option<f64>,

    /// Instead of users: go on as this lake did, by its log; no data file is read
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    from_lake: Option<String>,

    /// Days that events are kept
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = parse_duration)]
    retention: Duration,

    /// Growth of what arrives, each month: 2%
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = percent, allow_hyphen_values = true)]
    growth: f64,

    /// Parts of the events by dataset, such as o365.audit=0.7,azure.signinlogs=0.3; without it,
    /// as measured or as in the lake
    #[arg(long, value_name = "DATASET=PART", value_delimiter = ',', value_parser = part)]
    mix: Vec<(String, f64)>,

    /// Part of the records that repeat others
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = percent)]
    duplicates: f64,

    /// How often new logs are ingested
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    ingest_interval: Duration,

    /// How many times the mean arrives in the busiest hours
    #[arg(long, value_name = "FACTOR", default_value = "4", value_parser = positive)]
    peak: f64,

    /// Hunts on a day
    #[arg(long, value_name = "N", default_value = "1", value_parser = number)]
    hunts_per_day: f64,

    /// How far a hunt looks back; without it, over everything
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    hunt_range: Option<Duration>,

    /// What a hunt runs: ids of detections that were measured, or how many; without it, all that
    /// were measured, together
    #[arg(long, value_name = "IDS|N", value_parser = detections)]
    detections: Option<Detections>,

    /// A schedule evaluates the detections this often
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    schedule_interval: Option<Duration>,

    /// How long a hunt may take: says how many cores that needs
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    answer_within: Option<Duration>,

    /// Cores of the machine; without it, those of the one that was measured
    #[arg(long, value_name = "N")]
    cores: Option<u32>,

    /// Memory of the machine, such as 64GB; without it, that of the one that was measured
    #[arg(long, value_name = "SIZE", value_parser = config::parse_bytes)]
    memory: Option<u64>,

    /// Where the lake will be, as the measurements name it: local, s3, az
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    store: Option<String>,

    /// Months to look ahead; without it, until the retention is reached, and at least 12
    #[arg(long, value_name = "N")]
    months: Option<u32>,

    /// What `retrohunt bench` wrote; without it, bench.json in $XDG_DATA_HOME/retrohunt or in
    /// ~/.local/share/retrohunt
    #[arg(long, value_name = "FILE", env = "RETROHUNT_MEASUREMENTS")]
    measurements: Option<PathBuf>,

    /// Your prices, as TOML
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Tier of storage, of those in the prices
    #[arg(long, value_name = "NAME", requires = "prices")]
    tier: Option<String>,

    /// Print an example of prices, to fill in
    #[arg(long)]
    print_prices: bool,

    /// How to print it
    #[arg(long, value_enum, default_value_t = PlanFormat::Table)]
    format: PlanFormat,

    /// Write an HTML page as well, with plots, which needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

fn number(text: &str) -> Result<f64, String> {
    let digits = text.replace(['_', ','], "");
    let number = digits
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "write a number, 0 or more".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let positive = number(text).ok().filter(|number| *number > 0.0);
    positive.ok_or_else(|| "write a number above 0".to_owned())
}

/// `2%`, `2%/month` or `0.02`
fn percent(text: &str) -> Result<f64, String> {
    let text = text.trim().trim_end_matches("/month").trim();
    let (digits, factor) = match text.strip_suffix('%') {
        Some(digits) => (digits, 0.01),
        None => (text, 1.0),
    };
    let number: Option<f64> = digits.trim().parse().ok();
    let number = number.filter(|number| number.is_finite()).map(|number| number * factor);
    number.ok_or_else(|| "write a percentage, such as 2%".to_owned())
}

fn part(text: &str) -> Result<(String, f64), String> {
    let (dataset, part) = text.split_once('=').unwrap_or_default();
    match percent(part) {
        Ok(part) if part > 0.0 && !dataset.trim().is_empty() => Ok((dataset.trim().to_owned(), part)),
        _ => Err("write DATASET=PART, such as o365.audit=0.7".to_owned()),
    }
}

fn detections(text: &str) -> Result<Detections, String> {
    if let Ok(number) = text.parse::<u32>() {
        let wrong = || "write at least one".to_owned();
        return (number > 0).then_some(Detections::Number(number)).ok_or_else(wrong);
    }
    let ids: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).collect();
    if ids.iter().any(String::is_empty) {
        return Err("has an empty id".to_owned());
    }
    Ok(Detections::Ids(ids))
}

pub(crate) async fn run(args: PlanArgs, resources: Resources) -> Result<Outcome> {
    if args.print_prices {
        output::data(EXAMPLE_PRICES)?;
        return Ok(Outcome::Done);
    }
    if let Some(path) = &args.report {
        check_writable(path)?;
    }
    let table = args.prices.as_deref().map(prices).transpose()?;
    let run = args.measured()?;
    let scenario = args.scenario(run.as_ref(), resources).await?;
    let priced = table.as_ref().map(|prices| (prices, args.tier.as_deref()));
    let plan = Plan::of(scenario, run.as_ref(), priced)?;
    if let Some(path) = &args.report {
        let now = chrono::Utc::now().timestamp();
        let page = plan.page(&format_instant(now * 1_000_000))?;
        std::fs::write(path, page).map_err(|source| failed(path, source))?;
        output::note(format!("wrote {}", path.display()));
    }
    let text = match args.format {
        PlanFormat::Json => serde_json::to_string(&plan).map_err(|error| Error::Internal(error.to_string()))? + "\n",
        PlanFormat::Table => table::shown(&plan, output::terminal_width()),
    };
    output::data(&text)?;
    Ok(Outcome::Done)
}

impl PlanArgs {
    /// What was measured. A lake says something without.
    fn measured(&self) -> Result<Option<Measurements>> {
        let run = measurements(self.measurements.as_deref())?;
        if run.is_none() && self.from_lake.is_none() {
            return Err(Error::NoMeasurements {
                path: measurements_path()?,
            });
        }
        Ok(run)
    }

    async fn scenario(&self, run: Option<&Measurements>, resources: Resources) -> Result<Scenario> {
        let source = self.source().await?;
        let stores = run.map(|run| run.settings.stores.as_slice()).unwrap_or_default();
        let store = self.store.clone().unwrap_or_else(|| match &self.from_lake {
            Some(url) => store_of(url).to_owned(),
            None if stores.iter().any(|store| store == "local") => "local".to_owned(),
            None => stores.first().cloned().unwrap_or_else(|| "local".to_owned()),
        });
        if let Some(store) = self.store.as_ref().filter(|store| !stores.contains(store)) {
            return Err(Error::Setting {
                setting: "--store".into(),
                problem: match stores {
                    [] => format!("nothing was measured on {store}"),
                    stores => format!("nothing was measured on {store}, but on {}", stores.join(", ")),
                },
            });
        }
        Ok(Scenario {
            source,
            mix: self.mix.clone(),
            duplicates: self.duplicates,
            growth_per_month: self.growth,
            retention_days: days(self.retention),
            ingest_interval_seconds: self.ingest_interval.as_secs_f64(),
            peak: self.peak,
            hunts_per_day: self.hunts_per_day,
            hunt_range_days: self.hunt_range.map(days),
            detections: self.detections.clone().unwrap_or(Detections::All),
            schedule_interval_seconds: self.schedule_interval.map(|interval| interval.as_secs_f64()),
            answer_within_seconds: self.answer_within.map(|within| within.as_secs_f64()),
            cores: self.cores.unwrap_or(match run {
                Some(run) => run.machine.cores,
                None => u32::try_from(resources.threads).unwrap_or(u32::MAX),
            }),
            memory_bytes: self.memory.unwrap_or(match run {
                Some(run) => run.machine.memory_bytes,
                None => resources.memory_limit,
            }),
            store,
            target_file_bytes: run
                .and_then(|run| run.settings.compaction_target_bytes)
                .unwrap_or(TARGET_FILE_BYTES),
            months: self.months,
        })
    }

    async fn source(&self) -> Result<Source> {
        if let Some(events) = self.events {
            return Ok(Source::Events { events });
        }
        let Some(url) = &self.from_lake else {
            return Ok(Source::Users {
                users: self.users.unwrap_or_default(),
                events_per_user_day: self.events_per_user_day.unwrap_or_default(),
            });
        };
        let held = holdings(&lake_at(url)?).await?;
        let datasets = held.datasets.into_iter().map(|dataset| Held {
            dataset: dataset.dataset,
            days: dataset.days,
            events: dataset.events,
            stored_bytes: dataset.bytes,
            files: dataset.files,
        });
        Ok(Source::Lake {
            url: held.url,
            datasets: datasets.collect(),
        })
    }
}

fn days(duration: Duration) -> f64 {
    duration.as_secs_f64() / 86_400.0
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages() {
        for (text, expected) in [
            ("2%", 0.02),
            ("2%/month", 0.02),
            ("0.5", 0.5),
            (" 2.5 % ", 0.025),
            ("-3%", -0.03),
        ] {
            assert!((percent(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
        for text in ["", "%", "two", "inf", "2%/year"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parts_and_detections() {
        assert_eq!(part("o365.audit=0.7").unwrap(), ("o365.audit".into(), 0.7));
        for text in ["o365.audit", "=1", "a=", "a=0", "a=-1"] {
            assert!(part(text).is_err(), "{text}");
        }
        assert_eq!(detections("20").unwrap(), Detections::Number(20));
        assert_eq!(
            detections("a, b").unwrap(),
            Detections::Ids(vec!["a".into(), "b".into()])
        );
        assert!(detections("0").is_err() && detections("a,,b").is_err());
        assert!(positive("0").is_err() && number("-1").is_err() && positive("NaN").is_err());
        assert_eq!(positive("30_000_000").unwrap(), 3e7);
    }
}
