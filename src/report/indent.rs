//! JSON text over several lines, with every value as it was spelled.

/// The text with an element or member on each line; none where it is no JSON. Numbers, escapes
/// and repeated keys stay as they are, which a parser would not keep.
pub fn indented(json: &str) -> Option<String> {
    serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut opened = false;
    for character in json.chars() {
        if in_string {
            text.push(character);
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        let closes = matches!(character, '}' | ']');
        if character.is_ascii_whitespace() {
            continue;
        }
        if closes {
            depth -= 1;
        }
        // Nothing stands between the brackets of what is empty.
        if opened != closes {
            line(&mut text, depth);
        }
        opened = matches!(character, '{' | '[');
        depth += usize::from(opened);
        text.push(character);
        match character {
            '"' => in_string = true,
            ',' => line(&mut text, depth),
            ':' => text.push(' '),
            _ => {}
        }
    }
    Some(text)
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn values_stay_as_they_are_spelled() {
        let json = r#" {"a":1.10,"a":[ ],"b":{},"c":[1,{"d":"x\"{,\\"}],"e":"\/\u00e9"}"#;
        let expected = r#"{
  "a": 1.10,
  "a": [],
  "b": {},
  "c": [
    1,
    {
      "d": "x\"{,\\"
    }
  ],
  "e": "\/\u00e9"
}"#;
        assert_eq!(indented(json).as_deref(), Some(expected));
        assert_eq!(indented("\"x\"").as_deref(), Some("\"x\""));
        assert_eq!(indented("{\"a\":"), None);
    }
}
