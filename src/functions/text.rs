//! Text arguments in every shape SQL gives them: one text or a list of texts,
//! in any string encoding, as a column or as a constant.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, Expr};

/// What a function accepts at one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// One text.
    Text,
    /// One text or a list of texts.
    TextOrList,
}

/// True for every type that holds one text. NULL written without a type is a text.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The type of the elements of a list, if this is one.
pub(crate) fn list_item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Some(item.data_type()),
        _ => None,
    }
}

/// Checks the argument types of a call: `first` for the first argument, `rest` for all others.
/// The types are returned as they are: every encoding is read without a cast in the plan.
pub(crate) fn check_types(
    function: &str,
    first: Accepts,
    rest: Accepts,
    minimum: usize,
    types: &[DataType],
) -> Result<Vec<DataType>> {
    if types.len() < minimum {
        return plan_err!("{function} needs at least {minimum} arguments, not {}", types.len());
    }
    for (position, data_type) in types.iter().enumerate() {
        let accepts = if position == 0 { first } else { rest };
        let list_of_text = list_item(data_type).is_some_and(is_text);
        if is_text(data_type) || (accepts == Accepts::TextOrList && list_of_text) {
            continue;
        }
        let wanted = match accepts {
            Accepts::Text => "a text",
            Accepts::TextOrList => "a text or a list of texts",
        };
        return plan_err!(
            "{function}: argument {} must be {wanted}, not {data_type}",
            position + 1
        );
    }
    Ok(types.to_vec())
}

/// Texts of any encoding as views, on the same bytes where the encoding allows it.
pub(crate) fn views(texts: &ArrayRef) -> Result<StringViewArray> {
    match texts.as_any_dictionary_opt() {
        // Arrow 59's cast of a dictionary looks at the keys alone, and a key of a NULL value becomes an empty text.
        Some(dictionary) => Ok(take(&views(dictionary.values())?, dictionary.keys(), None)?
            .as_string_view()
            .clone()),
        None => Ok(cast(texts, &DataType::Utf8View)?.as_string_view().clone()),
    }
}

/// One argument of a call over a batch of rows.
#[derive(Debug)]
pub(crate) struct TextArgument {
    values: StringViewArray,
    lists: Option<(OffsetBuffer<i32>, Option<NullBuffer>)>,
    constant: bool,
}

impl TextArgument {
    /// Reads the argument. Strings of all encodings become views on the same bytes.
    pub(crate) fn try_new(argument: &ColumnarValue) -> Result<Self> {
        let (array, constant) = match argument {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
        };
        let Some(item) = list_item(array.data_type()) else {
            return Ok(Self {
                values: views(&array)?,
                lists: None,
                constant,
            });
        };
        let list_type = DataType::List(Arc::new(Field::new_list_field(item.clone(), true)));
        let array = cast(&array, &list_type)?;
        let list = array.as_list::<i32>();
        Ok(Self {
            values: views(list.values())?,
            lists: Some((list.offsets().clone(), list.nulls().cloned())),
            constant,
        })
    }

    /// True when the argument has one value for all rows.
    pub(crate) fn is_constant(&self) -> bool {
        self.constant
    }

    /// The text of one row, where the argument is no list.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        let row = if self.constant { 0 } else { row };
        (self.lists.is_none() && self.values.is_valid(row)).then(|| self.values.value(row))
    }

    /// The texts of one row, a single text being a list of one; `None` where the argument is NULL.
    pub(crate) fn row(&self, row: usize) -> Option<impl Iterator<Item = Option<&str>>> {
        let row = if self.constant { 0 } else { row };
        let range: Range<usize> = match &self.lists {
            None if self.values.is_null(row) => return None,
            None => row..row + 1,
            Some((_, Some(nulls))) if nulls.is_null(row) => return None,
            Some((offsets, _)) => offset(offsets, row)..offset(offsets, row + 1),
        };
        Some(range.map(|index| self.values.is_valid(index).then(|| self.values.value(index))))
    }
}

/// Offsets of Arrow lists are never negative.
fn offset(offsets: &OffsetBuffer<i32>, index: usize) -> usize {
    usize::try_from(offsets[index]).unwrap_or_default()
}

/// Calls `check` with every text of a constant, whether it is a text or a list of texts.
/// Constants of other types are left to the check of types.
pub(crate) fn for_each_text(constant: &ScalarValue, mut check: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let data_type = constant.data_type();
    if !is_text(&data_type) && !list_item(&data_type).is_some_and(is_text) {
        return Ok(());
    }
    let argument = TextArgument::try_new(&ColumnarValue::Scalar(constant.clone()))?;
    if let Some(texts) = argument.row(0) {
        for text in texts.flatten() {
            check(text)?;
        }
    }
    Ok(())
}

/// The constant an expression is, if it is one.
pub(crate) fn literal(expression: &Expr) -> Option<&ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value),
        Expr::Alias(alias) => literal(&alias.expr),
        _ => None,
    }
}
