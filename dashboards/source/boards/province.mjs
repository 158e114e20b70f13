// A province with everything below it, and the same for a city: they differ in where their branches begin.

import { devicesOverTime, gradeStats, incidentTable, presence, worstWays } from '../common.mjs';
import { heading, series, stat, steps, table } from '../panels.mjs';
import { CAPTURE, attached, below, greatest, known, most, sitesBelow } from '../queries.mjs';
import * as variables from '../variables.mjs';
import { nothing } from '../words.mjs';

/** @typedef {import('../schema').Context} Context */

export const WITHIN = 'site=~"$sites", ';

/** @param {Context} c @returns {import('../schema').Board} */
export function province(c) {
  const { t } = c;
  return {
    name: 'province',
    title: t('One Network · province', '一张网 · 省'),
    description: t('A province with its cities and counties.', '一个省及其所辖市县。'),
    within: true,
    variables: [variables.province(c), variables.sites('$province')],
    panels: subtree(c, '$province', 'city', t('Cities', '各市')),
  };
}

/** @param {Context} c @param {string} root @param {'city' | 'site'} next @param {string} title */
export function subtree(c, root, next, title) {
  const { t } = c;
  return [
    ...counts(c, root),
    // The centre tells of incidents, and pages of sites which sites these are.
    ...gradeStats(c, (grade) => `count(onenet_incident_sites{${WITHIN}state="open", severity="${grade}"})`, {
      from: 'max(onenet_build_info and on() onenet_site_info{site=~"$sites"})',
      none: t('Unknown: Prometheus has nothing from the centre, or of these sites', '未知：Prometheus 未取到中心或这些站点的数据'),
    }),
    incidentTable(c, WITHIN, { w: 24, h: 7 }),
    children(c, root, next, title),
    worstWays(c, WITHIN, { w: 12, h: 10 }),
    wayQuality(c),
    heading(t('Over time', '趋势')),
    devicesOverTime(c, WITHIN, { w: 8 }),
    presence(c, WITHIN, { w: 8 }),
    flows(c),
  ];
}

/** @param {Context} c @param {string} root */
function counts(c, root) {
  const { t } = c;
  const none = nothing(c).pages;
  const sites = `count(onenet_site_info{site=~"$sites"})`;
  return [
    stat({
      title: t('Sites', '站点'), about: t('Sites here and below.', '本级及下级站点数。'), none, unit: 'locale', w: 3, targets: [{ expr: sites }],
      links: [{ title: t('In the console', '控制台'), url: c.console(`/sites/${root}`), targetBlank: true }],
    }),
    stat({
      title: t('Attached', '已接入'), about: t('Part of these sites whose agent is heard now.', '当前有采集器在线的站点占比。'), none, unit: 'percentunit', decimals: 1, w: 3,
      targets: [{ expr: `(${known(attached(WITHIN), sites)}) / ${sites}` }], thresholds: steps('red', [0.9, 'orange'], [0.97, 'yellow'], [0.995, 'green']),
      links: [{ title: t('Agents', '采集器'), url: c.to('agents') }],
    }),
    stat({
      title: t('Devices down', '中断设备'), about: t('Managed devices that do not answer an agent that is heard.', '在线采集器无法连通的被管设备数。'), none: nothing(c).devices, unit: 'locale', w: 3,
      targets: [{ expr: `sum(onenet_site_devices{${WITHIN}state="down"})` }], thresholds: steps('green', [1, 'red']), links: [{ title: t('Devices', '设备'), url: c.to('device') }],
    }),
    stat({
      title: t('Unregistered', '未登记终端'), about: t('Computers seen here within 30 days that are on nobody’s books.', '30 天内出现但不在台账中的计算机。'), none, unit: 'locale', w: 3,
      targets: [{ expr: known(`sum(onenet_site_terminals{${WITHIN}state="unregistered"})`, sites) }], thresholds: steps('green', [1, 'orange']),
      links: [{ title: t('Terminals', '终端'), url: c.to('terminals') }, { title: t('Asset register', '资产台账'), url: c.console('/assets'), targetBlank: true }],
    }),
  ];
}

/** @param {Context} c @param {string} root @param {'city' | 'site'} next @param {string} title */
function children(c, root, next, title) {
  const { t } = c;
  const where = `parent="${root}"`;
  /** @param {string} of @param {string} state */
  const sum = (of, state) => ({ expr: below(of, state, where) });
  const links = [
    { title: t('Dashboard', '看板'), url: c.to(next, { [next]: '${__data.fields.site}' }) },
    { title: t('Dashboard of the site alone', '仅该站点的看板'), url: c.to('site', { site: '${__data.fields.site}' }) },
    { title: t('In the console', '控制台'), url: c.console('/sites/${__data.fields.site}'), targetBlank: true },
  ];
  return table({
    title,
    about: t('Each site directly below with all that is below it in turn.', '直接下级站点及其下属合计。'),
    none: t('Nothing is below this site', '没有下级站点'),
    unit: 'locale',
    targets: [
      { expr: sitesBelow(where) }, sum('agents', 'connected'), sum('agents', 'silent'), sum('devices', 'up'),
      sum('devices', 'down'), sum('endpoints', 'present'), sum('terminals', 'seen'), sum('terminals', 'unregistered'),
    ],
    columns: [
      { of: 'name', name: t('Site', '站点'), links },
      { of: 'A', name: t('Sites', '站点数'), unit: 'locale' },
      { of: 'B', name: t('Agents heard', '在线采集器'), unit: 'locale' },
      { of: 'C', name: t('Silent', '失联'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'yellow'], [5, 'orange']) },
      { of: 'D', name: t('Devices up', '正常设备'), unit: 'locale' },
      { of: 'E', name: t('Down', '中断'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'orange'], [3, 'red']) },
      { of: 'F', name: t('Endpoints', '在线端点'), unit: 'locale' },
      { of: 'G', name: t('Terminals seen', '已出现终端'), unit: 'locale' },
      { of: 'H', name: t('Unregistered', '未登记'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'orange'], [50, 'red']) },
    ],
    kept: ['site'],
    sort: t('Endpoints', '在线端点'),
    w: 24, h: 10,
  });
}

/** @param {Context} c */
function wayQuality(c) {
  const { t } = c;
  const lost = `onenet_probe_loss_ratio{${WITHIN}role="parent"}`;
  return series({
    title: t('Loss of the ways up', '上联线路丢包'),
    about: t('The eight ways to a site above that lost most in a window of this range; measured by the lower site.', '所选时段内丢包最多的八条上联线路，由下级站点测量。'),
    none: nothing(c).measured,
    unit: 'percentunit', min: 0, thresholds: steps('transparent', [0.01, 'yellow'], [0.05, 'red']),
    targets: [{ expr: `${greatest(8, `max by (site) (${lost})`)} * on(site) group_left(name) onenet_site_info`, legend: '{{name}}' }],
    onward: [{ title: t('Dashboard of the site', '站点看板'), url: c.to('site', { site: '${__field.labels.site}' }) }],
    links: [{ title: t('Links', '线路'), url: c.to('links') }],
    w: 12, h: 10,
  });
}

/** @param {Context} c */
function flows(c) {
  const { t } = c;
  return series({
    title: t('Traffic', '流量'),
    about: t('What agents captured, the eight sites with most.', '采集器抓取的流量，前八个站点。'),
    none: t('No flows told: capture runs nowhere here', '没有流量：此处没有站点在抓包'),
    unit: 'Bps', min: 0,
    targets: [{ expr: `${most(8, 'onenet_capture_bytes_total{site=~"$sites"}', CAPTURE)} * on(site) group_left(name) onenet_site_info`, legend: '{{name}}' }],
    onward: [{ title: t('Flows in the console', '控制台中的流'), url: c.console('/sites/${__field.labels.site}/flows'), targetBlank: true }],
    links: [{ title: t('Traffic', '流量'), url: c.to('traffic') }],
    w: 8,
  });
}

