//! What NetBIOS says: names that are registered or answered for, and announcements to the network neighbourhood.

use onenet_topology::{MacAddr, classify::SignKind};

use super::brief::Brief;
use crate::{
    decode::{
        Undecoded,
        names::{Entry, Message, Section, kind},
        netbios::{NetbiosName, announcement, role},
    },
    facts::{Said, Speaker, Value},
};

/// Operations by which a host claims a name (RFC 1002, section 4.2.1.1): registration and refresh.
const CLAIMS: [u16; 3] = [5, 8, 9];
/// A query, which the owner of the name answers.
const QUERY: u16 = 0;
/// The bit of a name's flags that says that a group has it.
const GROUP: u8 = 0x80;

/// What a server's roles are called.
const ROLES: [(u32, &str); 7] = [
    (role::WORKSTATION, "workstation"),
    (role::SQL, "sql_server"),
    (role::CONTROLLER | role::BACKUP_CONTROLLER, "domain_controller"),
    (role::APPLE, "apple"),
    (role::PRINT, "print_server"),
    (role::UNIX, "unix"),
    (role::NT_SERVER, "nt_server"),
];

pub(super) fn names(
    payload: &[u8],
    (mac, by): (MacAddr, Speaker),
    mut each: impl FnMut(Said<'_>),
) -> Result<(), Undecoded> {
    let message = Message::parse(payload)?;
    let response = message.is_response();
    let claims = !response && CLAIMS.contains(&message.operation());
    let answers = response && message.operation() == QUERY && message.code() == 0;
    let mut say = |kind, value: &[u8]| each(Said { mac, by, kind, value: Value::Text(value) });
    message.entries(|entry| match (entry.section, entry.kind) {
        (Section::Additional, kind::NETBIOS) if claims => registered(&entry, &mut say),
        (Section::Answer, kind::NETBIOS) if answers => registered(&entry, &mut say),
        // The state of a node: all its names.
        (Section::Answer, kind::SRV) if answers => node(&entry, &mut say),
        _ => {}
    })
}

/// Says a name with its owner's flags and address.
fn registered(entry: &Entry<'_>, say: &mut impl FnMut(SignKind, &[u8])) {
    let name = entry.name.labels().next().and_then(NetbiosName::of_label);
    if let (Some(name), Some(flags)) = (name, entry.data.first()) {
        owned(name.name(), name.suffix(), flags & GROUP != 0, say);
    }
}

/// Says the names of a node: a count, and of each name fifteen characters, the suffix, and two bytes of flags.
fn node(entry: &Entry<'_>, say: &mut impl FnMut(SignKind, &[u8])) {
    let Some((&count, rows)) = entry.data.split_first() else { return };
    let (rows, _) = rows.as_chunks::<18>();
    for row in rows.iter().take(count.into()) {
        let [name @ .., suffix, flags, _] = row;
        owned(name.trim_ascii_end(), *suffix, flags & GROUP != 0, say);
    }
}

fn owned(name: &[u8], suffix: u8, group: bool, say: &mut impl FnMut(SignKind, &[u8])) {
    if name.first().is_none_or(|first| *first <= b' ') {
        return; // Such as `__MSBROWSE__` between its bytes 1 and 2, which belongs to whoever is the browser.
    }
    match (suffix, group) {
        (0x00, false) => {
            say(SignKind::NetbiosName, name);
            say(SignKind::NetbiosService, b"workstation");
        }
        (0x20, false) => {
            say(SignKind::NetbiosName, name);
            say(SignKind::NetbiosService, b"file_server");
        }
        (0x00, true) => say(SignKind::NetbiosGroup, name),
        (0x1b, false) => say(SignKind::NetbiosService, b"domain_master"),
        (0x1c, true) => say(SignKind::NetbiosService, b"domain_controller"),
        (0x1d, false) => say(SignKind::NetbiosService, b"browser"),
        _ => {}
    }
}

pub(super) fn datagram(
    payload: &[u8],
    (mac, by): (MacAddr, Speaker),
    mut each: impl FnMut(Said<'_>),
) -> Result<(), Undecoded> {
    let Some(heard) = announcement(payload)? else { return Ok(()) };
    let mut say = |kind, value: &[u8]| each(Said { mac, by, kind, value: Value::Text(value) });
    if heard.of_domain {
        say(SignKind::NetbiosGroup, heard.name);
        return Ok(());
    }
    say(SignKind::NetbiosName, heard.name);
    let (major, minor) = heard.version;
    say(SignKind::BrowserSystem, Brief::written(format_args!("{major}.{minor}")).as_bytes());
    for (_, name) in ROLES.iter().filter(|(bits, _)| heard.roles & bits != 0) {
        say(SignKind::BrowserRole, name.as_bytes());
    }
    Ok(())
}
