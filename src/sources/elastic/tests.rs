//! Documents as Elasticsearch exports them, and the fields they become.

use super::super::testing::{mapped, try_map};

pub(in crate::sources) const DOCUMENT: &str = r#"{"_index":".ds-logs-o365.audit-default-2026.03.02-000001","_id":"x","_source":{"@timestamp":"2026-03-02T08:14:55.000Z","event":{"action":"MailItemsAccessed","category":["web","email"],"code":"ExchangeItemAggregated","id":"6a0e","ingested":"2026-03-02T09:00:00Z","original":"{}"},
 "organization":{"id":"9F"},"source":{"ip":"::ffff:198.51.100.7"},"user":{"id":"ann@contoso.example"},"o365.audit.ClientAppId":"dotted","o365":{"audit":{"ClientAppId":"nested","UserType":0,"OperationCount":"2",
 "OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"True"}],"Parameters":{"ForwardTo":"x@evil.example","Other":"y"},
 "ExchangeAggregatedFolders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<m1@x>"},{"InternetMessageId":"<m2@x>"}]}]}},"raw":"mine","source_file":"mine"}}"#;

pub(in crate::sources) const ALERT: &str = r#"{"@timestamp":"2026-03-02T08:20:00.000Z","event":{"id":"6a0e","dataset":"o365.audit","action":"MailItemsAccessed"},"event.kind":"signal","kibana.alert.uuid":"uu1","kibana.alert.rule.name":"External Alerts",
 "kibana.alert.rule.uuid":"ru1","kibana.alert.severity":"high","kibana.alert.risk_score":73,"kibana.alert.original_time":"2026-03-02T08:14:55.000Z","kibana.alert.original_event.action":"MailItemsAccessed","kibana.alert.ancestors":[{"id":"a1","index":"i","depth":0}],"source":{"ip":"198.51.100.7"}}"#;

#[test]
fn document() {
    let event = mapped(DOCUMENT);
    assert_eq!(event.source, "ecs");
    assert_eq!(
        (event.identity.organization.as_str(), event.identity.id.as_deref()),
        ("9f", Some("6a0e"))
    );
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:55Z"),
        ("event.dataset", "o365.audit"),
        ("event.module", "o365"),
        ("event.category", "[web, email]"),
        ("source.ip", "198.51.100.7"),
        ("o365.audit.ClientAppId", "dotted"),
        ("o365.audit.UserType", "0"),
        ("o365.audit.OperationCount", "2"),
        (
            "o365.audit.OperationProperties",
            "[MailAccessType=Bind, IsThrottled=True]",
        ),
        ("o365.audit.mail_access_type", "Bind"),
        ("o365.audit.is_throttled", "true"),
        ("o365.audit.Parameters.ForwardTo", "x@evil.example"),
        ("o365.audit.Parameters", "[ForwardTo=x@evil.example, Other=y]"),
        ("o365.audit.Folders.Path", "[\\Inbox]"),
        ("email.message_id", "[<m1@x>, <m2@x>]"),
        ("o365.audit.Operation", "MailItemsAccessed"),
        ("raw", "-"),
        ("source_file", "-"),
        ("event.ingested", "-"),
    ]);
}

#[test]
fn fields_of_a_search() {
    mapped(
        r#"{"_index":"logs-azure.signinlogs-default","fields":{"@timestamp":["2026-03-02T08:14:55.000Z"],"data_stream.dataset":["azure.signinlogs"],"azure.tenant_id":["9F"],"event.id":["s1"],
        "azure.signinlogs.properties.status.error_code":[50126],"azure.signinlogs.properties.id":["s1"],"event.category":["authentication"]}}"#,
    )
    .expect(&[
        ("event.dataset", "azure.signinlogs"),
        ("azure.signinlogs.properties.status.error_code", "50126"),
        ("retrohunt.logon_failed", "true"),
        ("event.category", "[authentication]"),
    ]);
    mapped(
        r#"{"fields":{"@timestamp":[1772439295000],"o365.audit.OperationProperties.Name":["MailAccessType","IsThrottled"],"o365.audit.OperationProperties.Value":["Sync","False"],"event.action":["added-user-account"]}}"#,
    )
    .expect(&[
        ("@timestamp", "2026-03-02T08:14:55Z"),
        ("event.dataset", "o365.audit"),
        ("o365.audit.mail_access_type", "Sync"),
        ("o365.audit.is_throttled", "false"),
        ("o365.audit.Operation", "Add user."),
    ]);
}

#[test]
fn before_the_pipeline() {
    let record = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"6a0e","Operation":"Set-Mailbox","RecordType":1,"UserType":2,"Workload":"Exchange"}"#;
    let text = sonic_rs::to_string(record).unwrap();
    for document in [
        format!(r#"{{"@timestamp":"2026-03-02T09:00:00Z","message":{text},"event":{{"dataset":"o365.audit"}}}}"#),
        format!(r#"{{"_index":"i","_source":{{"@timestamp":"2026-03-02T09:00:00Z","event":{{"original":{text}}}}}}}"#),
        format!(r#"{{"@timestamp":"2026-03-02T09:00:00Z","event.original":{text}}}"#),
    ] {
        let event = mapped(&document);
        assert_eq!(event.source, "elastic_agent_message", "{document}");
        event.expect(&[
            ("@timestamp", "2026-03-02T08:14:55Z"),
            ("event.dataset", "o365.audit"),
            ("event.action", "Set-Mailbox"),
        ]);
    }
    // What a pipeline has mapped keeps its fields, and a message that is no record is one.
    let processed = format!(
        r#"{{"@timestamp":"2026-03-02T09:00:00Z","event":{{"kind":"event","original":{text}}},"message":"x"}}"#
    );
    assert_eq!(mapped(&processed).source, "ecs");
    assert_eq!(
        mapped(r#"{"@timestamp":"2026-03-02T09:00:00Z","message":"{\"level\":\"info\"}"}"#).source,
        "ecs"
    );
}

#[test]
fn alert() {
    let event = mapped(ALERT);
    assert_eq!(event.source, "elastic_alert");
    assert_eq!(
        (event.identity.organization.as_str(), event.identity.id.as_deref()),
        ("", Some("uu1"))
    );
    event.expect(&[
        ("event.kind", "signal"),
        ("event.id", "6a0e"),
        ("event.dataset", "o365.audit"),
        ("kibana.alert.rule.name", "External Alerts"),
        ("kibana.alert.risk_score", "73"),
        ("kibana.alert.original_time", "2026-03-02T08:14:55Z"),
        ("kibana.alert.original_event.action", "MailItemsAccessed"),
        ("kibana.alert.ancestors.id", "[a1]"),
        ("source.ip", "198.51.100.7"),
    ]);
    let older = mapped(
        r#"{"_id":"old1","_source":{"@timestamp":"2020-03-02T08:20:00Z","signal":{"rule":{"name":"R","id":"ru","risk_score":21}}}}"#,
    );
    assert_eq!(
        (older.source, older.identity.id.as_deref()),
        ("elastic_alert", Some("old1"))
    );
    older.expect(&[
        ("kibana.alert.rule.name", "R"),
        ("kibana.alert.risk_score", "21"),
        ("event.dataset", "generic"),
    ]);
}

#[test]
fn without_a_readable_time() {
    let error = try_map(r#"{"@timestamp":"Feb 7, 2020 @ 16:43:53.000"}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.to_string(), "no readable time in @timestamp");
}
