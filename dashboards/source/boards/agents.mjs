// Agents: who is heard, of which version, who lags, who drops.

import { bars, stat, steps, table } from '../panels.mjs';
import { CAPTURE, known, named } from '../queries.mjs';
import { conditions, fates, nothing, siteColumns } from '../words.mjs';
import { lines } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function agents(c) {
  const { t } = c;
  const none = nothing(c).agents;
  const onward = { links: [{ title: t('Sites in the console', '控制台中的站点'), url: c.console('/'), targetBlank: true }, { title: t('The centre itself', '中心自身'), url: c.to('daemon') }] };
  /** @param {string} expr @param {string} title @param {string} about @param {string} unit @param {object} thresholds */
  const worst = (expr, title, about, unit, thresholds) => table({
    title, about, none, unit, targets: [{ expr: `topk(20, ${expr}) * on(site) group_left(name, tier) onenet_site_info` }],
    columns: [...siteColumns(c), { of: 'agent', name: t('Agent', '采集器') }, { of: 'A', name: title, unit, heat: true, thresholds, decimals: 1 }], kept: ['site'], sort: title, ...onward, w: 12, h: 9,
  });
  /** @type {[string, string, string, object][]} */
  const counts = [['connected', t('Heard', '在线'), t('Agents that are connected now.', '当前已连接的采集器。'), steps('green')], ['silent', t('Silent', '失联'), t('Agents that were heard before and are not now.', '曾在线而现在失联的采集器。'), steps('green', [1, 'orange'])], ['never', t('Never heard', '从未在线'), t('Enrolled and never heard.', '已登记但从未在线。'), steps('green', [1, 'yellow'])]];
  return {
    name: 'agents', title: t('One Network · agents', '一张网 · 采集器'), description: t('Who is heard, who lags, who drops.', '谁在线、谁滞后、谁丢数据。'), variables: [],
    panels: [
      ...counts.map(([state, title, about, thresholds]) => stat({ title, about, none: nothing(c).pages, unit: 'locale', thresholds, targets: [{ expr: known(`sum(onenet_site_agents{state="${state}"})`, 'sum(onenet_site_agents)') }], ...onward, w: 6 })),
      bars({ title: t('Versions', '版本'), about: t('Agents by the version that they told last: whoever lags behind has not been upgraded.', '按最近上报的版本统计的采集器；版本落后者尚未升级。'), none, unit: 'locale', min: 0, thresholds: steps('blue'), targets: [{ expr: 'sort_desc(onenet_agents > 0)', legend: '{{version}}' }], ...onward, w: 6, h: 4 }),
      worst('time() - onenet_agent_last_heard_timestamp_seconds', t('Last heard ago', '距上次在线'), t('The twenty agents that have been silent longest.', '失联最久的二十个采集器。'), 's', steps('transparent', [120, 'yellow'], [3600, 'orange'])),
      worst('abs(onenet_agent_clock_offset_seconds)', t('Clock is off by', '时钟偏差'), t('By how much an agent’s wall clock differs from the centre’s.', '采集器时钟与中心的偏差。'), 's', steps('transparent', [5, 'yellow'], [60, 'orange'])),
      worst('onenet_agent_history_waiting_batches', t('Batches waiting', '待确认批次'), t('History in the spool that was not acknowledged yet: an agent that catches up after an outage has many.', '缓存中尚未确认的历史批次；断网恢复后会较多。'), 'locale', steps('transparent', [100, 'yellow'], [1000, 'orange'])),
      table({ title: t('Conditions', '状况'), about: t('What keeps agents from their work, by kind, over the country.', '妨碍采集器工作的状况，按类。'), none: t('No condition is known', '没有已知的异常'), unit: 'locale', targets: [{ expr: 'sum by (kind) (onenet_site_conditions)' }], columns: [{ of: 'kind', name: t('What', '事项'), mappings: conditions(c) }, { of: 'A', name: t('Count', '数量'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'orange']) }], sort: t('Count', '数量'), ...onward, w: 12, h: 9 }),
      table({ title: t('Who complains of what', '异常明细'), about: t('Conditions by site; the console says the remedy.', '各站点的状况；处理办法见控制台。'), none: t('No condition is known', '没有已知的异常'), unit: 'locale', targets: [{ expr: named('sum by (site, kind) (onenet_site_conditions)') }], columns: [...siteColumns(c), { of: 'kind', name: t('What', '事项'), mappings: conditions(c) }, { of: 'A', name: t('Count', '数量'), unit: 'locale' }], kept: ['site'], ...onward, w: 12, h: 9 }),
      lines(t('Dropped by capture', '抓包丢失'), t('Frames a minute that agents lost, by reason.', '采集器每分钟丢失的帧，按原因。'), none, 'locale', [{ expr: `sum by (reason) (rate(onenet_capture_frames_lost_total[${CAPTURE}])) * 60`, legend: '{{reason}}' }], { ...onward, renamed: fates(c), coarse: true, min: 0, w: 12, h: 9 }),
    ],
  };
}
