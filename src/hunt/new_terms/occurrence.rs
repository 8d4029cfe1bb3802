//! Events that have a combination of values at the moment when it became new.

use crate::engine::sorter::{Spilled, read_bytes, read_text, write_text};
use crate::error::{Error, Result};
use crate::hunt::rows::{fields, texts, times};
use crate::report::value::to_json;
use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io::{self, Read, Write};
use std::mem::size_of;

/// An event that has values at the moment when they became new. Those of a moment are in the order
/// of their ids. Values are kept as the JSON they become: it is a third of what they take themselves.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::hunt) struct Occurrence {
    pub(in crate::hunt) time: i64,
    terms: String,
    pub(in crate::hunt) event_id: String,
    fields: String,
    pub(in crate::hunt) dataset: Option<String>,
}

impl Occurrence {
    /// The values that became new.
    pub(in crate::hunt) fn terms(&self) -> Result<Vec<Value>> {
        read(&self.terms)
    }

    /// The columns of the event.
    pub(in crate::hunt) fn fields(&self) -> Result<Map<String, Value>> {
        read(&self.fields)
    }

    /// When which values became new.
    pub(in crate::hunt) fn moment(&self) -> Moment {
        Moment {
            time: self.time,
            terms: self.terms.clone(),
        }
    }

    /// Whether it is at this moment.
    pub(in crate::hunt) fn is_at(&self, moment: &Moment) -> bool {
        let values = |terms: &str| read::<Vec<Value>>(terms);
        // Zeros of either sign are the same and spelled otherwise.
        let with_zero = || [&self.terms, &moment.terms].iter().any(|terms| terms.contains("-0.0"));
        let same = || matches!((values(&self.terms), values(&moment.terms)), (Ok(own), Ok(others)) if own == others);
        self.time == moment.time && (self.terms == moment.terms || (with_zero() && same()))
    }
}

/// When which values became new.
#[derive(Debug)]
pub(in crate::hunt) struct Moment {
    time: i64,
    terms: String,
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    // Not serde_json, which reads some numbers only nearly.
    sonic_rs::from_str(text).map_err(|error| Error::Internal(format!("what was found cannot be read back: {error}")))
}

fn in_text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))
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
        let terms: Vec<Value> = columns.iter().map(|array| to_json(array, row)).collect();
        occurrences.push(Occurrence {
            time,
            terms: in_text(&terms)?,
            event_id,
            fields: in_text(&fields(batch, row))?,
            dataset,
        });
    }
    Ok(occurrences)
}

impl Spilled for Occurrence {
    fn bytes(&self) -> usize {
        let texts = [&self.terms, &self.event_id, &self.fields];
        size_of::<Self>()
            + texts.iter().map(|text| text.capacity()).sum::<usize>()
            + self.dataset.as_ref().map_or(0, String::capacity)
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.time.to_le_bytes())?;
        for text in [&self.terms, &self.event_id, &self.fields] {
            write_text(text, out)?;
        }
        out.write_all(&[u8::from(self.dataset.is_some())])?;
        self.dataset.iter().try_for_each(|dataset| write_text(dataset, out))
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        Ok(Self {
            time: i64::from_le_bytes(read_bytes(from)?),
            terms: read_text(from)?,
            event_id: read_text(from)?,
            fields: read_text(from)?,
            dataset: match read_bytes(from)? {
                [0] => None,
                _ => Some(read_text(from)?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrence(terms: &str, dataset: Option<&str>) -> Occurrence {
        Occurrence {
            time: -7,
            terms: terms.to_owned(),
            event_id: "an id".to_owned(),
            fields: r#"{"a":[1,"é"]}"#.to_owned(),
            dataset: dataset.map(str::to_owned),
        }
    }

    #[test]
    fn what_waits_on_disk_comes_back() {
        let mut written = Vec::new();
        let all = || [None, Some(""), Some("o365.audit")].map(|dataset| occurrence("[1]", dataset));
        for occurrence in all() {
            Spilled::write(&occurrence, &mut written).unwrap();
        }
        let mut from = written.as_slice();
        for expected in all() {
            assert_eq!(<Occurrence as Spilled>::read(&mut from).unwrap(), expected);
        }
        assert!(from.is_empty());
    }

    #[test]
    fn moments_are_of_a_time_and_of_values() {
        let at = |a: &str, b: &str| occurrence(a, None).is_at(&occurrence(b, Some("x")).moment());
        assert!(at("[\"a\",1]", "[\"a\",1]") && at("[-0.0]", "[0.0]"));
        assert!(!at("[\"a\"]", "[\"b\"]") && !at("[\"-0.0\"]", "[\"0.0\"]") && !at("[1]", "[1.0]"));
        let mut later = occurrence("[1]", None);
        later.time += 1;
        assert!(!later.is_at(&occurrence("[1]", None).moment()));
    }
}
