//! What endpoints say of themselves by the protocols of discovery.

use super::{
    Pattern::{Any, Has, HasAll, Is, OneOf, Starts},
    Rule,
    Says::{Class, Os, Version},
    rule,
};
use crate::classify::{
    DeviceClass::{
        Camera, Controller, Media, Mobile, NetworkDevice, Pc, Phone, Power, Printer, Recorder, Server, Storage,
        VideoTerminal,
    },
    OsFamily::{Android, Bsd, Ios, Linux, MacOs, Windows},
};

pub(super) const MDNS_SERVICE: &[Rule] = &[
    // Computers share printers too, so that these services alone are not the last word.
    rule(
        OneOf(&[
            "_ipp._tcp",
            "_ipps._tcp",
            "_pdl-datastream._tcp",
            "_printer._tcp",
            "_scanner._tcp",
            "_uscan._tcp",
            "_uscans._tcp",
        ]),
        &[Class(Printer, 35)],
    ),
    rule(OneOf(&["_privet._tcp"]), &[Class(Printer, 20)]),
    rule(OneOf(&["_airplay._tcp", "_raop._tcp"]), &[Class(Media, 15), Os(MacOs, 5), Os(Ios, 5)]),
    rule(
        OneOf(&["_googlecast._tcp", "_mediaremotetv._tcp", "_androidtvremote2._tcp", "_spotify-connect._tcp"]),
        &[Class(Media, 35)],
    ),
    rule(Is("_companion-link._tcp"), &[Os(MacOs, 15), Os(Ios, 15)]),
    rule(OneOf(&["_apple-mobdev2._tcp", "_apple-mobdev._tcp"]), &[Os(Ios, 40), Class(Mobile, 40)]),
    rule(OneOf(&["_afpovertcp._tcp", "_rfb._tcp", "_odisk._tcp"]), &[Class(Pc, 12), Class(Storage, 8), Os(MacOs, 12)]),
    rule(OneOf(&["_eppc._tcp", "_net-assistant._udp", "_sleep-proxy._udp"]), &[Os(MacOs, 25)]),
    rule(OneOf(&["_workstation._tcp", "_udisks-ssh._tcp"]), &[Os(Linux, 25)]),
    rule(OneOf(&["_sftp-ssh._tcp", "_ssh._tcp", "_nfs._tcp"]), &[Os(Linux, 8), Os(MacOs, 8)]),
    rule(Is("_adisk._tcp"), &[Class(Storage, 20)]),
    rule(
        OneOf(&["_axis-video._tcp", "_rtsp._tcp", "_onvif._tcp", "_dahua._tcp", "_psia._tcp", "_CGI._tcp"]),
        &[Class(Camera, 40)],
    ),
    rule(OneOf(&["_sip._udp", "_sip._tcp", "_sips._tcp"]), &[Class(Phone, 20), Class(VideoTerminal, 10)]),
    rule(OneOf(&["_hap._tcp", "_hue._tcp", "_matter._tcp", "_matterc._udp"]), &[Class(Controller, 25)]),
    rule(OneOf(&["_home-assistant._tcp", "_mqtt._tcp"]), &[Class(Controller, 15), Class(Server, 5)]),
    rule(OneOf(&["_microsoft_mcc._tcp"]), &[Os(Windows, 25)]),
];

pub(super) const MDNS_MODEL: &[Rule] = &[
    rule(Starts("MacBook"), &[Os(MacOs, 55), Class(Pc, 55)]),
    rule(Starts("iMac"), &[Os(MacOs, 55), Class(Pc, 55)]),
    rule(Starts("Macmini"), &[Os(MacOs, 55), Class(Pc, 45)]),
    rule(Starts("MacPro"), &[Os(MacOs, 55), Class(Pc, 45)]),
    rule(Starts("Mac1"), &[Os(MacOs, 50), Class(Pc, 45)]),
    rule(Starts("iPhone"), &[Os(Ios, 55), Class(Mobile, 60)]),
    rule(Starts("iPad"), &[Os(Ios, 55), Class(Mobile, 60)]),
    rule(Starts("AppleTV"), &[Class(Media, 60)]),
    rule(Starts("AudioAccessory"), &[Class(Media, 60)]),
    rule(Has("Chromecast"), &[Class(Media, 60)]),
    rule(Has("LaserJet"), &[Class(Printer, 60)]),
    rule(Has("OfficeJet"), &[Class(Printer, 60)]),
    rule(Has("printer"), &[Class(Printer, 50)]),
    rule(Has("Pantum"), &[Class(Printer, 50)]),
    rule(Has("EPSON"), &[Class(Printer, 45)]),
    rule(Has("Brother"), &[Class(Printer, 45)]),
    rule(Has("imageRUNNER"), &[Class(Printer, 60)]),
    rule(Has("Xserve"), &[Os(MacOs, 10)]),
    rule(Has("RackMac"), &[Class(Storage, 10), Class(Server, 10)]),
    rule(HasAll(&["linux"]), &[Os(Linux, 35)]),
    rule(Has("windows"), &[Os(Windows, 30)]),
];

pub(super) const LLMNR_QUERY: &[Rule] = &[rule(Any, &[Os(Windows, 20)])];

pub(super) const NETBIOS_SERVICE: &[Rule] = &[
    rule(Is("workstation"), &[Os(Windows, 15)]),
    rule(Is("file_server"), &[Os(Windows, 10)]),
    rule(Is("domain_master"), &[Class(Server, 50), Os(Windows, 20)]),
    rule(Is("domain_controller"), &[Class(Server, 50), Os(Windows, 20)]),
];

/// Versions of Windows NT: `6.1`, `10.0`.
pub(super) const WINDOWS_VERSION: &[Rule] = &[
    rule(Is("10.0"), &[Os(Windows, 45), Version(Windows, "10 or later", 40)]),
    rule(Starts("10.0."), &[Os(Windows, 45), Version(Windows, "10 or later", 40)]),
    rule(Is("6.3"), &[Os(Windows, 45), Version(Windows, "8.1 or Server 2012 R2", 40)]),
    rule(Is("6.2"), &[Os(Windows, 45), Version(Windows, "8 or Server 2012", 40)]),
    // What Samba announces itself as.
    rule(Is("6.1"), &[Os(Windows, 35), Version(Windows, "7 or Server 2008 R2", 40)]),
    rule(Starts("6.1."), &[Os(Windows, 45), Version(Windows, "7 or Server 2008 R2", 40)]),
    rule(Is("6.0"), &[Os(Windows, 45), Version(Windows, "Vista or Server 2008", 40)]),
    rule(Is("5.2"), &[Os(Windows, 45), Version(Windows, "Server 2003", 40), Class(Server, 15)]),
    rule(Is("5.1"), &[Os(Windows, 45), Version(Windows, "XP", 40)]),
    rule(Is("5.0"), &[Os(Windows, 45), Version(Windows, "2000", 40)]),
    rule(Is("4.9"), &[Os(Linux, 20)]),
];

pub(super) const BROWSER_ROLE: &[Rule] = &[
    rule(Is("workstation"), &[Class(Pc, 8)]),
    rule(Is("nt_server"), &[Class(Server, 40)]),
    rule(Is("domain_controller"), &[Class(Server, 50)]),
    rule(Is("sql_server"), &[Class(Server, 20)]),
    rule(Is("print_server"), &[Class(Server, 8), Class(Printer, 8)]),
    rule(Is("unix"), &[Os(Linux, 20)]),
    rule(Is("apple"), &[Os(MacOs, 15)]),
];

/// The form is `system/version UPnP/version product/version`.
pub(super) const SSDP_PRODUCT: &[Rule] = &[
    rule(Starts("Microsoft-Windows/10"), &[Os(Windows, 45), Version(Windows, "10 or later", 30)]),
    rule(Starts("Microsoft-Windows/6.3"), &[Os(Windows, 45), Version(Windows, "8.1 or Server 2012 R2", 30)]),
    rule(Starts("Microsoft-Windows/6.1"), &[Os(Windows, 45), Version(Windows, "7 or Server 2008 R2", 30)]),
    rule(Starts("Microsoft-Windows"), &[Os(Windows, 45)]),
    rule(Starts("Microsoft-Windows-NT"), &[Os(Windows, 45)]),
    rule(HasAll(&["Google Chrome", "Windows"]), &[Os(Windows, 30), Class(Pc, 15)]),
    rule(HasAll(&["Microsoft Edge", "Windows"]), &[Os(Windows, 30), Class(Pc, 15)]),
    rule(HasAll(&["Chrom", "Linux"]), &[Os(Linux, 25), Class(Pc, 15)]),
    rule(HasAll(&["Chrom", "Mac OS X"]), &[Os(MacOs, 30), Class(Pc, 15)]),
    rule(Starts("Linux"), &[Os(Linux, 20)]),
    rule(Starts("Android"), &[Os(Android, 30)]),
    rule(Starts("FreeBSD"), &[Os(Bsd, 25)]),
    rule(Has("MiniUPnPd"), &[Class(NetworkDevice, 25)]),
    rule(Has("Hikvision"), &[Class(Camera, 35), Class(Recorder, 20)]),
    rule(Has("Dahua"), &[Class(Camera, 35), Class(Recorder, 20)]),
    rule(Has("IpCamera"), &[Class(Camera, 45)]),
    rule(Has("Synology"), &[Class(Storage, 45)]),
    rule(Has("QNAP"), &[Class(Storage, 45)]),
    rule(Has("DLNADOC"), &[Class(Media, 12)]),
    rule(Has("Sonos"), &[Class(Media, 45)]),
    rule(Has("printer"), &[Class(Printer, 30)]),
    rule(Has("Huawei-ATP"), &[Class(NetworkDevice, 40)]),
];

pub(super) const SSDP_DEVICE: &[Rule] = &[
    rule(Has("device:InternetGatewayDevice"), &[Class(NetworkDevice, 50)]),
    rule(Has("device:WANDevice"), &[Class(NetworkDevice, 40)]),
    rule(Has("device:WFADevice"), &[Class(NetworkDevice, 15)]),
    rule(Has("device:Printer"), &[Class(Printer, 55)]),
    rule(Has("device:MediaRenderer"), &[Class(Media, 25)]),
    rule(Has("device:MediaServer"), &[Class(Storage, 10), Class(Media, 10), Class(Pc, 5)]),
    rule(Has("dial-multiscreen-org:"), &[Class(Media, 30)]),
    rule(Has("device:ZonePlayer"), &[Class(Media, 45)]),
    rule(Has("device:DigitalSecurityCamera"), &[Class(Camera, 55)]),
    rule(Has("device:EmbeddedNetDevice"), &[Class(Camera, 30), Class(Recorder, 20)]),
    rule(Has("device:BinaryLight"), &[Class(Controller, 40)]),
];

pub(super) const WSD_TYPE: &[Rule] = &[
    rule(Is("NetworkVideoTransmitter"), &[Class(Camera, 60), Class(Recorder, 20)]),
    rule(Is("NetworkVideoStorage"), &[Class(Recorder, 60)]),
    rule(Is("NetworkVideoDisplay"), &[Class(Media, 40), Class(Recorder, 15)]),
    rule(Is("PrintDeviceType"), &[Class(Printer, 60)]),
    rule(Is("PrinterServiceType"), &[Class(Printer, 60)]),
    rule(Is("ScanDeviceType"), &[Class(Printer, 50)]),
    rule(Is("ScannerServiceType"), &[Class(Printer, 50)]),
    // Windows publishes itself so.
    rule(Is("Computer"), &[Class(Pc, 25), Class(Server, 8), Os(Windows, 35)]),
];

/// Models that makers' names give away.
pub(super) const MAKER_MODEL: &[Rule] = &[
    rule(Starts("DS-2"), &[Class(Camera, 60)]),
    rule(Starts("iDS-2"), &[Class(Camera, 60)]),
    rule(Starts("DS-7"), &[Class(Recorder, 60)]),
    rule(Starts("DS-8"), &[Class(Recorder, 60)]),
    rule(Starts("DS-9"), &[Class(Recorder, 60)]),
    rule(Starts("DS-K"), &[Class(Controller, 55)]),
    rule(Starts("DS-6"), &[Class(Recorder, 40)]),
    rule(Starts("IPC"), &[Class(Camera, 60)]),
    rule(Starts("DH-IPC"), &[Class(Camera, 60)]),
    rule(Starts("DH-SD"), &[Class(Camera, 55)]),
    rule(Starts("NVR"), &[Class(Recorder, 60)]),
    rule(Starts("DH-NVR"), &[Class(Recorder, 60)]),
    rule(Starts("HCVR"), &[Class(Recorder, 55)]),
    rule(Starts("TE"), &[Class(VideoTerminal, 25)]),
    rule(Has("UPS"), &[Class(Power, 25)]),
];
