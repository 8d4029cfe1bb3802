//! The keys at the top of a record, and what each means.

use crate::schema::{CATALOGUE, Node};
use std::sync::LazyLock;

/// What a key at the top of a record means. Those that say which records move them have an ECS
/// name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Moved,
    Client,
    Exchange,
    MailboxAccess,
    LogonSid,
    File,
    Alert,
    Parameters,
    ExtendedProperties,
    ModifiedProperties,
    Members,
    RecordType,
    Number,
}

const ROLES: &[(Role, &[&str])] = &[
    (
        Role::Moved,
        &["Id", "Operation", "Workload", "OrganizationId", "UserAgent"],
    ),
    (Role::Client, &["ClientIPAddress", "ClientIP", "ActorIpAddress"]),
    (Role::Exchange, &["OriginatingServer", "OrganizationName"]),
    (Role::MailboxAccess, &["LogonUserDisplayName", "ClientProcessName"]),
    (Role::LogonSid, &["LogonUserSid"]),
    (
        Role::File,
        &["ObjectId", "SourceRelativeUrl", "SourceFileName", "SourceFileExtension"],
    ),
    (
        Role::Alert,
        &["Name", "PolicyId", "Category", "EntityType", "AlertEntityId"],
    ),
    (Role::Parameters, &["Parameters"]),
    (Role::ExtendedProperties, &["ExtendedProperties"]),
    (Role::ModifiedProperties, &["ModifiedProperties"]),
    (Role::Members, &["Members"]),
    (Role::RecordType, &["RecordType"]),
    (
        Role::Number,
        &[
            "UserType",
            "Version",
            "LogonType",
            "InternalLogonType",
            "ErrorNumber",
            "AzureActiveDirectoryEventType",
        ],
    ),
];

/// The keys under `o365.audit` and those with a role. Every key of every record is looked up, so the
/// table is told apart by a few letters, and is sparse.
#[derive(Debug)]
pub(super) struct Known {
    /// The place of `o365.audit` in the catalogue.
    pub(super) audit: Option<Node<'static>>,
    /// One more than the place in `keys`, or 0. One that finds its place taken is in the next free one.
    slots: [u16; SLOTS],
    keys: Vec<(&'static str, Role, Option<Node<'static>>)>,
}

/// Some times as many as there are keys.
const SLOTS: usize = 2048;

pub(super) static KEYS: LazyLock<Known> = LazyLock::new(|| {
    let audit = CATALOGUE.node("o365.audit");
    let mut known = Known {
        audit,
        slots: [0; SLOTS],
        keys: Vec::new(),
    };
    for (role, named) in ROLES {
        for key in *named {
            known.add(key, *role, audit.and_then(|audit| audit.child(key)));
        }
    }
    for (key, node) in audit.into_iter().flat_map(|audit| audit.children()) {
        known.add(key, Role::Plain, Some(node));
    }
    known
});

impl Known {
    /// Adds a key that is not in it.
    fn add(&mut self, key: &'static str, role: Role, node: Option<Node<'static>>) {
        // No more than half of the table: what is not in it has to end at a free slot.
        if self.get(key).is_some() || self.keys.len() == SLOTS / 2 {
            return;
        }
        self.keys.push((key, role, node));
        let mut slot = slot(key);
        while self.slots[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        self.slots[slot] = self.keys.len() as u16;
    }

    /// What a key means, and where it leads to.
    #[inline]
    pub(super) fn get(&self, key: &str) -> Option<(Role, Option<Node<'static>>)> {
        let mut slot = slot(key);
        loop {
            let place = usize::from(self.slots[slot]).checked_sub(1)?;
            let (known, role, node) = self.keys[place];
            if known == key {
                return Some((role, node));
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// Where a key is looked for first.
#[inline]
fn slot(key: &str) -> usize {
    let bytes = key.as_bytes();
    let at = |at: usize| usize::from(bytes.get(at).copied().unwrap_or(0));
    let mixed = at(0) * 31 + at(bytes.len() / 2) * 179 + at(bytes.len().wrapping_sub(1)) * 613 + at(2) * 7;
    (mixed + bytes.len() * 101) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        let audit = CATALOGUE.node("o365.audit").unwrap();
        let of_role = |key: &str| {
            ROLES
                .iter()
                .find(|(_, named)| named.contains(&key))
                .map(|(role, _)| *role)
        };
        let mut all = 0;
        for (key, _) in audit.children() {
            let (role, node) = KEYS.get(key).unwrap();
            assert_eq!(role, of_role(key).unwrap_or(Role::Plain), "{key}");
            assert_eq!(node.unwrap().field(), audit.child(key).unwrap().field(), "{key}");
            all += 1;
        }
        for key in ROLES.iter().flat_map(|(_, named)| *named) {
            let (role, node) = KEYS.get(key).unwrap();
            assert_eq!(Some(role), of_role(key), "{key}");
            assert_eq!(node.is_some(), audit.child(key).is_some(), "{key}");
            all += usize::from(audit.child(key).is_none());
        }
        assert_eq!(KEYS.keys.len(), all);
        assert!(4 * all <= SLOTS);
        for key in ["", "I", "Ie", "id", "OperatioN", "WorkloadX", "\u{1F980}"] {
            assert!(KEYS.get(key).is_none(), "{key}");
        }
    }

    /// Few are looked for in more than one place.
    #[test]
    fn keys_are_far_apart() {
        let taken: std::collections::HashSet<usize> = KEYS.keys.iter().map(|(key, _, _)| slot(key)).collect();
        assert!(
            taken.len() * 10 > KEYS.keys.len() * 8,
            "{} of {}",
            taken.len(),
            KEYS.keys.len()
        );
    }
}
