//! What holds for any text.

use super::*;
use proptest::prelude::*;

/// A window and limits as small as the text, and as large as it is.
fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
    for limits in [LIMITS, SMALL] {
        let whole = framed(
            Limits {
                chunk: 1 << 20,
                ..limits
            },
            text,
        );
        for chunk in [1, 2, 5, 17, 64, 150] {
            let cut = framed(Limits { chunk, ..limits }, text);
            prop_assert_eq!(&cut, &whole, "chunks of {}", chunk);
        }
        covers(text, &whole.1)?;
    }
    Ok(())
}

/// Records follow each other.
fn covers(text: &[u8], found: &[Found]) -> Result<(), TestCaseError> {
    let mut end = 0;
    for record in found {
        prop_assert!(record.position >= end, "records overlap");
        prop_assert!(!record.text.is_empty());
        end = record.position + record.too_long.unwrap_or(0);
    }
    prop_assert!(end <= text.len() as u64);
    Ok(())
}

fn json_piece() -> impl Strategy<Value = String> {
    let record = prop_oneof![
        Just(r#"{"a":1}"#.to_owned()),
        Just(r#"{"b":"]}{[\"\\","c":[{"d":1},{"e":[]}]}"#.to_owned()),
        Just("{\n  \"a\": [\n    {\n      \"b\": 1\n    }\n  ]\n}".to_owned()),
        Just("{\"x\":[\n{\"a\":1},\n{\"a\":2}\n]}".to_owned()),
        Just(r#"{"CreationTime":"x","results":[{"a":1}]}"#.to_owned()),
        (0_usize..400).prop_map(|length| format!("{{\"long\":\"{}\"}}", "y".repeat(length))),
        (0_usize..60).prop_map(|count| format!("{{\n \"long\":[{}]\n}}", "1,\n{},".repeat(count))),
    ];
    let cut = (record.clone(), any::<prop::sample::Index>()).prop_map(|(record, at)| {
        let at = at.index(record.len());
        record[..at].to_owned()
    });
    let other = prop::sample::select(vec![
        "[",
        "]",
        "}",
        ",",
        " ",
        "\n",
        "\n",
        "\n",
        ",\n",
        "\r\n",
        "\n  ",
        "null",
        "garbage",
        "\"s,]\"",
        "\"",
        "\\",
        "{\"value\":[",
        "{\"took\":1,\"hits\":{\"hits\":[",
        "],\"next\":\"l\"}",
        "],\"records\":[",
        "],\"n\":{\"m\":[1,{}]}}",
        "\u{feff}",
        "\0\0",
    ]);
    prop_oneof![3 => record, 1 => cut, 4 => other.prop_map(str::to_owned)]
}

fn csv_piece() -> impl Strategy<Value = String> {
    let long = (0_usize..300).prop_map(|length| "z".repeat(length));
    let short = prop::sample::select(vec![
        "1",
        "x y",
        ",",
        ",",
        ",",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\"",
        "\"",
        "\"\"",
        "\"q\"",
        "\"a,\nb\"",
        "\u{feff}",
        ";",
        "\0",
        "24\"",
    ]);
    prop_oneof![1 => long, 20 => short.prop_map(str::to_owned)]
}

proptest! {
    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        agrees(&text)?;
    }

    #[test]
    fn bracket_soup(text in "[\\[\\]{}\",:\\\\\n a1]{0,80}") {
        agrees(text.as_bytes())?;
        agrees(format!("[{text}").as_bytes())?;
    }

    #[test]
    fn json_in_pieces(pieces in proptest::collection::vec(json_piece(), 0..25)) {
        agrees(pieces.concat().as_bytes())?;
    }

    #[test]
    fn rows_in_pieces(pieces in proptest::collection::vec(csv_piece(), 0..60)) {
        let text = format!("a,b\n{}", pieces.concat());
        agrees(text.as_bytes())?;
        for limits in [LIMITS, SMALL] {
            nothing_between_rows(text.as_bytes(), &framed(limits, text.as_bytes()).1)?;
        }
    }

    /// Whole records are found whatever broken line is between them.
    #[test]
    fn a_broken_line_never_hides_whole_ones(
        lines in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..12)
    ) {
        let record = r#"{"b":"]}{[\"\\","c":[{"d":1},{"e":[]}],"f":{"g":1}}"#;
        let (mut text, mut expected) = (String::new(), Vec::new());
        for (whole, at) in lines {
            let line = if whole { record } else { &record[..=at.index(record.len())] };
            text += line;
            text += "\n";
            expected.push(line.to_owned());
        }
        prop_assert_eq!(texts(&text), expected);
    }
}

/// Between rows there are only line ends and blank lines.
fn nothing_between_rows(text: &[u8], found: &[Found]) -> Result<(), TestCaseError> {
    let mut end = 4;
    for row in found {
        let start = row.position as usize;
        prop_assert!(text[end..start].iter().all(|byte| is_blank(*byte)), "{:?}", row);
        end = start + row.too_long.map_or(row.text.len(), |length| length as usize);
    }
    prop_assert!(text[end..].iter().all(|byte| is_blank(*byte)));
    Ok(())
}

proptest! {
    /// Of a field in quotes, its text, however far apart quotes are in it.
    #[test]
    fn quotes_in_fields(texts in proptest::collection::vec(r#"("{1,3}|[a-z]{0,40}|[,\r\né]){0,30}"#, 2..5)) {
        let row = |texts: &[String]| {
            let quoted = texts.iter().map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
            quoted.collect::<Vec<_>>().join(",")
        };
        let names: Vec<String> = (0..texts.len()).map(|column| format!("column {column}")).collect();
        let text = format!("{}\n{}\n", row(&names), row(&texts));
        let found = framed(LIMITS, text.as_bytes()).1;
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].fields.clone(), Some(Ok(texts)));
    }
}
