/*---
id = "risky_mailbox_rule"
title = "Mailbox or transport rule changed in a risky sign-in session"
description = """
A mail rule or mailbox setting changed by a user whom an alert of Microsoft Defender names, in a session that began with
a sign-in Entra ID rated risky, on a device that is neither managed, compliant nor joined. Intruders make rules that
forward, hide or delete mail. After Microsoft's hunting query of this purpose, over the same tables and the same 30 days.
"""
severity = "high"
risk_score = 73
interval = "1d"
lookback = "30d"
# One change by one account is one finding, in however many windows it is seen; the
# report id alone names the change, the account is there for whoever reads the alert.
key = ["AccountObjectId", "ReportId"]
attack = ["TA0009/T1114.003", "TA0010/T1020"]
references = [
    "https://attack.mitre.org/techniques/T1114/003/",
]
false_positives = [
    "A user on a private device whose sign-in was rated risky for travel or a VPN, and who made a rule.",
    "An administrator who works on the mailbox of a user named by an alert.",
]
triage = """
Read the rule in RawEventData: to where does it forward or move mail, which words does it look for, what does it delete?
Ask the user whether it is theirs. List what else the session did (same SessionId), and what mail went to the target.
Then remove the rule, revoke the sessions, reset the credentials, and look at the alert that named the user.
"""
---*/
WITH impacted_users AS (
    SELECT DISTINCT AccountObjectId
    FROM AlertEvidence
    WHERE AccountObjectId <> ''
),
risky_sessions AS (
    SELECT DISTINCT SessionId
    FROM AADSignInEventsBeta
    WHERE AccountObjectId <> ''
        AND IPAddress <> ''
        AND AccountObjectId IN (SELECT AccountObjectId FROM impacted_users)
        -- In Kusto, a missing number differs from 1.
        AND (IsManaged IS DISTINCT FROM 1)
        AND (IsCompliant IS DISTINCT FROM 1)
        AND coalesce(DeviceTrustType, '') = ''
        -- 10 low, 50 medium, 100 high
        AND RiskLevelDuringSignIn >= 10
        AND SessionId <> ''
)
SELECT
    c."Timestamp",
    c.ReportId,
    c.ActionType,
    c.IPAddress,
    c.AccountObjectId,
    c."ISP",
    c.CountryCode,
    make_array(c.ReportId) AS event_ids,
    1 AS event_count
FROM CloudAppEvents AS c
WHERE c.AccountObjectId <> ''
    -- Microsoft Exchange Online
    AND c.ApplicationId = 20893
    AND c.AccountObjectId IN (SELECT AccountObjectId FROM impacted_users)
    AND c.ActionType IN (
        'New-InboxRule', 'Set-InboxRule', 'Set-Mailbox', 'Set-TransportRule', 'New-TransportRule', 'Enable-InboxRule'
    )
    -- Any of the sessions, as a whole term. Without users or sessions there is nothing to
    -- find, so no guard of its own is needed for that.
    AND EXISTS (SELECT 1 FROM risky_sessions AS s WHERE has(c.RawEventData, s.SessionId))
