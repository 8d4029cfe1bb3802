-- current_alerts: alerts as they are now, a row each.
--
-- The table alerts has a row for every revision of an alert. Here is the last one of each,
-- without those that were withdrawn: late events had shown that there is nothing to find. Those
-- for which another alert stands are here, with its id in suppressed_by.
SELECT
    alert_id,
    revision,
    change,
    recorded,
    origin,
    detection,
    title,
    severity,
    risk_score,
    attack,
    time,
    key,
    window_start,
    window_end,
    windows,
    event_ids,
    event_count,
    history_complete,
    fields,
    late_by,
    suppressed_by
FROM (
    SELECT
        alert_id, revision, change, recorded, origin, detection, title, severity, risk_score,
        attack, time, key, window_start, window_end, windows, event_ids, event_count,
        history_complete, fields, late_by, suppressed_by,
        -- Conditions on detection and alert_id reach the table's log.
        row_number() OVER (PARTITION BY detection, alert_id ORDER BY revision DESC, recorded, time) AS place
    FROM alerts
)
WHERE place = 1 AND change <> 'withdrawn'
