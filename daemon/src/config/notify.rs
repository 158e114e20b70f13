//! `[[notify]]`: who outside is told what happened, and how.
//!
//! Invariant: secrets stand in files of their own and never in the configuration: also the addresses of chat robots, which are secrets.

use std::{collections::BTreeSet, path::PathBuf};

use hyper::Uri;
use onenet_config::Section;
use onenet_topology::incident::Severity;

use super::{converted, flag, is_here, receiver};
use crate::{console::Language, outbox::What};

/// Channels that there can be.
const CHANNELS_MAX: usize = 32;
/// Characters that the name of a channel can have.
const NAME_MAX: usize = 40;

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Its name, in metrics and in what is kept of messages.
    pub name: String,
    /// The language of what it says.
    pub language: Language,
    /// What it is told of.
    pub route: Route,
    /// How it is reached.
    pub way: Way,
}

/// What a channel is told of: whatever all of this is true of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What happened.
    pub what: Vec<What>,
    /// How grave it is.
    pub grades: Vec<Severity>,
    /// Where: codes of divisions, with all below them, and names of areas; everywhere where none is given.
    pub areas: Vec<String>,
    /// Whether drills are told of.
    pub drills: bool,
}

/// How a channel is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A program that takes JSON.
    Webhook(HttpWay),
    /// A robot of DingTalk.
    DingTalk(HttpWay),
    /// A robot of WeCom.
    WeCom(HttpWay),
    /// A receiver of syslog (RFC 5424).
    Syslog {
        /// Host and port.
        address: String,
        /// Whether it is reached by TCP (RFC 6587), and not by UDP (RFC 5426).
        tcp: bool,
    },
}

/// A receiver of HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpWay {
    /// Its address, where that is no secret.
    pub url: Option<Uri>,
    /// A file with its address, where that is one.
    pub url_file: Option<PathBuf>,
    /// A file with the token that it wants.
    pub token_file: Option<PathBuf>,
    /// A file with the secret that messages are signed with.
    pub secret_file: Option<PathBuf>,
    /// The authorities that its certificate may be of, PEM; the system's where none is given.
    pub authority: Option<PathBuf>,
}

impl Default for Route {
    fn default() -> Self {
        let what = What::ALL.into_iter().filter(|it| it.is_of_case()).collect();
        Self { what, grades: Severity::ALL.to_vec(), areas: Vec::new(), drills: true }
    }
}

/// Reads all channels.
pub(super) fn channels(sections: Vec<Section<'_>>) -> Vec<ChannelConfig> {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for mut section in sections {
        if let Some(channel) = channel(&mut section) {
            if !names.insert(channel.name.clone()) {
                section.note(
                    "name",
                    format_args!("{:?} is the name of two channels", channel.name),
                    "name one otherwise",
                );
            } else if names.len() > CHANNELS_MAX {
                section.note("name", format_args!("is one of more than {CHANNELS_MAX} channels"), "leave some out");
            }
            found.push(channel);
        }
        section.finish();
    }
    found
}

fn channel(section: &mut Section<'_>) -> Option<ChannelConfig> {
    let is_of_name = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
    let is_name = |text: &str| (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(is_of_name);
    let remedy = "write letters, digits, - or _, such as \"security\"";
    if !section.has("name") {
        section.note("name", "is missing", remedy);
    }
    let name = converted(section, "name", remedy, |text| is_name(text).then(|| text.to_owned()));
    let language = converted(section, "language", "write \"zh\" or \"en\"", Language::from_tag);
    let route = route(section);
    let way = way(section);
    Some(ChannelConfig { name: name?, language: language.unwrap_or(Language::Zh), route, way: way? })
}

fn route(section: &mut Section<'_>) -> Route {
    let defaults = Route::default();
    let what = words(section, "what", &What::ALL, |it| it.name()).unwrap_or(defaults.what);
    let grades = words(section, "grades", &Severity::ALL, |it| it.name()).unwrap_or(defaults.grades);
    let areas = section.texts("areas").unwrap_or_default();
    let areas = areas.into_iter().map(|it| it.value.to_owned()).collect();
    let drills = !section.has("drills") || flag(section, "drills");
    Route { what, grades, areas, drills }
}

/// Reads a list of words that stand for values.
fn words<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    all: &[T],
    of: impl Fn(&T) -> &'static str,
) -> Option<Vec<T>> {
    let known: Vec<&str> = all.iter().map(&of).collect();
    let mut found = Vec::new();
    for word in section.texts(key)? {
        if let Some(it) = all.iter().find(|it| of(it) == word.value) {
            found.push(*it);
        } else {
            let remedy = format!("write some of {}", known.join(", "));
            section.log.note(&word.place, format_args!("{:?} cannot be used", word.value), remedy);
        }
    }
    Some(found)
}

fn way(section: &mut Section<'_>) -> Option<Way> {
    const KINDS: &str = "write webhook, dingtalk, wecom or syslog";
    let Some(kind) = section.text("kind") else {
        section.note("kind", "is missing", KINDS);
        return None;
    };
    match kind.value {
        "webhook" => http(section, false).map(Way::Webhook),
        "dingtalk" => http(section, true).map(Way::DingTalk),
        "wecom" => http(section, true).map(Way::WeCom),
        "syslog" => syslog(section),
        other => {
            section.log.note(&kind.place, format_args!("{other:?} cannot be used"), KINDS);
            None
        }
    }
}

fn http(section: &mut Section<'_>, is_robot: bool) -> Option<HttpWay> {
    let has_url = section.has("url");
    let remedy = "write where it is, such as \"https://hook.example/onenet\"";
    let url = converted(section, "url", remedy, receiver);
    let file = |section: &mut Section<'_>, key| section.text(key).map(|it| PathBuf::from(it.value));
    let way = HttpWay {
        url,
        url_file: file(section, "url_file"),
        token_file: file(section, "token_file"),
        secret_file: file(section, "secret_file"),
        authority: file(section, "authority"),
    };
    if is_robot && has_url {
        section.note("url", "of a robot is a secret", "put it into a file of its own, and name that as url_file");
    } else if has_url == way.url_file.is_some() {
        section.note("url", "is wanted once", "give either url or url_file");
    }
    let in_clear = way.url.as_ref().is_some_and(|url| url.scheme_str() == Some("http") && !is_here(url));
    if way.token_file.is_some() && in_clear {
        section.note("token_file", "would be sent in clear text", "write https:// in url, or leave the token out");
    }
    (way.url.is_some() || way.url_file.is_some()).then_some(way)
}

fn syslog(section: &mut Section<'_>) -> Option<Way> {
    let remedy = "write host and port, such as \"192.0.2.7:514\"";
    let is_address = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)).then(|| text.to_owned())
    };
    if !section.has("address") {
        section.note("address", "is missing", remedy);
    }
    let address = converted(section, "address", remedy, is_address);
    let is_tcp = |text: &str| match text {
        "udp" => Some(false),
        "tcp" => Some(true),
        _ => None,
    };
    let tcp = converted(section, "transport", "write \"udp\" or \"tcp\"", is_tcp).unwrap_or_default();
    address.map(|address| Way::Syslog { address, tcp })
}
