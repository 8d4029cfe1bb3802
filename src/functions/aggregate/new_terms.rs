//! `new_terms`: when a term was seen that had not been seen for a while.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray, LargeBinaryBuilder, ListArray, PrimitiveArray,
    RecordBatch, StringViewArray, StringViewBuilder, StructArray, TimestampMicrosecondBuilder,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Schema, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::utils::take_function_args;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Documentation, EmitTo, Expr, GroupsAccumulator,
    Signature, Volatility,
};

use crate::functions::SECTION;
use crate::functions::sightings::Runs;
use crate::functions::text::{is_text, literal};

const NAME: &str = "new_terms";

pub(super) fn udf() -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::from(NewTerms { signature, documentation: documentation() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NewTerms {
    signature: Signature,
    documentation: Documentation,
}

impl AggregateUDFImpl for NewTerms {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [time, event_id, history] = types else {
            return plan_err!("{NAME} needs 3 arguments (time, event_id, history), not {}", types.len());
        };
        let zone = match time {
            DataType::Timestamp(_, zone) => zone.clone(),
            DataType::Null => None,
            other => return plan_err!("{NAME}: argument 1, the time, must be a timestamp, not {other}"),
        };
        if !is_text(event_id) {
            return plan_err!("{NAME}: argument 2, the event id, must be a text, not {event_id}");
        }
        if !matches!(history, DataType::Interval(_) | DataType::Duration(_)) {
            return plan_err!(
                "{NAME}: argument 3, the history, must be an interval like INTERVAL '14 days', not {history}"
            );
        }
        Ok(vec![DataType::Timestamp(TimeUnit::Microsecond, zone), DataType::Utf8View, history.clone()])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.first() {
            Some(DataType::Timestamp(_, zone)) => Ok(DataType::List(list_field(zone.clone()))),
            _ => Ok(DataType::List(list_field(None))),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        // Large: one batch of states of millions of terms may hold more than two gigabytes.
        let name = format!("{}[runs]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::LargeBinary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let (history, zone) = settings(&args)?;
        Ok(Box::new(OneTerm { history, zone, runs: Runs::default() }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let (history, zone) = settings(&args)?;
        Ok(Box::new(ManyTerms { history, zone, groups: Vec::new(), heap_bytes: 0 }))
    }

    /// Simplifies nothing, but refuses a wrong history when the query is planned and not when it runs.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|call: AggregateFunction, _: &SimplifyContext| {
            match call.params.args.get(2) {
                Some(history) => match literal(history) {
                    Some(history) => microseconds(history).map(|_| ())?,
                    // A parameter gets its value later.
                    None if contains_placeholder(history) => {}
                    None => return plan_err!("{NAME}: argument 3, the history, must be a constant, not {history}"),
                },
                None => return plan_err!("{NAME} needs 3 arguments (time, event_id, history)"),
            }
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn contains_placeholder(expression: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expression.exists(|part| Ok(matches!(part, Expr::Placeholder(_)))).unwrap_or(false)
}

/// The history in microseconds and the time zone of the times.
fn settings(args: &AccumulatorArgs<'_>) -> Result<(u64, Option<Arc<str>>)> {
    let [_, _, history] = args.exprs else {
        return exec_err!("{NAME} needs 3 arguments, not {}", args.exprs.len());
    };
    // A constant needs no columns to be evaluated.
    let no_columns = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let history = match history.evaluate(&no_columns) {
        Ok(ColumnarValue::Scalar(history)) => microseconds(&history)?,
        _ => return plan_err!("{NAME}: argument 3, the history, must be a constant, not {history}"),
    };
    let zone = match args.expr_fields.first().map(|field| field.data_type()) {
        Some(DataType::Timestamp(_, zone)) => zone.clone(),
        _ => None,
    };
    Ok((history, zone))
}

/// The length of an interval in microseconds, exactly. A day is 24 hours, as in UTC.
fn microseconds(interval: &ScalarValue) -> Result<u64> {
    const SECOND: i128 = 1_000_000_000;
    const DAY: i128 = 86_400 * SECOND;
    let (months, nanoseconds) = match interval {
        ScalarValue::IntervalMonthDayNano(Some(value)) => {
            (value.months, i128::from(value.days) * DAY + i128::from(value.nanoseconds))
        }
        ScalarValue::IntervalDayTime(Some(value)) => {
            (0, i128::from(value.days) * DAY + i128::from(value.milliseconds) * (SECOND / 1_000))
        }
        ScalarValue::IntervalYearMonth(Some(months)) => (*months, 0),
        ScalarValue::DurationSecond(Some(value)) => (0, i128::from(*value) * SECOND),
        ScalarValue::DurationMillisecond(Some(value)) => (0, i128::from(*value) * (SECOND / 1_000)),
        ScalarValue::DurationMicrosecond(Some(value)) => (0, i128::from(*value) * 1_000),
        ScalarValue::DurationNanosecond(Some(value)) => (0, i128::from(*value)),
        other => return plan_err!("{NAME}: argument 3, the history, must be an interval, not {other}"),
    };
    if months != 0 {
        return plan_err!("{NAME}: the history {interval} has months or years, whose length varies: write days");
    }
    if nanoseconds <= 0 {
        return plan_err!("{NAME}: the history {interval} must be longer than nothing");
    }
    if nanoseconds % 1_000 != 0 {
        return plan_err!("{NAME}: the history {interval} must be a whole number of microseconds");
    }
    u64::try_from(nanoseconds / 1_000)
        .map_err(|_| DataFusionError::Plan(format!("{NAME}: the history {interval} is too long")))
}

fn start_fields(zone: Option<Arc<str>>) -> Fields {
    let time = DataType::Timestamp(TimeUnit::Microsecond, zone);
    Fields::from(vec![
        Field::new("time", time.clone(), true),
        Field::new("event_id", DataType::Utf8View, true),
        Field::new("last_time", time, true),
    ])
}

fn list_field(zone: Option<Arc<str>>) -> FieldRef {
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
    Ok(ListArray::try_new(list_field(zone.clone()), offsets, Arc::new(starts), None)?)
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
        return exec_err!("{NAME}: a state with a history of {state_history} us cannot be joined with {history} us");
    }
    Ok(Some(runs))
}

/// The aggregate without GROUP BY.
#[derive(Debug)]
struct OneTerm {
    history: u64,
    zone: Option<Arc<str>>,
    runs: Runs,
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
struct ManyTerms {
    history: u64,
    zone: Option<Arc<str>>,
    groups: Vec<Runs>,
    /// Bytes on the heap of all groups, kept up to date because counting them takes long.
    heap_bytes: usize,
}

impl ManyTerms {
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

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "The sightings of a term that are new: a sighting is new when there is none in the history window before it, \
         from exactly that long ago up to just before it. Sightings at the same time are one, and the smallest event id \
         speaks for it (an event without id only where none there has one). Rows without a time are left out. The \
         result is a list, ordered by time, of structs: `time` and `event_id` of the new sighting, and `last_time`, the \
         last sighting before the next new one. Group by the term: memory grows with the number of terms, not of \
         events, nothing is sorted, and the result is exact.",
        "new_terms(time, event_id, history)",
    )
    .with_argument("time", "A timestamp; finer than microseconds is cut off.")
    .with_argument("event_id", "The id of the event, a text.")
    .with_argument("history", "A constant interval without months, such as INTERVAL '14 days'.")
    .with_sql_example(
        "\
> SELECT term, start.event_id AS event_id, start.time AS time FROM (
    SELECT term, unnest(new_terms(time, event_id, INTERVAL '14 days')) AS start
    FROM (VALUES ('curl', TIMESTAMP '2026-01-01', 'e1'), ('curl', TIMESTAMP '2026-01-15', 'e2'),
                 ('curl', TIMESTAMP '2026-01-29T00:00:01', 'e3')) AS events (term, time, event_id)
    GROUP BY term) ORDER BY time;
+------+----------+---------------------+
| term | event_id | time                |
+------+----------+---------------------+
| curl | e1       | 2026-01-01T00:00:00 |
| curl | e3       | 2026-01-29T00:00:01 |
+------+----------+---------------------+",
    )
    .build()
}

