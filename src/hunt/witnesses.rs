//! Asks which groups a windowed detection can find, where that reads little.

use crate::engine::{KeyedSpans, Question, ScanFigures, Session};
use crate::error::Result;
use futures::TryStreamExt as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Witnesses are rare if they are fewer than this, or than a twentieth of all events.
const RARE: u64 = 10_000;

/// Answers questions, the first of each aggregate whose witnesses are rare. A question whose
/// query fails has no answer: the detection itself may never evaluate what failed.
pub(super) async fn answers(
    session: &Session,
    questions: &[Question],
    events: u64,
) -> Result<(BTreeMap<usize, Arc<KeyedSpans>>, ScanFigures)> {
    let (mut answers, mut read) = (BTreeMap::new(), ScanFigures::default());
    for question in questions {
        if answers.contains_key(&question.aggregate) {
            continue;
        }
        if let Ok(Some(witnesses)) = answer(session, question, RARE.max(events / 20), &mut read).await {
            answers.insert(question.aggregate, witnesses);
        }
    }
    Ok((answers, read))
}

async fn answer(
    session: &Session,
    question: &Question,
    most: u64,
    read: &mut ScanFigures,
) -> Result<Option<Arc<KeyedSpans>>> {
    let mut stream = session.run_counted(&question.plan).await?;
    let mut witnesses = question.nobody();
    while let Some(batch) = stream.try_next().await? {
        question.add(&batch, &mut witnesses)?;
        if witnesses.rows() > most {
            *read += stream.figures();
            return Ok(None);
        }
    }
    *read += stream.figures();
    Ok(Some(Arc::new(witnesses.joined())))
}
