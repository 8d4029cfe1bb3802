//! New terms against their definition: a sighting at t is new when there is none in
//! [t - history, t). Equal times are one sighting, and the smallest event id speaks for it.

use super::choices::{Choices, tape};
use super::events::{DAY, ERAS, Era, Events, HOUR, MINUTE};
use super::property::plan;
use super::world::{Range, World, block_on, detection};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use futures::TryStreamExt as _;
use retrohunt::config::format_instant;
use retrohunt::detections::format_duration;
use retrohunt::engine::{Engine, Scope};
use retrohunt::report::value::to_json;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the definition needs of an event.
struct Sighting {
    time: i64,
    id: String,
    dataset: String,
    /// The values of each field: several where it is a list, none where it is missing.
    values: Vec<Vec<Value>>,
}

/// A new-terms detection.
struct Question {
    fields: Vec<&'static str>,
    history: i64,
    filter: &'static str,
    from: Option<i64>,
    to: Option<i64>,
}

const FIELDS: [&str; 8] = [
    "source.ip",
    "user.id",
    "event.action",
    "event.dataset",
    "o365.audit.OperationCount",
    "related.user",
    "event.category",
    "email.message_id",
];
const FILTERS: [&str; 5] = [
    "1 = 1",
    "event.outcome = 'success'",
    "event.dataset = 'o365.audit'",
    "event.dataset <> 'o365.audit' AND source.ip IS NOT NULL",
    "event.category = 'network' OR user.id LIKE 'a%'",
];

impl Question {
    fn of(era: Era, choices: &mut Choices<'_>) -> Self {
        let mut fields = vec![choices.pick(&FIELDS)];
        for _ in 0..choices.below(3) {
            let field = choices.pick(&FIELDS);
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let unit = era.intervals[0];
        let history = [unit, 2 * unit, unit - MINUTE, HOUR, DAY, 14 * DAY, MINUTE][choices.below(7)];
        let mut end = |share: usize| {
            let about = era.start + era.length / 20 * choices.below(21) as i64;
            let moved = about.div_euclid(unit) * unit + [0, 0, 1, -1][choices.below(4)];
            choices.chance(share).then_some(moved)
        };
        Self {
            from: end(40),
            to: end(40),
            fields,
            history,
            filter: choices.pick(&FILTERS),
        }
    }

    fn text(&self) -> String {
        let history = format_duration(Duration::from_micros(self.history as u64));
        format!(
            "/*---\nid = \"terms\"\ntitle = \"terms\"\nseverity = \"low\"\nrisk_score = 21\n[new_terms]\nfields = {:?}\n\
             history = \"{history}\"\n---*/\nSELECT @timestamp, event.dataset, event_key FROM events WHERE {}\n",
            self.fields, self.filter
        )
    }
}

async fn rows(engine: &Engine, sql: &str) -> Vec<RecordBatch> {
    let session = engine.session(Scope::default()).unwrap();
    session.query(sql).await.unwrap().try_collect().await.unwrap()
}

/// All events that pass a filter.
fn sightings(engine: &Engine, question: &Question) -> Vec<Sighting> {
    let sql = format!(
        "SELECT @timestamp AS t, coalesce(kibana.alert.uuid, event.id, event_key) AS id, event.dataset AS ds, {} \
         FROM events WHERE {}",
        (0..question.fields.len())
            .map(|at| format!("{} AS f{at}", question.fields[at]))
            .collect::<Vec<_>>()
            .join(", "),
        question.filter
    );
    let engine = engine.clone();
    let batches = block_on(async move { rows(&engine, &sql).await });
    let mut sightings = Vec::new();
    for batch in batches {
        let times = batch.column(0).as_primitive::<TimestampMicrosecondType>().clone();
        for row in 0..batch.num_rows() {
            let value = |column: usize| to_json(batch.column(column), row);
            let text = |column: usize| value(column).as_str().unwrap_or_default().to_owned();
            sightings.push(Sighting {
                time: times.value(row),
                id: text(1),
                dataset: text(2),
                values: (3..batch.num_columns())
                    .map(|column| match value(column) {
                        Value::Array(values) => values.into_iter().filter(|value| !value.is_null()).collect(),
                        Value::Null => Vec::new(),
                        value => vec![value],
                    })
                    .collect(),
            });
        }
    }
    sightings
}

/// When each dataset begins.
fn first_events(engine: &Engine) -> BTreeMap<String, i64> {
    let engine = engine.clone();
    let sql = "SELECT arrow_cast(event.dataset, 'Utf8') AS ds, min(@timestamp) AS t FROM events GROUP BY 1";
    let batches = block_on(async move { rows(&engine, sql).await });
    let mut first_of = BTreeMap::new();
    for batch in batches {
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let datasets = batch.column(0).as_string::<i32>();
        first_of.extend(
            datasets
                .iter()
                .flatten()
                .map(str::to_owned)
                .zip(times.values().iter().copied()),
        );
    }
    first_of
}

/// Every combination of one value of each.
fn combinations(values: &[Vec<Value>]) -> Vec<Vec<Value>> {
    values.iter().fold(vec![Vec::new()], |made, values| {
        made.iter()
            .flat_map(|start| {
                values
                    .iter()
                    .map(|value| [start.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect()
    })
}

/// One line for each alert there has to be: time, key, event, whether the history is whole.
fn expected(question: &Question, sightings: &[Sighting], first_of: &BTreeMap<String, i64>) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, BTreeMap<i64, BTreeMap<&str, &str>>> = BTreeMap::new();
    for sighting in sightings {
        for terms in combinations(&sighting.values) {
            let fields = question.fields.iter().map(|field| (*field).to_owned());
            let key: Map<String, Value> = fields.zip(terms).collect();
            let times = seen.entry(Value::Object(key).to_string()).or_default();
            times
                .entry(sighting.time)
                .or_default()
                .insert(&sighting.id, &sighting.dataset);
        }
    }
    let mut lines = BTreeSet::new();
    for (key, times) in &seen {
        for (time, events) in times {
            let known = times.range(time - question.history..*time).next().is_some();
            let inside = question.from.is_none_or(|from| *time >= from) && question.to.is_none_or(|to| *time < to);
            if !known && inside {
                let (id, dataset) = events.first_key_value().unwrap();
                let complete = time - question.history >= first_of[*dataset];
                lines.insert(format!("{} {key} {id} {complete}", format_instant(*time)));
            }
        }
    }
    lines
}

#[test]
fn new_terms_are_what_the_definition_says() {
    let (cases, seed) = plan(2);
    let mut alerts = 0;
    for seed in (0..u64::from(cases)).map(|number| seed.wrapping_add(number)) {
        let events = Events::of(seed);
        let world = World::of_events(&events);
        let first_of = first_events(&world.engine);
        let numbers = tape(!seed, 400);
        let choices = &mut Choices::new(&numbers);
        for _ in 0..8 {
            let question = Question::of(ERAS[seed as usize % ERAS.len()], choices);
            let range = Range {
                from: question.from,
                to: question.to,
                per_window: false,
            };
            let outcome = world.hunt(&[detection("terms", &question.text())], range, false);
            assert_eq!(outcome.errors, [None], "{}", question.text());
            let found: Vec<String> = outcome
                .alerts
                .iter()
                .map(|alert| {
                    let key = Value::Object(alert.key.clone());
                    let complete = alert.history_complete.unwrap();
                    format!(
                        "{} {key} {} {complete}",
                        format_instant(alert.time),
                        alert.event_ids.join(" ")
                    )
                })
                .collect();
            assert_eq!(
                found.iter().collect::<BTreeSet<_>>().len(),
                found.len(),
                "each alert once"
            );
            let expected = expected(&question, &sightings(&world.engine, &question), &first_of);
            let found: BTreeSet<String> = found.into_iter().collect();
            let missing: Vec<_> = expected.difference(&found).collect();
            let too_many: Vec<_> = found.difference(&expected).collect();
            assert!(
                missing.is_empty() && too_many.is_empty(),
                "RETROHUNT_RANDOM_SEED={seed} {range:?}\n{}\nmissing: {missing:#?}\ntoo many: {too_many:#?}",
                question.text()
            );
            alerts += found.len();
        }
    }
    assert!(alerts > 0, "nothing was compared");
}
