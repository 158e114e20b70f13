//! Which ports the later fragments of an IP packet belong to.
//!
//! Invariant: a small table; a fragment whose first part was not seen, or has left the table, is counted and not guessed.

use std::{net::IpAddr, time::Duration};

use crate::{
    FrameTime,
    decode::{Ip, Packet},
    table::Table,
};

/// Packets in parts that are remembered at a time; a county has a few a second.
const CAPACITY: usize = 1_024;
/// How long the parts of one packet may be apart (RFC 8200, section 4.5: 60 s to reassemble).
const LIFETIME: Duration = Duration::from_secs(60);

/// What the parts of one packet have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Whole {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    protocol: u8,
    vlan: Option<u16>,
    network: Option<u32>,
}

/// The ports that the first part had, source first, and whether it could only be an answer.
pub(super) type Ports = ((u16, u16), bool);

#[derive(Debug)]
pub(super) struct Fragments {
    table: Table<Whole, (FrameTime, Ports), 1>,
}

impl Fragments {
    pub(super) fn new() -> Self {
        Self { table: Table::new(CAPACITY) }
    }

    /// Notes the ports of a packet's first part.
    pub(super) fn first(&mut self, time: FrameTime, packet: &Packet<'_>, ip: &Ip<'_>, ports: Ports) {
        let Some(whole) = whole(packet, ip) else { return };
        if let Some(at) = self.table.find(&whole) {
            if let Some(known) = self.table.get_mut(at) {
                *known = (time, ports);
            }
            return self.table.touch(at, 0);
        }
        if let Some(oldest) = self.table.oldest(0).filter(|_| self.table.is_full()) {
            self.table.remove(oldest);
        }
        self.table.insert(whole, (time, ports), 0);
    }

    /// Returns the ports of the packet that this later part belongs to.
    pub(super) fn later(&self, time: FrameTime, packet: &Packet<'_>, ip: &Ip<'_>) -> Option<Ports> {
        let at = self.table.find(&whole(packet, ip)?)?;
        let &(first, ports) = self.table.get(at)?;
        (!time.is_past(first, LIFETIME)).then_some(ports)
    }
}

fn whole(packet: &Packet<'_>, ip: &Ip<'_>) -> Option<Whole> {
    let header = &ip.header;
    header.fragment.map(|fragment| Whole {
        source: header.source,
        destination: header.destination,
        id: fragment.id,
        protocol: header.protocol,
        vlan: packet.vlan,
        network: packet.network,
    })
}
