use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::{SpaceId, fact::Scope};

fn witness(agent: u64, first: i64, last: i64) -> Witness {
    Witness {
        source: Source {
            origin: Arc::new(Origin {
                agent: AgentId::from_raw(agent),
                group: Group { method: Method::PassiveArp, scope: Scope::new("eth0") },
            }),
            fact: 1,
        },
        first_seen: Timestamp::from_unix_ms(first),
        last_seen: Timestamp::from_unix_ms(last),
        current: true,
        vlan: None,
        interface: None,
    }
}

fn endpoint() -> Hearing {
    Hearing::new(EndpointId::from_raw(1), MacAddr([0x00, 0x1b, 0x21, 0, 0, 1]))
}

#[test]
fn what_one_agent_takes_back_another_still_sees() {
    let mut it = endpoint();
    it.hear(Testimony::Presence, witness(1, 10, 10));
    it.hear(Testimony::Presence, witness(2, 11, 11));
    it.end(&Testimony::Presence, &witness(1, 0, 0).source, Timestamp::from_unix_ms(20));
    assert!(it.clone().close().is_current());
    it.end(&Testimony::Presence, &witness(2, 0, 0).source, Timestamp::from_unix_ms(20));
    let it = it.close();
    assert!(!it.is_current());
    assert_eq!(it.last_seen(), Some(Timestamp::from_unix_ms(11)));
}

#[test]
fn the_order_of_sights_does_not_show() {
    let ip: IpAddr = "10.0.0.1".parse().unwrap();
    let space = SpaceId::from_raw(1);
    let sights = [witness(1, 10, 10), witness(1, 5, 5), witness(2, 7, 7), witness(1, 30, 30)];
    let fold = |order: &[usize]| {
        let mut it = endpoint();
        for index in order {
            it.hear(Testimony::Address(space, ip), sights[*index].clone());
        }
        it.close()
    };
    assert_eq!(fold(&[0, 1, 2, 3]), fold(&[3, 2, 1, 0]));
    let it = fold(&[2, 0, 3, 1]);
    let bound: Vec<_> = it.current_addresses().map(|it| (it.first_seen.unix_ms(), it.last_seen.unix_ms())).collect();
    assert_eq!(bound, [(5, 30)]);
}

fn concluded(class: DeviceClass, score: u8, name: &str) -> Testimony {
    let names = vec![classify::Name { name: name.to_owned(), score, kinds: Vec::new() }];
    let class = Some(classify::Concluded { is: class, score });
    Testimony::Class(Conclusion { class, names, ..Conclusion::default() }.into())
}

#[test]
fn what_an_endpoint_was_taken_to_be_is_remembered_with_its_time() {
    let mut it = endpoint();
    it.hear(concluded(DeviceClass::Pc, 60, "PC-1"), witness(1, 10, 10));
    it.hear(concluded(DeviceClass::Pc, 80, "PC-1"), witness(1, 20, 20));
    it.hear(concluded(DeviceClass::Printer, 70, "PC-1"), witness(1, 30, 30));
    let told: Vec<_> = it.clone().close().recognitions().iter().map(|it| (it.since.unix_ms(), it.class)).collect();
    assert_eq!(told, [(10, Some(DeviceClass::Pc)), (30, Some(DeviceClass::Printer))]);
    for n in 0..100 {
        let class = if n % 2 == 0 { DeviceClass::Pc } else { DeviceClass::Printer };
        it.hear(concluded(class, 50, "PC-1"), witness(1, 40 + n, 40 + n));
    }
    assert_eq!(it.close().recognitions().len(), PAST_CONCLUSIONS_MAX + 1);
}

#[test]
fn agents_that_agree_are_surer_and_those_that_do_not_less_whatever_the_order() {
    let fold = |said: &[(u64, Testimony)]| {
        let mut it = endpoint();
        for (agent, told) in said {
            it.hear(told.clone(), witness(*agent, 10, 10));
        }
        it.close()
    };
    let (pc, also, printer) = (
        concluded(DeviceClass::Pc, 60, "PC-1"),
        concluded(DeviceClass::Pc, 60, "PC-1"),
        concluded(DeviceClass::Printer, 50, "NPI-1"),
    );
    let class = |it: &Endpoint| it.conclusion().class.map(|class| (class.is, class.score)).unwrap();
    let agreed = fold(&[(1, pc.clone()), (2, also)]);
    assert!(class(&agreed).0 == DeviceClass::Pc && class(&agreed).1 > 60);
    let contested = fold(&[(1, pc.clone()), (2, printer.clone())]);
    assert!(class(&contested).0 == DeviceClass::Pc && class(&contested).1 < 60);
    assert_eq!(contested, fold(&[(2, printer), (1, pc)]));
    assert_eq!(contested.hostname(), Some("PC-1"));
    assert_eq!(contested.conclusion().names.len(), 2);
    let mut left = Hearing::of(&contested);
    left.end(&concluded(DeviceClass::Pc, 1, ""), &witness(1, 0, 0).source, Timestamp::from_unix_ms(20));
    assert_eq!(class(&left.close()), (DeviceClass::Printer, 50), "who still hears it tells");
}

#[test]
fn without_anybody_who_heard_it_the_maker_tells_what_it_may_be() {
    let camera = Endpoint::new(EndpointId::from_raw(2), MacAddr([0x44, 0x19, 0xb6, 0, 0, 1]));
    assert_eq!(camera.conclusion().class.map(|class| class.is), Some(DeviceClass::Camera));
    assert!(endpoint().close().conclusion().class.is_none());
}

#[test]
fn past_addresses_are_bounded_and_current_ones_stay() {
    let mut it = endpoint();
    let space = SpaceId::from_raw(1);
    for n in 0..200_u8 {
        let ip = IpAddr::from([10, 0, 0, n]);
        let seen = witness(1, i64::from(n), i64::from(n));
        it.hear(Testimony::Address(space, ip), seen.clone());
        if n != 3 {
            it.end(&Testimony::Address(space, ip), &seen.source, Timestamp::from_unix_ms(i64::from(n)));
        }
    }
    let it = it.close();
    assert_eq!(it.evidence.bindings().count(), PAST_ADDRESSES_MAX + 1);
    assert!(it.current_addresses().any(|address| address.ip == IpAddr::from([10, 0, 0, 3])));
    assert!(!it.evidence.bindings().any(|address| address.ip == IpAddr::from([10, 0, 0, 4])));
}

#[test]
fn an_old_message_does_not_end_a_newer_sight() {
    let mut it = endpoint();
    it.hear(Testimony::Presence, witness(1, 10, 30));
    it.end(&Testimony::Presence, &witness(1, 0, 0).source, Timestamp::from_unix_ms(20));
    assert!(it.close().is_current());
}

prop_compose! {
    fn witnesses()(
        agent in 1..4_u64,
        scope in "[a-c]",
        fact: u64,
        times: (i64, i64),
        current: bool,
        vlan in proptest::option::of(0..4095_u16),
        interface in proptest::option::of("[A-Za-z]{1,12}[0-9]/0/[0-9]{1,2}"),
    ) -> Witness {
        let group = Group { method: Method::SnmpForwarding, scope: Scope::new(&scope) };
        let source = Source { origin: Arc::new(Origin { agent: AgentId::from_raw(agent), group }), fact };
        let [first_seen, last_seen] = [times.0, times.1].map(Timestamp::from_unix_ms);
        Witness { source, first_seen, last_seen, current, vlan, interface: interface.map(Into::into) }
    }
}

prop_compose! {
    fn addresses()(space: u64, ip: IpAddr, witnesses in proptest::collection::vec(witnesses(), 0..4)) -> BoundAddress {
        BoundAddress { space: SpaceId::from_raw(space), ip, witnesses }
    }
}

prop_compose! {
    fn statements()(
        witness in witnesses(),
        texts in [".{0,20}", ".{0,20}"],
        parameter_list in proptest::collection::vec(any::<u8>(), 0..20),
        client_id in proptest::collection::vec(any::<u8>(), 0..20),
        mac: [u8; 6],
    ) -> HostStatement {
        let [hostname, vendor_class] = texts;
        HostStatement { witness, host: Host { mac: MacAddr(mac), hostname, vendor_class, parameter_list, client_id } }
    }
}

prop_compose! {
    fn recognised()(
        since: i64,
        class in proptest::option::of(proptest::sample::select(DeviceClass::ALL)),
        os in proptest::option::of(proptest::sample::select(OsFamily::ALL)),
    ) -> Recognition {
        Recognition { since: Timestamp::from_unix_ms(since), class, os }
    }
}

prop_compose! {
    fn classified()(
        witness in witnesses(),
        model in ".{0,20}",
        since in recognised(),
        past in proptest::collection::vec(recognised(), 0..3),
    ) -> Classified {
        let conclusion = Conclusion { model, ..Conclusion::default() }.into();
        Classified { witness, conclusion, since, past }
    }
}

prop_compose! {
    fn evidence()(
        witnesses in proptest::collection::vec(witnesses(), 0..5),
        addresses in proptest::collection::vec(addresses(), 0..4),
        statements in proptest::collection::vec(statements(), 0..3),
        classified in proptest::collection::vec(classified(), 0..3),
    ) -> Evidence {
        Evidence { witnesses, addresses, statements, classified }
    }
}

proptest! {
    #[test]
    fn evidence_is_unpacked_as_it_was_and_read_packed_as_laid_out(it in evidence()) {
        let packed = Packed::from(&it);
        prop_assert_eq!(packed.unpack(), it.clone());
        let firsts = |witnesses: &[Witness]| witnesses.iter().map(|it| it.first_seen).collect::<Vec<_>>();
        let own: Vec<_> = packed.own_sights().map(|it| it.first_seen).collect();
        prop_assert_eq!(own, firsts(&it.witnesses));
        let bound: Vec<_> = packed.bindings().collect();
        prop_assert_eq!(bound.len(), it.addresses.len());
        for (bound, address) in bound.iter().zip(&it.addresses) {
            prop_assert_eq!((bound.space, bound.ip, bound.current), (address.space, address.ip, address.is_current()));
            prop_assert_eq!(bound.first_seen, address.first_seen().unwrap_or_default());
            prop_assert_eq!(bound.last_seen, address.last_seen().unwrap_or_default());
        }
        let addresses: usize = it.addresses.iter().map(|it| it.witnesses.len()).sum();
        let all = it.witnesses.len() + addresses + it.statements.len() + it.classified.len();
        prop_assert_eq!(packed.sights().count(), all);
        let said = it.statements.iter().filter(|it| !it.host.hostname.is_empty());
        let last = said.max_by_key(|it| (it.witness.current, it.witness.last_seen)).map(|it| it.host.hostname.as_str());
        prop_assert_eq!(packed.told_name(), last);
        let told: Vec<_> = packed.told().iter().map(|it| (it.since, it.past.clone(), it.sight.fact)).collect();
        let laid: Vec<_> = it.classified.iter().map(|it| (it.since, it.past.clone(), it.witness.source.fact)).collect();
        prop_assert_eq!(told, laid);
    }
}
