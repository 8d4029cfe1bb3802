//! What must not matter: the order of records, how many ingests bring them, how many
//! threads and how much memory a hunt has.

use super::choices::tape;
use super::events::Events;
use super::grammar::Case;
use super::property::plan;
use super::world::{Outcome, Range, USUAL, World, detection, hunt_with};
use retrohunt::config::Resources;
use retrohunt::detections::Detection;
use retrohunt::engine::Engine;
use serde_json::Value;

/// Detections without windows: filters, and new terms of one field, of several, of lists.
const WITHOUT_WINDOWS: [(&str, &str, &str); 6] = [
    (
        "uploads",
        "",
        "SELECT @timestamp, event.id, user.id, source.ip FROM events WHERE event.action = 'FileAccessed'",
    ),
    (
        "keyed",
        "key = [\"user.id\", \"source.ip\"]\n",
        "SELECT user.id, source.ip, event.action FROM events WHERE cidr_match(source.ip, '203.0.113.0/24') OR tags = 'x'",
    ),
    (
        "app_events",
        "",
        "SELECT \"Timestamp\", AccountObjectId, ActionType, ReportId FROM CloudAppEvents WHERE ActionType LIKE 'M%'",
    ),
    (
        "new_address",
        "[new_terms]\nfields = [\"source.ip\"]\nhistory = \"2h\"\n",
        "SELECT @timestamp, event.id, source.ip, event.dataset FROM events WHERE event.outcome = 'success'",
    ),
    (
        "new_pair",
        "[new_terms]\nfields = [\"user.id\", \"event.action\"]\nhistory = \"45m\"\n",
        "SELECT user.id, event.action, o365.audit.OperationCount FROM events",
    ),
    (
        "new_in_lists",
        "[new_terms]\nfields = [\"related.user\", \"event.category\"]\nhistory = \"1d\"\n",
        "SELECT event.id, related.user FROM events WHERE event.dataset <> 'generic'",
    ),
];

pub(super) fn without_windows() -> Vec<Detection> {
    let text = |(id, more, sql): &(&str, &str, &str)| {
        let head = format!("id = \"{id}\"\ntitle = \"{id}\"\nseverity = \"low\"\nrisk_score = 21\n{more}");
        detection(id, &format!("/*---\n{head}---*/\n{sql}\n"))
    };
    WITHOUT_WINDOWS.iter().map(text).collect()
}

/// Everything that a lake is asked here.
struct Questions {
    windowed: Vec<Case>,
    without_windows: Vec<Detection>,
}

impl Questions {
    fn of(seed: u64, events: &Events) -> Self {
        let case = |number: u64| {
            let numbers = tape(seed ^ (number + 1), 160);
            Case::of(&numbers, &format!("case_{number}"), events.era)
        };
        Self {
            windowed: (0..3).map(case).collect(),
            without_windows: without_windows(),
        }
    }

    fn asked(&self, engine: &Engine) -> Vec<Outcome> {
        let windowed = self.windowed.iter();
        let mut answers: Vec<Outcome> = windowed
            .map(|case| hunt_with(engine, std::slice::from_ref(&case.detection), case.range, false))
            .collect();
        answers.push(hunt_with(engine, &self.without_windows, Range::WHOLE, false));
        answers
    }

    fn agree(&self, seed: u64, what: &str, expected: &[Outcome], found: &[Outcome]) {
        for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
            // Whether the other side of a join with nothing is evaluated at all, SQL leaves to
            // the engine, which looks at how large the sides are.
            if expected.divides_by_zero() || found.divides_by_zero() {
                continue;
            }
            let sql = self
                .windowed
                .get(number)
                .map_or("those without windows", |case| case.detection.sql.trim());
            assert!(
                expected.agrees(found),
                "RETROHUNT_RANDOM_SEED={seed}: {what} changes what this finds:\n{sql}\n{expected:#?}\n{found:#?}"
            );
        }
    }
}

/// Records in another order.
fn shuffled(mut records: Vec<Value>, seed: u64) -> Vec<Value> {
    let numbers = tape(seed, records.len());
    for (at, number) in numbers.iter().enumerate() {
        let other = *number as usize % records.len();
        records.swap(at, other);
    }
    records
}

/// One after the other into that many ingests.
fn dealt(records: Vec<Value>, ingests: usize) -> Vec<Vec<Value>> {
    let mut parts = vec![Vec::new(); ingests];
    for (at, record) in records.into_iter().enumerate() {
        parts[at % ingests].push(record);
    }
    parts
}

#[test]
fn how_events_arrive_and_what_a_hunt_may_use_does_not_matter() {
    let (cases, seed) = plan(2);
    for seed in (0..u64::from(cases)).map(|number| seed.wrapping_add(number)) {
        let events = Events::of(seed);
        let records: Vec<Value> = events.records.iter().map(|(record, _)| record.clone()).collect();
        let questions = Questions::of(seed, &events);
        let world = World::of(std::slice::from_ref(&records));
        let expected = questions.asked(&world.engine);

        let other = World::of(&dealt(shuffled(records, seed), 3));
        questions.agree(
            seed,
            "another order in three ingests",
            &expected,
            &questions.asked(&other.engine),
        );

        // The least memory is for one thread: several that sort at once need more of it.
        let least = 64 << 20;
        for (threads, memory_limit) in [(1, least), (4, USUAL.memory_limit)] {
            let engine = world.engine_with(Resources { memory_limit, threads });
            let what = format!("a hunt with {threads} threads and {memory_limit} bytes");
            questions.agree(seed, &what, &expected, &questions.asked(&engine));
        }
    }
}
