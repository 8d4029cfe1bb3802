//! Groups that are taken out part by part, with rows and states in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use proptest::prelude::*;

use crate::functions::distinct::What;
use crate::functions::distinct::accumulators::{ManyGroups, OneGroup};

type Values = Vec<Option<i64>>;

/// The elements of each list; an empty vector for null, and never an empty list.
fn elements(lists: &ArrayRef) -> Vec<Values> {
    lists
        .as_list::<i32>()
        .iter()
        .map(|list| {
            let values = list.map_or(Values::new(), |list| {
                assert!(!list.is_empty(), "a group without values is null");
                list.as_primitive::<Int64Type>().iter().collect()
            });
            assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len());
            values
        })
        .collect()
}

fn sorted(mut values: Values) -> Values {
    values.sort();
    values
}

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

#[derive(Debug, Clone)]
enum Step {
    /// Rows of (group, value, condition).
    Rows(Vec<(usize, Option<i64>, Option<bool>)>),
    /// Lists of values, one for each group.
    Lists(Vec<(usize, Option<Values>)>),
    /// Takes out that many groups.
    Evaluate(usize),
    State(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::option::weighted(0.8, 0i64..12);
    let row = (
        0usize..9,
        value(),
        prop::option::weighted(0.9, prop::bool::weighted(0.8)),
    );
    let list = (
        0usize..9,
        prop::option::weighted(0.8, prop::collection::vec(value(), 0..4)),
    );
    prop_oneof![
        3 => prop::collection::vec(row, 0..12).prop_map(Step::Rows),
        1 => prop::collection::vec(list, 0..6).prop_map(Step::Lists),
        2 => (0usize..5).prop_map(Step::Evaluate),
        1 => (0usize..5).prop_map(Step::State),
    ]
}

fn run(what: What, skip_nulls: bool, steps: &[Step]) {
    let mut accumulator = ManyGroups::new(what, &DataType::Int64, skip_nulls).unwrap();
    let mut model: Vec<BTreeSet<Option<i64>>> = Vec::new();
    let check = |given: &ArrayRef, expected: &[BTreeSet<Option<i64>>], is_state: bool| {
        if what == What::Count && !is_state {
            let counts: Vec<i64> = expected.iter().map(|group| group.len() as i64).collect();
            assert_eq!(given.null_count(), 0);
            assert_eq!(given.as_primitive::<Int64Type>().values().to_vec(), counts);
            return;
        }
        let lists: Vec<Values> = elements(given);
        let lists: Vec<Values> = if is_state {
            lists.into_iter().map(sorted).collect()
        } else {
            lists
        };
        let expected: Vec<Values> = expected.iter().map(|group| group.iter().copied().collect()).collect();
        assert_eq!(lists, expected);
    };
    for step in steps {
        match step {
            Step::Rows(rows) => {
                let groups: Vec<usize> = rows.iter().map(|row| row.0).collect();
                let total = groups.iter().map(|group| group + 1).max().unwrap_or(0).max(model.len());
                model.resize(total, BTreeSet::new());
                let values: Values = rows.iter().map(|row| row.1).collect();
                let wanted: BooleanArray = rows.iter().map(|row| row.2).collect();
                let state = accumulator.convert_to_state(&[ints(&values)], Some(&wanted)).unwrap();
                let mut expected = Vec::new();
                for &(group, value, wanted) in rows {
                    let counts = wanted == Some(true) && (value.is_some() || !skip_nulls);
                    expected.push(if counts { vec![value] } else { vec![] });
                    if counts {
                        model[group].insert(value);
                    }
                }
                assert_eq!(elements(&state[0]), expected);
                let values = [ints(&values)];
                accumulator
                    .update_batch(&values, &groups, Some(&wanted), total)
                    .unwrap();
            }
            Step::Lists(lists) => {
                let groups: Vec<usize> = lists.iter().map(|list| list.0).collect();
                let total = groups.iter().map(|group| group + 1).max().unwrap_or(0).max(model.len());
                model.resize(total, BTreeSet::new());
                let state = |list: &(usize, Option<Values>)| {
                    let values = list.1.clone()?;
                    Some(
                        values
                            .into_iter()
                            .filter(|value| value.is_some() || !skip_nulls)
                            .collect(),
                    )
                };
                let states: Vec<Option<Values>> = lists.iter().map(state).collect();
                for (group, values) in groups.iter().zip(&states) {
                    model[*group].extend(values.iter().flatten());
                }
                // As a part of a longer array, which has values before and after it.
                let around = Some(vec![Some(77)]);
                let longer = [around.clone()].into_iter().chain(states).chain([around]);
                let longer = ListArray::from_iter_primitive::<Int64Type, _, _>(longer);
                let state: ArrayRef = Arc::new(longer.slice(1, lists.len()));
                accumulator.merge_batch(&[state], &groups, total).unwrap();
            }
            Step::Evaluate(groups) => {
                let groups = (*groups).min(model.len());
                let expected: Vec<_> = model.drain(..groups).collect();
                check(&accumulator.evaluate(EmitTo::First(groups)).unwrap(), &expected, false);
            }
            Step::State(groups) => {
                let groups = (*groups).min(model.len());
                let expected: Vec<_> = model.drain(..groups).collect();
                let state = accumulator.state(EmitTo::First(groups)).unwrap();
                check(&state[0], &expected, true);
            }
        }
    }
    check(&accumulator.evaluate(EmitTo::All).unwrap(), &model, false);
    assert_eq!(accumulator.evaluate(EmitTo::All).unwrap().len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn groups_leave_in_any_parts(steps in prop::collection::vec(step(), 0..10), skip_nulls in any::<bool>()) {
        run(What::Count, true, &steps);
        run(What::List, skip_nulls, &steps);
    }
}

#[test]
fn what_is_left_after_the_first_groups_moves_down() {
    let mut lists = ManyGroups::new(What::List, &DataType::Int64, false).unwrap();
    let values = [Some(7), Some(5), None, Some(5), Some(7), Some(1)];
    lists
        .update_batch(&[ints(&values)], &[0, 0, 1, 2, 2, 4], None, 5)
        .unwrap();
    let first = lists.evaluate(EmitTo::First(2)).unwrap();
    assert_eq!(elements(&first), [vec![Some(5), Some(7)], vec![None]]);
    // What was group 2 is group 0 now and knows its values still.
    lists
        .update_batch(&[ints(&[Some(7), Some(6), Some(9)])], &[0, 0, 1], None, 3)
        .unwrap();
    let rest = lists.evaluate(EmitTo::All).unwrap();
    assert_eq!(
        elements(&rest),
        [vec![Some(5), Some(6), Some(7)], vec![Some(9)], vec![Some(1)]]
    );
}

#[test]
fn small_groups_take_little_memory_and_give_it_back() {
    const GROUPS: usize = 200_000;
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..GROUPS).map(|n| format!("address {}", n % 100)),
    ));
    let groups: Vec<usize> = (0..GROUPS).collect();
    for what in [What::Count, What::List] {
        let mut accumulator = ManyGroups::new(what, &DataType::Utf8, true).unwrap();
        let empty = accumulator.size();
        for _ in 0..2 {
            for start in (0..GROUPS).step_by(10_000) {
                let groups = &groups[start..start + 10_000];
                accumulator
                    .update_batch(&[texts.slice(start, 10_000)], groups, None, start + 10_000)
                    .unwrap();
            }
            let per_pair = accumulator.size() / GROUPS;
            assert!((8..=24).contains(&per_pair), "{per_pair} bytes for each pair");
            // The pairs themselves are what is counted while they are taken out.
            let mut given = accumulator.evaluate(EmitTo::First(1)).unwrap().len();
            assert!(accumulator.size() >= GROUPS * 8, "{}", accumulator.size());
            while given < GROUPS {
                let part = accumulator.evaluate(EmitTo::First(8192.min(GROUPS - given))).unwrap();
                given += part.len();
            }
            assert_eq!(accumulator.size(), empty);
        }
    }
}

#[test]
fn one_group_may_be_asked_again() {
    let mut list = OneGroup::new(What::List, &DataType::Int64, false).unwrap();
    let none = list.evaluate().unwrap();
    assert!(none.is_null(), "{none}");
    list.update_batch(&[ints(&[Some(3), None])]).unwrap();
    let state = list.state().unwrap();
    assert_eq!(list.evaluate().unwrap(), list.evaluate().unwrap());
    list.update_batch(&[ints(&[Some(2), Some(3)])]).unwrap();
    let mut count = OneGroup::new(What::Count, &DataType::Int64, true).unwrap();
    count.update_batch(&[ints(&[Some(3), None, Some(4)])]).unwrap();
    count.merge_batch(&[ints_of(&[Some(4), Some(8)])]).unwrap();
    assert_eq!(count.evaluate().unwrap(), 3i64.into());
    let mut merged = OneGroup::new(What::List, &DataType::Int64, false).unwrap();
    merged.merge_batch(&[state[0].to_array().unwrap()]).unwrap();
    merged
        .merge_batch(&[list.state().unwrap()[0].to_array().unwrap()])
        .unwrap();
    let expected = [None, Some(2), Some(3)];
    assert_eq!(
        elements(&merged.evaluate().unwrap().to_array().unwrap()),
        [expected.to_vec()]
    );
}

fn ints_of(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(
        values.to_vec(),
    )]))
}
