//! What DHCP clients say, and what names look like.

use super::{
    Pattern::{Has, Is, Lists, OneOf, Starts},
    Rule,
    Says::{Class, Os, Version},
    rule,
};
use crate::classify::{
    DeviceClass::{Camera, Mobile, NetworkDevice, Pc, Phone, Printer, Server, Storage, VideoTerminal},
    OsFamily::{
        Android, CiscoIos, Comware, Embedded, EmbeddedLinux, HarmonyOs, Ios, Kylin, Linux, MacOs, Uos, Vrp, Windows,
    },
};

pub(super) const VENDOR_CLASS: &[Rule] = &[
    // Windows 2000 and everything after it; 311 is Microsoft's number in DHCPv6.
    rule(Starts("MSFT 5"), &[Os(Windows, 50)]),
    rule(Is("MSFT 98"), &[Os(Windows, 50), Version(Windows, "98", 40)]),
    rule(Starts("311:"), &[Os(Windows, 50)]),
    rule(Starts("android-dhcp"), &[Os(Android, 60), Class(Mobile, 15)]),
    rule(Starts("dhcpcd"), &[Os(Linux, 30)]),
    rule(Has("Android"), &[Os(Android, 40)]),
    rule(Starts("HUAWEI:android"), &[Os(Android, 40), Class(Mobile, 30)]),
    rule(Has("harmony"), &[Os(HarmonyOs, 50)]),
    rule(Starts("udhcp"), &[Os(EmbeddedLinux, 35)]),
    rule(Starts("busybox"), &[Os(EmbeddedLinux, 35)]),
    rule(Has("systemd"), &[Os(Linux, 40)]),
    rule(Is("anaconda-Linux"), &[Os(Linux, 40)]),
    rule(Starts("Hewlett-Packard JetDirect"), &[Class(Printer, 70), Os(Embedded, 20)]),
    rule(Starts("HP Printer"), &[Class(Printer, 70)]),
    rule(Has("printer"), &[Class(Printer, 60)]),
    rule(Starts("Lexmark"), &[Class(Printer, 60)]),
    rule(Starts("Canon"), &[Class(Printer, 40)]),
    rule(Starts("Mfg=Hewlett"), &[Class(Printer, 60)]),
    rule(Starts("Mfg="), &[Class(Printer, 30)]),
    rule(Starts("Cisco Systems, Inc. IP Phone"), &[Class(Phone, 70)]),
    rule(Has("IP Phone"), &[Class(Phone, 60)]),
    rule(Starts("yealink"), &[Class(Phone, 50)]),
    rule(Starts("Grandstream"), &[Class(Phone, 40)]),
    rule(Starts("Polycom"), &[Class(Phone, 25), Class(VideoTerminal, 25)]),
    rule(Has("Hikvision"), &[Class(Camera, 40)]),
    rule(Has("dahua"), &[Class(Camera, 40)]),
    rule(Starts("Cisco AP"), &[Class(NetworkDevice, 60)]),
    rule(Is("ciscopnp"), &[Class(NetworkDevice, 50), Os(CiscoIos, 40)]),
    rule(Starts("huawei AP"), &[Class(NetworkDevice, 60), Os(Vrp, 30)]),
    rule(Starts("Huawei"), &[Class(NetworkDevice, 20)]),
    rule(Starts("H3C"), &[Class(NetworkDevice, 50), Os(Comware, 40)]),
    rule(Starts("ArubaAP"), &[Class(NetworkDevice, 60)]),
    rule(Starts("ubnt"), &[Class(NetworkDevice, 50)]),
    rule(Starts("AAPLBSDPC"), &[Os(MacOs, 50), Class(Pc, 20)]),
    rule(Starts("PXEClient"), &[Class(Pc, 10), Class(Server, 10)]),
    rule(Starts("HTTPClient"), &[Class(Pc, 10), Class(Server, 10)]),
    rule(Has("idrac"), &[Class(Server, 50)]),
    rule(Has("synology"), &[Class(Storage, 50)]),
];

/// The order in which options are asked for is each client program's own.
pub(super) const PARAMETERS: &[Rule] = &[
    // Windows asks for NetBIOS (44, 46, 47) and Microsoft's static routes (249) together with router discovery (31).
    rule(Lists(|options| holds(options, &[31, 33, 43, 44, 46, 47])), &[Os(Windows, 40)]),
    rule(
        Lists(|options| options.starts_with(&[1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252])),
        &[Os(Windows, 45), Version(Windows, "8.1 or later", 30)],
    ),
    rule(
        Lists(|options| options.starts_with(&[1, 15, 3, 6, 44, 46, 47, 31, 33])),
        &[Os(Windows, 45), Version(Windows, "XP to 8", 30)],
    ),
    // Apple's clients begin like this; computers ask for LDAP (95) and NetBIOS besides.
    rule(Lists(|options| is_apple(options) && holds(options, &[95])), &[Os(MacOs, 45), Os(Ios, 5)]),
    rule(Lists(|options| is_apple(options) && !options.contains(&95)), &[Os(Ios, 35), Os(MacOs, 15)]),
    rule(Lists(|options| options.starts_with(&[1, 3, 6, 15, 26, 28, 51, 58, 59])), &[Os(Android, 45)]),
    rule(Lists(|options| options.starts_with(&[1, 33, 3, 6, 15, 28, 51, 58, 59])), &[Os(Android, 40)]),
    rule(Lists(|options| options.starts_with(&[1, 33, 3, 6, 15, 26, 28, 51, 58, 59])), &[Os(Android, 40)]),
    rule(Lists(|options| options.starts_with(&[1, 121, 33, 3, 6, 28, 51, 58, 59])), &[Os(Android, 35)]),
    // ISC's client, NetworkManager and systemd.
    rule(Lists(|options| options.starts_with(&[1, 28, 2, 3, 15, 6, 119, 12])), &[Os(Linux, 40)]),
    rule(Lists(|options| options.starts_with(&[1, 28, 2, 121, 15, 6, 12, 40, 41, 42])), &[Os(Linux, 40)]),
    rule(Lists(|options| options.starts_with(&[1, 2, 6, 12, 15, 26, 28, 121, 3, 33, 40, 41, 42])), &[Os(Linux, 40)]),
    rule(Lists(|options| options.starts_with(&[1, 3, 12, 15, 6])), &[Os(Linux, 30)]),
    rule(Lists(|options| options.starts_with(&[1, 3, 6, 12, 15, 26])), &[Os(Linux, 25)]),
    // BusyBox.
    rule(Lists(|options| options.starts_with(&[1, 3, 6, 12, 15, 28])), &[Os(EmbeddedLinux, 35)]),
    rule(Lists(|options| options == [1, 3, 6, 12, 15, 17, 23, 28, 29, 31, 33, 40, 41, 42]), &[Os(EmbeddedLinux, 30)]),
    rule(Lists(|options| options.starts_with(&[6, 3, 1, 15, 66, 67, 13, 44])), &[Class(Printer, 50)]),
    rule(Lists(|options| options.starts_with(&[1, 66, 6, 3, 15, 150])), &[Class(Phone, 50)]),
    rule(
        Lists(|options| options.contains(&150) && options.contains(&66)),
        &[Class(Phone, 15), Class(NetworkDevice, 10)],
    ),
    rule(Lists(|options| options.contains(&43) && options.contains(&138)), &[Class(NetworkDevice, 15)]),
];

fn holds(options: &[u16], all: &[u16]) -> bool {
    all.iter().all(|option| options.contains(option))
}

fn is_apple(options: &[u16]) -> bool {
    options.starts_with(&[1, 121, 3, 6, 15]) && (holds(options, &[119, 252]) || holds(options, &[108, 114]))
}

/// Names that installers, makers and administrators give.
pub(super) const NAME: &[Rule] = &[
    rule(Starts("DESKTOP-"), &[Os(Windows, 30), Class(Pc, 25), Version(Windows, "10 or later", 20)]),
    rule(Starts("LAPTOP-"), &[Os(Windows, 30), Class(Pc, 30), Version(Windows, "10 or later", 20)]),
    rule(Starts("WIN-"), &[Os(Windows, 30), Class(Server, 15)]),
    rule(Has("-PC"), &[Class(Pc, 20), Os(Windows, 10)]),
    rule(Starts("PC-"), &[Class(Pc, 15)]),
    rule(Starts("android-"), &[Os(Android, 45), Class(Mobile, 25)]),
    rule(Has("iPhone"), &[Os(Ios, 40), Class(Mobile, 40)]),
    rule(Has("iPad"), &[Os(Ios, 40), Class(Mobile, 40)]),
    rule(Has("MacBook"), &[Os(MacOs, 40), Class(Pc, 40)]),
    rule(Has("iMac"), &[Os(MacOs, 40), Class(Pc, 40)]),
    rule(Starts("HUAWEI_Mate"), &[Class(Mobile, 30)]),
    rule(Starts("kylin"), &[Os(Kylin, 20), Class(Pc, 10)]),
    rule(Starts("uos-"), &[Os(Uos, 20), Class(Pc, 10)]),
    rule(Starts("deepin"), &[Os(Uos, 15), Class(Pc, 10)]),
    rule(Starts("ubuntu"), &[Os(Linux, 20)]),
    rule(Starts("raspberrypi"), &[Os(Linux, 25)]),
    rule(Starts("NPI"), &[Class(Printer, 20)]),
    rule(Starts("HPLJ"), &[Class(Printer, 30)]),
    rule(Starts("BRN"), &[Class(Printer, 15)]),
    rule(Starts("EPSON"), &[Class(Printer, 30)]),
    rule(Starts("KMBT"), &[Class(Printer, 30)]),
    rule(Starts("RNP"), &[Class(Printer, 20)]),
    rule(Starts("SEP"), &[Class(Phone, 15)]),
    rule(OneOf(&["HIKVISION", "IPCamera", "IPC", "IPDOME"]), &[Class(Camera, 30)]),
    rule(Starts("DS-2"), &[Class(Camera, 35)]),
    rule(Has("server"), &[Class(Server, 10)]),
];
