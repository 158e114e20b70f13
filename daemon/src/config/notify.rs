//! `[[notify]]`: who outside is told what happened, and how.
//!
//! Invariant: secrets stand in files of their own or in the environment, and never in the configuration: also the addresses of chat
//! robots, which are secrets.

use std::{collections::BTreeSet, path::PathBuf};

use hyper::Uri;
use onenet_config::Section;
use onenet_topology::{contact::is_mail_address, incident::Severity};

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
    /// People, by this machine's mail program.
    Mail(MailWay),
    /// A receiver of syslog (RFC 5424).
    Syslog {
        /// Host and port.
        address: String,
        /// Whether it is reached by TCP (RFC 6587), and not by UDP (RFC 5426).
        tcp: bool,
        /// Whether it wants the words of a line as CEF, and not as people read them.
        cef: bool,
    },
}

/// A receiver of HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpWay {
    /// Its address, where that is no secret.
    pub url: Option<Uri>,
    /// Its address, where that is one.
    pub secret_url: Option<Secret>,
    /// The token that it wants.
    pub token: Option<Secret>,
    /// The secret that messages are signed with.
    pub secret: Option<Secret>,
    /// The authorities that its certificate may be of, PEM; the system's where none is given.
    pub authority: Option<PathBuf>,
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// In a file of its own.
    File(PathBuf),
    /// In this variable of the environment.
    Environment(String),
}

/// People who are told by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailWay {
    /// The program that takes messages, with the interface of sendmail.
    pub command: PathBuf,
    /// Who writes.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Whether the contacts of sites are told by it what these are to do; of one channel at most.
    pub contacts: bool,
}

impl Default for Route {
    fn default() -> Self {
        let what = What::ALL.into_iter().filter(|it| it.is_usual()).collect();
        Self { what, grades: Severity::ALL.to_vec(), areas: Vec::new(), drills: true }
    }
}

/// Reads all channels.
pub(super) fn channels(sections: Vec<Section<'_>>) -> Vec<ChannelConfig> {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    let (mut for_contacts, mut undecided) = (None, None);
    for mut section in sections {
        let says = section.has("contacts");
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
            if let Way::Mail(way) = &channel.way {
                if way.contacts && for_contacts.is_some() {
                    let remedy = "leave one of them: contacts of sites are told once";
                    section.note("contacts", format_args!("is true of two channels"), remedy);
                }
                let place = if way.contacts { &mut for_contacts } else { &mut undecided };
                if way.contacts || !says {
                    place.get_or_insert(found.len());
                }
            }
            found.push(channel);
        }
        section.finish();
    }
    // Where no channel says so, the first of mail that does not say otherwise tells them.
    let first = undecided.filter(|_| for_contacts.is_none()).and_then(|at| found.get_mut(at));
    if let Some(ChannelConfig { way: Way::Mail(way), .. }) = first {
        way.contacts = true;
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
    const KINDS: &str = "write webhook, dingtalk, wecom, syslog or mail";
    let Some(kind) = section.text("kind") else {
        section.note("kind", "is missing", KINDS);
        return None;
    };
    match kind.value {
        "webhook" => http(section, false).map(Way::Webhook),
        "dingtalk" => http(section, true).map(Way::DingTalk),
        "wecom" => http(section, true).map(Way::WeCom),
        "syslog" => syslog(section),
        "mail" => mail(section).map(Way::Mail),
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
    let way = HttpWay {
        url,
        secret_url: secret(section, "url_file", "url_env"),
        token: secret(section, "token_file", "token_env"),
        secret: secret(section, "secret_file", "secret_env"),
        authority: section.text("authority").map(|it| PathBuf::from(it.value)),
    };
    if is_robot && has_url {
        section.note("url", "of a robot is a secret", "put it into a file of its own, and name that as url_file");
    } else if has_url == way.secret_url.is_some() {
        section.note("url", "is wanted once", "give one of url, url_file and url_env");
    }
    let in_clear = way.url.as_ref().is_some_and(|url| url.scheme_str() == Some("http") && !is_here(url));
    if way.token.is_some() && in_clear {
        let key = if section.has("token_file") { "token_file" } else { "token_env" };
        section.note(key, "would be sent in clear text", "write https:// in url, or leave the token out");
    }
    (way.url.is_some() || way.secret_url.is_some()).then_some(way)
}

/// Reads where a secret stands: in a file, or in a variable of the environment.
fn secret(section: &mut Section<'_>, file: &'static str, variable: &'static str) -> Option<Secret> {
    if section.has(file) && section.has(variable) {
        section.note(variable, format_args!("contradicts {file}"), "give one of them");
    }
    let is_name = |text: &str| {
        let letters = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
        (!text.is_empty() && text.bytes().all(letters)).then(|| text.to_owned())
    };
    let remedy = "write the name of a variable of the environment, such as \"ONENET_ROBOT_URL\"";
    let in_environment = converted(section, variable, remedy, is_name).map(Secret::Environment);
    section.text(file).map(|it| Secret::File(PathBuf::from(it.value))).or(in_environment)
}

/// The program that most machines have.
const SENDMAIL: &str = "/usr/sbin/sendmail";
/// Receivers of one channel of mail.
const RECEIVERS_MAX: usize = 100;

fn mail(section: &mut Section<'_>) -> Option<MailWay> {
    const ADDRESS: &str = "write an address such as \"duty@centre.example\"";
    let contacts = section.has("contacts") && flag(section, "contacts");
    for key in ["from", "to"] {
        // One that tells contacts of sites may tell nobody else.
        if !section.has(key) && (key == "from" || !contacts) {
            section.note(key, "is missing", ADDRESS);
        }
    }
    let remedy = "write the whole path of the mail program, beginning with /";
    let path = |text: &str| text.starts_with('/').then(|| PathBuf::from(text));
    let command = converted(section, "command", remedy, path).unwrap_or_else(|| PathBuf::from(SENDMAIL));
    let from = converted(section, "from", ADDRESS, address);
    let mut to = Vec::new();
    for found in section.texts("to").unwrap_or_default() {
        match address(found.value).filter(|_| to.len() < RECEIVERS_MAX) {
            Some(address) => to.push(address),
            None => section.log.note(&found.place, format_args!("{:?} cannot be used", found.value), ADDRESS),
        }
    }
    Some(MailWay { command, from: from?, to, contacts }).filter(|way| contacts || !way.to.is_empty())
}

fn address(text: &str) -> Option<String> {
    is_mail_address(text).then(|| text.to_owned())
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
    let is_cef = |text: &str| match text {
        "text" => Some(false),
        "cef" => Some(true),
        _ => None,
    };
    let cef = converted(section, "format", "write \"text\" or \"cef\"", is_cef).unwrap_or_default();
    address.map(|address| Way::Syslog { address, tcp, cef })
}
