// What can be chosen at the top of a dashboard: from the country down to the device, each from what the choice above leaves.
//
// Invariant: values are permanent identities, which survive renaming and moving; names are what people see. What belongs to a site
// follows from the tree of sites as it is now, never from digits of a code.

import { DATASOURCE } from './panels.mjs';

/** @typedef {import('./schema').Context} Context */
/** @typedef {import('./schema').Variable} Variable */

/** @param {Context} c @returns {Variable} */
export function datasource(c) {
  return { name: 'datasource', type: 'datasource', label: c.t('Data', '数据源'), query: 'prometheus', hide: 0, refresh: 1, regex: '', multi: false, includeAll: false, options: [] };
}

/** @param {string} name @param {string} value @returns {Variable} */
export function fixed(name, value) {
  const option = { text: value, value, selected: true };
  return { name, type: 'constant', query: value, hide: 2, skipUrlSync: true, current: option, options: [option] };
}

/** @param {string} name @param {string} label @param {string} query @param {string} regex @param {object} rest @returns {Variable} */
function asked(name, label, query, regex, rest = {}) {
  return {
    name, label, type: 'query', datasource: DATASOURCE, definition: query, query: { query, refId: name, qryType: 3 }, regex,
    refresh: 2, sort: 5, hide: 0, multi: false, includeAll: false, options: [], ...rest,
  };
}

const ALL = { includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } };
/** The labels of a line of an answer stand in the order of the alphabet: name before site. */
const SITE = '/name="(?<text>[^"]*)".*site="(?<value>[^"]*)"/';

/** Everything at most two levels below a site, itself included. @param {string} root its id, or what matches those of many */
export function below(root) {
  const upper = `label_replace(onenet_site_info{parent=~"${root}"}, "parent", "$1", "site", "(.+)")`;
  return `onenet_site_info{site=~"${root}"} or onenet_site_info{parent=~"${root}"} or (onenet_site_info and on(parent) ${upper})`;
}

/** @param {Context} c @param {boolean} all whether the whole country can be chosen */
export function province(c, all = false) {
  return asked('province', c.t('Province', '省份'), 'query_result(onenet_site_info{tier="province"})', SITE, all ? ALL : {});
}

/** @param {Context} c @param {boolean} all */
export function city(c, all = false) {
  const query = 'query_result(onenet_site_info{tier="city", parent=~"$province"})';
  return asked('city', c.t('City', '地市'), query, SITE, all ? ALL : {});
}

/** Any site: those at and below the chosen city, or all of the chosen province, or of everything. @param {Context} c */
export function site(c) {
  const query = `query_result((onenet_site_info{parent=~"$city"} or onenet_site_info{site=~"$city"}) and on(site) (${below('$province')}))`;
  return asked('site', c.t('Site', '站点'), query, SITE);
}

/** @param {Context} c */
export function device(c) {
  const regex = '/device="(?<value>[^"]*)".*name="(?<text>[^"]*)"/';
  return asked('device', c.t('Device', '设备'), 'query_result(onenet_device_info{site="$site"})', regex);
}

/** The sites of the subtree below `root`, for selectors; nobody chooses them. @param {string} root */
export function sites(root) {
  const query = `query_result(${below(root)})`;
  return asked('sites', '', query, '/site="([^"]*)"/', { hide: 2, multi: true, includeAll: true, skipUrlSync: true, current: { text: ['All'], value: ['$__all'] } });
}

/** @param {Context} c */
export function area(c) {
  return asked('area', c.t('Area', '区域'), 'query_result(onenet_area_info)', '/name="([^"]*)"/', ALL);
}

/** @param {Context} c */
export function service(c) {
  return asked('service', c.t('Service', '服务'), 'label_values(onenet_probe_up{role="named"}, probe)', '', { ...ALL, query: { query: 'label_values(onenet_probe_up{role="named"}, probe)', refId: 'service', qryType: 1 } });
}

/** One of a few words. @param {string} name @param {string} label @param {[value: string, text: string][]} values */
export function choice(name, label, values) {
  return {
    name, label, type: 'custom', hide: 0, multi: false, ...ALL,
    query: values.map(([value, text]) => `${text} : ${value}`).join(','),
    options: [{ text: 'All', value: '$__all', selected: true }, ...values.map(([value, text]) => ({ text, value, selected: false }))],
  };
}

/** Ports of the device that lead somewhere or are watched. @param {Context} c */
export function interface_(c) {
  const query = 'label_values(onenet_interface_up{site="$site", device="$device"}, interface)';
  return asked('interface', c.t('Port', '端口'), query, '', { ...ALL, query: { query, refId: 'interface', qryType: 1 } });
}
