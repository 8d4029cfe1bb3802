//! Names that are probably meant otherwise.

use super::tests::{check, error, resolve};

#[test]
fn double_quotes_are_for_names() {
    for (condition, expected) in [
        (
            "event.action = \"UserLoginFailed\"",
            "unknown column UserLoginFailed (line 1, column 43); a text takes single quotes: 'UserLoginFailed'",
        ),
        (
            "user.name IN ('a', \"O'Neil\")",
            "unknown column O'Neil (line 1, column 47); a text takes single quotes: 'O''Neil'",
        ),
        (
            "user.email = \"ann@contoso.example\"",
            "unknown column ann@contoso.example (line 1, column 41); a text takes single quotes: 'ann@contoso.example'",
        ),
    ] {
        assert_eq!(error(&format!("SELECT 1 FROM events WHERE {condition}")), expected);
    }
    // Where only the planner knows the columns, it decides.
    check(
        "SELECT \"value\" FROM generate_series(1, 3) UNION SELECT 1 ORDER BY \"value\"",
        "SELECT \"value\" FROM generate_series(1, 3) UNION SELECT 1 ORDER BY \"value\"",
    );
    check(
        "SELECT event.code AS \"Code\" FROM events ORDER BY \"Code\"",
        "SELECT event_code AS \"Code\" FROM events ORDER BY \"Code\"",
    );
}

#[test]
fn doubtful_fields() {
    let doubtful = |name: &str| -> String {
        let (_, resolution) = resolve(&format!("SELECT {name} FROM events"), None).unwrap();
        assert!(resolution.raw_fields.iter().any(|field| field == name), "{name}");
        match resolution.doubtful.as_slice() {
            [] => String::new(),
            [(field, nearest)] if field == name => nearest.join(" "),
            other => panic!("{name}: {other:?}"),
        }
    };
    for (name, nearest) in [
        ("o365.audit.Operatoin", "o365.audit.Operation"),
        ("o365.audt.Operation", "o365.audit.Operation"),
        ("o365.audit.client_app_id", "o365.audit.ClientAppId"),
        ("user.idd", "user.id"),
        ("user.di", "user.id"),
        (
            "azure.signinlogs.properties.user_principle_name",
            "azure.signinlogs.properties.user_principal_name",
        ),
    ] {
        assert!(
            doubtful(name).split(' ').any(|known| known == nearest),
            "{name}: {}",
            doubtful(name)
        );
    }
    // Fields of their own that only look like others, or like nothing.
    for name in [
        "host.ip",
        "host.mac",
        "source.port",
        "source.mac",
        "process.pid",
        "process.ppid",
        "process.name",
        "url.port",
        "url.path",
        "file.size",
        "file.path",
        "dns.id",
        "user.domain",
        "user.roles",
        "related.hosts",
        "related.hash",
        "host.os.name",
        "http.version",
        "event.url",
        "event.risk_score",
        "o365.audit.Site",
        "o365.audit.WebId",
        "o365.audit.ListId",
        "o365.audit.SiteUrl",
        "o365.audit.ItemType",
        "o365.audit.MachineId",
        "o365.audit.EventData",
        "o365.audit.SourceName",
        "o365.audit.ClientVersion",
        "azure.signinlogs.properties.latency",
        "azure.auditlogs.properties.target_resources.7.display_name",
    ] {
        if let Ok((_, resolution)) = resolve(&format!("SELECT {name} FROM events"), None) {
            assert_eq!(resolution.doubtful, [], "{name}");
        }
    }
}
