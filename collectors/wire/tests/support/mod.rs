//! Strategies for every domain type that crosses the wire. What they make is in the form that the wire knows.

use std::net::IpAddr;

use onenet_topology::{
    AgentId, DrillId, MacAddr, Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, ProbeTest, Role, SensorKind,
    SensorState, SiteId, Timestamp, VlanSet,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, DetectionSample, DetectorSample},
    classify::{Claim, Concluded, Conclusion, DeviceClass, Ground, Name, OsFamily, SignKind},
    fact::{
        Address, Aggregation, Anchor, ApplicationSample, Binding, CaptureSample, Classification, Condition,
        ConditionKind, DeviceSample, Entity, Event, EventKind, Fact, FactBody, FactChange, FlowTotals, Forwarding,
        ForwardingStatus, Group, HistoryBody, HistoryItem, Host, Identification, Interface, InterfaceSample,
        InterfaceStatus, Method, Neighbour, NeighbourProtocol, NextHop, OwnAddress, PortVlans, Quirk, Reach,
        ReachState, Scope, Sensor, SensorSample, Sighting, SpanningTree, SpanningTreePort, SpanningTreeState, Station,
        System, TrafficSample, Vlan,
    },
    incident::Severity,
};
use onenet_wire::{
    Acknowledgement, AgentMessage, Asker, Batch, CaptureQuery, CentreMessage, Clocks, Content, Digest, Done,
    DrillOrder, GroupChanges, GroupDigest, Heartbeat, Hello, Instruction, InstructionBody, InstructionResult, KeyRange,
    Lane, MeasureQuery, Position, Query, Rejection, RejectionReason, Welcome,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

pub(crate) mod flow;

/// When every batch is closed, and about when facts were observed.
const CLOSED_MS: i64 = 1_795_420_800_000;

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
}

fn mac() -> impl Strategy<Value = MacAddr> {
    any::<[u8; 6]>().prop_map(MacAddr)
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

fn vlan() -> impl Strategy<Value = Option<u16>> {
    option::of(1..=u16::MAX)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..604_800_000_i64).prop_map(|age| Timestamp::from_unix_ms(CLOSED_MS - age))
}

fn status() -> impl Strategy<Value = InterfaceStatus> {
    use InterfaceStatus as S;
    select(vec![S::Up, S::Down, S::Testing, S::Unknown, S::Dormant, S::NotPresent, S::LowerLayerDown])
}

fn protocol() -> impl Strategy<Value = NeighbourProtocol> {
    select(vec![NeighbourProtocol::Lldp, NeighbourProtocol::Cdp])
}

fn condition_kind() -> impl Strategy<Value = ConditionKind> {
    use ConditionKind as K;
    select(vec![
        K::CaptureFailed,
        K::CaptureLoss,
        K::SpoolLoss,
        K::DiskFull,
        K::ConfigurationRefused,
        K::CycleLate,
        K::TableFull,
        K::TableUnreadable,
        K::BatchRejected,
        K::DeviceSlow,
        K::TrapsFailed,
        K::DiscoveryFailed,
        K::RightsKept,
        K::CaptureDiffers,
        K::CaptureGaps,
        K::FlowsLost,
    ])
}

fn event_kind() -> impl Strategy<Value = EventKind> {
    use EventKind as K;
    select(vec![
        K::LinkUp,
        K::LinkDown,
        K::DeviceRestarted,
        K::CountersJumpedBack,
        K::HistoryLost,
        K::ConfigurationApplied,
        K::ConfigurationRolledBack,
        K::AgentStarted,
        K::AuthenticationFailed,
        K::NeighboursChanged,
        K::TrapReceived,
        K::DeviceDiscovered,
    ])
}

fn device_fact() -> impl Strategy<Value = FactBody> {
    let reach = select(vec![ReachState::Answering, ReachState::Silent, ReachState::Refusing]);
    let reach = (reach, text(), text()).prop_map(|(state, detail, target)| Reach { state, detail, target });
    let system = (text(), text(), text(), text(), text(), option::of(mac()), bytes(), text()).prop_map(
        |(name, description, object_id, contact, location, bridge_mac, engine_id, chassis_id)| System {
            name,
            description,
            object_id,
            contact,
            location,
            bridge_mac,
            engine_id,
            chassis_id,
        },
    );
    let interface =
        (text(), any::<u32>(), text(), any::<u32>(), option::of(mac()), any::<[Option<u64>; 3]>(), status(), status())
            .prop_map(|(name, if_index, alias, if_type, mac, [speed_bps, duplex, changed], admin, oper)| Interface {
                name,
                if_index,
                alias,
                if_type,
                mac,
                speed_bps,
                full_duplex: duplex.map(|number| number % 2 == 1),
                last_change_s: changed.and_then(|number| u32::try_from(number >> 32).ok()),
                admin,
                oper,
            });
    let entity = (any::<u32>(), any::<u32>(), text(), text(), text(), text(), text()).prop_map(
        |(index, class, name, description, serial, model, software_revision)| Entity {
            index,
            class,
            name,
            description,
            serial,
            model,
            software_revision,
        },
    );
    prop_oneof![
        reach.prop_map(FactBody::Reach),
        system.prop_map(Box::new).prop_map(FactBody::System),
        interface.prop_map(FactBody::Interface),
        entity.prop_map(Box::new).prop_map(FactBody::Entity),
    ]
}

fn table_fact() -> impl Strategy<Value = FactBody> {
    use ForwardingStatus as S;
    let rows = select(vec![S::Other, S::Invalid, S::Learned, S::Own, S::Mgmt]);
    let forwarding = (mac(), vlan(), option::of("\\PC{1,12}"), any::<u32>(), rows).prop_map(
        |(mac, vlan, interface, bridge_port, status)| Forwarding { mac, vlan, interface, bridge_port, status },
    );
    let address = (ip(), text(), mac()).prop_map(|(ip, interface, mac)| Address { ip, interface, mac });
    let neighbour = (protocol(), text(), text(), text(), text(), text(), text(), vec(ip(), 0..4), any::<u16>())
        .prop_map(
            |(
                protocol,
                local_interface,
                chassis_id,
                port_id,
                port_description,
                system_name,
                system_description,
                them,
                capabilities,
            )| {
                Neighbour {
                    protocol,
                    local_interface,
                    chassis_id,
                    port_id,
                    port_description,
                    system_name,
                    system_description,
                    management_addresses: them,
                    capabilities,
                }
            },
        );
    prop_oneof![
        forwarding.prop_map(FactBody::Forwarding),
        address.prop_map(FactBody::Address),
        neighbour.prop_map(Box::new).prop_map(FactBody::Neighbour),
    ]
}

fn passive_fact() -> impl Strategy<Value = FactBody> {
    let host = (mac(), text(), text(), bytes(), bytes()).prop_map(
        |(mac, hostname, vendor_class, parameter_list, client_id)| Host {
            mac,
            hostname,
            vendor_class,
            parameter_list,
            client_id,
        },
    );
    let condition =
        (condition_kind(), text(), text()).prop_map(|(kind, subject, detail)| Condition { kind, subject, detail });
    prop_oneof![
        (mac(), vlan()).prop_map(|(mac, vlan)| FactBody::Sighting(Sighting { mac, vlan })),
        (mac(), ip()).prop_map(|(mac, ip)| FactBody::Binding(Binding { mac, ip })),
        host.prop_map(Box::new).prop_map(FactBody::Host),
        condition.prop_map(FactBody::Condition),
    ]
}

fn recognised_fact() -> impl Strategy<Value = FactBody> {
    let role = option::of(select(Role::ALL.to_vec()));
    let identification =
        (text(), text(), text(), text(), text(), role).prop_map(|(vendor, model, os, version, serial, role)| {
            Identification { vendor, model, os, version, serial, role }
        });
    let sensor = (select(SensorKind::ALL.to_vec()), text(), option::of(select(SensorState::ALL.to_vec())))
        .prop_map(|(kind, name, state)| Sensor { kind, name, state });
    let station = (mac(), text(), text(), vlan()).prop_map(|(mac, access_point, ssid, vlan)| Station {
        mac,
        access_point,
        ssid,
        vlan,
    });
    prop_oneof![
        identification.prop_map(Box::new).prop_map(FactBody::Identification),
        sensor.prop_map(FactBody::Sensor),
        station.prop_map(FactBody::Station),
        (text(), text(), option::of(mac()), option::of(any::<u16>())).prop_map(
            |(member, aggregate, partner_system, partner_key)| {
                FactBody::Aggregation(Aggregation { member, aggregate, partner_system, partner_key })
            }
        ),
    ]
}

fn joining_fact() -> impl Strategy<Value = FactBody> {
    let tree = (mac(), any::<u16>(), option::of(any::<u64>()), text()).prop_map(
        |(root, root_priority, root_cost, root_port)| SpanningTree { root, root_priority, root_cost, root_port },
    );
    let port = (
        text(),
        any::<u32>(),
        option::of(select(SpanningTreeState::ALL.to_vec())),
        option::of(mac()),
        option::of(any::<u16>()),
    )
        .prop_map(|(interface, bridge_port, state, designated_bridge, designated_port)| SpanningTreePort {
            interface,
            bridge_port,
            state,
            designated_bridge,
            designated_port,
        });
    let hop = (ip(), text(), any::<bool>()).prop_map(|(ip, interface, default_route)| NextHop {
        ip,
        interface,
        default_route,
    });
    let anchor = (text(), mac(), vlan()).prop_map(|(interface, mac, vlan)| Anchor { interface, mac, vlan });
    prop_oneof![
        tree.prop_map(FactBody::SpanningTree),
        port.prop_map(FactBody::SpanningTreePort),
        hop.prop_map(FactBody::NextHop),
        anchor.prop_map(FactBody::Anchor),
    ]
}

fn network_fact() -> impl Strategy<Value = FactBody> {
    let set = || vec(1u16..=4094, 0..40).prop_map(|vlans| vlans.into_iter().collect::<VlanSet>());
    let ports = (text(), vlan(), set(), set()).prop_map(|(interface, native, tagged, untagged)| PortVlans {
        interface,
        native,
        tagged,
        untagged,
    });
    let own = (ip(), option::of(0u8..=128), text()).prop_map(|(ip, prefix_bits, interface)| OwnAddress {
        ip,
        prefix_bits,
        interface,
    });
    let quirk =
        (text(), text(), option::of(any::<u64>())).prop_map(|(word, table, count)| Quirk { word, table, count });
    prop_oneof![
        (1u16..=4094, text()).prop_map(|(vlan, name)| FactBody::Vlan(Vlan { vlan, name })),
        ports.prop_map(FactBody::PortVlans),
        own.prop_map(FactBody::OwnAddress),
        quirk.prop_map(FactBody::Quirk),
    ]
}

fn classification() -> impl Strategy<Value = FactBody> {
    let score = || 1..=99_u8;
    let kind = || select(SignKind::ALL);
    let class = (select(DeviceClass::ALL), score()).prop_map(|(is, score)| Concluded { is, score });
    let os = (select(OsFamily::ALL), score()).prop_map(|(is, score)| Concluded { is, score });
    let name = (text(), score(), vec(kind(), 0..4)).prop_map(|(name, score, kinds)| Name { name, score, kinds });
    let claim = prop_oneof![
        select(DeviceClass::ALL).prop_map(Claim::Class),
        select(OsFamily::ALL).prop_map(Claim::Os),
        Just(Claim::Shared),
    ];
    let ground = (kind(), text(), claim, 1..=100_u8).prop_map(|(kind, value, claim, points)| Ground {
        kind,
        value,
        claim,
        points,
    });
    let texts = (text(), text(), option::of(score()));
    (mac(), option::of(class), option::of(os), texts, vec(name, 0..4), vec(ground, 0..4)).prop_map(
        |(mac, class, os, (os_version, model, shared), names, grounds)| {
            let conclusion = Conclusion { class, os, os_version, model, shared, names, grounds };
            FactBody::Classification(Classification { mac, conclusion: conclusion.into() })
        },
    )
}

fn probe() -> impl Strategy<Value = FactBody> {
    let is = (select(&ProbeKind::ALL), select(&ProbeRole::ALL), select(&ProbeState::ALL));
    (text(), text(), is, text(), text()).prop_map(|(name, target, (kind, role, state), site, detail)| {
        FactBody::Probe(Box::new(Probe { name, target, kind, role, site, state, detail }))
    })
}

fn probe_sample() -> impl Strategy<Value = HistoryBody> {
    let ends = option::of(0..=onenet_wire::limits::LAST_WALL_MS);
    let rest = (any::<[Option<u32>; 2]>(), any::<[Option<u64>; 3]>(), select(ProbeTest::ALL.to_vec()), ends);
    (text(), any::<[u64; 5]>(), any::<[Option<u64>; 11]>(), rest).prop_map(
        |(name, [interval_ms, sent, lost, duplicated, reordered], [a, b, c, d, e, f, g, h, i, j, k], rest)| {
            let ([path_mtu, mos_centi], rates, test, ends) = rest;
            HistoryBody::Probe(ProbeSample {
                name,
                test,
                interval_ms,
                sent,
                lost: lost.min(sent),
                duplicated,
                reordered,
                round_trip_min_us: a,
                round_trip_median_us: b,
                round_trip_p95_us: c,
                round_trip_max_us: d,
                jitter_us: e,
                lost_out: f,
                lost_back: g,
                delay_out_us: h,
                delay_back_us: i,
                jitter_out_us: j,
                jitter_back_us: k,
                path_mtu,
                mos_centi,
                rate_sent_kbit: rates[0],
                rate_out_kbit: rates[1],
                rate_back_kbit: rates[2],
                certificate_ends_ms: ends,
            })
        },
    )
}

/// Any fact's body.
pub(crate) fn fact_body() -> impl Strategy<Value = FactBody> {
    prop_oneof![
        device_fact(),
        table_fact(),
        passive_fact(),
        recognised_fact(),
        network_fact(),
        joining_fact(),
        classification(),
        probe()
    ]
}

/// Any fact.
pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    (time(), fact_body()).prop_map(|(observed, body)| Fact { observed, body })
}

fn change() -> impl Strategy<Value = FactChange> {
    (fact(), any::<bool>()).prop_map(|(fact, gone)| {
        if gone {
            FactChange::Gone { key: fact.body.key(), observed: fact.observed }
        } else {
            FactChange::Present(fact)
        }
    })
}

/// Any group.
pub(crate) fn group() -> impl Strategy<Value = Group> {
    (select(Method::ALL.to_vec()), text()).prop_map(|(method, scope)| Group { method, scope: Scope::new(&scope) })
}

fn changes() -> impl Strategy<Value = GroupChanges> {
    let range = option::of((any::<u64>(), any::<u64>()));
    (group(), vec(change(), 0..6), range).prop_map(|(group, changes, range)| {
        let complete = range.map(|(a, b)| KeyRange { first: a.min(b), last: a.max(b) });
        GroupChanges { group, changes, complete }
    })
}

fn word() -> impl Strategy<Value = String> {
    "[a-z_]{0,20}"
}

fn anomaly() -> impl Strategy<Value = AnomalyReport> {
    let evidence = (word(), text()).prop_map(|(is, value)| AnomalyEvidence { is, value });
    let grade = select(Severity::ALL.to_vec());
    let drill = option::of((1..u64::MAX).prop_map(DrillId::from_raw));
    (word(), word(), grade, 0..=100_u8, 0..1_u64 << 40, any::<[u64; 2]>(), vec(evidence, 0..5), drill).prop_map(
        |(kind, subject, grade, confidence, lasted_ms, [count, run], evidence, drill)| AnomalyReport {
            key: AnomalyKey { kind, subject },
            grade,
            confidence,
            lasted_ms,
            count,
            run,
            evidence,
            drill,
        },
    )
}

fn detection() -> impl Strategy<Value = DetectionSample> {
    let detector = (word(), text(), option::of(any::<u64>()), any::<[u64; 3]>()).prop_map(
        |(kind, off, last_run_age_ms, [inputs, found, evicted])| DetectorSample {
            kind,
            off,
            last_run_age_ms,
            inputs,
            found,
            evicted,
        },
    );
    (vec(detector, 0..5), any::<u64>()).prop_map(|(detectors, dropped)| DetectionSample { detectors, dropped })
}

fn history_body() -> impl Strategy<Value = HistoryBody> {
    let interface = (text(), any::<[Option<u64>; 8]>()).prop_map(|(name, [a, b, c, d, e, f, g, h])| InterfaceSample {
        name,
        in_octets: a,
        out_octets: b,
        in_errors: c,
        out_errors: d,
        in_discards: e,
        out_discards: f,
        in_packets: g,
        out_packets: h,
    });
    let device = any::<(Option<u64>, Option<u64>, u64, u64)>().prop_map(
        |(uptime_ms, round_trip_us, requests, requests_lost)| DeviceSample {
            uptime_ms,
            round_trip_us,
            requests,
            requests_lost,
        },
    );
    let traffic = (mac(), any::<[u64; 5]>()).prop_map(|(mac, [a, b, c, d, e])| TrafficSample {
        mac,
        interval_ms: a,
        frames_out: b,
        bytes_out: c,
        frames_in: d,
        bytes_in: e,
    });
    let capture = (any::<[u64; 11]>(), prop::collection::btree_map("[a-z_]{0,32}", any::<u64>(), 0..4));
    let capture = capture.prop_map(|([a, b, c, d, e, f, g, h, i, j, k], undecoded)| CaptureSample {
        frames_seen: a,
        frames_dropped_by_kernel: b,
        frames_undecoded: c,
        endpoints_evicted: d,
        octets_seen: e,
        frames_cut: f,
        frames_merged: g,
        flows_evicted: h,
        tcp_octets: i,
        tcp_octets_missed: j,
        flows_lost: k,
        undecoded,
    });
    let event = (event_kind(), text(), text(), any::<u64>()).prop_map(|(kind, subject, detail, count)| Event {
        kind,
        subject,
        detail,
        count,
    });
    let sensor = (select(SensorKind::ALL.to_vec()), text(), any::<i64>())
        .prop_map(|(kind, name, value_milli)| SensorSample { kind, name, value_milli });
    let application = (option::of(mac()), flow::application(), any::<[u64; 7]>()).prop_map(
        |(mac, application, [interval_ms, flows_out, flows_in, packets_out, packets_in, bytes_out, bytes_in])| {
            let totals = FlowTotals { flows_out, flows_in, packets_out, packets_in, bytes_out, bytes_in };
            ApplicationSample { mac, application, interval_ms, totals }
        },
    );
    prop_oneof![
        interface.prop_map(HistoryBody::Interface),
        device.prop_map(HistoryBody::Device),
        traffic.prop_map(HistoryBody::Traffic),
        capture.prop_map(HistoryBody::Capture),
        event.prop_map(HistoryBody::Event),
        sensor.prop_map(HistoryBody::Sensor),
        application.prop_map(HistoryBody::Application),
        probe_sample(),
        anomaly().prop_map(HistoryBody::Anomaly),
        detection().prop_map(HistoryBody::Detection),
    ]
}

/// Any history item. Few scopes and moments, so that items share groups.
pub(crate) fn history_item() -> impl Strategy<Value = HistoryItem> {
    let scope = select(vec!["", "core", "access-1"]).prop_map(Scope::new);
    let time = prop_oneof![Just(Timestamp::from_unix_ms(CLOSED_MS - 60_000)), time()];
    (time, scope, history_body()).prop_map(|(time, scope, body)| HistoryItem { time, scope, body })
}

fn clocks() -> impl Strategy<Value = Clocks> {
    (any::<[u8; 16]>(), 0..1_u64 << 40).prop_map(|(boot_id, boot_ms)| Clocks { boot_id, boot_ms, wall_ms: CLOSED_MS })
}

fn position(lane: Lane) -> impl Strategy<Value = Position> {
    (any::<u64>(), 1..u64::MAX).prop_map(move |(epoch, sequence)| Position { lane, epoch, sequence })
}

fn positions() -> impl Strategy<Value = Vec<Position>> {
    (option::of(position(Lane::State)), option::of(position(Lane::History)))
        .prop_map(|(state, history)| state.into_iter().chain(history).collect())
}

/// Any batch.
pub(crate) fn batch() -> impl Strategy<Value = Batch> {
    let state = (position(Lane::State), vec(changes(), 1..5).prop_map(Content::State));
    let history = (position(Lane::History), vec(history_item(), 1..20).prop_map(Content::History));
    let content = prop_oneof![
        state.prop_map(|(position, content)| (position, content)),
        history.prop_map(|(position, content)| (position, content))
    ];
    (clocks(), content).prop_map(|(clocks, (position, content))| Batch { position, clocks, content })
}

/// Anything that an agent says.
pub(crate) fn agent_message() -> impl Strategy<Value = AgentMessage> {
    let hello = (any::<(u64, u64, u64)>(), text(), clocks(), positions()).prop_map(
        |((agent, site, configuration_revision), version, clocks, lanes)| Hello {
            agent: AgentId::from_raw(agent),
            site: SiteId::from_raw(site),
            version,
            clocks,
            lanes,
            configuration_revision,
        },
    );
    let group = (group(), any::<(u64, u64)>()).prop_map(|(group, (count, sum))| GroupDigest { group, count, sum });
    let digest = (position(Lane::State), vec(group, 0..6)).prop_map(|(state, groups)| Digest { state, groups });
    let done = (bytes(), any::<u64>(), option::of(flow::flow_page()))
        .prop_map(|(body, configuration_revision, flows)| Ok(Done { body, configuration_revision, flows }));
    let result = (any::<u64>(), prop_oneof![done, text().prop_map(Err)])
        .prop_map(|(id, outcome)| InstructionResult { id, outcome });
    let heartbeat =
        (clocks(), any::<u64>()).prop_map(|(clocks, history_waiting)| Heartbeat { clocks, history_waiting });
    prop_oneof![
        hello.prop_map(AgentMessage::Hello),
        batch().prop_map(AgentMessage::Batch),
        digest.prop_map(AgentMessage::Digest),
        result.prop_map(AgentMessage::Result),
        heartbeat.prop_map(AgentMessage::Heartbeat),
    ]
}

/// Anything that the centre says.
pub(crate) fn centre_message() -> impl Strategy<Value = CentreMessage> {
    let any_position = || prop_oneof![position(Lane::State), position(Lane::History)];
    let welcome = (time(), positions(), text()).prop_map(|(centre_time, committed, site_name)| Welcome {
        centre_time,
        committed,
        site_name,
    });
    let rejection = (
        any_position(),
        select(vec![RejectionReason::Invalid, RejectionReason::EpochRetired, RejectionReason::Gap]),
        text(),
    )
        .prop_map(|(position, reason, detail)| Rejection { position, reason, detail });
    let query = prop_oneof![
        Just(Query::Status),
        text().prop_map(|device| Query::Inspect { device }),
        flow::flows_query().prop_map(Query::Flows),
        (text(), text(), select(ProbeTest::ALL.to_vec()), any::<[u32; 2]>()).prop_map(
            |(principal, probe, test, [kbit_per_s, seconds])| {
                Query::Measure(MeasureQuery { principal, probe, test, kbit_per_s, seconds })
            }
        ),
        (text(), text(), text(), any::<u64>(), any::<u32>()).prop_map(
            |(principal, reason, file, offset, bytes_max)| {
                Query::Capture(CaptureQuery { asker: Asker { principal, reason }, file, offset, bytes_max })
            }
        ),
    ];
    let body = prop_oneof![
        (any::<u64>(), text()).prop_map(|(revision, toml)| InstructionBody::Configure { revision, toml }),
        vec(group(), 0..5).prop_map(InstructionBody::Resync),
        query.prop_map(InstructionBody::Query),
        (text(), text(), anomaly(), 1..u64::MAX).prop_map(|(principal, reason, report, drill)| {
            let report = AnomalyReport { drill: Some(DrillId::from_raw(drill)), ..report };
            InstructionBody::Drill(Box::new(DrillOrder { asker: Asker { principal, reason }, report }))
        }),
    ];
    let instruction = (any::<u64>(), body).prop_map(|(id, body)| Instruction { id, body });
    prop_oneof![
        welcome.prop_map(CentreMessage::Welcome),
        any_position().prop_map(|position| CentreMessage::Acknowledgement(Acknowledgement { position })),
        rejection.prop_map(CentreMessage::Rejection),
        instruction.prop_map(CentreMessage::Instruction),
    ]
}
