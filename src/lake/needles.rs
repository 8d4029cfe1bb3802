//! Conditions that ask for one value of many: row groups whose Bloom filters say that none of their
//! rows has it are not read.
//!
//! Of what a query looks for in a lake of months, an id, an address, a session, a message, most
//! files have nothing, and no order of the rows would tell. The filter of a column is a few
//! kilobytes of a file, and what it says of a text that is not there is right 99 times of 100.

mod places;

use super::columns::{BLOCK, block_of};
use super::file_reader::{FileReader, FileReaders, ReadColumns};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::parquet::arrow::async_reader::AsyncFileReader as _;
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use futures::{StreamExt as _, TryStreamExt as _};
use places::{Filter, FilterPlaces, Place};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Pieces of a list of files whose filters are read at once.
const AT_ONCE: usize = 32;

/// Files of a piece at most: to hand each to a thread on its own takes as long as to read it.
const PIECE: usize = 16;

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

/// What rows have to fulfil: of each list, one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needles(Arc<Vec<Vec<Needle>>>);

impl Needles {
    /// Those among the conditions of a scan, about columns of which files keep filters.
    pub(super) fn of(filters: &[Expr], columns: &[&str]) -> Self {
        let mut clauses = Vec::new();
        filters
            .iter()
            .for_each(|filter| conditions(filter, columns, &mut clauses));
        Self(Arc::new(clauses))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For each of the files which row groups may have a row that fulfils them.
    pub(super) async fn may_be_in(&self, readers: &FileReaders, files: Vec<PartitionedFile>) -> Result<Vec<Vec<bool>>> {
        let names: BTreeSet<String> = self.0.iter().flatten().map(|needle| needle.column.clone()).collect();
        let columns = ReadColumns::named(names.iter().cloned());
        let names: Arc<[String]> = names.into_iter().collect();
        let readers = files.into_iter().map(|file| readers.reader(file, columns.clone()));
        let mut readers = readers.peekable();
        let is_here = readers.peek().is_some_and(FileReader::is_here);
        let piece = if is_here {
            (readers.len().div_ceil(AT_ONCE)).clamp(1, PIECE)
        } else {
            1
        };
        let pieces = std::iter::from_fn(|| {
            readers.peek()?;
            Some(readers.by_ref().take(piece).collect::<Vec<FileReader>>())
        });
        let asked = pieces.map(|piece| self.may_be_in_piece(piece, Arc::clone(&names)));
        let found: Vec<Vec<Vec<bool>>> = futures::stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The same of a few files.
    async fn may_be_in_piece(&self, piece: Vec<FileReader>, names: Arc<[String]>) -> Result<Vec<Vec<bool>>> {
        let needles = self.clone();
        let is_here = piece.iter().all(FileReader::is_here);
        let asked = async move {
            let mut found = Vec::with_capacity(piece.len());
            for mut reader in piece {
                reader.open_here()?;
                let groups = needles.may_be_in_file(&mut reader, &names).await;
                found.push(groups.map_err(|error| reader.named(error))?);
            }
            Ok::<_, ParquetError>(found)
        };
        let found = if is_here {
            // What it waits for is the disk alone, which is waited for where that is allowed.
            tokio::task::spawn_blocking(move || futures::executor::block_on(asked)).await
        } else {
            // On all cores: what a file's metadata say takes longer to read than to get.
            SpawnedTask::spawn(asked).join().await
        };
        Ok(found.map_err(|error| DataFusionError::External(Box::new(error)))??)
    }

    async fn may_be_in_file(&self, reader: &mut FileReader, names: &[String]) -> ParquetResult<Vec<bool>> {
        let places = places_in(reader, names).await?;
        let mut possible = Vec::with_capacity(places.0.len());
        for group in &places.0 {
            possible.push(self.may_be_in_group(reader, names, group).await?);
        }
        Ok(possible)
    }

    async fn may_be_in_group(&self, reader: &mut FileReader, names: &[String], group: &[Place]) -> ParquetResult<bool> {
        for clause in self.0.iter() {
            let mut any = false;
            for needle in clause {
                let place = names.iter().position(|name| *name == needle.column);
                any |= match place.and_then(|place| group.get(place)) {
                    Some(Place::Filter(filter)) => filter.may_hold_any(reader, &needle.values).await?,
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

/// Where the filters of these columns are in a file.
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

impl Filter {
    async fn may_hold_any(&self, reader: &mut FileReader, values: &[String]) -> ParquetResult<bool> {
        // To read a block for each of several takes longer than to read all of them at once.
        if let ([value], Some(blocks)) = (values, self.blocks()) {
            let begin = blocks.start + BLOCK * block_of(value, (blocks.end - blocks.start) / BLOCK);
            let block = reader.get_bytes(begin..begin + BLOCK).await?;
            // A filter of one block has it for every value.
            return Ok(Sbbf::new(&block).check(value.as_str()));
        }
        let bytes = reader.get_bytes(self.offset..self.offset + self.length).await?;
        let filter = Sbbf::from_bytes(&bytes)?;
        Ok(values.iter().any(|value| filter.check(value.as_str())))
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
mod tests;
