//! Room event_time.
