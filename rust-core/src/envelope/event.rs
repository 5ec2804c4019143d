//! An envelope taken apart: the pieces that are looked into, and where the event comes from. In: JSON
//! of any spelling. Out: raw pieces, and the row's source.

use super::details;
use super::extras::TOO_LARGE;
use super::json::{bad, each, string};
use super::plan::Keeps;
use super::row::{Op, Row, Source, Span};
use super::slow::{keep, span_in, twice, unfit};
use super::wire::Wire;
use crate::error::{Error, Result};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The pieces of an envelope that are looked into.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
    transaction: Option<&'a RawValue>,
    op: Option<&'a RawValue>,
    ts_ms: Option<&'a RawValue>,
    ts_us: Option<&'a RawValue>,
    ts_ns: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    schema: Option<&'a RawValue>,
    payload: Option<&'a RawValue>,
    /// All keys, in order.
    pub(super) keys: Vec<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Takes apart a payload, or a value that may be one or may hold one.
    pub(super) fn open(json: &'a str) -> Result<Self> {
        let mut envelope = Self::default();
        each(json, "the value", &mut |key, raw| {
            let place = match &*key {
                "before" => Some(&mut envelope.before),
                "after" => Some(&mut envelope.after),
                "source" => Some(&mut envelope.source),
                "transaction" => Some(&mut envelope.transaction),
                "op" => Some(&mut envelope.op),
                "ts_ms" => Some(&mut envelope.ts_ms),
                "ts_us" => Some(&mut envelope.ts_us),
                "ts_ns" => Some(&mut envelope.ts_ns),
                "message" => Some(&mut envelope.message),
                "schema" => Some(&mut envelope.schema),
                "payload" => Some(&mut envelope.payload),
                _ => None,
            };
            if place.is_some_and(|place| place.replace(raw).is_some()) {
                return Err(twice("", &key));
            }
            envelope.keys.push(key);
            Ok(())
        })?;
        Ok(envelope)
    }

    /// Schema and payload, if they are all there is.
    pub(super) fn wrapped(&self) -> Option<(&'a str, &'a str)> {
        match (self.schema, self.payload, self.keys.len()) {
            (Some(schema), Some(payload), 2) => Some((schema.get(), payload.get())),
            _ => None,
        }
    }

    /// What the event did; `None` if the payload has no `op`.
    pub(super) fn op(&self) -> Result<Option<Op>> {
        let Some(raw) = self.op else { return Ok(None) };
        let op = string(raw).ok().and_then(|letter| Op::of(letter.as_bytes()));
        op.map(Some).ok_or_else(|| unfit("", "op", raw, "one of c, u, d, r, t, m", "it is none"))
    }

    /// The row image `op` speaks of, with its name; `None` for those without.
    pub(super) fn image(&self, op: Op) -> Result<Option<(&'static str, &'a RawValue)>> {
        let (name, image) = match op {
            Op::Create | Op::Update | Op::Read => ("after", self.after),
            Op::Delete => ("before", self.before),
            // What a message says is all there is of a row.
            Op::Message => {
                return Ok(self.message.filter(|raw| !is_null(raw)).map(|m| ("message", m)));
            }
            Op::Truncate => return Ok(None),
        };
        match image.filter(|raw| !is_null(raw)) {
            Some(image) => Ok(Some((name, image))),
            None => Err(without_image(op, name)),
        }
    }

    /// The old row, of an event that has a row image.
    pub(super) fn old(&self, op: Op) -> Option<&'a RawValue> {
        let has_image = !matches!(op, Op::Truncate | Op::Message);
        self.before.filter(|raw| has_image && !is_null(raw))
    }

    /// Fills the row's source, and its details where they are kept; `value` is the whole value of
    /// the record. Gives the keys of `source` and of `transaction`.
    pub(super) fn source(
        &self,
        value: &str,
        row: &mut Row,
        keeps: Keeps,
    ) -> Result<[Vec<Cow<'a, str>>; 2]> {
        if keeps.details {
            row.open_details();
        }
        let detail = |object: &str, key: &str, raw: &RawValue, row: &mut Row| {
            let Some(at) = details::place(object, key).filter(|_| keeps.details) else {
                return Ok(false);
            };
            details::note(at, raw, value, row).map(|()| true)
        };
        let mut ts = Times::default();
        let source_keys = members(self.source, "source", &mut |key, raw| {
            let source = &mut row.source;
            match key {
                "ts_us" => ts.source_us = int("source", key, raw)?,
                "ts_ms" => ts.source_ms = int("source", key, raw)?,
                "server_id" => source.server_id = int("source", key, raw)?,
                "pos" => source.pos = int("source", key, raw)?,
                "row" => source.row = int("source", key, raw)?,
                "gtid" => source.gtid = span("source", key, raw, value, &mut row.arena)?,
                "file" => source.file = span("source", key, raw, value, &mut row.arena)?,
                "snapshot" => source.snapshot = span("source", key, raw, value, &mut row.arena)?,
                "db" => source.db = span("source", key, raw, value, &mut row.arena)?,
                "table" => source.table = span("source", key, raw, value, &mut row.arena)?,
                _ => return detail("source", key, raw, row),
            }
            Ok(true)
        })?;
        let transaction_keys = members(self.transaction, "transaction", &mut |key, raw| {
            if key != "id" {
                return detail("transaction", key, raw, row);
            }
            row.source.tx_id = span("transaction", key, raw, value, &mut row.arena)?;
            Ok(true)
        })?;
        if let Some(raw) = self.ts_ns {
            detail("", "ts_ns", raw, row)?;
        }
        ts.envelope_us = self.ts_us.map_or(Ok(None), |raw| int("", "ts_us", raw))?;
        ts.envelope_ms = self.ts_ms.map_or(Ok(None), |raw| int("", "ts_ms", raw))?;
        ts.settle(&mut row.source).ok_or_else(|| bad(TOO_LARGE))?;
        Ok([source_keys, transaction_keys])
    }
}

/// An event whose row image is not there.
pub(super) fn without_image(op: Op, name: &str) -> Error {
    match op {
        Op::Delete => bad("a delete has no `before`, so the row it removes is not known; let the \
                           database log whole rows (MySQL: binlog_row_image=FULL)"),
        _ => bad(format!("the event has op={:?} but no `{name}`", op.letter())),
    }
}

/// The times of an event in the units they are sent in.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) source_us: Option<i64>,
    pub(super) source_ms: Option<i64>,
    pub(super) envelope_us: Option<i64>,
    pub(super) envelope_ms: Option<i64>,
}

impl Times {
    /// Puts µs into the source, taken from the ms where there are none; `None` on overflow.
    pub(super) fn settle(&self, source: &mut Source) -> Option<()> {
        let us = |us: Option<i64>, ms: Option<i64>| match (us, ms) {
            (None, Some(ms)) => ms.checked_mul(1_000).map(Some),
            (us, _) => Some(us),
        };
        source.ts_us = us(self.source_us, self.source_ms)?;
        source.envelope_ts_us = us(self.envelope_us, self.envelope_ms)?;
        Some(())
    }
}

/// Visits the members of an object that may be null or absent; `keep` says whether it kept one.
fn members<'a>(
    object: Option<&'a RawValue>,
    name: &str,
    keep: &mut dyn FnMut(&str, &RawValue) -> Result<bool>,
) -> Result<Vec<Cow<'a, str>>> {
    let mut kept: Vec<Cow<'a, str>> = Vec::new();
    let mut keys = Vec::new();
    if let Some(object) = object.filter(|raw| !is_null(raw)) {
        each(object.get(), name, &mut |key, raw| {
            if keep(&key, raw)? {
                if kept.contains(&key) {
                    return Err(twice(name, &key));
                }
                kept.push(key.clone());
            }
            keys.push(key);
            Ok(())
        })?;
    }
    Ok(keys)
}

fn int(object: &str, key: &str, raw: &RawValue) -> Result<Option<i64>> {
    if is_null(raw) {
        return Ok(None);
    }
    let reason = "it is none";
    raw.get()
        .parse()
        .map(Some)
        .map_err(|_| unfit(object, key, raw, Wire::Int(64).expects(), reason))
}

/// A kept text; `true` and `false` as such (old versions send `snapshot` so).
fn span(
    object: &str,
    key: &str,
    raw: &RawValue,
    value: &str,
    arena: &mut Vec<u8>,
) -> Result<Option<Span>> {
    match raw.get() {
        "null" => Ok(None),
        text @ ("true" | "false") => Ok(Some(span_in(value, text))),
        _ => match string(raw) {
            Ok(Cow::Borrowed(text)) => Ok(Some(span_in(value, text))),
            Ok(Cow::Owned(text)) => Ok(Some(keep(&text, arena))),
            Err(_) => Err(unfit(object, key, raw, Wire::Text.expects(), "it is none")),
        },
    }
}

fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}
