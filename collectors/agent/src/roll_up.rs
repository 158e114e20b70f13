//! What flows add up to, by endpoint and application: what goes to the centre unasked.
//!
//! Invariants: what is added is in one row or in the rest, never in both and never in neither, so that rows and rest together are
//! all that was added; memory is bounded by [`ROWS_MAX`] rows. Who moved most has a row of his own, also when he begins late: a full
//! table gives up those that moved least so far. Pure; it does not know how long it was added up.
//!
//! A flow is added when its record is finished: for one that goes on, every 5 minutes (the active time-out of the flow table), for
//! one that fell silent up to 15 minutes after its last packet. So an interval tells what was recorded in it.
//!
//! Each end of a flow that has a link address of its own is an endpoint: a flow between two endpoints is told twice, once from each
//! side. What each sent has one sender, so what all of them sent is what crossed the segment.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use onenet_topology::{
    MacAddr,
    application::Application,
    fact::FlowTotals,
    flow::{Flow, FlowEnd},
};

/// Rows that are kept at a time: more than an interface of a county has endpoints times applications; some 300 KB.
const ROWS_MAX: usize = 4_096;

/// Whose traffic, and of which application: `None` was not recognised.
type Key = (MacAddr, Option<Application>);

/// Adds flows up.
#[derive(Debug, Default)]
pub struct RollUp {
    rows: HashMap<Key, FlowTotals, foldhash::fast::RandomState>,
    rest: BTreeMap<Option<Application>, FlowTotals>,
}

/// What flows added up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolledUp {
    /// Those that moved most bytes, the greatest first.
    pub rows: Vec<(MacAddr, Option<Application>, FlowTotals)>,
    /// The sum of all others, by application.
    pub rest: Vec<(Option<Application>, FlowTotals)>,
}

impl RollUp {
    /// Adds a flow's record.
    pub fn add(&mut self, flow: &Flow) {
        let out = FlowTotals {
            flows_out: 1,
            flows_in: 0,
            packets_out: flow.packets_out,
            packets_in: flow.packets_in,
            bytes_out: flow.bytes_out,
            bytes_in: flow.bytes_in,
        };
        let back = FlowTotals {
            flows_out: 0,
            flows_in: 1,
            packets_out: flow.packets_in,
            packets_in: flow.packets_out,
            bytes_out: flow.bytes_in,
            bytes_in: flow.bytes_out,
        };
        for (end, totals) in [(&flow.originator, out), (&flow.responder, back)] {
            if let Some(mac) = endpoint(end) {
                *self.rows.entry((mac, flow.application)).or_default() += totals;
            }
        }
        if self.rows.len() > ROWS_MAX {
            self.give_up(ROWS_MAX / 2);
        }
    }

    /// Returns what was added since the last time: `most` rows, and the rest.
    pub fn take(&mut self, most: usize) -> RolledUp {
        self.give_up(most);
        let mut rows: Vec<_> =
            self.rows.drain().map(|((mac, application), totals)| (mac, application, totals)).collect();
        rows.sort_unstable_by_key(|(mac, application, totals)| (Reverse(totals.bytes()), *mac, *application));
        RolledUp { rows, rest: std::mem::take(&mut self.rest).into_iter().collect() }
    }

    /// Adds all rows but the greatest to the rest.
    fn give_up(&mut self, most: usize) {
        if self.rows.len() <= most {
            return;
        }
        let mut rows: Vec<(Key, FlowTotals)> = self.rows.drain().collect();
        rows.sort_unstable_by_key(|(key, totals)| (Reverse(totals.bytes()), *key));
        for ((_, application), totals) in rows.drain(most..) {
            *self.rest.entry(application).or_default() += totals;
        }
        self.rows.extend(rows);
    }
}

/// Returns the link address of an end that is an endpoint's.
fn endpoint(end: &FlowEnd) -> Option<MacAddr> {
    end.mac.filter(|mac| mac.is_unicast())
}

#[cfg(test)]
mod tests {
    use onenet_topology::Timestamp;

    use super::*;

    fn flow(from: u32, to: u32, application: Option<Application>, bytes_out: u64, bytes_in: u64) -> Flow {
        let end = |number: u32| FlowEnd {
            ip: std::net::Ipv4Addr::from_bits(number).into(),
            port: 1,
            mac: MacAddr::from_u64(0x0200_0000_0000 + u64::from(number)),
        };
        Flow {
            protocol: 6,
            originator: end(from),
            responder: end(to),
            vlan: None,
            packets_out: 3,
            packets_in: 2,
            bytes_out,
            bytes_in,
            start: Timestamp::default(),
            end: Timestamp::default(),
            application,
            by_payload: true,
            name: String::new(),
            tcp: None,
            interface: None,
        }
    }

    fn mac(number: u32) -> MacAddr {
        MacAddr::from_u64(0x0200_0000_0000 + u64::from(number)).unwrap()
    }

    #[test]
    fn both_ends_of_a_flow_are_told_from_their_own_side() {
        let mut roll_up = RollUp::default();
        roll_up.add(&flow(1, 2, Some(Application::Tls), 100, 5_000));
        roll_up.add(&flow(1, 2, Some(Application::Tls), 10, 50));
        roll_up.add(&flow(2, 1, None, 7, 0));
        let RolledUp { rows, rest } = roll_up.take(10);
        assert!(rest.is_empty());
        let row = |number, application| rows.iter().find(|row| (row.0, row.1) == (mac(number), application)).unwrap().2;
        let tls = Some(Application::Tls);
        let totals = |flows_out, flows_in, packets_out, packets_in, bytes_out, bytes_in| FlowTotals {
            flows_out,
            flows_in,
            packets_out,
            packets_in,
            bytes_out,
            bytes_in,
        };
        assert_eq!(row(1, tls), totals(2, 0, 6, 4, 110, 5_050));
        assert_eq!(row(2, tls), totals(0, 2, 4, 6, 5_050, 110));
        assert_eq!(row(1, None), totals(0, 1, 2, 3, 0, 7));
        assert_eq!(roll_up.take(10), RolledUp::default(), "it was taken");
    }

    #[test]
    fn groups_and_ends_without_an_address_are_no_endpoints() {
        let mut roll_up = RollUp::default();
        let mut to_all = flow(1, 2, None, 100, 0);
        to_all.responder.mac = Some(MacAddr::BROADCAST);
        roll_up.add(&to_all);
        let mut far = flow(1, 2, None, 100, 0);
        far.originator.mac = None;
        far.responder.mac = None;
        roll_up.add(&far);
        assert_eq!(roll_up.take(10).rows.iter().map(|row| row.0).collect::<Vec<_>>(), [mac(1)]);
    }

    #[test]
    fn the_greatest_have_rows_and_the_others_are_summed_by_application() {
        let mut roll_up = RollUp::default();
        for number in 1..=100 {
            let application = Some(if number % 2 == 0 { Application::Dns } else { Application::Http });
            roll_up.add(&flow(number, 0, application, u64::from(number), 0));
        }
        let RolledUp { rows, rest } = roll_up.take(5);
        // Number 0 was sent everything.
        assert_eq!(rows.iter().map(|row| row.2.bytes()).collect::<Vec<_>>(), [2_550, 2_500, 100, 99, 98]);
        let sent: u64 = rows.iter().map(|row| row.2.bytes_out).chain(rest.iter().map(|it| it.1.bytes_out)).sum();
        assert_eq!((rest.len(), sent), (2, 5_050));
    }

    #[test]
    fn a_flood_of_addresses_neither_grows_the_table_nor_hides_who_moves_most() {
        let mut roll_up = RollUp::default();
        for number in 1..=50_000 {
            roll_up.add(&flow(number, 0, None, 60, 0));
            assert!(roll_up.rows.len() <= ROWS_MAX);
        }
        // He begins when the table was full for long.
        roll_up.add(&flow(70_000, 0, Some(Application::Smb), 1_000_000, 5));
        for number in 100_001..=150_000 {
            roll_up.add(&flow(number, 0, None, 60, 0));
        }
        let RolledUp { rows, rest } = roll_up.take(3);
        assert!(rows.iter().any(|row| row.0 == mac(70_000)), "{rows:?}");
        let sent: u64 = rows.iter().map(|row| row.2.bytes_out).chain(rest.iter().map(|it| it.1.bytes_out)).sum();
        assert_eq!(sent, 100_000 * 60 + 1_000_005);
    }
}
