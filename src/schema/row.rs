//! One event on its way from a source to the columns.

use super::{CATALOGUE, FieldId, FieldType};
use std::borrow::Cow;

/// The value of one field of one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// `Keyword` and `Ip`.
    Text(Cow<'a, str>),
    /// `Keywords`.
    Texts(Vec<Cow<'a, str>>),
    /// `Long`.
    Long(i64),
    /// `Double`.
    Double(f64),
    /// `Boolean`.
    Boolean(bool),
    /// `Timestamp`: microseconds since the Unix epoch, UTC.
    Timestamp(i64),
    /// `Pairs`: name and, where there is one, value.
    Pairs(Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>),
}

/// The fields of one event.
///
/// Setting a field again replaces its value; adding to a list keeps what is there.
#[derive(Debug)]
pub struct EventRow<'a> {
    cells: Vec<(FieldId, Cell<'a>)>,
    /// Per field: one more than its position in `cells`, or 0.
    slots: Vec<u16>,
}

impl Default for EventRow<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Cell<'_> {
    /// The same value, owning its text.
    pub fn into_owned(self) -> Cell<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Text(text) => Cell::Text(own(text)),
            Self::Texts(texts) => Cell::Texts(texts.into_iter().map(own).collect()),
            Self::Long(number) => Cell::Long(number),
            Self::Double(number) => Cell::Double(number),
            Self::Boolean(boolean) => Cell::Boolean(boolean),
            Self::Timestamp(micros) => Cell::Timestamp(micros),
            Self::Pairs(pairs) => Cell::Pairs(
                pairs
                    .into_iter()
                    .map(|(name, value)| (own(name), value.map(own)))
                    .collect(),
            ),
        }
    }
}

/// Values that most lists have room for, at once.
const FEW: usize = 4;

impl<'a> EventRow<'a> {
    /// An empty row.
    pub fn new() -> Self {
        Self {
            cells: Vec::with_capacity(64),
            slots: vec![0; CATALOGUE.fields().len()],
        }
    }

    /// An empty row in the memory of this one.
    pub fn cleared<'b>(mut self) -> EventRow<'b> {
        // Shorter than to go to the place of each.
        self.slots.fill(0);
        self.cells.clear();
        EventRow {
            // Of nothing, but in place: the allocation stays.
            cells: self.cells.into_iter().map_while(|_| None).collect(),
            slots: self.slots,
        }
    }

    /// Sets a field. A cell of another type than the field's is a bug of the source.
    #[inline]
    pub fn set(&mut self, field: FieldId, cell: Cell<'a>) {
        self.set_made(field, || cell);
    }

    /// As [`Self::set`], with a cell that is made where it stays: one that is made elsewhere is
    /// written in pieces and read whole at once, which a processor waits for, fifty times an event.
    #[inline(always)]
    fn set_made(&mut self, field: FieldId, cell: impl FnOnce() -> Cell<'a>) {
        match self.slots[field.index()] {
            0 => {
                self.slots[field.index()] = self.cells.len() as u16 + 1;
                // Makes room before it asks for the cell, unlike `push`.
                self.cells.extend(std::iter::once_with(|| (field, cell())));
            }
            slot => self.cells[usize::from(slot) - 1].1 = cell(),
        }
        debug_assert!(
            self.get(field).is_some_and(|cell| fits(field.field().data_type, cell)),
            "{} cannot hold {:?}",
            field.field().ecs,
            self.get(field)
        );
    }

    /// Sets a keyword or address; an empty string sets nothing.
    #[inline(always)]
    pub fn text(&mut self, field: FieldId, value: impl Into<Cow<'a, str>>) {
        match value.into() {
            Cow::Borrowed("") => {}
            Cow::Borrowed(text) => self.set_made(field, || Cell::Text(Cow::Borrowed(text))),
            Cow::Owned(text) => self.owned_text(field, text),
        }
    }

    #[inline(never)]
    fn owned_text(&mut self, field: FieldId, text: String) {
        if !text.is_empty() {
            self.set(field, Cell::Text(Cow::Owned(text)));
        }
    }

    /// Adds to a list field; an empty string adds nothing.
    pub fn add(&mut self, field: FieldId, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        if value.is_empty() {
            return;
        }
        match self.slots[field.index()] {
            0 => {
                let mut values = Vec::with_capacity(FEW);
                values.push(value);
                self.set(field, Cell::Texts(values));
            }
            slot => {
                if let Cell::Texts(values) = &mut self.cells[usize::from(slot) - 1].1 {
                    values.push(value);
                }
            }
        }
    }

    /// Adds to a list field what is not in it yet. Looks through the whole list, so this is
    /// for short ones.
    pub fn add_new(&mut self, field: FieldId, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        if let Some(Cell::Texts(values)) = self.get(field)
            && values.contains(&value)
        {
            return;
        }
        self.add(field, value);
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: FieldId) -> Option<&Cell<'a>> {
        match self.slots[field.index()] {
            0 => None,
            slot => Some(&self.cells[usize::from(slot) - 1].1),
        }
    }

    /// The value of a keyword or address field.
    pub fn get_text(&self, field: FieldId) -> Option<&str> {
        match self.get(field) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// True where the field is set.
    #[inline]
    pub fn has(&self, field: FieldId) -> bool {
        self.slots[field.index()] != 0
    }

    /// The values of a list field.
    pub fn get_texts(&self, field: FieldId) -> &[Cow<'a, str>] {
        match self.get(field) {
            Some(Cell::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// Adds the values of keyword and address fields to a list field, each once.
    pub fn gather(&mut self, from: &[FieldId], to: FieldId) {
        for field in from {
            if let Some(Cell::Text(text)) = self.get(*field) {
                let text = text.clone();
                self.add_new(to, text);
            }
        }
    }

    /// Copies a keyword or address to another field, where it is set.
    pub fn copy(&mut self, from: FieldId, to: FieldId) {
        if let Some(Cell::Text(text)) = self.get(from) {
            let text = text.clone();
            self.text(to, text);
        }
    }

    /// Removes a field and returns what it held.
    pub fn take(&mut self, field: FieldId) -> Option<Cell<'a>> {
        let slot = std::mem::take(&mut self.slots[field.index()]);
        if slot == 0 {
            return None;
        }
        let (_, cell) = self.cells.swap_remove(usize::from(slot) - 1);
        if let Some((moved, _)) = self.cells.get(usize::from(slot) - 1) {
            self.slots[moved.index()] = slot;
        }
        Some(cell)
    }

    /// Takes over the fields of another row that are not set here.
    pub fn fill(&mut self, other: Self) {
        for (field, cell) in other.cells {
            if !self.has(field) {
                self.set(field, cell);
            }
        }
    }

    /// Takes over the fields of a row built from a shorter-lived record, such as JSON
    /// text inside this one. What is set already stays.
    pub fn absorb(&mut self, other: EventRow<'_>) {
        for (field, cell) in other.cells {
            if !self.has(field) {
                self.set(field, cell.into_owned());
            }
        }
    }

    /// The fields that are set, in no particular order.
    pub fn cells(&self) -> &[(FieldId, Cell<'a>)] {
        &self.cells
    }
}

fn fits(data_type: FieldType, cell: &Cell<'_>) -> bool {
    matches!(
        (data_type, cell),
        (FieldType::Keyword | FieldType::Ip, Cell::Text(_))
            | (FieldType::Keywords, Cell::Texts(_))
            | (FieldType::Long, Cell::Long(_))
            | (FieldType::Double, Cell::Double(_))
            | (FieldType::Boolean, Cell::Boolean(_))
            | (FieldType::Timestamp, Cell::Timestamp(_))
            | (FieldType::Pairs, Cell::Pairs(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::*;

    #[test]
    fn take_keeps_the_others_reachable() {
        let mut row = EventRow::new();
        row.text(EVENT_ACTION, "a");
        row.text(EVENT_ID, "b");
        row.text(EVENT_PROVIDER, "c");
        assert_eq!(row.take(EVENT_ACTION), Some(Cell::Text("a".into())));
        assert_eq!(row.get_text(EVENT_PROVIDER), Some("c"));
        assert_eq!(row.get_text(EVENT_ID), Some("b"));
        assert_eq!(row.take(EVENT_ACTION), None);
    }
}
