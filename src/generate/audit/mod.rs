//! Records of the unified audit log, as the Office 365 Management Activity API delivers
//! them. Keys, their order, their forms and the sizes of records are those of a public
//! export of a real (test) tenant, and of what Microsoft documents.

pub(super) mod admin;
pub(super) mod files;
pub(super) mod items;
pub(super) mod logon;
pub(super) mod mail;
mod message;
pub(super) mod teams;

use super::scene::Scene;
use super::text::{Put, Second, put};

/// What a record of the audit log is, for whoever carries it in a record of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) operation: &'static str,
    pub(super) workload: &'static str,
}

impl Kind {
    const fn new(operation: &'static str, workload: &'static str) -> Self {
        Self { operation, workload }
    }
}

/// Bytes of a record before the end of its `CreationTime`.
pub(super) const TIME_END: usize = r#"{"CreationTime":"2026-01-01T00:00:00"#.len();

/// What every record begins with.
struct Head<'a> {
    kind: Kind,
    record_type: u64,
    /// `ResultStatus`; SharePoint has none.
    result: Option<&'static str>,
    user_key: &'a dyn PutKey,
    user_type: u64,
    user: &'a str,
}

/// Something that identifies a user: an id, or text around one.
trait PutKey {
    fn put_key(&self, out: &mut Vec<u8>);
}

impl<T: Put> PutKey for T {
    #[inline]
    fn put_key(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

impl Head<'_> {
    fn write(&self, scene: &mut Scene<'_>, out: &mut Vec<u8>) {
        put!(out, r#"{"CreationTime":""#, Second(scene.second));
        put!(
            out,
            r#"","Id":""#,
            scene.guid(),
            r#"","Operation":""#,
            self.kind.operation
        );
        put!(
            out,
            r#"","OrganizationId":""#,
            scene.organisation.id,
            r#"","RecordType":"#,
            self.record_type
        );
        if let Some(result) = self.result {
            put!(out, r#","ResultStatus":""#, result, "\"");
        }
        put!(out, r#","UserKey":""#);
        self.user_key.put_key(out);
        put!(
            out,
            r#"","UserType":"#,
            self.user_type,
            r#","Version":1,"Workload":""#,
            self.kind.workload
        );
        put!(out, r#"","UserId":""#, self.user, "\"");
    }
}

/// Writes some record, as often of each kind as people make them. No line end.
pub(super) fn record(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    match scene.random.below(1_000) {
        0..250 => mail::bind(scene, out),
        250..330 => mail::sync(scene, out),
        330..370 => items::send(scene, out),
        370..440 => items::item(scene, out),
        440..490 => items::group(scene, out),
        490..640 => logon::logon(scene, out),
        640..870 => files::file(scene, out),
        870..925 => files::view(scene, out),
        925..985 => teams::teams(scene, out),
        _ => admin::admin(scene, out),
    }
}
