//! Plans for records without schema. In: the records, one after another. Out: plans whose columns
//! have the types that the JSON shows, or that `columns.types` gives them. A column that was never
//! anything but null is no column yet: it must not freeze as text.
//!
//! What JSON shows: true and false are Boolean, integers Int64, other numbers Float64, strings
//! Utf8, objects and arrays JSON text. An integer in a column known to be Float64 stays Float64. An
//! event without row image shows no columns: those of its table are null by room schema's union.

use super::column_types::ColumnTypes;
use super::json::{bad, each};
use super::plan::{Field, Plan, Schemas, Shape, columns};
use super::recent::Recent;
use super::slow::twice;
use super::wire::Wire;
use crate::error::Result;
use crate::schema::ColumnKind;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A table as `source` names it: database and table, as bytes.
pub(super) type Table = (Vec<u8>, Vec<u8>);

/// The plans of the records without schema of one topic-partition.
#[derive(Debug)]
pub(super) struct PlainPlans {
    declared: Arc<ColumnTypes>,
    /// The plan of the last record is the current one.
    pub(super) plans: Recent<PlainPlan>,
    known: HashMap<Table, Types>,
}

/// A plan, and the table whose records it is for.
#[derive(Debug)]
pub(super) struct PlainPlan {
    /// The table.
    pub(super) table: Table,
    /// The plan.
    pub(super) plan: Plan,
}

type Types = HashMap<Arc<str>, (Wire, ColumnKind)>;

/// Plans kept; tables and versions beyond interleave too wildly to be worth it.
const PLANS: usize = 16;
/// Tables whose types are remembered. What is forgotten costs a column's type until it is seen.
const TABLES: usize = 1_024;
/// As many as MySQL allows. Objects with ever new keys are data, not columns.
const COLUMNS: usize = 4_096;

/// The keys of one record.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    /// Of the envelope.
    pub(super) envelope: &'a [Cow<'a, str>],
    /// Of `source`; empty = not there.
    pub(super) source: &'a [Cow<'a, str>],
    /// Of `transaction`; empty = not there.
    pub(super) transaction: &'a [Cow<'a, str>],
}

impl PlainPlans {
    /// No plans yet.
    pub(super) fn new(declared: Arc<ColumnTypes>) -> Self {
        Self { declared, plans: Recent::new(PLANS), known: HashMap::new() }
    }

    /// Makes the plan for a record, or finds it; it is the current one then.
    pub(super) fn plan_for(
        &mut self,
        table: Table,
        keys: &Keys<'_>,
        images: [Option<(&'static str, &RawValue)>; 2],
        schemas: &mut Schemas,
    ) -> Result<()> {
        let fields = match images {
            [None, None] => Vec::new(),
            images => self.fields(&table, images, schemas)?,
        };
        let is = |known: &PlainPlan| {
            known.table == table && same_names(&known.plan.shape.fields, &fields)
        };
        if self.plans.find(is).is_none() {
            let kin = self.plans.iter_mut().find(|known| known.table == table);
            let shape = shape(keys, fields, kin.map(|kin| &kin.plan.shape));
            self.plans.insert(PlainPlan { table, plan: plan(shape, schemas)? });
        } else if let Some(known) = self.plans.current_mut() {
            let shape = shape(keys, fields, Some(&known.plan.shape));
            if known.plan.shape != shape {
                known.plan = plan(shape, schemas)?;
            }
        }
        Ok(())
    }

    /// The fields of the row images with the types that are known of them by now. When the record
    /// adds to that, the table's plans are made anew: in all of them a column has the same type.
    fn fields(
        &mut self,
        table: &Table,
        images: [Option<(&'static str, &RawValue)>; 2],
        schemas: &mut Schemas,
    ) -> Result<Vec<Field>> {
        if self.known.len() >= TABLES && !self.known.contains_key(table) {
            self.known.clear();
            self.plans = Recent::new(PLANS);
        }
        let types = self.known.entry(table.clone()).or_default();
        let (mut names, mut known_names) = (Vec::new(), HashSet::new());
        let mut changed = false;
        let mut learn = |(name, image): (&'static str, &RawValue)| {
            let mut seen = HashSet::new();
            each(image.get(), name, &mut |key, raw| {
                let key: Arc<str> = key.into();
                if !seen.insert(key.clone()) {
                    return Err(twice(name, &key));
                }
                let known = types.get(&key).copied();
                let typed = match self.declared.get(&key) {
                    Some(declared) => Some(declared),
                    None => shown(raw.get(), known).or(known),
                };
                if let Some(typed) = typed.filter(|typed| known != Some(*typed)) {
                    types.insert(key.clone(), typed);
                    changed = true;
                }
                if names.len() >= COLUMNS || types.len() > COLUMNS {
                    return Err(bad(format!("the table has more than {COLUMNS} columns")));
                }
                if known_names.insert(key.clone()) {
                    names.push(key);
                }
                Ok(())
            })
        };
        let outcome = images.into_iter().flatten().try_for_each(&mut learn);
        if changed {
            for known in self.plans.iter_mut().filter(|known| known.table == *table) {
                let mut shape = known.plan.shape.clone();
                for old in &mut shape.fields {
                    *old = field(old.name.clone(), types.get(&old.name).copied());
                }
                known.plan = plan(shape, schemas)?;
            }
        }
        outcome?;
        let typed = |name: Arc<str>| {
            let known = types.get(&name).copied();
            field(name, known)
        };
        Ok(names.into_iter().map(typed).collect())
    }
}

fn field(name: Arc<str>, typed: Option<(Wire, ColumnKind)>) -> Field {
    let (wire, kind) = typed.map_or((Wire::Untyped, None), |(wire, kind)| (wire, Some(kind)));
    Field { name, wire, kind }
}

fn plan(shape: Shape, schemas: &mut Schemas) -> Result<Plan> {
    let schema = schemas.intern(columns(&shape));
    Plan::new(shape, schema)
}

fn shape(keys: &Keys<'_>, fields: Vec<Field>, before: Option<&Shape>) -> Shape {
    let list = |keys: &[Cow<'_, str>]| keys.iter().map(|key| Arc::from(&**key)).collect();
    let or = |keys: &[Cow<'_, str>], before: Option<&Vec<Arc<str>>>| match before {
        Some(before) if keys.is_empty() => before.clone(),
        _ => list(keys),
    };
    Shape {
        envelope: list(keys.envelope),
        fields,
        source: or(keys.source, before.map(|b| &b.source)),
        transaction: or(keys.transaction, before.map(|b| &b.transaction)),
    }
}

fn same_names(known: &[Field], seen: &[Field]) -> bool {
    known.len() == seen.len() && known.iter().zip(seen).all(|(a, b)| a.name == b.name)
}

/// The type a JSON value shows; `None` for null.
pub(super) fn shown(json: &str, known: Option<(Wire, ColumnKind)>) -> Option<(Wire, ColumnKind)> {
    let float = (Wire::Float64, ColumnKind::Float64);
    Some(match json.as_bytes().first()? {
        b'n' => return None,
        b't' | b'f' => (Wire::Boolean, ColumnKind::Boolean),
        b'"' => (Wire::Text, ColumnKind::Utf8),
        b'{' | b'[' => (Wire::Raw, ColumnKind::Json),
        _ if json.contains(['.', 'e', 'E']) || known == Some(float) => float,
        _ => (Wire::Int(64), ColumnKind::Int64),
    })
}
