//! One page of the table of facts: some tens of facts of one group that stand side by side by key hash, in one value of the
//! store. A record a fact would cost the store several times what the fact takes, in memory and on disk.
//!
//! Invariants: entries are in the order of their key hashes, each hash once. What was encoded decodes to the same entries;
//! bytes that are not a page give none, and never a part. Pure; it does not know the group, nor the other pages.
//!
//! Format: 8 bytes big endian, the time of the first entry in Unix milliseconds; then for each entry its key hash (8 bytes
//! big endian), and as LEB128 numbers: `zigzag(time minus that of the entry before) << 2 | state` (0 held, 1 dirty, 2 gone),
//! how many bytes its message shares with the end and the beginning of the one before, how many it has of its own; then those.
//! Messages are what `onenet_wire::codec` makes of a fact or, for one that is gone, of its key.

use onenet_topology::{
    Timestamp,
    varint::{self, unzigzag, zigzag},
};
use smallvec::SmallVec;

/// Bytes beyond which a page is split. The store writes sixteen neighbours together and keeps some thousands of such lots in
/// memory.
pub(super) const PAGE_BYTES: usize = 1_024;
/// Bytes that the parts of a split page are made of at most, so that the next change does not split them again.
const PART_BYTES: usize = PAGE_BYTES / 4 * 3;

/// Bytes of an entry before its first number.
const KEY_HASH_BYTES: usize = 8;
/// The bits of that number that are the state.
const STATE_BITS: u8 = 3;

/// What a page holds of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key_hash: u64,
    /// The observation that was sent, or waits to be.
    pub(super) observed: Timestamp,
    pub(super) state: State,
    /// The fact as the codec writes it, without its time; its key where it is gone.
    pub(super) message: Message,
}

/// What stands for a fact. That of a row of a table is held in place: pages are read and written by the thousand.
pub(super) type Message = SmallVec<[u8; 48]>;

/// Whether a fact holds and whether that waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It holds, and was sent.
    Held,
    /// It holds, and waits to be sent.
    Dirty,
    /// It is gone, and that waits to be sent.
    Gone,
}

impl Entry {
    /// Returns whether the fact holds.
    pub(super) fn holds(&self) -> bool {
        self.state != State::Gone
    }

    /// Returns whether it waits to be sent.
    pub(super) fn waits(&self) -> bool {
        self.state != State::Held
    }
}

/// Returns the entries as pages: the place of each page's first entry, and its bytes. One page where they fit into one.
pub(super) fn encode(entries: &[Entry]) -> Vec<(usize, Vec<u8>)> {
    let whole = encode_up_to(entries, usize::MAX);
    let bytes: usize = whole.iter().map(|(_, bytes)| bytes.len()).sum();
    if bytes <= PAGE_BYTES { whole } else { encode_up_to(entries, bytes.div_ceil(bytes.div_ceil(PART_BYTES))) }
}

/// Returns the entries as one page, however many they are.
pub(super) fn encode_whole(entries: &[Entry]) -> Vec<u8> {
    encode_up_to(entries, usize::MAX).pop().map(|(_, page)| page).unwrap_or_default()
}

/// Returns the entries as pages that are ended once they have so many bytes.
fn encode_up_to(entries: &[Entry], bytes: usize) -> Vec<(usize, Vec<u8>)> {
    let mut pages: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut before: Option<&Entry> = None;
    for (place, entry) in entries.iter().enumerate() {
        match pages.last_mut() {
            Some((_, page)) if page.len() < bytes => append(page, before, entry),
            _ => {
                let mut page = Vec::with_capacity(PAGE_BYTES.min(64 + entry.message.len()));
                page.extend_from_slice(&entry.observed.unix_ms().to_be_bytes());
                append(&mut page, None, entry);
                pages.push((place, page));
            }
        }
        before = Some(entry);
    }
    pages
}

fn append(page: &mut Vec<u8>, before: Option<&Entry>, entry: &Entry) {
    let (then, like) = before.map_or((entry.observed, &[][..]), |before| (before.observed, &before.message[..]));
    let Entry { key_hash, observed, state, ref message } = *entry;
    write_entry(page, (then, like), &Head { key_hash, observed, state }, message);
}

/// Adds an entry to a page, behind one of a time and a message.
fn write_entry(page: &mut Vec<u8>, (then, like): (Timestamp, &[u8]), entry: &Head, mine: &[u8]) {
    let state = match entry.state {
        State::Held => 0,
        State::Dirty => 1,
        State::Gone => 2,
    };
    // Six bits at the top are no loss: a step of 2^61 milliseconds is no time.
    let step = entry.observed.ms_since(then);
    let tail = common(mine.iter().rev(), like.iter().rev());
    let head = common(mine.iter(), like.iter()).min(mine.len().min(like.len()) - tail);
    let own = mine.get(head..mine.len() - tail).unwrap_or_default();
    page.extend_from_slice(&entry.key_hash.to_be_bytes());
    for number in [zigzag(step) << 2 | state, to_number(tail), to_number(head), to_number(own.len())] {
        varint::put(page, number);
    }
    page.extend_from_slice(own);
}

/// Writes a page entry by entry, and copies what follows in it as it did in the page that is read.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    then: Timestamp,
    /// The message of the entry that was written last.
    message: Vec<u8>,
    /// Whether what was written last is not what was read last.
    is_apart: bool,
}

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Writes an entry that is not in the page that is read, or is not the same there.
    pub(super) fn write(&mut self, entry: &Head, message: &[u8]) {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(&entry.observed.unix_ms().to_be_bytes());
            self.then = entry.observed;
        }
        write_entry(&mut self.bytes, (self.then, &self.message), entry, message);
        self.wrote(entry, message);
        self.is_apart = true;
    }

    /// Writes the entry that was read last, with this state.
    pub(super) fn copy(&mut self, reading: &Entries<'_>, entry: &Head) {
        if self.is_apart {
            self.write(entry, &reading.message);
        } else {
            if self.bytes.is_empty() {
                self.bytes.extend_from_slice(reading.begin);
            }
            let place = self.bytes.len() + KEY_HASH_BYTES;
            self.bytes.extend_from_slice(reading.entry);
            // The state is in the lowest bits of a number whose lowest bits come first.
            if let (Some(byte), State::Held) = (self.bytes.get_mut(place), entry.state) {
                *byte &= !STATE_BITS;
            }
            self.wrote(entry, &reading.message);
        }
        self.is_apart = false;
    }

    /// Takes note that what was read last is not written.
    pub(super) const fn leave_out(&mut self) {
        self.is_apart = true;
    }

    /// Returns the page, `None` unless there is one and it is no longer than a page may be.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (1..=PAGE_BYTES).contains(&self.bytes.len()).then_some(self.bytes)
    }

    fn wrote(&mut self, entry: &Head, message: &[u8]) {
        self.then = entry.observed;
        self.message.clear();
        self.message.extend_from_slice(message);
    }
}

/// Returns the entries of a page, `None` for what is no page.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut reading = Entries::of(bytes).ok()?;
    let mut entries: Vec<Entry> = Vec::with_capacity(bytes.len() / 32);
    while let Some(Head { key_hash, observed, state }) = reading.next().ok()? {
        entries.push(Entry { key_hash, observed, state, message: reading.message.as_slice().into() });
    }
    Some(entries)
}

/// Returns the entries of a page that wait to be sent, `None` for what is no page.
pub(super) fn waiting(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut reading = Entries::of(bytes).ok()?;
    let mut entries = Vec::new();
    while let Some(Head { key_hash, observed, state }) = reading.next().ok()? {
        if state != State::Held {
            entries.push(Entry { key_hash, observed, state, message: reading.message.as_slice().into() });
        }
    }
    Some(entries)
}

/// Reads the entries of a page one after the other, without an allocation for each.
pub(super) struct Entries<'a> {
    /// What stands before the first entry.
    begin: &'a [u8],
    /// The entry that was read last, as it stands there.
    entry: &'a [u8],
    rest: &'a [u8],
    then: i64,
    last: Option<u64>,
    /// The message of the entry that was read last.
    pub(super) message: Vec<u8>,
    before: Vec<u8>,
}

/// What a page holds of one fact beside its message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) key_hash: u64,
    pub(super) observed: Timestamp,
    pub(super) state: State,
}

/// Bytes are no page.
pub(super) struct NoPage;

impl<'a> Entries<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, NoPage> {
        let (time, rest) = bytes.split_first_chunk::<8>().ok_or(NoPage)?;
        let (then, message, before) = (i64::from_be_bytes(*time), Vec::new(), Vec::new());
        Ok(Self { begin: time, entry: &[], rest, then, last: None, message, before })
    }

    /// Reads the next entry, `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Head>, NoPage> {
        if self.rest.is_empty() { Ok(None) } else { self.read().map(Some).ok_or(NoPage) }
    }

    fn read(&mut self) -> Option<Head> {
        let begun = self.rest;
        let (key_hash, rest) = self.rest.split_first_chunk::<KEY_HASH_BYTES>()?;
        let key_hash = u64::from_be_bytes(*key_hash);
        self.rest = rest;
        let (when, tail) = (varint::take(&mut self.rest)?, varint::take(&mut self.rest)?);
        let (head, own) = (varint::take(&mut self.rest)?, varint::take(&mut self.rest)?);
        let state = match when & 3 {
            0 => State::Held,
            1 => State::Dirty,
            2 => State::Gone,
            _ => return None,
        };
        self.then = self.then.checked_add(unzigzag(when >> 2))?;
        let (own, rest) = self.rest.split_at_checked(usize::try_from(own).ok()?)?;
        self.rest = rest;
        self.entry = begun.get(..begun.len() - rest.len())?;
        if self.last.replace(key_hash).is_some_and(|before| before >= key_hash) {
            return None;
        }
        std::mem::swap(&mut self.message, &mut self.before);
        let like = &self.before;
        let (tail, head) = (usize::try_from(tail).ok()?, usize::try_from(head).ok()?);
        self.message.clear();
        for part in [like.get(..head)?, own, like.get(like.len().checked_sub(tail)?..)?] {
            self.message.extend_from_slice(part);
        }
        Some(Head { key_hash, observed: Timestamp::from_unix_ms(self.then), state })
    }
}

fn common<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

fn to_number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn entry(key_hash: u64, ms: i64, state: State, message: &[u8]) -> Entry {
        Entry { key_hash, observed: Timestamp::from_unix_ms(ms), state, message: message.into() }
    }

    fn read(pages: &[(usize, Vec<u8>)]) -> Vec<Entry> {
        pages.iter().flat_map(|(_, page)| decode(page).expect("it was encoded")).collect()
    }

    #[test]
    fn facts_that_are_alike_take_little_more_than_what_tells_them_apart() {
        let message = |number: u8| [&b"GigabitEthernet0/0/"[..], &[number], b" an uplink of the county"].concat();
        let entries: Vec<_> = (0..20).map(|it| entry(it.into(), 9_000, State::Held, &message(it))).collect();
        let pages = encode(&entries);
        assert_eq!(read(&pages), entries);
        let [(0, page)] = &pages[..] else { panic!("{} pages", pages.len()) };
        assert!(page.len() < 20 * 13 + 64, "{} bytes", page.len());
    }

    #[test]
    fn what_is_too_much_for_a_page_is_split_into_parts_of_about_the_same_size() {
        let entries: Vec<_> = (0..200_u64).map(|it| entry(it, 0, State::Dirty, &it.to_be_bytes().repeat(9))).collect();
        let pages = encode(&entries);
        assert!(pages.iter().all(|(_, page)| (PAGE_BYTES / 3..PAGE_BYTES).contains(&page.len())), "{pages:?}");
        assert_eq!(read(&pages), entries);
    }

    #[test]
    fn what_is_no_page_gives_no_entries() {
        let [(_, page)] = &encode(&[entry(1, 5, State::Gone, b"abc"), entry(2, 7, State::Held, b"abd")])[..] else {
            panic!("two entries fit")
        };
        assert_eq!(decode(&[1, 2, 3]), None);
        for cut in 9..page.len() {
            assert!(decode(&page[..cut]).is_none_or(|entries| entries.len() == 1), "{cut} bytes");
        }
        let twice = [&page[..], &page[8..]].concat();
        assert_eq!(decode(&twice), None, "a hash comes twice");
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let state = prop_oneof![Just(State::Held), Just(State::Dirty), Just(State::Gone)];
        let one = (any::<u64>(), 0..4_000_000_000_000_i64, state, vec(0..3_u8, 0..90));
        vec(one, 0..80).prop_map(|mut all| {
            all.sort_by_key(|(hash, ..)| *hash);
            all.dedup_by_key(|(hash, ..)| *hash);
            all.into_iter().map(|(hash, ms, state, message)| entry(hash, ms, state, &message)).collect()
        })
    }

    proptest! {
        #[test]
        fn pages_read_back_as_they_were(entries in entries()) {
            let pages = encode(&entries);
            prop_assert_eq!(&read(&pages), &entries);
            for (place, page) in &pages {
                prop_assert_eq!(&decode(page).unwrap()[0], &entries[*place]);
            }
        }

        #[test]
        fn a_page_that_is_copied_with_changes_is_what_the_changed_entries_make(
            entries in entries(),
            steps in vec((0..6_u8, any::<u64>(), vec(0..3_u8, 0..40)), 80),
        ) {
            let page = encode_whole(&entries);
            prop_assume!(!page.is_empty());
            let mut reading = Entries::of(&page).ok().expect("it was encoded");
            let (mut writer, mut expected) = (Writer::default(), Vec::new());
            let mut last = None;
            for (step, number, message) in steps {
                let Some(entry) = reading.next().ok().expect("it was encoded") else { break };
                let mut changed = Entry {
                    key_hash: entry.key_hash, observed: entry.observed, state: entry.state, message: reading.message.as_slice().into(),
                };
                // A new one before it, where there is room for its hash.
                let before = entry.key_hash.saturating_sub(number % 1_000 + 1);
                if step == 0 && entry.key_hash > 1_000 && last.is_none_or(|last| last < before) {
                    let new = Head { key_hash: before, observed: Timestamp::from_unix_ms(7), state: State::Dirty };
                    writer.write(&new, &message);
                    expected.push(Entry { key_hash: before, observed: new.observed, state: new.state, message: message.as_slice().into() });
                }
                last = Some(entry.key_hash);
                match step {
                    1 => {
                        writer.leave_out();
                        continue;
                    }
                    2 => {
                        changed.state = State::Held;
                        writer.copy(&reading, &Head { state: State::Held, ..entry });
                    }
                    3 => {
                        (changed.message, changed.observed) = (message.as_slice().into(), Timestamp::from_unix_ms(9));
                        writer.write(&Head { observed: changed.observed, ..entry }, &message);
                    }
                    _ => writer.copy(&reading, &entry),
                }
                expected.push(changed);
            }
            let whole = encode_whole(&expected);
            let fits = (1..=PAGE_BYTES).contains(&whole.len());
            prop_assert_eq!(writer.finish(), fits.then_some(whole));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
