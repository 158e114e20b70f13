use onenet_snmp::{InterfaceIndex, Reading};
use proptest::prelude::*;

use super::*;

fn label(if_index: u32, name: Option<&str>) -> InterfaceLabel {
    InterfaceLabel {
        if_index,
        name: name.map(ToOwned::to_owned),
        name_source: None,
        description: Reading::Missing,
        alias: Reading::Missing,
        kind: Reading::Missing,
        type_number: Reading::Missing,
        mac: Reading::Missing,
        mtu_bytes: Reading::Missing,
        speed_bps: Reading::Missing,
        duplex: Reading::Missing,
        last_change_s: Reading::Missing,
    }
}

fn names(labels: Vec<InterfaceLabel>) -> Vec<String> {
    distinct(labels).into_iter().filter_map(|label| label.name).collect()
}

#[test]
fn names_given_twice_or_not_at_all_are_told_apart_by_if_index() {
    let labels = vec![label(1, Some("Gi0/1")), label(2, Some("mgmt")), label(3, Some("mgmt")), label(4, None)];
    assert_eq!(names(labels), ["Gi0/1", "mgmt#2", "mgmt#3", "#4"]);
}

#[test]
fn what_points_at_an_if_index_is_resolved_through_the_same_names() {
    let index = InterfaceIndex::new(distinct(vec![label(2, Some("mgmt")), label(3, Some("mgmt"))]));
    assert_eq!(index.name(3), Some("mgmt#3"));
}

proptest! {
    #[test]
    fn whatever_a_device_calls_its_ports_each_has_a_name_of_its_own(
        given in prop::collection::vec(prop::option::of("[a#1-3]{0,4}"), 0..40)
    ) {
        let labels = given.iter().zip(1..).map(|(name, if_index)| label(if_index, name.as_deref())).collect();
        let names = names(labels);
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        prop_assert_eq!(names.len(), given.len());
        prop_assert_eq!(distinct.len(), given.len());
    }
}
