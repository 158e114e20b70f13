// Panels that stand on several dashboards.

import { GRADES, series, stat, steps, table } from './panels.mjs';
import { known, named } from './queries.mjs';
import { causes, grades, kinds, nothing, siteColumns, standing } from './words.mjs';

/** @typedef {import('./schema').Context} Context */
/** @typedef {import('./schema').Panel} Panel */

/** Open incidents, the gravest first. @param {Context} c @param {string} where a selector @param {{ w?: number, h?: number }} size */
export function incidentTable(c, where, size = {}) {
  const rank = { extraordinary: 4e6, major: 3e6, considerable: 2e6, general: 1e6 };
  const ranked = Object.entries(rank).map(([grade, value]) => `(onenet_incident_sites{${where}severity="${grade}"} + ${value})`);
  return table({
    title: c.t('Open incidents', '未恢复的故障'),
    about: c.t('One row a root cause, the gravest first: what is unreachable because of it is counted as its sites and has no row of its own. Grades are proposals. Planned maintenance is left out.',
      '每个根因一行，按级别排列；因此不可达的站点计入“影响站点”，不单独成行。级别为系统建议。计划检修不在此列。'),
    none: nothing(c).incidents,
    unit: 'none',
    targets: [{ expr: `onenet_incident_sites{${where}state="open"} and on(incident) topk(50, ${ranked.join(' or ')})` }],
    columns: [
      { of: 'severity', name: c.t('Grade', '级别'), mappings: grades(c), heat: true, width: 120 },
      {
        of: 'kind', name: c.t('What', '故障'), mappings: kinds(c), width: 180,
        links: [{ title: c.t('Incident in the console', '控制台中的故障'), url: c.console('/incidents/${__data.fields.incident}'), targetBlank: true }],
      },
      { of: 'cause', name: c.t('May be caused by', '可能原因'), mappings: causes(c), width: 300 },
      ...siteColumns(c),
      { of: 'subject', name: c.t('Of', '对象') },
      { of: 'province', name: c.t('Province', '省份') },
      { of: 'A', name: c.t('Sites affected', '影响站点'), unit: 'locale', width: 130 },
    ],
    kept: ['site', 'incident'],
    sort: c.t('Sites affected', '影响站点'),
    links: [{ title: c.t('All incidents', '全部故障'), url: c.to('incidents') }, { title: c.t('In the console', '控制台'), url: c.console('/incidents'), targetBlank: true }],
    w: 24, h: 9, ...size,
  });
}

/**
 * How many incidents of each grade are open. @param {Context} c @param {(grade: string) => string} expr
 * @param {{ w?: number, from?: string, none?: string }} rest `from`: what has to be known, that zero is
 */
export function gradeStats(c, expr, { w = 3, from, none = nothing(c).scraped } = {}) {
  /** @type {[keyof typeof GRADES, string][]} */
  const each = [
    ['extraordinary', c.t('Extraordinary', '特别重大')], ['major', c.t('Major', '重大')],
    ['considerable', c.t('Considerable', '较大')], ['general', c.t('General', '一般')],
  ];
  return each.map(([grade, title]) => stat({
    title,
    about: c.t('Open incidents of this proposed grade, without planned maintenance.', '该建议级别下未恢复的故障数，不含计划检修。'),
    none,
    unit: 'locale',
    targets: [{ expr: known(expr(grade), from) }],
    thresholds: steps('green', [1, GRADES[grade]]),
    onward: [{ title: c.t('These incidents', '这些故障'), url: c.to('incidents', { severity: grade }) }],
    w,
  }));
}

/** Loss and round trip of the ways up, the worst first. @param {Context} c @param {string} where @param {{ w?: number, h?: number, title?: string }} size */
export function worstWays(c, where, size = {}) {
  /** @param {string} metric */
  const of = (metric) => named(`max by (site) (${metric}{${where}role="parent"})`);
  const only = `topk(20, max by (site) (onenet_probe_loss_ratio{${where}role="parent"}) * 10 + on(site) max by (site) (onenet_probe_round_trip_p95_seconds{${where}role="parent"}))`;
  return table({
    title: c.t('Worst ways up', '最差上联线路'),
    about: c.t('The twenty ways to the site above that lose or delay most, as the lower site’s agent measured over its last window.', '丢包或时延最差的二十条上联线路，取自下级站点采集器最近一个测量窗口。'),
    none: nothing(c).measured,
    unit: 'none',
    targets: [
      { expr: `${of('onenet_probe_loss_ratio')} and on(site) ${only}` },
      { expr: `max by (site) (onenet_probe_round_trip_seconds{${where}role="parent"}) and on(site) ${only}` },
      { expr: `max by (site) (onenet_probe_round_trip_p95_seconds{${where}role="parent"}) and on(site) ${only}` },
      { expr: `max by (site) (onenet_probe_jitter_seconds{${where}role="parent"}) and on(site) ${only}` },
    ],
    columns: [
      ...siteColumns(c),
      { of: 'A', name: c.t('Loss', '丢包'), unit: 'percentunit', heat: true, thresholds: LOSS, decimals: 1 },
      { of: 'B', name: c.t('Round trip', '往返时延'), unit: 's' },
      { of: 'C', name: c.t('95 % within', '95% 在内'), unit: 's', heat: true, thresholds: DELAY },
      { of: 'D', name: c.t('Jitter', '抖动'), unit: 's' },
    ],
    kept: ['site'],
    sort: c.t('Loss', '丢包'),
    links: [{ title: c.t('All links', '全部线路'), url: c.to('links') }],
    w: 12, h: 9, ...size,
  });
}

/** What is bearable for data and video, as acceptance tests have it by default: a hundredth lost, 100 ms. */
export const LOSS = steps('transparent', [0.01, 'yellow'], [0.05, 'orange'], [0.2, 'red']);
export const DELAY = steps('transparent', [0.1, 'yellow'], [0.2, 'orange'], [0.4, 'red']);

/** Endpoints over time, those of the whole country without a selector. @param {Context} c @param {string} where @param {object} size */
export function presence(c, where, size = {}) {
  return series({
    title: c.t('Endpoints present', '在线终端与设备端点'),
    about: c.t('Endpoints that an agent sees now. A fall at night is usual; a fall at noon is not.', '采集器当前能看到的端点数。夜间下降属正常，白天骤降则不正常。'),
    none: nothing(c).agents,
    unit: 'locale',
    min: 0,
    targets: [{ expr: where ? `sum(onenet_site_endpoints{${where}state="present"})` : 'sum(onenet_class_endpoints)', legend: c.t('Present', '在线') }],
    links: [{ title: c.t('Terminals', '终端'), url: c.to('terminals') }],
    ...size,
  });
}

/** Devices by state over time. @param {Context} c @param {string} where @param {object} size */
export function devicesOverTime(c, where, size = {}) {
  const { names, colours } = standing(c);
  return series({
    title: c.t('Devices by state', '设备状态'),
    about: c.t('Managed devices. Unknown means that nobody who is heard watches them: neither good nor bad.', '被管设备。“未知”表示没有在线的采集器能看到，既非正常也非故障。'),
    none: nothing(c).devices,
    unit: 'locale',
    min: 0,
    stack: true,
    colours,
    targets: /** @type {(keyof typeof names)[]} */ (['up', 'degraded', 'down', 'unknown']).map((state) => ({
      expr: `sum(onenet_site_devices{${where}state="${state}"})`, legend: names[state],
    })),
    links: [{ title: c.t('Devices', '设备'), url: c.to('device') }],
    ...size,
  });
}
