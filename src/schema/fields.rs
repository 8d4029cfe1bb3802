//! Every field with a column, in column order.
//!
//! One line per field: constant, ECS name, type, and what it holds. `PREFIX.Raw` names
//! keep the spelling of the record, as Elastic's integrations do. To add a field, add a
//! line: sources that walk a record beside the catalogue fill it from then on.

use super::{FieldId, FieldType, FieldType::*};

macro_rules! fields {
    ($($name:ident = $ecs:literal, $data_type:expr, $doc:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Position { $($name,)* }
        $(
            #[doc = $doc]
            pub const $name: FieldId = FieldId(Position::$name as u16);
        )*
        pub(super) const FIELDS: &[(&str, FieldType, &str)] = &[$(($ecs, $data_type, $doc),)*];
        #[cfg(test)]
        pub(super) const FIELD_CONSTANTS: &[(FieldId, &str)] = &[$(($name, $ecs),)*];
    };
}

fields! {
    // The lake's own columns. A record cannot set them.
    TIMESTAMP = "@timestamp", Timestamp, "When the event happened. o365: CreationTime; sign-ins: createdDateTime.";
    EVENT_INGESTED = "event.ingested", Timestamp, "When this lake stored the event.";
    RAW = "raw", Keyword, "The record's original text, byte for byte.";
    SOURCE_FILE = "source_file", Keyword, "The file the record came from.";
    SOURCE_SHA256 = "source_sha256", Keyword, "SHA-256 of that file, as it was read.";
    SOURCE_FORMAT = "source_format", Keyword, "The spelling in which the record came: the name of its source.";
    SOURCE_POSITION = "source_position", Long, "Byte offset of the record in its decompressed file.";
    EVENT_HASH = "event.hash", Keyword, "Hash of the record's content, blind to spacing and order of keys.";
    EVENT_KEY = "event_key", Keyword, "Identity by which repeats are found: hash of organisation and id, else of the content.";

    // event.*
    EVENT_DATASET = "event.dataset", Keyword, "Which log this is: o365.audit, azure.signinlogs, ...";
    EVENT_MODULE = "event.module", Keyword, "The product: o365, azure, m365_defender.";
    EVENT_KIND = "event.kind", Keyword, "event, alert, or signal for an Elastic alert.";
    EVENT_ID = "event.id", Keyword, "The record's own id.";
    EVENT_ACTION = "event.action", Keyword, "Operation (o365), operationName (Entra), ActionType (Defender). Elastic's names where it renames an operation.";
    EVENT_CODE = "event.code", Keyword, "o365: the name of the RecordType, such as ExchangeItemAggregated.";
    EVENT_PROVIDER = "event.provider", Keyword, "Workload (o365), ServiceSource (Defender alerts).";
    EVENT_CATEGORY = "event.category", Keywords, "ECS categories. o365 records always have web, sign-ins authentication.";
    EVENT_TYPE = "event.type", Keywords, "ECS types. Every o365 record and sign-in has info.";
    EVENT_OUTCOME = "event.outcome", Keyword, "success or failure as Elastic derives it. For logons see retrohunt.logon_failed.";
    EVENT_SEVERITY = "event.severity", Long, "1 informational, 2 low, 3 medium, 4 high.";
    EVENT_DURATION = "event.duration", Long, "Nanoseconds, from durationMs.";
    EVENT_REASON = "event.reason", Keyword, "Entra audit logs: resultReason.";
    EVENT_START = "event.start", Timestamp, "Start of what the event describes (ECS documents).";
    EVENT_END = "event.end", Timestamp, "End of what the event describes (ECS documents).";
    EVENT_CREATED = "event.created", Timestamp, "When the collector first saw the event (ECS documents).";
    EVENT_URL = "event.url", Keyword, "Link to the event's origin (ECS documents).";
    EVENT_RISK_SCORE = "event.risk_score", Double, "Risk score of the event's origin (ECS documents).";
    MESSAGE = "message", Keyword, "Text of an alert, or why a sign-in failed.";
    TAGS = "tags", Keywords, "Tags of the collector (ECS documents).";
    LOG_LEVEL = "log.level", Keyword, "Level of an Entra record.";
    ERROR_MESSAGE = "error.message", Keywords, "What the collector's pipeline could not handle (ECS documents).";

    // Derived by retrohunt.
    RETROHUNT_LOGON_FAILED = "retrohunt.logon_failed", Boolean, "Ours. A logon that failed, told from the operation, LogonError and ErrorNumber (o365) or status.errorCode, never from ResultStatus.";
    O365_AUDIT_MAIL_ACCESS_TYPE = "o365.audit.mail_access_type", Keyword, "Ours. MailAccessType of OperationProperties: Bind or Sync.";
    O365_AUDIT_IS_THROTTLED = "o365.audit.is_throttled", Boolean, "Ours. IsThrottled of OperationProperties.";

    // Tenant and host. host.* is the tenant, not a machine.
    ORGANIZATION_ID = "organization.id", Keyword, "Tenant id, lower case.";
    ORGANIZATION_NAME = "organization.name", Keyword, "OrganizationName of Exchange records.";
    HOST_ID = "host.id", Keyword, "o365: the tenant id again, as Elastic has it.";
    HOST_NAME = "host.name", Keyword, "o365: device name, else organization name, else the user's domain.";
    HOST_OS_PLATFORM = "host.os.platform", Keyword, "SharePoint: the client's Platform, by name.";
    HOST_OS_TYPE = "host.os.type", Keyword, "SharePoint: the client's Platform as ECS spells it.";
    AGENT_NAME = "agent.name", Keyword, "Collector (ECS documents).";
    DEVICE_ID = "device.id", Keyword, "DeviceId of AppAccessContext or additionalDetails.";
    SESSION_ID = "session.id", Keyword, "AADSessionId of AppAccessContext.";
    TOKEN_ID = "token.id", Keyword, "UniqueTokenId of AppAccessContext.";
    APPLICATION_NAME = "application.name", Keyword, "ApplicationDisplayName.";
    SERVICE_NAME = "service.name", Keyword, "Service principal name of a sign-in.";
    PROCESS_NAME = "process.name", Keyword, "ClientProcessName of mailbox access, else Application.";
    PROCESS_COMMAND_LINE = "process.command_line", Keyword, "Defender alerts: ProcessCommandLine.";
    GROUP_NAME = "group.name", Keyword, "TeamName or Yammer GroupName.";

    // Users.
    USER_ID = "user.id", Keyword, "UserId (o365, any form), userId (Entra), AccountObjectId (Defender).";
    USER_NAME = "user.name", Keyword, "o365: the part before the @. Sign-ins: the whole user principal name.";
    USER_DOMAIN = "user.domain", Keyword, "o365: the part after the @.";
    USER_EMAIL = "user.email", Keyword, "The user's address, where the id is one.";
    USER_FULL_NAME = "user.full_name", Keyword, "Display name.";
    USER_TARGET_ID = "user.target.id", Keyword, "The object of a directory change.";
    USER_TARGET_NAME = "user.target.name", Keyword, "The part before the @ of user.target.id.";
    USER_TARGET_DOMAIN = "user.target.domain", Keyword, "The part after the @ of user.target.id.";
    USER_TARGET_EMAIL = "user.target.email", Keyword, "user.target.id where it is an address.";
    USER_ROLES = "user.roles", Keywords, "Roles (ECS documents).";

    // Network.
    CLIENT_IP = "client.ip", Ip, "As source.ip.";
    CLIENT_PORT = "client.port", Long, "Port the client came from.";
    CLIENT_ADDRESS = "client.address", Keyword, "The address as text, also when it is no IP.";
    CLIENT_DOMAIN = "client.domain", Keyword, "Client name where the record gives a name.";
    SOURCE_IP = "source.ip", Ip, "Address the client came from. o365: ClientIPAddress, else ClientIP, else ActorIpAddress.";
    SOURCE_PORT = "source.port", Long, "Port the client came from.";
    SOURCE_ADDRESS = "source.address", Keyword, "The address as text, also when it is no IP.";
    SOURCE_DOMAIN = "source.domain", Keyword, "Source name (ECS documents).";
    SOURCE_USER_EMAIL = "source.user.email", Keyword, "DLP: who sent the message.";
    SOURCE_GEO_COUNTRY_NAME = "source.geo.country_name", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_GEO_COUNTRY_ISO_CODE = "source.geo.country_iso_code", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_GEO_REGION_NAME = "source.geo.region_name", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_GEO_REGION_ISO_CODE = "source.geo.region_iso_code", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_GEO_CITY_NAME = "source.geo.city_name", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_GEO_CONTINENT_NAME = "source.geo.continent_name", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_GEO_LOCATION = "source.geo.location", Keyword, "Geography of source.ip, where the record carries it.";
    SOURCE_AS_NUMBER = "source.as.number", Long, "AS number of source.ip; sign-ins: autonomousSystemNumber.";
    SOURCE_AS_ORGANIZATION_NAME = "source.as.organization.name", Keyword, "AS organization of source.ip, where the record carries it.";
    GEO_COUNTRY_ISO_CODE = "geo.country_iso_code", Keyword, "Sign-ins: location as Entra gives it.";
    GEO_COUNTRY_NAME = "geo.country_name", Keyword, "Country name (Elastic versions before 2025, Defender).";
    GEO_REGION_NAME = "geo.region_name", Keyword, "Sign-ins: location as Entra gives it.";
    GEO_CITY_NAME = "geo.city_name", Keyword, "Sign-ins: location as Entra gives it.";
    GEO_LOCATION = "geo.location", Keyword, "Sign-ins: location as Entra gives it.";
    SERVER_IP = "server.ip", Ip, "Exchange: OriginatingServer; usually a build number, not an address.";
    SERVER_DOMAIN = "server.domain", Keyword, "Exchange: name of the originating server.";
    SERVER_ADDRESS = "server.address", Keyword, "Exchange: as server.domain.";
    DESTINATION_IP = "destination.ip", Ip, "Copy of server.ip; not network evidence for Exchange records.";
    DESTINATION_PORT = "destination.port", Long, "Port (ECS documents).";
    DESTINATION_USER_EMAIL = "destination.user.email", Keywords, "DLP: the recipients.";
    NETWORK_TYPE = "network.type", Keyword, "Network type.";
    NETWORK_PROTOCOL = "network.protocol", Keyword, "Network protocol.";
    NETWORK_TRANSPORT = "network.transport", Keyword, "Network transport.";
    NETWORK_DIRECTION = "network.direction", Keyword, "Network direction.";
    NETWORK_COMMUNITY_ID = "network.community_id", Keyword, "Network community_id.";
    NETWORK_APPLICATION = "network.application", Keyword, "Network application.";
    USER_AGENT_ORIGINAL = "user_agent.original", Keyword, "User agent as sent.";
    USER_AGENT_NAME = "user_agent.name", Keyword, "Parsed from the user agent (ECS documents).";
    USER_AGENT_VERSION = "user_agent.version", Keyword, "Parsed from the user agent (ECS documents).";
    USER_AGENT_OS_NAME = "user_agent.os.name", Keyword, "Parsed from the user agent (ECS documents).";
    USER_AGENT_OS_VERSION = "user_agent.os.version", Keyword, "Parsed from the user agent (ECS documents).";
    USER_AGENT_DEVICE_NAME = "user_agent.device.name", Keyword, "Parsed from the user agent (ECS documents).";
    URL_ORIGINAL = "url.original", Keyword, "URL: original. SharePoint: the ObjectId is url.original.";
    URL_DOMAIN = "url.domain", Keyword, "URL: domain. SharePoint: the ObjectId is url.original.";
    URL_PATH = "url.path", Keyword, "URL: path. SharePoint: the ObjectId is url.original.";
    URL_FULL = "url.full", Keyword, "URL: full. SharePoint: the ObjectId is url.original.";
    HTTP_REQUEST_METHOD = "http.request.method", Keyword, "HTTP method.";
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code", Long, "HTTP status.";
    RELATED_IP = "related.ip", Keywords, "Every address of the event.";
    RELATED_USER = "related.user", Keywords, "Every user of the event: ids, names, addresses.";
    RELATED_HOSTS = "related.hosts", Keywords, "Every host of the event.";
    RELATED_HASH = "related.hash", Keywords, "Every file hash of the event.";
    RELATED_ENTITY = "related.entity", Keywords, "Entra: ids of applications, resources, users, devices of the event.";

    // Files and mail.
    FILE_NAME = "file.name", Keyword, "SharePoint and alerts: file name.";
    FILE_EXTENSION = "file.extension", Keyword, "SharePoint and alerts: file extension.";
    FILE_DIRECTORY = "file.directory", Keyword, "SharePoint and alerts: file directory.";
    FILE_PATH = "file.path", Keyword, "SharePoint and alerts: file path.";
    FILE_OWNER = "file.owner", Keyword, "SharePoint and alerts: file owner.";
    FILE_INODE = "file.inode", Keyword, "SharePoint and alerts: file inode.";
    FILE_SIZE = "file.size", Long, "Size in bytes.";
    FILE_MTIME = "file.mtime", Timestamp, "Last change, from DLP.";
    FILE_HASH_SHA1 = "file.hash.sha1", Keyword, "SHA-1.";
    FILE_HASH_SHA256 = "file.hash.sha256", Keyword, "SHA-256.";
    EMAIL_SUBJECT = "email.subject", Keywords, "Subjects of the messages of the event.";
    EMAIL_MESSAGE_ID = "email.message_id", Keywords, "Internet message ids of the event. Goes beyond Elastic: also those of Folders[].FolderItems[] and AffectedItems[].";
    EMAIL_LOCAL_ID = "email.local_id", Keywords, "Network message ids.";
    EMAIL_TO_ADDRESS = "email.to.address", Keywords, "Where an inbox rule forwards or redirects to.";
    EMAIL_FROM_ADDRESS = "email.from.address", Keywords, "From of an inbox rule, or the sender.";
    EMAIL_ATTACHMENTS_FILE_NAME = "email.attachments.file.name", Keywords, "Names of attachments.";
    EMAIL_ATTACHMENTS_FILE_EXTENSION = "email.attachments.file.extension", Keywords, "Extensions of attachments.";

    // Rules, threats and Elastic alerts.
    RULE_ID = "rule.id", Keyword, "Alert policy or DLP rule: id; the first where there are several.";
    RULE_NAME = "rule.name", Keyword, "Alert policy or DLP rule: name; the first where there are several.";
    RULE_CATEGORY = "rule.category", Keyword, "Alert policy or DLP rule: category; the first where there are several.";
    RULE_RULESET = "rule.ruleset", Keyword, "Alert policy or DLP rule: ruleset; the first where there are several.";
    RULE_DESCRIPTION = "rule.description", Keyword, "Alert policy or DLP rule: description; the first where there are several.";
    RULE_REFERENCE = "rule.reference", Keyword, "Alert policy or DLP rule: reference; the first where there are several.";
    RULE_UUID = "rule.uuid", Keyword, "Rule uuid (ECS documents).";
    THREAT_TECHNIQUE_ID = "threat.technique.id", Keywords, "ATT&CK technique ids.";
    THREAT_TECHNIQUE_NAME = "threat.technique.name", Keywords, "ATT&CK technique names.";
    THREAT_TACTIC_NAME = "threat.tactic.name", Keywords, "ATT&CK tactic names.";
    KIBANA_ALERT_UUID = "kibana.alert.uuid", Keyword, "Elastic security alert: uuid.";
    KIBANA_ALERT_RULE_NAME = "kibana.alert.rule.name", Keyword, "Elastic security alert: rule.name.";
    KIBANA_ALERT_RULE_UUID = "kibana.alert.rule.uuid", Keyword, "Elastic security alert: rule.uuid.";
    KIBANA_ALERT_RULE_RULE_ID = "kibana.alert.rule.rule_id", Keyword, "Elastic security alert: rule.rule_id.";
    KIBANA_ALERT_RULE_TYPE = "kibana.alert.rule.type", Keyword, "Elastic security alert: rule.type.";
    KIBANA_ALERT_RULE_CATEGORY = "kibana.alert.rule.category", Keyword, "Elastic security alert: rule.category.";
    KIBANA_ALERT_RULE_PRODUCER = "kibana.alert.rule.producer", Keyword, "Elastic security alert: rule.producer.";
    KIBANA_ALERT_SEVERITY = "kibana.alert.severity", Keyword, "Elastic security alert: severity.";
    KIBANA_ALERT_RISK_SCORE = "kibana.alert.risk_score", Double, "Elastic security alert: risk_score.";
    KIBANA_ALERT_REASON = "kibana.alert.reason", Keyword, "Elastic security alert: reason.";
    KIBANA_ALERT_STATUS = "kibana.alert.status", Keyword, "Elastic security alert: status.";
    KIBANA_ALERT_WORKFLOW_STATUS = "kibana.alert.workflow_status", Keyword, "Elastic security alert: workflow_status.";
    KIBANA_ALERT_ORIGINAL_TIME = "kibana.alert.original_time", Timestamp, "Elastic security alert: original_time.";
    KIBANA_ALERT_START = "kibana.alert.start", Timestamp, "Elastic security alert: start.";
    KIBANA_ALERT_DEPTH = "kibana.alert.depth", Long, "Elastic security alert: depth.";
    KIBANA_ALERT_BUILDING_BLOCK_TYPE = "kibana.alert.building_block_type", Keyword, "Elastic security alert: building_block_type.";
    KIBANA_ALERT_ANCESTORS_ID = "kibana.alert.ancestors.id", Keywords, "Ids of the documents an Elastic alert came from.";
    KIBANA_ALERT_ANCESTORS_INDEX = "kibana.alert.ancestors.index", Keywords, "Indices of the documents an Elastic alert came from.";
    KIBANA_ALERT_ORIGINAL_EVENT_KIND = "kibana.alert.original_event.kind", Keyword, "event.kind of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_MODULE = "kibana.alert.original_event.module", Keyword, "event.module of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_DATASET = "kibana.alert.original_event.dataset", Keyword, "event.dataset of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_ACTION = "kibana.alert.original_event.action", Keyword, "event.action of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_CATEGORY = "kibana.alert.original_event.category", Keywords, "event.category of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_TYPE = "kibana.alert.original_event.type", Keywords, "event.type of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_OUTCOME = "kibana.alert.original_event.outcome", Keyword, "event.outcome of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_PROVIDER = "kibana.alert.original_event.provider", Keyword, "event.provider of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_CODE = "kibana.alert.original_event.code", Keyword, "event.code of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_ID = "kibana.alert.original_event.id", Keyword, "event.id of the event an Elastic alert copies.";
    KIBANA_ALERT_ORIGINAL_EVENT_SEVERITY = "kibana.alert.original_event.severity", Long, "event.severity of the event an Elastic alert copies.";

    // o365.audit: common part. Names and values as Microsoft gives them.
    O365_AUDIT_CREATION_TIME = "o365.audit.CreationTime", Keyword, "CreationTime as text.";
    O365_AUDIT_OPERATION = "o365.audit.Operation", Keyword, "Operation as recorded, also where event.action has Elastic's name. Beyond Elastic, which moves it.";
    O365_AUDIT_RECORD_TYPE = "o365.audit.RecordType", Keyword, "Raw RecordType, numbers as text.";
    O365_AUDIT_USER_TYPE = "o365.audit.UserType", Keyword, "Raw UserType, numbers as text.";
    O365_AUDIT_USER_KEY = "o365.audit.UserKey", Keyword, "Raw UserKey, numbers as text.";
    O365_AUDIT_USER_ID = "o365.audit.UserId", Keyword, "Raw UserId, numbers as text.";
    O365_AUDIT_VERSION = "o365.audit.Version", Keyword, "Raw Version, numbers as text.";
    O365_AUDIT_RESULT_STATUS = "o365.audit.ResultStatus", Keyword, "Raw ResultStatus, numbers as text.";
    O365_AUDIT_OBJECT_ID = "o365.audit.ObjectId", Keyword, "Raw ObjectId, numbers as text.";
    O365_AUDIT_SCOPE = "o365.audit.Scope", Keyword, "Raw Scope, numbers as text.";
    O365_AUDIT_CLIENT_IP = "o365.audit.ClientIP", Keyword, "Raw ClientIP, where another address was taken as client.address.";
    O365_AUDIT_CLIENT_IP_ADDRESS = "o365.audit.ClientIPAddress", Keyword, "Raw ClientIPAddress, where another address was taken as client.address.";
    O365_AUDIT_ACTOR_IP_ADDRESS = "o365.audit.ActorIpAddress", Keyword, "Raw ActorIpAddress, where another address was taken as client.address.";
    O365_AUDIT_ACTOR_IP = "o365.audit.ActorIP", Keyword, "Raw ActorIP.";
    O365_AUDIT_ACTOR_INFO_STRING = "o365.audit.ActorInfoString", Keyword, "Raw ActorInfoString.";
    O365_AUDIT_ORGANIZATION_NAME = "o365.audit.OrganizationName", Keyword, "Raw OrganizationName.";
    O365_AUDIT_ORIGINATING_SERVER = "o365.audit.OriginatingServer", Keyword, "Raw OriginatingServer.";
    O365_AUDIT_APP_ID = "o365.audit.AppId", Keyword, "Raw AppId.";
    O365_AUDIT_CLIENT_APP_ID = "o365.audit.ClientAppId", Keyword, "Raw ClientAppId.";
    O365_AUDIT_HOST_APP_ID = "o365.audit.HostAppId", Keyword, "Raw HostAppId.";
    O365_AUDIT_APPLICATION_ID = "o365.audit.ApplicationId", Keyword, "Raw ApplicationId.";
    O365_AUDIT_APPLICATION_DISPLAY_NAME = "o365.audit.ApplicationDisplayName", Keyword, "Raw ApplicationDisplayName.";
    O365_AUDIT_SESSION_ID = "o365.audit.SessionId", Keyword, "Raw SessionId.";
    O365_AUDIT_DEVICE_ID = "o365.audit.DeviceId", Keyword, "Raw DeviceId.";
    O365_AUDIT_TOKEN_OBJECT_ID = "o365.audit.TokenObjectId", Keyword, "Raw TokenObjectId.";
    O365_AUDIT_TOKEN_TENANT_ID = "o365.audit.TokenTenantId", Keyword, "Raw TokenTenantId.";
    O365_AUDIT_TOKEN_TYPE = "o365.audit.TokenType", Keyword, "Raw TokenType.";
    O365_AUDIT_AUTH_TYPE = "o365.audit.AuthType", Keyword, "Raw AuthType.";
    O365_AUDIT_CLOUD_INSTANCE_NAME = "o365.audit.CloudInstanceName", Keyword, "Raw CloudInstanceName.";
    O365_AUDIT_CORRELATION_ID = "o365.audit.CorrelationId", Keyword, "Raw CorrelationId.";
    O365_AUDIT_EXTERNAL_ACCESS = "o365.audit.ExternalAccess", Boolean, "Raw ExternalAccess.";
    O365_AUDIT_APP_ACCESS_CONTEXT_AAD_SESSION_ID = "o365.audit.AppAccessContext.AADSessionId", Keyword, "Raw AppAccessContext.AADSessionId.";
    O365_AUDIT_APP_ACCESS_CONTEXT_API_ID = "o365.audit.AppAccessContext.APIId", Keyword, "Raw AppAccessContext.APIId.";
    O365_AUDIT_APP_ACCESS_CONTEXT_CLIENT_APP_ID = "o365.audit.AppAccessContext.ClientAppId", Keyword, "Raw AppAccessContext.ClientAppId.";
    O365_AUDIT_APP_ACCESS_CONTEXT_CLIENT_APP_NAME = "o365.audit.AppAccessContext.ClientAppName", Keyword, "Raw AppAccessContext.ClientAppName.";
    O365_AUDIT_APP_ACCESS_CONTEXT_CORRELATION_ID = "o365.audit.AppAccessContext.CorrelationId", Keyword, "Raw AppAccessContext.CorrelationId.";
    O365_AUDIT_APP_ACCESS_CONTEXT_DEVICE_ID = "o365.audit.AppAccessContext.DeviceId", Keyword, "Raw AppAccessContext.DeviceId.";
    O365_AUDIT_APP_ACCESS_CONTEXT_ISSUED_AT_TIME = "o365.audit.AppAccessContext.IssuedAtTime", Keyword, "Raw AppAccessContext.IssuedAtTime.";
    O365_AUDIT_APP_ACCESS_CONTEXT_UNIQUE_TOKEN_ID = "o365.audit.AppAccessContext.UniqueTokenId", Keyword, "Raw AppAccessContext.UniqueTokenId.";
    O365_AUDIT_APP_ACCESS_CONTEXT_USER_OBJECT_ID = "o365.audit.AppAccessContext.UserObjectId", Keyword, "Raw AppAccessContext.UserObjectId.";

    // o365.audit: lists of names and values.
    O365_AUDIT_PARAMETERS = "o365.audit.Parameters", Pairs, "Ours. All parameters of a cmdlet, in order. A named one has a column of its own.";
    O365_AUDIT_PARAMETERS_RAW = "o365.audit.Parameters._raw", Keyword, "Parameters where they came as text.";
    O365_AUDIT_PARAMETERS_ACCESS_RIGHTS = "o365.audit.Parameters.AccessRights", Keyword, "Cmdlet parameter AccessRights, as text.";
    O365_AUDIT_PARAMETERS_ALLOW_FEDERATED_USERS = "o365.audit.Parameters.AllowFederatedUsers", Keyword, "Cmdlet parameter AllowFederatedUsers, as text.";
    O365_AUDIT_PARAMETERS_ALLOW_GUEST_USER = "o365.audit.Parameters.AllowGuestUser", Keyword, "Cmdlet parameter AllowGuestUser, as text.";
    O365_AUDIT_PARAMETERS_ATTACHMENT_CONTAINS_WORDS = "o365.audit.Parameters.AttachmentContainsWords", Keyword, "Cmdlet parameter AttachmentContainsWords, as text.";
    O365_AUDIT_PARAMETERS_ATTACHMENT_NAME_MATCHES_PATTERNS = "o365.audit.Parameters.AttachmentNameMatchesPatterns", Keyword, "Cmdlet parameter AttachmentNameMatchesPatterns, as text.";
    O365_AUDIT_PARAMETERS_AUTO_FORWARD_ENABLED = "o365.audit.Parameters.AutoForwardEnabled", Keyword, "Cmdlet parameter AutoForwardEnabled, as text.";
    O365_AUDIT_PARAMETERS_BLIND_COPY_TO = "o365.audit.Parameters.BlindCopyTo", Keyword, "Cmdlet parameter BlindCopyTo, as text.";
    O365_AUDIT_PARAMETERS_BODY_CONTAINS_WORDS = "o365.audit.Parameters.BodyContainsWords", Keyword, "Cmdlet parameter BodyContainsWords, as text.";
    O365_AUDIT_PARAMETERS_COPY_TO = "o365.audit.Parameters.CopyTo", Keyword, "Cmdlet parameter CopyTo, as text.";
    O365_AUDIT_PARAMETERS_DELETE_MESSAGE = "o365.audit.Parameters.DeleteMessage", Keyword, "Cmdlet parameter DeleteMessage, as text.";
    O365_AUDIT_PARAMETERS_DELIVER_TO_MAILBOX_AND_FORWARD = "o365.audit.Parameters.DeliverToMailboxAndForward", Keyword, "Cmdlet parameter DeliverToMailboxAndForward, as text.";
    O365_AUDIT_PARAMETERS_ENABLED = "o365.audit.Parameters.Enabled", Keyword, "Cmdlet parameter Enabled, as text.";
    O365_AUDIT_PARAMETERS_EXTERNAL_SENDER_ADMIN_ADDRESS = "o365.audit.Parameters.ExternalSenderAdminAddress", Keyword, "Cmdlet parameter ExternalSenderAdminAddress, as text.";
    O365_AUDIT_PARAMETERS_FORWARD_AS_ATTACHMENT_TO = "o365.audit.Parameters.ForwardAsAttachmentTo", Keyword, "Cmdlet parameter ForwardAsAttachmentTo, as text.";
    O365_AUDIT_PARAMETERS_FORWARD_TO = "o365.audit.Parameters.ForwardTo", Keyword, "Cmdlet parameter ForwardTo, as text.";
    O365_AUDIT_PARAMETERS_FORWARDING_ADDRESS = "o365.audit.Parameters.ForwardingAddress", Keyword, "Cmdlet parameter ForwardingAddress, as text.";
    O365_AUDIT_PARAMETERS_FORWARDING_SMTP_ADDRESS = "o365.audit.Parameters.ForwardingSmtpAddress", Keyword, "Cmdlet parameter ForwardingSmtpAddress, as text.";
    O365_AUDIT_PARAMETERS_FROM = "o365.audit.Parameters.From", Keyword, "Cmdlet parameter From, as text.";
    O365_AUDIT_PARAMETERS_FROM_ADDRESS_CONTAINS_WORDS = "o365.audit.Parameters.FromAddressContainsWords", Keyword, "Cmdlet parameter FromAddressContainsWords, as text.";
    O365_AUDIT_PARAMETERS_GRANT_SEND_ON_BEHALF_TO = "o365.audit.Parameters.GrantSendOnBehalfTo", Keyword, "Cmdlet parameter GrantSendOnBehalfTo, as text.";
    O365_AUDIT_PARAMETERS_IDENTITY = "o365.audit.Parameters.Identity", Keyword, "Cmdlet parameter Identity, as text.";
    O365_AUDIT_PARAMETERS_MARK_AS_READ = "o365.audit.Parameters.MarkAsRead", Keyword, "Cmdlet parameter MarkAsRead, as text.";
    O365_AUDIT_PARAMETERS_MOVE_TO_FOLDER = "o365.audit.Parameters.MoveToFolder", Keyword, "Cmdlet parameter MoveToFolder, as text.";
    O365_AUDIT_PARAMETERS_NAME = "o365.audit.Parameters.Name", Keyword, "Cmdlet parameter Name, as text.";
    O365_AUDIT_PARAMETERS_RECIPIENT_DOMAIN_IS = "o365.audit.Parameters.RecipientDomainIs", Keyword, "Cmdlet parameter RecipientDomainIs, as text.";
    O365_AUDIT_PARAMETERS_REDIRECT_MESSAGE_TO = "o365.audit.Parameters.RedirectMessageTo", Keyword, "Cmdlet parameter RedirectMessageTo, as text.";
    O365_AUDIT_PARAMETERS_REDIRECT_TO = "o365.audit.Parameters.RedirectTo", Keyword, "Cmdlet parameter RedirectTo, as text.";
    O365_AUDIT_PARAMETERS_REDIRECT_TO_RECIPIENTS = "o365.audit.Parameters.RedirectToRecipients", Keyword, "Cmdlet parameter RedirectToRecipients, as text.";
    O365_AUDIT_PARAMETERS_STOP_PROCESSING_RULES = "o365.audit.Parameters.StopProcessingRules", Keyword, "Cmdlet parameter StopProcessingRules, as text.";
    O365_AUDIT_PARAMETERS_SUBJECT_CONTAINS_WORDS = "o365.audit.Parameters.SubjectContainsWords", Keyword, "Cmdlet parameter SubjectContainsWords, as text.";
    O365_AUDIT_PARAMETERS_SUBJECT_OR_BODY_CONTAINS_WORDS = "o365.audit.Parameters.SubjectOrBodyContainsWords", Keyword, "Cmdlet parameter SubjectOrBodyContainsWords, as text.";
    O365_AUDIT_PARAMETERS_USER = "o365.audit.Parameters.User", Keyword, "Cmdlet parameter User, as text.";
    O365_AUDIT_PARAMETERS_WITHIN_SIZE_RANGE_MINIMUM = "o365.audit.Parameters.WithinSizeRangeMinimum", Keyword, "Cmdlet parameter WithinSizeRangeMinimum, as text.";
    O365_AUDIT_PARAMETERS_AUDIT_ENABLED = "o365.audit.Parameters.AuditEnabled", Keyword, "Cmdlet parameter AuditEnabled, as text.";
    O365_AUDIT_PARAMETERS_AUDIT_BYPASS_ENABLED = "o365.audit.Parameters.AuditBypassEnabled", Keyword, "Cmdlet parameter AuditBypassEnabled, as text.";
    O365_AUDIT_PARAMETERS_UNIFIED_AUDIT_LOG_INGESTION_ENABLED = "o365.audit.Parameters.UnifiedAuditLogIngestionEnabled", Keyword, "Cmdlet parameter UnifiedAuditLogIngestionEnabled, as text.";
    O365_AUDIT_PARAMETERS_STATE = "o365.audit.Parameters.State", Keyword, "Cmdlet parameter State, as text.";
    O365_AUDIT_PARAMETERS_ENABLE_SAFE_LINKS = "o365.audit.Parameters.EnableSafeLinks", Keyword, "Cmdlet parameter EnableSafeLinks, as text.";
    O365_AUDIT_EXTENDED_PROPERTIES = "o365.audit.ExtendedProperties", Pairs, "Ours. All extended properties, in order.";
    O365_AUDIT_EXTENDED_PROPERTIES_RAW = "o365.audit.ExtendedProperties._raw", Keyword, "ExtendedProperties where they came as text.";
    O365_AUDIT_EXTENDED_PROPERTIES_ADDITIONAL_DETAILS = "o365.audit.ExtendedProperties.additionalDetails", Keyword, "Extended property additionalDetails.";
    O365_AUDIT_EXTENDED_PROPERTIES_EXTENDED_AUDIT_EVENT_CATEGORY = "o365.audit.ExtendedProperties.extendedAuditEventCategory", Keyword, "Extended property extendedAuditEventCategory.";
    O365_AUDIT_EXTENDED_PROPERTIES_KEEP_ME_SIGNED_IN = "o365.audit.ExtendedProperties.KeepMeSignedIn", Keyword, "Extended property KeepMeSignedIn.";
    O365_AUDIT_EXTENDED_PROPERTIES_REQUEST_TYPE = "o365.audit.ExtendedProperties.RequestType", Keyword, "Extended property RequestType.";
    O365_AUDIT_EXTENDED_PROPERTIES_RESULT_STATUS_DETAIL = "o365.audit.ExtendedProperties.ResultStatusDetail", Keyword, "Extended property ResultStatusDetail.";
    O365_AUDIT_EXTENDED_PROPERTIES_USER_AUTHENTICATION_METHOD = "o365.audit.ExtendedProperties.UserAuthenticationMethod", Keyword, "Extended property UserAuthenticationMethod.";
    O365_AUDIT_MODIFIED_PROPERTIES_NEW_VALUE = "o365.audit.ModifiedProperties.NewValue", Pairs, "Ours. Every modified property with its new value; spaces and dots of names are underscores.";
    O365_AUDIT_MODIFIED_PROPERTIES_OLD_VALUE = "o365.audit.ModifiedProperties.OldValue", Pairs, "Ours. Every modified property with its old value.";
    O365_AUDIT_MODIFIED_PROPERTIES_RAW = "o365.audit.ModifiedProperties._raw", Keyword, "ModifiedProperties where they came as text.";
    O365_AUDIT_MODIFIED_PROPERTIES_ALLOW_FEDERATED_USERS_NEW_VALUE = "o365.audit.ModifiedProperties.AllowFederatedUsers.NewValue", Keyword, "NewValue of the modified property AllowFederatedUsers.";
    O365_AUDIT_MODIFIED_PROPERTIES_ALLOW_FEDERATED_USERS_OLD_VALUE = "o365.audit.ModifiedProperties.AllowFederatedUsers.OldValue", Keyword, "OldValue of the modified property AllowFederatedUsers.";
    O365_AUDIT_MODIFIED_PROPERTIES_ALLOW_GUEST_USER_NEW_VALUE = "o365.audit.ModifiedProperties.AllowGuestUser.NewValue", Keyword, "NewValue of the modified property AllowGuestUser.";
    O365_AUDIT_MODIFIED_PROPERTIES_ALLOW_GUEST_USER_OLD_VALUE = "o365.audit.ModifiedProperties.AllowGuestUser.OldValue", Keyword, "OldValue of the modified property AllowGuestUser.";
    O365_AUDIT_MODIFIED_PROPERTIES_ALLOW_TEAMS_CONSUMER_NEW_VALUE = "o365.audit.ModifiedProperties.AllowTeamsConsumer.NewValue", Keyword, "NewValue of the modified property AllowTeamsConsumer.";
    O365_AUDIT_MODIFIED_PROPERTIES_ALLOW_TEAMS_CONSUMER_OLD_VALUE = "o365.audit.ModifiedProperties.AllowTeamsConsumer.OldValue", Keyword, "OldValue of the modified property AllowTeamsConsumer.";
    O365_AUDIT_MODIFIED_PROPERTIES_INCLUDED_UPDATED_PROPERTIES_NEW_VALUE = "o365.audit.ModifiedProperties.Included_Updated_Properties.NewValue", Keyword, "NewValue of the modified property Included_Updated_Properties.";
    O365_AUDIT_MODIFIED_PROPERTIES_INCLUDED_UPDATED_PROPERTIES_OLD_VALUE = "o365.audit.ModifiedProperties.Included_Updated_Properties.OldValue", Keyword, "OldValue of the modified property Included_Updated_Properties.";
    O365_AUDIT_MODIFIED_PROPERTIES_IS_PUBLIC_NEW_VALUE = "o365.audit.ModifiedProperties.IsPublic.NewValue", Keyword, "NewValue of the modified property IsPublic.";
    O365_AUDIT_MODIFIED_PROPERTIES_IS_PUBLIC_OLD_VALUE = "o365.audit.ModifiedProperties.IsPublic.OldValue", Keyword, "OldValue of the modified property IsPublic.";
    O365_AUDIT_MODIFIED_PROPERTIES_ROLE_DISPLAY_NAME_NEW_VALUE = "o365.audit.ModifiedProperties.Role_DisplayName.NewValue", Keyword, "NewValue of the modified property Role_DisplayName.";
    O365_AUDIT_MODIFIED_PROPERTIES_ROLE_DISPLAY_NAME_OLD_VALUE = "o365.audit.ModifiedProperties.Role_DisplayName.OldValue", Keyword, "OldValue of the modified property Role_DisplayName.";
    O365_AUDIT_MODIFIED_PROPERTIES_ROLE_TEMPLATE_ID_NEW_VALUE = "o365.audit.ModifiedProperties.Role_TemplateId.NewValue", Keyword, "NewValue of the modified property Role_TemplateId.";
    O365_AUDIT_MODIFIED_PROPERTIES_ROLE_TEMPLATE_ID_OLD_VALUE = "o365.audit.ModifiedProperties.Role_TemplateId.OldValue", Keyword, "OldValue of the modified property Role_TemplateId.";
    O365_AUDIT_MODIFIED_PROPERTIES_SHARE_USING_ANONYMOUS_LINKS_NEW_VALUE = "o365.audit.ModifiedProperties.ShareUsingAnonymousLinks.NewValue", Keyword, "NewValue of the modified property ShareUsingAnonymousLinks.";
    O365_AUDIT_MODIFIED_PROPERTIES_SHARE_USING_ANONYMOUS_LINKS_OLD_VALUE = "o365.audit.ModifiedProperties.ShareUsingAnonymousLinks.OldValue", Keyword, "OldValue of the modified property ShareUsingAnonymousLinks.";
    O365_AUDIT_MODIFIED_PROPERTIES_SHARE_WITH_GUESTS_NEW_VALUE = "o365.audit.ModifiedProperties.ShareWithGuests.NewValue", Keyword, "NewValue of the modified property ShareWithGuests.";
    O365_AUDIT_MODIFIED_PROPERTIES_SHARE_WITH_GUESTS_OLD_VALUE = "o365.audit.ModifiedProperties.ShareWithGuests.OldValue", Keyword, "OldValue of the modified property ShareWithGuests.";
    O365_AUDIT_MODIFIED_PROPERTIES_CONSENT_ACTION_PERMISSIONS_NEW_VALUE = "o365.audit.ModifiedProperties.ConsentAction_Permissions.NewValue", Keyword, "NewValue of the modified property ConsentAction_Permissions.";
    O365_AUDIT_MODIFIED_PROPERTIES_CONSENT_ACTION_PERMISSIONS_OLD_VALUE = "o365.audit.ModifiedProperties.ConsentAction_Permissions.OldValue", Keyword, "OldValue of the modified property ConsentAction_Permissions.";
    O365_AUDIT_MODIFIED_PROPERTIES_CONSENT_CONTEXT_IS_ADMIN_CONSENT_NEW_VALUE = "o365.audit.ModifiedProperties.ConsentContext_IsAdminConsent.NewValue", Keyword, "NewValue of the modified property ConsentContext_IsAdminConsent.";
    O365_AUDIT_MODIFIED_PROPERTIES_CONSENT_CONTEXT_IS_ADMIN_CONSENT_OLD_VALUE = "o365.audit.ModifiedProperties.ConsentContext_IsAdminConsent.OldValue", Keyword, "OldValue of the modified property ConsentContext_IsAdminConsent.";
    O365_AUDIT_MODIFIED_PROPERTIES_SERVICE_PRINCIPAL_NAME_NEW_VALUE = "o365.audit.ModifiedProperties.ServicePrincipal_Name.NewValue", Keyword, "NewValue of the modified property ServicePrincipal_Name.";
    O365_AUDIT_MODIFIED_PROPERTIES_SERVICE_PRINCIPAL_NAME_OLD_VALUE = "o365.audit.ModifiedProperties.ServicePrincipal_Name.OldValue", Keyword, "OldValue of the modified property ServicePrincipal_Name.";
    O365_AUDIT_MODIFIED_PROPERTIES_STRONG_AUTHENTICATION_METHOD_NEW_VALUE = "o365.audit.ModifiedProperties.StrongAuthenticationMethod.NewValue", Keyword, "NewValue of the modified property StrongAuthenticationMethod.";
    O365_AUDIT_MODIFIED_PROPERTIES_STRONG_AUTHENTICATION_METHOD_OLD_VALUE = "o365.audit.ModifiedProperties.StrongAuthenticationMethod.OldValue", Keyword, "OldValue of the modified property StrongAuthenticationMethod.";
    O365_AUDIT_OPERATION_PROPERTIES = "o365.audit.OperationProperties", Pairs, "OperationProperties, pair by pair.";
    O365_AUDIT_DEVICE_PROPERTIES = "o365.audit.DeviceProperties", Pairs, "DeviceProperties of a logon, pair by pair.";

    // o365.audit: mailboxes.
    O365_AUDIT_LOGON_TYPE = "o365.audit.LogonType", Keyword, "Raw LogonType.";
    O365_AUDIT_INTERNAL_LOGON_TYPE = "o365.audit.InternalLogonType", Keyword, "Raw InternalLogonType.";
    O365_AUDIT_MAILBOX_GUID = "o365.audit.MailboxGuid", Keyword, "Raw MailboxGuid.";
    O365_AUDIT_MAILBOX_OWNER_UPN = "o365.audit.MailboxOwnerUPN", Keyword, "Raw MailboxOwnerUPN.";
    O365_AUDIT_MAILBOX_OWNER_SID = "o365.audit.MailboxOwnerSid", Keyword, "Raw MailboxOwnerSid.";
    O365_AUDIT_MAILBOX_OWNER_MASTER_ACCOUNT_SID = "o365.audit.MailboxOwnerMasterAccountSid", Keyword, "Raw MailboxOwnerMasterAccountSid.";
    O365_AUDIT_LOGON_USER_SID = "o365.audit.LogonUserSid", Keyword, "Raw LogonUserSid.";
    O365_AUDIT_LOGON_USER_DISPLAY_NAME = "o365.audit.LogonUserDisplayName", Keyword, "Raw LogonUserDisplayName.";
    O365_AUDIT_CLIENT_INFO_STRING = "o365.audit.ClientInfoString", Keyword, "Raw ClientInfoString.";
    O365_AUDIT_CLIENT_MACHINE_NAME = "o365.audit.ClientMachineName", Keyword, "Raw ClientMachineName.";
    O365_AUDIT_CLIENT_PROCESS_NAME = "o365.audit.ClientProcessName", Keyword, "Raw ClientProcessName.";
    O365_AUDIT_CLIENT_VERSION = "o365.audit.ClientVersion", Keyword, "Raw ClientVersion.";
    O365_AUDIT_CLIENT_REQUEST_ID = "o365.audit.ClientRequestId", Keyword, "Raw ClientRequestId.";
    O365_AUDIT_EXTERNAL_USER_TENANT_ID = "o365.audit.ExternalUserTenantId", Keyword, "Raw ExternalUserTenantId.";
    O365_AUDIT_ATTACHMENT_ID = "o365.audit.AttachmentId", Keyword, "Raw AttachmentId.";
    O365_AUDIT_SEND_AS_USER_SMTP = "o365.audit.SendAsUserSmtp", Keyword, "Raw SendAsUserSmtp.";
    O365_AUDIT_SEND_AS_USER_MAILBOX_GUID = "o365.audit.SendAsUserMailboxGuid", Keyword, "Raw SendAsUserMailboxGuid.";
    O365_AUDIT_SEND_ON_BEHALF_OF_USER_SMTP = "o365.audit.SendOnBehalfOfUserSmtp", Keyword, "Raw SendOnBehalfOfUserSmtp.";
    O365_AUDIT_SEND_ON_BEHALF_OF_USER_MAILBOX_GUID = "o365.audit.SendOnBehalfOfUserMailboxGuid", Keyword, "Raw SendOnBehalfOfUserMailboxGuid.";
    O365_AUDIT_DEST_MAILBOX_ID = "o365.audit.DestMailboxId", Keyword, "Raw DestMailboxId.";
    O365_AUDIT_DEST_MAILBOX_OWNER_UPN = "o365.audit.DestMailboxOwnerUPN", Keyword, "Raw DestMailboxOwnerUPN.";
    O365_AUDIT_DEST_MAILBOX_OWNER_SID = "o365.audit.DestMailboxOwnerSid", Keyword, "Raw DestMailboxOwnerSid.";
    O365_AUDIT_MODIFIED_OBJECT_RESOLVED_NAME = "o365.audit.ModifiedObjectResolvedName", Keyword, "Raw ModifiedObjectResolvedName.";
    O365_AUDIT_CMDLET_VERSION = "o365.audit.CmdletVersion", Keyword, "Raw CmdletVersion.";
    O365_AUDIT_EFFECTIVE_ORGANIZATION = "o365.audit.EffectiveOrganization", Keyword, "Raw EffectiveOrganization.";
    O365_AUDIT_USER_SERVICE_PLAN = "o365.audit.UserServicePlan", Keyword, "Raw UserServicePlan.";
    O365_AUDIT_CLIENT_APPLICATION = "o365.audit.ClientApplication", Keyword, "Raw ClientApplication.";
    O365_AUDIT_SECURITY_COMPLIANCE_CENTER_EVENT_TYPE = "o365.audit.SecurityComplianceCenterEventType", Keyword, "Raw SecurityComplianceCenterEventType.";
    O365_AUDIT_NON_PII_PARAMETERS = "o365.audit.NonPIIParameters", Keyword, "Raw NonPIIParameters.";
    O365_AUDIT_START_TIME = "o365.audit.StartTime", Keyword, "Raw StartTime.";
    O365_AUDIT_OPERATION_COUNT = "o365.audit.OperationCount", Long, "Number of mailbox items of an aggregated record.";
    O365_AUDIT_ATTACHMENT_SIZE_IN_BYTES = "o365.audit.AttachmentSizeInBytes", Long, "Raw AttachmentSizeInBytes.";
    O365_AUDIT_SAVE_TO_SENT_ITEMS = "o365.audit.SaveToSentItems", Boolean, "Raw SaveToSentItems.";
    O365_AUDIT_CROSS_MAILBOX_OPERATION = "o365.audit.CrossMailboxOperation", Boolean, "Raw CrossMailboxOperation.";
    O365_AUDIT_ITEM_ID = "o365.audit.Item.Id", Keyword, "Raw Item.Id.";
    O365_AUDIT_ITEM_SUBJECT = "o365.audit.Item.Subject", Keyword, "Raw Item.Subject.";
    O365_AUDIT_ITEM_INTERNET_MESSAGE_ID = "o365.audit.Item.InternetMessageId", Keyword, "Raw Item.InternetMessageId.";
    O365_AUDIT_ITEM_IMMUTABLE_ID = "o365.audit.Item.ImmutableId", Keyword, "Raw Item.ImmutableId.";
    O365_AUDIT_ITEM_ATTACHMENTS = "o365.audit.Item.Attachments", Keyword, "Raw Item.Attachments.";
    O365_AUDIT_ITEM_SENSITIVITY = "o365.audit.Item.Sensitivity", Keyword, "Raw Item.Sensitivity.";
    O365_AUDIT_ITEM_SIZE_IN_BYTES = "o365.audit.Item.SizeInBytes", Long, "Raw Item.SizeInBytes.";
    O365_AUDIT_ITEM_IS_RECORD = "o365.audit.Item.IsRecord", Boolean, "Raw Item.IsRecord.";
    O365_AUDIT_ITEM_PARENT_FOLDER_ID = "o365.audit.Item.ParentFolder.Id", Keyword, "Raw Item.ParentFolder.Id.";
    O365_AUDIT_ITEM_PARENT_FOLDER_PATH = "o365.audit.Item.ParentFolder.Path", Keyword, "Raw Item.ParentFolder.Path.";
    O365_AUDIT_ITEM_PARENT_FOLDER_NAME = "o365.audit.Item.ParentFolder.Name", Keyword, "Raw Item.ParentFolder.Name.";
    O365_AUDIT_ITEM_PARENT_FOLDER_MEMBER_SID = "o365.audit.Item.ParentFolder.MemberSid", Keyword, "Raw Item.ParentFolder.MemberSid.";
    O365_AUDIT_ITEM_PARENT_FOLDER_MEMBER_RIGHTS = "o365.audit.Item.ParentFolder.MemberRights", Keyword, "Raw Item.ParentFolder.MemberRights.";
    O365_AUDIT_ITEM_PARENT_FOLDER_MEMBER_UPN = "o365.audit.Item.ParentFolder.MemberUpn", Keyword, "Raw Item.ParentFolder.MemberUpn.";
    O365_AUDIT_FOLDER_ID = "o365.audit.Folder.Id", Keyword, "Raw Folder.Id.";
    O365_AUDIT_FOLDER_PATH = "o365.audit.Folder.Path", Keyword, "Raw Folder.Path.";
    O365_AUDIT_DEST_FOLDER_ID = "o365.audit.DestFolder.Id", Keyword, "Raw DestFolder.Id.";
    O365_AUDIT_DEST_FOLDER_PATH = "o365.audit.DestFolder.Path", Keyword, "Raw DestFolder.Path.";
    O365_AUDIT_FOLDERS_ID = "o365.audit.Folders.Id", Keywords, "Id of each of Folders.";
    O365_AUDIT_FOLDERS_PATH = "o365.audit.Folders.Path", Keywords, "Path of each of Folders.";
    O365_AUDIT_FOLDERS_FOLDER_ITEMS_ID = "o365.audit.Folders.FolderItems.Id", Keywords, "Id of each item of each of Folders.";
    O365_AUDIT_FOLDERS_FOLDER_ITEMS_IMMUTABLE_ID = "o365.audit.Folders.FolderItems.ImmutableId", Keywords, "ImmutableId of each item of each of Folders.";
    O365_AUDIT_FOLDERS_FOLDER_ITEMS_INTERNET_MESSAGE_ID = "o365.audit.Folders.FolderItems.InternetMessageId", Keywords, "InternetMessageId of each item of each of Folders.";
    O365_AUDIT_FOLDERS_FOLDER_ITEMS_SUBJECT = "o365.audit.Folders.FolderItems.Subject", Keywords, "Subject of each item of each of Folders.";
    O365_AUDIT_FOLDERS_FOLDER_ITEMS_CLIENT_REQUEST_ID = "o365.audit.Folders.FolderItems.ClientRequestId", Keywords, "ClientRequestId of each item of each of Folders.";
    O365_AUDIT_MESSAGES_ID = "o365.audit.Messages.Id", Keywords, "Id of each of Messages.";
    O365_AUDIT_MESSAGES_PATH = "o365.audit.Messages.Path", Keywords, "Path of each of Messages.";
    O365_AUDIT_MESSAGES_MESSAGE_ITEMS_ID = "o365.audit.Messages.MessageItems.Id", Keywords, "Id of each item of each of Messages.";
    O365_AUDIT_AFFECTED_ITEMS_ID = "o365.audit.AffectedItems.Id", Keywords, "Id of each affected item.";
    O365_AUDIT_AFFECTED_ITEMS_SUBJECT = "o365.audit.AffectedItems.Subject", Keywords, "Subject of each affected item.";
    O365_AUDIT_AFFECTED_ITEMS_INTERNET_MESSAGE_ID = "o365.audit.AffectedItems.InternetMessageId", Keywords, "InternetMessageId of each affected item.";
    O365_AUDIT_AFFECTED_ITEMS_ATTACHMENTS = "o365.audit.AffectedItems.Attachments", Keywords, "Attachments of each affected item.";
    O365_AUDIT_AFFECTED_ITEMS_PARENT_FOLDER_PATH = "o365.audit.AffectedItems.ParentFolder.Path", Keywords, "Folder of each affected item.";
    O365_AUDIT_RECIPIENT_COUNT = "o365.audit.recipientCount", Long, "Raw recipientCount.";
    O365_AUDIT_RECIPIENT_LIST_ADDRESS = "o365.audit.recipientList.Address", Keywords, "Address of each recipient.";

    // o365.audit: directory and logons.
    O365_AUDIT_AZURE_ACTIVE_DIRECTORY_EVENT_TYPE = "o365.audit.AzureActiveDirectoryEventType", Keyword, "Raw AzureActiveDirectoryEventType, numbers as text.";
    O365_AUDIT_ACTOR_CONTEXT_ID = "o365.audit.ActorContextId", Keyword, "Raw ActorContextId, numbers as text.";
    O365_AUDIT_TARGET_CONTEXT_ID = "o365.audit.TargetContextId", Keyword, "Raw TargetContextId, numbers as text.";
    O365_AUDIT_INTER_SYSTEMS_ID = "o365.audit.InterSystemsId", Keyword, "Raw InterSystemsId, numbers as text.";
    O365_AUDIT_INTRA_SYSTEM_ID = "o365.audit.IntraSystemId", Keyword, "Raw IntraSystemId, numbers as text.";
    O365_AUDIT_SUPPORT_TICKET_ID = "o365.audit.SupportTicketId", Keyword, "Raw SupportTicketId, numbers as text.";
    O365_AUDIT_ERROR_NUMBER = "o365.audit.ErrorNumber", Keyword, "Raw ErrorNumber, numbers as text.";
    O365_AUDIT_LOGON_ERROR = "o365.audit.LogonError", Keyword, "Raw LogonError, numbers as text.";
    O365_AUDIT_LOGIN_STATUS = "o365.audit.LoginStatus", Keyword, "Raw LoginStatus, numbers as text.";
    O365_AUDIT_BROWSER_TYPE = "o365.audit.BrowserType", Keyword, "Raw BrowserType, numbers as text.";
    O365_AUDIT_ACTOR_ID = "o365.audit.Actor.ID", Keywords, "ID of each Actor.";
    O365_AUDIT_ACTOR_TYPE = "o365.audit.Actor.Type", Keywords, "Type of each Actor, as text: 0 claim, 1 name, 2 other, 3 PUID, 4 SPN, 5 UPN.";
    O365_AUDIT_TARGET_ID = "o365.audit.Target.ID", Keywords, "ID of each Target.";
    O365_AUDIT_TARGET_TYPE = "o365.audit.Target.Type", Keywords, "Type of each Target, as text: 0 claim, 1 name, 2 other, 3 PUID, 4 SPN, 5 UPN.";

    // o365.audit: SharePoint, Teams, search, alerts and the rest.
    O365_AUDIT_SITE = "o365.audit.Site", Keyword, "Raw Site.";
    O365_AUDIT_SITE_URL = "o365.audit.SiteUrl", Keyword, "Raw SiteUrl.";
    O365_AUDIT_WEB_ID = "o365.audit.WebId", Keyword, "Raw WebId.";
    O365_AUDIT_LIST_ID = "o365.audit.ListId", Keyword, "Raw ListId.";
    O365_AUDIT_LIST_ITEM_UNIQUE_ID = "o365.audit.ListItemUniqueId", Keyword, "Raw ListItemUniqueId.";
    O365_AUDIT_ITEM_TYPE = "o365.audit.ItemType", Keyword, "Raw ItemType.";
    O365_AUDIT_EVENT_SOURCE = "o365.audit.EventSource", Keyword, "Raw EventSource.";
    O365_AUDIT_EVENT_DATA = "o365.audit.EventData", Keyword, "Raw EventData.";
    O365_AUDIT_SOURCE_FILE_NAME = "o365.audit.SourceFileName", Keyword, "Raw SourceFileName.";
    O365_AUDIT_SOURCE_FILE_EXTENSION = "o365.audit.SourceFileExtension", Keyword, "Raw SourceFileExtension.";
    O365_AUDIT_SOURCE_RELATIVE_URL = "o365.audit.SourceRelativeUrl", Keyword, "Raw SourceRelativeUrl.";
    O365_AUDIT_DESTINATION_FILE_NAME = "o365.audit.DestinationFileName", Keyword, "Raw DestinationFileName.";
    O365_AUDIT_DESTINATION_FILE_EXTENSION = "o365.audit.DestinationFileExtension", Keyword, "Raw DestinationFileExtension.";
    O365_AUDIT_DESTINATION_RELATIVE_URL = "o365.audit.DestinationRelativeUrl", Keyword, "Raw DestinationRelativeUrl.";
    O365_AUDIT_USER_SHARED_WITH = "o365.audit.UserSharedWith", Keyword, "Raw UserSharedWith.";
    O365_AUDIT_SHARING_TYPE = "o365.audit.SharingType", Keyword, "Raw SharingType.";
    O365_AUDIT_TARGET_USER_OR_GROUP_NAME = "o365.audit.TargetUserOrGroupName", Keyword, "Raw TargetUserOrGroupName.";
    O365_AUDIT_TARGET_USER_OR_GROUP_TYPE = "o365.audit.TargetUserOrGroupType", Keyword, "Raw TargetUserOrGroupType.";
    O365_AUDIT_UNIQUE_SHARING_ID = "o365.audit.UniqueSharingId", Keyword, "Raw UniqueSharingId.";
    O365_AUDIT_AUTHENTICATION_TYPE = "o365.audit.AuthenticationType", Keyword, "Raw AuthenticationType.";
    O365_AUDIT_BROWSER_NAME = "o365.audit.BrowserName", Keyword, "Raw BrowserName.";
    O365_AUDIT_BROWSER_VERSION = "o365.audit.BrowserVersion", Keyword, "Raw BrowserVersion.";
    O365_AUDIT_PLATFORM = "o365.audit.Platform", Keyword, "Raw Platform.";
    O365_AUDIT_DEVICE_DISPLAY_NAME = "o365.audit.DeviceDisplayName", Keyword, "Raw DeviceDisplayName.";
    O365_AUDIT_DEVICE_NAME = "o365.audit.DeviceName", Keyword, "Raw DeviceName.";
    O365_AUDIT_GEO_LOCATION = "o365.audit.GeoLocation", Keyword, "Raw GeoLocation.";
    O365_AUDIT_FILE_EXTENSION = "o365.audit.FileExtension", Keyword, "Raw FileExtension.";
    O365_AUDIT_FILE_PATH = "o365.audit.FilePath", Keyword, "Raw FilePath.";
    O365_AUDIT_TARGET_FILE_PATH = "o365.audit.TargetFilePath", Keyword, "Raw TargetFilePath.";
    O365_AUDIT_SHA1 = "o365.audit.Sha1", Keyword, "Raw Sha1.";
    O365_AUDIT_SHA256 = "o365.audit.Sha256", Keyword, "Raw Sha256.";
    O365_AUDIT_ORIGINATING_DOMAIN = "o365.audit.OriginatingDomain", Keyword, "Raw OriginatingDomain.";
    O365_AUDIT_APPLICATION = "o365.audit.Application", Keyword, "Raw Application.";
    O365_AUDIT_IS_MANAGED_DEVICE = "o365.audit.IsManagedDevice", Boolean, "Raw IsManagedDevice.";
    O365_AUDIT_FILE_SIZE_BYTES = "o365.audit.FileSizeBytes", Long, "Raw FileSizeBytes.";
    O365_AUDIT_FILE_SIZE = "o365.audit.FileSize", Long, "Raw FileSize.";
    O365_AUDIT_TEAM_NAME = "o365.audit.TeamName", Keyword, "Raw TeamName.";
    O365_AUDIT_TEAM_GUID = "o365.audit.TeamGuid", Keyword, "Raw TeamGuid.";
    O365_AUDIT_COMMUNICATION_TYPE = "o365.audit.CommunicationType", Keyword, "Raw CommunicationType.";
    O365_AUDIT_CHANNEL_NAME = "o365.audit.ChannelName", Keyword, "Raw ChannelName.";
    O365_AUDIT_CHANNEL_GUID = "o365.audit.ChannelGuid", Keyword, "Raw ChannelGuid.";
    O365_AUDIT_MESSAGE_ID = "o365.audit.MessageId", Keyword, "Raw MessageId.";
    O365_AUDIT_CHAT_THREAD_ID = "o365.audit.ChatThreadId", Keyword, "Raw ChatThreadId.";
    O365_AUDIT_ADD_ON_NAME = "o365.audit.AddOnName", Keyword, "Raw AddOnName.";
    O365_AUDIT_ADD_ON_GUID = "o365.audit.AddOnGuid", Keyword, "Raw AddOnGuid.";
    O365_AUDIT_MEMBERS = "o365.audit.Members", Keywords, "Every value of every member, as Elastic's flattened field answers.";
    O365_AUDIT_MEMBERS_UPN = "o365.audit.Members.UPN", Keywords, "UPN of each member.";
    O365_AUDIT_MEMBERS_DISPLAY_NAME = "o365.audit.Members.DisplayName", Keywords, "DisplayName of each member.";
    O365_AUDIT_MEMBERS_ROLE = "o365.audit.Members.Role", Keywords, "Role of each member.";
    O365_AUDIT_PARTICIPANT_INFO_HAS_FOREIGN_TENANT_USERS = "o365.audit.ParticipantInfo.HasForeignTenantUsers", Boolean, "Raw ParticipantInfo.HasForeignTenantUsers.";
    O365_AUDIT_PARTICIPANT_INFO_HAS_GUEST_USERS = "o365.audit.ParticipantInfo.HasGuestUsers", Boolean, "Raw ParticipantInfo.HasGuestUsers.";
    O365_AUDIT_PARTICIPANT_INFO_HAS_OTHER_GUEST_USERS = "o365.audit.ParticipantInfo.HasOtherGuestUsers", Boolean, "Raw ParticipantInfo.HasOtherGuestUsers.";
    O365_AUDIT_PARTICIPANT_INFO_HAS_UNAUTHENTICATED_USERS = "o365.audit.ParticipantInfo.HasUnauthenticatedUsers", Boolean, "Raw ParticipantInfo.HasUnauthenticatedUsers.";
    O365_AUDIT_PARTICIPANT_INFO_PARTICIPATING_TENANT_IDS = "o365.audit.ParticipantInfo.ParticipatingTenantIds", Keywords, "Raw ParticipantInfo.ParticipatingTenantIds.";
    O365_AUDIT_NAME = "o365.audit.Name", Keyword, "Raw Name.";
    O365_AUDIT_NEW_VALUE = "o365.audit.NewValue", Keyword, "Raw NewValue.";
    O365_AUDIT_OLD_VALUE = "o365.audit.OldValue", Keyword, "Raw OldValue.";
    O365_AUDIT_SEARCH_QUERY_TEXT = "o365.audit.SearchQueryText", Keyword, "Raw SearchQueryText.";
    O365_AUDIT_QUERY_TEXT = "o365.audit.QueryText", Keyword, "Raw QueryText.";
    O365_AUDIT_QUERY_SOURCE = "o365.audit.QuerySource", Keyword, "Raw QuerySource.";
    O365_AUDIT_CASE = "o365.audit.Case", Keyword, "Raw Case.";
    O365_AUDIT_CASE_ID = "o365.audit.CaseId", Keyword, "Raw CaseId.";
    O365_AUDIT_EXCHANGE_LOCATIONS = "o365.audit.ExchangeLocations", Keyword, "Raw ExchangeLocations.";
    O365_AUDIT_ALERT_ID = "o365.audit.AlertId", Keyword, "Raw AlertId.";
    O365_AUDIT_ALERT_TYPE = "o365.audit.AlertType", Keyword, "Raw AlertType.";
    O365_AUDIT_ALERT_ENTITY_ID = "o365.audit.AlertEntityId", Keyword, "Raw AlertEntityId.";
    O365_AUDIT_ENTITY_TYPE = "o365.audit.EntityType", Keyword, "Raw EntityType.";
    O365_AUDIT_CATEGORY = "o365.audit.Category", Keyword, "Raw Category.";
    O365_AUDIT_POLICY_ID = "o365.audit.PolicyId", Keyword, "Raw PolicyId.";
    O365_AUDIT_POLICY_NAME = "o365.audit.PolicyName", Keyword, "Raw PolicyName.";
    O365_AUDIT_SEVERITY = "o365.audit.Severity", Keyword, "Raw Severity.";
    O365_AUDIT_SOURCE = "o365.audit.Source", Keyword, "Raw Source.";
    O365_AUDIT_STATUS = "o365.audit.Status", Keyword, "Raw Status.";
    O365_AUDIT_COMMENTS = "o365.audit.Comments", Keyword, "Raw Comments.";
    O365_AUDIT_DESCRIPTION = "o365.audit.Description", Keyword, "Raw Description.";
    O365_AUDIT_INCIDENT_ID = "o365.audit.IncidentId", Keyword, "Raw IncidentId.";
    O365_AUDIT_NETWORK_MESSAGE_ID = "o365.audit.NetworkMessageId", Keyword, "Raw NetworkMessageId.";
    O365_AUDIT_INTERNET_MESSAGE_ID = "o365.audit.InternetMessageId", Keyword, "Raw InternetMessageId.";
    O365_AUDIT_SUBJECT = "o365.audit.Subject", Keyword, "Raw Subject.";
    O365_AUDIT_SENDER_IP = "o365.audit.SenderIp", Keyword, "Raw SenderIp.";
    O365_AUDIT_P1_SENDER = "o365.audit.P1Sender", Keyword, "Raw P1Sender.";
    O365_AUDIT_P2_SENDER = "o365.audit.P2Sender", Keyword, "Raw P2Sender.";
    O365_AUDIT_VERDICT = "o365.audit.Verdict", Keyword, "Raw Verdict.";
    O365_AUDIT_DELIVERY_ACTION = "o365.audit.DeliveryAction", Keyword, "Raw DeliveryAction.";
    O365_AUDIT_DIRECTIONALITY = "o365.audit.Directionality", Keyword, "Raw Directionality.";
    O365_AUDIT_URL = "o365.audit.Url", Keyword, "Raw Url.";
    O365_AUDIT_INVESTIGATION_ID = "o365.audit.InvestigationId", Keyword, "Raw InvestigationId.";
    O365_AUDIT_INVESTIGATION_NAME = "o365.audit.InvestigationName", Keyword, "Raw InvestigationName.";
    O365_AUDIT_INVESTIGATION_STATUS = "o365.audit.InvestigationStatus", Keyword, "Raw InvestigationStatus.";
    O365_AUDIT_YAMMER_NETWORK_ID = "o365.audit.YammerNetworkId", Keyword, "Raw YammerNetworkId.";
    O365_AUDIT_ACTOR_YAMMER_USER_ID = "o365.audit.ActorYammerUserId", Keyword, "Raw ActorYammerUserId.";
    O365_AUDIT_LIST_BASE_TYPE = "o365.audit.ListBaseType", Keyword, "Raw ListBaseType.";
    O365_AUDIT_RECIPIENTS = "o365.audit.Recipients", Keywords, "Raw Recipients.";
    O365_AUDIT_THREATS_AND_DETECTION_TECH = "o365.audit.ThreatsAndDetectionTech", Keywords, "Raw ThreatsAndDetectionTech.";
    O365_AUDIT_SENSITIVE_INFO_DETECTION_IS_INCLUDED = "o365.audit.SensitiveInfoDetectionIsIncluded", Boolean, "Raw SensitiveInfoDetectionIsIncluded.";
    O365_AUDIT_END_TIME_UTC = "o365.audit.EndTimeUtc", Timestamp, "Raw EndTimeUtc.";
    O365_AUDIT_LAST_UPDATE_TIME_UTC = "o365.audit.LastUpdateTimeUtc", Timestamp, "Raw LastUpdateTimeUtc.";
    O365_AUDIT_DATA_FLATTENED = "o365.audit.Data.flattened", Keyword, "Data of an alert, as its JSON text.";
    O365_AUDIT_DATA_AII = "o365.audit.Data.aii", Keyword, "Data.aii of an alert.";
    O365_AUDIT_DATA_AQDS = "o365.audit.Data.aqds", Keyword, "Data.aqds of an alert.";
    O365_AUDIT_DATA_CID = "o365.audit.Data.cid", Keyword, "Data.cid of an alert.";
    O365_AUDIT_DATA_DM = "o365.audit.Data.dm", Keyword, "Data.dm of an alert.";
    O365_AUDIT_DATA_EID = "o365.audit.Data.eid", Keyword, "Data.eid of an alert.";
    O365_AUDIT_DATA_ETYPE = "o365.audit.Data.etype", Keyword, "Data.etype of an alert.";
    O365_AUDIT_DATA_F3U = "o365.audit.Data.f3u", Keyword, "Data.f3u of an alert.";
    O365_AUDIT_DATA_FVS = "o365.audit.Data.fvs", Keyword, "Data.fvs of an alert.";
    O365_AUDIT_DATA_IMSGID = "o365.audit.Data.imsgid", Keyword, "Data.imsgid of an alert.";
    O365_AUDIT_DATA_LON = "o365.audit.Data.lon", Keyword, "Data.lon of an alert.";
    O365_AUDIT_DATA_MS = "o365.audit.Data.ms", Keyword, "Data.ms of an alert.";
    O365_AUDIT_DATA_OP = "o365.audit.Data.op", Keyword, "Data.op of an alert.";
    O365_AUDIT_DATA_SEV = "o365.audit.Data.sev", Keyword, "Data.sev of an alert.";
    O365_AUDIT_DATA_SID = "o365.audit.Data.sid", Keyword, "Data.sid of an alert.";
    O365_AUDIT_DATA_SUID = "o365.audit.Data.suid", Keyword, "Data.suid of an alert.";
    O365_AUDIT_DATA_TID = "o365.audit.Data.tid", Keyword, "Data.tid of an alert.";
    O365_AUDIT_DATA_TRC = "o365.audit.Data.trc", Keyword, "Data.trc of an alert.";
    O365_AUDIT_DATA_TSD = "o365.audit.Data.tsd", Keyword, "Data.tsd of an alert.";
    O365_AUDIT_DATA_UT = "o365.audit.Data.ut", Keyword, "Data.ut of an alert.";
    O365_AUDIT_DATA_WL = "o365.audit.Data.wl", Keyword, "Data.wl of an alert.";
    O365_AUDIT_DATA_WSRT = "o365.audit.Data.wsrt", Keyword, "Data.wsrt of an alert.";
    O365_AUDIT_DATA_ZFN = "o365.audit.Data.zfn", Keyword, "Data.zfn of an alert.";
    O365_AUDIT_DATA_AT = "o365.audit.Data.at", Timestamp, "Data.at of an alert.";
    O365_AUDIT_DATA_MD = "o365.audit.Data.md", Timestamp, "Data.md of an alert.";
    O365_AUDIT_DATA_TE = "o365.audit.Data.te", Timestamp, "Data.te of an alert.";
    O365_AUDIT_DATA_TS = "o365.audit.Data.ts", Timestamp, "Data.ts of an alert.";
    O365_AUDIT_DATA_TTDT = "o365.audit.Data.ttdt", Timestamp, "Data.ttdt of an alert.";
    O365_AUDIT_DATA_SIP = "o365.audit.Data.sip", Ip, "Data.sip of an alert.";

    // azure.*: parts that every Entra record has.
    AZURE_TENANT_ID = "azure.tenant_id", Keyword, "tenantId.";
    AZURE_CORRELATION_ID = "azure.correlation_id", Keyword, "correlationId.";
    AZURE_SUBSCRIPTION_ID = "azure.subscription_id", Keyword, "Subscription (ECS documents).";
    AZURE_RESOURCE_ID = "azure.resource.id", Keyword, "resourceId.";
    AZURE_RESOURCE_PROVIDER = "azure.resource.provider", Keyword, "What follows /providers/ in resourceId.";
    AZURE_RESOURCE_NAME = "azure.resource.name", Keyword, "Name of the resource (ECS documents).";
    AZURE_RESOURCE_GROUP = "azure.resource.group", Keyword, "Group of the resource (ECS documents).";
    CLOUD_PROVIDER = "cloud.provider", Keyword, "azure.";
    CLOUD_REGION = "cloud.region", Keyword, "Region (ECS documents).";

    // azure.signinlogs: names as Elastic spells them.
    AZURE_SIGNINLOGS_CATEGORY = "azure.signinlogs.category", Keyword, "Sign-in envelope: category.";
    AZURE_SIGNINLOGS_IDENTITY = "azure.signinlogs.identity", Keyword, "Sign-in envelope: identity.";
    AZURE_SIGNINLOGS_OPERATION_NAME = "azure.signinlogs.operation_name", Keyword, "Sign-in envelope: operation_name.";
    AZURE_SIGNINLOGS_OPERATION_VERSION = "azure.signinlogs.operation_version", Keyword, "Sign-in envelope: operation_version.";
    AZURE_SIGNINLOGS_RESULT_TYPE = "azure.signinlogs.result_type", Keyword, "Sign-in envelope: result_type.";
    AZURE_SIGNINLOGS_RESULT_SIGNATURE = "azure.signinlogs.result_signature", Keyword, "Sign-in envelope: result_signature.";
    AZURE_SIGNINLOGS_RESULT_DESCRIPTION = "azure.signinlogs.result_description", Keyword, "Sign-in envelope: result_description.";
    AZURE_SIGNINLOGS_CALLER_IP_ADDRESS = "azure.signinlogs.caller_ip_address", Ip, "Sign-in envelope: callerIpAddress.";
    AZURE_SIGNINLOGS_PROPERTIES_CREATED_AT = "azure.signinlogs.properties.created_at", Timestamp, "createdDateTime.";
    AZURE_SIGNINLOGS_PROPERTIES_APP_ID = "azure.signinlogs.properties.app_id", Keyword, "Sign-in: app_id.";
    AZURE_SIGNINLOGS_PROPERTIES_APP_DISPLAY_NAME = "azure.signinlogs.properties.app_display_name", Keyword, "Sign-in: app_display_name.";
    AZURE_SIGNINLOGS_PROPERTIES_APP_OWNER_TENANT_ID = "azure.signinlogs.properties.app_owner_tenant_id", Keyword, "Sign-in: app_owner_tenant_id.";
    AZURE_SIGNINLOGS_PROPERTIES_APP_SERVICE_PRINCIPAL_ID = "azure.signinlogs.properties.app_service_principal_id", Keyword, "Sign-in: app_service_principal_id.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_PROTOCOL = "azure.signinlogs.properties.authentication_protocol", Keyword, "Sign-in: authentication_protocol.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_REQUIREMENT = "azure.signinlogs.properties.authentication_requirement", Keyword, "Sign-in: authentication_requirement.";
    AZURE_SIGNINLOGS_PROPERTIES_CLIENT_APP_USED = "azure.signinlogs.properties.client_app_used", Keyword, "Sign-in: client_app_used.";
    AZURE_SIGNINLOGS_PROPERTIES_CLIENT_CREDENTIAL_TYPE = "azure.signinlogs.properties.client_credential_type", Keyword, "Sign-in: client_credential_type.";
    AZURE_SIGNINLOGS_PROPERTIES_CONDITIONAL_ACCESS_STATUS = "azure.signinlogs.properties.conditional_access_status", Keyword, "Sign-in: conditional_access_status.";
    AZURE_SIGNINLOGS_PROPERTIES_CORRELATION_ID = "azure.signinlogs.properties.correlation_id", Keyword, "Sign-in: correlation_id.";
    AZURE_SIGNINLOGS_PROPERTIES_CROSS_TENANT_ACCESS_TYPE = "azure.signinlogs.properties.cross_tenant_access_type", Keyword, "Sign-in: cross_tenant_access_type.";
    AZURE_SIGNINLOGS_PROPERTIES_FEDERATED_CREDENTIAL_ID = "azure.signinlogs.properties.federated_credential_id", Keyword, "Sign-in: federated_credential_id.";
    AZURE_SIGNINLOGS_PROPERTIES_HOME_TENANT_ID = "azure.signinlogs.properties.home_tenant_id", Keyword, "Sign-in: home_tenant_id.";
    AZURE_SIGNINLOGS_PROPERTIES_HOME_TENANT_NAME = "azure.signinlogs.properties.home_tenant_name", Keyword, "Sign-in: home_tenant_name.";
    AZURE_SIGNINLOGS_PROPERTIES_INCOMING_TOKEN_TYPE = "azure.signinlogs.properties.incoming_token_type", Keyword, "Sign-in: incoming_token_type.";
    AZURE_SIGNINLOGS_PROPERTIES_IP_ADDRESS = "azure.signinlogs.properties.ip_address", Keyword, "Sign-in: ip_address.";
    AZURE_SIGNINLOGS_PROPERTIES_ORIGINAL_REQUEST_ID = "azure.signinlogs.properties.original_request_id", Keyword, "Sign-in: original_request_id.";
    AZURE_SIGNINLOGS_PROPERTIES_ORIGINAL_TRANSFER_METHOD = "azure.signinlogs.properties.original_transfer_method", Keyword, "Sign-in: original_transfer_method.";
    AZURE_SIGNINLOGS_PROPERTIES_RESOURCE_DISPLAY_NAME = "azure.signinlogs.properties.resource_display_name", Keyword, "Sign-in: resource_display_name.";
    AZURE_SIGNINLOGS_PROPERTIES_RESOURCE_ID = "azure.signinlogs.properties.resource_id", Keyword, "Sign-in: resource_id.";
    AZURE_SIGNINLOGS_PROPERTIES_RESOURCE_OWNER_TENANT_ID = "azure.signinlogs.properties.resource_owner_tenant_id", Keyword, "Sign-in: resource_owner_tenant_id.";
    AZURE_SIGNINLOGS_PROPERTIES_RESOURCE_SERVICE_PRINCIPAL_ID = "azure.signinlogs.properties.resource_service_principal_id", Keyword, "Sign-in: resource_service_principal_id.";
    AZURE_SIGNINLOGS_PROPERTIES_RESOURCE_TENANT_ID = "azure.signinlogs.properties.resource_tenant_id", Keyword, "Sign-in: resource_tenant_id.";
    AZURE_SIGNINLOGS_PROPERTIES_RISK_DETAIL = "azure.signinlogs.properties.risk_detail", Keyword, "Sign-in: risk_detail.";
    AZURE_SIGNINLOGS_PROPERTIES_RISK_LEVEL_AGGREGATED = "azure.signinlogs.properties.risk_level_aggregated", Keyword, "Sign-in: risk_level_aggregated.";
    AZURE_SIGNINLOGS_PROPERTIES_RISK_LEVEL_DURING_SIGNIN = "azure.signinlogs.properties.risk_level_during_signin", Keyword, "Sign-in: risk_level_during_signin.";
    AZURE_SIGNINLOGS_PROPERTIES_RISK_STATE = "azure.signinlogs.properties.risk_state", Keyword, "Sign-in: risk_state.";
    AZURE_SIGNINLOGS_PROPERTIES_SERVICE_PRINCIPAL_CREDENTIAL_KEY_ID = "azure.signinlogs.properties.service_principal_credential_key_id", Keyword, "Sign-in: service_principal_credential_key_id.";
    AZURE_SIGNINLOGS_PROPERTIES_SERVICE_PRINCIPAL_CREDENTIAL_THUMBPRINT = "azure.signinlogs.properties.service_principal_credential_thumbprint", Keyword, "Sign-in: service_principal_credential_thumbprint.";
    AZURE_SIGNINLOGS_PROPERTIES_SERVICE_PRINCIPAL_ID = "azure.signinlogs.properties.service_principal_id", Keyword, "Sign-in: service_principal_id.";
    AZURE_SIGNINLOGS_PROPERTIES_SERVICE_PRINCIPAL_NAME = "azure.signinlogs.properties.service_principal_name", Keyword, "Sign-in: service_principal_name.";
    AZURE_SIGNINLOGS_PROPERTIES_SESSION_ID = "azure.signinlogs.properties.session_id", Keyword, "Sign-in: session_id.";
    AZURE_SIGNINLOGS_PROPERTIES_SIGN_IN_IDENTIFIER = "azure.signinlogs.properties.sign_in_identifier", Keyword, "Sign-in: sign_in_identifier.";
    AZURE_SIGNINLOGS_PROPERTIES_SIGN_IN_IDENTIFIER_TYPE = "azure.signinlogs.properties.sign_in_identifier_type", Keyword, "Sign-in: sign_in_identifier_type.";
    AZURE_SIGNINLOGS_PROPERTIES_SIGN_IN_TOKEN_PROTECTION_STATUS = "azure.signinlogs.properties.sign_in_token_protection_status", Keyword, "Sign-in: sign_in_token_protection_status.";
    AZURE_SIGNINLOGS_PROPERTIES_SSO_EXTENSION_VERSION = "azure.signinlogs.properties.sso_extension_version", Keyword, "Sign-in: sso_extension_version.";
    AZURE_SIGNINLOGS_PROPERTIES_TENANT_ID = "azure.signinlogs.properties.tenant_id", Keyword, "Sign-in: tenant_id.";
    AZURE_SIGNINLOGS_PROPERTIES_TOKEN_ISSUER_NAME = "azure.signinlogs.properties.token_issuer_name", Keyword, "Sign-in: token_issuer_name.";
    AZURE_SIGNINLOGS_PROPERTIES_TOKEN_ISSUER_TYPE = "azure.signinlogs.properties.token_issuer_type", Keyword, "Sign-in: token_issuer_type.";
    AZURE_SIGNINLOGS_PROPERTIES_UNIQUE_TOKEN_IDENTIFIER = "azure.signinlogs.properties.unique_token_identifier", Keyword, "Sign-in: unique_token_identifier.";
    AZURE_SIGNINLOGS_PROPERTIES_USER_DISPLAY_NAME = "azure.signinlogs.properties.user_display_name", Keyword, "Sign-in: user_display_name.";
    AZURE_SIGNINLOGS_PROPERTIES_USER_ID = "azure.signinlogs.properties.user_id", Keyword, "Sign-in: user_id.";
    AZURE_SIGNINLOGS_PROPERTIES_USER_PRINCIPAL_NAME = "azure.signinlogs.properties.user_principal_name", Keyword, "Sign-in: user_principal_name.";
    AZURE_SIGNINLOGS_PROPERTIES_USER_TYPE = "azure.signinlogs.properties.user_type", Keyword, "Sign-in: user_type.";
    AZURE_SIGNINLOGS_PROPERTIES_FLAGGED_FOR_REVIEW = "azure.signinlogs.properties.flagged_for_review", Boolean, "Sign-in: flagged_for_review.";
    AZURE_SIGNINLOGS_PROPERTIES_IS_INTERACTIVE = "azure.signinlogs.properties.is_interactive", Boolean, "Sign-in: is_interactive.";
    AZURE_SIGNINLOGS_PROPERTIES_IS_TENANT_RESTRICTED = "azure.signinlogs.properties.is_tenant_restricted", Boolean, "Sign-in: is_tenant_restricted.";
    AZURE_SIGNINLOGS_PROPERTIES_IS_THROUGH_GLOBAL_SECURE_ACCESS = "azure.signinlogs.properties.is_through_global_secure_access", Boolean, "Sign-in: is_through_global_secure_access.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTONOMOUS_SYSTEM_NUMBER = "azure.signinlogs.properties.autonomous_system_number", Long, "Sign-in: AS number of the address.";
    AZURE_SIGNINLOGS_PROPERTIES_PROCESSING_TIME_MS = "azure.signinlogs.properties.processing_time_ms", Double, "processingTimeInMilliseconds.";
    AZURE_SIGNINLOGS_PROPERTIES_STATUS_ERROR_CODE = "azure.signinlogs.properties.status.error_code", Long, "status.errorCode; 0 is success.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_BROWSER = "azure.signinlogs.properties.device_detail.browser", Keyword, "Sign-in device: browser.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_DEVICE_ID = "azure.signinlogs.properties.device_detail.device_id", Keyword, "Sign-in device: device_id.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_DISPLAY_NAME = "azure.signinlogs.properties.device_detail.display_name", Keyword, "Sign-in device: display_name.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_OPERATING_SYSTEM = "azure.signinlogs.properties.device_detail.operating_system", Keyword, "Sign-in device: operating_system.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_TRUST_TYPE = "azure.signinlogs.properties.device_detail.trust_type", Keyword, "Sign-in device: trust_type.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_IS_COMPLIANT = "azure.signinlogs.properties.device_detail.is_compliant", Boolean, "Sign-in device: is_compliant.";
    AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_IS_MANAGED = "azure.signinlogs.properties.device_detail.is_managed", Boolean, "Sign-in device: is_managed.";
    AZURE_SIGNINLOGS_PROPERTIES_MFA_DETAIL_AUTH_DETAIL = "azure.signinlogs.properties.mfa_detail.auth_detail", Keyword, "mfaDetail: auth_detail.";
    AZURE_SIGNINLOGS_PROPERTIES_MFA_DETAIL_AUTH_METHOD = "azure.signinlogs.properties.mfa_detail.auth_method", Keyword, "mfaDetail: auth_method.";
    AZURE_SIGNINLOGS_PROPERTIES_TOKEN_PROTECTION_STATUS_DETAILS_SIGN_IN_SESSION_STATUS = "azure.signinlogs.properties.token_protection_status_details.sign_in_session_status", Keyword, "tokenProtectionStatusDetails: sign_in_session_status.";
    AZURE_SIGNINLOGS_PROPERTIES_TOKEN_PROTECTION_STATUS_DETAILS_SIGN_IN_SESSION_STATUS_CODE = "azure.signinlogs.properties.token_protection_status_details.sign_in_session_status_code", Keyword, "tokenProtectionStatusDetails: sign_in_session_status_code.";
    AZURE_SIGNINLOGS_PROPERTIES_AGENT_AGENT_TYPE = "azure.signinlogs.properties.agent.agent_type", Keyword, "Sign-in agent: agent_type.";
    AZURE_SIGNINLOGS_PROPERTIES_AGENT_PARENT_APP_ID = "azure.signinlogs.properties.agent.parent_app_id", Keyword, "Sign-in agent: parent_app_id.";
    AZURE_SIGNINLOGS_PROPERTIES_RISK_EVENT_TYPES = "azure.signinlogs.properties.risk_event_types", Keywords, "Sign-in: risk_event_types.";
    AZURE_SIGNINLOGS_PROPERTIES_RISK_EVENT_TYPES_V2 = "azure.signinlogs.properties.risk_event_types_v2", Keywords, "Sign-in: risk_event_types_v2.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_CONTEXT_CLASS_REFERENCES_ID = "azure.signinlogs.properties.authentication_context_class_references.id", Keywords, "Sign-in: authentication_context_class_references.id.";
    AZURE_SIGNINLOGS_PROPERTIES_CONDITIONAL_ACCESS_AUDIENCES_APPLICATION_ID = "azure.signinlogs.properties.conditional_access_audiences.application_id", Keywords, "Sign-in: conditional_access_audiences.application_id.";
    AZURE_SIGNINLOGS_PROPERTIES_SESSION_LIFETIME_POLICIES_DETAIL = "azure.signinlogs.properties.session_lifetime_policies.detail", Keywords, "Sign-in: session_lifetime_policies.detail.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_PROCESSING_DETAILS = "azure.signinlogs.properties.authentication_processing_details", Pairs, "authenticationProcessingDetails, pair by pair.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_DETAILS_AUTHENTICATION_METHOD = "azure.signinlogs.properties.authentication_details.authentication_method", Keywords, "authentication_method of each authentication step.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_DETAILS_AUTHENTICATION_METHOD_DETAIL = "azure.signinlogs.properties.authentication_details.authentication_method_detail", Keywords, "authentication_method_detail of each authentication step.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_DETAILS_AUTHENTICATION_STEP_DATE_TIME = "azure.signinlogs.properties.authentication_details.authentication_step_date_time", Keywords, "authentication_step_date_time of each authentication step.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_DETAILS_AUTHENTICATION_STEP_REQUIREMENT = "azure.signinlogs.properties.authentication_details.authentication_step_requirement", Keywords, "authentication_step_requirement of each authentication step.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_DETAILS_AUTHENTICATION_STEP_RESULT_DETAIL = "azure.signinlogs.properties.authentication_details.authentication_step_result_detail", Keywords, "authentication_step_result_detail of each authentication step.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_DETAILS_SUCCEEDED = "azure.signinlogs.properties.authentication_details.succeeded", Keywords, "succeeded of each authentication step.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_REQUIREMENT_POLICIES_DETAIL = "azure.signinlogs.properties.authentication_requirement_policies.detail", Keywords, "detail of each policy that asked for authentication.";
    AZURE_SIGNINLOGS_PROPERTIES_AUTHENTICATION_REQUIREMENT_POLICIES_REQUIREMENT_PROVIDER = "azure.signinlogs.properties.authentication_requirement_policies.requirement_provider", Keywords, "requirement_provider of each policy that asked for authentication.";
    AZURE_SIGNINLOGS_PROPERTIES_APPLIED_CONDITIONAL_ACCESS_POLICIES_ID = "azure.signinlogs.properties.applied_conditional_access_policies.id", Keywords, "id of each conditional access policy.";
    AZURE_SIGNINLOGS_PROPERTIES_APPLIED_CONDITIONAL_ACCESS_POLICIES_DISPLAY_NAME = "azure.signinlogs.properties.applied_conditional_access_policies.display_name", Keywords, "display_name of each conditional access policy.";
    AZURE_SIGNINLOGS_PROPERTIES_APPLIED_CONDITIONAL_ACCESS_POLICIES_RESULT = "azure.signinlogs.properties.applied_conditional_access_policies.result", Keywords, "result of each conditional access policy.";
    AZURE_SIGNINLOGS_PROPERTIES_APPLIED_CONDITIONAL_ACCESS_POLICIES_ENFORCED_GRANT_CONTROLS = "azure.signinlogs.properties.applied_conditional_access_policies.enforced_grant_controls", Keywords, "enforced_grant_controls of each conditional access policy.";
    AZURE_SIGNINLOGS_PROPERTIES_APPLIED_CONDITIONAL_ACCESS_POLICIES_ENFORCED_SESSION_CONTROLS = "azure.signinlogs.properties.applied_conditional_access_policies.enforced_session_controls", Keywords, "enforced_session_controls of each conditional access policy.";
    AZURE_SIGNINLOGS_PROPERTIES_NETWORK_LOCATION_DETAILS_NETWORK_TYPE = "azure.signinlogs.properties.network_location_details.network_type", Keywords, "network_type of each network location.";
    AZURE_SIGNINLOGS_PROPERTIES_NETWORK_LOCATION_DETAILS_NETWORK_NAMES = "azure.signinlogs.properties.network_location_details.network_names", Keywords, "network_names of each network location.";

    // azure.auditlogs: inner names of initiated_by keep their camel case, as Elastic has it.
    AZURE_AUDITLOGS_CATEGORY = "azure.auditlogs.category", Keyword, "Entra audit envelope: category.";
    AZURE_AUDITLOGS_IDENTITY = "azure.auditlogs.identity", Keyword, "Entra audit envelope: identity.";
    AZURE_AUDITLOGS_LEVEL = "azure.auditlogs.level", Keyword, "Entra audit envelope: level.";
    AZURE_AUDITLOGS_OPERATION_NAME = "azure.auditlogs.operation_name", Keyword, "Entra audit envelope: operation_name.";
    AZURE_AUDITLOGS_OPERATION_VERSION = "azure.auditlogs.operation_version", Keyword, "Entra audit envelope: operation_version.";
    AZURE_AUDITLOGS_RESULT_SIGNATURE = "azure.auditlogs.result_signature", Keyword, "Entra audit envelope: result_signature.";
    AZURE_AUDITLOGS_RESULT_DESCRIPTION = "azure.auditlogs.result_description", Keyword, "Entra audit envelope: result_description.";
    AZURE_AUDITLOGS_RESULT_TYPE = "azure.auditlogs.result_type", Keyword, "Entra audit envelope: result_type.";
    AZURE_AUDITLOGS_CALLER_IP_ADDRESS = "azure.auditlogs.caller_ip_address", Ip, "Entra audit envelope: callerIpAddress.";
    AZURE_AUDITLOGS_PROPERTIES_ACTIVITY_DISPLAY_NAME = "azure.auditlogs.properties.activity_display_name", Keyword, "Entra audit: activity_display_name.";
    AZURE_AUDITLOGS_PROPERTIES_AUTHENTICATION_PROTOCOL = "azure.auditlogs.properties.authentication_protocol", Keyword, "Entra audit: authentication_protocol.";
    AZURE_AUDITLOGS_PROPERTIES_CATEGORY = "azure.auditlogs.properties.category", Keyword, "Entra audit: category.";
    AZURE_AUDITLOGS_PROPERTIES_CORRELATION_ID = "azure.auditlogs.properties.correlation_id", Keyword, "Entra audit: correlation_id.";
    AZURE_AUDITLOGS_PROPERTIES_LOGGED_BY_SERVICE = "azure.auditlogs.properties.logged_by_service", Keyword, "Entra audit: logged_by_service.";
    AZURE_AUDITLOGS_PROPERTIES_OPERATION_TYPE = "azure.auditlogs.properties.operation_type", Keyword, "Entra audit: operation_type.";
    AZURE_AUDITLOGS_PROPERTIES_RESULT = "azure.auditlogs.properties.result", Keyword, "Entra audit: result.";
    AZURE_AUDITLOGS_PROPERTIES_RESULT_REASON = "azure.auditlogs.properties.result_reason", Keyword, "Entra audit: result_reason.";
    AZURE_AUDITLOGS_PROPERTIES_USER_AGENT = "azure.auditlogs.properties.userAgent", Keyword, "Entra audit: userAgent.";
    AZURE_AUDITLOGS_PROPERTIES_ACTIVITY_DATETIME = "azure.auditlogs.properties.activity_datetime", Timestamp, "activityDateTime.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_USER_ID = "azure.auditlogs.properties.initiated_by.user.id", Keyword, "Who did it, when a user: id.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_USER_DISPLAY_NAME = "azure.auditlogs.properties.initiated_by.user.displayName", Keyword, "Who did it, when a user: displayName.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_USER_USER_PRINCIPAL_NAME = "azure.auditlogs.properties.initiated_by.user.userPrincipalName", Keyword, "Who did it, when a user: userPrincipalName.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_USER_IP_ADDRESS = "azure.auditlogs.properties.initiated_by.user.ipAddress", Keyword, "Who did it, when a user: ipAddress.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_USER_ROLES = "azure.auditlogs.properties.initiated_by.user.roles", Keywords, "Roles of the user who did it.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_APP_APP_ID = "azure.auditlogs.properties.initiated_by.app.appId", Keyword, "Who did it, when an application: appId.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_APP_DISPLAY_NAME = "azure.auditlogs.properties.initiated_by.app.displayName", Keyword, "Who did it, when an application: displayName.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_APP_SERVICE_PRINCIPAL_ID = "azure.auditlogs.properties.initiated_by.app.servicePrincipalId", Keyword, "Who did it, when an application: servicePrincipalId.";
    AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_APP_SERVICE_PRINCIPAL_NAME = "azure.auditlogs.properties.initiated_by.app.servicePrincipalName", Keyword, "Who did it, when an application: servicePrincipalName.";
    AZURE_AUDITLOGS_PROPERTIES_ADDITIONAL_DETAILS = "azure.auditlogs.properties.additional_details", Pairs, "additionalDetails, pair by pair.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.display_name", Keyword, "display_name of target resource 0.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_ID = "azure.auditlogs.properties.target_resources.0.id", Keyword, "id of target resource 0.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_TYPE = "azure.auditlogs.properties.target_resources.0.type", Keyword, "type of target resource 0.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_USER_PRINCIPAL_NAME = "azure.auditlogs.properties.target_resources.0.user_principal_name", Keyword, "user_principal_name of target resource 0.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_GROUP_TYPE = "azure.auditlogs.properties.target_resources.0.group_type", Keyword, "group_type of target resource 0.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_IP_ADDRESS = "azure.auditlogs.properties.target_resources.0.ip_address", Keyword, "ip_address of target resource 0.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_0_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.modified_properties.0.display_name", Keyword, "display_name of modified property 0 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_0_NEW_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.0.new_value", Keyword, "new_value of modified property 0 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_0_OLD_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.0.old_value", Keyword, "old_value of modified property 0 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_1_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.modified_properties.1.display_name", Keyword, "display_name of modified property 1 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_1_NEW_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.1.new_value", Keyword, "new_value of modified property 1 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_1_OLD_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.1.old_value", Keyword, "old_value of modified property 1 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_2_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.modified_properties.2.display_name", Keyword, "display_name of modified property 2 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_2_NEW_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.2.new_value", Keyword, "new_value of modified property 2 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_2_OLD_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.2.old_value", Keyword, "old_value of modified property 2 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_3_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.modified_properties.3.display_name", Keyword, "display_name of modified property 3 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_3_NEW_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.3.new_value", Keyword, "new_value of modified property 3 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_3_OLD_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.3.old_value", Keyword, "old_value of modified property 3 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_4_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.modified_properties.4.display_name", Keyword, "display_name of modified property 4 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_4_NEW_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.4.new_value", Keyword, "new_value of modified property 4 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_4_OLD_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.4.old_value", Keyword, "old_value of modified property 4 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_5_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.0.modified_properties.5.display_name", Keyword, "display_name of modified property 5 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_5_NEW_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.5.new_value", Keyword, "new_value of modified property 5 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_MODIFIED_PROPERTIES_5_OLD_VALUE = "azure.auditlogs.properties.target_resources.0.modified_properties.5.old_value", Keyword, "old_value of modified property 5 of target resource 0; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.1.display_name", Keyword, "display_name of target resource 1.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_ID = "azure.auditlogs.properties.target_resources.1.id", Keyword, "id of target resource 1.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_TYPE = "azure.auditlogs.properties.target_resources.1.type", Keyword, "type of target resource 1.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_USER_PRINCIPAL_NAME = "azure.auditlogs.properties.target_resources.1.user_principal_name", Keyword, "user_principal_name of target resource 1.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_GROUP_TYPE = "azure.auditlogs.properties.target_resources.1.group_type", Keyword, "group_type of target resource 1.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_IP_ADDRESS = "azure.auditlogs.properties.target_resources.1.ip_address", Keyword, "ip_address of target resource 1.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_0_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.1.modified_properties.0.display_name", Keyword, "display_name of modified property 0 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_0_NEW_VALUE = "azure.auditlogs.properties.target_resources.1.modified_properties.0.new_value", Keyword, "new_value of modified property 0 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_0_OLD_VALUE = "azure.auditlogs.properties.target_resources.1.modified_properties.0.old_value", Keyword, "old_value of modified property 0 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_1_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.1.modified_properties.1.display_name", Keyword, "display_name of modified property 1 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_1_NEW_VALUE = "azure.auditlogs.properties.target_resources.1.modified_properties.1.new_value", Keyword, "new_value of modified property 1 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_1_OLD_VALUE = "azure.auditlogs.properties.target_resources.1.modified_properties.1.old_value", Keyword, "old_value of modified property 1 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_2_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.1.modified_properties.2.display_name", Keyword, "display_name of modified property 2 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_2_NEW_VALUE = "azure.auditlogs.properties.target_resources.1.modified_properties.2.new_value", Keyword, "new_value of modified property 2 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_MODIFIED_PROPERTIES_2_OLD_VALUE = "azure.auditlogs.properties.target_resources.1.modified_properties.2.old_value", Keyword, "old_value of modified property 2 of target resource 1; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.2.display_name", Keyword, "display_name of target resource 2.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_ID = "azure.auditlogs.properties.target_resources.2.id", Keyword, "id of target resource 2.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_TYPE = "azure.auditlogs.properties.target_resources.2.type", Keyword, "type of target resource 2.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_USER_PRINCIPAL_NAME = "azure.auditlogs.properties.target_resources.2.user_principal_name", Keyword, "user_principal_name of target resource 2.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_GROUP_TYPE = "azure.auditlogs.properties.target_resources.2.group_type", Keyword, "group_type of target resource 2.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_IP_ADDRESS = "azure.auditlogs.properties.target_resources.2.ip_address", Keyword, "ip_address of target resource 2.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_MODIFIED_PROPERTIES_0_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.2.modified_properties.0.display_name", Keyword, "display_name of modified property 0 of target resource 2; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_MODIFIED_PROPERTIES_0_NEW_VALUE = "azure.auditlogs.properties.target_resources.2.modified_properties.0.new_value", Keyword, "new_value of modified property 0 of target resource 2; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_MODIFIED_PROPERTIES_0_OLD_VALUE = "azure.auditlogs.properties.target_resources.2.modified_properties.0.old_value", Keyword, "old_value of modified property 0 of target resource 2; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_MODIFIED_PROPERTIES_1_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.2.modified_properties.1.display_name", Keyword, "display_name of modified property 1 of target resource 2; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_MODIFIED_PROPERTIES_1_NEW_VALUE = "azure.auditlogs.properties.target_resources.2.modified_properties.1.new_value", Keyword, "new_value of modified property 1 of target resource 2; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_MODIFIED_PROPERTIES_1_OLD_VALUE = "azure.auditlogs.properties.target_resources.2.modified_properties.1.old_value", Keyword, "old_value of modified property 1 of target resource 2; values keep their JSON quoting.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.display_name", Keywords, "Ours. display_name of every target resource.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_ID = "azure.auditlogs.properties.target_resources.id", Keywords, "Ours. id of every target resource.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_TYPE = "azure.auditlogs.properties.target_resources.type", Keywords, "Ours. type of every target resource.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_USER_PRINCIPAL_NAME = "azure.auditlogs.properties.target_resources.user_principal_name", Keywords, "Ours. user_principal_name of every target resource.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_MODIFIED_PROPERTIES_DISPLAY_NAME = "azure.auditlogs.properties.target_resources.modified_properties.display_name", Keywords, "Ours. display_name of every modified property of every target resource.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_MODIFIED_PROPERTIES_NEW_VALUE = "azure.auditlogs.properties.target_resources.modified_properties.new_value", Keywords, "Ours. new_value of every modified property of every target resource.";
    AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_MODIFIED_PROPERTIES_OLD_VALUE = "azure.auditlogs.properties.target_resources.modified_properties.old_value", Keywords, "Ours. old_value of every modified property of every target resource.";

    // azure.identityprotection
    AZURE_IDENTITYPROTECTION_CATEGORY = "azure.identityprotection.category", Keyword, "Risk envelope: category.";
    AZURE_IDENTITYPROTECTION_OPERATION_NAME = "azure.identityprotection.operation_name", Keyword, "Risk envelope: operation_name.";
    AZURE_IDENTITYPROTECTION_OPERATION_VERSION = "azure.identityprotection.operation_version", Keyword, "Risk envelope: operation_version.";
    AZURE_IDENTITYPROTECTION_RESULT_SIGNATURE = "azure.identityprotection.result_signature", Keyword, "Risk envelope: result_signature.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_ACTIVITY = "azure.identityprotection.properties.activity", Keyword, "Risk: activity.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_ADDITIONAL_INFO = "azure.identityprotection.properties.additional_info", Keyword, "Risk: additional_info.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_CORRELATION_ID = "azure.identityprotection.properties.correlation_id", Keyword, "Risk: correlation_id.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_DETECTION_TIMING_TYPE = "azure.identityprotection.properties.detection_timing_type", Keyword, "Risk: detection_timing_type.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_IP_ADDRESS = "azure.identityprotection.properties.ip_address", Keyword, "Risk: ip_address.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_RISK_DETAIL = "azure.identityprotection.properties.risk_detail", Keyword, "Risk: risk_detail.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_RISK_EVENT_TYPE = "azure.identityprotection.properties.risk_event_type", Keyword, "Risk: risk_event_type.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_RISK_LEVEL = "azure.identityprotection.properties.risk_level", Keyword, "Risk: risk_level.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_RISK_STATE = "azure.identityprotection.properties.risk_state", Keyword, "Risk: risk_state.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_RISK_TYPE = "azure.identityprotection.properties.risk_type", Keyword, "Risk: risk_type.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_SOURCE = "azure.identityprotection.properties.source", Keyword, "Risk: source.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_TOKEN_ISSUER_TYPE = "azure.identityprotection.properties.token_issuer_type", Keyword, "Risk: token_issuer_type.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_USER_DISPLAY_NAME = "azure.identityprotection.properties.user_display_name", Keyword, "Risk: user_display_name.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_USER_ID = "azure.identityprotection.properties.user_id", Keyword, "Risk: user_id.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_USER_PRINCIPAL_NAME = "azure.identityprotection.properties.user_principal_name", Keyword, "Risk: user_principal_name.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_USER_TYPE = "azure.identityprotection.properties.user_type", Keyword, "Risk: user_type.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_LOCATION_CITY = "azure.identityprotection.properties.location.city", Keyword, "Risk: location.city.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_LOCATION_STATE = "azure.identityprotection.properties.location.state", Keyword, "Risk: location.state.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_LOCATION_COUNTRY_OR_REGION = "azure.identityprotection.properties.location.countryOrRegion", Keyword, "Risk: location.countryOrRegion.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_IS_DELETED = "azure.identityprotection.properties.is_deleted", Boolean, "Risk: is_deleted.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_IS_PROCESSING = "azure.identityprotection.properties.is_processing", Boolean, "Risk: is_processing.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_ACTIVITY_DATETIME = "azure.identityprotection.properties.activity_datetime", Timestamp, "Risk: activity_datetime.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_DETECTED_DATETIME = "azure.identityprotection.properties.detected_datetime", Timestamp, "Risk: detected_datetime.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_LAST_UPDATED_DATETIME = "azure.identityprotection.properties.last_updated_datetime", Timestamp, "Risk: last_updated_datetime.";
    AZURE_IDENTITYPROTECTION_PROPERTIES_RISK_LAST_UPDATED_DATETIME = "azure.identityprotection.properties.risk_last_updated_datetime", Timestamp, "Risk: risk_last_updated_datetime.";

    // m365_defender.event: Microsoft's columns in snake case, flat.
    M365_DEFENDER_EVENT_CATEGORY = "m365_defender.event.category", Keyword, "Streaming envelope: AdvancedHunting- and the table.";
    M365_DEFENDER_EVENT_TIME = "m365_defender.event.time", Timestamp, "Streaming envelope: time of delivery.";
    M365_DEFENDER_EVENT_OPERATION_NAME = "m365_defender.event.operation_name", Keyword, "Streaming envelope: operationName.";
    M365_DEFENDER_EVENT_TENANT_ID = "m365_defender.event.tenant.id", Keyword, "Streaming envelope: tenantId.";
    M365_DEFENDER_EVENT_TENANT_NAME = "m365_defender.event.tenant.name", Keyword, "Streaming envelope: Tenant.";
    M365_DEFENDER_EVENT_RAW_EVENT_DATA_ID = "m365_defender.event.raw_event_data_id", Keyword, "Ours. Id of the audit record inside RawEventData, the event.id of the same event in o365.audit.";
    M365_DEFENDER_EVENT_APPLICATION = "m365_defender.event.application", Keyword, "Defender: application.";
    M365_DEFENDER_EVENT_ACCOUNT_OBJECT_ID = "m365_defender.event.account_object_id", Keyword, "Defender: account_object_id.";
    M365_DEFENDER_EVENT_ACCOUNT_ID = "m365_defender.event.account_id", Keyword, "Defender: account_id.";
    M365_DEFENDER_EVENT_ACCOUNT_DISPLAY_NAME = "m365_defender.event.account_display_name", Keyword, "Defender: account_display_name.";
    M365_DEFENDER_EVENT_ACCOUNT_TYPE = "m365_defender.event.account_type", Keyword, "Defender: account_type.";
    M365_DEFENDER_EVENT_ACCOUNT_UPN = "m365_defender.event.account_upn", Keyword, "Defender: account_upn.";
    M365_DEFENDER_EVENT_ACCOUNT_NAME = "m365_defender.event.account_name", Keyword, "Defender: account_name.";
    M365_DEFENDER_EVENT_ACCOUNT_DOMAIN = "m365_defender.event.account_domain", Keyword, "Defender: account_domain.";
    M365_DEFENDER_EVENT_ACCOUNT_SID = "m365_defender.event.account_sid", Keyword, "Defender: account_sid.";
    M365_DEFENDER_EVENT_REPORT_ID = "m365_defender.event.report_id", Keyword, "Defender: report_id.";
    M365_DEFENDER_EVENT_SESSION_ID = "m365_defender.event.session_id", Keyword, "Defender: session_id.";
    M365_DEFENDER_EVENT_ACTIVITY_TYPE = "m365_defender.event.activity_type", Keyword, "Defender: activity_type.";
    M365_DEFENDER_EVENT_OBJECT_NAME = "m365_defender.event.object_name", Keyword, "Defender: object_name.";
    M365_DEFENDER_EVENT_OBJECT_TYPE = "m365_defender.event.object_type", Keyword, "Defender: object_type.";
    M365_DEFENDER_EVENT_OBJECT_ID = "m365_defender.event.object_id", Keyword, "Defender: object_id.";
    M365_DEFENDER_EVENT_DEVICE_TYPE = "m365_defender.event.device_type", Keyword, "Defender: device_type.";
    M365_DEFENDER_EVENT_OS_PLATFORM = "m365_defender.event.os_platform", Keyword, "Defender: os_platform.";
    M365_DEFENDER_EVENT_COUNTRY_CODE = "m365_defender.event.country_code", Keyword, "Defender: country_code.";
    M365_DEFENDER_EVENT_COUNTRY = "m365_defender.event.country", Keyword, "Defender: country.";
    M365_DEFENDER_EVENT_CITY = "m365_defender.event.city", Keyword, "Defender: city.";
    M365_DEFENDER_EVENT_STATE = "m365_defender.event.state", Keyword, "Defender: state.";
    M365_DEFENDER_EVENT_ISP = "m365_defender.event.isp", Keyword, "Defender: isp.";
    M365_DEFENDER_EVENT_IP_CATEGORY = "m365_defender.event.ip_category", Keyword, "Defender: ip_category.";
    M365_DEFENDER_EVENT_AUDIT_SOURCE = "m365_defender.event.audit_source", Keyword, "Defender: audit_source.";
    M365_DEFENDER_EVENT_OAUTH_APP_ID = "m365_defender.event.oauth_app_id", Keyword, "Defender: oauth_app_id.";
    M365_DEFENDER_EVENT_APPLICATION_ID = "m365_defender.event.application_id", Long, "Defender: ApplicationId, the number of CloudAppEvents and AlertEvidence.";
    M365_DEFENDER_EVENT_SIGN_IN_APPLICATION_ID = "m365_defender.event.sign_in_application_id", Keyword, "Ours. ApplicationId of sign-in rows, which is a GUID there.";
    M365_DEFENDER_EVENT_APP_INSTANCE_ID = "m365_defender.event.app_instance_id", Long, "Defender: app_instance_id.";
    M365_DEFENDER_EVENT_ERROR_CODE = "m365_defender.event.error_code", Long, "Defender: error_code.";
    M365_DEFENDER_EVENT_IS_EXTERNAL_USER = "m365_defender.event.is_external_user", Long, "Defender: is_external_user; 0 and 1 also where Microsoft has a boolean.";
    M365_DEFENDER_EVENT_IS_MANAGED = "m365_defender.event.is_managed", Long, "Defender: is_managed.";
    M365_DEFENDER_EVENT_IS_COMPLIANT = "m365_defender.event.is_compliant", Long, "Defender: is_compliant.";
    M365_DEFENDER_EVENT_TOKEN_ISSUER_TYPE = "m365_defender.event.token_issuer_type", Long, "Defender: token_issuer_type.";
    M365_DEFENDER_EVENT_RISK_LEVEL_AGGREGATED = "m365_defender.event.risk_level_aggregated", Long, "Defender: risk_level_aggregated.";
    M365_DEFENDER_EVENT_RISK_LEVEL_DURING_SIGN_IN = "m365_defender.event.risk_level_during_sign_in", Long, "Defender: risk_level_during_sign_in.";
    M365_DEFENDER_EVENT_RISK_DETAILS = "m365_defender.event.risk_details", Long, "Defender: risk_details.";
    M365_DEFENDER_EVENT_RISK_STATE = "m365_defender.event.risk_state", Long, "Defender: risk_state.";
    M365_DEFENDER_EVENT_CONDITIONAL_ACCESS_STATUS = "m365_defender.event.conditional_access_status", Long, "Defender: conditional_access_status.";
    M365_DEFENDER_EVENT_IS_ADMIN_OPERATION = "m365_defender.event.is_admin_operation", Boolean, "Defender: is_admin_operation.";
    M365_DEFENDER_EVENT_IS_ANONYMOUS_PROXY = "m365_defender.event.is_anonymous_proxy", Boolean, "Defender: is_anonymous_proxy.";
    M365_DEFENDER_EVENT_IS_IMPERSONATED = "m365_defender.event.is_impersonated", Boolean, "Defender: is_impersonated.";
    M365_DEFENDER_EVENT_IS_GUEST_USER = "m365_defender.event.is_guest_user", Boolean, "Defender: is_guest_user.";
    M365_DEFENDER_EVENT_IS_THROUGH_GLOBAL_SECURE_ACCESS = "m365_defender.event.is_through_global_secure_access", Boolean, "Defender: is_through_global_secure_access.";
    M365_DEFENDER_EVENT_ACTIVITY_OBJECTS = "m365_defender.event.activity_objects", Keyword, "Defender: activity_objects, as JSON text.";
    M365_DEFENDER_EVENT_ADDITIONAL_FIELDS = "m365_defender.event.additional_fields", Keyword, "Defender: additional_fields, as JSON text.";
    M365_DEFENDER_EVENT_LAST_SEEN_FOR_USER = "m365_defender.event.last_seen_for_user", Keyword, "Defender: last_seen_for_user, as JSON text.";
    M365_DEFENDER_EVENT_UNCOMMON_FOR_USER = "m365_defender.event.uncommon_for_user", Keyword, "Defender: uncommon_for_user, as JSON text.";
    M365_DEFENDER_EVENT_SESSION_DATA = "m365_defender.event.session_data", Keyword, "Defender: session_data, as JSON text.";
    M365_DEFENDER_EVENT_IP_TAGS = "m365_defender.event.ip_tags", Keywords, "Defender: IPTags.";
    M365_DEFENDER_EVENT_USER_AGENT_TAGS = "m365_defender.event.user_agent_tags", Keywords, "Defender: UserAgentTags.";
    M365_DEFENDER_EVENT_LOGON_TYPE = "m365_defender.event.logon_type", Keyword, "Defender sign-in: logon_type.";
    M365_DEFENDER_EVENT_CORRELATION_ID = "m365_defender.event.correlation_id", Keyword, "Defender sign-in: correlation_id.";
    M365_DEFENDER_EVENT_ALTERNATE_SIGN_IN_NAME = "m365_defender.event.alternate_sign_in_name", Keyword, "Defender sign-in: alternate_sign_in_name.";
    M365_DEFENDER_EVENT_RESOURCE_DISPLAY_NAME = "m365_defender.event.resource_display_name", Keyword, "Defender sign-in: resource_display_name.";
    M365_DEFENDER_EVENT_RESOURCE_ID = "m365_defender.event.resource_id", Keyword, "Defender sign-in: resource_id.";
    M365_DEFENDER_EVENT_RESOURCE_TENANT_ID = "m365_defender.event.resource_tenant_id", Keyword, "Defender sign-in: resource_tenant_id.";
    M365_DEFENDER_EVENT_DEVICE_NAME = "m365_defender.event.device_name", Keyword, "Defender sign-in: device_name.";
    M365_DEFENDER_EVENT_AAD_DEVICE_ID = "m365_defender.event.aad_device_id", Keyword, "Defender sign-in: aad_device_id.";
    M365_DEFENDER_EVENT_ENTRA_ID_DEVICE_ID = "m365_defender.event.entra_id_device_id", Keyword, "Defender sign-in: entra_id_device_id.";
    M365_DEFENDER_EVENT_DEVICE_TRUST_TYPE = "m365_defender.event.device_trust_type", Keyword, "Defender sign-in: device_trust_type.";
    M365_DEFENDER_EVENT_AUTHENTICATION_PROCESSING_DETAILS = "m365_defender.event.authentication_processing_details", Keyword, "Defender sign-in: authentication_processing_details.";
    M365_DEFENDER_EVENT_AUTHENTICATION_REQUIREMENT = "m365_defender.event.authentication_requirement", Keyword, "Defender sign-in: authentication_requirement.";
    M365_DEFENDER_EVENT_CLIENT_APP_USED = "m365_defender.event.client_app_used", Keyword, "Defender sign-in: client_app_used.";
    M365_DEFENDER_EVENT_BROWSER = "m365_defender.event.browser", Keyword, "Defender sign-in: browser.";
    M365_DEFENDER_EVENT_CONDITIONAL_ACCESS_POLICIES = "m365_defender.event.conditional_access_policies", Keyword, "Defender sign-in: conditional_access_policies.";
    M365_DEFENDER_EVENT_LATITUDE = "m365_defender.event.latitude", Keyword, "Defender sign-in: latitude.";
    M365_DEFENDER_EVENT_LONGITUDE = "m365_defender.event.longitude", Keyword, "Defender sign-in: longitude.";
    M365_DEFENDER_EVENT_NETWORK_LOCATION_DETAILS = "m365_defender.event.network_location_details", Keyword, "Defender sign-in: network_location_details.";
    M365_DEFENDER_EVENT_REQUEST_ID = "m365_defender.event.request_id", Keyword, "Defender sign-in: request_id.";
    M365_DEFENDER_EVENT_ENDPOINT_CALL = "m365_defender.event.endpoint_call", Keyword, "Defender sign-in: endpoint_call.";
    M365_DEFENDER_EVENT_UNIQUE_TOKEN_ID = "m365_defender.event.unique_token_id", Keyword, "Defender sign-in: unique_token_id.";
    M365_DEFENDER_EVENT_LAST_PASSWORD_CHANGE_TIMESTAMP = "m365_defender.event.last_password_change_timestamp", Timestamp, "Defender sign-in: LastPasswordChangeTimestamp.";
    M365_DEFENDER_EVENT_ALERT_ID = "m365_defender.event.alert_id", Keyword, "Defender alert evidence: alert_id.";
    M365_DEFENDER_EVENT_TITLE = "m365_defender.event.title", Keyword, "Defender alert evidence: title.";
    M365_DEFENDER_EVENT_SERVICE_SOURCE = "m365_defender.event.service_source", Keyword, "Defender alert evidence: service_source.";
    M365_DEFENDER_EVENT_DETECTION_SOURCE = "m365_defender.event.detection_source", Keyword, "Defender alert evidence: detection_source.";
    M365_DEFENDER_EVENT_ENTITY_TYPE = "m365_defender.event.entity_type", Keyword, "Defender alert evidence: entity_type.";
    M365_DEFENDER_EVENT_EVIDENCE_ROLE = "m365_defender.event.evidence_role", Keyword, "Defender alert evidence: evidence_role.";
    M365_DEFENDER_EVENT_EVIDENCE_DIRECTION = "m365_defender.event.evidence_direction", Keyword, "Defender alert evidence: evidence_direction.";
    M365_DEFENDER_EVENT_FILE_NAME = "m365_defender.event.file_name", Keyword, "Defender alert evidence: file_name.";
    M365_DEFENDER_EVENT_FOLDER_PATH = "m365_defender.event.folder_path", Keyword, "Defender alert evidence: folder_path.";
    M365_DEFENDER_EVENT_SHA1 = "m365_defender.event.sha1", Keyword, "Defender alert evidence: sha1.";
    M365_DEFENDER_EVENT_SHA256 = "m365_defender.event.sha256", Keyword, "Defender alert evidence: sha256.";
    M365_DEFENDER_EVENT_THREAT_FAMILY = "m365_defender.event.threat_family", Keyword, "Defender alert evidence: threat_family.";
    M365_DEFENDER_EVENT_REMOTE_URL = "m365_defender.event.remote_url", Keyword, "Defender alert evidence: remote_url.";
    M365_DEFENDER_EVENT_DEVICE_ID = "m365_defender.event.device_id", Keyword, "Defender alert evidence: device_id.";
    M365_DEFENDER_EVENT_NETWORK_MESSAGE_ID = "m365_defender.event.network_message_id", Keyword, "Defender alert evidence: network_message_id.";
    M365_DEFENDER_EVENT_EMAIL_SUBJECT = "m365_defender.event.email_subject", Keyword, "Defender alert evidence: email_subject.";
    M365_DEFENDER_EVENT_OAUTH_APPLICATION_ID = "m365_defender.event.oauth_application_id", Keyword, "Defender alert evidence: oauth_application_id.";
    M365_DEFENDER_EVENT_PROCESS_COMMAND_LINE = "m365_defender.event.process_command_line", Keyword, "Defender alert evidence: process_command_line.";
    M365_DEFENDER_EVENT_REGISTRY_KEY = "m365_defender.event.registry_key", Keyword, "Defender alert evidence: registry_key.";
    M365_DEFENDER_EVENT_REGISTRY_VALUE_NAME = "m365_defender.event.registry_value_name", Keyword, "Defender alert evidence: registry_value_name.";
    M365_DEFENDER_EVENT_REGISTRY_VALUE_DATA = "m365_defender.event.registry_value_data", Keyword, "Defender alert evidence: registry_value_data.";
    M365_DEFENDER_EVENT_SEVERITY = "m365_defender.event.severity", Keyword, "Defender alert evidence: severity.";
    M365_DEFENDER_EVENT_CLOUD_RESOURCE = "m365_defender.event.cloud_resource", Keyword, "Defender alert evidence: cloud_resource.";
    M365_DEFENDER_EVENT_CLOUD_PLATFORM = "m365_defender.event.cloud_platform", Keyword, "Defender alert evidence: cloud_platform.";
    M365_DEFENDER_EVENT_RESOURCE_TYPE = "m365_defender.event.resource_type", Keyword, "Defender alert evidence: resource_type.";
    M365_DEFENDER_EVENT_SUBSCRIPTION_ID = "m365_defender.event.subscription_id", Keyword, "Defender alert evidence: subscription_id.";
    M365_DEFENDER_EVENT_CATEGORIES = "m365_defender.event.categories", Keywords, "Defender alert evidence: Categories.";
    M365_DEFENDER_EVENT_ATTACK_TECHNIQUES = "m365_defender.event.attack_techniques", Keywords, "Defender alert evidence: AttackTechniques, as Name (T1234).";
    M365_DEFENDER_EVENT_FILE_SIZE = "m365_defender.event.file_size", Long, "Defender alert evidence: FileSize.";
    M365_DEFENDER_EVENT_REMOTE_IP = "m365_defender.event.remote_ip", Ip, "Defender alert evidence: RemoteIP.";
    M365_DEFENDER_EVENT_LOCAL_IP = "m365_defender.event.local_ip", Ip, "Defender alert evidence: LocalIP.";
}

/// Other ECS spellings of catalogue fields, with the catalogue's: what Elastic's versions
/// rename or copy, and raw names whose values are moved elsewhere. The values are the same.
///
/// Folders: Elastic's newest version calls those of aggregated mailbox records
/// `ExchangeAggregatedFolders`; one column serves both names.
pub const ALIASES: &[(&str, &str)] = &[
    ("event.original", "raw"),
    ("data_stream.dataset", "event.dataset"),
    ("o365.audit.Id", "event.id"),
    ("o365.audit.Workload", "event.provider"),
    ("o365.audit.OrganizationId", "organization.id"),
    ("o365.audit.UserAgent", "user_agent.original"),
    ("o365.audit.ExtendedProperties.UserAgent", "user_agent.original"),
    (
        "o365.audit.OperationProperties.MailAccessType",
        "o365.audit.mail_access_type",
    ),
    ("o365.audit.ExchangeAggregatedFolders.Id", "o365.audit.Folders.Id"),
    ("o365.audit.ExchangeAggregatedFolders.Path", "o365.audit.Folders.Path"),
    (
        "o365.audit.ExchangeAggregatedFolders.FolderItems.Id",
        "o365.audit.Folders.FolderItems.Id",
    ),
    (
        "o365.audit.ExchangeAggregatedFolders.FolderItems.ImmutableId",
        "o365.audit.Folders.FolderItems.ImmutableId",
    ),
    (
        "o365.audit.ExchangeAggregatedFolders.FolderItems.InternetMessageId",
        "o365.audit.Folders.FolderItems.InternetMessageId",
    ),
    (
        "o365.audit.ExchangeAggregatedFolders.FolderItems.Subject",
        "o365.audit.Folders.FolderItems.Subject",
    ),
    (
        "o365.audit.ExchangeAggregatedFolders.FolderItems.ClientRequestId",
        "o365.audit.Folders.FolderItems.ClientRequestId",
    ),
    ("o365.audit.ExchangeAggregatedMessages.Id", "o365.audit.Messages.Id"),
    ("o365.audit.ExchangeAggregatedMessages.Path", "o365.audit.Messages.Path"),
    (
        "o365.audit.ExchangeAggregatedMessages.MessageItems.Id",
        "o365.audit.Messages.MessageItems.Id",
    ),
    ("azure.tenant.id", "azure.tenant_id"),
    ("cloud.account.id", "azure.tenant_id"),
    ("azure.correlation.id", "azure.correlation_id"),
    ("azure.resource_id", "azure.resource.id"),
    ("cloud.resource_id", "azure.resource.id"),
    ("azure.resource_provider.namespace", "azure.resource.provider"),
    ("azure.signinlogs.tenant_id", "azure.tenant_id"),
    (
        "azure.signinlogs.properties.created_datetime",
        "azure.signinlogs.properties.created_at",
    ),
    (
        "azure.signinlogs.properties.created_date_time",
        "azure.signinlogs.properties.created_at",
    ),
    ("azure.signinlogs.properties.id", "event.id"),
    ("azure.signinlogs.properties.user_agent", "user_agent.original"),
    (
        "azure.signinlogs.properties.processing_time_in_milliseconds",
        "azure.signinlogs.properties.processing_time_ms",
    ),
    (
        "azure.signinlogs.properties.risk_level_during_sign_in",
        "azure.signinlogs.properties.risk_level_during_signin",
    ),
    ("azure.signinlogs.properties.location.city", "geo.city_name"),
    ("azure.signinlogs.properties.location.state", "geo.region_name"),
    (
        "azure.signinlogs.properties.location.country_or_region",
        "geo.country_iso_code",
    ),
    ("azure.auditlogs.properties.id", "event.id"),
    (
        "azure.auditlogs.properties.user_agent",
        "azure.auditlogs.properties.userAgent",
    ),
    (
        "azure.auditlogs.properties.activity_date_time",
        "azure.auditlogs.properties.activity_datetime",
    ),
    ("azure.identityprotection.properties.id", "event.id"),
    (
        "azure.identity_protection.properties.risk_event_type",
        "azure.identityprotection.properties.risk_event_type",
    ),
    ("m365_defender.event.timestamp", "@timestamp"),
    ("m365_defender.event.action_type", "event.action"),
    ("m365_defender.event.ip_address", "source.address"),
    ("m365_defender.event.user_agent", "user_agent.original"),
    ("m365_defender.event.account.upn", "m365_defender.event.account_upn"),
    (
        "m365_defender.event.account.object_id",
        "m365_defender.event.account_object_id",
    ),
    ("m365_defender.event.account.name", "m365_defender.event.account_name"),
    (
        "m365_defender.event.account.domain",
        "m365_defender.event.account_domain",
    ),
    ("m365_defender.event.account.sid", "m365_defender.event.account_sid"),
    ("m365_defender.event.account.id", "m365_defender.event.account_id"),
    (
        "m365_defender.event.account.display_name",
        "m365_defender.event.account_display_name",
    ),
    ("m365_defender.event.account.type", "m365_defender.event.account_type"),
    ("m365_defender.event.alert.id", "m365_defender.event.alert_id"),
    ("m365_defender.event.remote.ip", "m365_defender.event.remote_ip"),
    ("m365_defender.event.remote.url", "m365_defender.event.remote_url"),
    ("m365_defender.event.local.ip", "m365_defender.event.local_ip"),
    ("m365_defender.event.evidence.role", "m365_defender.event.evidence_role"),
    (
        "m365_defender.event.evidence.direction",
        "m365_defender.event.evidence_direction",
    ),
    ("m365_defender.event.entity.type", "m365_defender.event.entity_type"),
    (
        "m365_defender.event.service.source",
        "m365_defender.event.service_source",
    ),
    (
        "m365_defender.event.detection.source",
        "m365_defender.event.detection_source",
    ),
    ("m365_defender.event.threat.family", "m365_defender.event.threat_family"),
    ("m365_defender.event.device.id", "m365_defender.event.device_id"),
    ("m365_defender.event.device.name", "m365_defender.event.device_name"),
    ("m365_defender.event.file.name", "m365_defender.event.file_name"),
    ("m365_defender.event.file.size", "m365_defender.event.file_size"),
    ("m365_defender.event.folder.path", "m365_defender.event.folder_path"),
    (
        "m365_defender.event.network.message_id",
        "m365_defender.event.network_message_id",
    ),
    (
        "m365_defender.event.process.command_line",
        "m365_defender.event.process_command_line",
    ),
    (
        "m365_defender.event.application.id",
        "m365_defender.event.application_id",
    ),
    ("m365_defender.event.session.id", "m365_defender.event.session_id"),
    ("m365_defender.event.report.id", "m365_defender.event.report_id"),
    ("m365_defender.event.object.name", "m365_defender.event.object_name"),
    ("m365_defender.event.object.type", "m365_defender.event.object_type"),
    ("m365_defender.event.object.id", "m365_defender.event.object_id"),
    ("signal.rule.name", "kibana.alert.rule.name"),
    ("signal.reason", "kibana.alert.reason"),
    ("signal.status", "kibana.alert.status"),
    ("signal.original_time", "kibana.alert.original_time"),
    ("signal.depth", "kibana.alert.depth"),
    ("signal.rule.id", "kibana.alert.rule.uuid"),
    ("signal.rule.rule_id", "kibana.alert.rule.rule_id"),
    ("signal.rule.severity", "kibana.alert.severity"),
    ("signal.rule.risk_score", "kibana.alert.risk_score"),
    ("kibana.alert.rule.severity", "kibana.alert.severity"),
    ("kibana.alert.rule.risk_score", "kibana.alert.risk_score"),
    ("signal.original_event.kind", "kibana.alert.original_event.kind"),
    ("signal.original_event.module", "kibana.alert.original_event.module"),
    ("signal.original_event.dataset", "kibana.alert.original_event.dataset"),
    ("signal.original_event.action", "kibana.alert.original_event.action"),
    ("signal.original_event.category", "kibana.alert.original_event.category"),
    ("signal.original_event.type", "kibana.alert.original_event.type"),
    ("signal.original_event.outcome", "kibana.alert.original_event.outcome"),
    ("signal.original_event.provider", "kibana.alert.original_event.provider"),
    ("signal.original_event.code", "kibana.alert.original_event.code"),
    ("signal.original_event.id", "kibana.alert.original_event.id"),
    ("signal.original_event.severity", "kibana.alert.original_event.severity"),
];

/// Columns of the lake itself, which no record may set: an ECS document that carries
/// `event.ingested` means another system's.
pub const LAKE_FIELDS: &[FieldId] = &[
    EVENT_INGESTED,
    RAW,
    SOURCE_FILE,
    SOURCE_SHA256,
    SOURCE_FORMAT,
    SOURCE_POSITION,
    EVENT_HASH,
];

#[cfg(test)]
mod tests {
    use super::super::CATALOGUE;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn aliases_name_fields_and_are_none() {
        let names: HashSet<_> = ALIASES.iter().map(|(alias, _)| alias).collect();
        assert_eq!(names.len(), ALIASES.len());
        for (alias, ecs) in ALIASES {
            assert!(CATALOGUE.by_ecs(alias).is_none(), "{alias} is a field");
            assert!(
                CATALOGUE.by_ecs(ecs).is_some(),
                "{alias} names {ecs}, which is no field"
            );
        }
    }
}
