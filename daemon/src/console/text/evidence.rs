//! What evidence of a case is called, and the words in it that stand for a choice. All else that it says are numbers, names and addresses, which
//! stand as they were told: so do the sentences that programs told before words stood for choices.

use super::Text;

texts! {
    EVIDENCE_ADDRESS = "地址", "Address";
    EVIDENCE_ADDRESSES = "涉及地址数", "Addresses";
    EVIDENCE_AFTER = "变化后", "After";
    EVIDENCE_ANSWERED = "有应答的主机数", "Hosts that answered";
    EVIDENCE_APPLICATION = "应用", "Application";
    EVIDENCE_APPROVAL = "审批编号", "Approval";
    EVIDENCE_ATTEMPTS = "尝试次数", "Attempts";
    EVIDENCE_BEFORE = "变化前", "Before";
    EVIDENCE_BYTES = "字节数", "Bytes";
    EVIDENCE_CALLED = "外联目标", "Called";
    EVIDENCE_CAPTURE = "抓包文件", "Packets";
    EVIDENCE_CLAIMS = "未经请求的应答次数", "Claims that nobody asked for";
    EVIDENCE_CLIENT = "客户端", "Client";
    EVIDENCE_CONNECTIONS = "五分钟内相似的短连接数", "Short connections alike, in five minutes";
    EVIDENCE_DEVICE = "设备", "Device";
    EVIDENCE_DIRECTION = "方向", "Direction";
    EVIDENCE_DOMAIN = "域名", "Domain";
    EVIDENCE_DOMAINS = "一小时内不存在的随机域名（约数：示例）", "Domains in an hour (about so many: such as)";
    EVIDENCE_EXPECTED = "正常水平", "Usual";
    EVIDENCE_EXPIRES = "审批到期", "Approval ends";
    EVIDENCE_FLOW = "通信记录", "Flow";
    EVIDENCE_FRAMES = "帧数", "Frames";
    EVIDENCE_HOSTS = "主机（约数：示例）", "Hosts (about so many: such as)";
    EVIDENCE_INCIDENT = "故障", "Incident";
    EVIDENCE_IP = "IP 地址", "IP address";
    EVIDENCE_JITTER = "周期抖动", "Jitter";
    EVIDENCE_KNOWN = "已知对端数", "Known peers";
    EVIDENCE_LAST_DATA = "最后一次数据", "Last data";
    EVIDENCE_LAST_USED = "最后一次使用", "Last used";
    EVIDENCE_LEFT_OUT = "未立案的发现", "Left out";
    EVIDENCE_MEGABYTES = "外发数据（MB）", "Megabytes sent";
    EVIDENCE_NAME = "名称", "Name";
    EVIDENCE_NAMES = "十分钟内不同域名数", "Different names in ten minutes";
    EVIDENCE_NO_CAPTURE = "无抓包文件的原因", "Why there are no packets";
    EVIDENCE_OVER = "恢复时间", "Over";
    EVIDENCE_OWNER = "所有者", "Owner";
    EVIDENCE_PEER = "新的对端", "Peer";
    EVIDENCE_PEERS = "对端（约数：示例）", "Peers (about so many: such as)";
    EVIDENCE_PERIOD = "周期", "Period";
    EVIDENCE_PORT = "端口", "Port";
    EVIDENCE_PORTS = "五分钟内尝试的端口（约数：示例）", "Ports in five minutes (about so many: such as)";
    EVIDENCE_POSSIBLE = "可能原因", "Possible causes";
    EVIDENCE_PRIORITY = "优先级", "Priority";
    EVIDENCE_RATE = "速率", "Rate";
    EVIDENCE_SAYS = "自称", "Says that it is";
    EVIDENCE_SCAN = "授权扫描", "Approved scan";
    EVIDENCE_SERVER = "服务器", "Server";
    EVIDENCE_SERVICE = "服务", "Service";
    EVIDENCE_SHARE = "占全部帧", "Share of all frames";
    EVIDENCE_SHIFTED_SINCE = "异常起始时间", "Shifted since";
    EVIDENCE_SITES = "站点", "Sites";
    EVIDENCE_SITES_AFFECTED = "受影响站点数", "Sites affected";
    EVIDENCE_DESTINATION = "目的地址", "Destination";
    EVIDENCE_SOURCE = "来源", "Source";
    EVIDENCE_SOURCES = "来源（约数：示例）", "Sources (about so many: such as)";
    EVIDENCE_SPEAKS = "应用协议", "Speaks";
    EVIDENCE_STATION = "MAC 地址", "Station";
    EVIDENCE_STATIONS = "MAC 地址（或数量）", "Stations";
    EVIDENCE_SURE = "推断把握", "How sure";
    EVIDENCE_TARGET = "目标主机", "Target";
    EVIDENCE_TO = "发往", "To";
    EVIDENCE_TOLD_BY = "通告者", "Told by";
    EVIDENCE_TRUST = "为何不可信", "Why it is not trusted";
    EVIDENCE_TURNS = "切换次数", "Turns";
    EVIDENCE_USUAL_INTERVAL = "正常间隔", "Usual interval";
    EVIDENCE_VALUE = "当前值", "Value";
    EVIDENCE_VENDOR = "厂商", "Vendor";
    EVIDENCE_VLAN = "VLAN", "VLAN";
    EVIDENCE_DEVICE_NAME = "设备名称", "Name of the device";
    EVIDENCE_ENDPOINT = "终端编号", "Endpoint";
    EVIDENCE_MOVES = "切换记录", "Moves";
    EVIDENCE_OTHER_SITES = "其他站点数", "Other sites";
    EVIDENCE_SUCH_AS = "例如", "Such as";
    EVIDENCE_SWEEPS = "扫描次数", "Sweeps";
    EVIDENCE_TERMINALS = "终端数", "Terminals";
    EVIDENCE_BROADCASTS_PER_S = "每秒广播帧数", "Broadcasts a second";
    EVIDENCE_CHARACTERS = "域名平均字符数", "Characters of a name, on average";
    EVIDENCE_DAYS = "稳定天数", "Days without another peer";
    EVIDENCE_ENDED = "证书到期", "Ended";
    EVIDENCE_HOURS = "持续小时数", "Hours";
    EVIDENCE_MACHINES = "终端数", "Machines";
    EVIDENCE_PACKETS_PER_S = "每秒数据包数（十秒平均）", "Packets a second, over ten seconds";
    EVIDENCE_PORT_NAME = "接入端口", "Port";
    EVIDENCE_PROTOCOL = "协议", "Protocol";
    EVIDENCE_SECONDS = "统计时长（秒）", "Within seconds";
    EVIDENCE_SERIAL_AFTER = "现序列号", "Serial number now";
    EVIDENCE_SERIAL_BEFORE = "原序列号", "Serial number before";
    EVIDENCE_RECEIVED = "接收", "Received";
    EVIDENCE_RECEIVED_EXPECTED = "接收（正常水平）", "Received as a rule";
    EVIDENCE_SENT = "发送", "Sent";
    EVIDENCE_SENT_EXPECTED = "发送（正常水平）", "Sent as a rule";
    EVIDENCE_UNIT = "单位", "Unit";
    EVIDENCE_VERSION = "版本", "Version";
    EVIDENCE_WORD_OUTWARD = "由内向外", "begun inside";
    EVIDENCE_WORD_INWARD = "由外向内", "begun outside";
    EVIDENCE_WORD_NOT_LISTED = "不在名单中", "not on the list";
    EVIDENCE_WORD_BESIDE_KNOWN = "在已知服务器之外新出现", "it came beside those that were there";
    EVIDENCE_WORD_REPEATER = "中继器", "repeater";
    EVIDENCE_WORD_SWITCH = "交换机", "switch";
    EVIDENCE_WORD_ACCESS_POINT = "无线接入点", "access point";
    EVIDENCE_WORD_ROUTER = "路由器", "router";
    EVIDENCE_WORD_FRAMES = "帧", "frames";
    EVIDENCE_WORD_FLOWS = "流", "flows";
    EVIDENCE_WORD_HOSTS = "主机", "hosts";
    EVIDENCE_WORD_ERRORS_PER_S = "错误/秒", "errors a second";
    EVIDENCE_WORD_MBIT_PER_S = "Mbit/s", "Mbit/s";
    EVIDENCE_WORD_NO_MEMORY = "采集端未保留数据包", "the agent keeps no packets";
    EVIDENCE_WORD_TOO_MUCH = "同时发现过多", "too much was found at once";
    EVIDENCE_WORD_FORGOTTEN = "数据包已被覆盖", "the packets were overwritten";
    EVIDENCE_WORD_DISK = "写盘失败", "the disk refused";
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
    ("destination", EVIDENCE_DESTINATION),
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
    ("broadcasts_per_s", EVIDENCE_BROADCASTS_PER_S),
    ("characters", EVIDENCE_CHARACTERS),
    ("days", EVIDENCE_DAYS),
    ("ended", EVIDENCE_ENDED),
    ("hours", EVIDENCE_HOURS),
    ("machines", EVIDENCE_MACHINES),
    ("packets_per_s", EVIDENCE_PACKETS_PER_S),
    ("port_name", EVIDENCE_PORT_NAME),
    ("protocol", EVIDENCE_PROTOCOL),
    ("seconds", EVIDENCE_SECONDS),
    ("serial_after", EVIDENCE_SERIAL_AFTER),
    ("serial_before", EVIDENCE_SERIAL_BEFORE),
    ("received", EVIDENCE_RECEIVED),
    ("received_expected", EVIDENCE_RECEIVED_EXPECTED),
    ("sent", EVIDENCE_SENT),
    ("sent_expected", EVIDENCE_SENT_EXPECTED),
    ("unit", EVIDENCE_UNIT),
    ("version", EVIDENCE_VERSION),
];

/// The words that stand for a choice, by the evidence in which they do; the sentences that were told in their place before are among them.
const WORDS: &[(&str, &str, Text)] = &[
    ("direction", "above", EVIDENCE_ABOVE),
    ("direction", "below", EVIDENCE_BELOW),
    ("direction", "outward", EVIDENCE_WORD_OUTWARD),
    ("direction", "inward", EVIDENCE_WORD_INWARD),
    ("direction", "begun inside", EVIDENCE_WORD_OUTWARD),
    ("direction", "begun outside", EVIDENCE_WORD_INWARD),
    ("trust", "not_listed", EVIDENCE_WORD_NOT_LISTED),
    ("trust", "beside_known", EVIDENCE_WORD_BESIDE_KNOWN),
    ("trust", "it is not on the list", EVIDENCE_WORD_NOT_LISTED),
    ("trust", "it came beside those that were there", EVIDENCE_WORD_BESIDE_KNOWN),
    ("says", "repeater", EVIDENCE_WORD_REPEATER),
    ("says", "switch", EVIDENCE_WORD_SWITCH),
    ("says", "access_point", EVIDENCE_WORD_ACCESS_POINT),
    ("says", "access point", EVIDENCE_WORD_ACCESS_POINT),
    ("says", "router", EVIDENCE_WORD_ROUTER),
    ("unit", "frames", EVIDENCE_WORD_FRAMES),
    ("unit", "flows", EVIDENCE_WORD_FLOWS),
    ("unit", "hosts", EVIDENCE_WORD_HOSTS),
    ("unit", "errors_per_s", EVIDENCE_WORD_ERRORS_PER_S),
    ("unit", "mbit_per_s", EVIDENCE_WORD_MBIT_PER_S),
    ("no_capture", "no_memory", EVIDENCE_WORD_NO_MEMORY),
    ("no_capture", "too_much", EVIDENCE_WORD_TOO_MUCH),
    ("no_capture", "forgotten", EVIDENCE_WORD_FORGOTTEN),
    ("no_capture", "disk", EVIDENCE_WORD_DISK),
];

/// Returns what evidence is called, `None` where an agent newer than this centre tells of it.
pub fn evidence(name: &str) -> Option<Text> {
    NAMES.iter().find(|(told, _)| *told == name).map(|(_, called)| *called)
}

/// Returns what a word in evidence stands for, `None` where it stands for itself.
pub fn evidence_word(name: &str, word: &str) -> Option<Text> {
    WORDS.iter().find(|(told, code, _)| (*told, *code) == (name, word)).map(|(_, _, words)| *words)
}
