//! What an agent says to the centre and is told: protobuf version 1 over gRPC, limits, and checked conversion to the
//! domain's types.
//!
//! Invariant: nothing beyond this crate sees a message that was not checked; every error names the field.
//!
//! This crate does not know how a batch is kept, sent or applied, and reads no clock.

pub mod alive;
pub mod codec;
pub mod digest;
pub mod lean;
pub mod limits;
pub mod pieces;
pub mod tls;
pub mod token;

mod convert;
mod direct;
mod invalid;
mod message;

pub use convert::history_message;
pub use digest::{MessageHasher, fact_hash, key_hash, key_hash_of, key_hash_of_row, message_hash};
pub use direct::{AddressRow, FactRow, ForwardingRow};
pub use invalid::{Invalid, Problem};
pub use message::{
    Acknowledgement, AgentMessage, Asker, Batch, CaptureQuery, CentreMessage, Clocks, Content, Digest, Done,
    DrillOrder, EnrolRequest, EnrolResponse, FlowsQuery, GroupChanges, GroupDigest, Heartbeat, Hello, Instruction,
    InstructionBody, InstructionResult, KeyRange, Lane, MeasureQuery, Position, Query, Rejection, RejectionReason,
    Welcome,
};

/// The messages and services as generated from `proto/onenet/wire/v1/wire.proto`.
#[expect(missing_docs, clippy::pedantic, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("onenet.wire.v1");
}
