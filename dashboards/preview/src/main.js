// Draws one dashboard: /?board=national&language=en[&theme=light][&province=…]. Panels are Grafana's own components as far as they
// stand by themselves; the frame around them, and states over time, are drawn here.

import { createElement as h, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createTheme, dateTime, getDisplayProcessor, getFieldDisplayName, ThemeContext } from '@grafana/data';
import { BarGauge, BigValue, Table, TimeSeries } from '@grafana/ui';

import { choose, frames } from './ask.js';
import { table } from './tables.js';

const CELL = 30;
const GAP = 8;
const asked = new URLSearchParams(location.search);
const language = asked.get('language') ?? 'en';
const theme = createTheme({ colors: { mode: asked.get('theme') ?? 'dark' } });
const width = Number(asked.get('width') ?? innerWidth);

/** Gives a field what the panel's defaults and overrides say of it, and what draws it. */
function configured(panel, frame, field, at) {
  const { defaults, overrides } = panel.fieldConfig;
  const name = field.config.displayName || field.name;
  const config = structuredClone({ ...defaults, ...field.config, custom: defaults.custom ?? {} });
  for (const { id, value } of overrides.filter((it) => it.matcher.options === name).flatMap((it) => it.properties)) {
    if (id.startsWith('custom.')) config.custom[id.slice(7)] = value;
    else config[id] = value;
  }
  for (const step of config.thresholds?.steps ?? []) step.value ??= -Infinity;
  if (field.type === 'string') delete config.unit;
  const numbers = field.values.filter((it) => typeof it === 'number');
  const [min, max] = [config.min ?? Math.min(...numbers), config.max ?? Math.max(...numbers)];
  const made = { ...field, config, state: { seriesIndex: at, range: { min, max, delta: max - min } } };
  made.display = getDisplayProcessor({ field: made, theme, timeZone: 'Asia/Shanghai' });
  made.getLinks = () => [];
  return made;
}

function configuredAll(panel, all) {
  let at = 0;
  return all.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => configured(panel, frame, field, field.type === 'number' ? at++ : 0)),
  }));
}

function last(field) {
  const known = field.values.filter((it) => it !== null && it !== undefined);
  return field.display(known.at(-1));
}

function draw(panel, all, size, range) {
  const values = () => configuredAll(panel, all).flatMap((frame) => frame.fields.filter((field) => field.type === 'number'));
  switch (panel.type) {
    case 'stat': return stats(panel, values(), size);
    case 'bargauge': return bars(panel, values(), size);
    case 'table': return h(Table, { ...size, data: configuredAll(panel, [table(panel, all)])[0], ariaLabel: panel.title, enableVirtualization: false });
    case 'state-timeline': return states(values(), size, range);
    default: return lines(panel, all, size, range);
  }
}

function stats(panel, fields, { width, height }) {
  const each = Math.floor(width / fields.length);
  return h('div', { style: { display: 'flex' } }, fields.map((field, at) => h(BigValue, {
    key: at, theme, width: each, height, value: { ...last(field), title: panel.options.textMode.includes('name') ? field.config.displayName : undefined },
    colorMode: panel.options.colorMode, graphMode: 'none', justifyMode: 'auto', textMode: panel.options.textMode,
  })));
}

function bars(panel, fields, { width, height }) {
  const each = Math.min(28, Math.floor(height / fields.length) - 4);
  const shown = fields.map((field) => ({ field, value: { ...last(field), title: field.config.displayName || field.name } }));
  const most = Math.max(...shown.map((it) => it.value.numeric));
  const longest = (of) => shown.map(of).reduce((one, two) => (two.length > one.length ? two : one), '');
  const alignmentFactors = { title: longest((it) => it.value.title), text: longest((it) => it.value.text), suffix: longest((it) => it.value.suffix ?? '') };
  return h('div', null, shown.slice(0, Math.floor(height / (each + 4))).map(({ field, value }, at) => h('div', { key: at, style: { marginBottom: 4 } }, h(BarGauge, {
    theme, width, height: each, value, display: field.display, orientation: 'horizontal', displayMode: 'basic', showUnfilled: true, namePlacement: 'left',
    field: { ...field.config, min: field.config.min ?? 0, max: field.config.max ?? most }, alignmentFactors,
  }))));
}

function lines(panel, all, size, range) {
  const done = configuredAll(panel, all).map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => ({ ...field, config: { ...field.config, custom: { axisPlacement: 'auto', scaleDistribution: { type: 'linear' }, ...field.config.custom } } })),
  }));
  const legend = { ...panel.options.legend, showLegend: true, displayMode: 'list', calcs: [] };
  return h(TimeSeries, { ...size, frames: done, timeRange: range, timeZone: 'Asia/Shanghai', legend, structureRev: 1 });
}

/** A row a thing, a colour a state; a gap where it is not known. */
function states(fields, { width, height }) {
  const row = Math.min(34, Math.floor(height / fields.length));
  return h('div', null, fields.map((field, at) => h('div', { key: at, style: { display: 'flex', height: row, alignItems: 'center', fontSize: 12 } },
    h('div', { style: { width: 110, paddingRight: 6, overflow: 'hidden', textAlign: 'right' } }, field.config.displayName),
    h('svg', { width: width - 110, height: row - 6, preserveAspectRatio: 'none', viewBox: `0 0 ${field.values.length} 1` },
      field.values.map((value, x) => value === null ? null : h('rect', { key: x, x, y: 0, width: 1.05, height: 1, fill: field.display(value).color }))))));
}

function Panel({ panel, chosen, now, range, column }) {
  const [all, found] = useState(null);
  const [error, failed] = useState(null);
  useEffect(() => { if (panel.targets) frames(panel, chosen, now).then(found, (it) => failed(it.message)); else found([]); }, []);
  const { x, y, w, h: high } = panel.gridPos;
  const box = { position: 'absolute', left: x * column, top: y * (CELL + GAP), width: w * column - GAP, height: high * (CELL + GAP) - GAP };
  if (panel.type === 'row') return h('div', { style: { ...box, ...theme.typography.h5, color: theme.colors.text.primary, lineHeight: `${CELL}px` }, 'data-done': true }, panel.title);
  const size = { width: box.width - 16, height: box.height - 40 };
  const empty = all && !all.some((frame) => frame.length > 0 && frame.fields.some((field) => field.values.some((it) => typeof it === 'number' && !Number.isNaN(it))));
  const none = h('div', { style: { ...theme.typography.body, color: theme.colors.text.secondary, height: '100%', display: 'grid', placeItems: 'center', textAlign: 'center', padding: 8 } },
    error ?? panel.fieldConfig?.defaults.noValue);
  return h('div', {
    style: { ...box, background: theme.colors.background.primary, border: `1px solid ${theme.colors.border.weak}`, borderRadius: 2, overflow: 'hidden' },
    'data-done': all !== null || error !== null ? true : undefined, 'data-error': error ?? undefined,
  },
  h('div', { style: { ...theme.typography.body, fontWeight: 500, padding: '6px 8px', height: 32, whiteSpace: 'nowrap', overflow: 'hidden' }, title: panel.description }, panel.title),
  h('div', { style: { padding: '0 8px', height: size.height } }, all === null && !error ? null : empty || error ? none : draw(panel, all, size, range)));
}

function Dashboard({ dashboard, chosen, shown, now }) {
  const column = (width - 2 * GAP) / 24;
  const high = Math.max(...dashboard.panels.map((it) => it.gridPos.y + it.gridPos.h)) * (CELL + GAP);
  const range = { from: dateTime((now - 6 * 3600) * 1000), to: dateTime(now * 1000), raw: { from: 'now-6h', to: 'now' } };
  return h('div', { style: { padding: GAP, background: theme.colors.background.canvas, color: theme.colors.text.primary, fontFamily: theme.typography.fontFamily } },
    h('div', { style: { ...theme.typography.h4, padding: '4px 4px 10px' } }, dashboard.title,
      shown.map(([label, text]) => h('span', { key: label, style: { ...theme.typography.body, marginLeft: 16, color: theme.colors.text.secondary } }, `${label}: `, h('b', null, text)))),
    h('div', { id: 'panels', style: { position: 'relative', height: high } },
      dashboard.panels.map((panel) => h(Panel, { key: panel.id, panel, chosen, now, range, column }))));
}

async function main() {
  const dashboard = await (await fetch(`/${language}/${asked.get('board') ?? 'national'}.json`)).json();
  const now = Math.floor(Number(asked.get('now') ?? Date.now() / 1000) / 60) * 60;
  const { chosen, shown } = await choose(dashboard, asked, now);
  document.body.style.margin = '0';
  document.documentElement.lang = language;
  document.title = dashboard.title;
  createRoot(document.getElementById('root')).render(h(ThemeContext.Provider, { value: theme }, h(Dashboard, { dashboard, chosen, shown, now })));
}

main().catch((error) => { document.body.textContent = `preview: ${error.stack}`; });
