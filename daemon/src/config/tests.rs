use super::*;

fn problems(text: &str) -> String {
    Config::parse(text, "onenetd.toml").unwrap_err().to_string()
}

#[test]
fn an_upside_down_file_is_answered_with_everything_that_is_wrong_and_how_to_repair_it() {
    let text = include_str!("../../testdata/config/upside-down.toml");
    let golden = include_str!("../../testdata/config/upside-down.txt");
    assert_eq!(problems(text), golden.trim_end());
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let said = problems("[api]\nlisten = 127.0.0.1:8443\n");
    assert!(said.starts_with("onenetd.toml, line 2, column "), "{said}");
    assert!(said.contains("not TOML"), "{said}");
    assert!(said.contains("double quotes"), "{said}");
}

#[test]
fn an_empty_file_is_the_defaults_and_keeps_people_on_loopback() {
    let config = Config::parse("", "onenetd.toml").unwrap();
    assert_eq!(config, Config::default());
    assert!(config.api.listen.ip().is_loopback());
    assert_eq!(config.store.audit, 190 * DAY);
}

#[test]
fn the_sample_file_loads_and_shows_the_defaults() {
    let sample = include_str!("../../../deploy/onenetd.toml");
    assert_eq!(Config::parse(sample, "deploy/onenetd.toml").unwrap(), Config::default());
    // Each commented key stands for its default: without the marks the file means the same, but for these two.
    let uncommented: String = sample
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.split(' ').nth(1) == Some("=")).unwrap_or(line))
        .filter(|line| !line.starts_with("certificate") && !line.starts_with("key") && !line.starts_with("names"))
        .filter(|line| !["url", "token_file", "authority"].iter().any(|key| line.starts_with(key)))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_eq!(Config::parse(&uncommented, "deploy/onenetd.toml").unwrap(), Config::default());
}

#[test]
fn plain_http_off_loopback_has_to_be_asked_for_twice() {
    let plain = "[api]\nlisten = \"0.0.0.0:8080\"\nplain_http = true\n";
    assert!(problems(plain).contains("plain_http_anywhere"));
    let config = Config::parse(&format!("{plain}plain_http_anywhere = true\n"), "onenetd.toml").unwrap();
    assert_eq!(config.api.transport, Transport::Plain);
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let error = Config::load(Path::new("/nowhere/onenetd.toml")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/onenetd.toml") && error.contains("--config"), "{error}");
}

#[test]
fn remote_write_wants_a_whole_address_and_sends_no_token_in_clear_text() {
    let of = |text: &str| Config::parse(&format!("[remote_write]\n{text}"), "onenetd.toml");
    let config = of("url = \"http://127.0.0.1:9090/api/v1/write\"\ntoken_file = \"/etc/onenet/token\"\n").unwrap();
    let remote_write = config.remote_write.unwrap();
    assert_eq!((remote_write.url.path(), remote_write.queue_batches), ("/api/v1/write", 1_000_000));
    let wrong = [
        ("url = \"127.0.0.1:9090\"", "cannot be used"),
        ("url = \"http://user:word@centre.example/\"", "cannot be used"),
        ("url = \"http://prometheus.example/\"\ntoken_file = \"/etc/onenet/token\"", "clear text"),
        ("authority = \"/etc/onenet/ca.pem\"", "is missing"),
        ("url = \"https://prometheus.example/\"\nqueue_batches = 1", "out of range"),
    ];
    for (text, said) in wrong {
        let problem = of(text).unwrap_err().to_string();
        assert!(problem.contains("remote_write.") && problem.contains(said), "{text}: {problem}");
    }
}

#[test]
fn a_word_that_is_no_level_is_no_filter_since_it_would_silence_everything() {
    for good in ["info", "WARN", "info,onenetd::api=debug", "onenetd=trace"] {
        let config = Config::parse(&format!("[log]\nfilter = \"{good}\"\n"), "onenetd.toml").unwrap();
        assert_eq!(config.log.filter, good);
    }
    for bad in ["verbose", "info,verbose", "onenetd=loud"] {
        let said = problems(&format!("[log]\nfilter = \"{bad}\"\n"));
        assert!(said.contains("line 2") && said.contains("write error, warn, info"), "{bad}: {said}");
    }
}

#[test]
fn channels_are_read_with_their_routes_and_hold_no_secret() {
    let of = |text: &str| Config::parse(text, "onenetd.toml");
    let config =
        of("[[notify]]\nname = \"siem\"\nkind = \"syslog\"\naddress = \"192.0.2.7:514\"\ntransport = \"tcp\"\nformat = \"cef\"\n\
                     [[notify]]\nname = \"chat\"\nkind = \"wecom\"\nurl_file = \"/etc/robot\"\nlanguage = \"en\"\n\
                     what = [\"case_escalated\"]\ngrades = [\"major\"]\nareas = [\"130000\"]\ndrills = false")
        .unwrap();
    let sample = include_str!("../../../deploy/onenetd.toml").lines().filter_map(|line| line.strip_prefix("#   "));
    let sample = sample.skip_while(|line| *line != "[[notify]]");
    let sample = of(&sample.fold(String::new(), |text, line| text + line + "\n")).unwrap();
    assert_eq!(sample.notify.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["security", "siem", "duty"]);
    let tells = |text: &str| {
        let config = of(text).unwrap();
        config.notify.into_iter().map(|it| matches!(it.way, Way::Mail(way) if way.contacts)).collect::<Vec<_>>()
    };
    let mail = |name: &str, more: &str| {
        format!("[[notify]]\nname = \"{name}\"\nkind = \"mail\"\nfrom = \"a@b.example\"\n{more}\n")
    };
    let to = "to = [\"a@b.example\"]";
    assert_eq!(tells(&(mail("a", to) + &mail("b", to))), [true, false], "by itself the first");
    assert_eq!(tells(&(mail("a", to) + &mail("b", "contacts = true"))), [false, true]);
    assert_eq!(tells(&mail("a", &format!("{to}\ncontacts = false"))), [false]);
    let [siem, chat] = &config.notify[..] else { panic!("{:?}", config.notify) };
    assert_eq!(siem.way, Way::Syslog { address: "192.0.2.7:514".into(), tcp: true, cef: true });
    assert!(siem.route.drills && siem.route.what.iter().all(|it| it.is_usual()));
    assert_eq!((chat.route.what.len(), chat.route.grades.len(), chat.route.drills), (1, 1, false));
    for (text, said) in [
        ("kind = \"wecom\"\nurl_file = \"/x\"", "name"),
        ("name = \"a\"\nkind = \"pigeon\"", "write webhook"),
        ("name = \"a\"\nkind = \"dingtalk\"\nurl = \"https://robot.example/?access_token=1\"", "is a secret"),
        ("name = \"a\"\nkind = \"webhook\"", "url, url_file and url_env"),
        ("name = \"a\"\nkind = \"wecom\"\nurl_file = \"/x\"\nurl_env = \"ROBOT\"", "contradicts url_file"),
        ("name = \"a\"\nkind = \"wecom\"\nurl_env = \"NO-NAME\"", "name of a variable"),
        ("name = \"a\"\nkind = \"mail\"\nto = [\"a@b.example\"]", "from"),
        ("name = \"a\"\nkind = \"mail\"\nfrom = \"a@b.example\"\nto = [\"-oQ/tmp@b.example\"]", "write an address"),
        ("name = \"a\"\nkind = \"mail\"\nfrom = \"a b@c.example\"\nto = [\"a@b.example\"]", "write an address"),
        (
            "name = \"a\"\nkind = \"mail\"\nfrom = \"a@b.example\"\ncontacts = true\n[[notify]]\nname = \"b\"\nkind = \"mail\"\n\
             from = \"a@b.example\"\ncontacts = true",
            "true of two channels",
        ),
        ("name = \"a\"\nkind = \"webhook\"\nurl = \"http://192.0.2.1/\"\ntoken_file = \"/x\"", "clear text"),
        ("name = \"a\"\nkind = \"syslog\"\naddress = \"192.0.2.7\"", "host and port"),
        ("name = \"a\"\nkind = \"syslog\"\naddress = \"h:1\"\nwhat = [\"all\"]", "case_opened"),
        (
            "name = \"a\"\nkind = \"syslog\"\naddress = \"h:1\"\n[[notify]]\nname = \"a\"\nkind = \"syslog\"\naddress = \"h:2\"",
            "two channels",
        ),
    ] {
        let problem = of(&format!("[[notify]]\n{text}")).unwrap_err().to_string();
        assert!(problem.contains(said), "{text}: {problem}");
    }
}

#[test]
fn by_when_things_are_due_is_read_by_grade_and_what_is_graver_is_never_due_later() {
    let of = |text: &str| Config::parse(&format!("[cases]\n{text}\n"), "onenetd.toml");
    let cases = of("acknowledge_min = [60, 30, 30, 5]").unwrap().cases;
    assert_eq!(cases.acknowledge, [3_600_000, 1_800_000, 1_800_000, 300_000]);
    assert_eq!(cases.answer, onenet_topology::case::Deadlines::default().answer);
    for wrong in ["[60, 30, 30]", "[60, 30, 40, 5]", "[60, 30, 30, 0]", "[\"60\", 30, 30, 5]", "[999999999, 30, 30, 5]"]
    {
        let problem = of(&format!("acknowledge_min = {wrong}")).unwrap_err().to_string();
        assert!(
            problem.contains("cases.acknowledge_min") && problem.contains("four whole numbers"),
            "{wrong}: {problem}"
        );
    }
}
