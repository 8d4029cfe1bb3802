//! How fast and in how much memory a folder of audit records is ingested.
//!
//! `cargo bench --bench ingest` writes 900,000 Management Activity records (about 1.1 GB of
//! JSON lines in 20 files, 1 % of them repeats, 90 days, 2,000 users) below the build
//! folder, once, and ingests them into a new lake under `--memory-limit 2GB` on two threads.
//! `RETROHUNT_BENCH_EVENTS` changes the number of events, `RETROHUNT_BENCH_RUNS` that of runs.

#![allow(clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const FILES: u64 = 20;
const USERS: u64 = 2_000;
const DAYS: u64 = 90;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let setting = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let events = setting("RETROHUNT_BENCH_EVENTS", 900_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ingest-{events}"));
    let logs = folder.join("logs");
    if !folder.join("complete").exists() {
        fs::create_dir_all(&logs).expect("the build folder can be written");
        for file in 0..FILES {
            write_file(&logs.join(format!("audit-{file:02}.json")), file, events / FILES);
        }
        fs::write(folder.join("complete"), "").expect("the build folder can be written");
    }
    let bytes: u64 = fs::read_dir(&logs)
        .expect("logs")
        .map(|e| e.expect("entry").metadata().expect("size").len())
        .sum();
    println!("{events} events, {:.2} GB", bytes as f64 / 1e9);
    for run in 1..=setting("RETROHUNT_BENCH_RUNS", 3) {
        let lake = folder.join("lake");
        let _ = fs::remove_dir_all(&lake);
        let (seconds, peak) = ingest(&logs, &lake);
        println!(
            "run {run}: {seconds:.1} s, {:.0} MB/s, {:.0} events/s, peak memory {:.0} MB, lake {:.0} bytes per event",
            bytes as f64 / 1e6 / seconds,
            events as f64 / seconds,
            peak as f64 / 1e6,
            size_of(&lake) as f64 / events as f64,
        );
    }
}

/// Seconds, and the largest resident size that was seen.
fn ingest(logs: &Path, lake: &Path) -> (f64, u64) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_retrohunt"))
        .args(["ingest", "--memory-limit", "2GB", "--threads", "2", "--format", "json"])
        .arg(logs)
        .arg("--lake")
        .arg(lake)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("the program can be waited for") {
            break ended;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(ended.success(), "the ingest failed");
    (started.elapsed().as_secs_f64(), peak)
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| {
            if path.is_dir() {
                size_of(&path)
            } else {
                fs::metadata(path).expect("size").len()
            }
        })
        .sum()
}

/// A small generator: the same numbers on every machine.
struct Random(u64);

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

fn write_file(path: &Path, file: u64, events: u64) {
    let mut out = BufWriter::new(fs::File::create(path).expect("the build folder can be written"));
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (file + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9));
    let mut line = String::new();
    for number in 0..events {
        if number == 0 || random.below(100) != 0 {
            line.clear();
            record(&mut line, &mut random);
        }
        out.write_all(line.as_bytes()).expect("the build folder can be written");
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

fn record(line: &mut String, random: &mut Random) {
    let user = random.below(USERS);
    let second = 1_767_225_600 + random.below(DAYS * 86_400);
    let time = chrono::DateTime::from_timestamp(second as i64, 0)
        .expect("a time")
        .format("%Y-%m-%dT%H:%M:%S");
    let address = format!("198.51.{}.{}", user % 100, user / 100 + random.below(3));
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
