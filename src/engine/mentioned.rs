//! Tables with only the columns that a statement can mean.
//!
//! `events` has hundreds of columns and a query names a few. Every step of planning looks at
//! all columns of a table, which takes longer than to run a small query.

use super::names::words;
use crate::lake::LakeTableProvider;
use datafusion::catalog::TableProvider;
use std::collections::HashSet;
use std::sync::Arc;

/// What the engine itself asks of a table, of whatever statement: the time, for windows.
const ALWAYS: &str = "timestamp";

/// The names in a statement, of columns and of whatever else.
pub(super) struct Mentioned(HashSet<String>);

impl Mentioned {
    /// The names in the text of a statement, which are those of columns as the planner knows
    /// them. `None` if it may mean columns that it does not name.
    pub(super) fn of(sql: &str) -> Option<Self> {
        let mut words = words(sql)?;
        words.insert(ALWAYS.to_owned());
        Some(Self(words))
    }

    /// The table with no more than the columns that are named; itself if it is not of the lake.
    pub(super) fn of_table(&self, table: &Arc<dyn TableProvider>) -> Arc<dyn TableProvider> {
        match table.downcast_ref::<LakeTableProvider>() {
            Some(lake) => Arc::new(lake.with_columns(|column| self.0.contains(column))),
            None => Arc::clone(table),
        }
    }
}
