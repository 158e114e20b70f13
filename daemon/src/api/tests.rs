//! The API from the outside: requests in, answers out.

mod access;
mod addresses;
mod administration;
mod contract;
mod hiding;
mod inventory;
