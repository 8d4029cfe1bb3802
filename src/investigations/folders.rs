//! Folders: as a record tells them, and which of them are the same.
//!
//! Exports differ in what they say. Some give every folder the path "Not Available", and then
//! only ids tell folders apart: two folders may have one name. Where there are paths, they do.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A folder as one record tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// Exchange's id of it.
    pub id: Option<String>,
    /// Its path, unless the record says that it is not available.
    pub path: Option<String>,
    /// Its name without the path.
    pub name: Option<String>,
}

impl Folder {
    /// A folder, unless nothing is told about it.
    pub(super) fn new(id: Option<String>, path: Option<String>, name: Option<String>) -> Option<Self> {
        let folder = Self {
            id: id.filter(|id| is_told(id)),
            path: path.filter(|path| is_told(path)),
            name: name.filter(|name| is_told(name)),
        };
        (folder != Self::default()).then_some(folder)
    }

    /// What people know it by: path, else name, else id.
    pub fn display(&self) -> Option<&str> {
        self.path.as_deref().or(self.name.as_deref()).or(self.id.as_deref())
    }
}

/// False for what Exchange writes where it does not know.
pub(super) fn is_told(text: &str) -> bool {
    let text = text.trim();
    !["", "not available", "unknown"].contains(&text.to_lowercase().as_str())
}

/// One folder of a mailbox, however its records tell it. In order of what is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SameFolder {
    pub(super) shown: String,
    /// Two folders may be shown alike.
    pub(super) id: Option<String>,
}

/// Tells the folders of one mailbox apart.
#[derive(Debug, Default)]
pub(super) struct Folders<'a> {
    by_id: BTreeMap<&'a str, Folder>,
    ids: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Folders<'a> {
    pub(super) fn of(folders: impl Iterator<Item = &'a Folder>) -> Self {
        let mut all = Self::default();
        for folder in folders {
            let Some(id) = folder.id.as_deref() else { continue };
            let known = all.by_id.entry(id).or_default();
            // In order of time: a folder that was renamed or moved is shown as it was last.
            known.id = Some(id.to_owned());
            known.path = folder.path.clone().or_else(|| known.path.take());
            known.name = folder.name.clone().or_else(|| known.name.take());
            for text in folder.path.iter().chain(&folder.name) {
                all.ids.entry(text).or_default().insert(id);
            }
        }
        all
    }

    /// Which one it is. A path is of one folder, also where it has another id since the folder
    /// was made anew. Without an id it is the one of the same path or name, so that sources
    /// that leave ids out count no folder twice.
    pub(super) fn identify(&self, folder: &Folder) -> Option<SameFolder> {
        let told = folder.display()?;
        let id = folder.id.as_deref().or_else(|| self.ids.get(told)?.first().copied());
        let known = id.and_then(|id| self.by_id.get(id));
        let id = match known.and_then(|known| known.path.as_deref()) {
            Some(path) => self.id_at(path),
            None => id,
        };
        let shown = known.and_then(Folder::display).unwrap_or(told);
        Some(SameFolder {
            shown: shown.to_owned(),
            id: id.map(str::to_owned),
        })
    }

    /// The folder at a path; always the same where several were there.
    fn id_at(&self, path: &str) -> Option<&'a str> {
        let is_there = |id: &&&str| {
            self.by_id
                .get(**id)
                .is_some_and(|known| known.path.as_deref() == Some(path))
        };
        self.ids.get(path)?.iter().find(is_there).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, path: &str, name: &str) -> Folder {
        let own = |text: &str| Some(text.to_owned());
        Folder::new(own(id), own(path), own(name)).unwrap()
    }

    #[test]
    fn shown_by_path_name_or_id() {
        assert_eq!(folder("1", "\\Inbox", "Inbox").display(), Some("\\Inbox"));
        for path in ["Not Available", "not available ", "Unknown", ""] {
            assert_eq!(folder("1", path, "Inbox").display(), Some("Inbox"), "{path}");
            assert_eq!(folder("1", path, "").display(), Some("1"), "{path}");
        }
        assert_eq!(Folder::new(Some(String::new()), Some("Unknown".into()), None), None);
        // A folder of that name has a path that says so.
        assert_eq!(folder("1", "\\Unknown", "Unknown").display(), Some("\\Unknown"));
    }

    #[track_caller]
    fn different(folders: &[Folder], expected: &[(&str, Option<&str>)]) {
        let known = Folders::of(folders.iter());
        let found: BTreeSet<SameFolder> = folders.iter().filter_map(|folder| known.identify(folder)).collect();
        let found: Vec<_> = found
            .iter()
            .map(|folder| (folder.shown.as_str(), folder.id.as_deref()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn told_apart_by_id_first() {
        let none = "Not Available";
        different(
            &[
                folder("1", none, "Archive"),
                folder("2", none, "Archive"),
                folder("2", none, "Archive"),
            ],
            &[("Archive", Some("1")), ("Archive", Some("2"))],
        );
        // Ids are case sensitive.
        different(
            &[folder("a", none, "x"), folder("A", none, "x")],
            &[("x", Some("A")), ("x", Some("a"))],
        );
        different(
            &[folder("1", none, "Inbox"), folder("1", "\\Inbox", "")],
            &[("\\Inbox", Some("1"))],
        );
        different(
            &[folder("1", "\\Old", "Old"), folder("1", "\\New", "New")],
            &[("\\New", Some("1"))],
        );
    }

    #[test]
    fn a_path_is_of_one_folder() {
        different(
            &[folder("2", "\\Inbox", "Inbox"), folder("1", "\\Inbox", "Inbox")],
            &[("\\Inbox", Some("1"))],
        );
        // The first was at \A before the second was.
        different(
            &[
                folder("1", "\\A", "A"),
                folder("1", "\\B", "B"),
                folder("2", "\\A", "A"),
            ],
            &[("\\A", Some("2")), ("\\B", Some("1"))],
        );
    }

    #[test]
    fn without_an_id_by_path_or_name() {
        different(
            &[folder("", "\\Inbox", ""), folder("1", "\\Inbox", "Inbox")],
            &[("\\Inbox", Some("1"))],
        );
        different(
            &[folder("", "", "Inbox"), folder("1", "\\Inbox", "Inbox")],
            &[("\\Inbox", Some("1"))],
        );
        different(
            &[folder("", "\\Inbox", "Inbox"), folder("", "\\Sent", "Sent")],
            &[("\\Inbox", None), ("\\Sent", None)],
        );
    }
}
