//! What can be wrong with a capture file.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::source::Unpack;

/// A capture file could not be read, or not to its end. Every frame before `offset` was handed out.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// It could not be opened.
    #[error("{}: cannot be opened: check that the file is there and readable", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It could not be read on.
    #[error("{}: reading failed at byte {offset}, after {frames} frames: check the disk or network share it lies on", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// Frames handed out before.
        frames: u64,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its content is not what it has to be.
    #[error("{}: {broken} at byte {offset}, after {frames} frames: {}", path.display(), broken.remedy())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// Frames handed out before.
        frames: u64,
        /// What is wrong.
        broken: Fault,
    },
}

/// What is wrong with a capture file's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not begin as any capture file does.
    #[error("not a pcap or pcapng file (it begins with {magic:02x?})")]
    NotACapture {
        /// Its first four bytes.
        magic: [u8; 4],
    },
    /// It is compressed.
    #[error("compressed with {with}")]
    Compressed {
        /// By what.
        with: &'static str,
        /// The program that undoes it.
        remedy: &'static str,
    },
    /// It is compressed, and that is damaged here.
    #[error("{what}")]
    Unpack {
        /// By what it is compressed, and what that says.
        what: String,
    },
    /// It ends in the middle of a record.
    #[error("the file ends inside a record: {expected} bytes were to come, {found} are there")]
    Truncated {
        /// Bytes that the record needs.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// A record states a length that no frame has.
    #[error("a record states {stated} bytes, more than any frame has")]
    TooLong {
        /// The stated length.
        stated: u64,
    },
    /// A block of a pcapng file contradicts itself.
    #[error("a block of kind {kind:#x} is malformed: {what}")]
    Block {
        /// Its kind.
        kind: u32,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A fault, before it is known in which file.
#[derive(Debug)]
pub(super) enum Broken {
    Io(io::Error),
    Fault(Fault),
}

impl OfflineError {
    pub(super) fn new(path: &Path, offset: u64, frames: u64, broken: Broken) -> Self {
        let path = path.to_owned();
        match broken {
            Broken::Io(source) => Self::Read { path, offset, frames, source },
            Broken::Fault(broken) => Self::Broken { path, offset, frames, broken },
        }
    }

    /// Returns the number of frames that were handed out before.
    pub const fn frames(&self) -> u64 {
        match self {
            Self::Open { .. } => 0,
            Self::Read { frames, .. } | Self::Broken { frames, .. } => *frames,
        }
    }
}

impl Fault {
    fn remedy(&self) -> String {
        match self {
            Self::NotACapture { .. } => "give a file written by tcpdump, dumpcap or Wireshark".to_owned(),
            Self::Compressed { remedy, .. } => format!("unpack it with {remedy} first"),
            Self::Truncated { .. } => {
                "what came before was read; the capture was cut off, take it again if its end matters".to_owned()
            }
            Self::Unpack { .. } | Self::TooLong { .. } | Self::Block { .. } => {
                "what came before was read; the rest is damaged, copy the file again from where it was taken".to_owned()
            }
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Unpack>() {
            Ok(unpack) => Self::Fault(Fault::Unpack { what: unpack.to_string() }),
            Err(error) => Self::Io(error),
        }
    }
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
