//! FROM clauses of one relation or two.

use super::{Grammar, Scope};

impl Grammar<'_, '_> {
    /// One relation, mostly.
    pub(super) fn from(&mut self, depth: usize) -> Scope {
        match self.choices.below(10) {
            0..5 => self.relation(depth),
            5..9 => {
                let (left, right) = (self.relation(depth), self.relation(depth.saturating_sub(1)));
                self.join(left, right)
            }
            _ => {
                let left = self.events(true);
                let right = self.list();
                self.join(left, right)
            }
        }
    }

    /// Two relations, on columns that have values in common where there are any.
    pub(super) fn join(&mut self, left: Scope, right: Scope) -> Scope {
        let Some((mine, theirs)) = self.pair(&left, &right) else {
            return self.crossed(left, right);
        };
        let kind = self.choices.pick(&[
            "JOIN",
            "LEFT JOIN",
            "RIGHT JOIN",
            "FULL JOIN",
            "LEFT SEMI JOIN",
            "LEFT ANTI JOIN",
            "JOIN",
        ]);
        let times = self.before(&left, &right);
        let one_sided = kind.contains("SEMI") || kind.contains("ANTI");
        let from = format!("{}\n{kind} {} ON {mine} = {theirs}{times}", left.from, right.from);
        both(left, right, from, one_sided)
    }

    /// Few rows with few rows, and nothing in common.
    fn crossed(&mut self, left: Scope, right: Scope) -> Scope {
        let from = format!("{}\nCROSS JOIN {}", left.from, right.from);
        both(left, right, from, false)
    }
}

fn both(left: Scope, right: Scope, from: String, one_sided: bool) -> Scope {
    if one_sided {
        return Scope { from, ..left };
    }
    let ordered = !left.order.is_empty() && !right.order.is_empty();
    Scope {
        from,
        columns: left.columns.into_iter().chain(right.columns).collect(),
        order: left.order.into_iter().chain(right.order).filter(|_| ordered).collect(),
        aliased: left.aliased && right.aliased,
        event: left.event,
    }
}
