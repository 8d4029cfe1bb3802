//! Exports of the unified audit log: rows that carry the audit record as `AuditData`.
//!
//! Search-UnifiedAuditLog writes it as text or, expanded by collectors, as an object; the
//! Purview portal and its predecessor write CSV with other columns around it. The record
//! inside is the event, whatever stands beside it: the columns repeat it, with local
//! dates and sometimes other names. Spellings differ, so each export has its own name.

use super::{Identity, Json, Rejection, Source, json, o365_audit};
use crate::schema::EventRow;
use std::borrow::Cow;

/// One kind of row around an audit record.
#[derive(Debug)]
pub(crate) struct Export {
    name: &'static str,
    recognised_by: &'static str,
    /// Keys that every row has. The first is that of exports which are listed beside it as well.
    keys: &'static [&'static str],
    /// The key of the record inside.
    content: &'static str,
    /// True where the record inside is an object rather than text.
    expanded: bool,
}

/// Search-UnifiedAuditLog with AuditData expanded to an object.
pub(crate) static UAL_OBJECT: Export = Export {
    name: "ual_audit_data_object",
    recognised_by: "CreationDate, UserIds, Operations and AuditData, an object",
    keys: &["CreationDate", "UserIds", "Operations", "AuditData"],
    content: "AuditData",
    expanded: true,
};

/// Search-UnifiedAuditLog as it comes.
pub(crate) static UAL_TEXT: Export = Export {
    name: "ual_audit_data_text",
    recognised_by: "CreationDate, UserIds, Operations, Identity and AuditData, a text",
    keys: &["CreationDate", "UserIds", "Operations", "Identity"],
    content: "AuditData",
    expanded: false,
};

/// The four columns of the old security and compliance portal.
pub(crate) static LEGACY_PORTAL: Export = Export {
    name: "ual_legacy_csv",
    recognised_by: "CreationDate, UserIds, Operations and AuditData, without Identity",
    keys: &["CreationDate", "UserIds", "Operations"],
    content: "AuditData",
    expanded: false,
};

/// The Purview portal.
pub(crate) static PURVIEW: Export = Export {
    name: "purview_csv",
    recognised_by: "RecordId, CreationDate, UserId and AuditData",
    keys: &["CreationDate", "RecordId", "UserId", "AuditData"],
    content: "AuditData",
    expanded: false,
};

/// Microsoft Graph's audit log queries.
pub(crate) static GRAPH: Export = Export {
    name: "graph_audit_log_record",
    recognised_by: "auditLogRecordType, createdDateTime and auditData, an object",
    keys: &["auditLogRecordType", "createdDateTime", "auditData"],
    content: "auditData",
    expanded: true,
};

/// As [`GRAPH`], in a CSV file.
pub(crate) static GRAPH_TEXT: Export = Export {
    name: "graph_audit_log_record_csv",
    recognised_by: "auditLogRecordType, createdDateTime and auditData, a text",
    keys: &["auditLogRecordType", "createdDateTime", "auditData"],
    content: "auditData",
    expanded: false,
};

/// Elastic's agent before its pipeline has run.
pub(crate) static AGENT: Export = Export {
    name: "elastic_agent_o365",
    recognised_by: "o365audit, an object",
    keys: &["o365audit"],
    content: "o365audit",
    expanded: true,
};

impl Source for Export {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognised_by(&self) -> &'static str {
        self.recognised_by
    }

    fn one_of(&self) -> &'static [&'static str] {
        &self.keys[..1]
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        let expanded = || record.get(self.content).is_some_and(|content| content.is_object());
        json::has_all(record, self.keys) && expanded() == self.expanded
    }

    fn content<'a>(&self, record: Json<'a>, text: &'a str) -> Result<Option<Cow<'a, str>>, Rejection> {
        let missing = || Rejection::NoContent(self.content);
        let content = json::get(record, self.content).ok_or_else(missing)?;
        if content.is_object() {
            // Byte for byte, where there is a text.
            return Ok(Some(match sonic_rs::get(text, [self.content]) {
                Ok(own) => own.as_raw_cow(),
                Err(_) => Cow::Owned(content.to_json()),
            }));
        }
        let inner = content
            .as_str()
            .map(str::trim)
            .filter(|inner| !inner.is_empty())
            .ok_or_else(missing)?;
        Ok(Some(decoded(inner)))
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        o365_audit::map(record, row)
    }
}

/// The record in a text, out of the strings that it was encoded in once more.
fn decoded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    while text.starts_with('"') {
        match sonic_rs::from_str::<String>(&text) {
            Ok(inner) => text = Cow::Owned(inner.trim().to_owned()),
            Err(_) => break,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Recognised, recognise};
    use super::*;
    use crate::schema::EVENT_ID;

    const RECORD: &str = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"6a0e0d2b-1111-4c4c-9d1a-08de5555aaaa","Operation":"Set-Mailbox","OrganizationId":"9F000000-0000-4000-8000-000000000001","RecordType":1,"Workload":"Exchange","ObjectId":"EURPR\/x"}"#;

    fn check(row: &str, name: &str, content: &str) {
        let json = super::super::parse(row).unwrap();
        let Ok(Recognised::Event(source)) = recognise(json.root()) else {
            panic!("not recognised: {row}")
        };
        assert_eq!(source.name(), name);
        let found = source.content(json.root(), row).unwrap().unwrap();
        assert_eq!(found, content);
        let record = super::super::parse(&found).unwrap();
        let mut event = EventRow::new();
        let identity = source.map(record.root(), &mut event).unwrap();
        assert_eq!(identity.organization, "9f000000-0000-4000-8000-000000000001");
        assert_eq!(identity.id.as_deref(), Some("6a0e0d2b-1111-4c4c-9d1a-08de5555aaaa"));
        assert_eq!(event.get_text(EVENT_ID), identity.id.as_deref());
    }

    #[test]
    fn every_export() {
        let escaped = sonic_rs::to_string(RECORD).unwrap();
        let spaced = RECORD.replace(",", " ,\n ");
        let outer =
            r#""CreationDate":"3/2/2026 8:14:55 AM","UserIds":"ann@contoso.example","Operations":"Set-Mailbox""#;
        check(
            &format!(r#"{{{outer},"AuditData":{escaped},"Identity":"x"}}"#),
            "ual_audit_data_text",
            RECORD,
        );
        check(
            &format!(r#"{{{outer},"AuditData":{spaced},"Identity":"x"}}"#),
            "ual_audit_data_object",
            &spaced,
        );
        check(
            &format!(r#"{{{outer},"AuditData":{escaped}}}"#),
            "ual_legacy_csv",
            RECORD,
        );
        check(
            &format!(
                r#"{{"RecordId":"x","CreationDate":"2026-03-02T08:14:55Z","RecordType":"1","Operation":"Set-Mailbox","UserId":"ann","AuditData":{escaped},"AssociatedAdminUnits":""}}"#
            ),
            "purview_csv",
            RECORD,
        );
        check(
            &format!(
                r#"{{"id":"x","createdDateTime":"2026-03-02T08:14:55Z","auditLogRecordType":"exchangeAdmin","auditData":{RECORD}}}"#
            ),
            "graph_audit_log_record",
            RECORD,
        );
        check(
            &format!(r#"{{"@timestamp":"2026-03-02T09:00:00Z","o365audit":{RECORD}}}"#),
            "elastic_agent_o365",
            RECORD,
        );
    }

    #[test]
    fn without_content() {
        for data in [
            r#","AuditData":"""#,
            r#","AuditData":null"#,
            r#","AuditData":"  ""#,
            r#","AuditData":7"#,
            "",
        ] {
            let row = format!(r#"{{"CreationDate":"x","UserIds":"x","Operations":"x","Identity":"x"{data}}}"#);
            let json = super::super::parse(&row).unwrap();
            let Ok(Recognised::Event(source)) = recognise(json.root()) else {
                panic!("not recognised: {row}")
            };
            assert_eq!(
                source.content(json.root(), &row),
                Err(Rejection::NoContent("AuditData")),
                "{row}"
            );
        }
    }

    #[test]
    fn content_that_is_no_record() {
        for content in ["[]", "7", "{}", r#"{"CreationTime":true}"#] {
            let record = super::super::parse(content).unwrap();
            assert!(UAL_TEXT.map(record.root(), &mut EventRow::new()).is_err(), "{content}");
        }
    }
}
