"""Holds dashboards and rules against the metrics' contract (daemon/METRICS.md, which a test of the daemon generates).

Prints one verdict line for each check; status 1 when one failed.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
# What Prometheus tells of itself and of each scrape.
OF_PROMETHEUS = {
    "up": {"job", "instance"},
    "scrape_duration_seconds": {"job", "instance"},
    "scrape_samples_scraped": {"job", "instance"},
    "prometheus_rule_evaluation_failures_total": {"rule_group"},
    "prometheus_sd_http_failures_total": set(),
    "prometheus_notifications_dropped_total": {"alertmanager"},
    "alertmanager_notifications_failed_total": {"integration"},
}
ROW = re.compile(r"^\| `(\w+)` \| \w+ \| ([^|]*) \|.*\| ([^|]*) \|$", re.M)
# What has a series for each of these is on the centre's page; for each of anything else, on the page of its site.
OF_THE_CENTRE = {"subtree", "area", "incident", "channel", ""}
FALLBACK = re.compile(r"^(.*)\bor (.*?) \* 0(?![.\d])", re.S)
SELECTOR = re.compile(r"\b((?:onenet_|scrape_|prometheus_|alertmanager_)\w+|up\b)(\{[^}]*\})?")
# Agents tell these each quarter of an hour.
OF_FLOWS = re.compile(r"\bonenet_(?:\w+_flow|application)_bytes_total(?:\{[^}]*\})?\[(\w+)\]")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
failed = []


def verdict(name, wrong):
    print(f"{'ok    ' if not wrong else 'FAILED'} {name}")
    for line in wrong[:20]:
        print(f"       {line}")
    if wrong:
        failed.append(name)


def contract():
    rows = ROW.findall((ROOT / "daemon/METRICS.md").read_text())
    return OF_PROMETHEUS | {name: {label.strip() for label in labels.split(",")} - {""} for name, labels, _ in rows}


def pages():
    """Of each metric whether it is on the centre's page, by what its number of series goes with."""
    rows = ROW.findall((ROOT / "daemon/METRICS.md").read_text())
    return {name: series.partition(": ")[2].partition(" a ")[2] in OF_THE_CENTRE for name, _, series in rows}


def mixed(page, expr):
    """Whether zero is said of what one page tells since another was read."""
    sides = FALLBACK.match(expr)
    told = [{page.get(name) for name, _ in SELECTOR.findall(side)} for side in sides.groups()] if sides else [set(), set()]
    return not told[0] <= told[1]


def unknown(metrics, expr):
    # Quoted words are no metrics; the matchers of selectors are looked at on their own.
    for name, matchers in SELECTOR.findall(expr):
        if name not in metrics:
            yield f"no metric {name} in: {expr}"
            continue
        for label in MATCHER.findall(matchers):
            if label not in metrics[name]:
                yield f"{name} has no label {label}"


def dashboards(language):
    folder = ROOT / "dashboards/grafana" / language
    return {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def lost(boards):
    """Links of panels to a board that has a place to choose, from one that has it too, without it."""
    places = {board["uid"]: {it["name"] for it in board["templating"]["list"]} & {"province", "city", "site"} for board in boards.values()}
    for name, board in boards.items():
        for panel, link in ((panel, link) for panel in board["panels"] for link in panel.get("links", []) if link["url"].startswith("/d/")):
            for place in places[board["uid"]] & places[re.match(r"/d/([\w-]+)", link["url"])[1]]:
                if f"${{{place}:queryparam}}" not in link["url"] and f"var-{place}=" not in link["url"]:
                    yield f"{name}: {panel['title']}: {link['title']} loses {place}"


def shape(dashboard):
    """What both languages must have in common: everything but words."""
    panels = dashboard["panels"]
    asked = [[target["expr"] for target in panel.get("targets", [])] for panel in panels]
    places = [(panel["type"], panel["gridPos"], panel.get("fieldConfig", {}).get("defaults", {}).get("unit")) for panel in panels]
    names = [(it["name"], it["type"]) for it in dashboard["templating"]["list"]]
    return asked, places, names


def main():
    metrics, page = contract(), pages()
    assert len(metrics) > 60, "the contract was not read"
    en, zh = dashboards("en"), dashboards("zh")
    verdict("there are twelve dashboards or more in each language", [] if len(en) >= 12 and set(en) == set(zh) else [f"{set(en) ^ set(zh)}"])
    verdict("both languages have the same panels", [name for name in en if shape(en[name]) != shape(zh.get(name, en[name]))])
    verdict("both languages have words of their own", [name for name in en if en[name]["title"] == zh[name]["title"]])
    wrong, jumps, asks = [], [], 0
    for name, dashboard in en.items():
        exprs = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        exprs += [it["query"]["query"] for it in dashboard["templating"]["list"] if it["type"] == "query"]
        asks += len(exprs)
        wrong += [f"{name}: {what}" for expr in exprs for what in unknown(metrics, expr)]
        wrong += [f"{name}: or vector(0): {expr}" for expr in exprs if "vector(" in expr]
        wrong += [f"{name}: zero by another page: {expr}" for expr in exprs if mixed(page, expr)]
        jumps += [f"{name}: {expr}" for expr in exprs for window in OF_FLOWS.findall(expr) if window != "30m"]
    verdict(f"each of {asks} queries names metrics and labels of the contract, and no zero is made up", wrong)
    verdict("traffic by flows is averaged over two of the intervals in which it is told", jumps)
    rules = (ROOT / "dashboards/prometheus/onenet.rules.yml").read_text()
    exprs = [expr.replace("''", "'") for expr in re.findall(r"^ +expr: '(.*)'$", rules, re.M)]
    verdict(f"each of {len(exprs)} rules does too", [what for expr in exprs for what in unknown(metrics, expr)] + ([] if len(exprs) > 10 else ["few rules"]))
    recorded = re.findall(r"record: (\S+)", rules)
    verdict("no recording rule stands between a dashboard and series that come late", [f"{name}: {it}" for name, dashboard in en.items() for it in recorded if it in json.dumps(dashboard)])
    alone = [it for it in re.findall(r"\bonenet:[\w:]+", " ".join(exprs)) if it not in recorded]
    verdict("each recorded series that a rule asks for is recorded", alone)
    wrong = []
    for name, dashboard in (list(en.items()) + list(zh.items())):
        for panel in (it for it in dashboard["panels"] if it["type"] != "row"):
            defaults = panel["fieldConfig"]["defaults"]
            if not (panel.get("description") and defaults.get("unit") and defaults.get("noValue")):
                wrong.append(f"{name}: {panel['title']} lacks description, unit or words for no value")
            has = panel.get("links") or defaults.get("links") or any(it["id"] == "links" for one in panel["fieldConfig"]["overrides"] for it in one["properties"])
            if not has:
                wrong.append(f"{name}: {panel['title']} leads nowhere")
    verdict("each panel has description, unit, words for no value, and leads onward", wrong)
    verdict("no panel's link onward loses the place that is chosen", [what for boards in (en, zh) for what in lost(boards)])
    console = re.findall(r'ANOMALY_(\w+) = "([^"]*)", "([^"]*)";', (ROOT / "daemon/src/console/text/cases.rs").read_text())
    words = dict(re.findall(r"^  (\w+): (\[c\.t\(.*\)\]),$", (ROOT / "dashboards/source/words.mjs").read_text(), re.M))
    wrong = [f"{name.lower()}: {zh}, {en}" for name, zh, en in console if words.get(name.lower()) != f"[c.t('{en}', '{zh}')]"]
    verdict(f"each of {len(console)} kinds of anomalies is called as the console calls it", wrong if console else ["no kinds were read"])
    alerts = re.findall(r"alert: (\w+)", rules)
    tested = (ROOT / "dashboards/prometheus/tests.yml").read_text()
    verdict("each alert is tested", [alert for alert in alerts if f'alertname="{alert}"' not in tested])
    books = [(ROOT / f"docs/runbook/README{tail}.md").read_text() for tail in ("", ".zh")]
    verdict("each alert is in the runbook, in both languages", [alert for alert in alerts for book in books if f"## {alert}\n" not in book])
    words = [rules.count(f" {key}: ") for key in ("summary", "description", "summary_zh", "description_zh", "runbook_url", "labels: {severity")]
    verdict("each alert has severity, words in both languages and a link to the runbook", [] if words[:5] == [len(alerts)] * 5 and rules.count("severity: ") == len(alerts) else [f"{words} for {len(alerts)} alerts"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
