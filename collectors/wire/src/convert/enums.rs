//! The enumerations, value by value.

use onenet_topology::{
    ProbeKind, ProbeRole, ProbeState, ProbeTest, Role, SensorKind, SensorState,
    fact::{
        ConditionKind, EventKind, ForwardingStatus, InterfaceStatus, Method, NeighbourProtocol, ReachState,
        SpanningTreeState,
    },
};

use super::check::FromWire;
use crate::{Lane, RejectionReason, v1};

macro_rules! twins {
    ($($domain:ident { $($value:ident = $wire:ident),+ $(,)? })+) => {$(
        impl From<$domain> for v1::$domain {
            fn from(value: $domain) -> Self {
                match value {
                    $($domain::$value => Self::$wire,)+
                }
            }
        }

        impl FromWire<v1::$domain> for $domain {
            fn from_wire(wire: v1::$domain) -> Option<Self> {
                match wire {
                    v1::$domain::Unspecified => None,
                    $(v1::$domain::$wire => Some(Self::$value),)+
                }
            }
        }
    )+};
}

twins! {
    Lane { State = State, History = History }
    RejectionReason { Invalid = Invalid, EpochRetired = EpochRetired, Gap = Gap }
    Method {
        SnmpReach = SnmpReach,
        SnmpSystem = SnmpSystem,
        SnmpInterfaces = SnmpInterfaces,
        SnmpForwarding = SnmpForwarding,
        SnmpAddresses = SnmpAddresses,
        SnmpNeighbours = SnmpNeighbours,
        SnmpEntities = SnmpEntities,
        SnmpSensors = SnmpSensors,
        SnmpStations = SnmpStations,
        SnmpAggregation = SnmpAggregation,
        SnmpVlanForwarding = SnmpVlanForwarding,
        SnmpVlans = SnmpVlans,
        SnmpOwnAddresses = SnmpOwnAddresses,
        SnmpQuirks = SnmpQuirks,
        SnmpSeldomSensors = SnmpSeldomSensors,
        PassiveClassification = PassiveClassification,
        Probe = Probe,
        SnmpSpanningTree = SnmpSpanningTree,
        SnmpRoutes = SnmpRoutes,
        Anchor = Anchor,
        PassiveFrames = PassiveFrames,
        PassiveArp = PassiveArp,
        PassiveNd = PassiveNd,
        PassiveDhcp = PassiveDhcp,
        PassiveLldp = PassiveLldp,
        Agent = Agent,
    }
    ReachState { Answering = Answering, Silent = Silent, Refusing = Refusing }
    InterfaceStatus {
        Up = Up,
        Down = Down,
        Testing = Testing,
        Unknown = Unknown,
        Dormant = Dormant,
        NotPresent = NotPresent,
        LowerLayerDown = LowerLayerDown,
    }
    ForwardingStatus { Other = Other, Invalid = Invalid, Learned = Learned, Own = Self_, Mgmt = Mgmt }
    NeighbourProtocol { Lldp = Lldp, Cdp = Cdp }
    ConditionKind {
        CaptureFailed = CaptureFailed,
        CaptureLoss = CaptureLoss,
        SpoolLoss = SpoolLoss,
        DiskFull = DiskFull,
        ConfigurationRefused = ConfigurationRefused,
        CycleLate = CycleLate,
        TableFull = TableFull,
        TableUnreadable = TableUnreadable,
        BatchRejected = BatchRejected,
        DeviceSlow = DeviceSlow,
        TrapsFailed = TrapsFailed,
        DiscoveryFailed = DiscoveryFailed,
        RightsKept = RightsKept,
        CaptureDiffers = CaptureDiffers,
        CaptureGaps = CaptureGaps,
        FlowsLost = FlowsLost,
    }
    EventKind {
        LinkUp = LinkUp,
        LinkDown = LinkDown,
        DeviceRestarted = DeviceRestarted,
        CountersJumpedBack = CountersJumpedBack,
        HistoryLost = HistoryLost,
        ConfigurationApplied = ConfigurationApplied,
        ConfigurationRolledBack = ConfigurationRolledBack,
        AgentStarted = AgentStarted,
        AuthenticationFailed = AuthenticationFailed,
        NeighboursChanged = NeighboursChanged,
        TrapReceived = TrapReceived,
        DeviceDiscovered = DeviceDiscovered,
    }
    Role {
        Switch = Switch,
        Router = Router,
        Firewall = Firewall,
        WirelessController = WirelessController,
        AccessPoint = AccessPoint,
        LoadBalancer = LoadBalancer,
        SecurityAppliance = SecurityAppliance,
        Camera = Camera,
        Ups = Ups,
        PowerDistribution = PowerDistribution,
        Server = Server,
        ManagementController = ManagementController,
        Storage = Storage,
        Printer = Printer,
        Sensor = Sensor,
    }
    SensorKind {
        CpuLoad = CpuLoad,
        MemoryUsed = MemoryUsed,
        StorageUsed = StorageUsed,
        Temperature = Temperature,
        FanSpeed = FanSpeed,
        Fan = Fan,
        PowerSupply = PowerSupply,
        Power = Power,
        Voltage = Voltage,
        Current = Current,
        Frequency = Frequency,
        OpticalReceive = OpticalReceive,
        OpticalTransmit = OpticalTransmit,
        OpticalBias = OpticalBias,
        PoePower = PoePower,
        Humidity = Humidity,
        BatteryCharge = BatteryCharge,
        BatteryRunTime = BatteryRunTime,
        OutputLoad = OutputLoad,
        Count = Count,
    }
    ProbeKind {
        Icmp = Icmp,
        Stamp = Stamp,
        Tcp = Tcp,
        Http = Http,
        Https = Https,
        Dns = Dns,
        Smtp = Smtp,
        Imap = Imap,
        Ldap = Ldap,
        Ntp = Ntp,
        Sip = Sip,
    }
    ProbeRole { Parent = Parent, Gateway = Gateway, Child = Child, Named = Named }
    ProbeState { Up = Up, Degraded = Degraded, Down = Down, Unknown = Unknown }
    ProbeTest { Regular = Regular, Media = Media, Throughput = Throughput }
    SpanningTreeState {
        Disabled = Disabled,
        Blocking = Blocking,
        Listening = Listening,
        Learning = Learning,
        Forwarding = Forwarding,
        Broken = Broken,
    }
    SensorState { Normal = Normal, Warning = Warning, Critical = Critical, Absent = Absent }
}
