//! Which scans read a row group together.
//!
//! The cost of reading a row group is the compressed bytes of what has to be decoded:
//!
//! - The columns of the predicate, whole: every row is looked at.
//! - The other columns for the rows that pass. How many these are is guessed from the form of
//!   the predicate (`selectivity`), and several predicates are taken to keep the sum of theirs;
//!   without a predicate, all rows.
//! - The rows of a scan that its plan is not ready for, while another scan of the pass is read: they
//!   are written and read once more, uncompressed. A join asks for one side after the other.
//!
//! A common pass reads the columns of all its scans, and only for the predicates' parts that
//! cannot fail it skips rows. So thirty scans that each name an action, and of whose row
//! groups the metadata says that the action may be there, read each row group once for all.
//! Two of which one reads two small columns of every row, and the other the record's text of
//! a few, stay apart: together they would decode the text of every row.
//!
//! Scans join greedily, the most expensive first, each the pass that it makes least more
//! expensive, unless it is cheaper alone. Which row groups a scan needs at all is decided
//! before: a row group costs nobody anything who does not want it.

use super::leaf::Leaf;
use std::collections::BTreeSet;

/// Bytes that a byte costs, as it is stored, that has to wait.
const WAITING: f64 = 4.0;

/// Cost of one pass over a row group for these scans, in bytes. `bytes` gives those of a
/// column of the table.
fn cost(leaves: &[&Leaf], bytes: &dyn Fn(usize) -> u64) -> f64 {
    let mut whole: BTreeSet<usize> = BTreeSet::new();
    let mut all: BTreeSet<usize> = BTreeSet::new();
    let (mut kept, mut waiting) = (0.0, 0.0);
    let begin = leaves.iter().map(|leaf| leaf.phase).min();
    for leaf in leaves {
        let (columns, share) = match leaves {
            [_] => (&leaf.predicate_columns, leaf.kept),
            _ => (&leaf.safe_columns, leaf.safely_kept),
        };
        whole.extend(columns);
        all.extend(&leaf.columns);
        kept += share;
        if Some(leaf.phase) > begin {
            let bytes: u64 = leaf.tasted().into_iter().map(bytes).sum();
            waiting += WAITING * leaf.kept * bytes as f64;
        }
    }
    let kept = f64::min(kept, 1.0);
    let read = all.iter().map(|column| {
        let share = if whole.contains(column) { 1.0 } else { kept };
        bytes(*column) as f64 * share
    });
    read.sum::<f64>() + waiting
}

/// Groups the scans (by their number) that want a row group into passes over it.
pub(super) fn passes<'a>(
    wanted_by: &[usize],
    leaf: &dyn Fn(usize) -> Option<&'a Leaf>,
    bytes: &dyn Fn(usize) -> u64,
) -> Vec<Vec<usize>> {
    let of = |numbers: &[usize]| -> Vec<&Leaf> { numbers.iter().filter_map(|number| leaf(*number)).collect() };
    let mut alone: Vec<(usize, f64)> = wanted_by
        .iter()
        .map(|number| (*number, cost(&of(&[*number]), bytes)))
        .collect();
    alone.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut passes: Vec<(Vec<usize>, f64)> = Vec::new();
    for (number, own) in alone {
        let mut best: Option<(usize, f64, f64)> = None;
        for (position, (members, before)) in passes.iter().enumerate() {
            let mut together = members.clone();
            together.push(number);
            let after = cost(&of(&together), bytes);
            let more = after - before;
            if more < own && best.is_none_or(|(_, least, _)| more < least) {
                best = Some((position, more, after));
            }
        }
        match best.and_then(|(position, _, after)| passes.get_mut(position).map(|pass| (pass, after))) {
            Some((pass, after)) => {
                pass.0.push(number);
                pass.1 = after;
            }
            None => passes.push((vec![number], own)),
        }
    }
    let mut passes: Vec<Vec<usize>> = passes.into_iter().map(|(members, _)| members).collect();
    for members in &mut passes {
        members.sort_unstable();
    }
    passes
}
