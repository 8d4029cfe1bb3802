//! Random detections: a header and a SELECT whose result the events determine. The order
//! of rows and ties never matter: whatever needs an order has a total one, and a list
//! without one is sorted.

mod aggregates;
mod joins;
mod predicates;
mod relations;
mod selects;
mod shapes;

use super::choices::Choices;
use super::events::{Era, HOUR, MINUTE};
use super::world::{Range, detection};
use retrohunt::detections::{Detection, format_duration};
use std::time::Duration;

/// Kinds of values, as far as the grammar must know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    /// Text that is an address.
    Address,
    Number,
    /// Not an integer: averages.
    Real,
    Time,
    Truth,
    /// A list of texts, and known to be one.
    Texts,
    /// Of no interest to conditions.
    Opaque,
}

/// What may be joined with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Address,
    App,
    Action,
    Session,
    Other,
}

/// An expression over the rows of a FROM clause.
#[derive(Debug, Clone)]
struct Column {
    sql: String,
    kind: Type,
    role: Role,
    /// The name that it has in a result if nobody gives it another.
    bare: Option<&'static str>,
}

/// What a FROM clause offers.
#[derive(Debug, Clone)]
struct Scope {
    from: String,
    columns: Vec<Column>,
    /// A total order of its rows, where there is one.
    order: Vec<String>,
    /// Subqueries can refer to it.
    aliased: bool,
    /// The expressions that hold an event's id, its time and its pairs.
    event: Option<EventColumns>,
}

#[derive(Debug, Clone)]
struct EventColumns {
    id: String,
    time: String,
    pairs: String,
}

/// A finished query.
#[derive(Debug, Clone)]
struct Query {
    sql: String,
    columns: Vec<Output>,
    /// Names of columns that tell its rows apart; none where nothing does.
    unique: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Output {
    name: String,
    kind: Type,
    role: Role,
}

/// Writes one detection.
struct Grammar<'c, 't> {
    choices: &'c mut Choices<'t>,
    aliases: usize,
    /// The order of the aggregates of the SELECT at hand.
    ordering: Option<String>,
    lookback: i64,
}

/// A detection and where to hunt it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) detection: Detection,
    pub(super) range: Range,
}

/// The most ticks of a hunt; each costs a query.
const MOST_TICKS: i64 = 36;

impl Case {
    pub(super) fn of(tape: &[u32], id: &str, era: Era) -> Self {
        let choices = &mut Choices::new(tape);
        let interval = choices.of(era.intervals);
        let lookback = lookback(interval, choices);
        let range = range(era, interval, lookback, choices);
        let written = |micros: i64| format_duration(Duration::from_micros(micros as u64));
        let when = match choices.chance(25) {
            true => format!("cron = {:?}", choices.of(era.patterns)),
            false => format!("interval = {:?}", written(interval)),
        };
        let mut grammar = Grammar {
            choices,
            aliases: 0,
            ordering: None,
            lookback,
        };
        let query = grammar.top();
        let key = match query.unique.is_empty() {
            // Equal rows are one finding, so any of them stands for all.
            true => query.columns.iter().map(|column| column.name.clone()).collect(),
            false => query.unique.clone(),
        };
        let text = format!(
            "/*---\nid = \"{id}\"\ntitle = \"{id}\"\nseverity = \"low\"\nrisk_score = 21\n{when}\n\
             lookback = \"{}\"\nkey = {key:?}\n---*/\n{}\n",
            written(lookback),
            query.sql
        );
        Self {
            detection: detection(id, &text),
            range,
        }
    }
}

/// Multiples of the interval, not quite multiples, and less than one.
fn lookback(interval: i64, choices: &mut Choices<'_>) -> i64 {
    match choices.below(8) {
        0 | 1 => interval * 3,
        2 => interval,
        3 => interval * 2,
        4 => interval * 5,
        5 => interval * 2 + interval / 3,
        6 => interval * 4 - MINUTE,
        _ => interval / 2,
    }
}

/// Before, inside, across and after the events; with both ends, one or none.
fn range(era: Era, interval: i64, lookback: i64, choices: &mut Choices<'_>) -> Range {
    let whole = era.length + lookback;
    let longest = (interval * MOST_TICKS).min(whole + 4 * interval);
    let offset = [0, 1, -1, interval / 2, MINUTE][choices.below(5)];
    let part = |choices: &mut Choices<'_>, of: i64| of / 20 * choices.below(21) as i64;
    let aligned = |time: i64| time.div_euclid(interval) * interval + offset;
    let (from, to) = match choices.below(12) {
        // An end without a beginning, and the other way round.
        0 => (None, Some(aligned(era.start + part(choices, longest)))),
        1 => {
            let length = part(choices, longest);
            (Some(aligned(era.start + whole - length)), None)
        }
        // Before and after everything.
        2 => (Some(era.start - 9 * HOUR), Some(era.start - 8 * HOUR)),
        3 => {
            let after = aligned(era.start + era.length - interval);
            (Some(after), Some(after + lookback + 3 * interval))
        }
        // Shorter than an interval.
        4 => {
            let from = aligned(era.start + part(choices, whole));
            (Some(from), Some(from + interval / 4))
        }
        5 if whole < longest => (None, None),
        _ => {
            let from = aligned(era.start - interval + part(choices, whole));
            (Some(from), Some(from + interval * (4 + choices.below(28)) as i64))
        }
    };
    Range {
        from,
        to,
        per_window: !choices.chance(30),
    }
}

impl Grammar<'_, '_> {
    fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }
}

impl Scope {
    fn of(&self, kinds: &[Type]) -> Vec<Column> {
        let wanted = self.columns.iter().filter(|column| kinds.contains(&column.kind));
        wanted.cloned().collect()
    }
}

impl Output {
    /// How a query around this one sees it.
    fn as_column(&self, alias: &str) -> Column {
        Column {
            sql: format!("{alias}.{}", self.name),
            kind: self.kind,
            role: self.role,
            bare: None,
        }
    }
}
