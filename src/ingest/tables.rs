//! Results of queries that name their columns once: `{"tables":[{"columns":[…],"rows":[[…]]}]}`,
//! as Log Analytics answers.

use crate::sources::Json;
use sonic_rs::{JsonValueTrait as _, LazyValue};

/// One row of such a table.
#[derive(Debug)]
pub(super) struct TableRow<'a> {
    /// The row as it stands in the result.
    pub(super) original: &'a str,
    /// Where it begins in the result.
    pub(super) at: usize,
    /// The object that has its columns as keys, or what is wrong with it. A cell is as it
    /// stands in the result; one that is null is left out, as it is in exports.
    pub(super) object: Result<String, String>,
}

/// Whether a record is such a result.
pub(super) fn is_result(record: Json<'_>) -> bool {
    let tables = member(record, "tables", "Tables").and_then(|tables| tables.as_array());
    tables.is_some_and(|tables| {
        tables.into_iter().all(|table| {
            let array = |lower, upper| member(table, lower, upper).is_some_and(|value| value.is_array());
            array("columns", "Columns") && array("rows", "Rows")
        })
    })
}

fn member<'a>(value: Json<'a>, lower: &str, upper: &str) -> Option<Json<'a>> {
    value.get(lower).or_else(|| value.get(upper))
}

/// Shows every row of a result, one after the other: it may have hundreds of thousands.
pub(super) fn each_row(text: &str, show: &mut dyn FnMut(TableRow<'_>)) {
    let tables = either(text, "tables", "Tables").and_then(LazyValue::into_array_iter);
    for table in tables.into_iter().flatten().flatten() {
        let table = table.as_raw_cow();
        let columns = either(&table, "columns", "Columns").and_then(LazyValue::into_array_iter);
        let columns: Vec<String> = columns.into_iter().flatten().flatten().map(name).collect();
        let Some(rows) = either(&table, "rows", "Rows") else {
            continue;
        };
        for row in rows.into_array_iter().into_iter().flatten().flatten() {
            let row = row.as_raw_cow();
            show(TableRow {
                original: &row,
                at: (row.as_ptr() as usize).saturating_sub(text.as_ptr() as usize),
                object: object(&row, &columns),
            });
        }
    }
}

fn either<'a>(text: &'a str, lower: &str, upper: &str) -> Option<LazyValue<'a>> {
    sonic_rs::get(text, [lower])
        .or_else(|_| sonic_rs::get(text, [upper]))
        .ok()
}

/// The name of a column as JSON text.
fn name(column: LazyValue<'_>) -> String {
    let name = column.get("name").or_else(|| column.get("ColumnName"));
    name.map(|name| name.as_raw_str().to_owned()).unwrap_or_default()
}

fn object(row: &str, columns: &[String]) -> Result<String, String> {
    let mut text = String::with_capacity(row.len() + 24 * columns.len());
    text.push('{');
    let mut count = 0;
    for (position, cell) in sonic_rs::to_array_iter(row).enumerate() {
        let cell = cell.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
        count = position + 1;
        let cell = cell.as_raw_str();
        if let Some(name) = columns.get(position)
            && cell != "null"
        {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(name);
            text.push(':');
            text.push_str(cell);
        }
    }
    if count != columns.len() {
        return Err(format!("{count} cells under {} columns", columns.len()));
    }
    text.push('}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(usize, Result<String, String>)> {
        let mut rows = Vec::new();
        assert!(is_result(crate::sources::parse(text).unwrap().root()));
        each_row(text, &mut |row| {
            assert_eq!(&text[row.at..row.at + row.original.len()], row.original);
            rows.push((row.at, row.object));
        });
        rows
    }

    #[test]
    fn rows_of_both_versions() {
        let text = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"A","type":"string"},{"name":"B","type":"long"}],"rows":[["x\/", 1], [null,2],[1]]},{"name":"S","columns":[],"rows":[]}]}"#;
        assert_eq!(
            rows(text),
            [
                (111, Ok(r#"{"A":"x\/","B":1}"#.to_owned())),
                (123, Ok(r#"{"B":2}"#.to_owned())),
                (132, Err("1 cells under 2 columns".to_owned())),
            ]
        );
        let text = r#"{"Tables":[{"TableName":"T","Columns":[{"ColumnName":"A"}],"Rows":[[{"a":[1]}]]}]}"#;
        assert_eq!(rows(text)[0].1, Ok(r#"{"A":{"a":[1]}}"#.to_owned()));
    }

    #[test]
    fn what_is_no_result() {
        for text in [
            r#"{"tables":[{"columns":[]}]}"#,
            r#"{"tables":1}"#,
            "{}",
            r#"{"tables":["x"]}"#,
        ] {
            assert!(!is_result(crate::sources::parse(text).unwrap().root()), "{text}");
        }
    }
}
