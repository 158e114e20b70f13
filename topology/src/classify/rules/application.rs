//! What programs say inside their connections: HTTP, TLS, SSH, SIP, and which protocols are spoken at all.

use super::{
    Pattern::{Has, HasAll, Is, OneOf, Starts, Under},
    Rule,
    Says::{Class, Os, Version},
    rule,
};
use crate::classify::{
    DeviceClass::{
        Camera, Controller, EnvironmentalMonitor, Mobile, NetworkDevice, Pc, Phone, Power, Printer, Recorder, Server,
        Storage, VideoTerminal,
    },
    OsFamily::{Android, Bsd, HarmonyOs, Ios, Kylin, Linux, MacOs, Uos, Windows},
};

pub(super) const HTTP_AGENT: &[Rule] = &[
    rule(Has("Windows NT 10.0"), &[Os(Windows, 40), Class(Pc, 15), Version(Windows, "10 or later", 30)]),
    rule(Has("Windows NT 6.3"), &[Os(Windows, 40), Class(Pc, 12), Version(Windows, "8.1 or Server 2012 R2", 30)]),
    rule(Has("Windows NT 6.2"), &[Os(Windows, 40), Class(Pc, 12), Version(Windows, "8 or Server 2012", 30)]),
    rule(Has("Windows NT 6.1"), &[Os(Windows, 40), Class(Pc, 12), Version(Windows, "7 or Server 2008 R2", 30)]),
    rule(Has("Windows NT 6.0"), &[Os(Windows, 40), Version(Windows, "Vista or Server 2008", 30)]),
    rule(Has("Windows NT 5.1"), &[Os(Windows, 40), Class(Pc, 12), Version(Windows, "XP", 30)]),
    rule(Has("Windows NT 5.2"), &[Os(Windows, 40), Version(Windows, "Server 2003", 30)]),
    rule(Starts("Microsoft-CryptoAPI"), &[Os(Windows, 45)]),
    rule(Starts("Microsoft NCSI"), &[Os(Windows, 45)]),
    rule(Starts("Windows-Update-Agent"), &[Os(Windows, 45)]),
    rule(Starts("Microsoft BITS"), &[Os(Windows, 45)]),
    rule(Has("(iPhone;"), &[Os(Ios, 45), Class(Mobile, 45)]),
    rule(Has("(iPad;"), &[Os(Ios, 45), Class(Mobile, 45)]),
    rule(HasAll(&["Macintosh", "Mac OS X"]), &[Os(MacOs, 40), Class(Pc, 30)]),
    rule(Starts("CaptiveNetworkSupport"), &[Os(Ios, 20), Os(MacOs, 20)]),
    rule(HasAll(&["Linux", "Android"]), &[Os(Android, 45), Class(Mobile, 30)]),
    rule(Starts("Dalvik/"), &[Os(Android, 50), Class(Mobile, 30)]),
    rule(Has("HarmonyOS"), &[Os(HarmonyOs, 50), Class(Mobile, 15)]),
    rule(Has("OpenHarmony"), &[Os(HarmonyOs, 50), Class(Mobile, 15)]),
    rule(Has("Kylin"), &[Os(Kylin, 45), Class(Pc, 15)]),
    rule(Has("UOS"), &[Os(Uos, 45), Class(Pc, 15)]),
    rule(HasAll(&["X11", "Linux"]), &[Os(Linux, 40), Class(Pc, 15)]),
    rule(Starts("Debian APT"), &[Os(Linux, 45), Version(Linux, "Debian or Ubuntu", 25)]),
    rule(HasAll(&["Ubuntu", "Linux"]), &[Os(Linux, 40), Version(Linux, "Ubuntu", 30)]),
    rule(Starts("urlgrabber/"), &[Os(Linux, 40)]),
    rule(Starts("libdnf"), &[Os(Linux, 40)]),
    rule(Has("Hikvision"), &[Class(Camera, 25), Class(Recorder, 20)]),
];

/// Of HTTP and of RTSP.
pub(super) const HTTP_SERVER: &[Rule] = &[
    rule(Starts("Microsoft-IIS"), &[Os(Windows, 40), Class(Server, 20)]),
    rule(Starts("Microsoft-HTTPAPI"), &[Os(Windows, 35)]),
    rule(HasAll(&["Apache", "Ubuntu"]), &[Os(Linux, 40), Class(Server, 15), Version(Linux, "Ubuntu", 30)]),
    rule(HasAll(&["Apache", "Debian"]), &[Os(Linux, 40), Class(Server, 15), Version(Linux, "Debian", 30)]),
    rule(HasAll(&["Apache", "CentOS"]), &[Os(Linux, 40), Class(Server, 20), Version(Linux, "CentOS", 30)]),
    rule(HasAll(&["Apache", "Win"]), &[Os(Windows, 35), Class(Server, 12)]),
    rule(Starts("Apache-Coyote"), &[Class(Server, 20)]),
    rule(Starts("nginx"), &[Class(Server, 8)]),
    rule(Has("Hikvision"), &[Class(Camera, 40), Class(Recorder, 25)]),
    rule(Is("App-webs/"), &[Class(Camera, 30), Class(Recorder, 20)]),
    rule(Starts("DNVRS-Webs"), &[Class(Recorder, 40), Class(Camera, 20)]),
    rule(Starts("DVRDVS-Webs"), &[Class(Recorder, 40), Class(Camera, 20)]),
    rule(Has("Dahua"), &[Class(Camera, 35), Class(Recorder, 25)]),
    rule(Starts("Rtsp Server"), &[Class(Camera, 20), Class(Recorder, 12)]),
    rule(Has("ipcamera"), &[Class(Camera, 40)]),
    rule(Starts("HP HTTP Server"), &[Class(Printer, 45)]),
    rule(Has("Virata-EmWeb"), &[Class(Printer, 20), Class(NetworkDevice, 15)]),
    rule(Starts("EPSON"), &[Class(Printer, 45)]),
    rule(Starts("CANON HTTP"), &[Class(Printer, 45)]),
    rule(Starts("KM-MFP"), &[Class(Printer, 45)]),
    rule(Has("debut/"), &[Class(Printer, 40)]),
    rule(Starts("Lexmark"), &[Class(Printer, 45)]),
    rule(Starts("cisco-IOS"), &[Class(NetworkDevice, 50)]),
    rule(Starts("HUAWEI"), &[Class(NetworkDevice, 25)]),
    rule(Starts("Polycom"), &[Class(VideoTerminal, 30), Class(Phone, 25)]),
    rule(Starts("Synology"), &[Class(Storage, 45)]),
    rule(Starts("Allegro-Software"), &[Class(NetworkDevice, 8), Class(Power, 8)]),
];

/// A JA4 names the version, the number of suites and extensions, and the first protocol offered; few of its values are a
/// system's alone.
pub(super) const TLS_CLIENT: &[Rule] = &[
    // Windows' own library asks so for updates, certificates and the like.
    rule(Starts("t12d190"), &[Os(Windows, 10)]),
    rule(Starts("t12d210"), &[Os(Windows, 10)]),
];

/// Subjects of certificates that makers put into their devices.
pub(super) const TLS_CERTIFICATE: &[Rule] = &[
    rule(Has("Hikvision"), &[Class(Camera, 35), Class(Recorder, 30)]),
    rule(Has("Dahua"), &[Class(Camera, 35), Class(Recorder, 30)]),
    rule(Has("Uniview"), &[Class(Camera, 35), Class(Recorder, 30)]),
    rule(Has("AXIS Communications"), &[Class(Camera, 45)]),
    rule(Has("Polycom"), &[Class(VideoTerminal, 30), Class(Phone, 25)]),
    rule(Has("Yealink"), &[Class(Phone, 45), Class(VideoTerminal, 10)]),
    rule(Has("Grandstream"), &[Class(Phone, 45)]),
    rule(Has("HP-IPG"), &[Class(Printer, 45)]),
    rule(Has("O=EPSON"), &[Class(Printer, 45)]),
    rule(Has("O=Brother Industries"), &[Class(Printer, 45)]),
    rule(Has("O=Lexmark"), &[Class(Printer, 45)]),
    rule(Has("Synology"), &[Class(Storage, 45)]),
    rule(Has("QNAP"), &[Class(Storage, 45)]),
    rule(Has("CN=iDRAC"), &[Class(Server, 45)]),
    rule(Has("CN=ILO"), &[Class(Server, 40)]),
    rule(Has("VMware"), &[Class(Server, 30)]),
    rule(Has("IOS-Self-Signed-Certificate"), &[Class(NetworkDevice, 50)]),
    rule(Has("Fortinet"), &[Class(NetworkDevice, 40)]),
    rule(Has("SANGFOR"), &[Class(NetworkDevice, 40)]),
    rule(Has("Topsec"), &[Class(NetworkDevice, 40)]),
    rule(Has("Hillstone"), &[Class(NetworkDevice, 40)]),
    rule(Has("American Power Conversion"), &[Class(Power, 45)]),
    // What Windows makes for its own remote desktop and management would name the host alone: no rule.
];

/// Names that programs of a system or a maker ask for by themselves, on networks from which they can be reached or not.
pub(super) const TLS_NAME: &[Rule] = &[
    rule(Under("windowsupdate.com"), &[Os(Windows, 30)]),
    rule(Under("update.microsoft.com"), &[Os(Windows, 35)]),
    rule(Under("events.data.microsoft.com"), &[Os(Windows, 30)]),
    rule(Under("wns.windows.com"), &[Os(Windows, 40)]),
    rule(Under("push.apple.com"), &[Os(Ios, 20), Os(MacOs, 20)]),
    rule(Under("mesu.apple.com"), &[Os(Ios, 25), Os(MacOs, 25)]),
    rule(Under("connectivitycheck.gstatic.com"), &[Os(Android, 30)]),
    rule(Under("mtalk.google.com"), &[Os(Android, 25)]),
    rule(Under("connectivitycheck.platform.hicloud.com"), &[Os(HarmonyOs, 25), Os(Android, 20)]),
    rule(Under("connect.rom.miui.com"), &[Os(Android, 35), Class(Mobile, 25)]),
    rule(Under("archive.kylinos.cn"), &[Os(Kylin, 40)]),
    rule(Under("packages.chinauos.com"), &[Os(Uos, 40)]),
    rule(Under("archive.ubuntu.com"), &[Os(Linux, 30)]),
    rule(Under("deb.debian.org"), &[Os(Linux, 35)]),
    rule(Under("hik-connect.com"), &[Class(Camera, 25), Class(Recorder, 25)]),
    rule(Under("ys7.com"), &[Class(Camera, 25), Class(Recorder, 15)]),
    rule(Under("easy4ipcloud.com"), &[Class(Camera, 25), Class(Recorder, 25)]),
];

pub(super) const SSH_BANNER: &[Rule] = &[
    rule(Has("Ubuntu"), &[Os(Linux, 50), Version(Linux, "Ubuntu", 40)]),
    rule(Has("Debian"), &[Os(Linux, 50), Version(Linux, "Debian", 40)]),
    rule(Has("Raspbian"), &[Os(Linux, 50), Version(Linux, "Raspbian", 40)]),
    rule(Has("FreeBSD"), &[Os(Bsd, 50)]),
    rule(Has("Kylin"), &[Os(Kylin, 50)]),
    rule(Has("for_Windows"), &[Os(Windows, 50)]),
    rule(Has("dropbear"), &[Os(Linux, 15)]),
    rule(Has("Cisco-"), &[Class(NetworkDevice, 50)]),
    rule(Has("HUAWEI-"), &[Class(NetworkDevice, 50)]),
    rule(Has("Comware"), &[Class(NetworkDevice, 50)]),
    rule(Has("RGOS"), &[Class(NetworkDevice, 50)]),
    rule(Has("ROSSSH"), &[Class(NetworkDevice, 50)]),
    rule(Has("mpSSH"), &[Class(Server, 40)]),
    rule(Has("PuTTY"), &[Os(Windows, 20), Class(Pc, 12)]),
];

pub(super) const SIP_AGENT: &[Rule] = &[
    rule(Has("Yealink"), &[Class(Phone, 50), Class(VideoTerminal, 10)]),
    rule(Has("Grandstream"), &[Class(Phone, 50)]),
    rule(Has("PolycomRealPresence"), &[Class(VideoTerminal, 60)]),
    rule(Has("PolycomVVX"), &[Class(Phone, 60)]),
    rule(Has("Polycom"), &[Class(VideoTerminal, 30), Class(Phone, 25)]),
    rule(Has("TANDBERG"), &[Class(VideoTerminal, 55)]),
    rule(Has("Huawei TE"), &[Class(VideoTerminal, 55)]),
    rule(Has("Huawei Box"), &[Class(VideoTerminal, 55)]),
    rule(Has("eSpace"), &[Class(Phone, 45)]),
    rule(Has("Cisco-CP"), &[Class(Phone, 60)]),
    rule(Has("Embedded Net DVR"), &[Class(Camera, 30), Class(Recorder, 30)]),
    rule(Has("IP Camera"), &[Class(Camera, 50)]),
    rule(Has("Hikvision"), &[Class(Camera, 35), Class(Recorder, 25)]),
    rule(Has("Asterisk"), &[Class(Server, 45)]),
    rule(Has("FreeSWITCH"), &[Class(Server, 45)]),
];

/// Values are names of applications, see [`crate::Application`].
pub(super) const SPEAKS: &[Rule] = &[
    rule(Is("hj212"), &[Class(EnvironmentalMonitor, 60)]),
    rule(Is("gb28181"), &[Class(Camera, 40), Class(Recorder, 35)]),
    rule(Is("h323"), &[Class(VideoTerminal, 45), Class(Phone, 5)]),
    rule(Is("sip"), &[Class(Phone, 25), Class(VideoTerminal, 15)]),
    rule(OneOf(&["rdp", "smb", "kerberos"]), &[Class(Pc, 6)]),
];

pub(super) const SERVES: &[Rule] = &[
    rule(Is("rtsp"), &[Class(Camera, 40), Class(Recorder, 25)]),
    rule(Is("gb28181"), &[Class(Camera, 25), Class(Recorder, 30), Class(Server, 15)]),
    // Who takes what monitors report.
    rule(Is("hj212"), &[Class(Server, 40)]),
    rule(Is("h323"), &[Class(VideoTerminal, 40)]),
    rule(OneOf(&["modbus", "dnp3", "iec104"]), &[Class(Controller, 45)]),
    rule(
        OneOf(&["mysql", "postgresql", "oracle_tns", "mssql", "redis", "ldap", "kerberos", "smtp", "imap", "pop3"]),
        &[Class(Server, 35)],
    ),
    rule(Is("rdp"), &[Os(Windows, 25)]),
];
