/* How much of the unified audit log a range of the lake holds, whatever the operation.

   Parameters: $earliest, $until: [earliest, until).
*/
SELECT
    count(*) AS events,
    min(timestamp) AS first_time,
    max(timestamp) AS last_time
FROM events
WHERE event.dataset = 'o365.audit'
  AND kibana.alert.uuid IS NULL
  AND timestamp >= $earliest
  AND timestamp < $until
