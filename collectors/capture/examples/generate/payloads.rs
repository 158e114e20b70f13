//! How conversations begin.

use crate::Dice;

/// What a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dns,
    Ntp,
    Snmp,
    Rtp,
    Tls,
    Http,
    Ssh,
    Smb,
    Mail,
    Mysql,
    Sip,
    Unknown,
}

impl Kind {
    pub(crate) const fn pick(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..32 => Self::Dns,
            32..36 => Self::Ntp,
            36..40 => Self::Snmp,
            40..42 => Self::Rtp,
            42..68 => Self::Tls,
            68..80 => Self::Http,
            80..82 => Self::Ssh,
            82..88 => Self::Smb,
            88..90 => Self::Mail,
            90..93 => Self::Mysql,
            93..95 => Self::Sip,
            _ => Self::Unknown,
        }
    }

    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Dns => 53,
            Self::Ntp => 123,
            Self::Snmp => 161,
            Self::Rtp => 20_000,
            Self::Tls => 443,
            Self::Http => 80,
            Self::Ssh => 22,
            Self::Smb => 445,
            Self::Mail => 25,
            Self::Mysql => 3_306,
            Self::Sip => 5_060,
            Self::Unknown => 7_777,
        }
    }

    pub(crate) const fn is_udp(self) -> bool {
        matches!(self, Self::Dns | Self::Ntp | Self::Snmp | Self::Rtp | Self::Sip)
    }

    pub(crate) const fn is_far(self) -> bool {
        matches!(self, Self::Tls | Self::Http | Self::Unknown)
    }

    /// Returns how many packets such a conversation has, where all together have `mean` on the mean.
    pub(crate) const fn length(self, mean: u64, dice: &mut Dice) -> u64 {
        match self {
            Self::Dns | Self::Ntp => 2,
            Self::Snmp | Self::Sip => 4,
            // What is left for the others: a few are long.
            _ => match dice.below(10) {
                0..7 => 10 + dice.below(mean),
                7..9 => mean + dice.below(mean * 3),
                _ => mean * 4 + dice.below(mean * 5),
            },
        }
    }

    /// Returns a datagram's payload.
    pub(crate) fn udp(self, number: u32, turn: u64, filler: &[u8], dice: &mut Dice) -> Vec<u8> {
        let back = turn % 2 == 1;
        match self {
            Self::Dns => dns(number, back),
            Self::Ntp => [&[if back { 0x24 } else { 0x23 }, 2, 6, 0xec][..], &[1; 44]].concat(),
            Self::Snmp => snmp(turn as u8, back),
            Self::Sip => sip(number, back),
            _ => {
                let head = [0x80, 8, (turn >> 8) as u8, turn as u8, 0, 0, 0, turn as u8, 0, 0, 0, back.into()];
                [&head[..], &filler[..160 + dice.below(60) as usize]].concat()
            }
        }
    }

    /// Returns the first payloads of a connection, in their order, and whether the server sends them.
    pub(crate) fn first(self, number: u32, turn: u64) -> Option<(bool, Vec<u8>)> {
        let text = |back, text: String| Some((back, text.into_bytes()));
        match (self, turn) {
            (Self::Tls, 0) => Some((false, client_hello(number))),
            (Self::Tls, 1) => Some((true, server_hello())),
            (Self::Http, 0) => text(
                false,
                format!(
                    "GET /page/{number} HTTP/1.1\r\nHost: www{}.example.cn\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; \
                     Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36\r\nAccept: */*\r\n\r\n",
                    number % 500
                ),
            ),
            (Self::Http, 1) => text(
                true,
                "HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nContent-Type: text/html\r\nContent-Length: 99999\r\n\r\n"
                    .into(),
            ),
            (Self::Ssh, 0) => text(true, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n".into()),
            (Self::Ssh, 1) => text(false, "SSH-2.0-PuTTY_Release_0.81\r\n".into()),
            (Self::Smb, 0) => Some((false, smb(0))),
            (Self::Smb, 1) => Some((true, smb(1))),
            (Self::Mail, 0) => text(true, "220 mail.example.cn ESMTP Postfix\r\n".into()),
            (Self::Mail, 1) => text(false, format!("EHLO pc-{number}.example.cn\r\n")),
            (Self::Mail, 2) => text(true, "250-mail.example.cn\r\n250-PIPELINING\r\n250 8BITMIME\r\n".into()),
            (Self::Mysql, 0) => {
                let greeting =
                    [&[10][..], b"8.0.36\0", &[1, 0, 0, 0], b"abcdefgh\0", &[0xff, 0xf7, 8, 2, 0, 0xff, 0xdf, 21]];
                let body = [&greeting.concat()[..], &[0; 10], b"ijklmnopqrst\0mysql_native_password\0"].concat();
                Some((true, [&[body.len() as u8, 0, 0, 0][..], &body].concat()))
            }
            _ => None,
        }
    }
}

fn dns(number: u32, back: bool) -> Vec<u8> {
    let host = format!("host{:05}", number % 20_000);
    let id = number.to_be_bytes();
    let mut message =
        vec![id[2], id[3], if back { 0x81 } else { 1 }, if back { 0x80 } else { 0 }, 0, 1, 0, back.into(), 0, 0, 0, 0];
    for label in [&host[..], "example", "cn"] {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    if back {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 59, 1, 2, 3]);
    }
    message
}

fn snmp(turn: u8, back: bool) -> Vec<u8> {
    let name = [6, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0];
    let value: &[u8] = if back { &[0x43, 4, 0, 1, 2, 3] } else { &[5, 0] };
    let wrap = |kind: u8, inner: &[u8]| [&[kind, inner.len() as u8][..], inner].concat();
    let bindings = wrap(0x30, &wrap(0x30, &[&name[..], value].concat()));
    let pdu = wrap(if back { 0xa2 } else { 0xa0 }, &[&[2, 1, turn / 2, 2, 1, 0, 2, 1, 0][..], &bindings].concat());
    wrap(0x30, &[&[2, 1, 1, 4, 6][..], b"public", &pdu].concat())
}

fn sip(number: u32, back: bool) -> Vec<u8> {
    let common = format!(
        "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK{number}\r\nFrom: <sip:{number}@example.cn>;tag=1\r\nTo: \
         <sip:100@example.cn>\r\nCall-ID: {number}@10.0.0.9\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let first =
        if back { "SIP/2.0 200 OK\r\n" } else { "OPTIONS sip:100@example.cn SIP/2.0\r\nUser-Agent: Phone 1.0\r\n" };
    format!("{first}{common}").into_bytes()
}

fn smb(back: u8) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 108, 0xfe, b'S', b'M', b'B', 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, back, 0, 0, 0];
    message.resize(68, 0);
    message.extend([36, 0, 2, 0, 1, 0, 0, 0]);
    message.resize(104, 0);
    message.extend([0x02, 0x02, 0x11, 0x03, 0, 0, 0, 0]);
    message
}

fn client_hello(number: u32) -> Vec<u8> {
    let name = format!("www{}.example.cn", number % 500);
    let short = |length: usize| (length as u16).to_be_bytes();
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &short(body.len()), body].concat();
    let server_name = [&short(name.len() + 3)[..], &[0], &short(name.len()), name.as_bytes()].concat();
    let extensions = [
        extension(0, &server_name),
        extension(10, &[0, 4, 0, 29, 0, 23]),
        extension(13, &[0, 6, 4, 3, 8, 4, 4, 1]),
        extension(16, b"\x00\x0c\x02h2\x08http/1.1"),
        extension(43, &[4, 3, 4, 3, 3]),
        extension(51, &[&[0, 36, 0, 29, 0, 32][..], &[7; 32]].concat()),
    ]
    .concat();
    let ciphers = [0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30];
    let random = [&number.to_be_bytes()[..], &[9; 28]].concat();
    let body = [
        &[3, 3][..],
        &random,
        &[32],
        &[5; 32],
        &short(ciphers.len()),
        &ciphers,
        &[1, 0],
        &short(extensions.len()),
        &extensions,
    ];
    record(1, &body.concat())
}

fn server_hello() -> Vec<u8> {
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 4, 0, 29, 0, 0];
    let body = [&[3, 3][..], &[4; 32], &[32], &[5; 32], &[0x13, 1, 0, 0, extensions.len() as u8], &extensions].concat();
    record(2, &body)
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let outer = (body.len() as u16 + 4).to_be_bytes();
    [&[22, 3, 1][..], &outer, &[kind], &length[1..], body].concat()
}

/// A client of DHCP asks for the address that it had.
pub(crate) fn dhcp_request(mac: [u8; 6], ip: [u8; 4], number: u32) -> Vec<u8> {
    let mut message = vec![1, 1, 6, 0];
    message.extend(number.to_be_bytes());
    message.resize(28, 0);
    message.extend(mac);
    message.resize(236, 0);
    message.extend([99, 130, 83, 99, 53, 1, 3, 50, 4]);
    message.extend(ip);
    let name = format!("pc-{number:05}");
    message.extend([12, name.len() as u8]);
    message.extend(name.as_bytes());
    message.extend([60, 8]);
    message.extend(b"MSFT 5.0");
    message.extend([55, 12, 1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 255]);
    message
}
