//! The field catalogue: which ECS fields have a column of their own, under which
//! name and type, and the row that a source fills with them.
//!
//! A field that is not here is still reachable in SQL: it is read from `raw`.

mod fields;
mod row;

pub use fields::*;
pub use row::{Cell, EventRow};

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// How the values of a field are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// One string. ECS `keyword`, and numbers that ECS types as keyword.
    Keyword,
    /// Zero or more strings, in the order of the record.
    Keywords,
    /// One address as text in canonical form; an IPv4-mapped address is its IPv4.
    Ip,
    /// Signed 64-bit integer.
    Long,
    /// 64-bit float.
    Double,
    /// True or false.
    Boolean,
    /// Microseconds since the Unix epoch, UTC.
    Timestamp,
    /// A list of name and value pairs, kept as pairs and in order.
    Pairs,
}

/// Position of a field in the catalogue, and so of its column in every batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub(crate) u16);

impl FieldId {
    /// The catalogue entry.
    pub fn field(self) -> &'static Field {
        &CATALOGUE.fields[self.index()]
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One catalogue entry.
#[derive(Debug, Clone)]
pub struct Field {
    /// Position in the catalogue.
    pub id: FieldId,
    /// ECS name, dotted, as detections spell it.
    pub ecs: &'static str,
    /// Column name: the ECS name in flat snake case.
    pub column: String,
    /// How it is stored.
    pub data_type: FieldType,
    /// What it holds and where it comes from, in one line.
    pub doc: &'static str,
}

/// Fields that Elastic's mapping moves: under the record's own name there are only the
/// values that were not moved, so who asks for that name should be told of the other.
pub const MOVED: &[(&str, &str)] = &[
    ("o365.audit.ClientIP", "source.ip"),
    ("o365.audit.ClientIPAddress", "source.ip"),
    ("o365.audit.ActorIpAddress", "source.ip"),
    ("o365.audit.ObjectId", "url.original (files) or user.target.id (users)"),
    ("o365.audit.SourceFileName", "file.name"),
    ("o365.audit.SourceFileExtension", "file.extension"),
    ("o365.audit.SourceRelativeUrl", "file.directory"),
    ("o365.audit.OrganizationName", "organization.name"),
    ("o365.audit.UserAgent", "user_agent.original"),
    ("o365.audit.LogonUserDisplayName", "user.full_name"),
    ("o365.audit.ClientProcessName", "process.name"),
];

/// All fields, with look-ups by either name.
#[derive(Debug)]
pub struct Catalogue {
    fields: Vec<Field>,
    by_ecs: HashMap<&'static str, FieldId>,
    by_column: HashMap<String, FieldId>,
    trie: Trie,
}

/// The catalogue; built once, never changed.
pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::new);

impl Catalogue {
    fn new() -> Self {
        let mut fields = Vec::with_capacity(FIELDS.len());
        let mut by_ecs = HashMap::with_capacity(FIELDS.len());
        let mut by_column = HashMap::with_capacity(FIELDS.len());
        let mut trie = Trie::default();
        for (position, &(ecs, data_type, doc)) in FIELDS.iter().enumerate() {
            let id = FieldId(position as u16);
            let column = column_name(ecs);
            by_ecs.insert(ecs, id);
            by_column.insert(column.clone(), id);
            trie.insert(ecs, id);
            fields.push(Field {
                id,
                ecs,
                column,
                data_type,
                doc,
            });
        }
        Self {
            fields,
            by_ecs,
            by_column,
            trie,
        }
    }

    /// Every field, in column order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field with this ECS name, spelled exactly.
    pub fn by_ecs(&self, ecs: &str) -> Option<&Field> {
        self.by_ecs.get(ecs).map(|id| &self.fields[id.index()])
    }

    /// The field with this column name.
    pub fn by_column(&self, column: &str) -> Option<&Field> {
        self.by_column.get(column).map(|id| &self.fields[id.index()])
    }

    /// The root of the tree of name segments, for walking a record beside it.
    pub fn root(&self) -> Node<'_> {
        Node {
            trie: &self.trie,
            index: 0,
        }
    }

    /// The node at a dotted prefix such as `o365.audit`.
    pub fn node(&self, prefix: &str) -> Option<Node<'_>> {
        prefix
            .split('.')
            .try_fold(self.root(), |node, segment| node.child(segment))
    }
}

/// Tree of the dotted names, one level per segment.
#[derive(Debug)]
struct Trie {
    nodes: Vec<TrieNode>,
}

#[derive(Debug, Default)]
struct TrieNode {
    field: Option<FieldId>,
    /// Records are walked beside this, a look for every key.
    children: ahash::AHashMap<&'static str, usize>,
    /// The same by how records of Azure spell most of them, made when it is asked for.
    spelled: OnceLock<ahash::AHashMap<String, usize>>,
}

impl Default for Trie {
    fn default() -> Self {
        Self {
            nodes: vec![TrieNode::default()],
        }
    }
}

impl Trie {
    fn insert(&mut self, ecs: &'static str, id: FieldId) {
        let mut at = 0;
        for segment in ecs.split('.') {
            at = match self.nodes[at].children.get(segment) {
                Some(&next) => next,
                None => {
                    self.nodes.push(TrieNode::default());
                    let next = self.nodes.len() - 1;
                    self.nodes[at].children.insert(segment, next);
                    next
                }
            };
        }
        self.nodes[at].field = Some(id);
    }
}

/// A place in the tree of names.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    trie: &'a Trie,
    index: usize,
}

impl<'a> Node<'a> {
    /// The field that ends at this place.
    pub fn field(&self) -> Option<FieldId> {
        self.trie.nodes[self.index].field
    }

    /// The place one segment further; segments are compared byte for byte.
    pub fn child(&self, segment: &str) -> Option<Node<'a>> {
        let index = *self.trie.nodes[self.index].children.get(segment)?;
        Some(Node { trie: self.trie, index })
    }

    /// The place one segment further by a key in camel case, whose snake case is the segment.
    pub fn child_in_snake_case(&self, key: &str) -> Option<Node<'a>> {
        let node = &self.trie.nodes[self.index];
        let spelled = node.spelled.get_or_init(|| spellings(&node.children));
        match spelled.get(key) {
            Some(&index) => Some(Node { trie: self.trie, index }),
            None => self.child(&snake_case(key)),
        }
    }

    /// The places one segment further, in no order.
    pub fn children(&self) -> impl Iterator<Item = (&'static str, Node<'a>)> + use<'a> {
        let trie = self.trie;
        let children = trie.nodes[self.index].children.iter();
        children.map(move |(segment, &index)| (*segment, Node { trie, index }))
    }

    /// True where no longer name goes on from here.
    pub fn is_leaf(&self) -> bool {
        self.trie.nodes[self.index].children.is_empty()
    }
}

/// Segments as they are, and in the camel case that they are likely to be the snake case of.
fn spellings(segments: &ahash::AHashMap<&'static str, usize>) -> ahash::AHashMap<String, usize> {
    let spelled = segments.iter().flat_map(|(segment, &index)| {
        let mut words = segment.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let camel = words.fold(first, |mut camel, word| {
            let mut characters = word.chars();
            camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
            camel.push_str(characters.as_str());
            camel
        });
        [(*segment).to_owned(), camel].map(|key| (key, index))
    });
    // Not of all is it so: of `a__b` it is not, nor of one with a capital.
    let mut spelled: ahash::AHashMap<String, usize> = spelled.collect();
    spelled.retain(|key, index| segments.get(&*snake_case(key)) == Some(index));
    spelled
}

/// The column of an ECS name: `o365.audit.ClientAppId` is `o365_audit_client_app_id`.
///
/// A word begins at a capital after a lower-case letter or digit, and at the last
/// capital of a run that a lower-case letter follows (`AADSessionId`: `aad_session_id`).
/// `@timestamp` is `timestamp`.
pub fn column_name(ecs: &str) -> String {
    let bytes = ecs.as_bytes();
    let mut column = String::with_capacity(ecs.len() + 8);
    for (position, character) in ecs.char_indices() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && position > 0 {
                let before = bytes[position - 1];
                let after = bytes.get(position + 1).copied().unwrap_or(b'.');
                let word_begins = before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_ascii_lowercase());
                if word_begins {
                    column.push('_');
                }
            }
            column.push(character.to_ascii_lowercase());
        } else if character != '@' && !column.ends_with('_') && !column.is_empty() {
            column.push('_');
        }
    }
    column
}

/// Elastic's snake case: `_` between a lower-case letter and the capitals after it, so
/// that a run of capitals stays together: `isMFARequired` is `is_mfarequired`.
pub fn snake_case(key: &str) -> Cow<'_, str> {
    if !key.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let mut snake = String::with_capacity(key.len() + 6);
    let mut after_lower = false;
    for character in key.chars() {
        if character.is_ascii_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = character.is_ascii_lowercase();
        snake.push(character.to_ascii_lowercase());
    }
    Cow::Owned(snake)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn column_names() {
        assert_eq!(column_name("@timestamp"), "timestamp");
        assert_eq!(column_name("event.action"), "event_action");
        assert_eq!(column_name("o365.audit.ClientAppId"), "o365_audit_client_app_id");
        assert_eq!(
            column_name("o365.audit.AppAccessContext.AADSessionId"),
            "o365_audit_app_access_context_aad_session_id"
        );
        assert_eq!(
            column_name("o365.audit.MailboxOwnerUPN"),
            "o365_audit_mailbox_owner_upn"
        );
        assert_eq!(column_name("file.hash.sha256"), "file_hash_sha256");
    }

    #[test]
    fn snake_case_as_elastic() {
        for (key, expected) in [
            ("ipAddress", "ip_address"),
            ("IPAddress", "ipaddress"),
            ("isMFARequired", "is_mfarequired"),
            ("riskEventTypes_v2", "risk_event_types_v2"),
            ("StatusSequence", "status_sequence"),
            ("mfaDetail", "mfa_detail"),
            ("oauth2Permission", "oauth2permission"),
            ("id", "id"),
        ] {
            assert_eq!(snake_case(key), expected);
        }
    }

    #[test]
    fn a_key_leads_where_its_snake_case_does() {
        for prefix in [
            "azure.signinlogs.properties",
            "azure.auditlogs.properties",
            "azure.signinlogs",
            "o365.audit",
        ] {
            let node = CATALOGUE.node(prefix).unwrap();
            let mut keys: Vec<String> = node.children().map(|(segment, _)| segment.to_owned()).collect();
            keys.extend(spellings(&node.trie.nodes[node.index].children).into_keys());
            keys.extend(keys.clone().iter().map(|key| key.replace('_', "")));
            keys.extend(keys.clone().iter().map(|key| key.to_ascii_uppercase()));
            keys.extend(
                [
                    "ipAddress",
                    "IPAddress",
                    "ip_address",
                    "riskEventTypes_v2",
                    "",
                    "_",
                    "nowhere",
                ]
                .map(Into::into),
            );
            for key in keys {
                let slow = node.child(&snake_case(&key)).map(|child| child.index);
                let fast = node.child_in_snake_case(&key).map(|child| child.index);
                assert_eq!(fast, slow, "{prefix}.{key}");
            }
        }
        let properties = CATALOGUE.node("azure.signinlogs.properties").unwrap();
        let spelled = spellings(&properties.trie.nodes[properties.index].children);
        assert!(spelled.contains_key("ipAddress") && spelled.contains_key("isInteractive"));
    }

    #[test]
    fn names_and_columns_are_unique() {
        let columns: HashSet<_> = CATALOGUE.fields().iter().map(|f| f.column.as_str()).collect();
        let names: HashSet<_> = CATALOGUE.fields().iter().map(|f| f.ecs).collect();
        assert_eq!(columns.len(), CATALOGUE.fields().len());
        assert_eq!(names.len(), CATALOGUE.fields().len());
    }

    #[test]
    fn moved_fields_exist() {
        for (name, _) in MOVED {
            assert!(
                CATALOGUE.by_ecs(name).is_some() || ALIASES.iter().any(|(alias, _)| alias == name),
                "{name}"
            );
        }
    }

    #[test]
    fn constants_match_the_table() {
        for (id, ecs) in FIELD_CONSTANTS {
            assert_eq!(id.field().ecs, *ecs);
        }
    }
}
