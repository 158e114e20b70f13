//! `onenetd topology …`: the evidence of a site as a file, and what follows from such a file.
//!
//! Invariant: `infer` reads at most [`FILE_MAX`] bytes, never fails without saying where and what to do, and needs no centre.

mod output;
mod table;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use hyper::Method;
use onenet_topology::inspection::{EvidenceFile, InvalidEvidence};
use serde::Deserialize;

use super::{
    DataArgs,
    commands::{CommandError, administer, empty, say},
    given::{self, named},
};
use crate::{api::encode, console::Language};

/// The most bytes of a file: some hundred walks over a large site.
const FILE_MAX: u64 = 512 << 20;

/// What the help says of the format.
const FORMAT: &str = "\
The file is JSON: {\"site\": NAME, \"anchor\": MAC, \"walks\": [{\"time\": TIME, \"devices\": [DEVICE, …]}]}. A DEVICE is the object \
that `onenet-agent inspect --json` prints, with an \"id\" of your choice added. Read are system.name, identity.chassis_id, bridge, \
interfaces, forwarding, addresses, neighbours, vlans, port_vlans, lag_members and own_addresses; tables and values may be \
missing or null, and other keys are passed over. The anchor is an address that every device has learned, such as the agent's, and \
may be missing. A TIME is RFC 3339, or seconds or milliseconds since 1970; walks are taken in their order of time, and an \
endpoint is believed to have moved after two walks.

With --json: {\"attachments\": [{mac, device, interface, vlan, also, confidence, reason, detail, rejected}], \"links\": [{a, b, \
confidence, reason, detail}], \"dropped\": [{mac, reason, device}]}. Devices are named by their ids, interfaces by ifName. An \
interface of null means: at or behind the device, the port is not known. A confidence under 0.5 is a guess.";

/// What to do with the topology.
#[derive(Debug, Clone, Subcommand)]
pub enum TopologyCommand {
    /// Infer where each endpoint is attached, and which devices are joined, from a file of evidence; no centre is needed.
    #[command(after_long_help = FORMAT)]
    Infer {
        /// The file; - is standard input.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the evidence of a site to standard output, as `infer` reads it.
    Export {
        /// The site: its id or its division code.
        site: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// A file of evidence cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It cannot be read.
    #[error("{file} cannot be read: check the path")]
    Read {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is too large.
    #[error("{file} is larger than {} MiB: write fewer walks, or a file for each part of the site", FILE_MAX >> 20)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// It is not of the format.
    #[error(
        "{file}: {place}: {reason}; correct it there, or leave out what is not known (onenetd topology infer --help shows the format)"
    )]
    Format {
        /// The file.
        file: String,
        /// Where in it.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// It contradicts itself.
    #[error("{file}: {source}")]
    Invalid {
        /// The file.
        file: String,
        /// How.
        source: InvalidEvidence,
    },
}

/// Does it.
pub(super) async fn run(command: TopologyCommand) -> Result<(), CommandError> {
    match command {
        TopologyCommand::Infer { file, json } => {
            let evidence = read(&file)?;
            let invalid = |source| EvidenceError::Invalid { file: named(&file), source };
            let (found, names) = evidence.infer().map_err(invalid)?;
            let mut out = io::stdout().lock();
            if json {
                let output = output::Output::of(&evidence, &found, &names);
                serde_json::to_writer_pretty(&mut out, &output).map_err(io::Error::from)?;
                writeln!(out)?;
            } else {
                out.write_all(table::tables(language(), &found, &names).as_bytes())?;
            }
            Ok(out.flush()?)
        }
        TopologyCommand::Export { site, data } => {
            let path = format!("/api/v1/sites/{}/evidence", encode(&site));
            let answer = administer(&data, Method::GET, &path, empty()).await?;
            say(&serde_json::to_string_pretty(&answer).map_err(io::Error::from)?)
        }
    }
}

/// Returns the language that the environment asks for.
fn language() -> Language {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    locale.and_then(|locale| Language::from_tag(&locale)).unwrap_or(Language::En)
}

fn read(file: &Path) -> Result<EvidenceFile, EvidenceError> {
    let bytes = given::read(file, FILE_MAX).map_err(|source| EvidenceError::Read { file: named(file), source })?;
    parse(&named(file), &bytes)
}

/// Reads a file's text.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<EvidenceFile, EvidenceError> {
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_MAX {
        return Err(EvidenceError::TooLarge { file: file.to_owned() });
    }
    // Some editors begin a file with a mark of its encoding.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader);
    let failed = |place: String, reason: String| EvidenceError::Format { file: file.to_owned(), place, reason };
    let evidence = read.map_err(|error| failed(place(error.path(), bytes), error.inner().to_string()))?;
    let rest = |error: serde_json::Error| failed("after the last brace".to_owned(), error.to_string());
    reader.end().map_err(rest)?;
    Ok(evidence)
}

/// Returns where in a file something is: the walk and the device by their numbers and the device's id, then the keys.
fn place(path: &serde_path_to_error::Path, bytes: &[u8]) -> String {
    use serde_path_to_error::Segment;

    let (mut walk, mut device, mut keys) = (None, None, String::new());
    let mut list = "";
    for segment in path {
        match segment {
            Segment::Map { key } if key == "walks" && walk.is_none() => list = "walks",
            Segment::Map { key } if key == "devices" && walk.is_some() && device.is_none() => list = "devices",
            Segment::Seq { index } if list == "walks" => (walk, list) = (Some(*index), ""),
            Segment::Seq { index } if list == "devices" => (device, list) = (Some(*index), ""),
            Segment::Seq { index } => keys.extend(["[", &index.to_string(), "]"]),
            Segment::Map { key } if keys.is_empty() => keys.push_str(key),
            Segment::Map { key } => keys.extend([".", key.as_str()]),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let mut said = Vec::new();
    said.extend(walk.map(|walk| format!("walk {}", walk + 1)));
    if let Some((walk, device)) = walk.zip(device) {
        said.push(match id_of(bytes, walk, device) {
            Some(id) => format!("device {id:?}"),
            None => format!("device {}", device + 1),
        });
    }
    if !list.is_empty() {
        said.push(list.to_owned());
    }
    if !keys.is_empty() {
        said.push(keys);
    }
    if said.is_empty() { "the file".to_owned() } else { said.join(", ") }
}

/// Returns the id of a device, where the file can be read that far.
fn id_of(bytes: &[u8], walk: usize, device: usize) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        walks: Vec<Walk>,
    }
    #[derive(Deserialize)]
    struct Walk {
        #[serde(default)]
        devices: Vec<Device>,
    }
    #[derive(Deserialize)]
    struct Device {
        #[serde(default)]
        id: serde_json::Value,
    }
    let file: File = serde_json::from_slice(bytes).ok()?;
    match &file.walks.get(walk)?.devices.get(device)?.id {
        serde_json::Value::Null => None,
        serde_json::Value::String(id) => Some(id.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
