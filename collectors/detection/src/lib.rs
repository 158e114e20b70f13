//! What is abnormal: findings about traffic and inventory, each with the evidence from which it was concluded.
//!
//! | part | is |
//! |---|---|
//! | [`level`] | a model of what is usual in a series of numbers, by hour, day of the week and holidays |
//!
//! Invariants: pure (no clock, socket, task, store or log); time is that of the data; memory is bounded by constants whatever
//! the traffic is; a finding never depends on what a table happened to evict without saying so.
//!
//! It does not know how an observation was made, how a finding travels, nor what people do about it.

pub mod level;
