//! A hall of servers, one of each kind that agents check, well or broken in a telling way.
//!
//! Invariant: all are unmodified programs of Debian or PyPI, in a namespace of their own. A server that is broken is the same
//! program, told otherwise or treated badly. Mail is aiosmtpd, since a mail transport of Debian's would replace that of whoever
//! runs the tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{
    netns::{Node, run},
    process::{Process, START_WITHIN},
    snmpsim::venv,
};
use crate::clock;

/// The name that the servers' certificates are for, and that the name server knows.
pub const NAME: &str = "portal.example";

/// How a server is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// It is killed.
    Stopped,
    /// It stands still, with its port open.
    Hung,
    /// It shows a certificate that ended.
    Expired,
    /// It does not know the name.
    Unknown,
    /// Its clock is not synchronised.
    Unset,
    /// It answers that it cannot.
    Unavailable,
}

/// The servers.
#[derive(Debug)]
pub struct Hall {
    node: Node,
    ip: String,
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    name: &'static str,
    process: Option<Process>,
}

/// Name and port of each.
const SERVERS: [(&str, u16); 8] = [
    ("web", 80),
    ("secure-web", 443),
    ("names", 53),
    ("mail", 25),
    ("mailboxes", 143),
    ("directory", 389),
    ("time", 123),
    ("switchboard", 5060),
];

impl Hall {
    /// Starts all servers on `node`, whose address is `ip`, and waits until they listen.
    ///
    /// # Errors
    ///
    /// A program is not installed or does not start.
    pub fn open(node: &Node, ip: &str) -> Result<Self> {
        let dir = node.dir().display().to_string();
        certificates(node)?;
        node.file("dovecot.conf", &format!(
            "protocols = imap\nlisten = {ip}\nbase_dir = {dir}/dovecot\nlog_path = /dev/stderr\nssl = yes\nssl_cert = <{dir}/good.crt\n\
             ssl_key = <{dir}/server.key\ndefault_internal_user = nobody\ndefault_login_user = nobody\n\
             default_internal_group = nogroup\npassdb {{\n  driver = static\n  args = nopassword=y\n}}\n"
        ))?;
        std::fs::create_dir_all(node.dir().join("slapd")).context("make the directory's directory")?;
        node.file("slapd.conf", &format!(
            "include /etc/ldap/schema/core.schema\npidfile {dir}/slapd.pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             database mdb\nsuffix \"dc=example\"\ndirectory {dir}/slapd\n"
        ))?;
        for (file, clock) in [("chrony.conf", "local stratum 3\n"), ("chrony-unset.conf", "")] {
            node.file(file, &format!("{clock}allow all\ncmdport 0\npidfile {dir}/chrony.pid\nbindaddress {ip}\n"))?;
        }
        for (file, status) in [("sip.xml", "200 OK"), ("sip-unavailable.xml", "503 Service Unavailable")] {
            node.file(file, &format!(
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"options\"><recv request=\"OPTIONS\"/><send><![CDATA[\n\
                 SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]\n[last_Call-ID:]\n[last_CSeq:]\n\
                 Content-Length: 0\n\n]]></send></scenario>\n"
            ))?;
        }
        let servers = SERVERS.map(|(name, _)| Server { name, process: None }).into();
        let mut hall = Self { node: node.clone(), ip: ip.to_owned(), servers };
        for (name, _) in SERVERS {
            hall.start(name, None)?;
        }
        Ok(hall)
    }

    /// Returns the file with the certificate of the servers' authority.
    pub fn authority(&self) -> PathBuf {
        self.node.dir().join("ca.crt")
    }

    /// Breaks a server.
    ///
    /// # Errors
    ///
    /// There is no such server, or it does not start as it is told to.
    pub fn break_down(&mut self, name: &str, how: Break) -> Result<()> {
        match how {
            Break::Hung => self.server(name)?.process.as_mut().context("it does not run")?.signal("STOP"),
            Break::Stopped => self.stop(name),
            _ => {
                self.stop(name)?;
                self.start(name, Some(how))
            }
        }
    }

    /// Makes a server well again.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn mend(&mut self, name: &str) -> Result<()> {
        self.stop(name)?;
        self.start(name, None)
    }

    fn server(&mut self, name: &str) -> Result<&mut Server> {
        self.servers.iter_mut().find(|server| server.name == name).with_context(|| format!("no server {name}"))
    }

    /// Ends a server, with all that it started, and waits until its port is free.
    fn stop(&mut self, name: &str) -> Result<()> {
        let Some(mut process) = self.server(name)?.process.take() else { return Ok(()) };
        process.signal("CONT")?;
        // Asked to, since whoever has children takes them along then.
        process.signal("TERM")?;
        self.listens(name, false)
    }

    fn start(&mut self, name: &str, how: Option<Break>) -> Result<()> {
        let (program, args) = arguments(name, how, &self.ip)?;
        let mut command = self.node.command(program);
        command.args(args);
        let process = Process::start(&self.node, name, command)?;
        self.server(name)?.process = Some(process);
        self.listens(name, true)
    }

    fn listens(&self, name: &str, wanted: bool) -> Result<()> {
        let (_, port) =
            SERVERS.iter().find(|(known, _)| *known == name).with_context(|| format!("no server {name}"))?;
        let place = format!("{}:{port} ", self.ip);
        let listening = || Ok(self.node.run("ss", ["-Hlntu"])?.contains(&place));
        let what = format!("{name} {}", if wanted { "listens" } else { "has left" });
        clock::until(&what, START_WITHIN, listening, |is| *is == wanted).map(drop)
    }
}

/// Returns how a server is started.
fn arguments(name: &str, how: Option<Break>, ip: &str) -> Result<(String, Vec<String>)> {
    let texts = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let expired = how == Some(Break::Expired);
    let certificate = if expired { "expired.crt" } else { "good.crt" };
    let (program, args) = match name {
        "web" => ("python3", texts(&["-m", "http.server", "-b", ip, "80"])),
        "secure-web" => {
            let accept = format!("{ip}:443");
            ("openssl", texts(&["s_server", "-accept", &accept, "-key", "server.key", "-cert", certificate, "-www"]))
        }
        "names" => {
            let address = format!("--address=/{NAME}/{ip}");
            let knows = if how == Some(Break::Unknown) { "--local=/example/" } else { &address };
            let listen = format!("--listen-address={ip}");
            let args = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--user=root"];
            (
                "dnsmasq",
                texts(&[&args[..], &["--pid-file=", "--log-facility=-", "--bind-interfaces", &listen, knows]].concat()),
            )
        }
        "mail" => {
            let (program, listen) = (venv().join("bin/aiosmtpd").display().to_string(), format!("{ip}:25"));
            let args = ["-n", "-l", &listen, "--no-requiretls", "--tlskey", "server.key", "--tlscert", certificate];
            return Ok((program, texts(&args)));
        }
        "mailboxes" => ("dovecot", texts(&["-F", "-c", "dovecot.conf"])),
        "directory" => ("slapd", texts(&["-d", "0", "-f", "slapd.conf", "-h", &format!("ldap://{ip}")])),
        "time" => {
            let file = if how == Some(Break::Unset) { "chrony-unset.conf" } else { "chrony.conf" };
            ("chronyd", texts(&["-x", "-d", "-u", "root", "-f", file]))
        }
        "switchboard" => {
            let file = if how == Some(Break::Unavailable) { "sip-unavailable.xml" } else { "sip.xml" };
            ("sipp", texts(&["-sf", file, "-i", ip, "-p", "5060", "-nostdin"]))
        }
        _ => bail!("no server {name}"),
    };
    Ok((program.to_owned(), args))
}

/// Makes an authority, and two certificates of it: one that holds, and one that ended.
fn certificates(node: &Node) -> Result<()> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let authority = ["-x509", "-days", "3650", "-subj", "/CN=the ministry", "-keyout", "ca.key", "-out", "ca.crt"];
    let openssl = |args: Vec<&str>| node.run("openssl", args).map(drop);
    let old = "2024-01-01 00:00:00";
    node.run("faketime", [old, "openssl", "req"].into_iter().chain(key).chain(authority))?;
    let subject = format!("/CN={NAME}");
    let request = ["-subj", &subject, "-keyout", "server.key", "-out", "server.csr"];
    openssl(["req"].into_iter().chain(key).chain(request).collect())?;
    run("chmod", [Path::new("600"), &node.dir().join("server.key")])?;
    node.file("names", &format!("subjectAltName = DNS:{NAME}\n"))?;
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    let sign = |file: &'static str| sign.into_iter().chain(["-extfile", "names", "-days", "60", "-out", file]);
    openssl(sign("good.crt").collect())?;
    node.run("faketime", [old, "openssl"].into_iter().chain(sign("expired.crt")))?;
    Ok(())
}
