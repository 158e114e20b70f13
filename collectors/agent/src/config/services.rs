//! What a probe asks a service beyond its kind: the page, the name, the user, and by whom its certificate may be issued.
//!
//! Invariant: each kind has its own keys; one that says nothing of a kind is an error there, as any unknown key is.

use std::path::Path;

use onenet_config::{Found, Origin, Section};
use onenet_probe::{Roots, Service, service::dns::Question};
use onenet_topology::ProbeKind;

/// The longest text of each, in bytes.
const TEXT_MAX: usize = 255;

/// Reads the keys of a kind.
pub(super) fn service(section: &mut Section<'_>, kind: ProbeKind) -> Service {
    let mut service = Service::default();
    match kind {
        ProbeKind::Http | ProbeKind::Https => {
            let is_path = |path: &str| path.starts_with('/');
            let remedy = "begin with a slash and leave out spaces: \"/login\"";
            service.path = checked(section, "path", is_path, remedy);
            service.status = section.number("status", 100..=599, "").and_then(|found| u16::try_from(found.value).ok());
        }
        ProbeKind::Dns => {
            let is_name = |name: &str| Question::new(0, name, false).is_some();
            service.path = checked(section, "lookup", is_name, "write a name such as \"portal.example\"");
            if !section.has("lookup") {
                section.note("lookup", "is missing", "give the name that the server is asked for");
            }
        }
        ProbeKind::Sip => {
            let is_user = |user: &str| !user.contains(['@', ':', '<', '>', ';', '?']);
            service.path = checked(section, "user", is_user, "write what stands before the @, or leave it out");
        }
        _ => {}
    }
    if shows_certificate(kind) || matches!(kind, ProbeKind::Http | ProbeKind::Sip) {
        let is_host = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
        service.server_name = checked(section, "server_name", is_host, "write a name such as \"mail.example\"");
    }
    if shows_certificate(kind) {
        service.roots = roots(section);
    }
    service
}

/// Returns whether a kind may show a certificate.
const fn shows_certificate(kind: ProbeKind) -> bool {
    matches!(kind, ProbeKind::Https | ProbeKind::Smtp | ProbeKind::Imap | ProbeKind::Ldap)
}

/// Reads a text that goes into a question: without spaces and control characters, so that it cannot become another question.
fn checked(section: &mut Section<'_>, key: &'static str, is_good: impl Fn(&str) -> bool, remedy: &str) -> String {
    let Some(found) = section.text(key) else { return String::new() };
    let text = found.value;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.is_empty() && text.len() <= TEXT_MAX;
    if plain && is_good(text) {
        return text.to_owned();
    }
    section.log.note(&found.place, format_args!("{text:?} cannot be asked with"), remedy);
    String::new()
}

/// Reads the certificates of issuers, in place or from a file of the agent's own.
fn roots(section: &mut Section<'_>) -> Option<Roots> {
    let (inline, file) = (section.text("ca"), section.text("ca_file"));
    if inline.is_some() && file.is_some() {
        section.note("ca_file", "stands beside ca", "keep one of them");
        return None;
    }
    if let Some(found) = inline {
        return read(section, &found, found.value);
    }
    let found = file?;
    if section.log.origin == Origin::Centre {
        let remedy = "write the certificates themselves: ca = \"\"\"-----BEGIN CERTIFICATE----- …\"\"\"";
        section.log.note(&found.place, "the centre may not name files of the agent's machine", remedy);
        return None;
    }
    match section.log.environment.file(Path::new(found.value)) {
        Ok(text) => read(section, &found, &text),
        Err(error) => {
            let what = format!("{:?} cannot be read: {error}", found.value);
            section.log.note(&found.place, what, "give a file with the certificates of the issuers, in PEM");
            None
        }
    }
}

fn read(section: &Section<'_>, found: &Found<&str>, text: &str) -> Option<Roots> {
    let roots = Roots::read(text);
    let remedy = "give the certificates of the issuers, in PEM: -----BEGIN CERTIFICATE----- …";
    roots.map_err(|error| section.log.note(&found.place, error, remedy)).ok()
}
