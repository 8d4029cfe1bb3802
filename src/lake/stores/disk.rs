//! The file system, whose writes are on the disk when they are said to be done.
//!
//! The library's own store leaves that to the system, which writes when it likes: after a power
//! failure a commit could be there whose files are not, or be empty itself.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};

/// The file system from its root.
#[derive(Debug, Default)]
pub(super) struct Disk(LocalFileSystem);

impl std::fmt::Display for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Writes a file whole, or not at all: beside its place, under its name with `#` and a number, as
/// the library does, then to its place.
fn write(path: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidFilename)?;
    make(folder)?;
    let number = uuid::Uuid::new_v4().as_u64_pair().0;
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!("#{number}"));
    let beside = PathBuf::from(beside);
    let written = fill(&beside, payload).and_then(|()| match create {
        // Fails where there is a file, unlike a renaming.
        true => fs::hard_link(&beside, path).and_then(|()| fs::remove_file(&beside)),
        false => fs::rename(&beside, path),
    });
    if written.is_err() {
        // Vacuum removes what is left.
        let _ = fs::remove_file(&beside);
    }
    written.and_then(|()| sync_folder(folder))
}

fn fill(path: &FilePath, payload: &PutPayload) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    payload.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
}

/// Makes a folder, and those above it.
fn make(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().ok_or(ErrorKind::NotFound)?;
    make(above)?;
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(above),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Names in a folder are lost with it otherwise.
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

#[async_trait]
impl ObjectStore for Disk {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let create = match options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.0.put_opts(location, payload, options).await,
        };
        let path = self.0.path_to_filesystem(location)?;
        let named = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || write(&path, &payload, create)).await;
        match written.map_err(io::Error::other).flatten() {
            Ok(()) => Ok(PutResult {
                e_tag: None,
                version: None,
            }),
            Err(error) if create && error.kind() == ErrorKind::AlreadyExists => Err(Error::AlreadyExists {
                path: named,
                source: Box::new(error),
            }),
            Err(error) => Err(Error::Generic {
                store: "LocalFileSystem",
                source: format!("cannot write {named}: {error}").into(),
            }),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.0.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.0.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt as _;

    #[tokio::test]
    async fn a_file_is_written_whole_and_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::from_absolute_path(folder.path().join("a/b/c.json")).unwrap();
        let disk = Disk::default();
        let put = |text: &'static str, mode| disk.put_opts(&path, text.into(), PutOptions::from(mode));
        put("one", PutMode::Create).await.unwrap();
        let again = put("two", PutMode::Create).await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
        let read = async || disk.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(read().await, "one");
        put("three", PutMode::Overwrite).await.unwrap();
        assert_eq!(read().await, "three");
        let names: Vec<_> = fs::read_dir(folder.path().join("a/b")).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
    }

    #[tokio::test]
    async fn of_many_that_make_a_file_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::from_absolute_path(folder.path().join("0.json")).unwrap();
        let made = (0..16).map(|_| {
            let path = path.clone();
            tokio::spawn(async move {
                let made = Disk::default()
                    .put_opts(&path, "x".into(), PutMode::Create.into())
                    .await;
                u32::from(made.is_ok())
            })
        });
        let mut count = 0;
        for made in made.collect::<Vec<_>>() {
            count += made.await.unwrap();
        }
        assert_eq!(count, 1);
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let path = Path::from_absolute_path(folder.path().join("file/below")).unwrap();
        let error = Disk::default().put(&path, "x".into()).await.unwrap_err().to_string();
        assert!(
            error.contains("cannot write") && error.contains("file/below"),
            "{error}"
        );
    }
}
