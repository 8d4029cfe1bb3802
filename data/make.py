#!/usr/bin/env python3
"""Writes the sample logs in `contoso/`. The same bytes on every run; needs Python 3 alone
(and `zstd` for the two .zst files, which stay as committed where it is missing).

The story, the files and what each of them shows are in README.md.
"""

import random
import sys
from datetime import timedelta
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
from defender import alert_evidence, cloud_app_event, ecs, envelope, external_alert, sign_in_event, suricata  # noqa: E402
from formats import (BOM, array, compact, concatenated_arrays, concatenated_objects, graph_rows, gz, hunting_csv,  # noqa: E402
                     legacy_csv, lines, pretty_array, purview_csv, search_csv, search_json_rows, wrapped, zst)
from records import (at, cmdlet, directory, directory_audit, file_operation, guid, item, mail_items, mail_sync,  # noqa: E402
                     risk_event, signin, sts_logon, ual, upn)

OUT = Path(__file__).parent / "contoso"

PEOPLE = ["ann.keller", "ben.osei", "carla.rossi", "dmitri.volkov", "erin.walsh", "farid.haddad", "grace.lin", "hugo.martin"]
VICTIM = "ann.keller"

# First-party applications that the shipped detection knows.
OUTLOOK_MOBILE = "27922004-5251-4030-b22d-91ecd9a37ea4"
OFFICE = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
FIRST_PARTY = [OUTLOOK_MOBILE, OFFICE, EXCHANGE_ONLINE]

# Third-party applications.
CRM = guid("app", "crm")            # 2 March, then 13 days 23 hours later: known
SIGNATURES = guid("app", "sign")    # 2 March, then 14 days later to the second: known
ARCHIVER = guid("app", "archiver")  # 2 March, then 14 days and one second later: new again
EVIL_APP = guid("app", "mail-insights-sync")  # the attacker's, first seen on 18 March

ATTACKER = "45.155.205.77"
ATTACKER_V6 = "2001:db8:66::13"
RISKY_SESSION = guid("session", "ann", "risky")

# All that happens, happens in these hours: windowed detections of the demo run tick by tick around them.
QUIET_HOURS = ["2026-03-02T08", "2026-03-02T09", "2026-03-03T13", "2026-03-04T08", "2026-03-05T14", "2026-03-06T09",
               "2026-03-09T08", "2026-03-10T10", "2026-03-11T15", "2026-03-12T09", "2026-03-13T11", "2026-03-16T07",
               "2026-03-16T08", "2026-03-17T10", "2026-03-19T09", "2026-03-21T09", "2026-03-22T08"]


def office_address(user):
    return f"198.51.100.{20 + PEOPLE.index(user)}"


def everyday(hour):
    """What eight people do in one hour: audit records and sign-ins, nothing of it suspicious."""
    chance = random.Random(hour)
    start = at(hour + ":00:00")

    def moment():
        return start + timedelta(seconds=chance.randrange(3600))

    audit, signins = [], []
    for user in chance.sample(PEOPLE, 3):
        address = office_address(user)
        session = guid("session", user, hour)
        signins.append(signin(moment(), user, address, session=session,
                              category=chance.choice(["SignInLogs", "NonInteractiveUserSignInLogs"])))
        audit.append(sts_logon(moment(), user, address, session=session))
        audit.append(mail_items(moment(), user, address, chance.choice(FIRST_PARTY), {
            "\\Inbox": [f"<{guid('m', user, hour, n)[:13]}@{'contoso' if n else 'fabrikam'}.example>" for n in range(chance.randint(1, 3))],
        }, session=session, info="Client=OWA;Action=ViaProxy"))
    user = chance.choice(PEOPLE)
    audit.append(file_operation(moment(), chance.choice(["FileAccessed", "FileModified", "FileDownloaded"]), user,
                                office_address(user), "finance", f"Budget {chance.randint(2020, 2026)}.xlsx"))
    return audit, signins


def known_applications():
    """Third-party applications at the edges of the 14 days in which a sighting makes them known."""
    def read(time, user, app, n):
        return mail_items(at(time), user, office_address(user), app, {"\\Inbox": [f"<{guid('app', app, n)[:13]}@contoso.example>"]},
                          info="Client=REST;Client=RESTSystem;;")
    return [
        read("2026-03-02T08:10:00", "erin.walsh", CRM, 1), read("2026-03-16T07:10:00", "farid.haddad", CRM, 2),
        read("2026-03-02T08:20:00", "grace.lin", SIGNATURES, 1), read("2026-03-16T08:20:00", "grace.lin", SIGNATURES, 2),
        read("2026-03-02T08:30:00", "hugo.martin", ARCHIVER, 1), read("2026-03-16T08:30:01", "hugo.martin", ARCHIVER, 2),
    ]


def attack():
    """18 March: Ann is phished, her mailbox is read, a rule hides the answers."""
    messages = [item(f"<offer-{n:04d}@contoso.example>", 2000 + 17 * n) for n in range(104)]
    graph = "Client=REST;Client=RESTSystem;;"
    stolen = dict(session=RISKY_SESSION, info=graph)
    audit = [
        sts_logon(at("2026-03-18T07:31:10"), VICTIM, ATTACKER, error=50126),
        sts_logon(at("2026-03-18T07:42:05"), VICTIM, ATTACKER, session=RISKY_SESSION),
        directory(at("2026-03-18T07:51:30"), "Consent to application.", VICTIM, ATTACKER, EVIL_APP,
                  [("ConsentContext.IsAdminConsent", "False", ""), ("ConsentAction.Permissions", "[] => [[Scope: Mail.Read offline_access]]", "")],
                  id=guid("consent")),
        mail_items(at("2026-03-18T08:02:11"), VICTIM, f"{ATTACKER}:52114", EVIL_APP,
                   {"\\Inbox": ["<invoice-7731@fabrikam.example>", "<payroll-0318@contoso.example>"]}, **stolen),
        mail_items(at("2026-03-18T08:04:20"), VICTIM, ATTACKER, EVIL_APP,
                   {"\\Inbox": ["<payroll-0318@contoso.example>"], "\\Sent Items": ["<re-invoice-7731@contoso.example>"]}, **stolen),
        mail_items(at("2026-03-18T08:06:40"), VICTIM, ATTACKER, EVIL_APP, {"\\Inbox\\Offers": messages}, **stolen),
        mail_items(at("2026-03-18T08:21:00"), VICTIM, f"[{ATTACKER_V6}]:54088", EVIL_APP,
                   {"\\Archive": ["<contract-2025@fabrikam.example>"]}, **stolen),
        mail_items(at("2026-03-18T08:40:33"), VICTIM, f"[::ffff:{ATTACKER}]:443", EVIL_APP,
                   {"\\Inbox": ["<board-minutes@contoso.example>"]}, throttled="True", **stolen),
        mail_sync(at("2026-03-18T09:05:00"), VICTIM, ATTACKER, OFFICE, "\\Inbox", session=RISKY_SESSION),
        mail_sync(at("2026-03-18T09:05:02"), VICTIM, ATTACKER, OFFICE, "\\Sent Items", session=RISKY_SESSION),
        mail_sync(at("2026-03-18T09:05:04"), VICTIM, ATTACKER, OFFICE, "\\Archive", session=RISKY_SESSION),
    ]
    rule = cmdlet(at("2026-03-18T09:31:45"), "New-InboxRule", VICTIM, f"{ATTACKER}:52190",
                  {"Name": "..", "SubjectContainsWords": "invoice;payment", "MoveToFolder": "RSS Feeds", "MarkAsRead": "True",
                   "StopProcessingRules": "True"}, session=RISKY_SESSION)
    forward = cmdlet(at("2026-03-18T09:35:12"), "Set-Mailbox", VICTIM, f"{ATTACKER}:52190",
                     {"Identity": upn(VICTIM), "ForwardingSmtpAddress": "smtp:collector@fabrikam.example",
                      "DeliverToMailboxAndForward": "True"}, session=RISKY_SESSION)
    signins = [
        signin(at("2026-03-18T07:31:10"), VICTIM, ATTACKER, error=50126, risk="high", managed=False),
        signin(at("2026-03-18T07:42:05"), VICTIM, ATTACKER, session=RISKY_SESSION, risk="high", managed=False),
    ]
    others = [
        directory_audit(at("2026-03-18T07:51:30"), "Consent to application", VICTIM, ATTACKER, ["Mail Insights Sync"]),
        risk_event(at("2026-03-18T07:42:05"), VICTIM, ATTACKER, "anonymizedIPAddress"),
    ]
    alerts = [
        external_alert(at("2026-03-18T01:12:09"), ATTACKER),
        external_alert(at("2026-03-18T01:40:51"), ATTACKER, shape="dotted"),
        external_alert(at("2026-03-18T01:41:10"), ATTACKER_V6, shape="hit"),
    ]
    return audit, [rule, forward], signins, others, alerts


def near_misses():
    """What comes close to each detection without being it."""
    unknown = guid("app", "never listed")
    user, address = "ben.osei", office_address("ben.osei")
    one = {"\\Inbox": ["<newsletter-12@fabrikam.example>"]}
    many = {"\\Inbox": [item(f"<digest-{n:03d}@contoso.example>") for n in range(40)]}
    audit = [
        # unusual_client_app: a folder sync, a delegate, a system account.
        mail_sync(at("2026-03-19T09:10:00"), user, address, unknown, "\\Calendar"),
        mail_items(at("2026-03-19T09:11:00"), "carla.rossi", office_address("carla.rossi"), unknown, one, logon_type=2, owner=user),
        mail_items(at("2026-03-19T09:12:00"), user, address, unknown, one, UserType=4),
        # excessive_mail_items: one item short; a pair of another name that is True; a throttled record of type 2.
        mail_items(at("2026-03-19T09:20:00"), user, address, OFFICE, many, count=99),
        mail_items(at("2026-03-19T09:21:00"), user, address, OFFICE, one,
                   properties=[("MailAccessType", "Bind"), ("IsThrottled", "False"), ("IsFromSearch", "True")]),
        mail_sync(at("2026-03-19T09:22:00"), user, address, OFFICE, "\\Inbox", throttled="True"),
        # suspicious_source: mail read nine hours after the alert; another rule's alert; an excluded address.
        mail_items(at("2026-03-20T09:40:00"), "erin.walsh", "45.155.205.90", OFFICE, one),
        mail_items(at("2026-03-20T09:45:00"), "farid.haddad", "45.155.205.91", OFFICE, one),
        mail_items(at("2026-03-20T09:50:00"), "grace.lin", "203.0.113.50", OFFICE, one),
        mail_items(at("2026-03-20T09:51:00"), "carla.rossi", "10.20.30.40:50123", OFFICE, one),
    ]
    signins = [signin(at("2026-03-20T09:52:00"), "hugo.martin", "45.155.205.92", error=50126)]
    alerts = [
        external_alert(at("2026-03-20T00:30:00"), "45.155.205.90"),
        external_alert(at("2026-03-20T09:10:00"), "45.155.205.91", rule="Potential Port Scan", shape="dotted"),
        external_alert(at("2026-03-20T09:12:00"), "203.0.113.50"),
        external_alert(at("2026-03-20T09:13:00"), "10.20.30.40"),
        external_alert(at("2026-03-20T09:14:00"), "45.155.205.92", dataset="panw.panos"),
    ]
    return audit, signins, alerts


def defender(rules):
    """Rows of the Defender tables: Ann's stolen session, and the near misses of risky_mailbox_rule."""
    def rule(time, who, session, **more):
        return cmdlet(at(time), "New-InboxRule", who, office_address(who), {"Name": "Reports", "MoveToFolder": "Reports"},
                      session=session, id=guid("rule", who, time), **more)

    def row(record, time, who, **more):
        return cloud_app_event(record, at(time), record.get("ClientIP", "").split(":")[0], user=who, **more)
    sessions = {who: guid("session", who, "defender") for who in PEOPLE}
    cloud = [row(r, r["CreationTime"], VICTIM) for r in rules]
    # Ben's session is risky, but no alert names him; Carla's came from a managed device.
    cloud.append(row(rule("2026-03-18T10:02:00", "ben.osei", sessions["ben.osei"]), "2026-03-18T10:02:00", "ben.osei"))
    cloud.append(row(rule("2026-03-18T10:05:00", "carla.rossi", sessions["carla.rossi"]), "2026-03-18T10:05:00", "carla.rossi"))
    # Dmitri's risky session id is only a part of a longer token here.
    cloud.append(row(rule("2026-03-18T10:07:00", "dmitri.volkov", sessions["dmitri.volkov"] + "f00d"), "2026-03-18T10:07:00", "dmitri.volkov"))
    # A risky session that touched a file, and so no mailbox.
    shared = file_operation(at("2026-03-18T10:09:00"), "FileDownloaded", VICTIM, ATTACKER, "finance", "Payroll.xlsx",
                            SessionId=RISKY_SESSION)
    cloud.append(row(shared, "2026-03-18T10:09:00", VICTIM, application_id=20892))
    beta = [
        sign_in_event(at("2026-03-18T07:42:05"), VICTIM, ATTACKER, RISKY_SESSION),
        sign_in_event(at("2026-03-18T07:55:00"), "ben.osei", "198.51.100.77", sessions["ben.osei"], risk=50),
        sign_in_event(at("2026-03-18T07:56:00"), "carla.rossi", "198.51.100.78", sessions["carla.rossi"], managed=1, compliant=1,
                      trust="Azure AD joined"),
    ]
    new = [
        sign_in_event(at("2026-03-18T07:57:00"), "dmitri.volkov", "198.51.100.79", sessions["dmitri.volkov"], risk=10, beta=False),
        sign_in_event(at("2026-03-18T07:58:00"), "erin.walsh", "198.51.100.24", sessions["erin.walsh"], risk=0, beta=False),
    ]
    evidence = [
        alert_evidence(at("2026-03-18T10:20:00"), "da-7731", "User", VICTIM),
        alert_evidence(at("2026-03-18T10:20:00"), "da-7731", "Ip", address=ATTACKER),
        alert_evidence(at("2026-03-18T10:25:00"), "da-7732", "User", "carla.rossi"),
        alert_evidence(at("2026-03-18T10:26:00"), "da-7733", "User", "dmitri.volkov"),
    ]
    return cloud, beta, new, evidence


def by_time(records):
    return sorted(records, key=lambda r: (r["CreationTime"], r["Id"]))


def files():
    """Every file of the sample: name and bytes."""
    days = [everyday(hour) for hour in QUIET_HOURS]
    audit = [records for records, _ in days]
    signins = [records for _, records in days]
    apps = known_applications()
    stolen, rules, risky_signins, entra, alerts = attack()
    missed, missed_signins, missed_alerts = near_misses()
    cloud, beta, new, evidence = defender(rules)

    first = by_time(audit[0] + audit[1] + [a for a in apps if a["CreationTime"] < "2026-03-10"])
    second = by_time(audit[11] + audit[12] + [a for a in apps if a["CreationTime"] > "2026-03-10"])
    yield "3f2a91c07be04d5e_20260302.log", array(first)
    yield "audit_2026-03-03.json", lines(audit[2])
    yield "auditrecords-0304.txt", pretty_array(audit[3], "\r\n")
    yield "UAL-20260305-140000.json", concatenated_arrays(audit[4], 3)
    yield "dump_0306", concatenated_objects(audit[5])
    yield "Search results.csv", search_csv(audit[6], type_line=True)
    yield "UnifiedAuditLog_part2.txt", search_csv(audit[7], bom=True, slashes=True, columns=[
        "AuditData", "CreationDate", "Identity", "IsValid", "ObjectState", "Operations", "RecordType", "ResultCount", "ResultIndex", "UserIds"])
    yield "export-7c1b.csv", purview_csv(audit[8])
    yield "AuditLog_2026-03-12_2026-03-12.csv", legacy_csv(audit[9])
    yield "results-13.json", lines(search_json_rows(audit[10]))
    yield "mailbox_week12.json", pretty_array(search_json_rows(second, expanded=True))
    yield "records (1).json", wrapped("value", graph_rows(audit[13]), **{"@odata.context": "https://graph.microsoft.com/beta/$metadata"})
    # The day of the attack, gzip without a gzip name. The rules come again below, inside CloudAppEvents rows.
    yield "20260318.json", gz(array(by_time(stolen)))
    yield "MailItemsAccessed-near.bin", zst(lines(missed))
    yield "inbox rules.json", lines(rules)
    yield "o365-default-000014.ndjson", lines(
        [ecs(r, address=r.get("ClientIPAddress") or r.get("ClientIP"), dotted=n % 2 == 1, newest=n % 3 == 0) for n, r in enumerate(audit[14])])
    yield "late.zst", zst(array(by_time(audit[15])))
    yield "0322.json.gz", gz(lines(by_time(audit[16])) + b"\r\n")
    # Repeats: the same text in a second file, and the same events in another format.
    yield "audit_2026-03-03_again.json", lines(audit[2][:2])
    yield "rerun.csv", purview_csv(by_time(audit[0])[:2] + stolen[3:4])

    flat = [record for hour in signins for record in hour]
    yield "PT1H.json", lines(flat[:24])
    yield "PT1H-1.json", wrapped("records", flat[24:] + missed_signins)
    yield "PT1H_20260318_07.json", lines(risky_signins + entra)
    yield "insights-0318.txt", lines([envelope("CloudAppEvents", r, at(r["Timestamp"][:19])) for r in cloud[:3]])
    yield "Query1.json", lines(cloud[3:])
    yield "New query (2).csv", hunting_csv(beta)
    yield "signins-defender.log", lines([envelope("EntraIdSignInEvents", r, at(r["Timestamp"][:19])) for r in new])
    yield "evidence.json", lines([envelope("AlertEvidence", evidence[0], at("2026-03-18T10:20:00"))] + evidence[1:])
    yield "alerts-default-000003", lines(alerts + missed_alerts)
    yield "eve.json", lines([suricata(at("2026-03-18T01:12:08"), "192.0.2.66"), suricata(at("2026-03-18T01:13:00"), "192.0.2.66", "dns")])
    yield from damaged(audit, flat)


def damaged(audit, signins):
    """Files with something wrong, as they turn up in every hand-over."""
    whole = audit[5][0]
    cut = compact(ual(at("2026-03-06T09:59:58"), "MailItemsAccessed", 50, "Exchange", "ben.osei"))
    yield "PT1H_20260306_10.json", (compact(signins[10]) + "\n" + compact(signins[9])[:400]).encode()
    yield "audit_cut.json", lines([whole]) + cut[:-120].encode() + b"\n"
    yield "export_part_004.json", b""
    yield "mailbox_0318.json.gz", gz(lines(audit[7][:3]))[:-150]
    empty = search_csv(audit[9][:1]).decode().splitlines()
    yield "splunk_reexport.csv", ("\r\n".join(empty) + "\r\n" + '"ExchangeItemAggregated","3/12/2026 9:59:00 AM",'
                                  '"ben.osei@contoso.example","MailItemsAccessed","","2","2","","True","Unchanged"\r\n').encode()
    yield "content.json", compact([{
        "contentType": "Audit.Exchange", "contentId": "20260318093010123$20260318101010123$audit_exchange$Audit_Exchange",
        "contentUri": "https://manage.office.example/api/v1.0/7d0a6a1e/activity/feed/audit/20260318093010123",
        "contentCreated": "2026-03-18T10:10:10.123Z", "contentExpiration": "2026-03-25T09:30:10.123Z"}]).encode()
    yield "settings.json", BOM + b'{"theme":"dark","pageSize":50,"columns":["Time","User"]}\n'


def main():
    OUT.mkdir(exist_ok=True)
    total = 0
    for name, data in files():
        if data is None:
            print(f"{name}: zstd is not installed, file left as it is", file=sys.stderr)
            continue
        (OUT / name).write_bytes(data)
        total += len(data)
    print(f"{total} bytes in {OUT}", file=sys.stderr)


if __name__ == "__main__":
    main()
