//! Transport security between agent and centre, and THE one file that names the crypto provider (ring): another one,
//! with SM2/SM3/SM4 suites for example, is put in here.
//!
//! Trust: the centre runs a certificate authority of its own. An agent trusts exactly that one: at enrolment by the
//! fingerprint that its token carries, later by the certificate it stored. The centre's certificate is issued for the fixed
//! name [`SERVER_NAME`], so the address by which an agent reaches it may be any; agents' certificates carry their
//! [`Identity`] as a URI and are good for clients only, so that no agent can pose as the centre.
//!
//! Time: an agent's clock is not trusted, and a dead clock must not lock it out (invariant 4). So an agent judges the
//! centre's chain as of the moment at which its leaf became valid; only the centre, whose clock is kept, judges expiry.
//!
//! This file does not know how certificates are issued, stored or revoked.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use onenet_topology::{AgentId, SiteId};
use ring::rand::SecureRandom as _;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tonic::transport::ServerTlsConfig;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// The name for which the centre's certificate is issued, whatever its address.
pub const SERVER_NAME: &str = "centre.onenet.internal";
/// How long a handshake may take: county lines lose packets, but a peer that says nothing must not hold a slot.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// What stands in front of an [`Identity`] in a certificate.
const IDENTITY_PREFIX: &str = "urn:onenet:";

/// Transport security could not be set up, or a certificate does not say what it must.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The own key and certificate do not go together, or the key is of an unknown kind.
    #[error("the key and certificate cannot be used together: enrol again")]
    OwnCertificate(#[source] rustls::Error),
    /// The provider does not do what is needed.
    #[error("the crypto provider does not support TLS 1.3")]
    Provider(#[source] rustls::Error),
    /// A certificate is not a certificate.
    #[error("the certificate cannot be read")]
    UnreadableCertificate(#[source] x509_parser::nom::Err<x509_parser::error::X509Error>),
    /// A certificate names no agent.
    #[error("the certificate names no agent and site (no URI {IDENTITY_PREFIX}…): enrol again")]
    NoIdentity,
}

/// The chain that the centre presented does not end at the expected authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the centre's certificate was issued by {presented}, expected {expected}")]
pub struct WrongAuthority {
    /// The authority to trust.
    pub expected: Fingerprint,
    /// The last certificate that the centre presented.
    pub presented: Fingerprint,
}

/// The random source of the system does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source does not answer: check that /dev/urandom can be read")]
pub struct NoRandomness;

/// SHA-256 of a certificate in DER. Written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits")]
pub struct InvalidFingerprint;

/// Whom a certificate names: an agent, and the one site that it may report for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The site.
    pub site: SiteId,
    /// The agent.
    pub agent: AgentId,
}

/// Checks the centre's chain against one authority.
#[derive(Debug)]
struct CentreVerifier {
    authority: Authority,
    provider: Arc<CryptoProvider>,
}

/// The one authority to trust.
#[derive(Debug)]
enum Authority {
    Known(CertificateDer<'static>),
    Pinned(Fingerprint),
}

impl Fingerprint {
    /// Returns the fingerprint of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        Self(sha256(certificate))
    }

    /// Returns the fingerprint of which these are the bytes.
    pub const fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Returns its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::token::from_hex(text).map(Self).ok_or(InvalidFingerprint)
    }
}

impl Identity {
    /// Returns the URI that stands in the certificate as a subject alternative name.
    pub fn uri(&self) -> String {
        format!("{IDENTITY_PREFIX}{}:{}", self.site, self.agent)
    }

    /// Returns the identity that a URI names, `None` for any other URI.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (site, agent) = uri.strip_prefix(IDENTITY_PREFIX)?.split_once(':')?;
        Some(Self { site: site.parse().ok()?, agent: agent.parse().ok()? })
    }

    /// Returns whom a certificate names. The chain must have been verified already, as the peer certificates of a
    /// connection are.
    ///
    /// # Errors
    /// The certificate cannot be read, or names nobody.
    pub fn from_certificate(certificate: &[u8]) -> Result<Self, TlsError> {
        let certificate = parse(certificate)?;
        let names = certificate.subject_alternative_name().ok().flatten().ok_or(TlsError::NoIdentity)?;
        let uri = |name: &GeneralName<'_>| match name {
            GeneralName::URI(uri) => Self::from_uri(uri),
            _ => None,
        };
        names.value.general_names.iter().find_map(uri).ok_or(TlsError::NoIdentity)
    }

    /// Returns whom the client of a request is: pass `request.peer_certs()`. `None` when it has no certificate, as at
    /// enrolment.
    ///
    /// # Errors
    /// The certificate cannot be read, or names nobody.
    pub fn of_peer(certificates: Option<&[CertificateDer<'_>]>) -> Result<Option<Self>, TlsError> {
        certificates.and_then(<[_]>::first).map(|leaf| Self::from_certificate(leaf)).transpose()
    }
}

/// Returns when a certificate in DER ends, in milliseconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// It cannot be read.
pub fn expires_ms(certificate: &[u8]) -> Result<i64, TlsError> {
    Ok(parse(certificate)?.validity().not_after.timestamp().saturating_mul(1_000))
}

/// Returns the crypto provider.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Makes the provider the process's default: call it first thing in `main`, more than once does no harm.
pub fn install() {
    // Refused only when there is one already, which is the wanted state.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Returns the SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}

/// Returns `N` bytes that nobody can guess.
///
/// # Errors
/// The system's random source does not answer.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Returns how an agent without a certificate connects: to exactly the centre whose chain holds the authority of this
/// fingerprint.
///
/// # Errors
/// The provider does not support TLS 1.3.
pub fn enrolment_client(authority: Fingerprint) -> Result<ClientConfig, TlsError> {
    Ok(alpn(client(Authority::Pinned(authority))?.with_no_client_auth()))
}

/// Returns how an enrolled agent connects. `key` is PKCS #8, all certificates are DER, the chain leaf first.
///
/// # Errors
/// Key and certificate do not go together.
pub fn mutual_client(
    authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, TlsError> {
    client(Authority::Known(authority))?.with_client_auth_cert(chain, key).map(alpn).map_err(TlsError::OwnCertificate)
}

/// Returns how the centre accepts connections: a client certificate of its authority is verified where there is one, and
/// is not asked for where there is none (enrolment). All in PEM.
///
/// `chain_pem` is the leaf, issued for [`SERVER_NAME`], FOLLOWED BY THE AUTHORITY'S OWN CERTIFICATE: an agent that enrols
/// knows only its fingerprint.
pub fn server(authority_pem: &str, chain_pem: &str, key_pem: &str) -> ServerTlsConfig {
    ServerTlsConfig::new()
        .identity(tonic::transport::Identity::from_pem(chain_pem, key_pem))
        .client_ca_root(tonic::transport::Certificate::from_pem(authority_pem))
        .client_auth_optional(true)
        .timeout(HANDSHAKE_TIMEOUT)
}

/// Returns the name to connect to, for the handshake.
pub fn server_name() -> ServerName<'static> {
    ServerName::DnsName(
        rustls_pki_types::DnsName::try_from(SERVER_NAME)
            .unwrap_or_else(|_| unreachable!("a constant, proved by a test")),
    )
}

/// Returns the two authorities when a handshake failed because they differ.
pub fn wrong_authority(error: &rustls::Error) -> Option<WrongAuthority> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => inner.downcast_ref().copied(),
        _ => None,
    }
}

fn client(
    authority: Authority,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, TlsError> {
    let provider = provider();
    let verifier = Arc::new(CentreVerifier { authority, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]);
    Ok(builder.map_err(TlsError::Provider)?.dangerous().with_custom_certificate_verifier(verifier))
}

fn alpn(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, TlsError> {
    X509Certificate::from_der(certificate).map(|(_, certificate)| certificate).map_err(TlsError::UnreadableCertificate)
}

impl CentreVerifier {
    /// Returns the authority to verify against, where the presented chain has it.
    fn authority<'a>(
        &'a self,
        end_entity: &'a CertificateDer<'_>,
        intermediates: &'a [CertificateDer<'_>],
    ) -> Result<CertificateDer<'a>, WrongAuthority> {
        match &self.authority {
            Authority::Known(authority) => Ok(authority.as_ref().into()),
            Authority::Pinned(expected) => intermediates
                .iter()
                .find(|certificate| Fingerprint::of(certificate) == *expected)
                .map(|certificate| CertificateDer::from(certificate.as_ref()))
                .ok_or_else(|| WrongAuthority { expected: *expected, presented: last(end_entity, intermediates) }),
        }
    }

    fn expected(&self) -> Fingerprint {
        match &self.authority {
            Authority::Known(authority) => Fingerprint::of(authority),
            Authority::Pinned(fingerprint) => *fingerprint,
        }
    }
}

impl ServerCertVerifier for CentreVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = self.authority(end_entity, intermediates).map_err(refuse)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&self.provider));
        let verifier = verifier.build().map_err(|error| rustls::Error::General(error.to_string()))?;
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, valid_from(end_entity)?);
        // The centre always presents its authority's certificate, so when ours is not there, that is what is wrong.
        let presented = intermediates.iter().any(|certificate| Fingerprint::of(certificate) == self.expected());
        verified.map_err(|error| {
            if presented {
                return error;
            }
            refuse(WrongAuthority { expected: self.expected(), presented: last(end_entity, intermediates) })
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn refuse(wrong: WrongAuthority) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(wrong))))
}

fn last(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Fingerprint {
    Fingerprint::of(intermediates.last().unwrap_or(end_entity))
}

/// Returns when a certificate became valid.
fn valid_from(certificate: &CertificateDer<'_>) -> Result<UnixTime, rustls::Error> {
    let unreadable = || rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
    let certificate = parse(certificate).map_err(|_| unreadable())?;
    let seconds = u64::try_from(certificate.validity().not_before.timestamp()).map_err(|_| unreadable())?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}
