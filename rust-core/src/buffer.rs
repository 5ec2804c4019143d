//! Room 5, buffer.
