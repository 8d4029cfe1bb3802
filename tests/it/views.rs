//! Microsoft's advanced-hunting tables as views, over the sample tenant: `tests/slt/views_*.slt`.

use crate::sandbox::{Sandbox, repository};
use crate::slt::run_files;
use datafusion::error::DataFusionError;
use retrohunt::config::Resources;
use retrohunt::engine::{Engine, Scope};
use retrohunt::lake::Lake;

#[tokio::test]
async fn views_answer_as_microsofts_tables_do() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("data/contoso"), &a_sign_in_that_both_logs_have(&sandbox)]);
    let lake = Lake::at(&sandbox.path("lake").display().to_string()).unwrap();
    let engine = Engine::open(&lake, Resources::new(256 << 20, 2).unwrap())
        .await
        .unwrap();
    let session = |_| async {
        let session = engine.session(Scope::default());
        session.map_err(|error| DataFusionError::External(error.into()))
    };
    if let Err(failures) = run_files("tests/slt/views_*.slt", session).await {
        panic!("{failures}");
    }
}

/// A sign-in of the sample's Entra ID log as Defender would report it: under the same request id.
fn a_sign_in_that_both_logs_have(sandbox: &Sandbox) -> String {
    let text = std::fs::read_to_string(repository("data/contoso/signins-defender.log")).unwrap();
    let line = text.lines().next().unwrap();
    let line = line
        .replace(REQUEST, SIGN_IN)
        .replace(REPORT, "11111111-2222-4333-8444-555555555555");
    assert!(line.contains(SIGN_IN) && !line.contains(REPORT));
    sandbox.file("both.json", line)
}

/// The request and report ids of the file's first row.
const REQUEST: &str = "2f05e10a-8eb0-5383-b8c7-46cad662c926";
const REPORT: &str = "a027e552-ff59-5b62-88f6-8b9b3e55a594";

/// An event id of the sample's Entra ID log.
const SIGN_IN: &str = "df5f88a8-ec21-5c61-b0e0-252dad056bb8";
