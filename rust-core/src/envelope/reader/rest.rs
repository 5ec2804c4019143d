//! What is no change event in JSON: struct rows, and records that are rows of their own members.

use super::super::connect::Plain;
use super::super::control::{self, NOT_AN_EVENT};
use super::super::definitions::Definitions;
use super::super::described::Meaning;
use super::super::event::Envelope;
use super::super::json::bad;
use super::super::plain::{Keys, Table};
use super::super::row::Row;
use super::super::slow;
use super::super::struct_rows::{self, corrupt};
use super::{EnvelopeReader, Found, LOST, MAX_VALUE};
use crate::error::Result;
use serde_json::value::RawValue;

impl EnvelopeReader {
    /// Reads a struct row; `None` if the value is none.
    #[inline]
    pub(super) fn read_struct(
        &mut self,
        frame: &Definitions,
        value: &[u8],
        row: &mut Row,
    ) -> Result<Option<Found>> {
        if value.first() != Some(&struct_rows::MARK) {
            return Ok(None);
        }
        let Some(head) = struct_rows::head(value)? else { return Ok(None) };
        if value.len() > MAX_VALUE {
            return Err(bad(format!("the value is longer than {MAX_VALUE} bytes")));
        }
        match self.structs.meaning(frame.get(head.schema)?, &mut self.schemas)? {
            Some(Meaning::Rows(plan)) => struct_rows::read(plan, value, head.at, row, self.keeps)?,
            Some(Meaning::Skip(_)) => {}
            None => return Err(corrupt()),
        }
        self.ways.fast += 1;
        Ok(Some(Found::Struct))
    }

    /// A record without schema that is no change event.
    pub(super) fn read_flat(
        &mut self,
        value: &str,
        payload: &str,
        envelope: &Envelope<'_>,
        row: &mut Row,
    ) -> Result<Found> {
        if self.rest != Plain::Only {
            let keys: Vec<_> = envelope.keys.iter().map(|key| &**key).collect();
            if let Some(reason) = control::by_keys(&keys) {
                return Ok(Found::Skip(reason));
            }
        }
        if self.rest == Plain::Refused {
            return Err(bad(NOT_AN_EVENT));
        }
        let image: &RawValue = serde_json::from_str(payload)
            .map_err(|cause| bad(format!("the value is not JSON: {cause}")))?;
        let keys = Keys { envelope: &[], source: &[], transaction: &[] };
        self.flat.plan_for(
            Table::default(),
            &keys,
            [Some(("", image)), None],
            &mut self.schemas,
        )?;
        let known = self.flat.plans.current().ok_or_else(|| bad(LOST))?;
        slow::flat(&known.plan, payload, value, row)?;
        Ok(Found::Flat)
    }
}
