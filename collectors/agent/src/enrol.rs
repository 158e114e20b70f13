//! How an agent gets its identity: a key made here, a certificate issued by the centre for a one-time token.
//!
//! Invariants: the key never leaves this machine, and its file is readable by its owner only. The centre is trusted only when
//! its chain holds the authority whose fingerprint the token carries. The folder `identity` is complete or absent, whenever
//! the power fails; the token is used only after the folder proved writable.
//!
//! Format: `identity/key.pem` (PKCS #8), `identity/certificate.pem` (leaf first), `identity/authority.pem`,
//! `identity/site.txt` (the site's name, for people). Who the agent is stands in the certificate.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use onenet_wire::{
    EnrolRequest, EnrolResponse, Invalid,
    tls::{self, Fingerprint, Identity, TlsError},
    token::{InvalidToken, Token},
    v1,
};
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use tonic::{Code, Status};

use crate::uplink::{ConnectError, connect};

/// The folder within the data folder.
const FOLDER: &str = "identity";
const KEY: &str = "key.pem";
const CERTIFICATE: &str = "certificate.pem";
const AUTHORITY: &str = "authority.pem";
const SITE: &str = "site.txt";
/// How long the connection, and then the answer, may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Who this agent is, and how it proves it.
#[derive(Debug)]
pub struct Credentials {
    /// Site and agent, as the certificate names them.
    pub identity: Identity,
    /// The site's name when the agent enrolled.
    pub site_name: String,
    authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// The agent was not enrolled. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The token is not one.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// There is an identity already.
    #[error("this agent is enrolled already, in {folder}: to give it another identity, move that folder away first")]
    AlreadyEnrolled {
        /// Where.
        folder: PathBuf,
    },
    /// The identity cannot be stored. The token is unused.
    #[error("the identity cannot be written to {folder}: check that the folder belongs to the user who enrols")]
    Folder {
        /// Where.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The certificate was issued but cannot be stored. The token is used.
    #[error("the certificate cannot be written to {folder}; the token is used: make room and enrol with a new one")]
    Store {
        /// Where.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No key or request could be made.
    #[error("no key could be made")]
    Key(#[source] rcgen::Error),
    /// Transport security failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The centre was not reached, or is another one. The token is unused.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The centre refuses the token.
    #[error("the centre refuses the token ({}): a token works once and only for a while; print a new one with `onenetd enrol SITE`", .status.message())]
    Refused {
        /// What the centre says.
        status: Box<Status>,
    },
    /// The centre failed, or the line did. The token may be used.
    #[error("the centre did not issue a certificate ({}): try again; if the token is refused then, print a new one", .status.message())]
    Failed {
        /// What the centre or the transport says.
        status: Box<Status>,
    },
    /// The answer is not of this version.
    #[error("the centre's answer is not understood: bring agent and centre to the same version")]
    Answer(#[source] Invalid),
    /// The certificate is not what was asked for.
    #[error("the centre's certificate is not for this agent and authority: tell whoever runs the centre")]
    Mismatch,
}

/// The stored identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There is none.
    #[error(
        "this agent is not enrolled ({folder} is missing): run `onenet-agent enrol` with a token of `onenetd enrol SITE`"
    )]
    NotEnrolled {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("{file} cannot be read: check that it belongs to the agent's user")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file is not PEM.
    #[error("{file} is damaged: move the folder away and enrol again")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Key and certificate do not serve.
    #[error("the identity in {folder} cannot be used: move the folder away and enrol again")]
    Unusable {
        /// Where.
        folder: PathBuf,
        /// What is wrong.
        #[source]
        source: TlsError,
    },
}

/// Enrols this agent with the centre at `address` (HOST:PORT) and stores its identity in `data`.
///
/// # Errors
/// Each variant of [`EnrolError`] says what to do, and whether the token is used.
pub async fn enrol(address: &str, token: &str, data: &Path) -> Result<Identity, EnrolError> {
    let token: Token = token.parse()?;
    let folder = data.join(FOLDER);
    if folder.exists() {
        return Err(EnrolError::AlreadyEnrolled { folder });
    }
    let staging = Staging::begin(data).map_err(|source| EnrolError::Folder { folder: folder.clone(), source })?;
    let key = rcgen::KeyPair::generate().map_err(EnrolError::Key)?;
    let written = staging.write(KEY, key.serialize_pem().as_bytes(), 0o600);
    written.map_err(|source| EnrolError::Folder { folder: folder.clone(), source })?;

    let response = ask(address, &token, &key).await?;
    let identity = check(&token, &response, &key)?;

    let written = staging
        .write(CERTIFICATE, pem_of(&response.certificate_chain).as_bytes(), 0o644)
        .and_then(|()| staging.write(AUTHORITY, pem_of([&response.ca_certificate]).as_bytes(), 0o644))
        .and_then(|()| staging.write(SITE, response.site_name.as_bytes(), 0o644))
        .and_then(|()| staging.finish(&folder));
    written.map_err(|source| EnrolError::Store { folder, source })?;
    Ok(identity)
}

async fn ask(address: &str, token: &Token, key: &rcgen::KeyPair) -> Result<EnrolResponse, EnrolError> {
    let params = rcgen::CertificateParams::new(Vec::new()).map_err(EnrolError::Key)?;
    let request = EnrolRequest {
        token: token.reveal(),
        certificate_request: params.serialize_request(key).map_err(EnrolError::Key)?.der().to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let channel = connect(address, tls::enrolment_client(token.authority())?, LIMIT).await?;
    let mut client = v1::enrolment_client::EnrolmentClient::new(channel);
    let mut request = tonic::Request::new(v1::EnrolRequest::from(request));
    request.set_timeout(LIMIT);
    let response = client.enrol(request).await.map_err(|status| {
        let refused = matches!(
            status.code(),
            Code::Unauthenticated
                | Code::PermissionDenied
                | Code::NotFound
                | Code::InvalidArgument
                | Code::FailedPrecondition
        );
        let status = Box::new(status);
        if refused { EnrolError::Refused { status } } else { EnrolError::Failed { status } }
    })?;
    EnrolResponse::try_from(response.into_inner()).map_err(EnrolError::Answer)
}

/// Checks that the certificate is for our key, of the token's authority, and names whom the answer names.
fn check(token: &Token, response: &EnrolResponse, key: &rcgen::KeyPair) -> Result<Identity, EnrolError> {
    if Fingerprint::of(&response.ca_certificate) != token.authority() {
        return Err(EnrolError::Mismatch);
    }
    let leaf = response.certificate_chain.first().ok_or(EnrolError::Mismatch)?;
    let identity = Identity::from_certificate(leaf)?;
    if identity != (Identity { site: response.site, agent: response.agent }) {
        return Err(EnrolError::Mismatch);
    }
    let chain = response.certificate_chain.iter().cloned().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    tls::mutual_client(response.ca_certificate.clone().into(), chain, key.into())?;
    Ok(identity)
}

impl Credentials {
    /// Reads the identity that [`enrol`] stored in `data`.
    ///
    /// # Errors
    /// There is none, or it cannot be read or used.
    pub fn load(data: &Path) -> Result<Self, CredentialsError> {
        let folder = data.join(FOLDER);
        if !folder.exists() {
            return Err(CredentialsError::NotEnrolled { folder });
        }
        let authority = certificates(&folder.join(AUTHORITY))?;
        let chain = certificates(&folder.join(CERTIFICATE))?;
        let file = folder.join(KEY);
        let key = PrivateKeyDer::from_pem_slice(&read(&file)?);
        let key = key.map_err(|source| CredentialsError::Damaged { file, source })?;
        let site_name = String::from_utf8_lossy(&read(&folder.join(SITE))?).into_owned();
        let unusable = |source| CredentialsError::Unusable { folder: folder.clone(), source };
        let (Some(authority), Some(leaf)) = (authority.into_iter().next(), chain.first()) else {
            return Err(unusable(TlsError::NoIdentity));
        };
        let identity = Identity::from_certificate(leaf).map_err(unusable)?;
        let credentials = Self { identity, site_name, authority, chain, key };
        credentials.client_config().map_err(unusable)?;
        Ok(credentials)
    }

    /// Returns how the agent connects.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        tls::mutual_client(self.authority.clone(), self.chain.clone(), self.key.clone_key())
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CredentialsError> {
    fs::read(file).map_err(|source| CredentialsError::Read { file: file.to_owned(), source })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let certificates = CertificateDer::pem_slice_iter(&read(file)?).collect::<Result<_, _>>();
    certificates.map_err(|source| CredentialsError::Damaged { file: file.to_owned(), source })
}

fn pem_of<'a>(certificates: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    let encode = |der: &Vec<u8>| pem::encode(&pem::Pem::new("CERTIFICATE", der.clone()));
    certificates.into_iter().map(encode).collect()
}

/// A folder that becomes the identity when it is complete, and vanishes when it does not.
#[derive(Debug)]
struct Staging {
    folder: PathBuf,
}

impl Staging {
    fn begin(data: &Path) -> io::Result<Self> {
        fs::create_dir_all(data)?;
        let folder = data.join("identity.new");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&folder)?,
        }
        Ok(Self { folder })
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(self.folder.join(name))?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn finish(&self, folder: &Path) -> io::Result<()> {
        fs::File::open(&self.folder)?.sync_all()?;
        fs::rename(&self.folder, folder)?;
        folder.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After `finish` it is not there any more; otherwise half an identity must not stay.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
