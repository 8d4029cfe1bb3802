-- EntraIdSignInEvents: Microsoft Defender's table of Entra ID sign-ins.
--
-- Its rows where the lake has them, from either of the two tables that Microsoft fills
-- with the same events, and every sign-in of Entra ID's own log (azure.signinlogs) that is
-- not one of those rows, so that a lake without Defender answers too. Numbers are
-- Microsoft's: risk levels 0 none, 1 hidden, 10 low, 50 medium, 100 high; conditional
-- access 0 applied, 1 failed, 2 not applied.
SELECT
    timestamp AS "Timestamp",
    m365_defender_event_application AS "Application",
    m365_defender_event_sign_in_application_id AS "ApplicationId",
    m365_defender_event_logon_type AS "LogonType",
    m365_defender_event_endpoint_call AS "EndpointCall",
    m365_defender_event_error_code AS "ErrorCode",
    m365_defender_event_correlation_id AS "CorrelationId",
    m365_defender_event_session_id AS "SessionId",
    m365_defender_event_account_display_name AS "AccountDisplayName",
    m365_defender_event_account_object_id AS "AccountObjectId",
    m365_defender_event_account_upn AS "AccountUpn",
    m365_defender_event_is_external_user AS "IsExternalUser",
    m365_defender_event_is_guest_user AS "IsGuestUser",
    m365_defender_event_alternate_sign_in_name AS "AlternateSignInName",
    m365_defender_event_last_password_change_timestamp AS "LastPasswordChangeTimestamp",
    m365_defender_event_resource_display_name AS "ResourceDisplayName",
    m365_defender_event_resource_id AS "ResourceId",
    m365_defender_event_resource_tenant_id AS "ResourceTenantId",
    m365_defender_event_device_name AS "DeviceName",
    coalesce(m365_defender_event_entra_id_device_id, m365_defender_event_aad_device_id) AS "EntraIdDeviceId",
    m365_defender_event_os_platform AS "OSPlatform",
    m365_defender_event_device_trust_type AS "DeviceTrustType",
    m365_defender_event_is_managed AS "IsManaged",
    m365_defender_event_is_compliant AS "IsCompliant",
    m365_defender_event_authentication_processing_details AS "AuthenticationProcessingDetails",
    m365_defender_event_authentication_requirement AS "AuthenticationRequirement",
    m365_defender_event_token_issuer_type AS "TokenIssuerType",
    m365_defender_event_risk_level_aggregated AS "RiskLevelAggregated",
    m365_defender_event_risk_level_during_sign_in AS "RiskLevelDuringSignIn",
    m365_defender_event_risk_details AS "RiskDetails",
    m365_defender_event_risk_state AS "RiskState",
    user_agent_original AS "UserAgent",
    m365_defender_event_client_app_used AS "ClientAppUsed",
    m365_defender_event_browser AS "Browser",
    m365_defender_event_conditional_access_policies AS "ConditionalAccessPolicies",
    m365_defender_event_conditional_access_status AS "ConditionalAccessStatus",
    source_address AS "IPAddress",
    m365_defender_event_country AS "Country",
    m365_defender_event_state AS "State",
    m365_defender_event_city AS "City",
    m365_defender_event_latitude AS "Latitude",
    m365_defender_event_longitude AS "Longitude",
    m365_defender_event_network_location_details AS "NetworkLocationDetails",
    m365_defender_event_request_id AS "RequestId",
    m365_defender_event_report_id AS "ReportId",
    m365_defender_event_is_through_global_secure_access AS "IsThroughGlobalSecureAccess",
    m365_defender_event_unique_token_id AS "UniqueTokenId"
FROM events
WHERE event_dataset = 'm365_defender.sign_in_events'
UNION ALL
SELECT
    r.timestamp AS "Timestamp",
    r.azure_signinlogs_properties_app_display_name AS "Application",
    r.azure_signinlogs_properties_app_id AS "ApplicationId",
    CASE r.azure_signinlogs_category
            WHEN 'SignInLogs' THEN '["interactiveUser"]'
            WHEN 'NonInteractiveUserSignInLogs' THEN '["nonInteractiveUser"]'
            WHEN 'ServicePrincipalSignInLogs' THEN '["servicePrincipal"]'
            WHEN 'ManagedIdentitySignInLogs' THEN '["managedIdentity"]'
        END AS "LogonType",
    CAST(NULL AS VARCHAR) AS "EndpointCall",
    r.azure_signinlogs_properties_status_error_code AS "ErrorCode",
    coalesce(r.azure_signinlogs_properties_correlation_id, r.azure_correlation_id) AS "CorrelationId",
    r.azure_signinlogs_properties_session_id AS "SessionId",
    coalesce(r.azure_signinlogs_properties_user_display_name, r.user_full_name) AS "AccountDisplayName",
    coalesce(r.azure_signinlogs_properties_user_id, r.user_id) AS "AccountObjectId",
    r.azure_signinlogs_properties_user_principal_name AS "AccountUpn",
    CASE lower(r.azure_signinlogs_properties_user_type) WHEN 'guest' THEN CAST(1 AS BIGINT) WHEN 'member' THEN CAST(0 AS BIGINT) ELSE CAST(-1 AS BIGINT) END AS "IsExternalUser",
    lower(r.azure_signinlogs_properties_user_type) = 'guest' AS "IsGuestUser",
    r.azure_signinlogs_properties_sign_in_identifier AS "AlternateSignInName",
    arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS "LastPasswordChangeTimestamp",
    r.azure_signinlogs_properties_resource_display_name AS "ResourceDisplayName",
    r.azure_signinlogs_properties_resource_id AS "ResourceId",
    r.azure_signinlogs_properties_resource_tenant_id AS "ResourceTenantId",
    r.azure_signinlogs_properties_device_detail_display_name AS "DeviceName",
    r.azure_signinlogs_properties_device_detail_device_id AS "EntraIdDeviceId",
    r.azure_signinlogs_properties_device_detail_operating_system AS "OSPlatform",
    r.azure_signinlogs_properties_device_detail_trust_type AS "DeviceTrustType",
    CAST(r.azure_signinlogs_properties_device_detail_is_managed AS BIGINT) AS "IsManaged",
    CAST(r.azure_signinlogs_properties_device_detail_is_compliant AS BIGINT) AS "IsCompliant",
    CAST(NULL AS VARCHAR) AS "AuthenticationProcessingDetails",
    r.azure_signinlogs_properties_authentication_requirement AS "AuthenticationRequirement",
    CASE r.azure_signinlogs_properties_token_issuer_type
            WHEN 'AzureAD' THEN CAST(0 AS BIGINT)
            WHEN 'ADFederationServices' THEN CAST(1 AS BIGINT)
        END AS "TokenIssuerType",
    CASE lower(r.azure_signinlogs_properties_risk_level_aggregated)
            WHEN 'none' THEN CAST(0 AS BIGINT)
            WHEN 'hidden' THEN CAST(1 AS BIGINT)
            WHEN 'low' THEN CAST(10 AS BIGINT)
            WHEN 'medium' THEN CAST(50 AS BIGINT)
            WHEN 'high' THEN CAST(100 AS BIGINT)
        END AS "RiskLevelAggregated",
    CASE lower(r.azure_signinlogs_properties_risk_level_during_signin)
            WHEN 'none' THEN CAST(0 AS BIGINT)
            WHEN 'hidden' THEN CAST(1 AS BIGINT)
            WHEN 'low' THEN CAST(10 AS BIGINT)
            WHEN 'medium' THEN CAST(50 AS BIGINT)
            WHEN 'high' THEN CAST(100 AS BIGINT)
        END AS "RiskLevelDuringSignIn",
    CAST(NULL AS BIGINT) AS "RiskDetails",
    CASE r.azure_signinlogs_properties_risk_state
            WHEN 'none' THEN CAST(0 AS BIGINT)
            WHEN 'confirmedSafe' THEN CAST(1 AS BIGINT)
            WHEN 'remediated' THEN CAST(2 AS BIGINT)
            WHEN 'dismissed' THEN CAST(3 AS BIGINT)
            WHEN 'atRisk' THEN CAST(4 AS BIGINT)
            WHEN 'confirmedCompromised' THEN CAST(5 AS BIGINT)
        END AS "RiskState",
    r.user_agent_original AS "UserAgent",
    r.azure_signinlogs_properties_client_app_used AS "ClientAppUsed",
    r.azure_signinlogs_properties_device_detail_browser AS "Browser",
    CAST(NULL AS VARCHAR) AS "ConditionalAccessPolicies",
    CASE r.azure_signinlogs_properties_conditional_access_status
            WHEN 'success' THEN CAST(0 AS BIGINT)
            WHEN 'failure' THEN CAST(1 AS BIGINT)
            WHEN 'notApplied' THEN CAST(2 AS BIGINT)
        END AS "ConditionalAccessStatus",
    coalesce(r.source_ip, r.source_address) AS "IPAddress",
    r.geo_country_iso_code AS "Country",
    r.geo_region_name AS "State",
    r.geo_city_name AS "City",
    nullif(split_part(r.geo_location, ',', 1), '') AS "Latitude",
    nullif(split_part(r.geo_location, ',', 2), '') AS "Longitude",
    CAST(NULL AS VARCHAR) AS "NetworkLocationDetails",
    r.event_id AS "RequestId",
    r.event_id AS "ReportId",
    r.azure_signinlogs_properties_is_through_global_secure_access AS "IsThroughGlobalSecureAccess",
    r.azure_signinlogs_properties_unique_token_identifier AS "UniqueTokenId"
FROM events AS r
WHERE r.event_dataset = 'azure.signinlogs'
    AND coalesce(r.event_kind, 'event') <> 'signal'
    AND NOT EXISTS (
        SELECT 1
        FROM events AS d
        WHERE d.event_dataset = 'm365_defender.sign_in_events'
            AND d.m365_defender_event_request_id = r.event_id
    )
