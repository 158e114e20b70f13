//! What an agent says to the centre and is told: protobuf version 1 over gRPC, limits, and checked conversion to the
//! domain's types.
//!
//! Invariant: nothing beyond this crate sees a message that was not checked; every error names the field.

/// The messages and services as generated from `proto/onenet/wire/v1/wire.proto`.
#[expect(missing_docs, clippy::pedantic, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("onenet.wire.v1");
}
