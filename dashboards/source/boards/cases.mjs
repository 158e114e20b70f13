// Cases: how many wait for people, how old and how late they are, how soon they are taken up, and how they end.

import { gradeStats } from '../common.mjs';
import { GRADES } from '../panels.mjs';
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
    name: 'cases', title: t('One Network · cases', '一张网 · 事件处置'), description: t('Anomalies and incidents that people work on; drills are in none of it.', '由人员处置的异常与故障；不含演练。'),
    variables: [],
    panels: [
      ...gradeStats(c, (grade) => `sum(onenet_cases{state!="silenced", grade="${grade}"})`, 6),
      lines(t('Open by grade', '按级别'), t('Open cases by grade.', '按级别统计的未办结事件。'), none, 'locale', by((grade) => `sum(onenet_cases{state!="silenced", grade="${grade}"})`), { ...onward, stack: true, min: 0, colours }),
      ranks(t('By state', '按处置状态'), t('Cases that are not closed, by how far they are.', '未办结事件所处的阶段。'), none, 'locale', states.map(([state, legend]) => ({ expr: `sum(onenet_cases{state="${state}"})`, legend })), onward),
      lines(t('Overdue', '逾期'), t('Open cases of which something is overdue.', '有环节逾期的事件。'), none, 'locale', by((grade) => `sum(onenet_cases_overdue{grade="${grade}"})`), { ...onward, stack: true, min: 0, colours }),
      lines(t('Age of the oldest', '最早事件的历时'), t('How old the oldest open case is.', '最早的未办结事件已历时多久。'), none, 's', by((grade) => `max(onenet_case_oldest_age_seconds{grade="${grade}"})`), { ...onward, min: 0, colours }),
      lines(t('Until taken up', '受理用时'), t('Median time until somebody took a case up, of those opened within 30 days.', '30 天内立案的事件，受理用时的中位数。'), none, 's', by((grade) => `max(onenet_case_acknowledged_median_seconds{grade="${grade}"})`), { ...onward, min: 0, colours }),
      ranks(t('How they ended', '办结结论'), t('Closed cases by what they were found to be.', '已办结事件的结论。'), none, 'locale', [
        { expr: 'sum(onenet_cases_closed{verdict="true"})', legend: t('True', '属实') },
        { expr: 'sum(onenet_cases_closed{verdict="benign"})', legend: t('Benign', '正常行为') },
        { expr: 'sum(onenet_cases_closed{verdict="false"})', legend: t('False', '误报') },
      ], onward),
    ],
  };
}
