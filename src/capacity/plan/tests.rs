//! Plans from measurements whose truth is known.

use super::*;
use crate::capacity::made::run;
use crate::capacity::prices::EXAMPLE;
use crate::capacity::scenario::{Detections, Held, scenario};

fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0)
}

fn plan(change: impl FnOnce(&mut Scenario)) -> Plan {
    let mut scenario = scenario();
    change(&mut scenario);
    Plan::of(scenario, Some(&run()), None).unwrap()
}

/// 100,000 events a day, each 260 bytes in the mean, and 20,000 bytes a partition.
#[test]
fn storage_grows_until_the_retention() {
    let plan = plan(|_| {});
    let day = 100_000.0 * (0.3 * 400.0 + 0.7 * 200.0) + 2.0 * 20_000.0;
    assert!(close(plan.months[0].stored_bytes.unwrap().value, day * MONTH_DAYS));
    assert_eq!(plan.months.len(), 12);
    assert!(plan.months[11].is_retention_reached && !plan.months[10].is_retention_reached);
    assert!(close(plan.stored_bytes.unwrap().value, day * 365.0));
    assert!(close(plan.files.unwrap(), 2.0 * 365.0), "a file a day and dataset");
    assert!(close(plan.files_per_day_before_compaction.unwrap(), 48.0));
}

#[test]
fn large_days_have_more_files() {
    let plan = plan(|scenario| scenario.target_file_bytes = 5_000_000);
    // 12.02 MB and 14.02 MB a day.
    assert!(close(plan.files.unwrap(), 365.0 * 26.04 / 5.0), "{:?}", plan.files);
}

/// 36.5 million events are hunted: fixed + events * (serial + shared / 2).
#[test]
fn the_work_of_a_day() {
    let plan = plan(|scenario| scenario.schedule_interval_seconds = Some(300.0));
    let seconds = |part: Part| plan.tasks.iter().find(|task| task.part == part).unwrap().seconds.value;
    assert!(close(seconds(Part::Hunts), 0.15 + 36.5 * (0.1 + 0.3)));
    assert!(close(seconds(Part::Ingest), 0.2 + 1e5 / 24.0 * (0.5e-6 + 2.5e-6)));
    assert!(close(seconds(Part::Compaction), 0.1 + 1e5 * 0.5e-6));
    assert!(close(seconds(Part::Schedule), 0.3 + 1e5 / 288.0 * 0.4e-6));
    let hours: f64 = plan.months[11].machine_hours.values().sum();
    let daily: f64 = plan
        .tasks
        .iter()
        .map(|task| task.seconds.value * task.times_per_day)
        .sum();
    assert!((hours / (daily * MONTH_DAYS / 3600.0) - 1.0).abs() < 0.01);
    assert!(close(plan.peak_memory_bytes.unwrap().value, 150e6 + 40.0 * 36.5e6));
    let names: Vec<String> = plan.hunts.iter().map(|hunt| hunt.work.to_string()).collect();
    let expected = [
        "hunt:suspicious_source",
        "hunt:unusual_client_app",
        "hunt_all",
        "needle:message_id",
    ];
    assert_eq!(names, expected);
}

#[test]
fn repeats_are_read_and_not_stored() {
    let (plain, repeated) = (plan(|_| {}), plan(|scenario| scenario.duplicates = 0.5));
    assert_eq!(plain.stored_bytes, repeated.stored_bytes);
    assert!(close(repeated.tasks[0].events, 2.0 * plain.tasks[0].events));
}

#[test]
fn a_hunt_looks_at_its_range_only() {
    let plan = plan(|scenario| scenario.hunt_range_days = Some(90.0));
    assert!(close(plan.steady.range_events, 9e6));
    assert!(close(plan.hunt().unwrap().seconds.value, 0.15 + 9.0 * 0.4));
}

#[test]
fn detections_can_be_chosen_or_counted() {
    let two = 0.2 + 36.5 * (0.1 + 0.25 + 0.05 + 0.1);
    let ids = Detections::Ids(vec!["suspicious_source".into(), "unusual_client_app".into()]);
    let chosen = plan(|scenario| scenario.detections = ids);
    assert!(close(chosen.hunt().unwrap().seconds.value, two));
    let counted = plan(|scenario| scenario.detections = Detections::Number(10));
    assert!(close(counted.hunt().unwrap().seconds.value, 5.0 * two));
    let unknown = plan(|scenario| scenario.detections = Detections::Ids(vec!["other".into()]));
    assert!(unknown.hunt().is_none());
    let refused = unknown
        .not_measured
        .iter()
        .find(|refused| refused.part == "hunts")
        .unwrap();
    assert_eq!(refused.reason, "other was not measured on the store local");
}

/// 36.5 million events take 0.15 + 3.65 + 21.9 / cores seconds.
#[test]
fn cores_for_an_answer_in_time() {
    let within = |seconds| {
        plan(|scenario| scenario.answer_within_seconds = Some(seconds))
            .cores
            .unwrap()
    };
    assert_eq!(within(6.0).cores_expected, Some(10));
    assert_eq!(within(30.0).cores_expected, Some(1));
    let never = within(3.0);
    assert_eq!((never.cores_expected, never.cores_safe), (None, None));
    assert!(close(never.least_seconds, 3.8 + 21.9 / 1024.0));
}

#[test]
fn when_one_machine_is_not_enough() {
    let plan = plan(|scenario| {
        scenario.answer_within_seconds = Some(30.0);
        scenario.growth_per_month = 0.05;
    });
    let breaking = |reason| plan.limits.iter().find(|limit| limit.reason == reason).unwrap();
    let late = breaking(Reason::AnswerTooLate);
    let factor = late.load_factor.unwrap();
    let events = factor * plan.steady.range_events;
    assert!((0.15 + events * 0.4e-6 - 30.0).abs() < 0.1, "{late:?}");
    // The month before it is enough, with that month it is not.
    let month = late.month.unwrap();
    let held = |month: u32| State::on(&plan.scenario, f64::from(month) * MONTH_DAYS).range_events;
    assert!(held(month - 1) < events && events <= held(month) * 1.001, "{late:?}");
    let order = |limit: &Breaking| limit.load_factor.unwrap_or(f64::INFINITY);
    assert!(
        plan.limits.is_sorted_by(|a, b| order(a) <= order(b)),
        "{:?}",
        plan.limits
    );
}

/// The busiest hours read four times the mean, at 3 us a record.
#[test]
fn ingest_has_to_keep_up_with_the_busiest_hours() {
    let plan = plan(|scenario| {
        scenario.source = Source::Users {
            users: 1e6,
            events_per_user_day: 100.0,
        };
    });
    let behind = |limit: &&Breaking| limit.reason == Reason::IngestFallsBehind;
    let events = plan.limits.iter().find(behind).unwrap().events_per_day.unwrap();
    assert!(
        (events / ((3600.0 - 0.2) / 3e-6 * 24.0 / 4.0) - 1.0).abs() < 0.01,
        "{events}"
    );
}

#[test]
fn prices_are_multiplied() {
    let prices = Prices::read(EXAMPLE, "example").unwrap();
    let scenario = Scenario {
        store: "s3".into(),
        ..scenario()
    };
    let plan = Plan::of(scenario, Some(&run()), Some((&prices, Some("cool")))).unwrap();
    let costs = plan.costs.unwrap();
    let item = |name: &str| costs.items.iter().find(|item| item.item == name).unwrap();
    let stored = plan.stored_bytes.unwrap().value / 1e9;
    assert!(close(item("storage (cool)").cost, stored * 0.01));
    assert!(close(item("machine (small)").cost, 730.5 * 0.20));
    // A hunt of 36.5 million events: 10 + 730 GET; an ingest of 4,167: 10 + 0.083; a compaction 10 + 2.
    let gets = 4.0 * 740.0 + 24.0 * (10.0 + 1e5 / 24.0 / 50_000.0) + 12.0;
    assert!(
        close(item("GET requests").quantity, gets * MONTH_DAYS / 1000.0),
        "{costs:?}"
    );
    // 30 bytes an event, of hunts and the compaction: logs are not in the store of the lake.
    let read = (4.0 * 36.5e6 + 1e5) * 30.0;
    assert!(close(item("transfer").quantity, read * MONTH_DAYS / 1e9), "{costs:?}");
    assert!(close(costs.per_month, costs.items.iter().map(|item| item.cost).sum()));
    assert!(costs.until_retention < 12.0 * costs.per_month && costs.left_out.is_empty());
    let local = Plan::of(super::super::scenario::scenario(), Some(&run()), Some((&prices, None))).unwrap();
    assert!(
        local
            .costs
            .unwrap()
            .items
            .iter()
            .all(|item| !item.item.contains("requests"))
    );
}

#[test]
fn what_was_not_measured_is_named_and_left_out() {
    let nothing = Plan::of(scenario(), None, None).unwrap();
    assert!(nothing.stored_bytes.is_none() && nothing.tasks.is_empty() && nothing.limits.is_empty());
    let parts: Vec<&str> = nothing
        .not_measured
        .iter()
        .map(|refused| refused.part.as_str())
        .collect();
    assert_eq!(
        parts,
        ["storage and files", "ingest", "compaction", "hunts", "requests"]
    );
    let mut run = run();
    run.measurements
        .retain(|one| one.work != Work::Tick && one.threads == 2);
    let scheduled = Scenario {
        schedule_interval_seconds: Some(300.0),
        cores: 4,
        mix: vec![("o365.audit".into(), 0.5), ("other".into(), 0.5)],
        ..scenario()
    };
    let plan = Plan::of(scheduled, Some(&run), None).unwrap();
    let reason = |part: &str| {
        &plan
            .not_measured
            .iter()
            .find(|refused| refused.part == part)
            .unwrap()
            .reason
    };
    assert_eq!(reason("schedule"), "it was not measured on the store local");
    assert!(reason("hunts").contains("one thread count only, and not with 4"));
    assert!(reason("storage and files").contains("other"));
    assert!(plan.stored_bytes.is_none(), "a part of the events is no storage of all");
    assert!(
        plan.peak_memory_bytes.is_none() && plan.months[0].requests.is_none(),
        "a part is no sum"
    );
    assert!(
        plan.limits
            .iter()
            .all(|limit| limit.reason != Reason::Busy && limit.reason != Reason::Memory)
    );
    assert!(reason("memory and sums of all work").contains("ingest, compaction, schedule, hunts"));
}

#[test]
fn a_lake_is_planned_from_what_it_holds() {
    let held = Held {
        dataset: "o365.audit".into(),
        days: 100,
        events: 10_000_000,
        stored_bytes: 3_000_000_000,
        files: 100,
    };
    let plan = plan(|scenario| {
        scenario.source = Source::Lake {
            url: "./lake".into(),
            datasets: vec![held],
        };
    });
    assert!(close(plan.stored_bytes.unwrap().value, 36_500_000.0 * 300.0));
    assert!(plan.months[8].is_retention_reached && !plan.months[7].is_retention_reached);
}
