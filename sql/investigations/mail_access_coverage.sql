/* Whether MailItemsAccessed is audited at all: its records in a range, the mailboxes they are of, and how many do not say of
   which.

   Parameters: $earliest, $until: [earliest, until).
*/
SELECT
    count(*) AS events,
    count(DISTINCT lower(coalesce(nullif(o365.audit.MailboxOwnerUPN, ''), nullif(user.email, ''),
                                  nullif(o365.audit.UserId, ''), user.id))) AS mailboxes,
    count(*) FILTER (WHERE coalesce(o365.audit.MailboxOwnerUPN, '') = '') AS without_owner,
    min(timestamp) AS first_time,
    max(timestamp) AS last_time
FROM events
WHERE event.dataset = 'o365.audit'
  AND event.action = 'MailItemsAccessed'
  AND kibana.alert.uuid IS NULL
  AND coalesce(event.kind, '') <> 'signal'
  AND timestamp >= $earliest
  AND timestamp < $until
