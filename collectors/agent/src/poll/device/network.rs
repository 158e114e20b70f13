//! What is read of a device's place in the network: whom it knows by address, its own addresses, its VLANs, and forwarding VLAN by VLAN.
//!
//! Invariant: as in the module above. Contexts of VLANs are asked within the same budget of questions as the rest of a cycle,
//! and only where the device's own forwarding table does not tell of VLANs.

use onenet_snmp::{
    AddressRow, AddressTables, Contexts, ForwardingRow, Polled, Session, poll_addresses, poll_context_forwarding,
    poll_forwarding, poll_forwarding_and_addresses, poll_own_addresses, poll_vlans,
};
use onenet_topology::fact::Method;

use super::{Device, facts, points_at_unknown_ports};
use crate::schedule::Table;

impl Device {
    /// Reads whom the device heard behind which port, and, where they are due as well, whom it knows by address.
    pub(super) async fn read_forwarding(&mut self, session: &mut Session, addresses_too: bool) {
        let begun = self.shared.clock.timestamp();
        let (read, addresses) = if addresses_too {
            let (read, addresses) = poll_forwarding_and_addresses(session).await;
            (read, Some(addresses))
        } else {
            (poll_forwarding(session).await, None)
        };
        self.schedule.walked_forwarding(begun, self.shared.clock.timestamp());
        let (known, mut learned) = (std::mem::take(&mut self.names), None);
        let mut polled = read.resolve_borrowed(&known);
        if points_at_unknown_ports(&polled) {
            self.names = known.clone();
            self.learn_ports(session).await;
            polled = read.resolve_borrowed(learned.insert(std::mem::take(&mut self.names)));
        }
        self.tells_vlans = polled.rows.iter().any(|row| row.fdb_id.is_some());
        self.hand_on(Method::SnmpForwarding, Table::Forwarding, polled, facts::forwarding).await;
        self.names = learned.unwrap_or(known);
        drop(read);
        if let Some(addresses) = addresses {
            self.hand_on_addresses(session, addresses).await;
        }
    }

    pub(super) async fn read_addresses(&mut self, session: &mut Session) {
        let read = poll_addresses(session).await;
        self.hand_on_addresses(session, read).await;
    }

    async fn hand_on_addresses(&mut self, session: &mut Session, read: AddressTables) {
        let names = std::mem::take(&mut self.names);
        let mut polled = read.resolve_borrowed(&names);
        let more = self.recognition.more_addresses(session, &self.shared.profiles, &names, &polled).await;
        polled.append(more.viewed(AddressRow::borrowed));
        self.hand_on(Method::SnmpAddresses, Table::Addresses, polled, facts::addresses).await;
        self.names = names;
    }

    pub(super) async fn read_own_addresses(&mut self, session: &mut Session) {
        let polled = poll_own_addresses(session, &self.names).await;
        if !polled.is_partial() {
            self.told.claims(&self.config, polled.rows.iter().map(|row| row.ip));
        }
        self.hand_on(Method::SnmpOwnAddresses, Table::OwnAddresses, polled, facts::own_addresses).await;
    }

    pub(super) async fn read_vlans(&mut self, session: &mut Session) {
        let (vlans, natives) = poll_vlans(session, &self.names).await;
        let mut polled = Polled {
            rows: facts::vlans(vlans.rows, &natives.rows, &self.names),
            dropped: vlans.dropped,
            errors: vlans.errors,
            tables: vlans.tables,
        };
        polled.dropped.extend(natives.dropped);
        polled.errors.extend(natives.errors);
        self.hand_on(Method::SnmpVlans, Table::Vlans, polled, |bodies| bodies).await;
    }

    /// Reads the forwarding tables that a switch keeps in a context of each VLAN. One that tells of VLANs itself has none.
    pub(super) async fn read_vlan_forwarding(&mut self, session: &mut Session) {
        let polled = if self.tells_vlans {
            Polled::default()
        } else {
            let (sockets, credentials) = (self.shared.sockets.clone(), self.config.credentials.clone());
            let contexts = Contexts { sockets: &sockets, credentials: &credentials };
            poll_context_forwarding(session, contexts, &self.names).await
        };
        let viewed = polled.viewed(ForwardingRow::borrowed);
        self.hand_on(Method::SnmpVlanForwarding, Table::VlanForwarding, viewed, facts::forwarding).await;
    }
}
