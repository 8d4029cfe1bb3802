//! Suricata's EVE log (`eve.json`): alerts of the network sensor and the traffic around them.
//!
//! The mapping follows Elastic's suricata integration for what detections read. A record
//! has no id of its own, so its content is its identity.

use super::{Identity, Json, Rejection, Source, address, json, time};
use crate::schema::*;

/// A line of `eve.json`.
#[derive(Debug)]
pub(crate) struct Eve;

impl Source for Eve {
    fn name(&self) -> &'static str {
        "suricata_eve"
    }

    fn recognised_by(&self) -> &'static str {
        "event_type, timestamp and src_ip or flow_id"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        json::has_all(record, &["event_type", "timestamp"])
            && (json::get(record, "src_ip").is_some() || json::get(record, "flow_id").is_some())
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let at = json::get(record, "timestamp")
            .and_then(time::of)
            .ok_or(Rejection::NoTime("timestamp"))?;
        row.set(TIMESTAMP, Cell::Timestamp(at));
        row.text(EVENT_DATASET, "suricata.eve");
        row.text(EVENT_MODULE, "suricata");
        let kind = json::str_of(record, "event_type").unwrap_or_default();
        row.text(EVENT_KIND, if kind == "alert" { "alert" } else { "event" });
        row.add(EVENT_CATEGORY, "network");
        for (key, field) in [("proto", NETWORK_TRANSPORT), ("app_proto", NETWORK_PROTOCOL)] {
            if let Some(text) = json::str_of(record, key) {
                row.text(field, text.to_ascii_lowercase());
            }
        }
        if let Some(id) = json::str_of(record, "community_id") {
            row.text(NETWORK_COMMUNITY_ID, id);
        }
        endpoint(record, row, "src_ip", "src_port", SOURCE_IP, SOURCE_PORT);
        endpoint(record, row, "dest_ip", "dest_port", DESTINATION_IP, DESTINATION_PORT);
        if let Some(address) = json::str_of(record, "src_ip") {
            row.text(SOURCE_ADDRESS, address);
        }
        if let Some(alert) = json::get(record, "alert") {
            map_alert(alert, row);
        }
        Ok(Identity::default())
    }
}

/// What the sensor counts every few seconds, between the events: no traffic of anybody.
pub(crate) fn is_statistics(record: Json<'_>) -> bool {
    json::has_all(record, &["event_type", "timestamp", "stats"]) && json::str_of(record, "event_type") == Some("stats")
}

fn endpoint<'a>(
    record: Json<'a>,
    row: &mut EventRow<'a>,
    ip: &str,
    port: &str,
    ip_field: FieldId,
    port_field: FieldId,
) {
    if let Some(ip) = json::str_of(record, ip).and_then(address::ip) {
        row.add_new(RELATED_IP, ip.clone());
        row.text(ip_field, ip);
    }
    if let Some(port) = json::get(record, port).and_then(json::integer) {
        row.set(port_field, Cell::Long(port));
    }
}

fn map_alert<'a>(alert: Json<'a>, row: &mut EventRow<'a>) {
    row.add(EVENT_CATEGORY, "intrusion_detection");
    match json::str_of(alert, "action") {
        Some("allowed") => row.add(EVENT_TYPE, "allowed"),
        Some("blocked") => row.add(EVENT_TYPE, "denied"),
        _ => {}
    }
    for (key, field) in [
        ("signature_id", RULE_ID),
        ("signature", RULE_NAME),
        ("category", RULE_CATEGORY),
        ("category", MESSAGE),
    ] {
        if let Some(text) = json::text_of(alert, key) {
            row.text(field, text);
        }
    }
    if let Some(severity) = json::get(alert, "severity").and_then(json::integer) {
        row.set(EVENT_SEVERITY, Cell::Long(severity));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::mapped;

    #[test]
    fn an_alert() {
        let event = mapped(
            r#"{"timestamp":"2026-03-07T19:54:41.712927+0000","flow_id":1800000000014433172,"event_type":"alert",
            "src_ip":"::ffff:192.0.2.66","src_port":51515,"dest_ip":"2001:DB8::1","dest_port":443,"proto":"TCP","app_proto":"tls",
            "alert":{"action":"blocked","gid":1,"signature_id":2100498,"rev":7,"signature":"GPL id check","category":"Bad traffic","severity":1}}"#,
        );
        for (field, expected) in [
            ("@timestamp", "2026-03-07T19:54:41.712927Z"),
            ("event.dataset", "suricata.eve"),
            ("event.kind", "alert"),
            ("event.category", "[network, intrusion_detection]"),
            ("event.type", "[denied]"),
            ("source.ip", "192.0.2.66"),
            ("source.port", "51515"),
            ("destination.ip", "2001:db8::1"),
            ("network.transport", "tcp"),
            ("rule.id", "2100498"),
            ("rule.name", "GPL id check"),
            ("message", "Bad traffic"),
            ("event.severity", "1"),
        ] {
            assert_eq!(event.shown(field), expected, "{field}");
        }
        assert_eq!(event.identity.id, None);
    }
}
