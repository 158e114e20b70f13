//! Packets of open cases: the centre fetches them from the sites by itself, and attaches them, before an agent needs the room.
//!
//! As soon as a case is open its capture files are asked for once, so that their agent lets them go last; each is fetched, slowly, when the
//! agent writes it no more. Of a case at most [`CASE_CAPTURES_MAX`]; each name once. What could not be had is told in the case.
//!
//! Invariants: what is wanted is a file in the folder `captures` of the data directory, which holds what came so far: a kill of either side
//! loses a part at most, and nothing is attached twice. Nothing is attached that is not whole, nor while the disk is short of room. Where
//! several centres share a log files are only asked for, by whoever may act on the outside. What went out is in the audit trail.
//!
//! # Tasks
//!
//! One task, [`run`], owned by whoever serves.

mod jobs;

use std::{fs, io, io::Write as _, os::unix::fs::DirBuilderExt as _, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::join_all;
use onenet_topology::{
    AgentId, CaseId,
    anomaly::{AnomalyKey, CAPTURE, CAPTURE_BYTES_MAX},
    case::{CASE_CAPTURES_MAX, Case, CaseAction, LostCapture, NewFile, media_of},
};
use onenet_wire::{Asker, CaptureQuery, InstructionBody, Query};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::jobs::{Ask, Jobs, Next, PART_BYTES, Said, Wanted};
use crate::{
    access::{
        Action,
        audit::{Author, Entry},
    },
    asking::{self, NoAnswer},
    centre::Centre,
    clock::monotonic,
    estate::Estate,
    ingest::IntakeError,
    record::Command,
};

/// The folder within the data directory.
const FOLDER: &str = "captures";
/// How often it is looked what is to be asked.
const LOOK: Duration = Duration::from_secs(5);
/// How long an agent may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Who asks, in the trail and at the site.
const NAME: &str = "onenetd";
/// Why packets are left out that a case has enough of.
const ENOUGH: &str =
    "this case has as many captures as are fetched by themselves: ask for this one by hand while the site has it";

/// Fetches packets.
pub(crate) struct Packets {
    centre: Centre,
    folder: PathBuf,
    jobs: Jobs,
    /// Whether files can be kept here.
    keeps: bool,
    /// The position of the estate that was looked through last.
    looked: Option<u64>,
}

/// Fetches until `shutdown`.
pub(crate) async fn run(centre: Centre, data: PathBuf, shutdown: CancellationToken) {
    let begun = monotonic();
    let mut packets = match Packets::open(centre, data) {
        Ok(packets) => packets,
        Err(error) => {
            tracing::error!(%error, "packets of open cases are not fetched: the folder captures of the data directory cannot be used");
            return;
        }
    };
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let now = u64::try_from((monotonic() - begun).as_millis()).unwrap_or(u64::MAX);
        tokio::select! {
            () = packets.round(now) => {}
            // What was under way is asked again.
            () = shutdown.cancelled() => return,
        }
    }
}

impl Packets {
    /// Reads what was wanted when the process ended.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub(crate) fn open(centre: Centre, data: PathBuf) -> io::Result<Self> {
        let mut folder = data;
        folder.push(FOLDER);
        let keeps = centre.replication().is_none();
        let mut jobs = Jobs::new(!keeps);
        if keeps {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let wanted = entry.file_name().to_str().and_then(wanted);
                if !wanted.is_some_and(|it| jobs.want(it, entry.metadata().map_or(0, |meta| meta.len()), 0)) {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(Self { centre, folder, jobs, keeps, looked: None })
    }

    /// Looks what is wanted, and asks what is due, once.
    pub(crate) async fn round(&mut self, now: u64) {
        if !self.centre.may_act_outside() || self.keeps && self.centre.is_short_of_room() {
            return;
        }
        let estate = self.centre.estate();
        if self.looked.replace(estate.position) != Some(estate.position) {
            self.look(&estate, now).await;
        }
        let due = self.jobs.due(now);
        let answers = join_all(due.iter().map(|ask| put(&self.centre, ask))).await;
        for (ask, answer) in due.iter().zip(answers) {
            self.take(&estate, ask, answer, now).await;
        }
        self.jobs.tidy(now);
    }

    /// Looks through the open cases for packets that they have not.
    async fn look(&mut self, estate: &Arc<Estate>, now: u64) {
        let keeps = self.keeps;
        let gone = self.jobs.drop_unless(|it| estate.cases.all.get(&it.case).is_some_and(|it| keeps || it.is_open()));
        for it in &gone {
            self.remove(it);
        }
        let mut enough = Vec::new();
        for case in estate.cases.open().filter(|case| !case.key.drill) {
            for (name, agent) in named(estate, case) {
                let it = Wanted { case: case.id, agent, name: name.to_owned() };
                if self.jobs.has(&it) {
                    continue;
                }
                let fetched = case.files.iter().filter(|it| it.file.fetched).count();
                if self.keeps && fetched + self.jobs.of_case(case.id) >= CASE_CAPTURES_MAX {
                    // Said once: a case that goes on has another file each ten minutes.
                    let is_told = case.lost.iter().any(|lost| lost.why == ENOUGH);
                    enough.extend((!is_told).then_some(it));
                } else if let Err(error) = self.want(&it, now) {
                    tracing::warn!(%error, "packets of a case are not noted to be fetched; tried again");
                    self.looked = None;
                }
            }
        }
        for it in enough {
            self.lose(estate, &it, ENOUGH).await;
        }
    }

    fn want(&mut self, it: &Wanted, now: u64) -> io::Result<()> {
        let path = self.path(it);
        if self.jobs.want(it.clone(), 0, now) && self.keeps {
            let made = fs::File::create(path).and_then(|file| file.sync_all());
            if made.is_err() {
                self.jobs.forget(it);
            }
            return made;
        }
        Ok(())
    }

    /// Takes in what an agent answered.
    async fn take(&mut self, estate: &Arc<Estate>, ask: &Ask, answer: Result<Vec<u8>, NoAnswer>, now: u64) {
        let wanted = &ask.wanted;
        let said = match &answer {
            Ok(part) => {
                // A mark asks for one byte, of which nothing is kept.
                if ask.offset.is_some()
                    && let Err(error) = self.append(wanted, part)
                {
                    tracing::warn!(%error, file = %wanted.name, "packets of a case cannot be written; asked for again");
                    self.jobs.said(ask, &Said::Nothing, now);
                    return;
                }
                Said::Part(part.len(), part.len() < PART_BYTES)
            }
            Err(NoAnswer::Failed { .. }) => Said::Refused,
            Err(_) => Said::Nothing,
        };
        let too_large = ask.offset.unwrap_or(0).saturating_add(len(answer.as_deref().unwrap_or_default())) > len_max();
        match self.jobs.said(ask, &said, now) {
            Next::Goes if too_large => {
                self.jobs.forget(wanted);
                self.lose(estate, wanted, "it is larger than a capture may be").await;
            }
            Next::Goes => {}
            Next::Whole => self.attach(estate, wanted).await,
            Next::Lost => {
                let why = answer.err().map_or_else(String::new, |why| why.told());
                self.lose(estate, wanted, &why).await;
            }
        }
    }

    /// Adds a part to what is here, on disk.
    fn append(&self, wanted: &Wanted, part: &[u8]) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.path(wanted))?;
        let before = file.metadata()?.len();
        let added = file.write_all(part).and_then(|()| file.sync_data());
        if added.is_err() {
            file.set_len(before)?;
        }
        added
    }

    /// Attaches a file that is whole to its case.
    async fn attach(&mut self, estate: &Arc<Estate>, wanted: &Wanted) {
        let Some(case) = estate.cases.all.get(&wanted.case) else { return self.remove(wanted) };
        match self.attached(case, wanted).await {
            Ok(()) => self.remove(wanted),
            Err(Some(why)) => self.lose(estate, wanted, &why).await,
            Err(None) => {
                // The store or the disk: what is here is attached once that is over.
                let have = self.path(wanted).metadata().map_or(0, |meta| meta.len());
                self.jobs.want(wanted.clone(), have, 0);
            }
        }
    }

    /// Attaches it. What fails for good is told with the reason.
    async fn attached(&self, case: &Case, wanted: &Wanted) -> Result<(), Option<String>> {
        let content = fs::read(self.path(wanted)).map_err(|_| None)?;
        if content.is_empty() {
            return Err(Some("the site's file is empty".to_owned()));
        }
        let mut incoming = self.centre.files().begin().await.map_err(|_| None)?;
        incoming.add(&content).await.map_err(|_| None)?;
        let (hash, pinned) = incoming.keep().await.map_err(|_| None)?;
        let author = Author::from(NAME);
        let subject = format!("capture {}: {} bytes told", wanted.name, content.len());
        let mut usage = author.did(Action::ReadFlows, Some(case.key.site), subject);
        usage.reason = Some(reason(wanted.case));
        self.centre.audit(vec![Entry::once(self.centre.clock().now(), usage)]).await.map_err(|_| None)?;
        let (name, bytes) = (wanted.name.clone(), len(&content));
        let media = media_of("", &name).to_owned();
        let action =
            CaseAction::AttachFile { file: NewFile { hash, name, bytes, media, fetched: true }, of_unit: false };
        let command = Command::ActOnCase { site: case.key.site, case: case.id, action, notice: None };
        let done = self.centre.submit(command, author).await;
        drop(pinned);
        match done {
            Ok(_) => Ok(()),
            // A kill before what was here was removed: it is attached.
            Err(IntakeError::Refused(_)) if self.is_attached(wanted) => Ok(()),
            Err(IntakeError::Refused(why)) => Err(Some(why.to_string())),
            Err(IntakeError::Store(_) | IntakeError::Stopped) => Err(None),
        }
    }

    fn is_attached(&self, wanted: &Wanted) -> bool {
        let estate = self.centre.estate();
        let case = estate.cases.all.get(&wanted.case);
        case.is_some_and(|case| case.files.iter().any(|it| it.file.fetched && it.file.name == wanted.name))
    }

    /// Says in the case that packets could not be had, and why.
    async fn lose(&self, estate: &Arc<Estate>, wanted: &Wanted, why: &str) {
        let Some(case) = estate.cases.all.get(&wanted.case) else { return self.remove(wanted) };
        let lost = LostCapture { name: wanted.name.clone(), why: why.to_owned() };
        let action = CaseAction::MissCapture { lost };
        let command = Command::ActOnCase { site: case.key.site, case: case.id, action, notice: None };
        if let Err(error) = self.centre.submit(command, NAME).await {
            tracing::warn!(%error, file = %wanted.name, case = %case.id, why, "packets of a case could not be had");
        }
        self.remove(wanted);
    }

    fn remove(&self, wanted: &Wanted) {
        if !self.keeps {
            return;
        }
        match fs::remove_file(self.path(wanted)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, file = %wanted.name, "what was fetched for a case cannot be removed");
            }
            _ => {}
        }
    }

    fn path(&self, it: &Wanted) -> PathBuf {
        self.folder.join(format!("{}.{}.{}", it.case, it.agent, it.name))
    }
}

/// Returns which file a name within the folder stands for.
fn wanted(name: &str) -> Option<Wanted> {
    let mut parts = name.splitn(3, '.');
    let (case, agent, name) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    Some(Wanted { case, agent, name: name.to_owned() })
}

/// Returns the capture files that a case names and has not, with who keeps them. What was lost stays lost.
fn named<'c>(estate: &'c Estate, case: &'c Case) -> impl Iterator<Item = (&'c str, AgentId)> {
    let names = case.evidence.iter().filter(|it| it.is == CAPTURE && is_name(&it.value)).map(|it| it.value.as_str());
    let state = estate.site(case.key.site);
    let missing = names.filter(|name| {
        let is_here = case.files.iter().any(|it| it.file.fetched && it.file.name == *name);
        !is_here && !case.lost.iter().any(|it| it.name == *name)
    });
    // Only what an anomaly still names: looked up by its key, since there are thousands in a flood.
    let key = AnomalyKey { kind: case.key.kind.clone(), subject: case.key.subject.clone() };
    let anomaly = state.and_then(|state| state.anomalies.get(&key));
    missing.filter_map(move |name| {
        let names = anomaly?.evidence.iter().any(|it| it.is == CAPTURE && it.value == name);
        names.then_some((name, anomaly?.agent))
    })
}

/// Returns whether a name can be that of a file of ours: an agent says what it likes.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&name.len()) && name.ends_with(".pcapng") && name.chars().all(is_plain)
}

/// Asks an agent.
async fn put(centre: &Centre, ask: &Ask) -> Result<Vec<u8>, NoAnswer> {
    let asker = Asker { principal: NAME.to_owned(), reason: reason(ask.wanted.case) };
    let (offset, bytes_max) = ask.offset.map_or((0, 1), |offset| (offset, PART_BYTES));
    let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX);
    let query = CaptureQuery { asker, file: ask.wanted.name.clone(), offset, bytes_max };
    let body = InstructionBody::Query(Query::Capture(query));
    asking::ask(centre, ask.wanted.agent, body, ANSWER_WITHIN).await.map(|done| done.body)
}

fn reason(case: CaseId) -> String {
    format!("evidence of {case}")
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn len_max() -> u64 {
    u64::try_from(CAPTURE_BYTES_MAX).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
