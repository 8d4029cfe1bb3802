//! Stretches of time that hold all that matters, few enough to be written into a condition.

/// Joins spans of time (first and last, both included) that overlap, in order of time; and
/// those with the narrowest gaps between them until at most so many are left.
pub(super) fn stretches(mut spans: Vec<(i64, i64)>, most: usize) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (first, last) in spans {
        match joined.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    let gap = |after: usize| joined[after].0.abs_diff(joined[after - 1].1);
    let mut cuts: Vec<usize> = (1..joined.len()).collect();
    cuts.sort_by_key(|&after| std::cmp::Reverse(gap(after)));
    cuts.truncate(most.saturating_sub(1));
    cuts.sort_unstable();
    let begins = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([joined.len()]);
    begins
        .zip(ends)
        .filter_map(|(begin, end)| Some((joined.get(begin)?.0, joined.get(end.checked_sub(1)?)?.1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn they_are_cut_at_the_widest_gaps() {
        assert_eq!(stretches(vec![], 4), []);
        assert_eq!(stretches(vec![(7, 7), (7, 7)], 4), [(7, 7)]);
        assert_eq!(stretches(vec![(9, 9), (1, 1)], 4), [(1, 1), (9, 9)]);
        assert_eq!(
            stretches(vec![(1, 5), (2, 3), (4, 8), (20, 21), (30, 31)], 2),
            [(1, 8), (20, 31)]
        );
    }

    proptest! {
        #[test]
        fn they_hold_every_span_and_do_not_overlap(
            spans in prop::collection::vec((-500_i64..500, 0_i64..20), 0..60), most in 1_usize..40,
        ) {
            let spans: Vec<(i64, i64)> = spans.into_iter().map(|(first, length)| (first, first + length)).collect();
            let made = stretches(spans.clone(), most);
            prop_assert!(made.len() <= most);
            for (first, last) in &spans {
                prop_assert!(made.iter().any(|stretch| stretch.0 <= *first && *last <= stretch.1));
            }
            prop_assert!(made.windows(2).all(|pair| pair[0].1 < pair[1].0));
            // Their ends are ends of spans.
            prop_assert!(made.iter().all(|made| spans.iter().any(|span| span.0 == made.0)));
            prop_assert!(made.iter().all(|made| spans.iter().any(|span| span.1 == made.1)));
        }
    }
}
