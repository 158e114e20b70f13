//! Inference: from what devices say to what the network is.
//!
//! Invariant: a conclusion is a function of the set of evidence: neither order nor repetition shows. It names the evidence
//! that decided, why other rows were rejected, and how sure it is; what cannot be known is said to be unknown.
//!
//! It does not know how evidence was collected, how old it is allowed to be, nor where conclusions are kept.

mod adjacency;
mod attachment;
mod conclusion;
mod evidence;
mod index;
mod links;
mod pairs;
mod shared;
mod walks;

pub use attachment::infer;
pub use conclusion::{
    Attachment, DeviceLink, DropReason, End, LinkReason, Place, Reason, RejectReason, Rejected, SiteInference, Where,
};
pub use evidence::{
    DeviceEvidence, FacingEvidence, FacingSource, ForwardingEvidence, InterfaceEvidence, NeighbourEvidence, PortLink,
    SiteEvidence, StationEvidence,
};
pub use walks::Walks;

#[cfg(test)]
mod tests;
