//! Signs: what an endpoint was heard saying, or is seen to be, as the classifier reads it.
//!
//! Invariant: a sign is what was on the wire, not what follows from it. Signs of one [`Family`] are said in one breath, so
//! that a talkative protocol is not heard as several witnesses.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal $family:ident $many:ident,)*) => {
        /// What a sign is. Names and numbers are a contract (wire, `replay`): added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum SignKind { $($(#[$doc])* $variant = $number,)* }

        impl SignKind {
            /// Every kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in `replay`, the API and logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns what it is said in one breath with.
            pub const fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family,)* }
            }

            /// Returns how many values of it an honest endpoint has.
            pub const fn plurality(self) -> Plurality {
                match self { $(Self::$variant => Plurality::$many,)* }
            }
        }
    };
}

/// Who speaks: signs of one family count once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the protocol of its name")]
pub enum Family {
    Vendor,
    System,
    Naming,
    Dhcp,
    Dhcpv6,
    Mdns,
    Llmnr,
    Netbios,
    Ssdp,
    WsDiscovery,
    Maker,
    Lldp,
    Cdp,
    SpanningTree,
    Routing,
    TcpOpening,
    TcpService,
    Http,
    Tls,
    Ssh,
    Smb,
    Sip,
    Rtsp,
    Application,
    Hearsay,
}

impl Family {
    /// How many there are.
    pub const COUNT: usize = Self::Hearsay as usize + 1;
}

/// How many values of a kind an honest endpoint has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plurality {
    /// One at a time: another one takes its place, or contradicts it.
    One,
    /// Several at a time.
    Many,
}

kinds! {
    /// Whose card it is, by the MAC address's prefix.
    Vendor = 1 "vendor" Vendor One,
    /// The operating system that was concluded, as a sign of the class.
    System = 2 "system" System One,
    /// Host name (DHCP option 12).
    DhcpName = 3 "dhcp_name" Dhcp One,
    /// Vendor class (DHCP option 60).
    DhcpVendorClass = 4 "dhcp_vendor_class" Dhcp One,
    /// Numbers of the options asked for, in order (DHCP option 55).
    DhcpParameters = 5 "dhcp_parameters" Dhcp One,
    /// Client identifier (DHCP option 61), in hexadecimal digits.
    DhcpClientId = 6 "dhcp_client_id" Dhcp One,
    /// Qualified name (DHCPv6 option 39).
    Dhcpv6Name = 7 "dhcpv6_name" Dhcpv6 One,
    /// Vendor class (DHCPv6 option 16): number of the enterprise and its text.
    Dhcpv6VendorClass = 8 "dhcpv6_vendor_class" Dhcpv6 One,
    /// Client identifier (DHCPv6 option 1), in hexadecimal digits.
    Dhcpv6ClientId = 9 "dhcpv6_client_id" Dhcpv6 One,
    /// Numbers of the options asked for, in order (DHCPv6 option 6).
    Dhcpv6Parameters = 10 "dhcpv6_parameters" Dhcpv6 One,
    /// The host's own name by multicast DNS.
    MdnsName = 11 "mdns_name" Mdns One,
    /// A kind of service that it offers by multicast DNS, such as `_ipp._tcp`.
    MdnsService = 12 "mdns_service" Mdns Many,
    /// Its model as a service describes it by multicast DNS.
    MdnsModel = 13 "mdns_model" Mdns Many,
    /// Processor and system (HINFO) by multicast DNS.
    MdnsSystem = 14 "mdns_system" Mdns Many,
    /// The name that it answers to, or claims, by LLMNR.
    LlmnrName = 15 "llmnr_name" Llmnr One,
    /// It asks for names by LLMNR.
    LlmnrQuery = 16 "llmnr_query" Llmnr One,
    /// The name of its own that it registers with NetBIOS.
    NetbiosName = 17 "netbios_name" Netbios One,
    /// The workgroup or domain that it joins with NetBIOS.
    NetbiosGroup = 18 "netbios_group" Netbios Many,
    /// What it registers its names for with NetBIOS: `server`, `domain_master`, `domain_controller`, `browser` …
    NetbiosService = 19 "netbios_service" Netbios Many,
    /// The version of its system by its announcements to the network neighbourhood.
    BrowserSystem = 20 "browser_system" Netbios One,
    /// What it offers by its announcements to the network neighbourhood.
    BrowserRole = 21 "browser_role" Netbios Many,
    /// System and product, as it announces itself by SSDP.
    SsdpServer = 22 "ssdp_server" Ssdp Many,
    /// Kind of device that it announces by SSDP.
    SsdpDevice = 23 "ssdp_device" Ssdp Many,
    /// Program that searches by SSDP.
    SsdpAgent = 24 "ssdp_agent" Ssdp Many,
    /// Kind of device by WS-Discovery.
    WsdType = 25 "wsd_type" WsDiscovery Many,
    /// Its model by WS-Discovery (ONVIF's `hardware`).
    WsdModel = 26 "wsd_model" WsDiscovery One,
    /// Its name by WS-Discovery (ONVIF's `name`).
    WsdName = 27 "wsd_name" WsDiscovery One,
    /// Its model by its maker's own discovery protocol (Hikvision's SADP, Dahua's DHIP).
    MakerModel = 28 "maker_model" Maker One,
    /// Description of the system by LLDP.
    LldpSystem = 29 "lldp_system" Lldp One,
    /// Name of the system by LLDP.
    LldpName = 30 "lldp_name" Lldp One,
    /// What the system has switched on by LLDP: `bridge`, `router`, `access_point`, `telephone`, `station` …
    LldpCapability = 31 "lldp_capability" Lldp Many,
    /// Class of the endpoint by LLDP-MED: 1 generic, 2 media, 3 telephone, 4 network.
    LldpMedClass = 32 "lldp_med_class" Lldp One,
    /// Manufacturer and model by LLDP-MED.
    LldpModel = 33 "lldp_model" Lldp One,
    /// Product by CDP.
    CdpPlatform = 34 "cdp_platform" Cdp One,
    /// Version of the system by CDP.
    CdpSystem = 35 "cdp_system" Cdp One,
    /// Name of the system by CDP.
    CdpName = 36 "cdp_name" Cdp One,
    /// What the system is by CDP: `router`, `switch`, `host`, `phone` …
    CdpCapability = 37 "cdp_capability" Cdp Many,
    /// It takes part in spanning tree: its bridge and the root that it believes in.
    SpanningTree = 38 "spanning_tree" SpanningTree Many,
    /// It offers itself as a router (RFC 4861).
    RouterAdvertisement = 39 "router_advertisement" Routing One,
    /// It hands on what others sent: addresses that are not its own, one hop further.
    Forwards = 40 "forwards" Routing One,
    /// What comes from its own address was sent by somebody behind it, this many hops away.
    HiddenHop = 41 "hidden_hop" TcpOpening Many,
    /// How it opens connections, see [`super::TcpTraits`].
    TcpOpening = 42 "tcp_opening" TcpOpening Many,
    /// Clocks that its connections' timestamps count by, when these are several.
    TcpClocks = 43 "tcp_clocks" TcpOpening One,
    /// A port on which it answers.
    TcpService = 44 "tcp_service" TcpService Many,
    /// Program that asks by HTTP (`User-Agent`).
    HttpAgent = 45 "http_agent" Http Many,
    /// Program that answers by HTTP (`Server`).
    HttpServer = 46 "http_server" Http Many,
    /// How it opens TLS, as a JA4 fingerprint.
    TlsClient = 47 "tls_client" Tls Many,
    /// The program that speaks SSH, by its banner.
    SshBanner = 48 "ssh_banner" Ssh Many,
    /// The version of the system by its authentication in SMB and its like (NTLM).
    SmbSystem = 49 "smb_system" Smb Many,
    /// Program that speaks SIP (`User-Agent`, `Server`).
    SipAgent = 50 "sip_agent" Sip Many,
    /// Program that serves RTSP (`Server`).
    RtspServer = 51 "rtsp_server" Rtsp Many,
    /// A protocol that it opens connections with.
    Speaks = 52 "speaks" Application Many,
    /// A protocol that it answers in.
    Serves = 53 "serves" Application Many,
    /// A name that another station claimed on its behalf, and which one.
    ClaimedByOther = 54 "claimed_by_other" Hearsay Many,
    /// Subject of the certificate that it shows in TLS.
    TlsCertificate = 55 "tls_certificate" Tls Many,
    /// A name that it asks for in TLS, where that tells what it is: a maker's or a system's own.
    TlsName = 56 "tls_name" Tls Many,
}

/// One thing that an endpoint was heard saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sign<'a> {
    /// What it is.
    pub kind: SignKind,
    /// What was said.
    pub value: &'a str,
    /// When it was first heard.
    pub first: Timestamp,
    /// When it was last heard.
    pub last: Timestamp,
    /// How often.
    pub count: u32,
}

impl SignKind {
    /// Returns the kind of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }

    /// Returns the number used on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns what its values count with as signs of class and system: a name is one sign, by however many protocols it
    /// is told.
    pub const fn breath(self) -> Family {
        if self.is_name() { Family::Naming } else { self.family() }
    }

    /// Returns whether its values are names of the endpoint.
    pub const fn is_name(self) -> bool {
        matches!(
            self,
            Self::DhcpName
                | Self::Dhcpv6Name
                | Self::MdnsName
                | Self::LlmnrName
                | Self::NetbiosName
                | Self::LldpName
                | Self::CdpName
                | Self::WsdName
        )
    }
}

impl std::fmt::Display for SignKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Sign<'_> {
    /// Returns whether what was said does not hold any more, since `newer` came after it and stayed.
    ///
    /// One message is not enough: whoever forges a single packet in another's name contradicts him, and does not speak for
    /// him.
    pub fn gave_way_to(&self, newer: &Self) -> bool {
        self.kind == newer.kind
            && self.kind.plurality() == Plurality::One
            && self.value != newer.value
            && newer.count > 1
            && newer.first > self.last
    }
}
