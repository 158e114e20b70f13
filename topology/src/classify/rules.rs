//! What each sign speaks for, and how strongly: tables, one a group of protocols.
//!
//! Invariant: a rule says what a value means by itself; nothing here weighs one sign against another. Points: 60 and more
//! where an endpoint says outright what it is, about 40 where only such machines say this as a rule, 20 where many of them
//! do, 10 for a hint. Where a value fits several rules, what each claims counts once, at its highest.

mod application;
mod dhcp;
mod discovery;
mod link;
mod services;
mod system;
mod tcp;
mod vendor;

use super::{DeviceClass, OsFamily, Sign, SignKind, TcpTraits};

/// What a value must be like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pattern {
    /// Anything.
    Any,
    /// This text, letter case aside.
    Is(&'static str),
    /// One of these texts, letter case aside.
    OneOf(&'static [&'static str]),
    /// Begins with this text, letter case aside.
    Starts(&'static str),
    /// Contains this text, letter case aside.
    Has(&'static str),
    /// Contains all of these texts, letter case aside.
    HasAll(&'static [&'static str]),
    /// This domain name, or one below it, letter case aside.
    Under(&'static str),
    /// An opening of connections like this.
    Opens(fn(&TcpTraits) -> bool),
    /// A list of numbers like this.
    Lists(fn(&[u16]) -> bool),
}

/// What follows from a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    /// That it is a machine of this kind.
    Class(DeviceClass, u8),
    /// That it runs this system.
    Os(OsFamily, u8),
    /// Which version of the system: of this family only.
    Version(OsFamily, &'static str, u8),
    /// That several machines share its addresses.
    Shared(u8),
}

/// One rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pattern: Pattern,
    says: &'static [Says],
}

const fn rule(pattern: Pattern, says: &'static [Says]) -> Rule {
    Rule { pattern, says }
}

/// Hands to `each` what the sign says.
pub(super) fn read(sign: &Sign<'_>, mut each: impl FnMut(Says)) {
    let matching = rules_of(sign.kind).iter().filter(|rule| rule.pattern.fits(sign.value));
    matching.flat_map(|rule| rule.says).for_each(|says| each(*says));
}

/// Returns whether such a value says anything of what an endpoint is.
pub fn tells(kind: SignKind, value: &str) -> bool {
    rules_of(kind).iter().any(|rule| rule.pattern.fits(value))
}

fn rules_of(kind: SignKind) -> &'static [Rule] {
    match kind {
        SignKind::Vendor => vendor::VENDOR,
        SignKind::System => system::SYSTEM,
        SignKind::DhcpVendorClass | SignKind::Dhcpv6VendorClass => dhcp::VENDOR_CLASS,
        SignKind::DhcpParameters => dhcp::PARAMETERS,
        SignKind::DhcpName
        | SignKind::Dhcpv6Name
        | SignKind::MdnsName
        | SignKind::LlmnrName
        | SignKind::NetbiosName
        | SignKind::LldpName
        | SignKind::CdpName => dhcp::NAME,
        SignKind::MdnsService => discovery::MDNS_SERVICE,
        SignKind::MdnsModel | SignKind::MdnsSystem => discovery::MDNS_MODEL,
        SignKind::LlmnrQuery => discovery::LLMNR_QUERY,
        SignKind::NetbiosService => discovery::NETBIOS_SERVICE,
        SignKind::BrowserSystem | SignKind::SmbSystem => discovery::WINDOWS_VERSION,
        SignKind::BrowserRole => discovery::BROWSER_ROLE,
        SignKind::SsdpServer | SignKind::SsdpAgent => discovery::SSDP_PRODUCT,
        SignKind::SsdpDevice => discovery::SSDP_DEVICE,
        SignKind::WsdType => discovery::WSD_TYPE,
        SignKind::WsdModel | SignKind::MakerModel => discovery::MAKER_MODEL,
        SignKind::LldpSystem | SignKind::CdpPlatform | SignKind::CdpSystem | SignKind::LldpModel => link::SYSTEM,
        SignKind::LldpCapability => link::LLDP_CAPABILITY,
        SignKind::LldpMedClass => link::LLDP_MED_CLASS,
        SignKind::CdpCapability => link::CDP_CAPABILITY,
        SignKind::SpanningTree => link::SPANNING_TREE,
        SignKind::RouterAdvertisement => link::ROUTER_ADVERTISEMENT,
        SignKind::Forwards => link::FORWARDS,
        SignKind::HiddenHop => tcp::HIDDEN_HOP,
        SignKind::TcpClocks => tcp::CLOCKS,
        SignKind::TcpOpening => tcp::OPENING,
        SignKind::TcpService => services::TCP_SERVICE,
        SignKind::HttpAgent => application::HTTP_AGENT,
        SignKind::HttpServer | SignKind::RtspServer => application::HTTP_SERVER,
        SignKind::TlsClient => application::TLS_CLIENT,
        SignKind::TlsCertificate => application::TLS_CERTIFICATE,
        SignKind::TlsName => application::TLS_NAME,
        SignKind::SshBanner => application::SSH_BANNER,
        SignKind::SipAgent => application::SIP_AGENT,
        SignKind::Speaks => application::SPEAKS,
        SignKind::Serves => application::SERVES,
        SignKind::DhcpClientId
        | SignKind::Dhcpv6ClientId
        | SignKind::Dhcpv6Parameters
        | SignKind::NetbiosGroup
        | SignKind::WsdName
        | SignKind::ClaimedByOther => &[],
    }
}

impl Pattern {
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(text) => value.eq_ignore_ascii_case(text),
            Self::OneOf(texts) => texts.iter().any(|text| value.eq_ignore_ascii_case(text)),
            Self::Starts(text) => starts(value.as_bytes(), text),
            Self::Has(text) => has(value, text),
            Self::HasAll(texts) => texts.iter().all(|text| has(value, text)),
            Self::Under(domain) => under(value, domain),
            Self::Opens(fits) => TcpTraits::of(value).is_some_and(|traits| fits(&traits)),
            Self::Lists(fits) => {
                let numbers: Option<Vec<u16>> = value.split(',').map(|number| number.parse().ok()).collect();
                numbers.is_some_and(|numbers| fits(&numbers))
            }
        }
    }
}

fn starts(value: &[u8], text: &str) -> bool {
    value.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
}

fn under(name: &str, domain: &str) -> bool {
    let name = name.as_bytes();
    let above = name.len().checked_sub(domain.len());
    above.and_then(|at| name.split_at_checked(at)).is_some_and(|(below, end)| {
        end.eq_ignore_ascii_case(domain.as_bytes()) && matches!(below.last(), None | Some(b'.'))
    })
}

fn has(value: &str, text: &str) -> bool {
    let Some(first) = text.as_bytes().first() else { return true };
    // Most places differ in the first letter already.
    let begins = |(_, letter): &(usize, &u8)| letter.eq_ignore_ascii_case(first);
    let value = value.as_bytes();
    value.iter().enumerate().filter(begins).any(|(at, _)| value.get(at..).is_some_and(|rest| starts(rest, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_without_regard_to_letter_case_and_never_outside_themselves() {
        assert!(has("Linux/3.10 UPnP/1.0", "upnp") && has("a", "A") && has("", ""));
        assert!(!has("", "a") && !has("ab", "abc") && !has("环境", "x"));
        assert!(under("A.Example.org", "example.org") && under("example.org", "example.org"));
        assert!(!under("badexample.org", "example.org") && !under("org", "example.org") && !under("", "example.org"));
        assert!(starts("MSFT 5.0".as_bytes(), "msft") && !starts("MS".as_bytes(), "msft"));
    }

    #[test]
    fn every_rule_has_points_that_mean_something_and_every_text_to_compare_is_one() {
        for kind in SignKind::ALL {
            for rule in rules_of(*kind) {
                assert!(!rule.says.is_empty(), "{kind}: {rule:?}");
                let points = |says: &Says| match says {
                    Says::Class(_, points)
                    | Says::Os(_, points)
                    | Says::Version(_, _, points)
                    | Says::Shared(points) => *points,
                };
                assert!(rule.says.iter().all(|says| (1..=100).contains(&points(says))), "{kind}: {rule:?}");
                match rule.pattern {
                    Pattern::Is(text) | Pattern::Starts(text) | Pattern::Has(text) | Pattern::Under(text) => {
                        assert!(text.len() > 1 || *kind == SignKind::LldpMedClass, "{text}");
                    }
                    Pattern::OneOf(texts) | Pattern::HasAll(texts) => {
                        assert!(texts.iter().all(|text| !text.is_empty()));
                    }
                    Pattern::Any | Pattern::Opens(_) | Pattern::Lists(_) => {}
                }
            }
        }
    }
}
