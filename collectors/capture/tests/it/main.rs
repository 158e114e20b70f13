//! The crate proved at its outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "tests say what they do by failing"
)]

mod applications;
mod corpus;
mod decode;
mod discovery;
mod evidence;
mod flows;
mod frames;
mod introduction;
mod inventory;
mod live;
mod observe;
mod offline;
mod properties;
mod round_trip;
mod tunnels;
