//! What a device is polled for, by dearness, so that a schedule can ask cheap things often and dear things seldom.
//!
//! Invariant: a sloppy device never stops a round: what cannot be read is an error in the result. Nothing here
//! spawns: the caller runs one task a device, and keeps the device's [`Session`] between rounds.

mod enterprises;
mod profiles;

pub use enterprises::{Enterprise, poll_enterprises};
pub use profiles::{SensorMemory, poll_identification, poll_more_addresses, poll_sensors, poll_stations};

use crate::{
    error::RequestError,
    mib::{
        self, Polled, Reading,
        addresses::{self, AddressTables},
        aggregation::{self, LagMember},
        bridge::{self, Bridge, BridgePorts, ForwardingTables},
        cdp,
        cisco_vlans::{self, CiscoTables},
        entity::{self, Entity},
        identity::{self, Identity},
        interfaces::{self, InterfaceCounters, InterfaceIndex, InterfaceLabel, InterfaceTables},
        lldp::{self, LldpTables, Neighbour},
        lldp_v2,
        own_addresses::{self, OwnAddress},
        q_bridge,
        routes::{self, ROUTES_MAX, Routes},
        system::{self, System},
        vlans::{self, PortVlan, Vlan, VlanTables},
    },
    oid::Oid,
    session::Session,
    walk::{Caps, Column},
};

/// Interfaces that are asked at once when their states last changed.
const CHANGES_MAX: usize = 16;

/// A table and its columns.
type Columns = (&'static str, &'static [Column]);

const FORWARDING: [Columns; 2] = [(q_bridge::Q_FDB_TABLE, &q_bridge::Q_FDB), (bridge::FDB_TABLE, &bridge::FDB)];

const ADDRESSES: [Columns; 2] =
    [(addresses::PHYSICAL_TABLE, &addresses::PHYSICAL), (addresses::MEDIA_TABLE, &addresses::MEDIA)];

/// Asks what the device says of itself. One question, few tries: begin each round with it, and skip the rest when it
/// fails, so that a dead device costs next to nothing.
///
/// # Errors
///
/// The device is silent, or refuses the credentials; the message tells what to do.
pub async fn poll_system(session: &mut Session) -> Result<System, RequestError> {
    let varbinds = session.probe(&system::names()).await?;
    Ok(system::assemble(&varbinds))
}

/// Asks how long the device has been up, in whole seconds: to tell whether it restarted while something else was read.
///
/// # Errors
///
/// The device is silent, or refuses.
pub async fn poll_uptime(session: &mut Session) -> Result<Reading<u64>, RequestError> {
    let varbinds = session.ask_briefly(&[Oid::from_arcs(&system::SYS_UPTIME)]).await?;
    Ok(system::uptime_s(varbinds.first().map(|varbind| &varbind.value)))
}

/// Asks once what the device says of itself: an attempt with credentials that may not fit.
///
/// # Errors
///
/// No answer came, or the device refuses the credentials.
pub async fn attempt_system(session: &mut Session) -> Result<System, RequestError> {
    let varbinds = session.attempt(&system::names()).await?;
    Ok(system::assemble(&varbinds))
}

/// Asks when the states of these interfaces last changed: how long the device had been up then, in seconds. One question for
/// [`CHANGES_MAX`] of them, more are not asked for; what it does not tell is left out.
pub async fn poll_last_changes(session: &mut Session, if_indexes: &[u32]) -> Vec<(u32, u32)> {
    let asked = if_indexes.get(..CHANGES_MAX).unwrap_or(if_indexes);
    if asked.is_empty() {
        return Vec::new();
    }
    let names: Vec<Oid> = asked.iter().map(|if_index| interfaces::last_change_name(*if_index)).collect();
    // Next time that the names are read it is read too.
    let values = session.get(&names).await.unwrap_or_default();
    let told = asked.iter().zip(&values);
    told.filter_map(|(if_index, varbind)| Some((*if_index, interfaces::last_change_s(&varbind.value)?))).collect()
}

/// Reads state and counters of the interfaces. Cheap: ask every round.
pub async fn poll_counters(session: &mut Session) -> Polled<InterfaceCounters> {
    poll_counters_and_uptime(session).await.0
}

/// Reads what [`poll_counters`] does, and how long the device had been up, in whole seconds, once all of it was read: `None` where
/// that would take a question of its own, as [`poll_uptime`] asks it.
pub async fn poll_counters_and_uptime(session: &mut Session) -> (Polled<InterfaceCounters>, Option<Reading<u64>>) {
    let tables =
        [(interfaces::IF_TABLE, &interfaces::IF_COUNTERS[..]), (interfaces::IF_X_TABLE, &interfaces::IF_X_COUNTERS)];
    let ([base, extended], uptime) = mib::read_all_and(session, tables, &system::SYS_UPTIME).await;
    if interfaces::counts_groups_widely(&base, &extended) {
        let counters = interfaces::counters(&base, &extended, &mib::ReadTable::default());
        return (counters, uptime.map(|uptime| system::uptime_s(Some(&uptime))));
    }
    let narrow = mib::read(session, interfaces::IF_X_TABLE, &interfaces::IF_X_NARROW).await;
    (interfaces::counters(&base, &extended, &narrow), None)
}

/// Reads what the interfaces are: names, aliases, types, speeds, duplex. Ask at first, then seldom, and when sysUpTime or the
/// number of interfaces says that ifIndexes may have been given anew.
pub async fn poll_interfaces(session: &mut Session) -> Polled<InterfaceLabel> {
    poll_interface_tables(session).await.labels()
}

/// Reads what [`poll_interfaces`] does, for whoever wants to see first whether it is the same as before.
pub async fn poll_interface_tables(session: &mut Session) -> InterfaceTables {
    let tables = [
        (interfaces::IF_TABLE, &interfaces::IF_NAMES[..]),
        (interfaces::IF_X_TABLE, &interfaces::IF_X_NAMES),
        (interfaces::DOT3_STATS_TABLE, &interfaces::DOT3_STATS),
    ];
    let [base, extended, stats] = mib::read_all(session, tables).await;
    InterfaceTables { base, extended, stats }
}

/// Reads the forwarding tables of BRIDGE-MIB and Q-BRIDGE-MIB. Dear: a core switch has tens of thousands of rows.
pub async fn poll_forwarding(session: &mut Session) -> ForwardingTables {
    let [q_fdb, fdb] = mib::read_all(session, FORWARDING).await;
    let [base_ports, vlans] = mib::read_all(session, behind_forwarding(&q_fdb)).await;
    ForwardingTables { q_fdb, fdb, base_ports, vlans }
}

/// Reads what [`poll_forwarding`] and [`poll_addresses`] do, with fewer questions.
pub async fn poll_forwarding_and_addresses(session: &mut Session) -> (ForwardingTables, AddressTables) {
    let [q_fdb, fdb] = mib::read_all(session, FORWARDING).await;
    let ([ports, vlans], [physical, media]) = (behind_forwarding(&q_fdb), ADDRESSES);
    let [base_ports, vlans, physical, media] = mib::read_all(session, [ports, vlans, physical, media]).await;
    (ForwardingTables { q_fdb, fdb, base_ports, vlans }, AddressTables { physical, media })
}

/// Returns what is read after the forwarding tables: a port that came while they were read is in it too. VLANs are told apart
/// only in one of them.
fn behind_forwarding(q_fdb: &mib::ReadTable) -> [Columns; 2] {
    let vlans: &[_] = if q_fdb.is_empty() { &[] } else { &q_bridge::VLANS };
    [(bridge::BASE_PORT_TABLE, &bridge::BASE_PORTS), (q_bridge::VLAN_TABLE, vlans)]
}

/// Reads what the bridge says of itself and of the spanning tree. Cheap.
pub async fn poll_bridge(session: &mut Session, interfaces: &InterfaceIndex) -> Polled<Bridge> {
    let mut polled = Polled::default();
    let scalars = session.get(&bridge::scalar_names()).await.unwrap_or_else(|error| {
        polled.errors.push(mib::unread(bridge::SCALARS_GROUP, &error));
        Vec::new()
    });
    let tables = [(bridge::BASE_PORT_TABLE, &bridge::BASE_PORTS[..]), (bridge::STP_PORT_TABLE, &bridge::STP_PORTS)];
    let [base_ports, stp] = mib::read_all(session, tables).await;
    polled.note(bridge::STP_PORT_TABLE, &stp);
    polled.rows.push(bridge::bridge(&scalars, &stp, &BridgePorts::of(&base_ports), interfaces));
    polled
}

/// Reads what tells the device from another. One question: ask when it started anew, and now and then.
pub async fn poll_identity(session: &mut Session) -> Polled<Identity> {
    let mut polled = Polled::default();
    let varbinds = session.get(&identity::names()).await.unwrap_or_else(|error| {
        polled.errors.push(mib::unread(identity::GROUP, &error));
        Vec::new()
    });
    polled.rows.push(identity::assemble(&varbinds, session.engine_id()));
    polled
}

/// Reads the address resolution tables for IPv4 and IPv6. Dear on a router.
pub async fn poll_addresses(session: &mut Session) -> AddressTables {
    let [physical, media] = mib::read_all(session, ADDRESSES).await;
    AddressTables { physical, media }
}

/// Reads the neighbours by LLDP and CDP. Cheap, and changes seldom.
pub async fn poll_neighbours(session: &mut Session, interfaces: &InterfaceIndex) -> Polled<Neighbour> {
    let mut polled = poll_lldp(session, interfaces).await;
    if polled.rows.is_empty() {
        polled.append(poll_lldp_v2(session, interfaces).await);
    }
    let cache = mib::read(session, cdp::CACHE_TABLE, &cdp::CACHE).await;
    polled.append(cdp::neighbours(&cache, interfaces));
    polled
}

async fn poll_lldp(session: &mut Session, interfaces: &InterfaceIndex) -> Polled<Neighbour> {
    let remote = mib::read(session, lldp::REMOTE_TABLE, &lldp::REMOTE).await;
    if remote.is_empty() {
        let mut none = Polled::default();
        none.note(lldp::REMOTE_TABLE, &remote);
        return none;
    }
    let local = mib::read(session, lldp::LOCAL_TABLE, &lldp::LOCAL).await;
    let addresses = mib::read(session, lldp::ADDRESS_TABLE, &lldp::ADDRESSES).await;
    let base_ports = mib::read(session, bridge::BASE_PORT_TABLE, &bridge::BASE_PORTS).await;
    let tables = LldpTables { local: &local, remote: &remote, addresses: &addresses };
    lldp::neighbours(&tables, &BridgePorts::of(&base_ports), interfaces)
}

async fn poll_lldp_v2(session: &mut Session, interfaces: &InterfaceIndex) -> Polled<Neighbour> {
    let remote = mib::read(session, lldp_v2::REMOTE_TABLE, &lldp_v2::REMOTE).await;
    let addresses = if remote.is_empty() {
        mib::ReadTable::default()
    } else {
        mib::read(session, lldp_v2::ADDRESS_TABLE, &lldp_v2::ADDRESSES).await
    };
    lldp_v2::neighbours(&remote, &addresses, interfaces)
}

/// Reads the VLANs, the interfaces that carry each, and the VLAN of each interface's untagged frames. Dear on a switch of
/// many VLANs, whose sets of ports are long; changes seldom.
pub async fn poll_vlans(session: &mut Session, interfaces: &InterfaceIndex) -> (Polled<Vlan>, Polled<PortVlan>) {
    let tables = [
        (bridge::BASE_PORT_TABLE, &bridge::BASE_PORTS[..]),
        (q_bridge::VLAN_TABLE, &vlans::CURRENT),
        (vlans::STATIC_TABLE, &vlans::STATIC),
        (vlans::PORT_TABLE, &vlans::PORTS),
    ];
    let [base_ports, current, fixed, pvids] = mib::read_all(session, tables).await;
    let ports = BridgePorts::of(&base_ports);
    let mut vlans = vlans::vlans(&VlanTables { current: &current, fixed: &fixed, ports: &ports, interfaces });
    let mut port_vlans = vlans::port_vlans(&pvids, &ports, interfaces);
    if vlans.rows.is_empty() {
        let vtp = mib::read(session, cisco_vlans::VTP_TABLE, &cisco_vlans::VTP).await;
        let (members, trunks) = if vtp.is_empty() {
            (mib::ReadTable::default(), mib::ReadTable::default())
        } else {
            let members = mib::read(session, cisco_vlans::MEMBER_TABLE, &cisco_vlans::MEMBERS).await;
            (members, mib::read(session, cisco_vlans::TRUNK_TABLE, &cisco_vlans::TRUNKS).await)
        };
        let tables = CiscoTables { vtp: &vtp, members: &members, trunks: &trunks, interfaces };
        let (named, native) = cisco_vlans::vlans(&tables);
        vlans.append(named);
        port_vlans.append(native);
    }
    (vlans, port_vlans)
}

/// Reads which interfaces belong to which aggregate, and with whom. Changes seldom.
pub async fn poll_aggregation(session: &mut Session, interfaces: &InterfaceIndex) -> Polled<LagMember> {
    let ports = mib::read(session, aggregation::AGGREGATION_TABLE, &aggregation::AGGREGATION).await;
    let stack = if aggregation::has_aggregates(interfaces) {
        mib::read(session, aggregation::STACK_TABLE, &aggregation::STACK).await
    } else {
        mib::ReadTable::default()
    };
    aggregation::members(&ports, &stack, interfaces)
}

/// Reads the device's own addresses and their prefixes. Cheap, and changes seldom.
pub async fn poll_own_addresses(session: &mut Session, interfaces: &InterfaceIndex) -> Polled<OwnAddress> {
    let addresses = mib::read(session, own_addresses::ADDRESS_TABLE, &own_addresses::ADDRESSES).await;
    let old = mib::read(session, own_addresses::OLD_TABLE, &own_addresses::OLD).await;
    own_addresses::own_addresses(&addresses, &old, interfaces)
}

/// Reads next hops and connected prefixes, of up to [`ROUTES_MAX`] routes and of `own` addresses. Dear on a router: a core
/// router looks for each next route among a million. Ask seldom. The one row holds it all.
pub async fn poll_routes(session: &mut Session, own: &[OwnAddress], interfaces: &InterfaceIndex) -> Polled<Routes> {
    let caps = session.caps();
    session.set_caps(Caps { rows: caps.rows.min(ROUTES_MAX), ..caps });
    let mut table = routes::INET_TABLE;
    let mut read = mib::read(session, table, &routes::INET).await;
    if read.is_empty() {
        table = routes::CIDR_TABLE;
        read = mib::read(session, table, &routes::CIDR).await;
    }
    if read.is_empty() {
        table = routes::OLD_TABLE;
        read = mib::read(session, table, &routes::OLD).await;
    }
    session.set_caps(caps);
    routes::routes(table, &read, own, interfaces)
}

/// Reads the physical parts and their serial numbers. Ask seldom: once a day, and when the device started anew.
pub async fn poll_entities(session: &mut Session) -> Polled<Entity> {
    let read = mib::read(session, entity::PHYSICAL_TABLE, &entity::ENTITIES).await;
    entity::entities(&read)
}
