//! NTLM messages (MS-NLMP) inside of other protocols: hosts name themselves and their system.
//!
//! What proves a password (challenges, responses) is not read.

use super::{
    Detail, Notes,
    reader::{Reader, find, utf16},
};

const SIGNATURE: &[u8] = b"NTLMSSP\0";
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;
/// How far into a message the signature is looked for.
const DEPTH_MAX: usize = 512;

/// Attributes of a challenge.
const COMPUTER: u16 = 1;
const DNS_COMPUTER: u16 = 3;

/// Notes who the hosts say they are.
pub(super) fn read(message: &[u8], from_originator: bool, notes: &mut Notes<'_>) {
    let head = message.get(..DEPTH_MAX).unwrap_or(message);
    if let Some(token) = find(head, SIGNATURE).and_then(|at| message.get(at..)) {
        // What is cut short says less.
        let _ = token_said(token, from_originator, notes);
    }
}

fn token_said(token: &[u8], from_originator: bool, notes: &mut Notes<'_>) -> Option<()> {
    let mut reader = Reader::new(token.get(SIGNATURE.len()..)?);
    match reader.le32()? {
        CHALLENGE if !from_originator => {
            let _target = reader.take(8)?;
            let (_flags, _challenge, _reserved) = (reader.le32()?, reader.take(8)?, reader.take(8)?);
            let attributes = field(token, &mut reader)?;
            if let [major, minor, low, high, ..] = *reader.0 {
                let build = u16::from_le_bytes([low, high]);
                // Samba says that it is a Windows of build 0.
                let system = if build == 0 { "like Windows" } else { "Windows" };
                notes.note(Detail::Server, format!("{system} {major}.{minor} build {build}").as_bytes());
            }
            computer(attributes, notes)
        }
        AUTHENTICATE if from_originator => {
            let _responses = reader.take(16)?;
            let (_domain, _user) = (reader.take(8)?, reader.take(8)?);
            let workstation = field(token, &mut reader)?;
            notes.note(Detail::Hostname, utf16(workstation).as_bytes());
            Some(())
        }
        _ => None,
    }
}

fn computer(attributes: &[u8], notes: &mut Notes<'_>) -> Option<()> {
    let mut reader = Reader::new(attributes);
    let (mut short, mut long) = (None, None);
    for _ in 0..16 {
        let (Some(kind), Some(length)) = (reader.le16(), reader.le16()) else { break };
        let Some(value) = reader.take(length.into()) else { break };
        match kind {
            0 => break,
            COMPUTER => short = Some(value),
            DNS_COMPUTER => long = Some(value).filter(|name| !name.is_empty()),
            _ => {}
        }
    }
    notes.note(Detail::ServerName, utf16(long.or(short)?).as_bytes());
    Some(())
}

/// Reads where a field lies: length, room, offset from the signature.
fn field<'a>(token: &'a [u8], reader: &mut Reader<'_>) -> Option<&'a [u8]> {
    let length = usize::from(reader.le16()?);
    let _room = reader.le16()?;
    let offset = usize::try_from(reader.le32()?).ok()?;
    token.get(offset..offset.checked_add(length)?)
}
