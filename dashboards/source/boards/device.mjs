// One device and its ports that lead somewhere.

import { heading, stat, steps, table } from '../panels.mjs';
import * as variables from '../variables.mjs';
import { nothing, sensorStates } from '../words.mjs';
import { lines } from './simple.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function device(c) {
  const { t } = c;
  const none = nothing(c).devices;
  const links = [{ title: t('Device in the console', '控制台中的设备'), url: c.console('/devices/$device'), targetBlank: true }, { title: t('Site', '站点'), url: c.to('site') }];
  const hot = steps('green', [0.7, 'yellow'], [0.85, 'orange'], [0.95, 'red']);
  const of = 'site="$site", device="$device"';
  const port = `${of}, interface=~"$interface"`;
  /** @type {[string, string, string, object | undefined][]} */
  const each = [
    [t('Processor', '处理器'), 'onenet_device_cpu_load_max_ratio', 'percentunit', hot], [t('Memory', '内存'), 'onenet_device_memory_used_max_ratio', 'percentunit', hot],
    [t('Storage', '存储'), 'onenet_device_storage_used_max_ratio', 'percentunit', hot], [t('Temperature', '温度'), 'onenet_device_temperature_max_celsius', 'celsius', steps('green', [60, 'yellow'], [75, 'orange'], [85, 'red'])],
    [t('Weakest light', '最弱收光'), 'onenet_device_optical_receive_min_dbm', 'dBm', steps('red', [-28, 'orange'], [-22, 'green'])], [t('PoE power', 'PoE 功率'), 'onenet_device_poe_power_watts', 'watt', undefined],
    [t('Humidity', '湿度'), 'onenet_device_humidity_max_ratio', 'percentunit', undefined], [t('Battery', '电池'), 'onenet_device_battery_charge_min_ratio', 'percentunit', steps('red', [0.3, 'orange'], [0.6, 'green'])],
    [t('Battery lasts', '电池可用'), 'onenet_device_battery_run_time_min_seconds', 's', undefined], [t('Output load', '输出负载'), 'onenet_device_output_load_max_ratio', 'percentunit', hot],
  ];
  return {
    name: 'device', title: t('One Network · device and interface', '一张网 · 设备与接口'), description: t('A device, its sensors and the ports that lead somewhere.', '单台设备、其传感器与互联端口。'),
    within: true,
    variables: [variables.province(c, true), variables.city(c, true), variables.site(c), variables.device(c), variables.interface_(c)],
    panels: [
      ...each.map(([title, metric, unit, thresholds]) => stat({ title, about: t('The one value of the device that matters of this kind; empty where it has no such sensor.', '该类传感器中最关键的值；没有此传感器则为空。'), none: t('No such sensor', '无此传感器'), unit, thresholds, targets: [{ expr: `${metric}{${of}}` }], links })),
      table({ title: t('Sensors by state', '传感器状态'), about: t('How many sensors the device itself calls normal, warning or critical.', '设备自身判定的传感器状态计数。'), none, unit: 'locale', targets: [{ expr: `sum by (state) (onenet_device_sensors{${of}})` }], columns: [{ of: 'state', name: t('State', '状态'), mappings: sensorStates(c) }, { of: 'A', name: t('Sensors', '传感器'), unit: 'locale' }], links, w: 4, h: 4 }),
      heading(t('Ports', '端口')),
      lines(t('Received', '接收'), t('Bytes a second that ports received.', '端口每秒接收字节。'), none, 'Bps', [{ expr: `rate(onenet_interface_receive_bytes_total{${port}}[15m])`, legend: '{{interface}}' }], { links, min: 0, w: 12 }),
      lines(t('Sent', '发送'), t('Bytes a second that ports sent.', '端口每秒发送字节。'), none, 'Bps', [{ expr: `rate(onenet_interface_transmit_bytes_total{${port}}[15m])`, legend: '{{interface}}' }], { links, min: 0, w: 12 }),
      lines(t('Used part', '利用率'), t('The busier direction by the speed of the port.', '较忙方向占端口速率的比例。'), none, 'percentunit', [{ expr: `8 * (rate(onenet_interface_receive_bytes_total{${port}}[15m]) > rate(onenet_interface_transmit_bytes_total{${port}}[15m]) or rate(onenet_interface_transmit_bytes_total{${port}}[15m])) / on(site, device, interface) onenet_interface_speed_bits_per_second{${port}}`, legend: '{{interface}}' }], { links, min: 0 }),
      lines(t('Errors', '错误'), t('Packets a minute with errors.', '每分钟错误报文。'), none, 'locale', [{ expr: `rate(onenet_interface_errors_total{${port}}[15m]) * 60`, legend: '{{interface}} {{direction}}' }], { links, min: 0 }),
      lines(t('Discards', '丢弃'), t('Packets a minute that the device dropped instead of sending them, as a rule since the queue was full.', '每分钟未能发出而被丢弃的报文，通常因队列已满。'), none, 'locale', [{ expr: `rate(onenet_interface_transmit_discards_total{${port}}[15m]) * 60`, legend: '{{interface}}' }], { links, min: 0 }),
    ],
  };
}
