// Service checks and the quality of video: what users get, measured from where they are.

import { heading, states, steps, table } from '../panels.mjs';
import { known, named } from '../queries.mjs';
import * as variables from '../variables.mjs';
import { nothing, probed, siteColumns } from '../words.mjs';
import { WITHIN } from './province.mjs';
import { lines } from './simple.mjs';

/** Median, 95 in a hundred and the worst of many. @param {import('../schema').Context} c @param {string} title @param {string} of @param {string} unit @param {object} rest */
export function spread(c, title, of, unit, rest) {
  const { t } = c;
  return lines(title, t('Half of them are under the median, 95 in a hundred under the second line.', '半数低于中位线，95% 低于第二条线。'), nothing(c).measured, unit,
    [{ expr: `quantile(0.5, ${of})`, legend: t('Median', '中位') }, { expr: `quantile(0.95, ${of})`, legend: '95 %' }, { expr: `max(${of})`, legend: t('Worst', '最差') }], { coarse: true, min: 0, ...rest });
}

/** How many there are, zero where there is none and ways are measured. @param {string} expr a comparison */
const count = (expr) => known(`count(${expr})`, 'count(onenet_probe_loss_ratio{role="parent"})');

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function services(c) {
  const { t } = c;
  const none = t('No service is probed: [[probes]] of an agent', '没有探测服务：见采集器 [[probes]]');
  const asked = 'role="named", probe=~"$service"';
  const onward = { links: [{ title: t('Incidents', '故障'), url: c.to('incidents') }, { title: t('In the console', '控制台'), url: c.console('/incidents'), targetBlank: true }] };
  return {
    name: 'services', title: t('One Network · services and video', '一张网 · 业务与视频'), description: t('Business systems, mail and video as their users get them.', '从用户所在处测量的业务系统、邮件与视频质量。'),
    variables: [variables.service(c), variables.province(c), variables.sites('$province')],
    panels: [
      lines(t('Sites that cannot use a service', '无法使用服务的站点'), t('How many sites’ agents find a service down.', '认为服务不可用的站点数。'), none, 'locale', [{ expr: `sum by (probe) (onenet_probe_up{${asked}} == bool 0)`, legend: '{{probe}}' }], { ...onward, coarse: true, w: 12 }),
      lines(t('Time to an answer', '响应时间'), t('Median over all sites that ask.', '所有站点的中位数。'), none, 's', [{ expr: `quantile by (probe) (0.5, onenet_probe_round_trip_seconds{${asked}})`, legend: '{{probe}}' }], { ...onward, coarse: true, w: 12, min: 0 }),
      table({
        title: t('Certificates that end', '证书到期'), about: t('The twenty that end first.', '最先到期的二十个。'), none: t('No certificate was seen', '没有测到证书'), unit: 's',
        targets: [{ expr: named('bottomk(20, min by (site, probe) (onenet_probe_certificate_expiry_timestamp_seconds) - time())') }],
        columns: [{ of: 'probe', name: t('Service', '服务') }, ...siteColumns(c, t('Seen from', '测量站点')), { of: 'A', name: t('Left', '剩余'), unit: 's', heat: true, thresholds: steps('red', [7 * 86400, 'orange'], [30 * 86400, 'transparent']) }], kept: ['site'], ...onward, w: 12, h: 9,
      }),
      table({
        title: t('Calls and video', '通话与视频'), about: t('Mean opinion score by media tests of the last two hours: under 3.6 some users are dissatisfied.', '最近两小时媒体测试的 MOS；低于 3.6 部分用户不满意。'), none: t('No media test in two hours: onenetd measure SITE PROBE', '两小时内没有媒体测试：onenetd measure 站点 探测'), unit: 'none',
        targets: [{ expr: named('bottomk(20, min by (site, probe) (onenet_probe_mos))') }],
        columns: [{ of: 'probe', name: t('Way', '线路') }, ...siteColumns(c), { of: 'A', name: 'MOS', unit: 'none', decimals: 2, heat: true, thresholds: steps('red', [3.1, 'orange'], [3.6, 'yellow'], [4, 'green']) }], kept: ['site'], ...onward, w: 12, h: 9,
      }),
      lines(t('Speech and video, score', '语音视频评分'), t('Mean opinion score of all media tests: the median and the worst.', '全部媒体测试的 MOS：中位与最差。'), t('No media test in two hours: onenetd measure SITE PROBE', '两小时内没有媒体测试：onenetd measure 站点 探测'), 'none',
        [{ expr: 'quantile(0.5, onenet_probe_mos)', legend: t('Median', '中位') }, { expr: 'min(onenet_probe_mos)', legend: t('Worst', '最差') }], { ...onward, min: 1, max: 4.5, w: 8 }),
      lines(t('Ways unfit for video', '不适合视频的线路'), t('Ways up that lose more than 1 in 100, take more than 150 ms or have more than 30 ms of jitter: video conferences suffer there.', '丢包超过 1%、往返时延超过 150 毫秒或抖动超过 30 毫秒的上联线路，视频会议会受影响。'), nothing(c).measured, 'locale', [
        { expr: `${count('onenet_probe_loss_ratio{role="parent"} > 0.01')}`, legend: t('Loss', '丢包') },
        { expr: `${count('onenet_probe_round_trip_p95_seconds{role="parent"} > 0.15')}`, legend: t('Delay', '时延') },
        { expr: `${count('onenet_probe_jitter_seconds{role="parent"} > 0.03')}`, legend: t('Jitter', '抖动') },
      ], { ...onward, coarse: true, min: 0, w: 8 }),
      spread(c, t('Jitter of all ways up', '全部上联线路抖动'), 'onenet_probe_jitter_seconds{role="parent"}', 's', { ...onward, w: 8 }),
      heading(t('Province', '本省')),
      states({ title: t('Services by site', '各站点的服务状态'), about: t('What each site’s agent judges of the service.', '各站点采集器对服务的判定。'), none, unit: 'none', mappings: probed(c), targets: [{ expr: `topk(40, onenet_probe_up{${WITHIN}${asked}}) * on(site) group_left(name) onenet_site_info`, legend: '{{name}} {{probe}}' }], ...onward, w: 16, h: 12 }),
      lines(t('Largest packet', '最大报文'), t('The smallest of the largest packets that pass in one piece.', '各线路可整包通过的最大报文中的最小值。'), nothing(c).measured, 'decbytes', [{ expr: `min(onenet_probe_path_mtu_bytes{site=~"$sites"})`, legend: 'MTU' }], { ...onward, h: 12 }),
    ],
  };
}
