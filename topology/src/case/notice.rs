//! Notices (通报): what a responsible unit is told of a case, by whom, and what it says.
//!
//! Invariant: nothing of a notice is lost: it keeps whom it went to as they were when it left, and every answer with what was
//! said to it. A notice waits for an answer, has one that stands, or has ended with its case.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    SiteId, Timestamp,
    contact::{Contact, is_telephone},
};

use super::{ActError, Case, CaseState, Deadlines, NAME_CHARS_MAX};

/// What the responsible unit is told (通报), and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row")]
pub struct Notice {
    /// Its number.
    pub number: NoticeNumber,
    /// The site that is responsible.
    pub to: SiteId,
    /// What it is told.
    pub text: String,
    /// When.
    pub sent: Timestamp,
    /// Who tells it; notices of older versions do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
    /// The contacts of the site when it left: whom it went to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// By when it is to answer next, or was.
    pub due: Timestamp,
    /// When the site said that it has it, and who did.
    pub received: Option<(Timestamp, String)>,
    /// What it answered, oldest first.
    pub answers: Vec<NoticeAnswer>,
    /// Since when nobody waits for an answer any more: the case was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// An answer to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeAnswer {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
    /// Whether the unit says that what was wrong is mended.
    pub rectified: bool,
    /// By when it was due.
    pub due: Timestamp,
    /// That it was given back, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<NoticeReturn>,
}

/// An answer was given back: it was not enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeReturn {
    /// When.
    pub time: Timestamp,
    /// Who did.
    pub by: String,
    /// Why.
    pub text: String,
}

/// Who issues a notice, and where he is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// The site of the unit; `None` where the issuer's rights are of several without one above them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<SiteId>,
    /// The person.
    pub person: String,
    /// The number, empty where none was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub telephone: String,
}

/// The number of a notice: they are counted by year, drills apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoticeNumber {
    /// The year, in China.
    pub year: i16,
    /// From 1.
    pub serial: u32,
    /// Whether it is one of a drill.
    pub drill: bool,
}

/// A text is no number of a notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no number of a notice: write one such as 2026-0007, or 2026-D0007 of a drill")]
pub struct InvalidNoticeNumber(pub String);

/// A notice as this version and those before it wrote it.
#[derive(Deserialize)]
struct Row {
    number: NoticeNumber,
    to: SiteId,
    text: String,
    sent: Timestamp,
    #[serde(default)]
    issuer: Option<Issuer>,
    #[serde(default)]
    contacts: Vec<Contact>,
    due: Timestamp,
    received: Option<(Timestamp, String)>,
    #[serde(default)]
    answers: Vec<NoticeAnswer>,
    #[serde(default)]
    ended: Option<Timestamp>,
    /// The last answer alone, before all of them were kept.
    #[serde(default)]
    answered: Option<(Timestamp, String, String)>,
}

/// The notices of a case: a case of older versions had one at most.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rows {
    All(Vec<Notice>),
    One(Box<Notice>),
}

impl From<Row> for Notice {
    fn from(row: Row) -> Self {
        let Row { number, to, text, sent, issuer, contacts, due, received, mut answers, ended, answered } = row;
        let only = |(time, by, text)| NoticeAnswer { time, by, text, rectified: false, due, returned: None };
        answers.extend(answered.map(only));
        Self { number, to, text, sent, issuer, contacts, due, received, answers, ended }
    }
}

/// Reads the notices of a case, as any version wrote them.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Notice>, D::Error> {
    Ok(match Option::<Rows>::deserialize(from)? {
        None => Vec::new(),
        Some(Rows::All(notices)) => notices,
        Some(Rows::One(notice)) => vec![*notice],
    })
}

impl NoticeAnswer {
    /// Returns whether it came later than it was due.
    pub fn is_late(&self) -> bool {
        self.time > self.due
    }
}

impl Notice {
    /// Returns the answer that stands: the last one, unless it was given back.
    pub fn answered(&self) -> Option<&NoticeAnswer> {
        self.answers.last().filter(|it| it.returned.is_none())
    }

    /// Returns whether its unit still has something to do about it.
    pub fn is_open(&self) -> bool {
        self.ended.is_none() && self.answered().is_none_or(|it| !it.rectified)
    }

    /// Returns whether its unit is to answer it.
    pub fn awaits(&self) -> bool {
        self.ended.is_none() && self.answered().is_none()
    }

    /// Ends it with its case.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.ended.get_or_insert(at);
    }
}

impl Case {
    /// Returns its last notice.
    pub fn notice(&self) -> Option<&Notice> {
        self.notices.last()
    }

    /// Returns the notice of this number.
    pub fn numbered(&self, number: NoticeNumber) -> Option<&Notice> {
        self.notices.iter().find(|it| it.number == number)
    }

    /// Returns the notices that wait for an answer, what is due first first.
    pub fn awaiting(&self) -> Vec<&Notice> {
        let waits = self.state == CaseState::Notified;
        let mut awaiting: Vec<&Notice> = self.notices.iter().filter(|it| waits && it.awaits()).collect();
        awaiting.sort_by_key(|it| (it.due, it.number));
        awaiting
    }

    /// Returns whether a site has something to do about a notice of it.
    pub fn is_for(&self, site: SiteId) -> bool {
        self.state == CaseState::Notified && self.notices.iter().any(|it| it.to == site && it.is_open())
    }

    /// Returns by when the next step is due while units have notices: the first answer that is awaited or is to be judged.
    pub(super) fn notices_due(&self, now: Timestamp, deadlines: &Deadlines) -> Timestamp {
        let judge_ms = deadlines.judge_ms(self.grade);
        let open = self.notices.iter().filter(|it| it.is_open());
        // What was mended is judged once all have answered.
        open.map(|it| it.answered().map_or(it.due, |answer| answer.time.plus_ms(judge_ms)))
            .min()
            .unwrap_or_else(|| now.plus_ms(judge_ms))
    }

    /// Returns the case with all answers of its notice, where an older version kept the last one alone: its story has them.
    #[must_use]
    pub fn with_answers_of_its_story(mut self) -> Self {
        let [notice] = &mut self.notices[..] else { return self };
        let since = self.steps.iter().rposition(|step| step.did == "notify").map_or(0, |at| at + 1);
        let steps = self.steps.get(since..).unwrap_or_default();
        let told = steps.iter().filter(|step| step.did == "answer").count();
        if told <= notice.answers.len() {
            return self;
        }
        let mut answers: Vec<NoticeAnswer> = Vec::new();
        for step in steps {
            let (time, by, text) = (step.time, step.by.clone().unwrap_or_default(), step.text.clone());
            match step.did.as_str() {
                "answer" => {
                    let rectified = step.state == CaseState::Rectified;
                    answers.push(NoticeAnswer { time, by, text, rectified, due: notice.due, returned: None });
                }
                "return" => {
                    if let Some(last) = answers.last_mut() {
                        last.returned = Some(NoticeReturn { time, by, text });
                    }
                }
                _ => {}
            }
        }
        notice.answers = answers;
        self
    }
}

impl Issuer {
    /// Checks what is said of an issuer.
    pub(super) fn check(&self) -> Result<(), ActError> {
        if !(1..=NAME_CHARS_MAX).contains(&self.person.trim().chars().count()) {
            return Err(ActError::Name);
        }
        if self.telephone.is_empty() || is_telephone(&self.telephone) { Ok(()) } else { Err(ActError::Telephone) }
    }
}

impl fmt::Display for NoticeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drill = if self.drill { "D" } else { "" };
        write!(f, "{}-{drill}{:04}", self.year, self.serial)
    }
}

impl std::str::FromStr for NoticeNumber {
    type Err = InvalidNoticeNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (year, serial) = text.split_once('-')?;
            let (drill, serial) = serial.strip_prefix('D').map_or((false, serial), |serial| (true, serial));
            let serial = Some(serial).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
            Some(Self { year: year.parse().ok()?, serial: serial.parse().ok()?, drill })
        };
        parse().ok_or_else(|| InvalidNoticeNumber(text.to_owned()))
    }
}
