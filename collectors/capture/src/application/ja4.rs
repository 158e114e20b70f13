//! JA4, the fingerprint of a TLS client, after FoxIO's published specification (technical_details/JA4.md, BSD 3-clause).
//!
//! Format: `t13d1516h2_8daaf6152771_e5627efa2ab1`: transport, version, whether a name was asked for, numbers of ciphers and
//! extensions, first and last of the first application protocol; then twelve digits of a hash over the sorted ciphers, and
//! twelve over the sorted extensions (without name and application protocols) and the signature algorithms in their order.
//! GREASE values (RFC 8701) count nowhere.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use super::reader::Reader;

/// How many ciphers, extensions or algorithms are taken in: far more than any client has.
const LIST_MAX: usize = 512;
/// What stands for a list without members.
const NOTHING: &str = "000000000000";

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// What a hello is carried by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    Tcp,
    Quic,
    Datagrams,
}

/// The parts of a client's hello that are counted and hashed.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) carrier: Carrier,
    /// The highest version offered.
    pub(super) version: u16,
    pub(super) ciphers: Reader<'a>,
    /// Kinds of the extensions in their order.
    pub(super) extensions: Vec<u16>,
    pub(super) signature_algorithms: Reader<'a>,
    /// The first application protocol, empty without.
    pub(super) alpn: &'a [u8],
}

/// Returns whether a value is one of those that say nothing (RFC 8701).
pub(super) const fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

impl Parts<'_> {
    /// Returns the fingerprint.
    pub(super) fn fingerprint(&self) -> String {
        let mut ciphers = values(self.ciphers);
        let mut extensions: Vec<_> = self.extensions.iter().copied().filter(|kind| !is_grease(*kind)).collect();
        let carrier = match self.carrier {
            Carrier::Tcp => 't',
            Carrier::Quic => 'q',
            Carrier::Datagrams => 'd',
        };
        let name = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
        let (version, [first, last]) = (version(self.version), ends(self.alpn));
        let counts = [ciphers.len().min(99), extensions.len().min(99)];
        ciphers.sort_unstable();
        extensions.retain(|kind| !matches!(*kind, SERVER_NAME | ALPN));
        extensions.sort_unstable();
        let mut told = list(&extensions);
        let algorithms = values(self.signature_algorithms);
        if !algorithms.is_empty() {
            told.push('_');
            told.push_str(&list(&algorithms));
        }
        let hashes = [
            if ciphers.is_empty() { NOTHING.to_owned() } else { hash(&list(&ciphers)) },
            if extensions.is_empty() { NOTHING.to_owned() } else { hash(&told) },
        ];
        let [cipher_hash, extension_hash] = hashes;
        let [cipher_count, extension_count] = counts;
        format!(
            "{carrier}{version}{name}{cipher_count:02}{extension_count:02}{first}{last}_{cipher_hash}_{extension_hash}"
        )
    }
}

fn values(mut reader: Reader<'_>) -> Vec<u16> {
    std::iter::from_fn(|| reader.be16()).filter(|value| !is_grease(*value)).take(LIST_MAX).collect()
}

fn list(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len().saturating_mul(5));
    for (at, value) in values.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{value:04x}", if at == 0 { "" } else { "," });
    }
    text
}

/// Returns the first twelve digits of the text's hash.
fn hash(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(6).fold(String::with_capacity(12), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

const fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// Returns the first and the last character of a protocol's name, of its hexadecimal form where one of them is neither
/// letter nor digit.
fn ends(alpn: &[u8]) -> [char; 2] {
    let (Some(&first), Some(&last)) = (alpn.first(), alpn.last()) else { return ['0', '0'] };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first.into(), last.into()];
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble & 15), 16).unwrap_or('0');
    [digit(first >> 4), digit(last)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIPHERS: [u16; 15] = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
        0x0035,
    ];
    const EXTENSIONS: [u16; 16] = [
        0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b,
        0x000a, 0x0015,
    ];
    const ALGORITHMS: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

    fn bytes(values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_be_bytes()).collect()
    }

    fn fingerprint(carrier: Carrier, ciphers: &[u16], extensions: &[u16], algorithms: &[u16], alpn: &[u8]) -> String {
        let (ciphers, algorithms) = (bytes(ciphers), bytes(algorithms));
        let parts = Parts {
            carrier,
            version: 0x0304,
            ciphers: Reader::new(&ciphers),
            extensions: extensions.to_vec(),
            signature_algorithms: Reader::new(&algorithms),
            alpn,
        };
        parts.fingerprint()
    }

    #[test]
    fn the_example_of_the_specification_has_its_published_fingerprint() {
        let told = fingerprint(Carrier::Tcp, &CIPHERS, &EXTENSIONS, &ALGORITHMS, b"h2");
        assert_eq!(told, "t13d1516h2_8daaf6152771_e5627efa2ab1");
        let greased = [&[0x5a5a], &CIPHERS[..]].concat();
        let extensions = [&[0xfafa], &EXTENSIONS[..], &[0x1a1a]].concat();
        assert_eq!(fingerprint(Carrier::Tcp, &greased, &extensions, &ALGORITHMS, b"h2"), told);
    }

    #[test]
    fn without_signature_algorithms_the_hash_is_the_published_one() {
        let told = fingerprint(Carrier::Quic, &CIPHERS, &EXTENSIONS, &[], b"h3");
        assert_eq!(told, "q13d1516h3_8daaf6152771_6d807ffa2a79");
    }

    #[test]
    fn lists_without_members_have_zeros_for_a_hash() {
        assert_eq!(fingerprint(Carrier::Tcp, &[], &[], &[], b""), "t13i000000_000000000000_000000000000");
        let named = fingerprint(Carrier::Datagrams, &[0x1301], &[SERVER_NAME, ALPN], &ALGORITHMS, b"");
        assert!(named.starts_with("d13d010200_") && named.ends_with("_000000000000"), "{named}");
    }

    #[test]
    fn ends_of_an_application_protocol_are_those_of_the_specification() {
        let told = |alpn: &[u8]| ends(alpn).iter().collect::<String>();
        let examples: [(&[u8], &str); 9] = [
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"", "00"),
            (b"x", "xx"),
            (&[0xab], "ab"),
            (&[0xab, 0xcd], "ad"),
            (&[0x30, 0xab], "3b"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
        ];
        for (alpn, expected) in examples {
            assert_eq!(told(alpn), expected, "{alpn:02x?}");
        }
    }
}
