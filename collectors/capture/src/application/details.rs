//! What a flow tells of itself beside its application: names, versions, numbers of devices.
//!
//! Invariants: each text is printable and at most 255 bytes, all of a flow together at most [`OCTETS_MAX`]; whatever was said
//! first stays. Secrets (communities, passwords) have no kind here, so that they cannot be kept; that one was sent is told.
//!
//! Format: kind, length, text, one after the other in a single allocation, since tens of thousands of flows have some.

use std::{fmt, str};

use crate::passive::printable;

/// The most that is kept of one flow, in bytes.
pub const OCTETS_MAX: usize = 1_536;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a detail says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Detail { $($(#[$doc])* $variant,)* }

        impl Detail {
            /// Every kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the kind's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            #[expect(clippy::as_conversions, reason = "the number of a field-less variant")]
            const fn number(self) -> u8 {
                self as u8
            }
        }
    };
}

kinds! {
    /// The server asked for by name: TLS and QUIC (SNI), HTTP and RTSP (host), SIP (domain), database.
    ServerName = "server_name",
    /// The name looked up (DNS and its kin), or the service (SSDP, WS-Discovery).
    Query = "query",
    /// What kind of record is looked up, as `AAAA`.
    QueryType = "query_type",
    /// The first answer that is an address or a name.
    Answer = "answer",
    /// What the originator says it is: user agent, SSH banner, name and version of a client.
    Client = "client",
    /// What the responder says it is: server, banner.
    Server = "server",
    /// The name of the host that speaks, as it says itself.
    Hostname = "hostname",
    /// Who logs on, as the client says. Never with what proves it.
    User = "user",
    /// The method or command asked for first.
    Method = "method",
    /// Version of the protocol spoken, as `TLSv1.3`.
    Version = "version",
    /// Application inside, as negotiated (ALPN).
    Alpn = "alpn",
    /// Subject of the server's certificate, where it is in the clear.
    CertificateSubject = "certificate_subject",
    /// Issuer of the server's certificate.
    CertificateIssuer = "certificate_issuer",
    /// When the server's certificate ends, after RFC 3339.
    CertificateEnd = "certificate_end",
    /// That a login was sent in the clear, by which mechanism, as `basic`. Never what was sent.
    Login = "login",
    /// JA4 fingerprint of the client's TLS.
    Ja4 = "ja4",
    /// That the connection turned to TLS after its beginning: `tls`.
    Upgrade = "upgrade",
    /// Number of the device that reports: MN of HJ 212, the 20 digits of GB/T 28181, unit of Modbus, addresses of DNP3.
    Device = "device",
    /// Kind of system that reports: ST of HJ 212.
    System = "system",
    /// Command: CN of HJ 212, CmdType of GB/T 28181, function of Modbus.
    Command = "command",
    /// What was wrong with a message: a checksum that does not fit.
    Fault = "fault",
}

/// Details of one flow.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Details {
    packed: Vec<u8>,
}

impl Details {
    /// Returns the details in the order in which they were said.
    pub fn iter(&self) -> impl Iterator<Item = (Detail, &str)> {
        let mut rest = self.packed.as_slice();
        std::iter::from_fn(move || {
            let (&[kind, length], after) = rest.split_first_chunk()?;
            let (text, next) = after.split_at_checked(length.into())?;
            rest = next;
            Some((*Detail::ALL.get(usize::from(kind))?, str::from_utf8(text).ok()?))
        })
    }

    /// Returns the detail of this kind.
    pub fn get(&self, kind: Detail) -> Option<&str> {
        self.iter().find(|(found, _)| *found == kind).map(|(_, text)| text)
    }

    /// Returns whom or what the flow asks for: the server's name, or the name looked up.
    pub fn name(&self) -> Option<&str> {
        self.get(Detail::ServerName).or_else(|| self.get(Detail::Query))
    }

    /// Keeps what `value` says, unless something of its kind was said before, or too much.
    pub(super) fn note(&mut self, kind: Detail, value: &[u8]) {
        if self.get(kind).is_some() {
            return;
        }
        let Some(text) = printable(value) else { return };
        let Ok(length) = u8::try_from(text.len()) else { return };
        let grown = self.packed.len().saturating_add(text.len()).saturating_add(2);
        if grown <= OCTETS_MAX {
            self.packed.reserve_exact(text.len().saturating_add(2));
            self.packed.extend([kind.number(), length]);
            self.packed.extend(text.as_bytes());
        }
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(kind, text)| (kind.name(), text))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_first_stays() {
        let mut details = Details::default();
        details.note(Detail::Query, b"a.example");
        details.note(Detail::Query, b"b.example");
        details.note(Detail::ServerName, b"");
        assert_eq!(details.iter().collect::<Vec<_>>(), [(Detail::Query, "a.example")]);
        assert_eq!(details.name(), Some("a.example"));
        details.note(Detail::ServerName, b"c.example");
        assert_eq!(details.name(), Some("c.example"));
    }

    #[test]
    fn all_of_a_flow_together_stays_small() {
        let mut details = Details::default();
        for &kind in Detail::ALL {
            details.note(kind, &[b'x'; 1_000]);
        }
        assert!(details.packed.len() <= OCTETS_MAX);
        assert!(details.iter().count() > 4 && details.iter().all(|(_, text)| text.len() == 255));
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let mut names: Vec<_> = Detail::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Detail::ALL.len());
        assert!(Detail::ALL.iter().enumerate().all(|(at, kind)| usize::from(kind.number()) == at));
    }
}
