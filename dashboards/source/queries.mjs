// Questions to Prometheus that several dashboards ask.
//
// Invariant: zero is said only where it is known: `known` gives zero when what the number is counted from was scraped, and nothing
// when it was not.

/** Puts a site's names beside its values. @param {string} expr */
export function named(expr) {
  return `${expr} * on(site) group_left(name, code, tier) onenet_site_info`;
}

/** Zero where nothing is counted and `from` is known. @param {string} expr @param {string} from */
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

/** Gives a site as `parent`, so that what is below it can be joined with it. @param {string} expr */
function asParent(expr) {
  return `label_replace(${expr}, "parent", "$1", "site", "(.+)")`;
}

/** @param {string} expr sites that become the roots of branches */
function roots(expr) {
  return `label_replace(label_replace(${expr}, "branch", "$1", "name", "(.+)"), "root", "$1", "site", "(.+)")`;
}

/**
 * Every site with the branch that it belongs to: the sites that `of` chooses and what is up to `depth` levels below them.
 * @param {string} of a selector @param {number} depth
 */
export function branches(of, depth) {
  let level = roots(`onenet_site_info{${of}}`);
  const levels = [level];
  for (let at = 0; at < depth; at += 1) {
    level = `(onenet_site_info * on(parent) group_left(branch, root) ${asParent(level)})`;
    levels.push(level);
  }
  return levels.join(' or ');
}

/** The sum of a measure by branch. @param {string} expr one value a site @param {string} of @param {number} depth */
export function byBranch(expr, of, depth) {
  return `sum by (branch, root) (${expr} * on(site) group_left(branch, root) (${branches(of, depth)}))`;
}
