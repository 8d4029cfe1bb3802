use super::*;

#[test]
fn every_framing() {
    let expected = [r#"{"a":1}"#, r#"{"b":"]}{[\""}"#];
    for text in [
        "{\"a\":1}\n{\"b\":\"]}{[\\\"\"}\n",
        "{\"a\":1}\r\n\r\n{\"b\":\"]}{[\\\"\"}",
        "[{\"a\":1},{\"b\":\"]}{[\\\"\"}]",
        "\u{feff}[\n{\"a\":1},\n{\"b\":\"]}{[\\\"\"}\n]\n",
        "[{\"a\":1}]\n\n[{\"b\":\"]}{[\\\"\"}]",
        "[{\"a\":1}][{\"b\":\"]}{[\\\"\"}",
        "{\"records\":[{\"a\":1},{\"b\":\"]}{[\\\"\"}]}",
        "{\"@odata.context\":\"x\",\"@odata.count\":2, \"value\": [ {\"a\":1}, {\"b\":\"]}{[\\\"\"} ], \"more\": [1,{\"c\":2}]}",
        "{\"schema\":[{\"name\":\"x\"}],\"results\":[{\"a\":1},{\"b\":\"]}{[\\\"\"}]}",
        "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"b\":\"]}{[\\\"\"}]}\n",
        "{\"a\":1}{\"b\":\"]}{[\\\"\"}",
        "{\"a\":1}\0\0\u{feff}{\"b\":\"]}{[\\\"\"}",
    ] {
        assert_eq!(texts(text), expected, "{text}");
    }
}

#[test]
fn a_chunk_holds_no_more_records_than_it_may() {
    for text in [
        "{\n".repeat(50),
        format!("[1{}", ",1".repeat(50)),
        format!("a,b\n{}", "1\n".repeat(50)),
    ] {
        let limits = Limits {
            chunk: 1 << 20,
            ..SMALL
        };
        let mut most = 0;
        frame_within(limits, text.as_bytes(), &mut |chunk| {
            most = most.max(match &chunk.shape {
                Shape::Json(spans) => spans.len(),
                Shape::Csv(header, _) => rows(&chunk.bytes, header).count(),
            });
            true
        })
        .unwrap();
        assert_eq!(most, SMALL.records, "{text}");
    }
}

#[test]
fn pretty_printed() {
    let text = "{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}\n{\n  \"c\": 1\n}\n";
    assert_eq!(
        texts(text),
        ["{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}", "{\n  \"c\": 1\n}"]
    );
}

#[test]
fn a_broken_line_costs_only_itself() {
    for broken in [
        r#"{"a":"cut he"#,
        r#"{"a":1,"b":"#,
        r#"{"a":{"b":[1,"#,
        "garbage",
        r#"{"a":{}"#,
        r#"{"a":["#,
        r#"{"a":1,"#,
        "{",
        r#"{"a":"cut \"#,
    ] {
        let text = format!("{{\"x\":1}}\n{broken}\n{{\"y\":2}}\n{{\"z\":3}}\n");
        let expected = ["{\"x\":1}", broken, "{\"y\":2}", "{\"z\":3}"];
        assert_eq!(texts(&text), expected, "{broken}");
        let text = format!("{{\"x\":1}}\n{broken}\n{{\"y\":2}}");
        assert_eq!(texts(&text), expected[..3], "{broken} before the last line");
    }
}

#[test]
fn a_record_named_like_a_container_is_a_record() {
    for text in [
        "{\"value\":[1,2]}",
        "{\"value\":\"x\"}",
        "{\"id\":1,\"records\":[{}]}",
        "{\"CreationTime\":\"x\",\"Id\":\"y\",\"results\":[{\"a\":1}]}",
        "{\"@timestamp\":\"x\",\"Records\":[{\"a\":1}]}",
        "{\"count\":2,\"value\":[1,2]}",
    ] {
        assert_eq!(texts(&format!("{text}\n")), [text]);
    }
}

#[test]
fn scalars_may_stand_before_the_array_of_a_container() {
    for text in [
        r#"{"nextLink":"n","value":[{"a":1},{"b":2}]}"#,
        r#"{"@odata.nextLink":null,"@search.count":3,"value":[{"a":1},{"b":2}]}"#,
        r#"{"took":1,"timed_out":false,"hits":{"total":{"value":2},"hits":[{"a":1},{"b":2}]}}"#,
        r#"{"took":1,"_shards":{"failed":0},"hits":{"hits":[{"a":1},{"b":2}],"x":1},"aggregations":{"n":{}}}"#,
    ] {
        assert_eq!(texts(text), [r#"{"a":1}"#, r#"{"b":2}"#], "{text}");
        assert_eq!(texts(&format!("{text}{{\"c\":3}}")).len(), 3, "{text}");
    }
}

#[test]
fn behind_the_array_of_a_container_nothing_is_lost() {
    assert_eq!(
        texts("{\"records\":[{\"e\":1}]\n{\"records\":[{\"e\":2},{\"e\":3}]}\n{\"e\":4}\n"),
        [r#"{"e":1}"#, r#"{"e":2}"#, r#"{"e":3}"#, r#"{"e":4}"#]
    );
    assert_eq!(
        texts("{\"value\":[{\"e\":1}],\"n\":1,\"records\":[{\"e\":2},{\"e\":3}],\"m\":{\"x\":[]}}\n{\"e\":4}"),
        [r#"{"e":1}"#, r#"{"e":2}"#, r#"{"e":3}"#, r#"{"e":4}"#]
    );
    assert_eq!(
        texts("{\"value\":[{\"e\":1}],\"next\":\"cut\n{\"value\":[{\"e\":2}]}\n"),
        [r#"{"e":1}"#, "\"next\":\"cut", r#"{"e":2}"#]
    );
    assert_eq!(
        texts("{\"value\":[{\"e\":1}],\"next\":{\"a\":1\n{\"e\":2}\n{\"e\":3}"),
        [r#"{"e":1}"#, "\"next\":{\"a\":1", r#"{"e":2}"#, r#"{"e":3}"#]
    );
}

#[test]
fn what_is_no_object_in_an_array_costs_only_itself() {
    assert_eq!(
        texts(r#"[{"a":1},null,"x,]\"y",-1.5,{"b":2},oops {,[1,{"c":3}],{"d":4}]"#),
        [
            r#"{"a":1}"#,
            "null",
            r#""x,]\"y""#,
            "-1.5",
            r#"{"b":2}"#,
            "oops {",
            r#"[1,{"c":3}]"#,
            r#"{"d":4}"#
        ]
    );
    assert_eq!(
        texts(r#"["{\"a\":1}","{\"b\":[2]}"]"#),
        [r#""{\"a\":1}""#, r#""{\"b\":[2]}""#]
    );
    assert_eq!(texts("[\"cut\n{\"a\":1},\nx"), ["\"cut", "{\"a\":1}", "x"]);
}

#[test]
fn a_record_that_begins_compact_may_go_on_behind_its_line() {
    for record in [
        "{\"@timestamp\":1,\"x\":[\n{\"a\":1},\n{\"a\":2}\n]}",
        "{\"x\":\n{\"a\":1},\n\"y\":[1,\n[2],\n{}]}",
        "{\"x\":[{\"a\":1}\n,\n{\"a\":2}]}",
    ] {
        let text = format!("{record}\n{{\"y\":2}}\n");
        assert_eq!(texts(&text), [record, "{\"y\":2}"], "{record}");
        assert_eq!(texts(&format!("[{record},\n{{\"y\":2}}]")), [record, "{\"y\":2}"]);
    }
}

#[test]
fn a_doubtful_line_is_followed_so_far_and_no_further() {
    let element = "{\"a\":1},\n";
    let short = format!("{{\"x\":[\n{}1]}}", element.repeat(5));
    assert_eq!(framed(SMALL, short.as_bytes()).1.len(), 1);
    let long = format!("{{\"x\":[\n{}1]}}", element.repeat(8));
    let found = framed(SMALL, long.as_bytes()).1;
    assert_eq!(found[0].text, "{\"x\":[");
    assert_eq!(found[1].text, "{\"a\":1}");
    assert_eq!(found.len(), 10, "{found:?}");
}

#[test]
fn several_records_on_a_line() {
    for between in [" ", ", ", ",", "", "\t", " , "] {
        assert_eq!(
            texts(&format!("{{\"a\":[{{}},{{}}]}}{between}{{\"b\":1}}\n{{\"c\":1}}\n")),
            ["{\"a\":[{},{}]}", "{\"b\":1}", "{\"c\":1}"],
            "{between:?}"
        );
    }
}

#[test]
fn nested_arrays_and_containers() {
    let expected = [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#, r#"{"d":4}"#];
    for text in [
        r#"[[{"a":1},{"b":2}],[{"c":3}]]{"d":4}"#,
        r#"[ [{"a":1},{"b":2}], [], [ [{"c":3}] ], {"d":4}]"#,
        r#"[{"value":[{"a":1},{"b":2}],"n":1},{"value":[{"c":3}]},{"d":4}]"#,
        "[{\"a\":1},{\"b\":2}\n[{\"c\":3}]\n{\"d\":4}",
        "[{\"value\":[{\"a\":1},{\"b\":2}]\n[{\"c\":3},{\"d\":4}]",
    ] {
        assert_eq!(texts(text), expected, "{text}");
    }
}

#[test]
fn a_broken_pretty_record_costs_only_itself() {
    for (indent, between) in [("", "\n"), ("  ", ",\n")] {
        let good = format!("{indent}{{\n{indent}  \"c\": {{\n{indent}    \"d\": 1\n{indent}  }}\n{indent}}}");
        for broken in [
            "{\n    \"a\": {\n      \"b\": 1",
            "{\n    \"a\": \"cut",
            "{\n    \"a\": \"cut\n    \"b\": 1\n  }",
            "{\n    \"a\": [",
            "{\n    \"a\": [1,",
            "{\n    \"a\":",
            "{",
        ] {
            let broken = format!("{indent}{broken}");
            let text = format!("{good}{between}{broken}\n{good}{between}{good}\n");
            let good = good.trim_start();
            assert_eq!(texts(&text), [good, broken.trim(), good, good], "{text}");
        }
    }
}

#[test]
fn a_record_that_is_too_long_is_passed_over() {
    let long = format!("{{\"a\":\"{}\"}}", "x]}".repeat(200));
    let pretty = format!("{{\n \"a\": [{}]\n}}", "1,\n ".repeat(200));
    let line = "x".repeat(700);
    for (long, text) in [
        (&long, format!("{{\"b\":1}}\n{long}\n{{\"c\":1}}\n{{\"d\":1}}\n")),
        (&long, format!("[{{\"b\":1}},{long},{{\"c\":1}},{{\"d\":1}}]")),
        (&pretty, format!("{{\"b\":1}}\n{pretty}\n{{\"c\":1}}\n{{\"d\":1}}\n")),
        (&line, format!("{{\"b\":1}}\n{line}\n{{\"c\":1}}\n{{\"d\":1}}\n")),
        (&line, format!("[{{\"b\":1}},{line},{{\"c\":1}},{{\"d\":1}}]")),
        (&long, format!("{{\"b\":1}}{long}{{\"c\":1}}{{\"d\":1}}")),
    ] {
        for chunk in [1, 10, 64, 5000] {
            let (_, found) = framed(Limits { chunk, ..SMALL }, text.as_bytes());
            let texts: Vec<_> = found.iter().map(|found| found.text.as_str()).collect();
            assert_eq!(texts, ["{\"b\":1}", &long[..10], "{\"c\":1}", "{\"d\":1}"]);
            assert_eq!(found[1].too_long, Some(long.len() as u64));
            assert_eq!(found[2].too_long, None);
        }
    }
}

#[test]
fn broken_lines_are_not_read_again_and_again() {
    let start = std::time::Instant::now();
    for broken in ["{\"a\":[\n", "{\"a\":\n", "{\"a\":[1,\n", "{\n", "{\n\"a\":[\n"] {
        let text = broken.repeat(30_000);
        let found = texts(&text);
        assert_eq!(found.len(), 30_000, "{broken}");
        assert_eq!(found[0], broken.trim_end());
    }
    // Read again and again, they take hours.
    assert!(start.elapsed().as_secs() < 600);
}

/// Reads from a pattern that is repeated, without keeping it.
struct Endless<'a>(&'a [u8], usize);

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(self.1);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.1 -= count;
        Ok(count)
    }
}

#[test]
fn memory_stays_bounded_whatever_does_not_end() {
    for pattern in ["[[", "{{", "x", "\"", "[\n", "{\"a\":[\n ", " \n", "\\"] {
        for begin in ["{\"a\":1}\n", "[", "[{\"a\":\"", "a,b\n\"", "a,b\n1,"] {
            let input = begin.as_bytes().chain(Endless(pattern.as_bytes(), 100_000));
            let mut largest = 0;
            frame_within(SMALL, input, &mut |chunk| {
                largest = largest.max(chunk.bytes.len());
                true
            })
            .unwrap();
            assert!(largest < 600, "{begin} {pattern}: {largest}");
        }
    }
}

/// Reads a few bytes at a time, so that every record is cut by a refill somewhere.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(7);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn chunk_borders_cut_no_record() {
    let element = format!("{{\"a\":\"{}\"}}", "x\\\"".repeat(200_000));
    let text = format!("[{}]", [element.as_str(); 30].join(","));
    let mut count = 0;
    frame(Dribble(text.as_bytes()), &mut |chunk| {
        if let Shape::Json(spans) = &chunk.shape {
            for &(from, to) in spans {
                assert_eq!(&chunk.bytes[from as usize..to as usize], element.as_bytes());
                count += 1;
            }
        }
        true
    })
    .unwrap();
    assert_eq!(count, 30);
}
