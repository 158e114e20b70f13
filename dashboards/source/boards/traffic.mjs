// Traffic: which sites and applications, who reaches outside, and what capture missed of it.

import { heading, steps, table } from '../panels.mjs';
import { CAPTURE, FLOWS, most, named } from '../queries.mjs';
import * as variables from '../variables.mjs';
import { averaged, fates, grades, nothing, siteColumns, unnamed } from '../words.mjs';
import { WITHIN } from './province.mjs';
import { lines } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function traffic(c) {
  const { t } = c;
  const none = t('No flows told: capture runs nowhere, or nothing was said', '没有流量：没有站点在抓包，或没有通信');
  const onward = { links: [{ title: t('Site', '站点'), url: c.to('site') }, { title: t('Flows of a site are in the console', '站点的流见控制台'), url: c.console('/'), targetBlank: true }] };
  const flows = { onward: [{ title: t('Flows in the console', '控制台中的流'), url: c.console('/sites/${__field.labels.site}/flows'), targetBlank: true }] };
  const name = '* on(site) group_left(name) onenet_site_info';
  return {
    name: 'traffic', title: t('One Network · traffic', '一张网 · 流量'), description: t('Applications, the busiest sites and what capture missed.', '应用、流量最大的站点与抓包缺失。'),
    variables: [variables.province(c), variables.sites('$province')],
    panels: [
      lines(t('Applications', '应用'), t('Bytes of finished flows of the whole country, the twelve greatest applications.', '全国已结束流的流量，前十二种应用。') + averaged(c), none, 'Bps', [{ expr: `topk(12, rate(onenet_application_bytes_total[${FLOWS}]))`, legend: '{{application}}' }], { ...onward, renamed: unnamed(c), stack: true, min: 0, w: 12, h: 10 }),
      lines(t('Busiest sites', '流量最大的站点'), t('What agents captured, the ten sites with most; after an outage too, for the time of it.', '采集器抓取的流量，前十个站点；线路中断期间的数据恢复后补齐。'), none, 'Bps', [{ expr: `${most(10, 'onenet_capture_bytes_total', CAPTURE)} ${name}`, legend: '{{name}}' }], { ...onward, ...flows, coarse: true, min: 0, w: 12, h: 10 }),
      lines(t('Provinces with most traffic', '流量最大的省份'), t('Bytes of finished flows of all sites of a province, the ten with most.', '本省全部站点已结束流的流量合计，前十个省份。') + averaged(c), none, 'Bps', [{ expr: `${most(10, 'onenet_subtree_flow_bytes_total{tier="province"}', FLOWS)} ${name}`, legend: '{{name}}' }], { ...onward, onward: [{ title: t('Dashboard of the province', '省级看板'), url: c.to('province', { province: '${__field.labels.site}' }) }], min: 0, w: 12, h: 9 }),
      table({
        title: t('Outreach', '违规外联'), about: t('Sites at which a terminal spoke to an address outside the address plan within the last day: always serious. Who it was, and the packets, are in the case.', '一天内有终端访问地址规划之外地址的站点，一律视为严重；终端与报文见相应事件。'), none: t('Nobody was seen to reach outside within a day', '一天内未发现违规外联'), unit: 'locale',
        targets: [{ expr: named('topk(30, sum by (site, grade) (onenet_site_anomalies{kind="outreach"}))') }],
        columns: [...siteColumns(c), { of: 'grade', name: t('Grade', '级别'), mappings: grades(c), heat: true, width: 120 }, { of: 'A', name: t('Terminals', '终端'), unit: 'locale' }], kept: ['site'], sort: t('Terminals', '终端'),
        links: [{ title: t('Anomalies in the console', '控制台中的异常'), url: c.console('/anomalies?kind=outreach'), targetBlank: true }, { title: t('Cases', '事件'), url: c.to('cases') }], w: 12, h: 9,
      }),
      heading(t('Province', '本省')),
      lines(t('Busiest sites here', '本省流量最大的站点'), t('What agents captured, the ten sites with most.', '采集器抓取的流量，前十个站点。'), none, 'Bps', [{ expr: `${most(10, 'onenet_capture_bytes_total{site=~"$sites"}', CAPTURE)} ${name}`, legend: '{{name}}' }], { ...onward, ...flows, min: 0, w: 12 }),
      lines(t('Frames captured', '抓包速率'), t('Frames a second that agents took.', '采集器每秒抓取的帧。'), nothing(c).agents, 'pps', [{ expr: `${most(10, 'onenet_capture_frames_total{site=~"$sites"}', CAPTURE)} ${name}`, legend: '{{name}}' }], { ...onward, min: 0, w: 12 }),
      lines(t('Missed', '缺失'), t('Frames a minute that were lost (kernel), cut or not understood.', '每分钟内核丢弃、截断或未识别的帧。'), nothing(c).agents, 'locale', [{ expr: `sum by (reason) (rate(onenet_capture_frames_lost_total{site=~"$sites"}[${CAPTURE}])) * 60`, legend: '{{reason}}' }], { ...onward, renamed: fates(c), min: 0, w: 12 }),
      lines(t('Payload that capture missed', '未抓到的载荷'), t('Part of the acknowledged payload of TCP that was never captured: the mirror port does not carry it.', 'TCP 已确认但未抓到的载荷占比：镜像口未覆盖。'), nothing(c).agents, 'percentunit',
        [{ expr: `sum(rate(onenet_capture_payload_bytes_total{${WITHIN}state="missed"}[${CAPTURE}])) / sum(rate(onenet_capture_payload_bytes_total{site=~"$sites"}[${CAPTURE}]))`, legend: t('Missed', '缺失') }], { ...onward, min: 0, w: 12 }),
    ],
  };
}
