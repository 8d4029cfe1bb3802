//! Which events a SELECT without windows reads besides the one each row is about.
//!
//! A hunt shows a detection the events of its range. What looks for other events, in a
//! join or a subquery, finds those of the range only, so its result depends on the range.

use super::shape::Place;
use crate::engine::names::parse_query;
use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Select, Spanned, Statement, TableFactor, Visit, Visitor};
use include_dir::{Dir, include_dir};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

static VIEWS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/views");

/// The views of events, and whether each looks at other events than the row's own.
static EVENT_VIEWS: LazyLock<Vec<(String, bool)>> = LazyLock::new(|| {
    let events = HashSet::from(["events".to_owned()]);
    VIEWS
        .files()
        .filter_map(|file| {
            let name = file.path().file_stem()?.to_str()?.to_owned();
            let statement = parse_query(file.contents_utf8()?).ok()?;
            let reads = Reads::of(&statement, &events);
            // Not those of the lake's other tables.
            let of_events = reads.relations.iter().any(|relation| events.contains(&relation.what));
            of_events.then_some((name, reads.others.is_some()))
        })
        .collect()
});

/// How a SELECT reads other events, for a message, and where.
pub(super) fn other_events(statement: &Statement) -> Option<Place<String>> {
    let mut sources: HashSet<String> = EVENT_VIEWS.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    sources.insert("events".to_owned());
    let reads = Reads::of(statement, &sources);
    if reads.others.is_some() {
        return reads.others;
    }
    reads.relations.into_iter().find_map(|relation| {
        let (view, _) = EVENT_VIEWS
            .iter()
            .find(|(view, joins)| *joins && view.eq_ignore_ascii_case(&relation.what))?;
        Some(Place {
            what: format!("the view {view} looks at other events too"),
            line: relation.line,
        })
    })
}

/// Walks a statement for the relations it reads.
struct Reads {
    /// Names of relations that hold events, in lower case.
    sources: HashSet<String>,
    /// Expressions around the current place: more than none inside a subquery of one.
    depth: usize,
    relations: Vec<Place<String>>,
    others: Option<Place<String>>,
}

impl Reads {
    fn of(statement: &Statement, sources: &HashSet<String>) -> Self {
        let mut sources = sources.clone();
        if let Statement::Query(query) = statement
            && let Some(with) = &query.with
        {
            for cte in &with.cte_tables {
                let inside = Self::in_part(cte.query.as_ref(), &sources);
                let name = cte.alias.name.value.to_ascii_lowercase();
                if inside.relations.iter().any(|relation| sources.contains(&relation.what)) {
                    sources.insert(name);
                } else {
                    sources.remove(&name);
                }
            }
        }
        Self::in_part(statement, &sources)
    }

    fn in_part(part: &impl Visit, sources: &HashSet<String>) -> Self {
        let mut reads = Self {
            sources: sources.clone(),
            depth: 0,
            relations: Vec::new(),
            others: None,
        };
        // The visitor never breaks, so there is no result to look at.
        let _ = part.visit(&mut reads);
        reads
    }

    fn other(&mut self, how: &str, name: &str, line: u64) {
        if self.others.is_none() && self.sources.contains(name) {
            let what = format!("{how} reads {name}");
            self.others = Some(Place { what, line });
        }
    }
}

impl Visitor for Reads {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let more = select.from.iter().skip(1).map(|item| &item.relation);
        let joined = select.from.iter().flat_map(|item| &item.joins);
        for relation in joined.map(|join| &join.relation).chain(more) {
            match relation {
                TableFactor::Table { name, .. } => {
                    let (name, line) = last_part(name);
                    self.other("a join", &name, line);
                }
                TableFactor::Derived { subquery, .. } => {
                    for relation in Self::in_part(subquery.as_ref(), &self.sources).relations {
                        self.other("a join", &relation.what, relation.line);
                    }
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let (name, line) = last_part(name);
        if self.depth > 0 {
            self.other("a subquery", &name, line);
        }
        self.relations.push(Place { what: name, line });
        ControlFlow::Continue(())
    }
}

/// The name of a relation in lower case, and its line.
fn last_part(name: &ObjectName) -> (String, u64) {
    let last = name.0.last().and_then(|part| part.as_ident());
    let text = last.map(|part| part.value.to_ascii_lowercase()).unwrap_or_default();
    (text, name.span().start.line)
}
