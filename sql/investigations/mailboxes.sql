/* The mailboxes that MailItemsAccessed records of a range are of, by the name that can be asked for.

   Parameters: $earliest, $until: [earliest, until).
*/
SELECT DISTINCT
    lower(coalesce(nullif(o365.audit.MailboxOwnerUPN, ''), nullif(user.email, ''), nullif(o365.audit.UserId, ''),
                   user.id)) AS mailbox
FROM events
WHERE event.dataset = 'o365.audit'
  AND event.action = 'MailItemsAccessed'
  AND kibana.alert.uuid IS NULL
  AND coalesce(event.kind, '') <> 'signal'
  AND timestamp >= $earliest
  AND timestamp < $until
ORDER BY mailbox
