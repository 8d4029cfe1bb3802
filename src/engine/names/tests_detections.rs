//! The built-in detections' SELECTs over a handful of events in memory: what passes them.

use super::*;
use crate::engine::raw_field::raw_field_udf;
use crate::functions::register_all;
use crate::schema::{CATALOGUE, Cell, FieldType};
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringArray, StringViewBuilder,
    StructBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::TableReference;
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as PlannerStatement;
use std::borrow::Cow;
use std::sync::Arc;

type Event = Vec<(&'static str, Cell<'static>)>;

fn text(value: &'static str) -> Cell<'static> {
    Cell::Text(Cow::Borrowed(value))
}

fn texts(values: &[&'static str]) -> Cell<'static> {
    Cell::Texts(values.iter().map(|value| Cow::Borrowed(*value)).collect())
}

fn pairs(values: &[(&'static str, &'static str)]) -> Cell<'static> {
    Cell::Pairs(
        values
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), Some(Cow::Borrowed(*value))))
            .collect(),
    )
}

/// A copy of an event with some fields changed.
fn with(event: &Event, id: &'static str, changes: &[(&'static str, Cell<'static>)]) -> Event {
    let mut changed = event.clone();
    for (name, cell) in [("event.id", text(id))].iter().chain(changes) {
        changed.retain(|(field, _)| field != name);
        changed.push((name, cell.clone()));
    }
    changed
}

fn without(event: &Event, id: &'static str, field: &str) -> Event {
    let mut changed = with(event, id, &[]);
    changed.retain(|(name, _)| *name != field);
    changed
}

/// One column of the events, with the type that the lake gives it.
fn column(field: &crate::schema::Field, events: &[Event]) -> ArrayRef {
    let cells = events
        .iter()
        .map(|event| event.iter().find(|(name, _)| *name == field.ecs).map(|(_, cell)| cell));
    match field.data_type {
        FieldType::Keyword | FieldType::Ip => {
            let mut column = StringViewBuilder::new();
            cells.for_each(|cell| {
                column.append_option(cell.map(|cell| match cell {
                    Cell::Text(value) => value.as_ref(),
                    other => panic!("{}: {other:?}", field.ecs),
                }))
            });
            Arc::new(column.finish())
        }
        FieldType::Keywords => {
            let mut column = ListBuilder::new(StringViewBuilder::new());
            for cell in cells {
                if let Some(Cell::Texts(values)) = cell {
                    values.iter().for_each(|value| column.values().append_value(value));
                }
                column.append(cell.is_some());
            }
            Arc::new(column.finish())
        }
        FieldType::Pairs => {
            let fields: Fields = ["name", "value"]
                .map(|name| Field::new(name, DataType::Utf8View, true))
                .to_vec()
                .into();
            let mut column = ListBuilder::new(StructBuilder::from_fields(fields, 0));
            for cell in cells {
                if let Some(Cell::Pairs(values)) = cell {
                    for (name, value) in values {
                        let pair = column.values();
                        pair.field_builder::<StringViewBuilder>(0).unwrap().append_value(name);
                        pair.field_builder::<StringViewBuilder>(1)
                            .unwrap()
                            .append_option(value.as_deref());
                        pair.append(true);
                    }
                }
                column.append(cell.is_some());
            }
            Arc::new(column.finish())
        }
        FieldType::Long => {
            let mut column = Int64Builder::new();
            cells.for_each(|cell| {
                column.append_option(cell.map(|cell| match cell {
                    Cell::Long(value) => *value,
                    other => panic!("{}: {other:?}", field.ecs),
                }))
            });
            Arc::new(column.finish())
        }
        FieldType::Double => {
            let mut column = Float64Builder::new();
            cells.for_each(|_| column.append_null());
            Arc::new(column.finish())
        }
        FieldType::Boolean => {
            let mut column = BooleanBuilder::new();
            cells.for_each(|_| column.append_null());
            Arc::new(column.finish())
        }
        FieldType::Timestamp => {
            let mut column = TimestampMicrosecondBuilder::new().with_timezone("UTC");
            cells.for_each(|cell| {
                column.append_option(cell.map(|cell| match cell {
                    Cell::Timestamp(value) => *value,
                    other => panic!("{}: {other:?}", field.ecs),
                }))
            });
            Arc::new(column.finish())
        }
    }
}

/// The values of one output column of a detection over these events, sorted.
async fn found(id: &str, events: &[Event], output: &str) -> Vec<String> {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    let mut context = SessionContext::new_with_config(config);
    register_all(&mut context).unwrap();
    context.register_udf(raw_field_udf());
    let columns = CATALOGUE
        .fields()
        .iter()
        .map(|field| (field.column.clone(), column(field, events), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let apps: ArrayRef = Arc::new(StringArray::from(vec!["known-app"]));
    let apps = RecordBatch::try_from_iter([("app_id", apps)]).unwrap();
    let mut known = Vec::new();
    for (name, batch) in [("events", batch), ("first_party_apps", apps)] {
        known.push((name.to_owned(), batch.schema()));
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        context
            .register_table(TableReference::bare(name), Arc::new(table))
            .unwrap();
    }
    for name in ["CloudAppEvents", "AADSignInEventsBeta", "AlertEvidence"] {
        let mut statement = parse_query(&file("views", name)).unwrap();
        Names::new(&known).resolve(&mut statement, None).unwrap();
        let statement = PlannerStatement::Statement(Box::new(statement));
        let plan = context.state().statement_to_plan(statement).await.unwrap();
        known.push((name.to_owned(), Arc::clone(plan.schema().inner())));
        context
            .register_table(TableReference::bare(name), Arc::new(ViewTable::new(plan, None)))
            .unwrap();
    }
    // The header is a comment.
    let mut statement = parse_query(&file("detections", id)).unwrap();
    let resolution = Names::new(&known).resolve(&mut statement, None).unwrap();
    assert_eq!(resolution.raw_fields, [""; 0], "{id} reads fields without a column");
    let plan = context
        .state()
        .statement_to_plan(PlannerStatement::Statement(Box::new(statement)))
        .await
        .unwrap();
    let batches = context
        .execute_logical_plan(plan)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let mut values = Vec::new();
    for batch in &batches {
        let column = batch.column_by_name(output).unwrap();
        for row in 0..column.len() {
            values.push(array_value_to_string(column, row).unwrap());
        }
    }
    values.sort();
    values
}

fn file(folder: &str, name: &str) -> String {
    std::fs::read_to_string(format!("{}/sql/{folder}/{name}.sql", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn mail_access() -> Event {
    vec![
        ("@timestamp", Cell::Timestamp(1_709_287_200_000_000)),
        ("event.dataset", text("o365.audit")),
        ("event.id", text("base")),
        ("event.provider", text("Exchange")),
        ("event.category", texts(&["web", "email"])),
        ("event.action", text("MailItemsAccessed")),
        ("event.code", text("ExchangeItemAggregated")),
        ("event.outcome", text("success")),
        ("source.ip", text("8.8.8.8")),
        ("o365.audit.LogonType", text("0")),
        ("o365.audit.UserType", text("0")),
        ("o365.audit.ClientAppId", text("odd-app")),
        (
            "o365.audit.OperationProperties",
            pairs(&[("MailAccessType", "Bind"), ("IsThrottled", "False")]),
        ),
        ("o365.audit.OperationCount", Cell::Long(3)),
    ]
}

#[tokio::test]
async fn unusual_client_app() {
    let base = mail_access();
    let events = [
        with(&base, "fires", &[]),
        with(
            &base,
            "other-name",
            &[("o365.audit.OperationProperties", pairs(&[("Any", "Bind")]))],
        ),
        with(
            &base,
            "sync",
            &[("o365.audit.OperationProperties", pairs(&[("MailAccessType", "Sync")]))],
        ),
        with(&base, "delegate", &[("o365.audit.LogonType", text("2"))]),
        with(&base, "known", &[("o365.audit.ClientAppId", text("known-app"))]),
        with(&base, "failed", &[("event.outcome", text("failure"))]),
        with(&base, "category", &[("event.category", texts(&["email"]))]),
        without(&base, "no-app", "o365.audit.ClientAppId"),
    ];
    assert_eq!(
        found("unusual_client_app", &events, "event.id").await,
        ["fires", "other-name"]
    );
}

#[tokio::test]
async fn excessive_mail_items() {
    let base = mail_access();
    let throttled = |pair| ("o365.audit.OperationProperties", pairs(&[pair, ("Other", "True")]));
    let events = [
        with(&base, "few", &[]),
        with(&base, "99", &[("o365.audit.OperationCount", Cell::Long(99))]),
        with(&base, "100", &[("o365.audit.OperationCount", Cell::Long(100))]),
        with(&base, "throttled", &[throttled(("IsThrottled", "True"))]),
        with(&base, "unpaired", &[throttled(("IsThrottled", "False"))]),
        with(
            &base,
            "code",
            &[throttled(("IsThrottled", "True")), ("event.code", text("ExchangeItem"))],
        ),
        without(
            &with(&base, "", &[throttled(("IsThrottled", "True"))]),
            "no-count",
            "o365.audit.OperationCount",
        ),
    ];
    assert_eq!(
        found("excessive_mail_items", &events, "event.id").await,
        ["100", "no-count", "throttled"]
    );
}

fn source(id: &'static str, ip: &'static str, dataset: &'static str, more: &[(&'static str, Cell<'static>)]) -> Event {
    let base = vec![
        ("@timestamp", Cell::Timestamp(1_709_287_200_000_000)),
        ("event.outcome", text("success")),
    ];
    let mut event = with(&base, id, &[("source.ip", text(ip)), ("event.dataset", text(dataset))]);
    event.extend(more.iter().cloned());
    event
}

#[tokio::test]
async fn suspicious_source() {
    let mail = [
        ("event.action", text("MailItemsAccessed")),
        ("event.category", texts(&["web", "email"])),
    ];
    let alert = [
        ("kibana.alert.rule.name", text("External Alerts")),
        ("event.category", texts(&["network", "web"])),
    ];
    let failed = [("event.outcome", text("failure"))];
    let mut failed_sign_in = source("f1", "1.0.0.5", "azure.signinlogs", &[]);
    failed_sign_in = with(&failed_sign_in, "f1", &failed);
    let events = [
        // Mail access and an alert.
        source("a1", "1.0.0.1", "o365.audit", &mail),
        source("a2", "1.0.0.1", "suricata.eve", &alert),
        // A sign-in and an alert: two datasets.
        source("b1", "1.0.0.2", "azure.signinlogs", &[]),
        source("b2", "1.0.0.2", "suricata.eve", &alert),
        // No network alert: the alert copies an o365 event.
        source("c1", "1.0.0.3", "azure.signinlogs", &[]),
        source("c2", "1.0.0.3", "o365.audit", &alert),
        // Private address.
        source("d1", "10.0.0.4", "o365.audit", &mail),
        source("d2", "10.0.0.4", "suricata.eve", &alert),
        // Failed sign-in.
        failed_sign_in,
        source("f2", "1.0.0.5", "suricata.eve", &alert),
        // The same address in two spellings.
        source("g1", "2001:4860:0:0::8", "o365.audit", &mail),
        source("g2", "2001:4860::8", "suricata.eve", &alert),
        // Another rule's alert, and no address.
        source(
            "h1",
            "1.0.0.1",
            "suricata.eve",
            &[("kibana.alert.rule.name", text("Other"))],
        ),
        without(&source("i1", "1.0.0.1", "o365.audit", &mail), "i1", "source.ip"),
    ];
    assert_eq!(
        found("suspicious_source", &events, "source.ip").await,
        ["1.0.0.1", "1.0.0.2", "2001:4860::8"]
    );
    assert_eq!(
        found("suspicious_source", &events, "event_ids").await,
        ["[a1, a2]", "[b1, b2]", "[g1, g2]"]
    );
    assert_eq!(
        found("suspicious_source", &events, "categories").await,
        ["[email, network, web]", "[email, network, web]", "[network, web]"]
    );
    assert_eq!(
        found("suspicious_source", &events, "event_count").await,
        ["2", "2", "2"]
    );
}

#[tokio::test]
async fn risky_mailbox_rule() {
    let change = vec![
        ("@timestamp", Cell::Timestamp(1_709_287_200_000_000)),
        ("event.dataset", text("m365_defender.cloud_app_events")),
        ("event.action", text("New-InboxRule")),
        ("m365_defender.event.account_object_id", text("victim")),
        ("m365_defender.event.application_id", Cell::Long(20893)),
        ("m365_defender.event.report_id", text("fires")),
        (
            "raw",
            text(r#"{"properties":{"RawEventData":{"AppAccessContext":{"AADSessionId":"0A1B-22"}}}}"#),
        ),
    ];
    let sign_in = vec![
        ("@timestamp", Cell::Timestamp(1_709_287_200_000_000)),
        ("event.dataset", text("m365_defender.sign_in_events")),
        ("source.address", text("1.0.0.1")),
        ("m365_defender.event.account_object_id", text("victim")),
        ("m365_defender.event.session_id", text("0a1b-22")),
        ("m365_defender.event.risk_level_during_sign_in", Cell::Long(10)),
    ];
    let evidence = vec![
        ("@timestamp", Cell::Timestamp(1_709_287_200_000_000)),
        ("event.dataset", text("m365_defender.alert_evidence")),
        ("m365_defender.event.account_object_id", text("victim")),
    ];
    let report = |id| ("m365_defender.event.report_id", text(id));
    let changes = [
        with(&change, "1", &[]),
        with(
            &change,
            "2",
            &[
                report("other-session"),
                ("raw", text(r#"{"RawEventData":"0a1b-223 x0a1b-22"}"#)),
            ],
        ),
        with(
            &change,
            "3",
            &[report("other-action"), ("event.action", text("MailItemsAccessed"))],
        ),
        with(
            &change,
            "4",
            &[
                report("other-user"),
                ("m365_defender.event.account_object_id", text("x")),
            ],
        ),
        with(
            &change,
            "5",
            &[
                report("other-app"),
                ("m365_defender.event.application_id", Cell::Long(1)),
            ],
        ),
    ];
    let hunt = async |sign_in: Event, evidence: &[Event]| {
        let mut events = changes.to_vec();
        events.push(sign_in);
        events.extend_from_slice(evidence);
        found("risky_mailbox_rule", &events, "ReportId").await
    };
    let evidence = [evidence];
    assert_eq!(hunt(with(&sign_in, "s", &[]), &evidence).await, ["fires"]);
    assert_eq!(
        hunt(
            with(&sign_in, "s", &[("m365_defender.event.is_managed", Cell::Long(0))]),
            &evidence
        )
        .await,
        ["fires"]
    );
    for quiet in [
        ("m365_defender.event.is_managed", Cell::Long(1)),
        ("m365_defender.event.is_compliant", Cell::Long(1)),
        ("m365_defender.event.device_trust_type", text("Azure AD joined")),
        ("m365_defender.event.risk_level_during_sign_in", Cell::Long(1)),
        ("source.address", text("")),
        ("m365_defender.event.account_object_id", text("x")),
    ] {
        assert_eq!(
            hunt(with(&sign_in, "s", std::slice::from_ref(&quiet)), &evidence).await,
            [""; 0],
            "{quiet:?}"
        );
    }
    assert_eq!(hunt(with(&sign_in, "s", &[]), &[]).await, [""; 0]);
}
