//! What is read first, and what a plan has found no use for meanwhile.

use super::lake::{TestLake, alone, plan, runtime};
use crate::engine::shared_scan::figures::{Counters, Figures};
use crate::engine::shared_scan::leaf::Leaf;
use crate::engine::shared_scan::taste::Taste;
use crate::engine::shared_scan::work::{Work, WorkList};
use datafusion::arrow::compute::concat_batches;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::physical_expr::expressions::{DynamicFilterPhysicalExpr, lit};
use futures::{FutureExt as _, TryStreamExt as _};

fn file(name: &str, bytes: u64) -> PartitionedFile {
    PartitionedFile::new(name, bytes)
}

/// The files of a list in the order in which they are read.
fn order(work: &WorkList, is_late: impl Fn(usize) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(next) = work.next(&is_late).now_or_never().flatten() {
        let Work::File { file, .. } = next else {
            panic!("a pass")
        };
        names.push(file.path().to_string());
        work.cut(Vec::new());
    }
    names
}

#[test]
fn what_is_asked_for_comes_first_and_of_that_the_smaller_part() {
    let work = || {
        WorkList::new([
            (vec![0, 1], vec![file("audit-large", 900), file("audit-small", 500)]),
            (vec![2, 3], vec![file("sign-ins-large", 20), file("sign-ins-small", 10)]),
            (vec![0], vec![file("network", 100)]),
        ])
    };
    let names = |late: &[usize]| order(&work(), |number| late.contains(&number)).join(" ");
    let (audit, sign_ins) = ("audit-large audit-small", "sign-ins-large sign-ins-small");
    assert_eq!(names(&[]), format!("{sign_ins} network {audit}"));
    assert_eq!(names(&[1]), format!("{sign_ins} network {audit}"));
    assert_eq!(names(&[2, 3]), format!("network {audit} {sign_ins}"));
    assert_eq!(names(&[0, 2]), format!("{sign_ins} network {audit}"));
    // Who begins to ask is served next.
    let work = work();
    let begins = std::cell::Cell::new(0);
    let late = |number: usize| number >= 2 && begins.replace(begins.get() + 1) < 4;
    assert_eq!(order(&work, late)[..3], ["network", "audit-large", "sign-ins-large"]);
}

#[test]
fn rows_without_use_are_left_out_of_what_a_plan_is_given() {
    runtime(2).block_on(async {
        let lake = TestLake::new(1, 500, 500).await;
        let session = lake.session(2).await;
        let join = "SELECT a.event_id FROM events a JOIN events b ON a.user_id = b.user_id \
                    WHERE a.event_action = 'Send' AND b.event_action = 'Send'";
        let mut leaves = Vec::new();
        plan(&session, join)
            .await
            .apply(|node| {
                leaves.extend(Leaf::of(node, 0)?);
                Ok(TreeNodeRecursion::Continue)
            })
            .unwrap();
        let leaf = leaves
            .into_iter()
            .find(|leaf| leaf.dynamic.is_some())
            .expect("a join says what it looks for");
        let schema = leaf.table().table_schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let rows = session
            .query(&format!("SELECT {} FROM events", columns.join(", ")))
            .await
            .unwrap();
        let rows: Vec<_> = rows.try_collect().await.unwrap();
        let batch = concat_batches(&rows[0].schema(), &rows).unwrap();
        let sends = alone(&session, "SELECT event_id FROM events WHERE event_action = 'Send'")
            .await
            .unwrap()
            .len();
        let taste = Taste::new(&leaf, &batch.schema()).unwrap();
        let counters = Counters::default();
        let given = || taste.of(&batch, &counters).unwrap().map_or(0, |rows| rows.num_rows());
        assert_eq!(given(), sends, "the join knows nothing yet");
        let dynamic = leaf.dynamic.as_ref().unwrap();
        let dynamic = dynamic.downcast_ref::<DynamicFilterPhysicalExpr>().unwrap();
        dynamic.update(lit(false)).unwrap();
        assert_eq!(given(), 0, "nobody is looked for");
        let mut figures = Figures::default();
        counters.add_to(&mut figures);
        assert_eq!(figures.rows_matched as usize, 2 * sends, "what passed its conditions");
    });
}
