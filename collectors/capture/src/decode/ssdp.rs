//! SSDP (UPnP Device Architecture 2.0, section 1): lines of text as in HTTP, in one datagram.
//!
//! What has not the form of a message is none: anything may be sent to the port.

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ssdp<'a> {
    /// What it is.
    pub kind: MessageKind,
    /// System and product of whoever announces (`SERVER`).
    pub server: Option<&'a [u8]>,
    /// Program that searches (`USER-AGENT`).
    pub agent: Option<&'a [u8]>,
    /// What is announced or answered for (`NT`, `ST`).
    pub target: Option<&'a [u8]>,
}

/// Kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A device or service announces itself, or takes leave.
    Notify,
    /// Somebody searches.
    Search,
    /// A search is answered.
    Response,
}

/// The most lines that are read.
const LINES_MAX: usize = 32;

impl<'a> Ssdp<'a> {
    /// Returns the message that the bytes, a datagram's payload, are; `None` when they are none.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let kind = if bytes.starts_with(b"NOTIFY ") {
            MessageKind::Notify
        } else if bytes.starts_with(b"M-SEARCH ") {
            MessageKind::Search
        } else if bytes.starts_with(b"HTTP/1.1 200") {
            MessageKind::Response
        } else {
            return None;
        };
        let mut message = Self { kind, server: None, agent: None, target: None };
        for line in bytes.split(|octet| *octet == b'\n').skip(1).take(LINES_MAX) {
            let Some(colon) = line.iter().position(|octet| *octet == b':') else { continue };
            let Some((name, value)) = line.split_at_checked(colon) else { continue };
            let value = Some(value.get(1..).unwrap_or_default().trim_ascii()).filter(|value| !value.is_empty());
            match name.trim_ascii() {
                name if name.eq_ignore_ascii_case(b"SERVER") => message.server = message.server.or(value),
                name if name.eq_ignore_ascii_case(b"USER-AGENT") => message.agent = message.agent.or(value),
                name if name.eq_ignore_ascii_case(b"NT") || name.eq_ignore_ascii_case(b"ST") => {
                    message.target = message.target.or(value);
                }
                _ => {}
            }
        }
        Some(message)
    }
}
