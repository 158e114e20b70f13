//! ICMP echo (RFC 792, RFC 4443), written and read.
//!
//! Format of what we send behind the header: our token (8 bytes), the number of the probe (4), the sequence (4), big endian. Only
//! what carries the token is ours; the 16 bits of ICMP's own identifier and number say too little.

/// What tells our echoes from others': random, one a process.
pub type Token = [u8; 8];

/// Bytes of a question.
pub const QUESTION_BYTES: usize = 8 + 16;

/// The family of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// ICMP.
    V4,
    /// ICMPv6, whose checksum the kernel makes.
    V6,
}

/// What an echo carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// Which probe.
    pub probe: u32,
    /// Which of its questions.
    pub sequence: u32,
}

/// Types of ICMP: question and answer.
const fn types(family: Family) -> (u8, u8) {
    match family {
        Family::V4 => (8, 0),
        Family::V6 => (128, 129),
    }
}

/// Returns the type of an answer.
pub const fn reply_type(family: Family) -> u8 {
    types(family).1
}

/// Returns ICMP's own identifier, which a token begins with. Ping sockets set their own.
pub const fn identifier(token: Token) -> u16 {
    let [a, b, ..] = token;
    u16::from_be_bytes([a, b])
}

/// Returns a question.
pub fn question(family: Family, token: Token, carried: Carried) -> [u8; QUESTION_BYTES] {
    let mut packet = [0; QUESTION_BYTES];
    let [_, _, number @ ..] = carried.sequence.to_be_bytes();
    let head = [types(family).0, 0, 0, 0].into_iter().chain(identifier(token).to_be_bytes()).chain(number);
    let body = token.into_iter().chain(carried.probe.to_be_bytes()).chain(carried.sequence.to_be_bytes());
    for (to, from) in packet.iter_mut().zip(head.chain(body)) {
        *to = from;
    }
    if family == Family::V4 {
        let [a, b] = checksum(&packet).to_be_bytes();
        packet[2] = a;
        packet[3] = b;
    }
    packet
}

/// Returns a question that makes a packet of so many bytes, heads of IP included; one of the least size where that is less.
pub fn sized(family: Family, token: Token, carried: Carried, bytes: u32) -> Vec<u8> {
    let head = if family == Family::V4 { 20 } else { 40 };
    let bytes = usize::try_from(bytes).unwrap_or(0).saturating_sub(head).max(QUESTION_BYTES);
    let mut packet = question(family, token, carried).to_vec();
    packet.resize(bytes, 0);
    // Zeros add nothing to the sum, so that it holds for the longer packet as well.
    packet
}

/// Returns what an answer carries; `None` for what is no answer of ours. Raw IPv4 sockets give the IP header too.
pub fn answer(family: Family, token: Token, datagram: &[u8]) -> Option<Carried> {
    let icmp = match (family, datagram.first()) {
        (Family::V4, Some(first)) if first >> 4 == 4 => datagram.get(usize::from(first & 0x0f) * 4..)?,
        _ => datagram,
    };
    let (head, body) = icmp.split_at_checked(8)?;
    let (carried, rest) = body.split_first_chunk::<8>()?;
    if *head.first()? != types(family).1 || *carried != token {
        return None;
    }
    let (probe, rest) = rest.split_first_chunk::<4>()?;
    let sequence = rest.first_chunk::<4>()?;
    Some(Carried { probe: u32::from_be_bytes(*probe), sequence: u32::from_be_bytes(*sequence) })
}

/// Returns the checksum of the internet (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| {
        let low = pair.get(1).copied().unwrap_or(0);
        u32::from(u16::from_be_bytes([pair.first().copied().unwrap_or(0), low]))
    };
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_read_back_with_and_without_the_ip_header_and_only_with_our_token() {
        let carried = Carried { probe: 3, sequence: 70_000 };
        let mut packet = question(Family::V4, *b"ourtoken", carried);
        assert_eq!(checksum(&packet), 0, "the sum over a packet with its checksum is zero");
        assert_eq!(answer(Family::V4, *b"ourtoken", &packet), None, "a question, not an answer");
        packet[0] = reply_type(Family::V4);
        assert_eq!(answer(Family::V4, *b"ourtoken", &packet), Some(carried));
        assert_eq!(answer(Family::V4, *b"another!", &packet), None);
        let mut datagram = vec![0x46; 24];
        datagram.extend(packet);
        assert_eq!(answer(Family::V4, *b"ourtoken", &datagram), Some(carried));
        for length in 0..datagram.len() {
            assert_eq!(answer(Family::V4, *b"ourtoken", &datagram[..length]), None);
        }
        let long = sized(Family::V4, *b"ourtoken", carried, 1_400);
        assert_eq!((long.len(), checksum(&long)), (1_380, 0));
        let mut packet = question(Family::V6, *b"ourtoken", carried);
        packet[0] = reply_type(Family::V6);
        assert_eq!(answer(Family::V6, *b"ourtoken", &packet), Some(carried));
    }
}
