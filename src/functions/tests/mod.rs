//! What holds for every function: it is registered, its documentation is true, and the
//! encoding of its arguments makes no difference.

mod new_terms;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, LargeListArray, ListArray, StringArray, StructArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::ScalarValue;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use datafusion::prelude::SessionContext;
use proptest::prelude::*;

use super::{aggregate, check_constants, register_all, scalar};

fn session() -> SessionContext {
    let mut context = SessionContext::new();
    register_all(&mut context).unwrap();
    context
}

fn documented() -> Vec<(String, Documentation)> {
    let scalar = scalar()
        .into_iter()
        .map(|f| (f.name().to_string(), f.documentation().cloned()));
    let aggregate = aggregate()
        .into_iter()
        .map(|f| (f.name().to_string(), f.documentation().cloned()));
    scalar
        .chain(aggregate)
        .map(|(name, doc)| (name.clone(), doc.unwrap_or_else(|| panic!("{name}: no doc"))))
        .collect()
}

#[test]
fn names_are_unique_and_no_built_in_function_is_replaced() {
    let plain = SessionContext::new();
    let state = plain.state();
    let mut seen = BTreeSet::new();
    for (name, _) in documented() {
        assert!(seen.insert(name.clone()), "{name} is registered twice");
        assert!(
            !state.scalar_functions().contains_key(&name),
            "{name} is a scalar function of DataFusion"
        );
        assert!(
            !state.aggregate_functions().contains_key(&name),
            "{name} is an aggregate of DataFusion"
        );
    }
}

#[test]
fn every_file_is_a_registered_function() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/functions");
    let files = |kind: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder.join(kind)).unwrap();
        let stems = entries.map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        });
        stems.filter(|stem| stem != "mod").collect()
    };
    let scalar: BTreeSet<String> = scalar().iter().map(|f| f.name().to_string()).collect();
    let aggregate: BTreeSet<String> = aggregate().iter().map(|f| f.name().to_string()).collect();
    assert_eq!(files("scalar"), scalar);
    assert_eq!(files("aggregate"), aggregate);
}

#[test]
fn every_function_says_what_it_takes() {
    for (name, doc) in documented() {
        assert!(!doc.description.is_empty(), "{name}: no description");
        assert!(
            doc.syntax_example.starts_with(&format!("{name}(")),
            "{name}: {}",
            doc.syntax_example
        );
        assert!(
            doc.arguments.is_some_and(|arguments| !arguments.is_empty()),
            "{name}: no arguments"
        );
    }
}

/// Each example is `> SELECT ...;` and, below it, exactly what it gives.
#[tokio::test]
async fn every_documented_example_gives_what_it_says() {
    let context = session();
    for (name, doc) in documented() {
        let example = doc.sql_example.unwrap_or_else(|| panic!("{name}: no example"));
        let (sql, expected) = example.split_once(";\n").unwrap_or_else(|| panic!("{name}: no result"));
        let sql = sql
            .strip_prefix("> ")
            .unwrap_or_else(|| panic!("{name}: the example does not start with >"));
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        assert_eq!(pretty_format_batches(&batches).unwrap().to_string(), expected, "{name}");
    }
}

#[tokio::test]
async fn bad_constants_are_found_in_any_plan() {
    let context = session();
    context
        .sql("CREATE TABLE t (ip VARCHAR, time TIMESTAMP) AS VALUES ('::1', now())")
        .await
        .unwrap();
    let refused = async |sql: &str| {
        let state = context.state();
        let plan = state
            .create_logical_plan(sql)
            .await
            .and_then(|plan| check_constants(&plan));
        plan.err().map(|error| error.strip_backtrace())
    };
    for sql in [
        "EXPLAIN SELECT cidr_match(ip, 'banana') FROM t",
        "EXPLAIN SELECT ip FROM t WHERE cidr_match(ip, ['10.0.0.0/8', 'banana'])",
        "EXPLAIN SELECT ip FROM t WHERE NOT cidr_match(ip, '::1', 'banana')",
        "SELECT ip FROM t WHERE ip IN (SELECT ip FROM t WHERE cidr_match(ip, 'banana'))",
    ] {
        assert!(
            refused(sql)
                .await
                .is_some_and(|error| error.contains("'banana' is not an IP range")),
            "{sql}"
        );
    }
    let months = refused("EXPLAIN SELECT new_terms(time, ip, INTERVAL '1 month') FROM t").await;
    assert!(months.is_some_and(|error| error.contains("has months or years")));
    assert_eq!(
        refused("SELECT ip FROM t WHERE cidr_match(ip, concat('10.0.0.0', '/8'))").await,
        None
    );
}

/// A name and its value.
type Pair = (String, Option<String>);

/// One argument: what every row holds.
#[derive(Debug, Clone)]
enum Column {
    Text(Vec<Option<String>>),
    List(Vec<Option<Vec<Option<String>>>>),
    Pairs(Vec<Option<Vec<Option<Pair>>>>),
}

const ENCODINGS: usize = 4;

/// The texts in one of the four encodings.
fn encode_texts(texts: &[Option<String>], encoding: usize) -> ArrayRef {
    let array: ArrayRef = Arc::new(StringArray::from_iter(texts.iter().cloned()));
    match encoding {
        0 => array,
        1 => cast(&array, &DataType::LargeUtf8).unwrap(),
        2 => cast(&array, &DataType::Utf8View).unwrap(),
        _ => {
            // NULL by key and by value, and a value that no key uses.
            let keys = Int32Array::from_iter(
                texts
                    .iter()
                    .enumerate()
                    .map(|(i, t)| (t.is_some() || i % 2 == 0).then(|| i32::try_from(i).unwrap())),
            );
            let values = StringArray::from_iter(texts.iter().cloned().chain([Some("unused".to_string())]));
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values)).unwrap())
        }
    }
}

fn lists_of(items: ArrayRef, lengths: Vec<Option<usize>>, encoding: usize) -> ArrayRef {
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths.iter().map(|length| length.unwrap_or(0)));
    let nulls = lengths.iter().map(Option::is_some).collect::<Vec<_>>().into();
    let field = Arc::new(Field::new_list_field(items.data_type().clone(), true));
    let list: ArrayRef = Arc::new(ListArray::try_new(field, offsets, items, Some(nulls)).unwrap());
    if encoding == 1 {
        let DataType::List(field) = list.data_type().clone() else {
            unreachable!()
        };
        let large = cast(&list, &DataType::LargeList(field)).unwrap();
        assert!(large.as_any().is::<LargeListArray>());
        return large;
    }
    list
}

impl Column {
    fn array(&self, encoding: usize) -> ArrayRef {
        match self {
            Self::Text(texts) => encode_texts(texts, encoding),
            Self::List(lists) => {
                let items: Vec<Option<String>> = lists.iter().flatten().flatten().cloned().collect();
                let lengths = lists.iter().map(|list| list.as_ref().map(Vec::len)).collect();
                lists_of(encode_texts(&items, encoding), lengths, encoding)
            }
            Self::Pairs(lists) => {
                let items: Vec<_> = lists.iter().flatten().flatten().cloned().collect();
                let names: Vec<_> = items
                    .iter()
                    .map(|pair| pair.as_ref().map(|pair| pair.0.clone()))
                    .collect();
                let values: Vec<_> = items
                    .iter()
                    .map(|pair| pair.as_ref().and_then(|pair| pair.1.clone()))
                    .collect();
                let columns = vec![encode_texts(&names, encoding), encode_texts(&values, encoding)];
                let fields = ["name", "value"]
                    .into_iter()
                    .zip(&columns)
                    .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
                    .collect::<Vec<_>>();
                let nulls = items.iter().map(Option::is_some).collect::<Vec<_>>();
                let pairs = StructArray::try_new(fields.into(), columns, (!nulls.is_empty()).then(|| nulls.into()));
                let lengths = lists.iter().map(|list| list.as_ref().map(Vec::len)).collect();
                lists_of(Arc::new(pairs.unwrap()), lengths, encoding)
            }
        }
    }
}

fn call(function: &ScalarUDF, args: Vec<ColumnarValue>, rows: usize) -> ArrayRef {
    let types: Vec<DataType> = args.iter().map(ColumnarValue::data_type).collect();
    let coerced = function.coerce_types(&types).unwrap();
    assert_eq!(coerced, types, "{}: a cast would be planned", function.name());
    let arg_fields: Vec<_> = types
        .iter()
        .map(|t| Arc::new(Field::new("a", t.clone(), true)))
        .collect();
    let scalar_arguments = vec![None; args.len()];
    let return_field = function
        .return_field_from_args(ReturnFieldArgs {
            arg_fields: &arg_fields,
            scalar_arguments: &scalar_arguments,
        })
        .unwrap();
    let config_options = Arc::new(ConfigOptions::default());
    let all_constant = args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    let args = ScalarFunctionArgs {
        args,
        arg_fields,
        number_rows: rows,
        return_field: Arc::clone(&return_field),
        config_options,
    };
    let result = function.invoke_with_args(args).unwrap();
    assert_eq!(
        matches!(result, ColumnarValue::Scalar(_)),
        all_constant,
        "{}",
        function.name()
    );
    let result = result.into_array(rows).unwrap();
    assert_eq!(result.len(), rows);
    assert_eq!(result.data_type(), return_field.data_type(), "{}", function.name());
    assert!(
        return_field.is_nullable() || result.null_count() == 0,
        "{}",
        function.name()
    );
    result
}

/// The results as text, so that those of different encodings can be compared.
fn shown(array: &ArrayRef) -> Vec<String> {
    (0..array.len())
        .map(|row| match array.data_type() {
            DataType::List(_) => match array.is_null(row) {
                true => "NULL".to_string(),
                false => format!("{:?}", shown(&array.as_list::<i32>().value(row))),
            },
            _ => ScalarValue::try_from_array(array, row)
                .unwrap()
                .cast_to(&DataType::Utf8)
                .unwrap()
                .to_string(),
        })
        .collect()
}

const ROWS: usize = 4;

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(
        0.85,
        prop_oneof![
            4 => "[aAé0 .:*/1-]{0,6}",
            2 => "(::ffff:)?10\\.0\\.[01]\\.[0-9](/[0-9]{1,3})?",
            1 => "2001:DB8::[0-9a-f](/[0-9]{1,3})?",
            1 => any::<String>(),
        ],
    )
}

fn texts() -> impl Strategy<Value = Column> {
    prop::collection::vec(text(), ROWS).prop_map(Column::Text)
}

fn texts_or_lists() -> impl Strategy<Value = Column> {
    let list = prop::option::weighted(0.85, prop::collection::vec(text(), 0..4));
    prop_oneof![texts(), prop::collection::vec(list, ROWS).prop_map(Column::List)]
}

fn pairs() -> impl Strategy<Value = Column> {
    let pair = prop::option::weighted(0.85, ("[ab]", text()));
    let list = prop::option::weighted(0.85, prop::collection::vec(pair, 0..4));
    prop::collection::vec(list, ROWS).prop_map(Column::Pairs)
}

/// Arguments of the shape that the function takes.
fn arguments() -> impl Strategy<Value = (Arc<ScalarUDF>, Vec<Column>)> {
    prop::sample::select(scalar()).prop_flat_map(|function| {
        let columns = match function.name() {
            "to_ip" => texts().prop_map(|text| vec![text]).boxed(),
            "has" => (texts_or_lists(), texts())
                .prop_map(|(text, term)| vec![text, term])
                .boxed(),
            "pair_names" | "pair_values" => pairs().prop_map(|list| vec![list]).boxed(),
            "property" => {
                let name = prop::collection::vec(prop::option::weighted(0.9, "[ab]"), ROWS).prop_map(Column::Text);
                (pairs(), name).prop_map(|(list, name)| vec![list, name]).boxed()
            }
            _ => (texts_or_lists(), prop::collection::vec(texts_or_lists(), 1..4))
                .prop_map(|(subject, values)| std::iter::once(subject).chain(values).collect())
                .boxed(),
        };
        (Just(function), columns)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn encodings_constants_and_slices_agree(
        (function, columns) in arguments(),
        encodings in prop::collection::vec(0..ENCODINGS, 4),
        constant in prop::collection::vec(any::<bool>(), 4),
    ) {
        let plain: Vec<ArrayRef> = columns.iter().map(|column| column.array(0)).collect();
        let expected = shown(&call(&function, plain.into_iter().map(ColumnarValue::Array).collect(), ROWS));

        let encoded: Vec<ArrayRef> =
            columns.iter().zip(&encodings).map(|(column, encoding)| column.array(*encoding)).collect();
        let whole = call(&function, encoded.iter().cloned().map(ColumnarValue::Array).collect(), ROWS);
        prop_assert_eq!(&shown(&whole), &expected, "{} in encodings {:?}", function.name(), encodings);

        let sliced = encoded.iter().map(|array| ColumnarValue::Array(array.slice(1, 2))).collect();
        prop_assert_eq!(&shown(&call(&function, sliced, 2))[..], &expected[1..3], "{} sliced", function.name());

        for (row, expected) in expected.iter().enumerate() {
            // Some arguments constant, the others a column that repeats the row.
            let args = encoded.iter().zip(&constant).map(|(array, constant)| {
                let value = ScalarValue::try_from_array(array, row).unwrap();
                if *constant { ColumnarValue::Scalar(value) } else { ColumnarValue::Array(value.to_array_of_size(3).unwrap()) }
            });
            let result = shown(&call(&function, args.collect(), 3));
            prop_assert_eq!(result, vec![expected.clone(); 3], "{} row {} with constants", function.name(), row);

            // The same constants for other rows, some of which come again, as for each of them alone.
            let again = Int32Array::from(vec![0, 1, 1, 2, 0, 3, 3, 2]);
            let with_constants = |subject: ArrayRef| {
                let rows = subject.len();
                let values = encoded[1..].iter().map(|array| ColumnarValue::Scalar(ScalarValue::try_from_array(array, row).unwrap()));
                let args = std::iter::once(ColumnarValue::Array(subject)).chain(values);
                shown(&call(&function, args.collect(), rows))
            };
            let alone: Vec<String> = again.values().iter().flat_map(|at| with_constants(encoded[0].slice(*at as usize, 1))).collect();
            let together = with_constants(take(&encoded[0], &again, None).unwrap());
            prop_assert_eq!(together, alone, "{} of rows that come again", function.name());
        }
    }
}
