//! Keys of the store: written and read here, as `store.rs` documents them.

use std::ops::Range;

use onenet_topology::{
    AgentId, CampaignId, CaseId, DeviceId, DrillId, EndpointId, IncidentId, SiteId, Timestamp,
    anomaly::AnomalyKey,
    coverage::Day,
    fact::{Group, Method, Scope},
};

use super::SampleKind;
use crate::{
    availability::Watched,
    findings::{FindingKey, FindingKind, Subject},
    outbox::MessageId,
};

const NATION: u64 = 0;
/// How the names of channels' marks begin.
const OUTBOX_MARK: &str = "outbox ";
const MILLISECONDS_PER_HOUR: i64 = 3_600_000;

/// What a key names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key<'k> {
    Meta(&'k [u8]),
    Command(u64),
    Audit,
    Agent(SiteId, AgentId),
    Device(SiteId, DeviceId),
    Endpoint(SiteId, EndpointId),
    Fact { site: SiteId, agent: AgentId, group: Group, key_hash: u64 },
    Finding(SiteId),
    Anomaly(SiteId),
    Covered(SiteId),
    Available { watched: Watched, piece: u8, day: Day },
    Incident,
    Case,
    Drill,
    Campaign,
    Sheet,
    Altered(SiteId),
    Sample,
    Queued,
    Message,
}

fn start(site: u64, kind: u8, capacity: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + capacity);
    key.extend_from_slice(&site.to_be_bytes());
    key.push(kind);
    key
}

fn numbered(site: u64, kind: u8, number: u64) -> Vec<u8> {
    let mut key = start(site, kind, 8);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn meta(name: &str) -> Vec<u8> {
    let mut key = start(NATION, b'm', name.len());
    key.extend_from_slice(name.as_bytes());
    key
}

pub(super) fn command(position: u64) -> Vec<u8> {
    numbered(NATION, b'c', position)
}

/// Returns the key of an incident: incidents are the nation's, since their site may change.
pub(super) fn incident(id: IncidentId) -> Vec<u8> {
    numbered(NATION, b'i', id.raw())
}

/// Returns the key of what a record left in the queue.
pub(super) fn queued(position: u64) -> Vec<u8> {
    numbered(NATION, b'q', position)
}

/// Returns the position in the key of an entry of the queue.
pub(super) fn queued_position(key: &[u8]) -> Option<u64> {
    key.get(9..)?.first_chunk::<8>().map(|position| u64::from_be_bytes(*position))
}

pub(super) fn is_queued(key: &[u8]) -> bool {
    key.get(8) == Some(&b'q')
}

/// Returns the key of a message that is to leave the centre.
pub(super) fn message(id: MessageId) -> Vec<u8> {
    let mut key = numbered(NATION, b'o', id.position);
    key.extend_from_slice(&id.ordinal.to_be_bytes());
    key
}

/// Returns the key of how a channel ended with a message: behind the message itself.
pub(super) fn message_ended(id: MessageId, channel: &str) -> Vec<u8> {
    let mut key = message(id);
    key.extend_from_slice(channel.as_bytes());
    key
}

/// Returns the position of the record that a message, or how a channel ended with it, belongs to.
pub(super) fn message_position(key: &[u8]) -> Option<u64> {
    key.get(9..)?.first_chunk::<8>().map(|position| u64::from_be_bytes(*position))
}

/// Returns whether a key between [`outbox_begin`] and [`outbox_end`] is that of a message.
pub(super) fn is_message(key: &[u8]) -> bool {
    key.len() == 8 + 1 + 8 + 4
}

pub(super) fn is_outbox(key: &[u8]) -> bool {
    key.get(8) == Some(&b'o')
}

/// Returns the first key that the outbox can have.
pub(super) fn outbox_begin() -> Vec<u8> {
    message(MessageId { position: 0, ordinal: 0 })
}

/// Returns the first key behind the outbox.
pub(super) fn outbox_end() -> Vec<u8> {
    numbered(NATION, b'o' + 1, 0)
}

/// Returns the key of the mark up to which a channel has dealt with the outbox: the first key that it has yet to look at.
pub(super) fn outbox_mark(channel: &str) -> Vec<u8> {
    meta(&format!("{OUTBOX_MARK}{channel}"))
}

/// Returns whether this is the name of such a mark.
pub(super) fn is_outbox_mark(name: &[u8]) -> bool {
    name.starts_with(OUTBOX_MARK.as_bytes())
}

/// Returns the key of a case: cases are the nation's, since their site may be merged into another.
pub(super) fn case(id: CaseId) -> Vec<u8> {
    numbered(NATION, b'k', id.raw())
}

/// Returns the key of a drill.
pub(super) fn drill(id: DrillId) -> Vec<u8> {
    numbered(NATION, b'x', id.raw())
}

/// Returns the key of an inspection campaign.
pub(super) fn campaign(id: CampaignId) -> Vec<u8> {
    numbered(NATION, b'g', id.raw())
}

/// Returns the key of what a unit answered in a campaign: the nation's, since the unit may be merged into another.
pub(super) fn sheet(campaign: CampaignId, site: SiteId) -> Vec<u8> {
    let mut key = numbered(NATION, b'j', campaign.raw());
    key.extend_from_slice(&site.raw().to_be_bytes());
    key
}

pub(super) fn agent(site: SiteId, agent: AgentId) -> Vec<u8> {
    numbered(site.raw(), b'a', agent.raw())
}

pub(super) fn device(site: SiteId, device: DeviceId) -> Vec<u8> {
    numbered(site.raw(), b'd', device.raw())
}

pub(super) fn endpoint(site: SiteId, endpoint: EndpointId) -> Vec<u8> {
    numbered(site.raw(), b'e', endpoint.raw())
}

pub(super) fn fact(site: SiteId, agent: AgentId, group: &Group, key_hash: u64) -> Vec<u8> {
    let mut key = numbered(site.raw(), b'f', agent.raw());
    key.push(method_number(group.method));
    push_scope(&mut key, &group.scope);
    key.extend_from_slice(&key_hash.to_be_bytes());
    key
}

pub(super) fn finding(site: SiteId, finding: FindingKey) -> Vec<u8> {
    let mut key = start(site.raw(), b'n', 10);
    key.push(match finding.kind {
        FindingKind::ClockWrong => 1,
        FindingKind::CapacityReached => 2,
        FindingKind::MacAtTwoSites => 3,
        FindingKind::IpWithTwoMacs => 4,
        FindingKind::DeviceAddressUsed => 5,
        FindingKind::MacFlaps => 6,
    });
    let (kind, id) = match finding.subject {
        Subject::Agent(agent) => (1, agent.raw()),
        Subject::Endpoint(endpoint) => (2, endpoint.raw()),
    };
    key.push(kind);
    key.extend_from_slice(&id.to_be_bytes());
    key
}

/// Returns the key of what detectors found. Their words are short, by the wire's limits.
pub(super) fn anomaly(site: SiteId, anomaly: &AnomalyKey) -> Vec<u8> {
    let mut key = start(site.raw(), b'y', 1 + anomaly.kind.len() + anomaly.subject.len());
    key.push(u8::try_from(anomaly.kind.len()).unwrap_or(u8::MAX));
    key.extend_from_slice(anomaly.kind.as_bytes());
    key.extend_from_slice(anomaly.subject.as_bytes());
    key
}

pub(super) fn covered(site: SiteId) -> Vec<u8> {
    start(site.raw(), b'v', 0)
}

/// Returns the key of a piece of what is known of how far something was available: 1 is what was concluded, 2 what was
/// measured on a day, 3 the settled days of a month. Never changed.
pub(super) fn available(watched: Watched, piece: u8, day: Day) -> Vec<u8> {
    let mut key = start(watched.site.raw(), b'w', 13);
    key.extend_from_slice(&watched.to.map_or(NATION, SiteId::raw).to_be_bytes());
    key.push(piece);
    // So that days before 1970 sort before the others.
    key.extend_from_slice(&(day.0.cast_unsigned() ^ (1 << 31)).to_be_bytes());
    key
}

fn parse_available(site: SiteId, rest: &[u8]) -> Option<Key<'_>> {
    let (to, rest) = rest.split_first_chunk::<8>()?;
    let (piece, day) = rest.split_first()?;
    let day = u32::from_be_bytes(day.try_into().ok()?) ^ (1 << 31);
    let to = Some(u64::from_be_bytes(*to)).filter(|to| *to != NATION).map(SiteId::from_raw);
    Some(Key::Available { watched: Watched { site, to }, piece: *piece, day: Day(day.cast_signed()) })
}

/// Returns the key of an alteration: where those of a moment begin, with a position and an ordinal of 0.
pub(super) fn altered(site: SiteId, time: Timestamp, position: u64, ordinal: u32) -> Vec<u8> {
    let mut key = start(site.raw(), b'h', 20);
    key.extend_from_slice(&sortable(time).to_be_bytes());
    key.extend_from_slice(&position.to_be_bytes());
    key.extend_from_slice(&ordinal.to_be_bytes());
    key
}

/// Returns the position of the record that an alteration belongs to.
pub(super) fn altered_position(key: &[u8]) -> Option<u64> {
    key.get(17..)?.first_chunk::<8>().map(|position| u64::from_be_bytes(*position))
}

/// Returns which alteration of its record it is.
pub(super) fn altered_ordinal(key: &[u8]) -> Option<u32> {
    key.get(25..)?.first_chunk::<4>().map(|ordinal| u32::from_be_bytes(*ordinal))
}

pub(super) fn is_altered(key: &[u8]) -> bool {
    key.get(8) == Some(&b'h')
}

/// Returns the prefix of all samples of a site in an hour.
pub(super) fn samples_of_hour(site: SiteId, hour: u32) -> Vec<u8> {
    let mut key = start(site.raw(), b's', 64);
    key.extend_from_slice(&hour.to_be_bytes());
    key
}

/// Returns the prefix of the samples of one kind and scope in an hour.
pub(super) fn samples_of_scope(site: SiteId, hour: u32, scope: &Scope, kind: SampleKind) -> Vec<u8> {
    let mut key = samples_of_hour(site, hour);
    push_scope(&mut key, scope);
    key.push(kind.number());
    key
}

/// Completes a key of samples.
pub(super) fn samples_at(mut prefix: Vec<u8>, time: Timestamp, agent: AgentId, sequence: u64) -> Vec<u8> {
    prefix.extend_from_slice(&sortable(time).to_be_bytes());
    prefix.extend_from_slice(&agent.raw().to_be_bytes());
    prefix.extend_from_slice(&sequence.to_be_bytes());
    prefix
}

/// Returns when the samples of a [key](samples_at) were taken, and by whom.
pub(super) fn taken(key: &[u8]) -> Option<(Timestamp, AgentId)> {
    let end = key.get(key.len().checked_sub(24)?..)?;
    let number = |at: usize| end.get(at..)?.first_chunk::<8>().map(|it| u64::from_be_bytes(*it));
    Some((Timestamp::from_unix_ms((number(0)? ^ (1 << 63)).cast_signed()), AgentId::from_raw(number(8)?)))
}

/// Returns the part of a key of samples that is of its site, hour, scope and kind.
pub(super) fn samples_prefix(key: &[u8]) -> Option<&[u8]> {
    key.get(..key.len().checked_sub(24)?)
}

/// Returns the hour and the number of the kind of a [prefix](samples_prefix) of samples.
pub(super) fn filed_under(prefix: &[u8]) -> Option<(u32, u8)> {
    hour_of(prefix).zip(prefix.last().copied())
}

/// Returns the milliseconds of its hour at which a sample was taken; of what is [filed](hour) at the ends, the first or the last of all.
pub(super) fn ms_of_hour(time: Timestamp) -> u32 {
    let begin = i64::from(hour(time)).saturating_mul(MILLISECONDS_PER_HOUR);
    u32::try_from(time.unix_ms().saturating_sub(begin).max(0)).unwrap_or(u32::MAX)
}

/// Returns the hour a sample is filed under; what is before 1970 or beyond the range is filed at its ends.
pub(super) fn hour(time: Timestamp) -> u32 {
    u32::try_from(time.unix_ms().div_euclid(MILLISECONDS_PER_HOUR).max(0)).unwrap_or(u32::MAX)
}

/// Returns the hour in a key of samples.
pub(super) fn hour_of(key: &[u8]) -> Option<u32> {
    key.get(9..)?.first_chunk::<4>().map(|hour| u32::from_be_bytes(*hour))
}

/// Returns the time as a number whose order as unsigned bytes is the order in time.
const fn sortable(time: Timestamp) -> u64 {
    time.unix_ms().cast_unsigned() ^ (1 << 63)
}

/// Returns whether a key is of a kind that is kept beside the estate.
pub(super) fn is_beside_the_estate(key: &[u8]) -> bool {
    is_sample(key) || is_audit(key) || is_altered(key) || is_queued(key) || is_outbox(key)
}

/// Returns the keys of a run of sites.
pub(super) fn site_range(sites: Range<u64>) -> Range<Vec<u8>> {
    let first = |site: u64| site.to_be_bytes().to_vec();
    // No id is the greatest number: what it would begin ends the last run.
    first(sites.start)..first(sites.end)
}

/// Returns the number of the site in a key.
pub(super) fn site_of(key: &[u8]) -> Option<u64> {
    key.first_chunk::<8>().map(|site| u64::from_be_bytes(*site))
}

/// Returns where the keys of a site begin that are of the kinds behind this key's.
pub(super) fn behind_kind(key: &[u8]) -> Vec<u8> {
    let kind = key.get(8).map(|kind| kind.saturating_add(1));
    key.iter().take(8).copied().chain(kind).collect()
}

pub(super) fn is_sample(key: &[u8]) -> bool {
    key.get(8) == Some(&b's')
}

pub(super) fn is_fact(key: &[u8]) -> bool {
    key.get(8) == Some(&b'f')
}

pub(super) fn is_audit(key: &[u8]) -> bool {
    key.get(8) == Some(&b'u')
}

/// Returns the key of an entry of the audit trail.
pub(super) fn audit(time: Timestamp, position: u64, ordinal: u32) -> Vec<u8> {
    let mut key = numbered(NATION, b'u', sortable(time));
    key.extend_from_slice(&position.to_be_bytes());
    key.extend_from_slice(&ordinal.to_be_bytes());
    key
}

/// Reads the key of an entry of the audit trail back.
pub(super) fn parse_audit(key: &[u8]) -> Option<(Timestamp, u64, u32)> {
    let (time, rest) = key.get(9..)?.split_first_chunk::<8>()?;
    let (position, ordinal) = rest.split_first_chunk::<8>()?;
    let ms = (u64::from_be_bytes(*time) ^ (1 << 63)).cast_signed();
    let ordinal = u32::from_be_bytes(ordinal.try_into().ok()?);
    Some((Timestamp::from_unix_ms(ms), u64::from_be_bytes(*position), ordinal))
}

/// Returns the position of the record that an entry of the audit trail belongs to.
pub(super) fn audit_position(key: &[u8]) -> Option<u64> {
    parse_audit(key).map(|(_, position, _)| position)
}

/// Returns a key for people.
pub(super) fn readable(key: &[u8]) -> String {
    use std::fmt::Write as _;
    key.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a key back, `None` when it is not one of ours.
pub(super) fn parse(key: &[u8]) -> Option<Key<'_>> {
    let (site, rest) = key.split_first_chunk::<8>()?;
    let site = SiteId::from_raw(u64::from_be_bytes(*site));
    let (kind, rest) = rest.split_first()?;
    let number = || <[u8; 8]>::try_from(rest).ok().map(u64::from_be_bytes);
    match kind {
        b'm' => Some(Key::Meta(rest)),
        b'c' => Some(Key::Command(number()?)),
        b'u' => Some(Key::Audit),
        b'a' => Some(Key::Agent(site, AgentId::from_raw(number()?))),
        b'd' => Some(Key::Device(site, DeviceId::from_raw(number()?))),
        b'e' => Some(Key::Endpoint(site, EndpointId::from_raw(number()?))),
        b'f' => parse_fact(site, rest),
        b'n' => Some(Key::Finding(site)),
        b'y' => Some(Key::Anomaly(site)),
        b'i' => Some(Key::Incident),
        b'k' => Some(Key::Case),
        b'x' => Some(Key::Drill),
        b'g' => Some(Key::Campaign),
        b'j' => Some(Key::Sheet),
        b's' => Some(Key::Sample),
        b'q' => Some(Key::Queued),
        b'o' => Some(Key::Message),
        b'v' => Some(Key::Covered(site)),
        b'h' => Some(Key::Altered(site)),
        b'w' => parse_available(site, rest),
        _ => None,
    }
}

fn parse_fact(site: SiteId, rest: &[u8]) -> Option<Key<'_>> {
    let (agent, rest) = rest.split_first_chunk::<8>()?;
    let (method, rest) = rest.split_first()?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let (scope, hash) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    let method = *Method::ALL.get(usize::from(*method).checked_sub(1)?)?;
    Some(Key::Fact {
        site,
        agent: AgentId::from_raw(u64::from_be_bytes(*agent)),
        group: Group { method, scope: Scope::new(std::str::from_utf8(scope).ok()?) },
        key_hash: u64::from_be_bytes(hash.try_into().ok()?),
    })
}

/// Returns the number of a method in keys: its place in [`Method::ALL`], from 1. A test freezes it.
pub(super) fn method_number(method: Method) -> u8 {
    let place = Method::ALL.iter().position(|it| *it == method).unwrap_or_default();
    u8::try_from(place).unwrap_or_default() + 1
}

fn push_scope(key: &mut Vec<u8>, scope: &Scope) {
    // The wire's limits keep scopes far below this; a longer one would only share its key with its own beginning.
    let bytes = scope.as_str().as_bytes();
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    key.extend_from_slice(&len.to_be_bytes());
    key.extend_from_slice(bytes.get(..usize::from(len)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back() {
        let group = Group { method: Method::PassiveArp, scope: Scope::new("eth0") };
        let (site, agent_id) = (SiteId::from_raw(7), AgentId::from_raw(9));
        let key = fact(site, agent_id, &group, 42);
        assert_eq!(parse(&key), Some(Key::Fact { site, agent: agent_id, group, key_hash: 42 }));
        assert_eq!(parse(&agent(site, agent_id)), Some(Key::Agent(site, agent_id)));
        assert_eq!(parse(&meta("position")), Some(Key::Meta(b"position")));
        assert_eq!(parse(b"short"), None);
    }

    #[test]
    fn numbers_of_methods_are_frozen() {
        let numbers: Vec<(u8, &str)> = Method::ALL.iter().map(|it| (method_number(*it), it.name())).collect();
        assert_eq!(numbers.first(), Some(&(1, "snmp_reach")));
        assert_eq!(numbers.get(3), Some(&(4, "snmp_forwarding")));
        assert_eq!(numbers.get(12), Some(&(13, "agent")));
        assert_eq!(numbers.get(15), Some(&(16, "snmp_aggregation")));
        assert_eq!(numbers.get(20), Some(&(21, "snmp_seldom_sensors")));
        assert_eq!(numbers.get(21), Some(&(22, "passive_classification")));
        assert_eq!(numbers.get(22), Some(&(23, "probe")));
        assert_eq!(numbers.last(), Some(&(26, "anchor")));
    }

    #[test]
    fn samples_sort_by_time_before_and_after_1970() {
        let prefix = samples_of_hour(SiteId::from_raw(1), 0);
        let at = |ms| samples_at(prefix.clone(), Timestamp::from_unix_ms(ms), AgentId::from_raw(1), 1);
        assert!(at(-5) < at(0) && at(0) < at(5));
        for ms in [i64::MIN, -5, 0, 5, i64::MAX] {
            assert_eq!(taken(&at(ms)), Some((Timestamp::from_unix_ms(ms), AgentId::from_raw(1))));
        }
        assert_eq!(taken(&[0; 23]), None);
    }
}
