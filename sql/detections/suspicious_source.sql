/*---
id = "suspicious_source"
title = "Azure or Microsoft 365 mail sign-in from a suspicious source"
description = """
A public address from which someone signed in to Entra ID or read Microsoft 365 mail, and about which a network sensor
(a firewall, an intrusion detection system) raised an alert, within the same eight hours. Read in the order of the rule it
follows: a network alert, and either mail access, or a sign-in where the address is in two or more datasets.
"""
severity = "high"
risk_score = 73
interval = "1h"
lookback = "8h"
key = ["source.ip"]
attack = ["TA0001/T1078"]
references = ["https://attack.mitre.org/techniques/T1078/"]
false_positives = [
    "A sensor that alerts on the proxy, gateway or VPN through which the organisation's own users go out.",
    "An address that many share: mobile carriers, cloud providers, exit nodes used for work.",
]
triage = """
Read the network alerts on the address first: what did it do, and to whom? Then list the accounts that came from it, in the
same hours and since, with their device, application and whether the sign-in was expected. For each account that cannot
explain it, look at its other alerts of the last two days and at what it read or changed: `retrohunt mailbox USER`.
"""
---*/
-- The window (tick - lookback, tick] is the header's.
WITH candidates AS (
    SELECT
        to_ip(source.ip) AS ip,
        @timestamp AS time,
        coalesce(kibana.alert.uuid, event.id, event_key) AS id,
        -- 'generic' stands for a document that names no dataset; a missing value counts nowhere.
        nullif(event.dataset, 'generic') AS dataset,
        event.category AS category,
        kibana.alert.rule.name AS rule,
        CASE WHEN event.dataset = 'o365.audit' AND event.action = 'MailItemsAccessed' AND event.outcome = 'success'
            THEN to_ip(source.ip) END AS mail_access_ip,
        CASE WHEN event.dataset = 'azure.signinlogs' AND event.outcome = 'success'
            THEN to_ip(source.ip) END AS azure_ip,
        CASE WHEN kibana.alert.rule.name = 'External Alerts'
                AND event.dataset NOT IN ('o365.audit', 'azure.signinlogs', 'generic')
            THEN to_ip(source.ip) END AS network_alert_ip
    FROM events
    WHERE to_ip(source.ip) IS NOT NULL
        AND (
            event.dataset IN ('o365.audit', 'azure.signinlogs')
            OR kibana.alert.rule.name = 'External Alerts'
        )
        AND NOT cidr_match(
            to_ip(source.ip),
            '10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.0.0/29',
            '192.0.0.8/32', '192.0.0.9/32', '192.0.0.10/32', '192.0.0.170/32', '192.0.0.171/32', '192.0.2.0/24',
            '192.31.196.0/24', '192.52.193.0/24', '192.168.0.0/16', '192.88.99.0/24', '224.0.0.0/4', '100.64.0.0/10',
            '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4', '::1',
            'FE80::/10', 'FF00::/8'
        )
),
sources AS (
    SELECT
        ip AS "source.ip",
        count(*) AS total_alerts,
        count(DISTINCT mail_access_ip) AS is_mail_access,
        count(DISTINCT azure_ip) AS is_azure,
        count(DISTINCT network_alert_ip) AS is_network_alert,
        count(DISTINCT dataset) AS unique_dataset,
        array_sort(array_agg(DISTINCT dataset) FILTER (WHERE dataset IS NOT NULL)) AS datasets,
        array_sort(array_agg(DISTINCT rule) FILTER (WHERE rule IS NOT NULL)) AS rules,
        array_sort(array_distinct(flatten(array_agg(category) FILTER (WHERE category IS NOT NULL)))) AS categories,
        min(time) AS first_time,
        max(time) AS last_time,
        array_sort(array_agg(DISTINCT id) FILTER (WHERE id IS NOT NULL)) AS event_ids,
        count(*) AS event_count
    FROM candidates
    GROUP BY ip
)
SELECT
    source.ip,
    total_alerts,
    is_mail_access,
    is_azure,
    is_network_alert,
    unique_dataset,
    datasets,
    rules,
    categories,
    first_time,
    last_time,
    event_ids,
    event_count
FROM sources
-- AND binds tighter than OR: two datasets are asked of sign-ins alone.
WHERE is_network_alert > 0 AND (is_mail_access > 0 OR (is_azure > 0 AND unique_dataset >= 2))
