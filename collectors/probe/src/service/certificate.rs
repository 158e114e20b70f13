//! What is wrong with the certificates that a server shows: their time, their name, their issuer, each told apart.
//!
//! Invariant: the issuer is judged only where somebody says which ones are right: ministries have authorities of their own. It is judged
//! at a time at which the certificate is valid, so that an end does not hide a wrong issuer, nor the other way round. A clock that
//! was never set (boxes that boot in 1970) says nothing of times; the end itself is told in any case.

use std::{fmt, sync::Arc, time::Duration};

use onenet_wire::tls;
use rustls::{
    CertificateError, Error, RootCertStore,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::talk::shown;

/// No clock that was set shows less: the beginning of 2025.
const SET_S: u64 = 1_735_689_600;

const DAY_S: i64 = 86_400;

/// Names that are told of a certificate for something else.
const NAMES_MAX: usize = 3;

/// Issuers that are believed.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

/// The text holds no certificates of issuers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// There is none in it.
    #[error("holds no certificate in PEM")]
    None,
    /// One cannot be read.
    #[error("certificate {0} cannot be read")]
    Unreadable(usize),
}

/// What a server showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// When its own certificate ends.
    pub ends_ms: Option<i64>,
    /// What is wrong.
    pub problems: Vec<String>,
}

impl Roots {
    /// Reads the certificates of issuers.
    ///
    /// # Errors
    /// There are none, or one cannot be read.
    pub fn read(pem: &str) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for (number, certificate) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
            let unreadable = RootsError::Unreadable(number.saturating_add(1));
            let certificate = certificate.map_err(|_| unreadable.clone())?;
            roots.add(certificate).map_err(|_| unreadable)?;
        }
        if roots.is_empty() { Err(RootsError::None) } else { Ok(Self(Arc::new(roots))) }
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} roots", self.0.len())
    }
}

/// Judges a chain, the server's own first.
pub fn judge(
    chain: &[CertificateDer<'_>],
    name: Option<&ServerName<'_>>,
    roots: Option<&Roots>,
    now: UnixTime,
    days: u32,
) -> Seen {
    let mut seen = Seen::default();
    let Some((own, others)) = chain.split_first() else {
        seen.problems.push("it shows no certificate".to_owned());
        return seen;
    };
    let Ok((_, read)) = X509Certificate::from_der(own) else {
        seen.problems.push("its certificate cannot be read".to_owned());
        return seen;
    };
    let (begins_s, ends_s) = (read.validity().not_before.timestamp(), read.validity().not_after.timestamp());
    seen.ends_ms = Some(ends_s.saturating_mul(1_000));
    let is_set = now.as_secs() >= SET_S;
    if is_set {
        seen.problems.extend(time(begins_s, ends_s, i64::try_from(now.as_secs()).unwrap_or(i64::MAX), days));
    }
    match ParsedCertificate::try_from(own) {
        Ok(parsed) => {
            if let Some(name) = name.filter(|name| verify_server_name(&parsed, name).is_err()) {
                seen.problems.push(wrong_name(&read, name));
            }
            if let Some(roots) = roots {
                let now = within(begins_s, ends_s, now, is_set);
                seen.problems.extend(issuer(&parsed, others, roots, now));
            }
        }
        Err(error) => seen.problems.push(format!("its certificate is none that clients take: {error}")),
    }
    seen
}

/// Judges when a certificate begins and ends.
fn time(begins_s: i64, ends_s: i64, now_s: i64, days: u32) -> Option<String> {
    let told = |seconds: i64| match seconds / DAY_S {
        0 => "less than a day".to_owned(),
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    };
    let left = ends_s.saturating_sub(now_s);
    if left < 0 {
        return Some(format!("its certificate ended {} ago", told(left.saturating_neg())));
    }
    if begins_s > now_s {
        return Some(format!("its certificate begins in {}", told(begins_s.saturating_sub(now_s))));
    }
    (left < i64::from(days).saturating_mul(DAY_S)).then(|| format!("its certificate ends in {}", told(left)))
}

/// Returns the time nearest to now at which a certificate is valid.
fn within(begins_s: i64, ends_s: i64, now: UnixTime, is_set: bool) -> UnixTime {
    let seconds = |time: i64| u64::try_from(time).unwrap_or(0);
    let (begins, ends) = (seconds(begins_s), seconds(ends_s));
    let now = if is_set { now.as_secs() } else { begins.saturating_add(1) };
    UnixTime::since_unix_epoch(Duration::from_secs(now.min(ends).max(begins)))
}

fn wrong_name(read: &X509Certificate<'_>, name: &ServerName<'_>) -> String {
    let names = read.subject_alternative_name().ok().flatten().map(|found| &found.value.general_names);
    let told = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(shown(name.as_bytes())),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    };
    let names: Vec<String> = names.into_iter().flatten().filter_map(told).take(NAMES_MAX).collect();
    let name = name.to_str();
    if names.is_empty() {
        return format!("its certificate names no host (subjectAltName), thus not {name}");
    }
    format!("its certificate is for {}, not for {name}", names.join(", "))
}

/// Judges by whom it was issued.
fn issuer(own: &ParsedCertificate<'_>, others: &[CertificateDer<'_>], roots: &Roots, now: UnixTime) -> Option<String> {
    let provider = tls::provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let error = verify_server_cert_signed_by_trust_anchor(own, &roots.0, others, now, algorithms).err()?;
    Some(match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate was issued by none of the authorities in ca".to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "a certificate of its authorities has ended".to_owned()
        }
        error => format!("the chain of its certificate does not hold: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

    use super::*;

    /// The beginning of 2027.
    const NOW_S: u64 = 1_798_761_600;

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// A certificate of an authority for some names, from the beginning of one year to that of another.
    fn certificate(
        by: &CertifiedIssuer<'_, KeyPair>,
        names: &[&str],
        years: (i32, i32),
    ) -> Vec<CertificateDer<'static>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        vec![params.signed_by(&KeyPair::generate().unwrap(), by).unwrap().der().clone()]
    }

    fn judged(chain: &[CertificateDer<'_>], roots: Option<&Roots>, days_later: i64) -> Vec<String> {
        let name = ServerName::try_from("portal.example").unwrap();
        let now_s = i64::try_from(NOW_S).unwrap() + days_later * DAY_S;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now_s).unwrap()));
        judge(chain, Some(&name), roots, now, 14).problems
    }

    #[test]
    fn an_end_a_wrong_name_and_a_wrong_issuer_are_told_apart() {
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        let roots = Roots::read(&ours.pem()).unwrap();
        let good = certificate(&ours, &["portal.example"], (2026, 2028));
        assert_eq!(judged(&good, Some(&roots), 0), [""; 0]);
        assert_eq!(judged(&good, Some(&roots), 362), ["its certificate ends in 3 days"]);
        assert_eq!(judged(&good, Some(&roots), 370), ["its certificate ended 5 days ago"]);
        assert_eq!(judged(&good, Some(&roots), -370), ["its certificate begins in 5 days"]);
        let odd = certificate(&theirs, &["mail.example", "10.0.0.1"], (2026, 2028));
        let name = "its certificate is for mail.example, 10.0.0.1, not for portal.example";
        assert_eq!(judged(&odd, None, 0), [name], "nobody said which issuers are right");
        let issuer = "its certificate was issued by none of the authorities in ca";
        assert_eq!(judged(&odd, Some(&roots), 366), ["its certificate ended a day ago", name, issuer]);
        let nameless = certificate(&ours, &[], (2026, 2028));
        assert!(judged(&nameless, None, 0)[0].starts_with("its certificate names no host"));
        assert_eq!(judged(&[], None, 0), ["it shows no certificate"]);
        assert_eq!(judged(&[CertificateDer::from(vec![1, 2])], None, 0), ["its certificate cannot be read"]);
    }

    #[test]
    fn a_clock_that_was_never_set_says_nothing_of_an_end_and_the_end_is_told() {
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        let roots = Roots::read(&ours.pem()).unwrap();
        let good = certificate(&ours, &["portal.example"], (2026, 2027));
        let boot = UnixTime::since_unix_epoch(Duration::from_secs(1_000));
        let seen = judge(&good, None, Some(&roots), boot, 14);
        assert_eq!(seen, Seen { ends_ms: Some(i64::try_from(NOW_S).unwrap() * 1_000), problems: Vec::new() });
        let odd = certificate(&theirs, &["portal.example"], (2026, 2027));
        assert_eq!(judge(&odd, None, Some(&roots), boot, 14).problems.len(), 1);
    }

    #[test]
    fn what_holds_no_issuers_is_refused() {
        assert_eq!(Roots::read("hello").unwrap_err(), RootsError::None);
        let cut = authority("ours").pem().replacen("MII", "AII", 1);
        assert_eq!(Roots::read(&cut).unwrap_err(), RootsError::Unreadable(1));
    }
}
