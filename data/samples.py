#!/usr/bin/env python3
"""Writes `formats/`: one small file per container, encoding, framing and source that retrohunt reads.

The same few events in all of them, so that each file shows one thing alone. Needs Python 3.11
alone, and `zstd` and `7z` for one file each, which stays as committed where they are missing.
What each file holds is in formats/expected.json, which is written by hand.
"""

import bz2
import csv
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
from defender import alert_evidence, cloud_app_event, ecs, envelope, external_alert, sign_in_event, suricata  # noqa: E402
from formats import (BOM, array, compact, concatenated_arrays, concatenated_objects, graph_rows, gz, hunting_csv,  # noqa: E402
                     legacy_csv, lines, pretty, pretty_array, purview_csv, search_csv, search_json_rows, search_row, table,
                     wrapped, zst)
from log_analytics import (WORKSPACE, audit_row, office_activity, portal_csv_row, query_result, risk_row,  # noqa: E402
                           sign_in_row)
from records import at, cmdlet, directory_audit, guid, iso, item, mail_items, risk_event, signin, ual  # noqa: E402

OUT = Path(__file__).parent / "formats"

ANN, BEN = "ann.keller", "ben.osei"
OFFICE = "198.51.100.20"
HOME = "203.0.113.44"
OUTLOOK_MOBILE = "27922004-5251-4030-b22d-91ecd9a37ea4"
SESSION = guid("session", "formats")

# The events. Each has a second of its own, by which expected.json names it.
MAIL = mail_items(at("2026-03-24T09:15:30"), ANN, OFFICE, OUTLOOK_MOBILE,
                  {"\\Inbox": ["<report-1@fabrikam.example>", "<report-2@fabrikam.example>"],
                   "\\Sent Items": ["<re-report-1@contoso.example>"]}, session=SESSION, info="Client=OWA;Action=ViaProxy")
RULE = cmdlet(at("2026-03-24T09:16:02"), "New-InboxRule", ANN, "[2001:db8::20]:54088",
              {"Name": "Berichte für Jürgen", "From": "reports@fabrikam.example", "MoveToFolder": "Reports",
               "StopProcessingRules": "True"}, session=SESSION)
AUDIT_LOG = [MAIL, RULE]
SIGN_IN = signin(at("2026-03-24T09:10:00"), ANN, OFFICE, session=SESSION)
SIGN_IN_FAILED = signin(at("2026-03-24T09:11:00"), BEN, HOME, error=50126, category="NonInteractiveUserSignInLogs",
                        session=guid("session", "none"))
ROLE = directory_audit(at("2026-03-24T09:20:00"), "Add member to role", ANN, OFFICE, ["Helpdesk", "Ben"])
RISK = risk_event(at("2026-03-24T09:21:00"), BEN, HOME, "unfamiliarFeatures")
RISKY = {"id": RISK["properties"]["userId"], "isDeleted": False, "isProcessing": False, "riskLevel": "high", "riskState": "atRisk",
         "riskDetail": "none", "riskLastUpdatedDateTime": "2026-03-24T09:21:30Z",
         "userDisplayName": RISK["properties"]["userDisplayName"], "userPrincipalName": RISK["properties"]["userPrincipalName"]}
CLOUD = cloud_app_event(RULE, at("2026-03-24T09:16:02"), "2001:db8::20", user=ANN)
BETA = sign_in_event(at("2026-03-24T09:12:00"), ANN, OFFICE, SESSION, risk=10)
ENTRA = sign_in_event(at("2026-03-24T09:13:00"), BEN, HOME, SESSION, risk=0, managed=1, beta=False)
EVIDENCE = alert_evidence(at("2026-03-24T09:30:00"), "da-9001", "User", BEN, address=HOME)
ALERT = external_alert(at("2026-03-24T09:40:00"), HOME)
EVE = suricata(at("2026-03-24T09:39:58"), HOME)

# An investigation names the time of its query twice, in two spellings.
TWICE = compact(ual(at("2026-03-24T09:45:00"), "AirInvestigationData", 64, "AirInvestigation", "AirInvestigation", UserId="AirInvestigation",
                    QueryTime="2026-03-24T09:44:00Z", Data='{"Entities":[{"Type":"mailMessage"}]}')).replace(
    '"Data"', '"QueryTime":"3/24/2026 9:44:00 AM","Data"')


def unified_audit_log():
    """The audit log through every way out of Microsoft 365."""
    yield "management-array.json", array(AUDIT_LOG)
    yield "management-lines.json", lines(AUDIT_LOG)
    yield "management-one-object.json", pretty(MAIL, "\r\n").encode()
    fields = [{key: "System.Object[]" if isinstance(value, list) else value for key, value in r.items()} for r in AUDIT_LOG]
    yield "management-fields.csv", table(list(fields[1]), fields[1:])
    yield "search.csv", search_csv(AUDIT_LOG, type_line=True)
    yield "search-rows.json", lines(search_json_rows(AUDIT_LOG))
    yield "search-rows-expanded.json", pretty_array(search_json_rows(AUDIT_LOG, expanded=True))
    yield "search-rows-one.json", pretty(search_json_rows(AUDIT_LOG)[0]).encode()
    yield "purview.csv", purview_csv(AUDIT_LOG)
    yield "legacy-portal.csv", legacy_csv(AUDIT_LOG)
    graph = graph_rows(AUDIT_LOG)
    context = "https://graph.microsoft.com/v1.0/$metadata#security/auditLog/queries('1')/records"
    yield "graph-audit-log-query.json", wrapped("value", graph, **{
        "@odata.context": context, "@odata.count": 2, "@odata.nextLink": "https://graph.microsoft.com/v1.0/next"})
    yield "graph-audit-log-query.csv", hunting_csv(graph)
    yield "splunk.csv", splunk()
    yield "excel.csv", excel()
    yield "duplicate-keys.json", (TWICE + "\n").encode()
    yield "long-cell.csv", purview_csv([mail_items(
        at("2026-03-24T09:50:00"), ANN, OFFICE, OUTLOOK_MOBILE,
        {"\\Archive": [item(f"<archive-{n:04}@contoso.example>") for n in range(950)]}, session=SESSION)])
    yield "descriptors.json", compact([{
        "contentType": "Audit.Exchange", "contentId": "20260324", "contentUri": "https://manage.office.example/audit/20260324",
        "contentCreated": "2026-03-24T10:10:10.123Z", "contentExpiration": "2026-03-31T09:30:10.123Z"}]).encode()


def splunk():
    """A search result that went through Splunk: more columns, and a row whose record was lost."""
    rows = [search_row(r, n, 3) for n, r in enumerate(AUDIT_LOG)]
    for row, record in zip(rows, AUDIT_LOG):
        row.update({"_raw": compact(record)[:60], "_time": record["CreationTime"] + ".000+0000", "_bkt": "o365~1", "date_hour": 9,
                    "meta": ""})
    lost = dict(rows[0], AuditData="", Identity="", meta="truncated", ResultIndex=3)
    return table(list(rows[0]), rows + [lost])


def excel():
    """A search result that was saved by Excel: semicolons, and a record cut where a cell ends."""
    rows = [search_row(r, n, 2) for n, r in enumerate(AUDIT_LOG)]
    rows[1]["AuditData"] = rows[1]["AuditData"][:300]
    return BOM + b"sep=;\r\n" + table(list(rows[0]), rows, quote=csv.QUOTE_MINIMAL, delimiter=";")


def encodings():
    """What PowerShell, old Windows and careless joining make of text."""
    text = pretty_array(AUDIT_LOG, "\r\n").decode()
    yield "utf-16-le.json", b"\xff\xfe" + text.encode("utf-16-le")
    yield "utf-16-be.json", b"\xfe\xff" + text.encode("utf-16-be")
    yield "utf-16-le.csv", b"\xff\xfe" + search_csv(AUDIT_LOG).decode().encode("utf-16-le")
    yield "utf-8-mark.json", BOM + lines(AUDIT_LOG)
    yield "joined-with-marks.json", BOM + pretty_array([MAIL]) + BOM + pretty_array([RULE])
    yield "joined-with-marks.csv", search_csv([MAIL], bom=True) + BOM + search_csv([RULE]).split(b"\r\n", 1)[1]
    yield "padded.json", lines(AUDIT_LOG) + bytes(512)
    yield "windows-1252.csv", purview_csv(AUDIT_LOG, bom=False).decode().encode("cp1252")


def framings():
    """JSON as it lies in files."""
    yield "array-pretty.json", pretty_array(AUDIT_LOG)
    yield "arrays-concatenated.json", concatenated_arrays(AUDIT_LOG, 1)
    yield "objects-concatenated.json", concatenated_objects(AUDIT_LOG)
    yield "blank-lines.json", b"\n\n".join(lines([r]) for r in AUDIT_LOG) + b"\r\n"
    yield "interrupted-in-record.json", (compact(AUDIT_LOG)[:-400]).encode()
    yield "interrupted-at-begin.json", lines(AUDIT_LOG)[400:]
    yield "interrupted-after-comma.json", ("[" + compact(MAIL) + ",\n" + compact(RULE) + ",\n").encode()
    yield "records-lower.json", wrapped("records", AUDIT_LOG)
    yield "records-upper.json", wrapped("Records", AUDIT_LOG)
    yield "value-cut.json", wrapped("value", AUDIT_LOG)[:-2]
    yield "encoded-twice-lines.json", lines([compact(r) for r in AUDIT_LOG])
    yield "encoded-twice-array.json", pretty([compact(r) for r in AUDIT_LOG]).encode()
    rows = search_json_rows(AUDIT_LOG)
    for row in rows:
        row["AuditData"] = compact(row["AuditData"])
    yield "encoded-twice-search-rows.json", lines(rows)


def containers():
    """Archives and compressions; what is in them are files of the other groups."""
    first, second = lines([MAIL]), search_csv([RULE])
    yield "gzip.gz", gz(first + lines([RULE]))
    yield "gzip-members.json.gz", gz(first) + gz(lines([RULE]))
    yield "zstandard.zst", zst(lines(AUDIT_LOG))
    yield "bzip2.bz2", bz2.compress(lines(AUDIT_LOG))
    yield "xz.xz", lzma.compress(lines(AUDIT_LOG))
    members = {"__MACOSX/._mail.json": b"\0\5\x16\7", "logs/mail.json": first, "logs/rules.csv": second}
    yield "zip.Zip", zipped(members)
    yield "zip-nested.zip", zipped({"mail.json.gz": gz(first), "inner.zip": zipped({"rules.csv": second})})
    yield "tar.tar", tarred(members)
    yield "tar.tar.gz", gz(tarred(members))
    yield "seven.7z", seven(members)


def zipped(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 24, 10, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def tarred(members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def seven(members):
    """7z through its command line tool; None where that is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in members.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            subprocess.run(["7z", "a", "-bd", "-mtm=off", "-mtr=off", "out.7z", *members], cwd=folder, check=True,
                           capture_output=True)
        except FileNotFoundError:
            return None
        return Path(folder, "out.7z").read_bytes()


def entra():
    """Sign-ins, directory audits and risk from storage accounts, event hubs, Graph and Log Analytics."""
    yield "azure-monitor-lines.json", lines([SIGN_IN, SIGN_IN_FAILED, ROLE, RISK, {
        **ROLE, "category": "MicrosoftGraphActivityLogs"}])
    yield "azure-monitor-records.json", wrapped("records", [SIGN_IN, ROLE, RISK])
    graph = "https://graph.microsoft.com/v1.0/$metadata#auditLogs/"
    sign_ins = [SIGN_IN["properties"], {**SIGN_IN_FAILED["properties"], "signInEventTypes": ["nonInteractiveUser"]}]
    yield "graph-sign-ins.json", wrapped("value", sign_ins, **{
        "@odata.context": graph + "signIns", "@odata.nextLink": "https://graph.microsoft.com/v1.0/next"})
    yield "graph-sign-ins-pages.json", concatenated_arrays(sign_ins, 1)
    yield "graph-directory-audits.json", wrapped("value", [ROLE["properties"]], **{"@odata.context": graph + "directoryAudits"})

    graph = "https://graph.microsoft.com/v1.0/$metadata#identityProtection/"
    detection = {**without(RISK["properties"], "riskType"), "requestId": guid("request", "risk"), "correlationId": RISK["correlationId"],
                 "tokenIssuerType": "AzureAD", "location": {"city": "Paris", "state": None, "countryOrRegion": "FR",
                                                            "geoCoordinates": {"latitude": 48.85, "longitude": 2.35}}}
    yield "graph-risk-detections.json", wrapped("value", [detection], **{"@odata.context": graph + "riskDetections"})
    yield "graph-risk-detection.json", pretty(detection).encode()
    yield "graph-risky-users.json", wrapped("value", [RISKY], **{
        "@odata.context": graph + "riskyUsers", "@odata.nextLink": "https://graph.microsoft.com/v1.0/next"})

    yield "log-analytics-sign-ins.json", lines([sign_in_row(SIGN_IN)])
    failed = sign_in_row(SIGN_IN_FAILED, "AADNonInteractiveUserSignInLogs", flat=True)
    yield "log-analytics-sign-ins-flat.json", lines([failed])
    yield "log-analytics-sign-ins.csv", hunting_csv([portal_csv_row(sign_in_row(SIGN_IN))])
    yield "log-analytics-audit.json", lines([audit_row(ROLE)])
    yield "log-analytics-audit.csv", hunting_csv([portal_csv_row(audit_row(ROLE))])
    yield "log-analytics-query.json", query_result([failed, audit_row(ROLE)])
    yield "log-analytics-risk.json", lines([risk_row(RISK, "2026-03-24T09:21:00Z")])
    activity = [office_activity(r) for r in AUDIT_LOG]
    yield "log-analytics-office-activity.json", lines(activity)
    yield "log-analytics-office-activity.csv", hunting_csv([portal_csv_row(activity[0])])
    yield "log-analytics-other.json", lines([{"TenantId": WORKSPACE, "TimeGenerated": "2026-03-24T09:55:00Z", "AlertName": "x",
                                             "Type": "SecurityAlert"}])


def defender():
    """Defender tables: streamed, as query results, as CSV."""
    rows = {"CloudAppEvents": CLOUD, "AADSignInEventsBeta": BETA, "EntraIdSignInEvents": ENTRA, "AlertEvidence": EVIDENCE}
    streamed = [envelope(name, row, at(row["Timestamp"][:19])) for name, row in rows.items()]
    streamed.append(envelope("DeviceEvents", {"Timestamp": "2026-03-24T09:31:00Z", "ActionType": "x"}, at("2026-03-24T09:31:00")))
    yield "defender-streaming.json", lines(streamed)
    # In a Sentinel workspace, whose columns stand around Defender's.
    workspace = [{"TenantId": WORKSPACE, "TimeGenerated": row["Timestamp"], **without(row, "Timestamp"), "SourceSystem": "", "Type": name}
                 for name, row in rows.items()]
    yield "defender-workspace.json", lines(workspace)
    yield "defender-workspace.csv", hunting_csv(workspace[:1])
    for name, row in rows.items():
        file = {"CloudAppEvents": "cloud-app-events", "AADSignInEventsBeta": "sign-ins-beta", "EntraIdSignInEvents": "sign-ins",
                "AlertEvidence": "alert-evidence"}[name]
        schema = [{"name": key, "type": "String"} for key in row]
        yield f"defender-{file}.json", compact({"schema": schema, "results": [row]}).encode()
        yield f"defender-{file}.csv", hunting_csv([row])


def without(row, key):
    return {column: value for column, value in row.items() if column != key}


def elastic():
    """Documents out of Elasticsearch, and Suricata."""
    document = ecs(MAIL, address=OFFICE)
    index = ".ds-logs-o365.audit-default-2026.03.24-000001"
    hit = {"_index": index, "_id": MAIL["Id"], "_score": 1.0, "_source": document}
    yield "ecs-lines.json", lines([ecs(MAIL, address=OFFICE, dotted=True)])
    yield "ecs-dump.json", lines([hit])
    yield "ecs-search.json", json.dumps({
        "took": 3, "timed_out": False, "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {"total": {"value": 1, "relation": "eq"}, "max_score": 1.0, "hits": [hit]}}).encode()
    yield "ecs-bulk.ndjson", lines([{"index": {"_index": index, "_id": MAIL["Id"]}}, document])
    flat = ecs(MAIL, address=OFFICE, dotted=True)
    yield "ecs-fields.json", lines([{"_index": index, "_id": MAIL["Id"], "fields": {
        key: value if isinstance(value, list) else [value] for key, value in flat.items() if not has_objects(value)}}])
    yield "elastic-agent.ndjson", lines([{"@timestamp": "2026-03-24T09:22:00.000Z", "o365audit": r} for r in AUDIT_LOG])
    yield "elastic-agent-message.ndjson", lines([
        {"@timestamp": "2026-03-24T09:22:00.000Z", "message": compact(SIGN_IN), "event": {"dataset": "azure.signinlogs"},
         "azure": {"eventhub": "insights", "offset": 7}},
        {"@timestamp": "2026-03-24T09:22:00.000Z", "event": {"original": compact(MAIL)}, "tags": ["preserve_original_event"]}])
    yield "elastic-alert.json", lines([ALERT])
    signal = {"@timestamp": iso(at("2026-03-24T09:41:00"), 3), "signal": {
        "rule": {"name": "External Alerts", "id": guid("rule", "External Alerts"), "severity": "medium", "risk_score": 47},
        "status": "open", "original_time": iso(at("2026-03-24T09:40:59"), 3)}, "source": {"ip": HOME}}
    yield "elastic-signal.json", lines([{"_index": ".siem-signals-default-000001", "_id": guid("signal"), "_source": signal}])
    yield "suricata-eve.json", lines([EVE, suricata(at("2026-03-24T09:39:58") + timedelta(seconds=1), HOME, "dns")])


def has_objects(value):
    return isinstance(value, list) and any(isinstance(element, dict) for element in value)


def main():
    OUT.mkdir(exist_ok=True)
    names = set()
    for group in (unified_audit_log, encodings, framings, containers, entra, defender, elastic):
        for name, data in group():
            assert name not in names, name
            names.add(name)
            if data is None:
                print(f"{name}: its tool is not installed, file left as it is", file=sys.stderr)
                continue
            (OUT / name).write_bytes(data)
    print(f"{len(names)} files in {OUT}", file=sys.stderr)


if __name__ == "__main__":
    main()
