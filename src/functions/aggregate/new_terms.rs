//! `new_terms`: when a term was seen that had not been seen for a while.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Documentation, Expr, GroupsAccumulator, Signature,
    Volatility,
};

use crate::functions::SECTION;
use crate::functions::sightings::accumulators::{ManyTerms, OneTerm, list_field};
use crate::functions::text::{is_text, literal};

const NAME: &str = "new_terms";

pub(super) fn udf() -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::from(NewTerms {
        signature,
        documentation: documentation(),
    })
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
            return plan_err!(
                "{NAME} needs 3 arguments (time, event_id, history), not {}",
                types.len()
            );
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
        Ok(vec![
            DataType::Timestamp(TimeUnit::Microsecond, zone),
            DataType::Utf8View,
            history.clone(),
        ])
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
        Ok(Box::new(OneTerm::new(history, zone)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let (history, zone) = settings(&args)?;
        Ok(Box::new(ManyTerms::new(history, zone)))
    }

    /// Simplifies nothing, but refuses a wrong history when the query is planned and not when it runs.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|call: AggregateFunction, _: &SimplifyContext| {
            check_call(&call.params.args)?;
            match call.params.args.get(2) {
                // A parameter gets its value later.
                Some(history) if literal(history).is_none() && !contains_placeholder(history) => {
                    plan_err!("{NAME}: argument 3, the history, must be a constant, not {history}")
                }
                _ => Ok(Expr::AggregateFunction(call)),
            }
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Refuses a constant history that is none.
pub(in crate::functions) fn check_call(args: &[Expr]) -> Result<()> {
    args.get(2)
        .and_then(literal)
        .map_or(Ok(()), |history| microseconds(history).map(|_| ()))
}

fn contains_placeholder(expression: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expression
        .exists(|part| Ok(matches!(part, Expr::Placeholder(_))))
        .unwrap_or(false)
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
        ScalarValue::IntervalMonthDayNano(Some(value)) => (
            value.months,
            i128::from(value.days) * DAY + i128::from(value.nanoseconds),
        ),
        ScalarValue::IntervalDayTime(Some(value)) => (
            0,
            i128::from(value.days) * DAY + i128::from(value.milliseconds) * (SECOND / 1_000),
        ),
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
