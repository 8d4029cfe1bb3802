//! One pass and replay, held against each other.

use super::choices::tape;
use super::events::{ERAS, Events};
use super::grammar::Case;
use super::world::{USUAL, World, block_on};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use retrohunt::engine::Engine;
use retrohunt::hunt;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Worlds of one run; a detection meets one of them.
const WORLDS: u64 = 2 * ERAS.len() as u64;

/// How long to look for a simpler detection that fails, and then for fewer events.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no number")),
    )
}

/// How many cases, and the seed that decides them.
pub(super) fn plan(usual_cases: u32) -> (u32, u64) {
    let cases = number("RETROHUNT_RANDOM_CASES").map_or(usual_cases, |cases| cases as u32);
    // The same every time, so that a red run is about the change at hand; long runs choose.
    let seed = number("RETROHUNT_RANDOM_SEED").unwrap_or(if cases == usual_cases { 1 } else { u64::from(chance()) });
    (cases, seed)
}

/// A number nobody chose.
fn chance() -> u32 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    time.map_or(0, |time| time.subsec_nanos() ^ time.as_secs() as u32)
}

pub(super) fn runner(cases: u32, seed: u64) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_time: PATIENCE.as_millis() as u32,
        ..ProptestConfig::default()
    })
}

/// Numbers that a case is made of: which world, and the decisions of one or two detections
/// that are hunted together.
fn cases() -> impl Strategy<Value = (u64, Vec<Vec<u32>>)> {
    let decisions = proptest::collection::vec(any::<u32>(), 0..160);
    (0..WORLDS, proptest::collection::vec(decisions, 1..3))
}

fn check(events: &Events, world: &World, tapes: &[Vec<u32>]) -> Result<usize, String> {
    let cases: Vec<Case> = tapes
        .iter()
        .enumerate()
        .map(|(at, tape)| Case::of(tape, &format!("random_{at}"), events.era))
        .collect();
    let detections: Vec<_> = cases.iter().map(|case| case.detection.clone()).collect();
    world
        .hunt_both_ways(&detections, cases[0].range)
        .map(|outcome| outcome.alerts.len())
}

#[test]
fn one_pass_gives_what_replay_gives() {
    let (count, seed) = plan(14);
    let worlds: RefCell<BTreeMap<u64, (Events, World)>> = RefCell::default();
    let (run, fruitful) = (Cell::new(0_u32), Cell::new(0_u32));
    let checked = |(world, tapes): &(u64, Vec<Vec<u32>>)| {
        let mut worlds = worlds.borrow_mut();
        let (events, world) = worlds.entry(*world).or_insert_with(|| {
            let events = Events::of(seed.wrapping_mul(WORLDS).wrapping_add(*world));
            let world = World::of_events(&events);
            (events, world)
        });
        check(events, world, tapes)
    };
    let result = runner(count, seed).run(&cases(), |case| {
        let alerts = checked(&case).map_err(TestCaseError::fail)?;
        run.set(run.get() + 1);
        fruitful.set(fruitful.get() + u32::from(alerts > 0));
        Ok(())
    });
    match result {
        Ok(()) => assert!(
            run.get() < 20 || fruitful.get() * 3 > run.get(),
            "only {} of {} cases had alerts: there is nothing to compare",
            fruitful.get(),
            run.get()
        ),
        Err(TestError::Fail(reason, (world, tapes))) => {
            let events = &worlds.borrow()[&world].0;
            let (events, reason) = fewer_events(events, &tapes, reason.to_string());
            panic!(
                "RETROHUNT_RANDOM_SEED={seed}\n{reason}\nevents, after the number of their ingest:\n{}",
                events.lines()
            );
        }
        Err(other) => panic!("RETROHUNT_RANDOM_SEED={seed}: {other}"),
    }
}

/// The failure again with as few events as show it.
fn fewer_events(events: &Events, tapes: &[Vec<u32>], reason: String) -> (Events, String) {
    let (mut fewest, mut reason) = (events.clone(), reason);
    let started = Instant::now();
    let mut step = fewest.records.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at < fewest.records.len() && started.elapsed() < PATIENCE {
            let mut fewer = fewest.clone();
            fewer.records.drain(at..(at + step).min(fewer.records.len()));
            if fewer.records.is_empty() {
                break;
            }
            match check(&fewer, &World::of_events(&fewer), tapes) {
                Err(still) => (fewest, reason) = (fewer, still),
                Ok(_) => at += step,
            }
        }
        step /= 2;
    }
    (fewest, reason)
}

/// Whatever the grammar writes is a detection, and runs: else nothing would be compared.
#[test]
fn every_random_detection_can_be_planned() {
    let (count, seed) = plan(40);
    let engine = Engine::empty(USUAL).unwrap();
    let mut failures = Vec::new();
    for number in 0..u64::from(count) {
        let numbers = tape(seed.wrapping_add(number), 200);
        let detection = Case::of(&numbers, "planned", ERAS[number as usize % ERAS.len()]).detection;
        let (engine, planned) = (engine.clone(), detection.clone());
        if let Err(error) = block_on(async move { hunt::plan(&engine, &planned).await.map(drop) }) {
            failures.push(format!("{error}\n{}", detection.sql.trim()));
        }
    }
    failures.sort();
    assert!(
        failures.is_empty(),
        "RETROHUNT_RANDOM_SEED={seed}\n{}",
        failures.join("\n\n")
    );
}
