"""Builders of single log records, in the shapes in which Microsoft and Elastic deliver them.

Everything is invented: tenant, people, ids. Ids are derived from their ingredients, so that
the same call gives the same record and a sample can be rebuilt byte for byte.
"""

import uuid
from datetime import datetime, timedelta, timezone

TENANT = "7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee"
TENANT_NAME = "contoso.example"
EXCHANGE = 20893  # CloudAppEvents.ApplicationId of Microsoft Exchange Online

RECORD_TYPE_NAMES = {
    1: "ExchangeAdmin", 2: "ExchangeItem", 6: "SharePointFileOperation", 8: "AzureActiveDirectory",
    15: "AzureActiveDirectoryStsLogon", 50: "ExchangeItemAggregated", 64: "AirInvestigation",
}


def guid(*parts):
    """A stable GUID made from anything printable."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "contoso.example/" + "/".join(map(str, parts))))


def at(text):
    """An instant from `2026-03-02T08:00:00`, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def seconds(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def iso(time, digits=7):
    """ISO 8601 with Z and that many decimals."""
    if digits == 0:
        return seconds(time) + "Z"
    return f"{seconds(time)}.{time.microsecond:06d}0000"[: 20 + digits] + "Z"


def upn(user):
    return user if "@" in user else f"{user}@{TENANT_NAME}"


def object_id(user):
    """The Entra object id of a user (UPN)."""
    return guid("user", upn(user).lower())


# Unified audit log records ("AuditData") ---------------------------------------------------


def ual(time, operation, record_type, workload, user, *, id=None, **more):
    """The common part of every unified audit log record, then what the workload adds."""
    user = upn(user)
    record = {
        "CreationTime": seconds(time),
        "Id": id or guid("ual", seconds(time), operation, user, sorted(map(str, more.items()))),
        "Operation": operation,
        "OrganizationId": TENANT,
        "RecordType": record_type,
        "ResultStatus": "Succeeded",
        "UserKey": object_id(user).replace("-", "")[:16].upper(),
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "UserId": user,
    }
    record.update(more)
    return record


def item(message_id, size=4096, subject=None):
    entry = {"Id": "RgAAAAB" + guid("item", message_id).replace("-", ""),
             "InternetMessageId": message_id, "SizeInBytes": size}
    if subject:
        entry["Subject"] = subject
    return entry


def mail_items(time, user, address, app, folders, *, count=None, throttled="False", access="Bind", session=None,
               owner=None, info="Client=REST;Client=RESTSystem;;", logon_type=0, properties=None, **more):
    """MailItemsAccessed, Bind: `folders` maps a path to its items or message ids."""
    listed = [{"FolderItems": [entry if isinstance(entry, dict) else item(entry) for entry in entries],
               "Id": "LgAAAAB" + guid("folder", owner or user, path).replace("-", ""), "Path": path}
              for path, entries in folders.items()]
    if properties is None:
        properties = [("MailAccessType", access), ("IsThrottled", throttled)]
    body = {
        "AppId": "00000003-0000-0000-c000-000000000000",
        "ClientAppId": app,
        "ClientIPAddress": address,
        "ClientInfoString": info,
        "ExternalAccess": False,
        "InternalLogonType": 0,
        "LogonType": logon_type,
        "LogonUserSid": "S-1-5-21-1004336348-" + str(int(guid("sid", user)[:6], 16)),
        "MailboxGuid": guid("mailbox", upn(owner or user)),
        "MailboxOwnerUPN": upn(owner or user),
        "OperationProperties": [{"Name": name, "Value": value} for name, value in properties],
        "OrganizationName": "contoso.onmicrosoft.com",
        "OriginatingServer": "AM0PR07MB1 (15.20.7000.010)\r\n",
    }
    if app is None:
        del body["ClientAppId"]
    if session:
        body["SessionId"] = session
    body["Folders"] = listed
    body["OperationCount"] = sum(len(f["FolderItems"]) for f in listed) if count is None else count
    body.update(more)
    return ual(time, "MailItemsAccessed", more.pop("RecordType", 50), "Exchange", user, **body)


def mail_sync(time, user, address, app, folder, *, session=None, owner=None, throttled="False",
              info="Client=MSExchangeRPC", **more):
    """MailItemsAccessed, Sync: one folder, record type 2, no list of messages."""
    record = mail_items(time, user, address, app, {}, access="Sync", throttled=throttled, session=session, owner=owner,
                        info=info, RecordType=2, **more)
    del record["Folders"], record["OperationCount"]
    record["Item"] = {"Id": "LgAAAAB" + guid("folder", owner or user, folder).replace("-", ""),
                      "ParentFolder": {"Id": "LgAAAAB" + guid("folder", owner or user, folder).replace("-", ""),
                                       "Name": folder.rsplit("\\", 1)[-1], "Path": folder}}
    return record


def cmdlet(time, operation, user, address, parameters, *, session=None, **more):
    """An Exchange cmdlet: New-InboxRule, Set-Mailbox, ..."""
    body = {
        "ClientIP": address,
        "ObjectId": f"EURPR07A001.PROD.OUTLOOK.COM/contoso.onmicrosoft.com/{upn(user).split('@')[0]}\\{parameters.get('Name', '')}",
        "ExternalAccess": False,
        "OrganizationName": "contoso.onmicrosoft.com",
        "OriginatingServer": "AM0PR07MB1 (15.20.7000.010)",
        "Parameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
        "ResultStatus": "True",
    }
    if session:
        body["SessionId"] = session
    body.update(more)
    return ual(time, operation, 1, "Exchange", user, **body)


def sts_logon(time, user, address, *, error=0, session=None, **more):
    """UserLoggedIn or UserLoginFailed. ResultStatus says Success for both, as in real exports."""
    device = [{"Name": "OS", "Value": "Windows 10"}, {"Name": "BrowserType", "Value": "Edge"}]
    if session:
        device.append({"Name": "SessionId", "Value": session})
    body = {
        "ResultStatus": "Success", "ClientIP": address, "ObjectId": "00000002-0000-0ff1-ce00-000000000000",
        "ActorIpAddress": address, "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": [{"Name": "ResultStatusDetail", "Value": "Success" if error == 0 else "UserError"},
                               {"Name": "UserAgent", "Value": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/122.0"},
                               {"Name": "RequestType", "Value": "OAuth2:Authorize"}],
        "ModifiedProperties": [], "Actor": [{"ID": object_id(user), "Type": 0}, {"ID": upn(user), "Type": 5}],
        "ActorContextId": TENANT, "Target": [{"ID": "00000002-0000-0ff1-ce00-000000000000", "Type": 0}],
        "ApplicationId": "00000002-0000-0ff1-ce00-000000000000", "DeviceProperties": device, "ErrorNumber": str(error),
    }
    if error:
        body["LogonError"] = "InvalidUserNameOrPassword"
    body.update(more)
    return ual(time, "UserLoggedIn" if error == 0 else "UserLoginFailed", 15, "AzureActiveDirectory", user, **body)


def file_operation(time, operation, user, address, site, name, **more):
    """A SharePoint or OneDrive file operation."""
    url = f"https://contoso.sharepoint.example/sites/{site}/"
    body = {
        "ClientIP": address, "ObjectId": url + "Shared Documents/" + name, "CorrelationId": guid("corr", time, name),
        "EventSource": "SharePoint", "ItemType": "File", "SiteUrl": url, "SourceFileExtension": name.rsplit(".", 1)[-1],
        "SourceFileName": name, "SourceRelativeUrl": "Shared Documents", "UserAgent": "OneDriveMpc/24.0",
    }
    body.update(more)
    return ual(time, operation, 6, "SharePoint", user, **body)


def directory(time, operation, user, address, target, modified, **more):
    """An Entra directory change as the unified audit log tells it (operations end with a period)."""
    body = {
        "ResultStatus": "Success", "ClientIP": address, "ObjectId": target, "ActorIpAddress": address,
        "AzureActiveDirectoryEventType": 1, "ExtendedProperties": [],
        "ModifiedProperties": [{"Name": name, "NewValue": new, "OldValue": old} for name, new, old in modified],
        "Actor": [{"ID": upn(user), "Type": 5}], "ActorContextId": TENANT, "Target": [{"ID": target, "Type": 2}],
    }
    body.update(more)
    return ual(time, operation, 8, "AzureActiveDirectory", user, **body)


# Entra logs from Azure Monitor -------------------------------------------------------------


def signin(time, user, address, *, error=0, session=None, risk="none", managed=True, category="SignInLogs", app="OfficeHome",
           late=timedelta(seconds=140), id=None):
    """A sign-in log record. `time` is when it happened; the envelope's own time is `late` after it."""
    return {
        "time": iso(time + late), "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity", "operationVersion": "1.0", "category": category, "tenantId": TENANT,
        "resultType": str(error), "resultSignature": "None", "durationMs": 0, "callerIpAddress": address,
        "correlationId": guid("corr", time, user, address), "identity": upn(user).split("@")[0], "Level": 4, "location": "DE",
        "properties": {
            "id": id or guid("signin", time, user, address, error),
            "createdDateTime": iso(time)[:-1] + "+00:00",
            "userDisplayName": upn(user).split("@")[0].replace(".", " ").title(), "userPrincipalName": upn(user),
            "userId": object_id(user), "appId": "4765445b-32c6-49b0-83e6-1d93765276ca", "appDisplayName": app,
            "ipAddress": address,
            "status": {"errorCode": error} if error == 0 else
                      {"errorCode": error, "failureReason": "Error validating credentials due to invalid username or password."},
            "clientAppUsed": "Browser", "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/122.0",
            "deviceDetail": {"deviceId": guid("device", user) if managed else "", "operatingSystem": "Windows10",
                             "browser": "Edge 122.0", "isCompliant": managed, "isManaged": managed,
                             "trustType": "Azure AD joined" if managed else ""},
            "location": {"city": "Berlin", "state": "Berlin", "countryOrRegion": "DE",
                         "geoCoordinates": {"latitude": 52.52, "longitude": 13.4}},
            "correlationId": guid("corr", time, user, address), "conditionalAccessStatus": "notApplied",
            "isInteractive": category == "SignInLogs", "tokenIssuerType": "AzureAD",
            "riskDetail": "none", "riskLevelAggregated": risk, "riskLevelDuringSignIn": risk,
            "riskState": "none" if risk == "none" else "atRisk",
            "riskEventTypes_v2": [] if risk == "none" else ["unfamiliarFeatures", "anonymizedIPAddress"],
            "resourceDisplayName": "Office 365 Exchange Online", "authenticationRequirement": "singleFactorAuthentication",
            "authenticationProtocol": "none", "userType": "Member", "sessionId": session or guid("session", time, user),
        },
    }


def directory_audit(time, operation, user, address, targets, *, result="success"):
    """An Entra audit log record (operations without the period)."""
    return {
        "time": iso(time), "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam", "operationName": operation,
        "operationVersion": "1.0", "category": "AuditLogs", "tenantId": TENANT, "resultSignature": "None", "durationMs": 0,
        "callerIpAddress": address, "correlationId": guid("corr", time, operation), "Level": 4,
        "properties": {
            "id": f"Directory_{guid('audit', time, operation)}_{time.strftime('%f')}",
            "category": "ApplicationManagement", "correlationId": guid("corr", time, operation), "result": result,
            "resultReason": "", "activityDisplayName": operation, "activityDateTime": iso(time)[:-1] + "+00:00",
            "loggedByService": "Core Directory", "operationType": "Assign",
            "initiatedBy": {"user": {"id": object_id(user), "userPrincipalName": upn(user), "ipAddress": address, "roles": []}},
            "targetResources": [{"id": guid("target", name), "displayName": name, "type": "ServicePrincipal",
                                 "modifiedProperties": [{"displayName": "ConsentContext.IsAdminConsent", "oldValue": None,
                                                         "newValue": "\"False\""}]} for name in targets],
            "additionalDetails": [{"key": "User-Agent", "value": "EvoSTS"}],
        },
    }


def risk_event(time, user, address, kind):
    """An Entra ID Protection risk detection (UserRiskEvents). Its time is in the US 12-hour form."""
    hour = time.hour % 12 or 12
    return {
        "time": f"{time.month}/{time.day}/{time.year} {hour}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}",
        "resourceId": f"/tenants/{TENANT}/providers/microsoft.aadiam", "operationName": "User Risk Detection",
        "operationVersion": "1.0", "category": "UserRiskEvents", "tenantId": TENANT, "resultSignature": "None", "durationMs": 0,
        "callerIpAddress": address, "correlationId": guid("risk", time, user), "identity": upn(user), "Level": 4,
        "properties": {
            "id": guid("risk", time, user, kind).replace("-", ""), "riskType": kind, "riskEventType": kind, "riskState": "atRisk",
            "riskLevel": "high", "riskDetail": "none", "source": "IdentityProtection", "detectionTimingType": "realtime",
            "activity": "signin", "ipAddress": address, "activityDateTime": iso(time), "detectedDateTime": iso(time),
            "lastUpdatedDateTime": iso(time), "userId": object_id(user), "userDisplayName": upn(user).split("@")[0],
            "userPrincipalName": upn(user), "additionalInfo": "[{\"Key\":\"riskReasons\",\"Value\":[\"UnfamiliarIP\"]}]",
        },
    }
