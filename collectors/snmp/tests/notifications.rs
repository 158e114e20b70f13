//! Traps and informs of net-snmp's own `snmptrap` and `snmpinform`, in every version and at every security level.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests included")]

use std::{
    net::UdpSocket,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use onenet_snmp::{
    AuthProtocol, Credentials, LocalEngine, Notification, NotificationVersion, PrivacyProtocol, Receiver, Refused,
    Taken, V3Security, V3User,
};

const ENGINE: [u8; 9] = [0x80, 0, 0, 0, 5, 0xa1, 0xa2, 0xa3, 0xa4];
const NOW_S: u64 = 5_000;
const LINK_DOWN: &str = "1.3.6.1.6.3.1.1.5.3";

/// A socket that net-snmp's programs send to, and what takes what they send.
struct Listener {
    socket: UdpSocket,
    receiver: Receiver,
    accepted: Vec<Credentials>,
}

/// What came of running a program.
struct Outcome {
    said: Vec<Notification>,
    refused: Vec<Refused>,
    success: bool,
    errors: String,
}

fn user(name: &str, security: V3Security) -> Credentials {
    Credentials::user(V3User { name: name.to_owned(), security, context: String::new() }).unwrap()
}

fn encrypted(auth: AuthProtocol, privacy: PrivacyProtocol) -> Credentials {
    let (auth_key, privacy_key) = ("signing phrase".into(), "hiding phrase".into());
    user("hidden", V3Security::Encrypted { auth, auth_key, privacy, privacy_key })
}

impl Listener {
    fn new(accepted: Vec<Credentials>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let engine = LocalEngine { id: ENGINE.to_vec(), boots: 4, started_s: NOW_S - 100 };
        Self { socket, receiver: Receiver::new(engine).unwrap(), accepted }
    }

    /// Runs a program of net-snmp and takes what it sends until it ends.
    fn run(&mut self, program: &str, arguments: &[&str]) -> Outcome {
        let to = self.socket.local_addr().unwrap().to_string();
        let values = ["1.3.6.1.2.1.2.2.1.1.7", "i", "7"];
        let version_1 = ["1.3.6.1.4.1.2011.2.23", "192.0.2.7", "2", "0", "4711"];
        let (before, rest) =
            if arguments.contains(&"-v1") { (&version_1[..], values) } else { (&["4711", LINK_DOWN][..], values) };
        let mut child = Command::new(program)
            .args(["-r", "1", "-t", "2", "-m", ""])
            .args(arguments)
            .arg(to)
            .args(before)
            .args(rest)
            .env("SNMP_PERSISTENT_DIR", persistent())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut said, mut refused) = (Vec::new(), Vec::new());
        let status = loop {
            let ended = child.try_wait().unwrap();
            // What it sent before it ended waits in the socket.
            while self.take(&mut said, &mut refused) {}
            if let Some(status) = ended {
                break status;
            }
        };
        Outcome { said, refused, success: status.success(), errors: errors_of(child) }
    }

    fn take(&mut self, said: &mut Vec<Notification>, refused: &mut Vec<Refused>) -> bool {
        let mut buffer = [0; 2048];
        let Ok((length, from)) = self.socket.recv_from(&mut buffer) else { return false };
        let Taken { said: now, answer } = self.receiver.take(&buffer[..length], &self.accepted, NOW_S);
        match now {
            Ok(notification) => said.push(notification),
            Err(why) => refused.push(why),
        }
        if let Some(answer) = answer {
            self.socket.send_to(&answer, from).unwrap();
        }
        true
    }
}

fn errors_of(child: Child) -> String {
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr).into_owned()
}

/// Where a program keeps its engine: a place of its own, so that runs side by side do not meet.
fn persistent() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("onenet-trap-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    std::env::temp_dir().join(name).display().to_string()
}

fn is_link_down(outcome: &Outcome, version: NotificationVersion, confirmed: bool) {
    let Outcome { said, refused, success, errors } = outcome;
    assert!(*success && !said.is_empty(), "{errors} {refused:?}");
    for notification in said {
        assert_eq!((notification.version, notification.confirmed), (version, confirmed), "{errors}");
        assert_eq!(notification.name.to_string(), LINK_DOWN);
        assert_eq!(notification.uptime_ticks, Some(4_711));
        assert_eq!(notification.value(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1]).unwrap().1.unsigned(), Some(7));
    }
}

#[test]
#[ignore = "needs net-snmp's snmptrap and snmpinform"]
fn traps_and_informs_with_a_community_are_told() {
    let mut listener = Listener::new(vec![Credentials::community("door").unwrap()]);
    is_link_down(&listener.run("snmptrap", &["-v2c", "-c", "door"]), NotificationVersion::V2c, false);
    is_link_down(&listener.run("snmpinform", &["-v2c", "-c", "door"]), NotificationVersion::V2c, true);
    let first = listener.run("snmptrap", &["-v1", "-c", "door"]);
    is_link_down(&first, NotificationVersion::V1, false);
    assert_eq!(first.said[0].agent_address, Some([192, 0, 2, 7].into()));
    let stranger = listener.run("snmpinform", &["-v2c", "-c", "window", "-r", "0"]);
    assert!(!stranger.success && stranger.said.is_empty());
    assert!(stranger.refused.iter().all(|why| *why == Refused::WrongCommunity), "{:?}", stranger.refused);
}

#[test]
#[ignore = "needs net-snmp's snmptrap and snmpinform"]
fn traps_and_informs_of_version_3_are_told_at_every_security_level() {
    use AuthProtocol as A;
    use PrivacyProtocol as P;
    let with_key = |auth| user("signed", V3Security::Authenticated { auth, auth_key: "signing phrase".into() });
    let mut cases = vec![(user("open", V3Security::None), vec!["-u", "open", "-l", "noAuthNoPriv"])];
    for (auth, word) in
        [(A::Md5, "MD5"), (A::Sha1, "SHA"), (A::Sha224, "SHA-224"), (A::Sha256, "SHA-256"), (A::Sha512, "SHA-512")]
    {
        let words = vec!["-u", "signed", "-l", "authNoPriv", "-a", word, "-A", "signing phrase"];
        cases.push((with_key(auth), words));
    }
    for (auth, auth_word, privacy, word) in [
        (A::Md5, "MD5", P::Des, "DES"),
        (A::Sha1, "SHA", P::Aes128, "AES"),
        (A::Sha256, "SHA-256", P::Aes192, "AES-192"),
        (A::Sha512, "SHA-512", P::Aes256, "AES-256"),
    ] {
        let words = ["-u", "hidden", "-l", "authPriv", "-a", auth_word, "-A", "signing phrase", "-x", word, "-X"];
        cases.push((encrypted(auth, privacy), [&words[..], &["hiding phrase"]].concat()));
    }
    for (credentials, words) in cases {
        let mut listener = Listener::new(vec![credentials]);
        let arguments = [&["-v3", "-e", "0x8000000005010203"][..], &words].concat();
        is_link_down(&listener.run("snmptrap", &arguments), NotificationVersion::V3, false);
        let arguments = [&["-v3"][..], &words].concat();
        is_link_down(&listener.run("snmpinform", &arguments), NotificationVersion::V3, true);
    }
}

#[test]
#[ignore = "needs net-snmp's snmptrap and snmpinform"]
fn a_wrong_key_user_or_level_is_refused_by_its_name() {
    let signed = V3Security::Authenticated { auth: AuthProtocol::Sha1, auth_key: "signing phrase".into() };
    for (words, why) in [
        (vec!["-u", "signed", "-l", "authNoPriv", "-a", "SHA", "-A", "another phrase"], Refused::WrongDigest),
        (vec!["-u", "nobody", "-l", "authNoPriv", "-a", "SHA", "-A", "signing phrase"], Refused::UnknownUser),
        (vec!["-u", "signed", "-l", "noAuthNoPriv"], Refused::SecurityLevel),
    ] {
        let mut listener = Listener::new(vec![user("signed", signed.clone())]);
        let inform = listener.run("snmpinform", &[&["-v3"][..], &words].concat());
        assert!(!inform.success && inform.said.is_empty(), "{words:?}");
        assert!(inform.refused.contains(&why), "{words:?}: {:?}", inform.refused);
        let trap = listener.run("snmptrap", &[&["-v3", "-e", "0x8000000005010203"][..], &words].concat());
        assert_eq!((trap.said.len(), trap.refused.as_slice()), (0, &[why][..]), "{words:?}");
    }
    let mut listener = Listener::new(vec![encrypted(AuthProtocol::Sha1, PrivacyProtocol::Aes128)]);
    let words = ["-v3", "-u", "hidden", "-l", "authPriv", "-a", "SHA", "-A", "signing phrase", "-x", "AES", "-X"];
    let inform = listener.run("snmpinform", &[&words[..], &["another phrase"]].concat());
    assert!(!inform.success && inform.refused.contains(&Refused::Undecryptable), "{:?}", inform.refused);
}

#[test]
#[ignore = "needs net-snmp's snmptrap and snmpinform"]
fn a_recorded_trap_is_refused_when_it_comes_again_later() {
    let key = V3Security::Authenticated { auth: AuthProtocol::Sha256, auth_key: "signing phrase".into() };
    let credentials = vec![user("signed", key)];
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let words = ["-v3", "-e", "0x8000000005010203", "-u", "signed", "-l", "authNoPriv", "-a", "SHA-256", "-A"];
    let sent = Command::new("snmptrap")
        .args(words)
        .args(["signing phrase", &socket.local_addr().unwrap().to_string(), "4711", LINK_DOWN])
        .env("SNMP_PERSISTENT_DIR", persistent())
        .status();
    assert!(sent.unwrap().success());
    let mut buffer = [0; 2048];
    let (length, _) = socket.recv_from(&mut buffer).unwrap();
    let engine = LocalEngine { id: ENGINE.to_vec(), boots: 4, started_s: 0 };
    let mut receiver = Receiver::new(engine).unwrap();
    assert!(receiver.take(&buffer[..length], &credentials, NOW_S).said.is_ok());
    assert!(receiver.take(&buffer[..length], &credentials, NOW_S + 149).said.is_ok());
    assert_eq!(receiver.take(&buffer[..length], &credentials, NOW_S + 151).said.unwrap_err(), Refused::OutOfTime);
}
