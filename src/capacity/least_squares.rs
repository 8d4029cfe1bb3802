//! Least squares with coefficients that are not negative: no work takes less for doing more.

/// Below this part of a column's length, what is left of it beside the others is rounding.
const INDEPENDENT: f64 = 1e-6;

/// The coefficients that bring the rows nearest to `wanted` and are not negative; of equally
/// near ones those with more zeros.
///
/// Few columns are expected (a dozen at most): all sets of columns are tried, which finds the
/// best in any case. A set whose columns depend on each other is left out, as a smaller one
/// says the same.
pub(super) fn solve(rows: &[Vec<f64>], wanted: &[f64]) -> Vec<f64> {
    let columns = rows.first().map_or(0, Vec::len);
    // Columns of length 1, so that events and seconds can stand beside each other.
    let lengths: Vec<f64> = (0..columns)
        .map(|column| rows.iter().map(|row| row[column] * row[column]).sum::<f64>().sqrt())
        .collect();
    let mut best = (squares(rows, wanted, &vec![0.0; columns]), vec![0.0; columns]);
    let mut sets: Vec<u32> = (1..1 << columns).collect();
    sets.sort_by_key(|set| set.count_ones());
    for set in sets {
        let chosen: Vec<usize> = (0..columns).filter(|column| set & (1 << column) != 0).collect();
        let Some(found) = on(rows, wanted, &chosen, &lengths) else {
            continue;
        };
        if found.iter().any(|coefficient| *coefficient < 0.0) {
            continue;
        }
        let mut coefficients = vec![0.0; columns];
        for (column, coefficient) in chosen.iter().zip(found) {
            coefficients[*column] = coefficient;
        }
        let distance = squares(rows, wanted, &coefficients);
        if distance < best.0 * (1.0 - 1e-9) {
            best = (distance, coefficients);
        }
    }
    best.1
}

fn squares(rows: &[Vec<f64>], wanted: &[f64], coefficients: &[f64]) -> f64 {
    let distance = |(row, wanted): (&Vec<f64>, &f64)| (dot(row, coefficients) - wanted).powi(2);
    rows.iter().zip(wanted).map(distance).sum()
}

pub(super) fn dot(row: &[f64], coefficients: &[f64]) -> f64 {
    row.iter()
        .zip(coefficients)
        .map(|(value, coefficient)| value * coefficient)
        .sum()
}

/// Ordinary least squares on these columns, by Gram-Schmidt; none where they depend on each other.
fn on(rows: &[Vec<f64>], wanted: &[f64], chosen: &[usize], lengths: &[f64]) -> Option<Vec<f64>> {
    let number = chosen.len();
    if number > rows.len() {
        return None;
    }
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(number);
    let mut upper = vec![vec![0.0; number]; number];
    for (position, column) in chosen.iter().enumerate() {
        if lengths[*column] == 0.0 {
            return None;
        }
        let mut rest: Vec<f64> = rows.iter().map(|row| row[*column] / lengths[*column]).collect();
        // Twice, as the first time leaves rounding errors.
        for _ in 0..2 {
            for (before, direction) in basis.iter().enumerate() {
                let along = dot(&rest, direction);
                upper[before][position] += along;
                rest.iter_mut()
                    .zip(direction)
                    .for_each(|(rest, direction)| *rest -= along * direction);
            }
        }
        let length = dot(&rest, &rest).sqrt();
        if length < INDEPENDENT {
            return None;
        }
        upper[position][position] = length;
        basis.push(rest.iter().map(|value| value / length).collect());
    }
    let mut coefficients = vec![0.0; number];
    for position in (0..number).rev() {
        let known: f64 = (position + 1..number)
            .map(|after| upper[position][after] * coefficients[after])
            .sum();
        coefficients[position] = (dot(&basis[position], wanted) - known) / upper[position][position];
    }
    let scaled = coefficients
        .iter()
        .zip(chosen)
        .map(|(value, column)| value / lengths[*column]);
    Some(scaled.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs()))
    }

    #[test]
    fn a_line() {
        let rows = vec![vec![1.0, 1e6], vec![1.0, 2e6], vec![1.0, 4e6]];
        let found = solve(&rows, &[3.0, 5.0, 9.0]);
        assert!(close(found[0], 1.0) && close(found[1], 2e-6), "{found:?}");
    }

    #[test]
    fn nothing_is_negative() {
        // The best line would begin below zero.
        let rows = vec![vec![1.0, 1.0], vec![1.0, 2.0], vec![1.0, 3.0]];
        let found = solve(&rows, &[1.0, 3.0, 5.0]);
        assert_eq!(found[0], 0.0);
        assert!(close(found[1], 22.0 / 14.0), "{found:?}");
        assert_eq!(solve(&rows, &[-1.0, -1.0, -1.0]), [0.0, 0.0]);
    }

    #[test]
    fn columns_that_say_the_same_do_no_harm() {
        let rows: Vec<Vec<f64>> = (1..6).map(|n| vec![1.0, f64::from(n), 280.0 * f64::from(n)]).collect();
        let wanted: Vec<f64> = (1..6).map(|n| 2.0 + 3.0 * f64::from(n)).collect();
        let found = solve(&rows, &wanted);
        assert!(close(found[0], 2.0) && close(dot(&rows[4], &found), 17.0), "{found:?}");
        assert_eq!(found.iter().filter(|value| **value > 0.0).count(), 2, "{found:?}");
        // More columns than rows.
        assert!(close(dot(&rows[0], &solve(&rows[..1], &[5.0])), 5.0));
    }

    proptest! {
        /// What makes a solution the best: nothing is gained by more of a column, nor by less
        /// of one that has some.
        #[test]
        fn no_change_is_better(
            rows in prop::collection::vec(prop::collection::vec(0.0_f64..10.0, 4), 1..12),
            seed in prop::collection::vec(-5.0_f64..20.0, 12),
        ) {
            let wanted = &seed[..rows.len()];
            let found = solve(&rows, wanted);
            prop_assert!(found.iter().all(|value| *value >= 0.0));
            let distance = squares(&rows, wanted, &found);
            for column in 0..4 {
                for step in [-1e-3, 1e-3] {
                    let mut other = found.clone();
                    other[column] = (other[column] + step).max(0.0);
                    prop_assert!(squares(&rows, wanted, &other) >= distance - 1e-6 * (1.0 + distance));
                }
            }
        }
    }
}
