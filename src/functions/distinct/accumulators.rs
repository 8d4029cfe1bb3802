//! Both aggregates, for many groups and for one.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, ListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{and, filter, prep_null_mask_filter};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::What;
use super::pairs::{DistinctPairs, ListOrder};
use super::types::{element, state_lists};

/// The accumulator of all groups.
pub(super) struct ManyGroups {
    what: What,
    /// Nulls are no values.
    skip_nulls: bool,
    pairs: DistinctPairs,
}

impl ManyGroups {
    pub(super) fn new(what: What, value_type: &DataType, skip_nulls: bool) -> Result<Self> {
        Ok(Self {
            what,
            skip_nulls,
            pairs: DistinctPairs::new(value_type)?,
        })
    }

    /// Which rows count; `None` if all do.
    fn counting(&self, values: &ArrayRef, wanted: Option<&BooleanArray>) -> Result<Option<BooleanArray>> {
        let nulls = if self.skip_nulls { values.logical_nulls() } else { None };
        let valid = nulls
            .filter(|nulls| nulls.null_count() > 0)
            .map(|nulls| BooleanArray::new(nulls.into_inner(), None));
        // A condition that is null does not hold.
        let wanted = wanted.map(|wanted| match wanted.null_count() {
            0 => wanted.clone(),
            _ => prep_null_mask_filter(wanted),
        });
        Ok(match (valid, wanted) {
            (Some(valid), Some(wanted)) => Some(and(&valid, &wanted)?),
            (valid, wanted) => valid.or(wanted),
        })
    }

    fn give(&mut self, groups: usize) -> Result<ArrayRef> {
        Ok(match self.what {
            What::Count => Arc::new(self.pairs.counts(groups)),
            What::List => Arc::new(self.pairs.lists(groups, ListOrder::Ascending)?),
        })
    }

    fn number_of(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.pairs.groups(),
            EmitTo::First(groups) => groups.min(self.pairs.groups()),
        }
    }
}

fn only(values: &[ArrayRef]) -> Result<&ArrayRef> {
    match values {
        [values] => Ok(values),
        _ => exec_err!("a DISTINCT has one argument, not {}", values.len()),
    }
}

impl GroupsAccumulator for ManyGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = only(values)?;
        self.pairs.see_groups(total_num_groups)?;
        match self.counting(values, opt_filter)? {
            None => self.pairs.insert(values, group_indices),
            Some(counting) => {
                let groups = group_indices.iter().zip(counting.values());
                let groups: Vec<usize> = groups.filter(|(_, counts)| *counts).map(|(group, _)| *group).collect();
                self.pairs.insert(&filter(values, &counting)?, &groups)
            }
        }
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let given = self.give(self.number_of(emit_to))?;
        self.pairs.forget(emit_to);
        Ok(given)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let lists = self.pairs.lists(self.number_of(emit_to), ListOrder::Any)?;
        self.pairs.forget(emit_to);
        Ok(vec![Arc::new(lists)])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.pairs.see_groups(total_num_groups)?;
        self.pairs.insert_lists(state_lists(values)?, group_indices)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = only(values)?;
        let field = element(values.data_type());
        let list = match self.counting(values, opt_filter)? {
            None => {
                let offsets = OffsetBuffer::from_repeated_length(1, values.len());
                ListArray::try_new(field, offsets, Arc::clone(values), None)?
            }
            Some(counting) => {
                let offsets = OffsetBuffer::from_lengths(counting.values().iter().map(usize::from));
                let nulls = NullBuffer::new(counting.values().clone());
                ListArray::try_new(field, offsets, filter(values, &counting)?, Some(nulls))?
            }
        };
        Ok(vec![Arc::new(list)])
    }

    fn size(&self) -> usize {
        size_of::<Self>() - size_of::<DistinctPairs>() + self.pairs.size()
    }
}

/// The accumulator of a query without GROUP BY: all rows are one group.
pub(super) struct OneGroup {
    /// Behind a lock that nobody waits for: accumulators are shared, and DataFusion's interner
    /// alone may not be.
    all: Mutex<ManyGroups>,
    /// As many zeros as there are rows in a batch.
    zeros: Vec<usize>,
}

impl std::fmt::Debug for OneGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OneGroup").finish_non_exhaustive()
    }
}

impl OneGroup {
    pub(super) fn new(what: What, value_type: &DataType, skip_nulls: bool) -> Result<Self> {
        let mut all = ManyGroups::new(what, value_type, skip_nulls)?;
        all.pairs.see_groups(1)?;
        Ok(Self {
            all: Mutex::new(all),
            zeros: Vec::new(),
        })
    }

    /// The accumulator, and a zero for each row: the group that it is of.
    fn parts(&mut self, rows: usize) -> (&mut ManyGroups, &[usize]) {
        self.zeros.resize(rows, 0);
        let all = self.all.get_mut().unwrap_or_else(PoisonError::into_inner);
        (all, &self.zeros)
    }
}

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (all, zeros) = self.parts(only(values)?.len());
        all.update_batch(values, zeros, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (all, zeros) = self.parts(only(states)?.len());
        all.merge_batch(states, zeros, 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (all, _) = self.parts(0);
        let lists = all.pairs.lists(1, ListOrder::Any)?;
        Ok(vec![ScalarValue::List(Arc::new(lists))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (all, _) = self.parts(0);
        ScalarValue::try_from_array(&all.give(1)?, 0)
    }

    fn size(&self) -> usize {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        size_of::<Self>() - size_of::<ManyGroups>() + all.size() + self.zeros.capacity() * size_of::<usize>()
    }
}
