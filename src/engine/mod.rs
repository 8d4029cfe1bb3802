//! A DataFusion session over a lake: memory, tables, views, names, read-only rules.

mod compact;
mod compact_exec;
mod conditions;
mod distinct_first;
mod empty_scans;
mod hidden;
mod join_sides;
mod keyed_spans;
pub mod lifting;
mod list_conditions;
mod memory;
mod mentioned;
pub mod names;
mod not_in;
mod raw_field;
mod repeatable;
mod row_groups;
mod scan_bytes;
mod scan_figures;
mod scan_plans;
mod session;
pub mod shared_scan;
mod single_values;
pub(crate) mod sorter;
mod spans_first;
mod stretches;

pub use keyed_spans::KeyedSpans;
pub use lifting::{Lifted, Question, TICK_COLUMN, Ticks, aggregates_per_pane};
pub use names::{Clock, NameError, Names, Resolution};
pub use scan_bytes::{ScanBytes, ToRead, scan_bytes};
pub use scan_figures::{Running, ScanFigures};
pub use scan_plans::ScanPlan;
pub use session::{Planned, Scope, Session, Window};

use crate::config::Resources;
use crate::error::{Error, Result};
use crate::lake::stores::Requests;
use crate::lake::{DataFile, Lake, LakeTable, LakeTableProvider, LateTable, TableName};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::MemTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry as _};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use include_dir::{Dir, include_dir};
use object_store::ObjectStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

static VIEWS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/views");
static LISTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/lists");

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// Queries count what they hold, which is about half of what they take: a table that goes to
/// disk is copied to be sorted. The other half is theirs uncounted, but for what the program
/// takes beside them: the list of the lake's files, pages that are being decoded.
const BESIDE: u64 = 96 << 20;

/// With less, queries would not run at all.
const LEAST: u64 = 24 << 20;

/// What is known of files that were opened is kept in one part in so many of the memory of
/// queries, and this at most; it really takes a few times as much.
const CACHED: usize = 8;
const MOST_CACHED: usize = 50 << 20;

/// What a detection has found takes one part in so many of the memory of queries at most, and
/// within bounds.
const FINDINGS: u64 = 64;
const LEAST_FINDINGS: u64 = 1 << 20;
const MOST_FINDINGS: u64 = 128 << 20;

/// What sessions over one version of a lake share.
#[derive(Debug, Clone)]
pub struct Engine {
    runtime: Arc<RuntimeEnv>,
    resources: Resources,
    frugal: bool,
    sorted_joins: bool,
    tables: Vec<(String, Arc<dyn TableProvider>)>,
    views: Vec<View>,
    names: Arc<Mutex<KnownNames>>,
    extents: BTreeMap<String, Extent>,
    /// First and last time of all events, where the log says that each has one.
    times: Option<(i64, i64)>,
}

/// Names that somebody asked for.
#[derive(Debug, Default)]
struct KnownNames {
    views: BTreeMap<String, SchemaRef>,
    /// By the views that are among them.
    names: BTreeMap<Vec<String>, Arc<Names>>,
}

/// First and last time of a dataset's events, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Microseconds since the Unix epoch.
    pub first: i64,
    /// Microseconds since the Unix epoch.
    pub last: i64,
    /// Events.
    pub rows: u64,
}

/// A saved query that is read like a table.
#[derive(Debug, Clone)]
struct View {
    name: String,
    sql: String,
}

impl Engine {
    /// Opens the tables of a lake at their current versions.
    pub async fn open(lake: &Lake, resources: Resources) -> Result<Self> {
        let events = {
            let lake = lake.clone();
            SpawnedTask::spawn(async move { LakeTableProvider::new(lake.table(TableName::Events).await?) })
        };
        // To its end: the Delta reader panics when nobody waits for it any more.
        let events = ended(events).await?;
        let (extents, times) = (extents_of(events.files()), times_of(events.files()));
        let mut events = Some(events);
        let known = TableName::ALL.map(|name| {
            let table: Arc<dyn TableProvider> = match events.take_if(|_| name == TableName::Events) {
                Some(events) => Arc::new(events),
                None => Arc::new(LateTable::new(lake, name)),
            };
            (name.as_str().to_owned(), table)
        });
        let engine = Self::over(known.into(), resources)?;
        let store = Arc::clone(lake.store());
        engine.runtime.register_object_store(lake.url(), store);
        Ok(Self {
            extents,
            times,
            ..engine
        })
    }

    /// The tables as they are before anything is ingested: enough to plan against.
    pub fn empty(resources: Resources) -> Result<Self> {
        let tables = TableName::ALL.map(|name| {
            let table: Arc<dyn TableProvider> = Arc::new(EmptyTable::new(name.read_schema()));
            (name.as_str().to_owned(), table)
        });
        Self::over(tables.into(), resources)
    }

    /// Without what the log says of times.
    fn over(mut tables: Vec<(String, Arc<dyn TableProvider>)>, resources: Resources) -> Result<Self> {
        for file in LISTS
            .files()
            .filter(|file| file.path().extension().is_some_and(|e| e == "csv"))
        {
            let name = stem(file.path());
            let text = file.contents_utf8().unwrap_or_default();
            tables.push((name.clone(), list_table(&name, text)?));
        }
        let views = VIEWS
            .files()
            .filter(|file| file.path().extension().is_some_and(|e| e == "sql"))
            .map(|file| View {
                name: stem(file.path()),
                sql: file.contents_utf8().unwrap_or_default().to_owned(),
            })
            .collect();
        let limit = usize::try_from(memory_of_queries(resources)).unwrap_or(usize::MAX);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(memory::pool(limit))
            .with_metadata_cache_limit((limit / CACHED).min(MOST_CACHED))
            .build_arc()?;
        Ok(Self {
            runtime,
            resources,
            frugal: false,
            sorted_joins: false,
            tables,
            views,
            names: Arc::default(),
            extents: BTreeMap::new(),
            times: None,
        })
    }

    /// The names of tables, and of the views that a text may name: to plan them all takes as long as
    /// everything else that a small question takes.
    pub(super) async fn names_for(&self, sql: &str) -> Result<Arc<Names>> {
        let named = |view: &&View| {
            let (name, sql) = (view.name.as_bytes(), sql.as_bytes());
            sql.windows(name.len()).any(|here| here.eq_ignore_ascii_case(name))
        };
        self.names_of(self.views.iter().filter(named).collect()).await
    }

    /// The names of tables and views.
    pub(super) async fn all_names(&self) -> Result<Arc<Names>> {
        self.names_of(self.views.iter().collect()).await
    }

    async fn names_of(&self, views: Vec<&View>) -> Result<Arc<Names>> {
        let key: Vec<String> = views.iter().map(|view| view.name.clone()).collect();
        let mut known = self.names.lock().await;
        if let Some(names) = known.names.get(&key) {
            return Ok(Arc::clone(names));
        }
        let tables = self.tables.iter();
        let mut schemas: Vec<_> = tables.map(|(name, table)| (name.clone(), table.schema())).collect();
        if views.iter().any(|view| !known.views.contains_key(&view.name)) {
            // Over no files: they have the same columns, and are planned sooner.
            let session = Self::empty(self.resources)?.session(Scope::default())?;
            for view in &views {
                if !known.views.contains_key(&view.name) {
                    let plan = session.view_plan(view).await?;
                    let schema = Arc::clone(plan.schema().inner());
                    known.views.insert(view.name.clone(), schema);
                }
            }
        }
        let of_views = key
            .iter()
            .filter_map(|name| Some((name.clone(), Arc::clone(known.views.get(name)?))));
        schemas.extend(of_views);
        let names = Arc::new(Names::new(&schemas));
        known.names.insert(key, Arc::clone(&names));
        Ok(names)
    }

    /// A session whose events are those of the scope.
    pub fn session(&self, scope: Scope) -> Result<Session> {
        Session::new(self, scope)
    }

    /// The same, frugal: with one thread, and few rows at a time. Nothing else has to run beside
    /// a query then, so it may count more.
    pub fn frugal(&self) -> Result<Self> {
        let limit = self.memory_of_queries().max(self.resources.memory_limit / 5);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let runtime = RuntimeEnvBuilder::from_runtime_env(&self.runtime).with_memory_pool(memory::pool(limit));
        Ok(Self {
            frugal: true,
            runtime: runtime.build_arc()?,
            ..self.clone()
        })
    }

    /// The same with events in no other files than these, which must be files of its table. What
    /// is known of all events stays what it was.
    pub fn with_event_files(&self, files: &[DataFile]) -> Self {
        let mut of_files = self.clone();
        for (_, table) in &mut of_files.tables {
            // Only that of events has been opened.
            if let Some(events) = table.downcast_ref::<LakeTableProvider>() {
                *table = Arc::new(events.with_files(files.to_vec()));
            }
        }
        of_files.times = times_of(files);
        of_files
    }

    /// The files of all events.
    pub fn event_files(&self) -> &[DataFile] {
        let mut tables = self.tables.iter();
        let events = tables.find_map(|(_, table)| table.downcast_ref::<LakeTableProvider>());
        events.map_or(&[], LakeTableProvider::files)
    }

    /// The same over a later version of the events of the same lake. The other tables are opened
    /// again when they are read.
    pub fn at_version(&self, lake: &Lake, events: LakeTable) -> Result<Self> {
        let events = LakeTableProvider::new(events)?;
        let mut later = self.with_other_tables_again(lake);
        later.extents = extents_of(events.files());
        later.times = times_of(events.files());
        let mut tables = later.tables.iter_mut();
        if let Some((_, table)) = tables.find(|(name, _)| name == TableName::Events.as_str()) {
            *table = Arc::new(events);
        }
        Ok(later)
    }

    /// The same, whose tables but for events are opened again when they are read.
    pub fn with_other_tables_again(&self, lake: &Lake) -> Self {
        let mut again = self.clone();
        for (name, table) in &mut again.tables {
            if let Some(name) = TableName::ALL.into_iter().find(|known| known.as_str() == name)
                && name != TableName::Events
            {
                *table = Arc::new(LateTable::new(lake, name));
            }
        }
        again
    }

    /// The same with requests to the lake's store counted apart.
    pub fn counting(&self, lake: &Lake) -> Result<(Self, Arc<Requests>)> {
        let counted = Arc::new(Requests::of(Arc::clone(lake.store())));
        let registry = Arc::new(DefaultObjectStoreRegistry::new());
        registry.register_store(lake.url(), Arc::clone(&counted) as Arc<dyn ObjectStore>);
        let runtime = RuntimeEnvBuilder::from_runtime_env(&self.runtime).with_object_store_registry(registry);
        let runtime = runtime.build_arc()?;
        Ok((
            Self {
                runtime,
                ..self.clone()
            },
            counted,
        ))
    }

    /// Whether time matters less than memory.
    pub fn is_frugal(&self) -> bool {
        self.frugal
    }

    /// The same, with joins that sort on disk in place of hash tables in memory.
    pub fn with_sorted_joins(&self) -> Self {
        Self {
            sorted_joins: true,
            ..self.clone()
        }
    }

    /// Whether joins sort on disk.
    pub fn sorts_joins(&self) -> bool {
        self.sorted_joins
    }

    /// Before the process ends: what is known of the lake's files is in many small pieces, which
    /// the system takes back at once and the program would free one by one.
    pub fn abandon(&self) {
        std::mem::forget(self.tables.clone());
        std::mem::forget(self.runtime.cache_manager.get_file_metadata_cache());
    }

    /// Bytes that queries may count, of those that the program may take.
    pub fn memory_of_queries(&self) -> u64 {
        memory_of_queries(self.resources)
    }

    /// Bytes that one detection may hold of what it has found, beside what its plan holds.
    pub fn memory_of_findings(&self) -> usize {
        let part = (self.memory_of_queries() / FINDINGS).clamp(LEAST_FINDINGS, MOST_FINDINGS);
        usize::try_from(part).unwrap_or(usize::MAX)
    }

    /// How many threads queries use.
    pub fn threads(&self) -> usize {
        match (self.frugal, self.sorted_joins) {
            // A planner for one thread knows no join but hash joins.
            (true, sorted) => 1 + usize::from(sorted),
            (false, _) => self.resources.threads.max(1),
        }
    }

    /// The memory that queries share, and the place on disk for what does not fit.
    pub fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    /// First and last event of each dataset, from the table's log.
    pub fn extents(&self) -> &BTreeMap<String, Extent> {
        &self.extents
    }

    /// Number of events.
    pub fn rows(&self) -> u64 {
        self.extents.values().map(|extent| extent.rows).sum()
    }

    /// First and last event of all.
    pub fn extent(&self) -> Option<Extent> {
        let first = self.extents.values().map(|extent| extent.first).min()?;
        let last = self.extents.values().map(|extent| extent.last).max()?;
        let rows = self.rows();
        Some(Extent { first, last, rows })
    }

    /// Names of all tables and views.
    pub fn relations(&self) -> impl Iterator<Item = &str> {
        self.tables
            .iter()
            .map(|(name, _)| name.as_str())
            .chain(self.views.iter().map(|view| view.name.as_str()))
    }
}

async fn ended<T: Send + 'static>(task: SpawnedTask<Result<T>>) -> Result<T> {
    let ended = task.join().await;
    ended.map_err(|error| Error::Internal(format!("opening the lake ended: {error}")))?
}

fn memory_of_queries(resources: Resources) -> u64 {
    (resources.memory_limit / 2).saturating_sub(BESIDE).max(LEAST)
}

fn extents_of(files: &[DataFile]) -> BTreeMap<String, Extent> {
    let mut extents: BTreeMap<String, Extent> = BTreeMap::new();
    for file in files {
        let [ScalarValue::Utf8(Some(dataset)), ScalarValue::Date32(Some(day))] = file.partition.as_slice() else {
            continue;
        };
        // Another writer may have left no statistics; the day still bounds its events.
        let day = i64::from(*day) * DAY;
        let (first, last) = file.times().unwrap_or((day, day + DAY - 1));
        let extent = extents
            .entry(dataset.clone())
            .or_insert(Extent { first, last, rows: 0 });
        extent.rows += file.rows.unwrap_or(0);
        extent.first = extent.first.min(first);
        extent.last = extent.last.max(last);
    }
    extents
}

/// First and last time of all events, if the log says that each has one.
fn times_of(files: &[DataFile]) -> Option<(i64, i64)> {
    let mut times = files.iter().map(|file| {
        let each_has_one = file.statistics.get("timestamp")?.nulls == Some(0);
        file.times().filter(|_| each_has_one)
    });
    let begin = times.next()??;
    times.try_fold(begin, |(first, last), of_file| {
        let (earliest, latest) = of_file?;
        Some((first.min(earliest), last.max(latest)))
    })
}

fn stem(path: &std::path::Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A list file as a table of texts. Lines that begin with `#` are comments.
fn list_table(name: &str, text: &str) -> Result<Arc<dyn TableProvider>> {
    let failed = |error: csv::Error| Error::Internal(format!("list {name}: {error}"));
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(failed)?.clone();
    let records = reader.records().collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let columns: Vec<ArrayRef> = (0..header.len())
        .map(|column| {
            let values = records
                .iter()
                .map(|record| record.get(column).filter(|value| !value.is_empty()));
            Arc::new(values.collect::<StringArray>()) as ArrayRef
        })
        .collect();
    let schema = Arc::new(Schema::new(
        header
            .iter()
            .map(|column| Field::new(column, DataType::Utf8, true))
            .collect::<Vec<_>>(),
    ));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::{ColumnStatistics, StatisticsOfColumns};

    fn file(min: i64, max: i64, nulls: Option<u64>) -> DataFile {
        let at = |time| Some(ScalarValue::TimestampMicrosecond(Some(time), Some("UTC".into())));
        let of_time = ColumnStatistics {
            min: at(min),
            max: at(max),
            nulls,
        };
        DataFile {
            path: "a".into(),
            size: 1,
            rows: Some(1),
            modified: 0,
            partition: Vec::new(),
            statistics: StatisticsOfColumns::from([("timestamp".into(), of_time)]),
            filters: None,
        }
    }

    #[test]
    fn times_are_known_where_the_log_tells_all() {
        let known = [file(5, 7, Some(0)), file(2, 6, Some(0))];
        assert_eq!(times_of(&known), Some((2, 7)));
        for strange in [file(5, 7, Some(1)), file(5, 7, None)] {
            assert_eq!(times_of(&[file(1, 2, Some(0)), strange]), None);
        }
        let silent = DataFile {
            statistics: Default::default(),
            ..file(0, 0, None)
        };
        assert_eq!(times_of(&[silent]), None);
        assert_eq!(times_of(&[]), None);
    }
}
