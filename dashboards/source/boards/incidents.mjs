// Incidents: what is broken, by grade, kind, level, province and area.

import { gradeStats, incidentTable } from '../common.mjs';
import { GRADES, steps, table } from '../panels.mjs';
import * as variables from '../variables.mjs';
import { kinds, nothing } from '../words.mjs';
import { lines } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function incidents(c) {
  const { t } = c;
  const none = nothing(c).incidents;
  const onward = { links: [{ title: t('In the console', '控制台'), url: c.console('/incidents'), targetBlank: true }, { title: t('Country', '全国'), url: c.to('national') }] };
  /** @type {[keyof typeof GRADES, string][]} */
  const grades = [['extraordinary', t('Extraordinary', '特别重大')], ['major', t('Major', '重大')], ['considerable', t('Considerable', '较大')], ['general', t('General', '一般')]];
  // Only part of the country is chosen: what belongs to no area has no such label, which `.*` matches.
  const where = 'severity=~"$severity", tier=~"$tier", areas=~"(.*;)?$area(;.*)?", ';
  return {
    name: 'incidents', title: t('One Network · incidents', '一张网 · 故障'), description: t('What is broken, since when, and whom it takes with it.', '什么坏了、多久了、影响谁。'),
    variables: [variables.choice('severity', t('Grade', '级别'), grades), variables.choice('tier', t('Level', '层级'), [['ministry', t('Ministry', '部')], ['province', t('Province', '省')], ['city', t('City', '市')], ['county', t('County', '县')]]), variables.area(c)],
    panels: [
      ...gradeStats(c, (grade) => `count(onenet_incident_sites{${where}state="open", severity="${grade}"})`, { w: 6 }),
      incidentTable(c, where, { w: 24, h: 12 }),
      lines(t('Open by grade', '按级别'), t('Open incidents by proposed grade, without planned maintenance.', '按建议级别统计的未恢复故障，不含计划检修。'), none, 'locale', grades.map(([grade, legend]) => ({ expr: `sum(onenet_incidents{state="open", severity="${grade}"})`, legend })), { ...onward, stack: true, min: 0, colours: Object.fromEntries(grades.map(([grade, name]) => [name, GRADES[grade]])) }),
      table({ title: t('Open by kind', '按类别'), about: t('Open incidents by what happened.', '按类别统计的未恢复故障。'), none, unit: 'locale', targets: [{ expr: 'sum by (kind) (onenet_incidents{state="open"})' }], columns: [{ of: 'kind', name: t('What', '故障'), mappings: kinds(c) }, { of: 'A', name: t('Count', '数量'), unit: 'locale', heat: true, thresholds: steps('transparent', [1, 'orange']) }], sort: t('Count', '数量'), ...onward, w: 8 }),
      lines(t('Sites out of reach', '不可达站点'), t('Sites that open incidents keep out of reach, by province of the root cause.', '未恢复故障导致不可达的站点，按根因所在省。'), none, 'locale', [{ expr: `topk(10, sum by (province) (onenet_incident_sites{${where}state="open"}))`, legend: '{{province}}' }], { ...onward, min: 0, stack: true }),
    ],
  };
}
