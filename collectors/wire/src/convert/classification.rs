//! What an endpoint was concluded to be.

use onenet_topology::{
    classify::{Claim, Concluded, Conclusion, DeviceClass, Ground, Name, OsFamily, SignKind},
    fact::Classification,
};

use super::check::{self, mac, name};
use crate::{
    Invalid, Problem,
    limits::{CLASSIFICATION_NAMES, GROUNDS, NAME_KINDS},
    v1,
};

pub(super) fn read(it: v1::Classification) -> Result<Classification, Invalid> {
    check::count("names", it.names.len(), CLASSIFICATION_NAMES)?;
    check::count("grounds", it.grounds.len(), GROUNDS)?;
    let names = it.names.into_iter().enumerate();
    let grounds = it.grounds.into_iter().enumerate();
    let mut conclusion = Conclusion {
        class: concluded("class", it.class, it.class_score, DeviceClass::numbered)?,
        os: concluded("os", it.os, it.os_score, OsFamily::numbered)?,
        os_version: name("os_version", it.os_version)?,
        model: name("model", it.model)?,
        shared: if it.shared_score == 0 { None } else { Some(number("shared_score", it.shared_score, 99)?) },
        names: names
            .map(|(at, it)| told(it).map_err(|error| error.within(format!("names[{at}]"))))
            .collect::<Result<_, _>>()?,
        grounds: grounds
            .map(|(at, it)| ground(it).map_err(|error| error.within(format!("grounds[{at}]"))))
            .collect::<Result<_, _>>()?,
    };
    // They took over the room of what was decoded, which is for more and larger ones; a centre keeps them for long.
    conclusion.names.shrink_to_fit();
    conclusion.grounds.shrink_to_fit();
    Ok(Classification { mac: mac("mac", &it.mac)?, conclusion: conclusion.into() })
}

/// Reads what was concluded and how sure it is; number 0 is none.
fn concluded<T>(
    field: &str,
    is: u32,
    score: u32,
    of: impl Fn(u8) -> Option<T>,
) -> Result<Option<Concluded<T>>, Invalid> {
    if is == 0 {
        return Ok(None);
    }
    Ok(Some(Concluded { is: numbered(field, is, of)?, score: number(&format!("{field}_score"), score, 99)? }))
}

fn numbered<T>(field: &str, value: u32, of: impl Fn(u8) -> Option<T>) -> Result<T, Invalid> {
    let known = u8::try_from(value).ok().and_then(of);
    known.ok_or_else(|| Invalid::new(field, Problem::Unknown { value: i32::try_from(value).unwrap_or(i32::MAX) }))
}

/// Reads a number from 1 to `most`.
fn number(field: &str, value: u32, most: u8) -> Result<u8, Invalid> {
    Ok(u8::try_from(check::range(field, value, 1, u32::from(most))?).unwrap_or(most))
}

fn told(it: v1::EndpointName) -> Result<Name, Invalid> {
    check::count("kinds", it.kinds.len(), NAME_KINDS)?;
    let kinds = it.kinds.into_iter().map(|kind| numbered("kinds", kind, SignKind::numbered));
    let kinds = kinds.collect::<Result<_, _>>()?;
    Ok(Name { name: name("name", it.name)?, score: number("score", it.score, 99)?, kinds })
}

fn ground(it: v1::Ground) -> Result<Ground, Invalid> {
    use v1::ground::Claim as On;
    let claim = match check::required("claim", it.claim)? {
        On::Class(class) => Claim::Class(numbered("class", class, DeviceClass::numbered)?),
        On::Os(os) => Claim::Os(numbered("os", os, OsFamily::numbered)?),
        On::Shared(true) => Claim::Shared,
        On::Shared(false) => return Err(Invalid::new("claim", Problem::Missing)),
    };
    Ok(Ground {
        kind: numbered("kind", it.kind, SignKind::numbered)?,
        value: name("value", it.value)?,
        claim,
        points: number("points", it.points, 100)?,
    })
}

impl From<&Classification> for v1::Classification {
    fn from(it: &Classification) -> Self {
        let concluded = &it.conclusion;
        Self {
            mac: it.mac.0.to_vec(),
            class: concluded.class.map_or(0, |class| class.is.number().into()),
            class_score: concluded.class.map_or(0, |class| class.score.into()),
            os: concluded.os.map_or(0, |os| os.is.number().into()),
            os_score: concluded.os.map_or(0, |os| os.score.into()),
            os_version: concluded.os_version.clone(),
            model: concluded.model.clone(),
            shared_score: concluded.shared.map_or(0, u32::from),
            names: concluded.names.iter().map(v1::EndpointName::from).collect(),
            grounds: concluded.grounds.iter().map(v1::Ground::from).collect(),
        }
    }
}

impl From<&Name> for v1::EndpointName {
    fn from(it: &Name) -> Self {
        let kinds = it.kinds.iter().map(|kind| kind.number().into()).collect();
        Self { name: it.name.clone(), score: it.score.into(), kinds }
    }
}

impl From<&Ground> for v1::Ground {
    fn from(it: &Ground) -> Self {
        use v1::ground::Claim as On;
        let claim = match it.claim {
            Claim::Class(class) => On::Class(class.number().into()),
            Claim::Os(family) => On::Os(family.number().into()),
            Claim::Shared => On::Shared(true),
        };
        Self { kind: it.kind.number().into(), value: it.value.clone(), points: it.points.into(), claim: Some(claim) }
    }
}
