//! Messages of the domain name system (RFC 1035, section 4), in the forms that discovery uses: multicast DNS (RFC 6762),
//! LLMNR (RFC 4795) and NetBIOS names (RFC 1002).
//!
//! Invariant: reading a name always ends: labels and the pointers between two of them are counted.

use super::{Reason, Undecoded, be16, head};

/// The most questions and records of a message that are read: what a printer that announces everything sends.
pub const ENTRIES_MAX: usize = 64;
/// The most labels of a name that are read.
pub const LABELS_MAX: usize = 32;
/// The most pointers before one label that are followed; honest names have one.
const POINTERS_MAX: usize = 4;

/// Types of records.
pub mod kind {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Pointer.
    pub const PTR: u16 = 12;
    /// Processor and system.
    pub const HINFO: u16 = 13;
    /// Text.
    pub const TXT: u16 = 16;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// NetBIOS name.
    pub const NETBIOS: u16 = 32;
    /// Service. The same number is the state of a node in NetBIOS.
    pub const SRV: u16 = 33;
    /// Anything.
    pub const ANY: u16 = 255;
}

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Id.
    pub id: u16,
    /// Flags, with the kind of operation.
    pub flags: u16,
    /// How many entries each section has.
    counts: [u16; 4],
    bytes: &'a [u8],
}

/// Parts of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What is asked.
    Question,
    /// What is answered.
    Answer,
    /// Who has the authority; in a probe of multicast DNS, what the sender is about to claim.
    Authority,
    /// What is told besides.
    Additional,
}

/// A question or record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it stands.
    pub section: Section,
    /// What it is about.
    pub name: Name<'a>,
    /// Its type.
    pub kind: u16,
    /// Its data; empty in a question.
    pub data: &'a [u8],
    message: &'a [u8],
}

/// A name within a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Message<'a> {
    /// Returns the message that the bytes, a datagram's payload, are.
    ///
    /// # Errors
    /// When its header does not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, _) = head::<12>(bytes, Reason::NamesShort)?;
        let [i0, i1, f0, f1, q0, q1, a0, a1, u0, u1, d0, d1] = *header;
        let counts = [be16([q0, q1]), be16([a0, a1]), be16([u0, u1]), be16([d0, d1])];
        Ok(Self { id: be16([i0, i1]), flags: be16([f0, f1]), counts, bytes })
    }

    /// Returns whether it answers.
    pub const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// Returns the kind of operation: 0 a query, in NetBIOS 5 a registration, 6 a release, 8 or 9 a refresh.
    pub const fn operation(&self) -> u16 {
        self.flags >> 11 & 0x0f
    }

    /// Returns the code of the result; 0 where there is nothing wrong.
    pub const fn code(&self) -> u16 {
        self.flags & 0x0f
    }

    /// Hands each question and record, the first [`ENTRIES_MAX`], to `each`.
    ///
    /// # Errors
    /// When an entry does not fit. What came before was handed over.
    pub fn entries(&self, mut each: impl FnMut(Entry<'a>)) -> Result<(), Undecoded> {
        const SECTIONS: [Section; 4] = [Section::Question, Section::Answer, Section::Authority, Section::Additional];
        let mut at = 12;
        let mut read = 0_usize;
        for (section, count) in SECTIONS.into_iter().zip(self.counts) {
            for _ in 0..count {
                if read >= ENTRIES_MAX {
                    return Ok(());
                }
                let (entry, next) = self.entry(section, at)?;
                each(entry);
                at = next;
                read = read.saturating_add(1);
            }
        }
        Ok(())
    }

    fn entry(&self, section: Section, at: usize) -> Result<(Entry<'a>, usize), Undecoded> {
        let name = Name { message: self.bytes, at };
        let fixed = name.end()?;
        let rest = self.bytes.get(fixed..).unwrap_or_default();
        let entry = |kind, data| Entry { section, name, kind, data, message: self.bytes };
        let placed = |fault: Undecoded| fault.seen_from(self.bytes, rest);
        if section == Section::Question {
            let (&[k0, k1, _, _], _) = head::<4>(rest, Reason::NamesShort).map_err(placed)?;
            return Ok((entry(be16([k0, k1]), &[]), fixed.saturating_add(4)));
        }
        let (&[k0, k1, _, _, _, _, _, _, l0, l1], after) = head::<10>(rest, Reason::NamesShort).map_err(placed)?;
        let length = usize::from(be16([l0, l1]));
        let start = fixed.saturating_add(10);
        let data = after.get(..length).ok_or(Undecoded::new(Reason::NamesShort, start, length, after.len()))?;
        Ok((entry(be16([k0, k1]), data), start.saturating_add(length)))
    }
}

impl<'a> Entry<'a> {
    /// Returns the name that begins `offset` bytes into the data.
    pub fn name_in_data(&self, offset: usize) -> Option<Name<'a>> {
        let start = self.data.as_ptr().addr().saturating_sub(self.message.as_ptr().addr()).saturating_add(offset);
        (offset < self.data.len()).then_some(Name { message: self.message, at: start })
    }

    /// Returns the strings that the data consists of, each behind its length: the form of TXT and HINFO.
    pub fn strings(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.data;
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (text, next) = after.split_at_checked(length.into())?;
            rest = next;
            Some(text)
        })
    }
}

impl<'a> Name<'a> {
    /// Returns its labels, as far as they can be read, at most [`LABELS_MAX`].
    pub fn labels(self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut at = self.at;
        std::iter::from_fn(move || {
            let (label, next) = self.label(at)?;
            at = next;
            Some(label)
        })
        .take(LABELS_MAX)
    }

    /// Returns the label at `at`, behind as many pointers as there are, and where the next one is; `None` at the end.
    fn label(self, mut at: usize) -> Option<(&'a [u8], usize)> {
        for _ in 0..=POINTERS_MAX {
            let rest = self.message.get(at..)?;
            let (&length, after) = rest.split_first()?;
            match length {
                1..=0x3f => {
                    let label = after.get(..length.into())?;
                    return Some((label, at.checked_add(usize::from(length))?.checked_add(1)?));
                }
                0xc0.. => {
                    let target = usize::from(be16([length & 0x3f, *after.first()?]));
                    // Forwards or onto itself: no name that anybody wrote.
                    at = Some(target).filter(|target| *target < at)?;
                }
                // The end, or a kind of label that nobody uses.
                _ => return None,
            }
        }
        None
    }

    /// Returns whether the name ends in these labels, letter case aside.
    pub fn ends_with(self, labels: &[&str]) -> bool {
        let count = self.labels().count();
        let Some(skipped) = count.checked_sub(labels.len()) else { return false };
        self.labels().skip(skipped).zip(labels).all(|(label, text)| label.eq_ignore_ascii_case(text.as_bytes()))
    }

    /// Returns where in the message what follows the name begins.
    fn end(self) -> Result<usize, Undecoded> {
        let mut at = self.at;
        for _ in 0..=LABELS_MAX {
            let length =
                *self.message.get(at).ok_or(Undecoded::new(Reason::NamesShort, at.min(self.message.len()), 1, 0))?;
            at = match length {
                0 => return Ok(at.saturating_add(1)),
                1..=0x3f => at.saturating_add(usize::from(length)).saturating_add(1),
                0xc0.. => return Ok(at.saturating_add(2)),
                _ => return Err(Undecoded::new(Reason::NamesLabel, at, 0x3f, length.into())),
            };
        }
        Err(Undecoded::new(Reason::NamesLabel, self.at, LABELS_MAX, LABELS_MAX.saturating_add(1)))
    }
}
