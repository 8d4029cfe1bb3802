//! The slow twin: another parser, asked the same of the same text.

use super::{Document, Json, JsonType, parse};
use proptest::prelude::*;
use sonic_rs::{JsonContainerTrait as _, JsonValueTrait as _};
use std::borrow::Cow;

/// Every value says the same.
fn same(ours: Json<'_>, theirs: &sonic_rs::Value) {
    assert_eq!(ours.as_str(), theirs.as_str());
    assert_eq!(ours.as_bool(), theirs.as_bool());
    assert_eq!(ours.as_i64(), theirs.as_i64(), "{theirs}");
    assert_eq!(ours.as_u64(), theirs.as_u64(), "{theirs}");
    assert_eq!(
        ours.as_f64().map(f64::to_bits),
        theirs.as_f64().map(f64::to_bits),
        "{theirs}"
    );
    assert_eq!(ours.is_null(), theirs.is_null());
    assert_eq!(ours.is_number(), theirs.is_number());
    match theirs.as_array() {
        Some(array) => {
            let elements: Vec<Json<'_>> = ours.as_array().unwrap().collect();
            assert_eq!(elements.len(), array.len());
            elements
                .into_iter()
                .zip(array.iter())
                .for_each(|(ours, theirs)| same(ours, theirs));
        }
        None => assert!(ours.as_array().is_none()),
    }
    match theirs.as_object() {
        Some(object) => {
            let members: Vec<(&str, Json<'_>)> = ours.as_object().unwrap().collect();
            assert_eq!(members.len(), object.len());
            for ((key, value), (their_key, their_value)) in members.into_iter().zip(object.iter()) {
                assert_eq!(key, their_key);
                same(value, their_value);
                let (found, theirs) = (ours.get(key).unwrap(), theirs.get(key).unwrap());
                assert_eq!(
                    found.to_json(),
                    sonic_rs::to_string(theirs).unwrap(),
                    "of several with this name, the first"
                );
            }
            assert!(ours.get("no such key").is_none());
        }
        None => assert!(ours.as_object().is_none()),
    }
    assert_eq!(ours.to_json(), sonic_rs::to_string(theirs).unwrap());
}

fn check(text: &str) {
    match (parse(text), sonic_rs::from_str::<sonic_rs::Value>(text)) {
        (Ok(ours), Ok(theirs)) => same(ours.root(), &theirs),
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{text:?}: {:?} but {theirs:?}", ours.map(|ours| ours.root().to_json())),
    }
}

#[test]
fn texts_at_the_edge() {
    for text in [
        "",
        " ",
        "null",
        " true ",
        "false x",
        "nul",
        "tru",
        "1",
        "-1",
        "-",
        "01",
        "1.",
        "1.5",
        ".5",
        "1e5",
        "1e",
        "1e+",
        "1E-5",
        "-0",
        "-0.0",
        "0.0",
        "1e400",
        "-1e400",
        "1e-400",
        "-1e-400",
        "-0.0001E-330",
        "-0e7",
        "-0.000e-7",
        "-0E+400",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890.5",
        "\"\"",
        "\"a",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\u0041\"",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\\",
        "\"\\u0000\"",
        "\"\u{1}\"",
        "\"\n\"",
        "\"\t\"",
        "\"\u{7f}\"",
        "\"é\"",
        "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
        "[",
        "]",
        "[]",
        "[ ]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,2]",
        "{}",
        "{ }",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"\":1}",
        "{a:1}",
        "{\"a\":1}}",
        "[[1],[2,[3]],{}]",
        "{\"\\u0061\":1,\"a\":2}",
        "\u{feff}1",
        "NaN",
        "Infinity",
        "[1]\n",
        "{\"a\" : [ 1 , { \"b\" : null } ] }",
    ] {
        check(text);
    }
    check(&format!("{}.0", "1".repeat(400)));
    check(&"1".repeat(400));
}

#[test]
fn what_is_not_escaped_stays_in_the_text() {
    let text = r#"{"a":"plain","b":"esc\naped"}"#;
    let document = parse(text).unwrap();
    let within = |value: &str| text.as_bytes().as_ptr_range().contains(&value.as_ptr());
    assert!(within(document.root().get("a").unwrap().as_str().unwrap()));
    assert!(!within(document.root().get("b").unwrap().as_str().unwrap()));
    assert_eq!(Document::default().root().get_type(), JsonType::Null);
    assert!(Document::parse(Cow::Borrowed("[")).is_none());
}

fn json() -> impl Strategy<Value = String> {
    let text = "([a-zé\u{1F600} ]|\\\\n|\\\\u00e9|\\\\\\\\|\\\\\"){0,20}".prop_map(|text| format!("\"{text}\""));
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        text.clone(),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        let member = (text.clone(), inner.clone()).prop_map(|(key, value)| format!("{key} : {value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(|items| format!("[{}]", items.join(" ,"))),
            proptest::collection::vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(", "))),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_those_of_another_parser(text in json()) {
        check(&text);
    }

    /// One character more, less or other.
    #[test]
    fn faults_are_those_of_another_parser(text in json(), at in any::<proptest::sample::Index>(), with in "[\\[\\]{}\",:\\\\0-9eE.+\\- \u{1}a]?") {
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters.splice(at..=at, with.chars());
        check(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn any_characters(text in "[\\[\\]{}\",:0-9a\\\\.eE\\- ]{0,24}") {
        check(&text);
    }
}

#[test]
fn objects_of_many_keys() {
    for count in [1, 95, 96, 97, 130, 300] {
        // The second of each name says something else.
        let members = (0..2 * count).map(|at| format!("\"key {}\":{at}", at % count));
        check(&format!("{{{}}}", members.collect::<Vec<_>>().join(",")));
        let members = (0..count).map(|at| format!("\"{at:03}\":{at}"));
        check(&format!("{{{}}}", members.collect::<Vec<_>>().join(",")));
    }
    // A key whose place is beyond 16 bits.
    let long = format!("{{\"a\":[{}1],\"b\":2,\"c\":3,\"b\":4}}", "1,".repeat(70_000));
    check(&long);
}

proptest! {
    /// An object of texts is the one that is parsed from their JSON.
    #[test]
    fn texts_are_as_if_they_had_been_parsed(
        texts in proptest::collection::btree_map(".{0,12}", r#"(.|["\\\n]){0,40}"#, 0..120),
    ) {
        let quoted = |text: &str| sonic_rs::to_string(text).unwrap();
        let members = texts.iter().map(|(key, text)| format!("{}:{}", quoted(key), quoted(text)));
        let spelled = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let texts: Vec<_> = texts.iter().map(|(key, text)| (key.as_str(), Cow::Borrowed(text.as_str()))).collect();
        let document = Document::of_texts(&texts).unwrap();
        prop_assert_eq!(document.root().to_json(), spelled.clone());
        same(document.root(), &sonic_rs::from_str(&spelled).unwrap());
    }
}
