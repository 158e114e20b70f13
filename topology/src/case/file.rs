//! Files of a case: a photo, a document, a capture. The case says what they are and who brought them; their bytes lie elsewhere, under
//! their hash.
//!
//! Invariant: what a case keeps of a file never changes, and nothing takes a file away but the end of its case. Files, and the bytes that
//! they have together, are bounded, those of a unit apart, so that none of them takes the others' room.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ActError, Acting, Case, NoticeNumber};
use crate::Timestamp;

/// Bytes of one file, at most.
pub const FILE_BYTES_MAX: u64 = 8 << 20;
/// Files of a case, at most.
pub const CASE_FILES_MAX: usize = 100;
/// Bytes of all files of a case, at most.
pub const CASE_FILES_BYTES_MAX: u64 = 64 << 20;
/// Files that a unit can attach to one notice.
pub const NOTICE_FILES_MAX: usize = 20;
/// Bytes of these.
pub const NOTICE_FILES_BYTES_MAX: u64 = 32 << 20;
/// Captures that the centre fetches for a case by itself.
pub const CASE_CAPTURES_MAX: usize = 4;
/// Characters that a file's name may have.
pub const FILE_NAME_CHARS_MAX: usize = 120;
/// What a file is called of which nobody says what it is.
pub const UNKNOWN_MEDIA: &str = "application/octet-stream";

/// Content types that are kept as they are told, each with the endings of names that stand for it.
const MEDIA: [(&str, &[&str]); 11] = [
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/png", &["png"]),
    ("application/pdf", &["pdf"]),
    ("text/plain", &["txt", "log"]),
    ("text/csv", &["csv"]),
    ("application/json", &["json"]),
    ("application/zip", &["zip"]),
    ("application/gzip", &["gz", "tgz"]),
    ("application/vnd.tcpdump.pcap", &["pcap", "pcapng", "cap"]),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx"]),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"]),
];

/// SHA-256 of a file. Written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileHash([u8; 32]);

/// A text is no hash of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SHA-256: write its 64 hexadecimal digits")]
pub struct InvalidFileHash(pub String);

/// A file, by what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// SHA-256 of its bytes.
    pub hash: FileHash,
    /// What whoever brought it calls it, without a folder.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its content type: one of a short list.
    pub media: String,
    /// Whether it is packets that the centre fetched from the site: to be read by whoever may read flows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fetched: bool,
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFile {
    /// The file.
    #[serde(flatten)]
    pub file: NewFile,
    /// When it was attached.
    pub time: Timestamp,
    /// Who did.
    pub by: String,
    /// With which notice, where a unit did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeNumber>,
}

/// Packets that a case was to have and has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostCapture {
    /// The name of the file at the site.
    pub name: String,
    /// Why it could not be fetched.
    pub why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(it: &bool) -> bool {
    !*it
}

/// Returns the content type under which a file is kept: as it is told, where that is on the list, else by the ending of its name, else
/// bytes of whatever kind.
pub fn media_of(told: &str, name: &str) -> &'static str {
    let told = told.split(';').next().unwrap_or_default().trim();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let by_type = MEDIA.iter().find(|(media, _)| media.eq_ignore_ascii_case(told));
    let found = by_type.or_else(|| MEDIA.iter().find(|(_, endings)| endings.contains(&ending.as_str())));
    found.map_or(UNKNOWN_MEDIA, |(media, _)| media)
}

/// Returns the name of a file as a case keeps it: its last part, without what turns text round or controls a terminal; `None` where
/// nothing is left.
pub fn file_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let acts = |c: &char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = last.chars().filter(|c| !acts(c)).collect();
    let plain = plain.trim();
    // The ending says what it is, so that it stays where the name is cut.
    let cut = plain.chars().count().saturating_sub(FILE_NAME_CHARS_MAX);
    let name: String = plain.chars().skip(cut).collect();
    (!name.is_empty() && name.chars().any(|c| c != '.')).then_some(name)
}

impl FileHash {
    /// Returns the hash that somebody computed.
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHash({self})")
    }
}

impl FromStr for FileHash {
    type Err = InvalidFileHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut hash = [0; 32];
            if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            for (at, byte) in hash.iter_mut().enumerate() {
                *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
            }
            Some(Self(hash))
        };
        parse().ok_or_else(|| InvalidFileHash(text.to_owned()))
    }
}

impl Serialize for FileHash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Case {
    /// Returns how many bytes its files have together.
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|it| it.file.bytes).sum()
    }

    /// Checks a file that is to be attached, with the notice of this place where a unit does.
    pub(super) fn check_file(&self, file: &NewFile, about: Option<usize>) -> Result<(), ActError> {
        if file_name(&file.name).as_ref() != Some(&file.name) || media_of(&file.media, "") != file.media {
            return Err(ActError::FileName);
        }
        let notice = about.and_then(|at| self.notices.get(at)).map(|it| it.number);
        let own = || self.files.iter().filter(|it| it.notice == notice);
        if let Some(there) = own().find(|it| it.file.hash == file.hash) {
            return Err(ActError::FileThere(there.file.name.clone()));
        }
        let own_bytes: u64 = own().map(|it| it.file.bytes).sum();
        let of_unit = notice.is_some()
            && (own().count() >= NOTICE_FILES_MAX || own_bytes.saturating_add(file.bytes) > NOTICE_FILES_BYTES_MAX);
        let of_case = self.files.len() >= CASE_FILES_MAX
            || self.file_bytes().saturating_add(file.bytes) > CASE_FILES_BYTES_MAX
            || file.bytes > FILE_BYTES_MAX;
        if of_unit || of_case { Err(ActError::FilesFull) } else { Ok(()) }
    }

    /// Adds a file that was checked.
    pub(super) fn add_file(&mut self, file: &NewFile, about: Option<usize>, acting: Acting<'_>) {
        let notice = about.and_then(|at| self.notices.get(at)).map(|it| it.number);
        self.files.push(CaseFile { file: file.clone(), time: acting.time, by: acting.by.to_owned(), notice });
    }
}
