// Questions to Prometheus that several dashboards ask.
//
// Invariant: zero is said only where it is known: `known` gives zero when what the number is counted from was scraped, and nothing
// when it was not. What is told on sites' pages is no witness for what is told on the centre's, nor the other way about: each is read
// on its own (held by tests/conformance/dashboards/contract.py).

/** Puts a site's names beside its values. @param {string} expr */
export function named(expr) {
  return `${expr} * on(site) group_left(name, code, tier) onenet_site_info`;
}

/** Numbers values of levels from the ministry down, by a label `order`: by their names a city stood above a province. @param {string} expr */
export function downward(expr) {
  return ['ministry', 'province', 'city', 'county'].reduce((inner, tier, at) => `label_replace(${inner}, "order", "${at + 1}", "tier", "${tier}")`, expr);
}

/** Zero where nothing is counted and `from`, which stands on the same page, is known. @param {string} expr @param {string} from */
export function known(expr, from = 'max(onenet_build_info)') {
  return `${expr} or ${from} * 0`;
}

/** Sites of which an agent is heard. @param {string} where a selector, such as site=~"$sites", */
export function attached(where = '') {
  return `count(onenet_site_agents{${where}state="connected"} > 0)`;
}

/** The part of the known time in which it worked. @param {string} metric @param {string} by */
export function availability(metric, by) {
  return `sum by (${by}) (${metric}{standing=~"up|degraded"}) / sum by (${by}) (${metric}{standing=~"up|degraded|down"})`;
}

/**
 * One value for each site that `where` chooses, with all that is below it: the centre adds up sites above the counties; a county
 * has nothing below it. @param {string} of such as `agents` @param {string} state @param {string} where a selector
 */
export function below(of, state, where) {
  const all = `sum by (site) (onenet_subtree_${of}{state="${state}"}) or on(site) sum by (site) (onenet_site_${of}{state="${state}"})`;
  return `(${all}) * on(site) group_left(name) onenet_site_info{${where}}`;
}

/** How many sites each site that `where` chooses has, itself included. @param {string} where a selector */
export function sitesBelow(where) {
  return `(sum by (site) (onenet_subtree_sites) or on(site) max by (site) (onenet_site_info)) * on(site) group_left(name) onenet_site_info{${where}}`;
}

/** Those `count` of which a measure was greatest within the range, the same ones all along: topk by itself chooses others at each
 * step. @param {number} count @param {string} expr @param {string} by the label that tells them apart */
export function greatest(count, expr, by = 'site') {
  return `(${expr} and on(${by}) topk(${count}, max_over_time((${expr})[$__range:5m] @ end())))`;
}

/** What traffic by flows is averaged over: agents tell the sum of each quarter of an hour (`[flow_log] roll_up_s`), so that its counters
 * jump that often. Over two of them a rate is a mean; over less it is nought, or too much, by turns. */
export const FLOWS = '30m';
/** What counters of capture are averaged over: agents tell them each minute unless `[capture] traffic_interval_s` says otherwise, up to a few
 * minutes; as long as for ports. */
export const CAPTURE = '15m';

/** What each of the `count` sites with most within the range tells a second, by a counter. Who they are is found by one look at the
 * range, where `greatest` would reckon each step for all. A range shorter than the window may be one in which a site told nothing: then
 * the window tells. @param {number} count @param {string} counter with its
 * selector @param {string} window at least twice as long as what lies between two values that are told */
export function most(count, counter, window) {
  /** @param {string} time */
  const within = (time) => `sum by (site) (increase(${counter}[${time}] @ end()))`;
  return `(sum by (site) (rate(${counter}[${window}])) and on(site) topk(${count}, ${within('$__range')} > 0 or ${within(window)}))`;
}
