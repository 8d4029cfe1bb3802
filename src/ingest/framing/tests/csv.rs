use super::super::csv::BrokenRow;
use super::*;

/// The fields of each row; none where its quotes do not match.
fn fields(text: &str) -> Vec<Option<Vec<String>>> {
    let (content, found) = framed(LIMITS, text.as_bytes());
    assert_eq!(content, Content::Csv, "{text}");
    let fields = |found: Found| found.fields.and_then(Result::ok);
    found.into_iter().map(fields).collect()
}

fn row<const N: usize>(fields: [&str; N]) -> Option<Vec<String>> {
    Some(fields.map(str::to_owned).to_vec())
}

fn columns(text: &str) -> Vec<String> {
    match csv_header::header(text.as_bytes(), true, LIMITS) {
        Head::Yes(header) => header.columns,
        _ => Vec::new(),
    }
}

#[test]
fn quotes_line_feeds_and_type_line() {
    let text = "\u{feff}#TYPE Selected\r\n\"AuditData\",\"Identity\"\r\n\"{\"\"a\"\":\r\n1}\",x\r\n\r\ny,\"z\"";
    assert_eq!(fields(text), [row(["{\"a\":\r\n1}", "x"]), row(["y", "z"])]);
    let at = framed(LIMITS, text.as_bytes()).1[1].position as usize;
    assert_eq!(&text[at..at + 1], "y", "the position is that of the row in the file");
}

#[test]
fn semicolons_and_tabs() {
    assert_eq!(fields("a;b;c\n1;\"2;3\";4\n"), [row(["1", "2;3", "4"])]);
    assert_eq!(fields("a\tb\n1\t2\n\t\n3\t\n"), [row(["1", "2"]), row(["3", ""])]);
}

#[test]
fn prose_is_no_table() {
    assert_eq!(
        framed(LIMITS, b"Dear analyst\nplease find attached\n").0,
        Content::Unknown
    );
}

#[test]
fn a_quote_inside_of_a_field_is_text() {
    assert_eq!(
        fields("a,b\n24\" monitor,1\nx,y \"z\"\n\"p\"\"\",q\n"),
        [row(["24\" monitor", "1"]), row(["x", "y \"z\""]), row(["p\"", "q"])]
    );
}

#[test]
fn a_quote_that_is_not_closed_costs_one_line() {
    for broken in [
        "\"open,1",
        "1,\"open",
        "\"say \"hi\" now\",1",
        "\"open\"\",1",
        "\"a\"b\",\"c",
    ] {
        for rest in ["x,y\nz,w", "\"x\",\"y\"\n\"z\",\"w\"", "x,\"y\"\nz,w\n"] {
            let text = format!("a,b\n1,2\n{broken}\n{rest}");
            let expected = [row(["1", "2"]), None, row(["x", "y"]), row(["z", "w"])];
            assert_eq!(fields(&text), expected, "{text}");
            assert_eq!(framed(LIMITS, text.as_bytes()).1[1].text, broken);
        }
    }
}

#[test]
fn a_row_over_several_lines_has_no_more_fields_than_columns() {
    // Every quote stands where one can, and the first is the wrong one.
    assert_eq!(
        fields("a,b\nx,\"\ny,\",\"\nz,\"\n4,5\n"),
        [None, row(["y", ","]), None, row(["4", "5"])]
    );
    assert_eq!(fields("a,b\n1,2,3\n4,5\n"), [row(["1", "2", "3"]), row(["4", "5"])]);
}

#[test]
fn broken_rows_are_not_read_again_and_again() {
    let start = std::time::Instant::now();
    let text = format!("a,b\n{}\"x", "x\",\"\n".repeat(100_000));
    assert!(fields(&text).len() >= 50_000);
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn a_quoted_field_may_be_so_long_and_no_longer() {
    let text = |lines: usize| format!("a,b\n1,\"{}\"\n2,3\n", "x\n".repeat(lines));
    for chunk in [1, 7, 64, 5000] {
        let limits = Limits { chunk, ..SMALL };
        assert_eq!(framed(limits, text(40).as_bytes()).1.len(), 2);
        let (_, found) = framed(limits, text(60).as_bytes());
        assert_eq!(found[0].text, "1,\"x");
        assert!(matches!(found[0].fields, Some(Err(_))));
        assert_eq!(found.last().unwrap().text, "2,3");
        assert_eq!(found.len(), 62);
    }
}

#[test]
fn a_line_with_a_field_that_is_too_long_says_so() {
    let text = |length: usize| format!("a,b\n1,\"{}\"\n2,3\n", "x".repeat(length));
    let said = |found: &Found| found.fields.clone().unwrap().unwrap_err();
    for chunk in [1, 7, 64, 5000] {
        let limits = Limits { chunk, ..SMALL };
        let (_, found) = framed(limits, text(90).as_bytes());
        assert!(found.iter().all(|found| matches!(found.fields, Some(Ok(_)))));
        let (_, found) = framed(limits, text(110).as_bytes());
        let lengths: Vec<usize> = found.iter().map(|found| found.text.len()).collect();
        assert_eq!(lengths, [114, 3]);
        assert_eq!(said(&found[0]), BrokenRow::LongField(100).to_string());
        for open in ["1,\"x".to_owned(), format!("1,\"{}", "x".repeat(110))] {
            let (_, found) = framed(limits, format!("a,b\n{open}\n2,3\n").as_bytes());
            assert!(said(&found[0]).contains("not closed"), "{}", found[0].text);
        }
    }
    let said = BrokenRow::LongField(16 << 20).to_string();
    assert!(said.contains("longer than 16 MB"), "{said}");
}

#[test]
fn a_row_that_is_too_long_is_passed_over() {
    let long = "x".repeat(700);
    let text = format!("a,b\n1,2\n{long}\r\n3,4\n");
    for chunk in [1, 10, 64, 5000] {
        let (_, found) = framed(Limits { chunk, ..SMALL }, text.as_bytes());
        let texts: Vec<_> = found.iter().map(|found| found.text.as_str()).collect();
        assert_eq!(texts, ["1,2", &long[..10], "3,4"]);
        assert_eq!(found[1].too_long, Some(700));
    }
}

#[test]
fn every_line_end() {
    for line_end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "1,\"x\ry\"", "", "2,", "\"3\",\"4\""].join(line_end);
        assert_eq!(
            fields(&text),
            [row(["1", "x\ry"]), row(["2", ""]), row(["3", "4"])],
            "{line_end:?}"
        );
    }
}

#[test]
fn lines_before_the_header() {
    assert_eq!(fields("sep=;\r\na;b\r\n1,5;2\r\n"), [row(["1,5", "2"])]);
    assert_eq!(fields("\u{feff}\"sep=|\"\na|b\n1,5|2\n"), [row(["1,5", "2"])]);
    assert_eq!(fields("sep=,\n\n#TYPE x\na,b;c;d\n1,2\n"), [row(["1", "2"])]);
    assert_eq!(fields("\n  \r\na,b\n1,2"), [row(["1", "2"])]);
}

#[test]
fn names_that_are_repeated_get_numbers() {
    assert_eq!(columns("a,b,a,a_2,a\n"), ["a", "b", "a_3", "a_2", "a_4"]);
    assert_eq!(columns("Id,Id,Time\n"), ["Id", "Id_2", "Time"]);
    assert!(columns("a,a\n").is_empty());
}

#[test]
fn files_put_together() {
    assert_eq!(
        fields("a,b\n1,2\n\u{feff}\"3\",4\n\0\0\0\n5,6\0\n"),
        [row(["1", "2"]), row(["3", "4"]), row(["5", "6\0"])]
    );
}
