//! Files over the network: FTP (RFC 959), TFTP (RFC 1350), SMB in all versions, NFS and what goes with it (RFC 5531).

use onenet_topology::application::Application;

use super::{
    Detail, GREETING, Look, Notes, Progress, Verdict, mark, ntlm,
    reader::{Reader, begins, contains, line, split_once, utf16},
};

/// Returns whether the payload is FTP's: a greeting, or a command that only FTP has at the beginning.
pub(super) fn test_ftp(look: &Look<'_>) -> Verdict {
    let (first, _) = line(look.payload);
    if look.from_originator {
        let first_commands: [&[u8]; 5] = [b"USER ", b"AUTH TLS", b"AUTH SSL", b"FEAT", b"SYST"];
        let known = first_commands.iter().any(|word| begins(first, word));
        return if known { Verdict::Weak(GREETING) } else { Verdict::No };
    }
    let greets =
        matches!(first, [b'2', b'2', b'0', b' ' | b'-', ..] | [b'4' | b'5', b'2' | b'3', b'0' | b'1', b' ', ..]);
    match greets {
        _ if contains(first, b"SMTP") || contains(first, b"smtp") => Verdict::No,
        true if contains(look.payload, b"FTP") || contains(look.payload, b"ftp") => Verdict::Yes,
        true => Verdict::Weak(GREETING),
        false => Verdict::No,
    }
}

/// Notes what the server says it is. What is said about users is passed over.
pub(super) fn read_ftp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (first, _) = line(look.payload);
    if look.from_originator {
        if let Some(method) = first.split(|byte| *byte == b' ').next() {
            notes.note(Detail::Method, method);
        }
        if begins(first, b"PASS ") {
            notes.note(Detail::Login, b"pass");
        }
        return if begins(first, b"PASS") { Progress::Done } else { Progress::More };
    }
    if let [b'2', b'2', b'0', b' ' | b'-', said @ ..] = first {
        notes.note(Detail::Server, said);
    }
    Progress::More
}

/// Returns whether the payload is a request for a file, or a block of one that is acknowledged.
pub(super) fn test_tftp(look: &Look<'_>) -> Verdict {
    match look.payload {
        [0, 1 | 2, rest @ ..] => match tftp_request(rest) {
            Some(_) => Verdict::Yes,
            None => Verdict::No,
        },
        // A block of data, at most 512 bytes of it, and its acknowledgement.
        [0, 3, high, low, data @ ..] if data.len() <= 512 => block(*high, *low),
        [0, 4, high, low] => block(*high, *low),
        _ => Verdict::No,
    }
}

fn block(high: u8, low: u8) -> Verdict {
    Verdict::Weak(mark(Application::Tftp, u16::from_be_bytes([high, low])))
}

fn tftp_request(request: &[u8]) -> Option<&[u8]> {
    let (file, rest) = split_once(request, 0)?;
    let (mode, _) = split_once(rest, 0)?;
    let known = [&b"octet"[..], b"netascii", b"mail"].iter().any(|word| mode.eq_ignore_ascii_case(word));
    (known && !file.is_empty()).then_some(file)
}

/// Notes which file is asked for.
pub(super) fn read_tftp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let [0, code @ (1 | 2), rest @ ..] = look.payload
        && let Some(file) = tftp_request(rest)
    {
        notes.note(Detail::Method, if *code == 1 { b"read" } else { b"write" });
        notes.note(Detail::Query, file);
    }
    Progress::Done
}

/// Returns the message in a frame of the session service (RFC 1002, section 4.3.1), as far as it is here.
fn smb_message<'a>(look: &Look<'a>) -> Option<&'a [u8]> {
    match look.payload {
        [0, _, _, _, message @ ..] => Some(message),
        _ => None,
    }
}

/// Returns whether the payload is a session request, or a message of any version of SMB.
pub(super) fn test_smb(look: &Look<'_>) -> Verdict {
    match look.payload {
        [0, _, _, _, 0xfc..=0xff, b'S', b'M', b'B', ..] => Verdict::Yes,
        // Names of two hosts, 32 letters each.
        [0x81, 0, 0, length, 0x20, names @ ..] if *length >= 0x44 => {
            let letters = names.iter().take(32).all(|byte| matches!(byte, b'A'..=b'P'));
            if letters && names.len() >= 32 { Verdict::Yes } else { Verdict::No }
        }
        [0x82, 0, 0, 0] => Verdict::Weak(mark(Application::Smb, 0)),
        [0, _, _, _] | [0, _, _] => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Notes version, hosts by their own words, and the share.
pub(super) fn read_smb(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some(message) = smb_message(look) else { return Progress::More };
    ntlm::read(message, look.from_originator, notes);
    match message {
        [0xfe, b'S', b'M', b'B', ..] => smb2(message, notes).unwrap_or(Progress::More),
        [0xff, b'S', b'M', b'B', command, ..] => {
            // A negotiation may still end in another version.
            if *command != 0x72 {
                notes.note(Detail::Version, b"SMB1");
            }
            Progress::More
        }
        [0xfd, b'S', b'M', b'B', ..] => Progress::Done,
        _ => Progress::More,
    }
}

fn smb2(message: &[u8], notes: &mut Notes<'_>) -> Option<Progress> {
    const RESPONSE: u32 = 1;
    let mut reader = Reader::new(message);
    reader.take(12)?;
    let command = reader.le16()?;
    reader.take(2)?;
    let answer = reader.le32()? & RESPONSE != 0;
    let mut body = Reader::new(message.get(64..)?);
    match (command, answer) {
        (0, true) => {
            body.take(4)?;
            let version = match body.le16()? {
                0x0202 | 0x0210 => "SMB2",
                0x0300 => "SMB3.0",
                0x0302 => "SMB3.0.2",
                0x0311 => "SMB3.1.1",
                // "Any of 2": the negotiation goes on.
                _ => return None,
            };
            notes.note(Detail::Version, version.as_bytes());
        }
        (3, false) => {
            body.take(4)?;
            let (offset, length) = (usize::from(body.le16()?), usize::from(body.le16()?));
            let path = message.get(offset..offset.checked_add(length)?)?;
            notes.note(Detail::Query, utf16(path).as_bytes());
            return Some(Progress::Done);
        }
        _ => {}
    }
    None
}

/// A remote procedure call's head (RFC 5531, section 9).
struct Call {
    program: u32,
    version: u32,
    procedure: u32,
}

enum Rpc {
    Call(Call),
    Reply,
}

/// Programs that make up a network file system: portmapper, NFS, mount, quota, locks, status, access lists.
const PROGRAMS: [(u32, &str); 7] = [
    (100_000, "portmap"),
    (100_003, "nfs"),
    (100_005, "mount"),
    (100_011, "rquota"),
    (100_021, "nlm"),
    (100_024, "status"),
    (100_227, "nfs_acl"),
];

fn program_name(program: u32) -> Option<&'static str> {
    PROGRAMS.iter().find(|(number, _)| *number == program).map(|(_, name)| *name)
}

/// Returns the transaction and the call or reply, behind the record mark where there is one.
fn rpc(look: &Look<'_>) -> Option<(u32, Rpc)> {
    let mut reader = Reader::new(look.payload);
    if look.tcp {
        reader.be32().filter(|mark| *mark & 0x7fff_ffff <= 0x0010_0000)?;
    }
    let transaction = reader.be32()?;
    match reader.be32()? {
        0 => {
            reader.be32().filter(|version| *version == 2)?;
            let (program, version, procedure) = (reader.be32()?, reader.be32()?, reader.be32()?);
            Some((transaction, Rpc::Call(Call { program, version, procedure })))
        }
        // Accepted or denied, with what a verifier begins with.
        1 => {
            let status = reader.be32().filter(|status| *status <= 1)?;
            let next = reader.be32()?;
            (status == 1 && next <= 1 || next <= 6).then_some((transaction, Rpc::Reply))
        }
        _ => None,
    }
}

/// Returns whether the payload is a call of a program that goes with NFS, or a reply.
pub(super) fn test_nfs(look: &Look<'_>) -> Verdict {
    match rpc(look) {
        Some((_, Rpc::Call(call)))
            if program_name(call.program).is_some() && call.version <= 4 && call.procedure < 64 =>
        {
            Verdict::Yes
        }
        Some((transaction, Rpc::Reply)) => Verdict::Weak(transaction),
        _ => Verdict::No,
    }
}

/// Notes program and version.
pub(super) fn read_nfs(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some((_, Rpc::Call(call))) = rpc(look)
        && let Some(name) = program_name(call.program)
    {
        notes.note(Detail::Version, format!("{name} v{}", call.version).as_bytes());
        return Progress::Done;
    }
    Progress::More
}
