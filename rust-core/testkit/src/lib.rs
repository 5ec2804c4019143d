//! What the tests of the sink share.
