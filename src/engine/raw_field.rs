//! `raw_field(raw, name)`: a field without a column, read from the record's own text.
//!
//! The record keeps its source's spelling, so an ECS name is looked for in every place
//! and spelling that Elastic's mapping takes it from. Values are passed over without
//! being parsed; only the way to the field is read.

mod lookup;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use lookup::Lookup;
use std::sync::{Arc, LazyLock};

const NAME: &str = "raw_field";

/// The function `raw_field(raw, name)`, to register in a session.
pub(crate) fn raw_field_udf() -> ScalarUDF {
    ScalarUDF::from(RawField {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RawField {
    signature: Signature,
}

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection { include: true, label: "retrohunt functions", description: None },
        "A field of a record that has no column of its own, by its ECS name. Numbers, booleans, objects and arrays \
         come as their JSON text; what is null, absent or not readable is NULL. Unknown dotted names in a query are \
         read this way by themselves; writing the function out avoids the check for misspellings. It reads the whole \
         text of every record, so filter by columns first.",
        "raw_field(raw, name)",
    )
    .with_argument("raw", "The record's text: the column raw.")
    .with_argument("name", "Dotted name: o365.audit.<key>, azure.signinlogs.properties.<snake_case_key>, or a path.")
    .with_sql_example(
        "\
> SELECT raw_field('{\"Parameters\":[{\"Name\":\"ForwardTo\",\"Value\":\"a@b.c\"}]}', 'o365.audit.Parameters.ForwardTo') AS to;
+-------+
| to    |
+-------+
| a@b.c |
+-------+",
    )
    .build()
});

impl ScalarUDFImpl for RawField {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() != 2 {
            return plan_err!(
                "{NAME} takes 2 arguments, the record's text and a field name, not {}",
                types.len()
            );
        }
        types.iter().map(coerced).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [records, names] = take_function_args(NAME, args.args)?;
        let all_scalar = matches!((&records, &names), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let rows = if all_scalar { 1 } else { args.number_rows };
        // One constant name for all rows is the rule; a column of names is compiled row by row.
        let constant = match &names {
            ColumnarValue::Scalar(name) => Some(name.try_as_str().flatten().map(Lookup::new)),
            ColumnarValue::Array(_) => None,
        };
        let records = cast(&records.into_array(rows)?, &DataType::Utf8View)?;
        let records = records.as_string_view();
        let mut values = StringBuilder::with_capacity(rows, rows * 16);
        match constant {
            Some(lookup) => {
                for record in records {
                    values.append_option(
                        record
                            .zip(lookup.as_ref())
                            .and_then(|(record, lookup)| lookup.find(record)),
                    );
                }
            }
            None => {
                let names = cast(&names.into_array(rows)?, &DataType::Utf8View)?;
                for (record, name) in records.iter().zip(names.as_string_view()) {
                    values.append_option(
                        record
                            .zip(name)
                            .and_then(|(record, name)| Lookup::new(name).find(record)),
                    );
                }
            }
        }
        let values: StringArray = values.finish();
        if all_scalar {
            let value = (!values.is_empty() && values.is_valid(0)).then(|| values.value(0).to_owned());
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(value)));
        }
        Ok(ColumnarValue::Array(Arc::new(values) as ArrayRef))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// Texts stay as they are; NULL is a text too.
fn coerced(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(data_type.clone()),
        DataType::Dictionary(_, values) => coerced(values),
        DataType::Null => Ok(DataType::Utf8View),
        other => plan_err!("{NAME} takes texts, not {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{DictionaryArray, LargeStringArray, StringViewArray};
    use datafusion::arrow::datatypes::Int32Type;
    use datafusion::arrow::record_batch::RecordBatch;
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::prelude::SessionContext;

    async fn query(column: ArrayRef) -> String {
        let context = SessionContext::new();
        context.register_udf(raw_field_udf());
        let batch = RecordBatch::try_from_iter([("raw", column)]).unwrap();
        context.register_batch("t", batch).unwrap();
        let sql = "SELECT raw_field(raw, 'o365.audit.A') AS a, raw_field(raw, NULL) AS b, \
                   raw_field(raw, CASE WHEN raw LIKE '%2%' THEN 'o365.audit.B' END) AS c, \
                   raw_field('{\"A\":[1]}', 'o365.audit.A') AS d FROM t";
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }

    #[tokio::test]
    async fn every_encoding() {
        let records = vec![
            Some(r#"{"A":"x"}"#),
            Some(r#"{"A":1.50,"B":2}"#),
            None,
            Some("not json"),
        ];
        let expected = query(Arc::new(StringArray::from(records.clone()))).await;
        insta::assert_snapshot!(expected, @"
    +------+---+---+-----+
    | a    | b | c | d   |
    +------+---+---+-----+
    | x    |   |   | [1] |
    | 1.50 |   | 2 | [1] |
    |      |   |   | [1] |
    |      |   |   | [1] |
    +------+---+---+-----+
    ");
        assert_eq!(query(Arc::new(LargeStringArray::from(records.clone()))).await, expected);
        assert_eq!(query(Arc::new(StringViewArray::from(records.clone()))).await, expected);
        let dictionary: DictionaryArray<Int32Type> = records.into_iter().collect();
        assert_eq!(query(Arc::new(dictionary)).await, expected);
    }

    #[tokio::test]
    async fn wrong_arguments_are_planning_errors() {
        let context = SessionContext::new();
        context.register_udf(raw_field_udf());
        for sql in ["SELECT raw_field('{}')", "SELECT raw_field('{}', 1)"] {
            assert!(context.sql(sql).await.is_err(), "{sql}");
        }
    }
}
