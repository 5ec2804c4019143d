//! Room recover.
