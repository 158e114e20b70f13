//! A file of evidence, read and inferred from, whatever the order of what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_topology::inspection::EvidenceFile;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = serde_json::from_slice::<EvidenceFile>(data) else { return };
    let written = serde_json::to_vec(&file).expect("what was read can be written");
    let again: EvidenceFile = serde_json::from_slice(&written).expect("and read again");
    let found = file.infer().map(|(found, _)| found);
    assert_eq!(again.infer().map(|(found, _)| found), found);
    let mut turned = file;
    for device in turned.walks.iter_mut().flat_map(|walk| &mut walk.devices) {
        device.interfaces.reverse();
        device.forwarding.reverse();
        device.neighbours.reverse();
        device.stations.reverse();
        device.lag_members.reverse();
        if let Some(bridge) = &mut device.bridge {
            bridge.stp_ports.reverse();
        }
    }
    turned.walks.iter_mut().for_each(|walk| walk.devices.reverse());
    assert_eq!(turned.infer().map(|(found, _)| found).ok(), found.ok());
});
