//! Imports point one way: a module may use those before it in the list, and only those
//! named beside it are forbidden altogether.

use std::path::{Path, PathBuf};

/// From the bottom to the top. `error` and `config` belong to everybody.
const LAYERS: [&str; 18] = [
    "schema",
    "sources",
    "lake",
    "functions",
    "report",
    "generate",
    "ingest",
    "engine",
    "detections",
    "alerts",
    "sinks",
    "capacity",
    "hunt",
    "custody",
    "schedule",
    "investigations",
    "bench",
    "cli",
];

/// (module, what it must not know, why)
const ABSENCES: [(&str, &str, &str); 6] = [
    ("schema", "std::fs", "sources and schema know no files"),
    ("sources", "std::fs", "sources and schema know no files"),
    ("lake", "sonic_rs", "the lake knows no JSON of logs"),
    ("functions", "crate::lake", "functions know no lake"),
    ("functions", "crate::schema", "functions know no fields"),
    ("detections", "crate::hunt", "detections never execute"),
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The code of a file without its tests and comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
        .to_owned();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_test(path: &Path) -> bool {
    let text = path.display().to_string();
    text.contains("/tests") || text.contains("tests_run") || text.contains("testing")
}

fn module_files(module: &str) -> Vec<PathBuf> {
    let folder = source().join(module);
    let mut files = if folder.is_dir() {
        rust_files(&folder)
    } else {
        Vec::new()
    };
    files.retain(|path| !is_test(path));
    files
}

#[test]
fn imports_point_downwards() {
    for (position, module) in LAYERS.iter().enumerate() {
        for path in module_files(module) {
            for above in &LAYERS[position + 1..] {
                let import = format!("crate::{above}");
                let uses = code(&path).match_indices(&import).any(|(at, _)| {
                    let next = code(&path)[at + import.len()..].chars().next();
                    next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                });
                assert!(!uses, "{} uses {import}, which is above it", path.display());
            }
        }
    }
}

#[test]
fn invariants_stated_as_absences() {
    for (module, absent, why) in ABSENCES {
        for path in module_files(module) {
            assert!(!code(&path).contains(absent), "{} uses {absent}: {why}", path.display());
        }
    }
}

#[test]
fn every_folder_has_its_place() {
    for entry in std::fs::read_dir(source()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(
                LAYERS.contains(&name.as_str()),
                "src/{name} is not in the list of layers"
            );
        }
    }
}

#[test]
fn only_the_command_line_knows_the_terminal() {
    for module in LAYERS.iter().filter(|module| **module != "cli") {
        for path in module_files(module) {
            for absent in [
                "std::io::stdout",
                "std::io::stderr",
                "std::process::exit",
                "indicatif::",
            ] {
                assert!(!code(&path).contains(absent), "{} uses {absent}", path.display());
            }
        }
    }
}
