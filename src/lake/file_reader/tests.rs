//! A reader gives what is in the file: of its metadata those of some columns, of its bytes
//! those that the store has, with few requests.

use super::*;
use async_trait::async_trait;
use datafusion::arrow::array::{Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use datafusion::arrow::array::{builder::ListBuilder, builder::StringBuilder};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result as StoreResult,
};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use datafusion::parquet::file::metadata::{KeyValue, ParquetMetaDataOptions, ParquetStatisticsPolicy};
use datafusion::parquet::file::properties::WriterProperties;
use futures::stream::BoxStream;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers, texts, and lists of both kinds that the lake has. Some leaves below the lists have
/// the names of columns.
fn rows(count: usize) -> RecordBatch {
    let ids: Int64Array = (0..count as i64).map(|row| row.wrapping_mul(7919) % 100_003).collect();
    let name = |row: usize| (!row.is_multiple_of(3)).then(|| format!("name {}", row.wrapping_mul(104_729)));
    let names: StringArray = (0..count).map(name).collect();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in 0..count {
        // None, no, one and two of them.
        (0..(row % 4).saturating_sub(1)).for_each(|tag| tags.values().append_value(format!("tag {row} {tag}")));
        tags.append(!row.is_multiple_of(4));
    }
    let values = StringArray::from_iter_values((0..2 * count).map(|pair| format!("value {pair}")));
    let pair_names = StringArray::from_iter_values((0..2 * count).map(|pair| format!("pair {}", pair % 2)));
    let parts: Fields = ["name", "id"]
        .map(|part| Field::new(part, DataType::Utf8, true))
        .to_vec()
        .into();
    let pairs = StructArray::new(parts.clone(), vec![Arc::new(pair_names), Arc::new(values)], None);
    let item = Arc::new(Field::new("item", DataType::Struct(parts), true));
    let pairs = ListArray::new(
        item,
        OffsetBuffer::from_repeated_length(2, count),
        Arc::new(pairs),
        None,
    );
    RecordBatch::try_from_iter_with_nullable([
        ("pairs", Arc::new(pairs) as _, true),
        ("id", Arc::new(ids) as _, false),
        ("tags", Arc::new(tags.finish()) as _, true),
        ("name", Arc::new(names) as _, true),
    ])
    .unwrap()
}

/// Its columns.
pub(super) const ALL: [&str; 4] = ["id", "name", "pairs", "tags"];

/// A file of so many rows in three row groups, with so many bytes about it that nobody needs.
pub(super) fn file(count: usize, about: usize) -> bytes::Bytes {
    file_of(count, count.div_ceil(3), about)
}

fn file_of(count: usize, of_group: usize, about: usize) -> bytes::Bytes {
    let rows = rows(count);
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(of_group))
        .set_created_by("a test".to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("about".to_owned(), "x".repeat(about))]))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.into_inner().unwrap().into()
}

/// The bytes of a file's metadata.
pub(super) fn text(file: &bytes::Bytes) -> bytes::Bytes {
    let footer = FooterTail::try_new(file.last_chunk().unwrap()).unwrap();
    let end = file.len() - FOOTER;
    file.slice(end - footer.metadata_length()..end)
}

/// All of a file's metadata, but for the figures of sizes that no reader asks for.
fn whole(file: &bytes::Bytes) -> ParquetMetaData {
    let options = ParquetMetaDataOptions::new().with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    ParquetMetaDataReader::decode_metadata_with_options(&text(file), Some(&options)).unwrap()
}

fn read(file: &bytes::Bytes, metadata: ParquetMetaData) -> Vec<RecordBatch> {
    // Both by the types that Parquet says.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata);
    reader.build().unwrap().map(Result::unwrap).collect()
}

#[test]
fn narrowed_metadata_say_of_the_kept_columns_what_the_whole_ones_say() {
    let file = file(100, 0);
    let whole = whole(&file);
    assert_eq!((whole.num_row_groups(), whole.file_metadata().num_rows()), (3, 100));
    let everything = read(&file, whole.clone());
    for (asked, kept) in [
        (&["id"][..], &["id"][..]),
        (&["tags"], &["tags"]),
        (&["pairs"], &["pairs"]),
        (&["name", "id"], &["id", "name"]),
        (&["name", "tags", "pairs"], &["pairs", "tags", "name"]),
        (&["id", "name", "pairs", "tags"], &["pairs", "id", "tags", "name"]),
        // A file that has none of them keeps one, and with it its rows.
        (&[], &["pairs"]),
        (&["unknown"], &["pairs"]),
        // Names of leaves are not names of columns.
        (&["item", "list", "pairs.list.item.name", "unknown", "id"], &["id"]),
    ] {
        let columns: BTreeSet<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        let narrow = narrow(&text(&file), &columns).unwrap();
        let fields = narrow.file_metadata().schema().get_fields();
        assert_eq!(fields.iter().map(|field| field.name()).collect::<Vec<_>>(), kept);
        let leaves: Vec<usize> = (0..whole.file_metadata().schema_descr().num_columns())
            .filter(|leaf| {
                let path = whole.row_group(0).column(*leaf).column_path();
                kept.contains(&path.parts()[0].as_str())
            })
            .collect();

        let (described, all) = (narrow.file_metadata(), whole.file_metadata());
        assert_eq!(described.version(), all.version());
        assert_eq!(described.num_rows(), all.num_rows());
        assert_eq!(described.created_by(), all.created_by());
        assert_eq!(described.schema_descr().num_columns(), leaves.len());
        assert_eq!(described.column_orders().unwrap().len(), leaves.len());
        for (place, leaf) in leaves.iter().enumerate() {
            assert_eq!(described.schema_descr().column(place), all.schema_descr().column(*leaf));
            assert_eq!(described.column_order(place), all.column_order(*leaf));
        }
        assert_eq!(narrow.num_row_groups(), whole.num_row_groups());
        for (group, all) in narrow.row_groups().iter().zip(whole.row_groups()) {
            assert_eq!(group.num_rows(), all.num_rows());
            assert_eq!(group.total_byte_size(), all.total_byte_size());
            assert_eq!(group.num_columns(), leaves.len());
            for (column, leaf) in group.columns().iter().zip(&leaves) {
                assert!(column.statistics().is_some());
                assert_eq!(column, all.column(*leaf));
            }
        }

        let places: Vec<usize> = kept
            .iter()
            .map(|name| everything[0].schema().index_of(name).unwrap())
            .collect();
        let expected: Vec<RecordBatch> = everything.iter().map(|rows| rows.project(&places).unwrap()).collect();
        assert_eq!(read(&file, narrow), expected, "{asked:?}");
    }
}

/// A store in memory that counts what it is asked.
#[derive(Debug, Default)]
struct Counting {
    store: InMemory,
    requests: AtomicUsize,
}

impl std::fmt::Display for Counting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Counting {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.store.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<bytes::Bytes>> {
        let requests = usize::try_from(crate::lake::stores::requests_for(ranges)).unwrap();
        self.requests.fetch_add(requests, Ordering::Relaxed);
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.store.copy_opts(from, to, options).await
    }
}

/// A store with the files of one scan.
struct Remote {
    store: Arc<Counting>,
    readers: FileReaders,
}

impl Remote {
    fn new() -> Self {
        let store = Arc::new(Counting::default());
        let cache = RuntimeEnv::default().cache_manager.get_file_metadata_cache();
        let readers = FileReaders::new("memory://store", Arc::clone(&store) as _, Some(cache));
        Self { store, readers }
    }

    async fn put(&self, file: &bytes::Bytes) {
        self.store
            .put(&Path::from("a/file"), file.clone().into())
            .await
            .unwrap();
    }

    /// A reader that has not read yet.
    async fn reader(&self, columns: &[&str]) -> Box<dyn AsyncFileReader + Send> {
        let meta = self.store.store.head(&Path::from("a/file")).await.unwrap();
        let schema = rows(0).schema();
        let places: Vec<usize> = columns.iter().map(|name| schema.index_of(name).unwrap()).collect();
        let columns = ReadColumns::of(&schema.project(&places).unwrap());
        let file = PartitionedFile::from(meta).with_extension(columns);
        let metrics = ExecutionPlanMetricsSet::new();
        self.readers.create_reader(0, file, None, &metrics).unwrap()
    }

    /// Requests since the last time somebody asked.
    fn requests(&self) -> usize {
        self.store.requests.swap(0, Ordering::Relaxed)
    }
}

fn part(file: &bytes::Bytes, range: &Range<u64>) -> bytes::Bytes {
    file.slice(range.start as usize..range.end as usize)
}

#[tokio::test]
async fn a_file_from_a_store_is_read_with_few_requests() {
    const TAIL: usize = REMOTE_TAIL as usize;
    // All of it in its tail; its rows outside; even its metadata longer. For each, the requests
    // that the metadata take and those of all columns at once.
    for (file, of_metadata, of_columns) in [
        (file(100, 0), 1, 0),
        (file(40_000, 0), 1, 1),
        (file(100, TAIL + 5000), 2, 1),
    ] {
        let size = file.len() as u64;
        assert_eq!(file.len() <= TAIL, of_columns == 0);
        assert_eq!(text(&file).len() + FOOTER > TAIL, of_metadata == 2);
        let remote = Remote::new();
        remote.put(&file).await;
        let mut reader = remote.reader(&ALL).await;
        let metadata = reader.get_metadata(None).await.unwrap();
        assert_eq!(remote.requests(), of_metadata);
        let expected = narrow(&text(&file), &ALL.map(str::to_owned).into()).unwrap();
        assert_eq!(metadata.row_groups(), expected.row_groups());

        let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
        let columns: Vec<Range<u64>> = columns
            .map(|column| column.byte_range())
            .map(|(start, length)| start..start + length)
            .collect();
        let parts: Vec<bytes::Bytes> = columns.iter().map(|range| part(&file, range)).collect();
        assert!(reader.get_byte_ranges(columns).await.unwrap() == parts);
        assert_eq!(remote.requests(), of_columns);

        // What the tail holds costs nothing any more; what begins before it, one request.
        let begin = size.saturating_sub(REMOTE_TAIL);
        for range in [
            begin..size,
            begin..begin + 1,
            size - 1..size,
            size - FOOTER as u64..size - 3,
        ] {
            assert!(
                reader.get_bytes(range.clone()).await.unwrap() == part(&file, &range),
                "{range:?}"
            );
            assert_eq!(remote.requests(), 0, "{range:?}");
        }
        for range in [
            0..4,
            0..size,
            begin.saturating_sub(1)..size,
            begin.saturating_sub(1)..begin + 1,
        ] {
            assert!(
                reader.get_bytes(range.clone()).await.unwrap() == part(&file, &range),
                "{range:?}"
            );
            assert_eq!(remote.requests(), of_columns, "{range:?}");
        }
        for ranges in [[size - 9..size, 0..4], [0..4, size - 9..size]] {
            let parts = ranges.clone().map(|range| part(&file, &range));
            assert!(reader.get_byte_ranges(ranges.to_vec()).await.unwrap() == parts);
            assert_eq!(remote.requests(), of_columns);
        }
    }
}

#[tokio::test]
async fn files_of_a_scan_take_few_requests_and_what_they_gave_is_kept_for_who_comes_next() {
    let remote = Remote::new();
    let readers = remote.readers.clone().for_scans(&LastFetched::default());
    let contents = [file(100, 0), file_of(16_000, 16_000, 0), file(70, 0), file(60_000, 0)];
    assert_eq!(
        contents.each_ref().map(|content| content.len() as u64 > REMOTE_TAIL),
        [false, true, false, true]
    );
    let names: BTreeSet<String> = ["pairs".to_owned(), "name".to_owned()].into();
    let mut files = Vec::new();
    for (number, content) in contents.iter().enumerate() {
        let path = Path::from(format!("{number}"));
        remote.store.put(&path, content.clone().into()).await.unwrap();
        let meta = remote.store.store.head(&path).await.unwrap();
        files.push(PartitionedFile::from(meta).with_extension(ReadColumns::named(names.clone())));
    }
    let scan = FilesOfScan::new(&files, names);
    for file in &mut files {
        file.extensions.insert(scan.clone());
    }
    let metrics = ExecutionPlanMetricsSet::new();
    // Whoever reads the first one asks for all, and nobody is asked for what is there.
    for round in 0..2 {
        let mut expected = 0;
        for (file, content) in files.iter().zip(&contents) {
            let size = content.len() as u64;
            let tail = size.saturating_sub(REMOTE_TAIL);
            let mut reader = readers.create_reader(0, file.clone(), None, &metrics).unwrap();
            let metadata = reader.get_metadata(None).await.unwrap();
            expected += usize::from(round == 0);
            for group in metadata.row_groups() {
                let chunks = group.columns().iter().map(ColumnChunkMetaData::byte_range);
                let chunks: Vec<Range<u64>> = chunks.map(|(begin, length)| begin..begin + length).collect();
                assert_eq!(chunks.len(), 3, "{group:?}");
                let length: u64 = chunks.iter().map(|chunk| chunk.end - chunk.start).sum();
                assert!(length < CHUNKS_AHEAD || metadata.num_row_groups() > 1, "{length}");
                let is_before_tail = chunks.iter().any(|chunk| chunk.start < tail);
                expected += usize::from(is_before_tail && (round == 0 || metadata.num_row_groups() > 1));
                // One after the other, as conditions are evaluated.
                let first = reader.get_byte_ranges(chunks[..1].to_vec()).await.unwrap();
                let rest = reader.get_byte_ranges(chunks[1..].to_vec()).await.unwrap();
                let parts = chunks.iter().map(|chunk| part(content, chunk));
                assert!(first.into_iter().chain(rest).eq(parts));
                if metadata.num_row_groups() > 1 {
                    // Both asked for something before the tail.
                    expected += usize::from(chunks[0].start < tail && chunks[1..].iter().any(|c| c.start < tail));
                }
            }
        }
        assert_eq!(remote.requests(), expected, "round {round}");
    }
}

#[test]
fn small_chunks_that_lie_together_are_read_at_once() {
    const KIB: u64 = 1 << 10;
    let chunk = |begin: u64, length: u64| begin * KIB..(begin + length) * KIB;
    let ranges = |chunks: &[(u64, u64)]| {
        chunks
            .iter()
            .map(|(begin, length)| chunk(*begin, *length))
            .collect::<Vec<_>>()
    };
    for (chunks, together, later) in [
        (&[(0, 500), (600, 100)][..], &[(600, 100), (0, 500)][..], &[][..]),
        (&[(0, 1024)], &[(0, 1024)], &[]),
        (&[(0, 1), (1, 1024)], &[(0, 1)], &[(1, 1024)]),
        (
            &[(0, 10), (4000, 20), (8000, 30)],
            &[(0, 10), (4000, 20)],
            &[(8000, 30)],
        ),
        (&[(0, 2000)], &[], &[(0, 2000)]),
        (&[], &[], &[]),
    ] {
        assert_eq!(at_once(ranges(chunks)), (ranges(together), ranges(later)), "{chunks:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_before_a_scan_comes_to_it_is_an_error_then() {
    let remote = Remote::new();
    let readers = remote.readers.clone().for_scans(&LastFetched::default());
    let mut files = Vec::new();
    for number in 0..3 {
        let path = Path::from(format!("{number}"));
        remote.store.put(&path, file(100, 0).into()).await.unwrap();
        files.push(PartitionedFile::from(remote.store.store.head(&path).await.unwrap()));
    }
    remote.store.delete(&Path::from("1")).await.unwrap();
    let scan = FilesOfScan::new(&files, BTreeSet::new());
    let metrics = ExecutionPlanMetricsSet::new();
    for (number, file) in files.into_iter().enumerate() {
        let file = file.with_extension(scan.clone());
        let mut reader = readers.create_reader(0, file, None, &metrics).unwrap();
        let metadata = reader.get_metadata(None).await;
        assert_eq!(metadata.is_ok(), number != 1, "{number}");
    }
}

#[tokio::test]
async fn metadata_are_kept_for_each_set_of_columns_until_the_file_changes() {
    let remote = Remote::new();
    for count in [100, 70] {
        remote.put(&file(count, 0)).await;
        for (columns, leaves, requests) in [(&["id"][..], 1, 1), (&["id", "pairs"], 3, 1), (&["id"], 1, 0)] {
            let mut reader = remote.reader(columns).await;
            let metadata = reader.get_metadata(None).await.unwrap();
            assert_eq!(metadata.file_metadata().num_rows(), count as i64);
            assert_eq!(metadata.row_group(0).num_columns(), leaves);
            assert_eq!(remote.requests(), requests);
        }
    }
}

#[tokio::test]
async fn what_is_no_parquet_file_is_an_error_that_names_it() {
    let remote = Remote::new();
    let mut cut = file(100, 0);
    // Its end says that there is more before it than there is.
    cut = cut.slice(cut.len() - 20..);
    for (content, problem) in [
        (bytes::Bytes::from_static(b"PAR1"), "a file too short for Parquet"),
        (cut, "metadata longer than their file"),
        (bytes::Bytes::from_static(b"some text instead"), "Corrupt footer"),
    ] {
        remote.put(&content).await;
        let error = remote.reader(&["id"]).await.get_metadata(None).await.unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("cannot read a/file: ") && said.contains(problem),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn what_is_opened_at_once_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, pipe) = (folder.path().join("file"), folder.path().join("pipe"));
    std::fs::write(&file, "text").unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Nobody ever writes to the pipe.
    for (path, is_file) in [
        (&file, true),
        (&pipe, false),
        (&folder.path().into(), false),
        (&folder.path().join("none"), false),
    ] {
        assert_eq!(open_at_once(path).is_some(), is_file, "{}", path.display());
    }
}

#[test]
fn paths_are_those_of_the_store() {
    let store = datafusion::object_store::local::LocalFileSystem::new();
    for path in [
        "work/lake/event_dataset=o365.audit/day=2026-03-01/part-0a-1_b.zstd.parquet",
        "a b/c#d/é/x?y/100%25/q+r~s/(t)",
        "a",
    ] {
        let path = Path::parse(path).unwrap();
        assert_eq!(
            local_path(&path),
            Some(store.path_to_filesystem(&path).unwrap()),
            "{path}"
        );
    }
}
