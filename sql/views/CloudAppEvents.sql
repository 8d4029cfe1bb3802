-- CloudAppEvents: Microsoft Defender's table of what users and applications do.
--
-- Its rows where the lake has them, and every Microsoft 365 audit record (o365.audit) that
-- is not already inside one of those rows, so that a lake without Defender answers too.
-- RawEventData is the audit record's text: what a Defender row holds under that name, or
-- the stored record itself where the audit log delivered it.
--
-- An audit record names its user by address more often than by object id. The id is taken
-- from the record, else from the sign-ins of the same user principal name.
SELECT
    timestamp AS "Timestamp",
    event_action AS "ActionType",
    m365_defender_event_application AS "Application",
    m365_defender_event_application_id AS "ApplicationId",
    m365_defender_event_app_instance_id AS "AppInstanceId",
    m365_defender_event_account_object_id AS "AccountObjectId",
    m365_defender_event_account_id AS "AccountId",
    m365_defender_event_account_display_name AS "AccountDisplayName",
    m365_defender_event_is_admin_operation AS "IsAdminOperation",
    m365_defender_event_device_type AS "DeviceType",
    m365_defender_event_os_platform AS "OSPlatform",
    source_address AS "IPAddress",
    m365_defender_event_is_anonymous_proxy AS "IsAnonymousProxy",
    m365_defender_event_country_code AS "CountryCode",
    m365_defender_event_city AS "City",
    m365_defender_event_isp AS "Isp",
    m365_defender_event_isp AS "ISP",
    user_agent_original AS "UserAgent",
    m365_defender_event_activity_type AS "ActivityType",
    m365_defender_event_activity_objects AS "ActivityObjects",
    m365_defender_event_object_name AS "ObjectName",
    m365_defender_event_object_type AS "ObjectType",
    m365_defender_event_object_id AS "ObjectId",
    m365_defender_event_report_id AS "ReportId",
    m365_defender_event_account_type AS "AccountType",
    m365_defender_event_is_external_user = 1 AS "IsExternalUser",
    m365_defender_event_is_impersonated AS "IsImpersonated",
    m365_defender_event_ip_tags AS "IPTags",
    m365_defender_event_ip_category AS "IPCategory",
    m365_defender_event_user_agent_tags AS "UserAgentTags",
    raw_field(raw, 'm365_defender.event.raw_event_data') AS "RawEventData",
    m365_defender_event_additional_fields AS "AdditionalFields",
    m365_defender_event_last_seen_for_user AS "LastSeenForUser",
    m365_defender_event_uncommon_for_user AS "UncommonForUser",
    m365_defender_event_audit_source AS "AuditSource",
    m365_defender_event_session_data AS "SessionData",
    m365_defender_event_oauth_app_id AS "OAuthAppId"
FROM events
WHERE event_dataset = 'm365_defender.cloud_app_events'
UNION ALL
SELECT
    r.timestamp AS "Timestamp",
    r.o365_audit_operation AS "ActionType",
    CASE r.event_provider
            WHEN 'Exchange' THEN 'Microsoft Exchange Online'
            WHEN 'MicrosoftTeams' THEN 'Microsoft Teams'
            WHEN 'SharePoint' THEN 'Microsoft SharePoint Online'
            WHEN 'OneDrive' THEN 'Microsoft OneDrive for Business'
            WHEN 'AzureActiveDirectory' THEN 'Microsoft 365'
        END AS "Application",
    CASE r.event_provider
            WHEN 'Exchange' THEN CAST(20893 AS BIGINT)
            WHEN 'MicrosoftTeams' THEN CAST(28375 AS BIGINT)
            WHEN 'SharePoint' THEN CAST(20892 AS BIGINT)
            WHEN 'OneDrive' THEN CAST(15600 AS BIGINT)
            WHEN 'AzureActiveDirectory' THEN CAST(11161 AS BIGINT)
        END AS "ApplicationId",
    CAST(NULL AS BIGINT) AS "AppInstanceId",
    coalesce(
            nullif(r.o365_audit_token_object_id, ''),
            nullif(r.o365_audit_app_access_context_user_object_id, ''),
            CASE WHEN regexp_like(r.o365_audit_user_key, '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$')
                THEN r.o365_audit_user_key END,
            u.user_id) AS "AccountObjectId",
    r.user_id AS "AccountId",
    r.user_full_name AS "AccountDisplayName",
    r.o365_audit_user_type IN ('2', '3') AS "IsAdminOperation",
    CAST(NULL AS VARCHAR) AS "DeviceType",
    r.host_os_platform AS "OSPlatform",
    coalesce(r.source_ip, r.client_address) AS "IPAddress",
    CAST(NULL AS BOOLEAN) AS "IsAnonymousProxy",
    r.source_geo_country_iso_code AS "CountryCode",
    r.source_geo_city_name AS "City",
    r.source_as_organization_name AS "Isp",
    r.source_as_organization_name AS "ISP",
    coalesce(r.user_agent_original, r.o365_audit_client_info_string) AS "UserAgent",
    CAST(NULL AS VARCHAR) AS "ActivityType",
    CAST(NULL AS VARCHAR) AS "ActivityObjects",
    CAST(NULL AS VARCHAR) AS "ObjectName",
    CAST(NULL AS VARCHAR) AS "ObjectType",
    r.o365_audit_object_id AS "ObjectId",
    r.event_id AS "ReportId",
    CASE WHEN r.o365_audit_user_type IN ('2', '3') THEN 'Admin' WHEN r.o365_audit_user_type IN ('5', '6') THEN 'Application' ELSE 'Regular' END AS "AccountType",
    CAST(NULL AS BOOLEAN) AS "IsExternalUser",
    CAST(NULL AS BOOLEAN) AS "IsImpersonated",
    arrow_cast(NULL, 'List(Utf8)') AS "IPTags",
    CAST(NULL AS VARCHAR) AS "IPCategory",
    arrow_cast(NULL, 'List(Utf8)') AS "UserAgentTags",
    r.raw AS "RawEventData",
    CAST(NULL AS VARCHAR) AS "AdditionalFields",
    CAST(NULL AS VARCHAR) AS "LastSeenForUser",
    CAST(NULL AS VARCHAR) AS "UncommonForUser",
    CAST(NULL AS VARCHAR) AS "AuditSource",
    CAST(NULL AS VARCHAR) AS "SessionData",
    coalesce(r.o365_audit_client_app_id, r.o365_audit_app_access_context_client_app_id) AS "OAuthAppId"
FROM events AS r
LEFT JOIN (
    -- One id per name: joining must not multiply rows where a name was given twice.
    SELECT lower(azure_signinlogs_properties_user_principal_name) AS upn, max(user_id) AS user_id
    FROM events
    WHERE event_dataset = 'azure.signinlogs' AND user_id IS NOT NULL
    GROUP BY lower(azure_signinlogs_properties_user_principal_name)
) AS u ON lower(r.user_id) = u.upn
WHERE r.event_dataset = 'o365.audit'
    AND coalesce(r.event_kind, 'event') <> 'signal'
    AND NOT EXISTS (
        SELECT 1
        FROM events AS d
        WHERE d.event_dataset = 'm365_defender.cloud_app_events'
            AND d.m365_defender_event_raw_event_data_id = r.event_id
    )
