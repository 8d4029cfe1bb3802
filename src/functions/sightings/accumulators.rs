//! Sighting runs as DataFusion accumulates them: for one term, and for millions of groups.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray, LargeBinaryBuilder, ListArray, PrimitiveArray,
    StringViewArray, StringViewBuilder, StructArray, TimestampMicrosecondBuilder,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit, TimestampMicrosecondType};
use datafusion::common::utils::take_function_args;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::{DifferentHistories, Runs};

const NAME: &str = "new_terms";

fn start_fields(zone: Option<Arc<str>>) -> Fields {
    let time = DataType::Timestamp(TimeUnit::Microsecond, zone);
    Fields::from(vec![
        Field::new("time", time.clone(), true),
        Field::new("event_id", DataType::Utf8View, true),
        Field::new("last_time", time, true),
    ])
}

/// The element of the result: the new sighting, and the last one before the next new one.
pub(crate) fn list_field(zone: Option<Arc<str>>) -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(start_fields(zone)), true))
}

/// The starts of the runs of every term, one list per term.
fn lists_of_starts<'a>(terms: impl Iterator<Item = &'a Runs> + Clone, zone: &Option<Arc<str>>) -> Result<ListArray> {
    let offsets = OffsetBuffer::from_lengths(terms.clone().map(|runs| runs.as_slice().len()));
    let mut times = TimestampMicrosecondBuilder::new();
    let mut event_ids = StringViewBuilder::new();
    let mut last_times = TimestampMicrosecondBuilder::new();
    for run in terms.flat_map(Runs::as_slice) {
        times.append_value(run.first_time);
        event_ids.append_option(run.first_event_id.as_deref());
        last_times.append_value(run.last_time);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.finish().with_timezone_opt(zone.clone())),
        Arc::new(event_ids.finish()),
        Arc::new(last_times.finish().with_timezone_opt(zone.clone())),
    ];
    let starts = StructArray::try_new(start_fields(zone.clone()), columns, None)?;
    Ok(ListArray::try_new(
        list_field(zone.clone()),
        offsets,
        Arc::new(starts),
        None,
    )?)
}

/// The times and ids of a batch.
struct Sightings<'a> {
    times: &'a PrimitiveArray<TimestampMicrosecondType>,
    event_ids: &'a StringViewArray,
}

impl<'a> Sightings<'a> {
    fn try_new(values: &'a [ArrayRef]) -> Result<Self> {
        match values {
            [times, event_ids, ..] => match (times.as_primitive_opt(), event_ids.as_string_view_opt()) {
                (Some(times), Some(event_ids)) => Ok(Self { times, event_ids }),
                _ => exec_err!("{NAME} got {} and {}", times.data_type(), event_ids.data_type()),
            },
            _ => exec_err!("{NAME} needs 3 arguments, not {}", values.len()),
        }
    }

    fn len(&self) -> usize {
        self.times.len()
    }

    /// Time and id of one row; nothing if it has no time.
    fn row(&self, row: usize) -> Option<(i64, Option<&'a str>)> {
        let event_id = self.event_ids.is_valid(row).then(|| self.event_ids.value(row));
        self.times.is_valid(row).then(|| (self.times.value(row), event_id))
    }
}

fn states(values: &[ArrayRef]) -> Result<&LargeBinaryArray> {
    let [states] = take_function_args(NAME, values)?;
    match states.as_binary_opt() {
        Some(states) => Ok(states),
        None => exec_err!("the state of {NAME} is {}, not LargeBinary", states.data_type()),
    }
}

/// The runs of one state; nothing if it is NULL.
fn decode(states: &LargeBinaryArray, row: usize, history: u64) -> Result<Option<Runs>> {
    if states.is_null(row) {
        return Ok(None);
    }
    let (state_history, runs) =
        Runs::decode(states.value(row)).map_err(|error| DataFusionError::External(Box::new(error)))?;
    if state_history != history {
        return Err(DataFusionError::External(Box::new(DifferentHistories(
            history,
            state_history,
        ))));
    }
    Ok(Some(runs))
}

/// The aggregate without GROUP BY.
#[derive(Debug)]
pub(crate) struct OneTerm {
    history: u64,
    zone: Option<Arc<str>>,
    runs: Runs,
}

impl OneTerm {
    pub(crate) fn new(history: u64, zone: Option<Arc<str>>) -> Self {
        Self {
            history,
            zone,
            runs: Runs::default(),
        }
    }
}

impl Accumulator for OneTerm {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let sightings = Sightings::try_new(values)?;
        for (time, event_id) in (0..sightings.len()).filter_map(|row| sightings.row(row)) {
            self.runs.insert(self.history, time, event_id);
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let states = states(values)?;
        for row in 0..states.len() {
            if let Some(runs) = decode(states, row, self.history)? {
                self.runs.merge(self.history, runs);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut bytes = Vec::new();
        self.runs.encode_into(self.history, &mut bytes);
        Ok(vec![ScalarValue::LargeBinary(Some(bytes))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        lists_of_starts(std::iter::once(&self.runs), &self.zone).map(|list| ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.runs.heap_size()
    }
}

/// The aggregate over many groups at once.
#[derive(Debug)]
pub(crate) struct ManyTerms {
    history: u64,
    zone: Option<Arc<str>>,
    groups: Vec<Runs>,
    /// Bytes on the heap of all groups, kept up to date because counting them takes long.
    heap_bytes: usize,
}

impl ManyTerms {
    pub(crate) fn new(history: u64, zone: Option<Arc<str>>) -> Self {
        Self {
            history,
            zone,
            groups: Vec::new(),
            heap_bytes: 0,
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Runs> {
        let taken = emit_to.take_needed(&mut self.groups);
        let bytes: usize = taken.iter().map(Runs::heap_size).sum();
        self.heap_bytes = self.heap_bytes.saturating_sub(bytes);
        taken
    }
}

impl GroupsAccumulator for ManyTerms {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Runs::default);
        let sightings = Sightings::try_new(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if is_kept(opt_filter, row)
                && let Some((time, event_id)) = sightings.row(row)
            {
                let grown = self.groups[*group].insert(self.history, time, event_id);
                self.heap_bytes = self.heap_bytes.saturating_add_signed(grown);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize_with(total_num_groups, Runs::default);
        let states = states(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if let Some(runs) = decode(states, row, self.history)? {
                let group = &mut self.groups[*group];
                let before = group.heap_size();
                group.merge(self.history, runs);
                self.heap_bytes = (self.heap_bytes + group.heap_size()).saturating_sub(before);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.take(emit_to);
        Ok(Arc::new(lists_of_starts(groups.iter(), &self.zone)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut states = LargeBinaryBuilder::new();
        let mut bytes = Vec::new();
        for runs in self.take(emit_to) {
            bytes.clear();
            runs.encode_into(self.history, &mut bytes);
            states.append_value(&bytes);
        }
        Ok(vec![Arc::new(states.finish())])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let sightings = Sightings::try_new(values)?;
        let mut states = LargeBinaryBuilder::new();
        let mut bytes = Vec::new();
        for row in 0..sightings.len() {
            match sightings.row(row).filter(|_| is_kept(opt_filter, row)) {
                Some((time, event_id)) => {
                    let mut runs = Runs::default();
                    runs.insert(self.history, time, event_id);
                    bytes.clear();
                    runs.encode_into(self.history, &mut bytes);
                    states.append_value(&bytes);
                }
                None => states.append_null(),
            }
        }
        Ok(vec![Arc::new(states.finish())])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<Runs>() + self.heap_bytes
    }
}

fn is_kept(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}
