//! Several rings of one interface: which frame goes to which (`PACKET_FANOUT_CBPF`).
//!
//! Invariant: both directions of a flow, and all of its fragments, go to one ring, since the choice looks at nothing of an IP
//! packet but its two addresses. What tells of hosts rather than of flows (ARP, LLDP and everything that is no IP, what is sent to
//! a group, ICMPv6, DHCP) goes to the first ring, so that one table hears all that a host says of itself.
//!
//! The kernel's own hash would be simpler (`PACKET_FANOUT_HASH`); it looks at ports too, which later fragments do not have, and
//! its way round that puts datagrams together, so that the frames of the wire are not seen any more.

use super::system::Instruction;

/// Where the kernel's loads begin at what it knows of a frame, at its network header, and at its link layer's.
const KNOWN: u32 = libc::SKF_AD_OFF.cast_unsigned();
const NETWORK: u32 = libc::SKF_NET_OFF.cast_unsigned();
const LINK: u32 = libc::SKF_LL_OFF.cast_unsigned();
const KNOWN_PROTOCOL: u32 = KNOWN.wrapping_add(libc::SKF_AD_PROTOCOL.cast_unsigned());
const KNOWN_HARDWARE: u32 = KNOWN.wrapping_add(libc::SKF_AD_HATYPE.cast_unsigned());

const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const LOAD_HALF_AT_X: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
const LOAD_HEADER_LENGTH: u32 = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
const LOAD_ZERO: u32 = libc::BPF_LD | libc::BPF_IMM;
const COPY_TO_X: u32 = libc::BPF_MISC | libc::BPF_TAX;
const XOR_X: u32 = libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X;
const MULTIPLY: u32 = libc::BPF_ALU | libc::BPF_MUL;
const SHIFT_RIGHT: u32 = libc::BPF_ALU | libc::BPF_RSH;
const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ;
const IF_ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET;
const RETURN: u32 = libc::BPF_RET;
const RETURN_A: u32 = libc::BPF_RET | libc::BPF_A;

const ETHERNET: u32 = 1;
const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const UDP: u32 = 17;
const ICMPV6: u32 = 58;
/// The odd number nearest to 2^32 divided by the golden ratio: spreads neighbouring addresses (Knuth, section 6.4).
const SPREAD: u32 = 0x9e37_79b1;

/// Places in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The next line.
    Next,
    /// What the frame carries is looked at.
    Carried,
    Version6,
    Version6Addresses,
    Version4Addresses,
    /// The addresses are folded into one word.
    Folded,
    /// The frame is for the first ring.
    First,
}

/// A line of the program.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// A place that tests lead to.
    Here(Place),
    /// Does something.
    Do(u32, u32),
    /// Tests something, and goes on at the first place if it is so, else at the second.
    Test(u32, u32, Place, Place),
}

use Line::{Do, Here, Test};
use Place::{Carried, First, Folded, Next, Version4Addresses, Version6, Version6Addresses};

/// Returns the program that chooses the ring; its result is taken modulo their number.
pub(super) fn program() -> Vec<Instruction> {
    let network = |offset: u32| NETWORK.wrapping_add(offset);
    let mut lines = vec![
        Do(LOAD_WORD, KNOWN_HARDWARE),
        Test(IF_EQUAL, ETHERNET, Next, Carried),
        Do(LOAD_BYTE, LINK),
        // The lowest bit of the first byte of an Ethernet destination: a group.
        Test(IF_ANY_BIT, 1, First, Carried),
        Here(Carried),
        Do(LOAD_WORD, KNOWN_PROTOCOL),
        Test(IF_EQUAL, IPV6, Version6, Next),
        Test(IF_EQUAL, IPV4, Next, First),
        Do(LOAD_BYTE, network(9)),
        Test(IF_EQUAL, UDP, Next, Version4Addresses),
        // Fragments but the first have no ports.
        Do(LOAD_HALF, network(6)),
        Test(IF_ANY_BIT, 0x1fff, Version4Addresses, Next),
        Do(LOAD_HEADER_LENGTH, NETWORK),
        Do(LOAD_HALF_AT_X, NETWORK),
        Test(IF_EQUAL, 67, First, Next),
        Test(IF_EQUAL, 68, First, Version4Addresses),
        Here(Version4Addresses),
    ];
    fold(&mut lines, [12, 16].into_iter());
    lines.extend([
        // To the same place in either case.
        Test(IF_EQUAL, 0, Folded, Folded),
        Here(Version6),
        Do(LOAD_BYTE, network(6)),
        Test(IF_EQUAL, ICMPV6, First, Next),
        Test(IF_EQUAL, UDP, Next, Version6Addresses),
        Do(LOAD_HALF, network(40)),
        Test(IF_EQUAL, 546, First, Next),
        Test(IF_EQUAL, 547, First, Version6Addresses),
        Here(Version6Addresses),
    ]);
    fold(&mut lines, (8..40).step_by(4));
    lines.extend([
        Here(Folded),
        Do(MULTIPLY, SPREAD),
        Do(SHIFT_RIGHT, 16),
        Do(RETURN_A, 0),
        Here(First),
        Do(RETURN, 0),
    ]);
    assemble(&lines)
}

/// Loads words of the two addresses and folds them into one, the same whichever address comes first.
fn fold(lines: &mut Vec<Line>, offsets: impl Iterator<Item = u32>) {
    lines.push(Do(LOAD_ZERO, 0));
    for offset in offsets {
        lines.extend([Do(COPY_TO_X, 0), Do(LOAD_WORD, NETWORK.wrapping_add(offset)), Do(XOR_X, 0)]);
    }
}

/// Turns places into distances. Every place that is gone to is in the program and lies ahead; a test holds that.
fn assemble(lines: &[Line]) -> Vec<Instruction> {
    let mut program = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let distance = |to: Place| {
            let ahead = lines.iter().skip(number + 1);
            let between = ahead.take_while(|line| to != Next && !matches!(line, Here(place) if *place == to));
            u8::try_from(between.filter(|line| !matches!(line, Here(_))).count()).unwrap_or(u8::MAX)
        };
        let (code, value, then, otherwise) = match *line {
            Here(_) => continue,
            Do(code, value) => (code, value, 0, 0),
            Test(code, value, then, otherwise) => (code, value, distance(then), distance(otherwise)),
        };
        let code = u16::try_from(code).unwrap_or_default();
        program.push(Instruction { code, jt: then, jf: otherwise, k: value });
    }
    program
}
