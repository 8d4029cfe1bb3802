//! Alerts as the lake keeps them. What is recorded of an alert is never edited: what changes it
//! is another revision, and the last one counts.

use super::Alert;
use crate::config::format_instant;
use crate::detections::Detection;
use crate::error::{Error, Result};
use crate::lake::TableName;
use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a revision is to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// There is none before it.
    New,
    /// Later windows have found it as well.
    Grown,
    /// Events that arrived late have changed it.
    Revised,
    /// Events that arrived late have shown that there is nothing to find.
    Withdrawn,
}

impl Change {
    /// All.
    pub const ALL: [Self; 4] = [Self::New, Self::Grown, Self::Revised, Self::Withdrawn];

    /// As tables and sinks spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Revised => "revised",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Who found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A schedule.
    Schedule,
    /// A hunt, from whose results it was promoted.
    Hunt,
}

impl Origin {
    /// As tables and sinks spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Hunt => "hunt",
        }
    }
}

/// One revision of an alert. Serialises to the stable form of `alerts list --format jsonl`, which
/// sinks send as well: that of [`Alert`] and what is here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Revision {
    /// What was found.
    #[serde(flatten)]
    pub alert: Alert,
    /// The detection's title.
    pub title: String,
    /// The detection's risk score, 0 to 100.
    pub risk_score: u8,
    /// The detection's tactics and techniques.
    pub attack: Vec<String>,
    /// 1, 2, 3, ...
    pub revision: u32,
    /// What it is to the one before.
    pub change: Change,
    /// When it was recorded, microseconds since the Unix epoch; RFC 3339 in JSON.
    #[serde(serialize_with = "super::instant")]
    pub recorded: i64,
    /// Set where events arrived after it should have been found first: how long after, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_by: Option<f64>,
    /// The alert that stands for this one, by the detection's `suppress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<String>,
    /// Who found it.
    pub origin: Origin,
}

impl Revision {
    /// The first revision of an alert of a detection.
    pub fn first(detection: &Detection, alert: Alert, recorded: i64, origin: Origin) -> Self {
        Self {
            alert,
            title: detection.header.title.clone(),
            risk_score: detection.header.risk_score,
            attack: detection.header.attack.clone(),
            revision: 1,
            change: Change::New,
            recorded,
            late_by: None,
            suppressed_by: None,
            origin,
        }
    }

    /// The greatest of an alert is its last revision.
    pub fn order(&self) -> (u32, i64) {
        (self.revision, self.recorded)
    }

    /// In one line, for people.
    pub fn summary(&self) -> String {
        let key = self.alert.key.iter().map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            value => format!("{name}: {value}"),
        });
        let change = match self.change {
            Change::New => String::new(),
            change => format!("{}: ", change.as_str()),
        };
        format!(
            "{change}{} ({}) {}",
            self.title,
            key.collect::<Vec<_>>().join(", "),
            format_instant(self.alert.time)
        )
    }
}

/// Revisions as rows of the table `alerts`.
pub fn to_batch(revisions: &[Revision]) -> Result<RecordBatch> {
    let text = |value: fn(&Revision) -> Option<&str>| -> ArrayRef {
        Arc::new(revisions.iter().map(value).collect::<StringArray>())
    };
    let object = |value: fn(&Revision) -> &Map<String, Value>| -> Result<ArrayRef> {
        let texts = revisions.iter().map(|revision| serde_json::to_string(value(revision)));
        let texts = texts.collect::<Result<Vec<String>, _>>();
        let texts = texts.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Arc::new(StringArray::from(texts)))
    };
    let time = |value: fn(&Revision) -> Option<i64>| -> ArrayRef {
        let times: TimestampMicrosecondArray = revisions.iter().map(value).collect();
        Arc::new(times.with_timezone("UTC"))
    };
    let number = |value: fn(&Revision) -> Option<u64>| -> ArrayRef {
        let numbers = revisions.iter().map(|revision| {
            let number = value(revision)?;
            Some(i64::try_from(number).unwrap_or(i64::MAX))
        });
        Arc::new(numbers.collect::<Int64Array>())
    };
    let list = |value: fn(&Revision) -> &Vec<String>| -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for revision in revisions {
            lists.append_value(value(revision).iter().map(Some));
        }
        Arc::new(lists.finish())
    };
    let complete: BooleanArray = revisions.iter().map(|of| of.alert.history_complete).collect();
    let late: Float64Array = revisions.iter().map(|of| of.late_by).collect();
    let columns: Vec<ArrayRef> = vec![
        text(|of| Some(&of.alert.alert_id)),
        number(|of| Some(of.revision.into())),
        text(|of| Some(of.change.as_str())),
        time(|of| Some(of.recorded)),
        text(|of| Some(of.origin.as_str())),
        text(|of| Some(&of.alert.detection)),
        text(|of| Some(&of.title)),
        text(|of| Some(&of.alert.severity)),
        number(|of| Some(of.risk_score.into())),
        list(|of| &of.attack),
        time(|of| Some(of.alert.time)),
        object(|of| &of.alert.key)?,
        time(|of| of.alert.window_start),
        time(|of| of.alert.window_end),
        number(|of| of.alert.windows),
        list(|of| &of.alert.event_ids),
        number(|of| Some(of.alert.event_count)),
        Arc::new(complete),
        object(|of| &of.alert.fields)?,
        Arc::new(late),
        text(|of| of.suppressed_by.as_deref()),
    ];
    Ok(RecordBatch::try_new(TableName::Alerts.file_schema(), columns)?)
}

/// Rows of the table `alerts`, with all of its columns, as revisions.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Revision>> {
    let cast_to = |name: &str, kind: &DataType| -> Result<ArrayRef> {
        let column = batch.column_by_name(name);
        let column = column.ok_or_else(|| Error::Internal(format!("rows of alerts without {name}")))?;
        Ok(cast(column, kind)?)
    };
    let texts = |name: &str| cast_to(name, &DataType::Utf8);
    let numbers = |name: &str| cast_to(name, &DataType::Int64);
    let lists = |name: &str| cast_to(name, &DataType::new_list(DataType::Utf8, true));
    let times = |name: &str| {
        let zone = Some("UTC".into());
        cast_to(
            name,
            &DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Microsecond, zone),
        )
    };
    let (ids, changes, origins) = (texts("alert_id")?, texts("change")?, texts("origin")?);
    let (detections, titles, severities) = (texts("detection")?, texts("title")?, texts("severity")?);
    let (keys, fields, suppressed) = (texts("key")?, texts("fields")?, texts("suppressed_by")?);
    let (revisions, risks) = (numbers("revision")?, numbers("risk_score")?);
    let (windows, counts) = (numbers("windows")?, numbers("event_count")?);
    let (attack, events) = (lists("attack")?, lists("event_ids")?);
    let (recorded, time) = (times("recorded")?, times("time")?);
    let (starts, ends) = (times("window_start")?, times("window_end")?);
    let complete = cast_to("history_complete", &DataType::Boolean)?;
    let late = cast_to("late_by", &DataType::Float64)?;
    let text = |array: &ArrayRef, row: usize| array.as_string::<i32>().value(row).to_owned();
    let maybe = |array: &ArrayRef, row: usize| array.is_valid(row).then_some(row);
    let number =
        |array: &ArrayRef, row: usize| maybe(array, row).map(|row| array.as_primitive::<Int64Type>().value(row));
    let at = |array: &ArrayRef, row: usize| {
        maybe(array, row).map(|row| array.as_primitive::<TimestampMicrosecondType>().value(row))
    };
    let list = |array: &ArrayRef, row: usize| -> Vec<String> {
        let values = array.as_list::<i32>().value(row);
        values.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
    };
    let mut found = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let change = text(&changes, row);
        let change = Change::ALL.into_iter().find(|known| known.as_str() == change);
        found.push(Revision {
            alert: Alert {
                alert_id: text(&ids, row),
                detection: text(&detections, row),
                severity: text(&severities, row),
                time: at(&time, row).unwrap_or_default(),
                key: object(&text(&keys, row))?,
                window_start: at(&starts, row),
                window_end: at(&ends, row),
                windows: number(&windows, row).map(i64::unsigned_abs),
                event_ids: list(&events, row),
                event_count: number(&counts, row).unwrap_or_default().unsigned_abs(),
                history_complete: maybe(&complete, row).map(|row| complete.as_boolean().value(row)),
                fields: object(&text(&fields, row))?,
            },
            title: text(&titles, row),
            risk_score: number(&risks, row)
                .and_then(|risk| u8::try_from(risk).ok())
                .unwrap_or_default(),
            attack: list(&attack, row),
            revision: number(&revisions, row)
                .and_then(|of| u32::try_from(of).ok())
                .unwrap_or_default(),
            change: change.unwrap_or(Change::Revised),
            recorded: at(&recorded, row).unwrap_or_default(),
            late_by: maybe(&late, row).map(|row| late.as_primitive::<Float64Type>().value(row)),
            suppressed_by: maybe(&suppressed, row).map(|row| text(&suppressed, row)),
            origin: match text(&origins, row).as_str() {
                "hunt" => Origin::Hunt,
                _ => Origin::Schedule,
            },
        });
    }
    Ok(found)
}

fn object(text: &str) -> Result<Map<String, Value>> {
    // Not serde_json, which reads some numbers only nearly.
    sonic_rs::from_str(text).map_err(|error| Error::Internal(format!("an alert cannot be read back: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_read_back_as_they_were() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let windowed = Revision {
            alert: Alert {
                alert_id: "a".into(),
                detection: "d".into(),
                severity: "high".into(),
                time: 5,
                key: object(json!({"source.ip": "203.0.113.7", "n": 0.1})),
                window_start: Some(-7),
                window_end: Some(9),
                windows: Some(3),
                event_ids: vec!["é".into(), String::new()],
                event_count: 4,
                history_complete: None,
                fields: object(json!({"share": 1.0e-7, "ids": ["x", null]})),
            },
            title: "T".into(),
            risk_score: 73,
            attack: vec!["TA0001/T1078".into()],
            revision: 2,
            change: Change::Revised,
            recorded: 1_772_323_200_000_001,
            late_by: Some(5400.25),
            suppressed_by: Some("b".into()),
            origin: Origin::Hunt,
        };
        let bare = Revision {
            alert: Alert {
                window_start: None,
                window_end: None,
                windows: None,
                event_ids: Vec::new(),
                history_complete: Some(false),
                ..windowed.alert.clone()
            },
            attack: Vec::new(),
            change: Change::New,
            late_by: None,
            suppressed_by: None,
            origin: Origin::Schedule,
            ..windowed.clone()
        };
        let revisions = vec![windowed, bare];
        assert_eq!(from_batch(&to_batch(&revisions).unwrap()).unwrap(), revisions);
    }
}
