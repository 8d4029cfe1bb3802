//! Lists of name and value pairs: `List<Struct<name, value>>`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, StructArray};
use datafusion::arrow::compute::{cast, nullif};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;

use super::text::{is_text, list_item};

/// Which half of the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Half {
    Name,
    Value,
}

impl Half {
    fn field_name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
        }
    }
}

/// The position and type of a half among the fields of the struct; `Name` is `name`.
fn find(fields: &Fields, half: Half) -> Option<(usize, &FieldRef)> {
    fields
        .iter()
        .enumerate()
        .find(|(_, field)| field.name().eq_ignore_ascii_case(half.field_name()))
}

/// The type of one half of a list of pairs; an error that names the function otherwise.
/// An untyped NULL is a list of pairs of texts.
pub(crate) fn half_type(function: &str, list: &DataType, half: Half) -> Result<DataType> {
    if list.is_null() {
        return Ok(DataType::Utf8View);
    }
    let halves = match list_item(list) {
        Some(DataType::Struct(fields)) => find(fields, Half::Name).zip(find(fields, Half::Value)),
        _ => None,
    };
    match halves {
        Some(((_, name), (_, value))) if is_text(name.data_type()) => Ok(if half == Half::Name {
            name.data_type().clone()
        } else {
            value.data_type().clone()
        }),
        _ => {
            plan_err!("{function} needs a list of pairs, each a struct of the texts \"name\" and \"value\", not {list}")
        }
    }
}

/// A list of pairs, taken apart without copying.
#[derive(Debug)]
pub(crate) struct Pairs {
    list: ListArray,
    names: ArrayRef,
    values: ArrayRef,
}

impl Pairs {
    /// Reads the argument; `None` if it is an untyped NULL.
    pub(crate) fn try_new(array: &ArrayRef) -> Result<Option<Self>> {
        let Some(item) = list_item(array.data_type()) else {
            return if array.data_type().is_null() {
                Ok(None)
            } else {
                exec_err!("expected a list of pairs, not {}", array.data_type())
            };
        };
        let list_type = DataType::List(Arc::new(Field::new_list_field(item.clone(), true)));
        let list = cast(array, &list_type)?.as_list::<i32>().clone();
        let Some(pairs) = list.values().as_struct_opt() else {
            return exec_err!("expected a list of pairs, not {}", array.data_type());
        };
        let (names, values) = (half_of(pairs, Half::Name)?, half_of(pairs, Half::Value)?);
        Ok(Some(Self { list, names, values }))
    }

    pub(crate) fn list(&self) -> &ListArray {
        &self.list
    }

    pub(crate) fn half(&self, half: Half) -> &ArrayRef {
        match half {
            Half::Name => &self.names,
            Half::Value => &self.values,
        }
    }
}

/// One half of the structs, NULL where the struct itself is.
fn half_of(pairs: &StructArray, half: Half) -> Result<ArrayRef> {
    let Some((position, _)) = find(pairs.fields(), half) else {
        return exec_err!("a pair has no field {:?}", half.field_name());
    };
    let column = pairs.column(position);
    match pairs.nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            let missing = BooleanArray::new(!nulls.inner(), None);
            Ok(nullif(column, &missing)?)
        }
        _ => Ok(Arc::clone(column)),
    }
}

/// One half of every pair, as a list with the same number of elements.
pub(crate) fn half_of_lists(argument: &ColumnarValue, half: Half) -> Result<ColumnarValue> {
    let (array, constant) = match argument {
        ColumnarValue::Array(array) => (Arc::clone(array), false),
        ColumnarValue::Scalar(value) => (value.to_array()?, true),
    };
    let halves: ArrayRef = match Pairs::try_new(&array)? {
        Some(pairs) => {
            let column = Arc::clone(pairs.half(half));
            let field = Arc::new(Field::new_list_field(column.data_type().clone(), true));
            let list = pairs.list();
            Arc::new(ListArray::try_new(
                field,
                list.offsets().clone(),
                column,
                list.nulls().cloned(),
            )?)
        }
        None => {
            let field = Arc::new(Field::new_list_field(DataType::Utf8View, true));
            Arc::new(ListArray::new_null(field, array.len()))
        }
    };
    if constant {
        return ScalarValue::try_from_array(&halves, 0).map(ColumnarValue::Scalar);
    }
    Ok(ColumnarValue::Array(halves))
}
