//! One access: a MailItemsAccessed record as the reports need it.

use super::application::Application;
use super::folders::Folder;
use super::items::{self, Item};
use crate::error::{Error, Result};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit};
use serde::Serialize;
use std::collections::HashSet;

/// MailAccessType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AccessType {
    /// Single messages were opened; the record names them.
    Bind,
    /// A folder was synchronised, as a whole; the record names no message.
    Sync,
    /// Neither, or not told.
    Unknown,
}

impl AccessType {
    fn of(text: Option<&str>) -> Self {
        match text {
            Some(text) if text.eq_ignore_ascii_case("bind") => Self::Bind,
            Some(text) if text.eq_ignore_ascii_case("sync") => Self::Sync,
            _ => Self::Unknown,
        }
    }

    /// The word that records use.
    pub fn display(self) -> &'static str {
        match self {
            Self::Bind => "Bind",
            Self::Sync => "Sync",
            Self::Unknown => "",
        }
    }
}

/// A MailItemsAccessed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// When; for aggregated records the begin of their two minutes.
    #[serde(serialize_with = "super::instant")]
    pub time: i64,
    /// Id of the record.
    pub event_id: Option<String>,
    /// Whose mailbox, lower case.
    pub mailbox: String,
    /// Exchange's id of it.
    pub mailbox_guid: Option<String>,
    /// False where the record names no owner; the mailbox is then told by its guid, or is
    /// taken to be that of the person who opened it.
    pub owner_recorded: bool,
    /// Messages or a whole folder.
    pub access_type: AccessType,
    /// Logging stopped for 24 hours with this record.
    pub throttled: bool,
    /// event.outcome.
    pub outcome: Option<String>,
    /// Who: UserId, which is an application for access without a user.
    pub user: Option<String>,
    /// UserType, a number as text; 5 is an application.
    pub user_type: Option<String>,
    /// LogonType, a number as text; 0 owner, 1 admin, 2 delegate.
    pub logon_type: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// ClientInfoString.
    pub client: Option<String>,
    /// SessionId, else the session of the sign-in.
    pub session: Option<String>,
    /// With what application.
    #[serde(flatten)]
    pub application: Application,
    /// Folders of the items, or the synchronised one, as they are shown.
    pub folders: Vec<String>,
    /// The synchronised folder with all that tells it apart; usually one, and none for other accesses.
    pub synced: Vec<Folder>,
    /// The messages.
    pub items: Vec<Item>,
    /// How many items the record says it stands for.
    pub operation_count: Option<i64>,
    /// The file that the record came in.
    pub source_file: Option<String>,
    /// Which record of that file.
    pub source_position: Option<i64>,
}

impl Access {
    /// Items that the record counts but does not name.
    pub fn unlisted_items(&self) -> u64 {
        let listed = i64::try_from(self.items.len()).unwrap_or(i64::MAX);
        match self.access_type {
            AccessType::Sync => 0,
            _ => self
                .operation_count
                .map_or(0, |count| u64::try_from(count.saturating_sub(listed)).unwrap_or(0)),
        }
    }
}

/// Adds the rows of a batch of `mail_accesses.sql`.
pub(super) fn decode(batch: &RecordBatch, accesses: &mut Vec<Access>) -> Result<()> {
    let rows = Rows { batch };
    let (time, owner_recorded, throttled) = (
        rows.times("access_time")?,
        rows.booleans("owner_recorded")?,
        rows.booleans("throttled")?,
    );
    let (operation_count, source_position) = (rows.numbers("operation_count")?, rows.numbers("source_position")?);
    let [
        event_id,
        mailbox,
        mailbox_guid,
        access_type,
        outcome,
        user,
        user_type,
        logon_type,
    ] = rows.all_texts([
        "event_id",
        "mailbox",
        "mailbox_guid",
        "access_type",
        "outcome",
        "accessed_by",
        "user_type",
        "logon_type",
    ])?;
    let [
        address,
        client,
        session,
        app_id,
        client_app_id,
        client_app_name,
        source_file,
    ] = rows.all_texts([
        "address",
        "client_info",
        "session_id",
        "app_id",
        "client_app_id",
        "client_app_name",
        "source_file",
    ])?;
    let [item_id, item_subject, folders] = rows.all_texts(["item_id", "item_subject", "folders"])?;
    let [parent_id, parent_path, parent_name] =
        rows.all_texts(["parent_folder_id", "parent_folder_path", "parent_folder_name"])?;
    let [folder_paths, message_ids, folder_item_ids] = [
        rows.lists("folder_paths")?,
        rows.lists("message_ids")?,
        rows.lists("folder_item_ids")?,
    ];
    for row in 0..batch.num_rows() {
        let columns = items::Columns {
            message_ids: list(&message_ids, row),
            folder_paths: list(&folder_paths, row),
            folder_item_ids: list(&folder_item_ids, row),
            parent_folder: Folder::new(text(&parent_id, row), text(&parent_path, row), text(&parent_name, row)),
            item_id: text(&item_id, row),
            item_subject: text(&item_subject, row),
        };
        let folders = items::parsed(text(&folders, row).as_deref());
        let all_folders = columns.folders(&folders);
        let access_type = AccessType::of(text(&access_type, row).as_deref());
        let items = match access_type {
            // What a synchronisation names is its folder.
            AccessType::Sync if columns.message_ids.is_empty() => Vec::new(),
            _ => items::of_record(&folders, &columns),
        };
        accesses.push(Access {
            time: time.value(row),
            event_id: text(&event_id, row),
            mailbox: text(&mailbox, row).unwrap_or_default(),
            mailbox_guid: text(&mailbox_guid, row),
            owner_recorded: owner_recorded.is_valid(row) && owner_recorded.value(row),
            access_type,
            throttled: throttled.is_valid(row) && throttled.value(row),
            outcome: text(&outcome, row),
            user: text(&user, row),
            user_type: text(&user_type, row),
            logon_type: text(&logon_type, row),
            address: text(&address, row),
            client: text(&client, row),
            session: text(&session, row),
            application: Application {
                client_app_id: text(&client_app_id, row),
                app_id: text(&app_id, row),
                client_app_name: text(&client_app_name, row),
            },
            folders: shown(&all_folders),
            synced: match access_type {
                AccessType::Sync => all_folders,
                _ => Vec::new(),
            },
            items,
            operation_count: number(&operation_count, row),
            source_file: text(&source_file, row),
            source_position: number(&source_position, row),
        });
    }
    Ok(())
}

/// What folders are shown as, each once.
fn shown(folders: &[Folder]) -> Vec<String> {
    let mut seen = HashSet::new();
    let shown = folders.iter().filter_map(Folder::display);
    shown.filter(|text| seen.insert(*text)).map(str::to_owned).collect()
}

/// The columns of a batch by name, in one encoding each.
pub(super) struct Rows<'a> {
    pub(super) batch: &'a RecordBatch,
}

impl Rows<'_> {
    fn column(&self, name: &str, data_type: &DataType) -> Result<ArrayRef> {
        let column = self.batch.column_by_name(name);
        let column = column.ok_or_else(|| Error::Internal(format!("the query returns no column {name}")))?;
        Ok(cast(column, data_type)?)
    }

    fn all_texts<const N: usize>(&self, names: [&str; N]) -> Result<[StringArray; N]> {
        let arrays = names
            .into_iter()
            .map(|name| self.texts(name))
            .collect::<Result<Vec<_>>>()?;
        arrays
            .try_into()
            .map_err(|_| Error::Internal("columns were lost".into()))
    }

    pub(super) fn texts(&self, name: &str) -> Result<StringArray> {
        Ok(self.column(name, &DataType::Utf8)?.as_string::<i32>().clone())
    }

    pub(super) fn booleans(&self, name: &str) -> Result<BooleanArray> {
        Ok(self.column(name, &DataType::Boolean)?.as_boolean().clone())
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Int64Array> {
        Ok(self.column(name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
    }

    /// Microseconds since the Unix epoch.
    pub(super) fn times(&self, name: &str) -> Result<Int64Array> {
        let micros = self.column(name, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        Ok(cast(&micros, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
    }

    fn lists(&self, name: &str) -> Result<ListArray> {
        Ok(self
            .column(name, &DataType::new_list(DataType::Utf8, true))?
            .as_list::<i32>()
            .clone())
    }
}

fn text(texts: &StringArray, row: usize) -> Option<String> {
    (texts.is_valid(row) && !texts.value(row).is_empty()).then(|| texts.value(row).to_owned())
}

pub(super) fn number(numbers: &Int64Array, row: usize) -> Option<i64> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

fn list(lists: &ListArray, row: usize) -> Vec<String> {
    if lists.is_null(row) {
        return Vec::new();
    }
    let values = lists.value(row);
    values
        .as_string::<i32>()
        .iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}
