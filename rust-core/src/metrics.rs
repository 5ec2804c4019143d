//! Room metrics.
