//! Conditions: on one row, with the clock, and with subqueries.

use super::super::events::{ACTIONS, ADDRESSES, APPS, MINUTE, OBJECT_IDS, SESSIONS, USERS};
use super::{Column, Grammar, Role, Scope, Type};

impl Grammar<'_, '_> {
    /// A WHERE clause, or nothing.
    pub(super) fn filter(&mut self, scope: &Scope, depth: usize) -> String {
        match self.choices.below(10) {
            0..3 => String::new(),
            3..8 => format!("\nWHERE {}", self.condition(scope, depth)),
            _ => {
                let (one, other) = (self.condition(scope, depth), self.condition(scope, 0));
                format!("\nWHERE {one}\n    AND {other}")
            }
        }
    }

    /// A condition; with a depth above zero it may hold others and subqueries.
    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> String {
        if depth == 0 {
            return self.simple(scope);
        }
        match self.choices.below(10) {
            0..4 => self.simple(scope),
            4 => {
                let (one, other) = (self.condition(scope, depth - 1), self.condition(scope, depth - 1));
                format!("({one} OR {other})")
            }
            5 => {
                let (one, other) = (self.simple(scope), self.condition(scope, depth - 1));
                format!("({one} AND {other})")
            }
            6 => format!("NOT ({})", self.condition(scope, depth - 1)),
            _ => self.with_subquery(scope, depth - 1),
        }
    }

    fn one_of(&mut self, scope: &Scope, kinds: &[Type]) -> Option<Column> {
        let columns = scope.of(kinds);
        (!columns.is_empty()).then(|| columns[self.choices.below(columns.len())].clone())
    }

    fn simple(&mut self, scope: &Scope) -> String {
        for _ in 0..4 {
            let made = match self.choices.below(14) {
                0..3 => self.on_text(scope),
                3 | 4 => self.on_number(scope),
                5 => self.on_address(scope),
                6..10 => self.on_time(scope),
                10 => self.on_list(scope),
                11 => self
                    .one_of(scope, &[Type::Truth])
                    .map(|column| match self.choices.below(3) {
                        0 => format!("{} IS TRUE", column.sql),
                        1 => column.sql,
                        _ => format!("coalesce({}, false)", column.sql),
                    }),
                12 => scope.event.as_ref().map(|event| match self.choices.below(2) {
                    0 => format!("property({}, 'IsThrottled') = 'True'", event.pairs),
                    _ => format!("property({}, 'MailAccessType') IN ('Bind', 'Fetch')", event.pairs),
                }),
                _ => self.case(scope),
            };
            if let Some(made) = made {
                return made;
            }
        }
        self.on_text(scope)
            .or_else(|| self.on_number(scope))
            .unwrap_or_else(|| "1 = 1".to_owned())
    }

    /// A value that a column of this role may have.
    pub(super) fn value(&mut self, role: Role) -> String {
        let values: &[&str] = match role {
            Role::User if self.choices.chance(40) => &OBJECT_IDS,
            Role::User => &USERS,
            Role::Address => &ADDRESSES,
            Role::App => &APPS,
            Role::Action => &ACTIONS,
            Role::Session => &SESSIONS,
            Role::Other => &[
                "o365.audit",
                "success",
                "azure.signinlogs",
                "External Alerts",
                "odd",
                "failure",
                "suricata.eve",
            ],
        };
        format!("'{}'", self.choices.pick(values))
    }

    fn on_text(&mut self, scope: &Scope) -> Option<String> {
        let Column { sql, role, .. } = self.one_of(scope, &[Type::Text, Type::Address])?;
        Some(match self.choices.below(9) {
            0 => format!("{sql} IS NOT NULL"),
            1 => format!("{sql} = {}", self.value(role)),
            2 => format!("{sql} <> {}", self.value(role)),
            3 => format!("{sql} IN ({}, {})", self.value(role), self.value(role)),
            4 => format!("{sql} NOT IN ({}, {})", self.value(role), self.value(role)),
            5 => format!(
                "{sql} LIKE '{}'",
                self.choices.pick(&["a%", "%0%", "%.audit", "M%", "_e%"])
            ),
            6 => format!("{sql} IS NULL"),
            7 => {
                let other = self.one_of(scope, &[Type::Text, Type::Address])?;
                // In brackets: the parser takes an AND that follows as part of it.
                format!("({sql} IS DISTINCT FROM {})", other.sql)
            }
            _ => format!(
                "has({sql}, '{}')",
                self.choices.pick(&["contoso", "ann", "MailItemsAccessed", "audit"])
            ),
        })
    }

    fn on_number(&mut self, scope: &Scope) -> Option<String> {
        let Column { sql, .. } = self.one_of(scope, &[Type::Number, Type::Real])?;
        let number = self.choices.below(5);
        Some(match self.choices.below(6) {
            0 => format!("{sql} >= {number}"),
            1 => format!("{sql} = {number}"),
            2 => format!("{sql} < {number}"),
            3 => format!("{sql} BETWEEN 1 AND {number}"),
            4 => format!("{sql} IS NULL"),
            _ => format!("coalesce({sql}, 0) % 2 = 0"),
        })
    }

    fn on_address(&mut self, scope: &Scope) -> Option<String> {
        let Column { sql, .. } = self.one_of(scope, &[Type::Address])?;
        Some(match self.choices.below(4) {
            0 => format!("cidr_match({sql}, '198.51.100.0/24', '2001:db8::/32')"),
            1 => format!("NOT cidr_match({sql}, '203.0.113.0/24')"),
            2 => format!("to_ip({sql}) = '203.0.113.9'"),
            _ => format!("to_ip({sql}) IS NULL"),
        })
    }

    /// How long before the tick: within the window, its edge, and beyond.
    pub(super) fn distance(&mut self) -> String {
        let minutes = (self.lookback / MINUTE).max(2);
        let distances = [minutes / 2, minutes / 3, minutes - 1, minutes, minutes + 1, 1, 30];
        format!("INTERVAL '{} minutes'", self.choices.of(&distances))
    }

    fn on_time(&mut self, scope: &Scope) -> Option<String> {
        let Column { sql, .. } = self.one_of(scope, &[Type::Time])?;
        let distance = self.distance();
        Some(match self.choices.below(10) {
            0 => format!("{sql} > now() - {distance}"),
            1 => format!("{sql} <= now() - {distance}"),
            2 => format!("{sql} + {distance} >= now()"),
            3 => format!("{sql} BETWEEN now() - {distance} AND current_timestamp"),
            4 => format!("CAST({sql} AS DATE) = current_date"),
            5 => format!("date_trunc('hour', {sql}) = date_trunc('hour', now())"),
            6 => format!("extract(minute FROM {sql}) < 30"),
            7 => format!("extract(hour FROM now()) % 2 = {}", self.choices.below(2)),
            8 => format!("{sql} < date_trunc('day', now())"),
            _ => format!("{sql} = now()"),
        })
    }

    fn on_list(&mut self, scope: &Scope) -> Option<String> {
        let Column { sql, role, .. } = self.one_of(scope, &[Type::Texts])?;
        let values = ["'authentication'", "'<m1>'", "'x'", "'network'", "'InitialAccess'"];
        let value = match role {
            Role::User => self.value(role),
            _ => self.choices.of(&values).to_owned(),
        };
        Some(match self.choices.below(5) {
            0 => format!("{sql} = {value}"),
            1 => format!("any_in({sql}, {value}, '<m2>')"),
            2 => format!("{sql} <> {value}"),
            3 => format!("cardinality({sql}) > 1"),
            _ => format!("{sql} IS NOT NULL"),
        })
    }

    fn case(&mut self, scope: &Scope) -> Option<String> {
        let when = self.on_text(scope)?;
        let then = self.on_time(scope).or_else(|| self.on_number(scope))?;
        let otherwise = self.choices.pick(&["false", "true", "NULL"]);
        Some(format!("CASE WHEN {when} THEN {then} ELSE {otherwise} END"))
    }

    fn with_subquery(&mut self, scope: &Scope, depth: usize) -> String {
        let inner = self.relation(0);
        let limited = self.filter(&inner, depth.min(1));
        let and = match limited.is_empty() {
            true => "\nWHERE ".to_owned(),
            false => format!("{limited}\n    AND "),
        };
        let from = &inner.from;
        let pair = self.pair(scope, &inner);
        let made = match (self.choices.below(9), pair) {
            (0 | 1, Some((mine, theirs))) => Some(format!("{mine} IN (SELECT {theirs} FROM {from}{limited})")),
            (2, Some((mine, theirs))) => Some(format!("{mine} NOT IN (SELECT {theirs} FROM {from}{limited})")),
            (3, Some((mine, theirs))) => Some(format!(
                "{mine} NOT IN (SELECT {theirs} FROM {from}{and}{theirs} IS NOT NULL)"
            )),
            (4 | 5, Some((mine, theirs))) if scope.aliased => {
                let not = self.choices.pick(&["", "NOT "]);
                let time = self.before(scope, &inner);
                Some(format!(
                    "{not}EXISTS (SELECT 1 FROM {from}{and}{theirs} = {mine}{time})"
                ))
            }
            (6, Some((mine, theirs))) if scope.aliased && can_count(&theirs) => {
                let number = self.choices.below(3);
                Some(format!(
                    "(SELECT count(*) FROM {from}{and}{theirs} = {mine}) > {number}"
                ))
            }
            (7, _) => self.on_scalar(scope, &inner, &limited),
            _ => None,
        };
        // Without a pair: an uncorrelated one.
        made.unwrap_or_else(|| match self.choices.below(3) {
            0 => format!("EXISTS (SELECT 1 FROM {from}{limited})"),
            1 => format!("NOT EXISTS (SELECT 1 FROM {from}{limited})"),
            _ => format!("(SELECT count(*) FROM {from}{limited}) > {}", self.choices.below(4)),
        })
    }

    /// A comparison with one value of all rows of another query.
    fn on_scalar(&mut self, scope: &Scope, inner: &Scope, limited: &str) -> Option<String> {
        let from = &inner.from;
        let number = self
            .one_of(inner, &[Type::Number])
            .zip(self.one_of(scope, &[Type::Number]));
        let time = self.one_of(inner, &[Type::Time]).zip(self.one_of(scope, &[Type::Time]));
        let comparison = self.choices.pick(&[">=", "<", "="]);
        match (number, time) {
            (Some((theirs, mine)), _) if self.choices.chance(50) => {
                let aggregate = self.choices.pick(&["avg", "max", "min"]);
                Some(format!(
                    "{} {comparison} (SELECT {aggregate}({}) FROM {from}{limited})",
                    mine.sql, theirs.sql
                ))
            }
            (_, Some((theirs, mine))) => {
                let aggregate = self.choices.pick(&["max", "min"]);
                Some(format!(
                    "{} {comparison} (SELECT {aggregate}({}) FROM {from}{limited})",
                    mine.sql, theirs.sql
                ))
            }
            _ => None,
        }
    }

    /// Columns of two scopes that have values in common, ours first.
    pub(super) fn pair(&mut self, ours: &Scope, theirs: &Scope) -> Option<(String, String)> {
        let texts = [Type::Text, Type::Address];
        let theirs = theirs.of(&texts);
        let pairs: Vec<(String, String)> = ours
            .of(&texts)
            .iter()
            .flat_map(|mine| {
                let same = theirs.iter().filter(|other| other.role == mine.role);
                same.map(|other| (mine.sql.clone(), other.sql.clone()))
                    .collect::<Vec<_>>()
            })
            .collect();
        (!pairs.is_empty()).then(|| pairs[self.choices.below(pairs.len())].clone())
    }

    /// A condition on the times of two rows, or nothing.
    pub(super) fn before(&mut self, ours: &Scope, theirs: &Scope) -> String {
        let times = self.one_of(ours, &[Type::Time]).zip(self.one_of(theirs, &[Type::Time]));
        let Some((Column { sql: mine, .. }, Column { sql: their, .. })) = times else {
            return String::new();
        };
        match self.choices.below(5) {
            0 | 1 => String::new(),
            2 => format!(" AND {their} < {mine}"),
            3 => format!(" AND {their} BETWEEN {mine} - {} AND {mine}", self.distance()),
            _ => format!(" AND {their} > now() - {}", self.distance()),
        }
    }
}

/// DataFusion counts the rows that are equal in a column, not in a field of the record.
pub(super) fn can_count(inner: &str) -> bool {
    !inner.ends_with(".Oddity")
}
