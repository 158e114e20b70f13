//! The centre's own certificate authority: made on the first start, it vouches for the centre and for each agent.
//!
//! Invariant: private keys are files that only their owner can read, and leave the data directory in backups alone. A
//! certificate of an agent names exactly its site and itself, whatever its request asked for, and is good for clients only.
//!
//! # Files in `DATA/pki`
//!
//! `authority.key`, `authority.pem`: the certificate authority; losing it means enrolling every agent again.
//! `centre.key`, `centre.pem`: what the centre presents; made again when it nears its end or its names change.
//!
//! Agents' certificates are valid for as long as the authority: an agent is shut out by revoking it (the registry is asked
//! at every connection), not by waiting, and an agent whose clock is dead could not renew in time.
//!
//! This module does not know who may enrol, nor how requests arrive.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use onenet_topology::Timestamp;
use onenet_wire::tls::{self, Fingerprint, Identity};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, pem::PemObject as _};

use crate::record::TokenHash;

const AUTHORITY_YEARS: i16 = 30;
const CENTRE_YEARS: i16 = 2;
/// The centre's certificate is made again when less than this is left of it.
const RENEW_BEFORE_MS: i64 = 90 * 86_400_000;

/// The certificate authority and the centre's own certificate.
#[derive(Debug)]
pub struct Pki {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    authority_pem: String,
    authority_der: Vec<u8>,
    centre_pem: String,
    centre_key_pem: String,
}

/// An agent's certificate, as signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// DER.
    pub authority: Vec<u8>,
}

/// A certificate request that was checked.
#[derive(Debug)]
pub struct CheckedRequest(CertificateSigningRequestParams);

/// Something about keys or certificates failed.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file cannot be read.
    #[error("{} cannot be read: check its owner and permissions, or restore it from a backup", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: check that the data directory is writable and has room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} is damaged: restore it from a backup, or remove the pki directory and enrol every agent again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made")]
    Make(#[source] rcgen::Error),
    /// The request cannot be signed.
    #[error("the certificate request is not acceptable: enrol with an onenet-agent of this version")]
    Request(#[source] rcgen::Error),
}

impl CheckedRequest {
    /// Reads a request (PKCS #10, DER) and checks that whoever made it has the key.
    ///
    /// # Errors
    /// It cannot be read, or its signature is wrong.
    pub fn new(der: &[u8]) -> Result<Self, PkiError> {
        let der = CertificateSigningRequestDer::from(der);
        CertificateSigningRequestParams::from_der(&der).map(Self).map_err(PkiError::Request)
    }

    /// Returns the hash of the public key.
    pub fn key(&self) -> TokenHash {
        TokenHash::of(self.0.public_key.der_bytes())
    }
}

impl Pki {
    /// Opens the authority in `data/pki`, or makes it, and sees to it that the centre's certificate has these further
    /// names and is not about to end at `now`.
    ///
    /// # Errors
    /// A file cannot be read or written, or is damaged.
    pub fn open(data: &Path, names: &[String], now: Timestamp) -> Result<Self, PkiError> {
        let directory = data.join("pki");
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|source| PkiError::Write { path: directory.clone(), source })?;
        let (authority_pem, issuer) = authority(&directory, now)?;
        let authority_path = directory.join("authority.pem");
        let authority_der = CertificateDer::from_pem_slice(authority_pem.as_bytes())
            .map_err(|_| PkiError::Damaged { path: authority_path, source: rcgen::Error::CouldNotParseCertificate })?;
        let authority_der = authority_der.to_vec();
        let (centre_pem, centre_key_pem) = centre(&directory, &issuer, names, now)?;
        Ok(Self { directory, issuer, authority_pem, authority_der, centre_pem, centre_key_pem })
    }

    /// Returns the fingerprint by which an agent that enrols knows the authority.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.authority_der)
    }

    /// Returns the authority's private key (PKCS #8), from which the key of what only this centre may write derives.
    pub(crate) fn authority_key(&self) -> Vec<u8> {
        self.issuer.key().serialize_der()
    }

    /// Returns the centre's certificate chain and key as PEM, for listeners that people and programs use.
    pub fn chain_and_key(&self) -> (String, &str) {
        (format!("{}{}", self.centre_pem, self.authority_pem), &self.centre_key_pem)
    }

    /// Returns when what agents are shown ends, and when the authority does, by name.
    pub fn ends(&self) -> Vec<(&'static str, Timestamp)> {
        let named = [("agents", &self.centre_pem), ("authority", &self.authority_pem)];
        let ends = |pem: &str| ends(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?);
        named.into_iter().filter_map(|(name, pem)| Some((name, ends(pem)?))).collect()
    }

    /// Returns how to accept connections of agents.
    pub fn server(&self) -> tonic::transport::ServerTlsConfig {
        let chain = format!("{}{}", self.centre_pem, self.authority_pem);
        tls::server(&self.authority_pem, &chain, &self.centre_key_pem)
    }

    /// Signs the certificate of an agent.
    ///
    /// # Errors
    /// The request's key cannot be certified.
    pub fn sign(&self, request: CheckedRequest, identity: Identity, now: Timestamp) -> Result<Signed, PkiError> {
        let mut params = params(&identity.agent.to_string(), now, AUTHORITY_YEARS)?;
        let uri = identity.uri().try_into().map_err(PkiError::Make)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        // Nothing that was asked for is taken over but the key.
        let request = CertificateSigningRequestParams { params, public_key: request.0.public_key };
        let certificate = request.signed_by(&self.issuer).map_err(PkiError::Request)?;
        Ok(Signed { chain: vec![certificate.der().to_vec()], authority: self.authority_der.clone() })
    }

    /// Returns the files, for a backup.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, PkiError> {
        let read = |name: &str| {
            let path = self.directory.join(name);
            let content = fs::read(&path).map_err(|source| PkiError::Read { path, source })?;
            Ok((format!("pki/{name}"), content))
        };
        ["authority.key", "authority.pem", "centre.key", "centre.pem"].into_iter().map(read).collect()
    }
}

/// Writes the files of a backup back.
///
/// # Errors
/// A file cannot be written.
pub fn restore_files(data: &Path, files: &[(String, Vec<u8>)]) -> Result<(), PkiError> {
    let directory = data.join("pki");
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
    made.map_err(|source| PkiError::Write { path: directory.clone(), source })?;
    for (name, content) in files {
        // Only names that a backup of ours can hold: nothing in the file decides where else to write.
        let known = ["pki/authority.key", "pki/authority.pem", "pki/centre.key", "pki/centre.pem"];
        if known.contains(&name.as_str()) {
            write_private(&data.join(name), content)?;
        }
    }
    Ok(())
}

/// Returns when a certificate (DER) ends; `None` where it cannot be read.
pub(crate) fn ends(der: &[u8]) -> Option<Timestamp> {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(Timestamp::from_unix_ms(certificate.validity().not_after.timestamp().saturating_mul(1_000)))
}

/// Opens or makes the authority.
fn authority(directory: &Path, now: Timestamp) -> Result<(String, Issuer<'static, KeyPair>), PkiError> {
    let (key_path, pem_path) = (directory.join("authority.key"), directory.join("authority.pem"));
    if !pem_path.exists() {
        let key = KeyPair::generate().map_err(PkiError::Make)?;
        let mut params = params("onenet certificate authority", now, AUTHORITY_YEARS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(PkiError::Make)?;
        // The certificate last: it is what says that the pair is whole.
        write_private(&key_path, key.serialize_pem().as_bytes())?;
        write_private(&pem_path, certificate.pem().as_bytes())?;
    }
    let key = read_key(&key_path)?;
    let pem = read_text(&pem_path)?;
    let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(|source| PkiError::Damaged { path: pem_path, source })?;
    Ok((pem, issuer))
}

/// Opens the centre's certificate, or makes it when there is none, it nears its end, or its names differ.
fn centre(
    directory: &Path,
    issuer: &Issuer<'static, KeyPair>,
    names: &[String],
    now: Timestamp,
) -> Result<(String, String), PkiError> {
    let (key_path, pem_path) = (directory.join("centre.key"), directory.join("centre.pem"));
    let wanted = wanted_names(names)?;
    if pem_path.exists() && key_path.exists() {
        let pem = read_text(&pem_path)?;
        if serves(&pem, &wanted, now) {
            return Ok((pem, read_text(&key_path)?));
        }
    }
    let key = KeyPair::generate().map_err(PkiError::Make)?;
    let mut params = params("onenet centre", now, CENTRE_YEARS)?;
    params.subject_alt_names = wanted;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let pem = params.signed_by(&key, issuer).map_err(PkiError::Make)?.pem();
    let key_pem = key.serialize_pem();
    write_private(&key_path, key_pem.as_bytes())?;
    write_private(&pem_path, pem.as_bytes())?;
    Ok((pem, key_pem))
}

fn wanted_names(names: &[String]) -> Result<Vec<SanType>, PkiError> {
    let all = std::iter::once(tls::SERVER_NAME).chain(names.iter().map(String::as_str));
    all.map(|name| match name.parse::<IpAddr>() {
        Ok(ip) => Ok(SanType::IpAddress(ip)),
        Err(_) => name.try_into().map(SanType::DnsName).map_err(PkiError::Make),
    })
    .collect()
}

/// Returns whether the certificate has all the names and is not about to end.
fn serves(pem: &str, wanted: &[SanType], now: Timestamp) -> bool {
    use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
    let Ok(der) = CertificateDer::from_pem_slice(pem.as_bytes()) else { return false };
    let Ok((_, certificate)) = X509Certificate::from_der(&der) else { return false };
    let Some(ends) = ends(&der) else { return false };
    let Ok(Some(held)) = certificate.subject_alternative_name() else { return false };
    let has = |wanted: &SanType| {
        held.value.general_names.iter().any(|held| match (wanted, held) {
            (SanType::DnsName(wanted), GeneralName::DNSName(held)) => wanted.as_str() == *held,
            (SanType::IpAddress(IpAddr::V4(wanted)), GeneralName::IPAddress(held)) => wanted.octets() == **held,
            (SanType::IpAddress(IpAddr::V6(wanted)), GeneralName::IPAddress(held)) => wanted.octets() == **held,
            _ => false,
        })
    };
    ends.ms_since(now) > RENEW_BEFORE_MS && wanted.iter().all(has)
}

/// Returns what every certificate of ours has: a name, a random serial, and its time.
fn params(common_name: &str, now: Timestamp, years: i16) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let serial = tls::random::<16>().map_err(|_| PkiError::Make(rcgen::Error::RingUnspecified))?;
    // RFC 5280, 4.1.2.2: positive.
    let mut serial = serial;
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    // A day of grace before, since the clocks of those who check may be behind.
    let from = day(now.plus_ms(-86_400_000));
    params.not_before = date_time_ymd(i32::from(from.year()), from.month().unsigned_abs(), from.day().unsigned_abs());
    // 28 exists in every month and year.
    let last = from.day().unsigned_abs().min(28);
    params.not_after = date_time_ymd(i32::from(from.year() + years), from.month().unsigned_abs(), last);
    Ok(params)
}

fn day(at: Timestamp) -> jiff::civil::Date {
    let time = jiff::Timestamp::from_millisecond(at.unix_ms()).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(time).date()
}

fn read_key(path: &Path) -> Result<KeyPair, PkiError> {
    KeyPair::from_pem(&read_text(path)?).map_err(|source| PkiError::Damaged { path: path.to_owned(), source })
}

fn read_text(path: &Path) -> Result<String, PkiError> {
    fs::read_to_string(path).map_err(|source| PkiError::Read { path: path.to_owned(), source })
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(path: &Path, content: &[u8]) -> Result<(), PkiError> {
    let failed = |source| PkiError::Write { path: path.to_owned(), source };
    let partial = path.with_extension("partial");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use onenet_topology::{AgentId, SiteId};
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_420_800_000);

    fn request() -> CheckedRequest {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CheckedRequest::new(params.serialize_request(&key).unwrap().der()).unwrap()
    }

    #[test]
    fn what_ends_is_told_and_what_nears_its_end_is_made_again() {
        let data = tempfile::tempdir().unwrap();
        let days = |pki: &Pki, now: Timestamp| {
            pki.ends().into_iter().map(|(name, ends)| (name, ends.ms_since(now) / 86_400_000)).collect::<Vec<_>>()
        };
        let [("agents", first), ("authority", authority)] = days(&Pki::open(data.path(), &[], NOW).unwrap(), NOW)[..]
        else {
            panic!("two certificates")
        };
        assert!((725..=731).contains(&first) && (10_950..=10_960).contains(&authority), "{first} {authority}");
        let later = NOW.plus_ms((first - 89) * 86_400_000);
        let again = days(&Pki::open(data.path(), &[], later).unwrap(), later);
        assert!((725..=731).contains(&again[0].1) && again[1].1 < authority, "{again:?}");
    }

    #[test]
    fn an_agents_certificate_names_its_site_and_itself_and_nothing_it_asked_for() {
        let data = tempfile::tempdir().unwrap();
        let pki = Pki::open(data.path(), &[], NOW).unwrap();
        let identity = Identity { site: SiteId::from_raw(7), agent: AgentId::from_raw(9) };
        let signed = pki.sign(request(), identity, NOW).unwrap();
        assert_eq!(Identity::from_certificate(&signed.chain[0]).unwrap(), identity);
        let text = String::from_utf8_lossy(&signed.chain[0]).into_owned();
        assert!(!text.contains("evil.example"));
        let (_, certificate) = X509Certificate::from_der(&signed.chain[0]).unwrap();
        assert!(!certificate.is_ca());
    }

    #[test]
    fn the_authority_outlives_a_restart_and_its_keys_are_private() {
        let data = tempfile::tempdir().unwrap();
        let first = Pki::open(data.path(), &[], NOW).unwrap().fingerprint();
        assert_eq!(Pki::open(data.path(), &[], NOW).unwrap().fingerprint(), first);
        for name in ["authority.key", "centre.key"] {
            let mode = fs::metadata(data.path().join("pki").join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn the_centres_certificate_is_made_again_near_its_end_and_for_new_names() {
        let data = tempfile::tempdir().unwrap();
        let first = Pki::open(data.path(), &[], NOW).unwrap().centre_pem;
        assert_eq!(Pki::open(data.path(), &[], NOW.plus_ms(86_400_000)).unwrap().centre_pem, first);
        let names = ["monitor.example".to_owned(), "192.0.2.1".to_owned(), "2001:db8::1".to_owned()];
        let second = Pki::open(data.path(), &names, NOW).unwrap().centre_pem;
        assert_ne!(second, first);
        assert_eq!(Pki::open(data.path(), &names, NOW).unwrap().centre_pem, second);
        let near_its_end = NOW.plus_ms(700 * 86_400_000);
        assert_ne!(Pki::open(data.path(), &names, near_its_end).unwrap().centre_pem, second);
    }

    #[test]
    fn a_request_with_a_changed_signature_is_refused() {
        let key = KeyPair::generate().unwrap();
        let mut der = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        assert!(CheckedRequest::new(&der).is_err());
        assert!(CheckedRequest::new(b"nonsense").is_err());
    }
}
