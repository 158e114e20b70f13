//! The inspection report.

use super::Text;

texts! {
    INSPECTION_REPORT = "检查报告", "Inspection report";
    INSPECTION_TITLE = "{} 网络安全监测检查报告", "{} Inspection of security monitoring";
    INSPECTION_HINT = "对照 GB/T 22239-2019 第三级的监测要求，逐项列出本系统看到了什么、从何时开始，以及看不到什么。是否符合由检查人员判断。", "For each monitoring requirement of GB/T 22239-2019, third grade: what onenet saw, since when, and where it is blind. Whether that suffices is for the inspector to say.";
    INSPECTION_SAW = "看到", "Seen";
    INSPECTION_SINCE = "起始时间", "Since";
    INSPECTION_BLIND = "看不到", "Not seen";
    REQUIRE_LINKS = "线路集中监测", "Links are monitored centrally";
    REQUIRE_LINKS_ASKS = "应对网络链路的运行状况进行集中监测。", "The state of network links is monitored at one place.";
    REQUIRE_EQUIPMENT = "设备集中监测", "Equipment is monitored centrally";
    REQUIRE_EQUIPMENT_ASKS = "应对安全设备、网络设备和服务器等的运行状况进行集中监测。", "The state of security and network equipment and of servers is monitored at one place.";
    REQUIRE_DEVICES = "非授权设备接入", "Unauthorised devices";
    REQUIRE_DEVICES_ASKS = "应能够对非授权设备私自联到内部网络的行为进行检查或限制。", "Devices that nobody authorised and that are attached to the inner network are found.";
    REQUIRE_OUTWARD = "违规外联", "Ways out";
    REQUIRE_OUTWARD_ASKS = "应能够对内部用户非授权联到外部网络的行为进行检查或限制。", "Inner users who connect to outer networks without approval are found.";
    REQUIRE_ATTACKS = "网络攻击", "Attacks";
    REQUIRE_ATTACKS_ASKS = "应检测从外部或内部发起的网络攻击行为，并记录攻击源、类型、目标和时间。", "Attacks from either side are found, and recorded with source, type, target and time.";
    REQUIRE_RECORDS = "审计与留存", "Records";
    REQUIRE_RECORDS_ASKS = "审计记录应覆盖到每个用户，受到保护、定期备份，留存不少于六个月；管理权限分离。", "Audit records cover each user, are protected and backed up, and are kept for six months; administration is separated.";
    SAW_SITES = "正在上报的站点：{}，共 {} 个", "Sites that report at present: {} of {}";
    SAW_DEVICES = "有应答的设备：{}，共 {} 台", "Devices that answer: {} of {}";
    SAW_WATCHED = "正在监测的站点：{}，共 {} 个", "Sites that watch for it at present: {} of {}";
    SAW_FOUND = "发现“{}”：{} 起", "Found, {}: {}";
    SAW_FIRST = "最早的发现：{}", "The earliest finding: {}";
    SAW_SINCE = "起始时间：{}", "Since {}";
    SAW_CASES = "立案 {} 起，其中未办结 {} 起（不含演练）", "Cases: {}, of which open: {} (drills left out)";
    SAW_KEPT = "事件、异常发现与审计记录至少保存 190 天，容量上限不会提前删除。", "Cases, findings and the audit trail are kept for 190 days at least; no cap deletes earlier.";
    SAW_ROLES = "系统管理员、安全管理员、审计管理员三权分立，不得兼任；采集代理使用双向证书认证的加密连接。", "System, security and audit administrators exclude each other; agents connect by mutually authenticated encryption.";
    BLIND_NO_AGENT = "没有采集代理的站点：{}", "Sites without an agent: {}";
    BLIND_SILENT = "目前失联的站点：{}", "Sites that are silent at present: {}";
    BLIND_DEVICES = "不应答或状态未知的设备：{}", "Devices that do not answer, or of which nobody can tell: {}";
    BLIND_NO_DEVICE = "正在上报但没有采集任何设备的站点：{}", "Sites that report, with no device that is polled: {}";
    BLIND_NOT_WATCHED = "正在上报但没有监测的站点（没有镜像流量或检测未运行）：{}", "Sites that report and do not watch for it (no mirrored traffic, or no detector that runs): {}";
    BLIND_NOT_HEARD = "没有上报的站点：{}（见“线路集中监测”）", "Sites that do not report: {} (named under “Links are monitored centrally”)";
    BLIND_AS_UNDER = "（站点同“{}”）", " (the sites named under “{}”)";
    BLIND_OFF = "“{}”未启用或没有输入的站点：{}", "{}: off or without input at sites: {}";
    BLIND_RECORDS = "其他系统（主机、应用、安全设备自身）的审计记录不在本系统内；备份由管理员执行 onenetd backup。", "Records of other systems (hosts, applications, security equipment) are not here; backups are made by onenetd backup.";
}
