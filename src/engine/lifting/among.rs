//! `__among(value)`: whether a value is one of many, as one small expression.
//!
//! A list of thousands of literals would be rewritten again for every file that is read.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::utils::take_function_args;
use datafusion::common::{HashSet, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Whether an expression is one of the values, of which NULL may be one.
pub(super) fn among(expr: Expr, values: &[ScalarValue]) -> Result<Expr> {
    let array = ScalarValue::iter_to_array(values.iter().cloned())?;
    let function = Among {
        signature: Signature::any(1, Volatility::Immutable),
        set: Arc::new(Set::of(&array)?),
    };
    Ok(ScalarUDF::from(function).call(vec![expr]))
}

#[derive(Debug)]
struct Among {
    signature: Signature,
    set: Arc<Set>,
}

impl PartialEq for Among {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.set, &other.set)
    }
}

impl Eq for Among {}

impl Hash for Among {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.set).hash(state);
    }
}

/// The values, by their form as bytes; of texts the text itself.
#[derive(Debug)]
struct Set {
    values: HashSet<Box<[u8]>>,
    null: bool,
}

impl Set {
    fn of(array: &ArrayRef) -> Result<Self> {
        let mut values = HashSet::new();
        let mut null = false;
        each(array, |value| match value {
            Some(bytes) => {
                values.insert(bytes.into());
            }
            None => null = true,
        })?;
        Ok(Self { values, null })
    }

    fn holds(&self, value: Option<&[u8]>) -> bool {
        value.map_or(self.null, |bytes| self.values.contains(bytes))
    }
}

/// Calls back for each value of an array, with nothing for NULL.
fn each(array: &ArrayRef, mut see: impl FnMut(Option<&[u8]>)) -> Result<()> {
    match array.data_type() {
        DataType::Utf8View => array
            .as_string_view()
            .iter()
            .for_each(|text| see(text.map(str::as_bytes))),
        DataType::Utf8 => array
            .as_string::<i32>()
            .iter()
            .for_each(|text| see(text.map(str::as_bytes))),
        DataType::LargeUtf8 => array
            .as_string::<i64>()
            .iter()
            .for_each(|text| see(text.map(str::as_bytes))),
        other => {
            let rows = RowConverter::new(vec![SortField::new(other.clone())])?.convert_columns(&[Arc::clone(array)])?;
            for (position, row) in rows.iter().enumerate() {
                see(array.is_valid(position).then(|| row.as_ref()));
            }
        }
    }
    Ok(())
}

impl ScalarUDFImpl for Among {
    fn name(&self) -> &'static str {
        "__among"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [value] = take_function_args(self.name(), args.args)?;
        let array = value.into_array(rows)?;
        let mut found = Vec::with_capacity(array.len());
        each(&array, |value| found.push(self.set.holds(value)))?;
        if found.len() != array.len() {
            return exec_err!("__among lost rows");
        }
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(found))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::lit;
    use datafusion::prelude::SessionContext;

    #[tokio::test]
    async fn finds_values_of_every_type_and_null_only_where_it_is_one() {
        let context = SessionContext::new();
        let table = "SELECT * FROM (VALUES ('a', 1, TRUE), ('b', 2, FALSE), (NULL, NULL, NULL)) AS t (x, n, f)";
        let count = async |column: &str, values: &[ScalarValue]| {
            let frame = context.sql(table).await.unwrap();
            let condition = among(datafusion::logical_expr::col(column), values).unwrap();
            frame.filter(condition).unwrap().count().await.unwrap()
        };
        let text = |text: Option<&str>| ScalarValue::Utf8(text.map(str::to_owned));
        assert_eq!(count("x", &[text(Some("a")), text(Some("z"))]).await, 1);
        assert_eq!(count("x", &[text(Some("b")), text(None)]).await, 2);
        assert_eq!(count("n", &[ScalarValue::Int64(Some(2))]).await, 1);
        assert_eq!(
            count("f", &[ScalarValue::Boolean(Some(true)), ScalarValue::Boolean(None)]).await,
            2
        );
        assert_ne!(
            among(lit(1), &[text(Some("a"))]).unwrap(),
            among(lit(1), &[text(Some("a"))]).unwrap()
        );
    }
}
