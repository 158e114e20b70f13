//! What kind of machine an endpoint is.

use serde::{Deserialize, Serialize};

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// What kind of machine an endpoint is. Names and numbers are a contract: added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum DeviceClass { $($(#[$doc])* $variant = $number,)* }

        impl DeviceClass {
            /// Every class, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in the API, in metrics and in logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the number used on the wire.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }
        }
    };
}

classes! {
    /// A computer that a person works at.
    Pc = 1 "pc",
    /// A computer that serves others.
    Server = 2 "server",
    /// Prints, scans or copies.
    Printer = 3 "printer",
    /// A telephone on a desk.
    Phone = 4 "phone",
    /// A mobile telephone or tablet.
    Mobile = 5 "mobile",
    /// A video camera.
    Camera = 6 "camera",
    /// Records or distributes what cameras see.
    Recorder = 7 "recorder",
    /// A terminal, server or gateway of video conferences.
    VideoTerminal = 8 "video_terminal",
    /// Forwards, filters or watches what others send: switch, router, firewall, access point.
    NetworkDevice = 9 "network_device",
    /// Measures the environment and reports it (HJ 212), or is the logger that does so for instruments.
    EnvironmentalMonitor = 10 "environmental_monitor",
    /// Keeps files for others.
    Storage = 11 "storage",
    /// Controls machines or buildings: programmable controllers, door controllers, remote terminal units.
    Controller = 12 "controller",
    /// Shows or plays: television sets, projectors, loudspeakers, sticks.
    Media = 13 "media",
    /// Feeds others with power, or watches that: uninterruptible supplies, power distribution.
    Power = 14 "power",
}

impl DeviceClass {
    /// Returns the class of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.number() == number)
    }

    /// Returns the class of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }

    /// Returns whether coverage counts it: computers, not the telephones and cameras beside them.
    pub const fn is_computer(self) -> bool {
        matches!(self, Self::Pc | Self::Server)
    }
}

impl std::fmt::Display for DeviceClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
