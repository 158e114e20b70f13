use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{DeviceId, InterfaceId};

fn mac(number: u8) -> MacAddr {
    MacAddr([0, 0xe0, 0xfc, 0, 0, number])
}

/// A computer on a cable, with a name and without anything else.
fn card(number: u8, hostname: &str) -> Card {
    Card {
        id: EndpointId::from_raw(number.into()),
        mac: mac(number),
        asset: None,
        hostname: hostname.to_owned(),
        client_id: Vec::new(),
        class: Some(DeviceClass::Pc),
        is_present: true,
        is_wireless: false,
        place: None,
    }
}

fn groups(cards: &[Card]) -> Vec<Vec<u64>> {
    ruled(cards, &Rulings::new())
}

fn ruled(cards: &[Card], rulings: &Rulings<EndpointId>) -> Vec<Vec<u64>> {
    let raw = |terminal: Terminal| terminal.endpoints.iter().map(|id| id.raw()).collect();
    terminals(cards, rulings).into_iter().map(raw).collect()
}

fn port(number: u64) -> Place {
    Place { device: DeviceId::from_raw(1), interface: InterfaceId::from_raw(number), vlan: None }
}

#[test]
fn a_laptop_on_cable_and_air_is_one_terminal_and_two_clones_on_cables_are_two() {
    let air = Card { is_wireless: true, ..card(2, "PC-0815.site.example") };
    let found = terminals(&[card(1, "pc-0815"), air], &Rulings::new());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].joints[0].score), (TerminalId::from_raw(1), 60));
    assert_eq!(found[0].joints[0].bonds, [Bond::Hostname { value: "pc-0815".into() }, Bond::CableAndAir]);
    assert_eq!(groups(&[card(1, "pc-0815"), card(2, "pc-0815")]), [[1], [2]]);
}

#[test]
fn a_dock_at_the_same_port_or_in_turn_and_random_addresses_are_one_terminal() {
    let at = |number: u8, place| Card { place: Some(place), ..card(number, "note7") };
    assert_eq!(groups(&[at(1, port(3)), at(2, port(3))]), [[1, 2]]);
    assert_eq!(groups(&[at(1, port(3)), at(2, port(4))]), [[1], [2]]);
    assert_eq!(groups(&[at(1, port(3)), Card { is_present: false, ..at(2, port(4)) }]), [[1, 2]]);
    let random = Card { mac: MacAddr([2, 0, 0, 0, 0, 9]), ..card(2, "note7") };
    assert_eq!(groups(&[card(1, "note7"), random]), [[1, 2]]);
}

#[test]
fn what_everybody_is_called_or_too_many_are_says_nothing() {
    let air = |number: u8, name: &str| Card { is_wireless: true, ..card(number, name) };
    assert_eq!(groups(&[card(1, "localhost"), air(2, "localhost")]), [[1], [2]]);
    let many: Vec<Card> = (1..=5).map(|number| Card { is_present: number == 1, ..card(number, "lab") }).collect();
    assert_eq!(groups(&many).len(), 5);
    assert_eq!(groups(&many[..4]).len(), 1);
}

#[test]
fn identifiers_join_cards_unless_names_or_books_differ() {
    let duid = |number: u8, name: &str| Card {
        client_id: vec![255, 0, 0, 0, number, 0, 4, 7, 7, 7, 7, 7],
        ..card(number, name)
    };
    assert_eq!(groups(&[duid(1, ""), duid(2, "a7")]), [[1, 2]]);
    assert_eq!(groups(&[duid(1, "a6"), duid(2, "a7")]), [[1], [2]], "a cloned image that was renamed");
    let on_books = |number: u8, asset: u64| Card { asset: Some(AssetId::from_raw(asset)), ..duid(number, "") };
    assert_eq!(groups(&[on_books(1, 1), on_books(2, 2)]), [[1], [2]]);
    assert_eq!(
        groups(&[Card { client_id: vec![], ..on_books(1, 1) }, Card { hostname: "x1".into(), ..on_books(2, 1) }]),
        [[1, 2]]
    );
    let printer = Card { class: Some(DeviceClass::Printer), ..duid(2, "") };
    assert_eq!(groups(&[duid(1, ""), printer]), [[1], [2]]);
}

#[test]
fn a_card_that_gives_another_ones_address_is_of_its_machine() {
    let naming = |number: u8, named: u8| Card { client_id: [&[1][..], &mac(named).0].concat(), ..card(number, "") };
    assert_eq!(groups(&[card(1, ""), naming(2, 1), naming(3, 3)]), [vec![1, 2], vec![3]]);
    let crowd: Vec<Card> = (2..=7).map(|number| naming(number, 1)).chain([card(1, "")]).collect();
    assert_eq!(groups(&crowd).len(), 7, "nobody's address is everybody's");
}

#[test]
fn an_operator_goes_before_evidence() {
    let cards = [card(1, "a6"), Card { is_wireless: true, ..card(2, "a6") }, card(3, "b")];
    let id = EndpointId::from_raw;
    assert_eq!(ruled(&cards, &Rulings::from([((id(1), id(2)), false)])), [[1], [2], [3]]);
    let rulings = Rulings::from([((id(1), id(3)), true)]);
    assert_eq!(ruled(&cards, &rulings), [vec![1, 2, 3]]);
    let found = terminals(&cards, &rulings);
    assert!(found[0].joints.iter().any(|joint| joint.bonds == [Bond::Ruled] && joint.score == 100));
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_shows(
        cards in vec((1..30_u8, 0..4_u8, 0..3_u8, any::<[bool; 3]>()), 0..30),
        seed in any::<u64>(),
    ) {
        let cards: BTreeMap<u8, Card> = cards.into_iter().map(|(number, name, client, [computer, present, air])| {
            let client_id = if client == 0 { vec![] } else { [&[1][..], &mac(client).0].concat() };
            let hostname = ["", "aa", "bb", "localhost"][usize::from(name)].to_owned();
            let class = computer.then_some(DeviceClass::Pc);
            (number, Card { client_id, class, is_present: present, is_wireless: air, ..card(number, &hostname) })
        }).collect();
        let cards: Vec<Card> = cards.into_values().collect();
        let mut other = [cards.clone(), cards.clone()].concat();
        let turn = usize::try_from(seed % 61).unwrap() % other.len().max(1);
        other.rotate_left(turn);
        other.reverse();
        let found = terminals(&cards, &Rulings::new());
        prop_assert_eq!(&found, &terminals(&other, &Rulings::new()));
        prop_assert_eq!(found.iter().map(|it| it.endpoints.len()).sum::<usize>(), cards.len());
    }
}
