//! Tables with only the columns that a statement can mean.
//!
//! `events` has hundreds of columns and a query names a few. Every step of planning looks at
//! all columns of a table, which takes longer than to run a small query.

use super::names::words;
use crate::lake::LakeTableProvider;
use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
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

    /// The table with no more than the columns that are named; itself if it is a list.
    pub(super) fn of_table(&self, table: &Arc<dyn TableProvider>) -> Arc<dyn TableProvider> {
        let is_named = |column: &str| self.0.contains(column);
        if let Some(lake) = table.downcast_ref::<LakeTableProvider>() {
            return Arc::new(lake.with_columns(is_named));
        }
        if table.is::<EmptyTable>() {
            let all = table.schema();
            let fields = all.fields().iter().filter(|field| is_named(field.name()));
            return Arc::new(EmptyTable::new(Arc::new(Schema::new(
                fields.cloned().collect::<Vec<_>>(),
            ))));
        }
        Arc::clone(table)
    }
}
