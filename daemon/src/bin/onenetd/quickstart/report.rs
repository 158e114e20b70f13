//! What quickstart prints: what is watched, what cannot be, how that can be had, and where to look.

use std::{fmt::Write as _, net::SocketAddr, path::Path};

use ipnetwork::Ipv4Network;
use onenet_agent::status::Status;
use onenet_topology::fact::ReachState;

use super::machine::Routes;
use onenetd::access::Secret;

/// What there is to say.
pub(super) struct Report<'a> {
    /// How the agent is doing; `None` when it did not say in time.
    pub(super) status: Option<&'a Status>,
    /// Whether this process may capture frames.
    pub(super) may_capture: bool,
    /// What the machine is connected to.
    pub(super) routes: &'a Routes,
    /// Who of the machine's own snmpd and gateway was asked in vain.
    pub(super) no_snmp: &'a [String],
    /// How many neighbours are asked.
    pub(super) asked: usize,
    /// Prefixes too large to ask everybody.
    pub(super) too_large: &'a [Ipv4Network],
    /// Simulated sites.
    pub(super) demo_sites: usize,
    /// The program, for advice.
    pub(super) program: &'a Path,
    /// The data directory.
    pub(super) data: &'a Path,
    /// Where the console listens.
    pub(super) console: SocketAddr,
    /// Whether it speaks TLS.
    pub(super) tls: bool,
    /// The token to sign in with.
    pub(super) token: &'a Secret,
}

impl Report<'_> {
    /// Returns the lines.
    pub(super) fn lines(&self) -> String {
        let mut text = format!("onenet {} quickstart\n\n", env!("CARGO_PKG_VERSION"));
        self.listening(&mut text);
        self.polling(&mut text);
        if self.asked > 0 && self.may_capture {
            line(
                &mut text,
                "Asking",
                &format!("{} addresses around once, so that silent neighbours speak too", self.asked),
            );
        }
        for prefix in self.too_large {
            line(&mut text, "Not asking", &format!("{prefix}, which is large: its hosts are found when they speak"));
        }
        if self.demo_sites > 0 {
            line(&mut text, "Demo", &format!("{} simulated sites, marked as such everywhere", self.demo_sites));
        }
        text.push('\n');
        line(&mut text, "Data in", &self.data.display().to_string());
        let scheme = if self.tls { "https" } else { "http" };
        line(&mut text, "Console", &format!("{scheme}://{}/", shown(self.console)));
        line(&mut text, "Token", self.token.expose());
        text.push_str("\nCtrl-C stops it; a second start goes on with the same data.\n");
        text
    }

    fn listening(&self, text: &mut String) {
        let interfaces = self.status.map(|status| status.interfaces.as_slice()).unwrap_or_default();
        let named = |name: &str| {
            let prefixes = self.routes.on_link.iter().filter(|link| link.interface == name);
            let prefixes: Vec<String> = prefixes.map(|link| link.prefix.to_string()).collect();
            if prefixes.is_empty() { name.to_owned() } else { format!("{name} ({})", prefixes.join(", ")) }
        };
        let heard: Vec<String> = interfaces.iter().filter(|it| it.listening).map(|it| named(&it.name)).collect();
        if !heard.is_empty() {
            line(text, "Listening", &format!("on {}", heard.join(", ")));
        }
        if !self.may_capture {
            let program = self.program.display();
            line(text, "Cannot", "listen: this process may not capture frames, so neighbours are seen by SNMP alone;");
            line(
                text,
                "",
                &format!("run `sudo setcap cap_net_raw+ep {program}` and start again, or start it with sudo"),
            );
            return;
        }
        for interface in interfaces.iter().filter(|it| !it.listening) {
            let why = interface.error.as_deref().unwrap_or("it is not up");
            line(text, "Cannot", &format!("listen on {}: {why}", interface.name));
        }
        if interfaces.is_empty() {
            line(
                text,
                "Cannot",
                "listen: no Ethernet interface is up; bring one up (`ip link set IF up`), it is then found by itself",
            );
        }
    }

    fn polling(&self, text: &mut String) {
        let devices = self.status.map(|status| status.devices.as_slice()).unwrap_or_default();
        let answering = devices.iter().filter(|device| device.reach != Some(ReachState::Silent));
        let polled: Vec<String> = answering.map(|device| format!("{} ({})", device.name, device.target)).collect();
        if !polled.is_empty() {
            line(text, "Polling", &polled.join(", "));
        }
        for name in self.no_snmp {
            line(text, "Not polling", &format!("{name}: no answer to SNMP v2c with the community \"public\""));
        }
    }
}

fn line(text: &mut String, head: &str, rest: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "  {head:<12} {rest}");
}

/// Returns the address for a browser on this machine.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_right_to_capture_it_says_how_to_get_it() {
        let (routes, token) = (Routes::default(), Secret::presented("onenet_x"));
        let report = Report {
            status: None,
            may_capture: false,
            routes: &routes,
            no_snmp: &["the gateway 10.0.0.1".to_owned()],
            asked: 254,
            too_large: &[],
            demo_sites: 0,
            program: Path::new("/opt/onenetd"),
            data: Path::new("/srv/onenet-data"),
            console: "0.0.0.0:8080".parse().unwrap(),
            tls: false,
            token: &token,
        };
        let text = report.lines();
        assert!(text.contains("sudo setcap cap_net_raw+ep /opt/onenetd"), "{text}");
        assert!(text.contains("the gateway 10.0.0.1: no answer"), "{text}");
        assert!(text.contains("http://127.0.0.1:8080/") && text.contains("onenet_x"), "{text}");
        assert!(!text.contains("Asking"), "nobody is asked when nobody listens: {text}");
    }
}
