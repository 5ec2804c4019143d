//! The schemas of a frame's struct rows. In: each record of the frame, in order. Out: the schema a
//! number stands for in this frame. Never outlives what it must: numbers begin anew with each frame,
//! so nothing has to be remembered of frames that were lost, of tasks that ended, or of schemas that
//! are no longer sent. Equal texts are the same `Arc`, whatever frame they came with.

use super::recent::Recent;
use super::struct_rows::{MARK, corrupt, head};
use crate::error::Result;
use std::sync::Arc;

/// The schemas of the frame in work.
#[derive(Debug)]
pub struct Definitions {
    /// By their numbers in the frame.
    frame: Vec<Arc<str>>,
    /// Of earlier frames.
    known: Recent<Arc<str>>,
}

/// Texts kept across frames; those beyond are merely compared by their bytes again.
const KNOWN: usize = 64;

impl Default for Definitions {
    fn default() -> Self {
        Self { frame: Vec::new(), known: Recent::new(KNOWN) }
    }
}

impl Definitions {
    /// A frame begins.
    pub fn begin_frame(&mut self) {
        self.frame.clear();
    }

    /// Takes the schema a record brings, if it brings one: to be called with every record of a
    /// frame, be it wanted or not.
    ///
    /// # Errors
    /// `Corrupt`.
    #[inline]
    pub fn note(&mut self, value: Option<&[u8]>) -> Result<()> {
        match value {
            Some(value @ [MARK, ..]) => self.note_struct(value),
            _ => Ok(()),
        }
    }

    fn note_struct(&mut self, value: &[u8]) -> Result<()> {
        let Some(head) = head(value)? else { return Ok(()) };
        let Some(text) = head.definition else { return Ok(()) };
        if head.schema as usize != self.frame.len() {
            return Err(corrupt());
        }
        let text = std::str::from_utf8(text).map_err(|_| corrupt())?;
        let known = match self.known.find(|known| **known == *text) {
            Some(known) => known.clone(),
            None => {
                let new: Arc<str> = text.into();
                self.known.insert(new.clone());
                new
            }
        };
        self.frame.push(known);
        Ok(())
    }

    /// The schema a number of the frame stands for.
    pub(super) fn get(&self, schema: u32) -> Result<&Arc<str>> {
        self.frame.get(schema as usize).ok_or_else(corrupt)
    }
}
