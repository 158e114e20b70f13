//! The console's words for what the domain's types name.

mod problem;

use onenet_topology::{
    DeviceId, InterfaceId, Role, SensorKind, SensorState,
    case::EscalationReason,
    device::Standing,
    division::Tier,
    fact::{ConditionKind, InterfaceStatus, Method},
    incident::{Clue, Explanation, IncidentKind, Severity},
    inference::{LinkReason, Place, Reason, RejectReason, Where},
};

pub use problem::problem;

use super::{
    Language,
    text::{self, Text, fill},
};
use crate::{estate::SiteState, findings::FindingKind, joined::Why, outbox};

/// What is wrong, what to do about it, and how it is called in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The name in the API.
    pub id: &'static str,
    /// What is wrong.
    pub what: Text,
    /// What to do about it.
    pub remedy: Text,
}

macro_rules! trouble {
    ($id:literal, $what:ident, $remedy:ident) => {
        Trouble { id: $id, what: text::$what, remedy: text::$remedy }
    };
}

/// Returns the words for a condition.
pub const fn condition(kind: ConditionKind) -> Trouble {
    match kind {
        ConditionKind::CaptureFailed => trouble!("capture_failed", CAPTURE_FAILED, CAPTURE_FAILED_REMEDY),
        ConditionKind::CaptureLoss => trouble!("capture_loss", CAPTURE_LOSS, CAPTURE_LOSS_REMEDY),
        ConditionKind::SpoolLoss => trouble!("spool_loss", SPOOL_LOSS, SPOOL_LOSS_REMEDY),
        ConditionKind::DiskFull => trouble!("disk_full", DISK_FULL, DISK_FULL_REMEDY),
        ConditionKind::ConfigurationRefused => {
            trouble!("configuration_refused", CONFIGURATION_REFUSED, CONFIGURATION_REFUSED_REMEDY)
        }
        ConditionKind::CycleLate => trouble!("cycle_late", CYCLE_LATE, CYCLE_LATE_REMEDY),
        ConditionKind::TableFull => trouble!("table_full", TABLE_FULL, TABLE_FULL_REMEDY),
        ConditionKind::TableUnreadable => trouble!("table_unreadable", TABLE_UNREADABLE, TABLE_UNREADABLE_REMEDY),
        ConditionKind::BatchRejected => trouble!("batch_rejected", BATCH_REJECTED, BATCH_REJECTED_REMEDY),
        ConditionKind::DeviceSlow => trouble!("device_slow", DEVICE_SLOW, DEVICE_SLOW_REMEDY),
        ConditionKind::TrapsFailed => trouble!("traps_failed", TRAPS_FAILED, TRAPS_FAILED_REMEDY),
        ConditionKind::DiscoveryFailed => trouble!("discovery_failed", DISCOVERY_FAILED, DISCOVERY_FAILED_REMEDY),
        ConditionKind::RightsKept => trouble!("rights_kept", RIGHTS_KEPT, RIGHTS_KEPT_REMEDY),
        ConditionKind::CaptureDiffers => trouble!("capture_differs", CAPTURE_DIFFERS, CAPTURE_DIFFERS_REMEDY),
        ConditionKind::CaptureGaps => trouble!("capture_gaps", CAPTURE_GAPS, CAPTURE_GAPS_REMEDY),
        ConditionKind::FlowsLost => trouble!("flows_lost", FLOWS_LOST, FLOWS_LOST_REMEDY),
    }
}

/// Returns the words for a finding.
pub const fn finding(kind: FindingKind) -> Trouble {
    match kind {
        FindingKind::ClockWrong => trouble!("clock_wrong", CLOCK_WRONG, CLOCK_WRONG_REMEDY),
        FindingKind::CapacityReached => trouble!("capacity_reached", CAPACITY_REACHED, CAPACITY_REACHED_REMEDY),
        FindingKind::MacAtTwoSites => trouble!("mac_at_two_sites", MAC_AT_TWO_SITES, MAC_AT_TWO_SITES_REMEDY),
        FindingKind::IpWithTwoMacs => trouble!("ip_with_two_macs", IP_WITH_TWO_MACS, IP_WITH_TWO_MACS_REMEDY),
        FindingKind::DeviceAddressUsed => {
            trouble!("device_address_used", DEVICE_ADDRESS_USED, DEVICE_ADDRESS_USED_REMEDY)
        }
        FindingKind::MacFlaps => trouble!("mac_flaps", MAC_FLAPS, MAC_FLAPS_REMEDY),
    }
}

/// Returns the word for a method.
pub const fn method(method: Method) -> Text {
    match method {
        Method::SnmpReach => text::SNMP_REACH,
        Method::SnmpSystem => text::SNMP_SYSTEM,
        Method::SnmpInterfaces => text::SNMP_INTERFACES,
        Method::SnmpForwarding => text::SNMP_FORWARDING,
        Method::SnmpAddresses => text::SNMP_ADDRESSES,
        Method::SnmpNeighbours => text::SNMP_NEIGHBOURS,
        Method::SnmpEntities => text::SNMP_ENTITIES,
        Method::PassiveFrames => text::PASSIVE_FRAMES,
        Method::PassiveArp => text::PASSIVE_ARP,
        Method::PassiveNd => text::PASSIVE_ND,
        Method::PassiveDhcp => text::PASSIVE_DHCP,
        Method::PassiveLldp => text::PASSIVE_LLDP,
        Method::Agent => text::AGENT_ITSELF,
        Method::SnmpSensors => text::SNMP_SENSORS,
        Method::SnmpStations => text::SNMP_STATIONS,
        Method::SnmpAggregation => text::SNMP_AGGREGATION,
        Method::SnmpVlanForwarding => text::SNMP_VLAN_FORWARDING,
        Method::SnmpVlans => text::SNMP_VLANS,
        Method::SnmpOwnAddresses => text::SNMP_OWN_ADDRESSES,
        Method::SnmpQuirks => text::SNMP_QUIRKS,
        Method::SnmpSeldomSensors => text::SNMP_SELDOM_SENSORS,
        Method::PassiveClassification => text::PASSIVE_CLASSIFICATION,
        Method::Probe => text::PROBE,
        Method::SnmpSpanningTree => text::SNMP_SPANNING_TREE,
        Method::SnmpRoutes => text::SNMP_ROUTES,
        Method::Anchor => text::ANCHOR,
    }
}

/// Returns the words for what is peculiar about a device; `None` for a word that an agent newer than this centre uses.
pub fn quirk(word: &str) -> Option<Text> {
    Some(match word {
        "malformed" => text::QUIRK_MALFORMED,
        "loop" => text::QUIRK_LOOP,
        "disordered" => text::QUIRK_DISORDERED,
        "too_many_rows" | "too_many_bytes" => text::QUIRK_TOO_MANY,
        "routes_cut" => text::QUIRK_ROUTES_CUT,
        "truncated" => text::QUIRK_TRUNCATED,
        "duplicate_names" => text::QUIRK_DUPLICATE_NAMES,
        "narrow_counters" => text::QUIRK_NARROW_COUNTERS,
        "gbk_text" => text::QUIRK_GBK_TEXT,
        "renumbered" => text::QUIRK_RENUMBERED,
        "small_answers" => text::QUIRK_SMALL_ANSWERS,
        "answers_from_elsewhere" => text::QUIRK_ELSEWHERE,
        "engine_time_drift" => text::QUIRK_ENGINE_TIME,
        "vlan_ports_unknown" => text::QUIRK_VLAN_PORTS,
        "ports_are_interfaces" => text::QUIRK_PORTS_ARE_INTERFACES,
        "invalid_index_length" | "invalid_index_octet" | "invalid_address_length" => text::QUIRK_INDEX,
        "invalid_mac_length" => text::QUIRK_MAC_LENGTH,
        "port_missing" => text::QUIRK_PORT_MISSING,
        "bridge_port_unknown" => text::QUIRK_BRIDGE_PORT_UNKNOWN,
        "interface_unknown" => text::QUIRK_INTERFACE_UNKNOWN,
        "neighbour_unknown" => text::QUIRK_NEIGHBOUR_UNKNOWN,
        _ => return None,
    })
}

/// Returns the words for what a sensor measures.
pub const fn sensor(kind: SensorKind) -> Text {
    match kind {
        SensorKind::CpuLoad => text::CPU_LOAD,
        SensorKind::MemoryUsed => text::MEMORY_USED,
        SensorKind::StorageUsed => text::STORAGE_USED,
        SensorKind::Temperature => text::TEMPERATURE,
        SensorKind::FanSpeed => text::FAN_SPEED,
        SensorKind::Fan => text::FAN,
        SensorKind::PowerSupply => text::POWER_SUPPLY,
        SensorKind::Power => text::POWER,
        SensorKind::Voltage => text::VOLTAGE,
        SensorKind::Current => text::CURRENT,
        SensorKind::Frequency => text::FREQUENCY,
        SensorKind::OpticalReceive => text::OPTICAL_RECEIVE,
        SensorKind::OpticalTransmit => text::OPTICAL_TRANSMIT,
        SensorKind::OpticalBias => text::OPTICAL_BIAS,
        SensorKind::PoePower => text::POE_POWER,
        SensorKind::Humidity => text::HUMIDITY,
        SensorKind::BatteryCharge => text::BATTERY_CHARGE,
        SensorKind::BatteryRunTime => text::BATTERY_RUN_TIME,
        SensorKind::OutputLoad => text::OUTPUT_LOAD,
        SensorKind::Count => text::COUNT,
    }
}

/// Returns the word for what a device says of a sensor.
pub const fn sensor_state(state: SensorState) -> Text {
    match state {
        SensorState::Normal => text::NORMAL,
        SensorState::Warning => text::WARNING,
        SensorState::Critical => text::CRITICAL,
        SensorState::Absent => text::ABSENT,
    }
}

/// Returns the word for what a device is for.
pub const fn role(role: Role) -> Text {
    match role {
        Role::Switch => text::SWITCH,
        Role::Router => text::ROUTER,
        Role::Firewall => text::FIREWALL,
        Role::WirelessController => text::WIRELESS_CONTROLLER,
        Role::AccessPoint => text::ACCESS_POINT,
        Role::LoadBalancer => text::LOAD_BALANCER,
        Role::SecurityAppliance => text::SECURITY_APPLIANCE,
        Role::Camera => text::CAMERA,
        Role::Ups => text::UPS,
        Role::PowerDistribution => text::POWER_DISTRIBUTION,
        Role::Server => text::SERVER,
        Role::ManagementController => text::MANAGEMENT_CONTROLLER,
        Role::Storage => text::STORAGE,
        Role::Printer => text::PRINTER,
        Role::Sensor => text::SENSOR,
    }
}

/// Returns the word for a standing.
pub const fn standing(standing: Standing) -> Text {
    match standing {
        Standing::Up => text::UP,
        Standing::Degraded => text::DEGRADED,
        Standing::Down => text::DOWN,
        Standing::Unknown => text::UNKNOWN,
    }
}

/// Returns the word for a status of an interface.
pub const fn status(status: InterfaceStatus) -> Text {
    match status {
        InterfaceStatus::Up => text::PORT_UP,
        InterfaceStatus::Down => text::PORT_DOWN,
        InterfaceStatus::Testing => text::TESTING,
        InterfaceStatus::Unknown => text::UNKNOWN,
        InterfaceStatus::Dormant => text::DORMANT,
        InterfaceStatus::NotPresent => text::NOT_PRESENT,
        InterfaceStatus::LowerLayerDown => text::LOWER_LAYER_DOWN,
    }
}

/// Returns the word for what an interface is meant to be.
pub const fn admin(wanted: InterfaceStatus) -> Text {
    match wanted {
        InterfaceStatus::Up => text::ENABLED,
        InterfaceStatus::Down => text::DISABLED,
        other => status(other),
    }
}

/// Returns the word for a tier.
pub const fn tier(tier: Tier) -> Text {
    match tier {
        Tier::Ministry => text::MINISTRY,
        Tier::Province => text::PROVINCE,
        Tier::City => text::CITY,
        Tier::County => text::COUNTY,
    }
}

/// Returns the name of a device of a site.
pub fn device_name(state: &SiteState, device: DeviceId) -> String {
    state.device(device).map_or_else(|| device.to_string(), |device| device.name().to_owned())
}

/// Returns the name of an interface of a site.
pub fn interface_name(state: &SiteState, device: DeviceId, interface: InterfaceId) -> String {
    state.interface(device, interface).map_or_else(|| interface.to_string(), |it| it.said.name.clone())
}

/// Says where something is; `None` where that is nowhere.
pub fn place(language: Language, state: &SiteState, at: Where) -> Option<String> {
    match at {
        Where::Port(Place { device, interface, .. }) => {
            let text = fill(language.of(text::AT_PORT), device_name(state, device));
            Some(fill(&text, interface_name(state, device, interface)))
        }
        Where::Behind { device, .. } => Some(fill(language.of(text::BEHIND), device_name(state, device))),
        Where::Nowhere => None,
    }
}

/// Returns why an endpoint is believed to be at a place: the name in the API, and in words.
pub fn reason(language: Language, state: &SiteState, reason: Reason) -> (&'static str, String) {
    reason_named(language, |device| device_name(state, device), reason)
}

/// Does so for devices that are named otherwise.
pub fn reason_named(language: Language, name: impl Fn(DeviceId) -> String, reason: Reason) -> (&'static str, String) {
    let say = |text| language.of(text);
    match reason {
        Reason::EdgePort { macs } => ("edge_port", fill(say(text::REASON_EDGE_PORT), macs)),
        Reason::FewestAddresses { macs, next } => {
            ("fewest_addresses", fill(&fill(say(text::REASON_FEWEST), macs), next))
        }
        Reason::BehindPhone { phone } => ("behind_phone", fill(say(text::REASON_BEHIND_PHONE), phone)),
        Reason::Wireless => ("wireless", say(text::REASON_WIRELESS).to_owned()),
        Reason::UnmanagedBehind { towards } => ("unmanaged_behind", fill(say(text::REASON_UNMANAGED), name(towards))),
        Reason::SharedPorts { ports } => ("shared_ports", fill(say(text::REASON_SHARED_PORTS), ports)),
        Reason::MostAgree { agree, differ } => ("most_agree", fill(&fill(say(text::REASON_MOST_AGREE), agree), differ)),
        Reason::RowMissing { towards } => ("row_missing", fill(say(text::REASON_ROW_MISSING), name(towards))),
        Reason::NoTableBehind => ("no_table_behind", say(text::REASON_NO_TABLE).to_owned()),
        Reason::PortUnresolved => ("port_unresolved", say(text::REASON_PORT_UNRESOLVED).to_owned()),
        Reason::PortDown => ("port_down", say(text::REASON_PORT_DOWN).to_owned()),
        Reason::NothingUsable => ("nothing_usable", say(text::REASON_NOTHING).to_owned()),
    }
}

/// Returns why a row was not believed: the name in the API, and in words.
pub fn rejection(language: Language, state: &SiteState, reason: RejectReason) -> (&'static str, String) {
    rejection_named(language, |device| device_name(state, device), reason)
}

/// Does so for devices that are named otherwise.
pub fn rejection_named(
    language: Language,
    name: impl Fn(DeviceId) -> String,
    reason: RejectReason,
) -> (&'static str, String) {
    let say = |text| language.of(text);
    match reason {
        RejectReason::LeadsTo { device } => ("leads_to", fill(say(text::REJECTED_LEADS_TO), name(device))),
        RejectReason::MayLeadTo { device } => ("may_lead_to", fill(say(text::REJECTED_MAY_LEAD_TO), name(device))),
        RejectReason::BetweenSwitches { device } => {
            ("between_switches", fill(say(text::REJECTED_BETWEEN), name(device)))
        }
        RejectReason::MoreAddresses { macs } => ("more_addresses", fill(say(text::REJECTED_MORE), macs)),
        RejectReason::FewerAgree { differ } => ("fewer_agree", fill(say(text::REJECTED_FEWER_AGREE), differ)),
        RejectReason::MovePending => ("move_pending", say(text::REJECTED_MOVE_PENDING).to_owned()),
        RejectReason::NotLearned => ("not_learned", say(text::REJECTED_NOT_LEARNED).to_owned()),
        RejectReason::PortUnresolved => ("port_unresolved", say(text::REJECTED_UNRESOLVED).to_owned()),
        RejectReason::PortDown => ("port_down", say(text::REJECTED_PORT_DOWN).to_owned()),
        RejectReason::Wireless => ("wireless", say(text::REJECTED_WIRELESS).to_owned()),
        RejectReason::OtherVlan => ("other_vlan", say(text::REJECTED_OTHER_VLAN).to_owned()),
    }
}

/// Returns the words for what sort of thing an incident is.
pub const fn incident(kind: IncidentKind) -> Text {
    match kind {
        IncidentKind::CentreIsolated => text::CENTRE_ISOLATED,
        IncidentKind::SiteCut => text::SITE_CUT,
        IncidentKind::LinkDown => text::LINK_DOWN,
        IncidentKind::LinkDegraded => text::LINK_DEGRADED,
        IncidentKind::AgentSilent => text::AGENT_SILENT,
        IncidentKind::DeviceDown => text::DEVICE_DOWN,
        IncidentKind::InterfaceDown => text::INTERFACE_DOWN,
        IncidentKind::ServiceDown => text::SERVICE_DOWN,
        IncidentKind::ServiceDegraded => text::SERVICE_DEGRADED,
    }
}

/// Returns what to do about an incident of this sort, where that does not follow from what may be behind it.
pub const fn remedy(kind: IncidentKind) -> Option<Text> {
    match kind {
        IncidentKind::CentreIsolated | IncidentKind::SiteCut | IncidentKind::LinkDown => None,
        IncidentKind::LinkDegraded => Some(text::LINK_DEGRADED_REMEDY),
        IncidentKind::AgentSilent => Some(text::AGENT_SILENT_REMEDY),
        IncidentKind::DeviceDown => Some(text::DEVICE_DOWN_REMEDY),
        IncidentKind::InterfaceDown => Some(text::INTERFACE_DOWN_REMEDY),
        IncidentKind::ServiceDown => Some(text::SERVICE_DOWN_REMEDY),
        IncidentKind::ServiceDegraded => Some(text::SERVICE_DEGRADED_REMEDY),
    }
}

/// Returns the word for a grade.
pub const fn severity(severity: Severity) -> Text {
    match severity {
        Severity::General => text::GENERAL,
        Severity::Considerable => text::CONSIDERABLE,
        Severity::Major => text::MAJOR,
        Severity::Extraordinary => text::EXTRAORDINARY,
    }
}

/// Returns the words for what may be behind an incident.
pub const fn explanation(explanation: Explanation) -> Text {
    match explanation {
        Explanation::UplinkCut => text::UPLINK_CUT,
        Explanation::PowerCut => text::POWER_CUT,
        Explanation::AgentStopped => text::AGENT_STOPPED,
        Explanation::UpperEquipment => text::UPPER_EQUIPMENT,
        Explanation::CentreCutOff => text::CENTRE_CUT_OFF,
        Explanation::ProbesDropped => text::PROBES_DROPPED,
        Explanation::AgentsPort => text::AGENTS_PORT,
        Explanation::WayToService => text::WAY_TO_SERVICE,
        Explanation::Itself => text::ITSELF,
    }
}

/// Returns what that means, and what to do about it.
pub const fn explained(explanation: Explanation) -> Text {
    match explanation {
        Explanation::UplinkCut => text::UPLINK_CUT_MEANS,
        Explanation::PowerCut => text::POWER_CUT_MEANS,
        Explanation::AgentStopped => text::AGENT_STOPPED_MEANS,
        Explanation::UpperEquipment => text::UPPER_EQUIPMENT_MEANS,
        Explanation::CentreCutOff => text::CENTRE_CUT_OFF_MEANS,
        Explanation::ProbesDropped => text::PROBES_DROPPED_MEANS,
        Explanation::AgentsPort => text::AGENTS_PORT_MEANS,
        Explanation::WayToService => text::WAY_TO_SERVICE_MEANS,
        Explanation::Itself => text::ITSELF,
    }
}

/// Returns the words for a piece of evidence.
pub const fn clue(clue: &Clue) -> Text {
    match clue {
        Clue::ProbeFails { from_above: true, .. } => text::CLUE_PROBE_FAILS_ABOVE,
        Clue::ProbeFails { .. } => text::CLUE_PROBE_FAILS_BELOW,
        Clue::ProbeAnswered { degraded: true, .. } => text::CLUE_PROBE_DEGRADED,
        Clue::ProbeAnswered { .. } => text::CLUE_PROBE_ANSWERED,
        Clue::AgentHeard { .. } => text::CLUE_AGENT_HEARD,
        Clue::AgentLost { .. } => text::CLUE_AGENT_LOST,
        Clue::Restarted { .. } => text::CLUE_RESTARTED,
        Clue::DeviceAnswers { .. } => text::CLUE_DEVICE_ANSWERS,
        Clue::DeviceSilent { .. } => text::CLUE_DEVICE_SILENT,
        Clue::InterfaceDown { .. } => text::INTERFACE_DOWN,
        Clue::ServiceChecked { good: true, .. } => text::CLUE_SERVICE_GOOD,
        Clue::ServiceChecked { .. } => text::CLUE_SERVICE_BAD,
        Clue::AgentsLostAtOnce { .. } => text::CLUE_LOST_AT_ONCE,
        Clue::WaysFailedAtOnce { .. } => text::CLUE_WAYS_AT_ONCE,
        Clue::Flapping => text::CLUE_FLAPPING,
        Clue::NobodyMeasures => text::CLUE_NOBODY_MEASURES,
    }
}

/// Returns the words for an event, or for what changed of a site, by its name in the API; `None` for one that an agent newer
/// than this centre tells of.
pub fn happened(kind: &str) -> Option<Text> {
    Some(match kind {
        "link_up" => text::EVENT_LINK_UP,
        "link_down" => text::EVENT_LINK_DOWN,
        "device_restarted" => text::EVENT_DEVICE_RESTARTED,
        "counters_jumped_back" => text::EVENT_COUNTERS,
        "history_lost" => text::EVENT_HISTORY_LOST,
        "configuration_applied" => text::EVENT_CONFIGURED,
        "configuration_rolled_back" => text::EVENT_ROLLED_BACK,
        "agent_started" => text::EVENT_AGENT_STARTED,
        "authentication_failed" => text::EVENT_AUTHENTICATION,
        "neighbours_changed" => text::EVENT_NEIGHBOURS,
        "trap_received" => text::EVENT_TRAP,
        "device_discovered" => text::EVENT_DISCOVERED,
        "code" => text::CHANGED_CODE,
        "name" => text::CHANGED_NAME,
        "parents" => text::CHANGED_PARENTS,
        "ended" => text::CHANGED_ENDED,
        _ => return None,
    })
}

/// Returns why two devices are believed to be joined: the name in the API, and in words.
pub fn link_reason(language: Language, reason: LinkReason) -> (&'static str, String) {
    let say = |text: Text| language.of(text).to_owned();
    match reason {
        LinkReason::TwoSided => ("two_sided", say(text::LINK_TWO_SIDED)),
        LinkReason::OneSided => ("one_sided", say(text::LINK_ONE_SIDED)),
        LinkReason::SpanningTree => ("spanning_tree", say(text::LINK_SPANNING_TREE)),
        LinkReason::Lacp => ("lacp", say(text::LINK_LACP)),
        LinkReason::OwnAddress { both: true } => ("own_address", say(text::LINK_OWN_ADDRESSES)),
        LinkReason::OwnAddress { both: false } => ("own_address", say(text::LINK_OWN_ADDRESS)),
        LinkReason::SharedHosts { hosts } => ("shared_hosts", fill(language.of(text::LINK_SHARED_HOSTS), hosts)),
        LinkReason::Derived => ("derived", say(text::LINK_DERIVED)),
        LinkReason::Contradicted => ("contradicted", say(text::LINK_CONTRADICTED)),
    }
}

/// Returns why two ends are believed to be joined: the name in the API, and in words.
pub fn joined(language: Language, why: Why) -> (&'static str, String) {
    match why {
        Why::Inferred(reason) => link_reason(language, reason),
        Why::Heard => ("heard", language.of(text::LINK_HEARD).to_owned()),
        Why::Unconfirmed => ("unconfirmed", language.of(text::LINK_UNCONFIRMED).to_owned()),
    }
}

/// Returns the words for what a detector finds.
pub const fn anomaly(kind: onenet_detection::Kind) -> Text {
    use onenet_detection::Kind;
    match kind {
        Kind::PortScan => text::ANOMALY_PORT_SCAN,
        Kind::Sweep => text::ANOMALY_SWEEP,
        Kind::SlowScan => text::ANOMALY_SLOW_SCAN,
        Kind::DarkAddress => text::ANOMALY_DARK_ADDRESS,
        Kind::BruteForce => text::ANOMALY_BRUTE_FORCE,
        Kind::SynFlood => text::ANOMALY_SYN_FLOOD,
        Kind::UdpFlood => text::ANOMALY_UDP_FLOOD,
        Kind::IcmpFlood => text::ANOMALY_ICMP_FLOOD,
        Kind::DnsFlood => text::ANOMALY_DNS_FLOOD,
        Kind::Reflection => text::ANOMALY_REFLECTION,
        Kind::ArpSpoofing => text::ANOMALY_ARP_SPOOFING,
        Kind::AddressConflict => text::ANOMALY_ADDRESS_CONFLICT,
        Kind::RogueDhcp => text::ANOMALY_ROGUE_DHCP,
        Kind::RogueDhcpv6 => text::ANOMALY_ROGUE_DHCPV6,
        Kind::RogueRa => text::ANOMALY_ROGUE_RA,
        Kind::MacFlood => text::ANOMALY_MAC_FLOOD,
        Kind::BroadcastStorm => text::ANOMALY_BROADCAST_STORM,
        Kind::RogueRoot => text::ANOMALY_ROGUE_ROOT,
        Kind::Outreach => text::ANOMALY_OUTREACH,
        Kind::Beaconing => text::ANOMALY_BEACONING,
        Kind::DnsTunnel => text::ANOMALY_DNS_TUNNEL,
        Kind::Dga => text::ANOMALY_DGA,
        Kind::CleartextLogin => text::ANOMALY_CLEARTEXT_LOGIN,
        Kind::OutdatedTls => text::ANOMALY_OUTDATED_TLS,
        Kind::ExpiredCertificate => text::ANOMALY_EXPIRED_CERTIFICATE,
        Kind::Nat => text::ANOMALY_NAT,
        Kind::ChangedClass => text::ANOMALY_CHANGED_CLASS,
        Kind::ChangedOs => text::ANOMALY_CHANGED_OS,
        Kind::ForbiddenVlan => text::ANOMALY_FORBIDDEN_VLAN,
        Kind::Worm => text::ANOMALY_WORM,
        Kind::UnregisteredService => text::ANOMALY_UNREGISTERED_SERVICE,
        Kind::ExpiredService => text::ANOMALY_EXPIRED_SERVICE,
        Kind::ExposedService => text::ANOMALY_EXPOSED_SERVICE,
        Kind::GoneService => text::ANOMALY_GONE_SERVICE,
        Kind::RogueLldp => text::ANOMALY_ROGUE_LLDP,
        Kind::OtherNetwork => text::ANOMALY_OTHER_NETWORK,
        Kind::NewPeer => text::ANOMALY_NEW_PEER,
        Kind::LongTransfer => text::ANOMALY_LONG_TRANSFER,
        Kind::NightTransfer => text::ANOMALY_NIGHT_TRANSFER,
        Kind::SilentFeed => text::ANOMALY_SILENT_FEED,
        Kind::TrafficShift => text::ANOMALY_TRAFFIC_SHIFT,
        Kind::FlowShift => text::ANOMALY_FLOW_SHIFT,
        Kind::TerminalShift => text::ANOMALY_TERMINAL_SHIFT,
        Kind::ErrorShift => text::ANOMALY_ERROR_SHIFT,
        Kind::RoundTripShift => text::ANOMALY_ROUND_TRIP_SHIFT,
        Kind::UplinkShift => text::ANOMALY_UPLINK_SHIFT,
    }
}

/// Returns the words for what the centre concludes.
pub fn at_centre(name: &str) -> Option<Text> {
    Some(match name {
        "worm_spread" => text::ANOMALY_WORM_SPREAD,
        "unregistered_terminal" => text::ANOMALY_UNREGISTERED_TERMINAL,
        "mac_at_two_sites" => text::ANOMALY_MAC_AT_TWO_SITES,
        "ip_with_two_macs" => text::ANOMALY_IP_WITH_TWO_MACS,
        "device_address_used" => text::ANOMALY_DEVICE_ADDRESS_USED,
        "mac_flaps" => text::ANOMALY_MAC_FLAPS,
        "device_replaced" => text::ANOMALY_DEVICE_REPLACED,
        "hub_behind_port" => text::ANOMALY_HUB_BEHIND_PORT,
        _ => return None,
    })
}

/// Returns the words for a kind of case, or its name where there are none.
pub fn case_kind(language: Language, name: &str) -> &str {
    let incident = || IncidentKind::ALL.iter().find(|it| it.name() == name).map(|it| incident(*it));
    let anomaly = onenet_detection::Kind::ALL.iter().find(|it| it.name() == name).map(|it| anomaly(*it));
    let at_centre = || at_centre(name);
    let too_many = || match name {
        "too_many_cases" => Some(text::CASES_TOO_MANY),
        outbox::INSPECTION => Some(text::INSPECTIONS),
        _ => None,
    };
    anomaly.or_else(incident).or_else(at_centre).or_else(too_many).map_or(name, |it| language.of(it))
}

/// Returns what a case or an anomaly is about, in words where that is no name or address.
pub fn case_subject(language: Language, subject: &str) -> &str {
    match subject {
        "segment" => language.of(text::SUBJECT_SEGMENT),
        "asset register" => language.of(text::SUBJECT_REGISTER),
        "centre" => language.of(text::SUBJECT_CENTRE),
        other => other,
    }
}

/// Returns the words for what may be behind an incident, by its name in the API.
pub fn possible(name: &str) -> Option<Text> {
    Explanation::ALL.iter().find(|it| it.name() == name).map(|it| explanation(*it))
}

/// Returns why a case went up.
pub const fn escalation(reason: EscalationReason) -> Text {
    match reason {
        EscalationReason::NotAcknowledged => text::CASE_NOT_ACKNOWLEDGED,
        EscalationReason::NotAnswered => text::CASE_NOT_ANSWERED,
        EscalationReason::NotClosed => text::CASE_NOT_CLOSED,
    }
}
