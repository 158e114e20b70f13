// The centre itself: is it well, does it keep up, does its disk last; does it reach whom it has to tell, and do its replicas agree.

import { STATES, bars, heading, stat, states, steps } from '../panels.mjs';
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
      heading(t('Notifications and replicas', '通知与副本')),
      ...notifications(c, onward),
      ...replicas(c, onward),
      bars({
        title: t('Room for what is kept', '留存空间'), about: t('How much of the room for what has to be kept 190 days is taken. Beyond the whole, closed ones older than that give way.', '须留存 190 天的数据已占用的空间；超过 100% 时，更早且已关闭者让位。'),
        none, unit: 'percentunit', min: 0, max: 1, decimals: 1, thresholds: steps('green', [0.8, 'yellow'], [1, 'orange']),
        targets: [{ expr: 'max(onenet_kept_ratio{what="cases"})', legend: t('Cases', '事件') }, { expr: 'max(onenet_kept_ratio{what="inspections"})', legend: t('Inspections', '安全检查') }, { expr: 'max(onenet_kept_ratio{what="files"})', legend: t('Files of cases', '事件附件') }], ...onward, w: 8,
      }),
    ],
  };
}

/** @param {import('../schema').Context} c @param {object} onward */
function notifications(c, onward) {
  const { t } = c;
  const none = t('No channel is configured ([[notify]]), or Prometheus has nothing from the centre', '未配置通知渠道（[[notify]]），或 Prometheus 未取到中心的数据');
  /** @param {string} outcome */
  const told = (outcome) => `sum by (channel) (increase(onenet_notify_messages_total{outcome="${outcome}"}[1h]))`;
  const rest = { ...onward, min: 0, w: 6 };
  return [
    lines(t('Messages told', '通知消息'), t('Messages within an hour by channel: taken by the receiver, refused for what they are, dropped since they gave way to newer ones.', '每小时各渠道的消息：已接收、被拒绝、因让位于新消息而丢弃。'), none, 'locale', [
      { expr: told('taken'), legend: t('{{channel}} taken', '{{channel}} 已接收') }, { expr: told('refused'), legend: t('{{channel}} refused', '{{channel}} 被拒绝') }, { expr: told('dropped'), legend: t('{{channel}} dropped', '{{channel}} 丢弃') },
    ], rest),
    lines(t('Messages that wait', '待发消息'), t('Messages that a channel has not told yet; more than 1,000 are not counted.', '各渠道尚未发出的消息；超过 1,000 条不再计数。'), none, 'locale', [{ expr: 'max by (channel) (onenet_notify_waiting_messages)', legend: '{{channel}}' }], rest),
    lines(t('Notifications are late by', '通知滞后'), t('How long ago happened what the first waiting message tells; 0 when none waits.', '首条待发消息所述事项距今的时间；无待发消息时为 0。'), none, 's', [{ expr: 'max by (channel) (onenet_notify_lag_seconds)', legend: '{{channel}}' }], { ...rest, thresholds: steps('transparent', [900, 'red']) }),
    lines(t('Attempts that failed', '发送失败'), t('Attempts to tell within an hour that failed; each is made again.', '每小时发送失败的次数；每次都会重试。'), none, 'locale', [{ expr: 'sum by (channel) (increase(onenet_notify_failures_total[1h]))', legend: '{{channel}}' }], rest),
  ];
}

/** @param {import('../schema').Context} c @param {object} onward */
function replicas(c, onward) {
  const { t } = c;
  const none = t('No replicas are configured ([replication]), or Prometheus has nothing from the centre', '未配置副本（[replication]），或 Prometheus 未取到中心的数据');
  const acts = [{ type: 'value', options: { 0: { text: t('Stands by', '待命'), color: 'blue', index: 0 }, 1: { text: t('Acts', '对外执行'), color: STATES.up, index: 1 } } }];
  const whole = [{ type: 'value', options: { 0: { text: t('Whole', '完整'), color: 'green', index: 0 }, 1: { text: t('Entries lost', '条目丢失'), color: 'red', index: 1 } } }];
  return [
    stat({ title: t('Shared log', '共享日志'), about: t('Whether the log ends before what a replica took in: then its servers lost acknowledged entries.', '日志末尾是否早于某副本已取入的位置；若是，则日志服务器丢失了已确认的条目。'), none, unit: 'none', mappings: whole, thresholds: steps('green', [1, 'red']), targets: [{ expr: 'max(onenet_replication_log_short)' }], ...onward, w: 4, h: 8 }),
    states({ title: t('Who acts', '对外执行者'), about: t('Which replica has the lease and acts on the outside: one at a time.', '持有租约、对外执行的副本；同一时刻只有一个。'), none, unit: 'none', mappings: acts, targets: [{ expr: 'onenet_replication_lease', legend: '{{instance}}' }], ...onward, w: 8 }),
    lines(t('Entries behind', '落后条目'), t('Entries of the shared log that a replica had yet to read.', '副本尚未读取的共享日志条目。'), none, 'locale', [{ expr: 'onenet_replication_entries_behind', legend: '{{instance}}' }], { ...onward, min: 0, w: 6 }),
    lines(t('Entries taken in', '已取入条目'), t('Number of the last entry that each replica took in: those that keep up lie upon each other.', '各副本最近取入的条目序号；跟得上的副本曲线重合。'), none, 'locale', [{ expr: 'onenet_replication_sequence', legend: '{{instance}}' }], { ...onward, w: 6 }),
    lines(t('The log failed', '日志失败'), t('Times within an hour at which the log took nothing of a replica (append) or could not be read (read); both are tried again.', '每小时日志未能写入或读取的次数；均会重试。'), none, 'locale', [
      { expr: 'increase(onenet_replication_failures_total{doing="append"}[1h])', legend: t('{{instance}} append', '{{instance}} 写入') }, { expr: 'increase(onenet_replication_failures_total{doing="read"}[1h])', legend: t('{{instance}} read', '{{instance}} 读取') },
    ], { ...onward, min: 0 }),
    lines(t('Entries passed over', '略过的条目'), t('Entries within an hour that did not count: repeated ones, and those that this centre did not write (unsealed).', '每小时不计入的条目：重复者，以及非本中心写入者。'), none, 'locale', [
      { expr: 'increase(onenet_replication_entries_passed_over_total{reason="repeated"}[1h])', legend: t('{{instance}} repeated', '{{instance}} 重复') }, { expr: 'increase(onenet_replication_entries_passed_over_total{reason="unsealed"}[1h])', legend: t('{{instance}} unsealed', '{{instance}} 非本中心') },
    ], { ...onward, min: 0 }),
  ];
}
