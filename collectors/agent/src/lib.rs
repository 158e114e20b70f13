//! placeholder
pub mod clock;
pub mod enrol;
pub mod spool;
pub mod uplink;
