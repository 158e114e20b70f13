// The centre itself: is it well, does it keep up, does its disk last.

import { stat, steps } from '../panels.mjs';
import { fates, nothing } from '../words.mjs';
import { lines } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function daemon(c) {
  const { t } = c;
  const none = nothing(c).scraped;
  const onward = { links: [{ title: t('Agents', '采集器'), url: c.to('agents') }, { title: t('Console', '控制台'), url: c.console('/'), targetBlank: true }] };
  return {
    name: 'daemon', title: t('One Network · the centre', '一张网 · 中心'), description: t('Is the daemon well, does it keep up, does its disk last.', '守护进程是否正常、是否跟得上、磁盘是否够用。'), variables: [],
    panels: [
      stat({ title: t('Version', '版本'), about: t('The version that runs.', '运行中的版本。'), none, unit: 'none', name: true, targets: [{ expr: 'onenet_build_info', legend: '{{version}}' }], ...onward, w: 6 }),
      stat({ title: t('Runs since', '已运行'), about: t('Time since the centre started.', '自启动以来的时间。'), none, unit: 's', targets: [{ expr: 'time() - onenet_start_time_seconds' }], ...onward, w: 6 }),
      stat({ title: t('Store', '存储'), about: t('Whether the store works: when it failed nothing is accepted until the daemon is started again.', '存储是否正常；失败后需重启才能继续接收。'), none, unit: 'none', targets: [{ expr: 'onenet_store_failed' }], thresholds: steps('green', [1, 'red']), mappings: [{ type: 'value', options: { 0: { text: t('Works', '正常'), color: 'green', index: 0 }, 1: { text: t('Failed', '失败'), color: 'red', index: 1 } } }], ...onward, w: 6 }),
      stat({ title: t('Behind by', '滞后'), about: t('Age of the newest record that is part of the picture.', '画面中最新记录距今的时间。'), none, unit: 's', targets: [{ expr: 'time() - onenet_log_time_seconds' }], thresholds: steps('green', [60, 'yellow'], [300, 'red']), ...onward, w: 6 }),
      lines(t('Records', '记录'), t('Records a second: taken in, known before, refused.', '每秒记录：接收、重复、拒绝。'), none, 'cps', [{ expr: 'rate(onenet_ingest_records_total[5m])', legend: '{{outcome}}' }], { ...onward, min: 0, renamed: fates(c) }),
      lines(t('Flushes', '落盘'), t('Groups of records that were flushed to disk.', '每秒落盘的记录组。'), none, 'ops', [{ expr: 'rate(onenet_ingest_flushes_total[5m])', legend: t('Flushes', '落盘') }], { ...onward, min: 0 }),
      lines(t('Size of the store', '存储大小'), t('On disk, and what it would be in a week if it went on like the last six hours.', '磁盘占用，以及按最近六小时推算的一周后大小。'), none, 'bytes', [{ expr: 'onenet_store_size_bytes', legend: t('Now', '当前') }, { expr: 'predict_linear(onenet_store_size_bytes[6h], 604800)', legend: t('In a week', '一周后') }], { ...onward, min: 0 }),
      lines(t('Requests', '请求'), t('Requests a second by class of status.', '每秒请求，按状态类别。'), none, 'reqps', [{ expr: 'rate(onenet_api_requests_total[5m])', legend: '{{outcome}}' }], { ...onward, min: 0 }),
      lines(t('Connections', '连接'), t('Open connections and sessions of people and programs.', '人员与程序的连接与会话。'), none, 'locale', [{ expr: 'onenet_api_connections', legend: t('Connections', '连接') }, { expr: 'onenet_console_sessions', legend: t('Sessions', '会话') }], { ...onward, min: 0 }),
      lines(t('Connections that failed', '失败的连接'), t('A second, by reason.', '每秒，按原因。'), none, 'cps', [{ expr: 'rate(onenet_api_connections_failed_total[5m])', legend: '{{reason}}' }], { ...onward, min: 0, renamed: fates(c) }),
      lines(t('Audit trail', '审计'), t('Entries that wait to be written: when that is full, reads are refused.', '等待写入的审计条目；写满时拒绝读取。'), none, 'locale', [{ expr: 'onenet_audit_entries_waiting', legend: t('Waiting', '等待') }], { ...onward, min: 0 }),
      lines(t('Remote write waits', '远程写入积压'), t('How long the oldest batch of samples has been waiting to be written to where series are kept. Only where remote write is configured.', '最早批次等待写入时序库的时间；仅在配置远程写入时有数据。'), none, 's', [{ expr: 'onenet_remote_write_lag_seconds', legend: t('Oldest', '最早') }], { ...onward, min: 0 }),
      lines(t('Remote write', '远程写入'), t('Values a second: taken, refused for what they are, of a time to come.', '每秒数值：已接收、被拒绝、时间超前。'), none, 'cps', [{ expr: 'rate(onenet_remote_write_samples_total[5m])', legend: '{{outcome}}' }], { ...onward, min: 0, renamed: fates(c) }),
      lines(t('Scrapes', '抓取'), t('How long Prometheus takes to read a page: the slowest one, and what 95 in a hundred keep under.', 'Prometheus 读取页面的耗时：最慢者与 95% 值。'), none, 's', [
        { expr: 'max by (job) (scrape_duration_seconds{job=~"onenet.*"})', legend: t('{{job}}, slowest', '{{job}} 最慢') },
        { expr: 'quantile by (job) (0.95, scrape_duration_seconds{job=~"onenet.*"})', legend: t('{{job}}, 95 %', '{{job}} 95%') },
      ], { ...onward, coarse: true, min: 0, w: 12 }),
      lines(t('Series', '序列数'), t('Samples of a scrape, all pages: the budget of the country is 400,000.', '全部页面一次抓取的样本数；全国预算 40 万。'), none, 'locale', [{ expr: 'sum(scrape_samples_scraped{job=~"onenet.*"})', legend: t('Series', '序列') }], { ...onward, min: 0, w: 12 }),
    ],
  };
}
