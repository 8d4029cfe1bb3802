//! What is in a file is never ruled out; what is not mostly is.

use super::*;
use crate::lake::layout::{TableName, events_schema};
use crate::lake::writer::told_filters;
use crate::lake::{ColumnsWriter, ParquetFile, encode, events_file};
use datafusion::arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::internal_err;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{ColumnarValue, Volatility, col, create_udf, lit};
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use std::time::Duration;

const COLUMNS: &[&str] = &["event_id", "email_message_id"];

/// The condition that one of these is in a list, as the engine writes it.
fn any_in(column: &str, values: &[&str]) -> Expr {
    let mut arguments = vec![col(column)];
    arguments.extend(values.iter().map(|value| lit(*value)));
    let never = Arc::new(|_: &[ColumnarValue]| internal_err!("not to be called"));
    let function = create_udf("any_in", Vec::new(), DataType::Boolean, Volatility::Immutable, never);
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), arguments))
}

fn asked(filter: Expr) -> Vec<Vec<(String, Vec<String>)>> {
    let needles = Needles::of(&[filter], COLUMNS);
    let clauses = needles.clauses.iter().map(|clause| {
        let needles = clause
            .iter()
            .map(|needle| (needle.column.clone(), needle.values.clone()));
        needles.collect()
    });
    clauses.collect()
}

#[test]
fn conditions_that_ask_for_values() {
    let id = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        ("event_id".to_owned(), values)
    };
    let message = |value: &str| ("email_message_id".to_owned(), vec![value.to_owned()]);
    let equal = |value: &str| col("event_id").eq(lit(value));
    assert_eq!(asked(equal("a")), [[id(&["a"])]]);
    assert_eq!(asked(lit("a").eq(col("event_id"))), [[id(&["a"])]]);
    assert_eq!(
        asked(equal("a").and(any_in("email_message_id", &["m"]))),
        [[id(&["a"])], [message("m")]]
    );
    assert_eq!(
        asked(equal("a").or(any_in("email_message_id", &["m"]))),
        [vec![id(&["a"]), message("m")]]
    );
    assert_eq!(
        asked(col("event_id").in_list(vec![lit("a"), lit("b")], false)),
        [[id(&["a", "b"])]]
    );
    let no_text = lit(ScalarValue::Utf8(None));
    assert_eq!(asked(col("event_id").eq(no_text)), [[id(&[])]], "NULL is nowhere");
    assert_eq!(
        asked(equal("a").and(col("user_id").eq(lit("u"))).or(equal("b"))),
        [vec![id(&["a"]), id(&["b"])]]
    );
    for other in [
        col("event_id").not_eq(lit("a")),
        col("event_id").in_list(vec![lit("a")], true),
        col("user_id").eq(lit("a")),
        equal("a").or(col("user_id").eq(lit("u"))),
        col("event_id").eq(col("user_id")),
        Expr::Not(Box::new(equal("a"))),
        col("event_id").in_list((0..2000).map(|number| lit(number.to_string())).collect(), false),
    ] {
        assert_eq!(asked(other.clone()), Vec::<Vec<_>>::new(), "{other}");
    }
}

pub(in crate::lake) type Row = (Option<String>, Option<Vec<String>>);

pub(in crate::lake) fn written(rows: &[Row]) -> bytes::Bytes {
    written_file(rows).bytes
}

pub(in crate::lake) fn merged(rows: &[Row]) -> bytes::Bytes {
    merged_file(rows).bytes
}

/// A file of the events' own writer.
pub(in crate::lake) fn written_file(rows: &[Row]) -> ParquetFile {
    let at = |name: &str| events_schema().index_of(name).unwrap();
    let mut positions = [at("event_id"), at("email_message_id"), at("raw")];
    positions.sort_unstable();
    let groups = crate::lake::row_groups(rows.iter().map(|_| 1))
        .into_iter()
        .map(|group| {
            let mut columns = ColumnsWriter::new(&positions, group.len()).unwrap();
            for (id, messages) in &rows[group] {
                columns.text(at("raw"), b"{}").unwrap();
                if let Some(id) = id {
                    columns.text(at("event_id"), id.as_bytes()).unwrap();
                }
                if let Some(messages) = messages {
                    let messages = messages.iter().map(String::as_bytes);
                    columns.texts(at("email_message_id"), messages).unwrap();
                }
                columns.end_row();
            }
            vec![columns.finish().unwrap()]
        });
    events_file(Vec::new(), groups.collect()).unwrap()
}

fn batch(rows: &[Row]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>());
    let mut messages = ListBuilder::new(StringBuilder::new());
    for (_, list) in rows {
        list.iter()
            .flatten()
            .for_each(|message| messages.values().append_value(message));
        messages.append(list.is_some());
    }
    let messages: ArrayRef = Arc::new(messages.finish());
    RecordBatch::try_from_iter_with_nullable([("event_id", ids, true), ("email_message_id", messages, true)]).unwrap()
}

/// A file as compaction writes it.
pub(in crate::lake) fn merged_file(rows: &[Row]) -> ParquetFile {
    let rows = batch(rows);
    encode(TableName::Events, &rows.schema(), Vec::new(), [Ok(rows)]).unwrap()
}

/// A file that somebody else wrote.
fn foreign(rows: &[Row]) -> bytes::Bytes {
    let rows = batch(rows);
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.into_inner().unwrap().into()
}

async fn may_hold(file: bytes::Bytes, filter: Expr) -> bool {
    row_groups(file, filter).await.contains(&true)
}

/// As the log tells where the filters are, and as it does not, on a disk and in a store.
async fn row_groups(file: bytes::Bytes, filter: Expr) -> Vec<bool> {
    let needles = Needles::of(&[filter], COLUMNS);
    assert!(!needles.is_empty());
    let told = told_filters(&file, COLUMNS).map(Arc::from);
    let folder = tempfile::tempdir().unwrap();
    let path = Path::from_absolute_path(folder.path()).unwrap().join("file.parquet");
    let stores: [(&str, Arc<dyn ObjectStore>); 2] = [
        ("file:///", Arc::new(LocalFileSystem::new())),
        ("memory:///", Arc::new(InMemory::new())),
    ];
    let mut found = Vec::new();
    for (url, store) in stores {
        store.put(&path, file.clone().into()).await.unwrap();
        let meta = store.head(&path).await.unwrap();
        let candidates = [None]
            .into_iter()
            .chain(told.clone().map(Some))
            .map(|filters| Candidate {
                file: meta.clone(),
                filters,
            });
        let readers = FileReaders::new(url, store, None);
        found.extend(needles.may_be_in(&readers, candidates.collect()).await.unwrap());
    }
    assert!(found.iter().all(|groups| *groups == found[0]), "{found:?}");
    found.swap_remove(0)
}

/// Many files at once, on a disk and in a store, the second time with what was kept of the first; as if they
/// had to wait for the disk, and as if they had not.
#[tokio::test]
async fn each_of_many_files_is_asked() {
    const FILES: usize = 2 * line::AT_ONCE + 5;
    let folder = tempfile::tempdir().unwrap();
    let here = Arc::new(LocalFileSystem::new());
    let elsewhere = Arc::new(InMemory::new());
    let base = Path::from_absolute_path(folder.path()).unwrap();
    let mut files = Vec::new();
    // Of every third the log tells nothing.
    let told = |number: usize, file: &[u8]| match number % 3 {
        0 => None,
        _ => Some(Arc::from(told_filters(file, COLUMNS).unwrap())),
    };
    for number in 0..FILES {
        let rows: Vec<Row> = (0..40).map(|row| (Some(format!("{number} {row}")), None)).collect();
        let (path, file) = (base.clone().join(format!("{number}.parquet")), written(&rows));
        here.put(&path, file.clone().into()).await.unwrap();
        elsewhere.put(&path, file.clone().into()).await.unwrap();
        files.push((path, told(number, &file)));
    }
    let stores: [(&str, Arc<dyn ObjectStore>); 2] = [("file:///", here), ("memory:///", elsewhere)];
    for (url, store) in stores {
        let cache = RuntimeEnv::default().cache_manager.get_file_metadata_cache();
        let readers = FileReaders::new(url, Arc::clone(&store), Some(cache));
        for (wanted, in_memory) in [
            (0, Duration::ZERO),
            (7, Duration::from_secs(60)),
            (FILES - 1, Duration::from_secs(60)),
            (7, Duration::ZERO),
        ] {
            let mut candidates = Vec::new();
            for (path, filters) in &files {
                candidates.push(Candidate {
                    file: store.head(path).await.unwrap(),
                    filters: filters.clone(),
                });
            }
            let needles = Needles::of(&[id_is(&format!("{wanted} 33"))], COLUMNS);
            let found = line::ask_within(&needles, &readers, candidates, in_memory)
                .await
                .unwrap();
            assert_eq!(found.len(), FILES);
            assert_eq!(found[wanted], [true], "{url}");
            let others = found.iter().filter(|groups| groups[0]).count() - 1;
            assert!(others < 8, "{others} of {FILES} in {url}");
        }
        let gone = base.clone().join("gone.parquet");
        for at in [0, 50, FILES] {
            let meta = store.head(&files[0].0).await.unwrap();
            let mut candidates: Vec<Candidate> = (0..FILES).map(|_| meta.clone().into()).collect();
            let location = gone.clone();
            candidates.insert(at, ObjectMeta { location, ..meta }.into());
            let needles = Needles::of(&[id_is("x")], COLUMNS);
            let error = needles.may_be_in(&readers, candidates).await.unwrap_err();
            assert!(error.to_string().contains("gone.parquet"), "{error}");
        }
    }
}

impl From<ObjectMeta> for Candidate {
    fn from(file: ObjectMeta) -> Self {
        Self { file, filters: None }
    }
}

fn id_is(id: &str) -> Expr {
    col("event_id").eq(lit(id))
}

#[tokio::test]
async fn files_without_a_value_are_ruled_out() {
    let rows: Vec<Row> = (0..2000)
        .map(|row| {
            (
                Some(format!("id {row}")),
                Some(vec![format!("<{row}@a>"), format!("<{row}@b>")]),
            )
        })
        .collect();
    for file in [written(&rows), merged(&rows)] {
        for row in (0..2000).step_by(97) {
            assert!(may_hold(file.clone(), id_is(&format!("id {row}"))).await);
            assert!(may_hold(file.clone(), any_in("email_message_id", &["x", &format!("<{row}@b>")])).await);
            assert!(may_hold(file.clone(), id_is("absent").or(id_is(&format!("id {row}")))).await);
        }
        let mut wrong = 0;
        for absent in 0..200 {
            wrong += usize::from(may_hold(file.clone(), id_is(&format!("absent {absent}"))).await);
            wrong += usize::from(may_hold(file.clone(), any_in("email_message_id", &[&format!("{absent}")])).await);
        }
        assert!(wrong < 20, "{wrong} of 400");
        assert!(!may_hold(file.clone(), id_is("id 1").and(any_in("email_message_id", &["absent"]))).await);
    }
    assert!(may_hold(foreign(&rows), id_is("absent")).await, "there is no filter");
    let without: Vec<Row> = rows.iter().map(|(id, _)| (id.clone(), None)).collect();
    assert!(
        !may_hold(written(&without), any_in("email_message_id", &["<1@a>"])).await,
        "nor a column"
    );
}

#[tokio::test]
async fn row_groups_without_a_value_are_ruled_out() {
    let rows: Vec<Row> = (0..4000)
        .map(|row| (Some(format!("id {row}")), Some(vec![format!("<{row}@a>")])))
        .collect();
    let rows = batch(&rows);
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(1000))
        .set_bloom_filter_enabled(true)
        .set_bloom_filter_fpp(1e-6)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    let file = bytes::Bytes::from(writer.into_inner().unwrap());
    for (wanted, groups) in [
        (id_is("id 2500"), [false, false, true, false]),
        (
            any_in("email_message_id", &["<1@a>", "<3999@a>"]),
            [true, false, false, true],
        ),
        (id_is("id 1").and(any_in("email_message_id", &["<1001@a>"])), [false; 4]),
    ] {
        assert_eq!(row_groups(file.clone(), wanted).await, groups);
    }
}

proptest! {
    /// The slow twin: look at every row.
    #[test]
    fn what_is_there_is_found(
        rows in proptest::collection::vec(
            (proptest::option::of("[a-d]{1,2}"), proptest::option::of(proptest::collection::vec("[a-d]{1,2}", 0..3))),
            1..60,
        ),
        wanted in "[a-d]{1,2}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let in_id = rows.iter().any(|(id, _)| id.as_ref() == Some(&wanted));
        let in_list = rows.iter().any(|(_, list)| list.iter().flatten().any(|message| *message == wanted));
        for file in [written(&rows), merged(&rows)] {
            let held = |filter: Expr| runtime.block_on(may_hold(file.clone(), filter));
            prop_assert!(!in_id || held(id_is(&wanted)));
            prop_assert!(!in_list || held(any_in("email_message_id", &[&wanted])));
        }
    }
}

/// What the log tells is believed as far as it can be true, and what it cannot tell the footer does.
#[tokio::test]
async fn a_file_is_asked_where_the_log_says() {
    let rows: Vec<Row> = (0..500).map(|row| (Some(format!("id {row}")), None)).collect();
    let file = written(&rows);
    let told = told_filters(&file, COLUMNS).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = Path::from_absolute_path(folder.path()).unwrap().join("file.parquet");
    let store = Arc::new(LocalFileSystem::new());
    store.put(&path, file.clone().into()).await.unwrap();
    let meta = store.head(&path).await.unwrap();
    // Only who does not read the footer finds anything.
    let mut damaged = file.to_vec();
    let end = damaged.len();
    damaged[end - 200..].fill(0);
    store.put(&path, damaged.into()).await.unwrap();
    let readers = FileReaders::new("file:///", Arc::clone(&store) as Arc<dyn ObjectStore>, None);
    let ask = async |filters: Option<&str>, id: &str| {
        let candidate = Candidate {
            file: meta.clone(),
            filters: filters.map(Arc::from),
        };
        let needles = Needles::of(&[id_is(id)], COLUMNS);
        needles.may_be_in(&readers, vec![candidate]).await.ok()
    };
    assert_eq!(ask(Some(&told), "id 77").await, Some(vec![vec![true]]));
    assert_eq!(ask(Some(&told), "absent").await, Some(vec![vec![false]]));
    assert_eq!(ask(None, "id 77").await, None, "the footer is damaged");
    let (of, _) = told.split_once(' ').unwrap();
    let beyond = format!("{of} {}+72,-", file.len());
    for untrue in ["", "0000000000000000 4+72,-", &beyond] {
        assert_eq!(ask(Some(untrue), "id 77").await, None, "{untrue}");
        store.put(&path, file.clone().into()).await.unwrap();
        assert_eq!(ask(Some(untrue), "id 77").await, Some(vec![vec![true]]), "{untrue}");
        assert_eq!(ask(Some(untrue), "absent").await, Some(vec![vec![false]]), "{untrue}");
        let mut damaged = file.to_vec();
        damaged[end - 200..].fill(0);
        store.put(&path, damaged.into()).await.unwrap();
    }
    // What is lost is no answer, whether one value is looked for or two; nor where the header of a filter is left.
    let mut lost = vec![0; file.len()];
    let FilterPlaces(places) = FilterPlaces::of_told(&told, COLUMNS, &["event_id"]).unwrap();
    let Place::Filter(place) = places[0][0] else {
        panic!("{places:?}")
    };
    let header = place.offset as usize..place.blocks().unwrap().start as usize;
    lost[header.clone()].copy_from_slice(&file[header]);
    store.put(&path, lost.into()).await.unwrap();
    for filter in [
        id_is("id 77"),
        col("event_id").in_list(vec![lit("id 77"), lit("b")], false),
    ] {
        let candidate = Candidate {
            file: meta.clone(),
            filters: Some(told.as_str().into()),
        };
        let needles = Needles::of(&[filter], COLUMNS);
        assert!(needles.may_be_in(&readers, vec![candidate]).await.is_err());
    }
}
