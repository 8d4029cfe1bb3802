"""Builders of Log Analytics rows: the Entra logs and the audit log as a Sentinel workspace holds them."""

import json

from formats import compact
from records import RECORD_TYPE_NAMES, guid

WORKSPACE = guid("workspace")

# Columns that do not simply have the name of their property with a capital.
COLUMNS = {
    "ipAddress": "IPAddress", "location": "LocationDetails", "appliedConditionalAccessPolicies": "ConditionalAccessPolicies",
    "processingTimeInMilliseconds": "ProcessingTimeInMs", "resourceId": "ResourceIdentity", "riskEventTypes_v2": "RiskEventTypes_V2",
}
ENVELOPE = {
    "operationName": "OperationName", "operationVersion": "OperationVersion", "resultType": "ResultType",
    "resultSignature": "ResultSignature", "durationMs": "DurationMs", "correlationId": "CorrelationId", "identity": "Identity",
    "resourceId": "ResourceId", "tenantId": "AADTenantId",
}


def capital(name):
    return name[0].upper() + name[1:]


def envelope(record, table):
    row = {"TenantId": WORKSPACE, "SourceSystem": "Azure AD", "TimeGenerated": record["time"]}
    row.update({column: record[key] for key, column in ENVELOPE.items() if key in record})
    row["Level"] = str(record["Level"])
    row["Type"] = table
    return row


def sign_in_row(record, table="SigninLogs", *, flat=False):
    """A row of a sign-in table. `flat`: objects and lists are JSON text, as AADNonInteractiveUserSignInLogs has them."""
    row = envelope(record, table)
    row.update({"Category": record["category"], "Location": record["location"]})
    for key, value in record["properties"].items():
        row[COLUMNS.get(key, capital(key))] = compact(value) if flat and isinstance(value, (dict, list)) else value
    return row


def audit_row(record, *, flat=False):
    """A row of AuditLogs: its category is that of the activity."""
    row = envelope(record, "AuditLogs")
    properties = dict(record["properties"])
    row["AADOperationType"] = properties.pop("operationType")
    for key, value in properties.items():
        row[capital(key)] = compact(value) if flat and isinstance(value, (dict, list)) else value
    return row


def risk_row(record, time):
    """A row of AADUserRiskEvents, which names no tenant."""
    row = {"TenantId": WORKSPACE, "SourceSystem": "Azure AD", "TimeGenerated": time, "OperationName": record["operationName"],
           "Type": "AADUserRiskEvents"}
    properties = dict(record["properties"])
    properties.pop("riskType")
    row.update({capital(key): value for key, value in properties.items()})
    return row


USER_TYPES = {0: "Regular", 2: "Admin", 4: "System", 5: "Application"}
LOGON_TYPES = {0: "Owner", 1: "Admin", 2: "Delegated"}
OFFICE = {"Id": "OfficeId", "ObjectId": "OfficeObjectId", "Workload": "OfficeWorkload", "CreationTime": "TimeGenerated",
          "ClientIPAddress": "Client_IPAddress", "LogonType": "Logon_Type", "SiteUrl": "Site_Url"}


def office_activity(record):
    """A row of OfficeActivity: enumerations by name, objects and lists as JSON text."""
    row = {"TenantId": WORKSPACE, "SourceSystem": "OfficeActivityManager", "Type": "OfficeActivity"}
    for key, value in record.items():
        value = compact(value) if isinstance(value, (dict, list)) else value
        row[OFFICE.get(key, key)] = value
    row["TimeGenerated"] += "Z"
    row["RecordType"] = RECORD_TYPE_NAMES[record["RecordType"]]
    row["UserType"] = USER_TYPES[record["UserType"]]
    if "LogonType" in record:
        row["Logon_Type"] = LOGON_TYPES[record["LogonType"]]
        row["InternalLogonType"] = LOGON_TYPES[record["InternalLogonType"]]
    row["ExternalAccess"] = str(record["ExternalAccess"])
    return row


def query_result(rows):
    """What the query API answers: columns once, then rows of cells; objects are JSON text."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    kinds = {bool: "bool", int: "long", str: "string"}
    described = [{"name": name, "type": "datetime" if name == "TimeGenerated" else
                  next((kinds.get(type(row[name]), "dynamic") for row in rows if name in row), "string")} for name in columns]
    cells = [[compact(row[name]) if isinstance(row.get(name), (dict, list)) else row.get(name) for name in columns] for row in rows]
    return json.dumps({"tables": [{"name": "PrimaryResult", "columns": described, "rows": cells}]}, ensure_ascii=False).encode()


def portal_csv_row(row):
    """A row as the portal writes it: times without zone, which the name of the column tells, and everything text."""
    flat = {key: compact(value) if isinstance(value, (dict, list)) else value for key, value in row.items()}
    return {f"{key} [UTC]" if key == "TimeGenerated" else key: value for key, value in flat.items()}
