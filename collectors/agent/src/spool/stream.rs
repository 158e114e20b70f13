//! Pages that change a little, as most do: each is read and written in one pass, and what follows in it as it did is copied.
//!
//! Invariant: a page becomes what it would become taken apart (`change.rs`), byte by byte; where more happens to it than that
//! its value changes, as when it gets too long or empty, nothing is done here, and it is taken apart.

use onenet_topology::Timestamp;
use onenet_wire::codec;

use super::{
    SpoolError,
    change::Room,
    group::{Editor, GroupTable, Tally},
    page::{Entries, Head, State, Writer},
    sorted::SortedFact,
};

/// By how many bytes a page grows at most, as a rule.
const GROWTH_BYTES: usize = 128;

/// Everything that holds of a page's range, observed together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) facts: &'a [SortedFact<'a>],
    /// The sum of their hashes.
    pub(super) sum: u64,
    pub(super) together: Timestamp,
    pub(super) now: Timestamp,
    /// A fact that was sent so long ago is sent again.
    pub(super) refresh_ms: i64,
}

/// A page that is being replaced.
struct Replaced {
    page: Writer,
    /// How many of its entries wait to be sent.
    waiting: usize,
    /// How many facts hold that did not.
    new: usize,
    /// The earliest time of what changed; `None` when nothing did.
    reported: Option<Timestamp>,
}

/// Changes a page to what holds of its range. Returns whether it was done here.
pub(super) fn replace(
    table: &GroupTable,
    editor: &mut Editor<'_>,
    place: usize,
    whole: &Whole<'_>,
    room: &mut Room,
) -> Result<bool, SpoolError> {
    if table.has_later() || table.renewed().is_some_and(|renewed| renewed > whole.together) {
        return Ok(false);
    }
    editor.stream(place, |page, _, editor| {
        let replaced = Replaced::of(table, page, whole)?;
        let Replaced { page, waiting, new, reported } = replaced;
        let (bytes, reported) = (page.finish()?, reported?);
        room.left = room.left.checked_sub(new)?;
        editor.told(reported, true);
        Some((bytes, Tally { facts: whole.facts.len(), waiting, sum: whole.sum }))
    })
}

impl Replaced {
    fn of(table: &GroupTable, page: &[u8], whole: &Whole<'_>) -> Option<Self> {
        let mut reading = Entries::of(page).ok()?;
        let page = Writer::with_capacity(page.len() + GROWTH_BYTES);
        let mut replaced = Self { page, waiting: 0, new: 0, reported: None };
        let mut facts = whole.facts.iter().peekable();
        while let Some(entry) = reading.next().ok()? {
            while let Some(fact) = facts.next_if(|fact| fact.key_hash < entry.key_hash) {
                replaced.put(fact, false);
            }
            let holds = entry.state != State::Gone;
            match facts.next_if(|fact| fact.key_hash == entry.key_hash) {
                Some(fact) if holds && *fact.message == *reading.message => {
                    let is_old = whole.together.ms_since(entry.observed) >= whole.refresh_ms;
                    replaced.keep(&reading, &entry, entry.state == State::Held && is_old)?;
                }
                // What was observed later wins.
                Some(_) if holds && entry.observed > whole.together => return None,
                Some(fact) => replaced.put(fact, holds),
                None if holds => {
                    let observed = whole.now.max(table.last_observed(entry.key_hash, entry.observed));
                    replaced.take_back(&Head { observed, state: State::Gone, ..entry }, &reading.message)?;
                }
                None => replaced.keep(&reading, &entry, false)?,
            }
        }
        facts.for_each(|fact| replaced.put(fact, false));
        Some(replaced)
    }

    /// Keeps the entry that was read last, unless it is due to be sent again.
    fn keep(&mut self, reading: &Entries<'_>, entry: &Head, is_due: bool) -> Option<()> {
        self.page.copy(reading, entry);
        self.waiting += usize::from(entry.state != State::Held);
        (!is_due).then_some(())
    }

    fn put(&mut self, fact: &SortedFact<'_>, held: bool) {
        let entry = Head { key_hash: fact.key_hash, observed: fact.observed, state: State::Dirty };
        self.new += usize::from(!held);
        self.write(&entry, fact.message);
    }

    /// Says that a fact of this message is gone.
    fn take_back(&mut self, entry: &Head, message: &[u8]) -> Option<()> {
        let key = codec::read_fact_message(message).ok()?.key();
        self.write(entry, &codec::gone_message(&key));
        Some(())
    }

    fn write(&mut self, entry: &Head, message: &[u8]) {
        self.page.write(entry, message);
        self.waiting += 1;
        self.reported = self.reported.into_iter().chain([entry.observed]).min();
    }
}

/// Takes in that entries of a page were sent. Returns whether it was done here.
pub(super) fn settle(
    table: &GroupTable,
    editor: &mut Editor<'_>,
    place: usize,
    is_sent: impl Fn(u64) -> bool,
) -> Result<bool, SpoolError> {
    editor.stream(place, |page, before, editor| {
        let mut reading = Entries::of(page).ok()?;
        let (mut settled, mut held, mut gone) = (Writer::with_capacity(page.len() + GROWTH_BYTES), Vec::new(), 0);
        while let Some(entry) = reading.next().ok()? {
            if entry.state == State::Held || !is_sent(entry.key_hash) {
                settled.copy(&reading, &entry);
            } else if entry.state == State::Gone {
                gone += 1;
                settled.leave_out();
            } else {
                let observed = table.last_observed(entry.key_hash, entry.observed);
                let sent = Head { observed, state: State::Held, ..entry };
                held.push((entry.key_hash, observed));
                if observed == entry.observed {
                    settled.copy(&reading, &sent);
                } else {
                    settled.write(&sent, &reading.message);
                }
            }
        }
        let settled = settled.finish().filter(|_| held.len() + gone > 0)?;
        for (key_hash, observed) in &held {
            editor.reported(*key_hash, *observed, false);
        }
        Some((settled, Tally { waiting: before.waiting.saturating_sub(held.len() + gone), ..before }))
    })
}
