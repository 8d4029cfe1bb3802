//! What the tables say.

use super::files::{Files, NearHour};
use super::logs::{Key, Logs};
use super::{CoverageRequest, HOUR, HOURS, Range, WithoutHour};
use crate::engine::{Engine, Scope, Session, Window};
use crate::error::{Error, Result};
use datafusion::arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ParamValues, ScalarValue};
use futures::TryStreamExt as _;
use std::collections::HashSet;

/// Hours of logs that are held at most: each takes about 50 bytes.
const MOST_HOURS: u64 = 4_000_000;

/// Whose an event is: logs say it in different fields, in any letter case. An ingest takes the
/// organisation of repeats and rejected records from the same.
const ORGANIZATION: &str = "lower(coalesce(organization_id, azure_tenant_id, m365_defender_event_tenant_id))";

const HOURS_OF_LOGS: &str = "SELECT event_dataset AS dataset, {organization} AS organization, \
     CAST(timestamp AS BIGINT) / 3600000000 AS hour, count(*) AS events FROM events WHERE {logs} GROUP BY 1, 2, 3";

/// Within a window. What is kept of how late events came is bounded: see [`super::Lateness`].
const LATENESS: &str = "SELECT dataset, organization, \
     CASE WHEN abs(seconds) < 3600 THEN seconds WHEN abs(seconds) < 172800 THEN seconds / 60 * 60 \
     ELSE seconds / 3600 * 3600 END AS late, \
     count(*) AS events, min(seconds) AS least, max(seconds) AS most, min(time) AS first, max(time) AS last \
     FROM (SELECT event_dataset AS dataset, {organization} AS organization, CAST(timestamp AS BIGINT) AS time, \
     (CAST(event_ingested AS BIGINT) - CAST(timestamp AS BIGINT)) / 1000000 AS seconds FROM events WHERE {logs}) \
     GROUP BY 1, 2, 3";

/// The first ingest of a file first: another one says nothing new.
const LEDGER: &str = "SELECT source_file AS file, source_sha256 AS sha256, duplicate, problem, repeats FROM ledger \
     ORDER BY ingested, source_file";

const QUARANTINE: &str = "SELECT source_file AS file, source_sha256 AS sha256, source_position IS NULL AS of_file, \
     near_dataset AS dataset, near_organization AS organization, CAST(near_timestamp AS BIGINT) / 3600000000 AS hour, \
     count(*) AS records, min(reason) AS reason FROM quarantine GROUP BY 1, 2, 3, 4, 5, 6";

const FILES_OF_EVENTS: &str = "SELECT source_sha256 AS sha256, min(source_file) AS file FROM events GROUP BY 1";

pub(super) struct Queries<'a> {
    request: &'a CoverageRequest,
    range: Range,
    /// Sees all events.
    all: Session,
    /// Sees those of the range.
    inside: Session,
}

impl<'a> Queries<'a> {
    pub(super) fn new(engine: &Engine, request: &'a CoverageRequest, range: Range) -> Result<Self> {
        let window = (range.from.is_some() || range.to.is_some()).then(|| Window {
            after: range.from.unwrap_or(HOURS.0) * HOUR - 1,
            until: range.to.map_or(i64::MAX, |to| to * HOUR - 1),
        });
        Ok(Self {
            request,
            range,
            all: engine.session(Scope::default())?,
            inside: engine.session(Scope { window, now: None })?,
        })
    }

    /// Events of each hour of the logs, in the range or not.
    pub(super) async fn hours(&self, logs: &mut Logs) -> Result<()> {
        let mut held = 0;
        let sql = self.of_logs(HOURS_OF_LOGS);
        self.each(&self.all, &sql, |batch| {
            held += batch.num_rows() as u64;
            if held > MOST_HOURS {
                return Err(Error::Setting {
                    setting: "--dataset".into(),
                    problem: format!(
                        "there are more than {MOST_HOURS} hours with events; name a dataset or, with --organization, \
                         an organisation"
                    ),
                });
            }
            let (keys, hours, events) = (Keys::of(batch)?, numbers(batch, "hour")?, numbers(batch, "events")?);
            for row in (0..batch.num_rows()).filter(|&row| hours.is_valid(row)) {
                let log = logs.log(keys.key(row));
                *log.events.entry(hours.value(row)).or_default() += events.value(row) as u64;
            }
            Ok(())
        })
        .await
    }

    /// First and last event in the range, and how late they came.
    pub(super) async fn lateness(&self, logs: &mut Logs) -> Result<()> {
        let sql = self.of_logs(LATENESS);
        self.each(&self.inside, &sql, |batch| {
            let keys = Keys::of(batch)?;
            let [late, events, least, most, first, last] =
                ["late", "events", "least", "most", "first", "last"].map(|name| numbers(batch, name));
            let (late, events, least, most, first, last) = (late?, events?, least?, most?, first?, last?);
            for row in (0..batch.num_rows()).filter(|&row| first.is_valid(row)) {
                let log = logs.log(keys.key(row));
                let (begin, end) = (first.value(row), last.value(row));
                let (known, until) = log.ends.unwrap_or((begin, end));
                log.ends = Some((known.min(begin), until.max(end)));
                if late.is_valid(row) {
                    let ends = (least.value(row), most.value(row));
                    log.late.add(late.value(row), events.value(row) as u64, ends);
                }
            }
            Ok(())
        })
        .await
    }

    /// Files that were ingested to their end, and the repeats in them.
    pub(super) async fn ledger(&self, logs: &mut Logs, files: &mut Files, without: &mut WithoutHour) -> Result<()> {
        let mut seen = HashSet::new();
        self.each(&self.all, LEDGER, |batch| {
            let (paths, hashes) = (texts(batch, "file")?, texts(batch, "sha256")?);
            let (duplicates, problems) = (numbers(batch, "duplicate")?, texts(batch, "problem")?);
            let lists = column(batch, "repeats")?.as_list_opt::<i32>().ok_or_else(unexpected)?;
            for row in 0..batch.num_rows() {
                let (file, sha256) = (paths.value(row), hashes.value(row));
                files.finish(sha256);
                if problems.is_valid(row) {
                    files.problem(file, sha256).problem = Some(problems.value(row).to_owned());
                }
                if !seen.insert((file.to_owned(), sha256.to_owned())) {
                    continue;
                }
                let mut placed = 0;
                if lists.is_valid(row) {
                    let list = lists.value(row);
                    let repeats = RecordBatch::from(list.as_struct_opt().ok_or_else(unexpected)?.clone());
                    placed = self.repeats(&repeats, logs)?;
                }
                without.duplicates += (duplicates.value(row) as u64).saturating_sub(placed);
            }
            Ok(())
        })
        .await
    }

    /// Repeats of a file by hour; how many there are whose hour is known.
    fn repeats(&self, repeats: &RecordBatch, logs: &mut Logs) -> Result<u64> {
        let datasets = texts(repeats, "event_dataset")?;
        let organizations = texts(repeats, "organization_id")?;
        let (times, counts) = (numbers(repeats, "hour")?, numbers(repeats, "count")?);
        let mut placed = 0;
        for row in (0..repeats.num_rows()).filter(|&row| datasets.is_valid(row) && times.is_valid(row)) {
            let count = counts.value(row) as u64;
            placed += count;
            let key = (datasets.value(row).to_owned(), text(&organizations, row));
            if self.wanted(&key) {
                let hour = times.value(row).div_euclid(HOUR);
                *logs.log(key).duplicates.entry(hour).or_default() += count;
            }
        }
        Ok(placed)
    }

    /// Rejected records, and what is wrong with files that were not ingested to their end.
    pub(super) async fn quarantine(&self, logs: &mut Logs, files: &mut Files, without: &mut WithoutHour) -> Result<()> {
        self.each(&self.all, QUARANTINE, |batch| {
            let keys = Keys::of(batch)?;
            let (paths, hashes) = (texts(batch, "file")?, texts(batch, "sha256")?);
            let (hours, records) = (numbers(batch, "hour")?, numbers(batch, "records")?);
            let (of_files, reasons) = (booleans(batch, "of_file")?, texts(batch, "reason")?);
            for row in 0..batch.num_rows() {
                let (file, sha256) = (paths.value(row), hashes.value(row));
                if of_files.value(row) {
                    // The ledger has what is wrong with a file, once it is there.
                    if !files.is_finished(sha256) {
                        files.problem(file, sha256).problem = Some(reasons.value(row).to_owned());
                    }
                    continue;
                }
                let rejected = records.value(row) as u64;
                if !hours.is_valid(row) {
                    without.rejected += rejected;
                    files.problem(file, sha256).rejected += rejected;
                    continue;
                }
                let (key, hour) = (keys.key(row), hours.value(row));
                if !self.wanted(&key) {
                    continue;
                }
                if self.range.holds(hour) {
                    let problem = files.problem(file, sha256);
                    problem.rejected += rejected;
                    problem.near.push(NearHour {
                        hour: hour * HOUR,
                        dataset: key.0.clone(),
                        organization: key.1.clone(),
                        rejected,
                    });
                }
                *logs.log(key).rejected.entry(hour).or_default() += rejected;
            }
            Ok(())
        })
        .await
    }

    /// Files that have events and no end.
    pub(super) async fn unfinished(&self, files: &mut Files) -> Result<()> {
        self.each(&self.all, FILES_OF_EVENTS, |batch| {
            let (paths, hashes) = (texts(batch, "file")?, texts(batch, "sha256")?);
            for row in (0..batch.num_rows()).filter(|&row| hashes.is_valid(row)) {
                if !files.is_finished(hashes.value(row)) {
                    files.problem(paths.value(row), hashes.value(row));
                }
            }
            Ok(())
        })
        .await
    }

    fn wanted(&self, (dataset, organization): &Key) -> bool {
        let CoverageRequest {
            datasets,
            organizations,
            ..
        } = self.request;
        let named = |id: &String| organizations.contains(id);
        (datasets.is_empty() || datasets.contains(dataset))
            && (organizations.is_empty() || organization.as_ref().is_some_and(named))
    }

    /// A query of the logs that are asked for, which are bound as values.
    fn of_logs(&self, sql: &str) -> String {
        let list = |column: &str, prefix: &str, values: &[String]| {
            let names: Vec<String> = (0..values.len()).map(|at| format!("${prefix}{at}")).collect();
            (!names.is_empty()).then(|| format!("{column} IN ({})", names.join(", ")))
        };
        let conditions = [
            list("event_dataset", "dataset", &self.request.datasets),
            list(ORGANIZATION, "organization", &self.request.organizations),
        ];
        let conditions: Vec<String> = conditions.into_iter().flatten().collect();
        let sql = sql.replace("{organization}", ORGANIZATION);
        match conditions.is_empty() {
            true => sql.replace("WHERE {logs}", ""),
            false => sql.replace("{logs}", &conditions.join(" AND ")),
        }
    }

    async fn each(&self, session: &Session, sql: &str, mut with: impl FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
        let mut plan = session.plan(sql).await?.plan;
        if sql.contains('$') {
            let named = |prefix: &'static str, values: &[String]| {
                let values = values.iter().cloned().enumerate();
                let bound = values.map(move |(at, value)| (format!("{prefix}{at}"), ScalarValue::Utf8(Some(value))));
                bound.collect::<Vec<_>>()
            };
            let mut values = named("dataset", &self.request.datasets);
            values.extend(named("organization", &self.request.organizations));
            let values: Vec<(&str, ScalarValue)> = values.iter().map(|(name, v)| (name.as_str(), v.clone())).collect();
            plan = plan.with_param_values(ParamValues::from(values))?;
        }
        let mut batches = session.run(&plan).await?;
        while let Some(batch) = batches.try_next().await? {
            with(&batch)?;
        }
        Ok(())
    }
}

/// The columns `dataset` and `organization`.
struct Keys {
    datasets: StringArray,
    organizations: StringArray,
}

impl Keys {
    fn of(batch: &RecordBatch) -> Result<Self> {
        Ok(Self {
            datasets: texts(batch, "dataset")?,
            organizations: texts(batch, "organization")?,
        })
    }

    fn key(&self, row: usize) -> Key {
        (
            text(&self.datasets, row).unwrap_or_default(),
            text(&self.organizations, row),
        )
    }
}

fn text(texts: &StringArray, row: usize) -> Option<String> {
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b dyn Array> {
    let column = batch.column_by_name(name).ok_or_else(unexpected)?;
    Ok(column.as_ref())
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    let column = cast(column(batch, name)?, &DataType::Utf8)?;
    column.as_string_opt::<i32>().cloned().ok_or_else(unexpected)
}

/// Numbers, or times as microseconds.
fn numbers(batch: &RecordBatch, name: &str) -> Result<Int64Array> {
    let column = cast(column(batch, name)?, &DataType::Int64)?;
    column.as_primitive_opt().cloned().ok_or_else(unexpected)
}

fn booleans(batch: &RecordBatch, name: &str) -> Result<BooleanArray> {
    column(batch, name)?.as_boolean_opt().cloned().ok_or_else(unexpected)
}

fn unexpected() -> Error {
    Error::Internal("a table of the lake has another type of column than it was asked for".into())
}
