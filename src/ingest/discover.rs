//! Finds the files to ingest: on this machine, and in buckets and containers.

use super::source_file::Found;
use crate::error::{Error, Result};
use crate::lake::stores;
use futures::TryStreamExt as _;
use object_store::path::{Path as ObjectPath, PathPart};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder that makes another one a Delta table.
const DELTA_LOG: &str = "_delta_log";

/// The files behind what was typed: files as they are, folders with everything below
/// them, glob patterns, and the same as URLs. In order of path, each once. Hidden files are not
/// looked for, but read when named.
pub(super) async fn discover(patterns: &[String]) -> Result<Vec<Found>> {
    let mut files = Vec::new();
    for pattern in patterns {
        let before = files.len();
        if stores::is_url(pattern) {
            files.extend(objects(pattern).await?);
        } else {
            files.extend(local(pattern)?.into_iter().map(Found::Local));
        }
        if files.len() == before && (stores::is_url(pattern) || !Path::new(pattern).is_dir()) {
            return Err(Error::NoInput {
                pattern: pattern.clone(),
            });
        }
    }
    files.sort_by_cached_key(Found::name);
    files.dedup_by_key(|found| found.name());
    Ok(files)
}

fn local(pattern: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let path = Path::new(pattern);
    if path.exists() {
        collect(path, &mut files)?;
        return Ok(files);
    }
    for found in compiled(pattern, glob::glob)? {
        let found = found.map_err(|e| Error::File {
            path: e.path().to_owned(),
            source: e.into(),
        })?;
        collect(&found, &mut files)?;
    }
    Ok(files)
}

fn compiled<T>(pattern: &str, compile: fn(&str) -> Result<T, glob::PatternError>) -> Result<T> {
    compile(pattern).map_err(|e| Error::Setting {
        setting: pattern.to_owned(),
        problem: e.to_string(),
    })
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    // A Delta table, most likely the lake itself, is no log.
    if path.join(DELTA_LOG).is_dir() {
        return Ok(());
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        // A file, or a folder that cannot be read: opening it says what is wrong.
        Err(_) => {
            files.push(std::path::absolute(path).map_err(failed)?);
            return Ok(());
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link to a folder may lead back up; it is followed when it is named.
        let linked_folder = entry.path().is_symlink() && entry.path().is_dir();
        // Pipes and devices may never end; they too are read when they are named.
        let readable = entry.path().is_file() || entry.path().is_dir();
        if readable && !hidden && !linked_folder {
            found.push(entry.path());
        }
    }
    found.sort();
    found.iter().try_for_each(|entry| collect(entry, files))
}

/// The file of this name, as an ingest has kept it, or why it cannot be read. No pattern, and
/// nothing that may never end.
pub(super) async fn exact(name: &str) -> Result<Found, String> {
    if stores::is_url(name) {
        return object(name).await;
    }
    match std::fs::metadata(name) {
        Ok(meta) if meta.is_file() => Ok(Found::Local(PathBuf::from(name))),
        Ok(_) => Err("is no file any more".to_owned()),
        Err(error) => Err(error
            .to_string()
            .split(" (os error ")
            .next()
            .unwrap_or_default()
            .to_owned()),
    }
}

/// One object. Its name is not parsed as a URL: `#`, `?` and `%` are characters of it.
async fn object(name: &str) -> Result<Found, String> {
    let (root, key) = name
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map(|(_, key)| (&name[..name.len() - key.len()], key))
        .ok_or("is no object of a store")?;
    let opened = stores::parse("", root).and_then(|url| stores::open(&url));
    let store = opened.map_err(|error| error.to_string())?;
    let location = ObjectPath::parse(key).map_err(|error| error.to_string())?;
    match store.head(&location).await {
        Ok(meta) => Ok(Found::Object {
            url: name.to_owned(),
            store,
            meta,
        }),
        Err(object_store::Error::NotFound { .. }) => Err("there is no such object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// One object, what is below a prefix, or what matches a pattern.
async fn objects(pattern: &str) -> Result<Vec<Found>> {
    let has_wildcard = pattern.contains(['*', '[']);
    let fixed = pattern.split(['*', '[']).next().unwrap_or_default();
    let folder = match has_wildcard {
        true => &fixed[..fixed.rfind('/').map_or(0, |slash| slash + 1)],
        false => pattern,
    };
    let url = stores::parse("", folder)?;
    let store = stores::open(&url)?;
    let root = url[..url::Position::BeforePath].to_owned();
    let failed = |error| Error::store(format!("cannot list {pattern}"), error);
    let prefix = ObjectPath::from_url_path(url.path()).map_err(|error| failed(error.into()))?;
    let found = |meta: ObjectMeta| Found::Object {
        url: format!("{root}/{}", meta.location),
        store: Arc::clone(&store),
        meta,
    };
    if !has_wildcard && !pattern.ends_with('/') && !prefix.is_root() {
        match store.head(&prefix).await {
            Ok(meta) => return Ok(vec![found(meta)]),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let listed: Vec<ObjectMeta> = store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
    let kept = logs(listed, &prefix);
    if !has_wildcard {
        return Ok(kept.into_iter().map(found).collect());
    }
    let typed = pattern.split("://").nth(1).unwrap_or_default();
    let typed = typed.split_once('/').map_or("", |(_, path)| path);
    let glob = compiled(typed, glob::Pattern::new)?;
    let options = glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::new()
    };
    let matching = kept
        .into_iter()
        .filter(|meta| glob.matches_with(meta.location.as_ref(), options));
    Ok(matching.map(found).collect())
}

/// Without what no log is: Delta tables, hidden files, and the empty objects that some tools
/// make in the place of folders.
fn logs(listed: Vec<ObjectMeta>, prefix: &ObjectPath) -> Vec<ObjectMeta> {
    let mut tables: BTreeSet<ObjectPath> = BTreeSet::new();
    let mut folders: BTreeSet<ObjectPath> = BTreeSet::new();
    for meta in &listed {
        let parts: Vec<PathPart<'_>> = meta.location.parts().collect();
        for depth in 0..parts.len() {
            let above: ObjectPath = parts[..depth].iter().cloned().collect();
            if parts[depth].as_ref() == DELTA_LOG {
                tables.insert(above.clone());
            }
            folders.insert(above);
        }
    }
    let is_log = |meta: &ObjectMeta| {
        let hidden = meta
            .location
            .prefix_match(prefix)
            .is_some_and(|mut parts| parts.any(|part| part.as_ref().starts_with('.')));
        let of_table = tables.iter().any(|table| meta.location.prefix_matches(table));
        let mark = meta.size == 0 && folders.contains(&meta.location);
        !(hidden || of_table || mark)
    };
    let mut kept = listed;
    kept.retain(is_log);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn folders_are_searched_without_lakes_links_and_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b/x.json",
            "a.json",
            ".hidden",
            "lake/events/_delta_log/0.json",
            "lake/events/part.parquet",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/up")).unwrap();
        let name = |name: &str| folder.path().join(name).display().to_string();
        let names = |found: Vec<Found>| found.iter().map(Found::name).collect::<Vec<_>>();
        let found = discover(&[folder.path().display().to_string()]).await.unwrap();
        assert_eq!(names(found), [name("a.json"), name("b/x.json")]);
        assert_eq!(names(discover(&[name("*.json")]).await.unwrap()), [name("a.json")]);
    }

    #[test]
    fn prefixes_are_searched_without_lakes_hidden_files_and_folder_marks() {
        let meta = |location: &str, size| ObjectMeta {
            location: location.into(),
            last_modified: Default::default(),
            size,
            e_tag: None,
            version: None,
        };
        let listed = [
            ("logs/a.json", 1),
            ("logs/empty.json", 0),
            ("logs/day", 0),
            ("logs/day/b.json", 1),
            ("logs/.hidden/c.json", 1),
            ("logs/lake/events/_delta_log/0.json", 1),
            ("logs/lake/events/part.parquet", 1),
        ];
        let listed = listed.map(|(location, size)| meta(location, size)).to_vec();
        let kept = logs(listed, &"logs".into());
        let kept: Vec<&str> = kept.iter().map(|meta| meta.location.as_ref()).collect();
        assert_eq!(kept, ["logs/a.json", "logs/empty.json", "logs/day/b.json"]);
    }
}
