//! The payloads of each flow of a capture, in the order in which a flow table would give them to a recogniser.

use std::{collections::HashMap, net::SocketAddr, path::Path};

use onenet_capture::{
    application::{Assemblies, Recogniser},
    decode::{Content, Packet, Transport},
    offline::CaptureFile,
};

const TCP: u8 = 6;
const UDP: u8 = 17;
/// Flags of TCP.
const SYN: u8 = 2;
const ACK: u8 = 16;

/// A flow.
pub(crate) struct Stream {
    pub(crate) protocol: u8,
    /// The originator's and the responder's.
    pub(crate) ends: [SocketAddr; 2],
    /// Payloads and whether they came from the originator; `None` where bytes are missing.
    pub(crate) payloads: Vec<Option<(bool, Vec<u8>)>>,
    /// The sequence numbers that come next.
    next: [Option<u32>; 2],
    opened: Option<u32>,
}

impl Stream {
    /// Gives the payloads to a recogniser.
    pub(crate) fn recognise(&self, assemblies: &mut Assemblies) -> Recogniser {
        let mut recogniser = Recogniser::new(self.protocol, self.ends[0].port(), self.ends[1].port());
        for payload in &self.payloads {
            match payload {
                Some((from_originator, payload)) if !recogniser.is_done() => {
                    recogniser.payload(assemblies, *from_originator, payload);
                }
                Some(_) => {}
                None => recogniser.gap(assemblies),
            }
        }
        recogniser
    }

    /// Takes a segment: what was sent before is left out, a hole is noted.
    fn segment(&mut self, from_originator: bool, sequence: u32, flags: u8, payload: &[u8]) {
        let side = usize::from(!from_originator);
        let sequence = sequence.wrapping_add(u32::from(flags & SYN != 0));
        if flags & SYN == 0 && self.next[side].is_none() {
            self.payloads.push(None);
        }
        let expected = self.next[side].unwrap_or(sequence);
        let ahead = sequence.wrapping_sub(expected).cast_signed();
        let known = usize::try_from(-i64::from(ahead)).unwrap_or(0);
        if ahead > 0 {
            self.payloads.push(None);
        }
        if let Some(fresh) = payload.get(known..).filter(|fresh| !fresh.is_empty()) {
            self.payloads.push(Some((from_originator, fresh.to_vec())));
        }
        let end = sequence.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
        if end.wrapping_sub(expected).cast_signed() >= 0 {
            self.next[side] = Some(end);
        }
    }
}

/// Returns the flows of a capture, those over TCP and UDP, in the order in which they began.
pub(crate) fn streams(path: &Path) -> Vec<Stream> {
    let Ok(mut capture) = CaptureFile::open(path) else { return Vec::new() };
    let mut found: Vec<Stream> = Vec::new();
    let mut by_ends: HashMap<(u8, [SocketAddr; 2]), usize> = HashMap::new();
    while let Ok(Some(frame)) = capture.next_frame() {
        let Ok(packet) = Packet::parse(frame.link_type, frame.meta, frame.bytes) else { continue };
        let Content::Ip(ip) = &packet.content else { continue };
        let (protocol, ports, flags) = match &ip.transport {
            Transport::Tcp(tcp) => (TCP, [tcp.source_port, tcp.destination_port], tcp.flags),
            Transport::Udp(udp) => (UDP, [udp.source_port, udp.destination_port], 0),
            _ => continue,
        };
        let source = SocketAddr::new(ip.header.source, ports[0]);
        let destination = SocketAddr::new(ip.header.destination, ports[1]);
        let cut = usize::try_from(frame.meta.wire_length).is_ok_and(|length| length > frame.bytes.len());
        let opening = if let Transport::Tcp(tcp) = &ip.transport
            && flags & (SYN | ACK) == SYN
        {
            Some(tcp.sequence)
        } else {
            None
        };
        let mut ends = [source, destination];
        ends.sort();
        let known = by_ends.get(&(protocol, ends)).copied();
        // Ports that are used again make another flow.
        let known = known.filter(|at| opening.is_none() || found[*at].opened == opening);
        let at = known.unwrap_or_else(|| {
            let answers = flags & (SYN | ACK) == SYN | ACK;
            let ends = if answers { [destination, source] } else { [source, destination] };
            found.push(Stream { protocol, ends, payloads: Vec::new(), next: [None; 2], opened: opening });
            found.len() - 1
        });
        by_ends.insert((protocol, ends), at);
        let stream = &mut found[at];
        let from_originator = stream.ends[0] == source;
        match &ip.transport {
            Transport::Tcp(tcp) => stream.segment(from_originator, tcp.sequence, tcp.flags, tcp.payload),
            Transport::Udp(udp) if ip.header.fragment.is_none() => {
                stream.payloads.push(Some((from_originator, udp.payload.to_vec())));
            }
            _ => stream.payloads.push(None),
        }
        if cut {
            stream.payloads.push(None);
        }
    }
    found
}
