//! What payload told of a flow's ends, as facts about who sent it.
//!
//! Invariants: what the originator said counts for the originator, what the responder said for the responder, each on the word
//! of its address: behind a router's frames stands the router only where the address is its own. What a person does with a
//! machine is no trait of it: of the names, programs and fingerprints that a client shows, those alone are kept that tell
//! what it is.

use onenet_topology::{
    application::Application,
    classify::{self, SignKind},
};

use crate::{
    application::Detail,
    facts::{Fact, Said, Speaker, Value},
    flow::{End, Introduction},
};

/// How hosts begin the version of their system where they tell it by NTLM.
const NTLM_SYSTEM: &str = "Windows ";

/// Hands on what the ends of a flow said of themselves, and showed.
pub(crate) fn facts(introduction: &Introduction, mut each: impl FnMut(Fact<'_>)) {
    let mut say = |end: &End, kind: SignKind, text: &str| {
        if let Some(mac) = end.mac.filter(|mac| mac.is_unicast()) {
            each(Fact::Said(Said { mac, by: Speaker::Address(end.ip), kind, value: Value::Text(text.as_bytes()) }));
        }
    };
    let Introduction { originator, responder, details, application, answered, .. } = introduction;
    for (detail, text) in details.iter() {
        match (detail, application) {
            (Detail::Ja4, _) if classify::tells(SignKind::TlsClient, text) => {
                say(originator, SignKind::TlsClient, text);
            }
            (Detail::CertificateSubject, _) => say(responder, SignKind::TlsCertificate, text),
            (Detail::ServerName, Some(Application::Tls | Application::Quic))
                if classify::tells(SignKind::TlsName, text) =>
            {
                say(originator, SignKind::TlsName, text);
            }
            (Detail::Client, Some(application)) => {
                if let Some(kind) = client(*application) {
                    say(originator, kind, text);
                }
            }
            (Detail::Server, Some(application)) => {
                if let Some((kind, text)) = server(*application, text) {
                    say(responder, kind, text);
                }
            }
            _ => {}
        }
    }
    let Some(application) = application.map(Application::name) else { return };
    if classify::tells(SignKind::Speaks, application) {
        say(originator, SignKind::Speaks, application);
    }
    // Who asks may say what he likes to whoever does not speak it.
    if *answered && classify::tells(SignKind::Serves, application) {
        say(responder, SignKind::Serves, application);
    }
}

/// Returns as what an originator's word for itself counts.
const fn client(application: Application) -> Option<SignKind> {
    match application {
        Application::Http => Some(SignKind::HttpAgent),
        Application::Ssh => Some(SignKind::SshBanner),
        Application::Sip | Application::Gb28181 => Some(SignKind::SipAgent),
        _ => None,
    }
}

/// Returns as what a responder's word for itself counts, and the part of it that does.
fn server(application: Application, text: &str) -> Option<(SignKind, &str)> {
    match application {
        Application::Http => Some((SignKind::HttpServer, text)),
        Application::Rtsp => Some((SignKind::RtspServer, text)),
        Application::Ssh => Some((SignKind::SshBanner, text)),
        Application::Sip | Application::Gb28181 => Some((SignKind::SipAgent, text)),
        Application::Smb => text.strip_prefix(NTLM_SYSTEM).and_then(version).map(|text| (SignKind::SmbSystem, text)),
        _ => None,
    }
}

/// Returns the version in `10.0 build 17763`.
fn version(text: &str) -> Option<&str> {
    text.split(' ').next().filter(|version| !version.is_empty())
}
