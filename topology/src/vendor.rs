//! Whose card a MAC address is on, from the assignments of the IEEE Registration Authority.
//!
//! Invariant: the longest assigned prefix decides (MA-S of 36 bits, MA-M of 28, MA-L of 24), and an address that no
//! vendor assigned (group or locally administered, IEEE 802c) has none. The table is part of the program and is
//! searched in place: nothing is parsed at start and nothing is allocated. `data/make_oui.py` makes the table and
//! documents its format.
//!
//! It does not know what kind of machine it is: a vendor is one piece of evidence among others.

use crate::MacAddr;

static TABLE: Table = Table::over(include_bytes!("../data/oui.bin"));

/// Returns the short name of the vendor that `mac` was assigned to, such as `Huawei` or `Hikvision`.
///
/// Returns `None` for group addresses, locally administered addresses (virtual machines, privacy addresses of phones)
/// and blocks that are unassigned or registered without a name.
pub fn of(mac: MacAddr) -> Option<&'static str> {
    if !mac.is_unicast() || mac.is_local() {
        return None;
    }
    TABLE.vendor(mac.to_u64())
}

/// The parts of the embedded file.
struct Table {
    small: Block,
    medium: Block,
    large: Block,
    /// Where each name starts in `pool`, three bytes each; one more than there are names.
    starts: &'static [[u8; 3]],
    pool: &'static [u8],
}

/// The prefixes of one length.
struct Block {
    prefixes: Prefixes,
    names: &'static [[u8; 2]],
}

/// Sorted prefixes, each at the low end of its bytes.
enum Prefixes {
    Bits24(&'static [[u8; 3]]),
    Bits28(&'static [[u8; 4]]),
    Bits36(&'static [[u8; 5]]),
}

impl Table {
    /// Returns the view of `file`. Runs in the compiler: a file that is too short does not build.
    const fn over(file: &'static [u8]) -> Self {
        let (header, rest) = arrays::<4>(file, 4);
        let (prefixes, rest) = arrays(rest, number(&header[0]));
        let (names, rest) = arrays(rest, number(&header[0]));
        let large = Block { prefixes: Prefixes::Bits24(prefixes), names };
        let (prefixes, rest) = arrays(rest, number(&header[1]));
        let (names, rest) = arrays(rest, number(&header[1]));
        let medium = Block { prefixes: Prefixes::Bits28(prefixes), names };
        let (prefixes, rest) = arrays(rest, number(&header[2]));
        let (names, rest) = arrays(rest, number(&header[2]));
        let small = Block { prefixes: Prefixes::Bits36(prefixes), names };
        let (starts, pool) = arrays(rest, number(&header[3]) + 1);
        Self { small, medium, large, starts, pool }
    }

    fn vendor(&self, mac: u64) -> Option<&'static str> {
        let name = [&self.small, &self.medium, &self.large].into_iter().find_map(|block| block.name(mac))?;
        let start = number(self.starts.get(name)?);
        let end = number(self.starts.get(name + 1)?);
        std::str::from_utf8(self.pool.get(start..end)?).ok()
    }
}

impl Block {
    /// Returns the index of the name whose prefix `mac` starts with.
    fn name(&self, mac: u64) -> Option<usize> {
        let found = match self.prefixes {
            Prefixes::Bits24(prefixes) => find(prefixes, mac >> 24),
            Prefixes::Bits28(prefixes) => find(prefixes, mac >> 20),
            Prefixes::Bits36(prefixes) => find(prefixes, mac >> 12),
        }?;
        self.names.get(found).map(|name| number(name))
    }
}

fn find<const N: usize>(prefixes: &[[u8; N]], prefix: u64) -> Option<usize> {
    prefixes.binary_search_by_key(&prefix, |row| number(row) as u64).ok()
}

/// Returns the first `count` rows of `N` bytes, and what follows them.
const fn arrays<const N: usize>(bytes: &'static [u8], count: usize) -> (&'static [[u8; N]], &'static [u8]) {
    let (rows, rest) = bytes.split_at(count * N);
    let (rows, _) = rows.as_chunks::<N>();
    (rows, rest)
}

/// Returns the big-endian number in `bytes`.
const fn number(bytes: &[u8]) -> usize {
    let mut value = 0;
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        value = (value << 8) | *first as usize;
        rest = tail;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(mac: &str) -> Option<&'static str> {
        of(mac.parse().expect("a MAC address in the test"))
    }

    #[test]
    fn the_vendors_of_this_network_have_the_names_that_people_use() {
        for (mac, name) in [
            ("00:e0:fc:12:34:56", "Huawei"),
            ("48:7b:6b:00:00:01", "Huawei"),
            ("3c:8c:40:00:00:01", "H3C"),
            ("00:0f:e2:00:00:01", "H3C"),
            ("00:d0:f8:00:00:01", "Ruijie"),
            ("00:15:eb:00:00:01", "ZTE"),
            ("00:03:0f:00:00:01", "Digital China"),
            ("44:19:b6:00:00:01", "Hikvision"),
            ("3c:ef:8c:00:00:01", "Dahua"),
            ("00:1b:21:3c:4d:5e", "Intel"),
            ("00:00:0c:00:00:01", "Cisco"),
            ("00:05:85:00:00:01", "Juniper"),
            ("00:04:f2:00:00:01", "Polycom"),
            ("00:50:56:00:00:01", "VMware"),
        ] {
            assert_eq!(vendor(mac), Some(name), "{mac}");
        }
    }

    #[test]
    fn the_longest_prefix_decides() {
        // 70:b3:d5 is split by IEEE into blocks of 36 bits, 74:1a:e0 into blocks of 28 bits.
        assert_eq!(vendor("70:b3:d5:71:9a:bc"), Some("2M Technology"));
        assert_eq!(vendor("70:b3:d5:f2:f0:01"), Some("Teleplatforms"));
        assert_eq!(vendor("20:85:93:b0:00:01"), Some("IOG Products"));
        assert_eq!(vendor("00:50:c2:7d:50:01"), Some("Deuta-Werke"));
    }

    #[test]
    fn an_address_that_no_vendor_assigned_has_none() {
        assert_eq!(vendor("02:e0:fc:12:34:56"), None, "locally administered");
        assert_eq!(vendor("01:e0:fc:12:34:56"), None, "group");
        assert_eq!(vendor("00:00:00:00:00:00"), None, "zero, though 00:00:00 is assigned");
        assert_eq!(vendor("74:1a:e0:90:00:01"), None, "registered as private");
    }

    #[test]
    fn every_row_of_the_table_leads_to_a_name() {
        fn walk<const N: usize>(prefixes: &[[u8; N]], block: &Block, shift: u32) {
            assert_eq!(prefixes.len(), block.names.len());
            assert!(prefixes.is_sorted_by(|a, b| a < b), "sorted, each once");
            for prefix in prefixes {
                let mac = (number(prefix) as u64) << shift;
                assert!(block.name(mac).is_some());
                assert!(TABLE.vendor(mac).is_some_and(|name| name.trim() == name && name.len() > 1), "{mac:x}");
            }
        }
        for (block, least) in [(&TABLE.large, 30_000), (&TABLE.medium, 4_000), (&TABLE.small, 9_000)] {
            match block.prefixes {
                Prefixes::Bits24(prefixes) => walk(prefixes, block, 24),
                Prefixes::Bits28(prefixes) => walk(prefixes, block, 20),
                Prefixes::Bits36(prefixes) => walk(prefixes, block, 12),
            }
            assert!(block.names.len() > least, "{}", block.names.len());
        }
        assert!(include_bytes!("../data/oui.bin").len() < 900 * 1024);
    }
}
