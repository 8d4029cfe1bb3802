/*---
id = "excessive_mail_items"
title = "Mailbox read in bulk"
description = """
One audit record of Exchange that stands for a hundred or more opened mail items, or says that recording was throttled
because a mailbox was read too much (about a thousand items in a day): from there on, the log no longer says what was
read. The pair is matched as a pair: the property named IsThrottled must itself be True. Elastic's rule of this kind
matches names and values apart, so there any other property that is True makes any record with an IsThrottled throttled.
"""
severity = "medium"
risk_score = 47
attack = ["TA0009/T1114.002"]
references = [
    "https://learn.microsoft.com/en-us/purview/audit-log-investigate-accounts",
]
false_positives = [
    "A mailbox moved, archived, backed up or indexed by a program that may do so.",
    "Shared mailboxes of help desks and other heavy use of mail.",
    "A mail program that downloads a mailbox for the first time.",
]
triage = """
Whose mailbox was it, who opened it, through which application, and from where: is each of them usual for the account?
Throttled records matter most, because reading went on unseen for up to a day: `retrohunt mailbox USER` gives the
stretches without a log, the messages and folders known to be opened, and the sessions. Compare with the account's
sign-ins and their risk. If the access was not the owner's doing, take it that all synchronised folders were read.
"""
---*/
SELECT
    @timestamp,
    event.id,
    o365.audit.UserId,
    o365.audit.MailboxOwnerUPN,
    o365.audit.OperationCount,
    property(o365.audit.OperationProperties, 'IsThrottled') AS is_throttled,
    property(o365.audit.OperationProperties, 'MailAccessType') AS mail_access_type,
    o365.audit.ExternalAccess,
    o365.audit.LogonType,
    o365.audit.UserType,
    o365.audit.ClientAppId,
    o365.audit.ClientInfoString,
    source.ip,
    source.geo.country_name,
    source.geo.city_name,
    o365.audit.SessionId,
    o365.audit.Folders.Path,
    o365.audit.Folders.FolderItems.Id,
    host.name,
    organization.id
FROM events
WHERE event.dataset = 'o365.audit'
    AND event.provider = 'Exchange'
    AND event.action = 'MailItemsAccessed'
    AND event.code = 'ExchangeItemAggregated'
    AND (
        property(o365.audit.OperationProperties, 'IsThrottled') = 'True'
        OR o365.audit.OperationCount >= 100
    )
