//! Servers that speak the protocols of S3 and Azure Blob: moto from PyPI and Microsoft's Azurite
//! from npm, installed once below the build folder. One of each for all tests of this process.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const MOTO: &str = "moto[server]==5.2.5";
const AZURITE: &str = "azurite@3.35.0";
/// Other programs that read a lake.
const READERS: [&str; 4] = ["deltalake==1.6.6", "duckdb==2.0.0", "polars==2.1.0", "pyarrow==26.0.1"];

/// A server that is stopped with the process.
pub(crate) struct Server {
    pub(crate) port: u16,
}

/// The environment that makes the program use a server.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// Where the tests keep what they install.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools")
}

/// Installs once, whichever of several processes comes first.
fn installed(name: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let folder = tools().join(name);
    std::fs::create_dir_all(tools()).unwrap();
    let lock = File::create(tools().join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if !folder.join("installed").is_file() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        install(&folder);
        std::fs::write(folder.join("installed"), "").unwrap();
    }
    folder
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn python_with(name: &str, packages: &[&str]) -> PathBuf {
    let folder = installed(name, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        run(Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(packages));
    });
    folder.join("bin/python")
}

/// Python with `deltalake`, `duckdb` and `polars`.
pub(crate) fn python_readers() -> PathBuf {
    // By the versions, so that others are installed when they change.
    python_with("readers-1", &READERS)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a server that ends when this process does, however that is: its standard input is a
/// pipe of ours, and a shell ends the server when the pipe is closed.
#[expect(clippy::zombie_processes, reason = "it runs for as long as this process does")]
fn start(name: &str, command: &str) -> Server {
    let port = free_port();
    let folder = tools().join(format!("{name}-{port}"));
    std::fs::create_dir_all(&folder).unwrap();
    let log = folder.join("log");
    let command = command.replace("PORT", &port.to_string());
    let script = format!(
        "{command} & server=$!; cat >/dev/null; kill $server; rm -rf '{}'",
        folder.display()
    );
    let output = File::create(&log).unwrap();
    let mut child: Child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    // Held open by the process until it ends.
    std::mem::forget(child.stdin.take());
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none() && begun.elapsed() < Duration::from_secs(60),
            "{name} did not start: {}",
            std::fs::read_to_string(&log).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { port }
}

pub(crate) fn s3() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let python = python_with("moto-1", &[MOTO]);
        let moto = python.with_file_name("moto_server");
        start("moto", &format!("'{}' -H 127.0.0.1 -p PORT", moto.display()))
    })
}

pub(crate) fn azure() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = installed("azurite-1", |folder| {
            run(Command::new("npm")
                .args(["install", "--no-fund", "--no-audit", "--no-save", "--prefix"])
                .arg(folder)
                .arg(AZURITE));
        });
        let azurite = folder.join("node_modules/.bin/azurite-blob");
        start(
            "azurite",
            &format!(
                "'{}' --blobHost 127.0.0.1 --blobPort PORT --inMemoryPersistence --skipApiVersionCheck --disableTelemetry",
                azurite.display()
            ),
        )
    })
}

/// A new bucket: its URL, and the environment in which the program finds it.
pub(crate) fn bucket(name: &str) -> (String, Environment) {
    let server = s3();
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    run(Command::new("python3").args(["-c", PUT_BUCKET, &format!("{endpoint}/{name}")]));
    let environment = vec![
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    (format!("s3://{name}"), environment)
}

/// A new container: its URL, and the environment in which the program finds it.
pub(crate) fn container(name: &str) -> (String, Environment) {
    let server = azure();
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    run(Command::new("python3").args(["-c", PUT_CONTAINER, &endpoint, name]));
    let environment = vec![
        ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
        ("AZURITE_BLOB_STORAGE_URL", endpoint),
    ];
    (format!("az://{name}"), environment)
}

/// As [`container`], with the server told by a connection string. The library takes it for Azure
/// itself then, and believes whatever it answers.
pub(crate) fn container_by_connection_string(name: &str) -> (String, Environment) {
    let (place, _) = container(name);
    let connection = format!(
        "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};\
         BlobEndpoint=http://127.0.0.1:{}/{ACCOUNT};",
        azure().port
    );
    (place, vec![("AZURE_STORAGE_CONNECTION_STRING", connection)])
}

/// What Microsoft publishes for its emulator.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Objects in a bucket.
pub(crate) fn objects(bucket: &str) -> usize {
    let list = format!("http://127.0.0.1:{}/{bucket}?list-type=2", s3().port);
    let read = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode().count('<Key>'))";
    let listed = Command::new("python3").args(["-c", read, &list]).output().unwrap();
    String::from_utf8_lossy(&listed.stdout).trim().parse().unwrap()
}

const PUT_BUCKET: &str = r#"
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="PUT"))
"#;

/// Signed with the key that Microsoft publishes for its emulator.
const PUT_CONTAINER: &str = r#"
import base64, hashlib, hmac, sys, urllib.request
from email.utils import formatdate
base, name = sys.argv[1:]
account = "devstoreaccount1"
key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
signed = "PUT" + "\n" * 12 + "".join(f"{k}:{v}\n" for k, v in headers.items()) + f"/{account}/{account}/{name}\nrestype:container"
signature = base64.b64encode(hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()).decode()
headers |= {"Authorization": f"SharedKey {account}:{signature}", "Content-Length": "0"}
urllib.request.urlopen(urllib.request.Request(f"{base}/{account}/{name}?restype=container", method="PUT", headers=headers))
"#;
