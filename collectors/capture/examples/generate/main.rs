//! Writes the capture that `./tests/bench capture` measures: `generate FILE [PACKETS]`; and the day of `./tests/bench soak`:
//! `generate FILE PACKETS day`.
//!
//! Deterministic: some 5,000,000 packets (it prints how many) of 343 bytes on the mean in 101,476 conversations among 1,684 link
//! addresses, 20 µs apart. Conversations begin as real ones do (DNS, TLS, HTTP, SSH, file sharing, mail, databases, telephony, management)
//! and go on with payload that says nothing; 16,384 go on at a time, in trains of one to four packets. TCP opens with its
//! handshake, numbers its bytes, acknowledges and closes. A day has the same conversations, fewer at a time, and the packets of each
//! hour as a working day has them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::as_conversions, reason = "a test's tool")]

mod payloads;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use payloads::Kind;

const PACKETS: u64 = 5_000_000;
const CONVERSATIONS: u32 = 101_476;
const LINK_ADDRESSES: u32 = 1_684;
const AT_A_TIME: usize = 16_384;
const STEP_US: u64 = 20;
const HOUR_US: u64 = 3_600_000_000;
/// Packets of each hour of a day from eight in the morning, in parts, and how many conversations go on at a time.
const DAY: [u64; 24] = [30, 40, 40, 36, 16, 24, 40, 40, 36, 24, 10, 6, 5, 4, 3, 2, 2, 1, 1, 1, 1, 2, 4, 10];
const DAY_AT_A_TIME: usize = 256;
/// 2026-11-23, 08:00 UTC.
const BEGIN_S: u64 = 1_795_420_800;

const SYN: u8 = 2;
const ACK: u8 = 16;
const PUSH: u8 = 8;
const FIN: u8 = 1;

/// A generator of numbers (xorshift*): the same on each machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) const fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }
}

/// One end: its number, which gives its addresses, and its port.
#[derive(Clone, Copy)]
struct End {
    host: u32,
    port: u16,
}

struct Conversation {
    number: u32,
    kind: Kind,
    ends: [End; 2],
    /// Packets sent, and to be sent.
    sent: u64,
    length: u64,
    sequence: [u32; 2],
}

struct Output<W: Write> {
    file: W,
    packets: u64,
    bytes: u64,
    /// Over how many packets a day goes; `None`: they are 20 µs apart.
    day: Option<u64>,
}

impl<W: Write> Output<W> {
    /// Returns when the next packet goes out, in microseconds since the first.
    fn us(&self) -> u64 {
        let Some(packets) = self.day else { return self.packets * STEP_US };
        let all = u128::from(DAY.iter().sum::<u64>() * HOUR_US);
        let mut gone = (u128::from(self.packets) * all / u128::from(packets.max(1))) as u64;
        for (hour, parts) in (0..).zip(DAY) {
            if gone < parts * HOUR_US {
                return hour * HOUR_US + gone / parts;
            }
            gone -= parts * HOUR_US;
        }
        24 * HOUR_US
    }

    fn frame(&mut self, frame: &[u8]) -> io::Result<()> {
        let us = self.us();
        let length = u32::try_from(frame.len()).unwrap();
        for word in [(BEGIN_S + us / 1_000_000) as u32, (us % 1_000_000) as u32, length, length] {
            self.file.write_all(&word.to_le_bytes())?;
        }
        self.packets += 1;
        self.bytes += u64::from(length);
        self.file.write_all(frame)
    }
}

fn mac(host: u32) -> [u8; 6] {
    // What is not at this site is behind the router.
    let number = (if host < LINK_ADDRESSES { host } else { 0 }).to_be_bytes();
    [0x00, 0x25, 0x9e, number[1], number[2], number[3]]
}

fn ip(host: u32) -> [u8; 4] {
    let number = host.to_be_bytes();
    [if host < LINK_ADDRESSES { 10 } else { 59 }, number[1], number[2], number[3]]
}

fn header(from: End, to: End, protocol: u8, length: usize, frame: &mut Vec<u8>) {
    frame.clear();
    frame.extend(mac(to.host));
    frame.extend(mac(from.host));
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(u16::try_from(20 + length).unwrap().to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend(ip(from.host));
    frame.extend(ip(to.host));
}

fn udp(from: End, to: End, payload: &[u8], frame: &mut Vec<u8>) {
    header(from, to, 17, 8 + payload.len(), frame);
    frame.extend(from.port.to_be_bytes());
    frame.extend(to.port.to_be_bytes());
    frame.extend(u16::try_from(8 + payload.len()).unwrap().to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
}

fn tcp(ends: [End; 2], flags: u8, numbers: [u32; 2], payload: &[u8], frame: &mut Vec<u8>) {
    const OPENING: [u8; 20] = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7];
    let options: &[u8] = if flags & SYN == 0 { &[] } else { &OPENING };
    header(ends[0], ends[1], 6, 20 + options.len() + payload.len(), frame);
    frame.extend(ends[0].port.to_be_bytes());
    frame.extend(ends[1].port.to_be_bytes());
    frame.extend(numbers[0].to_be_bytes());
    frame.extend(numbers[1].to_be_bytes());
    frame.extend([((20 + options.len() as u8) / 4) << 4, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    frame.extend(options);
    frame.extend(payload);
    // Padded as a card does.
    frame.resize(frame.len().max(60), 0);
}

impl Conversation {
    fn new(number: u32, length: u64, dice: &mut Dice) -> Self {
        let kind = Kind::pick(dice);
        let client = 20 + dice.below(u64::from(LINK_ADDRESSES - 20)) as u32;
        let far = LINK_ADDRESSES + dice.below(4_000) as u32;
        let server = if kind.is_far() { far } else { 1 + dice.below(19) as u32 };
        // No two conversations have the same ends: the port says how often the client began one.
        let client_port = (1_024 + number / 2) as u16;
        let ends = [End { host: client, port: client_port }, End { host: server, port: kind.port() }];
        let length = kind.length(length, dice);
        Self { number, kind, ends, sent: 0, length, sequence: [dice.next() as u32, dice.next() as u32] }
    }

    /// Writes the next packet. Returns whether there are more.
    fn step(&mut self, dice: &mut Dice, filler: &[u8], frame: &mut Vec<u8>) -> bool {
        let turn = self.sent;
        self.sent += 1;
        if self.kind.is_udp() {
            let back = turn % 2 == 1;
            let payload = self.kind.udp(self.number, turn, filler, dice);
            let ends = if back { [self.ends[1], self.ends[0]] } else { self.ends };
            udp(ends[0], ends[1], &payload, frame);
            return self.sent < self.length;
        }
        let left = self.length.saturating_sub(turn);
        let (back, flags, payload) = match (turn, left) {
            (0, _) => (false, SYN, Vec::new()),
            (1, _) => (true, SYN | ACK, Vec::new()),
            (2, _) | (_, ..=1) => (false, ACK, Vec::new()),
            (_, 3) => (false, FIN | ACK, Vec::new()),
            (_, 2) => (true, FIN | ACK, Vec::new()),
            _ => {
                if let Some((back, payload)) = self.kind.first(self.number, turn - 3) {
                    (back, PUSH | ACK, payload)
                } else {
                    let back = dice.below(2) == 1;
                    let size = match dice.below(100) {
                        0..46 => 0,
                        46..76 => 20 + dice.below(520),
                        _ => 540 + dice.below(921),
                    };
                    (back, ACK, filler[..size as usize].to_vec())
                }
            }
        };
        let (mine, other) = if back { (1, 0) } else { (0, 1) };
        let acknowledged = if flags & ACK == 0 { 0 } else { self.sequence[other] };
        tcp([self.ends[mine], self.ends[other]], flags, [self.sequence[mine], acknowledged], &payload, frame);
        let taken = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sequence[mine] = self.sequence[mine].wrapping_add(taken);
        self.sent < self.length
    }
}

/// Each host asks for the router's address, as it does when it starts, and for its own address.
fn begin<W: Write>(output: &mut Output<W>) -> io::Result<()> {
    for host in 0..LINK_ADDRESSES {
        let mut frame =
            [&[0xff; 6][..], &mac(host), &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &mac(host), &ip(host), &[0; 6]].concat();
        frame.extend(ip(0));
        frame.resize(60, 0);
        output.frame(&frame)?;
        let mut frame = Vec::new();
        let broadcast = End { host, port: 67 };
        udp(End { host, port: 68 }, broadcast, &payloads::dhcp_request(mac(host), ip(host), host), &mut frame);
        frame[..6].fill(0xff);
        frame[30..34].fill(0xff);
        output.frame(&frame)?;
    }
    Ok(())
}

fn generate(path: &str, packets: u64, is_day: bool) -> io::Result<()> {
    let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut output = Output { file, packets: 0, bytes: 0, day: is_day.then_some(packets) };
    let at_a_time = if is_day { DAY_AT_A_TIME } else { AT_A_TIME };
    output.file.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
    begin(&mut output)?;
    let mut dice = Dice(0x5eed);
    let filler: Vec<u8> = (0..2_000).map(|_| dice.next() as u8 | 0x80).collect();
    let mean = packets.saturating_sub(output.packets) / u64::from(CONVERSATIONS);
    // The lengths are drawn: all conversations together come near the number that was asked for.
    let (mut next, mut running, mut frame) = (0, Vec::with_capacity(at_a_time), Vec::with_capacity(1_600));
    while output.packets < packets {
        while running.len() < at_a_time && (is_day || next < CONVERSATIONS) {
            running.push(Conversation::new(next, mean, &mut dice));
            next += 1;
        }
        if running.is_empty() {
            break;
        }
        let at = dice.below(running.len() as u64) as usize;
        for _ in 0..=dice.below(4) {
            let more = running[at].step(&mut dice, &filler, &mut frame);
            output.frame(&frame)?;
            if !more {
                running.swap_remove(at);
                break;
            }
        }
    }
    output.file.flush()?;
    println!("{} packets, {} bytes on the mean, {next} conversations", output.packets, output.bytes / output.packets);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        eprintln!("usage: generate FILE [PACKETS [day]]");
        return ExitCode::from(2);
    };
    let packets = arguments.get(1).and_then(|count| count.parse().ok()).unwrap_or(PACKETS);
    let is_day = arguments.get(2).is_some_and(|word| word == "day");
    match generate(path, packets, is_day) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}
