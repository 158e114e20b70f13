//! A small country, cut in every way that can be told apart.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{AgentId, DeviceId, IncidentId, InterfaceId, SiteId, Timestamp, division::Tier};

const MINISTRY: u64 = 1;
const PROVINCE: u64 = 2;
const CITIES: [u64; 2] = [3, 4];
/// Below the first city, the second, and both.
const COUNTIES: [u64; 3] = [5, 6, 7];
const NOW: i64 = 10_000_000;

fn site(id: u64) -> SiteId {
    SiteId::from_raw(id)
}

fn agent(id: u64) -> AgentId {
    AgentId::from_raw(100 + id)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn link(child: u64, parent: u64) -> Subject {
    Subject::Link { child: site(child), parent: site(parent) }
}

const WAYS: [(u64, u64); 7] = [(2, 1), (3, 2), (4, 2), (5, 3), (6, 4), (7, 3), (7, 4)];

/// A ministry, a province, two cities, three counties of which the last hangs on both cities; an agent at each, that
/// measures up and down, and everything works.
fn country() -> Evidence {
    let tier = |id: u64| match id {
        MINISTRY => Tier::Ministry,
        PROVINCE => Tier::Province,
        3 | 4 => Tier::City,
        _ => Tier::County,
    };
    let mut evidence = Evidence { now: at(NOW), ..Evidence::default() };
    for id in 1..=7 {
        let parents = WAYS.iter().filter(|(child, _)| *child == id).map(|(_, parent)| site(*parent)).collect();
        evidence.sites.push(SiteFact { id: site(id), tier: tier(id), parents });
        let contact = Contact::Heard(at(1_000));
        evidence.agents.push(AgentFact { id: agent(id), site: site(id), contact, booted: Some(at(500)) });
    }
    for (child, parent) in WAYS {
        for (teller, side) in [(parent, Side::Above), (child, Side::Below)] {
            let target = ProbeTarget::Way { child: site(child), parent: site(parent), side };
            let (state, since) = (ProbeState::Up, at(2_000));
            evidence.probes.push(ProbeFact { teller: agent(teller), target, state, since, by_agent: false });
        }
    }
    evidence
}

impl Evidence {
    fn later(mut self, ms: i64) -> Self {
        self.now = self.now.plus_ms(ms);
        self
    }

    fn contact(&mut self, id: u64, contact: Contact) {
        let known = self.agents.iter_mut().find(|it| it.id == agent(id)).unwrap();
        known.contact = contact;
    }

    fn lose(&mut self, ids: &[u64], since: i64) {
        for id in ids {
            self.contact(*id, Contact::Lost(at(since)));
        }
    }

    fn silence(&mut self, ids: &[u64], since: i64) {
        for id in ids {
            self.contact(*id, Contact::Silent(at(since)));
        }
    }

    fn probe(&mut self, child: u64, parent: u64, side: Side, state: ProbeState, since: i64) {
        let wanted = ProbeTarget::Way { child: site(child), parent: site(parent), side };
        let known = self.probes.iter_mut().find(|it| it.target == wanted).unwrap();
        (known.state, known.since) = (state, at(since));
    }

    fn fail(&mut self, child: u64, parent: u64, since: i64) {
        self.probe(child, parent, Side::Above, ProbeState::Down, since);
    }

    fn device(&mut self, id: u64, at_site: u64, answers: &[(u64, Answer, i64)]) {
        let answers = answers.iter().map(|(it, answer, since)| (agent(*it), *answer, at(*since))).collect();
        self.devices.push(DeviceFact { id: DeviceId::from_raw(id), site: site(at_site), answers });
    }
}

/// The province's line is cut, and everything below is lost.
fn province_cut() -> Evidence {
    let mut evidence = country();
    evidence.fail(PROVINCE, MINISTRY, NOW - 12_000);
    evidence.lose(&[2, 3, 4, 5, 6, 7], NOW - 4_000);
    evidence
}

fn due(verdicts: &Verdicts) -> Vec<&Cause> {
    verdicts.causes.iter().filter(|cause| cause.due <= verdicts.at).collect()
}

fn only(verdicts: &Verdicts) -> &Cause {
    let due = due(verdicts);
    assert_eq!(due.len(), 1, "{due:#?}");
    due[0]
}

#[test]
fn nothing_is_wrong_where_everything_works() {
    let verdicts = evaluate(&country());
    assert_eq!(verdicts.causes, []);
    assert!(verdicts.sites.values().all(|state| *state == State::Up));
    assert!(verdicts.links.values().all(|way| way.state == State::Up));
}

#[test]
fn a_cut_province_is_one_cause_that_lists_everything_below() {
    let verdicts = evaluate(&province_cut());
    let cause = only(&verdicts);
    assert_eq!((cause.kind, &cause.subject), (IncidentKind::LinkDown, &link(PROVINCE, MINISTRY)));
    assert_eq!(cause.sites, (2..=7).map(site).collect());
    assert_eq!(cause.agents, (2..=7).map(agent).collect());
    assert_eq!(cause.possible, BTreeSet::from([Explanation::UplinkCut, Explanation::PowerCut]));
    assert_eq!(cause.severity, Severity::Major);
    assert_eq!(verdicts.sites[&site(5)], State::Down);
    assert_eq!(verdicts.sites[&site(MINISTRY)], State::Up);
    assert_eq!(verdicts.links[&(site(5), site(3))].state, State::Unknown, "nobody who is heard measures it");
}

#[test]
fn a_site_with_two_ways_up_is_cut_only_when_both_are() {
    let mut evidence = country();
    evidence.fail(7, 3, NOW - 20_000);
    let verdicts = evaluate(&evidence);
    // Its own probe still says up: the two ends disagree until that is told anew.
    assert_eq!(due(&verdicts), Vec::<&Cause>::new());
    evidence.probe(7, 3, Side::Below, ProbeState::Down, NOW - 19_000);
    let verdicts = evaluate(&evidence);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, &cause.subject), (IncidentKind::LinkDown, &link(7, 3)));
    assert_eq!((cause.sites.len(), verdicts.sites[&site(7)]), (0, State::Degraded));
    assert_eq!(cause.possible, BTreeSet::from([Explanation::UplinkCut]), "its power is on: it is heard");

    evidence.fail(7, 4, NOW - 12_000);
    evidence.lose(&[7], NOW - 3_000);
    let verdicts = evaluate(&evidence);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, &cause.subject), (IncidentKind::SiteCut, &Subject::Site(site(7))));
    assert_eq!(verdicts.sites[&site(7)], State::Down);
    assert!(cause.covers.contains(&link(7, 3)) && cause.covers.contains(&link(7, 4)));
}

#[test]
fn two_cuts_at_once_are_two_causes() {
    let mut evidence = country();
    evidence.fail(3, 2, NOW - 12_000);
    evidence.fail(6, 4, NOW - 12_000);
    evidence.lose(&[3, 5, 6], NOW - 3_000);
    evidence.probe(7, 3, Side::Below, ProbeState::Down, NOW - 10_000);
    let verdicts = evaluate(&evidence);
    let causes: Vec<_> = due(&verdicts).into_iter().map(|cause| (&cause.subject, cause.sites.len())).collect();
    assert_eq!(causes, [(&link(3, 2), 2), (&link(6, 4), 1)]);
    assert_eq!(verdicts.sites[&site(7)], State::Up, "it has another way up");
}

#[test]
fn an_agent_that_stops_is_its_own_cause_and_no_link_s() {
    for stopped in [3, 5] {
        let mut evidence = country();
        evidence.silence(&[stopped], NOW - 70_000);
        let verdicts = evaluate(&evidence);
        let cause = only(&verdicts);
        assert_eq!((cause.kind, &cause.subject), (IncidentKind::AgentSilent, &Subject::Agent(agent(stopped))));
        assert_eq!(cause.possible, BTreeSet::from([Explanation::AgentStopped]), "the link is measured from above");
        assert_eq!(verdicts.agents[&agent(stopped)], State::Down);
    }
}

#[test]
fn an_agent_that_does_not_come_back_to_a_site_that_is_reached_has_stopped() {
    let mut evidence = country();
    evidence.lose(&[5], NOW - 11_000);
    assert_eq!(due(&evaluate(&evidence)), Vec::<&Cause>::new(), "a restart takes as long");
    let verdicts = evaluate(&evidence.clone().later(1_000));
    assert_eq!(
        (only(&verdicts).kind, &only(&verdicts).subject),
        (IncidentKind::AgentSilent, &Subject::Agent(agent(5)))
    );
    assert_eq!(verdicts.agents[&agent(5)], State::Down);
    // Another agent there is heard, so that nobody needs to measure the way.
    let contact = Contact::Heard(at(1_000));
    let mut second = evidence.clone().later(1_000);
    second.probes.clear();
    assert_eq!(due(&evaluate(&second)), Vec::<&Cause>::new(), "it may be cut off");
    second.agents.push(AgentFact { id: agent(50), site: site(5), contact, booted: None });
    assert_eq!(only(&evaluate(&second)).subject, Subject::Agent(agent(5)));
    // The centre itself started a moment ago: everybody is on the way back.
    second.started = at(NOW - 11_000);
    second.hearing_since = second.started;
    assert_eq!(due(&evaluate(&second)), Vec::<&Cause>::new());
}

#[test]
fn a_stopped_parent_agent_that_does_not_answer_its_children_makes_no_link_incident() {
    let mut evidence = country();
    evidence.lose(&[3], NOW - 30_000);
    for child in [5, 7] {
        evidence.probe(child, 3, Side::Below, ProbeState::Down, NOW - 25_000);
    }
    for silent in [false, true] {
        if silent {
            evidence.silence(&[3], NOW - 30_000);
            evidence.now = at(NOW + 60_000);
        }
        let verdicts = evaluate(&evidence);
        assert_eq!(only(&verdicts).kind, IncidentKind::AgentSilent, "{:#?}", verdicts.causes);
        assert_eq!(verdicts.sites[&site(5)], State::Up);
    }
}

#[test]
fn an_agent_that_should_answer_a_probe_itself_and_is_gone_says_nothing_of_the_way() {
    let mut evidence = country();
    evidence.lose(&[3], NOW - 30_000);
    evidence.silence(&[3], NOW - 70_000);
    let target = ProbeTarget::Way { child: site(3), parent: site(2), side: Side::Above };
    let (state, since) = (ProbeState::Down, at(NOW - 69_000));
    evidence.probes.push(ProbeFact { teller: agent(2), target, state, since, by_agent: true });
    let verdicts = evaluate(&evidence.clone().later(100_000));
    assert_eq!(only(&verdicts).kind, IncidentKind::AgentSilent);
    // Nothing else is heard or answered there: then it is as good as any.
    evidence.silence(&[5], NOW - 70_000);
    evidence.probes.retain(|probe| {
        probe.target != ProbeTarget::Way { child: site(3), parent: site(2), side: Side::Above } || probe.by_agent
    });
    let verdicts = evaluate(&evidence.later(100_000));
    let cause = due(&verdicts).into_iter().find(|cause| cause.subject == link(3, 2)).unwrap();
    assert_eq!(cause.kind, IncidentKind::LinkDown);
    assert!(cause.possible.contains(&Explanation::AgentStopped), "{cause:#?}");
}

#[test]
fn silence_that_nobody_measures_is_not_called_a_cut() {
    let mut evidence = country();
    evidence.probes.clear();
    evidence.silence(&[2, 3, 4, 5, 6, 7], NOW - 70_000);
    evidence.contact(1, Contact::Heard(at(1_000)));
    // So that it is not the centre that is taken for cut off.
    for id in 8..=20 {
        evidence.sites.push(SiteFact { id: site(id), tier: Tier::Province, parents: vec![site(MINISTRY)] });
        let contact = Contact::Heard(at(1_000));
        evidence.agents.push(AgentFact { id: agent(id), site: site(id), contact, booted: None });
    }
    let verdicts = evaluate(&evidence);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, &cause.subject), (IncidentKind::AgentSilent, &Subject::Agent(agent(PROVINCE))));
    assert_eq!(cause.sites.len(), 5, "what is silent with it is its consequence");
    let all = [Explanation::AgentStopped, Explanation::UplinkCut, Explanation::PowerCut];
    assert_eq!(cause.possible, BTreeSet::from(all));
    assert_eq!(verdicts.sites[&site(PROVINCE)], State::Unknown, "absence is not failure");
}

#[test]
fn a_router_that_answers_others_while_the_agent_is_silent_says_that_the_site_is_there() {
    let mut evidence = country();
    evidence.fail(5, 3, NOW - 100_000);
    evidence.silence(&[5], NOW - 90_000);
    evidence.probe(5, 3, Side::Below, ProbeState::Up, 2_000);
    evidence.device(1, 5, &[(5, Answer::Answering, 0), (3, Answer::Answering, 0)]);
    let verdicts = evaluate(&evidence);
    let causes: Vec<_> = due(&verdicts).into_iter().map(|cause| (cause.kind, &cause.possible)).collect();
    let stopped = BTreeSet::from([Explanation::AgentStopped]);
    let dropped = BTreeSet::from([Explanation::ProbesDropped]);
    assert_eq!(causes, [(IncidentKind::LinkDegraded, &dropped), (IncidentKind::AgentSilent, &stopped)]);
    assert_eq!(verdicts.sites[&site(5)], State::Degraded);
}

#[test]
fn a_centre_that_nobody_reaches_is_one_cause() {
    let mut evidence = country();
    evidence.lose(&[1, 2, 3, 4, 5, 6, 7], NOW - 6_000);
    let verdicts = evaluate(&evidence);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, &cause.subject), (IncidentKind::CentreIsolated, &Subject::Centre));
    assert_eq!(cause.agents.len(), 7);
    assert!(verdicts.sites.values().all(|state| *state == State::Unknown));

    // The agent at the centre's own site is heard and sees no failure: still nobody else's.
    evidence.contact(1, Contact::Heard(at(1_000)));
    assert_eq!(due(&evaluate(&evidence)), Vec::<&Cause>::new(), "it may yet see one");
    let verdicts = evaluate(&evidence.clone().later(8_000));
    assert_eq!(only(&verdicts).kind, IncidentKind::CentreIsolated);
    // It sees one: then it is that.
    evidence.fail(PROVINCE, MINISTRY, NOW - 12_000);
    assert_eq!(only(&evaluate(&evidence.later(8_000))).kind, IncidentKind::LinkDown);
}

#[test]
fn a_stream_that_outlives_its_line_delays_the_cause_and_does_not_deny_it() {
    let mut evidence = country();
    evidence.fail(6, 4, NOW - 5_000);
    let verdicts = evaluate(&evidence);
    assert_eq!(due(&verdicts), Vec::<&Cause>::new());
    assert_eq!(verdicts.links[&(site(6), site(4))].state, State::Unknown);
    // Heard for good: something drops the probes.
    let verdicts = evaluate(&evidence.clone().later(100_000));
    assert_eq!(only(&verdicts).kind, IncidentKind::LinkDegraded);
    assert_eq!(only(&verdicts).possible, BTreeSet::from([Explanation::ProbesDropped]));
}

#[test]
fn all_ways_down_of_a_site_that_fail_at_once_are_one_cause() {
    let mut evidence = country();
    for id in 8..=10 {
        evidence.sites.push(SiteFact { id: site(id), tier: Tier::County, parents: vec![site(4)] });
        let target = ProbeTarget::Way { child: site(id), parent: site(4), side: Side::Above };
        let (state, since) = (ProbeState::Down, at(NOW - 12_000));
        evidence.probes.push(ProbeFact { teller: agent(4), target, state, since, by_agent: false });
    }
    evidence.fail(6, 4, NOW - 13_000);
    evidence.fail(7, 4, NOW - 13_000);
    evidence.probe(7, 4, Side::Below, ProbeState::Down, NOW - 13_000);
    evidence.lose(&[6], NOW - 3_000);
    let verdicts = evaluate(&evidence);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, &cause.subject), (IncidentKind::LinkDown, &Subject::Site(site(4))));
    assert_eq!(cause.sites, [6, 8, 9, 10].map(site).into());
    assert!(cause.possible.contains(&Explanation::UpperEquipment));
}

#[test]
fn a_device_that_hides_others_is_their_cause() {
    let mut evidence = country();
    for (id, answer) in [(1, Answer::Answering), (2, Answer::Silent), (3, Answer::Silent), (4, Answer::Silent)] {
        evidence.device(id, 5, &[(5, answer, NOW - 50_000)]);
    }
    let device = |id| Joint::Device(DeviceId::from_raw(id));
    for (a, b) in [(Joint::Agent(agent(5)), device(1)), (device(2), device(1)), (device(2), device(3))] {
        evidence.joints.push(DeviceJoint { site: site(5), a, b });
    }
    evidence.interfaces.push(InterfaceFact {
        id: InterfaceId::from_raw(1),
        device: DeviceId::from_raw(1),
        site: site(5),
        up: false,
        since: at(NOW - 50_000),
        peer: Some(DeviceId::from_raw(2)),
    });
    let verdicts = evaluate(&evidence);
    let causes: Vec<_> = due(&verdicts).into_iter().map(|cause| (&cause.subject, cause.devices.len())).collect();
    let subject = |id| Subject::Device(DeviceId::from_raw(id));
    // The fourth is joined to nothing that is known.
    assert_eq!(causes, [(&subject(2), 2), (&subject(4), 1)]);
    let clue = Clue::InterfaceDown { interface: InterfaceId::from_raw(1), since: at(NOW - 50_000) };
    assert!(due(&verdicts)[0].evidence_for.contains(&clue), "the port towards it bears it out");
}

#[test]
fn a_router_that_took_its_site_with_it_gets_time_to_answer_again() {
    let mut evidence = country();
    evidence.device(1, 5, &[(5, Answer::Silent, NOW - 30_000)]);
    let mut back = evidence.clone();
    back.contact(5, Contact::Heard(at(NOW - 10_000)));
    evidence.probe(5, 3, Side::Above, ProbeState::Up, NOW - 10_000);
    for evidence in [&back, &evidence] {
        assert_eq!(due(&evaluate(evidence)), Vec::<&Cause>::new(), "it was last asked while the site was cut");
    }
    let verdicts = evaluate(&evidence.later(RECONNECT_MS));
    assert_eq!(only(&verdicts).kind, IncidentKind::DeviceDown);
}

#[test]
fn a_site_that_tells_of_its_old_failure_when_it_is_back_takes_no_time_from_those_below_it() {
    let mut evidence = province_cut().later(20_000);
    evidence.probe(PROVINCE, MINISTRY, Side::Above, ProbeState::Up, NOW + 18_000);
    evidence.contact(PROVINCE, Contact::Heard(at(NOW + 19_000)));
    assert_eq!(due(&evaluate(&evidence)), Vec::<&Cause>::new(), "all others are on their way back");
    evidence.probe(PROVINCE, MINISTRY, Side::Below, ProbeState::Down, NOW - 12_000);
    assert_eq!(due(&evaluate(&evidence)), Vec::<&Cause>::new(), "what was measured during the cut comes first");
    // Those who really do not come back are told of: the cities, as nobody can tell of what is behind them.
    let silent = evaluate(&evidence.later(RECONNECT_MS));
    let agents = due(&silent).into_iter().filter(|cause| cause.kind == IncidentKind::AgentSilent);
    assert_eq!(agents.map(|cause| cause.site).collect::<Vec<_>>(), CITIES.map(site));
}

#[test]
fn who_is_heard_from_behind_a_failure_before_the_probe_says_that_it_is_over_gives_the_others_time() {
    let mut evidence = province_cut().later(20_000);
    let back = NOW + 19_300;
    evidence.contact(3, Contact::Heard(at(back)));
    let verdicts = evaluate(&evidence);
    assert_eq!(verdicts.state(&link(2, 1)), State::Degraded, "heard, and the probe still fails");
    assert!(due(&verdicts).is_empty(), "{:#?}", verdicts.causes);
    // Who is not back in time has stopped.
    evidence.probe(2, 1, Side::Above, ProbeState::Up, back + 500);
    evidence.now = at(back + 500 + RECONNECT_MS);
    let verdicts = evaluate(&evidence);
    assert!(due(&verdicts).iter().any(|cause| cause.subject == Subject::Agent(agent(7))), "{:#?}", verdicts.causes);
}

#[test]
fn an_agent_that_comes_back_from_behind_a_failure_is_heard_out_before_what_was_below_it_is_one_of_its_own() {
    // The city's router is back, its agent was heard again a second ago, and tells of the county what it found without it.
    let mut evidence = country();
    evidence.probe(3, 2, Side::Above, ProbeState::Up, NOW - 2_000);
    evidence.contact(3, Contact::Heard(at(NOW - 1_000)));
    evidence.fail(5, 3, NOW - 12_000);
    evidence.lose(&[5], NOW - 4_000);
    let told = evaluate(&evidence.clone());
    assert_eq!(due(&told), [] as [&Cause; 0], "not yet");
    assert_eq!(told.links[&(site(5), site(3))].state, State::Down, "and yet nothing else is known of it");
    // It stays so: then it is a failure of its own.
    assert_eq!(only(&evaluate(&evidence.clone().later(HEARD_OUT_MS))).subject, link(5, 3));
    // What fails while it is heard is news at once.
    evidence.fail(5, 3, NOW);
    assert_eq!(only(&evaluate(&evidence.later(HOLD_DOWN_MS))).subject, link(5, 3));
}

#[test]
fn what_failed_towards_a_site_that_was_out_of_reach_is_no_failure_of_the_way_to_it_once_it_is_back() {
    // The county on both cities was heard all the while by the other one, and told that its way to the first fails.
    let mut evidence = country();
    evidence.contact(3, Contact::Heard(at(NOW - 1_000)));
    evidence.probe(7, 3, Side::Below, ProbeState::Down, NOW - 12_500);
    evidence.fail(7, 3, NOW - 12_000);
    assert_eq!(due(&evaluate(&evidence.clone())), [] as [&Cause; 0], "not yet");
    assert_eq!(only(&evaluate(&evidence.clone().later(HEARD_OUT_MS))).subject, link(7, 3));
    // The same of a city that is reached since long.
    evidence.contact(3, Contact::Heard(at(1_000)));
    assert_eq!(only(&evaluate(&evidence)).subject, link(7, 3));
}

/// Two devices, one behind the other, at `ms` after now: those that are down fell silent then.
fn chain(ms: i64, down: &[u64]) -> Evidence {
    let mut evidence = country().later(ms);
    for id in [1, 2] {
        let (answer, since) = if down.contains(&id) { (Answer::Silent, NOW) } else { (Answer::Answering, 0) };
        evidence.device(id, 5, &[(5, answer, since)]);
    }
    let device = |id| Joint::Device(DeviceId::from_raw(id));
    for (a, b) in [(Joint::Agent(agent(5)), device(1)), (device(1), device(2))] {
        evidence.joints.push(DeviceJoint { site: site(5), a, b });
    }
    evidence
}

#[test]
fn what_is_behind_a_device_that_is_back_gets_time_before_it_is_a_failure_of_its_own() {
    let subject = |id| Subject::Device(DeviceId::from_raw(id));
    let mut play = Play::default();
    play.see(chain(0, &[1, 2]));
    play.see(chain(20_000, &[2]));
    assert_eq!((&play.only().subject, play.only().is_open()), (&subject(1), true), "it is asked again soon");
    let mut dead = Play { incidents: play.incidents.clone(), ..Play::default() };
    dead.see(chain(20_000 + RECONNECT_MS, &[2]));
    assert_eq!((&dead.only().subject, dead.only().is_open()), (&subject(2), true));
    play.see(chain(30_000, &[]));
    play.see(chain(40_000, &[]));
    assert_eq!(play.only().subject, subject(1));
    assert_eq!(play.only().closed, Some((at(NOW + 20_000), Closing::Healed)));
}

#[test]
fn devices_behind_one_another_are_one_incident_whichever_is_found_silent_first() {
    let silent_in_order = |order: [u64; 2]| {
        let mut play = Play::default();
        let mut down: Vec<u64> = Vec::new();
        for (second, id) in (0_i64..).zip(order) {
            down.push(id);
            play.see(chain(second * 4_000, &down));
        }
        let incident = play.only();
        assert!(incident.is_open());
        (incident.subject.clone(), incident.affected.devices.clone())
    };
    let first = silent_in_order([1, 2]);
    assert_eq!(first.0, Subject::Device(DeviceId::from_raw(1)));
    assert_eq!(first, silent_in_order([2, 1]));
}

#[test]
fn what_only_a_silent_agent_asks_is_unknown() {
    let mut evidence = country();
    evidence.device(1, 5, &[(5, Answer::Silent, NOW - 50_000)]);
    evidence.silence(&[5], NOW - 70_000);
    let verdicts = evaluate(&evidence);
    assert_eq!(verdicts.devices[&DeviceId::from_raw(1)], State::Unknown);
    assert_eq!(only(&verdicts).kind, IncidentKind::AgentSilent);
}

/// The country, with what agents found of the mail server of the province.
fn checked(told: &[(u64, ProbeState)]) -> Evidence {
    let mut evidence = country();
    for (teller, state) in told {
        let (name, since, stands) = ("mail".into(), at(NOW - 50_000), Some(site(PROVINCE)));
        evidence.services.push(ServiceFact { teller: agent(*teller), name, at: stands, state: *state, since });
    }
    evidence
}

#[test]
fn a_service_that_one_of_two_cannot_use_is_degraded_and_it_is_the_way_there() {
    let verdicts = evaluate(&checked(&[(5, ProbeState::Down), (6, ProbeState::Up)]));
    assert_eq!(verdicts.services.values().copied().collect::<Vec<_>>(), [State::Degraded]);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, cause.site), (IncidentKind::ServiceDown, site(5)));
    assert_eq!(cause.possible, BTreeSet::from([Explanation::WayToService]));
    assert_eq!((cause.evidence_for.len(), cause.evidence_against.len()), (1, 1));
}

#[test]
fn a_service_that_nobody_can_use_is_down_itself_and_what_one_alone_sees_may_be_either() {
    let all = evaluate(&checked(&[(5, ProbeState::Down), (6, ProbeState::Down), (1, ProbeState::Down)]));
    assert_eq!(all.services.values().copied().collect::<Vec<_>>(), [State::Down]);
    assert_eq!(only(&all).possible, BTreeSet::from([Explanation::Itself]));
    assert_eq!(only(&all).site, site(MINISTRY), "the highest who sees it");
    let alone = evaluate(&checked(&[(5, ProbeState::Down)]));
    assert_eq!(only(&alone).possible, BTreeSet::from([Explanation::Itself, Explanation::WayToService]));
    let warned = evaluate(&checked(&[(5, ProbeState::Degraded), (6, ProbeState::Degraded)]));
    assert_eq!(only(&warned).kind, IncidentKind::ServiceDegraded, "it answers, with a certificate that ends soon");
    assert_eq!(only(&warned).possible, BTreeSet::from([Explanation::Itself]));
}

#[test]
fn who_comes_back_from_behind_a_broken_line_asks_a_service_again_before_that_is_bad() {
    let mut evidence = checked(&[(5, ProbeState::Down), (6, ProbeState::Up)]);
    evidence.contact(5, Contact::Heard(at(NOW - 1_000)));
    assert_eq!(due(&evaluate(&evidence.clone())), [] as [&Cause; 0]);
    assert_eq!(only(&evaluate(&evidence.later(RECONNECT_MS))).kind, IncidentKind::ServiceDown);
}

#[test]
fn a_service_behind_a_broken_line_is_the_lines_consequence() {
    // The province's line to the ministry is cut: the ministry cannot reach what stands in the province.
    let mut evidence = checked(&[(MINISTRY, ProbeState::Down)]);
    evidence.fail(PROVINCE, MINISTRY, NOW - 60_000);
    evidence.silence(&[2, 3, 4, 5, 6, 7], NOW - 60_000);
    let verdicts = evaluate(&evidence);
    let cause = only(&verdicts);
    assert_eq!((cause.kind, cause.site), (IncidentKind::LinkDown, site(PROVINCE)));
    assert!(cause.evidence_for.iter().any(|clue| matches!(clue, Clue::ServiceChecked { good: false, .. })));
    // A county's line is bad; who sits behind it finds the service bad, and all others find it well.
    let mut evidence = checked(&[(5, ProbeState::Degraded), (6, ProbeState::Up)]);
    evidence.probe(5, 3, Side::Above, ProbeState::Degraded, NOW - 60_000);
    assert_eq!(only(&evaluate(&evidence)).kind, IncidentKind::LinkDegraded);
    // Whoever is on the service's side of the bad line is not excused by it.
    let mut evidence = checked(&[(6, ProbeState::Down)]);
    evidence.probe(5, 3, Side::Above, ProbeState::Degraded, NOW - 60_000);
    assert_eq!(due(&evaluate(&evidence)).len(), 2);
    // It was bad long before the line.
    let mut evidence = checked(&[(5, ProbeState::Degraded)]);
    evidence.services[0].since = at(NOW - 900_000);
    evidence.probe(5, 3, Side::Above, ProbeState::Degraded, NOW - 60_000);
    assert_eq!(due(&evaluate(&evidence)).len(), 2);
}

/// Plays moments one after the other, as the centre does.
#[derive(Default)]
struct Play {
    incidents: Vec<Incident>,
    damper: Damper,
}

impl Play {
    fn see(&mut self, mut evidence: Evidence) {
        evidence.flapping = self.damper.observe(&evidence);
        let verdicts = evaluate(&evidence);
        let mut next = u64::try_from(self.incidents.len()).unwrap();
        let identity = || {
            next += 1;
            Some(IncidentId::from_raw(next))
        };
        for changed in follow(&self.incidents, &verdicts, identity, |_| None) {
            match self.incidents.iter_mut().find(|it| it.id == changed.id) {
                Some(known) => *known = changed,
                None => self.incidents.push(changed),
            }
        }
    }

    fn only(&self) -> &Incident {
        assert_eq!(self.incidents.len(), 1, "{:#?}", self.incidents);
        &self.incidents[0]
    }
}

#[test]
fn a_cut_is_one_incident_from_its_beginning_to_its_end() {
    let mut play = Play::default();
    play.see(country());
    for ms in (0..60_000).step_by(1_000) {
        play.see(province_cut().later(ms));
    }
    let mut silent = province_cut().later(60_000);
    silent.silence(&[2, 3, 4, 5, 6, 7], NOW - 4_000);
    play.see(silent.clone());
    assert!(play.only().is_open());
    // The line is back, and the agents come one after the other.
    let healed = NOW + 61_000;
    silent.probe(PROVINCE, MINISTRY, Side::Above, ProbeState::Up, healed);
    for ms in (2_000..40_000).step_by(1_000) {
        let back = u64::try_from(ms / 5_000).unwrap();
        let mut now = silent.clone().later(ms);
        for id in 2..=back.min(7) {
            now.contact(id, Contact::Heard(at(healed + ms)));
        }
        play.see(now);
    }
    let incident = play.only();
    assert_eq!(incident.closed, Some((at(healed), Closing::Healed)));
    assert_eq!(incident.duration_ms(at(0)), healed - (NOW - 12_000));
    assert_eq!(incident.affected.sites.len(), 6);
}

#[test]
fn a_cut_whose_machines_started_meanwhile_was_a_power_cut() {
    for (booted, told) in [(NOW + 10_000, Explanation::PowerCut), (500, Explanation::UplinkCut)] {
        let mut play = Play::default();
        let mut evidence = country();
        evidence.fail(6, 4, NOW - 12_000);
        evidence.lose(&[6], NOW - 3_000);
        play.see(evidence.clone());
        assert_eq!(play.only().possible.len(), 2);
        let mut back = country();
        back.now = at(NOW + 40_000);
        back.probe(6, 4, Side::Above, ProbeState::Up, NOW + 20_000);
        let agent = back.agents.iter_mut().find(|it| it.id == agent(6)).unwrap();
        (agent.contact, agent.booted) = (Contact::Heard(at(NOW + 30_000)), Some(at(booted)));
        play.see(back);
        assert!(!play.only().is_open());
        assert_eq!(play.only().possible, BTreeSet::from([told]));
        assert_eq!(play.only().revisions.len(), 2, "what was believed first is kept");
    }
}

#[test]
fn an_agent_that_comes_back_after_its_line_still_tells_what_it_was() {
    let mut play = Play::default();
    let mut evidence = country();
    evidence.fail(6, 4, NOW - 12_000);
    evidence.lose(&[6], NOW - 3_000);
    play.see(evidence.clone());
    evidence.probe(6, 4, Side::Above, ProbeState::Up, NOW + 20_000);
    play.see(evidence.clone().later(40_000));
    assert!(!play.only().is_open() && play.only().can_learn(), "what is known of its machine is from before");
    let agent = evidence.agents.iter_mut().find(|it| it.id == agent(6)).unwrap();
    (agent.contact, agent.booted) = (Contact::Heard(at(NOW + 50_000)), Some(at(NOW + 45_000)));
    play.see(evidence.later(60_000));
    assert_eq!(play.only().possible, BTreeSet::from([Explanation::PowerCut]));
}

#[test]
fn silence_becomes_a_cut_when_late_evidence_says_so_and_stays_one_incident() {
    let mut play = Play::default();
    let mut evidence = country();
    evidence.probes.clear();
    evidence.silence(&[6], NOW - 70_000);
    play.see(evidence.clone());
    assert_eq!(play.only().kind, IncidentKind::AgentSilent);
    let mut told = country().later(5_000);
    told.silence(&[6], NOW - 70_000);
    told.fail(6, 4, NOW - 71_000);
    play.see(told.clone());
    assert_eq!((play.only().kind, play.only().revisions.len()), (IncidentKind::LinkDown, 2));
    // Whoever told falls silent: nothing is taken back, and nothing heals.
    told.silence(&[4], NOW);
    play.see(told.later(70_000));
    let first = &play.incidents[0];
    assert!(first.is_open() && first.kind == IncidentKind::LinkDown, "{first:#?}");
}

#[test]
fn a_second_way_that_fails_makes_a_cut_of_the_same_incident() {
    let mut play = Play::default();
    let mut evidence = country();
    evidence.fail(7, 3, NOW - 200_000);
    evidence.probe(7, 3, Side::Below, ProbeState::Down, NOW - 200_000);
    play.see(evidence.clone());
    evidence.fail(7, 4, NOW - 12_000);
    evidence.lose(&[7], NOW - 2_000);
    play.see(evidence.clone().later(1_000));
    assert_eq!(play.only().kind, IncidentKind::SiteCut);
    let mut one_back = country().later(60_000);
    one_back.fail(7, 3, NOW - 200_000);
    one_back.probe(7, 3, Side::Below, ProbeState::Down, NOW - 200_000);
    one_back.probe(7, 4, Side::Above, ProbeState::Up, NOW + 30_000);
    play.see(one_back);
    assert_eq!((play.only().kind, &play.only().subject), (IncidentKind::LinkDown, &link(7, 3)));
}

#[test]
fn a_link_that_flaps_each_second_is_one_degraded_incident() {
    let mut play = Play::default();
    for second in 0..120 {
        let mut evidence = country().later(second * 1_000);
        let state = if second % 2 == 0 { ProbeState::Down } else { ProbeState::Up };
        if second < 60 {
            evidence.probe(6, 4, Side::Above, state, NOW + second * 1_000);
        } else {
            evidence.probe(6, 4, Side::Above, ProbeState::Up, NOW + 59_000);
        }
        play.see(evidence);
    }
    let incident = play.only();
    assert_eq!(incident.kind, IncidentKind::LinkDegraded);
    let (closed, how) = incident.closed.unwrap();
    assert_eq!(how, Closing::Healed);
    assert!(closed <= at(NOW + 90_000), "{closed}");
}

#[test]
fn a_centre_that_is_back_blames_nobody_who_is_not_back_yet() {
    let mut play = Play::default();
    let mut evidence = country();
    evidence.lose(&[1, 2, 3, 4, 5, 6, 7], NOW - 6_000);
    play.see(evidence.clone());
    evidence.silence(&[1, 2, 3, 4, 5, 6, 7], NOW - 6_000);
    play.see(evidence.clone().later(60_000));
    for ms in (61_000..140_000).step_by(1_000) {
        let mut now = evidence.clone().later(ms);
        let back = u64::try_from((ms - 60_000) / 10_000).unwrap();
        for id in 1..=back.min(7) {
            now.contact(id, Contact::Heard(at(NOW + ms)));
        }
        let isolated = play.incidents.iter().filter(|it| it.kind == IncidentKind::CentreIsolated);
        now.hearing_since = isolated.map(|it| it.closed.map_or(now.now, |(at, _)| at)).max().unwrap();
        play.see(now);
    }
    assert_eq!(play.only().closed.map(|(_, how)| how), Some(Closing::Healed));
}

/// What happens to the country in the property below.
#[derive(Debug, Clone)]
enum Event {
    Fail(usize, bool),
    Lose(u64, i64),
    Silence(u64, i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..WAYS.len(), any::<bool>()).prop_map(|(way, above)| Event::Fail(way, above)),
        (1..=7_u64, 0..80_000_i64).prop_map(|(id, ago)| Event::Lose(id, ago)),
        (1..=7_u64, 60_000..200_000_i64).prop_map(|(id, ago)| Event::Silence(id, ago)),
    ]
}

proptest! {
    #[test]
    fn the_order_and_the_repetition_of_evidence_change_nothing(
        events in proptest::collection::vec(event(), 0..10),
        seed in any::<u64>(),
    ) {
        let mut evidence = country();
        for (id, place) in (1..=7).zip(CITIES.iter().chain(&COUNTIES).cycle()) {
            evidence.device(id, *place, &[(*place, Answer::Silent, NOW - 50_000), (1, Answer::Answering, 0)]);
        }
        for event in &events {
            match event {
                Event::Fail(way, above) => {
                    let side = if *above { Side::Above } else { Side::Below };
                    evidence.probe(WAYS[*way].0, WAYS[*way].1, side, ProbeState::Down, NOW - 20_000);
                }
                Event::Lose(id, ago) => evidence.lose(&[*id], NOW - ago),
                Event::Silence(id, ago) => evidence.silence(&[*id], NOW - ago),
            }
        }
        let mut shuffled = evidence.clone();
        shuffled.probes.extend(evidence.probes.iter().take(3).cloned());
        shuffled.agents.extend(evidence.agents.iter().take(3).cloned());
        let mut state = seed | 1;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for place in (1..shuffled.probes.len()).rev() {
            shuffled.probes.swap(place, next(place + 1));
        }
        for place in (1..shuffled.agents.len()).rev() {
            shuffled.agents.swap(place, next(place + 1));
        }
        for place in (1..shuffled.sites.len()).rev() {
            shuffled.sites.swap(place, next(place + 1));
        }
        shuffled.devices.reverse();
        let verdicts = evaluate(&evidence);
        prop_assert_eq!(&verdicts, &evaluate(&shuffled));
        // Each site out of reach is explained, and an agent that is heard is at no such site.
        for (site, state) in &verdicts.sites {
            let explained = verdicts.causes.iter().any(|cause| cause.sites.contains(site));
            let heard = evidence.agents.iter().any(|it| it.site == *site && matches!(it.contact, Contact::Heard(_)));
            prop_assert!(*state != State::Down || (explained && !heard));
        }
    }
}
