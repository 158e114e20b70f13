// The kinds of panels of our dashboards, as small functions that give Grafana's JSON.
//
// Invariant: no panel is made without a title, a description, a unit and words for the case that there is no value; whoever
// forgets one gets an exception and no dashboard. What is unknown has no value, and is never drawn as zero.
//
// It does not know what the panels ask, nor in which language.

import { FLOWS } from './queries.mjs';

/** @typedef {import('./schema').Panel} Panel */
/** @typedef {import('./schema').Target} Target */
/** @typedef {import('./schema').Shared} Shared */
/** @typedef {import('./schema').Column} Column */

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Grades after the national classification: red, orange, yellow, blue. */
export const GRADES = { extraordinary: 'red', major: 'orange', considerable: 'yellow', general: 'blue' };
/** What is concluded of a thing. Unknown is grey: neither good nor bad. */
export const STATES = {
  up: 'green', degraded: 'yellow', flapping: 'orange', down: 'red', unknown: '#8e8e99', maintenance: 'purple',
};

/** @param {string} base the colour below the first step @param {[number, string][]} steps */
export function steps(base, ...steps) {
  return { mode: /** @type {const} */ ('absolute'), steps: [{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))] };
}

/** @param {Record<string, [text: string, color?: string]>} words */
export function words(words) {
  const options = Object.fromEntries(
    Object.entries(words).map(([value, [text, color]], index) => [value, color ? { text, color, index } : { text, index }]),
  );
  return [{ type: /** @type {const} */ ('value'), options }];
}

/** @param {string} field @param {{ id: string, value: unknown }[]} properties */
function override(field, properties) {
  return { matcher: { id: 'byName', options: field }, properties };
}

/** @param {Record<string, string>} colours by the name of a series */
function coloured(colours = {}) {
  return Object.entries(colours).map(([name, fixedColor]) =>
    override(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]));
}

/** What metrics call a thing, as people call it. @param {Record<string, string>} names by the word of the metric */
function renamed(names = {}) {
  return Object.entries(names).filter(([word, name]) => word !== name).map(([word, name]) => override(word, [{ id: 'displayName', value: name }]));
}

/** @param {Target[]} targets @param {boolean} instant @param {'table' | 'time_series'} format */
function asked(targets, instant, format) {
  return targets.map(({ expr, legend }, at) => ({
    refId: String.fromCharCode(65 + at),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    format,
    instant,
    range: !instant,
    ...(legend === undefined ? {} : { legendFormat: legend }),
  }));
}

/** How far apart steps are at least: what asks thousands of series at each step is asked at fewer, and what is told each quarter of an
 * hour at no more than that. @param {Shared} it */
function least(it) {
  if (it.targets?.some((target) => target.expr.includes(`[${FLOWS}]`))) return '15m';
  return it.coarse ? '5m' : '1m';
}

/** @param {string} type @param {Shared} it @param {Record<string, unknown>} rest @returns {Panel} */
function panel(type, it, rest) {
  for (const key of /** @type {const} */ (['title', 'about', 'none', 'unit'])) {
    if (!it[key]) throw new Error(`a panel needs ${key}: ${it.title ?? JSON.stringify(it.targets)}`);
  }
  const { defaults, overrides, ...others } = /** @type {any} */ ({ defaults: {}, overrides: [], ...rest });
  return /** @type {Panel} */ ({
    type,
    title: it.title,
    description: it.about,
    datasource: DATASOURCE,
    interval: least(it),
    gridPos: { x: 0, y: 0, w: it.w ?? 12, h: it.h ?? 8 },
    links: it.links ?? [],
    fieldConfig: {
      defaults: {
        unit: it.unit,
        noValue: it.none,
        thresholds: it.thresholds ?? steps('text'),
        color: { mode: 'thresholds' },
        mappings: it.mappings ?? [],
        links: it.onward ?? [],
        ...(it.decimals === undefined ? {} : { decimals: it.decimals }),
        ...(it.min === undefined ? {} : { min: it.min }),
        ...(it.max === undefined ? {} : { max: it.max }),
        ...defaults,
      },
      overrides: [...coloured(it.colours), ...renamed(it.renamed), ...overrides],
    },
    ...others,
  });
}

const LAST = { calcs: ['lastNotNull'], fields: '', values: false };

/** One number, or a few; or what one is called. @param {Shared & { graph?: boolean, name?: boolean }} it */
export function stat(it) {
  return panel('stat', { w: 4, h: 4, ...it }, {
    targets: asked(it.targets, !it.graph, 'time_series'),
    options: {
      colorMode: it.thresholds || it.mappings || it.colours ? 'background' : 'value',
      graphMode: it.graph ? 'area' : 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      percentChangeColorMode: 'standard',
      reduceOptions: LAST,
      showPercentChange: false,
      textMode: it.name ? 'name' : 'auto',
      wideLayout: true,
    },
  });
}

/** Lines over time. What is stacked begins at nought: cut off below, a small part would look like most of it.
 * @param {Shared & { stack?: boolean, limit?: number, still?: boolean }} given */
export function series(given) {
  const it = given.stack ? { min: 0, ...given } : given;
  return panel('timeseries', it, {
    targets: asked(it.targets, false, 'time_series'),
    defaults: {
      color: { mode: 'palette-classic' },
      custom: {
        drawStyle: 'line',
        lineInterpolation: it.still ? 'stepAfter' : 'linear',
        lineWidth: it.stack ? 1 : 2,
        fillOpacity: it.stack ? 60 : 6,
        showPoints: 'never',
        // A gap is a gap: what nobody measured is not drawn.
        spanNulls: false,
        stacking: { mode: it.stack ? 'normal' : 'none', group: 'A' },
        thresholdsStyle: { mode: it.thresholds ? 'dashed' : 'off' },
        axisSoftMin: it.min,
        // Where next to nothing is lost, an axis to the whole would show it as nothing, and one without an end as everything.
        ...(it.unit === 'percentunit' && it.max === undefined ? { axisSoftMax: 0.1 } : {}),
      },
    },
    options: {
      legend: { showLegend: true, displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], limit: it.limit },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  });
}

/** Bars side by side. @param {Shared} it */
export function bars(it) {
  return panel('bargauge', it, {
    targets: asked(it.targets, true, 'time_series'),
    options: {
      displayMode: 'basic',
      valueMode: 'color',
      namePlacement: 'left',
      orientation: 'horizontal',
      showUnfilled: true,
      minVizWidth: 8,
      minVizHeight: 16,
      maxVizHeight: 28,
      sizing: 'auto',
      legend: { showLegend: false, displayMode: 'list', placement: 'bottom', calcs: [] },
      reduceOptions: LAST,
    },
  });
}

/** States over time, a row a thing. @param {Shared} it */
export function states(it) {
  return panel('state-timeline', it, {
    targets: asked(it.targets, false, 'time_series'),
    defaults: { custom: { fillOpacity: 80, lineWidth: 0, spanNulls: false } },
    options: {
      mergeValues: true,
      showValue: 'never',
      rowHeight: 0.85,
      alignValue: 'left',
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'single', sort: 'none' },
    },
  });
}

/** @param {Column} column */
function properties(column) {
  const cell = column.heat
    ? { type: 'color-background', mode: 'basic' }
    : column.gauge ? { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } : undefined;
  return [
    // The words for no value are for the whole table: a cell that has none is empty.
    { id: 'noValue', value: '' },
    { id: 'unit', value: column.unit },
    column.mappings && { id: 'mappings', value: column.mappings },
    column.thresholds && { id: 'thresholds', value: column.thresholds },
    column.links && { id: 'links', value: column.links },
    column.decimals !== undefined && { id: 'decimals', value: column.decimals },
    column.gauge && { id: 'min', value: 0 },
    column.gauge && { id: 'max', value: column.gauge },
    cell && { id: 'custom.cellOptions', value: cell },
    column.width && { id: 'custom.width', value: column.width },
  ].filter((property) => property !== undefined && property !== false && property !== 0);
}

/**
 * Rows of things. The columns are labels, or `A`, `B` … for the value of that query; what is not named is not shown. Queries
 * after the first share its label `site` (or what else is unique), and are merged into its rows.
 * Rows stand by the column `sort`, greatest first, or by the label `order`, which is not shown, least first.
 * @param {Shared & { columns: Column[], sort?: string, order?: string }} it
 */
export function table(it) {
  const one = it.targets.length === 1;
  /** @param {string} of */
  const field = (of) => (/^[A-Z]$/.test(of) ? (one ? 'Value' : `Value #${of}`) : of);
  const fields = it.columns.map((column) => field(column.of));
  return panel('table', it, {
    targets: asked(it.targets, true, 'table'),
    defaults: { custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: false, minWidth: 70 } },
    overrides: [
      ...it.columns.map((column) => override(column.name, /** @type {any} */ (properties(column)))),
      ...(it.kept ?? []).map((name) => override(name, [
        // The older word for it, and the newer.
        { id: 'custom.hidden', value: true },
        { id: 'custom.hideFrom', value: { viz: true, legend: true, tooltip: true } },
      ])),
    ],
    options: {
      showHeader: true,
      cellHeight: 'sm',
      ...(it.sort ? { sortBy: [{ displayName: it.sort, desc: true }] } : {}),
    },
    transformations: [
      ...(one ? [] : [{ id: 'merge', options: {} }]),
      ...(it.order ? [{ id: 'sortBy', options: { fields: {}, sort: [{ field: it.order, desc: false }] } }] : []),
      { id: 'filterFieldsByName', options: { include: { names: [...fields, ...(it.kept ?? [])] } } },
      {
        id: 'organize',
        options: {
          excludeByName: {},
          indexByName: Object.fromEntries([...fields, ...(it.kept ?? [])].map((name, at) => [name, at])),
          renameByName: Object.fromEntries(it.columns.map((column) => [field(column.of), column.name])),
        },
      },
    ],
  });
}

/** A heading over what follows. @param {string} title @returns {Panel} */
export function heading(title) {
  return /** @type {Panel} */ (/** @type {unknown} */ ({ type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y: 0, w: 24, h: 1 } }));
}
