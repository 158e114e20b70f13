//! How an endpoint would be isolated at its switch, as a proposal: commands for a person to review and type, and those that undo it.
//!
//! Invariant: nothing is proposed whose text could be more than the one command that it is: a name of a port with anything but the letters
//! that names of ports have gives none. Each proposal has its undoing. Nothing here talks to a device.

use crate::MacAddr;

/// How a family of switches is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Huawei's VRP.
    Vrp,
    /// H3C's Comware.
    Comware,
    /// Cisco's IOS.
    Ios,
    /// Ruijie's RGOS.
    Rgos,
}

/// What would isolate an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure<'a> {
    /// Its port is shut.
    ShutPort {
        /// The name of the port on its device (ifName).
        port: &'a str,
    },
    /// What it sends and what is sent to it is dropped in its VLAN, so that others behind the same port go on.
    DropAddress {
        /// Its address.
        mac: MacAddr,
        /// The VLAN.
        vlan: u16,
    },
}

/// Commands, and those that undo them, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// What isolates.
    pub commands: Vec<String>,
    /// What undoes that.
    pub undo: Vec<String>,
}

impl Syntax {
    /// Returns the syntax of a maker's switches, as far as it is known; `vendor` is the name that a device was recognised by.
    pub fn of(vendor: &str) -> Option<Self> {
        let vendor = vendor.to_lowercase();
        let known = [("huawei", Self::Vrp), ("h3c", Self::Comware), ("cisco", Self::Ios), ("ruijie", Self::Rgos)];
        known.into_iter().find(|(name, _)| vendor.contains(name)).map(|(_, syntax)| syntax)
    }

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vrp => "Huawei VRP",
            Self::Comware => "H3C Comware",
            Self::Ios => "Cisco IOS",
            Self::Rgos => "Ruijie RGOS",
        }
    }

    /// Returns the steps of a measure, `None` where a name cannot be written down safely.
    pub fn steps(self, measure: Measure<'_>) -> Option<Steps> {
        let (commands, undo) = match measure {
            Measure::ShutPort { port } => self.port(port)?,
            Measure::DropAddress { mac, vlan } if mac.is_unicast() && (1..4_095).contains(&vlan) => {
                let address = self.address(mac, vlan);
                let undo = format!("{} {address}", self.not());
                (vec![address], vec![undo])
            }
            Measure::DropAddress { .. } => return None,
        };
        Some(Steps { commands: self.configured(commands), undo: self.configured(undo) })
    }

    fn port(self, port: &str) -> Option<(Vec<String>, Vec<String>)> {
        let is_of_name = |it: u8| it.is_ascii_alphanumeric() || b"/.:-_ ".contains(&it);
        let is_name = (1..=64).contains(&port.len()) && port.bytes().all(is_of_name) && port.trim() == port;
        let shut = |command: String| is_name.then(|| vec![format!("interface {port}"), command]);
        Some((shut("shutdown".to_owned())?, shut(format!("{} shutdown", self.not()))?))
    }

    fn address(self, mac: MacAddr, vlan: u16) -> String {
        let digits = mac.to_string().replace(':', "");
        let groups: Vec<&str> = [0..4, 4..8, 8..12].into_iter().filter_map(|range| digits.get(range)).collect();
        match self {
            Self::Vrp | Self::Comware => format!("mac-address blackhole {} vlan {vlan}", groups.join("-")),
            Self::Ios => format!("mac address-table static {} vlan {vlan} drop", groups.join(".")),
            Self::Rgos => format!("mac-address-table filtering {} vlan {vlan}", groups.join(".")),
        }
    }

    const fn not(self) -> &'static str {
        match self {
            Self::Vrp | Self::Comware => "undo",
            Self::Ios | Self::Rgos => "no",
        }
    }

    /// Puts commands between those that begin and end configuring.
    fn configured(self, commands: Vec<String>) -> Vec<String> {
        let (begin, end) = match self {
            Self::Vrp | Self::Comware => ("system-view", "return"),
            Self::Ios | Self::Rgos => ("configure terminal", "end"),
        };
        let mut all = vec![begin.to_owned()];
        all.extend(commands);
        all.push(end.to_owned());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([0x00, 0x1b, 0x21, 0x3c, 0x4d, 0x5e]);

    #[test]
    fn a_port_is_shut_and_opened_again_as_each_maker_writes_it() {
        let steps = |vendor, port| Syntax::of(vendor).unwrap().steps(Measure::ShutPort { port });
        let vrp = steps("Huawei", "GigabitEthernet0/0/5").unwrap();
        assert_eq!(vrp.commands, ["system-view", "interface GigabitEthernet0/0/5", "shutdown", "return"]);
        assert_eq!(vrp.undo[2], "undo shutdown");
        let rgos = steps("Ruijie Networks", "GigabitEthernet 0/5").unwrap();
        assert_eq!(rgos.commands, ["configure terminal", "interface GigabitEthernet 0/5", "shutdown", "end"]);
        assert_eq!(rgos.undo[2], "no shutdown");
        assert_eq!(Syntax::of("Hikvision"), None);
    }

    #[test]
    fn an_address_is_dropped_in_its_vlan_where_others_are_behind_the_port() {
        let drop = |syntax: Syntax, vlan| syntax.steps(Measure::DropAddress { mac: MAC, vlan });
        for (syntax, command) in [
            (Syntax::Vrp, "mac-address blackhole 001b-213c-4d5e vlan 10"),
            (Syntax::Comware, "mac-address blackhole 001b-213c-4d5e vlan 10"),
            (Syntax::Ios, "mac address-table static 001b.213c.4d5e vlan 10 drop"),
            (Syntax::Rgos, "mac-address-table filtering 001b.213c.4d5e vlan 10"),
        ] {
            let steps = drop(syntax, 10).unwrap();
            assert_eq!((steps.commands.len(), steps.commands[1].as_str()), (3, command));
            assert_eq!(steps.undo[1], format!("{} {command}", syntax.not()));
        }
        assert_eq!(drop(Syntax::Vrp, 0), None, "no table tells the VLAN");
    }

    #[test]
    fn a_name_that_would_be_more_than_one_command_gives_none() {
        for port in ["", "Gi0/1\nreload", "Gi0/1;reload", "Gi0/1 | tee", " Gi0/1", "端口1"] {
            assert_eq!(Syntax::Ios.steps(Measure::ShutPort { port }), None, "{port:?}");
        }
    }
}
