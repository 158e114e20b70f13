//! NetBIOS over UDP (RFC 1001, RFC 1002): encoded names, and the announcements of the network neighbourhood that datagrams
//! carry (MS-BRWS).

use super::{Reason, Undecoded, head};

/// Length of a NetBIOS name with its suffix.
pub const NAME_BYTES: usize = 16;

/// A NetBIOS name: fifteen characters and the suffix that says what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetbiosName {
    octets: [u8; NAME_BYTES],
}

/// A host's announcement to the network neighbourhood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement<'a> {
    /// Whether the name is the workgroup's rather than the host's.
    pub of_domain: bool,
    /// The name.
    pub name: &'a [u8],
    /// Version of the system, as it says.
    pub version: (u8, u8),
    /// What it offers, see [`role`].
    pub roles: u32,
    /// What its administrator wrote about it.
    pub comment: &'a [u8],
}

/// Bits of [`Announcement::roles`] (MS-BRWS, section 2.2.2; SV_TYPE of MS-SRVS).
pub mod role {
    /// Workstation.
    pub const WORKSTATION: u32 = 0x0000_0001;
    /// Offers files or printers.
    pub const SERVER: u32 = 0x0000_0002;
    /// Runs SQL Server.
    pub const SQL: u32 = 0x0000_0004;
    /// Domain controller.
    pub const CONTROLLER: u32 = 0x0000_0008;
    /// Backup domain controller.
    pub const BACKUP_CONTROLLER: u32 = 0x0000_0010;
    /// Runs Apple's file protocol.
    pub const APPLE: u32 = 0x0000_0040;
    /// Shares printers.
    pub const PRINT: u32 = 0x0000_0200;
    /// Unix.
    pub const UNIX: u32 = 0x0000_0800;
    /// Windows NT server that is no domain controller.
    pub const NT_SERVER: u32 = 0x0000_8000;
}

impl NetbiosName {
    /// Returns the name that a label encodes (RFC 1001, section 14.1): each half of an octet is a letter from A on.
    pub fn of_label(label: &[u8]) -> Option<Self> {
        let letters = <&[u8; 32]>::try_from(label).ok()?;
        let mut octets = [0; NAME_BYTES];
        let (pairs, _) = letters.as_chunks::<2>();
        for (octet, &[high, low]) in octets.iter_mut().zip(pairs) {
            let half = |letter: u8| letter.checked_sub(b'A').filter(|half| *half < 16);
            *octet = half(high)? << 4 | half(low)?;
        }
        Some(Self { octets })
    }

    /// Returns the name without its padding.
    pub fn name(&self) -> &[u8] {
        let [name @ .., _] = &self.octets;
        name.trim_ascii_end()
    }

    /// Returns what the name is for: 0x00 workstation, 0x20 file server, 0x1b and 0x1c domains …
    pub const fn suffix(&self) -> u8 {
        let [.., suffix] = self.octets;
        suffix
    }
}

/// Returns the announcement that a datagram of port 138 carries; `None` where it carries anything else.
///
/// # Errors
/// When the datagram does not fit.
pub fn announcement(bytes: &[u8]) -> Result<Option<Announcement<'_>>, Undecoded> {
    let (&[kind, ..], names) = head::<14>(bytes, Reason::NetbiosShort)?;
    // Direct, group and broadcast datagrams.
    if !matches!(kind, 0x10..=0x12) {
        return Ok(None);
    }
    let placed = |rest: &[u8], fault: Undecoded| fault.seen_from(bytes, rest);
    let after_source = skip_name(names).map_err(|fault| placed(names, fault))?;
    let data = skip_name(after_source).map_err(|fault| placed(after_source, fault))?;
    Ok(browse(data))
}

/// Skips an encoded name with its scope.
fn skip_name(bytes: &[u8]) -> Result<&[u8], Undecoded> {
    let mut rest = bytes;
    // A scope of more labels than this fits no datagram.
    for _ in 0..32 {
        let Some((&length, after)) = rest.split_first() else { break };
        if length == 0 {
            return Ok(after);
        }
        if length > 0x3f {
            let at = bytes.len().saturating_sub(rest.len());
            return Err(Undecoded::new(Reason::NetbiosName, at, 0x3f, length.into()));
        }
        let Some(next) = after.get(length.into()..) else { break };
        rest = next;
    }
    Err(Undecoded::new(Reason::NetbiosShort, bytes.len(), 1, 0))
}

/// Reads an SMB transaction on the mailslot of the network neighbourhood.
fn browse(smb: &[u8]) -> Option<Announcement<'_>> {
    const HEADER: usize = 32;
    const MAILSLOT: &[u8] = b"\\MAILSLOT\\BROWSE\0";
    // A transaction (0x25) of SMB 1.
    if !smb.starts_with(b"\xffSMB\x25") {
        return None;
    }
    let words = usize::from(*smb.get(HEADER)?).checked_mul(2)?;
    let parameters = smb.get(HEADER.checked_add(1)?..)?.get(..words)?;
    let slot = smb.get(HEADER.checked_add(3)?.checked_add(words)?..)?;
    if !slot.get(..MAILSLOT.len())?.eq_ignore_ascii_case(MAILSLOT) {
        return None;
    }
    // Length and place of the data among the parameters (MS-CIFS, section 2.2.4.33).
    let field = |at: usize| parameters.get(at..)?.first_chunk().map(|value| usize::from(u16::from_le_bytes(*value)));
    let (length, place) = (field(22)?, field(24)?);
    read(smb.get(place..)?.get(..length)?)
}

/// Reads a host's (1), a domain's (12) or a local master browser's (15) announcement (MS-BRWS, section 2.2).
fn read(frame: &[u8]) -> Option<Announcement<'_>> {
    let (&[kind, _, _, _, _, _], rest) = frame.split_first_chunk()?;
    if !matches!(kind, 1 | 12 | 15) {
        return None;
    }
    let (name, rest) = rest.split_at_checked(NAME_BYTES)?;
    let (&[major, minor, r0, r1, r2, r3, _, _, _, _], comment) = rest.split_first_chunk()?;
    Some(Announcement {
        of_domain: kind == 12,
        name: until_zero(name),
        version: (major, minor),
        roles: u32::from_le_bytes([r0, r1, r2, r3]),
        comment: until_zero(comment),
    })
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|octet| *octet == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}
