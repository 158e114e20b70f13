//! Memory of a fixed size: a table by key, a count of different things, and a recollection of what was seen in the last days.
//!
//! Invariants: each has a bound that no input can move; what had to leave is counted; the same input gives the same content.

use std::hash::{DefaultHasher, Hash, Hasher};

use onenet_topology::Timestamp;

/// How many entries share a bucket.
const WAYS: usize = 8;

/// How many things are counted exactly.
const EXACT_MAX: usize = 48;

/// Registers of an estimate: its error is about a fifteenth.
const REGISTERS: usize = 256;

/// Returns a hash of `value`.
pub(crate) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What is worth keeping over others when there is no room.
pub(crate) trait Worth {
    /// Returns the more, the more was learnt.
    fn worth(&self) -> u64;
}

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    last: Timestamp,
    value: V,
}

/// A table of at most so many keys. Who leaves for others is whoever was not heard of for longest of those past their time,
/// else whoever is worth least: forged newcomers displace one another.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    buckets: Vec<Vec<Slot<K, V>>>,
    ttl_ms: i64,
    evicted: u64,
}

impl<K: Hash + Eq, V: Worth> Table<K, V> {
    /// Returns a table of about `capacity` keys, each of which is worth nothing once it was not touched for `ttl_ms`.
    pub(crate) fn new(capacity: usize, ttl_ms: i64) -> Self {
        let buckets = (capacity / WAYS).next_power_of_two();
        Self { buckets: (0..buckets).map(|_| Vec::new()).collect(), ttl_ms, evicted: 0 }
    }

    /// Returns how many had to leave before their time.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    fn bucket(&self, key: &K) -> usize {
        let mask = self.buckets.len().saturating_sub(1);
        usize::try_from(hash(key) >> 20).unwrap_or(0) & mask
    }

    /// Returns what is known of `key`, unless that is too old.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<&V> {
        let slots = self.buckets.get(self.bucket(key))?;
        let slot = slots.iter().find(|slot| slot.key == *key)?;
        (now.ms_since(slot.last) <= self.ttl_ms).then_some(&slot.value)
    }

    /// Returns what is known of `key` to be changed, unless that is too old.
    pub(crate) fn get_mut(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        let (at, ttl_ms) = (self.bucket(key), self.ttl_ms);
        let slot = self.buckets.get_mut(at)?.iter_mut().find(|slot| slot.key == *key)?;
        (now.ms_since(slot.last) <= ttl_ms).then_some(&mut slot.value)
    }

    /// Returns when `key` was touched last, as far as it is remembered.
    pub(crate) fn last(&self, key: &K) -> Option<Timestamp> {
        let slots = self.buckets.get(self.bucket(key))?;
        slots.iter().find(|slot| slot.key == *key).map(|slot| slot.last)
    }

    /// Returns everybody who is known, also those past their time.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.buckets.iter_mut().flatten().map(|slot| (&slot.key, &mut slot.value))
    }

    /// Returns what is known of `key`, `fresh` where that is nothing or too old.
    pub(crate) fn touch(&mut self, key: K, now: Timestamp, fresh: impl FnOnce() -> V) -> Option<&mut V> {
        let at = self.bucket(&key);
        let ttl_ms = self.ttl_ms;
        let slots = self.buckets.get_mut(at)?;
        let place = slots.iter().position(|slot| slot.key == key);
        let place = if let Some(place) = place {
            let slot = slots.get_mut(place)?;
            if now.ms_since(slot.last) > ttl_ms {
                slot.value = fresh();
            }
            slot.last = slot.last.max(now);
            place
        } else if slots.len() < WAYS {
            slots.push(Slot { key, last: now, value: fresh() });
            slots.len().checked_sub(1)?
        } else {
            let worth = |slot: &Slot<K, V>| {
                let stale = now.ms_since(slot.last) > ttl_ms;
                (if stale { 0 } else { slot.value.worth().max(1) }, slot.last)
            };
            let (place, victim) = slots.iter_mut().enumerate().min_by_key(|(_, slot)| worth(slot))?;
            self.evicted += u64::from(worth(victim).0 != 0);
            *victim = Slot { key, last: now, value: fresh() };
            place
        };
        slots.get_mut(place).map(|slot| &mut slot.value)
    }
}

/// How many different things there were: exactly while they are few, about when they are many.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distinct {
    few: Vec<u32>,
    many: Option<Box<Sketch>>,
}

/// An estimate after Flajolet and others (HyperLogLog), with what it is reckoned from kept up to date.
#[derive(Debug, Clone)]
struct Sketch {
    registers: [u8; REGISTERS],
    /// Of all registers, two to the power of minus what they hold.
    sum: f64,
    empty: u16,
}

impl Distinct {
    /// Counts a thing by its hash. Returns whether it was not there before, as far as that is known.
    pub(crate) fn add(&mut self, hash: u64) -> bool {
        let short = u32::try_from(hash >> 32).unwrap_or(0);
        if let Some(sketch) = &mut self.many {
            return sketch.note(hash);
        }
        if self.few.contains(&short) {
            return false;
        }
        self.few.push(short);
        if self.few.len() >= EXACT_MAX {
            let mut sketch = Box::new(Sketch { registers: [0; REGISTERS], sum: 256.0, empty: 256 });
            for short in std::mem::take(&mut self.few) {
                sketch.note(u64::from(short) << 32 | u64::from(short.rotate_left(16)));
            }
            self.many = Some(sketch);
        }
        true
    }

    /// Returns how many there were.
    pub(crate) fn count(&self) -> u64 {
        match &self.many {
            Some(sketch) => sketch.count().max(u64::try_from(EXACT_MAX).unwrap_or(0)),
            None => u64::try_from(self.few.len()).unwrap_or(u64::MAX),
        }
    }
}

impl Sketch {
    fn note(&mut self, hash: u64) -> bool {
        let place = usize::try_from(hash >> 56).unwrap_or(0);
        let rank = u8::try_from((hash << 8).leading_zeros().min(56)).unwrap_or(56) + 1;
        let Some(register) = self.registers.get_mut(place).filter(|register| **register < rank) else { return false };
        self.sum += 2_f64.powi(-i32::from(rank)) - 2_f64.powi(-i32::from(*register));
        self.empty -= u16::from(*register == 0);
        *register = rank;
        true
    }

    fn count(&self) -> u64 {
        let registers = 256_f64;
        let raw = 0.7183 * registers * registers / self.sum;
        // Linear counting while registers are empty.
        let linear = raw <= 2.5 * registers && self.empty != 0;
        whole(if linear { registers * (registers / f64::from(self.empty)).ln() } else { raw })
    }
}

/// Returns a number without its fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held at the ends of the range")]
pub(crate) const fn whole(number: f64) -> u64 {
    number as u64
}

/// Returns a count for reckoning.
#[expect(clippy::cast_precision_loss, reason = "counts that matter are below 2^52")]
pub(crate) const fn real(number: u64) -> f64 {
    number as f64
}

/// Which pairs were seen in the last one or two days: a Bloom filter of two generations, the elder of which is given up when the
/// younger is a day old or half full.
#[derive(Debug)]
pub(crate) struct Recollection {
    young: Vec<u64>,
    old: Vec<u64>,
    set: u64,
    since: Timestamp,
    hurried: u64,
}

const GENERATION_MS: i64 = 24 * 3_600_000;

impl Recollection {
    /// Returns a recollection of nothing, of twice this many bits.
    pub(crate) fn new(bits: usize) -> Self {
        let words = (bits / 64).next_power_of_two();
        Self { young: vec![0; words], old: vec![0; words], set: 0, since: Timestamp::EPOCH, hurried: 0 }
    }

    /// Returns how often a generation was given up before its time.
    pub(crate) const fn hurried(&self) -> u64 {
        self.hurried
    }

    /// Returns whether a thing was noted, and makes no note of that.
    pub(crate) fn has(&self, hash: u64) -> bool {
        let in_all = |words: &[u64]| {
            (0..3).all(|turn| {
                let (word, mask) = self.place(hash, turn);
                words.get(word).is_some_and(|it| it & mask != 0)
            })
        };
        in_all(&self.young) || in_all(&self.old)
    }

    /// Returns the word and the bit of a thing, of one of three.
    fn place(&self, hash: u64, turn: u32) -> (usize, u64) {
        let bit = hash.rotate_left(turn * 21).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        (usize::try_from(bit / 64).unwrap_or(0) & (self.young.len() - 1), 1_u64 << (bit % 64))
    }

    /// Notes a thing and returns whether it was seen before, and whether it was so in an elder generation.
    pub(crate) fn note(&mut self, hash: u64, now: Timestamp) -> (bool, bool) {
        let bits = u64::try_from(self.young.len()).unwrap_or(1).saturating_mul(64);
        let full = self.set > bits / 2;
        if full || now.ms_since(self.since) > GENERATION_MS {
            self.hurried += u64::from(full);
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.fill(0);
            (self.set, self.since) = (0, now);
        }
        let (mut young, mut old) = (true, true);
        for turn in 0..3 {
            let (word, mask) = self.place(hash, turn);
            let is_set = |words: &[u64]| words.get(word).is_some_and(|word| word & mask != 0);
            old &= is_set(&self.old);
            if !is_set(&self.young) {
                young = false;
                self.set += 1;
                if let Some(word) = self.young.get_mut(word) {
                    *word |= mask;
                }
            }
        }
        (young || old, old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Weighed(u64);

    impl Worth for Weighed {
        fn worth(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn forged_newcomers_displace_one_another_and_are_counted() {
        let mut table = Table::new(64, 1_000);
        table.touch(7_u64, Timestamp::EPOCH, || Weighed(100));
        for key in 1_000..11_000_u64 {
            table.touch(key, Timestamp::EPOCH, || Weighed(1));
        }
        assert_eq!(table.get(&7, Timestamp::EPOCH).map(|value| value.0), Some(100));
        assert!(table.evicted() > 9_900, "{}", table.evicted());
        assert!(table.buckets.iter().map(Vec::len).sum::<usize>() <= 64);
    }

    #[test]
    fn the_number_of_different_things_is_right_within_a_fifth() {
        for truth in [1_u64, 47, 48, 60, 1_000, 100_000] {
            let mut distinct = Distinct::default();
            for thing in 0..truth {
                distinct.add(hash(thing));
                distinct.add(hash(thing));
            }
            let found = distinct.count();
            assert!(found.abs_diff(truth) * 5 <= truth, "{found} of {truth}");
        }
    }

    #[test]
    fn what_was_seen_yesterday_is_recalled_and_what_was_seen_last_week_is_not() {
        let mut recollection = Recollection::new(1 << 14);
        let day = |day: i64| Timestamp::EPOCH.plus_ms(day * (GENERATION_MS + 1));
        assert_eq!(recollection.note(hash(1), day(1)), (false, false));
        assert_eq!(recollection.note(hash(1), day(1)), (true, false));
        assert_eq!(recollection.note(hash(1), day(2)), (true, true));
        recollection.note(hash(2), day(3));
        recollection.note(hash(2), day(4));
        assert_eq!(recollection.note(hash(1), day(5)), (false, false));
    }

    #[test]
    fn a_recollection_that_is_full_begins_anew_and_says_so() {
        let mut recollection = Recollection::new(1 << 10);
        for thing in 0..10_000 {
            recollection.note(hash(thing), Timestamp::from_unix_ms(1));
        }
        assert!(recollection.hurried() > 10);
    }
}
