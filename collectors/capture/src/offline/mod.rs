//! Capture files: pcap and pcapng, in either byte order, as they are or compressed with gzip or zstd.
//!
//! Invariants: a file's frames come out up to the first thing in it that cannot be; that is then said once, with the file,
//! the offset and the remedy. Memory is bounded by [`RECORD_MAX`] whatever lengths a file states, and every call makes
//! progress or ends, so that no file can hang its reader.

mod buffer;
mod error;
mod pcap;
mod pcapng;
mod source;

pub use error::{Fault, OfflineError};
pub use source::Source;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use self::{buffer::Buffer, error::Broken, pcap::Pcap, pcapng::PcapNg};
use crate::{FrameMeta, FrameTime, LinkType, Listener, listener::AHEAD};

/// The longest frame that is read, in bytes. Longest of what networks carry is a jumbogram's segment at 64 KiB and some
/// headers; no capture tool writes more than 256 KiB.
pub const RECORD_MAX: usize = 1 << 20;

/// A frame from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfflineFrame<'a> {
    /// When it passed.
    pub time: FrameTime,
    /// How it is to be read.
    pub link_type: LinkType,
    /// What the file says beside its bytes.
    pub meta: FrameMeta,
    /// Its bytes, as far as they were captured.
    pub bytes: &'a [u8],
}

/// An open capture file.
#[derive(Debug)]
pub struct CaptureFile<R = Source> {
    path: PathBuf,
    buffer: Buffer<R>,
    format: Format,
    frames: u64,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// Where a frame lies in the buffer, and what is known of it.
struct Located {
    time: FrameTime,
    link_type: LinkType,
    wire_length: u32,
    outgoing: bool,
    /// Where the frame begins, in bytes back from where the buffer stands now.
    back: usize,
    captured: usize,
}

impl CaptureFile<Source> {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened or does not begin as a capture file does.
    pub fn open(path: &Path) -> Result<Self, OfflineError> {
        let source = File::open(path).and_then(Source::of);
        Self::read(path, source.map_err(|source| OfflineError::Open { path: path.to_owned(), source })?)
    }
}

impl<R: Read> CaptureFile<R> {
    /// Reads a capture from `source`; `path` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read or does not begin as a capture file does.
    pub fn read(path: &Path, source: R) -> Result<Self, OfflineError> {
        let mut buffer = Buffer::new(source);
        let format = match Self::detect(&mut buffer) {
            Ok(format) => format,
            Err(broken) => return Err(OfflineError::new(path, buffer.offset(), 0, broken)),
        };
        Ok(Self { path: path.to_owned(), buffer, format, frames: 0, ended: false })
    }

    /// Returns the next frame, `None` at the end of the file and after an error.
    ///
    /// # Errors
    /// When the file is broken here. There is no going on after that.
    pub fn next_frame(&mut self) -> Result<Option<OfflineFrame<'_>>, OfflineError> {
        if self.ended {
            return Ok(None);
        }
        let located = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.buffer),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.buffer),
        };
        match located {
            Ok(Some(located)) => {
                self.frames += 1;
                let bytes = self.buffer.taken(located.back, located.captured);
                let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                // A file that states a shorter length than it holds is wrong about the former.
                let whole = FrameMeta::whole(located.wire_length.max(captured));
                let meta = FrameMeta { outgoing: located.outgoing, ..whole };
                Ok(Some(OfflineFrame { time: located.time, link_type: located.link_type, meta, bytes }))
            }
            Ok(None) => {
                self.ended = true;
                Ok(None)
            }
            Err(broken) => {
                self.ended = true;
                Err(OfflineError::new(&self.path, self.buffer.offset(), self.frames, broken))
            }
        }
    }

    /// Hands the next frames, a few, to a listener. Returns their number, 0 at the end of the file and after an error.
    ///
    /// # Errors
    /// When the file is broken here. There is no going on after that.
    pub fn hand_over(&mut self, listener: &mut impl Listener) -> Result<usize, OfflineError> {
        // Frames of pcapng files are not foreseen.
        if let Format::Pcap(pcap) = &self.format {
            pcap.foresee(self.buffer.unread(), AHEAD, |link, meta, bytes| listener.foresee(link, meta, bytes));
            listener.prepare();
        }
        for number in 0..AHEAD {
            let Some(frame) = self.next_frame()? else { return Ok(number) };
            listener.frame(frame.time, frame.link_type, frame.meta, frame.bytes);
        }
        Ok(AHEAD)
    }

    fn detect(buffer: &mut Buffer<R>) -> Result<Format, Broken> {
        let magic = buffer.peek::<4>()?.ok_or(Fault::NotACapture { magic: [0; 4] })?;
        if magic == pcapng::SECTION {
            return Ok(Format::PcapNg(PcapNg::new()));
        }
        match magic {
            // Gzip and zstd are unpacked on the way; what is found here is packed twice, or otherwise.
            [0x1f, 0x8b, ..] => Err(Fault::Compressed { with: "gzip", remedy: "gunzip" }.into()),
            [0x28, 0xb5, 0x2f, 0xfd] => Err(Fault::Compressed { with: "zstd", remedy: "unzstd" }.into()),
            [0xfd, b'7', b'z', b'X'] => Err(Fault::Compressed { with: "xz", remedy: "unxz" }.into()),
            [b'B', b'Z', b'h', _] => Err(Fault::Compressed { with: "bzip2", remedy: "bunzip2" }.into()),
            _ => Pcap::open(buffer, magic).map(Format::Pcap),
        }
    }
}
