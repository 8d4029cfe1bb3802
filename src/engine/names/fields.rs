//! Dotted field names: which column, part of a column, or part of the record they mean.

use crate::schema::{ALIASES, CATALOGUE, Field, FieldType, column_name};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What a dotted name means, before looking at which tables are there.
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    /// A field with a column.
    Column(&'static Field),
    /// The names of a list of pairs.
    PairNames(&'static Field),
    /// The values of a list of pairs.
    PairValues(&'static Field),
    /// The value under one name of a list of pairs.
    PairValue(&'static Field, String),
    /// A field without a column.
    Raw,
    /// Nothing known; probably a misspelling of one of these, if any.
    Unknown(Vec<String>),
}

/// Namespaces with open-ended content: what is not in the catalogue is in the record.
const DATASET_NAMESPACES: &[&str] = &[
    "o365.audit.",
    "azure.signinlogs.",
    "azure.auditlogs.",
    "azure.identityprotection.",
    "m365_defender.",
    "kibana.alert.",
    "suricata.",
];

/// Field sets of ECS 8; the catalogue's own first segments count too.
const ECS_ROOTS: &[&str] = &[
    "agent",
    "as",
    "base",
    "client",
    "cloud",
    "code_signature",
    "container",
    "data_stream",
    "destination",
    "device",
    "dll",
    "dns",
    "ecs",
    "elf",
    "email",
    "error",
    "event",
    "faas",
    "file",
    "geo",
    "group",
    "hash",
    "host",
    "http",
    "interface",
    "labels",
    "log",
    "macho",
    "network",
    "observer",
    "orchestrator",
    "organization",
    "os",
    "package",
    "pe",
    "process",
    "registry",
    "related",
    "risk",
    "rule",
    "server",
    "service",
    "source",
    "threat",
    "tls",
    "trace",
    "transaction",
    "url",
    "user",
    "user_agent",
    "vlan",
    "volume",
    "vulnerability",
    "x509",
    "suricata",
    "azure",
    "o365",
    "m365_defender",
    "kibana",
];

static ROOTS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    names()
        .filter_map(|name| name.split('.').next())
        .chain(ECS_ROOTS.iter().copied())
        .collect()
});

static ALIAS_TARGETS: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| ALIASES.iter().copied().collect());

/// Fields of the dataset namespaces by their name in lower case.
static IGNORING_CASE: LazyLock<HashMap<String, &'static Field>> = LazyLock::new(|| {
    let fields = CATALOGUE.fields().iter().map(|field| (field.ecs, field));
    let aliases = ALIASES
        .iter()
        .filter_map(|(alias, target)| Some((*alias, CATALOGUE.by_ecs(target)?)));
    aliases
        .chain(fields)
        .filter(|(name, _)| in_dataset_namespace(name))
        .map(|(name, field)| (name.to_ascii_lowercase(), field))
        .collect()
});

/// Every field name that has a column, other spellings included.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE
        .fields()
        .iter()
        .map(|field| field.ecs)
        .chain(ALIASES.iter().map(|(alias, _)| *alias))
}

/// The catalogue's field for this name, in any of its spellings.
fn field(name: &str) -> Option<&'static Field> {
    CATALOGUE
        .by_ecs(name)
        .or_else(|| CATALOGUE.by_ecs(ALIAS_TARGETS.get(name)?))
}

/// What `name` means.
pub(super) fn meaning(name: &str) -> Meaning {
    if let Some(field) = field(name) {
        return Meaning::Column(field);
    }
    if let Some(meaning) = part_of_pairs(name) {
        return meaning;
    }
    if in_dataset_namespace(name) {
        return match IGNORING_CASE.get(&name.to_ascii_lowercase()) {
            Some(field) => Meaning::Column(field),
            None => Meaning::Raw,
        };
    }
    let misspelled = misspelled(name);
    let root = name.split('.').next().unwrap_or(name);
    if !misspelled.is_empty() {
        Meaning::Unknown(misspelled)
    } else if name.contains('.') && ROOTS.contains(root) {
        Meaning::Raw
    } else {
        Meaning::Unknown(nearest(name, names()))
    }
}

/// `o365.audit.OperationProperties.Value`, `o365.audit.Parameters.Confirm`,
/// `o365.audit.ModifiedProperties.Group.NewValue`.
fn part_of_pairs(name: &str) -> Option<Meaning> {
    let pairs = |name: &str| field(name).filter(|field| field.data_type == FieldType::Pairs);
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    for &dot in dots.iter().rev() {
        let (head, rest) = (&name[..dot], &name[dot + 1..]);
        if let Some(field) = pairs(head) {
            return Some(match rest {
                "Name" | "name" | "Key" | "key" => Meaning::PairNames(field),
                "Value" | "value" => Meaning::PairValues(field),
                one => Meaning::PairValue(field, one.to_owned()),
            });
        }
        // The half of the pair is named last, the property before it.
        if let Some((property, half)) = rest.rsplit_once('.')
            && let Some(field) = pairs(&format!("{head}.{half}"))
        {
            return Some(Meaning::PairValue(field, property.to_owned()));
        }
    }
    None
}

fn in_dataset_namespace(name: &str) -> bool {
    DATASET_NAMESPACES.iter().any(|namespace| {
        name.get(..namespace.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(namespace))
    })
}

/// Known names that `name` is most likely meant to be; empty for a plausible field.
fn misspelled(name: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = names()
        .filter(|known| !in_dataset_namespace(known) && known.len().abs_diff(name.len()) <= 2)
        .filter_map(|known| {
            if known.eq_ignore_ascii_case(name) {
                return Some((0, known));
            }
            let distance = strsim::damerau_levenshtein(known, name);
            (distance <= 2 && 2 * distance < differing_length(known, name)).then_some((distance, known))
        })
        .collect();
    found.sort();
    found.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}

/// Length of the shortest segment in which two names differ: `host.ip` is a field of its
/// own and no misspelling of `host.id`, though one letter apart.
fn differing_length(known: &str, name: &str) -> usize {
    let (known, name): (Vec<&str>, Vec<&str>) = (known.split('.').collect(), name.split('.').collect());
    if known.len() != name.len() {
        return known
            .iter()
            .chain(&name)
            .map(|segment| segment.len())
            .min()
            .unwrap_or(0);
    }
    let differing = known.iter().zip(&name).filter(|(known, name)| known != name);
    differing
        .map(|(known, name)| known.len().min(name.len()))
        .min()
        .unwrap_or(0)
}

/// Up to three fields with a column that `name`, which has none, may be a misspelling of,
/// best first. Less sure than [`misspelled`]: a reason to ask, not to refuse.
pub(super) fn doubtful(name: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = names()
        .filter_map(|known| edits(known, name).map(|edits| (edits, known)))
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}

/// How many letters two names differ in, if so few that one may be meant for the other.
fn edits(known: &str, name: &str) -> Option<usize> {
    if column_name(known) == column_name(name) {
        // `o365.audit.client_app_id`, `o365.audit.Client.AppId`
        return Some(0);
    }
    let count = |name: &str| name.split('.').count();
    if count(known) != count(name) || known.len().abs_diff(name.len()) > 2 {
        return None;
    }
    let mut all = 0;
    for (known, written) in known.split('.').zip(name.split('.')) {
        let (known, written) = (known.to_ascii_lowercase(), written.to_ascii_lowercase());
        if known == written {
            continue;
        }
        let edits = strsim::damerau_levenshtein(&known, &written);
        let shortest = known.len().min(written.len());
        let enough = match edits {
            // `ip` is no misspelling of `id`, nor `1` of `0`; but `idd` may be one.
            1 if known.len() == written.len() && !same_letters(&known, &written) => shortest >= 4,
            1 => shortest >= 2,
            _ => shortest >= 6,
        };
        all += edits;
        if !enough || all > 2 {
            return None;
        }
    }
    Some(all)
}

fn same_letters(one: &str, other: &str) -> bool {
    let sorted = |text: &str| {
        let mut letters = text.as_bytes().to_vec();
        letters.sort_unstable();
        letters
    };
    sorted(one) == sorted(other)
}

/// Up to three of the names that look like `name`, best first.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    const ALIKE: f64 = 0.6;
    let lower = name.to_ascii_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .filter(|known| *known != name)
        .map(|known| {
            (
                strsim::normalized_damerau_levenshtein(&lower, &known.to_ascii_lowercase()),
                known,
            )
        })
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, known)| *known);
    scored.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> String {
        match meaning(name) {
            Meaning::Column(field) => field.column.clone(),
            Meaning::PairNames(field) => format!("names of {}", field.column),
            Meaning::PairValues(field) => format!("values of {}", field.column),
            Meaning::PairValue(field, name) => format!("{name} of {}", field.column),
            Meaning::Raw => "raw".into(),
            Meaning::Unknown(nearest) => format!("? {}", nearest.join(" ")),
        }
    }

    #[test]
    fn meanings() {
        for (name, expected) in [
            ("@timestamp", "timestamp"),
            ("event.action", "event_action"),
            ("o365.audit.ClientAppId", "o365_audit_client_app_id"),
            ("o365.audit.clientappid", "o365_audit_client_app_id"),
            (
                "o365.audit.OperationProperties.Name",
                "names of o365_audit_operation_properties",
            ),
            (
                "o365.audit.OperationProperties.Value",
                "values of o365_audit_operation_properties",
            ),
            (
                "o365.audit.OperationProperties.Odd",
                "Odd of o365_audit_operation_properties",
            ),
            ("o365.audit.Parameters.Name", "o365_audit_parameters_name"),
            ("o365.audit.Parameters.Confirm", "Confirm of o365_audit_parameters"),
            (
                "o365.audit.ModifiedProperties.Group_Id.NewValue",
                "Group_Id of o365_audit_modified_properties_new_value",
            ),
            ("o365.audit.Brand.New", "raw"),
            ("dns.question.name", "raw"),
            ("host.ip", "raw"),
            ("event.original", "raw"),
            ("data_stream.dataset", "event_dataset"),
            ("event.acton", "? event.action"),
            ("Event.Action", "? event.action"),
            ("evnt.action", "? event.action"),
            ("user.nmae", "? user.name"),
            ("sauce.horse", "? "),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
    }

    #[test]
    fn no_field_of_the_catalogue_is_a_misspelling() {
        for name in names() {
            assert!(
                !matches!(meaning(name), Meaning::Unknown(_) | Meaning::Raw) || name == "event.original",
                "{name}"
            );
        }
    }
}
