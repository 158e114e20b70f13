//! The proving ground: the product's binaries are started as users start them and judged from the outside.
//!
//! Invariant: nothing here reaches into the product. Scenarios know its command line, its configuration and its API,
//! and compare what it says with what real servers, real hosts and the kernel's own counters say.

#![forbid(unsafe_code)]

pub mod clock;
pub mod dice;
pub mod lab;
pub mod report;
