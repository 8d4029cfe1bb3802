/* MailItemsAccessed records, one a row: who, when, with what, and to which mailbox and messages.

   Parameters. Of the questions, those that are not asked are NULL.
     $earliest, $until  [earliest, until) bounds what is read
     $from              where the range begins; from $earliest until then only throttled records are of interest,
                        because their day of silence reaches into the range
     $mailbox           whose mailbox, lower case
     $own_guids         MailboxGuids of that mailbox, for records that do not name the owner
     $foreign_guids     MailboxGuids of other mailboxes that the same person opened
     $message_id        InternetMessageId, lower case, without angle brackets
     $app_id            application or service principal id, lower case
     $address           address or CIDR range
     $session           session id, lower case
*/
SELECT
    timestamp AS access_time,
    event.id AS event_id,
    lower(coalesce(nullif(o365.audit.MailboxOwnerUPN, ''), $mailbox, nullif(user.email, ''),
                   nullif(o365.audit.UserId, ''), user.id)) AS mailbox,
    o365.audit.MailboxGuid AS mailbox_guid,
    coalesce(o365.audit.MailboxOwnerUPN, '') <> '' AS owner_recorded,
    o365.audit.mail_access_type AS access_type,
    coalesce(o365.audit.is_throttled, false) AS throttled,
    event.outcome AS outcome,
    coalesce(nullif(o365.audit.UserId, ''), user.id) AS accessed_by,
    o365.audit.UserType AS user_type,
    o365.audit.LogonType AS logon_type,
    coalesce(nullif(source.ip, ''), client.address, client.domain) AS address,
    nullif(o365.audit.ClientInfoString, '') AS client_info,
    coalesce(nullif(o365.audit.SessionId, ''), nullif(session.id, '')) AS session_id,
    nullif(o365.audit.AppId, '') AS app_id,
    coalesce(nullif(o365.audit.ClientAppId, ''), nullif(o365.audit.AppAccessContext.ClientAppId, '')) AS client_app_id,
    nullif(o365.audit.AppAccessContext.ClientAppName, '') AS client_app_name,
    o365.audit.Item.ParentFolder.Id AS parent_folder_id,
    o365.audit.Item.ParentFolder.Path AS parent_folder_path,
    o365.audit.Item.ParentFolder.Name AS parent_folder_name,
    o365.audit.Folders.Path AS folder_paths,
    email.message_id AS message_ids,
    o365.audit.Item.Id AS item_id,
    o365.audit.Item.Subject AS item_subject,
    o365.audit.Folders.FolderItems.Id AS folder_item_ids,
    o365.audit.OperationCount AS operation_count,
    -- The columns hold folders and items as flat lists; only the record says which item lay in which folder.
    coalesce(raw_field(raw, 'o365.audit.Folders'), raw_field(raw, 'o365.audit.ExchangeAggregatedFolders'),
             raw_field(raw, '_source.o365.audit.Folders'),
             raw_field(raw, '_source.o365.audit.ExchangeAggregatedFolders')) AS folders,
    source_file,
    source_position
FROM events
WHERE event.dataset = 'o365.audit'
  AND event.action = 'MailItemsAccessed'
  -- An Elastic alert is a copy of the event it is about.
  AND kibana.alert.uuid IS NULL
  AND coalesce(event.kind, '') <> 'signal'
  AND timestamp >= $earliest
  AND timestamp < $until
  AND (timestamp >= $from OR o365.audit.is_throttled)
  AND ($mailbox IS NULL
       OR lower(o365.audit.MailboxOwnerUPN) = $mailbox
       OR (coalesce(o365.audit.MailboxOwnerUPN, '') = ''
           AND (coalesce(array_has($own_guids, o365.audit.MailboxGuid), false)
                OR (lower(coalesce(nullif(user.email, ''), nullif(o365.audit.UserId, ''), user.id)) = $mailbox
                    AND NOT coalesce(array_has($foreign_guids, o365.audit.MailboxGuid), false)))))
  AND ($message_id IS NULL
       OR array_has(string_to_array(lower(array_to_string(email.message_id, chr(10))), chr(10)), $message_id)
       OR array_has(string_to_array(lower(array_to_string(email.message_id, chr(10))), chr(10)),
                    concat('<', $message_id, '>')))
  AND ($app_id IS NULL
       OR lower(o365.audit.AppId) = $app_id
       OR lower(o365.audit.ClientAppId) = $app_id
       OR lower(o365.audit.AppAccessContext.ClientAppId) = $app_id
       OR lower(user.id) IN ($app_id, concat('serviceprincipal_', $app_id)))
  AND ($address IS NULL OR cidr_match(source.ip, $address))
  AND ($session IS NULL
       OR lower(o365.audit.SessionId) = $session
       OR lower(session.id) = $session)
