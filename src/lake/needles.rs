//! Conditions that ask for one value of many: row groups whose Bloom filters say that none of their
//! rows has it are not read.
//!
//! Of what a query looks for in a lake of months, an id, an address, a session, a message, most
//! files have nothing, and no order of the rows would tell. The filter of a column is a few
//! kilobytes of a file, and what it says of a text that is not there is right 999 times of 1000.
//! Where in the file it is the log tells, or the file's footer.

mod line;

use super::columns::{BLOCK, block_of};
use super::file_reader::{FileReader, FileReaders, ReadColumns};
use super::filter_places::{Filter, FilterPlaces, Place};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::parquet::arrow::async_reader::AsyncFileReader as _;
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
pub(super) use line::Candidate;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// What is kept of a file: where its filters are.
const PLACES: &str = "filters/";

/// Values that are looked for at most; with more, each file has one of them.
const MOST_VALUES: usize = 1000;

/// A column that has to be one of some texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Needle {
    column: String,
    values: Vec<String>,
}

/// What rows have to fulfil.
#[derive(Debug, Clone)]
pub(super) struct Needles {
    /// Of each list, one.
    clauses: Arc<Vec<Vec<Needle>>>,
    /// The columns that they are about, each once.
    names: Arc<[String]>,
    read_columns: ReadColumns,
    /// All columns of which files keep filters.
    columns: &'static [&'static str],
}

impl Needles {
    /// Those among the conditions of a scan, about columns of which files keep filters.
    pub(super) fn of(filters: &[Expr], columns: &'static [&'static str]) -> Self {
        let mut clauses = Vec::new();
        filters
            .iter()
            .for_each(|filter| conditions(filter, columns, &mut clauses));
        let names: BTreeSet<&String> = clauses.iter().flatten().map(|needle| &needle.column).collect();
        let names: Arc<[String]> = names.into_iter().cloned().collect();
        Self {
            read_columns: ReadColumns::named(names.iter().cloned()),
            names,
            clauses: Arc::new(clauses),
            columns,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// For each of the files which row groups may have a row that fulfils them.
    pub(super) async fn may_be_in(&self, readers: &FileReaders, files: Vec<Candidate>) -> Result<Vec<Vec<bool>>> {
        line::ask(self, readers, files).await
    }

    async fn may_be_in_file(&self, reader: &mut FileReader, told: Option<&str>) -> ParquetResult<Vec<bool>> {
        if let Some(places) = told.and_then(|told| self.told(told, reader)) {
            let (possible, any_is_empty) = self.may_be_in_groups(reader, &places).await?;
            // Blocks of filters are hardly ever empty, and those of a file that was lost are.
            if !any_is_empty {
                return Ok(possible);
            }
        }
        let places = places_in(reader, &self.names).await?;
        Ok(self.may_be_in_groups(reader, &places).await?.0)
    }

    /// For each row group, and whether a filter had nothing at all where a value would be.
    async fn may_be_in_groups(
        &self,
        reader: &mut FileReader,
        places: &FilterPlaces,
    ) -> ParquetResult<(Vec<bool>, bool)> {
        let mut possible = Vec::with_capacity(places.0.len());
        let mut any_is_empty = false;
        for group in &places.0 {
            possible.push(self.may_be_in_group(reader, group, &mut any_is_empty).await?);
        }
        Ok((possible, any_is_empty))
    }

    /// Where the filters are by what the log tells. None where it does not, or says what cannot be, or the
    /// footer serves better: the end of a file in a store, which comes with one request, has several filters.
    fn told(&self, text: &str, reader: &FileReader) -> Option<FilterPlaces> {
        if !reader.is_here() && self.clauses.iter().flatten().count() > 1 {
            return None;
        }
        let places = FilterPlaces::of_told(text, self.columns, &self.names)?;
        places.are_within(reader.size()).then_some(places)
    }

    async fn may_be_in_group(
        &self,
        reader: &mut FileReader,
        group: &[Place],
        any_is_empty: &mut bool,
    ) -> ParquetResult<bool> {
        for clause in self.clauses.iter() {
            let mut any = false;
            for needle in clause {
                let place = self.names.iter().position(|name| *name == needle.column);
                any |= match place.and_then(|place| group.get(place)) {
                    Some(Place::Filter(filter)) => {
                        let said = filter.ask(reader, &needle.values).await?;
                        *any_is_empty |= said == Said::Nothing;
                        said == Said::Maybe
                    }
                    // Of a column that the file does not have, no row is any text.
                    Some(Place::NoColumn) => false,
                    Some(Place::NoFilter) | None => true,
                };
                if any {
                    break;
                }
            }
            if !any {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Where the filters of these columns are in a file, by its footer.
async fn places_in(reader: &mut FileReader, names: &[String]) -> ParquetResult<FilterPlaces> {
    if let Some(kept) = reader.kept(PLACES)
        && let Some(known) = kept.as_any().downcast_ref::<FilterPlaces>()
    {
        return Ok(known.clone());
    }
    let footer = reader.footer().await?;
    let places = match FilterPlaces::of(&footer, names) {
        Some(places) => places,
        None => FilterPlaces::decoded(&footer, names)?,
    };
    if !places.are_within(reader.size()) {
        return Err(ParquetError::General("it has a filter beyond its end".into()));
    }
    reader.keep(PLACES, Arc::new(places.clone()));
    Ok(places)
}

/// Longest header of a filter.
const LONGEST_HEADER: u64 = 20;

/// What a filter says of some values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// One of them may be there.
    Maybe,
    /// None is.
    No,
    /// None is, nor anything like them.
    Nothing,
}

impl Filter {
    async fn ask(&self, reader: &mut FileReader, values: &[String]) -> ParquetResult<Said> {
        let blocks = self.blocks();
        let (bits, filter) = match (values, &blocks) {
            // To read a block for each of several takes longer than to read all of them at once.
            ([value], Some(blocks)) => {
                let begin = blocks.start + BLOCK * block_of(value, (blocks.end - blocks.start) / BLOCK);
                let block = reader.get_bytes(begin..begin + BLOCK).await?;
                // A filter of one block has it for every value.
                let filter = Sbbf::new(&block);
                (block, filter)
            }
            _ => {
                let bytes = reader.get_bytes(self.offset..self.offset + self.length).await?;
                let header = blocks.map_or(0, |blocks| (blocks.start - self.offset) as usize);
                (bytes.slice(header..), Sbbf::from_bytes(&bytes)?)
            }
        };
        Ok(match values.iter().any(|value| filter.check(value.as_str())) {
            true => Said::Maybe,
            false if bits.iter().all(|byte| *byte == 0) => Said::Nothing,
            false => Said::No,
        })
    }

    /// Where its blocks are, after the header: no two numbers of blocks leave one of its length.
    fn blocks(&self) -> Option<Range<u64>> {
        let blocks = self.length.checked_sub(1)? / BLOCK * BLOCK;
        let header = self.length - blocks;
        (blocks > 0 && header <= LONGEST_HEADER).then(|| self.offset + header..self.offset + self.length)
    }
}

/// Adds what a condition asks of such columns.
fn conditions(filter: &Expr, columns: &[&str], clauses: &mut Vec<Vec<Needle>>) {
    match filter {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::And,
            right,
        }) => {
            conditions(left, columns, clauses);
            conditions(right, columns, clauses);
        }
        other => clauses.extend(one_of(other, columns)),
    }
}

/// A condition as needles of which one has to be there; none where it can be true without.
fn one_of(filter: &Expr, columns: &[&str]) -> Option<Vec<Needle>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq => {
                let needle = needle(left, [&**right].into_iter(), columns);
                needle
                    .or_else(|| self::needle(right, [&**left].into_iter(), columns))
                    .map(|needle| vec![needle])
            }
            Operator::Or => {
                let mut either = one_of(left, columns)?;
                either.extend(one_of(right, columns)?);
                Some(either)
            }
            Operator::And => one_of(left, columns).or_else(|| one_of(right, columns)),
            _ => None,
        },
        Expr::InList(list) if !list.negated => needle(&list.expr, list.list.iter(), columns).map(|needle| vec![needle]),
        // What equality with a list of texts is written as.
        Expr::ScalarFunction(call) if call.name() == "any_in" => {
            let (list, values) = call.args.split_first()?;
            needle(list, values.iter(), columns).map(|needle| vec![needle])
        }
        _ => None,
    }
}

fn needle<'e>(column: &Expr, values: impl Iterator<Item = &'e Expr>, columns: &[&str]) -> Option<Needle> {
    let Expr::Column(column) = column else { return None };
    if !columns.contains(&column.name()) {
        return None;
    }
    let mut texts = Vec::new();
    for value in values {
        let Expr::Literal(value, _) = value else { return None };
        add_texts(value, &mut texts)?;
    }
    (texts.len() <= MOST_VALUES).then(|| Needle {
        column: column.name().to_owned(),
        values: texts,
    })
}

/// The texts of a literal: itself, or the elements of a list. NULL equals nothing.
fn add_texts(value: &ScalarValue, texts: &mut Vec<String>) -> Option<()> {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            texts.extend(text.clone());
            Some(())
        }
        ScalarValue::Dictionary(_, inner) => add_texts(inner, texts),
        ScalarValue::List(list) => {
            for element in ScalarValue::convert_array_to_scalar_vec(list.as_ref())
                .ok()?
                .iter()
                .flatten()
                .flatten()
            {
                add_texts(element, texts)?;
            }
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
