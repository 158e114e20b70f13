//! Every text of the console, in Chinese and English.
//!
//! Invariant: a text has both languages or does not compile; nothing that a person reads in the console is written
//! anywhere else, except what devices and agents say themselves.

/// One text in both languages. `{}` stands for a value; see [`fill`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Text {
    const fn new(zh: &'static str, en: &'static str) -> Self {
        assert!(!zh.is_empty() && !en.is_empty(), "a text needs both languages");
        Self { zh, en }
    }
}

/// Returns the text with its first `{}` replaced by `value`.
pub fn fill(text: &str, value: impl std::fmt::Display) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

macro_rules! texts {
    ($($id:ident = $zh:literal, $en:literal;)*) => {
        $(
            // As code: a text may name a table of a configuration in brackets, which is no link.
            #[doc = concat!("`", $en, "`")]
            pub const $id: Text = Text::new($zh, $en);
        )*

        /// Every text with its name, for the tests.
        #[cfg(test)]
        const ALL: &[(&str, Text)] = &[$((stringify!($id), $id)),*];
    };
}

texts! {
    PRODUCT = "一张网监测", "onenet";
    SKIP_TO_CONTENT = "跳到正文", "Skip to content";
    SIGN_IN = "登录", "Sign in";
    SIGN_OUT = "退出", "Sign out";
    TOKEN = "访问令牌", "Access token";
    TOKEN_HINT = "令牌由安全管理员签发（onenetd token create）；quickstart 启动时会显示令牌。", "Your security administrator issues tokens (onenetd token create); quickstart prints one when it starts.";
    SESSION_ENDED = "登录已过期，请重新登录。", "Your session has ended: sign in again.";
    TOKEN_REFUSED = "该令牌无效、已过期或已吊销。请向安全管理员索取新的令牌。", "This token is not valid, has expired or was revoked. Ask your security administrator for another.";
    SIGNED_IN_AS = "当前用户", "Signed in as";
    DEMO_BANNER = "演示数据：标有“演示”的站点及其内容均为模拟，不是真实网络。", "Demonstration: sites marked “demo” and all they contain are simulated, not a real network.";
    DEMO = "演示", "demo";

    PLACES = "导航", "Places";
    SITES = "站点", "Sites";
    SITE = "站点", "Site";
    OVERVIEW = "总览", "Overview";
    SEARCH = "搜索", "Search";
    SEARCH_ENDPOINTS = "查找端点", "Find endpoints";
    SEARCH_HINT = "MAC（任意写法）、IP、主机名或厂商的任意部分", "any part of a MAC (any notation), IP, host name or vendor";
    SEARCH_RESULTS = "搜索结果", "Search results";
    NO_RESULTS = "没有与“{}”匹配的端点。请换一部分 MAC、IP、主机名或厂商名再试。", "No endpoint matches “{}”. Try another part of its MAC, IP, host name or vendor.";
    FOUND = "共 {} 个", "{} found";
    FOUND_MORE = "每页 {} 个", "{} on this page";
    ALL_ENDPOINTS_HINT = "最近见过的所有端点；可用上方的搜索框缩小范围。", "Every endpoint that is remembered; the search above narrows it down.";
    MORE = "下一页", "Next page";
    NO_SITES = "还没有站点，或您的角色看不到任何站点。系统管理员可用 onenetd sites import 导入站点。", "There are no sites yet, or your roles show none. The system administrator imports them with onenetd sites import.";

    TIER = "层级", "Tier";
    CODE = "代码", "Code";
    NAME = "名称", "Name";
    STATE = "状态", "State";
    AGENTS = "采集器", "Agents";
    CAPTURE = "抓包质量", "Capture";
    LISTENED_ON = "监听网口", "Listens on";
    CAPTURE_COUNTED = "统计于", "Counted";
    CAPTURE_FRAMES = "帧", "Frames";
    CAPTURE_BYTES = "流量", "Bytes";
    CAPTURE_DROPPED = "内核丢帧", "Dropped by the kernel";
    CAPTURE_MISSED = "未抓到的载荷（估计）", "Payload missed (estimate)";
    CAPTURE_FLOWS_LOST = "未保存的流", "Flows not kept";
    CAPTURE_UNDECODED = "未解码的帧", "Frames not decoded";
    AGENT = "采集器", "Agent";
    CONNECTED = "在线", "connected";
    SILENT = "失联", "silent";
    NEVER_HEARD = "未上线", "never heard";
    REVOKED = "已吊销", "revoked";
    UNKNOWN = "未知", "unknown";
    DEVICES = "设备", "Devices";
    DEVICE = "设备", "Device";
    DEVICES_ANSWERING = "有应答设备", "Devices answering";
    ENDPOINTS = "端点", "Endpoints";
    ENDPOINT = "端点", "Endpoint";
    PRESENT = "在网", "present";
    PAST = "曾在网", "seen before";
    INTERFACES = "接口", "Interfaces";
    INTERFACE = "接口", "Interface";
    LINKS = "链路", "Links";
    WITH_SUBTREE = "各行数字均含其下级站点。", "The numbers of each row include the sites below it.";
    BELOW = "下级站点", "Sites below";
    SITES_BELOW = "下级 {} 个", "{} below";

    NEEDS_ATTENTION = "需要处理", "Needs attention";
    NOTHING_WRONG = "没有已知问题。", "No known problem.";
    NOTHING_KNOWN = "尚无该站点的数据：没有采集器上线。用 onenetd enrol 为它登记一个。", "Nothing is known of this site: no agent was heard yet. Enrol one with onenetd enrol.";
    SINCE = "状态始于", "Since";
    REMEDY = "处理办法", "What to do";
    SUBJECT = "对象", "Subject";
    REPORTED_BY = "报告者", "Reported by";
    DETAIL = "采集器说明", "The agent says";

    MAC = "MAC 地址", "MAC address";
    IP = "IP 地址", "IP address";
    HOSTNAME = "主机名", "Host name";
    VENDOR = "厂商", "Vendor";
    RANDOM_MAC = "随机（本地管理）", "random (locally administered)";
    FIRST_SEEN = "首次发现", "First seen";
    LAST_SEEN = "最近发现", "Last seen";
    ATTACHMENT = "接入位置", "Attachment";
    ATTACHMENT_UNKNOWN = "接入端口未知：没有交换机的转发表包含该地址。", "Port not known: no switch lists this address in its forwarding table.";
    AT_PORT = "{} 的 {}", "{}, port {}";
    BEHIND = "在 {} 之后，端口无法确定", "at or behind {}; the port cannot be told";
    LAST_KNOWN = "当前没有转发表包含该地址：这是最后所知的位置。", "No table lists it at present: this is where it was last.";
    MOVING = "可能已移到 {}，待确认", "it may have moved to {}; not confirmed yet";
    ALSO = "同时位于", "also at";
    LOOKS_ELSEWHERE = "转发表现指向别处，尚未采信。", "The tables now point elsewhere; that is not believed yet.";
    REASON_EDGE_PORT = "唯一一个其后没有受管设备的端口；该端口学到的地址数：{}", "The only port without a managed device behind it. Addresses learned there: {}.";
    REASON_FEWEST = "几个候选端口中地址最少：{} 个，次少 {} 个", "Of several such ports the one with the fewest addresses: {}; the next has {}.";
    REASON_UNMANAGED = "与 {} 之间有非受管设备：两端面向对方的端口都学到了该地址", "Something unmanaged is on the way to {}: both have it at the ports that face each other.";
    REASON_SHARED_PORTS = "同时接入两台共享端口的交换机（MLAG），端口数：{}", "Plugged into two switches that share their ports (MLAG). Ports: {}.";
    REASON_MOST_AGREE = "几个候选端口中与其他设备转发表最一致：一致 {} 台，不一致 {} 台", "The port that most tables agree with: {} devices lead there, {} elsewhere.";
    REASON_ROW_MISSING = "可能在 {} 上或其后，而其转发表没有该地址：该记录缺失，或中间有非受管设备", "It may be at or behind {}, whose table does not have it: its row is missing, or something unmanaged is on the way.";
    REASON_NO_TABLE = "最深的端口通向一台不提供转发表的设备", "The deepest port leads to a device that shows no table.";
    REASON_PORT_UNRESOLVED = "设备学到了该地址，但桥端口无法对应到接口", "The device has it at a bridge port that does not resolve to an interface.";
    REASON_PORT_DOWN = "仅有的记录都在已中断的端口上", "The only rows are on ports that are down.";
    REASON_NOTHING = "没有可用的记录", "No row tells where it is.";
    REJECTED_LEADS_TO = "该端口通向 {}，它自己也学到了该地址", "the port leads to {}, which has the address itself";
    REJECTED_MAY_LEAD_TO = "该端口之后可能有 {}：其转发表没有该地址，其位置也不确定", "{} may be behind the port: its table does not have the address, and nothing tells for sure where it is";
    REJECTED_BETWEEN = "该端口之后有受管设备 {}", "the managed device {} is behind the port";
    REJECTED_MORE = "另一端口学到的地址更少；此端口有 {} 个", "another port has fewer addresses; this one has {}";
    REJECTED_FEWER_AGREE = "更多设备的转发表指向另一端口；与此端口不一致的有 {} 台", "the tables of more devices agree with another port; with this one {} do not";
    REJECTED_MOVE_PENDING = "可能已移到此处，下一次采集结果一致时才会采信", "it may have moved there: believed when the next walk says so too";
    REJECTED_NOT_LEARNED = "该记录不是从流量学到的", "the row was not learned from traffic";
    REJECTED_UNRESOLVED = "桥端口无法对应到接口", "the bridge port did not resolve to an interface";
    REJECTED_PORT_DOWN = "该端口已中断", "the port is down";
    REJECTED_OTHER_VLAN = "在另一个 VLAN 中有更好的证据", "it is better known in another VLAN";
    CONFIDENCE = "可信度", "confidence";
    REASON = "依据", "Reason";
    REJECTED = "未采用的记录", "Rejected rows";
    BINDINGS = "地址绑定", "Bindings";
    NO_BINDINGS = "没有地址绑定。", "No binding is known.";
    EVIDENCE = "证据", "Evidence";
    EVIDENCE_HINT = "每一行是一种方法看到的事实；所有结论都由此得出。", "Each row is what one method saw; everything above is concluded from these.";
    REJECTED_HINT = "这些转发表记录也包含该地址，但不是它的接入端口。", "These rows of forwarding tables have the address too, and are not where it is plugged in.";
    METHOD = "方法", "Method";
    SCOPE = "来源", "Where";
    VLAN = "VLAN", "VLAN";
    SAYS_OF_ITSELF = "自述（DHCP）", "Says of itself (DHCP)";
    VENDOR_CLASS = "厂商类别", "Vendor class";

    SYSTEM_NAME = "系统名称", "System name";
    DESCRIPTION = "描述", "Description";
    LOCATION = "位置", "Location";
    ADDRESS = "地址", "Address";
    MODEL = "型号", "Model";
    CLASS = "类别", "Class";
    CLASS_PC = "计算机", "computer";
    CLASS_SERVER = "服务器", "server";
    CLASS_PRINTER = "打印机", "printer";
    CLASS_PHONE = "话机", "telephone";
    CLASS_MOBILE = "手机或平板", "mobile or tablet";
    CLASS_CAMERA = "摄像机", "camera";
    CLASS_RECORDER = "录像机", "video recorder";
    CLASS_VIDEO_TERMINAL = "视频会议终端", "video terminal";
    CLASS_NETWORK_DEVICE = "网络设备", "network device";
    CLASS_ENVIRONMENTAL_MONITOR = "环境监测设备", "environmental monitor";
    CLASS_STORAGE = "存储设备", "storage";
    CLASS_CONTROLLER = "控制器", "controller";
    CLASS_MEDIA = "影音设备", "media device";
    CLASS_POWER = "电源设备", "power supply";
    CLASS_UNKNOWN = "尚未听到足以判断其类别的内容。", "Nothing was heard yet that tells what it is.";
    CLASS_HISTORY = "以往的判断", "What it was taken to be before";
    CLASSIFICATION = "它是什么，依据什么", "What it is, and why";
    SYSTEM = "操作系统", "System";
    SHARED = "共享地址", "Shared address";
    SHARED_YES = "其后可能有多台机器（NAT）", "several machines may be behind it (NAT)";
    SIGN = "依据", "Sign";
    SIGN_VALUE = "内容", "What was said";
    SPEAKS_FOR = "说明它是", "Speaks for";
    POINTS = "分量", "Weight";
    CONTRADICTS = "（与结论相左）", "(contradicts)";
    SIGN_SYSTEM = "操作系统", "operating system";
    SIGN_DHCP = "DHCP", "DHCP";
    SIGN_DHCPV6 = "DHCPv6", "DHCPv6";
    SIGN_MDNS = "组播 DNS", "multicast DNS";
    SIGN_LLMNR = "LLMNR", "LLMNR";
    SIGN_NETBIOS = "NetBIOS", "NetBIOS";
    SIGN_SSDP = "SSDP", "SSDP";
    SIGN_WS_DISCOVERY = "WS-Discovery", "WS-Discovery";
    SIGN_MAKER = "厂商自有发现协议", "its maker's own discovery";
    SIGN_LLDP = "LLDP", "LLDP";
    SIGN_CDP = "CDP", "CDP";
    SIGN_SPANNING_TREE = "生成树", "spanning tree";
    SIGN_ROUTING = "转发行为", "forwarding";
    SIGN_TCP_OPENING = "TCP 建连特征", "TCP openings";
    SIGN_TCP_SERVICE = "应答的端口", "port answered on";
    SIGN_HTTP = "HTTP", "HTTP";
    SIGN_TLS = "TLS", "TLS";
    SIGN_SSH = "SSH", "SSH";
    SIGN_SMB = "SMB", "SMB";
    SIGN_SIP = "SIP", "SIP";
    SIGN_RTSP = "RTSP", "RTSP";
    SIGN_APPLICATION = "所用应用协议", "applications";
    SIGN_HEARSAY = "他人代称", "said by others";
    SERIAL = "序列号", "Serial";
    SPEED = "速率", "Speed";
    ADMIN = "管理状态", "Admin";
    OPER = "运行状态", "Oper";
    ALIAS = "别名", "Alias";
    UP = "正常", "up";
    DOWN = "中断", "down";
    DEGRADED = "降级", "degraded";
    TESTING = "测试", "testing";
    DORMANT = "休眠", "dormant";
    NOT_PRESENT = "不在位", "not present";
    LOWER_LAYER_DOWN = "下层中断", "lower layer down";
    NO_DEVICES = "没有受管设备。在采集器配置的 [[devices]] 中加入交换机和路由器后，即可看到端口以及端点接在哪里。", "No managed device. Name switches and routers under [[devices]] in the agent's configuration to see ports, and where endpoints are plugged in.";
    NO_ENDPOINTS = "尚未发现端点。采集器从网络上听到或从交换机读到之后，端点就会显示在这里。", "No endpoint was seen yet. One appears here as soon as an agent hears it or reads it from a switch.";
    PLUGGED_IN = "接入的端点", "Endpoints";
    AND_MORE = "等另外 {} 个", "and {} more";
    VERSION = "版本", "Version";
    LAST_HEARD = "最近消息", "Last heard";
    CLOCK_OFFSET = "时钟偏差", "Clock offset";
    WAITING = "积压批次", "Batches waiting";

    PAGE_NOT_FOUND = "没有这个页面", "No such page";
    NOT_FOUND_HINT = "它不存在，或者您无权查看。", "It does not exist, or your roles do not show it.";
    FORBIDDEN = "无权限", "Not allowed";
    FORBIDDEN_HINT = "您的角色不允许此操作。请联系安全管理员。", "Your roles do not allow this. Ask your security administrator.";
    WENT_WRONG = "出错了", "Something went wrong";
    PROBLEM_UNAUTHORIZED = "未登录，或令牌已失效。请重新登录。", "Nobody known is signed in. Sign in again.";
    PROBLEM_PARAMETER = "参数“{}”无法使用。请返回上一页，改正后重试。", "The parameter “{}” cannot be used. Go back and correct it.";
    PROBLEM_BODY = "提交的内容无法使用。请返回上一页，改正后重试。", "What was sent cannot be used. Go back and correct it.";
    PROBLEM_CONFLICT = "与现有数据冲突，未作任何更改。请刷新页面，核对后重试。", "It contradicts what is there; nothing was changed. Reload the page and check.";
    PROBLEM_TOO_LARGE = "提交的内容过大。请分几次提交，或请系统管理员调大 api.body_max_kib。", "It is too large. Send less at a time, or ask for a larger api.body_max_kib.";
    PROBLEM_TIMED_OUT = "查询超时。请缩小范围，例如只查一个站点。", "It took too long. Ask for less, such as one site.";
    PROBLEM_UNAVAILABLE = "中心暂时无法处理。请稍后重试；若一直如此，请系统管理员检查 onenetd 的日志和磁盘。", "The centre cannot answer at present. Try again; if it stays so, have its log and disk checked.";
    PROBLEM_INTERNAL = "中心处理失败，原因见 onenetd 的日志。请告知系统管理员。", "The centre failed; its log says why. Tell your system administrator.";
    BACK_HOME = "返回总览", "Back to the overview";
    FORM_STALE = "页面已过期，请重试。", "The page is too old: try again.";
    AS_OF = "数据截至", "As of";
    POSITION = "日志位置 {}", "log position {}";
    SHOWING_FIRST = "仅显示前 {} 个，请用搜索查找其余的。", "Only the first {} are shown; search for the others.";
    AGO = "{}前", "{} ago";
    JUST_NOW = "刚刚", "just now";
    CLOCK_AHEAD = "快 {}", "{} ahead";
    CLOCK_BEHIND = "慢 {}", "{} behind";
    SECONDS = "{} 秒", "{} s";
    MINUTES = "{} 分钟", "{} min";
    HOURS = "{} 小时", "{} h";
    DAYS = "{} 天", "{} days";

    THIS_MACHINE = "本机", "this machine";
    MINISTRY = "部", "ministry";
    PROVINCE = "省", "province";
    CITY = "市", "city";
    COUNTY = "县", "county";

    SNMP_REACH = "SNMP 应答", "SNMP answers";
    SNMP_SYSTEM = "SNMP 系统信息", "SNMP system";
    SNMP_INTERFACES = "SNMP 接口表", "SNMP interfaces";
    SNMP_FORWARDING = "交换机转发表", "forwarding table";
    SNMP_ADDRESSES = "设备 ARP/ND 表", "ARP/ND table";
    SNMP_NEIGHBOURS = "LLDP/CDP 邻居", "LLDP/CDP neighbours";
    SNMP_ENTITIES = "硬件清单", "hardware parts";
    SENSORS = "传感器", "Sensors";
    SENSOR = "传感器", "Sensor";
    MEASURES = "测量", "Measures";
    VALUE = "读数", "Value";
    CPU_LOAD = "CPU 负载", "CPU load";
    MEMORY_USED = "内存使用", "memory used";
    STORAGE_USED = "存储使用", "storage used";
    TEMPERATURE = "温度", "temperature";
    FAN_SPEED = "风扇转速", "fan speed";
    FAN = "风扇", "fan";
    POWER_SUPPLY = "电源", "power supply";
    POWER = "功率", "power";
    VOLTAGE = "电压", "voltage";
    CURRENT = "电流", "current";
    FREQUENCY = "频率", "frequency";
    OPTICAL_RECEIVE = "接收光功率", "light received";
    OPTICAL_TRANSMIT = "发送光功率", "light sent";
    OPTICAL_BIAS = "激光器偏置电流", "laser bias";
    POE_POWER = "PoE 供电", "PoE power";
    HUMIDITY = "湿度", "humidity";
    BATTERY_CHARGE = "电池电量", "battery charge";
    BATTERY_RUN_TIME = "电池可用时间", "battery run time";
    OUTPUT_LOAD = "输出负载", "output load";
    COUNT = "数量", "count";
    NORMAL = "正常", "normal";
    WARNING = "注意", "warning";
    CRITICAL = "严重", "critical";
    ABSENT = "未安装", "absent";
    ROLE = "用途", "Role";
    VLANS = "VLAN 划分", "VLANs";
    UNTAGGED_PORTS = "不带标签的接口", "Untagged ports";
    TAGGED_PORTS = "带标签的接口", "Tagged ports";
    OPTICAL_MODULES = "光模块", "Optical modules";
    NAME_AT_AGENTS = "采集器配置中的名称", "Name in the agent's configuration";
    NO_INTERFACES = "该设备没有给出接口。", "It tells of no interface.";
    ROWS_CUT = "仅显示前 {} 行，其余可经 API 查询。", "Only the first {} rows are shown; the API has the others.";
    PORT_UP = "连通", "up";
    PORT_DOWN = "未连通", "down";
    ENABLED = "启用", "enabled";
    DISABLED = "停用", "disabled";
    VLAN_NUMBER = "编号", "Number";
    VLAN_NAME = "名称", "Name";
    TAGGED = "带标签 {}", "tagged {}";
    NATIVE = "缺省 {}", "native {}";
    OWN_ADDRESSES = "自身地址", "Own addresses";
    QUIRKS = "SNMP 应答异常", "Peculiar answers";
    QUIRKS_HINT = "该设备的应答与标准不符之处；涉及的数据已按此处理，读数请据此判断。", "Where this device's answers do not keep to the standard; what it tells was read accordingly, and should be judged so.";
    QUIRK = "异常", "What";
    QUIRK_TABLE = "所在的表", "Table";
    QUIRK_COUNT = "次数", "Count";
    WHOLE_DEVICE = "整个设备", "the whole device";
    QUIRK_MALFORMED = "值的类型不对", "values of a wrong type";
    QUIRK_LOOP = "表没有终点", "a table that never ends";
    QUIRK_DISORDERED = "行的次序颠倒", "rows out of order";
    QUIRK_TOO_MANY = "表过大，未读完", "a table too large to read whole";
    QUIRK_ROUTES_CUT = "路由过多，只统计了一部分", "more routes than are counted";
    QUIRK_TRUNCATED = "各列的行数不一致", "columns that end at different rows";
    QUIRK_DUPLICATE_NAMES = "接口名称重复", "interface names given twice";
    QUIRK_NARROW_COUNTERS = "只有 32 位计数器", "32-bit counters only";
    QUIRK_GBK_TEXT = "中文采用 GBK 编码", "Chinese text in GBK";
    QUIRK_RENUMBERED = "接口编号（ifIndex）变动过", "interfaces were numbered anew";
    QUIRK_SMALL_ANSWERS = "只能给出很短的应答", "copes with small answers only";
    QUIRK_ELSEWHERE = "从别的地址应答", "answers from another address";
    QUIRK_ENGINE_TIME = "SNMPv3 引擎时钟不准", "its SNMPv3 engine's clock drifts";
    QUIRK_VLAN_PORTS = "VLAN 的端口对不上接口", "ports of VLANs that are no interfaces";
    QUIRK_PORTS_ARE_INTERFACES = "未给出桥端口与接口的对应", "does not tell which interface a bridge port is";
    QUIRK_INDEX = "行的索引不合规", "rows with a malformed index";
    QUIRK_MAC_LENGTH = "MAC 地址长度不对", "MAC addresses of a wrong length";
    QUIRK_PORT_MISSING = "行中没有端口", "rows without a port";
    QUIRK_BRIDGE_PORT_UNKNOWN = "转发表指向不存在的桥端口", "rows that point at no bridge port";
    QUIRK_INTERFACE_UNKNOWN = "指向不存在的接口", "rows that point at no interface";
    QUIRK_NEIGHBOUR_UNKNOWN = "地址属于未列出的邻居", "addresses of neighbours that are not listed";
    SOFTWARE = "系统软件", "Software";
    SWITCH = "交换机", "switch";
    ROUTER = "路由器", "router";
    FIREWALL = "防火墙", "firewall";
    WIRELESS_CONTROLLER = "无线控制器", "wireless controller";
    ACCESS_POINT = "无线接入点", "access point";
    LOAD_BALANCER = "负载均衡", "load balancer";
    SECURITY_APPLIANCE = "安全设备", "security appliance";
    CAMERA = "摄像机", "camera";
    UPS = "不间断电源", "UPS";
    POWER_DISTRIBUTION = "配电设备", "power distribution";
    SERVER = "服务器", "server";
    MANAGEMENT_CONTROLLER = "带外管理控制器", "management controller";
    STORAGE = "存储", "storage";
    PRINTER = "打印机", "printer";
    SNMP_SENSORS = "传感器", "sensors";
    SNMP_STATIONS = "无线控制器的终端表", "a wireless controller's stations";
    SNMP_AGGREGATION = "链路聚合", "link aggregation";
    SNMP_VLAN_FORWARDING = "分 VLAN 的转发表", "forwarding table of a VLAN";
    SNMP_VLANS = "VLAN 表", "VLANs";
    SNMP_OWN_ADDRESSES = "设备自身地址", "the device's own addresses";
    SNMP_QUIRKS = "应答中的异常", "peculiarities of the answers";
    SNMP_SELDOM_SENSORS = "较少读取的传感器（光模块）", "sensors read seldom (optical modules)";
    PASSIVE_CLASSIFICATION = "由所听到的内容推断", "concluded from what was heard";
    PROBE = "探测", "probes";
    PASSIVE_FRAMES = "监听到的帧", "frames heard";
    PASSIVE_ARP = "监听到的 ARP", "ARP heard";
    PASSIVE_ND = "监听到的 IPv6 邻居发现", "IPv6 ND heard";
    PASSIVE_DHCP = "监听到的 DHCP", "DHCP heard";
    PASSIVE_LLDP = "监听到的 LLDP", "LLDP heard";
    AGENT_ITSELF = "采集器自身", "the agent itself";

    FLOWS = "流量记录", "Flows";
    FLOWS_FOUND = "查询结果", "What was found";
    TRAFFIC = "流量概况", "Traffic";
    APPLICATIONS = "应用", "Applications";
    APPLICATION = "应用", "Application";
    TALKERS = "流量最大的终端", "Top talkers";
    OTHERS = "其余合计", "all others";
    BYTES = "流量", "Bytes";
    SENT = "发出", "Sent";
    RECEIVED = "收到", "Received";
    SHARE = "占比", "Share";
    FLOW_COUNT = "会话数", "Flows";
    FLOWS_BEGUN = "主动发起", "Flows begun";
    FLOWS_TAKEN = "对方发起", "Flows taken";
    PACKETS = "{} 个包", "{} packets";
    NOT_RECOGNISED = "未识别", "not recognised";
    BY_PORT = "仅按端口推测", "only a guess by the port";
    NO_TRAFFIC = "过去 24 小时没有流量汇总：该站点的采集器没有监听镜像口，或尚未上报。", "No traffic was told of the last 24 hours: no agent listens at a mirror port here, or none has reported yet.";
    NO_TRAFFIC_OF_ENDPOINT = "过去 24 小时没有该端点的单独汇总：没有流量，或流量太小已并入其余合计。", "Nothing was told of it alone in the last 24 hours: it had no traffic, or so little that it is summed up with others.";
    ASK = "查询", "Ask";
    ASK_REASON = "查询事由（必填）", "Reason (required)";
    ASK_REASON_HINT = "如：通报 2026-17 核查", "such as: case 2026-17";
    ASK_HINT = "查询会发往该站点的采集器。事由、查询人和查询内容记入审计日志，站点侧也能看到。", "The site's agents are asked. Reason, your name and what you ask for go to the audit trail, and can be seen at the site.";
    ASK_ENDPOINT = "终端", "Endpoint";
    ASK_ENDPOINT_HINT = "MAC、IP 或网段", "MAC, IP or prefix";
    ASK_PEER = "对端", "Peer";
    ASK_PEER_HINT = "MAC、IP 或网段", "MAC, IP or prefix";
    ASK_PERIOD = "时间", "Time";
    ASK_MORE = "更多条件", "More conditions";
    ASK_DAY = "或某一天", "or a day";
    ASK_FROM = "或从（北京时间）", "or from (Beijing time)";
    ASK_UNTIL = "至", "until";
    LAST_HOUR = "过去 1 小时", "last hour";
    LAST_DAY = "过去 24 小时", "last 24 hours";
    TODAY = "今天", "today";
    YESTERDAY = "昨天", "yesterday";
    LAST_WEEK = "过去 7 天", "last 7 days";
    ANY = "不限", "any";
    PORT = "端口", "Port";
    PROTOCOL = "协议", "Protocol";
    ENDED = "结束时间（北京时间）", "Ended (Beijing time)";
    LASTED = "时长", "Lasted";
    ORIGINATOR = "发起端", "Originator";
    RESPONDER = "响应端", "Responder";
    ASKED_NAME = "访问名称", "Asked for";
    BYTES_OUT = "发起端发出", "From originator";
    BYTES_IN = "响应端发出", "From responder";
    OUTCOME = "结果", "Outcome";
    ANSWERED = "已答复", "answered";
    NOT_ANSWERED = "未答复", "did not answer";
    MISSING = "缺失", "missing";
    ABOUT_FLOWS = "约 {} 条", "about {} flows";
    LOG_BEGINS = "记录保存自 {}", "keeps flows since {}";
    LOG_REACHES = "记录保存自 {}，共 {} 天", "keeps flows since {}: {} days";
    LOG_EMPTY = "尚无流量记录", "keeps no flows yet";
    LACKS_BEFORE = "早于记录的起点，已不保存", "before its log begins";
    LACKS_BUSY = "流量过大，来不及记录", "more traffic than it could write";
    LACKS_DISK = "磁盘写满或故障", "its disk was full or failed";
    LACKS_DAMAGED = "记录损坏，无法读取", "what was written cannot be read";
    NO_FLOWS = "没有符合条件的记录。", "No flow fits.";
    NO_FLOWS_OF_THESE = "已答复的采集器没有符合条件的记录；未答复的尚不可知。", "Those that answered have no flow that fits; of the others nothing is known.";
    FLOWS_NOT_YET = "到目前为止没有找到；记录较多，请继续查看下一页。", "None found so far: the log is long. Look on the next page.";
    NO_AGENT_TO_ASK = "该站点没有采集器，没有人保存流量记录。请用 onenetd enrol 登记一个。", "No agent is enrolled at this site, so nobody keeps its flows. Enrol one with onenetd enrol.";
    TOO_MANY_QUESTIONS = "您同时进行的查询过多，请等其中一个完成后再试。", "You have too many questions under way: wait for one of their answers.";
    REASON_WRONG = "请填写查询事由：4 至 200 个字，一行。", "Say why you ask: 4 to 200 characters on one line.";
    ASKED_NEVER_HEARD = "已登记但从未上线，请在站点启动它。", "was enrolled and never connected: start it at the site.";
    ASKED_SILENT = "自 {} 起失联：线路、电源或采集器本身中断。恢复后请再查询。", "is silent since {}: its line, its power or the agent itself is down. Ask again when it is back.";
    ASKED_CUT = "答复前线路中断。恢复后请再查询。", "lost its line before it answered. Ask again when it is back.";
    ASKED_TIMED_OUT = "未在规定时间内答复（最近消息 {}）：线路中断或拥塞。请稍后重试，或缩短时间范围。", "did not answer in time (last heard {}): its line is cut or overloaded. Ask again, or for less time.";
    ASKED_BUSY = "正在处理其他查询，请几秒后重试。", "has enough other questions to answer: ask again in some seconds.";
    ASKED_FAILED = "无法答复：{}", "could not answer: {}";
    TCP_ATTEMPTED = "无应答", "no answer";
    TCP_ESTABLISHED = "进行中", "still open";
    TCP_FINISHED = "正常结束", "finished";
    TCP_REFUSED = "被拒绝", "refused";
    TCP_ORIGINATOR_CLOSED = "发起端已关闭", "closed by the originator";
    TCP_RESPONDER_CLOSED = "响应端已关闭", "closed by the responder";
    TCP_ORIGINATOR_RESET = "发起端中断", "broken off by the originator";
    TCP_RESPONDER_RESET = "响应端中断", "broken off by the responder";
    TCP_ATTEMPT_RESET = "发起后放弃（疑似扫描）", "asked and given up";
    TCP_ANSWER_RESET = "应答后中断", "answered and broken off";
    TCP_HALF_OPEN_ORIGINATOR = "发起后关闭，无应答", "asked and closed, no answer";
    TCP_HALF_OPEN_RESPONDER = "应答后关闭", "answered and closed";
    TCP_MIDSTREAM = "未见开头", "beginning not seen";
    MINUTES_SECONDS = "{} 分 {} 秒", "{} min {} s";

    AGENT_SILENT = "采集器失联", "An agent is silent";
    AGENT_SILENT_REMEDY = "检查该站点的电源和上行线路；在采集器上运行 onenet-agent status 查看原因。恢复之前，它监测的一切状态未知。", "Check the site's power and uplink; on the agent's machine, onenet-agent status tells more. Until it is back, what it watches is unknown.";
    AGENT_NEVER_HEARD = "采集器已登记但从未上线", "An agent is enrolled and was never heard";
    AGENT_NEVER_HEARD_REMEDY = "在采集器上启动 onenet-agent run，并用 onenet-agent status 查看它能否连接中心。", "Start onenet-agent run on its machine, and see with onenet-agent status whether it reaches the centre.";
    DEVICE_DOWN = "设备无应答", "A device does not answer";
    DEVICE_DOWN_REMEDY = "检查设备的电源、网线以及 SNMP 是否启用；在采集器上运行 onenet-agent inspect {} 复核。", "Check its power, its cable and that SNMP is switched on; on the agent's machine, onenet-agent inspect {} shows what it answers.";
    DEVICE_DEGRADED = "设备拒绝采集器的凭据", "A device refuses the agent's credentials";
    DEVICE_DEGRADED_REMEDY = "核对采集器配置中该设备的团体名或 SNMPv3 用户；在采集器上运行 onenet-agent inspect {} 复核。", "Compare the community or the SNMPv3 user in the agent's configuration with the device's; on the agent's machine, try them with onenet-agent inspect {}.";

    CAPTURE_FAILED = "无法监听接口", "An interface cannot be captured";
    CAPTURE_FAILED_REMEDY = "检查接口是否存在并已启用，并给采集器抓包权限（CAP_NET_RAW）。", "Check that the interface exists and is up, and give the agent the right to capture (CAP_NET_RAW).";
    CAPTURE_LOSS = "监听丢帧", "Frames are lost in capture";
    CAPTURE_LOSS_REMEDY = "增大 capture.ring_mib，或减少镜像到该接口的流量。", "Raise capture.ring_mib, or mirror less traffic to the interface.";
    SPOOL_LOSS = "缓存超限，历史数据丢失", "History was lost at a cap of the spool";
    SPOOL_LOSS_REMEDY = "恢复上行线路，或增大 spool 的时间与容量上限。", "Mend the uplink, or raise the caps of the spool.";
    DISK_FULL = "缓存磁盘写满", "The spool's disk is full";
    DISK_FULL_REMEDY = "在采集器的数据目录所在磁盘上腾出空间。", "Make room on the disk of the agent's data directory.";
    CONFIGURATION_REFUSED = "配置被拒绝", "A configuration was refused";
    CONFIGURATION_REFUSED_REMEDY = "按详情修正站点配置后重新下发；原配置仍在使用。", "Correct the site's configuration as the detail says and send it again; the former one stays in force.";
    CYCLE_LATE = "轮询超时", "Polling takes longer than its interval";
    CYCLE_LATE_REMEDY = "延长轮询间隔，或检查应答缓慢的设备。", "Lengthen the interval, or look at devices that answer slowly.";
    TABLE_FULL = "表已满", "A table is full";
    TABLE_FULL_REMEDY = "检查是否有伪造 MAC 的泛洪；确属正常时增大 capture.endpoints_max。", "Look for a flood of forged MACs; where the number is genuine, raise capture.endpoints_max.";
    TABLE_UNREADABLE = "设备的表读取不完整", "A table of a device could not be read whole";
    TABLE_UNREADABLE_REMEDY = "检查设备的 SNMP 视图与权限，并用 onenet-agent inspect 查看缺失内容。", "Check the device's SNMP view, and see with onenet-agent inspect what is missing.";
    BATCH_REJECTED = "上报被中心拒绝", "The centre rejected a report";
    BATCH_REJECTED_REMEDY = "升级采集器；若仍出现，请把详情报告给维护人员。", "Upgrade the agent; if it happens again, report the detail to the maintainers.";
    DEVICE_SLOW = "设备应答变慢，已降低轮询频度", "A device answers slowly and is asked less often";
    DEVICE_SLOW_REMEDY = "查看设备 CPU 负载和到设备的线路；恢复后会自动按原频度轮询。", "Look at the device's CPU load and the line to it; polling returns to its pace by itself.";
    TRAPS_FAILED = "采集器无法接收 Trap", "An agent cannot receive traps";
    TRAPS_FAILED_REMEDY = "检查 [traps] listen 的地址和端口是否被占用、采集器是否有权使用该端口。", "Check whether the address and port in [traps] listen are free and the agent may use them.";
    DISCOVERY_FAILED = "采集器无法进行设备发现", "An agent cannot discover devices";
    DISCOVERY_FAILED_REMEDY = "按详情检查 [discovery] 配置和采集器权限（CAP_NET_RAW）。", "See the detail; check [discovery] and the agent's capabilities (CAP_NET_RAW).";
    RIGHTS_KEPT = "采集器未能放弃启动时的权限", "An agent has kept the rights of its start";
    RIGHTS_KEPT_REMEDY = "在其 systemd 单元中允许 capset 系统调用（见 deploy/onenet-agent.service），然后重启采集器。", "Allow it the system call capset in its unit (see deploy/onenet-agent.service), and restart it.";
    CAPTURE_DIFFERS = "抓包流量与被镜像端口的计数不符", "What is captured is not what the mirrored ports counted";
    CAPTURE_DIFFERS_REMEDY = "检查镜像是否包含收发两个方向、镜像目的口速率是否足够。", "Check that both directions are mirrored, and that the mirror's port is fast enough.";
    CAPTURE_GAPS = "抓包有缺失（TCP 序号不连续）", "Packets are missing from capture (gaps in TCP's sequence numbers)";
    CAPTURE_GAPS_REMEDY = "检查镜像口是否超负荷或只镜像了单方向；采集器自身的丢帧见监听丢帧。", "Check whether the mirror's port is overloaded or has one direction only; what the agent itself drops is told as frames lost in capture.";
    FLOWS_LOST = "已结束的流未能保存", "Flows that ended were not kept";
    FLOWS_LOST_REMEDY = "检查采集器磁盘的速度与空间；排查扫描或伪造源地址的泛洪；必要时增大 capture.flows_max。", "Check the speed and room of the agent's disk; look for scans or floods of forged sources; raise capture.flows_max where needed.";
    COVERAGE = "覆盖", "Coverage";
    COVERAGE_HINT = "已登记的终端中，{} 天内见过的算在网；未登记指在网但不在任何单位资产台账上的计算机。", "Of registered terminals those seen within {} days count as seen; unregistered are computers on the network that are on no unit's books.";
    NO_ASSETS = "还没有资产台账。用 onenetd assets import 导入，才能知道哪些终端应当在网。", "There is no asset register yet. Import one with onenetd assets import, so that it is known which terminals there ought to be.";
    SITES_ATTACHED = "已接入单位", "Sites attached";
    SITES_REACHABLE = "当前可达单位", "Sites reachable now";
    TERMINALS_SEEN = "在网终端", "Terminals seen";
    TERMINALS_REGISTERED = "登记终端", "Registered terminals";
    SEEN_SHARE = "在网率", "Seen";
    TERMINALS_SILENT = "长期未见", "Silent";
    TERMINALS_NEVER_SEEN = "从未见过", "Never seen";
    TERMINALS_STRAYED = "在外单位", "At another site";
    UNREGISTERED = "未登记", "Unregistered";
    UNREGISTERED_HINT = "不在任何单位资产台账上的端点。", "Endpoints that are on no unit's books.";
    UNREGISTERED_UNKNOWN = "类型不明 {} 台", "{} of an unknown kind";
    THIS_SITE_ALONE = "本级", "this site alone";
    TREND = "变化", "Trend";
    TREND_HINT = "每天统计一次；更早的月份只保留月末数字。", "Counted once a day; of earlier months the last day is kept.";
    NO_TREND = "每天统计一次，明天起可以看到变化。", "Figures are counted once a day: there is a trend from tomorrow on.";
    DAY = "日期", "Day";
    WHOLE = "合计", "All";
    AS_TABLE = "导出表格（CSV）", "As a table (CSV)";
    MONTHLY_REPORT = "月度报告", "Monthly report";
    MONTH = "月份", "Month";
    MONTH_BEFORE = "上月", "Month before";
    THIS_MONTH = "本月", "This month";
    CHANGE = "增减", "Change";
    MONTH_WITHOUT_FIGURES = "该月没有统计数字。", "No figures were counted in that month.";
    MONTHLY_HINT = "各数字取当月最后一次统计，本月取当前数字；两个月都有数字时才比较。", "Figures are the last that were counted in a month, of this month those of now; months are compared where both have some.";
    PRINTED = "编制时间", "Drawn up";
    ASSETS = "资产台账", "Asset register";
    ASSET = "登记资产", "Registered as";
    NOT_REGISTERED = "未登记", "not registered";
    REGISTERED_AT = "登记于 {}", "registered at {}";
    ASSET_NUMBER = "资产编号", "Number";
    OWNER = "责任人", "Owner";
    SEEN = "在网", "seen";
    SEEN_AT = "最后出现于", "Last seen at";
    NO_SUCH_ASSETS = "没有符合条件的资产。", "No asset is like that.";
    CLOCK_WRONG = "采集器时钟不准", "An agent's clock is wrong";
    CAPACITY_REACHED = "上报数量超出上限", "An agent reports more than there is room for";
    CAPACITY_REACHED_REMEDY = "检查是否有伪造的 MAC 地址；若数量属实，调高中心配置 inventory.endpoints_per_site，或增设采集器分担。", "Look for forged MAC addresses; if there is that much, raise inventory.endpoints_per_site in the centre's configuration, or let another agent take over a part.";
    CLOCK_WRONG_REMEDY = "检查采集器的时间同步（NTP）和主板电池；上报时间已由中心校正。", "Check the agent's time synchronisation (NTP) and battery; times of its reports are corrected meanwhile.";

    INCIDENTS = "故障", "Incidents";
    INCIDENTS_OPEN = "当前故障", "Open incidents";
    INCIDENTS_CLOSED = "已恢复的故障", "Closed incidents";
    INCIDENTS_PLANNED = "计划检修期间的故障", "Within planned maintenance";
    NO_INCIDENTS = "没有故障", "No incidents";
    GRADE = "建议级别", "Proposed grade";
    WHAT_IS_BROKEN = "故障类型", "What is broken";
    SITES_OUT_OF_REACH = "失联站点", "Sites out of reach";
    DEVICES_OUT_OF_REACH = "不可达设备", "Devices out of reach";
    AGENTS_NOT_HEARD = "失联采集器", "Agents not heard";
    DURATION = "持续时间", "Duration";
    POSSIBLE = "可能原因", "Possibly";
    OR = "，或", ", or ";
    PART_OF_ANOTHER = "属于另一故障", "part of another";
    SUBJECT_GONE = "对象已不存在", "its subject is no more";
    NOT_YOURS = "权限范围之外", "beyond what you see";
    THE_CENTRE = "监测中心", "the centre";
    OPEN = "未恢复", "open";
    CLOSED = "已恢复", "closed";
    PLANNED = "计划检修", "planned";
    OVER_SINCE = "恢复时间", "Over since";
    RAISED = "发现时间", "Raised";
    FILED_UNDER = "归属站点", "Filed under";
    NOT_TOLD_APART = "现有证据无法区分以上原因；有新证据时自动更新。", "The evidence does not tell these apart; what comes later will revise this.";
    EVIDENCE_FOR = "支持的证据", "What speaks for it";
    EVIDENCE_AGAINST = "相反的证据", "What speaks against it";
    VERSIONS = "判断的变化", "What was believed";
    CENTRE_ISOLATED = "监测中心与网络隔离", "The centre is cut off";
    SITE_CUT = "站点失联", "A site is cut off";
    LINK_DOWN = "线路中断", "A link is down";
    LINK_DEGRADED = "线路质量差或时断时续", "A link is bad, or comes and goes";
    INTERFACE_DOWN = "关注的端口中断", "A watched interface is down";
    SERVICE_DOWN = "业务不可用", "A service does not work";
    GENERAL = "一般", "general";
    CONSIDERABLE = "较大", "considerable";
    MAJOR = "重大", "major";
    EXTRAORDINARY = "特别重大", "extraordinary";
    UPLINK_CUT = "线路故障", "the line";
    UPLINK_CUT_MEANS = "线路本身或其两端的设备。请联系运营商并检查两端路由器。", "The line, or the equipment at its ends: ask the carrier, and look at both routers.";
    POWER_CUT = "停电", "a power cut";
    POWER_CUT_MEANS = "站点停电时，从上级看与线路中断相同；采集器恢复后由其开机时间判定。", "From above it looks like a cut line; when the agent is back, the time of its start tells.";
    AGENT_STOPPED = "采集器停止", "the agent stopped";
    AGENT_STOPPED_MEANS = "采集器程序或其主机停止，站点本身可能正常。请在主机上运行 onenet-agent status。", "The program or its machine; the site itself may be well: run onenet-agent status there.";
    UPPER_EQUIPMENT = "上级设备", "the upper site's equipment";
    UPPER_EQUIPMENT_MEANS = "上级站点的所有下行线路同时中断，多半是其路由器。", "All ways down failed at once, which points to the router there.";
    CENTRE_CUT_OFF = "中心自身的网络", "the centre's own line";
    CENTRE_CUT_OFF_MEANS = "几乎所有采集器同时失联，而仍在线的采集器未发现任何故障。请先检查中心自身的网络。", "Nearly all agents were lost at once, and whoever is still heard sees no failure: look at the centre's own line first.";
    PROBES_DROPPED = "探测报文被丢弃", "probes are dropped";
    PROBES_DROPPED_MEANS = "探测失败，但线路后面的采集器仍在线：可能被防火墙丢弃，或应答方停止。", "Probes fail although what is behind the link is heard: a firewall, or whoever should answer.";
    AGENTS_PORT = "采集器所在端口或交换机", "the agent's port or switch";
    AGENTS_PORT_MEANS = "站点所有设备同时无应答。请检查采集器的网线及其接入的交换机。", "All devices fell silent at once: look at the agent's cable, and the switch that it is at.";
    ITSELF = "对象本身", "the thing itself";
    CLUE_PROBE_FAILS_ABOVE = "上级探测失败", "A probe from above fails";
    CLUE_PROBE_FAILS_BELOW = "下级探测失败", "A probe from below fails";
    CLUE_PROBE_ANSWERED = "探测有应答", "A probe is answered";
    CLUE_PROBE_DEGRADED = "探测质量差", "A probe is answered badly";
    CLUE_AGENT_HEARD = "采集器在线", "An agent is heard";
    CLUE_AGENT_LOST = "采集器失联", "An agent was lost";
    CLUE_RESTARTED = "主机重新启动", "A machine started again";
    CLUE_DEVICE_ANSWERS = "设备有应答", "A device answers";
    CLUE_DEVICE_SILENT = "设备无应答", "A device does not answer";
    CLUE_SERVICE_GOOD = "业务检查正常", "A check finds the service well";
    CLUE_SERVICE_BAD = "业务检查失败", "A check of the service fails";
    CLUE_LOST_AT_ONCE = "采集器同时失联", "Agents lost at once";
    CLUE_WAYS_AT_ONCE = "下行线路同时中断", "Ways down failed at once";
    CLUE_FLAPPING = "频繁变化", "It changes again and again";
    CLUE_NOBODY_MEASURES = "没有来自上级的探测", "Nobody measures it from above";
    TIMELINE = "时间线", "Timeline";
    TIME = "时间", "Time";
    LAST_30_DAYS = "最近 30 天", "last 30 days";
    NOTHING_HAPPENED = "没有记录", "Nothing happened";
    WHAT_HAPPENED = "发生的事", "What happened";
    IS_OVER = "：已恢复", " is over";
    AGENT_CONNECTED = "采集器已连接", "An agent connected";
    EVENT_LINK_UP = "端口恢复", "A port came up";
    EVENT_LINK_DOWN = "端口中断", "A port went down";
    EVENT_DEVICE_RESTARTED = "设备重新启动", "A device started again";
    EVENT_COUNTERS = "计数器回退", "A counter went back";
    EVENT_HISTORY_LOST = "历史数据丢失", "History was lost";
    EVENT_CONFIGURED = "配置已生效", "A configuration is in force";
    EVENT_ROLLED_BACK = "配置已回退", "A configuration was taken back";
    EVENT_AGENT_STARTED = "采集器启动", "The agent started";
    EVENT_AUTHENTICATION = "设备收到错误的凭据", "A device was asked with wrong credentials";
    EVENT_NEIGHBOURS = "设备邻居变化", "A device's neighbours changed";
    EVENT_TRAP = "收到 SNMP trap", "A trap was received";
    EVENT_DISCOVERED = "发现新设备", "A device was discovered";
    CHANGED_CODE = "站点代码", "Code of the site";
    CHANGED_NAME = "站点名称", "Name of the site";
    CHANGED_PARENTS = "上级站点变更", "Sites above";
    CHANGED_ENDED = "站点撤销", "The site ended";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_in_its_language_and_takes_the_same_values_in_both() {
        let ideograph = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for (id, text) in ALL {
            assert!(!text.en.chars().any(ideograph), "{id} has Chinese in English");
            assert!(
                text.zh.chars().any(ideograph) || text.zh == text.en || text.zh.contains("{}"),
                "{id}: {}",
                text.zh
            );
            assert_eq!(text.zh.matches("{}").count(), text.en.matches("{}").count(), "{id} takes different values");
        }
    }

    #[test]
    fn a_value_is_filled_in_once() {
        assert_eq!(fill(SECONDS.en, 5), "5 s");
        assert_eq!(fill(AGO.zh, "{}"), "{}前");
    }
}
