/* The MailboxGuids of a mailbox, and those of other mailboxes that its owner opened.

   A record that lost its owner (documents of Elastic's integration, for synchronised folders) still has the guid;
   a record of the same guid that names its owner then says whose mailbox it is.

   Parameters: $mailbox: lower case.
*/
SELECT
    o365.audit.MailboxGuid AS mailbox_guid,
    lower(o365.audit.MailboxOwnerUPN) = $mailbox AS own
FROM events
WHERE event.dataset = 'o365.audit'
  AND event.action = 'MailItemsAccessed'
  AND o365.audit.MailboxOwnerUPN <> ''
  AND o365.audit.MailboxGuid <> ''
  AND (lower(o365.audit.MailboxOwnerUPN) = $mailbox
       OR lower(coalesce(o365.audit.UserId, user.id)) = $mailbox)
GROUP BY 1, 2
