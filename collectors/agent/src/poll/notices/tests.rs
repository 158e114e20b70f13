use super::*;
use crate::config::Config;

fn devices() -> Vec<Arc<DeviceConfig>> {
    let device = |name: &str, address: &str| {
        format!("[[devices]]\nname = \"{name}\"\naddress = \"{address}\"\ncommunity = \"only-a-test\"\n")
    };
    let text = device("core", "192.0.2.1") + &device("access", "192.0.2.2");
    Config::parse(&text, "agent.toml", &crate::config::ProcessEnvironment).unwrap().site.devices
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn named(told: &Told, address: &str) -> Vec<String> {
    told.at(ip(address)).into_iter().map(|device| device.name).collect()
}

#[test]
fn a_device_is_known_by_its_own_addresses_until_another_claims_one_or_it_is_gone() {
    let told = Told::default();
    let devices = devices();
    let [core, access] = devices.as_slice() else { panic!("{devices:?}") };
    let _waiting = (told.add(core), told.add(access));
    told.claims(core, ["10.0.0.1", "10.0.0.9", "127.0.0.1", "192.0.2.2"].map(ip).into_iter());
    assert_eq!(named(&told, "10.0.0.1"), ["core"]);
    assert_eq!(named(&told, "127.0.0.1"), [""; 0]);
    // Who is polled at an address is there, whoever else claims it.
    assert_eq!(named(&told, "192.0.2.2"), ["access"]);
    // An address that two claim, as routers of one virtual router do, says nothing.
    told.claims(access, [ip("10.0.0.9")].into_iter());
    assert_eq!(named(&told, "10.0.0.9"), [""; 0]);
    // What it calls its own now is all that counts.
    told.claims(core, [ip("10.0.0.2")].into_iter());
    assert_eq!((named(&told, "10.0.0.1"), named(&told, "10.0.0.2")), (vec![], vec!["core".to_owned()]));
    assert_eq!(named(&told, "10.0.0.9"), ["access"]);
    told.remove(core);
    assert_eq!(named(&told, "10.0.0.2"), [""; 0]);
}
