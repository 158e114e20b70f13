use onenet_topology::{
    fact::ConditionKind,
    flow::{FlowParty, FlowQuery},
};

use super::*;
use crate::status::{AskedFlows, CentreStatus, ConfigurationStatus, FORMAT, SpoolSummary, TableStatus};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_420_800_000 + seconds * 1_000)
}

fn device(name: &str, reach: Option<ReachState>, detail: &str) -> DeviceStatus {
    DeviceStatus {
        name: name.to_owned(),
        target: "192.0.2.1:161".to_owned(),
        reach,
        detail: detail.to_owned(),
        since: reach.map(|_| at(-120)),
        last_cycle: reach.map(|_| at(-20)),
        last_cycle_ms: reach.map(|_| 340),
        late_cycles: 0,
        slowed: 1,
        tables: vec![TableStatus { table: "interfaces".to_owned(), rows: 28, dropped: 0, read: at(-20) }],
    }
}

fn asked(flows: u64, error: Option<&str>) -> AskedFlows {
    AskedFlows {
        principal: "li".to_owned(),
        reason: "通报 2026-17 核查".to_owned(),
        time: at(-3_600),
        until: at(-3_500),
        query: FlowQuery {
            from: at(-90_000),
            until: at(-3_600),
            endpoint: Some(FlowParty::Mac("00:1b:21:3c:4d:03".parse().unwrap())),
            peer: Some(FlowParty::Ip("10.1.2.0/24".parse().unwrap())),
            port: Some(443),
            protocol: Some(6),
            application: Some(onenet_topology::application::Application::Tls),
            limit: 100,
        },
        pages: 2,
        flows,
        error: error.map(str::to_owned),
    }
}

fn switched_off() -> InterfaceStatus {
    InterfaceStatus {
        name: "eth1".to_owned(),
        listening: false,
        since: at(-60),
        error: Some("interface eth1 was switched off".to_owned()),
        frames: 1_000,
        frames_dropped: 2,
        frames_cut: 0,
        undecoded: [("ipv4_short".to_owned(), 3), ("vlan_short".to_owned(), 40)].into(),
        octets: 640_000,
        tcp_octets: 400_000,
        tcp_octets_missed: 500,
        flows_lost: 0,
        endpoints_evicted: 0,
        flows_evicted: 0,
        flows_evicted_over_share: 0,
        endpoints: 17,
    }
}

fn in_trouble() -> Status {
    Status {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        written: at(0),
        every_s: 5,
        started: at(-90_000),
        stopped: None,
        pid: 1,
        agent: "agent-1".to_owned(),
        site: "site-1".to_owned(),
        site_name: Some("清河县".to_owned()),
        centre: CentreStatus {
            address: "centre.example:7443".to_owned(),
            connected: false,
            since: at(-7_300),
            error: Some("nothing listens there".to_owned()),
            clock_ahead_ms: Some(10_800_000),
            sent_bytes: [("state".to_owned(), 12_345)].into(),
        },
        configuration: ConfigurationStatus { revision: 7, on_trial: true },
        spool: SpoolSummary {
            state_waiting: 3,
            history_batches: 120,
            history_bytes: 512 << 10,
            disk_bytes: 3 << 20,
            lost_items: 9,
            ..SpoolSummary::default()
        },
        devices_total: 3,
        devices: vec![
            device("core", Some(ReachState::Refusing), "the community is wrong"),
            device("access-2", None, ""),
            device("access-1", Some(ReachState::Answering), "answers SNMPv2c"),
        ],
        probes: Vec::new(),
        reflector: None,
        captures_asked: Vec::new(),
        flows_asked: vec![asked(120, None), asked(0, Some("the flow log cannot be read"))],
        traps: None,
        flow_log: Some(crate::status::FlowLogStatus {
            flows: 1_200_000,
            bytes: 18 << 20,
            kept_from: Some(at(-3 * 86_400)),
            days: 3,
            days_max: 190,
            shortened: true,
            logged: 900_000,
            lost_busy: 5,
            lost_disk: 2,
            disk_full: false,
        }),
        interfaces: vec![switched_off()],
        interfaces_auto: false,
        conditions: vec![ConditionStatus {
            kind: ConditionKind::CaptureFailed,
            subject: "eth1".to_owned(),
            detail: "interface eth1 was switched off".to_owned(),
            since: at(-60),
        }],
    }
}

fn assert_golden(name: &str, actual: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/status").join(name);
    if std::env::var_os("ONENET_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
    }
    assert_eq!(actual, std::fs::read_to_string(&path).unwrap(), "{name}");
}

#[test]
fn a_site_in_trouble_is_told_what_is_wrong_and_what_to_do_in_both_languages() {
    assert_golden("trouble.en.txt", &status(&in_trouble(), &Liveness::Running, Language::En));
    assert_golden("trouble.zh.txt", &status(&in_trouble(), &Liveness::Running, Language::Zh));
}

#[test]
fn an_old_file_means_that_the_agent_does_not_run_and_a_last_one_that_it_was_stopped() {
    let status = in_trouble();
    assert_eq!(status.liveness(24_000), Liveness::Running);
    assert_eq!(status.liveness(26_000), Liveness::Stale { age_s: 26 });
    let stopped = Status { stopped: Some(at(0)), ..status };
    assert_eq!(stopped.liveness(0), Liveness::Stopped);
    assert!(not_running(&Liveness::Stale { age_s: 4_000 }, Language::Zh).contains("1 小时 6 分"));
}

#[test]
fn the_document_is_read_back_as_it_was_written() {
    let data = tempfile::tempdir().unwrap();
    in_trouble().write(data.path()).unwrap();
    let (read, _) = Status::read(data.path(), at(0)).unwrap();
    assert_eq!(read, in_trouble());
    let missing = Status::read(&data.path().join("elsewhere"), at(0)).unwrap_err().to_string();
    assert!(missing.contains("no agent has run there yet"), "{missing}");
}

/// Collects the names of all fields in a JSON value.
fn fields(value: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                into.insert(name.clone());
                fields(value, into);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| fields(item, into)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_document_is_in_the_readme() {
    let readme = include_str!("../../../README.md");
    let contract = readme.split("## `status --json`").nth(1).unwrap();
    let stopped = Status { stopped: Some(at(0)), ..in_trouble() };
    let mut names = std::collections::BTreeSet::new();
    fields(&serde_json::to_value(stopped).unwrap(), &mut names);
    let undocumented: Vec<_> = names.iter().filter(|name| !contract.contains(&format!("`{name}`"))).collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
}

#[test]
fn a_box_whose_cable_is_out_is_never_told_that_nothing_is_wrong() {
    let mut told = in_trouble();
    told.conditions.clear();
    told.interfaces.clear();
    told.interfaces_auto = true;
    let text = status(&told, &Liveness::Running, Language::Zh);
    for word in
        ["没有启用的网口", "需要处理", "与中心未连接", "本机时间不准", "没有可监听的网口", "设备无应答或拒绝：core"]
    {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    assert!(!text.contains("没有发现问题") && !text.contains("在 [capture]"), "{text}");
    let quiet = Status {
        centre: CentreStatus { connected: true, clock_ahead_ms: None, ..told.centre.clone() },
        devices: Vec::new(),
        interfaces_auto: false,
        ..told
    };
    assert!(status(&quiet, &Liveness::Running, Language::Zh).contains("没有发现问题"));
}
