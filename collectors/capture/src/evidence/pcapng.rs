//! Writing capture files (pcapng, draft-ietf-opsawg-pcapng): one section, an interface for each name and link type, times in
//! nanoseconds, comments.
//!
//! Invariant: what is written is what was on the wire as far as it was captured: a tag that the kernel took off is put back.

use std::io::{self, Write};

use crate::{FrameMeta, FrameTime, LinkType};

const KIND_SECTION: u32 = 0x0a0d_0d0a;
const KIND_INTERFACE: u32 = 1;
const KIND_ENHANCED: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Options: end, comment; of a section the program; of an interface name and resolution of times; of a packet its direction.
const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const OPTION_PROGRAM: u16 = 4;
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_FLAGS: u16 = 2;

/// Times are in units of 10^-9 seconds.
const NANOSECONDS: u8 = 9;
/// A frame's direction in its flags.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;
/// Where an Ethernet frame's tag goes: behind the two addresses.
const TAG_AT: usize = 12;
/// The longest text of an option.
const TEXT_MAX: usize = 65_535;

/// Writes one capture file.
#[derive(Debug)]
pub struct CaptureWriter<W> {
    writer: W,
    interfaces: Vec<(String, u32)>,
    /// A block, put together before it is written.
    block: Vec<u8>,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a file; `comment` says what it is about.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(writer: W, program: &str, comment: &str) -> io::Result<Self> {
        let mut file = Self { writer, interfaces: Vec::new(), block: Vec::new() };
        file.block.extend(BYTE_ORDER.to_le_bytes());
        file.block.extend([1, 0, 0, 0]);
        // The section's length is not known yet.
        file.block.extend(u64::MAX.to_le_bytes());
        file.text(OPTION_COMMENT, comment);
        file.text(OPTION_PROGRAM, program);
        file.end(KIND_SECTION)?;
        Ok(file)
    }

    /// Writes a packet that was captured on an interface. One of a link type that capture files do not know is left out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn packet(
        &mut self,
        interface: &str,
        (time, link_type, meta): (FrameTime, LinkType, FrameMeta),
        bytes: &[u8],
        comment: &str,
    ) -> io::Result<()> {
        let Some(code) = link_type.code() else { return Ok(()) };
        let number = self.interface(interface, code)?;
        let [t0, t1, t2, t3, t4, t5, t6, t7] = time.unix_ns().cast_unsigned().to_le_bytes();
        let (front, back) = match meta.vlan {
            Some(_) if link_type == LinkType::Ethernet => bytes.split_at_checked(TAG_AT).unwrap_or((bytes, &[])),
            _ => (bytes, &[][..]),
        };
        let tag = meta.vlan.filter(|_| !back.is_empty());
        let captured = bytes.len() + if tag.is_some() { 4 } else { 0 };
        self.block.extend(number.to_le_bytes());
        // The high half of the time comes first.
        self.block.extend([t4, t5, t6, t7, t0, t1, t2, t3]);
        self.block.extend(length(captured).to_le_bytes());
        self.block.extend(meta.wire_length.max(length(captured)).to_le_bytes());
        self.block.extend(front);
        if let Some(tag) = tag {
            self.block.extend(tag.protocol.to_be_bytes());
            self.block.extend(tag.control.to_be_bytes());
        }
        self.block.extend(back);
        self.pad();
        let direction = if meta.outgoing { OUTBOUND } else { INBOUND };
        self.option(OPTION_FLAGS, &direction.to_le_bytes());
        self.text(OPTION_COMMENT, comment);
        self.end(KIND_ENHANCED)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.writer.flush()?;
        Ok(self.writer)
    }

    /// Returns the number of an interface, which is written when it is new.
    fn interface(&mut self, name: &str, code: u32) -> io::Result<u32> {
        let known = self.interfaces.iter().position(|(found, of)| found == name && *of == code);
        if let Some(known) = known {
            return Ok(length(known));
        }
        let number = length(self.interfaces.len());
        self.interfaces.push((name.to_owned(), code));
        let [low, high, ..] = code.to_le_bytes();
        self.block.extend([low, high, 0, 0]);
        // No limit to the length of frames.
        self.block.extend([0; 4]);
        self.text(OPTION_NAME, name);
        self.option(OPTION_RESOLUTION, &[NANOSECONDS]);
        self.end(KIND_INTERFACE)?;
        Ok(number)
    }

    fn text(&mut self, option: u16, text: &str) {
        let mut length = text.len().min(TEXT_MAX);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        if length > 0 {
            self.option(option, text.as_bytes().get(..length).unwrap_or_default());
        }
    }

    fn option(&mut self, option: u16, value: &[u8]) {
        self.block.extend(option.to_le_bytes());
        self.block.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        self.block.extend(value);
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    /// Writes the block.
    fn end(&mut self, kind: u32) -> io::Result<()> {
        self.option(OPTION_END, &[]);
        let total = length(self.block.len() + 12).to_le_bytes();
        let written = self
            .writer
            .write_all(&kind.to_le_bytes())
            .and_then(|()| self.writer.write_all(&total))
            .and_then(|()| self.writer.write_all(&self.block))
            .and_then(|()| self.writer.write_all(&total));
        self.block.clear();
        written
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
