// The words that metrics use for kinds and states, as people call them, and their colours.
//
// Invariant: a grade and a state has one colour on every dashboard.

import { GRADES, STATES, words } from './panels.mjs';

/** @typedef {import('./schema').Context} Context */

/** @param {Context} c */
export const grades = (c) => words({
  extraordinary: [c.t('Extraordinary', '特别重大'), GRADES.extraordinary],
  major: [c.t('Major', '重大'), GRADES.major],
  considerable: [c.t('Considerable', '较大'), GRADES.considerable],
  general: [c.t('General', '一般'), GRADES.general],
});

/** @param {Context} c */
export const tiers = (c) => words({
  ministry: [c.t('Ministry', '部')], province: [c.t('Province', '省')], city: [c.t('City', '市')], county: [c.t('County', '县')],
  affiliated: [c.t('Affiliated unit', '部属单位')],
});

/** @param {Context} c */
export const kinds = (c) => words({
  centre_isolated: [c.t('The centre is cut off', '中心自身断网')],
  site_cut: [c.t('Site cut off', '站点中断')],
  link_down: [c.t('Link down', '线路中断')],
  link_degraded: [c.t('Link degraded', '线路劣化')],
  agent_silent: [c.t('Agent silent', '采集器失联')],
  device_down: [c.t('Device down', '设备不可达')],
  interface_down: [c.t('Interface down', '接口中断')],
  service_down: [c.t('Service down', '服务不可用')],
  service_degraded: [c.t('Service degraded', '服务异常')],
});

/** Causes, and up to three together, as metrics join them: in this order, by commas. @param {Context} c */
export function causes(c) {
  /** @type {[string, string][]} */
  const each = [
    ['uplink_cut', c.t('line, or equipment at its ends', '线路或其两端设备')], ['power_cut', c.t('power at the site', '站点停电')],
    ['agent_stopped', c.t('agent stopped', '采集器停止')], ['upper_equipment', c.t('equipment of the site above', '上级站点设备')],
    ['centre_cut_off', c.t('the centre’s own way', '中心自身线路')], ['probes_dropped', c.t('probes are dropped', '探测包被丢弃')],
    ['agents_port', c.t('the agent’s port', '采集器所在端口')], ['way_to_service', c.t('the way to the service', '到服务的通路')], ['itself', c.t('itself', '自身')],
  ];
  /** @type {Record<string, [string]>} */
  const all = {};
  /** @param {[string, string][]} some @param {number} from */
  const add = (some, from) => {
    const text = some.map(([, words]) => words).join(c.t(' or ', '，或'));
    if (some.length > 0) all[some.map(([name]) => name).join(',')] = [text.charAt(0).toUpperCase() + text.slice(1)];
    if (some.length < 3) each.slice(from).forEach((one, at) => add([...some, one], from + at + 1));
  };
  add([], 0);
  return words(all);
}

/** What a probe tells as a number. @param {Context} c */
export const probed = (c) => words({
  1: [c.t('Up', '正常'), STATES.up], 0.5: [c.t('Degraded', '劣化'), STATES.degraded], 0: [c.t('Down', '中断'), STATES.down],
});

/** Names of states for legends, and their colours by these names. @param {Context} c */
export function standing(c) {
  /** @type {Record<keyof typeof STATES, string>} */
  const names = {
    up: c.t('Up', '正常'), degraded: c.t('Degraded', '劣化'), flapping: c.t('Flapping', '时断时续'), down: c.t('Down', '中断'),
    unknown: c.t('Unknown', '未知'), maintenance: c.t('Maintenance', '检修'),
  };
  const colours = Object.fromEntries(Object.entries(names).map(([state, name]) => [name, STATES[/** @type {keyof typeof STATES} */ (state)]]));
  return { names, colours };
}

/** Names of conditions that keep agents from their work. @param {Context} c */
export const conditions = (c) => words({
  capture_failed: [c.t('Capture failed', '抓包失败')], capture_loss: [c.t('Capture loses frames', '抓包丢帧')],
  spool_loss: [c.t('Spool lost data', '缓存丢数据')], disk_full: [c.t('Disk full', '磁盘已满')],
  configuration_refused: [c.t('Configuration refused', '配置被拒绝')], cycle_late: [c.t('Cycle late', '轮询超时')],
  table_full: [c.t('Table full', '表已满')], table_unreadable: [c.t('Table unreadable', '表不可读')],
  batch_rejected: [c.t('Batch rejected', '批次被拒绝')], device_slow: [c.t('Device slow', '设备响应慢')],
  traps_failed: [c.t('Traps failed', 'Trap 接收失败')], discovery_failed: [c.t('Discovery failed', '发现失败')],
  rights_kept: [c.t('Rights kept', '权限未放弃')], capture_differs: [c.t('Capture differs', '抓包与设置不符')],
  capture_gaps: [c.t('Capture has gaps', '抓包有缺口')], flows_lost: [c.t('Flows lost', '流记录丢失')],
  clock_wrong: [c.t('Clock wrong', '时钟错误')], capacity_reached: [c.t('Capacity reached', '达到容量上限')],
  mac_at_two_sites: [c.t('MAC at two sites', 'MAC 出现在两站')], ip_with_two_macs: [c.t('IP with two MACs', 'IP 冲突')],
  device_address_used: [c.t('Device’s address used', '设备地址被占用')], mac_flaps: [c.t('MAC flaps', 'MAC 漂移')],
});

/** What detectors find, as the console calls it (a check of tests/conformance/dashboards). @param {Context} c */
export const anomalies = (c) => words({
  port_scan: [c.t('Port scan', '端口扫描')],
  sweep: [c.t('Sweep of hosts', '主机扫描')],
  slow_scan: [c.t('Slow scan', '慢速扫描')],
  dark_address: [c.t('Traffic to unused addresses', '访问未分配地址')],
  brute_force: [c.t('Passwords tried out', '口令暴力破解')],
  syn_flood: [c.t('SYN flood', 'SYN 洪泛')],
  udp_flood: [c.t('UDP flood', 'UDP 洪泛')],
  icmp_flood: [c.t('ICMP flood', 'ICMP 洪泛')],
  dns_flood: [c.t('DNS flood', 'DNS 查询洪泛')],
  reflection: [c.t('Reflection', '反射放大攻击')],
  arp_spoofing: [c.t('ARP spoofing', 'ARP 欺骗')],
  address_conflict: [c.t('Address conflict', '地址冲突')],
  rogue_dhcp: [c.t('Rogue DHCP server', '私设 DHCP 服务器')],
  rogue_dhcpv6: [c.t('Rogue DHCPv6 server', '私设 DHCPv6 服务器')],
  rogue_ra: [c.t('Rogue router advertisement', '非授权路由通告')],
  mac_flood: [c.t('MAC flood', 'MAC 地址洪泛')],
  broadcast_storm: [c.t('Broadcast storm', '广播风暴')],
  rogue_root: [c.t('Rogue spanning-tree root', '非授权生成树根桥')],
  outreach: [c.t('Outreach', '违规外联')],
  beaconing: [c.t('Beaconing', '周期性外联')],
  dns_tunnel: [c.t('DNS tunnel', 'DNS 隧道')],
  dga: [c.t('Generated names', '随机生成域名')],
  cleartext_login: [c.t('Login in clear text', '明文传输口令')],
  outdated_tls: [c.t('Outdated TLS', '过时的 TLS 版本')],
  expired_certificate: [c.t('Expired certificate', '证书已过期')],
  nat: [c.t('Router or NAT behind a port', '私接路由（NAT）')],
  changed_class: [c.t('Changed device class', '终端类型变化')],
  changed_os: [c.t('Changed operating system', '终端操作系统变化')],
  forbidden_vlan: [c.t('Terminal in a forbidden VLAN', '终端接入禁用 VLAN')],
  worm: [c.t('Worm-like spread', '蠕虫式传播')],
  worm_spread: [c.t('Worm-like spread over several sites', '跨站点蠕虫式传播')],
  unregistered_terminal: [c.t('Terminal that is not registered', '未登记终端接入')],
  mac_at_two_sites: [c.t('MAC address at several sites at a time', 'MAC 地址同时出现在多个站点')],
  device_address_used: [c.t('Terminal with the address of a device', '终端占用设备地址')],
  ip_with_two_macs: [c.t('IP address of several terminals at a time', 'IP 地址被多个终端同时使用')],
  mac_flaps: [c.t('MAC address that flaps between ports', 'MAC 地址在端口间反复切换')],
  device_replaced: [c.t('Device that was replaced', '网络设备被更换')],
  hub_behind_port: [c.t('Several machines behind one access port', '接入端口下有多台终端')],
  unregistered_service: [c.t('Service that is not registered', '未登记的服务端口')],
  expired_service: [c.t('Service past its approval', '服务审批已到期')],
  exposed_service: [c.t('Service used from beyond its scope', '服务超出审批范围')],
  gone_service: [c.t('Registered service is gone', '已登记服务停用')],
  rogue_lldp: [c.t('Unknown network equipment (LLDP)', '私接网络设备（LLDP）')],
  other_network: [c.t('Station of another network', '终端使用其他网络的地址')],
  new_peer: [c.t('Server with a new peer', '服务器出现新的通信对端')],
  long_transfer: [c.t('Unusually large transfer', '异常大量外发数据')],
  night_transfer: [c.t('Large transfer at night', '非工作时间大量外发数据')],
  silent_feed: [c.t('Data feed fell silent', '监测或业务数据中断')],
  traffic_shift: [c.t('Traffic is not as ever', '流量水平异常')],
  flow_shift: [c.t('Connections are not as ever', '连接数水平异常')],
  terminal_shift: [c.t('Number of active hosts is not as ever', '活动终端数异常')],
  error_shift: [c.t('Errors of a device rose', '设备端口错误增多')],
  round_trip_shift: [c.t('Round trip is not as ever', '往返时延水平异常')],
  uplink_shift: [c.t('Traffic of an uplink is not as ever', '上行线路流量水平异常')],
});

/** Why frames are lost, and how records and samples fare, in legends. @param {Context} c @returns {Record<string, string>} */
export const fates = (c) => ({
  kernel: c.t('lost by the kernel', '内核丢弃'), cut: c.t('cut', '截断'), undecoded: c.t('not understood', '未识别'),
  committed: c.t('taken in', '已接收'), duplicate: c.t('known before', '重复'), refused: c.t('refused', '被拒绝'),
  sent: c.t('taken', '已接收'), rejected: c.t('refused', '被拒绝'), future: c.t('of a time to come', '时间超前'),
  handshake: c.t('handshake', '握手失败'), accept: c.t('no room', '无法受理'),
});

/** What an endpoint is taken to be, as the console calls it. @param {Context} c @returns {Record<string, string>} */
export const classes = (c) => ({
  pc: c.t('computer', '计算机'), server: c.t('server', '服务器'), printer: c.t('printer', '打印机'), phone: c.t('telephone', '话机'),
  mobile: c.t('mobile or tablet', '手机或平板'), camera: c.t('camera', '摄像机'), recorder: c.t('video recorder', '录像机'),
  video_terminal: c.t('video terminal', '视频会议终端'), network_device: c.t('network device', '网络设备'),
  environmental_monitor: c.t('environmental monitor', '环境监测设备'), storage: c.t('storage', '存储设备'), controller: c.t('controller', '控制器'),
  media: c.t('media device', '影音设备'), power: c.t('power supply', '电源设备'), ...unnamed(c),
});

/** What has no name, or is not worth one. @param {Context} c @returns {Record<string, string>} */
export const unnamed = (c) => ({ other: c.t('others', '其他'), unknown: c.t('unknown', '未知') });

/** What a device is for, as the console calls it. @param {Context} c */
export const roles = (c) => words({
  switch: [c.t('switch', '交换机')], router: [c.t('router', '路由器')], firewall: [c.t('firewall', '防火墙')],
  wireless_controller: [c.t('wireless controller', '无线控制器')], access_point: [c.t('access point', '无线接入点')],
  load_balancer: [c.t('load balancer', '负载均衡')], security_appliance: [c.t('security appliance', '安全设备')], camera: [c.t('camera', '摄像机')],
  ups: [c.t('UPS', '不间断电源')], power_distribution: [c.t('power distribution', '配电设备')], server: [c.t('server', '服务器')],
  management_controller: [c.t('management controller', '带外管理控制器')], storage: [c.t('storage', '存储')], printer: [c.t('printer', '打印机')],
  sensor: [c.t('sensors', '传感器')],
});

/** What a device says of a sensor. @param {Context} c */
export const sensorStates = (c) => words({
  normal: [c.t('Normal', '正常')], warning: [c.t('Warning', '告警')], critical: [c.t('Critical', '严重')], absent: [c.t('Absent', '不在位')],
  unjudged: [c.t('Not judged', '未判定')],
});

/** What stands where there is no value. @param {Context} c */
export const nothing = (c) => ({
  scraped: c.t('Unknown: Prometheus has nothing from the centre', '未知：Prometheus 未取到中心的数据'),
  pages: c.t('Unknown: Prometheus has read no site’s page', '未知：Prometheus 未取到站点页面'),
  none: c.t('None', '无'),
  incidents: c.t('Nothing is broken that is known of', '没有已知故障'),
  measured: c.t('Not measured: configure a probe for this way', '未测量：请为该线路配置探测'),
  devices: c.t('Not known: no device here tells of it', '未知：此处没有设备提供'),
  agents: c.t('No agent tells of it', '没有采集器上报'),
  anomalies: c.t('No detector found anything within a day', '一天内没有检测到异常'),
  detectors: c.t('No agent runs detectors', '没有采集器运行检测'),
});

/** What stands behind the description of traffic by flows: see `FLOWS`. @param {Context} c */
export const averaged = (c) => c.t(' The mean of half an hour, since agents tell of flows each quarter.', '为半小时平均值，因采集器每 15 分钟上报一次流。');

/** The columns that say which site a row is of. @param {Context} c @param {string} name */
export function siteColumns(c, name = c.t('Site', '站点')) {
  const links = [
    { title: c.t('Dashboard of the site', '站点看板'), url: c.to('site', { site: '${__data.fields.site}' }) },
    { title: c.t('Site in the console', '控制台中的站点'), url: c.console('/sites/${__data.fields.site}'), targetBlank: true },
  ];
  return [{ of: 'name', name, links }, { of: 'tier', name: c.t('Level', '层级'), mappings: tiers(c), width: 90 }];
}
