//! Events that have a combination of values at the moment when it became new.

use crate::engine::sorter::{Spilled, read_text, write_text};
use crate::error::Result;
use crate::hunt::ordered::{bytes_of, bytes_of_fields};
use crate::hunt::rows::{fields, texts, times};
use crate::report::value::to_json;
use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::io::{self, Read, Write};
use std::mem::size_of;

/// When which values became new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::hunt) struct Moment {
    pub(in crate::hunt) time: i64,
    pub(in crate::hunt) terms: Vec<Value>,
}

/// An event of a moment. Those of a moment are in the order of their ids.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::hunt) struct Occurrence {
    pub(in crate::hunt) moment: Moment,
    pub(in crate::hunt) event_id: String,
    pub(in crate::hunt) dataset: Option<String>,
    pub(in crate::hunt) fields: Map<String, Value>,
}

/// The occurrences among the rows of a batch.
pub(in crate::hunt) fn occurrences(batch: &RecordBatch, terms: &[String]) -> Result<Vec<Occurrence>> {
    let (ids, datasets) = (texts(batch, "__id")?, texts(batch, "__dataset")?);
    let at = times(batch, "__time")?;
    let columns: Vec<_> = terms.iter().filter_map(|term| batch.column_by_name(term)).collect();
    let mut occurrences = Vec::with_capacity(batch.num_rows());
    for (row, (event_id, dataset)) in ids.into_iter().zip(datasets).enumerate() {
        let (Some(event_id), Some(time)) = (event_id, at[row]) else {
            continue;
        };
        let terms = columns.iter().map(|array| to_json(array, row)).collect();
        occurrences.push(Occurrence {
            moment: Moment { time, terms },
            event_id,
            dataset,
            fields: fields(batch, row),
        });
    }
    Ok(occurrences)
}

fn in_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Ord for Occurrence {
    fn cmp(&self, other: &Self) -> Ordering {
        let terms = |occurrence: &Self| in_text(&occurrence.moment.terms);
        let time = self.moment.time.cmp(&other.moment.time);
        // Texts are made only where what comes before is the same.
        time.then_with(|| terms(self).cmp(&terms(other)))
            .then_with(|| self.event_id.cmp(&other.event_id))
            .then_with(|| in_text(&self.fields).cmp(&in_text(&other.fields)))
    }
}

impl PartialOrd for Occurrence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Occurrence {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Occurrence {}

impl Spilled for Occurrence {
    fn bytes(&self) -> usize {
        let terms = self.moment.terms.iter();
        size_of::<Self>()
            + terms.map(|term| size_of::<Value>() + bytes_of(term)).sum::<usize>()
            + self.event_id.capacity()
            + self.dataset.as_ref().map_or(0, String::capacity)
            + bytes_of_fields(&self.fields)
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_text(&serde_json::to_string(self)?, out)
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        // Not serde_json, which reads some numbers only nearly.
        sonic_rs::from_str(&read_text(from)?).map_err(io::Error::other)
    }
}
