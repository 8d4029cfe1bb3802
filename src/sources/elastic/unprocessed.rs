//! What Elastic's agent has collected before a pipeline mapped it: the record is a JSON text.

use super::super::{Identity, Json, Recognised, Rejection, Source, json, recognise, source_of};
use super::document;
use crate::schema::EventRow;
use std::borrow::Cow;

/// A document around a record that no pipeline has seen.
#[derive(Debug)]
pub(crate) struct Unprocessed;

/// Where the record stands; pipelines that failed have moved it.
const CONTENT: [&str; 3] = ["message", "event.original", "original"];

impl Source for Unprocessed {
    fn name(&self) -> &'static str {
        "elastic_agent_message"
    }

    fn recognised_by(&self) -> &'static str {
        "@timestamp and a message (or event.original) that is a record of another source, without event.kind"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        text(record).is_some_and(|text| {
            // Asking all sources would ask this one, and so on.
            let inner = json::parse(text).ok();
            inner.is_some_and(|inner| inner.root().get("@timestamp").is_none() && known(inner.root()))
        })
    }

    fn content<'a>(&self, record: Json<'a>, _text: &'a str) -> Result<Option<Cow<'a, str>>, Rejection> {
        let text = text(record).ok_or(Rejection::NoContent("message"))?;
        Ok(Some(Cow::Borrowed(text)))
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        match recognise(record)? {
            Recognised::Event(source) if source.name() != self.name() => source.map(record, row),
            _ => Err(Rejection::Unknown(json::key_summary(record))),
        }
    }
}

/// Any source but envelopes, whose content would have to be taken out first.
fn known(record: Json<'_>) -> bool {
    source_of(record).is_some_and(|source| matches!(source.content(record, "{}"), Ok(None)))
}

/// The text of the record in a document that is not mapped yet.
fn text(record: Json<'_>) -> Option<&str> {
    let document = document(record);
    let mapped = |key| json::at(document, &["event", key]).is_some() || document.get(&format!("event.{key}")).is_some();
    if document.get("@timestamp").is_none() || mapped("kind") || mapped("action") {
        return None;
    }
    let event = json::get(document, "event");
    let texts = CONTENT.iter().filter_map(|key| match *key {
        "original" => json::str_of(event?, key),
        key => json::str_of(document, key),
    });
    texts.map(str::trim_ascii).find(|text| text.starts_with('{'))
}
