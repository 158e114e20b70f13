//! `DETECTORS.md` says what the code does: it is made from the table of detectors.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

use onenet_detection::catalogue::documentation;

#[test]
fn the_documentation_is_what_the_table_of_detectors_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("DETECTORS.md");
    let text = documentation();
    if std::env::var_os("ONENET_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "DETECTORS.md is not what the table says: run this test with ONENET_BLESS=1 and look at what changed"
    );
}
