//! What equipment says to its neighbours: LLDP, CDP, spanning tree, routing.

use super::{
    Pattern::{Any, Has, HasAll, Is, OneOf, Starts},
    Rule,
    Says::{Class, Os, Version},
    rule,
};
use crate::classify::{
    DeviceClass::{Camera, NetworkDevice, Pc, Phone, Printer, Server, VideoTerminal},
    OsFamily::{CiscoIos, Comware, Esxi, Junos, Linux, Rgos, RouterOs, Vrp, Windows, Zxros},
};

/// Descriptions of systems.
pub(super) const SYSTEM: &[Rule] = &[
    rule(Has("Versatile Routing Platform"), &[Os(Vrp, 60), Class(NetworkDevice, 60)]),
    rule(HasAll(&["Huawei", "VRP"]), &[Os(Vrp, 60), Class(NetworkDevice, 60)]),
    rule(Has("Comware"), &[Os(Comware, 60), Class(NetworkDevice, 60)]),
    rule(Has("RGOS"), &[Os(Rgos, 60), Class(NetworkDevice, 60)]),
    rule(Has("Ruijie"), &[Os(Rgos, 40), Class(NetworkDevice, 45)]),
    rule(Has("ZXR10"), &[Os(Zxros, 55), Class(NetworkDevice, 60)]),
    rule(Has("ZXROS"), &[Os(Zxros, 60), Class(NetworkDevice, 60)]),
    rule(Has("Cisco IOS"), &[Os(CiscoIos, 60), Class(NetworkDevice, 50)]),
    rule(Has("Cisco Internetwork Operating System"), &[Os(CiscoIos, 60), Class(NetworkDevice, 50)]),
    rule(Has("NX-OS"), &[Os(CiscoIos, 60), Class(NetworkDevice, 60)]),
    rule(Starts("cisco WS-C"), &[Class(NetworkDevice, 60), Os(CiscoIos, 30)]),
    rule(Starts("cisco AIR-"), &[Class(NetworkDevice, 60)]),
    rule(Has("IP Phone"), &[Class(Phone, 60)]),
    rule(Has("JUNOS"), &[Os(Junos, 60), Class(NetworkDevice, 55)]),
    rule(Starts("MikroTik"), &[Os(RouterOs, 60), Class(NetworkDevice, 55)]),
    rule(Has("VMware ESX"), &[Os(Esxi, 60), Class(Server, 50)]),
    rule(Has("Windows"), &[Os(Windows, 35)]),
    rule(HasAll(&["Windows", "Server"]), &[Os(Windows, 40), Class(Server, 45)]),
    rule(Has("Linux"), &[Os(Linux, 40)]),
    rule(HasAll(&["Ubuntu", "Linux"]), &[Os(Linux, 45), Version(Linux, "Ubuntu", 30)]),
    rule(HasAll(&["Debian", "Linux"]), &[Os(Linux, 45), Version(Linux, "Debian", 30)]),
    rule(HasAll(&["CentOS", "Linux"]), &[Os(Linux, 45), Version(Linux, "CentOS", 30), Class(Server, 15)]),
    rule(Has("JetDirect"), &[Class(Printer, 60)]),
    rule(Has("printer"), &[Class(Printer, 50)]),
    rule(Has("camera"), &[Class(Camera, 50)]),
    rule(Has("TelePresence"), &[Class(VideoTerminal, 55)]),
    rule(Has("switch"), &[Class(NetworkDevice, 40)]),
    rule(Has("router"), &[Class(NetworkDevice, 40)]),
    rule(Has("firewall"), &[Class(NetworkDevice, 45)]),
    rule(Has("access point"), &[Class(NetworkDevice, 45)]),
];

pub(super) const LLDP_CAPABILITY: &[Rule] = &[
    // Hosts with virtual machines bridge and route as well; they are stations besides.
    rule(OneOf(&["bridge"]), &[Class(NetworkDevice, 25)]),
    rule(Is("router"), &[Class(NetworkDevice, 20)]),
    rule(Is("access_point"), &[Class(NetworkDevice, 40)]),
    rule(Is("telephone"), &[Class(Phone, 55), Class(VideoTerminal, 15)]),
    rule(Is("station"), &[Class(Pc, 8), Class(Server, 8), Class(Printer, 5), Class(Camera, 5), Class(Phone, 3)]),
];

pub(super) const LLDP_MED_CLASS: &[Rule] = &[
    rule(Is("2"), &[Class(VideoTerminal, 25), Class(Camera, 15)]),
    rule(Is("3"), &[Class(Phone, 55), Class(VideoTerminal, 15)]),
    rule(Is("4"), &[Class(NetworkDevice, 50)]),
];

pub(super) const CDP_CAPABILITY: &[Rule] = &[
    rule(Is("router"), &[Class(NetworkDevice, 35)]),
    rule(Is("switch"), &[Class(NetworkDevice, 45)]),
    rule(Is("bridge"), &[Class(NetworkDevice, 35)]),
    rule(Is("phone"), &[Class(Phone, 60)]),
    rule(Is("host"), &[Class(Server, 8), Class(Phone, 5), Class(VideoTerminal, 5), Class(Camera, 5)]),
];

/// Who takes part in spanning tree is a bridge; hosts of virtual machines may be, which is rare.
pub(super) const SPANNING_TREE: &[Rule] = &[rule(Any, &[Class(NetworkDevice, 45)])];

pub(super) const ROUTER_ADVERTISEMENT: &[Rule] = &[rule(Any, &[Class(NetworkDevice, 35)])];

pub(super) const FORWARDS: &[Rule] = &[rule(Any, &[Class(NetworkDevice, 35)])];
