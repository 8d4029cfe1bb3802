//! What a FROM clause can name: events, views, a list, other queries.

use super::{Column, EventColumns, Grammar, Query, Role, Scope, Type};

/// (name, kind, role) of each column that detections may use.
type Catalogue = &'static [(&'static str, Type, Role)];

const EVENTS: Catalogue = &[
    ("user.id", Type::Text, Role::User),
    ("source.ip", Type::Address, Role::Address),
    ("event.action", Type::Text, Role::Action),
    ("event.dataset", Type::Text, Role::Other),
    ("o365.audit.OperationCount", Type::Number, Role::Other),
    ("event.outcome", Type::Text, Role::Other),
    ("user.email", Type::Text, Role::User),
    ("o365.audit.ClientAppId", Type::Text, Role::App),
    ("azure.signinlogs.properties.session_id", Type::Text, Role::Session),
    ("kibana.alert.rule.name", Type::Text, Role::Other),
    ("event.severity", Type::Number, Role::Other),
    (
        "azure.signinlogs.properties.status.error_code",
        Type::Number,
        Role::Other,
    ),
    ("source.port", Type::Number, Role::Other),
    ("retrohunt.logon_failed", Type::Truth, Role::Other),
    ("o365.audit.is_throttled", Type::Truth, Role::Other),
    ("event.category", Type::Texts, Role::Other),
    ("related.user", Type::Texts, Role::User),
    ("email.message_id", Type::Texts, Role::Other),
    ("tags", Type::Texts, Role::Other),
    // No column: read from the record.
    ("o365.audit.Oddity", Type::Text, Role::Other),
];

const CLOUD_APP_EVENTS: Catalogue = &[
    ("AccountObjectId", Type::Text, Role::User),
    ("ActionType", Type::Text, Role::Action),
    ("IPAddress", Type::Address, Role::Address),
    ("ReportId", Type::Text, Role::Other),
    ("ApplicationId", Type::Number, Role::Other),
    ("IsAdminOperation", Type::Truth, Role::Other),
    ("AccountId", Type::Text, Role::User),
    ("\"Timestamp\"", Type::Time, Role::Other),
];

const SIGN_INS: Catalogue = &[
    ("AccountObjectId", Type::Text, Role::User),
    ("IPAddress", Type::Address, Role::Address),
    ("SessionId", Type::Text, Role::Session),
    ("ReportId", Type::Text, Role::Other),
    ("ErrorCode", Type::Number, Role::Other),
    ("RiskLevelDuringSignIn", Type::Number, Role::Other),
    ("IsManaged", Type::Number, Role::Other),
    ("AccountUpn", Type::Text, Role::User),
    ("\"Timestamp\"", Type::Time, Role::Other),
];

const ALERT_EVIDENCE: Catalogue = &[
    ("AccountObjectId", Type::Text, Role::User),
    ("RemoteIP", Type::Address, Role::Address),
    ("EntityType", Type::Text, Role::Other),
    ("AlertId", Type::Text, Role::Other),
    ("Title", Type::Text, Role::Other),
    ("Categories", Type::Texts, Role::Other),
    ("\"Timestamp\"", Type::Time, Role::Other),
];

impl Grammar<'_, '_> {
    /// Events under an alias, mostly; else a view, a list or a query.
    pub(super) fn relation(&mut self, depth: usize) -> Scope {
        match self.choices.below(12) {
            7 => self.view("CloudAppEvents", CLOUD_APP_EVENTS, &["ReportId"]),
            8 => self.view("AADSignInEventsBeta", SIGN_INS, &["ReportId"]),
            9 => self.view("AlertEvidence", ALERT_EVIDENCE, &["Title"]),
            10 | 11 if depth > 0 => {
                let query = self.query(depth - 1);
                self.derived(&query)
            }
            _ => self.events(true),
        }
    }

    /// The list, a part of it.
    pub(super) fn list(&mut self) -> Scope {
        let alias = self.alias('l');
        Scope {
            from: format!("(SELECT app_id FROM first_party_apps WHERE app_id LIKE '0000000_-0000-0%') AS {alias}"),
            columns: vec![Column {
                sql: format!("{alias}.app_id"),
                kind: Type::Text,
                role: Role::App,
                bare: None,
            }],
            order: vec![format!("{alias}.app_id")],
            aliased: true,
            event: None,
        }
    }

    /// Events in ECS spelling; with an alias often in that of columns.
    pub(super) fn events(&mut self, aliased: bool) -> Scope {
        let alias = self.alias('e');
        let snake = aliased && self.choices.chance(40);
        let name = |ecs: &str| match (aliased, snake) {
            (false, _) => ecs.to_owned(),
            (true, false) => format!("{alias}.{ecs}"),
            (true, true) if ecs.ends_with("Oddity") => format!("{alias}.{ecs}"),
            (true, true) => format!("{alias}.{}", retrohunt::schema::column_name(ecs)),
        };
        let column = |(ecs, kind, role): &(&'static str, Type, Role)| Column {
            sql: name(ecs),
            kind: *kind,
            role: *role,
            bare: Some(*ecs).filter(|_| !aliased),
        };
        let mut columns: Vec<Column> = EVENTS.iter().map(column).collect();
        columns.push(Column {
            sql: name("timestamp"),
            kind: Type::Time,
            role: Role::Other,
            bare: None,
        });
        Scope {
            from: if aliased {
                format!("events AS {alias}")
            } else {
                "events".to_owned()
            },
            columns,
            order: vec![name("timestamp"), name("event_dataset"), name("event_key")],
            aliased,
            event: Some(EventColumns {
                id: format!("coalesce({}, {})", name("event_id"), name("event_key")),
                time: name("timestamp"),
                pairs: name("o365.audit.OperationProperties"),
            }),
        }
    }

    fn view(&mut self, view: &str, catalogue: Catalogue, order: &[&str]) -> Scope {
        let alias = self.alias('v');
        let column = |(name, kind, role): &(&str, Type, Role)| Column {
            sql: format!("{alias}.{name}"),
            kind: *kind,
            role: *role,
            bare: None,
        };
        Scope {
            from: format!("{view} AS {alias}"),
            columns: catalogue.iter().map(column).collect(),
            order: order.iter().map(|name| format!("{alias}.{name}")).collect(),
            aliased: true,
            event: None,
        }
    }

    /// A query in brackets.
    pub(super) fn derived(&mut self, query: &Query) -> Scope {
        let alias = self.alias('d');
        let mut scope = named(query, &alias);
        scope.from = format!("(\n{}\n) AS {alias}", query.sql);
        scope
    }

    /// A query that a WITH clause has given a name.
    pub(super) fn common(&mut self, query: &Query, name: &str) -> Scope {
        let alias = self.alias('c');
        let mut scope = named(query, &alias);
        scope.from = format!("{name} AS {alias}");
        scope
    }
}

fn named(query: &Query, alias: &str) -> Scope {
    Scope {
        from: String::new(),
        columns: query.columns.iter().map(|column| column.as_column(alias)).collect(),
        order: query.unique.iter().map(|name| format!("{alias}.{name}")).collect(),
        aliased: true,
        event: None,
    }
}
