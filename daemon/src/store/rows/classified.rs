//! What agents concluded of an endpoint, as part of its row.

use onenet_topology::{
    MacAddr, Timestamp,
    classify::{DeviceClass, OsFamily, Packed},
    endpoint::{Classified, Recognition},
    fact::{Classification, FactBody},
};
use prost::Message;

use super::{Groups, Problem, WitnessRow, read_body, time, write_body};

#[derive(Message)]
pub(super) struct ClassifiedRow {
    #[prost(message, optional, tag = "1")]
    witness: Option<WitnessRow>,
    /// The fact, without its time.
    #[prost(bytes = "vec", tag = "2")]
    said: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    since: Option<RecognitionRow>,
    #[prost(message, repeated, tag = "4")]
    past: Vec<RecognitionRow>,
}

#[derive(Message)]
struct RecognitionRow {
    #[prost(int64, tag = "1")]
    since_ms: i64,
    /// 0 where it was not known.
    #[prost(uint32, tag = "2")]
    class: u32,
    #[prost(uint32, tag = "3")]
    os: u32,
}

pub(super) fn write(groups: &mut Groups, mac: MacAddr, it: &Classified) -> ClassifiedRow {
    let body = Classification { mac, conclusion: it.conclusion.unpack().into() };
    ClassifiedRow {
        witness: Some(groups.write(&it.witness)),
        said: write_body(Timestamp::EPOCH, FactBody::Classification(body)),
        since: Some(recognition_row(&it.since)),
        past: it.past.iter().map(recognition_row).collect(),
    }
}

fn recognition_row(it: &Recognition) -> RecognitionRow {
    RecognitionRow {
        since_ms: it.since.unix_ms(),
        class: it.class.map_or(0, |class| class.number().into()),
        os: it.os.map_or(0, |os| os.number().into()),
    }
}

pub(super) fn read(groups: &Groups, row: ClassifiedRow) -> Result<Classified, Problem> {
    let FactBody::Classification(said) = read_body(&row.said)?.body else {
        return Err("a classification that is another fact".to_owned());
    };
    Ok(Classified {
        witness: groups.read(row.witness.ok_or("a classification without a witness")?)?,
        conclusion: Packed::from(&*said.conclusion),
        since: read_recognition(&row.since.ok_or("a classification without a time")?),
        past: row.past.iter().map(read_recognition).collect(),
    })
}

/// What a newer centre knew and this one does not is not known.
fn read_recognition(row: &RecognitionRow) -> Recognition {
    let number = |value: u32| u8::try_from(value).unwrap_or_default();
    Recognition {
        since: time(row.since_ms),
        class: DeviceClass::numbered(number(row.class)),
        os: OsFamily::numbered(number(row.os)),
    }
}
