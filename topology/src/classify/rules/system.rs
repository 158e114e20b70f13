//! What the operating system that was concluded says of the class.

use super::{Pattern::Is, Rule, Says::Class, rule};
use crate::classify::DeviceClass::{Mobile, NetworkDevice, Pc, Server};

/// Values are names of families, see [`crate::classify::OsFamily::name`].
pub(super) const SYSTEM: &[Rule] = &[
    rule(Is("windows"), &[Class(Pc, 25), Class(Server, 8)]),
    rule(Is("mac_os"), &[Class(Pc, 40)]),
    rule(Is("ios"), &[Class(Mobile, 40)]),
    rule(Is("android"), &[Class(Mobile, 30)]),
    rule(Is("harmony_os"), &[Class(Mobile, 25)]),
    rule(Is("kylin"), &[Class(Pc, 25), Class(Server, 12)]),
    rule(Is("uos"), &[Class(Pc, 30), Class(Server, 8)]),
    rule(Is("linux"), &[Class(Server, 6), Class(Pc, 4)]),
    rule(Is("esxi"), &[Class(Server, 50)]),
    rule(Is("solaris"), &[Class(Server, 40)]),
    rule(Is("bsd"), &[Class(Server, 6)]),
    rule(Is("vrp"), &[Class(NetworkDevice, 50)]),
    rule(Is("comware"), &[Class(NetworkDevice, 50)]),
    rule(Is("rgos"), &[Class(NetworkDevice, 50)]),
    rule(Is("zxros"), &[Class(NetworkDevice, 50)]),
    rule(Is("cisco_ios"), &[Class(NetworkDevice, 45)]),
    rule(Is("junos"), &[Class(NetworkDevice, 50)]),
    rule(Is("router_os"), &[Class(NetworkDevice, 50)]),
];
