//! What the log promises, held against lists of flows.

use std::path::Path;

use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    fact::Scope,
    flow::{Flow, FlowCursor, FlowEnd, FlowPage, FlowPageEnd, FlowParty, FlowQuery, TcpFlow, TcpState},
};
use tempfile::TempDir;

use super::{
    FlowLogConfig, FlowLogError, Go, PageLimits, everything, page,
    writer::{Shape, Writer},
};

mod damage;
mod format;
mod model;
mod pages;
mod seeds;
mod thread;

/// The end of the first flow of a test: some day in 2026.
const BEGUN_MS: i64 = 1_790_000_000_000;
/// Flows of a block in tests.
const BLOCK: usize = 16;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(BEGUN_MS + ms)
}

/// Returns a flow that ends so many milliseconds after the first, of one of 40 hosts, told apart from others by its bytes.
fn flow(number: u64, end_ms: i64) -> Flow {
    let host = u8::try_from(number * 7 % 40).unwrap();
    let is_tcp = !number.is_multiple_of(3);
    let end = |last: u8, port: u16| FlowEnd {
        ip: [10, 0, last / 8, last].into(),
        port,
        mac: (last != 9).then_some(MacAddr([2, 0, 0, 0, 0, last])),
    };
    Flow {
        protocol: if is_tcp { 6 } else { 17 },
        originator: end(host, 40_000 + u16::try_from(number % 20_000).unwrap()),
        responder: end(u8::try_from(100 + number % 5).unwrap(), if is_tcp { 443 } else { 53 }),
        vlan: number.is_multiple_of(11).then_some(7),
        packets_out: number % 9,
        packets_in: number % 4,
        bytes_out: number,
        bytes_in: number * 31 % 5_000,
        start: at(end_ms - i64::try_from(number % 700).unwrap()),
        end: at(end_ms),
        application: [Some(Application::Dns), Some(Application::Tls), None][usize::try_from(number % 3).unwrap()],
        by_payload: number.is_multiple_of(2),
        name: if number.is_multiple_of(4) { String::new() } else { format!("host{}.example", number % 13) },
        tcp: is_tcp.then(|| TcpFlow {
            state: TcpState::ALL[usize::try_from(number % 13).unwrap()],
            history: "ShADadFf"[..usize::try_from(number % 9).unwrap()].to_owned(),
            retransmissions_out: number % 2,
            retransmissions_in: number % 5,
            handshake_us: (!number.is_multiple_of(6)).then_some(number * 17 % 90_000),
        }),
        interface: Some(Scope::new(if number.is_multiple_of(2) { "eth0" } else { "eth1" })),
    }
}

/// Returns flows of these numbers, a tenth of a second apart, but not in order: as a flow table lets go of them.
fn flows(numbers: std::ops::Range<u64>) -> Vec<Flow> {
    let late = |number: u64| if number.is_multiple_of(5) { 900 } else { 0 };
    numbers.map(|number| flow(number, i64::try_from(number * 100).unwrap() - late(number))).collect()
}

fn config(folder: &Path) -> FlowLogConfig {
    FlowLogConfig { folder: folder.join("flows"), bytes_max: 1 << 30, age_max_ms: 190 * 86_400_000, spool: None }
}

fn shape() -> Shape {
    Shape { block_flows: BLOCK, segment_bytes: 8 << 10, free_bytes: |_| u64::MAX }
}

/// Opens the log as run number `run` of the agent.
fn open(folder: &TempDir, run: u64, now_ms: i64) -> Writer {
    Writer::open_shaped(config(folder.path()), shape(), [77, run], at(now_ms)).unwrap()
}

fn all() -> FlowQuery {
    everything(Timestamp::from_unix_ms(0), at(1 << 50))
}

fn page_of(folder: &TempDir, query: &FlowQuery, after: Option<FlowCursor>, flows: usize) -> FlowPage {
    let limits = PageLimits { flows, fits: &|_| true, go: &|| Go::On };
    page(&folder.path().join("flows"), query, after, &limits).unwrap()
}

/// Reads page by page to the end.
fn found(folder: &TempDir, query: &FlowQuery, a_page: usize) -> Vec<Flow> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = page_of(folder, query, after, a_page);
        assert!(page.flows.len() <= a_page);
        found.extend(page.flows);
        after = page.next;
        if after.is_none() {
            assert_eq!(page.ended, FlowPageEnd::All);
            return found;
        }
    }
}

/// Returns the flows as a page has them: by end, the latest first, and of the same end those that were logged last.
fn latest_first(flows: &[Flow], query: &FlowQuery) -> Vec<Flow> {
    let mut wanted: Vec<(usize, &Flow)> = flows.iter().enumerate().filter(|(_, flow)| query.wants(flow)).collect();
    wanted.sort_by_key(|(place, flow)| std::cmp::Reverse((flow.end, *place)));
    wanted.into_iter().map(|(_, flow)| flow.clone()).collect()
}

/// Returns the files of a log with this extension, in order.
fn files(folder: &TempDir, extension: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder.path().join("flows")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    files.sort();
    files
}
