//! The model of a whole run.

use super::made::{Truth, measured, run};
use super::{At, Driver, Measurements, Model, Phase, Work};

fn close(found: f64, wanted: f64) -> bool {
    (found / wanted - 1.0).abs() < 1e-6
}

#[test]
fn a_run_is_fitted_and_validated() {
    let model = Model::of(&run());
    assert_eq!(model.works.len(), 14);
    assert_eq!(model.unfitted, []);
    let hunt = model.work(&Work::HuntAll, "local").unwrap();
    assert_eq!((hunt.smallest_events, hunt.largest_events), (500_000, 4_000_000));
    assert_eq!(hunt.threads, [1, 2]);
    assert_eq!(hunt.points.len(), 8);
    assert!((0.7..0.85).contains(&hunt.exponent), "{}", hunt.exponent);
    assert_eq!(hunt.validation.len(), 2);
    assert!(
        hunt.validation
            .iter()
            .all(|held| held.error.abs() < 1e-6 && held.is_inside)
    );
    let at = At::new(40_000_000.0, 4);
    assert!(close(hunt.seconds_at(at).unwrap().value, 0.15 + 40.0 * (0.1 + 0.15)));
    assert!(close(hunt.memory_at(at).unwrap().value, 150e6 + 40.0 * 40e6));
    assert!(close(hunt.read_bytes_at(at).unwrap().value, 1.2e9));
    assert_eq!(hunt.requests_at(at), None);
    let requests = model.work(&Work::HuntAll, "s3").unwrap().requests_at(at).unwrap();
    assert!(
        close(requests[0], 405.0) && close(requests[1], 810.0) && close(requests[2], 2.0),
        "{requests:?}"
    );
    assert!(model.work(&Work::Scan, "local").is_none());
}

#[test]
fn a_wrong_model_does_not_pass_its_validation() {
    let mut run = run();
    for one in &mut run.measurements {
        if one.phase == Phase::Validate {
            one.seconds.iter_mut().for_each(|seconds| *seconds *= 2.0);
        }
    }
    let model = Model::of(&run);
    let held = &model.work(&Work::HuntAll, "local").unwrap().validation;
    assert!(
        held.iter().all(|held| close(held.error, -0.5) && !held.is_inside),
        "{held:?}"
    );
}

/// Terms that do not grow with the events cost what they cost.
#[test]
fn distinct_terms_have_a_cost_of_their_own() {
    let mut run = Measurements::new(super::Machine::default(), super::Settings::default());
    let truth = Truth {
        fixed: 0.1,
        serial: 0.0,
        shared: 0.4e-6,
        term: 2e-5,
    };
    for events in [1_000_000, 2_000_000, 4_000_000] {
        for terms in [100, 20_000, 200_000] {
            let mut one = measured(Work::NewTerms, events, 2, truth, (0.0, 1));
            one.quantities.distinct_terms = Some(terms);
            one.seconds = vec![truth.seconds(events, 2, terms); 3];
            one.peak_memory_bytes = Some(100_000_000 + 500 * terms);
            run.measurements.push(one);
        }
    }
    let model = Model::of(&run);
    let terms = model.work(&Work::NewTerms, "local").unwrap();
    assert!(close(terms.seconds.cost(Driver::Term), 2e-5), "{:?}", terms.seconds);
    assert!(close(terms.memory_bytes.as_ref().unwrap().cost(Driver::Term), 500.0));
}

#[test]
fn what_was_never_varied_is_not_told() {
    let mut run = run();
    run.measurements.retain(|one| one.threads == 2);
    let model = Model::of(&run);
    let hunt = model.work(&Work::HuntAll, "local").unwrap();
    assert!(hunt.seconds_at(At::new(1e6, 2)).is_some());
    assert!(hunt.seconds_at(At::new(1e6, 4)).is_none());
    run.measurements.retain(|one| one.quantities.events == 500_000);
    let model = Model::of(&run);
    assert!(model.works.is_empty());
    assert!(model.unfitted[0].reason.contains("one size only"));
}

#[test]
fn doubts_are_named() {
    let model = Model::of(&run());
    let hunt = model.work(&Work::HuntAll, "local").unwrap();
    assert!(hunt.doubts(At::new(4e6, 2)).is_empty());
    let doubts = hunt.doubts(At::new(400e6, 16)).join("; ");
    assert!(
        doubts.contains("100 times the largest size") && doubts.contains("Amdahl"),
        "{doubts}"
    );
    let mut noisy = run();
    for one in &mut noisy.measurements {
        one.seconds = vec![1.0, 2.0, 3.0];
    }
    let model = Model::of(&noisy);
    assert!(model.works[0].doubts(At::new(1e6, 2)).join("").contains("too noisy"));
}
