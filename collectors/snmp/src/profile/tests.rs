use onenet_topology::SensorState;

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

const ACME: &str = r#"
vendor = "Acme"
enterprises = [99999]

[[tables]]
name = "acmeTable"
entry = "1.3.6.1.4.1.99999.1.1"
columns = { acmeTemp = 2, acmeState = 3, acmeHigh = 4 }

[[identify]]
description = '^Acme (?P<model>\S+)(?: v(?P<version>\S+))?'
model = "{model}"
version = "{version}"
role = "switch"

[[sensors]]
kind = "temperature"
value = "acmeTemp / 10"
invalid = [32767]
range = [-40, 125]
high_critical = "acmeHigh"
name = "slot {index}"

[[sensors]]
kind = "fan"
state = { column = "acmeState", normal = 1, critical = [2, 3] }
name = "fan"
"#;

fn acme() -> Profile {
    format::read(ACME, "acme", "acme.toml").unwrap()
}

/// Takes the readings of rows; columns come in the order of their names: acmeHigh, acmeState, acmeTemp.
fn taken(rows: &[(&'static [u32], [i64; 3])]) -> Taken<SensorReading> {
    let profile = acme();
    let rows = rows.iter().map(|(index, row)| (*index, row.map(|number| Some(Value::Integer(number))).to_vec()));
    let read = Read { scalars: Vec::new(), tables: vec![crate::mib::ReadTable::of_rows(rows)] };
    let names = PartNames { interfaces: &crate::mib::interfaces::InterfaceIndex::default(), entities: &[] };
    let mut taken = profile.readings(&read, &Wanted::default(), &names);
    sensors::tell_apart(&mut taken.0);
    taken
}

#[test]
fn a_reading_is_in_the_kinds_unit_and_judged_by_the_devices_own_limit() {
    let (readings, dropped) = taken(&[(&[1], [80, 1, 365]), (&[2], [80, 2, 905])]);
    let said: Vec<_> =
        readings.iter().map(|it| (it.name.as_str(), it.value_milli, it.state.map(SensorState::name))).collect();
    assert_eq!(
        said,
        [
            ("slot 1", Some(36_500), Some("normal")),
            ("slot 2", Some(90_500), Some("critical")),
            ("fan (1)", None, Some("normal")),
            ("fan (2)", None, Some("critical")),
        ]
    );
    assert!(dropped.is_empty());
}

#[test]
fn a_marker_is_no_reading_and_what_cannot_be_is_told() {
    let (readings, dropped) = taken(&[(&[1], [80, 1, 32767]), (&[2], [80, 7, 9000])]);
    assert_eq!(readings.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["fan"]);
    let reasons: Vec<_> = dropped.iter().map(|row| (row.table, row.reason.as_str())).collect();
    assert_eq!(reasons, [("acmeTemp", "out_of_range"), ("acmeState", "unknown_state")]);
}

#[test]
fn sensors_of_a_seldom_table_are_of_a_pace_of_their_own() {
    let text = ACME.replace("columns = {", "seldom = true\ncolumns = {");
    let profile = format::read(&text, "acme", "acme.toml").unwrap();
    let needs = |pace| profile.sensor_needs(&Wanted { pace: Some(pace), ..Wanted::default() }).0.len();
    assert_eq!((needs(Pace::Usual), needs(Pace::Seldom)), (0, 1));
    assert_eq!(profile.seldom_kinds(), BTreeSet::from([SensorKind::Temperature, SensorKind::Fan]));
    assert_eq!(acme().seldom_kinds(), BTreeSet::new());
}

#[test]
fn the_most_exact_rule_says_what_a_notification_is() {
    let rule = |name: &str, object_id: &str, concerns: &str| {
        format!("[[notifications]]\nname = \"{name}\"\nobject_id = \"{object_id}\"\nconcerns = \"{concerns}\"\n")
    };
    let text = "vendor = \"Acme\"\n".to_owned()
        + &rule("acmeTrap", "1.3.6.1.4.1.99999.2.*", "nothing")
        + &rule("acmeBoardTrap", "1.3.6.1.4.1.99999.2.7.*", "parts")
        + &rule("acmeFanFailed", "1.3.6.1.4.1.99999.2.7.3", "everything");
    let mut profiles = Profiles::built_in();
    profiles.add(format::read(&text, "acme", "acme.toml").unwrap());
    let told =
        |name: &str| profiles.notification(&name.parse().unwrap()).map(|(name, it)| (name.into_owned(), it.as_str()));
    let known = |name: &str, concern| Some((name.to_owned(), concern));
    assert_eq!(told("1.3.6.1.4.1.99999.2.1.4"), known("acmeTrap.1.4", "nothing"));
    assert_eq!(told("1.3.6.1.4.1.99999.2.7.1"), known("acmeBoardTrap.1", "parts"));
    assert_eq!(told("1.3.6.1.4.1.99999.2.7.3"), known("acmeFanFailed", "everything"));
    assert_eq!(told("1.3.6.1.4.1.99999.3"), None);
}

#[test]
fn a_table_of_addresses_needs_a_version_and_a_notification_a_concern() {
    let addresses = "[[addresses]]\ntable = \"acmeTable\"\nversion = 5\nip = \"index.2-5\"\nmac = \"acmeTemp\"\n";
    let notification = "[[notifications]]\nname = \"acmeTrap\"\nconcerns = \"weather\"\n";
    let said = format::read(&format!("{ACME}{addresses}{notification}"), "acme", "acme.toml").unwrap_err().to_string();
    for part in
        ["is no version of IP", "addresses[1].interface: is missing", "object_id: is missing", "\"weather\" is nothing"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn everything_that_is_wrong_with_a_profile_is_told_at_once_with_its_place() {
    let text =
        ACME.replace("acmeTemp / 10", "acmeTmp / 10").replace("\"temperature\"", "\"heat\"").replace("(?P<model>", "(");
    let said = format::read(&text, "acme", "acme.toml").unwrap_err().to_string();
    for part in
        ["acmeTmp is not declared", "\"heat\" is no kind of sensor", "there is no group model", "line ", "column "]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

proptest::proptest! {
    #[test]
    fn no_damage_to_a_profile_makes_its_reader_panic(at in 0..ACME.len(), length in 0usize..40, put in "[ -~\u{e9}\n]{0,12}") {
        let end = (at + length).min(ACME.len());
        let text = format!("{}{put}{}", &ACME[..at], &ACME[end..]);
        let _ = format::read(&text, "acme", "acme.toml");
    }

    #[test]
    fn no_expression_of_any_size_makes_its_reader_panic_or_take_long(pattern in "[a-z0-9(){}*+?|.,\\[\\]^$\\\\]{0,40}") {
        let text = ACME.replace(r"^Acme (?P<model>\S+)(?: v(?P<version>\S+))?", &pattern.replace('\'', ""));
        let _ = format::read(&text, "acme", "acme.toml");
    }
}
