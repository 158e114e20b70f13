//! The inspection report.

use super::Text;

texts! {
    INSPECTION_REPORT = "检查报告", "Inspection report";
    INSPECTION_TITLE = "{} 网络安全监测检查报告", "{} Inspection of security monitoring";
    INSPECTION_HINT = "对照 GB/T 22239-2019 第三级的监测要求，逐项列出本系统看到了什么、从何时开始，以及看不到什么。是否符合由检查人员判断。", "For each monitoring requirement of GB/T 22239-2019, third grade: what onenet saw, since when, and where it is blind. Whether that suffices is for the inspector to say.";
    INSPECTION_SAW = "看到", "Seen";
    INSPECTION_SINCE = "起始时间", "Since";
    INSPECTION_BLIND = "看不到", "Not seen";
    REQUIRE_CENTRAL = "线路集中监测", "Links are monitored centrally";
    REQUIRE_CENTRAL_ASKS = "应对网络链路的运行状况进行集中监测。", "The state of network links is monitored at one place.";
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
    SAW_SITES = "{} 个站点正在上报，共 {} 个站点", "{} sites report at present, of {}";
    SAW_DEVICES = "{} 台设备应答，共 {} 台", "{} devices answer, of {}";
    SAW_WATCHED = "{} 个站点正在监测，共 {} 个站点", "{} sites watch for it at present, of {}";
    SAW_FIRST = "最早的发现：{}", "The earliest finding: {}";
    SAW_CASES = "立案 {} 起，其中 {} 起未办结（不含演练）", "{} cases, of which {} are open, without drills";
    SAW_KEPT = "事件、异常发现与审计记录至少保存 190 天，容量上限不会提前删除。", "Cases, findings and the audit trail are kept for 190 days at least; no cap deletes earlier.";
    SAW_ROLES = "系统管理员、安全管理员、审计管理员三权分立，不得兼任；采集代理使用双向证书认证的加密连接。", "System, security and audit administrators exclude each other; agents connect by mutually authenticated encryption.";
    BLIND_NO_AGENT = "{} 个站点没有采集代理：{}", "{} sites have no agent: {}";
    BLIND_SILENT = "{} 个站点目前失联：{}", "{} sites are silent at present: {}";
    BLIND_DEVICES = "{} 台设备不应答或状态未知", "{} devices do not answer, or nobody can tell";
    BLIND_NO_DEVICE = "{} 个站点没有被采集的设备：{}", "{} sites have no device that is polled: {}";
    BLIND_NOT_WATCHED = "{} 个站点目前没有监测（没有镜像流量或代理未上报）：{}", "{} sites do not watch for it at present (no mirrored traffic, or no word from the agent): {}";
    BLIND_OFF = "“{}”在 {} 个站点未启用或没有输入", "{}: off or without input at {} sites";
    BLIND_RECORDS = "其他系统（主机、应用、安全设备自身）的审计记录不在本系统内；备份由管理员执行 onenetd backup。", "Records of other systems (hosts, applications, security equipment) are not here; backups are made by onenetd backup.";
}
