//! Net-SNMP's agent as the other side: versions, protocols, and the exact word for each way to be refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use onenet_snmp::{
    AuthProtocol, Budget, Credentials, Inspection, PrivacyProtocol, Profiles, RequestError, Session, Silence, Sockets,
    Target, V3Security, V3User, inspect, poll_system,
};

const PHRASE: &str = "authpass123";
const PRIVACY_PHRASE: &str = "privpass123";

/// Not `snmpd.conf`, which is what snmpd calls its state in the same directory: the boots of its engine, among others.
const CONFIGURATION: &str = "agent.conf";

/// How long snmpd may take to answer its first question.
const READY_MAX: Duration = Duration::from_secs(30);

/// snmpd on a free port of the loopback, with its own configuration and no state; killed when dropped.
struct Snmpd {
    process: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl Snmpd {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = free_port();
        std::fs::write(directory.path().join(CONFIGURATION), configuration_for(address)).unwrap();
        let process = spawn(directory.path()).expect("snmpd is installed (Debian package snmpd)");
        let snmpd = Self { process, address, directory };
        let deadline = deadline();
        while let Err(error) = snmpd.inspect(&Credentials::community("public").unwrap()).await {
            assert!(expired(deadline) < READY_MAX, "snmpd does not answer: {error}");
        }
        snmpd
    }

    async fn inspect(&self, credentials: &Credentials) -> Result<Inspection, RequestError> {
        let sockets = Sockets::open(1).await.unwrap();
        inspect(&sockets, Target(self.address), credentials, Budget::default(), &Profiles::built_in()).await
    }

    async fn refusal(&self, user: V3User) -> RequestError {
        self.inspect(&Credentials::user(user).unwrap()).await.unwrap_err()
    }
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a deadline of a test")]
fn deadline() -> Instant {
    Instant::now()
}

fn expired(since: Instant) -> Duration {
    since.elapsed()
}

fn free_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap()
}

fn spawn(directory: &Path) -> io::Result<Child> {
    Command::new("snmpd")
        .args(["-f", "-Ln", "-I", "-smux", "-C", "-c"])
        .arg(directory.join(CONFIGURATION))
        .env("SNMP_PERSISTENT_DIR", directory)
        .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn configuration_for(address: SocketAddr) -> String {
    let users = USERS.iter().map(|(name, auth, _, privacy, _)| {
        format!("createUser {name} {auth} {PHRASE} {privacy} {PRIVACY_PHRASE}\nrouser {name} priv\n")
    });
    let matrix = AUTHENTICATIONS.iter().flat_map(|(auth, _)| {
        let signer = format!("createUser {auth} {auth} {PHRASE}\nrouser {auth} auth\n");
        let encrypting = PRIVACIES.iter().map(move |(privacy, _)| {
            let name = format!("{auth}-{privacy}");
            format!("createUser {name} {auth} {PHRASE} {privacy} {PRIVACY_PHRASE}\nrouser {name} priv\n")
        });
        encrypting.chain([signer])
    });
    let users = users.chain(matrix);
    format!(
        "agentaddress udp:{address}\nrocommunity public 127.0.0.1\nsysName tester\nsysLocation 北京\n\
         createUser signer SHA {PHRASE}\nrouser signer auth\n\
         createUser anybody\nrouser anybody noauth\n{}",
        users.collect::<String>()
    )
}

type UserRow = (&'static str, &'static str, AuthProtocol, &'static str, PrivacyProtocol);

const USERS: [UserRow; 5] = [
    ("md5des", "MD5", AuthProtocol::Md5, "DES", PrivacyProtocol::Des),
    ("shaaes", "SHA", AuthProtocol::Sha1, "AES", PrivacyProtocol::Aes128),
    ("sha256aes", "SHA-256", AuthProtocol::Sha256, "AES", PrivacyProtocol::Aes128),
    ("sha384aes192", "SHA-384", AuthProtocol::Sha384, "AES-192", PrivacyProtocol::Aes192),
    ("sha512aes256", "SHA-512", AuthProtocol::Sha512, "AES-256", PrivacyProtocol::Aes256),
];

/// What Debian's snmpd authenticates with, by its words.
const AUTHENTICATIONS: [(&str, AuthProtocol); 6] = [
    ("MD5", AuthProtocol::Md5),
    ("SHA", AuthProtocol::Sha1),
    ("SHA-224", AuthProtocol::Sha224),
    ("SHA-256", AuthProtocol::Sha256),
    ("SHA-384", AuthProtocol::Sha384),
    ("SHA-512", AuthProtocol::Sha512),
];

/// And what it encrypts with.
const PRIVACIES: [(&str, PrivacyProtocol); 4] = [
    ("DES", PrivacyProtocol::Des),
    ("AES", PrivacyProtocol::Aes128),
    ("AES-192", PrivacyProtocol::Aes192),
    ("AES-256", PrivacyProtocol::Aes256),
];

fn encrypted(name: &str, auth: AuthProtocol, privacy: PrivacyProtocol) -> V3User {
    let security = V3Security::Encrypted { auth, auth_key: PHRASE.into(), privacy, privacy_key: PRIVACY_PHRASE.into() };
    V3User { name: name.to_owned(), security, context: String::new() }
}

fn with_keys(mut user: V3User, phrase: &str, privacy_phrase: &str) -> V3User {
    if let V3Security::Encrypted { auth_key, privacy_key, .. } = &mut user.security {
        *auth_key = phrase.into();
        *privacy_key = privacy_phrase.into();
    }
    user
}

#[tokio::test]
#[ignore = "needs snmpd"]
async fn every_version_and_protocol_reads_the_same_device() {
    let snmpd = Snmpd::start().await;
    let plain = snmpd.inspect(&Credentials::community("public").unwrap()).await.unwrap();
    assert_eq!(plain.system.name.get().map(String::as_str), Some("tester"));
    assert_eq!(plain.system.location.get().map(String::as_str), Some("北京"));
    assert_eq!(plain.system.vendor, Some("net-snmp"));
    let names = |inspection: &Inspection| -> Vec<Option<String>> {
        inspection.interfaces.iter().map(|interface| interface.label.name.clone()).collect()
    };
    assert!(names(&plain).contains(&Some("lo".to_owned())));
    for (name, _, auth, _, privacy) in USERS {
        let secured = snmpd.inspect(&Credentials::user(encrypted(name, auth, privacy)).unwrap()).await;
        let secured = secured.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(secured.version, "v3");
        assert_eq!(names(&secured), names(&plain), "{name}");
        // By v3 the id is the one that the answers were verified with, by v2c the one that the device tells.
        assert!(plain.identity.engine_id.filled().is_some_and(|id| id.starts_with("80")), "{:?}", plain.identity);
        assert_eq!(secured.identity.engine_id, plain.identity.engine_id, "{name}");
    }
}

#[tokio::test]
#[ignore = "needs snmpd"]
async fn every_way_to_be_refused_has_its_own_word() {
    let snmpd = Snmpd::start().await;
    let user = || encrypted("shaaes", AuthProtocol::Sha1, PrivacyProtocol::Aes128);

    let error = snmpd.refusal(encrypted("nobody", AuthProtocol::Sha1, PrivacyProtocol::Aes128)).await;
    assert!(matches!(&error, RequestError::UnknownUser { user, .. } if user == "nobody"), "{error}");

    let error = snmpd.refusal(with_keys(user(), "wrongpass123", PRIVACY_PHRASE)).await;
    assert!(matches!(&error, RequestError::WrongAuthKey { user, .. } if user == "shaaes"), "{error}");
    let error = snmpd.refusal(encrypted("shaaes", AuthProtocol::Md5, PrivacyProtocol::Aes128)).await;
    assert!(matches!(&error, RequestError::WrongAuthKey { .. }), "{error}");

    let error = snmpd.refusal(with_keys(user(), PHRASE, "wrongpass123")).await;
    assert!(matches!(&error, RequestError::NoAnswer { reason: Silence::Encrypted, .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("authenticated, but encrypted requests stay unanswered: check the privacy key and protocol")
    );

    let error = snmpd.refusal(encrypted("signer", AuthProtocol::Sha1, PrivacyProtocol::Aes128)).await;
    assert!(error.to_string().contains("security level"), "{error}");

    let error = snmpd.inspect(&Credentials::community("wrong").unwrap()).await.unwrap_err();
    assert!(matches!(&error, RequestError::NoAnswer { reason: Silence::CommunityRejected, tries: 2, .. }), "{error}");
}

#[tokio::test]
#[ignore = "needs snmpd"]
async fn a_device_that_comes_back_is_read_again_by_the_same_session() {
    let mut snmpd = Snmpd::start().await;
    let sockets = Sockets::open(1).await.unwrap();
    let credentials = Credentials::user(encrypted("shaaes", AuthProtocol::Sha1, PrivacyProtocol::Aes128)).unwrap();
    let mut session = Session::open(&sockets, snmpd.address, &credentials).await.unwrap();
    poll_system(&mut session).await.unwrap();

    snmpd.process.kill().unwrap();
    snmpd.process.wait().unwrap();
    session.begin_round(Budget::default());
    let error = poll_system(&mut session).await.unwrap_err();
    assert!(matches!(error, RequestError::NoAnswer { reason: Silence::PortClosed, .. }), "{error}");

    let directory = snmpd.directory.path();
    snmpd.process = spawn(directory).unwrap();
    let deadline = deadline();
    loop {
        session.begin_round(Budget::default());
        match poll_system(&mut session).await {
            Ok(system) => break assert_eq!(system.name.get().map(String::as_str), Some("tester")),
            Err(error) => assert!(expired(deadline) < READY_MAX, "{error}"),
        }
    }
}

async fn name_told(sockets: &Sockets, at: SocketAddr, user: V3User) -> Result<Option<String>, RequestError> {
    let credentials = Credentials::user(user).unwrap();
    let mut session = Session::open(sockets, at, &credentials).await?;
    poll_system(&mut session).await.map(|system| system.name.get().cloned())
}

fn at_level(name: &str, security: V3Security) -> V3User {
    V3User { name: name.to_owned(), security, context: String::new() }
}

#[tokio::test]
#[ignore = "needs snmpd"]
async fn every_authentication_works_with_every_encryption_and_with_none() {
    let snmpd = Snmpd::start().await;
    let sockets = Sockets::open(1).await.unwrap();
    let told = async |user: V3User| {
        let name = user.name.clone();
        name_told(&sockets, snmpd.address, user).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    for (word, auth) in AUTHENTICATIONS {
        let signed = V3Security::Authenticated { auth, auth_key: PHRASE.into() };
        assert_eq!(told(at_level(word, signed)).await.as_deref(), Some("tester"), "{word}");
        for (other, privacy) in PRIVACIES {
            let user = encrypted(&format!("{word}-{other}"), auth, privacy);
            assert_eq!(told(user).await.as_deref(), Some("tester"), "{word} with {other}");
        }
    }
    assert_eq!(told(at_level("anybody", V3Security::None)).await.as_deref(), Some("tester"));
}

#[tokio::test]
#[ignore = "needs snmpd"]
async fn wrong_users_and_keys_are_named_at_every_level_and_with_every_protocol() {
    let snmpd = Snmpd::start().await;
    let sockets = Sockets::open(1).await.unwrap();
    let refusal = async |user: V3User| name_told(&sockets, snmpd.address, user).await.unwrap_err();
    let error = refusal(at_level("nobody", V3Security::None)).await;
    assert!(matches!(&error, RequestError::UnknownUser { .. }), "{error}");
    for (word, auth) in AUTHENTICATIONS {
        let signed = V3Security::Authenticated { auth, auth_key: "wrongpass123".into() };
        let error = refusal(at_level(word, signed)).await;
        assert!(matches!(&error, RequestError::WrongAuthKey { .. }), "{word}: {error}");
    }
    for (word, privacy) in PRIVACIES {
        let user = encrypted(&format!("SHA-{word}"), AuthProtocol::Sha1, privacy);
        let error = refusal(with_keys(user, PHRASE, "wrongpass123")).await;
        assert!(matches!(&error, RequestError::NoAnswer { reason: Silence::Encrypted, .. }), "{word}: {error}");
    }
    // DES takes whole blocks: whether a message of AES can be one is a matter of its length.
    let error = refusal(encrypted("SHA-DES", AuthProtocol::Sha1, PrivacyProtocol::Aes128)).await;
    let told = matches!(
        &error,
        RequestError::WrongPrivacyKey { .. } | RequestError::NoAnswer { reason: Silence::Encrypted, .. }
    );
    assert!(told, "another protocol: {error}");
}

/// A box that was replaced has another engine, and its boots begin again.
#[tokio::test]
#[ignore = "needs snmpd"]
async fn a_device_that_became_another_engine_is_read_again_by_the_same_session() {
    let mut snmpd = Snmpd::start().await;
    let sockets = Sockets::open(1).await.unwrap();
    let credentials = Credentials::user(encrypted("shaaes", AuthProtocol::Sha1, PrivacyProtocol::Aes128)).unwrap();
    let mut session = Session::open(&sockets, snmpd.address, &credentials).await.unwrap();
    poll_system(&mut session).await.unwrap();
    let before = session.engine_id().unwrap();

    snmpd.process.kill().unwrap();
    snmpd.process.wait().unwrap();
    std::fs::remove_file(snmpd.directory.path().join("snmpd.conf")).unwrap();
    snmpd.process = spawn(snmpd.directory.path()).unwrap();
    let deadline = deadline();
    loop {
        session.begin_round(Budget::default());
        match poll_system(&mut session).await {
            Ok(system) => break assert_eq!(system.name.get().map(String::as_str), Some("tester")),
            Err(error) => assert!(expired(deadline) < READY_MAX, "{error}"),
        }
    }
    assert_ne!(session.engine_id().unwrap(), before);
    assert!(session.quirks().is_empty(), "{:?}", session.quirks());
}
