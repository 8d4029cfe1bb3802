//! Records as the log delivers them, and the fields they become.

use super::super::testing::{mapped, try_map};

pub(in crate::sources) const MAIL_ITEMS_ACCESSED: &str = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"6a0e0d2b-1111-4c4c-9d1a-08de5555aaaa",
 "Operation":"MailItemsAccessed","OrganizationId":"9F000000-0000-4000-8000-00000000ABCD","RecordType":50,"ResultStatus":"Succeeded",
 "UserKey":"1003200000000001","UserType":0,"Version":1,"Workload":"Exchange","UserId":"ann@contoso.example","AppId":"00000003-0000-0000-c000-000000000000",
 "ClientAppId":"77000000-0000-4000-8000-000000000001","ClientIPAddress":"[2001:db8::5]:54088","ClientIP":"198.51.100.7","ClientInfoString":"Client=REST;;",
 "ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"MailboxOwnerUPN":"bob@contoso.example",
 "OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"},{"Name":"Empty"}],
 "OrganizationName":"contoso.onmicrosoft.com","OriginatingServer":"AM0PR07MB1 (15.20.4129.032)\r\n","SessionId":"dcda0000-0000-4000-8000-000000000001",
 "AppAccessContext":{"AADSessionId":"aad1","UniqueTokenId":"tok1","DeviceId":"dev1","UserObjectId":"obj1"},
 "Folders":[{"FolderItems":[{"Id":"RgAA1","InternetMessageId":"<m1@contoso.example>","SizeInBytes":3476},{"InternetMessageId":"<m2@contoso.example>"}],"Id":"LgAA","Path":"\\Inbox"},
  {"FolderItems":[{"InternetMessageId":"<m1@contoso.example>"}],"Id":"LgBB","Path":"\\Sent Items"}],"OperationCount":3}"#;

pub(in crate::sources) const LOGIN_FAILED: &str = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"1f","Operation":"UserLoginFailed","OrganizationId":"9f","RecordType":15,
 "ResultStatus":"Success","UserKey":"k","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"203.0.113.9","ObjectId":"00000002",
 "UserId":"ann@contoso.example","AzureActiveDirectoryEventType":1,"ActorIpAddress":"203.0.113.9","Actor":[{"ID":"a","Type":0},{"ID":"ann@contoso.example","Type":5}],
 "Target":[{"ID":"00000002","Type":0}],"ApplicationId":"app1","ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword",
 "DeviceProperties":[{"Name":"OS","Value":"Windows 10"},{"Name":"BrowserType","Value":"Edge"}],
 "ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Success"},{"Name":"UserAgent","Value":"Mozilla/5.0"},{"Name":"RequestType","Value":"OAuth2:Token"}],"ModifiedProperties":[]}"#;

pub(in crate::sources) const INBOX_RULE: &str = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"2f","Operation":"New-InboxRule","OrganizationId":"9f","RecordType":1,
 "ResultStatus":"True","UserKey":"k","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"198.51.100.7:52114","ObjectId":"EURPR\/x\\r1","UserId":"ann@contoso.example",
 "OrganizationName":"contoso.onmicrosoft.com","OriginatingServer":"AM0PR07MB1 (15.20.225.32)",
 "Parameters":[{"Name":"ForwardTo","Value":"x@evil.example;y@evil.example"},{"Name":"Force","Value":"False"},{"Name":"DeleteMessage","Value":"False"},{"Name":"DeleteMessage","Value":"True"},{"Name":"MoveToFolder","Value":null}],
 "AppId":"","SessionId":"s1"}"#;

pub(in crate::sources) const ALERT: &str = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"3f","Operation":"AlertTriggered","OrganizationId":"9f","RecordType":40,"UserType":4,
 "Version":1,"Workload":"SecurityComplianceCenter","UserId":"SecurityComplianceAlerts","UserKey":"SecurityComplianceAlerts","AlertId":"al","AlertType":"System","Name":"Suspicious forwarding",
 "PolicyId":"pol","Status":"Active","Severity":"High","Category":"ThreatManagement","Source":"Office 365","Comments":"New alert","EntityType":"User","AlertEntityId":"ann@contoso.example",
 "AlertLinks":[{"AlertLinkHref":""},{"AlertLinkHref":"https://alerts.example/al"}],
 "Data":"{\"etype\":\"User\",\"eid\":\"ann@contoso.example\",\"ts\":\"2026-03-02T08:00:00.0000000Z\",\"sip\":\"198.51.100.7\",\"imsgid\":\"<m9@contoso.example>\"}"}"#;

pub(in crate::sources) const DLP: &str = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"4f","Operation":"DlpRuleMatch","OrganizationId":"9f","RecordType":13,"UserType":4,"Version":1,
 "Workload":"Exchange","UserId":"DlpAgent","PolicyDetails":[{"PolicyId":"p1","PolicyName":"Cards","Rules":[{"RuleId":"r1","RuleName":"Many cards","Severity":"Low","Actions":["NotifyUser"]},{"RuleId":"r2","RuleName":"All cards","Severity":"High","Actions":["BlockAccess"]}]}],
 "ExchangeMetaData":{"From":"ann@contoso.example","To":["x@evil.example","y@evil.example"],"CC":[],"Subject":"cards","MessageID":"<m3@contoso.example>"}}"#;

#[test]
fn aggregated_mail_access() {
    let event = mapped(MAIL_ITEMS_ACCESSED);
    assert_eq!(event.source, "o365_management");
    assert_eq!(event.identity.organization, "9f000000-0000-4000-8000-00000000abcd");
    assert_eq!(
        event.identity.id.as_deref(),
        Some("6a0e0d2b-1111-4c4c-9d1a-08de5555aaaa")
    );
    event.expect(&[
        ("@timestamp", "2026-03-02T08:14:55Z"),
        ("event.dataset", "o365.audit"),
        ("event.module", "o365"),
        ("event.kind", "event"),
        ("event.id", "6a0e0d2b-1111-4c4c-9d1a-08de5555aaaa"),
        ("event.provider", "Exchange"),
        ("event.action", "MailItemsAccessed"),
        ("event.code", "ExchangeItemAggregated"),
        ("event.category", "[web, email]"),
        ("event.type", "[info, access]"),
        ("event.outcome", "success"),
        ("organization.id", "9f000000-0000-4000-8000-00000000abcd"),
        ("host.id", "9f000000-0000-4000-8000-00000000abcd"),
        ("host.name", "contoso.example"),
        ("organization.name", "-"),
        ("o365.audit.OrganizationName", "contoso.onmicrosoft.com"),
        ("user.id", "ann@contoso.example"),
        ("user.name", "ann"),
        ("user.domain", "contoso.example"),
        ("user.email", "ann@contoso.example"),
        ("o365.audit.UserId", "ann@contoso.example"),
        ("o365.audit.MailboxOwnerUPN", "bob@contoso.example"),
        ("client.ip", "2001:db8::5"),
        ("client.port", "54088"),
        ("source.ip", "2001:db8::5"),
        ("network.type", "ipv6"),
        ("o365.audit.ClientIPAddress", "-"),
        ("o365.audit.ClientIP", "198.51.100.7"),
        ("related.ip", "[2001:db8::5]"),
        ("related.user", "[ann@contoso.example, ann]"),
        ("o365.audit.RecordType", "50"),
        ("o365.audit.UserType", "0"),
        ("o365.audit.ExternalAccess", "false"),
        ("o365.audit.OperationCount", "3"),
        (
            "o365.audit.OperationProperties",
            "[MailAccessType=Bind, IsThrottled=False, Empty=-]",
        ),
        ("o365.audit.mail_access_type", "Bind"),
        ("o365.audit.is_throttled", "false"),
        ("o365.audit.Folders.Path", "[\\Inbox, \\Sent Items]"),
        ("o365.audit.Folders.FolderItems.Id", "[RgAA1]"),
        ("email.message_id", "[<m1@contoso.example>, <m2@contoso.example>]"),
        ("session.id", "aad1"),
        ("token.id", "tok1"),
        ("device.id", "dev1"),
        ("o365.audit.AppAccessContext.UserObjectId", "obj1"),
        ("server.domain", "-"),
        ("o365.audit.OriginatingServer", "AM0PR07MB1 (15.20.4129.032)\r\n"),
        ("retrohunt.logon_failed", "-"),
    ]);
}

#[test]
fn synchronised_folder() {
    mapped(
        r#"{"CreationTime":"2026-03-02T08:14:55","Id":"5f","Operation":"MailItemsAccessed","RecordType":"2","Workload":"Exchange","UserId":"S-1-5-18","MailboxOwnerUPN":"bob@contoso.example",
        "LogonUserDisplayName":"Bob","ClientProcessName":"OUTLOOK.EXE","OriginatingServer":"VI1PR04MB5056 (15.20.225.32)\r\n","OrganizationName":"contoso","ExternalAccess":"False",
        "OperationProperties":"[{\"Name\":\"MailAccessType\",\"Value\":\"Sync\"},{\"Name\":\"IsThrottled\",\"Value\":\"True\"}]",
        "Item":{"Subject":"Hello","InternetMessageId":"<m1@x>","Attachments":"a.png (599b); b.c.docx (1403b); none; c (1b)","ParentFolder":{"Path":"\\Inbox","Name":"Inbox"}}}"#,
    )
    .expect(&[
        ("event.code", "ExchangeItem"),
        ("event.category", "[web, email]"),
        ("o365.audit.RecordType", "2"),
        ("user.id", "S-1-5-18"),
        ("user.name", "-"),
        ("user.email", "bob@contoso.example"),
        ("user.full_name", "Bob"),
        ("process.name", "OUTLOOK.EXE"),
        ("o365.audit.ClientProcessName", "-"),
        ("organization.name", "contoso"),
        ("host.name", "contoso"),
        ("o365.audit.OrganizationName", "-"),
        ("server.domain", "VI1PR04MB5056"),
        ("server.ip", "15.20.225.32"),
        ("destination.ip", "15.20.225.32"),
        ("o365.audit.mail_access_type", "Sync"),
        ("o365.audit.is_throttled", "true"),
        ("o365.audit.ExternalAccess", "false"),
        ("o365.audit.Item.ParentFolder.Path", "\\Inbox"),
        ("email.subject", "[Hello]"),
        ("email.message_id", "[<m1@x>]"),
        ("email.attachments.file.name", "[a.png, b.c.docx]"),
        ("email.attachments.file.extension", "[png, docx]"),
    ]);
}

#[test]
fn failed_logon_that_says_success() {
    mapped(LOGIN_FAILED).expect(&[
        ("event.outcome", "success"),
        ("retrohunt.logon_failed", "true"),
        ("event.category", "[web, authentication]"),
        ("event.type", "[info, start, access]"),
        ("event.code", "AzureActiveDirectoryStsLogon"),
        ("o365.audit.Actor.ID", "[a, ann@contoso.example]"),
        ("o365.audit.Actor.Type", "[0, 5]"),
        ("o365.audit.Target.Type", "[0]"),
        ("o365.audit.ErrorNumber", "50126"),
        ("o365.audit.ActorIpAddress", "203.0.113.9"),
        ("o365.audit.ClientIP", "-"),
        ("o365.audit.DeviceProperties", "[OS=Windows 10, BrowserType=Edge]"),
        ("o365.audit.ExtendedProperties.RequestType", "OAuth2:Token"),
        ("user_agent.original", "Mozilla/5.0"),
        ("o365.audit.ObjectId", "00000002"),
        ("user.target.id", "-"),
    ]);
}

#[test]
fn a_logon_that_worked() {
    for (number, failed) in [
        ("\"0\"", "false"),
        ("0", "false"),
        ("\"50126\"", "true"),
        ("null", "false"),
    ] {
        mapped(&format!(
            r#"{{"CreationTime":"2026-03-02T08:14:55","Id":"6f","Operation":"UserLoggedIn","RecordType":15,"ErrorNumber":{number},"LogonError":""}}"#
        ))
        .expect(&[("retrohunt.logon_failed", failed)]);
    }
}

#[test]
fn inbox_rule() {
    mapped(INBOX_RULE).expect(&[
        ("event.category", "[web]"),
        ("client.ip", "198.51.100.7"),
        ("client.port", "52114"),
        ("o365.audit.Parameters.ForwardTo", "x@evil.example;y@evil.example"),
        ("o365.audit.Parameters.DeleteMessage", "True"),
        ("o365.audit.Parameters.MoveToFolder", "-"),
        (
            "o365.audit.Parameters",
            "[ForwardTo=x@evil.example;y@evil.example, Force=False, DeleteMessage=False, DeleteMessage=True, MoveToFolder=-]",
        ),
        ("email.to.address", "[x@evil.example, y@evil.example]"),
        ("organization.name", "contoso.onmicrosoft.com"),
        ("host.name", "contoso.onmicrosoft.com"),
        ("o365.audit.ObjectId", "EURPR/x\\r1"),
        ("o365.audit.AppId", "-"),
    ]);
    let text = r#"{"CreationTime":"2026-03-02T08:14:55","Id":"7f","Operation":"Set-X","RecordType":18,"Parameters":"-Name \"value\""}"#;
    mapped(text).expect(&[
        ("o365.audit.Parameters._raw", "-Name \"value\""),
        ("o365.audit.Parameters", "-"),
    ]);
}

#[test]
fn directory_changes() {
    let event = |code: u32, operation: &str| {
        mapped(&format!(
            r#"{{"CreationTime":"2026-03-02T08:14:55","Id":"8f","Operation":"{operation}","RecordType":{code},"Workload":"AzureActiveDirectory","ResultStatus":"Failure","ObjectId":"new@contoso.example","UserId":"a@b@c",
            "ExtendedProperties":[{{"Name":"additionalDetails","Value":"{{\"User-Agent\":\"EvoSTS\",\"DeviceId\":\"d7\"}}"}}],
            "ModifiedProperties":[{{"Name":"Role.DisplayName","NewValue":"\"Global Administrator\"","OldValue":""}},{{"Name":"Included Updated Properties","NewValue":"x","OldValue":null}}]}}"#
        ))
    };
    event(8, "Add member to role.").expect(&[
        ("event.action", "Add member to role."),
        ("event.outcome", "success"),
        ("o365.audit.ResultStatus", "Failure"),
        ("user.name", "-"),
        ("user.target.id", "new@contoso.example"),
        ("user.target.name", "new"),
        ("o365.audit.ObjectId", "new@contoso.example"),
        (
            "o365.audit.ModifiedProperties.Role_DisplayName.NewValue",
            "\"Global Administrator\"",
        ),
        ("o365.audit.ModifiedProperties.Role_DisplayName.OldValue", "-"),
        (
            "o365.audit.ModifiedProperties.Included_Updated_Properties.NewValue",
            "-",
        ),
        (
            "o365.audit.ModifiedProperties.NewValue",
            "[Role_DisplayName=\"Global Administrator\", Included_Updated_Properties=x]",
        ),
        ("user_agent.original", "EvoSTS"),
        ("device.id", "d7"),
    ]);
    for (code, operation, action, types) in [
        (8, "Add user.", "added-user-account", "[info, user, creation]"),
        (8, "Update user.", "modified-user-account", "[info, user, change]"),
        (8, "Delete user.", "deleted-user-account", "[info, user, deletion]"),
        (25, "TeamCreated", "added-group-account-to", "[info, group, creation]"),
        (25, "MemberAdded", "added-users-to-group", "[info, group, change]"),
        (1, "Add user.", "Add user.", "[info]"),
    ] {
        event(code, operation).expect(&[
            ("event.action", action),
            ("event.type", types),
            ("o365.audit.Operation", operation),
        ]);
    }
}

#[test]
fn shared_files() {
    mapped(
        r#"{"CreationTime":"2026-03-02T08:14:55","Id":"9f","Operation":"FileDownloaded","RecordType":6,"Workload":"SharePoint","ClientIP":"HOST (10.0.0.1)","UserAgent":"UA","ObjectId":"https://contoso.example/a.docx",
        "SourceFileName":"a.docx","SourceFileExtension":"docx","SourceRelativeUrl":"Shared Documents","FileSizeBytes":"12","Platform":"1","IsManagedDevice":false,"DeviceName":"PC1"}"#,
    )
    .expect(&[
        ("event.category", "[web, file]"),
        ("event.type", "[info, access]"),
        ("url.original", "https://contoso.example/a.docx"),
        ("o365.audit.ObjectId", "-"),
        ("file.name", "a.docx"),
        ("file.extension", "docx"),
        ("file.directory", "Shared Documents"),
        ("file.size", "12"),
        ("o365.audit.Platform", "Windows"),
        ("host.os.type", "windows"),
        ("host.name", "PC1"),
        ("client.domain", "HOST"),
        ("client.ip", "10.0.0.1"),
        ("user_agent.original", "UA"),
        ("o365.audit.IsManagedDevice", "false"),
    ]);
}

#[test]
fn security_alert() {
    mapped(ALERT).expect(&[
        ("event.kind", "alert"),
        ("message", "Suspicious forwarding"),
        ("rule.name", "Suspicious forwarding"),
        ("o365.audit.Name", "-"),
        ("rule.id", "pol"),
        ("rule.reference", "https://alerts.example/al"),
        ("event.severity", "4"),
        ("o365.audit.Data.etype", "User"),
        ("o365.audit.Data.ts", "2026-03-02T08:00:00Z"),
        ("o365.audit.Data.sip", "198.51.100.7"),
        ("email.message_id", "[<m9@contoso.example>]"),
    ]);
}

#[test]
fn data_loss_prevention() {
    mapped(DLP).expect(&[
        ("event.kind", "alert"),
        ("event.outcome", "failure"),
        ("event.severity", "4"),
        ("rule.id", "r1"),
        ("rule.name", "Many cards"),
        ("source.user.email", "ann@contoso.example"),
        ("destination.user.email", "[x@evil.example, y@evil.example]"),
        ("email.subject", "[cards]"),
        (
            "message",
            "Office365 Alert: DlpRuleMatch detected in email sent by ann@contoso.example with subject 'cards'",
        ),
    ]);
}

#[test]
fn teams_members_answer_by_any_value() {
    mapped(
        r#"{"CreationTime":"2026-03-02T08:14:55","Id":"10","Operation":"MemberAdded","RecordType":25,"Workload":"MicrosoftTeams","TeamName":"Sales","Members":[{"UPN":"a@x","DisplayName":"Help Desk","Role":1}],"ParticipantInfo":{"HasGuestUsers":"True"}}"#,
    )
    .expect(&[
        ("o365.audit.Members", "[a@x, Help Desk, 1]"),
        ("o365.audit.Members.UPN", "[a@x]"),
        ("o365.audit.ParticipantInfo.HasGuestUsers", "true"),
        ("group.name", "Sales"),
    ]);
}

#[test]
fn numbers_as_text_and_unknown_types() {
    let event = mapped(
        r#"{"CreationTime":"2026-03-02T08:14:55","Id":7,"Operation":"X","RecordType":"50.0","UserType":"1.0E0"}"#,
    );
    assert_eq!(event.source, "o365_management_text");
    event.expect(&[
        ("event.code", "ExchangeItemAggregated"),
        ("o365.audit.UserType", "1"),
        ("event.id", "7"),
        ("event.provider", "1.0E0"),
    ]);
    // Of a key that comes twice, the first decides.
    for (second, expected) in [("2", "1"), ("\"ExchangeItem\"", "1")] {
        let text = format!(
            r#"{{"CreationTime":"2026-03-02T08:14:55","Id":"7","Operation":"X","RecordType":1,"RecordType":{second}}}"#
        );
        mapped(&text).expect(&[("event.code", "ExchangeAdmin"), ("o365.audit.RecordType", expected)]);
    }
    mapped(r#"{"CreationTime":"2026-03-02T08:14:55","Id":"7","Operation":"X","RecordType":463}"#).expect(&[
        ("event.code", "-"),
        ("o365.audit.RecordType", "463"),
        ("client.ip", "-"),
    ]);
}

#[test]
fn without_a_time() {
    let error = try_map(r#"{"Id":"7","Operation":"X","RecordType":1,"Workload":"Exchange"}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.to_string(), "no readable time in CreationTime");
}
