//! The Parquet schema of a data file.

use crate::buffer::FileLayout;
use crate::schema::ColumnKind;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};
use std::sync::Arc;

/// The schema Arrow's types give, with JSON said where the columns hold JSON: Arrow has no such
/// type, Parquet has.
pub(super) fn parquet_schema(layout: &FileLayout) -> Result<SchemaDescriptor, ParquetError> {
    let schema = ArrowSchemaConverter::new().schema_root("schema").convert(layout.arrow())?;
    let mut kinds = layout.columns().iter().map(|column| column.kind);
    let root = with_json(schema.root_schema(), &mut kinds)?;
    Ok(SchemaDescriptor::new(root))
}

/// The same type, where it is a group with JSON in the leaves that hold it.
fn with_json(
    of: &Type,
    kinds: &mut impl Iterator<Item = ColumnKind>,
) -> Result<TypePtr, ParquetError> {
    let info = of.get_basic_info();
    let id = info.has_id().then(|| info.id());
    if of.is_group() {
        let fields = of.get_fields().iter().map(|field| with_json(field, kinds));
        let mut group = Type::group_type_builder(of.name())
            .with_fields(fields.collect::<Result<_, _>>()?)
            .with_id(id);
        // The root has none.
        if info.has_repetition() {
            group = group.with_repetition(info.repetition());
        }
        return Ok(Arc::new(group.build()?));
    }
    if kinds.next() != Some(ColumnKind::Json) {
        return Ok(Arc::new(of.clone()));
    }
    let json = Type::primitive_type_builder(of.name(), Physical::BYTE_ARRAY)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::Json))
        .with_id(id)
        .build()?;
    Ok(Arc::new(json))
}
