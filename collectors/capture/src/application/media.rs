//! Media: RTP and RTCP (RFC 3550), RTSP (RFC 7826, 2326), STUN (RFC 8489).
//!
//! RTP has no mark of its own: several packets of one source with rising numbers tell it. See `Stream`.

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict,
    headers::{Start, headers, host_and_user, is_version, may_begin, start},
    mark,
    reader::Reader,
    tls,
};

/// How many packets of one source must follow each other.
pub(super) const STREAM_PACKETS: u8 = 4;
/// How far a packet's number may lie behind the one before, for loss and order.
const SEQUENCE_STEP_MAX: u16 = 32;

/// A packet that may be one of RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rtp {
    pub(super) sequence: u16,
    pub(super) source: u32,
}

impl Rtp {
    /// Returns what a payload says if it is RTP.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let [first, kind] = reader.array()?;
        let sequence = reader.be16()?;
        let _timestamp = reader.be32()?;
        let source = reader.be32()?;
        // Version 2; payload types that are assigned or dynamic, which also keeps RTCP apart (RFC 5761).
        let plausible = first & 0xc0 == 0x80 && matches!(kind & 0x7f, 0..=34 | 96..=127) && source != 0;
        let sources = usize::from(first & 0x0f).checked_mul(4)?;
        reader.take(sources)?;
        if first & 0x10 != 0 {
            let (_profile, words) = (reader.be16()?, reader.be16()?);
            reader.take(usize::from(words).checked_mul(4)?)?;
        }
        (plausible && !reader.is_empty()).then_some(Self { sequence, source })
    }

    /// Returns whether this packet follows one with that number.
    pub(super) fn follows(self, sequence: u16) -> bool {
        (1..=SEQUENCE_STEP_MAX).contains(&self.sequence.wrapping_sub(sequence))
    }
}

/// Returns whether the payload is a compound packet of RTCP whose parts fit exactly.
pub(super) fn test_rtcp(look: &Look<'_>) -> Verdict {
    let mut reader = Reader::new(look.payload);
    let (mut count, mut source) = (0_u32, 0);
    while !reader.is_empty() {
        let (Some([first, kind]), Some(words)) = (reader.array(), reader.be16()) else { return Verdict::No };
        if first & 0xc0 != 0x80 || !matches!(kind, 200..=207) {
            // The last words of SRTCP are an index and an authenticator.
            return if count >= 1 && reader.len() <= 20 { Verdict::Weak(source) } else { Verdict::No };
        }
        // A compound packet begins with a report.
        if count == 0 && !matches!(kind, 200 | 201) {
            return Verdict::No;
        }
        let Some(body) = reader.take(usize::from(words).saturating_mul(4)) else { return Verdict::No };
        source = Reader::new(body).be32().unwrap_or_default();
        count = count.saturating_add(1);
    }
    match count {
        0 => Verdict::No,
        1 => Verdict::Weak(mark(Application::Rtcp, 0)),
        _ => Verdict::Yes,
    }
}

/// Passes RTCP over. Media between the same ports makes the flow one of media.
pub(super) fn read_rtcp(look: &Look<'_>) -> Progress {
    if Rtp::parse(look.payload).is_some() { Progress::Is(Application::Rtp) } else { Progress::More }
}

/// Returns whether the payload begins with a request or an answer of RTSP.
pub(super) fn test_rtsp(look: &Look<'_>) -> Verdict {
    match start(look.payload) {
        Some(Start::Status(version)) if is_version(version, b"RTSP") => Verdict::Yes,
        Some(Start::Request { version, .. }) if is_version(version, b"RTSP") => Verdict::Yes,
        Some(Start::Request { target, whole: false, .. }) if target.starts_with(b"rtsp") && look.tcp => Verdict::Short,
        None if look.tcp && may_begin(look.payload) => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Notes method, host, path and programs.
pub(super) fn read_rtsp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let answer = match start(look.payload) {
        Some(Start::Request { method, target, .. }) => {
            notes.note(Detail::Method, method);
            if let Some((host, _)) = host_and_user(target) {
                notes.note(Detail::ServerName, host);
            }
            false
        }
        Some(Start::Status(_)) => true,
        None => return Progress::More,
    };
    let read = headers(look, |field, value| match field.to_ascii_lowercase().as_slice() {
        b"user-agent" => notes.note(Detail::Client, value),
        b"server" => notes.note(Detail::Server, value),
        _ => {}
    });
    match read {
        Ok(_) if answer && notes.has(Detail::Server) => Progress::Done,
        Ok(_) => Progress::More,
        Err(progress) => progress,
    }
}

const COOKIE: u32 = 0x2112_a442;
/// The attribute in which a program names itself.
const SOFTWARE: u16 = 0x8022;

/// Returns the cookie, the transaction's first word and the attributes of a STUN message whose length fits.
fn stun(payload: &[u8]) -> Option<(u32, u32, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let kind = reader.be16().filter(|kind| kind & 0xc000 == 0)?;
    let length = usize::from(reader.be16()?);
    let (cookie, transaction) = (reader.be32()?, reader.be32()?);
    let _rest = reader.take(8)?;
    let known = matches!(kind & 0x3eef, 0x0001..=0x000b) && length.is_multiple_of(4);
    let attributes = Reader::new(reader.take(length)?);
    (known && reader.is_empty()).then_some((cookie, transaction, attributes))
}

/// Returns whether the payload is a message of STUN.
pub(super) fn test_stun(look: &Look<'_>) -> Verdict {
    match stun(look.payload) {
        Some((COOKIE, ..)) => Verdict::Yes,
        // Before RFC 5389 there was no cookie.
        Some((cookie, transaction, _)) => Verdict::Weak(cookie ^ transaction),
        None => Verdict::No,
    }
}

/// Notes the program. What is media later, or TLS, makes the flow that.
pub(super) fn read_stun(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((_, _, mut attributes)) = stun(look.payload) else {
        return match () {
            () if look.tcp => Progress::More,
            () if Rtp::parse(look.payload).is_some() => Progress::Is(Application::Rtp),
            () => {
                if tls::test(look) == Verdict::Yes {
                    // What the keys that are agreed on are for may still come.
                    let _ = tls::read(look, notes);
                }
                Progress::More
            }
        };
    };
    while let (Some(kind), Some(length)) = (attributes.be16(), attributes.be16()) {
        let Some(value) = attributes.take(length.into()) else { break };
        if kind == SOFTWARE {
            notes.note(if look.from_originator { Detail::Client } else { Detail::Server }, value);
        }
        let padding = usize::from(length.wrapping_neg() & 3);
        let _ = attributes.take(padding);
    }
    Progress::More
}
