//! What a finding means, and what whoever gets the notice looks at first.

use super::Text;

texts! {
    MEANS_PORT_SCAN = "这台主机在短时间内尝试另一台主机的许多端口。请找到该主机，确认是否有人在用扫描工具，并查杀恶意程序。", "This host tries many ports of another one. Find it, ask whether somebody runs a scanner, and look for malware.";
    MEANS_SWEEP = "这台主机在短时间内逐个尝试许多主机。请找到该主机，断网查杀恶意程序；若是授权扫描，请登记到扫描源。", "This host tries many hosts one after the other. Find it and look for malware; if the scan was approved, list it in scanners.";
    MEANS_SLOW_SCAN = "这台主机在数小时内缓慢尝试从未访问过的端口和主机，意在躲避发现。请按端口扫描处理。", "This host tries ports and hosts that it never tried before, slowly, over hours. Treat it as a scan.";
    MEANS_DARK_ADDRESS = "这台主机访问了规划中无人使用的地址。正常程序不会这样做，请查该主机。", "This host addresses what the plan keeps empty. No ordinary program does: look at the host.";
    MEANS_BRUTE_FORCE = "这台主机反复登录同一服务，像是在猜口令。请查登录日志，锁定账号，更换弱口令。", "This host logs in again and again, as who guesses passwords. Look at the service's log, lock the account, change weak passwords.";
    MEANS_FLOOD = "大量报文涌向这台主机，可能使其服务或线路中断。请查来源主机；必要时在出口限速。", "Masses of packets go to this host, and may take its service or the line away. Find the sources; limit them at the boundary.";
    MEANS_REFLECTION = "大量未经请求的应答涌向这台主机，或本单位服务器被用来放大攻击。请关闭不必要的 DNS、NTP、SNMP 等服务。", "Masses of answers that nobody asked for, or a server of ours that is used for it. Close DNS, NTP and SNMP where they are not needed.";
    MEANS_ARP_SPOOFING = "这台终端冒用他人（常为网关）的地址，流量会经过它。请立即找到并断开。", "This station claims another's address, often the router's, and reads its traffic. Find it and unplug it.";
    MEANS_ADDRESS_CONFLICT = "两台终端使用同一 IP 地址，都不能正常工作。请核对地址分配，改正其中一台。", "Two stations use one IP address, and neither works properly. Look up whose it is, and change the other.";
    MEANS_ROGUE_SERVER = "出现未经批准的地址服务器或路由器，终端会从它取得错误的地址和网关。常见原因是私接的家用路由器。请找到并拆除。", "A server of addresses or a router that nobody approved misleads terminals: often a home router. Find it and remove it.";
    MEANS_MAC_FLOOD = "短时间内出现大量 MAC 地址，交换机地址表会被填满。请查对应端口，可能是攻击工具或环路。", "Masses of MAC addresses fill the tables of switches. Find the port: a tool, or a loop.";
    MEANS_BROADCAST_STORM = "广播报文过多，网络可能出现环路。请检查最近接线的变动，并启用环路检测。", "Too many broadcasts: perhaps a loop. Look at what was plugged in last, and switch loop detection on.";
    MEANS_ROGUE_EQUIPMENT = "出现未登记的交换机、无线接入点或路由器。请核实是谁接入；若已批准，请登记。", "A switch, access point or router that is not listed. Find out whose it is; if it was approved, list it.";
    MEANS_OUTREACH = "内网终端与地址规划以外的地址通信，属违规外联。请查清其上网途径（手机热点、无线网卡、代理、双网卡），断开并登记处理。", "A terminal of the network talks to an address outside the plan. Find its way out (hotspot, wireless card, proxy, second card), cut it, and report.";
    MEANS_BEACONING = "这台主机按固定周期连接同一外部地址，常见于被控木马。请断网并查杀。", "This host calls one outside address by the clock, as implants do. Take it off the network and look for malware.";
    MEANS_DNS_TUNNEL = "这台主机用大量超长域名查询向外传送数据。请断网并查杀，查清外泄内容。", "This host carries data out in long names. Take it off the network, and find out what left.";
    MEANS_DGA = "这台主机查询大量随机生成且不存在的域名，常见于恶意程序寻找控制端。请断网并查杀。", "This host asks for many names that look like chance, as malware does. Take it off the network and look for malware.";
    MEANS_CLEARTEXT_LOGIN = "口令以明文在网络上传输，可被截获。请改用加密协议，并更换该口令。", "A password crossed the network in clear text. Use an encrypted protocol, and change the password.";
    MEANS_OUTDATED_TLS = "服务器仍接受过时的加密版本。请停用 TLS 1.1 及以下版本。", "A server still agrees to a broken version of TLS. Switch TLS 1.1 and older off.";
    MEANS_EXPIRED_CERTIFICATE = "服务器证书已过期。请更换证书。", "A server's certificate is over. Replace it.";
    MEANS_NAT = "该端口之后有多台终端共用一个地址，可能私接了路由器或开启了热点。请现场核实并拆除。", "Several machines share one address: a router or hotspot of somebody's own. Have a look, and remove it.";
    MEANS_CHANGED = "同一地址的终端类型或操作系统变了：设备被更换，或有人借用了它的地址。请现场核实。", "What uses this address is another machine than before: replaced, or somebody borrowed the address. Have a look.";
    MEANS_FORBIDDEN_VLAN = "终端出现在不允许终端接入的 VLAN 中。请检查端口配置。", "A terminal is in a VLAN in which none may be. Look at the configuration of its port.";
    MEANS_WORM = "多台主机在扫描同一端口，恶意程序可能正在传播。请立即隔离这些主机，并在边界封堵该端口。", "Several hosts sweep the same port: something spreads. Isolate them, and block the port at boundaries.";
    MEANS_UNREGISTERED_TERMINAL = "有未登记的终端接入内网。请核实使用人；合规的补登记，否则断开。", "A terminal that is not on the books. Find out whose it is: register it, or unplug it.";
    MEANS_COPIED_ADDRESS = "同一地址同时出现在多处或被多台设备使用，可能被仿冒。请核对并改正。", "An address is in use at several places at a time, perhaps copied. Find out whose it is.";
    MEANS_MAC_FLAPS = "一个 MAC 地址在两个端口之间反复切换：可能有环路，或两台设备地址相同。请检查接线。", "A MAC address goes back and forth between ports: a loop, or two machines with one address. Look at the cables.";
    MEANS_DEVICE_REPLACED = "以该名称应答的设备换成了另一台，序列号不同。请核实是否为已批准的更换；若是，请更新台账。", "What answers under this name is another machine, by its serial number. Ask whether that was approved; if so, mend the books.";
    MEANS_HUB_BEHIND_PORT = "一个接入端口下长时间有多台终端，可能私接了集线器、交换机或无线接入点。请现场核实；若已批准，请加抑制规则。", "Several machines have been behind one access port: a hub, switch or access point of somebody's own. Have a look; if it was approved, make a rule.";
    MEANS_UNREGISTERED_SERVICE = "开放了未经审批登记的端口。请补办审批，或关闭该服务。", "A port is open that nobody approved. Have it approved, or close it.";
    MEANS_EXPIRED_SERVICE = "服务的审批已到期仍在使用。请续批或关闭。", "A service goes on after its approval ended. Renew it, or close it.";
    MEANS_EXPOSED_SERVICE = "服务被审批范围以外的地址访问。请检查防火墙策略，收紧访问范围。", "A service answers who is beyond its scope. Look at the firewall's rules.";
    MEANS_GONE_SERVICE = "已登记的服务一个月无人使用。若已停用，请关闭端口并注销登记。", "A registered service was not used for a month. If it is not needed, close the port and end its approval.";
    MEANS_OTHER_NETWORK = "终端带着其他网络的地址出现，说明它刚接过别的网络，或同时接着两个网络。请核实是否连接过手机热点或互联网。", "A station turns up with the address of another network: it was there a moment ago, or is in both. Ask about hotspots and the Internet.";
    MEANS_NEW_PEER = "服务器开始与从未通信过的对端交换数据。请核实是否为新业务；否则检查服务器是否被控制。", "A server exchanges data with somebody new. Ask whether that is a new task; if not, look at the server.";
    MEANS_TRANSFER = "这台主机对外发送的数据远多于平时。请核实是否为备份等正常任务，否则查清外传内容。", "This host sends far more than ever. Ask whether it is a backup; if not, find out what left.";
    MEANS_SILENT_FEED = "监测站点或业务系统的数据中断。请检查现场设备、供电和线路。", "Data of a monitoring station or a business system stopped. Look at the device, its power and its line.";
    MEANS_SHIFT = "该指标连续数小时明显偏离这一时段的正常水平。请核实是否有变更、故障或异常流量。", "This figure has been far from what is usual at this time for hours. Look for a change, a failure or unusual traffic.";
    MEANS_UPLINK_SHIFT = "上行端口收发流量连续数小时明显偏离这一时段的正常水平。请查看该站点流量排行，核实是否有大量外传、新业务、备份，或业务中断、线路改道。", "A port that leads out of the site has carried far more or less than is usual at this time for hours. Look at who sends and receives most there: data carried away, a new system, a backup, or a system that went silent, a line that was led another way.";
}

/// Returns what a kind of anomaly means; `None` for one that is new here, and for incidents, which have a page of their own.
pub fn means(kind: &str) -> Option<Text> {
    Some(match kind {
        "port_scan" => MEANS_PORT_SCAN,
        "sweep" => MEANS_SWEEP,
        "slow_scan" => MEANS_SLOW_SCAN,
        "dark_address" => MEANS_DARK_ADDRESS,
        "brute_force" => MEANS_BRUTE_FORCE,
        "syn_flood" | "udp_flood" | "icmp_flood" | "dns_flood" => MEANS_FLOOD,
        "reflection" => MEANS_REFLECTION,
        "arp_spoofing" => MEANS_ARP_SPOOFING,
        "address_conflict" => MEANS_ADDRESS_CONFLICT,
        "rogue_dhcp" | "rogue_dhcpv6" | "rogue_ra" => MEANS_ROGUE_SERVER,
        "mac_flood" => MEANS_MAC_FLOOD,
        "broadcast_storm" => MEANS_BROADCAST_STORM,
        "rogue_root" | "rogue_lldp" => MEANS_ROGUE_EQUIPMENT,
        "outreach" => MEANS_OUTREACH,
        "beaconing" => MEANS_BEACONING,
        "dns_tunnel" => MEANS_DNS_TUNNEL,
        "dga" => MEANS_DGA,
        "cleartext_login" => MEANS_CLEARTEXT_LOGIN,
        "outdated_tls" => MEANS_OUTDATED_TLS,
        "expired_certificate" => MEANS_EXPIRED_CERTIFICATE,
        "nat" => MEANS_NAT,
        "changed_class" | "changed_os" => MEANS_CHANGED,
        "forbidden_vlan" => MEANS_FORBIDDEN_VLAN,
        "worm" | "worm_spread" => MEANS_WORM,
        "unregistered_terminal" => MEANS_UNREGISTERED_TERMINAL,
        "mac_at_two_sites" | "ip_with_two_macs" | "device_address_used" => MEANS_COPIED_ADDRESS,
        "mac_flaps" => MEANS_MAC_FLAPS,
        "device_replaced" => MEANS_DEVICE_REPLACED,
        "hub_behind_port" => MEANS_HUB_BEHIND_PORT,
        "unregistered_service" => MEANS_UNREGISTERED_SERVICE,
        "expired_service" => MEANS_EXPIRED_SERVICE,
        "exposed_service" => MEANS_EXPOSED_SERVICE,
        "gone_service" => MEANS_GONE_SERVICE,
        "other_network" => MEANS_OTHER_NETWORK,
        "new_peer" => MEANS_NEW_PEER,
        "long_transfer" | "night_transfer" => MEANS_TRANSFER,
        "silent_feed" => MEANS_SILENT_FEED,
        "traffic_shift" | "flow_shift" | "terminal_shift" | "error_shift" | "round_trip_shift" => MEANS_SHIFT,
        "uplink_shift" => MEANS_UPLINK_SHIFT,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_anomaly_is_explained() {
        let at_centre = onenet_detection::centre::ALL.iter().map(|it| it.name);
        for kind in onenet_detection::Kind::ALL.iter().map(|it| it.name()).chain(at_centre) {
            assert!(means(kind).is_some(), "{kind}");
        }
    }
}
