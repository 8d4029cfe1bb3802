//! The distinct values of very many groups: each value once, each pair of a group and a value
//! as one number.
//!
//! A hash map for each group would start with kilobytes, and most groups have a few values.
//! Here a pair takes about 20 bytes in one set for all groups, and a value that comes in many
//! groups is stored once.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, ListArray, UInt32Array, new_empty_array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{HashSet, Result, internal_err, resources_err};
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::types::{element, supports};

/// The order of the values within the lists of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListOrder {
    /// Whatever comes first; enough for a state.
    Any,
    /// That of arrow's row format: ascending, null first.
    Ascending,
}

/// A group in the upper half, the number of a value in the lower.
fn pair(group: u32, value: u32) -> u64 {
    (u64::from(group) << 32) | u64::from(value)
}

fn group_of(pair: u64) -> usize {
    (pair >> 32) as usize
}

fn value_of(pair: u64) -> u32 {
    (pair & u64::from(u32::MAX)) as u32
}

fn narrow(number: usize) -> Result<u32> {
    match u32::try_from(number) {
        Ok(number) => Ok(number),
        Err(_) => resources_err!("a DISTINCT has more than 4 billion groups or values: hunt over a shorter range"),
    }
}

/// Which values each group has. Groups are numbered from zero.
///
/// It is either filled or emptied. When emptying begins the pairs are sorted once, so that
/// taking the groups part by part costs no more than taking them together; a row that comes
/// in between builds the set again from what is left.
pub(super) struct DistinctPairs {
    value_type: DataType,
    /// Numbers the values in the order in which they came. Made with the first value.
    interner: Option<Box<dyn GroupValues>>,
    /// While filled: all pairs.
    members: HashSet<u64>,
    /// While emptied: all pairs, by group and value. Those before `next` are gone.
    sorted: Option<Vec<u64>>,
    next: usize,
    /// The number of groups that are gone: `sorted` has the groups as they were numbered before.
    gone: usize,
    /// While emptied: the values out of the interner, in this order, if somebody asked for them.
    values: Option<(ArrayRef, ListOrder)>,
    groups: usize,
    /// The numbers of the values of one batch.
    numbers: Vec<usize>,
}

impl DistinctPairs {
    pub(super) fn new(value_type: &DataType) -> Result<Self> {
        if !supports(value_type) {
            return internal_err!("values of type {value_type} cannot be kept as distinct pairs");
        }
        Ok(Self {
            value_type: value_type.clone(),
            interner: None,
            members: HashSet::new(),
            sorted: None,
            next: 0,
            gone: 0,
            values: None,
            groups: 0,
            numbers: Vec::new(),
        })
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Makes room for groups that may get no value.
    pub(super) fn see_groups(&mut self, groups: usize) -> Result<()> {
        narrow(groups)?;
        self.fill()?;
        self.groups = self.groups.max(groups);
        Ok(())
    }

    /// Adds each value to the group beside it.
    pub(super) fn insert(&mut self, values: &ArrayRef, groups: &[usize]) -> Result<()> {
        self.number(values)?;
        for (&number, &group) in self.numbers.iter().zip(groups) {
            self.members.insert(pair(narrow(group)?, narrow(number)?));
        }
        Ok(())
    }

    /// Adds the values of each list to the group beside it.
    pub(super) fn insert_lists(&mut self, lists: &ListArray, groups: &[usize]) -> Result<()> {
        let offsets = lists.offsets();
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
            return Ok(());
        };
        // Lists that are part of a longer array keep to their own part of its values.
        let first = first as usize;
        self.number(&lists.values().slice(first, last as usize - first))?;
        for (row, &group) in groups.iter().enumerate() {
            if lists.is_null(row) {
                continue;
            }
            let (start, end) = (offsets[row] as usize - first, offsets[row + 1] as usize - first);
            let group = narrow(group)?;
            for &number in &self.numbers[start..end] {
                self.members.insert(pair(group, narrow(number)?));
            }
        }
        Ok(())
    }

    /// The number of values of each of the first groups.
    pub(super) fn counts(&mut self, groups: usize) -> Int64Array {
        let lengths = self.lengths(groups).into_iter().map(|length| length as i64);
        Int64Array::from_iter_values(lengths)
    }

    /// The values of each of the first groups; null for a group without any.
    pub(super) fn lists(&mut self, groups: usize, order: ListOrder) -> Result<ListArray> {
        let lengths = self.lengths(groups);
        let total: usize = lengths.iter().sum();
        if i32::try_from(total).is_err() {
            return resources_err!(
                "lists of DISTINCT values have {total} elements together: hunt over a shorter range"
            );
        }
        let all = self.values(order)?;
        let sorted = self.sorted.as_deref().unwrap_or_default();
        let numbers = sorted[self.next..self.next + total].iter().map(|&pair| value_of(pair));
        let values = take(&all, &UInt32Array::from_iter_values(numbers), None)?;
        let values = if *values.data_type() == self.value_type {
            values
        } else {
            cast(&values, &self.value_type)?
        };
        let nulls = lengths.iter().map(|&length| length > 0).collect::<NullBuffer>();
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(ListArray::try_new(element(&self.value_type), offsets, values, nulls)?)
    }

    /// Forgets the first groups; those after them are numbered from zero again.
    pub(super) fn forget(&mut self, emitted: EmitTo) {
        match emitted {
            EmitTo::First(groups) if groups < self.groups => {
                self.next += self.lengths(groups).into_iter().sum::<usize>();
                self.gone += groups;
                self.groups -= groups;
            }
            _ => {
                self.interner = None;
                self.members = HashSet::new();
                self.numbers = Vec::new();
                self.sorted = None;
                self.values = None;
                (self.next, self.gone, self.groups) = (0, 0, 0);
            }
        }
    }

    /// Bytes of memory, exactly as far as the parts know it.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + self.interner.as_ref().map_or(0, |interner| interner.size())
            + self.members.allocation_size()
            + self
                .sorted
                .as_ref()
                .map_or(0, |sorted| sorted.capacity() * size_of::<u64>())
            + self
                .values
                .as_ref()
                .map_or(0, |(values, _)| values.get_array_memory_size())
            + self.numbers.capacity() * size_of::<usize>()
    }

    /// The type in which values are kept: texts of all groups together may have more bytes
    /// than the short offsets of their type reach.
    fn kept_type(&self) -> DataType {
        match &self.value_type {
            DataType::Utf8 => DataType::LargeUtf8,
            DataType::Binary => DataType::LargeBinary,
            other => other.clone(),
        }
    }

    /// Writes the numbers of the values to `numbers`.
    fn number(&mut self, values: &ArrayRef) -> Result<()> {
        self.fill()?;
        self.numbers.clear();
        if values.is_empty() {
            return Ok(());
        }
        let kept_type = self.kept_type();
        let interner = match &mut self.interner {
            Some(interner) => interner,
            none => {
                let schema = Schema::new(vec![Field::new("value", kept_type.clone(), true)]);
                none.insert(new_group_values(Arc::new(schema), &GroupOrdering::None)?)
            }
        };
        if *values.data_type() == kept_type {
            interner.intern(&[Arc::clone(values)], &mut self.numbers)
        } else {
            interner.intern(&[cast(values, &kept_type)?], &mut self.numbers)
        }
    }

    /// How many pairs each of the first groups has.
    fn lengths(&mut self, groups: usize) -> Vec<usize> {
        let (next, gone) = (self.next, self.gone);
        let mut lengths = vec![0; groups];
        for &pair in &self.empty()[next..] {
            match lengths.get_mut(group_of(pair) - gone) {
                Some(length) => *length += 1,
                None => break,
            }
        }
        lengths
    }

    /// Begins to empty it: the pairs in order.
    fn empty(&mut self) -> &mut Vec<u64> {
        let members = &mut self.members;
        self.sorted.get_or_insert_with(|| {
            let mut sorted: Vec<u64> = std::mem::take(members).into_iter().collect();
            sorted.sort_unstable();
            sorted
        })
    }

    /// All values, so that the pairs number them in this order.
    fn values(&mut self, order: ListOrder) -> Result<ArrayRef> {
        self.empty();
        let (values, had) = match self.values.take() {
            Some(values) => values,
            None => (self.take_values()?, ListOrder::Any),
        };
        let (values, order) = if had == ListOrder::Ascending || order == ListOrder::Any {
            (values, had)
        } else {
            (self.arrange(values)?, order)
        };
        self.values = Some((Arc::clone(&values), order));
        Ok(values)
    }

    fn take_values(&mut self) -> Result<ArrayRef> {
        // An interner that was asked for nothing yet may refuse to give it.
        let values = match self.interner.take() {
            Some(mut interner) if !interner.is_empty() => interner.emit(EmitTo::All)?.pop(),
            _ => Some(new_empty_array(&self.kept_type())),
        };
        match values {
            Some(values) => Ok(values),
            None => internal_err!("the interner gives no column"),
        }
    }

    /// Sorts the values, and numbers them in the pairs by their place.
    fn arrange(&mut self, values: ArrayRef) -> Result<ArrayRef> {
        let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
        let rows = converter.convert_columns(&[Arc::clone(&values)])?;
        let mut order: Vec<u32> = (0..narrow(values.len())?).collect();
        order.sort_unstable_by(|&a, &b| rows.row(a as usize).cmp(&rows.row(b as usize)));
        drop(rows);
        let mut places = vec![0; order.len()];
        for (place, &number) in (0..).zip(&order) {
            places[number as usize] = place;
        }
        let sorted = self.empty();
        for entry in sorted.iter_mut() {
            *entry = pair(group_of(*entry) as u32, places[value_of(*entry) as usize]);
        }
        sorted.sort_unstable();
        Ok(take(&values, &UInt32Array::from(order), None)?)
    }

    /// Begins to fill it (again): what is left of the pairs as a set.
    fn fill(&mut self) -> Result<()> {
        let Some(sorted) = self.sorted.take() else {
            return Ok(());
        };
        let left = &sorted[self.next..];
        // Values that no group has any more are dropped, if that is worth the work.
        let kept = self.interner.as_ref().map_or(0, |interner| interner.len());
        let values = match self.values.take() {
            Some((values, _)) => Some(values),
            None if kept > left.len() * 2 => Some(self.take_values()?),
            None => None,
        };
        self.members.reserve(left.len());
        let gone = self.gone;
        let group = |entry: u64| group_of(entry) - gone;
        match values {
            Some(values) => {
                let mut used: Vec<u32> = left.iter().map(|&entry| value_of(entry)).collect();
                used.sort_unstable();
                used.dedup();
                self.number(&take(&values, &UInt32Array::from(used.clone()), None)?)?;
                for &entry in left {
                    let place = used.partition_point(|&number| number < value_of(entry));
                    let number = narrow(self.numbers[place])?;
                    self.members.insert(pair(narrow(group(entry))?, number));
                }
            }
            None => {
                for &entry in left {
                    self.members.insert(pair(narrow(group(entry))?, value_of(entry)));
                }
            }
        }
        (self.next, self.gone) = (0, 0);
        Ok(())
    }
}
