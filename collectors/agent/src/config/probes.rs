//! `[reflector]`, `[probing]` and `[[probes]]`: who may measure us, and what we measure.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use onenet_config::{Found, Section};
use onenet_probe::{Key, Plan, ReflectorConfig, Service, Target, Thresholds, WINDOW, throughput::KBIT_MOST};
use onenet_topology::{ProbeKind, ProbeRole};

use super::{
    credentials::{SecretKeys, secret_text},
    services,
};

/// The most probes of one agent: a province has some 120 children, a ministry 35.
const PROBES_MAX: usize = 512;

/// The longest name and target, in bytes.
const NAME_MAX: usize = 64;
const TARGET_MAX: usize = 200;

/// What a test of throughput may send where nobody says: what a county's line of 4 Mbit/s has beside its business.
const THROUGHPUT_MAX_KBIT: u32 = 2_000;

/// The name of the probe that nobody has to write.
pub(crate) const GATEWAY: &str = "gateway";

const KEY: SecretKeys = SecretKeys { inline: "key", file: "key_file", variable: "key_env" };

/// The agent's own part: whether it answers others' test packets, and the key of those that it answers and sends.
#[derive(Debug, Clone, Default)]
pub struct ReflectorSettings {
    /// Where it answers; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// How much, and whom.
    pub config: ReflectorConfig,
}

/// A probe, before it has its key.
#[derive(Debug, Clone)]
pub struct ProbeConfig {
    /// What is asked. Its key is the agent's own, and is put in when it is used.
    pub plan: Plan,
    /// Whether test packets are signed.
    pub signed: bool,
    /// How often a media test is carried out over this way; `None`: when the centre asks.
    pub media: Option<Duration>,
}

/// Reads `[reflector]`.
pub(super) fn reflector(mut section: Section<'_>) -> ReflectorSettings {
    let defaults = ReflectorConfig::default();
    let listen = section.text("listen").and_then(|found| {
        let parsed = found.value.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
        if parsed.is_none() {
            let what = format!("{:?} is not an address with a port", found.value);
            section.log.note(&found.place, what, "write one such as \"0.0.0.0:862\" or \"[::]:862\"");
        }
        parsed
    });
    let key = secret_text(&mut section, &KEY).and_then(|text| {
        let key = Key::new(text.as_bytes());
        key.map_err(|error| section.note("key", error, "write 16 random characters or more, the same at both ends"))
            .ok()
    });
    let unauthenticated = section.boolean("unauthenticated").is_some_and(|found| found.value);
    let rate = section.number("packets_per_s", 1..=10_000, "packets a second of one address");
    let total = section.number("packets_per_s_total", 1..=100_000, "packets a second");
    let has_key = [KEY.inline, KEY.file, KEY.variable].iter().any(|key| section.has(key));
    if listen.is_some() && !has_key && !unauthenticated {
        let remedy =
            "give key_file = \"…\" (or key, key_env), or unauthenticated = true if anybody may measure this site";
        section.note("listen", "has no key beside it", remedy);
    }
    let places =
        |found: Option<Found<u64>>, default| found.and_then(|it| u32::try_from(it.value).ok()).unwrap_or(default);
    let config = ReflectorConfig {
        key,
        packets_per_s: places(rate, defaults.packets_per_s),
        packets_per_s_total: places(total, defaults.packets_per_s_total),
    };
    section.finish();
    ReflectorSettings { listen, config }
}

/// Reads `[probing]` and `[[probes]]`. Returns what is probed, and what a test of throughput may send.
pub(super) fn all(root: &mut Section<'_>) -> (Vec<Arc<ProbeConfig>>, u32) {
    let mut probing = root.section("probing");
    let gateway = probing.boolean("gateway").is_none_or(|found| found.value);
    let most = probing.number("throughput_max_kbit", 0..=KBIT_MOST.into(), "kbit/s");
    let most = most.and_then(|found| u32::try_from(found.value).ok()).unwrap_or(THROUGHPUT_MAX_KBIT);
    probing.finish();
    let mut sections = root.sections("probes");
    if sections.len() > PROBES_MAX {
        let what = format!("lists {} probes", sections.len());
        root.note("probes", what, format_args!("at most {PROBES_MAX} fit one agent"));
        sections.truncate(PROBES_MAX);
    }
    let mut probes: Vec<Arc<ProbeConfig>> = Vec::new();
    for section in sections {
        let (log, place) = (section.log, section.place());
        let Some(probe) = probe(section) else { continue };
        if probes.iter().any(|other| other.plan.name == probe.plan.name) {
            log.note(&place, format_args!("{:?} is the name of two probes", probe.plan.name), "rename one");
        }
        probes.push(Arc::new(probe));
    }
    let is_there = |probe: &Arc<ProbeConfig>| probe.plan.target == Target::Gateway || probe.plan.name == GATEWAY;
    if gateway && !probes.iter().any(is_there) {
        probes.insert(0, Arc::new(of_gateway()));
    }
    (probes, most)
}

/// Returns the probe of the default gateway.
fn of_gateway() -> ProbeConfig {
    let (interval, timeout) = Plan::pace(ProbeKind::Icmp);
    let plan = Plan {
        name: GATEWAY.to_owned(),
        target: Target::Gateway,
        kind: ProbeKind::Icmp,
        role: ProbeRole::Gateway,
        site: String::new(),
        interval,
        timeout,
        window: WINDOW,
        thresholds: Thresholds::default(),
        key: None,
        service: Service::default(),
    };
    ProbeConfig { plan, signed: false, media: None }
}

fn probe(mut section: Section<'_>) -> Option<ProbeConfig> {
    let name = name(&mut section);
    let kind = word(&mut section, "kind", ProbeKind::of, &ProbeKind::ALL.map(ProbeKind::name));
    let kind = kind.unwrap_or(ProbeKind::Icmp);
    let role = word(&mut section, "role", ProbeRole::of, &ProbeRole::ALL.map(ProbeRole::name));
    let target = target(&mut section, kind);
    let site = section.text("site").map(|found| found.value.to_owned()).unwrap_or_default();
    let (interval, timeout) = Plan::pace(kind);
    let least = if kind.is_service() { 1_000 } else { 200 };
    let interval = milliseconds(&mut section, "interval_ms", least..=3_600_000).unwrap_or(interval);
    let timeout = milliseconds(&mut section, "timeout_ms", 100..=30_000).unwrap_or(timeout);
    let thresholds = thresholds(&mut section, kind);
    let unauthenticated = section.boolean("unauthenticated").is_some_and(|found| found.value);
    let service = services::service(&mut section, kind);
    let media = media(&mut section, kind);
    section.finish();
    let target = target?;
    let default = if target == Target::Gateway { ProbeRole::Gateway } else { ProbeRole::Named };
    let plan = Plan {
        name: name?,
        target,
        kind,
        role: role.unwrap_or(default),
        site,
        interval,
        timeout,
        window: WINDOW,
        thresholds,
        key: None,
        service,
    };
    Some(ProbeConfig { plan, signed: kind == ProbeKind::Stamp && !unauthenticated, media })
}

/// Reads how often a media test is carried out.
fn media(section: &mut Section<'_>, kind: ProbeKind) -> Option<Duration> {
    let found = section.number("media_s", 60..=86_400, "seconds")?;
    if kind != ProbeKind::Stamp {
        let what = format!("a {} probe has no reflector at its other end", kind.name());
        section.log.note(&found.place, what, "leave it out, or write kind = \"stamp\"");
    }
    Some(Duration::from_secs(found.value))
}

fn name(section: &mut Section<'_>) -> Option<String> {
    let found = section.required_text("name", "give the name that reports call it by")?;
    let good = !found.value.is_empty() && found.value.len() <= NAME_MAX && !found.value.contains(char::is_control);
    if !good {
        let what = format!("{:?} cannot be a name", found.value);
        section.log.note(&found.place, what, format_args!("write 1 to {NAME_MAX} bytes without control characters"));
    }
    good.then(|| found.value.to_owned())
}

fn target(section: &mut Section<'_>, kind: ProbeKind) -> Option<Target> {
    let remedy = "give an address or a name, with a port where it is not the usual one, or \"gateway\"";
    let found = section.required_text("target", remedy)?;
    if found.value == GATEWAY && !kind.is_service() && kind != ProbeKind::Stamp {
        return Some(Target::Gateway);
    }
    let Some(target) = host_and_port(found.value) else {
        let what = format!("{:?} is no target", found.value);
        let remedy =
            "write an address or a name such as \"10.1.0.1\", \"mail.example\", \"10.1.0.1:8443\" or \"[fd00::1]:443\"";
        section.log.note(&found.place, what, remedy);
        return None;
    };
    if kind == ProbeKind::Tcp && matches!(target, Target::Host { port: None, .. }) {
        let what = format!("{:?} has no port", found.value);
        section.log.note(&found.place, what, "write it behind the address, as in \"10.1.0.1:1521\"");
        return None;
    }
    Some(target)
}

/// Reads a host with or without a port.
fn host_and_port(text: &str) -> Option<Target> {
    if text.len() > TARGET_MAX {
        return None;
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return (address.port() != 0)
            .then(|| Target::Host { host: address.ip().to_string(), port: Some(address.port()) });
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Some(Target::Host { host: text.to_owned(), port: None });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok().filter(|port| *port != 0)?)),
        None => (text, None),
    };
    let good = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    good.then(|| Target::Host { host: host.to_owned(), port })
}

fn thresholds(section: &mut Section<'_>, kind: ProbeKind) -> Thresholds {
    let defaults = Thresholds::of(kind);
    let mut small = |key, default| {
        let found = section.number(key, 1..=1_000, "");
        found.and_then(|found| u32::try_from(found.value).ok()).unwrap_or(default)
    };
    let (down_after, up_after) = (small("down_after", defaults.down_after), small("up_after", defaults.up_after));
    let certificate_days = small("certificate_days", defaults.certificate_days);
    let loss = section.number("degraded_loss_percent", 1..=100, "percent");
    let round_trip = milliseconds(section, "degraded_round_trip_ms", 1..=60_000);
    Thresholds {
        down_after,
        up_after,
        loss_milli: loss.map_or(defaults.loss_milli, |found| found.value * 10),
        round_trip: round_trip.unwrap_or(defaults.round_trip),
        certificate_days,
    }
}

fn milliseconds(
    section: &mut Section<'_>,
    key: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Option<Duration> {
    section.number(key, range, "milliseconds").map(|found| Duration::from_millis(found.value))
}

/// Reads one of a few words.
fn word<T>(section: &mut Section<'_>, key: &'static str, of: impl Fn(&str) -> Option<T>, words: &[&str]) -> Option<T> {
    let found = section.text(key)?;
    let known = of(found.value);
    if known.is_none() {
        let what = format!("{:?} is not known", found.value);
        section.log.note(&found.place, what, format_args!("write one of {}", words.join(", ")));
    }
    known
}

/// Notes signed probes for which there is no key: those of the agent's own file.
pub(super) fn check_keys(root: &Section<'_>, probes: &[Arc<ProbeConfig>], reflector: &ReflectorSettings) {
    if reflector.config.key.is_none()
        && let Some(probe) = probes.iter().find(|probe| probe.signed)
    {
        let what = format!("{:?} sends signed test packets, and there is no key", probe.plan.name);
        root.note("probes", what, "give [reflector] key_file = \"…\", or write unauthenticated = true at the probe");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ProcessEnvironment};

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, "agent.toml", &ProcessEnvironment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_gateway_is_probed_unless_somebody_says_otherwise_and_nothing_is_reflected() {
        let config = parse("").unwrap();
        let names: Vec<&str> = config.site.probes.iter().map(|probe| probe.plan.name.as_str()).collect();
        assert_eq!((names, config.reflector.listen), (vec![GATEWAY], None));
        assert!(parse("[probing]\ngateway = false\n").unwrap().site.probes.is_empty());
        let own = "[[probes]]\nname = \"router\"\ntarget = \"gateway\"\ninterval_ms = 500\n";
        let probes = parse(own).unwrap().site.probes;
        assert_eq!((probes.len(), probes[0].plan.role), (1, ProbeRole::Gateway));
    }

    #[test]
    fn a_probe_is_what_it_says_with_the_defaults_of_its_kind() {
        let text = "[reflector]\nlisten = \"[::]:862\"\nkey = \"sixteen or more!\"\n[probing]\ngateway = false\n\
                    [[probes]]\nname = \"up\"\nkind = \"stamp\"\nrole = \"parent\"\nsite = \"510000\"\ntarget = \"[fd00::1]:8620\"\n\
                    degraded_loss_percent = 3\n[[probes]]\nname = \"mail\"\nkind = \"tcp\"\ntarget = \"mail.example:25\"\n";
        let config = parse(text).unwrap();
        let [up, mail] = config.site.probes.as_slice() else { panic!("two probes") };
        assert!(up.signed && !mail.signed && config.reflector.config.key.is_some());
        assert_eq!(up.plan.target, Target::Host { host: "fd00::1".into(), port: Some(8620) });
        assert_eq!((up.plan.thresholds.loss_milli, up.plan.interval), (30, Duration::from_secs(1)));
        assert_eq!((mail.plan.role, mail.plan.interval), (ProbeRole::Named, Duration::from_secs(30)));
    }

    #[test]
    fn what_cannot_be_probed_or_reflected_is_told_with_its_remedy() {
        for (text, said) in [
            ("[reflector]\nlisten = \"0.0.0.0:862\"\n", "unauthenticated = true"),
            ("[reflector]\nlisten = \"862\"\n", "0.0.0.0:862"),
            ("[reflector]\nkey = \"short\"\n", "16 random characters"),
            ("[[probes]]\nname = \"up\"\nkind = \"stamp\"\ntarget = \"10.0.0.1\"\n", "there is no key"),
            ("[[probes]]\nname = \"up\"\nkind = \"pigeon\"\ntarget = \"10.0.0.1\"\n", "write one of icmp, stamp"),
            ("[[probes]]\nname = \"up\"\ntarget = \"10.0.0.1\"\nmedia_s = 900\n", "kind = \"stamp\""),
            ("[probing]\nthroughput_max_kbit = 50000\n", "0 to 20000 kbit/s"),
            ("[[probes]]\nname = \"web\"\nkind = \"http\"\ntarget = \"a\"\nca_file = \"x\"\n", "ca_file"),
            ("[[probes]]\nname = \"web\"\nkind = \"https\"\ntarget = \"a\"\nca = \"x\"\n", "holds no certificate"),
            ("[[probes]]\nname = \"web\"\nkind = \"https\"\ntarget = \"a\"\npath = \"a b\"\n", "begin with a slash"),
            ("[[probes]]\nname = \"names\"\nkind = \"dns\"\ntarget = \"a\"\n", "the name that the server is asked for"),
            ("[[probes]]\nname = \"names\"\nkind = \"dns\"\ntarget = \"a\"\nlookup = \"a..b\"\n", "portal.example"),
            ("[[probes]]\nname = \"pbx\"\nkind = \"sip\"\ntarget = \"a\"\nuser = \"a@b\"\n", "before the @"),
            ("[[probes]]\nname = \"db\"\nkind = \"tcp\"\ntarget = \"10.0.0.1\"\n", "has no port"),
            ("[[probes]]\nname = \"up\"\ntarget = \"no spaces\"\n", "is no target"),
            ("[[probes]]\nname = \"up\"\ntarget = \"a\"\n[[probes]]\nname = \"up\"\ntarget = \"b\"\n", "two probes"),
            ("[[probes]]\nname = \"up\"\ntarget = \"a\"\ninterval_ms = 10\n", "200 to 3600000 milliseconds"),
            ("[[probes]]\nname = \"up\"\ntarget = \"a\"\ncolour = 1\n", "colour"),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
    }
}
