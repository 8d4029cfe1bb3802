/*---
id = "unusual_client_app"
title = "Mail read through an application not seen for 14 days"
description = """
Mail items opened one by one (Bind) through an application that is not one of Microsoft's own and that nobody in the
lake used to open mail in the 14 days before. Someone who phished a consent, or registered an application of their own,
reads mail this way without a browser or a mail program. The list in first_party_apps holds the applications left out.
"""
severity = "medium"
risk_score = 47
attack = ["TA0009/T1114.002"]
references = [
    "https://www.cisa.gov/news-events/cybersecurity-advisories/aa23-193a",
    "https://trustedsec.com/blog/mailitemsaccessed-woes-m365-investigation-challenges",
    "https://learn.microsoft.com/en-us/purview/audit-log-investigate-accounts",
]
false_positives = [
    "The first use of a mail, archive, CRM or ticket application that the organisation approved.",
    "A Microsoft application that is missing from first_party_apps.",
    "Little history: in a lake that begins less than 14 days before, every application is new (history_complete = false).",
]
triage = """
Look the application up in Entra ID: publisher, owner, permissions, who consented and when. Compare the account that
opened the mail (UserId) with the owner of the mailbox (MailboxOwnerUPN), and the address and client with those of the
account's sign-ins. Then see what was read: `retrohunt mailbox USER` lists messages and folders, and
`retrohunt mailbox --app-id ID` every mailbox the application touched. If nobody can explain it, revoke the account's
sessions and the application's consent, and reset its credentials.
"""

[new_terms]
fields = ["o365.audit.ClientAppId"]
history = "14d"
---*/
SELECT
    @timestamp,
    event.id,
    o365.audit.ClientAppId,
    o365.audit.UserId,
    o365.audit.MailboxOwnerUPN,
    o365.audit.LogonType,
    o365.audit.UserType,
    o365.audit.ClientInfoString,
    source.ip,
    source.geo.country_name,
    source.geo.city_name,
    source.as.organization.name,
    o365.audit.SessionId,
    o365.audit.Folders.Path,
    o365.audit.Folders.FolderItems.Id,
    email.message_id,
    organization.id
FROM events
WHERE event.dataset = 'o365.audit'
    AND event.provider = 'Exchange'
    AND event.category = 'web'
    AND event.action = 'MailItemsAccessed'
    AND event.outcome = 'success'
    -- Owner, administrator, and access without a delegate's rights; not a delegate's own.
    AND o365.audit.LogonType IN ('0', '1', '6')
    AND o365.audit.UserType IN ('0', '2', '3', '10')
    -- Any value, whatever its name, as the rule it follows matches them.
    AND o365.audit.OperationProperties.Value = 'Bind'
    -- Also drops events without an application, which could not be new terms anyway.
    AND o365.audit.ClientAppId NOT IN (SELECT app_id FROM first_party_apps)
