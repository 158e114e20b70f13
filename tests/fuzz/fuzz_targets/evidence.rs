//! A file of evidence, read and inferred from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_topology::inspection::EvidenceFile;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = serde_json::from_slice::<EvidenceFile>(data) else { return };
    let written = serde_json::to_vec(&file).expect("what was read can be written");
    let again: EvidenceFile = serde_json::from_slice(&written).expect("and read again");
    assert_eq!(again.infer().map(|(found, _)| found), file.infer().map(|(found, _)| found));
});
