//! Attacks: what is planted for detections to find.
//!
//! Each is an account that was phished. The network sensor sees the attacker's address, who
//! fails to sign in, then signs in (rated risky, on an unknown device), consents to an
//! application of the attacker's, reads mail through it one by one and in bulk until Exchange
//! stops recording, makes a rule that forwards mail, and takes some files. Defender raises an
//! alert about the account. Every built-in detection finds every attack.

use super::applications::Client;
use super::audit::mail::{self, Access};
use super::audit::{TIME_END, admin, files, logon};
use super::organisation::{Organisation, User};
use super::others::{defender, directory, network, risk};
use super::places::{self, ZONES};
use super::random::{Random, join};
use super::scene::{COMPUTER_AGENTS, Device, Scene};
use super::sign_ins::{self, SignIn};
use super::text::{Guid, text_of};
use super::{Format, Tenant};
use crate::config::format_instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds from the first to the last event of an attack.
const SPAN: u64 = 80 * 60;

/// An attack that was planted, and what of it can be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attack {
    /// User principal name of the victim.
    pub user: String,
    /// Object id of the victim.
    pub user_id: String,
    /// Address of the attacker.
    pub address: String,
    /// Session of the attacker's sign-in.
    pub session_id: String,
    /// Client id of the application that the attacker reads mail through.
    pub application_id: String,
    /// Name of that application.
    pub application: String,
    /// Time of the first event, UTC.
    pub from: String,
    /// Time of the last event, UTC.
    pub to: String,
    /// Ids of the records of mail read in bulk.
    pub bulk_access_ids: Vec<String>,
    /// Id of the record of the forwarding rule.
    pub rule_id: String,
    /// Where the rule forwards mail to.
    pub forwards_to: String,
    /// How many events it left, by format.
    pub events: BTreeMap<Format, u64>,
    /// How many alerts each built-in detection has for it, where what it reads was written.
    pub alerts: BTreeMap<String, u64>,
}

/// An event of an attack: of which log, when (seconds since 1970), and its record.
#[derive(Debug)]
pub(super) struct Planted {
    pub(super) format: Format,
    pub(super) second: u64,
    pub(super) record: Vec<u8>,
}

/// Numbers of users who can be victims; none in an organisation of two.
fn victims(organisation: &Organisation) -> u64 {
    (organisation.users.len() as u64 + 1) / 4
}

/// Plants an attack.
pub(super) fn plant(organisation: &Organisation, tenant: &Tenant, number: u64) -> (Attack, Vec<Planted>) {
    let own = join(tenant.seed, join(0xA77A_C4ED, number));
    let mut random = Random::new(own);
    // One after another through the last days, so that history comes before them.
    let length = tenant.days * 86_400;
    let part = length * 3 / 10 / tenant.attacks.max(1);
    let start = tenant.first_second() + length * 6 / 10 + part * number + random.below(part.max(1));
    let start = start.min(tenant.first_second() + length - SPAN - 1);
    let victim = 4 * ((join(tenant.seed, 77) + number) % victims(organisation).max(1)) + 2;
    let user = &organisation.users[(victim as usize).min(organisation.users.len() - 1)];
    let mut attack = Plan {
        organisation,
        user,
        random: Random::new(own ^ 1),
        address: places::attacker(random.next()),
        session: Guid(random.next(), random.next()),
        start,
        wanted: &tenant.formats,
        planted: Vec::new(),
    };
    let application = Guid(random.next(), random.next()).text();
    let name = *random.pick(&[
        "Mail Sync Pro",
        "eDoc Viewer",
        "Inbox Insights",
        "PDF Shield",
        "Perfect Data",
    ]);
    let forwards_to = format!("billing{}@mailbox.example", random.below(1_000));
    let (bulk_access_ids, rule_id) = attack.carry_out((&application, name), &forwards_to);
    let planted = attack.planted;
    let mut events = BTreeMap::new();
    for event in &planted {
        *events.entry(event.format).or_insert(0) += 1;
    }
    let seconds = || planted.iter().map(|event| event.second);
    let instant = |second: Option<u64>| format_instant(second.unwrap_or(start) as i64 * 1_000_000);
    let summary = Attack {
        user: user.upn.clone(),
        user_id: user.id.to_string(),
        address: text_of(&attack.address).into(),
        session_id: attack.session.text().into(),
        application_id: application.into(),
        application: name.to_owned(),
        from: instant(seconds().min()),
        to: instant(seconds().max()),
        bulk_access_ids,
        rule_id,
        forwards_to,
        events,
        alerts: alerts(&tenant.formats),
    };
    (summary, planted)
}

/// What detections find of an attack, by the logs they need for that.
fn alerts(written: &[Format]) -> BTreeMap<String, u64> {
    let found: [(&str, &[Format], u64); 4] = [
        ("excessive_mail_items", &[Format::Audit], 2),
        ("unusual_client_app", &[Format::Audit], 1),
        ("suspicious_source", &[Format::Audit, Format::Network], 1),
        (
            "risky_mailbox_rule",
            &[Format::Audit, Format::Signins, Format::Evidence],
            1,
        ),
    ];
    let all_there = |needed: &[Format]| needed.iter().all(|format| written.contains(format));
    let found = found.into_iter().filter(|(_, needed, _)| all_there(needed));
    found
        .map(|(detection, _, alerts)| (detection.to_owned(), alerts))
        .collect()
}

/// An attack while it is carried out.
struct Plan<'a> {
    organisation: &'a Organisation,
    user: &'a User,
    random: Random,
    address: places::Address,
    session: Guid,
    start: u64,
    wanted: &'a [Format],
    planted: Vec<Planted>,
}

impl<'a> Plan<'a> {
    /// Something the attacker does so many seconds after the start; returns the record's id if
    /// it is one of the audit log.
    fn add(&mut self, format: Format, after: u64, write: impl FnOnce(&mut Scene<'a>, &mut Vec<u8>)) -> String {
        let second = self.start + after;
        let mut scene = Scene {
            organisation: self.organisation,
            random: Random::new(self.random.next()),
            second,
            user: self.user,
            device: Device::Private,
            address: self.address,
            zone: (self.user.zone + 3) % ZONES.len(),
            session: self.session,
            agent: COMPUTER_AGENTS[3],
        };
        let mut record = Vec::new();
        write(&mut scene, &mut record);
        let id = TIME_END + r#"","Id":""#.len();
        let id = record
            .get(id..id + 36)
            .map(|id| String::from_utf8_lossy(id).into_owned());
        if self.wanted.contains(&format) {
            self.planted.push(Planted { format, second, record });
        }
        id.unwrap_or_default()
    }

    fn carry_out(&mut self, application: (&str, &str), forwards_to: &str) -> (Vec<String>, String) {
        for (number, after) in [0, 40, 300, 2_400].into_iter().enumerate() {
            self.add(Format::Network, after, |scene, out| {
                let (second, from) = (scene.second, scene.address);
                match number % 2 {
                    0 => network::external_alert(second, &mut scene.random, from, number, out),
                    _ => network::eve(second, &mut scene.random, from, number, out),
                }
            });
        }
        self.sign_in();
        self.add(Format::Audit, 720, |scene, out| {
            admin::consent(scene, application, out);
        });
        self.add(Format::Directory, 720, |scene, out| {
            directory::consent(scene, application, out)
        });
        for number in 0..12 {
            let messages = 1 + number % 7;
            self.mail(780 + number * 95, application.0, messages, false);
        }
        let rule = self.add(Format::Audit, 1_500, |scene, out| {
            admin::forwarding_rule(scene, forwards_to, out);
        });
        let many = 100 + self.random.below(150);
        let bulk = vec![
            self.mail(2_100, application.0, many, false),
            self.mail(2_700, application.0, 9, true),
        ];
        for number in 0..8 {
            self.add(Format::Audit, 3_000 + number * 41, |scene, out| {
                files::file_operation(scene, "FileDownloaded", out);
            });
        }
        self.add(Format::Evidence, SPAN, |scene, out| {
            let alert = (
                "Anonymous IP address involving one user",
                "InitialAccess",
                "Valid Accounts (T1078)",
            );
            defender::evidence(scene, alert, "High", out);
        });
        (bulk, rule)
    }

    /// Three attempts, and one that works.
    fn sign_in(&mut self) {
        let office = ("4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome");
        for attempt in 0..4 {
            let (after, works) = (420 + attempt * 20, attempt == 3);
            let sign_in = SignIn {
                application: office,
                interactive: true,
                error: if works { 0 } else { 50_126 },
                risk: if works { "high" } else { "none" },
            };
            self.add(Format::Signins, after, |scene, out| {
                sign_ins::user(scene, &sign_in, out)
            });
            let failure = (!works).then_some(logon::FAILURES[0]);
            self.add(Format::Audit, after, |scene, out| {
                logon::logged_on(scene, office.0, failure, out);
            });
        }
        self.add(Format::Risk, 481, |scene, out| {
            risk::event(scene, "high", "anonymizedIPAddress", out)
        });
    }

    /// Mail read through the attacker's application.
    fn mail(&mut self, after: u64, application: &str, messages: u64, throttled: bool) -> String {
        let owner = self.user;
        self.add(Format::Audit, after, |scene, out| {
            let access = Access {
                application: Some(application),
                client: Client::Rest,
                owner,
                logon_type: 0,
                messages,
                throttled,
            };
            mail::accessed(scene, &access, out);
        })
    }
}
