//! Aggregates whose result does not depend on the order of rows.

use super::{Column, Grammar, Output, Role, Scope, Type};

impl Grammar<'_, '_> {
    /// An aggregate under this name.
    pub(super) fn aggregate(&mut self, scope: &Scope, name: &str) -> (String, Output) {
        let (call, kind) = self.call(scope);
        let filter = match self.choices.chance(25) {
            true => format!(" FILTER (WHERE {})", self.condition(scope, 0)),
            false => String::new(),
        };
        // A list that nobody ordered is sorted, after the filter.
        let (call, sorted) = match call.strip_prefix("sorted ") {
            Some(call) => (call.to_owned(), true),
            None => (call, false),
        };
        let (call, rounded) = match call.strip_prefix("rounded ") {
            Some(call) => (call.to_owned(), true),
            None => (call, false),
        };
        let sql = match (sorted, rounded) {
            (true, _) => format!("array_sort({call}{filter}) AS {name}"),
            (_, true) => format!("round({call}{filter}, 3) AS {name}"),
            _ => format!("{call}{filter} AS {name}"),
        };
        let output = Output {
            name: name.to_owned(),
            kind,
            role: Role::Other,
        };
        (sql, output)
    }

    fn call(&mut self, scope: &Scope) -> (String, Type) {
        let made = match self.choices.below(16) {
            0..3 => None,
            3 | 4 => self.any(scope, SCALARS).map(|column| {
                let distinct = self.choices.pick(&["DISTINCT ", ""]);
                (format!("count({distinct}{})", column.sql), Type::Number)
            }),
            5 => self.any(scope, &[Type::Number]).map(|column| {
                let call = self.choices.pick(&["sum", "bit_or"]);
                (format!("{call}({})", column.sql), Type::Number)
            }),
            6 => self
                .any(scope, &[Type::Number])
                .map(|column| match self.choices.below(3) {
                    0 => (format!("avg({})", column.sql), Type::Real),
                    1 => (format!("rounded stddev({})", column.sql), Type::Real),
                    _ => (format!("median({})", column.sql), Type::Number),
                }),
            7 | 8 => self.any(scope, &[Type::Text, Type::Number, Type::Time]).map(|column| {
                let call = self.choices.pick(&["min", "max"]);
                (format!("{call}({})", column.sql), column.kind)
            }),
            9 => {
                let call = self.choices.pick(&["bool_or", "bool_and"]);
                let condition = self.condition(scope, 0);
                Some((format!("{call}({condition})"), Type::Truth))
            }
            10 | 11 => self.any(scope, &[Type::Text, Type::Address]).map(|Column { sql, .. }| {
                let form = self.choices.below(4);
                let call = match form {
                    2 | 3 if !self.ordered(&[&sql, " DESC"][..form - 1].concat()) => format!("count({sql})"),
                    0 => format!("sorted array_agg(DISTINCT {sql})"),
                    1 => format!("sorted array_agg({sql})"),
                    2 => format!("array_agg(DISTINCT {sql} ORDER BY {sql})"),
                    _ => format!("array_agg({sql} ORDER BY {sql} DESC)"),
                };
                (call, Type::Opaque)
            }),
            12 => self
                .any(scope, &[Type::Text])
                .filter(|Column { sql, .. }| self.ordered(sql))
                .map(|Column { sql, .. }| (format!("string_agg({sql}, ',' ORDER BY {sql})"), Type::Text)),
            13 | 14 if !scope.order.is_empty() => self.any(scope, SCALARS).map(|column| {
                let order = scope.order.join(", ");
                let sql = &column.sql;
                if !self.ordered(&order) {
                    return (format!("max({sql})"), column.kind);
                }
                match self.choices.below(3) {
                    0 => (format!("first_value({sql} ORDER BY {order})"), column.kind),
                    1 => (format!("last_value({sql} ORDER BY {order})"), column.kind),
                    _ => (format!("array_agg({sql} ORDER BY {order})"), Type::Opaque),
                }
            }),
            _ => self.any(scope, &[Type::Time]).map(|column| {
                let sql = column.sql;
                (format!("count(DISTINCT date_trunc('hour', {sql}))"), Type::Number)
            }),
        };
        made.unwrap_or_else(|| ("count(*)".to_owned(), Type::Number))
    }

    /// Whether aggregates of one SELECT can have this order too: DataFusion knows one only.
    fn ordered(&mut self, order: &str) -> bool {
        self.ordering.get_or_insert_with(|| order.to_owned()) == order
    }

    pub(super) fn any(&mut self, scope: &Scope, kinds: &[Type]) -> Option<Column> {
        let columns = scope.of(kinds);
        (!columns.is_empty()).then(|| columns[self.choices.below(columns.len())].clone())
    }
}

/// Kinds that can be counted and compared everywhere.
pub(super) const SCALARS: &[Type] = &[Type::Text, Type::Address, Type::Number, Type::Time, Type::Truth];
