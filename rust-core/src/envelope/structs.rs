//! Plans for struct rows. In: the text of a schema, shared by all records that have it. Out: the
//! plan, compiled once a topic-partition.

use super::column_types::ColumnTypes;
use super::connect::Plain;
use super::described::{DescribedPlans, Meaning};
use super::plan::Schemas;
use super::recent::Recent;
use crate::error::Result;
use std::sync::Arc;

/// The plans of the struct rows of one topic-partition.
#[derive(Debug)]
pub(super) struct StructPlans {
    known: Recent<(Arc<str>, Meaning)>,
    learner: DescribedPlans,
}

/// Schemas kept; more tables and versions than this do not interleave in one topic-partition.
const KNOWN: usize = 32;

impl StructPlans {
    /// No schemas yet.
    pub(super) fn new(declared: Arc<ColumnTypes>, plain: Plain) -> Self {
        Self { known: Recent::new(KNOWN), learner: DescribedPlans::new(declared, plain) }
    }

    /// What the records of a schema are.
    #[inline]
    pub(super) fn meaning(
        &mut self,
        schema: &Arc<str>,
        schemas: &mut Schemas,
    ) -> Result<Option<&Meaning>> {
        if self.known.find(|(known, _)| Arc::ptr_eq(known, schema)).is_none() {
            let meaning = self.learner.learn(schema, schemas)?;
            self.known.insert((schema.clone(), meaning));
        }
        Ok(self.current())
    }

    /// What the records of the schema that was asked for last are.
    pub(super) fn current(&self) -> Option<&Meaning> {
        self.known.current().map(|(_, meaning)| meaning)
    }
}
