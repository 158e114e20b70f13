use proptest::prelude::*;

use super::*;

const HERE: SiteId = SiteId::from_raw(1);
const THERE: SiteId = SiteId::from_raw(2);

fn device(number: u64) -> DeviceId {
    DeviceId::from_raw(number)
}

fn foot(number: u64, site: SiteId, interface: &str, address: &str) -> Foot {
    Foot { device: device(number), site, interface: interface.to_owned(), address: address.parse().unwrap() }
}

/// Two access switches and a router at one site, a router at another: `10.255.0.0/30` lies between the routers.
fn map(shared: bool) -> Map {
    let mut map = Map::default();
    map.link((device(1), Some("up")), (device(3), Some("ge1")), 98);
    map.link((device(3), Some("ge2")), (device(2), Some("up")), 85);
    map.link((device(1), Some("x")), (device(2), Some("x")), 15);
    let feet = [
        foot(3, HERE, "vlan10", "192.168.1.1/24"),
        foot(1, HERE, "vlan10", "192.168.1.2/24"),
        foot(3, HERE, "wan", "10.255.0.1/30"),
        foot(4, THERE, "wan", "10.255.0.2/30"),
        foot(4, THERE, "lan", "192.168.1.1/24"),
        foot(4, THERE, "lo", "10.0.0.4/32"),
    ];
    map.feet(feet, |one, _| shared && one.address.prefix() >= 29);
    map
}

fn devices(steps: &[Step]) -> Vec<u64> {
    steps.iter().map(|step| step.to.raw()).collect()
}

#[test]
fn a_way_within_a_site_leads_over_links_that_are_believed_with_their_ports() {
    let steps = map(true).way(device(1), device(2), false).unwrap();
    assert_eq!(devices(&steps), [3, 2], "the guess between 1 and 2 is no way");
    let ports: Vec<_> = steps.iter().map(|step| (step.out.as_deref(), step.into.as_deref())).collect();
    assert_eq!(ports, [(Some("up"), Some("ge1")), (Some("ge2"), Some("up"))]);
    assert_eq!(map(true).way(device(1), device(1), false), Some(Vec::new()));
}

#[test]
fn routers_of_one_transfer_net_are_joined_and_ranges_that_repeat_at_sites_are_not() {
    let steps = map(true).way(device(1), device(4), true).unwrap();
    assert_eq!(devices(&steps), [3, 4]);
    assert_eq!(steps[1].ground, Ground::Subnet("10.255.0.0/30".parse().unwrap()));
    assert_eq!(steps[1].out.as_deref(), Some("wan"));
    assert_eq!(map(false).way(device(1), device(4), true), None, "192.168.1.0/24 is another net at each site");
    assert_eq!(map(true).way(device(1), device(4), false), None, "a subnet is no cable");
}

#[test]
fn of_two_routers_in_a_transfer_net_the_way_leads_over_the_next_hop() {
    let mut both = map(true);
    // Two routers stand in the net of the first; only one of them leads on.
    let feet = [
        foot(5, THERE, "wan", "10.255.1.2/29"),
        foot(6, THERE, "wan", "10.255.1.3/29"),
        foot(3, HERE, "wan2", "10.255.1.1/29"),
        foot(5, THERE, "lan", "10.7.0.1/29"),
        foot(6, THERE, "lan", "10.7.0.2/29"),
        foot(7, THERE, "lan", "10.7.0.3/29"),
    ];
    both.feet(feet, |_, _| true);
    let before = both.way(device(3), device(7), true).unwrap();
    assert_eq!(devices(&before), [5, 7], "one as good as the other");
    both.next_hop((device(3), Some("wan2")), "10.255.1.3".parse().unwrap(), true, |_| true);
    let steps = both.way(device(3), device(7), true).unwrap();
    assert_eq!(devices(&steps), [6, 7]);
    assert_eq!(steps[0].ground, Ground::NextHop("10.255.1.3".parse().unwrap()));
    assert_eq!((steps[0].out.as_deref(), steps[0].into.as_deref()), (Some("wan2"), Some("wan")));
    // An address that several have, or nobody near, is nobody's.
    both.next_hop((device(1), None), "192.168.1.1".parse().unwrap(), true, |_| true);
    both.next_hop((device(1), None), "10.255.1.2".parse().unwrap(), true, |_| false);
    assert!(both.steps[&device(1)].iter().all(|step| !matches!(step.ground, Ground::NextHop(_))));
}

#[test]
fn the_gateway_of_an_address_is_who_stands_in_most_subnets_of_its_own_site() {
    let map = map(true);
    let ip = "192.168.1.77".parse().unwrap();
    assert_eq!(map.gateway(HERE, ip).map(|foot| foot.device), Some(device(3)));
    assert_eq!(map.gateway(THERE, ip).map(|foot| foot.device), Some(device(4)));
    assert_eq!(map.gateway(HERE, "172.16.0.1".parse().unwrap()), None);
}

#[test]
fn where_nothing_leads_on_the_path_has_a_gap_and_goes_on_behind_it() {
    let stretches = map(false).along(&[(device(1), false), (device(3), true), (device(4), false), (device(4), false)]);
    let [Stretch::Steps { steps, .. }, Stretch::Gap { from, to }, Stretch::Steps { steps: none, .. }] =
        stretches.as_slice()
    else {
        panic!("{stretches:?}")
    };
    assert_eq!((devices(steps), from.raw(), to.raw(), none.len()), (vec![3], 3, 4, 0));
}

proptest! {
    /// Whatever the links and their order, a way is one of the shortest, and is the same for every order.
    #[test]
    fn a_way_is_a_shortest_one_whatever_the_order_of_what_is_told(
        links in prop::collection::vec((0_u64..12, 0_u64..12, 40_u8..100), 0..30),
        rotation in 0_usize..30,
    ) {
        let of = |links: &[(u64, u64, u8)]| {
            let mut map = Map::default();
            for (one, other, confidence) in links {
                map.link((device(*one), None), (device(*other), None), *confidence);
            }
            map
        };
        let mut turned = links.clone();
        if !turned.is_empty() {
            let by = rotation % turned.len();
            turned.rotate_left(by);
        }
        let (first, second) = (of(&links), of(&turned));
        // By breadth: how many steps each device is away.
        let mut distances = BTreeMap::from([(0_u64, 0_usize)]);
        for round in 0..12 {
            for (one, other, confidence) in &links {
                for (from, to) in [(one, other), (other, one)] {
                    let reached = distances.get(from) == Some(&round) && *confidence >= CONFIDENCE_MIN;
                    if reached && !distances.contains_key(to) {
                        distances.insert(*to, round + 1);
                    }
                }
            }
        }
        for to in 0..12 {
            let way = first.way(device(0), device(to), true);
            prop_assert_eq!(way.as_ref().map(Vec::len), distances.get(&to).copied(), "to {}", to);
            prop_assert_eq!(way, second.way(device(0), device(to), true));
        }
    }
}
