//! Alerts of network sensors: as Suricata writes them, and as Elastic's rule for external
//! alerts raises them.

use super::super::places::{self, Address};
use super::super::random::Random;
use super::super::text::{Guid, Second, put};

/// What sensors recognise: number, name, category, severity.
const SIGNATURES: [(u64, &str, &str, u64); 5] = [
    (
        2_024_897,
        "ET SCAN Potential VPN brute force",
        "Attempted Information Leak",
        2,
    ),
    (2_001_219, "ET SCAN Potential SSH Scan", "Attempted Information Leak", 2),
    (
        2_029_054,
        "ET SCAN Zmap User-Agent (Inbound)",
        "Detection of a Network Scan",
        3,
    ),
    (
        2_034_647,
        "ET EXPLOIT Apache log4j RCE Attempt",
        "Attempted Administrator Privilege Gain",
        1,
    ),
    (
        2_210_044,
        "SURICATA STREAM Packet with invalid timestamp",
        "Generic Protocol Command Decode",
        3,
    ),
];

/// Some alert, about an address from which nobody of the organisation comes: a scanner, which
/// also tries passwords and never gets in, or some other.
pub(in crate::generate) fn record(second: u64, mut random: Random, out: &mut Vec<u8>) {
    let from = if random.below(10) < 7 {
        places::scanner(random.next())
    } else {
        let [b, c, d, ..] = random.next().to_be_bytes();
        Address::V4([212, b % 64, c, 1 + d % 250])
    };
    let signature = random.skewed(SIGNATURES.len() as u64, 1) as usize;
    if random.below(10) < 6 {
        external_alert(second, &mut random, from, signature, out);
    } else {
        eve(second, &mut random, from, signature, out);
    }
}

/// An alert of Elastic's rule `External Alerts`.
pub(in crate::generate) fn external_alert(
    second: u64,
    random: &mut Random,
    from: Address,
    signature: usize,
    out: &mut Vec<u8>,
) {
    let (number, name, category, severity) = SIGNATURES[signature % SIGNATURES.len()];
    let (id, original) = (Guid(random.next(), random.next()), Guid(random.next(), random.next()));
    put!(
        out,
        r#"{"_index":".internal.alerts-security.alerts-default-000001","_id":""#,
        id,
        r#"","_source":{"@timestamp":""#
    );
    put!(
        out,
        Second(second),
        r#".000Z","kibana.alert.rule.name":"External Alerts","kibana.alert.rule.category":"Custom Query Rule","#
    );
    put!(
        out,
        r#""kibana.alert.uuid":""#,
        id,
        r#"","kibana.alert.severity":"medium","kibana.alert.risk_score":47,"kibana.alert.status":"#
    );
    put!(
        out,
        r#""active","kibana.alert.workflow_status":"open","kibana.alert.original_time":""#,
        Second(second - second.min(40))
    );
    put!(
        out,
        r#".000Z","kibana.alert.ancestors":[{"id":""#,
        original,
        r#"","type":"event","index":"logs-suricata.eve-default","depth":0}],"#
    );
    put!(
        out,
        r#""event.kind":"signal","event":{"module":"suricata","dataset":"suricata.eve","severity":"#,
        severity
    );
    put!(
        out,
        r#","category":["network","intrusion_detection"],"type":["allowed"]},"source":{"ip":""#,
        from,
        r#"","port":"#
    );
    put!(
        out,
        1_024 + random.below(60_000),
        r#"},"destination":{"ip":"203.0.113.10","port":443},"network":{"transport":"tcp"},"rule":{"id":""#
    );
    put!(
        out,
        number,
        r#"","name":""#,
        name,
        r#"","category":""#,
        category,
        r#""},"message":""#,
        category,
        r#""}}"#
    );
}

/// A line of Suricata's `eve.json`.
pub(in crate::generate) fn eve(second: u64, random: &mut Random, from: Address, signature: usize, out: &mut Vec<u8>) {
    let (number, name, category, severity) = SIGNATURES[signature % SIGNATURES.len()];
    put!(
        out,
        r#"{"timestamp":""#,
        Second(second),
        ".",
        100_000 + random.below(900_000),
        r#"+0000","flow_id":"#,
        random.next() >> 1
    );
    put!(
        out,
        r#","in_iface":"eth1","event_type":"alert","src_ip":""#,
        from,
        r#"","src_port":"#,
        1_024 + random.below(60_000)
    );
    put!(
        out,
        r#","dest_ip":"203.0.113.10","dest_port":443,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":"#
    );
    put!(
        out,
        number,
        r#","rev":3,"signature":""#,
        name,
        r#"","category":""#,
        category,
        r#"","severity":"#,
        severity
    );
    put!(
        out,
        r#"},"app_proto":"tls","flow":{"pkts_toserver":"#,
        1 + random.below(90),
        r#","bytes_toserver":"#,
        60 + random.below(9_000),
        "}}"
    );
}
