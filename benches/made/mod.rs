//! Logs made for benchmarks: the same on every machine.

#![allow(clippy::expect_used, clippy::print_stdout, dead_code, unreachable_pub)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const FILES: u64 = 20;
const USERS: u64 = 2_000;

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Fills `logs` below the folder, once.
pub fn folder(folder: &Path, fill: impl Fn(&Path)) {
    let logs = folder.join("logs");
    if !folder.join("complete").exists() {
        fs::create_dir_all(&logs).expect("the build folder can be written");
        fill(&logs);
        fs::write(folder.join("complete"), "").expect("the build folder can be written");
    }
}

/// Runs a command: seconds, and the largest resident size that was seen.
pub fn measured(command: &mut Command) -> (f64, u64) {
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let watch = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()) else {
                break;
            };
            peak = kib * 1024;
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        peak
    });
    let ended = child.wait().expect("the program can be waited for");
    let seconds = started.elapsed().as_secs_f64();
    assert!(ended.success(), "{command:?} failed");
    (seconds, watch.join().expect("the watch ends"))
}

/// Management Activity records in 20 files, 1 % of them repeats.
pub fn audit_records(logs: &Path, events: u64, days: u64) {
    files(logs, "audit", events, |line, random| audit_record(line, random, days));
}

/// Sign-ins as diagnostic settings export them, in 20 files.
pub fn sign_ins(logs: &Path, events: u64, days: u64) {
    files(logs, "signins", events, |line, random| sign_in(line, random, days));
}

/// Alerts of network sensors as Elastic keeps them, in 20 files.
pub fn network_alerts(logs: &Path, events: u64, days: u64) {
    files(logs, "alerts", events, |line, random| network_alert(line, random, days));
}

fn files(logs: &Path, name: &str, events: u64, write_one: impl Fn(&mut String, &mut Random)) {
    for file in 0..FILES {
        let path = logs.join(format!("{name}-{file:02}.json"));
        let mut out = BufWriter::new(fs::File::create(path).expect("the build folder can be written"));
        let seed = (file + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ name.len() as u64;
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut line = String::new();
        for number in 0..events / FILES {
            if number == 0 || random.below(100) != 0 {
                line.clear();
                write_one(&mut line, &mut random);
            }
            out.write_all(line.as_bytes()).expect("the build folder can be written");
        }
    }
}

fn time(random: &mut Random, days: u64) -> String {
    let second = 1_767_225_600 + random.below(days * 86_400);
    let time = chrono::DateTime::from_timestamp(second as i64, 0).expect("a time");
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn address(random: &mut Random, user: u64) -> String {
    format!("198.51.{}.{}", user % 100, user / 100 + random.below(3))
}

fn sign_in(line: &mut String, random: &mut Random, days: u64) {
    let user = random.below(USERS);
    let (time, address) = (time(random, days), address(random, user));
    let error = if random.below(20) == 0 { 50_126 } else { 0 };
    let _ = writeln!(
        line,
        r#"{{"time":"{time}.1234567Z","resourceId":"/tenants/7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"SignInLogs","tenantId":"7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee","resultType":"{error}","resultSignature":"None","durationMs":0,"callerIpAddress":"{address}","correlationId":"{}","identity":"User {user}","Level":4,"location":"DE","properties":{{"id":"{}","createdDateTime":"{time}.1234567+00:00","userDisplayName":"User {user}","userPrincipalName":"user{user}@contoso.example","userId":"{:08x}-0000-4000-9000-{user:012x}","appId":"{:08x}-0000-4000-8000-000000000000","appDisplayName":"App","ipAddress":"{address}","status":{{"errorCode":{error}}},"clientAppUsed":"Browser","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/122.0","deviceDetail":{{"deviceId":"","operatingSystem":"Windows10","browser":"Edge 122.0","isCompliant":false,"isManaged":false,"trustType":""}},"location":{{"city":"Berlin","state":"Berlin","countryOrRegion":"DE","geoCoordinates":{{"latitude":52.52,"longitude":13.4}}}},"conditionalAccessStatus":"notApplied","isInteractive":true,"tokenIssuerType":"AzureAD","riskDetail":"none","riskLevelAggregated":"none","riskLevelDuringSignIn":"none","riskState":"none","riskEventTypes_v2":[],"resourceDisplayName":"Office 365 Exchange Online","sessionId":"{}"}}}}"#,
        guid(random),
        guid(random),
        user,
        random.below(40),
        guid(random)
    );
}

fn network_alert(line: &mut String, random: &mut Random, days: u64) {
    // Most of them about addresses that no user has.
    let address = if random.below(10) == 0 {
        let user = random.below(USERS);
        address(random, user)
    } else {
        format!("45.155.{}.{}", random.below(100), random.below(250))
    };
    let (time, id) = (time(random, days), guid(random));
    let _ = writeln!(
        line,
        r#"{{"_index":".internal.alerts-security.alerts-default-000001","_id":"{id}","_source":{{"@timestamp":"{time}.000Z","kibana.alert.rule.name":"External Alerts","kibana.alert.rule.category":"Custom Query Rule","kibana.alert.uuid":"{id}","kibana.alert.severity":"medium","kibana.alert.status":"active","event.kind":"signal","event":{{"module":"suricata","dataset":"suricata.eve","category":["network","intrusion_detection"],"type":["allowed"]}},"source":{{"ip":"{address}","port":51515}},"destination":{{"ip":"203.0.113.10","port":443}},"rule":{{"id":"2024897","name":"ET SCAN Potential VPN brute force"}},"message":"Attempted Information Leak"}}}}"#
    );
}

/// A small generator: the same numbers on every machine.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn guid(random: &mut Random) -> String {
    let (a, b) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xFFFF,
        a & 0xFFFF,
        b >> 48,
        b & 0xFFFF_FFFF_FFFF
    )
}

fn audit_record(line: &mut String, random: &mut Random, days: u64) {
    let user = random.below(USERS);
    let time = time(random, days);
    let address = address(random, user);
    let kind = random.below(100);
    let (operation, workload, record_type) = match kind {
        0..45 => ("MailItemsAccessed", "Exchange", 50),
        45..70 => ("UserLoggedIn", "AzureActiveDirectory", 15),
        70..90 => ("FileAccessed", "SharePoint", 6),
        _ => ("Set-Mailbox", "Exchange", 1),
    };
    let _ = write!(
        line,
        r#"{{"CreationTime":"{time}","Id":"{}","Operation":"{operation}","OrganizationId":"7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee","RecordType":{record_type},"ResultStatus":"Succeeded","UserKey":"10032000{user:08X}","UserType":0,"Version":1,"Workload":"{workload}","UserId":"user{user}@contoso.example","ClientIP":"{address}""#,
        guid(random)
    );
    match record_type {
        50 => mail_access(line, random, user, &address),
        15 => {
            let _ = write!(
                line,
                r#","ObjectId":"00000003-0000-0000-c000-000000000000","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{{"Name":"ResultStatusDetail","Value":"Success"}},{{"Name":"UserAgent","Value":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12{}.0.0.0 Safari/537.36"}},{{"Name":"RequestType","Value":"OAuth2:Authorize"}}],"ModifiedProperties":[],"Actor":[{{"ID":"{}","Type":0}},{{"ID":"user{user}@contoso.example","Type":5}}],"ActorContextId":"7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee","ActorIpAddress":"{address}","InterSystemsId":"{}","IntraSystemId":"{}","SupportTicketId":"","Target":[{{"ID":"00000003-0000-0000-c000-000000000000","Type":0}}],"TargetContextId":"7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee","ApplicationId":"{:08x}-0000-4000-8000-000000000000","DeviceProperties":[{{"Name":"OS","Value":"Windows10"}},{{"Name":"BrowserType","Value":"Chrome"}},{{"Name":"IsCompliantAndManaged","Value":"False"}},{{"Name":"SessionId","Value":"{}"}}],"ErrorNumber":"0"}}"#,
                random.below(10),
                guid(random),
                guid(random),
                guid(random),
                random.below(40),
                guid(random)
            );
        }
        6 => {
            let file = random.below(100_000);
            let _ = write!(
                line,
                r#","ObjectId":"https://contoso.example/sites/team{0}/Shared Documents/General/file{file}.docx","CorrelationId":"{1}","EventSource":"SharePoint","ItemType":"File","ListId":"{2}","ListItemUniqueId":"{3}","Site":"{4}","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36","WebId":"{5}","SiteUrl":"https://contoso.example/sites/team{0}/","SourceFileExtension":"docx","SourceFileName":"file{file}.docx","SourceRelativeUrl":"Shared Documents/General","HighPriorityMediaProcessing":false,"IsManagedDevice":true,"AuthenticationType":"OAuth","BrowserName":"Chrome","BrowserVersion":"120.0.0.0","Platform":"WinDesktop","ApplicationDisplayName":"Word"}}"#,
                file % 50,
                guid(random),
                guid(random),
                guid(random),
                guid(random),
                guid(random)
            );
        }
        _ => {
            let _ = write!(
                line,
                r#","ObjectId":"EURPR04A009.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.example/user{user}","AppId":"","ClientAppId":"","ExternalAccess":true,"OrganizationName":"contoso.example","OriginatingServer":"DB6PR04MB3206 (15.20.4129.032)","Parameters":[{{"Name":"Identity","Value":"EURPR04A009.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.example/user{user}"}},{{"Name":"RecoverableItemsQuota","Value":"30 GB (32,212,254,720 bytes)"}},{{"Name":"Force","Value":"True"}},{{"Name":"ProhibitSendQuota","Value":"99 GB (106,300,440,576 bytes)"}},{{"Name":"SCLDeleteEnabled","Value":"False"}},{{"Name":"SCLQuarantineEnabled","Value":"False"}},{{"Name":"UseDatabaseQuotaDefaults","Value":"False"}},{{"Name":"IssueWarningQuota","Value":"90 GB (96,636,764,160 bytes)"}}],"RequestId":"{}"}}"#,
                guid(random)
            );
        }
    }
    line.push('\n');
}

fn mail_access(line: &mut String, random: &mut Random, user: u64, address: &str) {
    let items = 1 + random.below(4);
    let _ = write!(
        line,
        r#","AppId":"00000003-0000-0000-c000-000000000000","ClientAppId":"{:08x}-1111-4000-8000-000000000000","ClientIPAddress":"{address}","ClientInfoString":"Client=REST;Client=RESTSystem;;","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-1111111111-2222222222-3333333333-{user}","MailboxGuid":"{}","MailboxOwnerSid":"S-1-5-21-1111111111-2222222222-3333333333-{user}","MailboxOwnerUPN":"user{user}@contoso.example","OperationProperties":[{{"Name":"MailAccessType","Value":"Bind"}},{{"Name":"IsThrottled","Value":"False"}}],"OrganizationName":"contoso.example","OriginatingServer":"VI1PR04MB5056 (15.20.4129.032)\r\n","SessionId":"{}","Folders":[{{"FolderItems":["#,
        random.below(30),
        guid(random),
        guid(random)
    );
    for item in 0..items {
        let comma = if item > 0 { "," } else { "" };
        let _ = write!(
            line,
            r#"{comma}{{"Id":"RgAAAAB{:016x}{:016x}","InternetMessageId":"<{:016x}@contoso.example>","SizeInBytes":{}}}"#,
            random.next(),
            random.next(),
            random.below(500_000),
            random.below(100_000)
        );
    }
    let _ = write!(
        line,
        r#"],"Id":"LgAAAAB{:016x}","Path":"\\Inbox"}}],"OperationCount":{items}}}"#,
        user.wrapping_mul(77)
    );
}
