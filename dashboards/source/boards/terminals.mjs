// Terminals: what they are, and which are new, unregistered or silent.

import { heading, steps, table } from '../panels.mjs';
import { named } from '../queries.mjs';
import * as variables from '../variables.mjs';
import { classes, nothing, siteColumns, unnamed } from '../words.mjs';
import { WITHIN } from './province.mjs';
import { lines, ranks } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function terminals(c) {
  const { t } = c;
  const onward = { links: [{ title: t('Endpoints', '端点'), url: c.console('/endpoints'), targetBlank: true }, { title: t('Asset register', '资产台账'), url: c.console('/assets'), targetBlank: true }, { title: t('Country', '全国'), url: c.to('national') }] };
  /** @type {[string, string][]} */
  const states = [['seen', t('Seen', '已出现')], ['silent', t('Silent', '长期未出现')], ['never_seen', t('Never seen', '从未出现')], ['unregistered', t('Unregistered', '未登记')]];
  const none = t('No computer is on the books, and none was seen', '台账为空且未见计算机');
  return {
    name: 'terminals', title: t('One Network · terminals', '一张网 · 终端'), description: t('Types, vendors, coverage of the asset register.', '类型、厂商与台账覆盖。'),
    variables: [variables.province(c), variables.sites('$province')],
    panels: [
      lines(t('Coverage of the register', '台账覆盖'), t('Computers of the whole country: seen within 30 days, silent since longer, never seen, on nobody’s books.', '全国计算机：30 天内出现、长期未出现、从未出现、未登记。'), none, 'locale', states.map(([state, legend]) => ({ expr: `sum(onenet_site_terminals{state="${state}"})`, legend })), { ...onward, coarse: true, stack: true }),
      ranks(t('What they are', '端点类型'), t('Endpoints that are present, by class.', '在线端点按类型。'), nothing(c).agents, 'locale', [{ expr: 'sort_desc(onenet_class_endpoints)', legend: '{{class}}' }], { ...onward, renamed: classes(c), thresholds: steps('blue') }),
      ranks(t('Vendors', '厂商'), t('Endpoints that are present, by the vendor of the card.', '在线端点按网卡厂商。'), nothing(c).agents, 'locale', [{ expr: 'sort_desc(onenet_vendor_endpoints)', legend: '{{vendor}}' }], { ...onward, renamed: unnamed(c), thresholds: steps('blue') }),
      lines(t('New endpoints', '新出现的端点'), t('Endpoints that were seen at their site for the first time within the last day, in the whole country.', '全国一天内首次在本站点出现的端点。'), nothing(c).agents, 'locale', [{ expr: 'sum(onenet_site_new_endpoints)', legend: t('New within a day', '一天内新出现') }], { ...onward, coarse: true, min: 0, w: 12, h: 9 }),
      table({
        title: t('Sites with most new endpoints', '新端点最多的站点'), about: t('The twenty sites where most endpoints were seen for the first time within the last day: a move, a new room, or somebody who should not be there.', '一天内首次出现端点最多的二十个站点：搬迁、新增机房，或不应接入者。'), none: nothing(c).agents, unit: 'locale',
        targets: [{ expr: named('topk(20, sum by (site) (onenet_site_new_endpoints) > 0)') }],
        columns: [...siteColumns(c), { of: 'A', name: t('New', '新端点'), unit: 'locale', heat: true, thresholds: steps('transparent', [5, 'yellow'], [20, 'orange']) }], kept: ['site'], sort: t('New', '新端点'), ...onward, w: 12, h: 9,
      }),
      heading(t('Province', '本省')),
      table({
        title: t('Sites with most to do', '待处理最多的站点'), about: t('Sites with computers that are on nobody’s books or were never seen.', '有未登记或从未出现计算机的站点。'), none, unit: 'locale',
        targets: [{ expr: named(`sum by (site) (onenet_site_terminals{${WITHIN}state=~"unregistered|never_seen|silent"})`) }, ...['unregistered', 'silent', 'never_seen', 'seen'].map((state) => ({ expr: `sum by (site) (onenet_site_terminals{${WITHIN}state="${state}"})` })), { expr: 'sum by (site) (onenet_site_new_endpoints{site=~"$sites"})' }],
        columns: [...siteColumns(c), { of: 'A', name: t('To do', '待处理'), unit: 'locale' }, { of: 'B', name: t('Unregistered', '未登记'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'orange'], [20, 'red']) },
          { of: 'C', name: t('Silent', '长期未出现'), unit: 'locale' }, { of: 'D', name: t('Never seen', '从未出现'), unit: 'locale' }, { of: 'E', name: t('Seen', '已出现'), unit: 'locale' }, { of: 'F', name: t('New', '新端点'), unit: 'locale', heat: true, thresholds: steps('transparent', [5, 'yellow'], [20, 'orange']) }],
        kept: ['site'], sort: t('To do', '待处理'), ...onward, w: 16, h: 12,
      }),
      lines(t('Endpoints present', '在线端点'), t('Endpoints that an agent of this province sees now.', '本省采集器当前能看到的端点数。'), nothing(c).agents, 'locale', [{ expr: `sum(onenet_site_endpoints{${WITHIN}state="present"})`, legend: t('Present', '在线') }], { ...onward, min: 0, h: 12 }),
    ],
  };
}
