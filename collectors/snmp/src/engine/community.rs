//! The engine of our own, for SNMPv2c: a device, a community, and the socket that all devices share.
//!
//! Invariant: each question is one datagram, and its answer one; what an answer brings beside an unreadable value is
//! kept. It retries nothing and knows no MIB.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::timeout as within;

use super::{discovery::discover, message::Response, pending::Device, socket::Socket};
use crate::{
    exchange::{Answer, Diagnosis, Engine, ErrorStatus, ExchangeError, Pending, Request},
    oid::Oid,
    secret::Secret,
    value::{Value, VarBinds},
};

/// An engine for one device.
#[derive(Debug)]
pub(super) struct Community {
    socket: Arc<Socket>,
    device: Arc<Device>,
}

impl Community {
    pub(super) fn new(socket: Arc<Socket>, address: SocketAddr, community: Secret) -> Self {
        Self { socket, device: Arc::new(Device { address, community }) }
    }
}

impl Engine for Community {
    fn exchange<'a>(&'a self, request: &'a Request, timeout: Duration) -> Pending<'a, Result<Answer, ExchangeError>> {
        Box::pin(async move {
            let answered = within(timeout, self.socket.ask(&self.device, request)).await;
            let received = answered.unwrap_or(Err(ExchangeError::TimedOut))?;
            Ok(Answer { varbinds: said(request, received.response)?, round_trip: Some(received.round_trip) })
        })
    }

    fn diagnose(&self, timeout: Duration) -> Pending<'_, Diagnosis> {
        Box::pin(discover(self.device.address, timeout))
    }
}

/// Returns what an answer says to a question.
///
/// The successors that a GETBULK asks for are told apart by their place: the answer ends before a name that cannot be read,
/// and before a value that the end of the message cut, which comes whole with the next question. An agent that cannot
/// name even the first successor fails on that part of the MIB.
fn said(request: &Request, response: Response) -> Result<VarBinds, ExchangeError> {
    let Response { error_status, error_index, mut varbinds, cut } = response;
    if error_status != 0 {
        let oid = error_index
            .checked_sub(1)
            .and_then(|place| varbinds.iter().nth(place))
            .map(|varbind| Box::new(Oid::from_arcs(varbind.name)));
        return Err(ExchangeError::Status { status: status_of(error_status), oid });
    }
    if matches!(request, Request::GetBulk { .. }) {
        if cut && varbinds.len() > 1 && varbinds.last() == Some(&Value::Malformed) {
            varbinds.truncate(varbinds.len() - 1);
        }
        let unnamed = varbinds.iter().position(|varbind| varbind.name.is_empty());
        if let Some(unnamed) = unnamed {
            varbinds.truncate(unnamed);
            if varbinds.is_empty() {
                return Err(ExchangeError::Status { status: ErrorStatus::GeneralError, oid: None });
            }
        }
    }
    Ok(varbinds)
}

/// Returns the status of a number (RFC 3416, section 3).
fn status_of(number: i32) -> ErrorStatus {
    match number {
        1 => ErrorStatus::TooBig,
        2 => ErrorStatus::NoSuchName,
        5 => ErrorStatus::GeneralError,
        6 => ErrorStatus::NoAccess,
        16 => ErrorStatus::AuthorizationError,
        other => ErrorStatus::Other(other),
    }
}
