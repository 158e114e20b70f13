//! What holds of a method, in the form in which it was read: compared as it is, and written as facts only where it changed.
//!
//! Invariant: rows that borrow their names and bodies of the same content become the same facts. Pure.

use std::hash::Hash;

use onenet_topology::{
    Timestamp,
    fact::{Fact, FactBody, FactChange, ForwardingStatus},
};
use onenet_wire::{AddressRow, FactRow as _, ForwardingRow};

use super::facts::Port;
use crate::spool::{SortedFacts, one_each};

/// Everything that holds of a method, or a part of it. What stands for it is its hash.
pub(super) trait Holding: Hash {
    /// Returns it as facts observed at `now`, one a key. Of several with one key a learned forwarding row with a known
    /// port is kept before others, and otherwise the first.
    fn observed(self, now: Timestamp) -> SortedFacts;

    /// Returns it as bodies, several of which may have one key.
    fn bodies(self) -> Vec<FactBody>;
}

impl Holding for Vec<FactBody> {
    fn observed(self, now: Timestamp) -> SortedFacts {
        SortedFacts::new(self, now, worth)
    }

    fn bodies(self) -> Vec<FactBody> {
        self
    }
}

impl Holding for Vec<Port<'_>> {
    fn observed(self, now: Timestamp) -> SortedFacts {
        self.bodies().observed(now)
    }

    fn bodies(self) -> Vec<FactBody> {
        self.iter().map(Port::to_body).collect()
    }
}

impl Holding for Vec<ForwardingRow<'_>> {
    fn observed(self, now: Timestamp) -> SortedFacts {
        SortedFacts::of_rows(&self, now, |row| worth_of(row.status(), row.has_interface()))
    }

    fn bodies(self) -> Vec<FactBody> {
        self.iter().map(ForwardingRow::to_body).collect()
    }
}

impl Holding for Vec<AddressRow<'_>> {
    fn observed(self, now: Timestamp) -> SortedFacts {
        SortedFacts::of_rows(&self, now, |_| 0)
    }

    fn bodies(self) -> Vec<FactBody> {
        self.iter().map(AddressRow::to_body).collect()
    }
}

/// Returns what [`Holding::observed`] does of what is not all there is, as changes.
pub(super) fn changes(holding: impl Holding, now: Timestamp) -> impl Iterator<Item = FactChange> {
    one_each(holding.bodies(), worth).map(move |body| FactChange::Present(Fact { observed: now, body }))
}

fn worth(body: &FactBody) -> u8 {
    match body {
        FactBody::Forwarding(row) => worth_of(row.status, row.interface.is_some()),
        _ => 0,
    }
}

fn worth_of(status: ForwardingStatus, has_interface: bool) -> u8 {
    u8::from(status == ForwardingStatus::Learned) * 2 + u8::from(has_interface)
}

#[cfg(test)]
mod tests {
    use onenet_topology::MacAddr;
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![Just(String::new()), "[a-z以]{1,4}", Just("网".repeat(120))]
    }

    fn status() -> impl Strategy<Value = ForwardingStatus> {
        prop_oneof![Just(ForwardingStatus::Learned), Just(ForwardingStatus::Other), Just(ForwardingStatus::Own)]
    }

    proptest! {
        #[test]
        fn forwarding_rows_become_the_facts_that_their_bodies_become(
            rows in prop::collection::vec((0..6_u8, prop::option::of(0..3_u16), prop::option::of(name()), 0..300_u32, status()), 0..30)
        ) {
            let row = |(mac, vlan, name, port, status): &(u8, Option<u16>, Option<String>, u32, ForwardingStatus)| {
                let mac = MacAddr([2, 0, 0, 0, 0, *mac]);
                FactBody::Forwarding(onenet_topology::fact::Forwarding {
                    mac, vlan: *vlan, interface: name.clone(), bridge_port: *port, status: *status,
                })
            };
            let borrowed: Vec<_> = rows.iter().map(|(mac, vlan, name, port, status)| {
                ForwardingRow::new((MacAddr([2, 0, 0, 0, 0, *mac]), *vlan), name.as_deref(), *port, *status)
            }).collect();
            let bodies: Vec<FactBody> = rows.iter().map(row).collect();
            let part: Vec<_> = changes(borrowed.clone(), NOW).collect();
            prop_assert_eq!(part, changes(bodies.clone(), NOW).collect::<Vec<_>>());
            prop_assert_eq!(borrowed.observed(NOW), bodies.observed(NOW));
        }

        #[test]
        fn address_rows_become_the_facts_that_their_bodies_become(
            rows in prop::collection::vec((0..5_u8, any::<bool>(), name(), any::<[u8; 6]>()), 0..30)
        ) {
            let ip = |last: u8, is_v6: bool| if is_v6 {
                std::net::Ipv6Addr::from(u128::from(last)).into()
            } else {
                std::net::IpAddr::from([10, 0, 0, last])
            };
            let borrowed: Vec<_> = rows.iter().map(|(last, v6, name, mac)| {
                AddressRow::new(ip(*last, *v6), name.as_str(), MacAddr(*mac))
            }).collect();
            let body = |(last, v6, name, mac): &(u8, bool, String, [u8; 6])| {
                FactBody::Address(onenet_topology::fact::Address {
                    ip: ip(*last, *v6), interface: name.clone(), mac: MacAddr(*mac),
                })
            };
            let bodies: Vec<FactBody> = rows.iter().map(body).collect();
            let part: Vec<_> = changes(borrowed.clone(), NOW).collect();
            prop_assert_eq!(part, changes(bodies.clone(), NOW).collect::<Vec<_>>());
            prop_assert_eq!(borrowed.observed(NOW), bodies.observed(NOW));
        }
    }
}
