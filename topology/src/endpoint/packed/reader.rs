//! Reading what was packed, with or without laying it out: see [`Packed`] for the order.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use super::{
    super::{
        Origin, Recognition, Source,
        evidence::{BoundAddress, Classified, Evidence, HostStatement, Witness},
    },
    Bound, CURRENT, FLAG_BITS, HAS_INTERFACE, HAS_VLAN, Packed, Sight, Told,
};
use crate::{
    MacAddr, SpaceId, Timestamp,
    classify::{self, DeviceClass, OsFamily},
    fact::Host,
    varint,
};

/// Reads witnesses one after the other.
pub(super) struct Sights<'a> {
    origins: &'a [Arc<Origin>],
    rest: &'a [u8],
    base: Option<i64>,
}

impl<'a> Iterator for Sights<'a> {
    type Item = Sight<'a>;

    fn next(&mut self) -> Option<Sight<'a>> {
        let rest = &mut self.rest;
        let head = varint::take(rest)?;
        let origin = self.origins.get(usize::try_from(head >> FLAG_BITS).ok()?)?;
        let (fact, behind) = rest.split_first_chunk()?;
        *rest = behind;
        let first = varint::unzigzag(varint::take(rest)?).wrapping_add(self.base.unwrap_or_default());
        let last = varint::unzigzag(varint::take(rest)?).wrapping_add(first);
        self.base.get_or_insert(first);
        let vlan = if head & HAS_VLAN == 0 { None } else { Some(varint::take(rest)?.try_into().ok()?) };
        let interface = if head & HAS_INTERFACE == 0 { None } else { Some(varint::take_text(rest)?) };
        Some(Sight {
            origin,
            fact: u64::from_le_bytes(*fact),
            first_seen: Timestamp::from_unix_ms(first),
            last_seen: Timestamp::from_unix_ms(last),
            current: head & CURRENT != 0,
            vlan,
            interface,
        })
    }
}

impl Sight<'_> {
    fn witness(self) -> Witness {
        Witness {
            source: Source { origin: Arc::clone(self.origin), fact: self.fact },
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            current: self.current,
            vlan: self.vlan,
            interface: self.interface.map(Into::into),
        }
    }
}

/// Reads evidence from its beginning: witnesses, and beside them what they testify.
pub(super) struct Reader<'a> {
    pub(super) sights: Sights<'a>,
    /// How many of the witnesses saw the MAC address itself.
    pub(super) own: usize,
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Returns `None` where nothing is told.
    pub(super) fn of(packed: &'a Packed) -> Option<Self> {
        let mut rest = &*packed.bytes;
        let own = usize::try_from(varint::take(&mut rest)?).ok()?;
        let sights = Sights { origins: &packed.origins, rest: varint::take_bytes(&mut rest)?, base: None };
        Some(Self { sights, own, rest })
    }

    pub(super) fn evidence(mut self) -> Option<Evidence> {
        let own = self.own;
        Some(Evidence {
            witnesses: self.witnesses(own)?,
            addresses: self.all(Self::address)?,
            statements: self.all(Self::statement)?,
            classified: self.all(Self::classified)?,
        })
    }

    /// Passes over the witnesses of the MAC address; returns how many addresses follow.
    pub(super) fn behind_own(&mut self) -> Option<u64> {
        for _ in 0..self.own {
            self.sights.next()?;
        }
        varint::take(&mut self.rest)
    }

    pub(super) fn behind_addresses(&mut self) -> Option<()> {
        for _ in 0..self.behind_own()? {
            self.bound()?;
        }
        Some(())
    }

    pub(super) fn all<T>(&mut self, take: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..varint::take(&mut self.rest)?).map(|_| take(self)).collect()
    }

    fn witnesses(&mut self, count: usize) -> Option<Vec<Witness>> {
        (0..count).map(|_| self.sights.next().map(Sight::witness)).collect()
    }

    /// Returns space, address, and how many saw it.
    fn place(&mut self) -> Option<(SpaceId, IpAddr, usize)> {
        let space = SpaceId::from_raw(varint::take(&mut self.rest)?);
        let octets = varint::take_bytes(&mut self.rest)?;
        let v4 = || <[u8; 4]>::try_from(octets).ok().map(Ipv4Addr::from).map(IpAddr::V4);
        let v6 = || <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from).map(IpAddr::V6);
        Some((space, v4().or_else(v6)?, usize::try_from(varint::take(&mut self.rest)?).ok()?))
    }

    pub(super) fn bound(&mut self) -> Option<Bound> {
        let (space, ip, count) = self.place()?;
        let mut seen: Option<(Timestamp, Timestamp, bool)> = None;
        for _ in 0..count {
            let it = self.sights.next()?;
            let (first, last, current) = seen.unwrap_or((it.first_seen, it.last_seen, it.current));
            seen = Some((first.min(it.first_seen), last.max(it.last_seen), current | it.current));
        }
        let (first_seen, last_seen, current) = seen.unwrap_or_default();
        Some(Bound { space, ip, first_seen, last_seen, current })
    }

    fn address(&mut self) -> Option<BoundAddress> {
        let (space, ip, count) = self.place()?;
        Some(BoundAddress { space, ip, witnesses: self.witnesses(count)? })
    }

    fn statement(&mut self) -> Option<HostStatement> {
        let (witness, mut host) = (self.sights.next()?.witness(), varint::take_bytes(&mut self.rest)?);
        let hostname = varint::take_text(&mut host)?.to_owned();
        let vendor_class = varint::take_text(&mut host)?.to_owned();
        let parameter_list = varint::take_bytes(&mut host)?.to_vec();
        let client_id = varint::take_bytes(&mut host)?.to_vec();
        let mac = MacAddr::from_u64(varint::take(&mut host)?)?;
        Some(HostStatement { witness, host: Host { mac, hostname, vendor_class, parameter_list, client_id } })
    }

    pub(super) fn told(&mut self) -> Option<Told<'a>> {
        let (sight, since) = (self.sights.next()?, self.recognition()?);
        let past = self.all(Self::recognition)?;
        Some(Told { sight, since, past, conclusion: varint::take_bytes(&mut self.rest)? })
    }

    fn classified(&mut self) -> Option<Classified> {
        let Told { sight, since, past, conclusion } = self.told()?;
        Some(Classified { witness: sight.witness(), conclusion: classify::Packed::from_bytes(conclusion), since, past })
    }

    fn recognition(&mut self) -> Option<Recognition> {
        let since = Timestamp::from_unix_ms(varint::unzigzag(varint::take(&mut self.rest)?));
        let mut number = || varint::take(&mut self.rest)?.try_into().ok();
        let (class, os) = (number()?, number()?);
        Some(Recognition { since, class: DeviceClass::numbered(class), os: OsFamily::numbered(os) })
    }
}
