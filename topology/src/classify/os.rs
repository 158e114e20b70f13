//! Operating systems, by family.

use serde::{Deserialize, Serialize};

macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal $text:literal,)*) => {
        /// A family of operating systems. Names and numbers are a contract: added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum OsFamily { $($(#[$doc])* $variant = $number,)* }

        impl OsFamily {
            /// Every family, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in the API, in metrics and in logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the number used on the wire.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            /// Returns the name as its maker writes it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

families! {
    /// Microsoft Windows, of desktops and servers.
    Windows = 1 "windows" "Windows",
    /// Linux, whatever the distribution.
    Linux = 2 "linux" "Linux",
    /// Apple's system of computers.
    MacOs = 3 "mac_os" "macOS",
    /// Apple's system of telephones and tablets.
    Ios = 4 "ios" "iOS",
    /// Android.
    Android = 5 "android" "Android",
    /// HarmonyOS and OpenHarmony.
    HarmonyOs = 6 "harmony_os" "HarmonyOS",
    /// Kylin and openKylin (麒麟).
    Kylin = 7 "kylin" "Kylin",
    /// UOS and deepin (统信).
    Uos = 8 "uos" "UOS",
    /// Linux built into a thing: BusyBox and its like.
    EmbeddedLinux = 9 "embedded_linux" "embedded Linux",
    /// FreeBSD, OpenBSD, NetBSD and what is made of them.
    Bsd = 10 "bsd" "BSD",
    /// A small system of a thing: real-time kernels, bare stacks.
    Embedded = 11 "embedded" "embedded system",
    /// Huawei's VRP.
    Vrp = 12 "vrp" "VRP",
    /// H3C's and HPE's Comware.
    Comware = 13 "comware" "Comware",
    /// Ruijie's RGOS.
    Rgos = 14 "rgos" "RGOS",
    /// ZTE's ZXROS.
    Zxros = 15 "zxros" "ZXROS",
    /// Cisco's IOS, IOS XE and NX-OS.
    CiscoIos = 16 "cisco_ios" "Cisco IOS",
    /// Juniper's Junos.
    Junos = 17 "junos" "Junos",
    /// VMware's ESXi.
    Esxi = 18 "esxi" "ESXi",
    /// Solaris and its descendants.
    Solaris = 19 "solaris" "Solaris",
    /// MikroTik's RouterOS.
    RouterOs = 20 "router_os" "RouterOS",
}

impl OsFamily {
    /// Returns the family of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.number() == number)
    }

    /// Returns the family of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.name() == name)
    }

    /// Returns the family that this one is a branch of: what speaks for that does not speak against this.
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Android | Self::HarmonyOs | Self::Kylin | Self::Uos | Self::EmbeddedLinux | Self::RouterOs => {
                Some(Self::Linux)
            }
            _ => None,
        }
    }

    /// Returns whether one of the two is a branch of the other, or both are the same.
    pub fn agrees_with(self, other: Self) -> bool {
        self == other || self.parent() == Some(other) || other.parent() == Some(self)
    }
}

impl std::fmt::Display for OsFamily {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}
