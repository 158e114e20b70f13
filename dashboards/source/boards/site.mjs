// One site, of whatever level: its ways up, devices, ports, terminals, agents, and what crosses its lines.

import { DELAY, LOSS, devicesOverTime, incidentTable, presence } from '../common.mjs';
import { STATES, bars, heading, series, stat, states, steps, table } from '../panels.mjs';
import { CAPTURE, greatest, known } from '../queries.mjs';
import * as variables from '../variables.mjs';
import { conditions, nothing, probed, roles } from '../words.mjs';

/** @typedef {import('../schema').Context} Context */

const HERE = 'site="$site", ';

/** @param {Context} c @returns {import('../schema').Board} */
export function site(c) {
  const { t } = c;
  return {
    name: 'site',
    title: t('One Network · site', '一张网 · 站点'),
    description: t('One site: its ways up, devices, terminals and agents.', '单个站点：上联线路、设备、终端与采集器。'),
    within: true,
    variables: [variables.province(c, true), variables.city(c, true), variables.site(c)],
    panels: [...now(c), incidentTable(c, HERE, { w: 24, h: 5 }), ...ways(c), devices(c), terminals(c), troubles(c), heading(t('Over time', '趋势')),
      devicesOverTime(c, HERE, { w: 8 }), presence(c, HERE, { w: 8 }), flows(c)],
  };
}

/** @param {Context} c */
function now(c) {
  const { t } = c;
  const page = [{ title: t('Site in the console', '控制台中的站点'), url: c.console('/sites/$site'), targetBlank: true }];
  /** @type {[string, string, string, import('../schema').Shared['thresholds'], string][]} */
  const each = [
    [t('Agents heard', '在线采集器'), t('Agents of this site that are heard now.', '本站点当前在线的采集器数。'), `sum(onenet_site_agents{${HERE}state="connected"})`, steps('red', [1, 'green']), nothing(c).agents],
    [t('Devices up', '正常设备'), t('Managed devices that answer.', '可达的被管设备数。'), `sum(onenet_site_devices{${HERE}state="up"})`, undefined, nothing(c).devices],
    [t('Devices down', '中断设备'), t('Managed devices that do not answer.', '不可达的被管设备数。'), `sum(onenet_site_devices{${HERE}state="down"})`, steps('green', [1, 'red']), nothing(c).devices],
    [t('Devices unknown', '未知设备'), t('Devices that nobody who is heard watches.', '没有在线采集器监视的设备数。'), `sum(onenet_site_devices{${HERE}state="unknown"})`, steps('green', [1, STATES.unknown]), nothing(c).devices],
    [t('Endpoints present', '在线端点'), t('Endpoints that an agent sees now.', '采集器当前能看到的端点数。'), `sum(onenet_site_endpoints{${HERE}state="present"})`, undefined, nothing(c).agents],
    [t('Unregistered', '未登记'), t('Computers seen within 30 days that are on nobody’s books.', '30 天内出现但不在台账中的计算机。'), known(`sum(onenet_site_terminals{${HERE}state="unregistered"})`, 'max(onenet_site_info{site="$site"})'), steps('green', [1, 'orange']), nothing(c).pages],
  ];
  return each.map(([title, about, expr, thresholds, none]) => stat({ title, about, none, unit: 'locale', targets: [{ expr }], thresholds, links: page }));
}

/** @param {Context} c */
function ways(c) {
  const { t } = c;
  const links = [{ title: t('Timeline in the console', '控制台中的时间线'), url: c.console('/sites/$site/timeline'), targetBlank: true }];
  const way = 'role=~"parent|gateway"';
  /** Devices have ports of the same names. @param {string} direction */
  const busiest = (direction) => `${greatest(8, `rate(onenet_interface_${direction}_bytes_total{site="$site"}[15m])`, 'device, interface')} * on(device) group_left(name) max by (device, name) (onenet_device_info{site="$site"})`;
  return [
    states({
      title: t('Ways out, state', '线路状态'), about: t('What the agent judges of its gateway and of the sites above. No row while it is unknown.', '采集器对网关与上级站点的判定；未知时不显示。'),
      none: nothing(c).measured, unit: 'none', mappings: probed(c), targets: [{ expr: `onenet_probe_up{${HERE}${way}}`, legend: '{{probe}}' }], links, w: 12, h: 7,
    }),
    series({
      title: t('Loss', '丢包'), about: t('Part of a window’s questions that no answer came to.', '测量窗口内无应答的占比。'), none: nothing(c).measured, unit: 'percentunit', min: 0,
      thresholds: LOSS, targets: [{ expr: `onenet_probe_loss_ratio{${HERE}${way}}`, legend: '{{probe}}' }], links, w: 12, h: 7,
    }),
    series({
      title: t('Round trip', '往返时延'), about: t('Median of a window; of ways up also what 95 in a hundred kept under.', '窗口中位数；上联线路另有 95% 值。'), none: nothing(c).measured, unit: 's', min: 0, thresholds: DELAY,
      targets: [{ expr: `onenet_probe_round_trip_seconds{${HERE}${way}}`, legend: '{{probe}}' }, { expr: `onenet_probe_round_trip_p95_seconds{${HERE}role="parent"}`, legend: '{{probe}} p95' }], links, w: 12,
    }),
    series({
      title: t('Ports that lead somewhere', '上联与级联端口流量'), about: t('Bytes in and out of ends of links, trunks and watched ports, the eight busiest each way.', '互联、级联与重点关注端口的收发流量，各取最忙的八个。'), none: nothing(c).devices, unit: 'Bps',
      targets: [{ expr: busiest('receive'), legend: t('{{name}} {{interface}} in', '{{name}} {{interface}} 收') }, { expr: busiest('transmit'), legend: t('{{name}} {{interface}} out', '{{name}} {{interface}} 发') }],
      links, w: 12,
    }),
  ];
}

/** @param {Context} c */
function devices(c) {
  const { t } = c;
  /** @param {string} metric */
  const of = (metric) => ({ expr: `max by (device) (${metric}{site="$site"})` });
  const hot = steps('transparent', [0.7, 'yellow'], [0.85, 'orange'], [0.95, 'red']);
  return table({
    title: t('Devices', '设备'), about: t('Each managed device with its busiest processor, fullest memory and highest temperature.', '每台被管设备及其最高的处理器、内存占用与温度。'), none: nothing(c).devices, unit: 'none',
    targets: [{ expr: 'max by (device, name, vendor, model, role) (onenet_device_info{site="$site"})' }, of('onenet_device_cpu_load_max_ratio'), of('onenet_device_memory_used_max_ratio'), of('onenet_device_temperature_max_celsius')],
    columns: [
      { of: 'name', name: t('Device', '设备'), width: 150, links: [{ title: t('Dashboard of the device', '设备看板'), url: c.to('device', { device: '${__data.fields.device}' }) }, { title: t('In the console', '控制台'), url: c.console('/devices/${__data.fields.device}'), targetBlank: true }] },
      { of: 'vendor', name: t('Vendor', '厂商'), width: 80 }, { of: 'model', name: t('Model', '型号') }, { of: 'role', name: t('Role', '角色'), mappings: roles(c), width: 90 },
      { of: 'B', name: t('Processor', '处理器'), unit: 'percentunit', heat: true, thresholds: hot }, { of: 'C', name: t('Memory', '内存'), unit: 'percentunit', heat: true, thresholds: hot },
      { of: 'D', name: t('Temp.', '温度'), unit: 'celsius', heat: true, thresholds: steps('transparent', [60, 'yellow'], [75, 'orange'], [85, 'red']) },
    ],
    kept: ['device'], links: [{ title: t('Device', '设备'), url: c.to('device') }], w: 14, h: 9,
  });
}

/** @param {Context} c */
function terminals(c) {
  const { t } = c;
  /** @type {[string, string][]} */
  const each = [['seen', t('Seen', '已出现')], ['silent', t('Silent', '长期未出现')], ['never_seen', t('Never seen', '从未出现')], ['unregistered', t('Unregistered', '未登记')]];
  return bars({
    title: t('Terminals', '终端'), about: t('Computers on the books by whether they were seen within 30 days, and those on nobody’s books.', '台账计算机按 30 天内是否出现统计，以及未登记计算机。'), none: t('No computer is on the books here', '台账中没有本站点的计算机'), unit: 'locale', min: 0,
    thresholds: steps('blue'), targets: each.map(([state, legend]) => ({ expr: `sum(onenet_site_terminals{${HERE}state="${state}"})`, legend })),
    links: [{ title: t('Terminals', '终端'), url: c.to('terminals') }, { title: t('Endpoints in the console', '控制台中的端点'), url: c.console('/endpoints?site=$site'), targetBlank: true }], w: 5, h: 9,
  });
}

/** @param {Context} c */
function troubles(c) {
  const { t } = c;
  return table({
    title: t('To be done here', '待处理'), about: t('Conditions of agents and findings of the centre; the console says the remedy of each.', '采集器状况与中心发现；处理办法见控制台。'), none: t('Nothing that is known of', '没有已知事项'), unit: 'locale',
    targets: [{ expr: 'sum by (kind) (onenet_site_conditions{site="$site"}) or sum by (kind) (onenet_site_findings{site="$site"})' }],
    columns: [{ of: 'kind', name: t('What', '事项'), mappings: conditions(c), links: [{ title: t('Remedy in the console', '处理办法'), url: c.console('/sites/$site'), targetBlank: true }] }, { of: 'A', name: t('Count', '数量'), unit: 'locale' }],
    links: [{ title: t('Agents', '采集器'), url: c.to('agents') }], w: 5, h: 9,
  });
}

/** @param {Context} c */
function flows(c) {
  const { t } = c;
  return series({
    title: t('Traffic', '流量'), about: t('What the agent captured: what crosses the segments of this site that are mirrored to it.', '采集器抓取的流量，即镜像到采集器的本站点网段流量。'), none: t('Capture does not run here', '此处未抓包'), unit: 'Bps', min: 0,
    targets: [{ expr: `sum by (capture_interface) (rate(onenet_capture_bytes_total{site="$site"}[${CAPTURE}]))`, legend: '{{capture_interface}}' }],
    links: [{ title: t('Flows in the console', '控制台中的流'), url: c.console('/sites/$site/flows'), targetBlank: true }], w: 8,
  });
}
