//! The one permission mechanism in front of every read and write (invariant 13).
//!
//! Invariant: whoever asks is a [`Principal`] with [`Grant`]s, each a [`Role`] over a subtree of sites; [`decide()`] is the
//! only place that says yes. What the answer hides looks as if it did not exist, in lists, counts and searches alike, and
//! each use is an [`audit::Entry`].
//!
//! This module does not know HTTP, the store or the clock: its state changes by [`Change`], which is a record of the log
//! like any other (invariant 11), and time is a parameter.

pub mod audit;
mod decide;
mod gate;
mod principal;
mod register;
mod role;
mod token;
mod view;

pub use decide::{Decision, Subtrees, decide};
pub use gate::{Caller, Denied, Gate};
pub use principal::{Grant, InvalidGrants, MAX_GRANTS, Principal, Reach, check_grants};
pub use register::{Change, MAX_TOKENS, Refusal, Register, Token, TokenId};
pub use role::{Action, InvalidRole, Role};
pub use token::{NoRandomness, Secret, SecretHash, random_secret};
pub use view::View;
