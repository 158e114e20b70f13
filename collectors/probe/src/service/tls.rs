//! TLS (RFC 8446, RFC 5246): hands are shaken with whoever answers, and what it shows is judged afterwards.
//!
//! Invariant: a certificate never ends a check, it is what is wrong with the answer; and nothing is said over such a connection that
//! a stranger may not hear. Each connection is a new one, so that the certificate is shown each time.

use std::{io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::{certificate, talk::Talk};
use crate::{Plan, clock, service::Problems};

/// Begins TLS over a conversation, notes what is wrong with the certificate, and returns when it ends.
///
/// # Errors
/// Hands cannot be shaken.
pub(super) async fn begin<'s>(
    talk: Talk<'s>,
    plan: &Plan,
    host: &str,
    problems: &mut Problems,
) -> Result<(Talk<'s>, Option<i64>), String> {
    let (stage, stream) = talk.into_stream()?;
    stage.waits_for("TLS handshake");
    let named = Some(plan.service.server_name.as_str()).filter(|name| !name.is_empty()).unwrap_or(host);
    let name = ServerName::try_from(named.to_owned()).map_err(|_| format!("{named:?} is no name for TLS"))?;
    let connector = TlsConnector::from(Arc::new(client()?));
    let stream = connector.connect(name.clone(), stream).await.map_err(|error| failed(&error))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
    let now = UnixTime::since_unix_epoch(clock::now().wall);
    // Whoever gave an address alone did not say what the server is called.
    let called = matches!(name, ServerName::DnsName(_)) || !plan.service.server_name.is_empty();
    let seen = certificate::judge(
        &chain,
        called.then_some(&name),
        plan.service.roots.as_ref(),
        now,
        plan.thresholds.certificate_days,
    );
    for problem in seen.problems {
        problems.note(Some(problem));
    }
    Ok((Talk::over(stage, Box::new(stream)), seen.ends_ms))
}

fn failed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection ends within the TLS handshake".to_owned(),
        _ => format!("TLS fails: {error}"),
    }
}

fn client() -> Result<ClientConfig, String> {
    let provider = onenet_wire::tls::provider();
    let verifier = Arc::new(Anyone(Arc::clone(&provider)));
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| format!("TLS cannot be spoken: {error}"))?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Lets everybody show a certificate. That its holder has the key to it is asked for as anywhere.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tolerant(verify_tls12_signature(message, certificate, signed, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tolerant(verify_tls13_signature(message, certificate, signed, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Lets pass what cannot be checked since the certificate is of an odd kind, which is said when it is judged.
fn tolerant(result: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
    match result {
        Err(Error::InvalidCertificate(odd)) if odd != CertificateError::BadSignature => {
            Ok(HandshakeSignatureValid::assertion())
        }
        result => result,
    }
}
