//! Accesses counted by who, with what, from where.

use super::access::{Access, AccessType};
use super::application::Application;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// First, last and number of some accesses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The first one.
    #[serde(serialize_with = "super::instant")]
    pub first: i64,
    /// The last one.
    #[serde(serialize_with = "super::instant")]
    pub last: i64,
    /// All records.
    pub events: u64,
    /// Records of opened messages.
    pub bind_events: u64,
    /// Records of synchronised folders.
    pub sync_events: u64,
    /// Different message ids.
    pub messages: u64,
}

macro_rules! counted_by {
    ($($(#[$doc:meta])* $name:ident { $(#[$key_doc:meta])* $key:ident: $type:ty })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct $name {
            $(#[$key_doc])*
            pub $key: $type,
            /// Its accesses.
            #[serde(flatten)]
            pub tally: Tally,
        }

        impl From<($type, Tally)> for $name {
            fn from(($key, tally): ($type, Tally)) -> Self {
                Self { $key, tally }
            }
        }
    )*};
}

counted_by! {
    /// Accesses of one session.
    BySession {
        /// Its id.
        session: String
    }
    /// Accesses by one client.
    ByClient {
        /// ClientInfoString.
        client: String
    }
    /// Accesses from one address.
    ByAddress {
        /// The address.
        address: String
    }
    /// Accesses by one user.
    ByUser {
        /// UserId.
        user: String
    }
}

/// Accesses by one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByApplication {
    /// Which.
    #[serde(flatten)]
    pub application: Application,
    /// Its accesses.
    #[serde(flatten)]
    pub tally: Tally,
}

/// All the counts of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tallies {
    /// By session; accesses without one are not here.
    pub sessions: Vec<BySession>,
    /// By client.
    pub clients: Vec<ByClient>,
    /// By address.
    pub addresses: Vec<ByAddress>,
    /// By application.
    pub applications: Vec<ByApplication>,
    /// By user.
    pub users: Vec<ByUser>,
}

impl Tallies {
    pub(super) fn of(accesses: &[Access]) -> Self {
        Self {
            sessions: by(accesses, |access| access.session.clone()),
            clients: by(accesses, |access| access.client.clone()),
            addresses: by(accesses, |access| access.address.clone()),
            applications: by_application(accesses),
            users: by(accesses, |access| access.user.as_ref().map(|user| user.to_lowercase())),
        }
    }
}

/// Counts by a key, in order of the first access.
pub(super) fn by<K: Ord, T: From<(K, Tally)>>(accesses: &[Access], key: impl Fn(&Access) -> Option<K>) -> Vec<T> {
    let mut groups: BTreeMap<K, Vec<&Access>> = BTreeMap::new();
    for access in accesses {
        if let Some(key) = key(access) {
            groups.entry(key).or_default().push(access);
        }
    }
    let mut tallies: Vec<(K, Tally)> = groups.into_iter().map(|(key, group)| (key, tally(&group))).collect();
    // Stable: equal times stay in order of the key.
    tallies.sort_by_key(|(_, tally)| tally.first);
    tallies.into_iter().map(T::from).collect()
}

/// The name of an application is not part of what it is: older records lack it.
fn by_application(accesses: &[Access]) -> Vec<ByApplication> {
    let ids = |access: &Access| {
        let application = Application {
            client_app_name: None,
            ..access.application.clone()
        };
        application.is_known().then_some(application)
    };
    let mut names: BTreeMap<Application, &String> = BTreeMap::new();
    for access in accesses {
        if let (Some(name), Some(ids)) = (&access.application.client_app_name, ids(access)) {
            names.entry(ids).or_insert(name);
        }
    }
    let mut groups: Vec<ByApplication> = by(accesses, ids);
    for group in &mut groups {
        group.application.client_app_name = names.get(&group.application).map(|name| (*name).clone());
    }
    groups
}

impl From<(Application, Tally)> for ByApplication {
    fn from((application, tally): (Application, Tally)) -> Self {
        Self { application, tally }
    }
}

fn tally(group: &[&Access]) -> Tally {
    let of_type = |wanted| group.iter().filter(|access| access.access_type == wanted).count() as u64;
    let messages: HashSet<&str> = group
        .iter()
        .flat_map(|access| &access.items)
        .filter_map(|item| item.message_id.as_deref())
        .collect();
    Tally {
        first: group.iter().map(|access| access.time).min().unwrap_or_default(),
        last: group.iter().map(|access| access.time).max().unwrap_or_default(),
        events: group.len() as u64,
        bind_events: of_type(AccessType::Bind),
        sync_events: of_type(AccessType::Sync),
        messages: messages.len() as u64,
    }
}
