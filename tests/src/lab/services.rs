//! Real servers of a site and real clients that use them: names, web, TLS, shells, telephony.
//!
//! Invariant: both sides are unmodified programs of Debian, so what goes over the wire is what they make of it; only their
//! files live in the lab. Nothing is written outside: what a program wants elsewhere is mounted in its own mount namespace.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};

use super::{
    netns::{Node, run},
    process::{Process, START_WITHIN},
};
use crate::clock;

/// The name under which clients know the host of the servers.
pub const PORTAL: &str = "portal.example";
/// Ports of the servers.
pub const DNS_PORT: u16 = 53;
/// See [`DNS_PORT`].
pub const HTTP_PORT: u16 = 80;
/// See [`DNS_PORT`].
pub const TLS_PORT: u16 = 443;
/// See [`DNS_PORT`].
pub const SSH_PORT: u16 = 22;
/// See [`DNS_PORT`].
pub const SIP_PORT: u16 = 5060;
/// What clients fetch by HTTP, in bytes.
pub const DOCUMENT_BYTES: u64 = 200_000;
/// What clients read over SSH, in bytes.
pub const SHELL_BYTES: u64 = 100_000;

/// What sshd is told. Root's account may be locked on the machine, which is why it gets a shadow file of its own.
const SSHD: &str = "mount -t tmpfs tmpfs /run && mkdir /run/sshd && printf 'root:*:1::::::\\n' > shadow && \
                    chmod 600 shadow && mount --bind shadow /etc/shadow && exec /usr/sbin/sshd -D -e -f sshd_config";
/// Runs a client with the site's resolver as the machine's.
const WITH_RESOLVER: &str = "mount --bind resolv.conf /etc/resolv.conf && exec \"$@\"";

/// Running servers, all on one host.
#[derive(Debug)]
pub struct Services {
    ip: Ipv4Addr,
    key: std::path::PathBuf,
    _processes: Vec<Process>,
}

impl Services {
    /// Starts the servers on `node`, whose `eth0` has the address `ip`, and waits until they listen.
    ///
    /// # Errors
    ///
    /// A program is not installed or does not start.
    pub fn start(node: &Node, ip: Ipv4Addr) -> Result<Self> {
        node.file("document", &"x".repeat(usize::try_from(DOCUMENT_BYTES)?))?;
        let subject = format!("/CN={PORTAL}");
        let key =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
        node.run("openssl", key.into_iter().chain(["-subj", &subject, "-keyout", "tls.key", "-out", "tls.crt"]))?;
        for name in ["host_key", "user_key"] {
            node.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", name])?;
        }
        let dir = node.dir().display();
        let sshd = format!(
            "Port {SSH_PORT}\nListenAddress {ip}\nHostKey {dir}/host_key\nAuthorizedKeysFile {dir}/user_key.pub\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        );
        node.file("sshd_config", &sshd)?;
        let (ip_text, address) = (ip.to_string(), format!("--address=/{PORTAL}/{ip}"));
        let dns = [
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-hosts",
            "--no-resolv",
            "--user=root",
            "--pid-file=",
        ];
        let dns = dns.into_iter().chain(["--log-facility=-", "--bind-interfaces", "--except-interface=lo", &address]);
        let port = |port: u16| port.to_string();
        let processes = vec![
            server(node, "dnsmasq", "dns", dns)?,
            server(node, "python3", "http", ["-m", "http.server", "-b", &ip_text, &port(HTTP_PORT)])?,
            server(
                node,
                "openssl",
                "tls",
                ["s_server", "-accept", &port(TLS_PORT), "-key", "tls.key", "-cert", "tls.crt", "-www"],
            )?,
            server(node, "sh", "sshd", ["-c", SSHD])?,
            server(node, "sipp", "sip", ["-sn", "uas", "-i", &ip_text, "-p", &port(SIP_PORT), "-nostdin"])?,
        ];
        let listening = || node.run("ss", ["-Hlntu"]);
        let all = |text: &String| {
            [DNS_PORT, HTTP_PORT, TLS_PORT, SSH_PORT, SIP_PORT].iter().all(|port| text.contains(&format!(":{port} ")))
        };
        clock::until("all servers listen", START_WITHIN, listening, all)?;
        Ok(Self { ip, key: node.dir().join("user_key"), _processes: processes })
    }

    /// Uses every server once from `client`, as a person at a terminal would.
    ///
    /// # Errors
    ///
    /// A server does not give what it has to.
    pub fn use_all(&self, client: &Node) -> Result<()> {
        client.file("resolv.conf", &format!("nameserver {}\n", self.ip))?;
        let curl = |url: &str| {
            let args = ["-ec", WITH_RESOLVER, "sh", "curl", "-sSk", "--max-time", "20", url];
            client.run("sh", args)
        };
        let document = curl(&format!("http://{PORTAL}/document"))?;
        ensure!(document.len() as u64 == DOCUMENT_BYTES, "the document has {} bytes", document.len());
        let page = curl(&format!("https://{PORTAL}/"))?;
        ensure!(page.contains("TLS"), "no page of openssl's: {page}");
        self.shell(client)?;
        let (to, from) = (format!("{}:{SIP_PORT}", self.ip), "-nostdin");
        client.run("sipp", ["-sn", "uac", &to, "-m", "1", "-timeout", "20s", from]).map(drop)
    }

    fn shell(&self, client: &Node) -> Result<()> {
        run("chmod", ["600".as_ref(), self.key.as_os_str()])?;
        let mut command = client.command("ssh");
        command.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ]);
        command.args(["-o", "ConnectTimeout=20", "-p", &SSH_PORT.to_string(), "-i"]).arg(&self.key);
        command.arg(format!("root@{}", self.ip)).arg(format!("head -c {SHELL_BYTES} /dev/zero"));
        let said = command.output()?;
        let errors = String::from_utf8_lossy(&said.stderr);
        ensure!(said.stdout.len() as u64 == SHELL_BYTES, "{}: {errors}", said.status);
        Ok(())
    }
}

fn server<'a>(node: &Node, program: &str, name: &str, args: impl IntoIterator<Item = &'a str>) -> Result<Process> {
    let mut command = node.command(program);
    command.args(args);
    Process::start(node, name, command)
}
