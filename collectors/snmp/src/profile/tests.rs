use super::*;

#[test]
fn every_profile_that_is_built_in_is_good() {
    for (name, text) in BUILT_IN {
        if let Err(error) = format::read(text, name, &format!("{name}.toml")) {
            panic!("{error}");
        }
    }
    assert_eq!(Profiles::built_in().names().count(), BUILT_IN.len());
}
