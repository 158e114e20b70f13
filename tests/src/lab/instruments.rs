//! What speaks at a site beside web, names and shells: mailboxes, monitoring, telephony with sound, a camera, databases.
//!
//! Invariant: every client is an unmodified program (curl, net-snmp, sipp, FreeTDS, python-oracledb), and so are the servers of mail,
//! monitoring and telephony. What Debian has no server for is answered by `tests/lab/listeners.py`, after the specifications.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

use super::{
    netns::Node,
    process::{Process, START_WITHIN},
    snmpd,
    snmpsim::venv,
};
use crate::clock;

/// Who logs on to databases.
pub const USER: &str = "li";
/// The database that is asked for at SQL Server.
pub const DATABASE: &str = "water";
/// The service that is asked for at Oracle.
pub const SERVICE: &str = "orcl";
/// What the camera calls itself.
pub const CAMERA: &str = "Camera of the lab";
/// Where the sound of a call goes, at who is called: as sipp's own scenario has it.
pub const SOUND_PORT: u16 = 6_000;

/// A call has some eight seconds of sound.
const CALL_WITHIN: Duration = Duration::from_secs(60);
/// Where Debian's package `sip-tester` has the sound.
const SOUND: &str = "/usr/share/sip-tester";
/// Asks Oracle for a service, and is refused.
const ASK_ORACLE: &str = "import oracledb, sys\ntry:\n    oracledb.connect(user=sys.argv[1], password='secret', dsn=sys.argv[2])\n\
                          except oracledb.Error as error:\n    print(error)\n";

/// The servers, on one host.
#[derive(Debug)]
pub struct Instruments {
    ip: String,
    _processes: Vec<Process>,
}

impl Instruments {
    /// Starts the servers on `node`, whose address is `ip`, and waits until they listen.
    ///
    /// # Errors
    ///
    /// A program is not installed or does not start.
    pub fn start(node: &Node, ip: &str) -> Result<Self> {
        let dir = node.dir().display();
        let dovecot = format!(
            "protocols = imap\nlisten = {ip}\nbase_dir = {dir}/dovecot\nlog_path = /dev/stderr\nssl = no\n\
             default_internal_user = nobody\ndefault_login_user = nobody\ndefault_internal_group = nogroup\n\
             passdb {{\n  driver = static\n  args = nopassword=y\n}}\n"
        );
        node.file("dovecot.conf", &dovecot)?;
        let server = |program: &str, name: &str, args: &[&str]| {
            let mut command = node.command(program);
            command.args(args);
            Process::start(node, name, command)
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/listeners.py");
        let script = script.to_str().context("the repository's path is not UTF-8")?;
        let mut listeners = server("python3", "listeners", &[script, ip])?;
        listeners.says("listening", START_WITHIN)?;
        let processes = vec![
            listeners,
            server("dovecot", "dovecot", &["-F", "-c", "dovecot.conf"])?,
            server("sipp", "telephone", &["-sn", "uas", "-i", ip, "-p", "5060", "-nostdin"])?,
            snmpd::start_master(node, "instrument-1", &node.dir().join("agentx"))?,
        ];
        let listening = || node.run("ss", ["-Hlntu"]);
        let all = |text: &String| [143, 5_060].iter().all(|port| text.contains(&format!("{ip}:{port} ")));
        clock::until("all servers listen", START_WITHIN, listening, all)?;
        Ok(Self { ip: ip.to_owned(), _processes: processes })
    }

    /// Uses every server once from `client`, whose address is `own`.
    ///
    /// # Errors
    ///
    /// A program is not installed, or a server that lets people in does not.
    pub fn use_all(&self, client: &Node, own: &str) -> Result<()> {
        let ip = &self.ip;
        client.run("curl", ["-sS", "--max-time", "20", "-X", "CAPABILITY", &format!("imap://{ip}")])?;
        client.run("curl", ["-sS", "--max-time", "20", &format!("rtsp://{ip}/ch1")])?;
        client.run("snmpget", ["-v2c", "-c", snmpd::COMMUNITY, ip, ".1.3.6.1.2.1.1.5.0"])?;
        std::os::unix::fs::symlink(SOUND, client.dir().join("pcap")).context("have the sound at hand")?;
        let mut call = client.command("sipp");
        let to = format!("{ip}:5060");
        call.args(["-sn", "uac_pcap", &to, "-i", own, "-m", "1", "-timeout", "50s", "-nostdin"]);
        let mut call = Process::start(client, "call", call)?;
        call.ends(CALL_WITHIN)?;
        // Both are refused, which is a status of their own.
        let login = format!(
            "TDSVER=7.4 timeout 20 tsql -H {ip} -p 1433 -U {USER} -P secret -D {DATABASE} </dev/null >tsql.log 2>&1 || true"
        );
        client.run("sh", ["-c", &login])?;
        let python = venv().join("bin/python");
        let python = python.to_str().context("the repository's path is not UTF-8")?;
        client.run(python, ["-c", ASK_ORACLE, USER, &format!("{ip}:1521/{SERVICE}")]).map(drop)
    }
}
