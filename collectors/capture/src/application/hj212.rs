//! HJ 212: what monitors of water, air, noise and dust report to environmental authorities, editions of 2005, 2017 and 2025.
//!
//! Format: `##`, the length of the data in four digits, the data, four hexadecimal digits of checksum, CR LF. The data are
//! `QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;CP=&&…&&`: when, kind of system, command, password, number of the device, flags, contents.
//! The upper six bits of the flags are the edition. The password is passed over. Contents may be encrypted (edition of 2025).

use super::{
    Detail, Look, Notes, Progress, Verdict,
    reader::{Reader, between, contains, decimal, split_once},
};

/// The most data that a message has room for.
const DATA_MAX: usize = 9_999;

/// A message, as far as it is here.
struct Message<'a> {
    data: &'a [u8],
    /// Whether the checksum fits; unknown when it is not here.
    fits: Option<bool>,
}

impl<'a> Message<'a> {
    fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        reader.take(2).filter(|mark| *mark == b"##")?;
        let length = decimal(reader.take(4)?).filter(|length| *length <= DATA_MAX)?;
        let data = reader.take_most(length);
        let stated = reader.take(4).and_then(|digits| std::str::from_utf8(digits).ok());
        let fits = stated.map(|stated| u16::from_str_radix(stated, 16) == Ok(checksum(data)));
        Some(Self { data, fits })
    }

    /// Returns the value of a field of the data, in front of the contents.
    fn field(&self, key: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.data;
        loop {
            let (field, after) = split_once(rest, b';').unwrap_or((rest, b""));
            let (name, value) = split_once(field, b'=')?;
            match name {
                _ if name == key => return Some(value.trim_ascii()),
                b"CP" => return None,
                _ => rest = after,
            }
        }
    }

    /// Returns whether the fields are the standard's.
    fn is_usual(&self) -> bool {
        let begins = [&b"QN="[..], b"ST=", b"CN=", b"MN=", b"PW="].iter().any(|key| self.data.starts_with(key));
        begins && contains(self.data, b"CP=")
    }
}

/// The checksum of appendix A: the byte is added to the upper half of the rest, unlike in Modbus.
fn checksum(data: &[u8]) -> u16 {
    data.iter().fold(0xffff, |rest: u16, byte| {
        (0..8).fold(rest >> 8 ^ u16::from(*byte), |rest, _| if rest & 1 != 0 { rest >> 1 ^ 0xa001 } else { rest >> 1 })
    })
}

/// Returns whether the payload begins with a message.
pub(super) fn test(look: &Look<'_>) -> Verdict {
    match Message::parse(look.payload) {
        Some(message) if message.is_usual() || message.fits == Some(true) => Verdict::Yes,
        Some(message) if message.fits.is_none() && look.tcp => Verdict::Short,
        None if b"##".starts_with(look.payload.get(..2).unwrap_or_default()) && look.payload.len() < 6 && look.tcp => {
            Verdict::Short
        }
        _ => Verdict::No,
    }
}

/// Notes the device, its kind, the command and the edition; and that a checksum does not fit.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some(message) = Message::parse(look.payload) else { return Progress::More };
    if message.fits.is_none() && look.tcp {
        return Progress::Partial;
    }
    for (key, kind) in [(&b"MN"[..], Detail::Device), (b"ST", Detail::System), (b"CN", Detail::Command)] {
        notes.note(kind, message.field(key).unwrap_or_default());
    }
    // Earlier editions have the flags among the contents.
    let flags = message.field(b"Flag").or_else(|| between(message.data, b"Flag=", b";")).and_then(decimal);
    let edition = match flags.unwrap_or_default() >> 2 {
        0 => "HJ/T 212-2005",
        1 => "HJ 212-2017",
        2 => "HJ 212-2025",
        _ => "",
    };
    notes.note(Detail::Version, edition.as_bytes());
    if message.fits == Some(false) {
        notes.note(Detail::Fault, b"checksum");
    }
    if notes.has(Detail::Device) { Progress::Done } else { Progress::More }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standards_example() {
        let data =
            b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&";
        assert_eq!((data.len(), checksum(data)), (101, 0x1c80));
    }
}
