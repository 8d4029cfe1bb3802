//! The way from an ECS name to a value in a record's text.

use crate::schema::snake_case;
use sonic_rs::{JsonType, JsonValueTrait, LazyValue};

use std::ops::Deref;

/// How keys of the record compare with segments of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Byte for byte.
    Exact,
    /// Byte for byte, or in snake case as Elastic's Azure integration writes them; a dot
    /// of the name may stand for an underscore (`account.upn` is `AccountUpn`).
    Snake,
}

/// One place to look: a dotted path from the top of the record.
#[derive(Debug)]
struct Path {
    name: String,
    keys: Keys,
}

/// Where a field of one name may be, in order of preference.
#[derive(Debug)]
pub(super) struct Lookup {
    paths: Vec<Path>,
}

/// Namespaces whose content is the record itself, with the spelling of its keys.
const NAMESPACES: &[(&str, Keys)] = &[
    ("o365.audit.", Keys::Exact),
    ("azure.signinlogs.", Keys::Snake),
    ("azure.auditlogs.", Keys::Snake),
    ("azure.identityprotection.", Keys::Snake),
    ("m365_defender.event.", Keys::Snake),
    ("suricata.eve.", Keys::Exact),
];

impl Lookup {
    pub(super) fn new(name: &str) -> Self {
        let mut paths = vec![Path {
            name: name.to_owned(),
            keys: Keys::Exact,
        }];
        if let Some((rest, keys)) = NAMESPACES
            .iter()
            .find_map(|(namespace, keys)| Some((name.strip_prefix(namespace)?, *keys)))
        {
            let mut add = |name: String| paths.push(Path { name, keys });
            add(rest.to_owned());
            if keys == Keys::Snake {
                // Diagnostic settings wrap the record in `properties`; Graph does not.
                match rest.strip_prefix("properties.") {
                    Some(inner) => add(inner.to_owned()),
                    None => add(format!("properties.{rest}")),
                }
            }
        }
        Self { paths }
    }

    /// The value as text: a string without quotes, anything else as JSON.
    pub(super) fn find(&self, record: &str) -> Option<String> {
        let mut best: Option<(usize, LazyValue<'_>)> = None;
        let mut found = None;
        // One pass over the record's keys serves every path.
        for (key, value) in object(record)? {
            let limit = best.as_ref().map_or(self.paths.len(), |(position, _)| *position);
            for (position, path) in self.paths.iter().enumerate().take(limit) {
                let Some(rest) = after(&key, &path.name, path.keys) else {
                    continue;
                };
                if let Some(text) = descend(&value, rest, path.keys) {
                    found = Some(text);
                    best = Some((position, value));
                    break;
                }
            }
            if matches!(best, Some((0, _))) {
                break;
            }
        }
        found
    }
}

/// The members of an object, as far as the text is readable.
fn object(text: &str) -> Option<impl Iterator<Item = (impl Deref<Target = str>, LazyValue<'_>)>> {
    let members = sonic_rs::to_object_iter(text).map_while(Result::ok);
    text.trim_start().starts_with('{').then_some(members)
}

/// What is left of the name after this key: empty at its end, `None` if it is another key.
fn after<'a>(key: &str, name: &'a str, keys: Keys) -> Option<&'a str> {
    let exact = ends_segment(name.strip_prefix(key));
    match keys {
        Keys::Exact => exact,
        Keys::Snake => exact.or_else(|| {
            let snake = snake_case(key);
            let length = snake.len();
            let head = name.get(..length)?;
            let same = head
                .bytes()
                .zip(snake.bytes())
                .all(|(written, key)| written == key || (written == b'.' && key == b'_'));
            same.then(|| ends_segment(name.get(length..))).flatten()
        }),
    }
}

fn ends_segment(rest: Option<&str>) -> Option<&str> {
    match rest? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

/// The value at the rest of a name below `value`.
fn descend(value: &LazyValue<'_>, rest: &str, keys: Keys) -> Option<String> {
    if rest.is_empty() {
        return text_of(value);
    }
    match value.get_type() {
        JsonType::Object => {
            object(value.as_raw_str())?.find_map(|(key, inner)| descend(&inner, after(&key, rest, keys)?, keys))
        }
        JsonType::Array => in_array(value.as_raw_str(), rest, keys),
        // JSON kept as a string: AdditionalInfo, additionalDetails, RawEventData.
        JsonType::String => {
            let text = value.as_str()?;
            let inner: LazyValue<'_> = sonic_rs::from_str(text).ok()?;
            matches!(inner.get_type(), JsonType::Object | JsonType::Array)
                .then(|| descend(&inner, rest, keys))
                .flatten()
        }
        _ => None,
    }
}

/// A list of objects: one element by position, a key of every element, or the value under
/// a name in a list of names and values.
fn in_array(array: &str, rest: &str, keys: Keys) -> Option<String> {
    let elements = || sonic_rs::to_array_iter(array).map_while(Result::ok);
    let (first, after_first) = rest.split_once('.').unwrap_or((rest, ""));
    if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return descend(&elements().nth(first.parse().ok()?)?, after_first, keys);
    }
    let mut values: Vec<String> = Vec::new();
    for element in elements() {
        let Some(members) = object(element.as_raw_str()) else {
            continue;
        };
        values.extend(members.filter_map(|(key, inner)| json_at(&inner, after(&key, rest, keys)?, keys)));
    }
    if !values.is_empty() {
        return Some(format!("[{}]", values.join(",")));
    }
    elements().find_map(|element| under_name(element.as_raw_str(), rest))
}

/// As [`descend`], but as JSON, for an element of an array.
fn json_at(value: &LazyValue<'_>, rest: &str, keys: Keys) -> Option<String> {
    if rest.is_empty() {
        return (value.get_type() != JsonType::Null).then(|| value.as_raw_str().to_owned());
    }
    let text = descend(value, rest, keys)?;
    let is_json = sonic_rs::from_str::<LazyValue<'_>>(&text).is_ok_and(|inner| inner.get_type() != JsonType::String);
    if is_json {
        Some(text)
    } else {
        sonic_rs::to_string(&text).ok()
    }
}

/// `{"Name": n, "Value": v}` has `v` under `n`, and `{"Name": n, "NewValue": v}` has `v`
/// under `n.NewValue`.
fn under_name(element: &str, rest: &str) -> Option<String> {
    let members: Vec<_> = object(element)?.collect();
    let get = |wanted: &str| {
        members
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    };
    let name = get("Name").or_else(|| get("Key"))?;
    let name = name.as_str()?;
    if same_name(name, rest) {
        return text_of(get("Value")?);
    }
    let (name_part, half) = rest.rsplit_once('.')?;
    if same_name(name, name_part) {
        text_of(get(half)?)
    } else {
        None
    }
}

/// Elastic writes underscores for the spaces and dots of a property's name.
fn same_name(name: &str, written: &str) -> bool {
    name == written
        || (name.len() == written.len()
            && name
                .bytes()
                .zip(written.bytes())
                .all(|(name, written)| name == written || (written == b'_' && (name == b' ' || name == b'.'))))
}

fn text_of(value: &LazyValue<'_>) -> Option<String> {
    match value.get_type() {
        JsonType::Null => None,
        JsonType::String => value.as_str().map(str::to_owned),
        _ => Some(value.as_raw_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(record: &str, name: &str, expected: Option<&str>) {
        assert_eq!(
            Lookup::new(name).find(record).as_deref(),
            expected,
            "{name} of {record}"
        );
    }

    #[test]
    fn dotted_and_nested_keys() {
        for record in [
            r#"{"o365.audit.X":"v"}"#,
            r#"{"o365":{"audit":{"X":"v"}}}"#,
            r#"{"o365.audit":{"X":"v"}}"#,
            r#"{"o365":{"audit.X":"v"}}"#,
            r#"{"X":"v"}"#,
            r#"{"X":null,"o365.audit.X":"v"}"#,
            r#"{"X":"other","o365":{"audit":{"X":"v"}}}"#,
            r#" {"x":"other","o365":{"audit":{"Y":1}},"X":"v"}"#,
        ] {
            check(record, "o365.audit.X", Some("v"));
        }
        check(r#"{"kibana.alert.rule.name":"n"}"#, "kibana.alert.rule.name", Some("n"));
        check(
            r#"{"dns":{"question":{"name":"a\"b"}}}"#,
            "dns.question.name",
            Some("a\"b"),
        );
        check(
            r#"{"alert":{"signature":"s"}}"#,
            "suricata.eve.alert.signature",
            Some("s"),
        );
    }

    #[test]
    fn values() {
        let record = r#"{"s":"x","n":1.50,"b":true,"o":{"a": 1},"l":[1, "2"],"z":null,"e":""}"#;
        for (key, expected) in [
            ("s", Some("x")),
            ("n", Some("1.50")),
            ("b", Some("true")),
            ("o", Some(r#"{"a": 1}"#)),
            ("l", Some(r#"[1, "2"]"#)),
            ("z", None),
            ("e", Some("")),
            ("absent", None),
            ("s.deeper", None),
        ] {
            check(record, &format!("o365.audit.{key}"), expected);
        }
    }

    #[test]
    fn lists() {
        let record = r#"{"Parameters":[{"Name":"ForwardTo","Value":"a@b"},{"Name":"a.b c","Value":"d"}],
            "ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"n","OldValue":"o"}],
            "Folders":[{"Path":"\\Inbox","FolderItems":[{"Id":"1"},{"Id":"2"}]},{"Path":"\\Sent","FolderItems":[]}],
            "Info":"{\"k\":[{\"v\":5}]}"}"#;
        check(record, "o365.audit.Parameters.ForwardTo", Some("a@b"));
        check(record, "o365.audit.Parameters.a_b_c", Some("d"));
        check(record, "o365.audit.Parameters.Name", Some(r#"["ForwardTo","a.b c"]"#));
        check(
            record,
            "o365.audit.ModifiedProperties.Role_DisplayName.NewValue",
            Some("n"),
        );
        check(
            record,
            "o365.audit.ModifiedProperties.Role.DisplayName.OldValue",
            Some("o"),
        );
        check(record, "o365.audit.Folders.Path", Some(r#"["\\Inbox","\\Sent"]"#));
        check(record, "o365.audit.Folders.FolderItems.Id", Some(r#"[["1","2"]]"#));
        check(record, "o365.audit.Folders.1.Path", Some("\\Sent"));
        check(record, "o365.audit.Folders.7.Path", None);
        check(record, "o365.audit.Info.k.0.v", Some("5"));
    }

    #[test]
    fn snake_case_keys() {
        let wrapped = r#"{"category":"S","properties":{"ipAddress":"1","isMFARequired":true,"riskEventTypes_v2":[],"mfaDetail":{"authMethod":"m"}}}"#;
        let plain = r#"{"ipAddress":"1","isMFARequired":true,"riskEventTypes_v2":[],"mfaDetail":{"authMethod":"m"}}"#;
        for record in [wrapped, plain] {
            check(record, "azure.signinlogs.properties.ip_address", Some("1"));
            check(record, "azure.signinlogs.ip_address", Some("1"));
            check(record, "azure.signinlogs.properties.is_mfarequired", Some("true"));
            check(record, "azure.signinlogs.properties.risk_event_types_v2", Some("[]"));
            check(record, "azure.signinlogs.properties.mfa_detail.auth_method", Some("m"));
            check(record, "azure.signinlogs.properties.ipaddress", None);
        }
        check(wrapped, "azure.signinlogs.category", Some("S"));
        let audit = r#"{"properties":{"initiatedBy":{"user":{"userPrincipalName":"u"}},"targetResources":[{"displayName":"d"}]}}"#;
        check(
            audit,
            "azure.auditlogs.properties.initiated_by.user.userPrincipalName",
            Some("u"),
        );
        check(
            audit,
            "azure.auditlogs.properties.target_resources.0.display_name",
            Some("d"),
        );
        let defender = r#"{"properties":{"AccountUpn":"u","RemoteIP":"1.1.1.1"}}"#;
        check(defender, "m365_defender.event.account_upn", Some("u"));
        check(defender, "m365_defender.event.account.upn", Some("u"));
        check(defender, "m365_defender.event.remote_ip", Some("1.1.1.1"));
    }

    #[test]
    fn unreadable_records() {
        for record in [
            "",
            "[]",
            "null",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "\u{0}",
            "\"text\"",
            "{\"a\":{\"b\":",
        ] {
            check(record, "a.b", None);
            check(record, "o365.audit.a", None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(record in r#"[{}\[\],:"a-cA-C0-2.\\ ]{0,60}"#, name in "[a-cA-C0-2._é]{0,12}") {
            let _ = Lookup::new(&name).find(&record);
            let _ = Lookup::new(&format!("azure.signinlogs.{name}")).find(&record);
            let _ = Lookup::new(&format!("o365.audit.{name}")).find(&format!(r#"{{"a":{record}}}"#));
        }

        #[test]
        fn any_text(record in ".{0,60}", name in ".{0,12}") {
            let _ = Lookup::new(&name).find(&record);
            let _ = Lookup::new(&name).find(&format!(r#"{{"{name}":{record}}}"#));
        }

        #[test]
        fn finds_what_is_there(keys in prop::collection::vec("[a-zA-Zé]{1,6}", 1..4), value in "[^\\pC]{0,12}") {
            let nested = keys.iter().rev().fold(serde_json::json!(value), |inner, key| serde_json::json!({key: inner}));
            let found = Lookup::new(&format!("o365.audit.{}", keys.join("."))).find(&nested.to_string());
            prop_assert_eq!(found, Some(value));
        }
    }
}
