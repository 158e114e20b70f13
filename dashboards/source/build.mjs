#!/usr/bin/env node
// Writes the dashboards that Grafana is provisioned with, in Chinese and in English, from one source.
//
//   node dashboards/source/build.mjs                          into dashboards/grafana/{en,zh}/
//   node dashboards/source/build.mjs --check                  writes nothing; status 1 when a file is not what the source gives
//   node dashboards/source/build.mjs --console URL --out DIR  with the address at which your console is reached, elsewhere
//
// Invariant: both languages have the same boards with the same panels in the same order; only words differ. The output depends on
// nothing but the source, so that it can be reviewed and compared. It needs Node 18 and no package.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { agents } from './boards/agents.mjs';
import { cases } from './boards/cases.mjs';
import { city } from './boards/city.mjs';
import { daemon } from './boards/daemon.mjs';
import { device } from './boards/device.mjs';
import { incidents } from './boards/incidents.mjs';
import { links } from './boards/links.mjs';
import { national } from './boards/national.mjs';
import { province } from './boards/province.mjs';
import { services } from './boards/services.mjs';
import { site } from './boards/site.mjs';
import { terminals } from './boards/terminals.mjs';
import { traffic } from './boards/traffic.mjs';
import { datasource, fixed } from './variables.mjs';

/** @typedef {import('./schema').Context} Context */
/** @typedef {import('./schema').Board} Board */

const BOARDS = [national, province, city, site, links, device, terminals, traffic, services, agents, incidents, cases, daemon];
const LANGUAGES = /** @type {const} */ (['en', 'zh']);
const WIDTH = 24;

/** Places that are chosen at the top of dashboards, each within the one before. */
const PLACES = ['province', 'city', 'site', 'device'];

/**
 * Of the places that are chosen on `from`, those that a link to `to` takes along: both have them, and what the link itself names lies
 * within. @param {Board | undefined} from @param {Board | undefined} to @param {string[]} named
 */
function taken(from, to, named) {
  /** @param {Board | undefined} board @param {string} place */
  const has = (board, place) => board?.variables.some(({ name }) => name === place);
  const first = PLACES.findIndex((place) => named.includes(place));
  if (first >= 0 && !from?.within) return [];
  return PLACES.slice(0, first < 0 ? PLACES.length : first).filter((place) => has(from, place) && has(to, place));
}

/** @param {'en' | 'zh'} language @param {Board[]} boards all of them @param {Board} [from] the one that is made @returns {Context} */
function context(language, boards, from) {
  return {
    language,
    t: (en, zh) => (language === 'en' ? en : zh),
    to: (board, variables = {}) => {
      const along = taken(from, boards.find(({ name }) => name === board), Object.keys(variables)).map((name) => `&\${${name}:queryparam}`).join('');
      const set = Object.entries(variables).map(([name, value]) => `&var-${name}=${value}`).join('');
      return `/d/onenet-${board}-${language}?\${__url_time_range}&\${datasource:queryparam}${along}${set}`;
    },
    console: (path) => `\${console}${path}`,
  };
}

/** Puts panels beside each other until a line is full, as one reads. @param {Board} board */
function placed(board) {
  let [x, y, height] = [0, 0, 0];
  return board.panels.map((panel, at) => {
    const { w, h } = panel.gridPos;
    if (x + w > WIDTH) [x, y, height] = [0, y + height, 0];
    const gridPos = { x, y, w, h };
    [x, height] = [x + w, Math.max(height, h)];
    return { id: at + 1, ...panel, gridPos };
  });
}

/** @param {Context} c @param {Board} board @param {string} address */
function dashboard(c, board, address) {
  const other = c.language === 'en' ? 'zh' : 'en';
  return {
    uid: `onenet-${board.name}-${c.language}`,
    title: board.title,
    description: board.description,
    tags: ['onenet', c.language],
    schemaVersion: 41,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'Asia/Shanghai',
    fiscalYearStartMonth: 0,
    weekStart: 'monday',
    links: [
      {
        type: 'dashboards', title: c.t('Dashboards', '看板'), tags: ['onenet', c.language], asDropdown: true, icon: 'external link',
        includeVars: true, keepTime: true, targetBlank: false, tooltip: '', url: '',
      },
      {
        type: 'link', title: other === 'zh' ? '中文' : 'English', url: `/d/onenet-${board.name}-${other}`, icon: 'doc',
        includeVars: true, keepTime: true, targetBlank: false, asDropdown: false, tags: [], tooltip: '',
      },
      {
        type: 'link', title: c.t('Console', '控制台'), url: '${console}/', icon: 'external link', targetBlank: true,
        includeVars: false, keepTime: false, asDropdown: false, tags: [], tooltip: '',
      },
    ],
    annotations: { list: [] },
    templating: { list: [datasource(c), fixed('console', address), ...board.variables] },
    panels: placed(board),
  };
}

/** @param {string} address @returns {[path: string, text: string][]} */
function files(address) {
  return LANGUAGES.flatMap((language) => {
    // Made twice: links depend on what can be chosen on the other boards.
    const boards = BOARDS.map((make) => make(context(language, [])));
    return BOARDS.map((make, at) => {
      const c = context(language, boards, boards[at]);
      const board = make(c);
      const text = JSON.stringify(dashboard(c, board, address), null, 2);
      return /** @type {[string, string]} */ ([`${language}/${board.name}.json`, `${text}\n`]);
    });
  });
}

/** @param {string} name @param {string} otherwise */
function option(name, otherwise) {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1] ?? otherwise;
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const out = option('--out', join(dirname(fileURLToPath(import.meta.url)), '..', 'grafana'));
const made = files(option('--console', 'https://127.0.0.1:8443').replace(/\/$/, ''));
const names = new Set(made.map(([path]) => path));
const stale = LANGUAGES.flatMap((language) => {
  mkdirSync(join(out, language), { recursive: true });
  return readdirSync(join(out, language)).map((name) => `${language}/${name}`).filter((name) => !names.has(name));
});
if (process.argv.includes('--check')) {
  const wrong = [...stale, ...made.filter(([path, text]) => read(join(out, path)) !== text).map(([path]) => path)];
  for (const path of wrong) console.error(`${path} is not what the source gives: run node dashboards/source/build.mjs`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} else {
  for (const path of stale) rmSync(join(out, path));
  for (const [path, text] of made) writeFileSync(join(out, path), text);
  console.log(`${made.length} dashboards`);
}
