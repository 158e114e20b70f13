//! What people do with a case: the state machine.
//!
//! Invariant: whatever is not allowed from a state is refused and changes nothing; whatever is done is a step of the story. A
//! case is closed as true only when a person confirmed its grade, and as a drill exactly if it is one.

use serde::{Deserialize, Serialize};

use super::{
    CASE_FILES_BYTES_MAX, CASE_FILES_MAX, Case, CaseEvidence, CaseState, CaseVerdict, Category, Deadlines,
    EVIDENCE_MAX, FILE_BYTES_MAX, Issuer, KIND_CHARS_MAX, LostCapture, NAME_CHARS_MAX, NOTICE_FILES_BYTES_MAX,
    NOTICE_FILES_MAX, NOTICES_MAX, NewFile, Notice, NoticeAnswer, NoticeNumber, NoticeReturn, RELATED_MAX, STEPS_MAX,
    TEXT_CHARS_MAX,
};
use crate::{
    CaseId, SiteId, Timestamp,
    contact::{Contact, TELEPHONE_CHARS_MAX},
    incident::Severity,
};

/// What can be done with a case. Stored in the log, so variants and fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseAction {
    /// Take it up.
    Acknowledge,
    /// Begin to find out what it is.
    Review,
    /// Say who sees to it.
    Assign {
        /// The person.
        to: String,
    },
    /// Confirm how grave it is, and what sort of event.
    Grade {
        /// How grave.
        grade: Severity,
        /// What sort of event.
        category: Category,
    },
    /// Say by when the next step is due.
    SetDue {
        /// By when.
        due: Timestamp,
    },
    /// Say something.
    Comment {
        /// What.
        text: String,
    },
    /// Attach evidence.
    Attach {
        /// What.
        text: String,
    },
    /// Attach a file, whose bytes are on disk.
    AttachFile {
        /// The file.
        file: NewFile,
        /// Whether a unit does, with its notice.
        #[serde(default)]
        of_unit: bool,
    },
    /// Say that packets that it was to have are lost.
    MissCapture {
        /// Which, and why.
        lost: LostCapture,
    },
    /// Say that another case has to do with it.
    Relate {
        /// The other.
        other: CaseId,
    },
    /// Tell the responsible unit (通报).
    Notify {
        /// The site.
        to: SiteId,
        /// What it is told.
        text: String,
        /// By when it is to answer; by the grade where nobody says.
        due: Option<Timestamp>,
        /// Who tells it; older versions did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<Issuer>,
    },
    /// The unit says that it has the notice.
    Receive,
    /// The unit answers.
    Answer {
        /// What.
        text: String,
        /// Whether it has mended what was wrong.
        rectified: bool,
    },
    /// Give the answer back: it is not enough.
    Return {
        /// Why.
        text: String,
        /// By when another is due.
        due: Option<Timestamp>,
    },
    /// Close it.
    Close {
        /// What it was found to be.
        verdict: CaseVerdict,
        /// Why.
        text: String,
    },
    /// Open it again.
    Reopen {
        /// Why.
        text: String,
    },
}

/// Who acts, when, and what the action needs beside itself.
#[derive(Debug, Clone, Copy)]
pub struct Acting<'a> {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: &'a str,
    /// At which site: where the unit acts, its own.
    pub site: SiteId,
    /// Which notice it is about; where nobody says, the last that it can be about.
    pub notice: Option<NoticeNumber>,
    /// The number of the next notice.
    pub number: NoticeNumber,
    /// The contacts of the site that is notified.
    pub contacts: &'a [Contact],
    /// How long things may take.
    pub deadlines: &'a Deadlines,
}

/// Why it cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// Not from this state.
    #[error("a case that is {state} cannot be {action}: see what `onenetd cases show` says of it")]
    State {
        /// The state.
        state: &'static str,
        /// What was asked.
        action: &'static str,
    },
    /// The grade is not confirmed.
    #[error("nobody has confirmed the grade of this case: confirm grade and category first (onenetd cases grade)")]
    NotGraded,
    /// A drill is closed as a drill, and nothing else is.
    #[error("a drill is closed as drill, and nothing else is")]
    Drill,
    /// The text cannot be used.
    #[error("say what there is to say, in at most {TEXT_CHARS_MAX} characters")]
    Text,
    /// The name cannot be used.
    #[error("name a person, in at most {NAME_CHARS_MAX} characters")]
    Name,
    /// The number cannot be used.
    #[error("give a telephone number such as 0311-86000001, in at most {TELEPHONE_CHARS_MAX} characters")]
    Telephone,
    /// The time is past.
    #[error("{0} is over: give a time that is still to come")]
    Past(Timestamp),
    /// It was done before.
    #[error("the notice was received before: answer it")]
    ReceivedBefore,
    /// The site has one that it is still to answer.
    #[error("the site has notice {0} of this case, which is still open: wait for its answer, or give that back")]
    NoticeOpen(NoticeNumber),
    /// A case is not related to itself.
    #[error("a case is related to itself anyway: name another one")]
    Itself,
    /// The file has no name that can be kept, or another content type than those that are.
    #[error("the file needs a name: give it one with letters or digits")]
    FileName,
    /// The file is there.
    #[error("this very file is attached already, as {0:?}: nothing is to be done")]
    FileThere(String),
    /// There is no room for the file.
    #[error(
        "there is no room for the file: a case has at most {CASE_FILES_MAX} files of together {} MiB, a unit at most \
         {NOTICE_FILES_MAX} of {} MiB with one notice, and a file at most {} MiB: send a smaller one, or attach a text that says where it lies",
        CASE_FILES_BYTES_MAX >> 20, NOTICE_FILES_BYTES_MAX >> 20, FILE_BYTES_MAX >> 20
    )]
    FilesFull,
    /// There is no room for more.
    #[error("the case has as many entries as it can have: close it, and open another where there is more to say")]
    Full,
}

impl CaseAction {
    /// The names of the actions that somebody asks for by name; files are brought otherwise.
    pub const NAMES: [&str; 14] = [
        "acknowledge",
        "review",
        "assign",
        "grade",
        "set_due",
        "comment",
        "attach",
        "relate",
        "notify",
        "receive",
        "answer",
        "return",
        "close",
        "reopen",
    ];

    /// Returns its name in the API and in the story of a case.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Review => "review",
            Self::Assign { .. } => "assign",
            Self::Grade { .. } => "grade",
            Self::SetDue { .. } => "set_due",
            Self::Comment { .. } => "comment",
            Self::Attach { .. } => "attach",
            Self::AttachFile { .. } => "attach_file",
            Self::MissCapture { .. } => "miss_capture",
            Self::Relate { .. } => "relate",
            Self::Notify { .. } => "notify",
            Self::Receive => "receive",
            Self::Answer { .. } => "answer",
            Self::Return { .. } => "return",
            Self::Close { .. } => "close",
            Self::Reopen { .. } => "reopen",
        }
    }

    /// Returns the name of what became of the case, for people.
    const fn done(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledged",
            Self::Review => "reviewed",
            Self::Assign { .. } => "assigned",
            Self::Grade { .. } => "graded",
            Self::SetDue { .. } => "given a due date",
            Self::Comment { .. } => "commented on",
            Self::Attach { .. } | Self::AttachFile { .. } | Self::MissCapture { .. } => "given evidence",
            Self::Relate { .. } => "related to another",
            Self::Notify { .. } => "notified",
            Self::Receive => "received",
            Self::Answer { .. } => "answered",
            Self::Return { .. } => "given back",
            Self::Close { .. } => "closed",
            Self::Reopen { .. } => "opened again",
        }
    }

    /// Returns whether the responsible unit does it, and not whoever reviews the case.
    pub const fn is_of_unit(&self) -> bool {
        matches!(self, Self::Receive | Self::Answer { .. } | Self::AttachFile { of_unit: true, .. })
    }

    /// Returns what it says, in words.
    pub fn text(&self) -> String {
        match self {
            Self::Acknowledge | Self::Review | Self::Receive => String::new(),
            Self::Assign { to } => to.clone(),
            Self::Grade { grade, category } => format!("{} {}", grade.name(), category.name()),
            Self::SetDue { due } => due.to_string(),
            Self::Relate { other } => other.to_string(),
            Self::AttachFile { file, .. } => format!("{} ({} bytes, SHA-256 {})", file.name, file.bytes, file.hash),
            Self::MissCapture { lost } => format!("{}: {}", lost.name, lost.why),
            Self::Comment { text }
            | Self::Attach { text }
            | Self::Notify { text, .. }
            | Self::Answer { text, .. }
            | Self::Return { text, .. }
            | Self::Close { text, .. }
            | Self::Reopen { text } => text.clone(),
        }
    }

    /// Checks the words and times of an action.
    fn check(&self, case: &Case, now: Timestamp) -> Result<(), ActError> {
        let is_text = |text: &str, max: usize| (1..=max).contains(&text.trim().chars().count());
        match self {
            Self::Assign { to } if !is_text(to, NAME_CHARS_MAX) => return Err(ActError::Name),
            Self::Relate { other } if *other == case.id => return Err(ActError::Itself),
            Self::Acknowledge
            | Self::Review
            | Self::Receive
            | Self::Assign { .. }
            | Self::Grade { .. }
            | Self::SetDue { .. }
            | Self::Relate { .. } => {}
            _ if !is_text(&self.text(), TEXT_CHARS_MAX) => return Err(ActError::Text),
            _ => {}
        }
        if let Self::Notify { issuer: Some(issuer), .. } = self {
            issuer.check()?;
        }
        let due = match self {
            Self::SetDue { due } => Some(*due),
            Self::Notify { due, .. } | Self::Return { due, .. } => *due,
            _ => None,
        };
        if let Some(past) = due.filter(|due| *due <= now) {
            return Err(ActError::Past(past));
        }
        let is_last = matches!(self, Self::Close { .. });
        let is_full = case.steps.len() >= STEPS_MAX && !is_last
            || matches!(self, Self::Attach { .. }) && case.evidence.len() >= EVIDENCE_MAX
            || matches!(self, Self::MissCapture { .. }) && case.lost.len() >= EVIDENCE_MAX
            || matches!(self, Self::Notify { .. }) && case.notices.len() >= NOTICES_MAX
            || matches!(self, Self::Relate { .. }) && case.related.len() >= RELATED_MAX;
        if is_full { Err(ActError::Full) } else { Ok(()) }
    }

    /// Returns which notice of a case it is about: its place among them.
    fn about(&self, case: &Case, acting: Acting<'_>) -> Option<usize> {
        let of_site = |it: &Notice| it.to == acting.site && it.is_open();
        let last = |is: &dyn Fn(&Notice) -> bool| {
            case.notices.iter().rposition(|it| acting.notice.is_none_or(|number| number == it.number) && is(it))
        };
        match self {
            Self::Receive => last(&|it| of_site(it) && it.received.is_none()).or_else(|| last(&of_site)),
            Self::Answer { .. } => last(&of_site),
            // What was mended can be shown as long as nobody has judged it.
            Self::AttachFile { of_unit: true, .. } => last(&|it| it.to == acting.site && it.ended.is_none()),
            Self::Return { .. } => last(&|it| it.ended.is_none() && it.answered().is_some()),
            _ => None,
        }
    }

    /// Returns the state that it leads to. `about` is the place of the notice that it is about.
    #[expect(
        clippy::match_same_arms,
        reason = "a row for each thing that can be done, as people read a table of states"
    )]
    fn leads(&self, case: &Case, about: Option<usize>) -> Result<CaseState, ActError> {
        use CaseState::{Acknowledged, Closed, New, Notified, Rectified, Silenced, UnderReview};
        let refused = Err(ActError::State { state: case.state.name(), action: self.done() });
        let notice = about.and_then(|at| case.notices.get(at));
        let others = || case.notices.iter().enumerate().any(|(at, it)| Some(at) != about && it.is_open());
        let open_at = |site: &SiteId| case.notices.iter().find(|it| it.to == *site && it.is_open());
        match (self, case.state) {
            (Self::Acknowledge, New | Silenced) => Ok(Acknowledged),
            (Self::Review, New | Silenced | Acknowledged) => Ok(UnderReview),
            (Self::Notify { .. }, Acknowledged | UnderReview) if case.graded_by.is_none() => Err(ActError::NotGraded),
            (Self::Notify { to, .. }, Acknowledged | UnderReview | Notified | Rectified) => {
                open_at(to).map_or(Ok(Notified), |open| Err(ActError::NoticeOpen(open.number)))
            }
            (Self::Receive, Notified) if notice.is_some_and(|it| it.received.is_some()) => {
                Err(ActError::ReceivedBefore)
            }
            (Self::Receive | Self::Answer { rectified: false, .. }, Notified) if notice.is_some() => Ok(Notified),
            // Once all units that were notified say so.
            (Self::Answer { rectified: true, .. }, Notified) if notice.is_some() => {
                Ok(if others() { Notified } else { Rectified })
            }
            // An answer that mends nothing is given back as well: the unit is to answer again.
            (Self::Return { .. }, Rectified | Notified) if notice.is_some() => Ok(Notified),
            (Self::Close { .. }, Closed(_) | Silenced) => refused,
            (Self::Close { verdict, .. }, _) if case.key.drill != (*verdict == CaseVerdict::Drill) => {
                Err(ActError::Drill)
            }
            (Self::Close { verdict: CaseVerdict::True, .. }, _) if case.graded_by.is_none() => Err(ActError::NotGraded),
            (Self::Close { verdict, .. }, _) => Ok(Closed(*verdict)),
            (Self::Reopen { .. }, Closed(_)) => Ok(UnderReview),
            (Self::AttachFile { of_unit: true, .. }, _) if notice.is_none() => refused,
            (
                Self::Comment { .. }
                | Self::Attach { .. }
                | Self::AttachFile { .. }
                | Self::MissCapture { .. }
                | Self::Relate { .. },
                state,
            ) => Ok(state),
            (Self::Assign { .. } | Self::SetDue { .. } | Self::Grade { .. }, state) if state.is_open() => Ok(state),
            _ => refused,
        }
    }
}

impl Case {
    /// Returns the case once somebody has done this with it.
    ///
    /// # Errors
    /// It cannot be done; the case stays as it is.
    pub fn act(&self, action: &CaseAction, acting: Acting<'_>) -> Result<Self, ActError> {
        let Acting { time, by, deadlines, .. } = acting;
        action.check(self, time)?;
        let about = action.about(self, acting);
        let state = action.leads(self, about)?;
        if let CaseAction::AttachFile { file, .. } = action {
            self.check_file(file, about)?;
        }
        let mut next = self.clone();
        match action {
            CaseAction::Acknowledge | CaseAction::Review => next.silenced_by = None,
            CaseAction::Assign { to } => next.assignee = Some(to.trim().to_owned()),
            CaseAction::Grade { grade, category } => {
                next.grade = *grade;
                next.category = Some(*category);
                next.graded_by = Some(by.to_owned());
            }
            CaseAction::SetDue { due } => next.due = Some(*due),
            CaseAction::Attach { text } => next.evidence.insert(0, CaseEvidence::new(CaseEvidence::ATTACHED, text)),
            CaseAction::AttachFile { file, .. } => next.add_file(file, about, acting),
            CaseAction::MissCapture { lost } => next.lost.push(lost.clone()),
            CaseAction::Relate { other } => {
                next.related.insert(*other);
            }
            CaseAction::Comment { .. } => {}
            CaseAction::Notify { to, text, due, issuer } => {
                next.notify((*to, *due), text, issuer.clone(), acting);
            }
            CaseAction::Receive => next.with_notice(about, |it| it.received = Some((time, by.to_owned()))),
            CaseAction::Answer { text, rectified } => next.with_notice(about, |it| {
                it.received.get_or_insert_with(|| (time, by.to_owned()));
                let (by, text, due) = (by.to_owned(), text.clone(), it.due);
                it.answers.push(NoticeAnswer { time, by, text, rectified: *rectified, due, returned: None });
            }),
            CaseAction::Return { due, text } => next.with_notice(about, |it| {
                it.due = due.unwrap_or_else(|| time.plus_ms(deadlines.answer_ms(self.grade)));
                if let Some(last) = it.answers.last_mut() {
                    last.returned = Some(NoticeReturn { time, by: by.to_owned(), text: text.clone() });
                }
            }),
            CaseAction::Close { .. } => {
                next.closed = Some(time);
                next.due = None;
                next.end_notices(time);
            }
            CaseAction::Reopen { .. } => {
                next.closed = None;
                // Its notices stay; those of older versions did not end with it.
                next.end_notices(time);
                next.reopened = next.reopened.saturating_add(1);
            }
        }
        next.proceed(action, state, time, deadlines);
        next.step(time, Some(by), action.name(), state, &action.text());
        let new = matches!(action, CaseAction::Notify { .. }).then_some(acting.number);
        next.about(about.and_then(|at| self.notices.get(at)).map(|it| it.number).or(new));
        Ok(next)
    }

    /// Sets what follows from a state that begins: when it was taken up, and by when the next step is due.
    fn proceed(&mut self, action: &CaseAction, state: CaseState, time: Timestamp, deadlines: &Deadlines) {
        let reviewers = !action.is_of_unit() && state != self.state;
        if reviewers && self.acknowledged.is_none() {
            self.acknowledged = Some(time);
        }
        let is_taken_up = matches!(self.state, CaseState::New | CaseState::Silenced) && state.is_open();
        let is_reopened = matches!(action, CaseAction::Reopen { .. });
        // What units say is for the reviewers to judge.
        let is_of_notices =
            matches!(action, CaseAction::Notify { .. } | CaseAction::Answer { .. } | CaseAction::Return { .. });
        if is_taken_up && state != self.state || is_reopened {
            self.due = Some(time.plus_ms(deadlines.close_ms(self.grade)));
        } else if is_of_notices {
            self.due = Some(self.notices_due(time, deadlines));
        }
    }

    fn notify(
        &mut self,
        (to, due): (SiteId, Option<Timestamp>),
        text: &str,
        issuer: Option<Issuer>,
        acting: Acting<'_>,
    ) {
        let due = due.unwrap_or_else(|| acting.time.plus_ms(acting.deadlines.answer_ms(self.grade)));
        self.notices.push(Notice {
            number: acting.number,
            to,
            text: text.to_owned(),
            sent: acting.time,
            issuer,
            contacts: acting.contacts.to_vec(),
            due,
            received: None,
            answers: Vec::new(),
            ended: None,
        });
    }

    fn with_notice(&mut self, at: Option<usize>, change: impl FnOnce(&mut Notice)) {
        if let Some(notice) = at.and_then(|at| self.notices.get_mut(at)) {
            change(notice);
        }
    }
}

/// Characters of a kind, for whoever checks one.
pub(super) fn is_word(text: &str) -> bool {
    let is_of_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !text.is_empty() && text.len() <= KIND_CHARS_MAX && text.chars().all(is_of_word)
}
