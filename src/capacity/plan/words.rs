//! Sentences: what is taken for granted, and what could not be said.

use super::Refused;
use super::state::{Basis, Part, Task};
use crate::capacity::scenario::{Detections, Scenario, Source};
use crate::capacity::sizes::DatasetModel;
use crate::report::human::{bytes, count};

/// What the numbers take for granted.
pub(super) fn assumptions(scenario: &Scenario, datasets: &[DatasetModel]) -> Vec<String> {
    let mut said = Vec::new();
    match &scenario.source {
        Source::Users {
            users,
            events_per_user_day,
        } => said.push(format!(
            "{} users with {} events a day each, as a mean over the week",
            count(*users as u64),
            plain(*events_per_user_day)
        )),
        Source::Events { events } => said.push(format!(
            "{} events in the lake, which arrived evenly over its retention",
            count(*events as u64)
        )),
        Source::Lake { url, .. } => said.push(format!(
            "the lake {url} goes on as it began: events by day and bytes by event of each dataset are its own"
        )),
    }
    let parts = datasets
        .iter()
        .map(|dataset| format!("{} {:.0} %", dataset.dataset, dataset.part * 100.0));
    let parts: Vec<String> = parts.collect();
    if !parts.is_empty() {
        let whose = match (&scenario.source, scenario.mix.is_empty()) {
            (_, false) => "as given",
            (Source::Lake { .. }, true) => "as in the lake",
            (_, true) => "as in the lakes that were measured",
        };
        said.push(format!("the mix of datasets is {}, {whose}", parts.join(", ")));
    }
    if scenario.growth_per_month != 0.0 {
        let percent = plain(scenario.growth_per_month * 100.0);
        said.push(format!("what arrives grows by {percent} % each month"));
    }
    said.push(format!(
        "logs are taken in every {}, and the busiest hours have {} times the mean",
        plain_duration(scenario.ingest_interval_seconds),
        plain(scenario.peak)
    ));
    if scenario.duplicates > 0.0 {
        let percent = plain(scenario.duplicates * 100.0);
        said.push(format!(
            "{percent} % of the records repeat others: they are read and not stored"
        ));
    }
    said.push(format!(
        "each day is compacted once, to files of {}, and vacuumed; files are those of the events",
        bytes(scenario.target_file_bytes)
    ));
    match &scenario.detections {
        Detections::All => {}
        Detections::Number(number) => said.push(format!(
            "{number} detections run one after the other, each as long as those measured alone in the mean; together \
             they share scans and take less"
        )),
        Detections::Ids(_) => said.push("the detections run one after the other; together they take less".to_owned()),
    }
    said.push(format!(
        "the machine has {} cores like those that were measured and {} of memory, and does one thing at a time",
        scenario.cores,
        bytes(scenario.memory_bytes)
    ));
    said.push("files are in memory as far as they fit, as they were when they were measured".to_owned());
    said
}

/// What could not be said.
pub(super) fn refused(basis: &Basis<'_>, is_measured: bool, missing: &[String], tasks: &[Task]) -> Vec<Refused> {
    let scenario = basis.scenario;
    let mut said = Vec::new();
    let mut refuse = |part: &str, reason: String| {
        said.push(Refused {
            part: part.to_owned(),
            reason,
        });
    };
    if !missing.is_empty() {
        let names = missing.join(", ");
        refuse(
            "storage and files",
            format!("no lake with events of {names} was measured"),
        );
    } else if basis.datasets.is_empty() {
        refuse("storage and files", "no sizes of datasets were measured".to_owned());
    }
    let store = &scenario.store;
    let mut absent = Vec::new();
    for part in Part::ALL {
        if !basis.is_asked(part) || tasks.iter().any(|task| task.part == part) {
            continue;
        }
        absent.push(part.as_str());
        let reason = match part {
            _ if !is_measured => "there are no measurements".to_owned(),
            _ if basis.works(part).is_some() => format!(
                "it was measured with one thread count only, and not with {}",
                scenario.cores
            ),
            Part::Hunts => hunts(basis),
            _ => unfitted(basis, part.as_str()).unwrap_or_else(|| format!("it was not measured on the store {store}")),
        };
        refuse(part.as_str(), reason);
    }
    if is_measured && !absent.is_empty() {
        let reason = format!("that of {} is not known", absent.join(", "));
        refuse("memory and sums of all work", reason);
    }
    let is_counted = tasks.iter().all(|task| task.requests.is_some());
    if store == "local" {
        refuse(
            "requests",
            "a local disk has none; plan for an object store with --store".to_owned(),
        );
    } else if !tasks.is_empty() && !is_counted {
        refuse("requests", format!("they were not counted on the store {store}"));
    }
    said
}

fn hunts(basis: &Basis<'_>) -> String {
    let store = &basis.scenario.store;
    match &basis.scenario.detections {
        Detections::Ids(ids) => {
            let known: Vec<String> = basis.alone().iter().map(|model| model.work.to_string()).collect();
            let unknown: Vec<&str> = ids
                .iter()
                .filter(|id| !known.contains(&format!("hunt:{id}")))
                .map(String::as_str)
                .collect();
            format!("{} was not measured on the store {store}", unknown.join(", "))
        }
        Detections::All => unfitted(basis, "hunt_all")
            .unwrap_or_else(|| format!("all detections together were not measured on the store {store}")),
        Detections::Number(_) => format!("no detection was measured alone on the store {store}"),
    }
}

/// Why a work that was measured has no model.
fn unfitted(basis: &Basis<'_>, name: &str) -> Option<String> {
    let name = if name == "schedule" { "tick" } else { name };
    let found = basis
        .model
        .unfitted
        .iter()
        .find(|work| work.work.to_string() == name && work.store == basis.scenario.store)?;
    Some(format!("it {}", found.reason))
}

/// `1.5`, `120`: at most two digits after the point.
pub(super) fn plain(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn plain_duration(seconds: f64) -> String {
    crate::report::human::duration(std::time::Duration::from_secs_f64(seconds))
}
