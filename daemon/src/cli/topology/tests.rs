use serde_json::{Value, json};

use super::*;

fn refused(text: &str) -> String {
    parse("evidence.json", text.as_bytes()).unwrap_err().to_string()
}

fn printed(value: &Value) -> Value {
    let file = parse("evidence.json", value.to_string().as_bytes()).unwrap();
    let (found, names) = file.infer().unwrap();
    serde_json::to_value(output::Output::of(&file, &found, &names)).unwrap()
}

fn example() -> Value {
    serde_json::from_str(include_str!("golden/evidence.json")).unwrap()
}

#[test]
fn a_file_gives_the_attachments_and_links_of_the_golden_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/topology/golden/inferred.json");
    let told = serde_json::to_string_pretty(&printed(&example())).unwrap() + "\n";
    if std::env::var_os("ONENET_BLESS").is_some() {
        std::fs::write(path, &told).unwrap();
    }
    assert_eq!(told, std::fs::read_to_string(path).unwrap(), "ONENET_BLESS=1 writes it anew");
}

#[test]
fn the_order_of_walks_and_devices_does_not_show() {
    let mut other = example();
    let walks = other["walks"].as_array_mut().unwrap();
    walks.reverse();
    for walk in walks {
        walk["devices"].as_array_mut().unwrap().reverse();
    }
    assert_eq!(printed(&other), printed(&example()));
}

#[test]
fn a_mistake_is_told_with_file_walk_device_key_and_remedy() {
    let mut wrong = example();
    wrong["walks"][1]["devices"][0]["forwarding"][1]["mac"] = json!("00:1b:21");
    let said = refused(&wrong.to_string());
    assert!(
        said.starts_with(
            "evidence.json: walk 2, device \"core\", forwarding[1].mac: \"00:1b:21\" is not a MAC address"
        ),
        "{said}"
    );
    assert!(said.contains("--help"), "{said}");
    let mut wrong = example();
    wrong["walks"][0]["devices"][1]["forwarding"][0]["vlan"] = json!(5_000);
    let said = refused(&wrong.to_string());
    assert!(said.contains("walk 1, device \"access\", forwarding[0].vlan: 5000 is no VLAN"), "{said}");
    let said = refused(r#"{"walks": [{"devices": [{"forwarding": []}]}]}"#);
    assert!(said.contains("walk 1, device 1: missing field `id`"), "{said}");
    assert!(refused(r#"{"walks": [{"time": "yesterday"}]}"#).contains("walk 1, time: \"yesterday\" is not a time"));
    assert!(refused(r#"{"site": "a"}"#).contains("missing field `walks`"));
    assert!(refused("").contains("evidence.json: the file: EOF"));
    assert!(refused("[1").starts_with("evidence.json: "));
    assert!(refused("{\"walks\": []} x").contains("after the last brace"));
}

#[test]
fn a_file_that_nests_without_end_is_refused() {
    let deep = format!("{{\"walks\": [{{\"devices\": [{{\"id\": {}", "[".repeat(1 << 20));
    assert!(refused(&deep).contains("walk 1"));
    let deep = format!("{{\"other\": {}", "[".repeat(1 << 20));
    assert!(!refused(&deep).is_empty());
}

#[test]
fn a_mark_of_the_encoding_is_passed_over() {
    assert!(parse("evidence.json", b"\xef\xbb\xbf{\"walks\": [{}]}").is_ok());
}

#[test]
fn people_read_a_table_in_either_language() {
    let file = parse("evidence.json", example().to_string().as_bytes()).unwrap();
    let (found, names) = file.infer().unwrap();
    let english = table::tables(Language::En, &found, &names);
    assert!(english.contains("Attachments: ") && english.contains("Links: "), "{english}");
    let line = english.lines().find(|line| line.contains("00:1b:21:00:00:01")).unwrap();
    assert!(line.contains("access") && line.contains("GigabitEthernet0/0/3") && line.contains(" 10 "), "{line}");
    let chinese = table::tables(Language::Zh, &found, &names);
    assert!(chinese.contains("接入位置: ") && chinese.contains("可信度"), "{chinese}");
}
