//! The Parquet schema of a data file.

use crate::buffer::FileLayout;
use crate::schema::ColumnKind;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescriptor, Type};
use std::sync::Arc;

/// The schema Arrow's types give, with JSON said where the columns hold JSON: Arrow has no such
/// type, Parquet has.
pub(super) fn parquet_schema(layout: &FileLayout) -> Result<SchemaDescriptor, ParquetError> {
    let schema = ArrowSchemaConverter::new().schema_root("schema").convert(layout.arrow())?;
    let mut fields = schema.root_schema().get_fields().to_vec();
    for (field, column) in fields.iter_mut().zip(layout.columns()) {
        if column.kind == ColumnKind::Json {
            let json = Type::primitive_type_builder(field.name(), Physical::BYTE_ARRAY)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(Some(LogicalType::Json))
                .with_id(Some(field.get_basic_info().id()))
                .build()?;
            *field = Arc::new(json);
        }
    }
    let root = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}
