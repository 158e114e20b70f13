//! MAC addresses with assigned vendor prefixes, since those that the kernel makes up have none.

use onenet_topology::MacAddr;

/// A vendor whose prefix the IEEE assigned, with a word that its registered name contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// Huawei Technologies.
    Huawei,
    /// Hangzhou H3C Technologies.
    H3c,
    /// Hewlett Packard.
    Hp,
    /// Dell.
    Dell,
    /// Intel Corporate.
    Intel,
    /// Hangzhou Hikvision Digital Technology.
    Hikvision,
    /// Polycom.
    Polycom,
}

impl Vendor {
    /// Returns the assigned prefix.
    pub const fn prefix(self) -> [u8; 3] {
        match self {
            Self::Huawei => [0x00, 0xe0, 0xfc],
            Self::H3c => [0x00, 0x0f, 0xe2],
            Self::Hp => [0x3c, 0x52, 0x82],
            Self::Dell => [0x48, 0x4d, 0x7e],
            Self::Intel => [0x00, 0x1b, 0x21],
            Self::Hikvision => [0x44, 0x19, 0xb6],
            Self::Polycom => [0x00, 0x04, 0xf2],
        }
    }

    /// Returns a word of the registered name, in lower case, to look for in what the product shows.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Huawei => "huawei",
            Self::H3c => "h3c",
            Self::Hp => "hewlett",
            Self::Dell => "dell",
            Self::Intel => "intel",
            Self::Hikvision => "hikvision",
            Self::Polycom => "polycom",
        }
    }

    /// Returns the vendor's card number `serial`.
    pub const fn mac(self, serial: u16) -> MacAddr {
        let [a, b, c] = self.prefix();
        let [high, low] = serial.to_be_bytes();
        MacAddr([a, b, c, 0x5a, high, low])
    }
}
