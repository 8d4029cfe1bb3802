//! The other forms of a query, which stand around the plain ones.

use super::selects::output;
use super::{Grammar, Output, Query, Role, Scope, Type};

impl Grammar<'_, '_> {
    /// A detection's SELECT.
    pub(super) fn top(&mut self) -> Query {
        let query = match self.choices.below(20) {
            0..4 => self.query(1),
            4..6 => {
                // Names as a user writes them who needs no alias.
                let scope = self.events(false);
                self.grouped(&scope, 1)
            }
            6..9 => self.query(2),
            9 | 10 => self.combined(),
            11 | 12 => self.ranked(),
            13 => self.unnested(),
            14 => self.twice(),
            15 => self.aggregated_again(),
            16 => self.without_events(),
            17 => self.first_of_each(),
            18 => self.limited(),
            _ => {
                let (left, right) = (self.query(0), self.query(0));
                let (left, right) = (self.derived(&left), self.derived(&right));
                let scope = self.join(left, right);
                self.projected(&scope, 0)
            }
        };
        match self.choices.below(8) {
            7 if !query.sql.contains("\nORDER BY") => Query {
                sql: format!("{}\nORDER BY 1", query.sql),
                ..query
            },
            _ => query,
        }
    }

    /// UNION, INTERSECT, EXCEPT of columns of the same kinds.
    fn combined(&mut self) -> Query {
        let kinds: &[Type] = self.choices.of(&[
            &[Type::Text][..],
            &[Type::Text, Type::Number],
            &[Type::Text, Type::Time],
        ]);
        let mut sides = Vec::new();
        for _ in 0..2 {
            sides.push(self.side(kinds));
        }
        if self.choices.chance(20) {
            sides.push(self.side(kinds));
        }
        let operator = self.choices.pick(&[
            "UNION",
            "UNION ALL",
            "INTERSECT",
            "EXCEPT",
            "INTERSECT ALL",
            "EXCEPT ALL",
        ]);
        let columns: Vec<Output> = kinds
            .iter()
            .enumerate()
            .map(|(at, kind)| output(&format!("k{at}"), *kind))
            .collect();
        let combined = Query {
            sql: sides.join(&format!("\n{operator}\n")),
            columns,
            unique: Vec::new(),
        };
        if self.choices.chance(40) {
            let scope = self.derived(&combined);
            return self.grouped(&scope, 0);
        }
        combined
    }

    fn side(&mut self, kinds: &[Type]) -> String {
        let scope = self.relation(0);
        let items: Vec<String> = kinds
            .iter()
            .enumerate()
            .map(|(at, kind)| {
                let column = self.any(&scope, &[*kind]);
                let sql = column.map_or_else(|| "NULL".to_owned(), |column| column.sql);
                format!("{sql} AS k{at}")
            })
            .collect();
        let filter = self.filter(&scope, 1);
        let distinct = self.choices.pick(&["", "DISTINCT "]);
        format!("SELECT {distinct}{}\nFROM {}{filter}", items.join(", "), scope.from)
    }

    /// Window functions over events, with total orders, and mostly a condition on them.
    fn ranked(&mut self) -> Query {
        let scope = self.relation(0);
        let mut query = self.projected(&scope, 0);
        let partition = match self.any(&scope, &[Type::Text, Type::Number]) {
            Some(column) if self.choices.chance(80) => format!("PARTITION BY {} ", column.sql),
            _ => String::new(),
        };
        let order = scope.order.join(", ");
        let shown = self
            .any(&scope, &[Type::Text])
            .map_or_else(|| "1".to_owned(), |column| column.sql);
        let time = self
            .any(&scope, &[Type::Time])
            .map_or_else(|| order.clone(), |column| column.sql);
        let (call, kind) = match self.choices.below(9) {
            0 | 1 => (format!("row_number() OVER ({partition}ORDER BY {order})"), Type::Number),
            2 => (format!("count(*) OVER ({partition})"), Type::Number),
            3 => (format!("lag({shown}) OVER ({partition}ORDER BY {order})"), Type::Text),
            4 => (format!("rank() OVER ({partition}ORDER BY {time})"), Type::Number),
            5 => (
                format!("count(*) OVER ({partition}ORDER BY {order} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"),
                Type::Number,
            ),
            6 => (
                format!(
                    "count(*) OVER ({partition}ORDER BY {time} RANGE BETWEEN INTERVAL '30 minutes' PRECEDING AND CURRENT ROW)"
                ),
                Type::Number,
            ),
            7 => (
                format!("count({shown}) OVER ({partition}ORDER BY {time})"),
                Type::Number,
            ),
            _ => (
                format!("first_value({shown}) OVER ({partition}ORDER BY {order} DESC)"),
                Type::Text,
            ),
        };
        let (head, tail) = query
            .sql
            .split_once("\nFROM")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap_or_default();
        query.sql = format!("{head}, {call} AS ranked\nFROM{tail}");
        query.columns.push(output("ranked", kind));
        let alias = self.alias('w');
        let condition = match kind {
            Type::Number => format!(
                "{alias}.ranked {} {}",
                self.choices.pick(&["<=", ">", "="]),
                1 + self.choices.below(3)
            ),
            _ => format!("{alias}.ranked IS NOT NULL"),
        };
        Query {
            sql: format!("SELECT * FROM (\n{}\n) AS {alias} WHERE {condition}", query.sql),
            ..query
        }
    }

    /// One row for each element of a list.
    fn unnested(&mut self) -> Query {
        let scope = self.events(true);
        let lists = scope.of(&[Type::Texts]);
        let list = lists[self.choices.below(lists.len())].clone();
        let kept = self
            .any(&scope, &[Type::Text])
            .map_or_else(|| "1".to_owned(), |column| column.sql);
        let filter = self.filter(&scope, 1);
        let inner = Query {
            sql: format!(
                "SELECT {} AS id, {} AS at, {kept} AS kept, unnest({}) AS item\nFROM {}{filter}",
                scope.order[2], scope.order[0], list.sql, scope.from
            ),
            columns: vec![
                output("id", Type::Text),
                output("at", Type::Time),
                output("kept", Type::Text),
                Output {
                    role: list.role,
                    ..output("item", Type::Text)
                },
            ],
            unique: Vec::new(),
        };
        let scope = self.derived(&inner);
        match self.choices.below(3) {
            0 | 1 => self.grouped(&scope, 1),
            _ => self.distinct(&scope, 1),
        }
    }

    /// A WITH clause whose query is read twice.
    fn twice(&mut self) -> Query {
        let inner = self.query(1);
        let (left, right) = (self.common(&inner, "named"), self.common(&inner, "named"));
        let joined = self.choices.chance(60).then(|| self.join(left.clone(), right.clone()));
        let outer = match joined {
            Some(scope) => self.projected(&scope, 0),
            None => {
                let filter = self.filter(&right, 0);
                let query = self.projected(&left, 0);
                let number = self.choices.below(4);
                Query {
                    sql: format!(
                        "SELECT * FROM (\n{}\n) WHERE (SELECT count(*) FROM {}{filter}) > {number}",
                        query.sql, right.from
                    ),
                    ..query
                }
            }
        };
        Query {
            sql: format!("WITH named AS (\n{}\n)\n{}", inner.sql, outer.sql),
            ..outer
        }
    }

    /// Aggregates over aggregates.
    fn aggregated_again(&mut self) -> Query {
        let scope = self.from(0);
        let inner = self.grouped(&scope, 0);
        let scope = self.derived(&inner);
        match self.choices.chance(60) {
            true => self.global(&scope, 0),
            false => self.grouped(&scope, 0),
        }
    }

    /// What has rows whatever the events are.
    fn without_events(&mut self) -> Query {
        let one = |sql: &str, name: &str| Query {
            sql: sql.to_owned(),
            columns: vec![output(name, Type::Number)],
            unique: vec![name.to_owned()],
        };
        match self.choices.below(6) {
            0 => one("SELECT 1 AS k", "k"),
            1 => one("SELECT now() AS k", "k"),
            2 => one("SELECT * FROM (VALUES (1), (2)) AS v (k)", "k"),
            3 => one("SELECT extract(hour FROM now()) AS k, current_date AS day", "k"),
            4 => {
                let inner = self.events(true);
                let filter = self.filter(&inner, 1);
                one(
                    &format!("SELECT 1 AS k WHERE NOT EXISTS (SELECT 1 FROM {}{filter})", inner.from),
                    "k",
                )
            }
            _ => {
                let (list, events) = (self.list(), self.events(true));
                let scope = self.join(list, events);
                self.grouped(&scope, 0)
            }
        }
    }

    /// DISTINCT ON, which keeps the first row of each.
    fn first_of_each(&mut self) -> Query {
        let scope = self.events(true);
        let column = self
            .any(&scope, &[Type::Text])
            .map_or_else(|| "1".to_owned(), |column| column.sql);
        let filter = self.filter(&scope, 1);
        Query {
            sql: format!(
                "SELECT DISTINCT ON ({column}) {column} AS k, {} AS id, {} AS first_time\nFROM {}{filter}\nORDER BY {column}, {}",
                scope.order[2],
                scope.order[0],
                scope.from,
                scope.order.join(", ")
            ),
            columns: vec![
                output("k", Type::Text),
                output("id", Type::Text),
                output("first_time", Type::Time),
            ],
            unique: vec!["k".to_owned()],
        }
    }

    /// A LIMIT after a total order, at the top or below.
    fn limited(&mut self) -> Query {
        let scope = self.relation(0);
        let query = self.projected(&scope, 0);
        let order: Vec<String> = query.unique.clone();
        let limited = Query {
            sql: format!(
                "{}\nORDER BY {}\nLIMIT {}",
                query.sql,
                order.join(", "),
                1 + self.choices.below(3)
            ),
            ..query
        };
        if self.choices.chance(50) {
            let scope: Scope = self.derived(&limited);
            return self.grouped(&scope, 0);
        }
        Query {
            sql: format!("SELECT * FROM (\n{}\n)", limited.sql),
            columns: limited
                .columns
                .into_iter()
                .map(|column| Output {
                    role: Role::Other,
                    ..column
                })
                .collect(),
            ..limited
        }
    }
}
