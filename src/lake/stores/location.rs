//! What was typed, to a URL.

use crate::error::{Error, Result};
use std::path::{Component, Path, PathBuf};
use url::Url;

/// Schemes that are typed, and what each becomes.
const SCHEMES: [(&str, &str); 8] = [
    ("file", "file"),
    ("s3", "s3"),
    ("s3a", "s3"),
    ("az", "az"),
    ("azure", "az"),
    ("adl", "az"),
    ("abfs", "abfs"),
    ("abfss", "abfss"),
];

/// Whether it names an object of a cloud rather than a file of this machine.
pub fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| scheme != "file")
}

/// The URL of a path or URL as typed, as a folder: it ends with a slash. The error names `setting`.
pub fn parse(setting: &str, location: &str) -> Result<Url> {
    let wrong = |problem: String| Error::Setting {
        setting: format!("{setting} {location}").trim().to_owned(),
        problem,
    };
    if location.is_empty() {
        return Err(wrong("is empty; give a folder or a URL".into()));
    }
    let Some((scheme, rest)) = location.split_once("://").filter(|(scheme, _)| *scheme != "file") else {
        let path = location.strip_prefix("file://").unwrap_or(location);
        let absolute = std::path::absolute(Path::new(path)).map_err(|e| wrong(e.to_string()))?;
        return Url::from_directory_path(without_dots(&absolute)).map_err(|()| wrong("is not a usable path".into()));
    };
    let lower = scheme.to_ascii_lowercase();
    let Some((_, scheme)) = SCHEMES.iter().find(|(typed, _)| *typed == lower) else {
        return Err(wrong(remedy(&lower, rest)));
    };
    let url = Url::parse(&format!("{scheme}://{}/", rest.trim_end_matches('/')));
    let url = url.map_err(|e| wrong(format!("is no URL: {e}")))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong(format!("names no {}", container(scheme))));
    }
    if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        // Not repeated: it may be a secret.
        return Err(Error::Setting {
            setting: setting.to_owned(),
            problem: "the URL has a password, a ? or a #; credentials belong in the environment".into(),
        });
    }
    Ok(url)
}

fn container(scheme: &str) -> &'static str {
    match scheme {
        "s3" => "bucket: write s3://BUCKET/FOLDER",
        _ => "container: write az://CONTAINER/FOLDER or abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER",
    }
}

fn remedy(scheme: &str, rest: &str) -> String {
    let host = rest.split('/').next().unwrap_or_default();
    if let ("https", Some((account, _))) = (scheme, host.split_once(".blob.core.windows.net")) {
        return format!("write abfss://CONTAINER@{account}.dfs.core.windows.net/FOLDER");
    }
    if scheme == "https" && host.ends_with(".amazonaws.com") {
        return "write s3://BUCKET/FOLDER".into();
    }
    format!("the scheme {scheme:?} is none that is read or written: give a folder, s3://, az:// or abfss://")
}

/// The path without `.` and `..`, which stores do not resolve.
fn without_dots(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let url = |text: &str| parse("--lake", text).map(String::from);
        assert_eq!(url("/a/b/../c/./lake/").unwrap(), "file:///a/c/lake/");
        assert_eq!(url("file:///a/lake").unwrap(), "file:///a/lake/");
        assert!(url("relative").unwrap().ends_with("/relative/"));
        assert_eq!(url("s3://bucket/lake").unwrap(), "s3://bucket/lake/");
        assert_eq!(url("s3a://bucket").unwrap(), "s3://bucket/");
        assert_eq!(url("az://container/a/b//").unwrap(), "az://container/a/b/");
        let abfss = "abfss://container@account.dfs.core.windows.net/lake/";
        assert_eq!(url(abfss).unwrap(), abfss);
    }

    #[test]
    fn what_is_no_place_says_what_to_write() {
        let problem = |text: &str| parse("--lake", text).unwrap_err().to_string();
        assert!(problem("").contains("give a folder or a URL"));
        assert!(problem("gs://bucket").contains("s3://, az:// or abfss://"));
        assert!(problem("s3:///lake").contains("s3://BUCKET/FOLDER"));
        assert!(problem("https://account.blob.core.windows.net/c").contains("@account.dfs.core.windows.net"));
        let secret = problem("az://container/lake?sig=hunter2");
        assert!(!secret.contains("hunter2"), "{secret}");
    }
}
