//! What a capture is read from: a file, unpacked on the way where it is compressed.
//!
//! Invariant: how far a small file may grow does not matter: what is unpacked is read a chunk at a time. A window of zstd is at
//! most 128 MiB, the library's own bound.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _},
};

use flate2::read::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A file that is read as it is, or unpacked.
pub struct Source(Packing);

enum Packing {
    None(File),
    Gzip(MultiGzDecoder<BufReader<File>>),
    Zstd(zstd::Decoder<'static, BufReader<File>>),
}

/// A compressed file could not be unpacked to its end.
#[derive(Debug, thiserror::Error)]
#[error("{with} cannot unpack it: {source}")]
pub(super) struct Unpack {
    pub(super) with: &'static str,
    #[source]
    pub(super) source: io::Error,
}

impl Source {
    /// Takes a file that stands at its beginning.
    pub(super) fn of(mut file: File) -> io::Result<Self> {
        let mut magic = Vec::with_capacity(ZSTD.len());
        file.by_ref().take(ZSTD.len() as u64).read_to_end(&mut magic)?;
        file.rewind()?;
        Ok(Self(if magic.starts_with(&GZIP) {
            Packing::Gzip(MultiGzDecoder::new(BufReader::new(file)))
        } else if magic == ZSTD {
            Packing::Zstd(zstd::Decoder::new(file)?)
        } else {
            Packing::None(file)
        }))
    }
}

impl Read for Source {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let (with, read) = match &mut self.0 {
            Packing::None(file) => return file.read(room),
            Packing::Gzip(gzip) => ("gzip", gzip.read(room)),
            Packing::Zstd(zstd) => ("zstd", zstd.read(room)),
        };
        read.map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => source,
            kind => io::Error::new(kind, Unpack { with, source }),
        })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Packing::None(_) => "Source(file)",
            Packing::Gzip(_) => "Source(gzip)",
            Packing::Zstd(_) => "Source(zstd)",
        })
    }
}
