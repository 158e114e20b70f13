//! What evidence of a case is called. What it says stands as it was told.

use super::Text;

texts! {
    EVIDENCE_ADDRESS = "地址", "Address";
    EVIDENCE_ADDRESSES = "涉及地址", "Addresses";
    EVIDENCE_AFTER = "变化后", "After";
    EVIDENCE_ANSWERED = "有应答的主机数", "Hosts that answered";
    EVIDENCE_APPLICATION = "应用", "Application";
    EVIDENCE_APPROVAL = "审批编号", "Approval";
    EVIDENCE_ATTEMPTS = "尝试次数", "Attempts";
    EVIDENCE_BEFORE = "变化前", "Before";
    EVIDENCE_BYTES = "字节数", "Bytes";
    EVIDENCE_CALLED = "外联目标", "Called";
    EVIDENCE_CAPTURE = "抓包文件", "Packets";
    EVIDENCE_CLAIMS = "冒用声明", "Claims";
    EVIDENCE_CLIENT = "客户端", "Client";
    EVIDENCE_CONNECTIONS = "连接数", "Connections";
    EVIDENCE_DEVICE = "设备", "Device";
    EVIDENCE_DIRECTION = "方向", "Direction";
    EVIDENCE_DOMAIN = "域名", "Domain";
    EVIDENCE_DOMAINS = "域名数", "Domains";
    EVIDENCE_EXPECTED = "正常水平", "Usual";
    EVIDENCE_EXPIRES = "审批到期", "Approval ends";
    EVIDENCE_FLOW = "通信记录", "Flow";
    EVIDENCE_FRAMES = "帧数", "Frames";
    EVIDENCE_HOSTS = "主机", "Hosts";
    EVIDENCE_INCIDENT = "故障", "Incident";
    EVIDENCE_IP = "IP 地址", "IP address";
    EVIDENCE_JITTER = "周期抖动", "Jitter";
    EVIDENCE_KNOWN = "已知对端", "Known peers";
    EVIDENCE_LAST_DATA = "最后一次数据", "Last data";
    EVIDENCE_LAST_USED = "最后一次使用", "Last used";
    EVIDENCE_LEFT_OUT = "未立案的发现", "Left out";
    EVIDENCE_MEGABYTES = "外发数据（MB）", "Megabytes sent";
    EVIDENCE_NAME = "名称", "Name";
    EVIDENCE_NAMES = "查询的域名", "Names";
    EVIDENCE_NO_CAPTURE = "无抓包文件的原因", "Why there are no packets";
    EVIDENCE_OVER = "恢复时间", "Over";
    EVIDENCE_OWNER = "所有者", "Owner";
    EVIDENCE_PEER = "新的对端", "Peer";
    EVIDENCE_PEERS = "对端", "Peers";
    EVIDENCE_PERIOD = "周期", "Period";
    EVIDENCE_PORT = "端口", "Port";
    EVIDENCE_PORTS = "端口", "Ports";
    EVIDENCE_POSSIBLE = "可能原因", "Possible causes";
    EVIDENCE_PRIORITY = "优先级", "Priority";
    EVIDENCE_RATE = "速率", "Rate";
    EVIDENCE_SAYS = "自称", "Says that it is";
    EVIDENCE_SCAN = "授权扫描", "Approved scan";
    EVIDENCE_SERVER = "服务器", "Server";
    EVIDENCE_SERVICE = "服务", "Service";
    EVIDENCE_SHARE = "占比", "Share";
    EVIDENCE_SHIFTED_SINCE = "异常起始时间", "Shifted since";
    EVIDENCE_SITES = "站点", "Sites";
    EVIDENCE_SITES_AFFECTED = "受影响站点数", "Sites affected";
    EVIDENCE_SOURCE = "来源", "Source";
    EVIDENCE_SOURCES = "来源", "Sources";
    EVIDENCE_SPEAKS = "应用协议", "Speaks";
    EVIDENCE_STATION = "MAC 地址", "Station";
    EVIDENCE_STATIONS = "MAC 地址", "Stations";
    EVIDENCE_SURE = "推断把握", "How sure";
    EVIDENCE_TARGET = "目标主机", "Target";
    EVIDENCE_TO = "发往", "To";
    EVIDENCE_TOLD_BY = "通告者", "Told by";
    EVIDENCE_TRUST = "已知服务器", "Trusted";
    EVIDENCE_TURNS = "切换次数", "Turns";
    EVIDENCE_USUAL_INTERVAL = "正常间隔", "Usual interval";
    EVIDENCE_VALUE = "当前值", "Value";
    EVIDENCE_VENDOR = "厂商", "Vendor";
    EVIDENCE_VLAN = "VLAN", "VLAN";
    EVIDENCE_DEVICE_NAME = "设备名称", "Name of the device";
    EVIDENCE_ENDPOINT = "终端编号", "Endpoint";
    EVIDENCE_MOVES = "切换次数", "Moves";
    EVIDENCE_OTHER_SITES = "其他站点数", "Other sites";
    EVIDENCE_SUCH_AS = "例如", "Such as";
    EVIDENCE_SWEEPS = "扫描次数", "Sweeps";
    EVIDENCE_TERMINALS = "终端数", "Terminals";
    EVIDENCE_ABOVE = "高于正常", "above";
    EVIDENCE_BELOW = "低于正常", "below";
}

/// What each is called, by the name under which it is told.
const NAMES: &[(&str, Text)] = &[
    ("address", EVIDENCE_ADDRESS),
    ("addresses", EVIDENCE_ADDRESSES),
    ("after", EVIDENCE_AFTER),
    ("answered", EVIDENCE_ANSWERED),
    ("application", EVIDENCE_APPLICATION),
    ("approval", EVIDENCE_APPROVAL),
    ("attempts", EVIDENCE_ATTEMPTS),
    ("before", EVIDENCE_BEFORE),
    ("bytes", EVIDENCE_BYTES),
    ("called", EVIDENCE_CALLED),
    ("capture", EVIDENCE_CAPTURE),
    ("claims", EVIDENCE_CLAIMS),
    ("client", EVIDENCE_CLIENT),
    ("connections", EVIDENCE_CONNECTIONS),
    ("device", EVIDENCE_DEVICE),
    ("direction", EVIDENCE_DIRECTION),
    ("domain", EVIDENCE_DOMAIN),
    ("domains", EVIDENCE_DOMAINS),
    ("expected", EVIDENCE_EXPECTED),
    ("expires", EVIDENCE_EXPIRES),
    ("flow", EVIDENCE_FLOW),
    ("frames", EVIDENCE_FRAMES),
    ("hosts", EVIDENCE_HOSTS),
    ("incident", EVIDENCE_INCIDENT),
    ("ip", EVIDENCE_IP),
    ("jitter", EVIDENCE_JITTER),
    ("known", EVIDENCE_KNOWN),
    ("last_data", EVIDENCE_LAST_DATA),
    ("last_used", EVIDENCE_LAST_USED),
    ("left_out", EVIDENCE_LEFT_OUT),
    ("megabytes", EVIDENCE_MEGABYTES),
    ("name", EVIDENCE_NAME),
    ("names", EVIDENCE_NAMES),
    ("no_capture", EVIDENCE_NO_CAPTURE),
    ("over", EVIDENCE_OVER),
    ("owner", EVIDENCE_OWNER),
    ("peer", EVIDENCE_PEER),
    ("peers", EVIDENCE_PEERS),
    ("period", EVIDENCE_PERIOD),
    ("port", EVIDENCE_PORT),
    ("ports", EVIDENCE_PORTS),
    ("possible", EVIDENCE_POSSIBLE),
    ("priority", EVIDENCE_PRIORITY),
    ("rate", EVIDENCE_RATE),
    ("says", EVIDENCE_SAYS),
    ("scan", EVIDENCE_SCAN),
    ("server", EVIDENCE_SERVER),
    ("service", EVIDENCE_SERVICE),
    ("share", EVIDENCE_SHARE),
    ("shifted_since", EVIDENCE_SHIFTED_SINCE),
    ("sites", EVIDENCE_SITES),
    ("sites_affected", EVIDENCE_SITES_AFFECTED),
    ("source", EVIDENCE_SOURCE),
    ("sources", EVIDENCE_SOURCES),
    ("speaks", EVIDENCE_SPEAKS),
    ("station", EVIDENCE_STATION),
    ("stations", EVIDENCE_STATIONS),
    ("sure", EVIDENCE_SURE),
    ("target", EVIDENCE_TARGET),
    ("to", EVIDENCE_TO),
    ("told_by", EVIDENCE_TOLD_BY),
    ("trust", EVIDENCE_TRUST),
    ("turns", EVIDENCE_TURNS),
    ("usual_interval", EVIDENCE_USUAL_INTERVAL),
    ("value", EVIDENCE_VALUE),
    ("vendor", EVIDENCE_VENDOR),
    ("vlan", EVIDENCE_VLAN),
    ("device_name", EVIDENCE_DEVICE_NAME),
    ("endpoint", EVIDENCE_ENDPOINT),
    ("moves", EVIDENCE_MOVES),
    ("other_sites", EVIDENCE_OTHER_SITES),
    ("such_as", EVIDENCE_SUCH_AS),
    ("sweeps", EVIDENCE_SWEEPS),
    ("terminals", EVIDENCE_TERMINALS),
];

/// Returns what evidence is called, `None` where an agent newer than this centre tells of it.
pub fn evidence(name: &str) -> Option<Text> {
    NAMES.iter().find(|(told, _)| *told == name).map(|(_, called)| *called)
}
