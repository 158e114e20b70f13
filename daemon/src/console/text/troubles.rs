//! What needs attention, each with what to do about it.

use super::Text;

texts! {
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
    MAC_AT_TWO_SITES = "同一 MAC 地址出现在多个站点", "One MAC address is seen at several sites";
    MAC_AT_TWO_SITES_REMEDY = "搜索该地址查看所在站点；检查是否有克隆的机器，或站点之间是否有桥接、隧道。", "Search for the address to see where it is; look for cloned machines, and for a bridge or tunnel between sites.";
    IP_WITH_TWO_MACS = "多个 MAC 地址同时使用同一 IP 地址", "Several MAC addresses use one IP address";
    IP_WITH_TWO_MACS_REMEDY = "为其中一台更换地址；若都不认识，检查是否有地址欺骗。", "Give one of them another address; if neither is known, look for address spoofing.";
    DEVICE_ADDRESS_USED = "终端使用了设备自身的地址", "A terminal uses an address of a device";
    DEVICE_ADDRESS_USED_REMEDY = "将其断开；或确认它是否是该设备未列出的部件。", "Take it off the network, or find out whether it is a part of the device that its tables do not name.";
    MAC_FLAPS = "MAC 地址在端口之间来回跳变", "A MAC address goes back and forth between ports";
    MAC_FLAPS_REMEDY = "检查这些端口之间是否有环路，以及是否有两台机器使用同一 MAC 地址。", "Look for a loop between these ports, and for two machines with one address.";
    CHANGED_PORTS = "换端口 {} 次", "changed ports {} times";
    AND_OTHER_SITES = "另见于 {} 个站点", "and at {} other sites";
    CLOCK_WRONG = "采集器时钟不准", "An agent's clock is wrong";
    LEFT_OUT = "未保留 {} 条", "not kept: {}";
    CAPACITY_REACHED = "上报数量超出上限", "An agent reports more than there is room for";
    CAPACITY_REACHED_REMEDY = "检查是否有伪造的 MAC 地址；若数量属实，调高中心配置 inventory.endpoints_per_site，或增设采集器分担。异常过多时，关闭已办结的事件即可腾出空间。", "Look for forged MAC addresses; if there is that much, raise inventory.endpoints_per_site in the centre's configuration, or let another agent take over a part. Where anomalies are too many, cases that are closed make room.";
    CLOCK_WRONG_REMEDY = "检查采集器的时间同步（NTP）和主板电池；上报时间已由中心校正。", "Check the agent's time synchronisation (NTP) and battery; times of its reports are corrected meanwhile.";
}
