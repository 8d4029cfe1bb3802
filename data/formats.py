"""Containers: how a list of records becomes the bytes of a file."""

import csv
import gzip
import io
import json
import subprocess
from datetime import datetime

from records import RECORD_TYPE_NAMES, at

BOM = b"\xef\xbb\xbf"


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pretty(value, newline="\n"):
    return json.dumps(value, ensure_ascii=False, indent=4).replace("\n", newline)


def lines(records):
    """NDJSON."""
    return "".join(compact(record) + "\n" for record in records).encode()


def array(records):
    """One minified array, as the Management Activity API returns it."""
    return compact(list(records)).encode()


def pretty_array(records, newline="\n"):
    return (pretty(list(records), newline) + newline).encode()


def concatenated_arrays(records, size):
    """Pretty arrays one after the other: what Microsoft-Extractor-Suite appends per time window."""
    records = list(records)
    parts = [records[start:start + size] for start in range(0, len(records), size)]
    return "".join(pretty(part, "\r\n") + "\r\n\r\n" for part in parts).encode()


def concatenated_objects(records):
    """Objects with nothing between them, pretty and minified in turn."""
    return "".join(pretty(r) if n % 2 else compact(r) for n, r in enumerate(records)).encode()


def wrapped(key, records, **more):
    """`{"records": [...]}`, `{"value": [...]}`."""
    return compact({**more, key: list(records)}).encode()


# Search-UnifiedAuditLog and the Purview portal --------------------------------------------


def us_time(text):
    """`3/2/2026 8:14:55 AM` from an ISO time."""
    time = datetime.fromisoformat(text)
    return f"{time.month}/{time.day}/{time.year} {time.hour % 12 or 12}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}"


def audit_data(record, slashes=False):
    """The record as the text of an AuditData cell; real exports often escape slashes."""
    text = compact(record)
    return text.replace("/", "\\/") if slashes else text


def search_row(record, position, total, slashes=False):
    return {
        "RecordType": RECORD_TYPE_NAMES[int(record["RecordType"])], "CreationDate": us_time(record["CreationTime"]),
        "UserIds": record["UserId"], "Operations": record["Operation"], "AuditData": audit_data(record, slashes),
        "ResultIndex": position + 1, "ResultCount": total, "Identity": record["Id"], "IsValid": True, "ObjectState": "Unchanged",
    }


def table(columns, rows, newline="\r\n", quote=csv.QUOTE_ALL, delimiter=","):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, quoting=quote, lineterminator=newline, extrasaction="ignore", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def search_csv(records, *, type_line=False, bom=False, columns=None, slashes=False):
    """`Search-UnifiedAuditLog | Export-Csv`."""
    columns = columns or ["RecordType", "CreationDate", "UserIds", "Operations", "AuditData", "ResultIndex", "ResultCount",
                          "Identity", "IsValid", "ObjectState"]
    records = list(records)
    body = table(columns, [search_row(r, n, len(records), slashes) for n, r in enumerate(records)])
    head = b"#TYPE Selected.Deserialized.Microsoft.Exchange.Data.ApplicationLogic.UnifiedAuditLogEvent\r\n" if type_line else b""
    return (BOM if bom else b"") + head + body


def purview_csv(records, bom=True):
    """Audit search in the Purview portal, "Export"."""
    rows = [{"RecordId": r["Id"], "CreationDate": us_time(r["CreationTime"]), "RecordType": r["RecordType"],
             "Operation": r["Operation"], "UserId": r["UserId"], "AuditData": audit_data(r),
             "AssociatedAdminUnits": "", "AssociatedAdminUnitsNames": ""} for r in records]
    columns = ["RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData", "AssociatedAdminUnits",
               "AssociatedAdminUnitsNames"]
    return (BOM if bom else b"") + table(columns, rows, quote=csv.QUOTE_MINIMAL)


def legacy_csv(records):
    """The four columns of the retired Security & Compliance portal."""
    rows = [{"CreationDate": r["CreationTime"] + ".0000000Z", "UserIds": r["UserId"], "Operations": r["Operation"],
             "AuditData": audit_data(r)} for r in records]
    return table(["CreationDate", "UserIds", "Operations", "AuditData"], rows, quote=csv.QUOTE_MINIMAL)


def search_json_rows(records, expanded=False):
    """The same rows through ConvertTo-Json: AuditData stays a string, or is expanded to an object."""
    records = list(records)
    rows = []
    for n, record in enumerate(records):
        row = search_row(record, n, len(records))
        # Windows PowerShell 5.1 writes dates as milliseconds since the epoch.
        row["CreationDate"] = f"/Date({int(at(record['CreationTime']).timestamp() * 1000)})/"
        if expanded:
            row["AuditData"] = record
        rows.append(row)
    return rows


def graph_rows(records):
    """auditLogRecord of the Graph security API: the record under camelCase keys."""
    types = {0: "regular", 2: "admin", 4: "system", 5: "application", 10: "guest"}
    rows = []
    for r in records:
        name = RECORD_TYPE_NAMES[int(r["RecordType"])]
        rows.append({
            "id": r["Id"], "createdDateTime": r["CreationTime"] + "Z", "auditLogRecordType": name[0].lower() + name[1:],
            "operation": r["Operation"], "organizationId": r["OrganizationId"], "userType": types.get(int(r["UserType"]), "regular"),
            "userId": r["UserId"], "service": r["Workload"], "objectId": r.get("ObjectId"), "userPrincipalName": r["UserId"],
            "clientIp": r.get("ClientIPAddress") or r.get("ClientIP"), "administrativeUnits": [""],
            "auditData": {"@odata.type": "#microsoft.graph.security.defaultAuditData", **r},
        })
    return rows


def hunting_csv(rows):
    """An advanced hunting result as the Defender portal exports it: objects as JSON text."""
    columns = list(rows[0])
    flat = [{k: compact(v) if isinstance(v, (dict, list)) else v for k, v in row.items()} for row in rows]
    return BOM + table(columns, flat, quote=csv.QUOTE_MINIMAL)


# Compression ------------------------------------------------------------------------------


def gz(data):
    """Gzip without time or name, so that the bytes are the same every time."""
    return gzip.compress(data, 9, mtime=0)


def zst(data):
    """Zstandard through its command line tool; None where that is not installed."""
    try:
        return subprocess.run(["zstd", "-19", "-q", "-c"], input=data, capture_output=True, check=True).stdout
    except FileNotFoundError:
        return None
