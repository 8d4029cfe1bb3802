//! The messages of one record, with the folders they lay in.

use super::folders::{Folder, is_told};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;

/// A mailbox item that a record names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The folder's path, else its name, else its id.
    pub folder: Option<String>,
    /// InternetMessageId as recorded, which is with angle brackets.
    pub message_id: Option<String>,
    /// Exchange's id of the item, which finds it inside this mailbox only.
    pub item_id: Option<String>,
    /// The subject, where the record has one.
    pub subject: Option<String>,
}

/// What the columns of a record say, to complete what its own text says.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// All message ids of the record, each once.
    pub(super) message_ids: Vec<String>,
    /// Paths of its folders.
    pub(super) folder_paths: Vec<String>,
    /// Item ids of its folders.
    pub(super) folder_item_ids: Vec<String>,
    /// The folder of its single item.
    pub(super) parent_folder: Option<Folder>,
    /// Id of its single item.
    pub(super) item_id: Option<String>,
    /// Subject of its single item.
    pub(super) item_subject: Option<String>,
}

impl Columns {
    /// The folders of the record: of its single item, those that `folders` lists, and those
    /// of which only the columns know.
    pub(super) fn folders(&self, folders: &Value) -> Vec<Folder> {
        let mut all: Vec<Folder> = self.parent_folder.iter().cloned().collect();
        each(folders, &mut |value| {
            all.extend(folder(value).filter(|folder| !all.contains(folder)));
        });
        for path in &self.folder_paths {
            if !all.iter().any(|folder| folder.path.as_ref() == Some(path)) {
                all.extend(Folder::new(None, Some(path.clone()), None));
            }
        }
        all
    }

    /// The only folder there is, for items whose folder is not told.
    fn only_folder(&self) -> Option<String> {
        match self.folder_paths.as_slice() {
            [path] if is_told(path) => Some(path.clone()),
            [] | [_] => self.parent_folder.as_ref().and_then(Folder::display).map(str::to_owned),
            _ => None,
        }
    }
}

/// The JSON text of Folders; null where it is none.
pub(super) fn parsed(folders: Option<&str>) -> Value {
    folders
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null)
}

/// Every item of a record: those of `folders`, its Folders, and those that only the columns know.
pub(super) fn of_record(folders: &Value, columns: &Columns) -> Vec<Item> {
    let mut items = Vec::new();
    each(folders, &mut |value| {
        let folder = folder(value).and_then(|folder| folder.display().map(str::to_owned));
        each(&value["FolderItems"], &mut |item| {
            items.push(Item {
                folder: folder.clone(),
                message_id: text(item, "InternetMessageId"),
                item_id: text(item, "Id"),
                subject: text(item, "Subject"),
            });
        });
    });
    let known: HashSet<&str> = items.iter().filter_map(|item| item.message_id.as_deref()).collect();
    let missing: Vec<&String> = columns
        .message_ids
        .iter()
        .filter(|id| !known.contains(id.as_str()))
        .collect();
    let (folder, single) = (columns.only_folder(), missing.len() == 1);
    let of_columns: Vec<Item> = missing
        .into_iter()
        .map(|id| Item {
            folder: folder.clone(),
            message_id: Some(id.clone()),
            item_id: columns.item_id.clone().filter(|_| single),
            subject: columns.item_subject.clone().filter(|_| single),
        })
        .collect();
    items.extend(of_columns);
    if items.is_empty() {
        // Without any message id, the ids of the items are what remains.
        items.extend(columns.folder_item_ids.iter().chain(&columns.item_id).map(|id| Item {
            folder: folder.clone(),
            item_id: Some(id.clone()),
            subject: columns.item_subject.clone(),
            ..Item::default()
        }));
    }
    items
}

/// Each object of a list, of a list written as text, or the one object that stands for a list.
fn each(value: &Value, with: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(values) => values.iter().filter(|value| value.is_object()).for_each(with),
        Value::Object(_) => with(value),
        Value::String(text) if text.starts_with(['[', '{']) => {
            if let Ok(inner @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
                each(&inner, with);
            }
        }
        _ => {}
    }
}

/// An entry of Folders.
fn folder(value: &Value) -> Option<Folder> {
    Folder::new(text(value, "Id"), text(value, "Path"), text(value, "Name"))
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn shown(items: &[Item]) -> Vec<[&str; 3]> {
        let text = |text: &'_ Option<String>| text.clone().map_or("-", |text| &*text.leak());
        items
            .iter()
            .map(|item| [text(&item.folder), text(&item.message_id), text(&item.item_id)])
            .collect()
    }

    #[test]
    fn items_keep_their_folders() {
        let folders = r#"[{"Path":"\\Inbox","FolderItems":[{"Id":"1","InternetMessageId":"<a>"},{"Id":"2"}]},
                          {"Path":"\\Sent","FolderItems":{"InternetMessageId":"<b>"}},{"Path":"\\Empty"},"x"]"#;
        let columns = Columns {
            message_ids: texts(&["<a>", "<b>", "<c>"]),
            ..Columns::default()
        };
        let folders = parsed(Some(folders));
        let items = of_record(&folders, &columns);
        assert_eq!(
            shown(&items),
            [
                ["\\Inbox", "<a>", "1"],
                ["\\Inbox", "-", "2"],
                ["\\Sent", "<b>", "-"],
                ["-", "<c>", "-"]
            ]
        );
        let shown: Vec<_> = columns
            .folders(&folders)
            .iter()
            .map(|folder| folder.path.clone())
            .collect();
        assert_eq!(
            shown,
            ["\\Inbox", "\\Sent", "\\Empty"].map(|path| Some(path.to_owned()))
        );
    }

    #[test]
    fn folders_without_a_path_have_a_name() {
        let folders = parsed(Some(
            r#"[{"Path":"Not Available","Name":"Inbox","Id":"f1","FolderItems":[{"Id":"1"}]},
                {"Path":"Unknown","Id":"f2","FolderItems":[{"Id":"2"}]}]"#,
        ));
        let columns = Columns {
            folder_paths: texts(&["Not Available", "Unknown"]),
            ..Columns::default()
        };
        assert_eq!(
            shown(&of_record(&folders, &columns)),
            [["Inbox", "-", "1"], ["f2", "-", "2"]]
        );
        assert_eq!(columns.folders(&folders).len(), 2);
    }

    #[test]
    fn folders_as_text() {
        let folders = serde_json::to_string(r#"[{"Path":"p","FolderItems":"[{\"Id\":\"1\"}]"}]"#).unwrap();
        assert_eq!(
            shown(&of_record(&parsed(Some(&folders)), &Columns::default())),
            [["p", "-", "1"]]
        );
    }

    #[test]
    fn columns_stand_in() {
        let columns = Columns {
            folder_paths: texts(&["\\Inbox"]),
            folder_item_ids: texts(&["1", "2"]),
            ..Columns::default()
        };
        for unreadable in [None, Some("System.Object[]"), Some("null"), Some("[1]")] {
            assert_eq!(
                shown(&of_record(&parsed(unreadable), &columns)),
                [["\\Inbox", "-", "1"], ["\\Inbox", "-", "2"]]
            );
        }
        let single = Columns {
            message_ids: texts(&["<a>"]),
            parent_folder: Folder::new(None, Some("\\Inbox".into()), None),
            item_id: Some("1".into()),
            ..Columns::default()
        };
        assert_eq!(shown(&of_record(&Value::Null, &single)), [["\\Inbox", "<a>", "1"]]);
    }
}
