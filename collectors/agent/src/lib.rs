//! placeholder
pub mod clock;
pub mod spool;
