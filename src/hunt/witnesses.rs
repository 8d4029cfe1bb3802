//! Asks which groups a windowed detection can find, where that reads little.

use crate::engine::{Keys, Question, ScanFigures, Session};
use crate::error::Result;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::common::ScalarValue;
use futures::TryStreamExt as _;
use std::collections::{BTreeMap, HashSet};

/// More values of a key are not worth listing.
const MOST_VALUES: usize = 10_000;

/// Witnesses are rare if they are fewer than this, or than a twentieth of all events.
const RARE: u64 = 10_000;

/// Answers questions, the first of each aggregate whose witnesses are rare. A question whose
/// query fails has no answer: the detection itself may never evaluate what failed.
pub(super) async fn answers(
    session: &Session,
    questions: &[Question],
    events: u64,
) -> Result<(BTreeMap<usize, Keys>, ScanFigures)> {
    let (mut answers, mut read) = (BTreeMap::new(), ScanFigures::default());
    for question in questions {
        if answers.contains_key(&question.aggregate) {
            continue;
        }
        if let Ok(Some(keys)) = answer(session, question, RARE.max(events / 20), &mut read).await {
            answers.insert(question.aggregate, keys);
        }
    }
    Ok((answers, read))
}

async fn answer(session: &Session, question: &Question, most: u64, read: &mut ScanFigures) -> Result<Option<Keys>> {
    let mut stream = session.run_counted(&question.plan).await?;
    let width = question.plan.schema().fields().len();
    let mut columns: Vec<Option<HashSet<ScalarValue>>> = vec![Some(HashSet::new()); width];
    let mut witnesses = 0;
    while let Some(batch) = stream.try_next().await? {
        witnesses += batch.num_rows() as u64;
        for (values, place) in columns.iter_mut().zip(0..) {
            collect(&batch, place, values)?;
        }
        if witnesses > most || columns.iter().all(Option::is_none) {
            *read += stream.figures();
            return Ok(None);
        }
    }
    *read += stream.figures();
    Ok(Some(
        columns
            .into_iter()
            .map(|values| values.map(|values| values.into_iter().collect()))
            .collect(),
    ))
}

fn collect(batch: &RecordBatch, place: usize, values: &mut Option<HashSet<ScalarValue>>) -> Result<()> {
    let array = batch.column(place);
    let Some(seen) = values else {
        return Ok(());
    };
    if array.data_type().is_nested() {
        *values = None;
        return Ok(());
    }
    for row in 0..array.len() {
        seen.insert(ScalarValue::try_from_array(array, row)?);
    }
    if seen.len() > MOST_VALUES {
        *values = None;
    }
    Ok(())
}
