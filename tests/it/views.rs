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
    sandbox.ingest(&[&repository("data/contoso")]);
    let lake = Lake::at(&sandbox.path("lake").display().to_string()).unwrap();
    let engine = Engine::open(&lake, Resources::new(256 << 20, 2).unwrap()).await.unwrap();
    let session = |_| async {
        let session = engine.session(Scope::default());
        session.map_err(|error| DataFusionError::External(error.into()))
    };
    if let Err(failures) = run_files("tests/slt/views_*.slt", session).await {
        panic!("{failures}");
    }
}
