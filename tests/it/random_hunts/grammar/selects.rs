//! The plain forms of a query: projections, groups, distinct rows.

use super::aggregates::SCALARS;
use super::predicates::can_count;
use super::{Column, Grammar, Output, Query, Role, Scope, Type};

impl Grammar<'_, '_> {
    /// A query of the plain forms.
    pub(super) fn query(&mut self, depth: usize) -> Query {
        let scope = self.from(depth);
        match self.choices.below(9) {
            0..4 => self.grouped(&scope, depth),
            4 | 5 => self.projected(&scope, depth),
            6 => self.distinct(&scope, depth),
            _ => self.global(&scope, depth),
        }
    }

    /// A column to group by or to show.
    fn shown(&mut self, scope: &Scope, taken: &[Output], name: &str) -> Option<(String, String, Output)> {
        let column = self.any(scope, SCALARS)?;
        let made = match (column.kind, self.choices.below(8)) {
            (Type::Time, 0..4) => column_as(format!("date_trunc('hour', {})", column.sql), &column),
            (Type::Address, 5..) => column_as(format!("to_ip({})", column.sql), &column),
            (Type::Text, 6) => {
                let value = self.value(column.role);
                Column {
                    sql: format!("CASE WHEN {} = {value} THEN 'one' ELSE 'other' END", column.sql),
                    kind: Type::Text,
                    role: Role::Other,
                    bare: None,
                }
            }
            (Type::Text, 7) => column_as(format!("coalesce({}, 'none')", column.sql), &column),
            _ => column,
        };
        let bare = made.bare.filter(|bare| taken.iter().all(|output| output.name != *bare));
        let (sql, name) = match bare {
            Some(bare) => (made.sql.clone(), bare.to_owned()),
            None => (format!("{} AS {name}", made.sql), name.to_owned()),
        };
        let output = Output {
            name,
            kind: made.kind,
            role: made.role,
        };
        Some((sql, made.sql, output))
    }

    pub(super) fn grouped(&mut self, scope: &Scope, depth: usize) -> Query {
        let (mut items, mut groups, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for number in 1..=1 + usize::from(self.choices.chance(35)) {
            if let Some((item, group, output)) = self.shown(scope, &columns, &format!("k{number}")) {
                if groups.contains(&group) {
                    continue;
                }
                items.push(item);
                groups.push(group);
                columns.push(output);
            }
        }
        if groups.is_empty() {
            return self.global(scope, depth);
        }
        let rollup = groups.len() == 2 && self.choices.chance(12);
        let unique = columns
            .iter()
            .map(|column| column.name.clone())
            .filter(|_| !rollup)
            .collect();
        self.aggregates(scope, &mut items, &mut columns);
        let filter = self.filter(scope, depth + 1);
        let having = self.having(scope, depth);
        let groups = match rollup {
            true => format!("ROLLUP ({})", groups.join(", ")),
            false => groups.join(", "),
        };
        Query {
            sql: format!(
                "SELECT {}\nFROM {}{filter}\nGROUP BY {groups}{having}",
                items.join(", "),
                scope.from
            ),
            columns,
            unique,
        }
    }

    /// Aggregates over everything: a row also where there is nothing.
    pub(super) fn global(&mut self, scope: &Scope, depth: usize) -> Query {
        let (mut items, mut columns) = (Vec::new(), Vec::new());
        self.aggregates(scope, &mut items, &mut columns);
        let filter = self.filter(scope, depth + 1);
        let having = self.having(scope, 0);
        Query {
            sql: format!("SELECT {}\nFROM {}{filter}{having}", items.join(", "), scope.from),
            unique: vec![columns[0].name.clone()],
            columns,
        }
    }

    fn aggregates(&mut self, scope: &Scope, items: &mut Vec<String>, columns: &mut Vec<Output>) {
        self.ordering = None;
        for number in 1..=1 + self.choices.below(3) {
            let (item, output) = self.aggregate(scope, &format!("a{number}"));
            items.push(item);
            columns.push(output);
        }
        let mut add = |sql: String, name: &str, kind| {
            items.push(format!("{sql} AS {name}"));
            columns.push(Output {
                name: name.to_owned(),
                kind,
                role: Role::Other,
            });
        };
        if let Some(event) = scope.event.as_ref().filter(|_| self.choices.chance(50)) {
            add(
                format!("array_sort(array_agg(DISTINCT {}))", event.id),
                "event_ids",
                Type::Opaque,
            );
            add("count(*)".to_owned(), "event_count", Type::Number);
            add(format!("min({})", event.time), "first_time", Type::Time);
        }
        if self.choices.chance(8) {
            add("100 / (count(*) - 2)".to_owned(), "risky", Type::Number);
        }
    }

    fn having(&mut self, scope: &Scope, depth: usize) -> String {
        match self.choices.below(8) {
            4 | 5 => format!("\nHAVING count(*) > {}", self.choices.below(4)),
            6 => match self.any(scope, SCALARS) {
                Some(column) => format!("\nHAVING count(DISTINCT {}) >= {}", column.sql, self.choices.below(3)),
                None => String::new(),
            },
            7 if depth > 0 => {
                let inner = self.events(true);
                let filter = self.filter(&inner, 0);
                format!(
                    "\nHAVING count(*) {} (SELECT count(*) / 2 FROM {}{filter})",
                    self.choices.pick(&[">=", "<"]),
                    inner.from
                )
            }
            _ => String::new(),
        }
    }

    pub(super) fn projected(&mut self, scope: &Scope, depth: usize) -> Query {
        let (mut items, mut columns) = (Vec::new(), Vec::new());
        for (number, order) in scope.order.iter().enumerate() {
            items.push(format!("{order} AS o{number}"));
            columns.push(Output {
                name: format!("o{number}"),
                kind: Type::Opaque,
                role: Role::Other,
            });
        }
        let unique = columns.iter().map(|column| column.name.clone()).collect();
        for number in 1..=1 + self.choices.below(3) {
            if let Some((item, _, output)) = self.shown(scope, &columns, &format!("k{number}")) {
                items.push(item);
                columns.push(output);
            }
        }
        if let Some(event) = scope.event.as_ref().filter(|_| self.choices.chance(50)) {
            items.push(format!("make_array({}) AS event_ids", event.id));
            items.push(format!("{} AS first_time", event.time));
            columns.push(output("event_ids", Type::Opaque));
            columns.push(output("first_time", Type::Time));
        }
        match self.choices.below(8) {
            5 => {
                items.push("now() AS seen_at".to_owned());
                columns.push(output("seen_at", Type::Time));
            }
            6 => {
                let inner = self.events(true);
                let filter = self.filter(&inner, 0);
                items.push(format!("(SELECT count(*) FROM {}{filter}) AS others", inner.from));
                columns.push(output("others", Type::Number));
            }
            7 if scope.aliased => {
                let inner = self.events(true);
                let pair = self.pair(scope, &inner).filter(|(_, theirs)| can_count(theirs));
                if let Some((mine, theirs)) = pair {
                    items.push(format!(
                        "(SELECT count(*) FROM {} WHERE {theirs} = {mine}) AS alike",
                        inner.from
                    ));
                    columns.push(output("alike", Type::Number));
                }
            }
            _ => {}
        }
        let filter = self.filter(scope, depth + 1);
        Query {
            sql: format!("SELECT {}\nFROM {}{filter}", items.join(", "), scope.from),
            columns,
            unique,
        }
    }

    pub(super) fn distinct(&mut self, scope: &Scope, depth: usize) -> Query {
        let (mut items, mut columns) = (Vec::new(), Vec::new());
        for number in 1..=1 + self.choices.below(2) {
            if let Some((item, _, output)) = self.shown(scope, &columns, &format!("k{number}")) {
                items.push(item);
                columns.push(output);
            }
        }
        if items.is_empty() {
            return self.global(scope, depth);
        }
        let filter = self.filter(scope, depth + 1);
        Query {
            sql: format!("SELECT DISTINCT {}\nFROM {}{filter}", items.join(", "), scope.from),
            unique: columns.iter().map(|column| column.name.clone()).collect(),
            columns,
        }
    }
}

pub(super) fn output(name: &str, kind: Type) -> Output {
    Output {
        name: name.to_owned(),
        kind,
        role: Role::Other,
    }
}

fn column_as(sql: String, column: &Column) -> Column {
    Column {
        sql,
        bare: None,
        ..column.clone()
    }
}
