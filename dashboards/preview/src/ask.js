// Questions to Prometheus: variables as Grafana resolves them, and a panel's queries as frames.

import { FieldType } from '@grafana/data';

const RANGE_S = 6 * 3600;

async function ask(path, parameters) {
  const answer = await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
  const body = await answer.json();
  if (body.status !== 'success') throw new Error(body.error);
  return body.data.result;
}

export function put(text, chosen) {
  return text.replace(/\$([a-z_]+)\b|\$\{([a-z_]+)\}/g, (all, one, two) => chosen[one ?? two] ?? all);
}

/** A sample as Grafana writes it for the expression of a variable. */
function line({ metric: { __name__: name = '', ...labels } }) {
  return `${name}{${Object.keys(labels).sort().map((key) => `${key}="${labels[key]}"`).join(', ')}}`;
}

async function options(variable, chosen, now) {
  const query = put(variable.query.query, chosen);
  const [, kind, inner] = /^(query_result|label_values)\((.*)\)$/s.exec(query);
  if (kind === 'label_values') {
    const at = inner.lastIndexOf(',');
    const label = inner.slice(at + 1).trim();
    const found = await ask('query', { query: inner.slice(0, at), time: now });
    return [...new Set(found.map((it) => it.metric[label]))].sort().map((value) => ({ value, text: value }));
  }
  const pattern = new RegExp(variable.regex.replace(/^\/|\/$/g, ''));
  const found = (await ask('query', { query: inner, time: now })).map((it) => pattern.exec(line(it))).filter(Boolean);
  return found.map((it) => ({ value: it.groups?.value ?? it[1], text: it.groups?.text ?? it[1] }));
}

/** Chooses a value for each variable, of what there is now: what the address says by its text, all where that can be, or else the first. */
export async function choose(dashboard, wanted, now) {
  const chosen = { __range: `${RANGE_S}s` };
  const shown = [];
  for (const variable of dashboard.templating.list) {
    if (variable.type === 'custom') chosen[variable.name] = '.*';
    if (variable.type !== 'query') continue;
    const name = wanted.get(variable.name);
    if (variable.allValue && !name) {
      chosen[variable.name] = variable.allValue;
      continue;
    }
    const known = await options(variable, chosen, now);
    if (variable.multi) {
      chosen[variable.name] = `(${known.map((it) => it.value).join('|')})`;
      continue;
    }
    const one = known.find((it) => it.text === name) ?? known[0] ?? { value: '', text: '' };
    chosen[variable.name] = one.value;
    if (variable.hide !== 2) shown.push([variable.label, one.text]);
  }
  return { chosen, shown };
}

function legend(target, metric, dashboardNames) {
  if (!target.legendFormat) return dashboardNames ?? '';
  return target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
}

/** Returns the frames of a panel. */
export async function frames(panel, chosen, now) {
  const all = await Promise.all(panel.targets.map(async (target) => {
    const query = put(target.expr, chosen);
    if (!target.instant) {
      const step = 60 * Number.parseInt(panel.interval, 10);
      const found = await ask('query_range', { query, start: now - RANGE_S, end: now, step });
      return found.map((it) => series(target, it, now, step));
    }
    const found = await ask('query', { query, time: now });
    return target.format === 'table' ? [rows(target, found, panel.targets.length > 1)] : found.map((it) => one(target, it));
  }));
  return all.flat();
}

function series(target, { metric, values }, now, step) {
  // Every step has a place: where nothing was known, a gap is drawn.
  const known = new Map(values.map(([at, value]) => [at, Number(value)]));
  const times = Array.from({ length: RANGE_S / step + 1 }, (_, at) => now - RANGE_S + at * step);
  return {
    refId: target.refId,
    length: times.length,
    fields: [
      { name: 'Time', type: FieldType.time, values: times.map((at) => at * 1000), config: {} },
      { name: 'Value', type: FieldType.number, values: times.map((at) => known.get(at) ?? null), labels: metric, config: { displayName: legend(target, metric) } },
    ],
  };
}

function one(target, { metric, value }) {
  return {
    refId: target.refId,
    length: 1,
    fields: [{ name: 'Value', type: FieldType.number, values: [Number(value[1])], labels: metric, config: { displayName: legend(target, metric) } }],
  };
}

function rows(target, found, several) {
  const labels = [...new Set(found.flatMap((it) => Object.keys(it.metric)))].filter((it) => it !== '__name__').sort();
  return {
    refId: target.refId,
    length: found.length,
    fields: [
      ...labels.map((label) => ({ name: label, type: FieldType.string, values: found.map((it) => it.metric[label] ?? ''), config: {} })),
      { name: several ? `Value #${target.refId}` : 'Value', type: FieldType.number, values: found.map((it) => Number(it.value[1])), config: {} },
    ],
  };
}
