// The whole country on one wall: is everything connected, what is down, what caused it, who is affected.

import { gradeStats, incidentTable, presence, worstWays } from '../common.mjs';
import { STATES, bars, heading, series, stat, steps, table } from '../panels.mjs';
import { FLOWS, attached, availability, below, downward, known, sitesBelow } from '../queries.mjs';
import { averaged, nothing, standing, unnamed } from '../words.mjs';

/** @typedef {import('../schema').Context} Context */

/** @param {Context} c @returns {import('../schema').Board} */
export function national(c) {
  const { t } = c;
  return {
    name: 'national',
    title: t('One Network · country', '一张网 · 全国总览'),
    description: t('Coverage, availability, incidents and the worst links of the whole network.', '全网覆盖、可用性、故障与最差线路。'),
    variables: [],
    panels: [
      ...coverage(c),
      ...gradeStats(c, (grade) => `sum(onenet_incidents{state="open", severity="${grade}"})`),
      incidentTable(c, '', { w: 24, h: 8 }),
      tiers(c),
      ways(c),
      waysUnknown(c),
      worstWays(c, '', { w: 14, h: 10 }),
      areas(c),
      heading(t('Provinces', '各省')),
      provinces(c),
      heading(t('Over time', '趋势')),
      sitesOverTime(c),
      presence(c, '', { w: 8 }),
      traffic(c),
    ],
  };
}

/** @param {Context} c */
function coverage(c) {
  const { t } = c;
  const none = nothing(c).scraped;
  return [
    stat({
      title: t('Sites', '站点'), about: t('Sites that exist today, of every level.', '现存各级站点数。'), none, unit: 'locale', w: 3,
      targets: [{ expr: 'sum(onenet_sites)' }], links: [{ title: t('Tree of sites', '站点树'), url: c.console('/'), targetBlank: true }],
    }),
    stat({
      title: t('Attached', '已接入'), about: t('Part of all sites whose agent is heard now.', '当前有采集器在线的站点占比。'), none: nothing(c).pages, unit: 'percentunit', w: 3, decimals: 1,
      targets: [{ expr: `(${known(attached(), 'count(onenet_site_agents)')}) / sum(onenet_sites)` }], thresholds: steps('red', [0.9, 'orange'], [0.97, 'yellow'], [0.995, 'green']),
      links: [{ title: t('Agents', '采集器'), url: c.to('agents') }, { title: t('Coverage', '覆盖率'), url: c.console('/coverage'), targetBlank: true }],
    }),
    stat({
      title: t('Sites down', '中断站点'), about: t('Sites of which it is concluded that they are cut off or come and go.', '判定为中断或时断时续的站点数。'), none, unit: 'locale', w: 3,
      targets: [{ expr: known('sum(onenet_site_state{state=~"down|flapping"})', 'sum(onenet_site_state)') }], thresholds: steps('green', [1, 'red']),
      links: [{ title: t('Incidents', '故障'), url: c.to('incidents') }],
    }),
    stat({
      title: t('Sites unknown', '未知站点'), about: t('Sites of which nobody who is heard can tell anything: neither good nor bad.', '没有在线采集器能说明状态的站点数，既非正常也非故障。'), none, unit: 'locale', w: 3,
      targets: [{ expr: known('sum(onenet_site_state{state="unknown"})', 'sum(onenet_site_state)') }], thresholds: steps('green', [1, STATES.unknown]),
      links: [{ title: t('Agents', '采集器'), url: c.to('agents') }],
    }),
  ];
}

/** @param {Context} c */
function tiers(c) {
  const { t } = c;
  const { names } = standing(c);
  const states = /** @type {const} */ (['up', 'degraded', 'flapping', 'down', 'unknown']);
  return table({
    title: t('Sites by level and state', '各级站点状态'),
    about: t('How many sites of each level are in which state.', '各层级站点按状态计数。'),
    none: nothing(c).scraped,
    unit: 'locale',
    targets: states.map((state) => ({ expr: downward(`sum by (tier) (onenet_site_state{state="${state}"})`) })),
    columns: [
      { of: 'tier', name: t('Level', '层级'), mappings: tierWords(c) },
      ...states.map((state, at) => ({
        of: String.fromCharCode(65 + at), name: names[state], unit: 'locale', heat: true, thresholds: steps('transparent', [1, STATES[state]]),
      })),
    ],
    order: 'order',
    links: [{ title: t('Tree of sites', '站点树'), url: c.console('/'), targetBlank: true }],
    w: 10, h: 7,
  });
}

/** @param {Context} c */
function tierWords(c) {
  const { t } = c;
  return [{
    type: 'value',
    options: {
      ministry: { text: t('Ministry', '部'), index: 0 }, province: { text: t('Province', '省'), index: 1 },
      city: { text: t('City', '市'), index: 2 }, county: { text: t('County', '县'), index: 3 },
    },
  }];
}

/** @param {Context} c */
function layers(c) {
  const { t } = c;
  return /** @type {const} */ ([
    ['ministry_province', t('Ministry to province', '部—省')], ['province_city', t('Province to city', '省—市')], ['city_county', t('City to county', '市—县')],
  ]);
}

/** @param {Context} c */
function ways(c) {
  const { t } = c;
  return bars({
    title: t('Availability today by layer', '今日各层线路可用率'),
    about: t('Part of the known time since midnight in which ways of the layer worked, well or badly. What is unknown counts for neither.', '自零点起已知时间内线路可用（含劣化）的占比；未知时间不计入。'),
    none: nothing(c).measured,
    unit: 'percentunit', min: 0.9, max: 1, decimals: 3,
    thresholds: steps('red', [0.95, 'orange'], [0.99, 'yellow'], [0.999, 'green']),
    targets: layers(c).map(([layer, legend]) => ({ expr: availability('onenet_way_time_today_seconds', 'layer').replaceAll('{', `{layer="${layer}", `), legend })),
    links: [{ title: t('Links', '线路'), url: c.to('links') }, { title: t('Days and months', '按日、按月'), url: c.console('/availability'), targetBlank: true }],
    w: 7, h: 7,
  });
}

/** @param {Context} c */
function waysUnknown(c) {
  const { t } = c;
  return bars({
    title: t('Not known today', '今日未知时间'),
    about: t('Part of today of which nobody can tell whether the ways of the layer worked: measure them from both ends.', '今日无人能说明线路状态的时间占比：请在两端都配置探测。'),
    none: nothing(c).measured,
    unit: 'percentunit', min: 0, max: 1, decimals: 1,
    thresholds: steps(STATES.unknown),
    targets: layers(c).map(([layer, legend]) => ({
      expr: `sum(onenet_way_time_today_seconds{layer="${layer}", standing="unknown"}) / sum(onenet_way_time_today_seconds{layer="${layer}"})`, legend,
    })),
    links: [{ title: t('Links', '线路'), url: c.to('links') }],
    w: 7, h: 7,
  });
}

/** @param {Context} c */
function areas(c) {
  const { t } = c;
  const { names } = standing(c);
  const states = /** @type {const} */ (['up', 'degraded', 'flapping', 'down', 'unknown']);
  return table({
    title: t('Areas', '重点区域'),
    about: t('Sites by state in each area: regions, river basins, sea areas.', '各重点区域、流域、海区内站点按状态计数。'),
    none: t('No area is defined: onenetd areas create', '尚未定义区域：onenetd areas create'),
    unit: 'locale',
    targets: states.map((state) => ({ expr: `sum by (area, name) (onenet_area_site_state{state="${state}"} * on(area) group_left(name) onenet_area_info)` })),
    columns: [
      { of: 'name', name: t('Area', '区域'), links: [{ title: t('Incidents there', '该区域的故障'), url: c.to('incidents', { area: '${__data.fields.name}' }) }] },
      ...states.map((state, at) => ({
        of: String.fromCharCode(65 + at), name: names[state], unit: 'locale', heat: true, thresholds: steps('transparent', [1, STATES[state]]),
      })),
    ],
    links: [{ title: t('Incidents', '故障'), url: c.to('incidents') }],
    w: 10, h: 10,
  });
}

/** @param {Context} c */
function provinces(c) {
  const { t } = c;
  const where = 'tier="province"';
  /** @param {string} of @param {string} state */
  const sum = (of, state) => ({ expr: below(of, state, where) });
  return table({
    title: t('Terminals and sites by province', '各省站点与终端'),
    about: t('Each province with everything below it. Registered computers that were seen within 30 days, are silent since longer, were never seen; computers that are on nobody’s books.', '各省及其下属站点合计。台账内 30 天内出现、长期未出现、从未出现的计算机，以及未登记的计算机。'),
    none: nothing(c).scraped,
    unit: 'locale',
    targets: [
      { expr: sitesBelow(where) }, sum('agents', 'connected'), sum('agents', 'silent'), sum('endpoints', 'present'),
      sum('terminals', 'seen'), sum('terminals', 'silent'), sum('terminals', 'never_seen'), sum('terminals', 'unregistered'), sum('devices', 'down'),
    ],
    columns: [
      {
        of: 'name', name: t('Province', '省份'),
        links: [{ title: t('Dashboard of the province', '省级看板'), url: c.to('province', { province: '${__data.fields.site}' }) },
          { title: t('In the console', '控制台'), url: c.console('/sites/${__data.fields.site}'), targetBlank: true }],
      },
      { of: 'A', name: t('Sites', '站点'), unit: 'locale' },
      { of: 'B', name: t('Agents heard', '在线采集器'), unit: 'locale' },
      { of: 'C', name: t('Agents silent', '失联采集器'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'yellow'], [5, 'orange']) },
      { of: 'I', name: t('Devices down', '中断设备'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'yellow'], [5, 'orange']) },
      { of: 'D', name: t('Endpoints', '在线端点'), unit: 'locale' },
      { of: 'E', name: t('Terminals', '已出现终端'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'semi-dark-green'], [2000, 'green'], [4000, 'light-green']) },
      { of: 'F', name: t('Silent', '长期未出现'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'yellow'], [100, 'orange']) },
      { of: 'G', name: t('Never seen', '从未出现'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'yellow'], [100, 'orange']) },
      { of: 'H', name: t('Unregistered', '未登记'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'orange'], [100, 'red']) },
    ],
    kept: ['site'],
    sort: t('Terminals', '已出现终端'),
    links: [{ title: t('Terminals', '终端'), url: c.to('terminals') }, { title: t('Asset register', '资产台账'), url: c.console('/assets'), targetBlank: true }],
    w: 24, h: 20,
  });
}

/** @param {Context} c */
function sitesOverTime(c) {
  const { t } = c;
  const { names, colours } = standing(c);
  return series({
    title: t('Sites that are not up', '非正常站点'),
    about: t('Sites by what is concluded of them, those that are up left out.', '按判定状态统计的站点数，正常站点除外。'),
    none: t('All sites are up, or nothing is known', '全部正常，或无数据'),
    unit: 'locale', min: 0, stack: true, colours,
    targets: /** @type {const} */ (['degraded', 'flapping', 'down', 'unknown']).map((state) => ({ expr: `sum(onenet_site_state{state="${state}"})`, legend: names[state] })),
    links: [{ title: t('Incidents', '故障'), url: c.to('incidents') }],
    w: 8,
  });
}

/** @param {Context} c */
function traffic(c) {
  const { t } = c;
  return series({
    title: t('Traffic by application', '应用流量'),
    about: t('Bytes of finished flows at all sites, the eight greatest applications.', '全网已结束流的流量，前八种应用。') + averaged(c),
    none: t('No flows told: capture runs nowhere, or nothing was said', '没有流量：没有站点在抓包，或没有通信'),
    unit: 'Bps', min: 0, stack: true,
    targets: [{ expr: `topk(8, sum by (application) (rate(onenet_application_bytes_total[${FLOWS}])))`, legend: '{{application}}' }],
    renamed: unnamed(c),
    links: [{ title: t('Traffic', '流量'), url: c.to('traffic') }],
    w: 8,
  });
}
