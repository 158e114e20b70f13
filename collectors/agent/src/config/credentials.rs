//! What devices are asked with: a community or a v3 user, in place or by name, secrets inline, from a file, or from
//! an environment variable.

use std::path::Path;

use onenet_config::{Found, Log, Origin, Section};
use onenet_snmp::{AuthProtocol, Credentials, PrivacyProtocol, Secret, V3Security, V3User};

use super::ByName;

/// The agent's `[credentials.NAME]` tables.
#[derive(Debug, Clone, Default)]
pub struct NamedCredentials(ByName);

/// The keys that hold one secret: inline, in a file, in an environment variable.
pub(super) struct SecretKeys {
    pub(super) inline: &'static str,
    pub(super) file: &'static str,
    pub(super) variable: &'static str,
}

const COMMUNITY: SecretKeys = SecretKeys { inline: "community", file: "community_file", variable: "community_env" };
const AUTH_KEY: SecretKeys = SecretKeys { inline: "auth_key", file: "auth_key_file", variable: "auth_key_env" };
const PRIVACY_KEY: SecretKeys =
    SecretKeys { inline: "privacy_key", file: "privacy_key_file", variable: "privacy_key_env" };

impl NamedCredentials {
    /// Returns the names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the credentials of this name; a name that is not there is a problem.
    pub(super) fn credentials(&self, log: &Log<'_>, name: &Found<&str>) -> Option<Credentials> {
        if let Some(found) = self.0.get(name.value) {
            return found.clone();
        }
        let what = format!("there are no credentials named {:?}", name.value);
        let remedy = match self.names().collect::<Vec<_>>().as_slice() {
            [] => format!("define [credentials.{}] in the agent's own file", name.value),
            names => format!("the agent's own file defines {}", names.join(", ")),
        };
        log.note(&name.place, what, remedy);
        None
    }
}

/// Reads the `[credentials.NAME]` tables.
pub(super) fn named(root: &mut Section<'_>) -> NamedCredentials {
    let mut by_name = ByName::new();
    for (name, mut section) in root.named_sections("credentials") {
        let credentials = own(&mut section);
        if credentials.is_none() && !has_own(&section) {
            let remedy = "give a community, or v3 = { user = \"…\", … }";
            section.log.note(&section.place(), "has neither community nor v3", remedy);
        }
        section.finish();
        by_name.insert(name.to_owned(), credentials);
    }
    NamedCredentials(by_name)
}

/// Reads the credentials of a group, which may have none.
pub(super) fn of_group(section: &mut Section<'_>, named: &NamedCredentials) -> Option<Credentials> {
    if has_own(section) || section.has("credentials") {
        return of_device(section, named, None);
    }
    // Asked for, so that they are known keys.
    let _ = (section.text("credentials"), own(section));
    None
}

/// Reads the credentials of a device: its own, those it names, or those of its group.
pub(super) fn of_device(
    section: &mut Section<'_>,
    named: &NamedCredentials,
    group: Option<&Credentials>,
) -> Option<Credentials> {
    let name = section.text("credentials");
    let credentials = own(section);
    let Some(name) = name else {
        if !has_own(section) && !section.has("credentials") {
            if group.is_some() {
                return group.cloned();
            }
            let remedy = "give community = \"…\", v3 = { user = \"…\", … }, or credentials = \"a name\"";
            section.log.note(&section.place(), "has no credentials", remedy);
        }
        return credentials;
    };
    if has_own(section) {
        section.log.note(&name.place, "stands beside community or v3", "keep one of them");
        return None;
    }
    named.credentials(section.log, &name)
}

fn has_own(section: &Section<'_>) -> bool {
    [COMMUNITY.inline, COMMUNITY.file, COMMUNITY.variable, "v3"].iter().any(|key| section.has(key))
}

fn own(section: &mut Section<'_>) -> Option<Credentials> {
    let community = secret(section, &COMMUNITY);
    let v3 = section.section("v3");
    if !v3.is_present() {
        return usable(section, COMMUNITY.inline, Credentials::community(community?));
    }
    if [COMMUNITY.inline, COMMUNITY.file, COMMUNITY.variable].iter().any(|key| section.has(key)) {
        section.note("v3", "stands beside community", "keep one of them: SNMPv3 if the device can do it");
    }
    user(v3)
}

fn user(mut section: Section<'_>) -> Option<Credentials> {
    let name = section.required_text("user", "give the user name that the device is configured with");
    let auth = protocol::<AuthProtocol>(&mut section, "auth");
    let auth_key = secret(&mut section, &AUTH_KEY);
    let privacy = protocol::<PrivacyProtocol>(&mut section, "privacy");
    let privacy_key = secret(&mut section, &PRIVACY_KEY);
    let context = section.text("context").map(|found| found.value.to_owned()).unwrap_or_default();
    let has_auth = pair(&section, "auth", &AUTH_KEY);
    let has_privacy = pair(&section, "privacy", &PRIVACY_KEY);
    if has_privacy && !has_auth {
        section.note("privacy", "needs authentication", "give auth and auth_key too (RFC 3414, section 1.4.3)");
    }
    let security = match (has_auth, has_privacy) {
        (false, _) => Some(V3Security::None),
        (true, false) => auth.zip(auth_key).map(|(auth, auth_key)| V3Security::Authenticated { auth, auth_key }),
        (true, true) => {
            auth.zip(auth_key).zip(privacy.zip(privacy_key)).map(|((auth, auth_key), (privacy, privacy_key))| {
                V3Security::Encrypted { auth, auth_key, privacy, privacy_key }
            })
        }
    };
    let user = V3User { name: name?.value.to_owned(), security: security?, context };
    let credentials = usable(&section, "user", Credentials::user(user));
    section.finish();
    credentials
}

/// Returns whether protocol and key are given; one without the other is a problem.
fn pair(section: &Section<'_>, protocol: &'static str, key: &SecretKeys) -> bool {
    let has_key = [key.inline, key.file, key.variable].iter().any(|key| section.has(key));
    match (section.has(protocol), has_key) {
        (true, false) => section.note(protocol, format_args!("has no {}", key.inline), "give the pass phrase too"),
        (false, true) => section.note(protocol, "is missing", "name the protocol that the pass phrase is for"),
        _ => {}
    }
    section.has(protocol) || has_key
}

fn protocol<P: std::str::FromStr<Err: std::fmt::Display>>(section: &mut Section<'_>, key: &'static str) -> Option<P> {
    let found = section.text(key)?;
    found.value.parse().map_err(|error| section.log.note(&found.place, error, "")).ok()
}

fn usable<E: std::fmt::Display>(
    section: &Section<'_>,
    key: &str,
    result: Result<Credentials, E>,
) -> Option<Credentials> {
    result.map_err(|error| section.note(key, error, "")).ok()
}

/// Reads a secret from the one of its three keys that is there.
fn secret(section: &mut Section<'_>, keys: &SecretKeys) -> Option<Secret> {
    secret_text(section, keys).map(Secret::from)
}

/// Reads the text of a secret from the one of its three keys that is there.
pub(super) fn secret_text(section: &mut Section<'_>, keys: &SecretKeys) -> Option<String> {
    let inline = section.text(keys.inline);
    let file = section.text(keys.file);
    let variable = section.text(keys.variable);
    let given: Vec<&str> = [keys.inline, keys.file, keys.variable].into_iter().filter(|key| section.has(key)).collect();
    if let [_, second, ..] = given.as_slice() {
        section.note(second, format_args!("stands beside {}", keys.inline.trim_end()), "keep one of them");
        return None;
    }
    if let Some(found) = inline {
        return Some(found.value.to_owned());
    }
    let outside = file.as_ref().or(variable.as_ref())?;
    if section.log.origin == Origin::Centre {
        let remedy = "define [credentials.NAME] in the agent's own file and write credentials = \"NAME\" here";
        section.log.note(&outside.place, "the centre may not name files or variables of the agent's machine", remedy);
        return None;
    }
    let read = match (&file, &variable) {
        (Some(path), _) => section.log.environment.file(Path::new(path.value)).map_err(|error| error.to_string()),
        (None, Some(name)) => {
            section.log.environment.variable(name.value).ok_or_else(|| "the variable is not set".to_owned())
        }
        (None, None) => return None,
    };
    match read.map(|text| text.trim_end_matches(['\r', '\n']).to_owned()) {
        Ok(text) if text.is_empty() => {
            section.log.note(
                &outside.place,
                format_args!("{:?} holds nothing", outside.value),
                "put the secret into it",
            );
            None
        }
        Ok(text) => Some(text),
        Err(error) => {
            let what = format!("cannot read {:?}: {error}", outside.value);
            section.log.note(&outside.place, what, "create it, readable for the agent's user");
            None
        }
    }
}
