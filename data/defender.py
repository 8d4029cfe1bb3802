"""Builders of Defender advanced hunting rows, Elastic documents and alerts, and Suricata events."""

from datetime import timedelta

from records import EXCHANGE, RECORD_TYPE_NAMES, TENANT, guid, iso, object_id, upn


def envelope(table, row, time):
    """A row as the streaming API delivers it."""
    return {"time": iso(time + timedelta(minutes=5)), "tenantId": TENANT, "operationName": "Publish",
            "category": "AdvancedHunting-" + table, "_TimeReceivedBySvc": iso(time + timedelta(minutes=4)),
            "properties": row, "Tenant": "DefaultTenant"}


def cloud_app_event(record, time, address, *, user=None, application_id=EXCHANGE, account=True, additional=None, report=None):
    """A CloudAppEvents row around a unified audit log record."""
    user = user or record["UserId"]
    raw = dict(record, CreationTime=record["CreationTime"] + "Z")
    return {
        "Timestamp": iso(time, 0), "ActionType": record["Operation"],
        "Application": {20893: "Microsoft Exchange Online", 20892: "Microsoft SharePoint Online"}.get(application_id, "Microsoft 365"),
        "ApplicationId": application_id, "AppInstanceId": 0, "AccountObjectId": object_id(user) if account else "",
        "AccountId": object_id(user), "AccountDisplayName": upn(user).split("@")[0].replace(".", " ").title(),
        "IsAdminOperation": False, "DeviceType": "Desktop", "OSPlatform": "Windows 10", "IPAddress": address,
        "IsAnonymousProxy": False, "CountryCode": "NL", "City": "Amsterdam", "ISP": "Example Hosting B.V.",
        "UserAgent": "Mozilla/5.0", "ActivityType": "Run", "ActivityObjects": [{"Type": "User", "Role": "Actor", "Name": upn(user)}],
        "ObjectName": "", "ObjectType": "", "ObjectId": "",
        "ReportId": report or f"{int(guid('report', record['Id'])[:8], 16)}_{application_id}_{record['Id']}",
        "AccountType": "Regular", "IsExternalUser": False, "IsImpersonated": False, "IPTags": [], "IPCategory": "",
        "UserAgentTags": [], "RawEventData": raw, "AdditionalFields": additional or {},
    }


def sign_in_event(time, user, address, session, *, risk=100, managed=0, compliant=0, trust="", beta=True, report=None):
    """An AADSignInEventsBeta row, or (beta=False) one of its successor EntraIdSignInEvents."""
    row = {
        "Timestamp": iso(time), "Application": "OfficeHome", "ApplicationId": "4765445b-32c6-49b0-83e6-1d93765276ca",
        "LogonType": "[\"interactiveUser\"]", "ErrorCode": 0, "CorrelationId": guid("corr", time, user, address),
        "SessionId": session, "AccountDisplayName": upn(user).split("@")[0].replace(".", " ").title(),
        "AccountObjectId": object_id(user), "AccountUpn": upn(user), "IsExternalUser": 0, "IsGuestUser": False,
        "AlternateSignInName": "", "LastPasswordChangeTimestamp": "2026-01-12T08:00:00Z",
        "ResourceDisplayName": "Office 365 Exchange Online", "ResourceId": "00000002-0000-0ff1-ce00-000000000000",
        "ResourceTenantId": TENANT, "DeviceName": "", "OSPlatform": "Windows10", "DeviceTrustType": trust,
        "IsManaged": managed, "IsCompliant": compliant, "AuthenticationRequirement": "singleFactorAuthentication",
        "TokenIssuerType": 0, "RiskLevelAggregated": risk, "RiskLevelDuringSignIn": risk, "RiskDetails": 0,
        "RiskState": 4 if risk >= 10 else 0, "UserAgent": "Mozilla/5.0", "ClientAppUsed": "Browser", "Browser": "Edge 122.0",
        "ConditionalAccessPolicies": "[]", "ConditionalAccessStatus": 2, "IPAddress": address, "Country": "NL", "State": "",
        "City": "Amsterdam", "Latitude": "52.37", "Longitude": "4.89", "NetworkLocationDetails": "[]",
        "RequestId": guid("request", time, user, session), "ReportId": report or guid("report", time, user, session, risk),
    }
    if beta:
        row["AadDeviceId"] = ""
    else:
        row["EntraIdDeviceId"] = ""
        row["IsThroughGlobalSecureAccess"] = False
        row["UniqueTokenId"] = guid("token", time, user)[:22]
    return row


def alert_evidence(time, alert, entity, user=None, *, address="", title="Anonymous IP address involving one user"):
    """An AlertEvidence row: one entity of one alert. `user=None` for rows about something else than an account."""
    return {
        "Timestamp": iso(time), "AlertId": alert, "Title": title, "Categories": "[\"InitialAccess\"]",
        "AttackTechniques": "[\"Valid Accounts (T1078)\"]", "ServiceSource": "AAD Identity Protection",
        "DetectionSource": "Azure AD Identity Protection", "EntityType": entity, "EvidenceRole": "Impacted" if user else "Related",
        "EvidenceDirection": "", "RemoteIP": address, "RemoteUrl": "", "AccountName": upn(user).split("@")[0] if user else "",
        "AccountDomain": "contoso", "AccountSid": "", "AccountObjectId": object_id(user) if user else "",
        "AccountUpn": upn(user) if user else "", "DeviceId": "", "DeviceName": "", "AdditionalFields": "{\"Type\":\"account\"}",
        "Severity": "High",
    }


# Elastic -----------------------------------------------------------------------------------


def external_alert(time, address, *, dataset="suricata.eve", rule="External Alerts", id=None, shape="mixed"):
    """An Elastic security alert that copies a network alert.

    `mixed` has dotted `kibana.alert.*` keys beside nested objects, as the alerts index holds them;
    `dotted` has no nesting at all; `hit` is a search hit (`_index`, `_id`, `_source`).
    """
    uuid = id or guid("alert", time, address, dataset, rule).replace("-", "")
    module = dataset.split(".")[0]
    document = {
        "@timestamp": iso(time, 3), "kibana.alert.rule.name": rule, "kibana.alert.rule.category": "Custom Query Rule",
        "kibana.alert.rule.uuid": guid("rule", rule), "kibana.alert.uuid": uuid, "kibana.alert.severity": "medium",
        "kibana.alert.risk_score": 47, "kibana.alert.status": "active", "kibana.alert.workflow_status": "open",
        "kibana.alert.depth": 1, "kibana.alert.original_time": iso(time, 3), "kibana.alert.original_event.kind": "alert",
        "kibana.alert.ancestors": [{"id": guid("ancestor", uuid), "type": "event", "index": f"logs-{dataset}-default", "depth": 0}],
        "kibana.space_ids": ["default"], "event.kind": "signal",
        "event": {"module": module, "dataset": dataset, "category": ["network", "intrusion_detection"], "type": ["allowed"]},
        "source": {"ip": address, "port": 51515}, "destination": {"ip": "203.0.113.10", "port": 443},
        "rule": {"id": "2024897", "name": "ET SCAN Potential VPN brute force"}, "message": "Attempted Information Leak",
    }
    if shape == "mixed":
        return document
    if shape == "dotted":
        flat = {key: value for key, value in document.items() if not isinstance(value, dict)}
        for parent in ("event", "source", "destination", "rule"):
            flat.update({f"{parent}.{name}": value for name, value in document[parent].items()})
        return flat
    return {"_index": ".internal.alerts-security.alerts-default-000001", "_id": uuid, "_source": document}


def ecs(record, address=None, *, dotted=False, newest=False):
    """The ECS document that Elastic's o365 integration makes of a unified audit log record.

    `newest`: the folders of a MailItemsAccessed record have moved to ExchangeAggregatedFolders.
    """
    moved = {"Id", "Operation", "Workload", "OrganizationId", "ClientIPAddress", "ClientIP", "OrganizationName"}
    audit = {key: value for key, value in record.items() if key not in moved}
    for key in ("RecordType", "UserType", "LogonType", "InternalLogonType", "Version"):
        if key in audit:
            audit[key] = str(audit[key])
    if isinstance(audit.get("Parameters"), list):
        audit["Parameters"] = {entry["Name"]: entry["Value"] for entry in audit["Parameters"]}
    extended = {entry["Name"]: entry["Value"] for entry in audit.get("ExtendedProperties") or []}
    agent = extended.pop("UserAgent", None) or audit.pop("UserAgent", None)
    if extended:
        audit["ExtendedProperties"] = extended
    if newest and int(record["RecordType"]) == 50:
        audit["ExchangeAggregatedFolders"] = audit.pop("Folders")
    outcome = "failure" if str(record.get("ResultStatus", "")).lower() in ("failed", "false") else "success"
    name, _, domain = record["UserId"].partition("@")
    document = {
        "@timestamp": record["CreationTime"] + ".000Z",
        "event": {"action": record["Operation"], "category": ["web"], "code": RECORD_TYPE_NAMES[int(record["RecordType"])],
                  "dataset": "o365.audit", "id": record["Id"], "kind": "event", "module": "o365", "outcome": outcome,
                  "provider": record["Workload"], "type": ["info"]},
        "o365": {"audit": audit}, "organization": {"id": record["OrganizationId"]},
        "user": {"id": record["UserId"], "name": name, "domain": domain, "email": record["UserId"]},
    }
    if agent:
        document["user_agent"] = {"original": agent}
    if int(record["RecordType"]) == 6:
        document["url"] = {"original": audit.pop("ObjectId")}
        document["file"] = {"directory": audit.pop("SourceRelativeUrl"), "name": audit.pop("SourceFileName"),
                            "extension": audit.pop("SourceFileExtension")}
        document["event"]["category"].append("file")
    if address:
        document["client"] = {"address": address, "ip": address}
        document["source"] = {"ip": address}
        document["related"] = {"ip": [address]}
    return flatten(document) if dotted else document


def flatten(document, prefix=""):
    """Nested objects to dotted keys; lists stay as they are."""
    flat = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def suricata(time, address, kind="alert"):
    """A line of Suricata's eve.json: its zone has no colon, its flow id exceeds 2^53."""
    event = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%f+0000"), "flow_id": 1_800_000_000_000_000_000 + int(guid("flow", time)[:6], 16),
        "in_iface": "eth1", "event_type": kind, "src_ip": address, "src_port": 51515, "dest_ip": "203.0.113.10",
        "dest_port": 443, "proto": "TCP",
    }
    if kind == "alert":
        event["alert"] = {"action": "allowed", "gid": 1, "signature_id": 2024897, "rev": 3, "severity": 2,
                          "signature": "ET SCAN Potential VPN brute force", "category": "Attempted Information Leak"}
        event["app_proto"] = "tls"
    else:
        event["dns"] = {"type": "query", "rrname": "mail.contoso.example", "rrtype": "A"}
    return event
