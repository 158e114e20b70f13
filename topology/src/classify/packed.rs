//! Conclusions packed: a country keeps one of each endpoint that it knows or knew, and reads few between two tellings.
//!
//! Invariant: what was packed is unpacked as it was. The bytes are of this process alone: stores and lines have formats of their own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Claim, Concluded, Conclusion, DeviceClass, Ground, Name, OsFamily, SignKind};
use crate::varint;

/// A conclusion in a fifth of the room that it takes laid out. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Conclusion", into = "Conclusion")]
pub struct Packed(Arc<[u8]>);

/// The number of a claim that is of no class and of no system.
const SHARED: u64 = 0;

/// Number and score of what was concluded: 0 is nothing, as numbers of classes and systems begin with 1.
#[derive(Default)]
struct Scored {
    number: u8,
    score: u8,
}

impl Scored {
    fn of<T>(&self, numbered: impl Fn(u8) -> Option<T>) -> Option<Concluded<T>> {
        numbered(self.number).map(|is| Concluded { is, score: self.score })
    }
}

impl Packed {
    /// Returns the conclusion.
    pub fn unpack(&self) -> Conclusion {
        unpack(&self.0)
    }

    /// Returns class and operating system alone.
    pub fn kinds(&self) -> (Option<DeviceClass>, Option<OsFamily>) {
        let mut bytes = &*self.0;
        let mut scored = || take_scored(&mut bytes).unwrap_or_default();
        let (class, os) = (scored(), scored());
        (DeviceClass::numbered(class.number), OsFamily::numbered(os.number))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

/// Returns the conclusion that was packed to these bytes.
pub(crate) fn unpack(mut bytes: &[u8]) -> Conclusion {
    // What was packed is unpacked; the default stands for a defect.
    take_conclusion(&mut bytes).unwrap_or_default()
}

/// Returns the name to call it by, and how sure that is, of the conclusion that was packed to these bytes.
pub(crate) fn name(mut bytes: &[u8]) -> Option<(&str, u8)> {
    for _class_and_system in 0..2 {
        take_scored(&mut bytes)?;
    }
    take_byte(&mut bytes)?;
    for _version_and_model in 0..2 {
        varint::take_bytes(&mut bytes)?;
    }
    let names = varint::take(&mut bytes)?;
    (names > 0).then(|| Some((varint::take_text(&mut bytes)?, take_byte(&mut bytes)?)))?
}

impl From<&Conclusion> for Packed {
    fn from(it: &Conclusion) -> Self {
        let mut bytes = Vec::with_capacity(128);
        put_scored(&mut bytes, it.class.map(|class| (class.is.number(), class.score)));
        put_scored(&mut bytes, it.os.map(|os| (os.is.number(), os.score)));
        // No score is 0.
        varint::put(&mut bytes, it.shared.unwrap_or_default().into());
        put_text(&mut bytes, &it.os_version);
        put_text(&mut bytes, &it.model);
        varint::put(&mut bytes, it.names.len() as u64);
        for name in &it.names {
            put_text(&mut bytes, &name.name);
            varint::put(&mut bytes, name.score.into());
            varint::put(&mut bytes, name.kinds.len() as u64);
            bytes.extend(name.kinds.iter().map(|kind| kind.number()));
        }
        varint::put(&mut bytes, it.grounds.len() as u64);
        for ground in &it.grounds {
            varint::put(&mut bytes, ground.kind.number().into());
            put_text(&mut bytes, &ground.value);
            varint::put(&mut bytes, claim_number(ground.claim));
            varint::put(&mut bytes, ground.points.into());
        }
        Self(bytes.into())
    }
}

impl From<Conclusion> for Packed {
    fn from(it: Conclusion) -> Self {
        Self::from(&it)
    }
}

impl From<Packed> for Conclusion {
    fn from(it: Packed) -> Self {
        it.unpack()
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    varint::put_bytes(bytes, text.as_bytes());
}

fn put_scored(bytes: &mut Vec<u8>, it: Option<(u8, u8)>) {
    let (number, score) = it.unwrap_or_default();
    varint::put(bytes, number.into());
    varint::put(bytes, score.into());
}

fn claim_number(claim: Claim) -> u64 {
    match claim {
        Claim::Shared => SHARED,
        Claim::Class(class) => 2 * u64::from(class.number()),
        Claim::Os(family) => 2 * u64::from(family.number()) + 1,
    }
}

fn take_conclusion(bytes: &mut &[u8]) -> Option<Conclusion> {
    Some(Conclusion {
        class: take_scored(bytes)?.of(DeviceClass::numbered),
        os: take_scored(bytes)?.of(OsFamily::numbered),
        shared: Some(take_byte(bytes)?).filter(|score| *score > 0),
        os_version: take_text(bytes)?,
        model: take_text(bytes)?,
        names: take_all(bytes, take_name)?,
        grounds: take_all(bytes, take_ground)?,
    })
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    varint::take(bytes)?.try_into().ok()
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    varint::take_text(bytes).map(str::to_owned)
}

fn take_all<T>(bytes: &mut &[u8], take: impl Fn(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    (0..varint::take(bytes)?).map(|_| take(bytes)).collect()
}

fn take_scored(bytes: &mut &[u8]) -> Option<Scored> {
    Some(Scored { number: take_byte(bytes)?, score: take_byte(bytes)? })
}

fn take_name(bytes: &mut &[u8]) -> Option<Name> {
    let (name, score) = (take_text(bytes)?, take_byte(bytes)?);
    Some(Name { name, score, kinds: take_all(bytes, take_kind)? })
}

fn take_kind(bytes: &mut &[u8]) -> Option<SignKind> {
    SignKind::numbered(take_byte(bytes)?)
}

fn take_ground(bytes: &mut &[u8]) -> Option<Ground> {
    let (kind, value) = (take_kind(bytes)?, take_text(bytes)?);
    let number = varint::take(bytes)?;
    let half = u8::try_from(number / 2).ok()?;
    let claim = match number % 2 {
        _ if number == SHARED => Claim::Shared,
        0 => Claim::Class(DeviceClass::numbered(half)?),
        _ => Claim::Os(OsFamily::numbered(half)?),
    };
    Some(Ground { kind, value, claim, points: take_byte(bytes)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
        proptest::sample::select(all)
    }

    fn concluded<T: Copy + std::fmt::Debug + 'static>(
        all: &'static [T],
    ) -> impl Strategy<Value = Option<Concluded<T>>> {
        proptest::option::of((one_of(all), 1..100_u8).prop_map(|(is, score)| Concluded { is, score }))
    }

    fn claims() -> impl Strategy<Value = Claim> {
        prop_oneof![
            one_of(DeviceClass::ALL).prop_map(Claim::Class),
            one_of(OsFamily::ALL).prop_map(Claim::Os),
            Just(Claim::Shared)
        ]
    }

    prop_compose! {
        fn names()(name in ".{0,40}", score in 1..100_u8, kinds in proptest::collection::vec(one_of(SignKind::ALL), 0..5)) -> Name {
            Name { name, score, kinds }
        }
    }

    prop_compose! {
        fn grounds()(kind in one_of(SignKind::ALL), value in ".{0,60}", claim in claims(), points in 1..=100_u8) -> Ground {
            Ground { kind, value, claim, points }
        }
    }

    proptest! {
        #[test]
        fn conclusions_are_unpacked_as_they_were(
            class in concluded(DeviceClass::ALL),
            os in concluded(OsFamily::ALL),
            texts in [".{0,30}", ".{0,30}"],
            shared in proptest::option::of(1..100_u8),
            names in proptest::collection::vec(names(), 0..4),
            grounds in proptest::collection::vec(grounds(), 0..6),
        ) {
            let [os_version, model] = texts;
            let conclusion = Conclusion { class, os, os_version, model, shared, names, grounds };
            let packed = Packed::from(&conclusion);
            prop_assert_eq!(name(packed.as_bytes()), conclusion.names.first().map(|name| (name.name.as_str(), name.score)));
            prop_assert_eq!(packed.kinds(), (class.map(|it| it.is), os.map(|it| it.is)));
            prop_assert_eq!(packed.unpack(), conclusion);
        }
    }
}
