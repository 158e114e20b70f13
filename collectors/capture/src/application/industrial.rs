//! Control and telemetry: Modbus over TCP, DNP3 (IEEE 1815), IEC 60870-5-104, and MQTT.

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict, mark,
    reader::{Reader, contains},
};

/// Functions of Modbus by number (Modbus application protocol 1.1b3, section 6).
const MODBUS: [(u8, &str); 19] = [
    (1, "read coils"),
    (2, "read discrete inputs"),
    (3, "read holding registers"),
    (4, "read input registers"),
    (5, "write single coil"),
    (6, "write single register"),
    (7, "read exception status"),
    (8, "diagnostics"),
    (11, "get comm event counter"),
    (12, "get comm event log"),
    (15, "write multiple coils"),
    (16, "write multiple registers"),
    (17, "report server id"),
    (20, "read file record"),
    (21, "write file record"),
    (22, "mask write register"),
    (23, "read/write multiple registers"),
    (24, "read fifo queue"),
    (43, "encapsulated interface"),
];

/// Returns transaction, unit and function of the first message.
fn modbus(payload: &[u8]) -> Option<(u16, u8, u8)> {
    let mut reader = Reader::new(payload);
    let transaction = reader.be16()?;
    reader.be16().filter(|protocol| *protocol == 0)?;
    let length = usize::from(reader.be16()?);
    let here = reader.len();
    let (unit, function) = (reader.u8()?, reader.u8()?);
    let known = MODBUS.iter().any(|(number, _)| *number == function & 0x7f);
    // Several messages may follow each other in a segment.
    (known && matches!(length, 2..=254) && length <= here).then_some((transaction, unit, function))
}

/// Returns whether the payload looks like Modbus: request and answer are connected by transaction, unit and function.
pub(super) fn test_modbus(look: &Look<'_>) -> Verdict {
    match modbus(look.payload) {
        Some((transaction, unit, function)) => {
            let [high, low] = transaction.to_be_bytes();
            Verdict::Weak(u32::from_be_bytes([high, low, unit, function & 0x7f]))
        }
        None => Verdict::No,
    }
}

/// Notes unit and function.
pub(super) fn read_modbus(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((_, unit, function)) = modbus(look.payload) else { return Progress::More };
    let name = MODBUS.iter().find(|(number, _)| *number == function & 0x7f).map(|(_, name)| *name);
    notes.note(Detail::Device, unit.to_string().as_bytes());
    notes.note(Detail::Command, name.unwrap_or_default().as_bytes());
    Progress::Done
}

/// Returns destination, source and what follows the head of a frame whose checksum fits.
fn dnp3(payload: &[u8]) -> Option<(u16, u16, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let head = payload.get(..8)?;
    let [0x05, 0x64, length, _] = reader.array()? else { return None };
    if length < 5 {
        return None;
    }
    let (destination, source, checksum) = (reader.le16()?, reader.le16()?, reader.le16()?);
    (dnp3_checksum(head) == checksum).then_some((destination, source, reader))
}

/// The checksum of IEEE 1815, section 9.2.4.3: polynomial 0x3d65, reflected, complemented.
fn dnp3_checksum(bytes: &[u8]) -> u16 {
    let rest = bytes.iter().fold(0_u16, |rest, byte| {
        (0..8).fold(rest ^ u16::from(*byte), |rest, _| if rest & 1 != 0 { rest >> 1 ^ 0xa6bc } else { rest >> 1 })
    });
    !rest
}

/// Returns whether the payload begins with a frame of DNP3.
pub(super) fn test_dnp3(look: &Look<'_>) -> Verdict {
    if dnp3(look.payload).is_some() { Verdict::Yes } else { Verdict::No }
}

/// Notes the outstation's and the master's numbers, and the function.
pub(super) fn read_dnp3(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((destination, source, mut user)) = dnp3(look.payload) else { return Progress::More };
    let (outstation, master) = if look.from_originator { (destination, source) } else { (source, destination) };
    notes.note(Detail::Device, format!("{outstation} of {master}").as_bytes());
    // Transport, application control, function.
    let Some([_, _, function]) = user.array() else { return Progress::More };
    let name = match function {
        0 => "confirm",
        1 => "read",
        2 => "write",
        3 => "select",
        4 => "operate",
        5 => "direct operate",
        13 => "cold restart",
        14 => "warm restart",
        18 => "stop application",
        20 => "enable unsolicited",
        21 => "disable unsolicited",
        23 => "delay measurement",
        25 => "open file",
        129 => "response",
        130 => "unsolicited response",
        other => return note_number(other, notes),
    };
    notes.note(Detail::Command, name.as_bytes());
    Progress::Done
}

fn note_number(number: u8, notes: &mut Notes<'_>) -> Progress {
    notes.note(Detail::Command, number.to_string().as_bytes());
    Progress::Done
}

/// Returns the control field and the data of the first unit, when units fill the payload.
fn iec104(payload: &[u8]) -> Option<([u8; 4], Reader<'_>)> {
    let mut first = None;
    let mut reader = Reader::new(payload);
    while !reader.is_empty() {
        reader.u8().filter(|start| *start == 0x68)?;
        let mut unit = reader.counted8().filter(|unit| matches!(unit.len(), 4..=253))?;
        let control = unit.array()?;
        let plausible = match control {
            // Of information, supervisory, unnumbered.
            [c0, _, c2, _] if c0 & 1 == 0 => c2 & 1 == 0 && unit.len() >= 6,
            [1, 0, c2, _] => c2 & 1 == 0 && unit.is_empty(),
            [0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0] => unit.is_empty(),
            _ => false,
        };
        if !plausible {
            return None;
        }
        first = first.or(Some((control, unit)));
    }
    first
}

/// Returns whether the payload is units of IEC 60870-5-104.
pub(super) fn test_iec104(look: &Look<'_>) -> Verdict {
    match iec104(look.payload) {
        Some(([_, 0, 0, 0], data)) if data.is_empty() => Verdict::Yes,
        Some((_, data)) if data.is_empty() => Verdict::Weak(mark(Application::Iec104, 0)),
        Some((_, data)) => match data.0 {
            // A known kind, a known cause of transmission.
            [1..=127, _, cause, ..] if matches!(cause & 0x3f, 1..=47) => Verdict::Yes,
            _ => Verdict::No,
        },
        None => Verdict::No,
    }
}

/// Notes the common address of the station, and the kind of what it sends or is told.
pub(super) fn read_iec104(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((_, mut data)) = iec104(look.payload).filter(|(_, data)| !data.is_empty()) else { return Progress::More };
    let (Some([kind, _, _, _]), Some(address)) = (data.array(), data.le16()) else { return Progress::More };
    notes.note(Detail::Device, address.to_string().as_bytes());
    let name = match kind {
        1..=21 | 30..=40 => "process information",
        45..=51 | 58..=64 => "command",
        70 => "end of initialisation",
        100 => "interrogation",
        101 => "counter interrogation",
        103 => "clock synchronisation",
        105 => "reset process",
        110..=113 => "parameter",
        120..=127 => "file transfer",
        other => return note_number(other, notes),
    };
    notes.note(Detail::Command, name.as_bytes());
    Progress::Done
}

/// Returns the version and what follows it in a client's first packet (MQTT 3.1.1, section 3.1).
fn mqtt(payload: &[u8]) -> Option<(u8, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    reader.u8().filter(|kind| *kind == 0x10)?;
    // The remaining length has one byte or more.
    for _ in 0..4 {
        if reader.u8()? & 0x80 == 0 {
            break;
        }
    }
    let name = reader.counted16()?.0;
    matches!(name, b"MQTT" | b"MQIsdp").then_some((reader.u8()?, reader))
}

/// Returns whether the payload is a client's first packet.
pub(super) fn test_mqtt(look: &Look<'_>) -> Verdict {
    match look.payload {
        _ if mqtt(look.payload).is_some() => Verdict::Yes,
        // The answer to it.
        [0x20, 2, 0 | 1, 0..=5] => Verdict::Weak(mark(Application::Mqtt, 0)),
        // Bytes may come one by one.
        [0x10, ..] if look.payload.len() < 10 && !contains(look.payload, &[0xff]) => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Notes version and the client's id.
pub(super) fn read_mqtt(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((version, mut rest)) = mqtt(look.payload) else { return Progress::More };
    let name = match version {
        3 => "MQTT 3.1",
        4 => "MQTT 3.1.1",
        5 => "MQTT 5",
        _ => "",
    };
    notes.note(Detail::Version, name.as_bytes());
    let _flags_and_time = rest.take(3);
    if version == 5 {
        let _properties = rest.counted8();
    }
    notes.note(Detail::Client, rest.counted16().unwrap_or(Reader::new(&[])).0);
    Progress::Done
}
