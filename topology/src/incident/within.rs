//! Devices and watched interfaces: what is broken within sites that are reached.
//!
//! Invariant: a device that cannot be reached since one in front of it is down is that one's consequence; what only silent
//! agents ask is unknown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    AT_ONCE_MS, Answer, Cause, Clue, Contact, DeviceFact, Explanation, IncidentKind, Joint, RECONNECT_MS, State,
    Subject, Verdicts,
    country::{At, Country},
    cut::Reach,
};
use crate::{DeviceId, Timestamp};

/// Devices of a site that fall silent at once, with no other left, from which on that is one cause.
const ALL_SILENT_MIN: usize = 3;

/// Adds what is broken within sites.
pub(super) fn judge(country: &Country<'_>, reach: &[Reach], restored: &[Timestamp], verdicts: &mut Verdicts) {
    let joints = joined(country);
    for (at, reach) in reach.iter().enumerate() {
        let first = verdicts.causes.len();
        devices(country, at, reach, &joints, verdicts);
        // What fell silent while the site was cut was last asked then. Agents may be back before a probe says that the way is.
        let heard = country.agents_at(at).filter_map(|agent| match agent.contact {
            Contact::Heard(since) => Some(since),
            _ => None,
        });
        let restored = heard.max().unwrap_or_default().max(restored[at]);
        for cause in verdicts.causes.iter_mut().skip(first).filter(|cause| cause.since <= restored) {
            cause.due = restored.plus_ms(RECONNECT_MS);
        }
    }
    interfaces(country, verdicts);
}

/// What heard agents say of a device: its state, and since when.
fn standing(country: &Country<'_>, device: &DeviceFact) -> (State, Timestamp) {
    let heard = device.answers.iter().filter(|(agent, ..)| country.is_heard(*agent));
    let best = heard.min_by_key(|(agent, answer, since)| (*answer, *since, *agent));
    best.map_or((State::Unknown, country.now), |(_, answer, since)| match answer {
        Answer::Answering => (State::Up, *since),
        Answer::Refusing => (State::Degraded, *since),
        Answer::Silent => (State::Down, *since),
    })
}

/// Returns what each device and agent is joined to.
fn joined(country: &Country<'_>) -> HashMap<Joint, Vec<Joint>> {
    let mut joints: HashMap<Joint, Vec<Joint>> = HashMap::new();
    for joint in &country.evidence.joints {
        joints.entry(joint.a).or_default().push(joint.b);
        joints.entry(joint.b).or_default().push(joint.a);
    }
    joints
}

fn devices(country: &Country<'_>, at: At, reach: &Reach, joints: &HashMap<Joint, Vec<Joint>>, verdicts: &mut Verdicts) {
    let mut down: BTreeMap<DeviceId, (&DeviceFact, Timestamp)> = BTreeMap::new();
    let mut working = Vec::new();
    for device in country.devices_at(at) {
        let (state, since) = standing(country, device);
        verdicts.devices.insert(device.id, state);
        match state {
            State::Down => {
                down.insert(device.id, (device, since));
            }
            State::Up | State::Degraded => working.push(device.id),
            _ => {}
        }
    }
    // What is silent behind a cut is the cut's: agents of other sites that ask it say nothing new.
    if down.is_empty() || !reach.by.is_empty() {
        for cause in reach.by.iter().filter(|_| !down.is_empty()) {
            verdicts.causes[*cause].devices.extend(down.keys());
        }
        return;
    }
    let place = &country.places[at];
    let groups = grouped(country, at, &down, &working, joints);
    for (first, behind) in groups {
        let Some((device, since)) = down.get(&first) else { continue };
        let mut cause = Cause::new(IncidentKind::DeviceDown, Subject::Device(first), place.id, *since);
        cause.possible.insert(Explanation::Itself);
        // Whichever of them was found silent first: they are one incident.
        cause.covers.extend(behind.iter().copied().map(Subject::Device));
        cause.devices = behind.into_iter().chain([first]).collect();
        cause.bear_out(silent_clues(country, device));
        verdicts.causes.push(cause);
    }
    let all = working.is_empty() && down.len() >= ALL_SILENT_MIN;
    if all {
        merge_all(country, at, &down, verdicts);
    }
}

fn silent_clues(country: &Country<'_>, device: &DeviceFact) -> BTreeSet<Clue> {
    let silent =
        device.answers.iter().filter(|(agent, answer, _)| *answer == Answer::Silent && country.is_heard(*agent));
    silent.map(|(agent, _, since)| Clue::DeviceSilent { device: device.id, agent: *agent, since: *since }).collect()
}

/// Divides the devices that are down into those that can be reached up to their own door, each with those behind it.
fn grouped(
    country: &Country<'_>,
    at: At,
    down: &BTreeMap<DeviceId, (&DeviceFact, Timestamp)>,
    working: &[DeviceId],
    joints: &HashMap<Joint, Vec<Joint>>,
) -> BTreeMap<DeviceId, BTreeSet<DeviceId>> {
    let heard = country.agents_at(at).filter(|agent| country.is_heard(agent.id)).map(|agent| Joint::Agent(agent.id));
    let start: Vec<Joint> = heard.chain(working.iter().map(|device| Joint::Device(*device))).collect();
    let next = |from: &Joint| joints.get(from).into_iter().flatten().copied();
    let down_at = |joint: Joint| match joint {
        Joint::Device(device) if down.contains_key(&device) => Some(device),
        _ => None,
    };
    let doors: BTreeSet<DeviceId> = start.iter().flat_map(next).filter_map(down_at).collect();
    let mut groups: BTreeMap<DeviceId, BTreeSet<DeviceId>> =
        doors.iter().map(|door| (*door, BTreeSet::new())).collect();
    let mut seen = doors.clone();
    let mut queue: Vec<(DeviceId, DeviceId)> = doors.iter().map(|door| (*door, *door)).collect();
    let mut place = 0;
    while let Some((door, device)) = queue.get(place).copied() {
        place += 1;
        let mut behind: Vec<DeviceId> = next(&Joint::Device(device)).filter_map(down_at).collect();
        behind.sort_unstable();
        for device in behind {
            // Silent well before what is in front of it: that is another matter.
            let earlier = down[&door].1.ms_since(down[&device].1) > AT_ONCE_MS;
            if !earlier && seen.insert(device) {
                groups.entry(door).or_default().insert(device);
                queue.push((door, device));
            }
        }
    }
    for device in down.keys().filter(|device| !seen.contains(device)) {
        groups.insert(*device, BTreeSet::new());
    }
    groups
}

/// Makes one cause of the devices of a site that fell silent at once, with none left: it is the agent's own port, the switch
/// that it is at, or power.
fn merge_all(
    country: &Country<'_>,
    at: At,
    down: &BTreeMap<DeviceId, (&DeviceFact, Timestamp)>,
    verdicts: &mut Verdicts,
) {
    let place = &country.places[at];
    let times = || down.values().map(|(_, since)| *since);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return };
    let mine = |cause: &Cause| cause.kind == IncidentKind::DeviceDown && cause.site == place.id;
    if last.ms_since(first) > AT_ONCE_MS || verdicts.causes.iter().filter(|cause| mine(cause)).count() < 2 {
        return;
    }
    verdicts.causes.retain(|cause| !mine(cause));
    let mut cause = Cause::new(IncidentKind::DeviceDown, Subject::Site(place.id), place.id, first);
    cause.possible = BTreeSet::from([Explanation::AgentsPort, Explanation::PowerCut]);
    for (id, (device, _)) in down {
        cause.covers.insert(Subject::Device(*id));
        cause.devices.insert(*id);
        cause.bear_out(silent_clues(country, device));
    }
    verdicts.causes.push(cause);
}

fn interfaces(country: &Country<'_>, verdicts: &mut Verdicts) {
    let all: BTreeSet<_> = country.evidence.interfaces.iter().collect();
    let by_device: BTreeMap<DeviceId, usize> = verdicts
        .causes
        .iter()
        .enumerate()
        .filter(|(_, cause)| cause.kind == IncidentKind::DeviceDown)
        .flat_map(|(number, cause)| cause.devices.iter().map(move |device| (*device, number)))
        .collect();
    for interface in all {
        let told = matches!(verdicts.devices.get(&interface.device), Some(State::Up | State::Degraded));
        let state = match (told, interface.up) {
            (false, _) => State::Unknown,
            (true, true) => State::Up,
            (true, false) => State::Down,
        };
        verdicts.interfaces.insert(interface.id, state);
        if state != State::Down {
            continue;
        }
        let clue = Clue::InterfaceDown { interface: interface.id, since: interface.since };
        if let Some(cause) = interface.peer.and_then(|peer| by_device.get(&peer)) {
            verdicts.causes[*cause].bear_out([clue]);
            continue;
        }
        let subject = Subject::Interface(interface.id);
        let mut cause = Cause::new(IncidentKind::InterfaceDown, subject, interface.site, interface.since);
        cause.possible.insert(Explanation::Itself);
        cause.bear_out([clue]);
        verdicts.causes.push(cause);
    }
}
