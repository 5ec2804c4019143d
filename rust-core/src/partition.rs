//! Room partition.
