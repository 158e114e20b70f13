//! Who we are to SNMPv3 senders: an engine id for ever, and how often we started.
//!
//! Invariant: a count of boots is on disk before it is used (RFC 3414, section 2.2.2), so that an answer of an earlier run
//! is never taken for one of this. When the file cannot be read, we are a new engine: senders find that out by themselves.

use std::{io, path::Path};

use onenet_snmp::LocalEngine;
use onenet_wire::tls;
use serde::{Deserialize, Serialize};

use crate::durable;

/// The file within the data folder.
const FILE: &str = "snmp-engine.json";

/// The most boots that an engine can have (RFC 3414, section 2.2.3).
const BOOTS_MAX: u32 = 0x7fff_fffe;

/// What begins an engine id of the variable form with octets of our own choice (RFC 3411, SnmpEngineID, item 3); the number of
/// an enterprise is the reserved one, since onenet has none.
const ID_HEAD: [u8; 5] = [0x80, 0, 0, 0, 5];

/// The engine cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the SNMPv3 engine of this agent cannot be kept in the data folder: check its owner and the disk's space")]
pub(crate) struct EngineError(#[source] io::Error);

#[derive(Serialize, Deserialize)]
struct Kept {
    engine_id: String,
    boots: u32,
}

/// Begins a run of the engine at `now_s`: the next count of boots, written down.
pub(crate) fn begin(data: &Path, now_s: u64) -> Result<LocalEngine, EngineError> {
    let file = data.join(FILE);
    let kept: Option<Kept> = durable::document(&file).ok().flatten();
    let kept = kept.and_then(|kept| Some((octets(&kept.engine_id)?, kept.boots)));
    let kept = kept.filter(|(id, boots)| (5..=32).contains(&id.len()) && *boots < BOOTS_MAX);
    let (id, boots) = if let Some((id, boots)) = kept {
        (id, boots + 1)
    } else {
        let random = tls::random::<12>().map_err(|error| EngineError(io::Error::other(error.to_string())))?;
        ([ID_HEAD.as_slice(), &random].concat(), 1)
    };
    let digits = id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let text =
        serde_json::to_vec_pretty(&Kept { engine_id: digits, boots }).map_err(|error| EngineError(error.into()))?;
    durable::replace(&file, &text, durable::Sync::Yes).map_err(EngineError)?;
    Ok(LocalEngine { id, boots, started_s: now_s })
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |place: usize| digits.get(place..place + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_keeps_its_id_and_counts_its_boots_and_a_broken_file_makes_a_new_one() {
        let data = tempfile::tempdir().unwrap();
        let first = begin(data.path(), 5).unwrap();
        let second = begin(data.path(), 6).unwrap();
        assert_eq!((first.boots, second.boots, second.started_s), (1, 2, 6));
        assert_eq!(first.id, second.id);
        assert!((5..=32).contains(&first.id.len()));
        std::fs::write(data.path().join(FILE), "{\"engine_id\": \"zz\", \"boots\": 9}").unwrap();
        let third = begin(data.path(), 7).unwrap();
        assert_eq!(third.boots, 1);
        assert_ne!(third.id, first.id);
    }
}
