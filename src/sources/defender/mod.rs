//! Microsoft Defender XDR advanced hunting: the tables CloudAppEvents,
//! AADSignInEventsBeta, EntraIdSignInEvents and AlertEvidence, as the streaming API
//! delivers them and as queries export them.
//!
//! Every column keeps its Microsoft name in snake case under `m365_defender.event`, and
//! the ones with an obvious ECS counterpart fill that too. Both sign-in tables share one
//! dataset: the newer replaces the older and holds the same events.

mod columns;
mod tables;

use super::{Carried, Identity, Json, Rejection, Source, json, log_analytics};
use crate::schema::*;
use tables::Table;

/// A record of the streaming API: an envelope around one row of a table.
#[derive(Debug)]
pub(crate) struct Streaming {
    name: &'static str,
    table: Table,
}

/// CloudAppEvents through the streaming API.
pub(crate) static STREAMED_CLOUD_APP_EVENTS: Streaming = Streaming {
    name: "defender_streaming_cloud_app_events",
    table: Table::CloudAppEvents,
};
/// AADSignInEventsBeta through the streaming API.
pub(crate) static STREAMED_AAD_SIGN_IN_EVENTS_BETA: Streaming = Streaming {
    name: "defender_streaming_aad_sign_in_events_beta",
    table: Table::AadSignInEventsBeta,
};
/// EntraIdSignInEvents through the streaming API.
pub(crate) static STREAMED_ENTRA_ID_SIGN_IN_EVENTS: Streaming = Streaming {
    name: "defender_streaming_entra_id_sign_in_events",
    table: Table::EntraIdSignInEvents,
};
/// AlertEvidence through the streaming API.
pub(crate) static STREAMED_ALERT_EVIDENCE: Streaming = Streaming {
    name: "defender_streaming_alert_evidence",
    table: Table::AlertEvidence,
};

impl Source for Streaming {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognised_by(&self) -> &'static str {
        match self.table {
            Table::CloudAppEvents => "category AdvancedHunting-CloudAppEvents and properties",
            Table::AadSignInEventsBeta => "category AdvancedHunting-AADSignInEventsBeta and properties",
            Table::EntraIdSignInEvents => "category AdvancedHunting-EntraIdSignInEvents and properties",
            Table::AlertEvidence => "category AdvancedHunting-AlertEvidence and properties",
        }
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        streamed_table(record) == Some(self.table.name())
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let properties = json::get(record, "properties").ok_or(Rejection::NoContent("properties"))?;
        for (key, field) in [
            ("category", M365_DEFENDER_EVENT_CATEGORY),
            ("time", M365_DEFENDER_EVENT_TIME),
            ("operationName", M365_DEFENDER_EVENT_OPERATION_NAME),
            ("tenantId", M365_DEFENDER_EVENT_TENANT_ID),
            ("Tenant", M365_DEFENDER_EVENT_TENANT_NAME),
        ] {
            if let Some(value) = json::get(record, key) {
                json::put(row, field, value);
            }
        }
        self.table.map(properties, row)
    }

    fn carried<'a>(&self, record: Json<'_>, text: &'a str) -> Option<Carried<'a>> {
        self.table.carried(record.get("properties")?, text, &["properties"])
    }
}

/// The table that a record of the streaming API is from.
fn streamed_table(record: Json<'_>) -> Option<&str> {
    let category = record.get("category")?.as_str()?;
    record.get("properties")?;
    category.strip_prefix("AdvancedHunting-")
}

/// A record of the streaming API from a table that is not mapped.
#[derive(Debug)]
pub(crate) struct OtherStreaming;

impl Source for OtherStreaming {
    fn name(&self) -> &'static str {
        "defender_streaming"
    }

    fn recognised_by(&self) -> &'static str {
        "category AdvancedHunting-, any other table, and properties"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        streamed_table(record).is_some()
    }

    fn map<'a>(&self, record: Json<'a>, _row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let table = streamed_table(record).unwrap_or_default();
        Err(Rejection::Unsupported(format!(
            "Defender table {table:?} is not mapped; mapped are CloudAppEvents, AADSignInEventsBeta, EntraIdSignInEvents and AlertEvidence"
        )))
    }
}

/// One row of a query's result.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    recognised_by: &'static str,
    table: Table,
    /// True where every value is text, as in the CSV files of the portal.
    text: bool,
}

macro_rules! rows {
    ($($constant:ident = $name:literal, $table:ident, $text:literal, $keys:literal;)*) => {
        $(
            #[doc = concat!("Rows of ", stringify!($table), ", told by ", $keys, ".")]
            pub(crate) static $constant: Row =
                Row { name: $name, recognised_by: $keys, table: Table::$table, text: $text };
        )*
    };
}

rows! {
    CLOUD_APP_EVENTS_TEXT = "defender_cloud_app_events_csv", CloudAppEvents, true,
        "Timestamp, ActionType and RawEventData or AccountObjectId with Application, all text";
    CLOUD_APP_EVENTS = "defender_cloud_app_events", CloudAppEvents, false,
        "Timestamp, ActionType and RawEventData or AccountObjectId with Application";
    ENTRA_ID_SIGN_IN_EVENTS_TEXT = "defender_entra_id_sign_in_events_csv", EntraIdSignInEvents, true,
        "Timestamp, ErrorCode, a sign-in column and UniqueTokenId or IsThroughGlobalSecureAccess, all text";
    ENTRA_ID_SIGN_IN_EVENTS = "defender_entra_id_sign_in_events", EntraIdSignInEvents, false,
        "Timestamp, ErrorCode, a sign-in column and UniqueTokenId or IsThroughGlobalSecureAccess";
    AAD_SIGN_IN_EVENTS_BETA_TEXT = "defender_aad_sign_in_events_beta_csv", AadSignInEventsBeta, true,
        "Timestamp, ErrorCode and RequestId, LogonType, AccountUpn or RiskLevelDuringSignIn, all text";
    AAD_SIGN_IN_EVENTS_BETA = "defender_aad_sign_in_events_beta", AadSignInEventsBeta, false,
        "Timestamp, ErrorCode and RequestId, LogonType, AccountUpn or RiskLevelDuringSignIn";
    ALERT_EVIDENCE = "defender_alert_evidence", AlertEvidence, false,
        "Timestamp, AlertId and EntityType";
}

impl Source for Row {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognised_by(&self) -> &'static str {
        self.recognised_by
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        self.table.has_row(record) && (!self.text || self.table.is_text(record))
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        self.table.map(record, row)
    }

    fn carried<'a>(&self, record: Json<'_>, text: &'a str) -> Option<Carried<'a>> {
        self.table.carried(record, text, &[])
    }
}

/// A row of a workspace of Log Analytics, which adds columns of its own.
#[derive(Debug)]
pub(crate) struct Workspace {
    name: &'static str,
    recognised_by: &'static str,
    /// As in [`Row`].
    text: bool,
}

/// Rows of a workspace, as the portal's CSV has them.
pub(crate) static WORKSPACE_TEXT: Workspace = Workspace {
    name: "log_analytics_defender_text",
    recognised_by: "TimeGenerated and Type, a table of Defender; all text",
    text: true,
};
/// Rows of a workspace.
pub(crate) static WORKSPACE: Workspace = Workspace {
    name: "log_analytics_defender",
    recognised_by: "TimeGenerated and Type, a table of Defender",
    text: false,
};

impl Source for Workspace {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognised_by(&self) -> &'static str {
        self.recognised_by
    }

    fn one_of(&self) -> &'static [&'static str] {
        log_analytics::TIME
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        record.get("TimeGenerated").is_some()
            && workspace_table(record).is_some_and(|table| !self.text || table.is_text(record))
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let table = workspace_table(record).ok_or(Rejection::NoContent("Type"))?;
        table.map(record, row)
    }
}

fn workspace_table(record: Json<'_>) -> Option<Table> {
    Table::of_name(json::str_of(record, "Type")?)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::sources) use tests::*;
