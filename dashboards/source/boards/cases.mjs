// Anomalies and cases: what detectors find and whether they run; how many cases wait for people, how old and how late they are, how
// soon they are taken up, and how they end. Of a single case nothing is said here: who reads metrics may not read cases.

import { gradeStats } from '../common.mjs';
import { GRADES, heading, steps, table } from '../panels.mjs';
import { named } from '../queries.mjs';
import { anomalies, grades as gradeWords, nothing, siteColumns } from '../words.mjs';
import { lines, ranks } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function cases(c) {
  const { t } = c;
  const none = t('No cases', '没有事件');
  const onward = { links: [{ title: t('In the console', '控制台'), url: c.console('/cases'), targetBlank: true }, { title: t('Country', '全国'), url: c.to('national') }] };
  /** @type {[keyof typeof GRADES, string][]} */
  const grades = [['extraordinary', t('Extraordinary', '特别重大')], ['major', t('Major', '重大')], ['considerable', t('Considerable', '较大')], ['general', t('General', '一般')]];
  const colours = Object.fromEntries(grades.map(([grade, name]) => [name, GRADES[grade]]));
  /** @param {(grade: string) => string} expr */
  const by = (expr) => grades.map(([grade, legend]) => ({ expr: expr(grade), legend }));
  /** @type {[string, string][]} */
  const states = [['new', t('New', '新事件')], ['acknowledged', t('Acknowledged', '已受理')], ['under_review', t('Under review', '研判中')], ['notified', t('Notified', '已通报')], ['rectified', t('Rectified', '已整改')], ['silenced', t('Silenced', '已屏蔽')]];
  return {
    name: 'cases', title: t('One Network · anomalies and cases', '一张网 · 异常与事件处置'), description: t('What detectors found, and what people make of it; drills are in none of it.', '检测到的异常及其人工处置；不含演练。'),
    variables: [],
    panels: [
      ...gradeStats(c, (grade) => `sum(onenet_cases{state!="silenced", grade="${grade}"})`, { w: 6 }),
      lines(t('Open by grade', '按级别'), t('Open cases by grade.', '按级别统计的未办结事件。'), none, 'locale', by((grade) => `sum(onenet_cases{state!="silenced", grade="${grade}"})`), { ...onward, stack: true, min: 0, colours }),
      ranks(t('By state', '按处置状态'), t('Cases that are not closed, by how far they are.', '未办结事件所处的阶段。'), none, 'locale', states.map(([state, legend]) => ({ expr: `sum(onenet_cases{state="${state}"})`, legend })), onward),
      lines(t('Overdue', '逾期'), t('Open cases of which something is overdue.', '有环节逾期的事件。'), none, 'locale', by((grade) => `sum(onenet_cases_overdue{grade="${grade}"})`), { ...onward, stack: true, min: 0, colours }),
      lines(t('Age of the oldest', '最早事件的历时'), t('How old the oldest open case is.', '最早的未办结事件已历时多久。'), none, 's', by((grade) => `max(onenet_case_oldest_age_seconds{grade="${grade}"})`), { ...onward, min: 0, colours }),
      lines(t('Until taken up', '受理用时'), t('Median time until somebody took a case up, of those opened within 30 days.', '30 天内立案的事件，受理用时的中位数。'), t('Nobody took one up within 30 days', '30 天内没有已受理的事件'), 's', by((grade) => `max(onenet_case_acknowledged_median_seconds{grade="${grade}"})`), { ...onward, min: 0, colours }),
      ranks(t('How they ended', '办结结论'), t('Closed cases by what they were found to be.', '已办结事件的结论。'), none, 'locale', [
        { expr: 'sum(onenet_cases_closed{verdict="true"})', legend: t('True', '属实') },
        { expr: 'sum(onenet_cases_closed{verdict="benign"})', legend: t('Benign', '正常行为') },
        { expr: 'sum(onenet_cases_closed{verdict="false"})', legend: t('False', '误报') },
      ], onward),
      heading(t('Anomalies', '异常')),
      ...found(c, by, colours),
    ],
  };
}

/** @param {import('../schema').Context} c @param {(expr: (grade: string) => string) => import('../schema').Target[]} by @param {Record<string, string>} colours */
function found(c, by, colours) {
  const { t } = c;
  const none = nothing(c).anomalies;
  const onward = { links: [{ title: t('Cases in the console', '控制台中的事件'), url: c.console('/cases'), targetBlank: true }, { title: t('Agents', '采集器'), url: c.to('agents') }] };
  const few = steps('transparent', [1, 'yellow'], [5, 'orange']);
  return [
    lines(t('Anomalies by grade', '按级别统计的异常'), t('What detectors of all sites saw within the last day, by the grade that they propose.', '全网检测器一天内发现的异常，按其建议级别。'), none, 'locale',
      by((grade) => `sum(onenet_site_anomalies{grade="${grade}"})`), { ...onward, stack: true, min: 0, colours, w: 6, h: 9 }),
    table({
      title: t('Anomalies by kind', '按类别统计的异常'), about: t('What was found within the last day, at how many sites.', '一天内发现的异常及涉及站点数。'), none, unit: 'locale',
      targets: [{ expr: 'sum by (kind) (onenet_site_anomalies)' }, { expr: 'count by (kind) (sum by (site, kind) (onenet_site_anomalies))' }],
      columns: [{ of: 'kind', name: t('What', '异常'), mappings: anomalies(c) }, { of: 'A', name: t('Count', '数量'), unit: 'locale', width: 90 }, { of: 'B', name: t('Sites', '站点'), unit: 'locale', heat: true, thresholds: few, width: 80 }],
      sort: t('Count', '数量'), ...onward, w: 8, h: 9,
    }),
    table({
      title: t('Sites with anomalies', '有异常的站点'), about: t('The thirty sites and kinds of which most was found within the last day, with the grade proposed.', '一天内发现异常最多的三十个站点与类别，附建议级别。'), none, unit: 'locale',
      targets: [{ expr: named('topk(30, sum by (site, kind, grade) (onenet_site_anomalies))') }],
      columns: [...siteColumns(c), { of: 'kind', name: t('What', '异常'), mappings: anomalies(c) }, { of: 'grade', name: t('Grade', '级别'), mappings: gradeWords(c), heat: true, width: 110 }, { of: 'A', name: t('Count', '数量'), unit: 'locale', width: 90 }],
      kept: ['site'], sort: t('Count', '数量'), ...onward, w: 10, h: 9,
    }),
    ...detectors(c, onward),
  ];
}

/** @param {import('../schema').Context} c @param {object} onward */
function detectors(c, onward) {
  const { t } = c;
  const none = nothing(c).detectors;
  return [
    lines(t('Detectors', '检测器'), t('Detectors of all agents that are on, and that are off: why one is off, the page of its site says.', '全网启用与停用的检测器；停用原因见站点页面。'), none, 'locale',
      [{ expr: 'sum(onenet_detectors{state="on"})', legend: t('On', '启用') }, { expr: 'sum(onenet_detectors{state="off"})', legend: t('Off', '停用') }], { ...onward, coarse: true, min: 0, h: 8 }),
    lines(t('What detectors look at', '检测输入'), t('Observations a second that detectors of all agents saw, and that found no room since they did not keep pace.', '全网检测器每秒处理的观测，以及因来不及处理而丢弃的观测。'), none, 'cps',
      [{ expr: 'sum(rate(onenet_detection_inputs_total[30m]))', legend: t('Seen', '已处理') }, { expr: 'sum(rate(onenet_detection_dropped_total[30m]))', legend: t('Dropped', '丢弃') }], { ...onward, coarse: true, min: 0, h: 8 }),
    table({
      title: t('Detectors that see nothing', '长期无输入的检测器'), about: t('The twenty agents whose detectors saw something longest ago: capture may be off, or the mirror port empty.', '检测器最久没有输入的二十个采集器：可能未抓包或镜像口无流量。'), none, unit: 's',
      targets: [{ expr: named('topk(20, time() - onenet_detection_last_run_time_seconds)') }],
      columns: [...siteColumns(c), { of: 'A', name: t('Ago', '距今'), unit: 's', heat: true, thresholds: steps('transparent', [1_200, 'yellow'], [86_400, 'orange']) }], kept: ['site'], sort: t('Ago', '距今'), ...onward, w: 8, h: 8,
    }),
  ];
}
