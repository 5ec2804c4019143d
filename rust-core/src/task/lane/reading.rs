//! From a record to a row in a file, and what the record turned out to be.

use super::Lane;
use crate::envelope::{Definitions, Input, Parsed, Row};
use crate::error::{Error, Kind, Result};
use crate::frame::RawRecord;

impl Lane {
    /// Appends the record's row to its file; gives the reason when it leaves none.
    pub(super) fn place_row(
        &mut self,
        frame: &Definitions,
        record: &RawRecord<'_>,
        row: &mut Row,
    ) -> Result<Option<&'static str>> {
        let Some(files) = &mut self.files else {
            return Err(Error::new(
                Kind::Corrupt,
                "a record without a claim; please report this bug",
            ));
        };
        let placed = match self.reader.read_in(frame, record, row) {
            Ok(Parsed::Row(schema)) => files.append(schema, row, record).map(|()| None),
            Ok(Parsed::Tombstone) if self.place.config.rows.tombstones => {
                let schema = self.reader.read_key(record.key, row);
                schema.and_then(|schema| files.append(schema, row, record)).map(|()| None)
            }
            Ok(Parsed::Tombstone) => Ok(Some("tombstone")),
            Ok(Parsed::Skip(reason)) => Ok(Some(reason)),
            Err(error) => Err(error),
        };
        placed.map_err(|error| self.place.columns.redact(error))
    }

    /// What the record just taken was, unless that was the last to be said.
    #[inline]
    pub(in crate::task) fn new_input(&mut self) -> Option<Input> {
        let input = self.reader.input().filter(|input| self.input_said != Some(*input))?;
        self.input_said = Some(input);
        Some(input)
    }
}
