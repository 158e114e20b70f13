//! The question for finished flows, and the page that answers it.
//!
//! A page is a table told column by column: ends and texts that repeat are told once and named by their place. A thousand
//! flows of one terminal take some thirty bytes each, so nothing needs to be compressed, nor unpacked from what a stranger made.
//!
//! Invariant: columns are as long as that of the ends' times, or absent where every value is 0; every place leads to an end or
//! text that the page tells. What passed [`limits::fit_flow`] arrives as it was.

use std::{collections::HashMap, hash::Hash, net::IpAddr};

use ipnetwork::IpNetwork;
use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    fact::Scope,
    flow::{
        Flow, FlowCursor, FlowEnd, FlowPage, FlowPageEnd, FlowParty, FlowQuery, FlowsMissing, FlowsMissingReason,
        TcpFlow, TcpState,
    },
};
use prost::Message as _;

use super::{
    check::{self, count, ip, ip_bytes, mac, optional_mac, range, required, text},
    history::known_application,
};
use crate::{Asker, FlowsQuery, Invalid, Problem, limits, v1};

// ---- the question ---------------------------------------------------------------------------------------------------

impl From<&FlowsQuery> for v1::FlowQuery {
    fn from(it: &FlowsQuery) -> Self {
        let query = &it.query;
        Self {
            principal: it.asker.principal.clone(),
            reason: it.asker.reason.clone(),
            from_ms: query.from.unix_ms(),
            until_ms: query.until.unix_ms(),
            endpoint: query.endpoint.as_ref().map(Into::into),
            peer: query.peer.as_ref().map(Into::into),
            port: query.port.map(Into::into),
            protocol: query.protocol.map(Into::into),
            application: query.application.map_or(0, |application| application.number().into()),
            limit: query.limit,
            after: it.after.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<v1::FlowQuery> for FlowsQuery {
    type Error = Invalid;

    fn try_from(it: v1::FlowQuery) -> Result<Self, Invalid> {
        Ok(Self {
            asker: Asker {
                principal: text("principal", it.principal, limits::NAME_BYTES)?,
                reason: text("reason", it.reason, limits::TEXT_BYTES)?,
            },
            query: FlowQuery {
                from: time("from_ms", it.from_ms)?,
                until: time("until_ms", it.until_ms)?,
                endpoint: it
                    .endpoint
                    .map(|party| party.try_into().map_err(|e: Invalid| e.within("endpoint")))
                    .transpose()?,
                peer: it.peer.map(|party| party.try_into().map_err(|e: Invalid| e.within("peer"))).transpose()?,
                port: it.port.map(|port| narrow("port", port)).transpose()?,
                protocol: it.protocol.map(|protocol| narrow("protocol", protocol)).transpose()?,
                application: wanted_application(it.application)?,
                limit: range("limit", it.limit, 1, u32::try_from(limits::PAGE_FLOWS).unwrap_or(u32::MAX))?,
            },
            after: it.after.map(cursor).transpose().map_err(|e| e.within("after"))?,
        })
    }
}

impl From<&FlowParty> for v1::FlowParty {
    fn from(it: &FlowParty) -> Self {
        use v1::flow_party::Body;
        let body = match it {
            FlowParty::Mac(mac) => Body::Mac(mac.0.to_vec()),
            FlowParty::Ip(prefix) => {
                Body::Prefix(v1::IpPrefix { ip: ip_bytes(prefix.ip()), bits: prefix.prefix().into() })
            }
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<v1::FlowParty> for FlowParty {
    type Error = Invalid;

    fn try_from(it: v1::FlowParty) -> Result<Self, Invalid> {
        use v1::flow_party::Body;
        match required("body", it.body)? {
            Body::Mac(value) => mac("mac", &value).map(Self::Mac),
            Body::Prefix(value) => {
                let address = ip("prefix.ip", &value.ip)?;
                let most: u8 = if address.is_ipv4() { 32 } else { 128 };
                let bits = narrow::<u8>("prefix.bits", range("prefix.bits", value.bits, 0, most.into())?)?;
                let invalid = |_| Invalid::new("prefix.bits", Problem::Malformed("no length of a prefix".to_owned()));
                IpNetwork::new(address, bits).map(Self::Ip).map_err(invalid)
            }
        }
    }
}

/// Returns the application that is asked for. One that is not known must not be taken for any.
fn wanted_application(number: u32) -> Result<Option<Application>, Invalid> {
    let value = || i32::try_from(number).unwrap_or(i32::MAX);
    match number {
        0 => Ok(None),
        _ => known_application(number)
            .map(Some)
            .ok_or_else(|| Invalid::new("application", Problem::Unknown { value: value() })),
    }
}

impl From<&FlowCursor> for v1::FlowCursor {
    fn from(it: &FlowCursor) -> Self {
        Self { log: it.log, end_ms: it.end.unix_ms(), number: it.number }
    }
}

fn cursor(it: v1::FlowCursor) -> Result<FlowCursor, Invalid> {
    Ok(FlowCursor { log: it.log, end: time("end_ms", it.end_ms)?, number: it.number })
}

// ---- the page -------------------------------------------------------------------------------------------------------

/// Things that are told once, each by its place.
struct Told<T> {
    places: HashMap<T, u32>,
    order: Vec<T>,
}

impl<T: Clone + Eq + Hash> Told<T> {
    fn new() -> Self {
        Self { places: HashMap::new(), order: Vec::new() }
    }

    fn place(&mut self, it: &T) -> u32 {
        if let Some(place) = self.places.get(it) {
            return *place;
        }
        let place = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.places.insert(it.clone(), place);
        self.order.push(it.clone());
        place
    }
}

impl Told<String> {
    /// Returns the place of a text from 1; 0 stands for none.
    fn text(&mut self, text: &str) -> u32 {
        if text.is_empty() { 0 } else { self.place(&text.to_owned()).saturating_add(1) }
    }
}

impl From<&FlowPage> for v1::FlowPage {
    fn from(it: &FlowPage) -> Self {
        let (mut parties, mut texts) = (Told::<(IpAddr, Option<MacAddr>)>::new(), Told::<String>::new());
        let mut page = Self {
            next: it.next.as_ref().map(Into::into),
            ended: u32::from(it.ended.number()),
            kept_from_ms: it.kept_from.map(Timestamp::unix_ms),
            days: it.days,
            missing: it.missing.iter().map(Into::into).collect(),
            ..Self::default()
        };
        let mut before = 0;
        for flow in &it.flows {
            let party = |end: &FlowEnd| (end.ip, end.mac);
            page.originators.push(parties.place(&party(&flow.originator)));
            page.responders.push(parties.place(&party(&flow.responder)));
            page.interfaces.push(texts.text(flow.interface.as_ref().map_or("", Scope::as_str)));
            page.names.push(texts.text(&flow.name));
            page.histories.push(texts.text(flow.tcp.as_ref().map_or("", |tcp| &tcp.history)));
            let end = flow.end.unix_ms();
            page.ends_ms.push(end.wrapping_sub(before));
            before = end;
            push_numbers(&mut page, flow);
        }
        page.parties = parties.order.iter().map(|(ip, mac)| party_to_wire(*ip, *mac)).collect();
        page.texts = texts.order;
        omit_zeros(&mut page);
        page
    }
}

fn party_to_wire(ip: IpAddr, mac: Option<MacAddr>) -> v1::FlowEnd {
    v1::FlowEnd { ip: ip_bytes(ip), mac: mac.map(|mac| mac.0.to_vec()).unwrap_or_default() }
}

fn push_numbers(page: &mut v1::FlowPage, flow: &Flow) {
    let tcp = flow.tcp.as_ref();
    page.originator_ports.push(flow.originator.port.into());
    page.responder_ports.push(flow.responder.port.into());
    page.protocols.push(flow.protocol.into());
    page.vlans.push(flow.vlan.unwrap_or(0).into());
    page.packets_out.push(flow.packets_out);
    page.packets_in.push(flow.packets_in);
    page.bytes_out.push(flow.bytes_out);
    page.bytes_in.push(flow.bytes_in);
    page.durations_ms.push(u64::try_from(flow.end.ms_since(flow.start)).unwrap_or(0));
    page.applications.push(flow.application.map_or(0, |application| application.number().into()));
    page.by_payload.push(flow.by_payload);
    page.tcp_states.push(tcp.map_or(0, |tcp| tcp.state.number().into()));
    page.retransmissions_out.push(tcp.map_or(0, |tcp| tcp.retransmissions_out));
    page.retransmissions_in.push(tcp.map_or(0, |tcp| tcp.retransmissions_in));
    page.handshakes_us.push(tcp.and_then(|tcp| tcp.handshake_us).map_or(0, |us| us.saturating_add(1)));
}

/// Takes out the columns of which every value is 0.
fn omit_zeros(page: &mut v1::FlowPage) {
    fn omit<T: Default + PartialEq>(columns: &mut [&mut Vec<T>]) {
        for column in columns {
            if column.iter().all(|value| *value == T::default()) {
                column.clear();
            }
        }
    }
    omit(&mut [
        &mut page.originators,
        &mut page.responders,
        &mut page.originator_ports,
        &mut page.responder_ports,
        &mut page.protocols,
        &mut page.vlans,
        &mut page.applications,
        &mut page.names,
        &mut page.interfaces,
        &mut page.tcp_states,
        &mut page.histories,
    ]);
    omit(&mut [
        &mut page.packets_out,
        &mut page.packets_in,
        &mut page.bytes_out,
        &mut page.bytes_in,
        &mut page.durations_ms,
        &mut page.retransmissions_out,
        &mut page.retransmissions_in,
        &mut page.handshakes_us,
    ]);
    omit(&mut [&mut page.by_payload]);
}

impl TryFrom<v1::FlowPage> for FlowPage {
    type Error = Invalid;

    fn try_from(it: v1::FlowPage) -> Result<Self, Invalid> {
        check::length("page", it.encoded_len(), limits::PAGE_BYTES)?;
        count("ends_ms", it.ends_ms.len(), limits::PAGE_FLOWS)?;
        count("missing", it.missing.len(), limits::PAGE_MISSING)?;
        count("parties", it.parties.len(), 2 * limits::PAGE_FLOWS)?;
        count("texts", it.texts.len(), 3 * limits::PAGE_FLOWS)?;
        check_columns(&it)?;
        let party = |(at, it): (usize, &v1::FlowEnd)| party_of(it).map_err(|e| e.within_element("parties", at));
        let parties = it.parties.iter().enumerate().map(party).collect::<Result<Vec<_>, _>>()?;
        let ended = u8::try_from(it.ended).ok().and_then(FlowPageEnd::numbered);
        let missing =
            |(at, it): (usize, &v1::FlowsMissing)| missing_of(it).map_err(|e| e.within_element("missing", at));
        let mut flows = Vec::with_capacity(it.ends_ms.len());
        let mut end_ms: i64 = 0;
        for (at, step) in it.ends_ms.iter().enumerate() {
            end_ms = end_ms.wrapping_add(*step);
            flows.push(flow(&it, at, end_ms, &parties)?);
        }
        Ok(Self {
            flows,
            next: it.next.map(cursor).transpose().map_err(|e| e.within("next"))?,
            ended: ended.ok_or_else(|| unknown("ended", it.ended))?,
            kept_from: it.kept_from_ms.map(|ms| time("kept_from_ms", ms)).transpose()?,
            days: it.days,
            missing: it.missing.iter().enumerate().map(missing).collect::<Result<_, _>>()?,
        })
    }
}

/// Checks that each column is as long as the table, or absent.
fn check_columns(it: &v1::FlowPage) -> Result<(), Invalid> {
    let columns = [
        ("originators", it.originators.len()),
        ("responders", it.responders.len()),
        ("originator_ports", it.originator_ports.len()),
        ("responder_ports", it.responder_ports.len()),
        ("protocols", it.protocols.len()),
        ("vlans", it.vlans.len()),
        ("packets_out", it.packets_out.len()),
        ("packets_in", it.packets_in.len()),
        ("bytes_out", it.bytes_out.len()),
        ("bytes_in", it.bytes_in.len()),
        ("durations_ms", it.durations_ms.len()),
        ("applications", it.applications.len()),
        ("by_payload", it.by_payload.len()),
        ("names", it.names.len()),
        ("interfaces", it.interfaces.len()),
        ("tcp_states", it.tcp_states.len()),
        ("histories", it.histories.len()),
        ("retransmissions_out", it.retransmissions_out.len()),
        ("retransmissions_in", it.retransmissions_in.len()),
        ("handshakes_us", it.handshakes_us.len()),
    ];
    let rows = it.ends_ms.len();
    match columns.into_iter().find(|(_, length)| *length != 0 && *length != rows) {
        None => Ok(()),
        Some((name, length)) => {
            let problem = format!("it has {length} values, the table has {rows} rows");
            Err(Invalid::new(name, Problem::Malformed(problem)))
        }
    }
}

/// Returns the flow of one row that ended at `end_ms`.
fn flow(it: &v1::FlowPage, at: usize, end_ms: i64, parties: &[(IpAddr, Option<MacAddr>)]) -> Result<Flow, Invalid> {
    let named = |field: &str, problem: Invalid| Invalid { field: format!("{field}[{at}]"), ..problem };
    let u16_of = |field: &str, column: &[u32]| narrow::<u16>("", value(column, at)).map_err(|e| named(field, e));
    let end_of = |(field, places): (&str, &[u32]), (port, ports): (&str, &[u32])| {
        let place = value(places, at);
        let party = usize::try_from(place).ok().and_then(|place| parties.get(place));
        let (ip, mac) = *party.ok_or_else(|| named(field, nowhere(place)))?;
        Ok::<_, Invalid>(FlowEnd { ip, mac, port: u16_of(port, ports)? })
    };
    let text_of = |field: &str, column: &[u32], limit: usize| {
        told_text(&it.texts, value(column, at), limit).map_err(|e| named(field, e))
    };
    let end = time("", end_ms).map_err(|e| named("ends_ms", e))?;
    let duration = check::age("", value(&it.durations_ms, at)).map_err(|e| named("durations_ms", e))?;
    let interface = text_of("interfaces", &it.interfaces, limits::SCOPE_BYTES)?;
    Ok(Flow {
        protocol: narrow("", value(&it.protocols, at)).map_err(|e| named("protocols", e))?,
        originator: end_of(("originators", &it.originators), ("originator_ports", &it.originator_ports))?,
        responder: end_of(("responders", &it.responders), ("responder_ports", &it.responder_ports))?,
        vlan: Some(u16_of("vlans", &it.vlans)?).filter(|vlan| *vlan != 0),
        packets_out: value(&it.packets_out, at),
        packets_in: value(&it.packets_in, at),
        bytes_out: value(&it.bytes_out, at),
        bytes_in: value(&it.bytes_in, at),
        start: end.plus_ms(-duration),
        end,
        application: known_application(value(&it.applications, at)),
        by_payload: value(&it.by_payload, at),
        name: text_of("names", &it.names, limits::NAME_BYTES)?,
        tcp: tcp(it, at).map_err(|(field, e)| named(field, e))?,
        interface: (!interface.is_empty()).then(|| Scope::new(&interface)),
    })
}

fn tcp(it: &v1::FlowPage, at: usize) -> Result<Option<TcpFlow>, (&'static str, Invalid)> {
    let number = value(&it.tcp_states, at);
    if number == 0 {
        return Ok(None);
    }
    let state = u8::try_from(number).ok().and_then(TcpState::numbered);
    let history = told_text(&it.texts, value(&it.histories, at), limits::TCP_HISTORY_BYTES);
    Ok(Some(TcpFlow {
        state: state.ok_or_else(|| ("tcp_states", unknown("", number)))?,
        history: history.map_err(|e| ("histories", e))?,
        retransmissions_out: value(&it.retransmissions_out, at),
        retransmissions_in: value(&it.retransmissions_in, at),
        handshake_us: value(&it.handshakes_us, at).checked_sub(1),
    }))
}

/// Returns the text at a place that counts from 1; 0 is the empty one.
fn told_text(texts: &[String], place: u32, limit: usize) -> Result<String, Invalid> {
    let Some(index) = place.checked_sub(1) else { return Ok(String::new()) };
    let text = usize::try_from(index).ok().and_then(|index| texts.get(index)).ok_or_else(|| nowhere(place))?;
    check::length("", text.len(), limit)?;
    Ok(text.clone())
}

fn party_of(it: &v1::FlowEnd) -> Result<(IpAddr, Option<MacAddr>), Invalid> {
    Ok((ip("ip", &it.ip)?, optional_mac("mac", &it.mac)?))
}

impl From<&FlowsMissing> for v1::FlowsMissing {
    fn from(it: &FlowsMissing) -> Self {
        Self {
            reason: it.reason.number().into(),
            from_ms: it.from.unix_ms(),
            until_ms: it.until.unix_ms(),
            flows: it.flows,
        }
    }
}

fn missing_of(it: &v1::FlowsMissing) -> Result<FlowsMissing, Invalid> {
    let reason = u8::try_from(it.reason).ok().and_then(FlowsMissingReason::numbered);
    Ok(FlowsMissing {
        reason: reason.ok_or_else(|| unknown("reason", it.reason))?,
        from: time("from_ms", it.from_ms)?,
        until: time("until_ms", it.until_ms)?,
        flows: it.flows,
    })
}

/// Returns the value of a row in a column; what an absent column says is 0.
fn value<T: Copy + Default>(column: &[T], at: usize) -> T {
    column.get(at).copied().unwrap_or_default()
}

fn time(field: &str, ms: i64) -> Result<Timestamp, Invalid> {
    range(field, ms, -limits::LAST_WALL_MS, limits::LAST_WALL_MS).map(Timestamp::from_unix_ms)
}

fn narrow<T: TryFrom<u32> + TryInto<u32>>(field: &str, value: u32) -> Result<T, Invalid> {
    let most = if size_of::<T>() == 1 { u32::from(u8::MAX) } else { u32::from(u16::MAX) };
    let problem = || Problem::OutOfRange { value: value.into(), least: 0, most: most.into() };
    T::try_from(value).map_err(|_| Invalid::new(field, problem()))
}

fn unknown(field: &str, number: u32) -> Invalid {
    Invalid::new(field, Problem::Unknown { value: i32::try_from(number).unwrap_or(i32::MAX) })
}

fn nowhere(place: u32) -> Invalid {
    Invalid::new("", Problem::Malformed(format!("{place} is not the place of anything that the page tells")))
}
