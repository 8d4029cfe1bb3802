#!/usr/bin/env python3
"""Writes the fixtures of the four shipped detections: `<id>/fire.jsonl`, `quiet.jsonl`, `expected.json`.

`fire.jsonl` gives exactly the alerts of `expected.json`; `quiet.jsonl`, in a lake of its own, gives none.
Some lines of `fire.jsonl` are near misses too: they must not add alerts or events.
What is expected is written out here by hand, not computed.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent.parent / "data"))
from defender import alert_evidence, cloud_app_event, ecs, envelope, external_alert, sign_in_event  # noqa: E402
from formats import compact, graph_rows, search_json_rows  # noqa: E402
from records import at, cmdlet, guid, mail_items, mail_sync, signin, ual  # noqa: E402

OFFICE = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
FIRST_PARTY = [OFFICE, "00000002-0000-0ff1-ce00-000000000000", "27922004-5251-4030-b22d-91ecd9a37ea4",
               "ffcb16e8-f789-467c-8ce9-f826a080d987", "13937bba-652e-4c46-b222-3003f4d1ff97"]
HOME = "198.51.100.20"
ONE = {"\\Inbox": ["<m1@contoso.example>"]}


def app(name):
    return guid("fixture app", name)


def read(time, who="ann", address=HOME, client=OFFICE, folders=ONE, id=None, **more):
    return mail_items(at(time), who, address, client, folders, id=guid("fixture", id) if id else guid("fixture", time, who, client), **more)


def event(name):
    return guid("fixture", name)


def unusual_client_app():
    edge = at("2026-03-02T10:00:00")

    def sighting(name, offset, label, who="ann", **more):
        return read((edge + offset).isoformat()[:19], who, client=app(name), id=f"uca {label}", **more)
    day = timedelta(days=1)
    second = timedelta(seconds=1)
    fire = [
        read("2026-03-02T08:00:00", client=FIRST_PARTY[0], id="uca lake begins"),  # no alert, but the dataset's first event
        # Seen, seen again 13 d 23 h later (known), then silent for a second more than 14 days (new).
        sighting("crm", 0 * day, "crm 1"),
        sighting("crm", 14 * day - timedelta(hours=1), "crm 2", "ben"),
        sighting("crm", 28 * day - timedelta(hours=1) + second, "crm 3", "carla"),
        # Exactly 14 days later is still inside [t - 14 d, t).
        sighting("sign", 0 * day, "sign 1"), sighting("sign", 14 * day, "sign 2"),
        # Two in the same second: one sighting, the smallest id speaks for it. Mixed spellings of numbers and outcome.
        sighting("twin", 15 * day, "twin a", RecordType="50", UserType="0"), sighting("twin", 15 * day, "twin b", "ben", ResultStatus="True"),
        # Sightings that do not pass the filter make nothing known.
        sighting("late", 15 * day, "late sync", access="Sync"), sighting("late", 16 * day, "late delegate", logon_type=2),
        sighting("late", 17 * day, "late bind", "dmitri", logon_type=6, UserType=10),
    ]
    # The same events in other formats, and one repeat.
    fire[2] = graph_rows([fire[2]])[0]
    fire[3] = search_json_rows([fire[3]])[0]
    fire[9] = ecs(fire[9], HOME, dotted=True)
    fire[10] = ecs(fire[10], HOME, newest=True)
    fire.append(fire[1])
    key = "o365.audit.ClientAppId"
    twins = min(event("uca twin a"), event("uca twin b"))
    expected = [
        {"key": {key: app("crm")}, "time": "2026-03-02T10:00:00Z", "event_ids": [event("uca crm 1")], "history_complete": False},
        {"key": {key: app("crm")}, "time": "2026-03-30T09:00:01Z", "event_ids": [event("uca crm 3")], "history_complete": True},
        {"key": {key: app("sign")}, "time": "2026-03-02T10:00:00Z", "event_ids": [event("uca sign 1")], "history_complete": False},
        {"key": {key: app("twin")}, "time": "2026-03-17T10:00:00Z", "event_ids": [twins], "history_complete": True},
        {"key": {key: app("late")}, "time": "2026-03-19T10:00:00Z", "event_ids": [event("uca late bind")], "history_complete": True},
    ]
    quiet = [read(f"2026-03-0{n + 2}T08:00:00", client=known) for n, known in enumerate(FIRST_PARTY)]
    quiet += [
        mail_sync(at("2026-03-02T09:00:00"), "ann", HOME, app("quiet"), "\\Inbox"),
        read("2026-03-02T09:01:00", client=app("quiet"), access="Sync"),
        read("2026-03-02T09:02:00", client=app("quiet"), logon_type=2),
        read("2026-03-02T09:03:00", client=app("quiet"), UserType=4),
        read("2026-03-02T09:04:00", client=app("quiet"), UserType=5),
        read("2026-03-02T09:05:00", client=app("quiet"), ResultStatus="Failed"),
        read("2026-03-02T09:06:00", client=app("quiet"), Workload="OneDrive"),
        read("2026-03-02T09:07:00", client=app("quiet"), Operation="MessageBind"),
        read("2026-03-02T09:08:00", client=None),
        read("2026-03-02T09:09:00", client=""),
        read("2026-03-02T09:10:00", client=OFFICE, AppId=app("quiet")),
    ]
    return fire, expected, quiet


def excessive_mail_items():
    fire = [
        read("2026-03-02T08:00:00", count=100, id="emi hundred"),
        read("2026-03-02T08:01:00", throttled="True", id="emi throttled"),
        read("2026-03-02T08:02:00", properties=[("IsThrottled", "True"), ("MailAccessType", "Bind")], id="emi order"),
        read("2026-03-02T08:03:00", count=5000, RecordType="50", id="emi text type"),
        read("2026-03-02T08:04:00", count=250, ResultStatus="Failed", id="emi failed"),  # the rule does not ask for success
        read("2026-03-02T08:05:00", count=101, client="", id="emi no app"),
        ecs(read("2026-03-02T08:06:00", throttled="True", id="emi ecs"), HOME),
        ecs(read("2026-03-02T08:07:00", count=123, id="emi dotted"), HOME, dotted=True),
        read("2026-03-02T08:08:00", count=99, id="emi ninety-nine"),
    ]
    fire.append(fire[0])
    names = ["hundred", "throttled", "order", "text type", "failed", "no app", "ecs", "dotted"]
    expected = [{"key": {"event.id": event("emi " + n)}, "time": f"2026-03-02T08:{m:02d}:00Z", "event_ids": [event("emi " + n)]}
                for m, n in enumerate(names)]
    quiet = [
        read("2026-03-02T09:00:00", count=99),
        # Elastic's rule matches any name with any value, and so these; pair by pair they are not throttled.
        read("2026-03-02T09:01:00", properties=[("MailAccessType", "Bind"), ("IsThrottled", "False"), ("IsFromSearch", "True")]),
        read("2026-03-02T09:02:00", properties=[("IsFromSearch", "True"), ("IsThrottled", "False")]),
        mail_sync(at("2026-03-02T09:03:00"), "ann", HOME, OFFICE, "\\Inbox", throttled="True"),
        read("2026-03-02T09:04:00", count=500, RecordType=2),
        read("2026-03-02T09:05:00", count=500, Operation="AttachmentAccess"),
        read("2026-03-02T09:06:00", count=500, Workload="OneDrive"),
        read("2026-03-02T09:07:00", properties=[("MailAccessType", "Bind")]),
        ual(at("2026-03-02T09:08:00"), "MailItemsAccessed", 50, "Exchange", "ann", OperationProperties=[{"Name": "IsThrottled"}], OperationCount=1),
    ]
    return fire, expected, quiet


def suspicious_source():
    bad, six, mapped, edge = "45.155.205.77", "2001:db8:66::13", "45.155.205.78", "45.155.205.79"

    def alert(time, address, name, **more):
        return external_alert(at(time), address, id=event("sus " + name), **more)

    def login(time, address, name, **more):
        return signin(at(time), "ann", address, id=event("sus " + name), **more)
    fire = [
        # The alert of 02:00 exactly is outside (02:00, 10:00]: nothing at 10:00.
        alert("2026-03-02T01:12:00", bad, "alert 1"), alert("2026-03-02T02:00:00", bad, "alert 2", shape="dotted"),
        login("2026-03-02T07:42:00", bad, "signin"), login("2026-03-02T07:30:00", bad, "failed", error=50126),
        read("2026-03-02T08:02:00", address=bad + ":52114", id="sus mail"),
        # IPv6; the alert after the access.
        read("2026-03-05T12:00:00", address=f"[{six}]:54088", id="sus mail six"), alert("2026-03-05T15:30:00", six, "alert six", shape="hit"),
        # An IPv4-mapped address is its IPv4. A sign-in alone needs two datasets: the alert's and its own.
        alert("2026-03-08T10:05:00", mapped, "alert mapped", dataset="panw.panos"), login("2026-03-08T11:00:00", "::ffff:" + mapped, "signin mapped"),
        # (tick - 8 h, tick]: at 12:00 exactly is in the window of 12:00, no longer in that of 20:00.
        alert("2026-03-10T12:00:00", edge, "alert edge"), read("2026-03-10T19:30:00", address=edge, id="sus mail edge"),
        read("2026-03-10T19:00:00", address=edge, id="sus mail edge early"),
    ]
    def ids(*names):
        return sorted(event("sus " + n) for n in names)
    expected = [
        {"key": {"source_ip": bad}, "time": "2026-03-02T01:12:00Z", "event_ids": ids("alert 1", "alert 2", "signin", "failed", "mail"),
         "first_window_end": "2026-03-02T08:00:00Z", "last_window_end": "2026-03-02T09:00:00Z", "windows": 2,
         "per_window": [
             {"window_end": "2026-03-02T08:00:00Z", "event_ids": ids("alert 1", "alert 2", "signin", "failed"), "total_alerts": 4,
              "is_mail_access": 0, "is_azure": 1, "is_network_alert": 1, "unique_dataset": 2},
             {"window_end": "2026-03-02T09:00:00Z", "event_ids": ids("alert 1", "alert 2", "signin", "failed", "mail"), "total_alerts": 5,
              "is_mail_access": 1, "is_azure": 1, "is_network_alert": 1, "unique_dataset": 3}]},
        {"key": {"source_ip": six}, "time": "2026-03-05T12:00:00Z", "event_ids": ids("mail six", "alert six"),
         "first_window_end": "2026-03-05T16:00:00Z", "last_window_end": "2026-03-05T19:00:00Z", "windows": 4},
        {"key": {"source_ip": mapped}, "time": "2026-03-08T10:05:00Z", "event_ids": ids("alert mapped", "signin mapped"),
         "first_window_end": "2026-03-08T11:00:00Z", "last_window_end": "2026-03-08T18:00:00Z", "windows": 8},
        {"key": {"source_ip": edge}, "time": "2026-03-10T12:00:00Z", "event_ids": ids("alert edge", "mail edge early"),
         "first_window_end": "2026-03-10T19:00:00Z", "last_window_end": "2026-03-10T19:00:00Z", "windows": 1},
    ]
    quiet = [
        alert("2026-03-02T00:30:00", "45.155.205.90", "q1"), read("2026-03-02T09:30:00", address="45.155.205.90"),
        alert("2026-03-03T08:00:00", "45.155.205.91", "q2", rule="Potential Port Scan"), read("2026-03-03T08:30:00", address="45.155.205.91"),
        alert("2026-03-04T08:00:00", "45.155.205.92", "q3"), login("2026-03-04T08:30:00", "45.155.205.92", "q4", error=50126),
        alert("2026-03-05T08:00:00", "203.0.113.50", "q5"), read("2026-03-05T08:30:00", address="203.0.113.50"),
        alert("2026-03-05T09:00:00", "10.20.30.40", "q6"), read("2026-03-05T09:30:00", address="10.20.30.40:50123"),
        alert("2026-03-05T10:00:00", "fe80::66", "q7"), read("2026-03-05T10:30:00", address="[fe80::66]:443"),
        alert("2026-03-06T08:00:00", "45.155.205.93", "q8"), read("2026-03-06T08:30:00", address="45.155.205.93", ResultStatus="Failed"),
        alert("2026-03-06T09:00:00", "45.155.205.94", "q9"), read("2026-03-06T09:30:00", address="45.155.205.94", Operation="MailboxLogin"),
        # An external alert about an audit record is no network alert.
        alert("2026-03-07T08:00:00", "45.155.205.95", "q10", dataset="o365.audit"), login("2026-03-07T08:30:00", "45.155.205.95", "q11"),
        alert("2026-03-08T08:00:00", "45.155.205.96", "q12"), read("2026-03-08T08:30:00", address="45.155.205.97"),
        # Exactly eight hours apart, both on ticks.
        alert("2026-03-09T04:00:00", "45.155.205.98", "q13"), read("2026-03-09T12:00:00", address="45.155.205.98"),
    ]
    return fire, expected, quiet


def risky_mailbox_rule():
    def session(name):
        return guid("fixture session", name)

    def rule(time, who, sid, name, *, operation="New-InboxRule", additional=None, account=True, application_id=20893, in_token=None):
        record = cmdlet(at(time), operation, who, HOME, {"Name": "..", "MoveToFolder": "RSS Feeds"}, session=sid, id=event("rmr " + name))
        if in_token:
            record["AppAccessContext"] = {"AADSessionId": in_token, "UniqueTokenId": "u-" + name}
        return cloud_app_event(record, at(time), HOME, additional=additional, account=account, application_id=application_id,
                               report=f"77_{application_id}_{event('rmr ' + name)}")

    def seen(time, who, sid, **more):
        return sign_in_event(at(time), who, HOME, sid, **more)

    def named(time, who):
        return alert_evidence(at(time), "da-" + who, "User", who)
    new = session("ann new")
    fire = [
        named("2026-03-02T12:00:00", "ann"), alert_evidence(at("2026-03-02T12:00:00"), "da-ann", "Ip", address=HOME),
        seen("2026-03-02T07:42:00", "ann", session("ann")), envelope("EntraIdSignInEvents", seen("2026-03-03T07:42:00", "ann", new, beta=False, risk=10), at("2026-03-03T07:42:00")),
        rule("2026-03-02T09:31:00", "ann", session("ann"), "rule"),
        envelope("CloudAppEvents", rule("2026-03-03T09:31:00", "ann", new, "mailbox", operation="Set-Mailbox"), at("2026-03-03T09:31:00")),
        rule("2026-03-03T09:40:00", "ann", None, "token", operation="Set-InboxRule", in_token=new.upper()),  # has is case-insensitive
        rule("2026-03-03T09:50:00", "ann", session("nobody"), "other session"),  # no alert
    ]
    def found(name, time, first, last, days):
        return {"key": {"ReportId": f"77_20893_{event('rmr ' + name)}"}, "time": time, "event_ids": [event("rmr " + name)],
                "first_window_end": first, "last_window_end": last, "windows": days}
    # Daily ticks at 00:00 UTC, 30 days back. A finding ends when the first of its three ingredients leaves the window: for the
    # rule of 2 March the sign-in of that morning, for the others Ann's name in the alert of 2 March.
    expected = [
        found("rule", "2026-03-02T09:31:00Z", "2026-03-03T00:00:00Z", "2026-04-01T00:00:00Z", 30),
        found("mailbox", "2026-03-03T09:31:00Z", "2026-03-04T00:00:00Z", "2026-04-01T00:00:00Z", 29),
        found("token", "2026-03-03T09:40:00Z", "2026-03-04T00:00:00Z", "2026-04-01T00:00:00Z", 29),
    ]
    people = ["carla", "dmitri", "erin", "farid", "grace", "hugo", "ines", "jonas", "karl", "lea"]
    quiet = [named("2026-03-02T12:00:00", who) for who in people]
    quiet += [
        seen("2026-03-02T07:00:00", "ben", session("ben")), rule("2026-03-02T08:00:00", "ben", session("ben"), "q not in evidence"),
        seen("2026-03-02T07:01:00", "carla", session("carla"), managed=1), rule("2026-03-02T08:01:00", "carla", session("carla"), "q managed"),
        seen("2026-03-02T07:02:00", "dmitri", session("dmitri"), compliant=1), rule("2026-03-02T08:02:00", "dmitri", session("dmitri"), "q compliant"),
        seen("2026-03-02T07:03:00", "erin", session("erin"), trust="Azure AD joined"), rule("2026-03-02T08:03:00", "erin", session("erin"), "q trusted"),
        seen("2026-03-02T07:04:00", "farid", session("farid"), risk=1), rule("2026-03-02T08:04:00", "farid", session("farid"), "q risk"),
        # Whole terms: a longer token that contains the id is another token.
        seen("2026-03-02T07:05:00", "grace", session("grace")), rule("2026-03-02T08:05:00", "grace", session("grace") + "f00d", "q longer"),
        rule("2026-03-02T08:06:00", "grace", "x" + session("grace"), "q prefixed"),
        seen("2026-03-02T07:07:00", "hugo", session("hugo")), rule("2026-03-02T08:07:00", "hugo", session("hugo"), "q action", operation="Remove-InboxRule"),
        rule("2026-03-02T08:08:00", "hugo", session("hugo"), "q application", application_id=20892),
        rule("2026-03-02T08:09:00", "hugo", session("hugo"), "q no account", account=False),
        # The id stands in the row, but not in its RawEventData.
        seen("2026-03-02T07:10:00", "ines", session("ines")), rule("2026-03-02T08:10:00", "ines", session("none"), "q elsewhere", additional={"SessionId": session("ines")}),
        # A sign-in without an address, and one without a session.
        dict(seen("2026-03-02T07:11:00", "jonas", session("jonas")), IPAddress=""), rule("2026-03-02T08:11:00", "jonas", session("jonas"), "q no address"),
        seen("2026-03-02T07:12:00", "karl", ""), rule("2026-03-02T08:12:00", "karl", "", "q no session"),
        # More than 30 days between sign-in and rule: no window holds both.
        seen("2026-01-20T07:13:00", "lea", session("lea")), rule("2026-03-02T08:13:00", "lea", session("lea"), "q long ago"),
    ]
    return fire, expected, quiet


def main():
    for build in (unusual_client_app, excessive_mail_items, suspicious_source, risky_mailbox_rule):
        fire, expected, quiet = build()
        folder = HERE / build.__name__
        folder.mkdir(exist_ok=True)
        for name, records in (("fire", fire), ("quiet", quiet)):
            (folder / f"{name}.jsonl").write_text("".join(compact(record) + "\n" for record in records), encoding="utf-8", newline="\n")
        expected.sort(key=lambda alert: (alert["time"], json.dumps(alert["key"])))
        (folder / "expected.json").write_text(json.dumps({"alerts": expected}, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
