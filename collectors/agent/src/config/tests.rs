use std::{collections::HashMap, io, time::Duration};

use onenet_detection::threshold::Threshold;

use super::*;

/// An environment that holds what a test puts there.
#[derive(Default)]
struct Fake {
    variables: HashMap<&'static str, &'static str>,
    files: HashMap<&'static str, &'static str>,
}

impl Environment for Fake {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let content = path.to_str().and_then(|path| self.files.get(path));
        content.map(|content| (*content).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config").join(name)
}

/// Compares with the golden file; `ONENET_BLESS=1` writes it anew.
fn assert_golden(name: &str, actual: &str) {
    let path = testdata(name);
    if std::env::var_os("ONENET_BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    assert_eq!(actual, std::fs::read_to_string(&path).unwrap(), "{name}");
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "agent.toml", &Fake::default())
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn everything_wrong_with_a_file_is_told_at_once_with_line_key_and_remedy() {
    for name in ["upside-down", "not-toml"] {
        let text = std::fs::read_to_string(testdata(&format!("{name}.toml"))).unwrap();
        let told = refusal(&text);
        assert!(!told.contains("s3cret"), "{told}");
        assert_golden(&format!("{name}.txt"), &(told + "\n"));
    }
}

#[test]
fn a_mirror_names_an_interface_that_is_listened_on_and_a_device_that_is_polled() {
    let text = |interface: &str, device: &str| {
        format!(
            "[capture]\ninterfaces = [\"eth1\"]\n[[capture.mirrors]]\ninterface = \"{interface}\"\ndevice = \"{device}\"\n\
             ports = [\"gi1\", \"gi2\"]\n[[devices]]\nname = \"core\"\naddress = \"192.0.2.1\"\ncommunity = \"x\"\n"
        )
    };
    let config = parse(&text("eth1", "core")).unwrap();
    let mirror = &config.site.capture.mirrors[0];
    assert_eq!((mirror.interface.as_str(), mirror.device.as_str(), mirror.ports.len()), ("eth1", "core", 2));
    let told = refusal(&text("eth9", "core-9"));
    assert!(told.contains("line 4, column 13: capture.mirrors[1].interface: \"eth9\" is not listened on"), "{told}");
    assert!(
        told.contains("line 5, column 10: capture.mirrors[1].device: there is no device named \"core-9\""),
        "{told}"
    );
    // What discovery finds is named when it is found.
    let found = text("eth1", "core-9")
        + "[credentials.all]\ncommunity = \"x\"\n"
        + "[discovery]\nallow = [\"192.0.2.0/24\"]\ncredentials = [\"all\"]\n";
    parse(&found).unwrap();
}

#[test]
fn what_is_a_finding_is_read_with_its_thresholds_for_all_of_a_site_and_for_parts_of_it() {
    let text = "[detection]\nplan = [\"10.20.0.0/16\"]\ndark = [\"10.20.200.0/24\"]\nrouters = [\"10.20.0.1\", \"fe80::1\"]\n\
                roots = [\"00:1b:21:00:00:0a\"]\nforbidden_vlans = [999]\noff = [\"dga\"]\nport_scan_ports = 50\n\
                [[detection.areas]]\nprefixes = [\"10.20.9.0/24\"]\nsweep_hosts = 200\n";
    let settings = parse(text).unwrap().site.detection;
    assert_eq!((settings.plan.len(), settings.routers.len(), settings.roots.len()), (1, 2, 1));
    assert_eq!(settings.off, [onenet_detection::Kind::Dga]);
    assert_eq!(settings.thresholds.get(Threshold::PortScanPorts), 50);
    let area = &settings.areas[0].thresholds;
    assert_eq!((area.get(Threshold::PortScanPorts), area.get(Threshold::SweepHosts)), (50, 200));
    assert_eq!(parse("").unwrap().site.detection, onenet_detection::Settings::new());
}

#[test]
fn a_scan_names_who_approved_it_and_is_over_before_the_next() {
    let config = parse(
        "[centre]\naddress = \"centre.example:7443\"\n[detection]\npublished = [\"10.20.0.0/24\"]\n\
         [[scans]]\napproval = \"2026-17\"\ntargets = [\"10.20.0.8/30\"]\nports = [\"443\", \"8000-8001\"]\nat = \"02:30\"\n",
    )
    .unwrap();
    let [scan] = &config.site.scans[..] else { panic!("{:?}", config.site.scans) };
    assert_eq!((scan.per_s, scan.begins_min, scan.every_days, scan.approval.as_str()), (20, 150, 7, "2026-17"));
    let places: Vec<String> = scan.places().map(|(host, port)| format!("{host}:{port}")).collect();
    assert_eq!((places.len(), places[0].as_str(), places[4].as_str()), (12, "10.20.0.8:443", "10.20.0.8:8000"));
    for (scan, said) in [
        ("targets = [\"10.20.0.8/30\"]\nports = [\"22\"]", "a scan that nobody approved is an attack"),
        ("approval = \"x\"\nports = [\"22\"]", "scans[1].targets: is missing"),
        ("approval = \"x\"\ntargets = [\"10.20.0.8/30\"]\nports = [\"22-20\"]", "\"22-20\" cannot be used"),
        ("approval = \"x\"\ntargets = [\"10.20.0.8/30\"]\nports = [\"22\"]\nat = \"24:00\"", "a time of the day"),
        ("approval = \"x\"\ntargets = [\"10.0.0.0/8\"]\nports = [\"1-65535\"]", "fewer hosts or ports"),
        (
            "approval = \"x\"\ntargets = [\"10.20.0.8/30\", \"10.20.0.0/16\"]\nports = [\"22\"]",
            "10.20.0.0/16 is not within published of [detection]; list it there",
        ),
    ] {
        let said_of = refusal(&format!(
            "[centre]\naddress = \"centre.example:7443\"\n[detection]\npublished = [\"10.20.0.0/24\"]\n[[scans]]\n{scan}\n"
        ));
        assert!(said_of.contains(said), "{scan}: {said_of}");
        assert!(!said_of.contains("10.20.0.8/30 is not within"), "{said_of}");
    }
}

#[test]
fn the_register_of_services_is_read_and_what_is_wrong_with_it_is_told() {
    let text = "[detection]\npublished = [\"10.20.0.0/24\"]\nequipment = [\"00:1b:21:00:00:0a\"]\nfeeds = [\"10.1.0.5:9001\"]\n\
                [[detection.services]]\nservice = \"10.20.0.9:443\"\napplication = \"reports\"\napproval = \"2026-17\"\n\
                owner = \"li.wei\"\nscope = [\"10.0.0.0/8\"]\nexpires = \"2027-01-31\"\n\
                [[detection.services]]\nservice = \"udp [fd00::9]:53\"\n";
    let settings = parse(text).unwrap().site.detection;
    let [reports, names] = &settings.services[..] else { panic!("{:?}", settings.services) };
    assert_eq!((reports.protocol, reports.port, reports.owner.as_str(), reports.scope.len()), (6, 443, "li.wei", 1));
    assert_eq!(reports.expires.unwrap().to_string(), "2027-01-30T16:00:00.000Z");
    assert_eq!((names.protocol, names.host.to_string(), names.expires), (17, "fd00::9".into(), None));
    assert_eq!((settings.equipment.len(), settings.feeds.len(), settings.published.len()), (1, 1, 1));
    let told = refusal(
        "[detection]\nfeeds = [\"10.1.0.5\"]\n[[detection.services]]\nservice = \"sctp 10.20.0.9:443\"\n\
         [[detection.services]]\nexpires = \"soon\"\n",
    );
    for expected in [
        "detection.feeds[1]: \"10.1.0.5\" is not an address with a port",
        "\"sctp 10.20.0.9:443\" is no service",
        "detection.services[2].service: is missing",
        "\"soon\" is no day",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn what_is_wrong_about_findings_is_told_with_its_remedy() {
    let text = "[detection]\nplan = [\"10.20.0.0/16\", \"10.20\"]\ndark = [\"10.30.0.0/24\"]\nforbidden_vlans = [0]\noff = [\"scan\"]\n\
                port_scan_ports = 1\nport_scan_port = 30\n[[detection.areas]]\nsweep_hosts = 200\n";
    let told = refusal(text);
    for expected in [
        "line 2, column 25: detection.plan[2]: \"10.20\" is not a prefix",
        "detection.dark: 10.30.0.0/24 is not within plan",
        "detection.forbidden_vlans[1]: is out of range",
        "\"scan\" is no detector",
        "detection.port_scan_ports: 1 is out of range",
        "detection.port_scan_port: is not known",
        "detection.areas[1].prefixes: is missing",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn a_configuration_from_the_centre_may_not_touch_the_agents_own_part_nor_read_its_files() {
    let text = std::fs::read_to_string(testdata("pushed.toml")).unwrap();
    let refused = SiteConfig::parse(&text, "revision 7 of the centre", &NamedCredentials::default()).unwrap_err();
    assert_golden("pushed.txt", &(refused.to_string() + "\n"));
}

#[test]
fn a_configuration_from_the_centre_may_use_credentials_that_the_agent_holds() {
    let own = parse("[credentials.switches]\ncommunity = \"x\"\n").unwrap();
    let pushed = "[[devices]]\nname = \"a\"\naddress = \"192.0.2.1\"\ncredentials = \"switches\"\n";
    let site = SiteConfig::parse(pushed, "revision 1", &own.credentials).unwrap();
    assert_eq!(site.devices.len(), 1);
}

#[test]
fn the_sample_loads_and_its_commented_keys_show_the_defaults() {
    let sample = include_str!("../../../../deploy/agent.toml");
    let config = parse(sample).unwrap();
    assert_eq!(config.site.devices.len(), 2);
    assert_eq!(config.site.devices[1].intervals.interfaces, Duration::from_secs(30));

    let uncommented: String = sample
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.contains(" = ") && key.starts_with(|c: char| c.is_ascii_lowercase()) => key,
            _ => line,
        })
        .filter(|line| !line.contains("context = \"\""))
        .collect::<Vec<_>>()
        .join("\n");
    let explicit = parse(&uncommented).unwrap();
    assert_eq!(explicit.spool, config.spool);
    assert_eq!(explicit.flow_log, config.flow_log);
    assert_eq!(explicit.site.detection, config.site.detection);
    assert_eq!(explicit.status, config.status);
    assert_eq!(explicit.data_dir, config.data_dir);
    assert_eq!(explicit.centre.rollback_after, config.centre.rollback_after);
    assert_eq!(explicit.site.devices[0].intervals, config.site.devices[0].intervals);
    assert_eq!((explicit.reflector.listen, explicit.site.probes.len()), (None, 3));
    assert_eq!(explicit.reflector.config.packets_per_s, onenet_probe::ReflectorConfig::default().packets_per_s);
    let capture = CaptureConfig { local_prefixes: Vec::new(), ..explicit.site.capture };
    assert_eq!(capture, config.site.capture);
}

#[test]
fn an_empty_text_is_an_agent_that_watches_nothing() {
    let config = parse("").unwrap();
    assert_eq!(config.site.capture.interfaces, Interfaces::None);
    assert!(config.site.devices.is_empty() && config.centre.address.is_none());
}

#[test]
fn secrets_come_from_files_and_variables_and_are_never_printed() {
    let environment = Fake {
        variables: HashMap::from([("COMMUNITY", "s3cret-b")]),
        files: HashMap::from([("/etc/community", "s3cret-c\n")]),
    };
    let text = "
        [[devices]]
        name = \"a\"
        address = \"192.0.2.1\"
        community_env = \"COMMUNITY\"
        [[devices]]
        name = \"b\"
        address = \"2001:db8::1\"
        community_file = \"/etc/community\"";
    let config = Config::parse(text, "agent.toml", &environment).unwrap();
    let printed = format!("{config:?}");
    assert!(!printed.contains("s3cret") && printed.contains("redacted"), "{printed}");
    assert_eq!(config.site.devices[1].target, "[2001:db8::1]:161".parse().unwrap());
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let error = Config::load(Path::new("/nonexistent/agent.toml")).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/agent.toml") && error.contains("--config"), "{error}");
}

#[test]
fn an_address_of_a_centre_has_a_host_and_a_port() {
    for good in ["centre.example:7443", "192.0.2.1:1", "[2001:db8::1]:7443"] {
        assert!(agent::is_host_and_port(good), "{good}");
    }
    for bad in ["centre.example", ":7443", "centre:0", "centre:70000", "2001:db8::1:7443", "https://centre:7443"] {
        assert!(!agent::is_host_and_port(bad), "{bad}");
    }
}

#[test]
fn what_a_chinese_input_method_writes_is_told_as_that() {
    for (text, found) in
        [("[centre]\naddress = “10.0.0.1:7443”\n", "“"), ("[centre]\naddress = \"10.0.0.1：7443\"\n", "：")]
    {
        let told = refusal(text);
        assert!(
            told.contains("line 2") && told.contains(&format!("{found} is full-width: switch the input method")),
            "{told}"
        );
        assert!(!told.contains("double quotes"), "he wrote quotes: {told}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    std::fs::write(&file, b"# \xcf\xd8\n").unwrap();
    let told = Config::load(&file).unwrap_err().to_string();
    assert!(told.contains("save it as UTF-8") && !told.contains("--config"), "{told}");
    let told = Config::load(&folder.path().join("absent.toml")).unwrap_err().to_string();
    assert!(told.contains("absent.toml") && told.contains("--config"), "{told}");
}
