// What our tables do with their frames: rows that say the same of everything are put together, columns are chosen, ordered, renamed.

function merged(frames) {
  const value = (name) => name.startsWith('Value');
  const shared = [...new Set(frames.flatMap((frame) => frame.fields.map((field) => field.name)))];
  const rows = [];
  for (const frame of frames) {
    for (let at = 0; at < frame.length; at += 1) {
      const row = Object.fromEntries(frame.fields.map((field) => [field.name, field.values[at]]));
      const same = rows.find((other) => Object.keys(row).every((name) => value(name) || !(name in other) || other[name] === row[name])
        && Object.keys(row).every((name) => !value(name) || !(name in other)) && 'site' in row === 'site' in other);
      if (same) Object.assign(same, row);
      else rows.push(row);
    }
  }
  return { names: shared, rows };
}

/** Returns one frame, with the names that people see. */
export function table(panel, frames) {
  const organised = panel.transformations.find((it) => it.id === 'organize').options;
  const names = panel.transformations.find((it) => it.id === 'filterFieldsByName').options.include.names;
  const { rows } = merged(frames);
  const sort = panel.options.sortBy?.[0];
  const renamed = (name) => organised.renameByName[name] ?? name;
  const by = names.find((name) => renamed(name) === sort?.displayName);
  const order = panel.transformations.find((it) => it.id === 'sortBy')?.options.sort[0];
  const direction = order?.desc ? -1 : 1;
  if (order) rows.sort((one, two) => direction * String(one[order.field] ?? '').localeCompare(String(two[order.field] ?? ''), undefined, { numeric: true }));
  if (by) rows.sort((one, two) => (two[by] ?? -Infinity) - (one[by] ?? -Infinity));
  const hidden = new Set(panel.fieldConfig.overrides.filter((it) => it.properties.some((one) => one.id === 'custom.hidden')).map((it) => it.matcher.options));
  const shown = names.filter((name) => !hidden.has(renamed(name)) && rows.some((row) => name in row));
  return {
    length: rows.length,
    fields: shown.map((name) => ({
      name: renamed(name),
      type: name.startsWith('Value') ? 'number' : 'string',
      values: rows.map((row) => row[name] ?? (name.startsWith('Value') ? null : '')),
      config: {},
    })),
  };
}
