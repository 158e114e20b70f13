//! Databases: MySQL and PostgreSQL with all that speak like them, Oracle TNS, SQL Server (MS-TDS), Redis.
//!
//! Who logs on and to which database is read; passwords, and what is asked of a database, are not.

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict, mark,
    reader::{Reader, between, contains, decimal, is_printable, line, split_once, utf16},
    tls,
};

/// Returns sequence number and body of a packet of MySQL.
fn mysql(payload: &[u8]) -> Option<(u8, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let [l0, l1, l2, sequence] = reader.array()?;
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, 0])).ok()?;
    // Nothing follows a packet in which one side waits for the other.
    (length == reader.len()).then_some((sequence, reader))
}

/// Returns the version in a server's greeting.
fn mysql_greeting(mut body: Reader<'_>) -> Option<&[u8]> {
    body.u8().filter(|protocol| matches!(protocol, 9 | 10))?;
    let (version, rest) = split_once(body.0, 0)?;
    let plausible = matches!(version.len(), 3..=80) && is_printable(version) && version.contains(&b'.');
    // Thread, first part of the salt.
    (plausible && rest.len() >= 12).then_some(version)
}

const CONNECT_WITH_DB: u32 = 8;
const PROTOCOL_41: u32 = 1 << 9;
const TLS: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const LENGTH_ENCODED: u32 = 1 << 21;

/// Returns capabilities and what follows the fixed part of a client's answer to the greeting.
fn mysql_login(mut body: Reader<'_>) -> Option<(u32, Reader<'_>)> {
    let capabilities = body.le32().filter(|bits| bits & PROTOCOL_41 != 0)?;
    let (packet_max, _charset) = (body.le32()?, body.u8()?);
    let reserved = body.take(23)?;
    // MariaDB uses the last four.
    let zeros = reserved.iter().take(19).all(|byte| *byte == 0);
    (zeros && packet_max <= 0x4000_0000).then_some((capabilities, body))
}

/// Returns whether the payload is a greeting, or an answer to one.
pub(super) fn test_mysql(look: &Look<'_>) -> Verdict {
    match mysql(look.payload) {
        Some((0, body)) if mysql_greeting(body).is_some() => Verdict::Yes,
        // "Host is not allowed to connect".
        Some((0, body)) if matches!(body.0, [0xff, _, 4, ..]) => Verdict::Weak(mark(Application::Mysql, 0)),
        Some((1, body)) if mysql_login(body).is_some() => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Notes version, user and database.
pub(super) fn read_mysql(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    match mysql(look.payload) {
        Some((0, body)) if !look.from_originator => {
            notes.note(Detail::Server, mysql_greeting(body).unwrap_or_default());
            Progress::More
        }
        Some((1, body)) if look.from_originator => match mysql_login(body) {
            // TLS follows.
            Some((capabilities, rest)) if capabilities & TLS != 0 && rest.is_empty() => Progress::More,
            Some((capabilities, rest)) => {
                let _ = mysql_user(capabilities, rest, notes);
                Progress::Done
            }
            None => Progress::Done,
        },
        _ => Progress::More,
    }
}

fn mysql_user(capabilities: u32, rest: Reader<'_>, notes: &mut Notes<'_>) -> Option<()> {
    let (user, rest) = split_once(rest.0, 0)?;
    notes.note(Detail::User, user);
    let mut reader = Reader::new(rest);
    // The proof of the password is passed over.
    if capabilities & (SECURE_CONNECTION | LENGTH_ENCODED) != 0 {
        reader.counted8()?;
    } else {
        reader = Reader::new(split_once(reader.0, 0)?.1);
    }
    if capabilities & CONNECT_WITH_DB != 0 {
        notes.note(Detail::ServerName, split_once(reader.0, 0)?.0);
    }
    Some(())
}

const POSTGRESQL_3: u32 = 0x0003_0000;

/// Returns the code in a first packet of PostgreSQL, and what follows.
fn postgresql(payload: &[u8]) -> Option<(u32, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let length = usize::try_from(reader.be32()?).ok()?;
    let code = reader.be32()?;
    (length == payload.len() && length <= 10_000).then_some((code, reader))
}

/// Returns whether the payload is a first packet, or a server's demand for authentication.
pub(super) fn test_postgresql(look: &Look<'_>) -> Verdict {
    if look.from_originator {
        return match postgresql(look.payload) {
            Some((POSTGRESQL_3..=0x0003_0002, settings)) if settings.0.ends_with(&[0]) => Verdict::Yes,
            // To cancel, to turn to TLS, to GSSAPI.
            Some((0x04d2_162e..=0x04d2_1630, _)) => Verdict::Yes,
            _ => Verdict::No,
        };
    }
    match look.payload {
        [b'R', 0, 0, 0, 8..=64, 0, 0, 0, 0..=13, ..] => Verdict::Weak(mark(Application::Postgresql, 0)),
        [b'E', 0, 0, _, _, b'S', rest @ ..] if contains(rest, b"\0C") => {
            Verdict::Weak(mark(Application::Postgresql, 0))
        }
        _ => Verdict::No,
    }
}

/// Notes user, database, program, and the server's version.
pub(super) fn read_postgresql(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if look.from_originator {
        if let Some((POSTGRESQL_3..=0x0003_0002, settings)) = postgresql(look.payload) {
            let mut words = settings.0.split(|byte| *byte == 0);
            while let (Some(key), Some(value)) = (words.next(), words.next()) {
                match key {
                    b"user" => notes.note(Detail::User, value),
                    b"database" => notes.note(Detail::ServerName, value),
                    b"application_name" => notes.note(Detail::Client, value),
                    _ => {}
                }
            }
        }
        return Progress::More;
    }
    match between(look.payload, b"server_version\0", b"\0") {
        Some(version) => {
            notes.note(Detail::Server, version);
            Progress::Done
        }
        None if look.payload.starts_with(b"E") => Progress::Done,
        None => Progress::More,
    }
}

const TNS_CONNECT: u8 = 1;

/// Returns kind and body of a packet of TNS: length, checksum, kind, a byte of nothing, header checksum.
fn tns(payload: &[u8]) -> Option<(u8, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let length = usize::from(reader.be16()?);
    let (checksum, kind, _flags, header) = (reader.be16()?, reader.u8()?, reader.u8()?, reader.be16()?);
    // From version 315 on, lengths have four bytes once the connection stands; that is after what is read here.
    let fits = checksum == 0 && header == 0 && (8..=payload.len()).contains(&length);
    (fits && matches!(kind, 1..=14)).then_some((kind, reader))
}

/// Returns whether the payload is a packet of TNS.
pub(super) fn test_tns(look: &Look<'_>) -> Verdict {
    match tns(look.payload) {
        Some((TNS_CONNECT, mut body)) => match (body.be16(), body.be16()) {
            (Some(version @ 200..=400), Some(compatible @ 100..=400)) if compatible <= version => Verdict::Yes,
            _ => Verdict::No,
        },
        // Accepted, refused, sent elsewhere.
        Some((2, body)) if matches!(body.0, [0, 200..=255, ..] | [1, 0..=0x90, ..]) => {
            Verdict::Weak(mark(Application::OracleTns, 0))
        }
        Some((4 | 5, body)) if contains(body.0, b"(DESCRIPTION=") => Verdict::Yes,
        Some((11, body)) if body.is_empty() => Verdict::Weak(mark(Application::OracleTns, 0)),
        _ => Verdict::No,
    }
}

/// Notes service, program and host.
pub(super) fn read_tns(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((kind, body)) = tns(look.payload) else { return Progress::More };
    if !look.from_originator || !matches!(kind, TNS_CONNECT | 6) {
        return Progress::More;
    }
    // Values as they are written in a descriptor: `(CONNECT_DATA=(SERVICE_NAME=orcl)(CID=(PROGRAM=…)(HOST=…)))`.
    let value = |key: &[u8]| between(body.0, key, b")").unwrap_or_default();
    for key in [&b"(SERVICE_NAME="[..], b"(SID="] {
        notes.note(Detail::ServerName, value(key));
    }
    let client = between(body.0, b"(CID=", b"))").unwrap_or_default();
    let of_client = |key: &[u8]| between(client, key, b")");
    notes.note(Detail::Client, of_client(b"(PROGRAM=").unwrap_or_default());
    notes.note(Detail::Hostname, of_client(b"(HOST=").unwrap_or_default());
    notes.note(Detail::User, value(b"(USER="));
    if notes.has(Detail::ServerName) { Progress::Done } else { Progress::More }
}

const TDS_PRELOGIN: u8 = 0x12;
const TDS_LOGIN: u8 = 0x10;
const TDS_ANSWER: u8 = 0x04;

/// Returns kind and body of a packet of TDS.
fn tds(payload: &[u8]) -> Option<(u8, &[u8])> {
    let mut reader = Reader::new(payload);
    let [kind, status, high, low, _, _, number, window] = reader.array()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let fits = length == payload.len() || status & 1 == 0 && length > payload.len();
    (status <= 0x1f && number <= 1 && window == 0 && length >= 8 && fits).then_some((kind, reader.0))
}

/// Returns whether a body is a list of options that ends as one, as what comes before a login is.
fn is_prelogin(body: &[u8]) -> bool {
    let mut reader = Reader::new(body);
    for expected in 0..10 {
        match reader.u8() {
            Some(0xff) => return expected >= 1,
            Some(token) if token <= 9 && (expected != 0 || token == 0) => {
                let (Some(offset), Some(length)) = (reader.be16(), reader.be16()) else { return false };
                if usize::from(offset).saturating_add(length.into()) > body.len() {
                    return false;
                }
            }
            _ => return false,
        }
    }
    false
}

/// Returns whether the payload is what comes before a login, or a login.
pub(super) fn test_tds(look: &Look<'_>) -> Verdict {
    match tds(look.payload) {
        Some((TDS_PRELOGIN | TDS_ANSWER, body)) if is_prelogin(body) => Verdict::Yes,
        Some((TDS_LOGIN, [_, _, _, _, _, _, _, 0x70..=0x74, ..])) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Notes versions, and what a login in the clear says of client, host and database.
pub(super) fn read_tds(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((kind, body)) = tds(look.payload) else { return Progress::More };
    match kind {
        // The handshake of TLS lies in packets of this kind.
        TDS_PRELOGIN if tls::is_client_hello(body) => {
            notes.note(Detail::Upgrade, b"tls");
            tls::read(&Look { payload: body, ..*look }, notes);
            Progress::Done
        }
        TDS_ANSWER if is_prelogin(body) => {
            let mut option = Reader::new(body.get(1..).unwrap_or_default());
            let version = option.be16().and_then(|offset| body.get(usize::from(offset)..));
            if let Some([major, minor, high, low, ..]) = version {
                let build = u16::from_be_bytes([*high, *low]);
                notes.note(Detail::Server, format!("{major}.{minor}.{build}").as_bytes());
            }
            Progress::More
        }
        TDS_LOGIN => {
            // Pairs of offset and length behind 36 bytes: host, user, password, program, server, …, database.
            let text = |at: usize| {
                let mut pair = Reader::new(body.get(at..)?);
                let (offset, length) = (usize::from(pair.le16()?), usize::from(pair.le16()?));
                body.get(offset..offset.checked_add(length.checked_mul(2)?)?).map(utf16)
            };
            for (at, kind) in
                [(36, Detail::Hostname), (40, Detail::User), (48, Detail::Client), (68, Detail::ServerName)]
            {
                notes.note(kind, text(at).unwrap_or_default().as_bytes());
            }
            Progress::Done
        }
        _ => Progress::More,
    }
}

/// Returns whether the payload is a command or an answer of Redis.
pub(super) fn test_redis(look: &Look<'_>) -> Verdict {
    const MARK: u32 = mark(Application::Redis, 0);
    let (first, rest) = line(look.payload);
    if look.from_originator {
        return match first {
            [b'*', count @ ..] if decimal(count).is_some_and(|count| matches!(count, 1..=1_048_576)) => match rest {
                [b'$', b'0'..=b'9', ..] => Verdict::Yes,
                [] => Verdict::Short,
                _ => Verdict::No,
            },
            _ if first.eq_ignore_ascii_case(b"PING") && look.payload.ends_with(b"\n") => Verdict::Weak(MARK),
            _ => Verdict::No,
        };
    }
    match first {
        b"+PONG" | b"+OK" => Verdict::Weak(MARK),
        _ if first.starts_with(b"-NOAUTH ") || first.starts_with(b"-ERR ") => Verdict::Weak(MARK),
        [b'$' | b':' | b'*', number @ ..] if !number.is_empty() && decimal(number).is_some() => Verdict::Weak(MARK),
        _ => Verdict::No,
    }
}

/// Notes the first command, never what it is given.
pub(super) fn read_redis(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if !look.from_originator {
        return Progress::More;
    }
    let mut words = look.payload.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let word = words.find(|word| !matches!(word.first(), Some(b'*' | b'$') | None)).unwrap_or_default();
    let word = word.split(|byte| *byte == b' ').next().unwrap_or_default();
    if word.len() <= 20 && word.iter().all(u8::is_ascii_alphabetic) {
        notes.note(Detail::Method, word.to_ascii_uppercase().as_slice());
    }
    Progress::Done
}
