//! Forwarding of switches that have a bridge a VLAN, each in a context of its own: Cisco's, asked as `community@VLAN` in v2c
//! and in the context `vlan-VLAN` in v3.
//!
//! Invariant: only a device whose vtpVlanTable names VLANs is asked so; what it costs is taken from the budget of the
//! session's round; two VLANs in a row without an answer end it, for then the device keeps no such contexts. Nothing here
//! spawns: one VLAN is asked after the other.

use std::collections::BTreeSet;

use onenet_topology::MacAddr;

use crate::{
    credentials::Credentials,
    dropped::{DropReason, DroppedRow, TableError, TableProblem},
    engine::Sockets,
    error::RequestError,
    mib::{
        self, Polled, TableSize,
        bridge::{self, ForwardingRow, ForwardingTables},
        cisco_vlans::{self, VTP_TABLE},
        interfaces::InterfaceIndex,
        system,
    },
    oid::Oid,
    session::Session,
};

/// dot1dTpFdbTable in the contexts of VLANs.
pub(crate) const CONTEXT_FDB_TABLE: &str = "dot1dTpFdbTable@vlan";

/// The most VLANs that are asked for: a switch keeps no more spanning trees than this, and so no more contexts.
const VLANS_MAX: usize = 512;

/// After so many VLANs in a row without an answer, no further is asked.
const SILENT_VLANS_MAX: usize = 2;

/// What it takes to ask a device in another context.
#[derive(Debug, Clone, Copy)]
pub struct Contexts<'a> {
    /// The sockets that the session uses too.
    pub sockets: &'a Sockets,
    /// The credentials of the session.
    pub credentials: &'a Credentials,
}

/// Reads the forwarding tables of the VLANs that have one each. Very dear: ask it where
/// [`poll_forwarding`](crate::poll_forwarding) brought rows without a VLAN, or none, and as seldom as the schedule allows.
pub async fn poll_context_forwarding(
    session: &mut Session,
    contexts: Contexts<'_>,
    interfaces: &InterfaceIndex,
) -> Polled<ForwardingRow> {
    let mut polled = Polled::default();
    let vtp = mib::read(session, VTP_TABLE, &cisco_vlans::VTP).await;
    polled.note(VTP_TABLE, &vtp);
    let vlans = cisco_vlans::operational(&vtp);
    if vlans.len() > VLANS_MAX {
        polled
            .errors
            .push(trouble(TableProblem::TooManyRows, format!("{} VLANs are not asked", vlans.len() - VLANS_MAX)));
    }
    let (mut answered, mut silent, mut rows) = (0, 0, 0);
    let mut unread = Vec::new();
    for vlan in vlans.into_iter().take(VLANS_MAX) {
        match in_vlan(session, contexts, vlan).await {
            Ok(tables) => {
                (answered, silent) = (answered + 1, 0);
                rows += tables.fdb.len();
                take(&mut polled, tables.resolve(interfaces), vlan);
            }
            Err(error) => {
                unread.push(of_vlan(mib::unread(CONTEXT_FDB_TABLE, &error), vlan));
                silent += 1;
                if silent >= SILENT_VLANS_MAX || matches!(error, RequestError::BudgetSpent { .. }) {
                    break;
                }
            }
        }
    }
    let none_kept = answered == 0 && unread.iter().all(|error| error.error == TableProblem::NoAnswer);
    match unread.first() {
        // A device that keeps no contexts, or not for this community, is read in full without them.
        Some(first) if none_kept => polled.errors.push(TableError { error: TableProblem::NoContexts, ..first.clone() }),
        _ => polled.errors.extend(unread),
    }
    polled.tables.push(TableSize { table: CONTEXT_FDB_TABLE, rows });
    polled
}

/// Takes over what one VLAN's bridge told.
fn take(polled: &mut Polled<ForwardingRow>, read: Polled<ForwardingRow>, vlan: u16) {
    polled.rows.extend(read.rows.into_iter().map(|row| ForwardingRow { vlan: Some(vlan), ..row }));
    polled.dropped.extend(read.dropped.into_iter().map(|row| DroppedRow { table: CONTEXT_FDB_TABLE, ..row }));
    polled.errors.extend(read.errors.into_iter().map(|error| of_vlan(error, vlan)));
}

/// Puts rows of contexts beside those of the device's own tables. A row without a VLAN that a context repeats with one is
/// dropped.
pub fn with_contexts(mut plain: Polled<ForwardingRow>, contexts: Polled<ForwardingRow>) -> Polled<ForwardingRow> {
    let told: BTreeSet<(MacAddr, u32)> = contexts.rows.iter().map(|row| (row.mac, row.if_index)).collect();
    let (repeated, kept): (Vec<_>, Vec<_>) =
        plain.rows.into_iter().partition(|row| row.vlan.is_none() && told.contains(&(row.mac, row.if_index)));
    plain.rows = kept;
    plain.rows.extend(contexts.rows);
    plain.dropped.extend(repeated.iter().map(|row| {
        let index = row.mac.0.map(u32::from);
        DroppedRow::new(bridge::FDB_TABLE, &index, DropReason::AlsoInVlanContext)
    }));
    plain.dropped.extend(contexts.dropped);
    plain.errors.extend(contexts.errors);
    plain.tables.extend(contexts.tables);
    plain
}

/// Reads what one VLAN's bridge knows. Its ports have numbers of their own.
async fn in_vlan(session: &mut Session, contexts: Contexts<'_>, vlan: u16) -> Result<ForwardingTables, RequestError> {
    let credentials = contexts.credentials.in_vlan(vlan);
    let mut beside = session.beside(contexts.sockets, &credentials).await?;
    let answer = beside.ask_briefly(&[Oid::from_arcs(&system::SYS_UPTIME)]).await;
    let tables = match answer {
        Ok(_) => Ok(ForwardingTables {
            fdb: mib::read(&mut beside, bridge::FDB_TABLE, &bridge::FDB).await,
            base_ports: mib::read(&mut beside, bridge::BASE_PORT_TABLE, &bridge::BASE_PORTS).await,
            q_fdb: mib::ReadTable::default(),
            vlans: mib::ReadTable::default(),
        }),
        Err(error) => Err(error),
    };
    session.charge(beside.spent());
    tables
}

fn of_vlan(error: TableError, vlan: u16) -> TableError {
    let detail = error.detail.map_or_else(|| format!("VLAN {vlan}"), |detail| format!("VLAN {vlan}: {detail}"));
    TableError { detail: Some(detail), ..error }
}

fn trouble(error: TableProblem, detail: String) -> TableError {
    TableError { table: CONTEXT_FDB_TABLE, column: None, error, rows: None, detail: Some(detail) }
}
