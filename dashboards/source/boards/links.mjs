// The layers of links between sites.

import { spread } from './services.mjs';
import { worstWays } from '../common.mjs';
import { heading } from '../panels.mjs';
import * as variables from '../variables.mjs';
import { nothing, standing } from '../words.mjs';
import { lines } from './simple.mjs';
import { WITHIN } from './province.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function links(c) {
  const { t } = c;
  const { names, colours } = standing(c);
  const onward = { links: [{ title: t('Incidents', '故障'), url: c.to('incidents') }, { title: t('Availability', '可用性'), url: c.console('/availability'), targetBlank: true }] };
  /** @type {[string, string][]} */
  const layers = [['ministry_province', t('Ministry to province', '部—省')], ['province_city', t('Province to city', '省—市')], ['city_county', t('City to county', '市—县')]];
  return {
    name: 'links', title: t('One Network · links', '一张网 · 线路'), description: t('The ways between sites, by layer and of a province.', '站点间线路，按层与按省。'),
    variables: [variables.province(c), variables.sites('$province')],
    panels: [
      heading(t('Country', '全国')),
      ...layers.map(([layer, name]) => lines(`${name}`, t('How today’s time of the ways of this layer was spent so far; unknown is a part of its own.', '该层线路今日时间的构成；未知单列。'), nothing(c).measured, 'percentunit',
        /** @type {(keyof typeof names)[]} */ (['up', 'degraded', 'down', 'unknown', 'maintenance']).map((state) => ({ expr: `sum(onenet_way_time_today_seconds{layer="${layer}", standing="${state}"}) / sum(onenet_way_time_today_seconds{layer="${layer}"})`, legend: names[state] })), { ...onward, stack: true, colours, max: 1 })),
      spread(c, t('Loss of all ways up', '全部上联线路丢包'), 'onenet_probe_loss_ratio{role="parent"}', 'percentunit', onward),
      spread(c, t('Round trip of all ways up', '全部上联线路往返时延'), 'onenet_probe_round_trip_seconds{role="parent"}', 's', onward),
      lines(t('Ways by state', '线路状态'), t('Ways up by what the lower site’s agent judges.', '按下级采集器判定统计的上联线路。'), nothing(c).measured, 'locale',
        [{ expr: 'count(onenet_probe_up{role="parent"} == 1)', legend: names.up }, { expr: 'count(onenet_probe_up{role="parent"} == 0.5)', legend: names.degraded }, { expr: 'count(onenet_probe_up{role="parent"} == 0)', legend: names.down }], { ...onward, coarse: true, stack: true, colours }),
      heading(t('Province', '本省')),
      worstWays(c, WITHIN, { w: 24, h: 12 }),
    ],
  };
}
