//! A folder of its own for each test, and the program run in it.

use sha2::{Digest as _, Sha256};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A temporary folder with a lake in it; both are gone when it is dropped.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the test's own.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The program in this folder, with no environment but what it needs to start.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retrohunt"));
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path());
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Starts the program, to be watched while it runs.
    #[cfg(unix)]
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs the program. The lake is `./lake` in this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap(), self.folder.path())
    }

    /// Runs the program with so many MB of address space. An allocation beyond it fails, which
    /// ends the program with a signal.
    pub(crate) fn run_within(&self, megabytes: u64, arguments: &[&str]) -> Run {
        let program = self.command(arguments);
        let mut shell = Command::new("sh");
        shell
            .env_clear()
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(self.folder.path())
            .args(["-c", &format!("ulimit -v {}; exec \"$0\" \"$@\"", megabytes << 10)])
            .arg(program.get_program())
            .args(program.get_args());
        Run::of(shell.output().unwrap(), self.folder.path())
    }

    /// Runs the program, which has to succeed, and returns what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run.stdout
    }

    /// Rows of a query.
    pub(crate) fn sql(&self, query: &str) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.ok(&["sql", query, "--format", "json"])).unwrap()
    }

    /// The counts of an ingest, whatever its exit code: (read, stored, duplicate, rejected).
    pub(crate) fn ingest(&self, paths: &[&str]) -> [u64; 4] {
        let arguments: Vec<&str> = ["ingest", "--format", "json"]
            .into_iter()
            .chain(paths.iter().copied())
            .collect();
        let run = self.run(&arguments);
        assert!(run.code == 0 || run.code == 3, "{run:?}");
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let counts = ["read", "stored", "duplicate", "rejected"].map(|name| report[name].as_u64().unwrap());
        assert_eq!(
            counts[0],
            counts[1] + counts[2] + counts[3],
            "read = stored + duplicate + rejected"
        );
        assert_eq!(
            run.code == 3,
            counts[3] > 0 || report["bad_files"] != 0,
            "exit code 3 says that some was rejected"
        );
        counts
    }
}

impl Run {
    pub(crate) fn of(output: Output, folder: &Path) -> Self {
        // macOS and some set-ups show the folder behind a link.
        let real = folder.canonicalize().unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(&real.display().to_string(), "[FOLDER]")
                .replace(&folder.display().to_string(), "[FOLDER]")
        };
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// What Ctrl-C does.
#[cfg(unix)]
pub(crate) fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// A pipe that nobody writes to yet.
#[cfg(unix)]
pub(crate) fn make_pipe(path: impl AsRef<Path>) {
    assert!(Command::new("mkfifo").arg(path.as_ref()).status().unwrap().success());
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

/// Compressed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of these members.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
