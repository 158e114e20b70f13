use proptest::prelude::*;

use super::*;
use crate::{
    AgentId, InterfaceId, MacAddr,
    device::Answering,
    fact::{Entity, InterfaceStatus, Reach, ReachState, Scope, System},
    grouping::pair,
};

const SPACE: SpaceId = SpaceId::from_raw(1);

/// What an account knows of its device; 0 is nothing.
#[derive(Debug, Clone, Default)]
struct Known {
    serial: u8,
    chassis: u8,
    bridge: u8,
    engine: u8,
    port: u8,
    name: u8,
}

fn mac(kind: u8, number: u8) -> MacAddr {
    MacAddr([0x00, 0xe0, 0xfc, kind, 0, number])
}

fn some<T>(number: u8, value: impl FnOnce(u8) -> T) -> Option<T> {
    (number > 0).then(|| value(number))
}

fn account(id: u64, agent: u64, scope: &str, known: &Known) -> Arc<Device> {
    let interface = |number| {
        Arc::new(Interface {
            id: InterfaceId::from_raw(id * 100 + 1),
            observed: Timestamp::from_unix_ms(i64::try_from(id).unwrap()),
            current: true,
            said: fact::Interface {
                name: "ge1".into(),
                if_index: 1,
                alias: String::new(),
                if_type: 6,
                mac: Some(mac(9, number)),
                speed_bps: None,
                full_duplex: None,
                last_change_s: None,
                admin: InterfaceStatus::Up,
                oper: InterfaceStatus::Up,
            },
        })
    };
    let entity = |number| Entity {
        index: 1,
        class: 3,
        name: String::new(),
        description: String::new(),
        serial: format!("SN00{number}"),
        model: String::new(),
        software_revision: String::new(),
    };
    Arc::new(Device {
        id: DeviceId::from_raw(id),
        first_seen: Timestamp::from_unix_ms(i64::try_from(id).unwrap()),
        handles: vec![Handle { agent: AgentId::from_raw(agent), scope: Scope::new(scope) }],
        answering: vec![Answering {
            agent: AgentId::from_raw(agent),
            since: Timestamp::EPOCH,
            observed: Timestamp::EPOCH,
            reach: Reach {
                state: ReachState::Answering,
                detail: String::new(),
                target: format!("10.0.{agent}.{id}:161"),
            },
        }],
        system: Some(System {
            name: some(known.name, |it| format!("core-{it}")).unwrap_or_default(),
            bridge_mac: some(known.bridge, |it| mac(1, it)),
            engine_id: some(known.engine, |it| vec![0x80, 0, 7, 0xdb, 3, 0, 0xe0, 0xfc, 0, 0, it]).unwrap_or_default(),
            chassis_id: some(known.chassis, |it| mac(2, it).to_string()).unwrap_or_default(),
            ..System::default()
        }),
        system_observed: Timestamp::from_unix_ms(i64::try_from(id).unwrap()),
        entities: some(known.serial, entity).into_iter().collect(),
        interfaces: some(known.port, interface).into_iter().collect(),
    })
}

fn grouped(accounts: &[Arc<Device>]) -> Vec<Vec<u64>> {
    let groups = groups(accounts.iter().map(AsRef::as_ref), SPACE, &Rulings::new());
    groups.into_iter().map(|group| group.into_iter().map(crate::Id::raw).collect()).collect()
}

#[test]
fn each_strong_name_alone_makes_two_accounts_one_device() {
    for known in [
        Known { serial: 1, ..Known::default() },
        Known { chassis: 1, ..Known::default() },
        Known { bridge: 1, ..Known::default() },
        Known { engine: 1, ..Known::default() },
        Known { port: 1, name: 1, ..Known::default() },
    ] {
        assert_eq!(grouped(&[account(1, 1, "core", &known), account(2, 2, "sw", &known)]), [[1, 2]], "{known:?}");
        let of_one_agent = [account(1, 1, "core", &known), account(2, 1, "core-2", &known)];
        assert_eq!(grouped(&of_one_agent), [[1, 2]], "two management addresses: {known:?}");
    }
    for known in [Known::default(), Known { name: 1, ..Known::default() }, Known { port: 1, ..Known::default() }] {
        let two = [account(1, 1, "core", &known), account(2, 2, "sw", &known)];
        assert_eq!(grouped(&two), [[1], [2]], "{known:?}");
    }
}

fn ruled(accounts: &[Arc<Device>], rulings: &[(u64, u64, bool)]) -> Vec<Vec<u64>> {
    let id = DeviceId::from_raw;
    let rulings = rulings.iter().map(|(one, two, same)| (pair(id(*one), id(*two)), *same)).collect();
    let groups = groups(accounts.iter().map(AsRef::as_ref), SPACE, &rulings);
    groups.into_iter().map(|group| group.into_iter().map(crate::Id::raw).collect()).collect()
}

#[test]
fn a_ruling_goes_before_evidence_and_is_taken_back_with_it() {
    let serial = |number| Known { serial: number, ..Known::default() };
    let three =
        [account(1, 1, "core", &serial(1)), account(2, 2, "sw", &serial(1)), account(3, 3, "other", &serial(2))];
    assert_eq!(grouped(&three), [vec![1, 2], vec![3]]);
    assert_eq!(ruled(&three, &[(1, 2, false)]), [[1], [2], [3]]);
    assert_eq!(ruled(&three, &[(3, 2, true)]), [[1, 2, 3]], "whatever their serial numbers say");
    // Of two rulings that contradict each other, what keeps apart wins.
    assert_eq!(ruled(&three, &[(2, 3, true), (1, 3, false)]), [vec![1], vec![2, 3]]);
    assert_eq!(ruled(&three, &[(7, 9, true)]), [vec![1, 2], vec![3]], "accounts that are gone rule nothing");
    assert_eq!(ruled(&three, &[]), grouped(&three));
}

#[test]
fn conflicting_strong_evidence_keeps_accounts_apart() {
    let all = Known { serial: 1, chassis: 1, bridge: 1, engine: 1, port: 1, name: 1 };
    for other in [
        Known { serial: 2, ..all.clone() },
        Known { chassis: 2, ..all.clone() },
        Known { bridge: 2, ..all.clone() },
        Known { port: 2, ..all.clone() },
    ] {
        assert_eq!(grouped(&[account(1, 1, "core", &all), account(2, 2, "sw", &other)]), [[1], [2]], "{other:?}");
    }
    let renamed = Known { engine: 2, name: 2, ..all.clone() };
    assert_eq!(grouped(&[account(1, 1, "core", &all), account(2, 2, "sw", &renamed)]), [[1, 2]]);
}

#[test]
fn a_third_account_does_not_join_two_that_contradict_each_other() {
    let one = Known { serial: 1, bridge: 1, ..Known::default() };
    let other = Known { serial: 2, engine: 1, ..Known::default() };
    let between = Known { bridge: 1, engine: 1, ..Known::default() };
    let accounts = [account(1, 1, "a", &one), account(2, 2, "b", &other), account(3, 3, "c", &between)];
    assert_eq!(grouped(&accounts), [vec![1, 3], vec![2]], "the bridge address says more than the engine id");
}

#[test]
fn a_name_that_a_whole_rack_of_one_agent_has_says_nothing_and_others_are_not_touched() {
    let engine = Known { engine: 1, ..Known::default() };
    let mut accounts = vec![account(100, 2, "x", &engine), account(101, 3, "y", &engine)];
    for id in 1..=u64::try_from(CLAIMS_MAX).unwrap() {
        accounts.push(account(id, 1, &format!("sw{id}"), &engine));
    }
    assert_eq!(grouped(&accounts).len(), 1);
    accounts.push(account(50, 1, "sw50", &engine));
    let groups = grouped(&accounts);
    assert_eq!(groups.len(), CLAIMS_MAX + 2, "{groups:?}");
    assert!(groups.contains(&vec![100, 101]), "what other agents see does not suffer: {groups:?}");
}

#[test]
fn a_merged_device_has_the_oldest_identity_and_what_any_account_tells() {
    let one = account(1, 1, "core", &Known { bridge: 1, port: 1, name: 1, ..Known::default() });
    let two = account(2, 2, "sw", &Known { bridge: 1, engine: 1, serial: 1, port: 1, name: 2, ..Known::default() });
    let it = merged(&[&two, &one]).unwrap();
    assert_eq!(merged(&[&one, &two]).unwrap(), it);
    assert_eq!((it.id.raw(), it.handles.len(), it.answering.len(), it.entities.len()), (1, 2, 2, 1));
    assert_eq!(it.name(), "core-2", "the newest statement");
    assert!(!it.system.as_ref().unwrap().engine_id.is_empty());
    assert_eq!((it.interfaces.len(), it.interfaces[0].id.raw()), (1, 101));
    assert_eq!(it.interfaces[0].observed, Timestamp::from_unix_ms(2));
    assert!(Arc::ptr_eq(&merged(&[&one]).unwrap(), &one), "alone it is the account itself");
}

fn known() -> impl Strategy<Value = Known> {
    // Few values, so that they meet; nothing is known more often than not.
    let value = || prop::sample::select(vec![0_u8, 0, 0, 1, 1, 2, 3]);
    (value(), value(), value(), value(), value(), value())
        .prop_map(|(serial, chassis, bridge, engine, port, name)| Known { serial, chassis, bridge, engine, port, name })
}

proptest! {
    #[test]
    fn groups_do_not_depend_on_order_or_ids_and_hold_no_contradiction(
        known in prop::collection::vec((1..4_u64, known()), 0..20),
        seed in any::<u64>(),
    ) {
        let with_ids = |id: &dyn Fn(u64) -> u64| -> Vec<Arc<Device>> {
            let accounts = known.iter().zip(1..);
            accounts.map(|((agent, known), n)| account(id(n), *agent, &format!("sw{n}"), known)).collect()
        };
        let scopes = |accounts: &[Arc<Device>]| -> BTreeSet<BTreeSet<String>> {
            let by_id: BTreeMap<_, _> = accounts.iter().map(|it| (it.id, it.handles[0].scope.to_string())).collect();
            let groups = groups(accounts.iter().map(AsRef::as_ref), SPACE, &Rulings::new());
            groups.iter().map(|group| group.iter().map(|id| by_id[id].clone()).collect()).collect()
        };
        let plain = with_ids(&|n| n);
        let count = u64::try_from(known.len()).unwrap();
        let mut other = with_ids(&|n| 1_000 + (count - n));
        other.sort_by_key(|it| (it.id.raw().wrapping_mul(seed | 1)) >> 7);
        prop_assert_eq!(scopes(&plain), scopes(&other));
        for group in groups(plain.iter().map(AsRef::as_ref), SPACE, &Rulings::new()) {
            let of: Vec<_> = plain.iter().filter(|it| group.contains(&it.id)).map(|it| names(it, SPACE)).collect();
            prop_assert!(of.iter().all(|one| of.iter().all(|two| !one.contradicts(two))));
        }
    }
}
