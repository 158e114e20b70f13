//! Hours of measurements that agents could not tell of one by one: as many as they would have.

use onenet_topology::{
    AgentId, Timestamp,
    device::Device,
    fact::{DeviceSample, HistoryBody, HistoryItem, InterfaceSample, Scope},
};
use onenetd::{
    estate::{Change, Estate, SampleBlock, SiteState},
    store::{Store, StoreError},
};

/// Ports of a device whose counters agents tell.
const PORTS: usize = 12;
const MINUTE_MS: i64 = 60_000;

/// Writes the samples of so many hours before `until`: each minute the counters of every device's ports, and how it answered. Returns how many.
pub(crate) fn fill(store: &Store, estate: &Estate, hours: i64, until: Timestamp) -> Result<usize, StoreError> {
    let at = |time| Change::Position { position: estate.position, time };
    let mut written = 0;
    for minute in (1..=hours * 60).rev() {
        let time = until.plus_ms(-minute * MINUTE_MS);
        let mut changes: Vec<Change> =
            estate.sites.values().map(|state| Change::Samples(block(estate, state, time, minute))).collect();
        written +=
            changes.iter().map(|it| if let Change::Samples(block) = it { block.items.len() } else { 0 }).sum::<usize>();
        changes.push(at(time));
        store.commit(&changes)?;
    }
    store.commit(&[at(estate.time)])?;
    Ok(written)
}

fn block(estate: &Estate, state: &SiteState, time: Timestamp, minute: i64) -> SampleBlock {
    let agent = state.devices.values().flat_map(|device| &device.handles).map(|handle| handle.agent).next();
    SampleBlock {
        position: estate.position,
        site: state.id,
        agent: agent.unwrap_or_else(|| AgentId::from_raw(1)),
        sequence: minute.unsigned_abs(),
        items: state.devices.values().flat_map(|device| samples(device, time, minute.unsigned_abs())).collect(),
        shift_ms: 0,
        uncertain: false,
    }
}

fn samples(device: &Device, time: Timestamp, minute: u64) -> Vec<HistoryItem> {
    let scope = device.handles.first().map_or_else(|| Scope::new(""), |handle| handle.scope.clone());
    let item = |body| HistoryItem { time, scope: scope.clone(), body };
    let ports = device.interfaces.iter().take(PORTS).enumerate().map(|(number, port)| {
        // Grows by another amount at each port, so that files pack as those of real counters do.
        let octets = (1 << 40) - minute * (1_000_003 + 7_919 * number as u64 + device.id.raw() % 65_537);
        item(HistoryBody::Interface(InterfaceSample {
            name: port.said.name.clone(),
            in_octets: Some(octets),
            out_octets: Some(octets / 5),
            in_errors: Some(0),
            out_errors: Some(0),
            in_discards: Some(0),
            out_discards: Some(0),
            in_packets: Some(octets / 700),
            out_packets: Some(octets / 1_200),
        }))
    });
    let answered = DeviceSample {
        uptime_ms: Some((1 << 40) - minute * 60_000),
        round_trip_us: Some(900 + (minute * 7_919 + device.id.raw()) % 700),
        requests: 29,
        requests_lost: 0,
    };
    ports.chain([item(HistoryBody::Device(answered))]).collect()
}
