//! Which types of values can be kept, and the lists that hold them.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, ListArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};

/// Whether values of this type can be kept here.
///
/// A dictionary is not: its keys may be too few for the values of all groups together.
pub(super) fn supports(value_type: &DataType) -> bool {
    match value_type {
        DataType::Null
        | DataType::Dictionary(..)
        | DataType::RunEndEncoded(..)
        | DataType::Union(..)
        | DataType::Map(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => false,
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            supports(element.data_type())
        }
        DataType::Struct(fields) => !fields.is_empty() && fields.iter().all(|field| supports(field.data_type())),
        _ => true,
    }
}

/// The field of the elements of a list of values.
pub(super) fn element(value_type: &DataType) -> FieldRef {
    Arc::new(Field::new_list_field(value_type.clone(), true))
}

/// The lists of a state column.
pub(super) fn state_lists(state: &[ArrayRef]) -> Result<&ListArray> {
    match state {
        [lists] if lists.as_list_opt::<i32>().is_some() => Ok(lists.as_list()),
        _ => exec_err!("the state of a DISTINCT is one list of its values"),
    }
}
