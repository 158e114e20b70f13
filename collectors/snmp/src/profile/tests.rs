use super::*;

#[test]
fn every_profile_that_is_built_in_is_good() {
    let said: Vec<String> = BUILT_IN
        .iter()
        .filter_map(|(name, text)| format::read(text, name, &format!("profiles/{name}.toml")).err())
        .map(|error| error.to_string())
        .collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    assert_eq!(Profiles::built_in().names().count(), BUILT_IN.len());
}

#[test]
fn every_file_of_the_folder_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter_map(|name| Some(name.strip_suffix(".toml")?.to_owned())).collect();
    files.sort();
    assert_eq!(files, BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}
