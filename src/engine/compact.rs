//! Takes texts out of buffers that they hardly use.
//!
//! Texts that are read from Parquet are views of whole decoded pages. Of a few rows that a
//! filter leaves, what waits in a join or a sort would hold all of the pages.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ByteView, GenericByteViewArray, RecordBatch};
use datafusion::arrow::datatypes::{BinaryViewType, ByteViewType, StringViewType};
use datafusion::common::Result;
use std::sync::Arc;

/// Bytes of buffers that nobody minds.
const FEW: usize = 32 << 10;

/// The same rows, without buffers of which less than half is used.
pub(super) fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(column).collect();
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

fn column(array: &ArrayRef) -> ArrayRef {
    if let Some(texts) = array.as_string_view_opt() {
        views::<StringViewType>(array, texts)
    } else if let Some(bytes) = array.as_binary_view_opt() {
        views::<BinaryViewType>(array, bytes)
    } else {
        Arc::clone(array)
    }
}

fn views<T: ByteViewType>(array: &ArrayRef, views: &GenericByteViewArray<T>) -> ArrayRef {
    let held: usize = views.data_buffers().iter().map(|buffer| buffer.len()).sum();
    if held <= FEW {
        return Arc::clone(array);
    }
    // A null may have any view.
    let used = (0..views.len()).filter(|row| views.is_valid(*row)).filter_map(|row| {
        let view = ByteView::from(*views.views().get(row)?);
        (view.length > 12).then_some(view.length as usize)
    });
    match used.sum::<usize>() < held / 2 {
        true => Arc::new(views.gc()),
        false => Arc::clone(array),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Int64Array, StringViewArray};

    #[test]
    fn what_is_left_of_a_page_holds_no_page() {
        let texts: StringViewArray = (0..10_000)
            .map(|n| (n % 7 != 0).then(|| format!("a long text {n}")))
            .collect();
        let numbers = Int64Array::from_iter_values(0..10_000);
        let columns: [(&str, ArrayRef); 2] = [("text", Arc::new(texts)), ("number", Arc::new(numbers))];
        let page = RecordBatch::try_from_iter(columns).unwrap();
        let held = |batch: &RecordBatch| {
            let texts = batch.column(0).as_string_view();
            texts.data_buffers().iter().map(|buffer| buffer.len()).sum::<usize>()
        };
        let few = page.slice(20, 8);
        assert!(held(&few) > 100_000);
        let compacted = compact(&few).unwrap();
        assert!(held(&compacted) < 200);
        assert_eq!(compacted, few);
        assert_eq!(held(&compact(&page).unwrap()), held(&page));
    }
}
