//! What quickstart prints: what is watched, what cannot be, how that can be had, and where to look.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use ipnetwork::Ipv4Network;
use onenet_agent::status::Status;
use onenet_topology::fact::ReachState;

use super::machine::Routes;
use onenetd::{access::Secret, console::Language};

/// How wide the words at the start of a line are, in letters.
const HEAD_WIDTH: usize = 12;

/// Who was asked over SNMP in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSnmp {
    /// This machine's own snmpd.
    Own(IpAddr),
    /// The default gateway.
    Gateway(IpAddr),
}

/// What there is to say.
pub(super) struct Report<'a> {
    /// In which language.
    pub(super) language: Language,
    /// How the agent is doing; `None` when it did not say in time.
    pub(super) status: Option<&'a Status>,
    /// Whether this process may capture frames.
    pub(super) may_capture: bool,
    /// What the machine is connected to.
    pub(super) routes: &'a Routes,
    /// Who of the machine's own snmpd and gateway was asked in vain.
    pub(super) no_snmp: &'a [NoSnmp],
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
            let zh = format!("已向周围 {} 个地址各询问一次，让沉默的邻居也应答", self.asked);
            let en = format!("{} addresses around once, so that silent neighbours speak too", self.asked);
            line(&mut text, self.pick("询问", "Asking"), &self.pick(zh, en));
        }
        for prefix in self.too_large {
            let zh = format!("{prefix}：网段太大，其中的主机在发出报文后才会出现");
            let en = format!("{prefix}, which is large: its hosts are found when they speak");
            line(&mut text, self.pick("不询问", "Not asking"), &self.pick(zh, en));
        }
        if self.demo_sites > 0 {
            let zh = format!("{} 个模拟站点，各处均标明“演示”", self.demo_sites);
            let en = format!("{} simulated sites, marked as such everywhere", self.demo_sites);
            line(&mut text, self.pick("演示", "Demo"), &self.pick(zh, en));
        }
        text.push('\n');
        line(&mut text, self.pick("数据目录", "Data in"), &self.data.display().to_string());
        let scheme = if self.tls { "https" } else { "http" };
        line(&mut text, self.pick("控制台", "Console"), &format!("{scheme}://{}/", shown(self.console)));
        line(&mut text, self.pick("令牌 Token", "Token"), self.token.expose());
        text.push_str(self.pick(
            "\n在浏览器中打开控制台，用令牌登录。按 Ctrl-C 结束；再次启动会沿用同一份数据。\n",
            "\nOpen the console in a browser and sign in with the token. Ctrl-C stops it; a second start goes on with the same data.\n",
        ));
        text
    }

    /// Returns what is said in the reader's language.
    fn pick<T>(&self, zh: T, en: T) -> T {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    fn listening(&self, text: &mut String) {
        let interfaces = self.status.map(|status| status.interfaces.as_slice()).unwrap_or_default();
        let named = |name: &str| {
            let prefixes = self.routes.on_link.iter().filter(|link| link.interface == name);
            let prefixes: Vec<String> = prefixes.map(|link| link.prefix.to_string()).collect();
            if prefixes.is_empty() { name.to_owned() } else { format!("{name} ({})", prefixes.join(", ")) }
        };
        let heard: Vec<String> = interfaces.iter().filter(|it| it.listening).map(|it| named(&it.name)).collect();
        let cannot = self.pick("不能", "Cannot");
        if !heard.is_empty() {
            let heard = heard.join(", ");
            line(text, self.pick("监听", "Listening"), &self.pick(heard.clone(), format!("on {heard}")));
        }
        if !self.may_capture {
            let program = self.program.display();
            let what = "listen: this process may not capture frames, so neighbours are seen by SNMP alone;";
            line(text, cannot, self.pick("监听：本进程没有抓包权限，只能通过 SNMP 看到邻居；", what));
            let zh = format!("请运行 `sudo setcap cap_net_raw+ep {program}` 后重新启动，或用 sudo 启动");
            let en = format!("run `sudo setcap cap_net_raw+ep {program}` and start again, or start it with sudo");
            line(text, "", &self.pick(zh, en));
            return;
        }
        for interface in interfaces.iter().filter(|it| !it.listening) {
            let why = interface.error.as_deref().unwrap_or(self.pick("未启用", "it is not up"));
            let zh = format!("监听 {}：{why}", interface.name);
            line(text, cannot, &self.pick(zh, format!("listen on {}: {why}", interface.name)));
        }
        if interfaces.is_empty() {
            let en =
                "listen: no Ethernet interface is up; bring one up (`ip link set IF up`), it is then found by itself";
            let zh = "监听：没有已启用的以太网接口；启用一个（`ip link set 接口 up`）后会自动发现";
            line(text, cannot, self.pick(zh, en));
        }
    }

    fn polling(&self, text: &mut String) {
        let devices = self.status.map(|status| status.devices.as_slice()).unwrap_or_default();
        let answering = devices.iter().filter(|device| device.reach != Some(ReachState::Silent));
        let polled: Vec<String> = answering.map(|device| format!("{} ({})", device.name, device.target)).collect();
        if !polled.is_empty() {
            line(text, self.pick("轮询", "Polling"), &polled.join(", "));
        }
        for silent in self.no_snmp {
            let who = match silent {
                NoSnmp::Own(address) => {
                    self.pick(format!("本机 snmpd（{address}）"), format!("this machine's own snmpd ({address})"))
                }
                NoSnmp::Gateway(address) => self.pick(format!("网关 {address}"), format!("the gateway {address}")),
            };
            let zh = format!("{who}：对团体名 \"public\" 的 SNMP v2c 请求无应答");
            let en = format!("{who}: no answer to SNMP v2c with the community \"public\"");
            line(text, self.pick("不轮询", "Not polling"), &self.pick(zh, en));
        }
    }
}

fn line(text: &mut String, head: &str, rest: &str) {
    // A Chinese character is as wide as two letters.
    let width: usize = head.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    // Writing to a String does not fail.
    let _ = writeln!(text, "  {head}{:pad$} {rest}", "", pad = HEAD_WIDTH.saturating_sub(width));
}

/// Returns the language of whoever reads the terminal, by the variables of POSIX in their order.
pub(super) fn language(variable: impl Fn(&str) -> Option<String>) -> Language {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| variable(name).filter(|it| !it.is_empty()));
    named.and_then(|locale| Language::from_tag(&locale)).unwrap_or(Language::En)
}

/// Returns the address for a browser on this machine.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(language: Language) -> String {
        let (routes, token) = (Routes::default(), Secret::presented("onenet_x"));
        let report = Report {
            language,
            status: None,
            may_capture: false,
            routes: &routes,
            no_snmp: &[NoSnmp::Gateway([10, 0, 0, 1].into())],
            asked: 254,
            too_large: &[],
            demo_sites: 3,
            program: Path::new("/opt/onenetd"),
            data: Path::new("/srv/onenet-data"),
            console: "0.0.0.0:8080".parse().unwrap(),
            tls: false,
            token: &token,
        };
        report.lines()
    }

    #[test]
    fn without_the_right_to_capture_it_says_how_to_get_it() {
        let text = said(Language::En);
        assert!(text.contains("the gateway 10.0.0.1: no answer"), "{text}");
        assert!(!text.contains("Asking"), "nobody is asked when nobody listens: {text}");
        for text in [text, said(Language::Zh)] {
            assert!(text.contains("sudo setcap cap_net_raw+ep /opt/onenetd"), "{text}");
            assert!(text.contains("http://127.0.0.1:8080/") && text.contains("onenet_x"), "{text}");
            assert!(text.contains("Token") && text.lines().count() <= 15, "{text}");
        }
    }

    #[test]
    fn it_speaks_the_language_of_the_terminal() {
        let of = |pairs: &'static [(&str, &str)]| {
            language(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Zh);
        assert_eq!(of(&[("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")]), Language::En);
        assert_eq!(of(&[]), Language::En);
        let text = said(Language::Zh);
        // Heads of either script are equally wide.
        assert!(
            text.contains("  不轮询       网关 10.0.0.1：") && text.contains("  演示         3 个模拟站点"),
            "{text}"
        );
    }
}
