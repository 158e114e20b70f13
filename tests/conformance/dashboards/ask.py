"""Asks a real Prometheus everything that the dashboards ask, and prints a table: how long, how many series, or why nothing.

    ask.py PROMETHEUS_URL FOLDER_OF_DASHBOARDS

Variables are resolved as Grafana does it: by their own queries, in their order, the last option chosen, as the first site of a demonstration is this machine. Status 1 when a query
fails, when one takes a second or more (median of 5), or when fewer than half of the panels show anything.
"""

import json
import pathlib
import re
import statistics
import sys
import time
import urllib.parse
import urllib.request

RANGE_S, SLOWEST_S, TIMES = 6 * 3600, 1.0, 5


def ask(base, path, **parameters):
    body = urllib.parse.urlencode(parameters).encode()
    try:
        with urllib.request.urlopen(f"{base}/api/v1/{path}", body, timeout=60) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise ValueError(json.load(error).get("error")) from None


def line(sample):
    """A sample as Grafana writes it for the expression of a variable."""
    labels = dict(sample["metric"])
    name = labels.pop("__name__", "")
    return name + "{" + ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"


def options(base, variable, chosen, **at):
    query = put(variable["query"]["query"], chosen)
    inner = re.fullmatch(r"(query_result|label_values)\((.*)\)", query, re.S)
    if inner[1] == "label_values":
        selector, label = inner[2].rsplit(",", 1)
        return sorted({sample["metric"].get(label.strip(), "") for sample in ask(base, "query", query=selector, **at)})
    pattern = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
    found = (pattern.search(line(sample)) for sample in ask(base, "query", query=inner[2], **at))
    return sorted({match["value"] if "value" in pattern.groupindex else match[1] for match in found if match})


def put(expr, chosen):
    return re.sub(r"\$([a-z_]+)|\$\{([a-z_]+)\}", lambda at: chosen.get(at[1] or at[2], at[0]), expr)


def choose(base, dashboard, now=None, preferred=()):
    """Chooses a value for each variable: all where that can be, or else what is preferred, or the last option; as of `now`, where that is given."""
    chosen, at = {"__range": f"{RANGE_S}s"}, {"time": now} if now else {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "custom":
            chosen[variable["name"]] = ".*"
        elif variable["type"] == "query":
            if variable.get("allValue"):
                chosen[variable["name"]] = variable["allValue"]
                continue
            known = options(base, variable, chosen, **at)
            many = variable["multi"]
            one = [*known[-1:], *(it for it in known if it in preferred)]
            chosen[variable["name"]] = "(" + "|".join(known) + ")" if many else one[-1] if one else ""
    return chosen


def step_s(panel):
    """The step of a panel over the default range: Grafana asks at least this far apart."""
    return 60 * int(panel["interval"].removesuffix("m"))


def timed(base, panel, target, chosen, now):
    expr, took = put(target["expr"], chosen), []
    for _ in range(TIMES):
        begun = time.perf_counter()
        if target["instant"]:
            found = ask(base, "query", query=expr, time=now)
        else:
            found = ask(base, "query_range", query=expr, start=now - RANGE_S, end=now, step=step_s(panel))
        took.append(time.perf_counter() - begun)
    return len(found), statistics.median(took)


def main(base, folder):
    now, wrong, shown, all_panels = int(time.time()), 0, 0, 0
    print(f"{'dashboard':<10} {'panel':<34} {'q':<2} {'series':>6} {'ms':>7}")
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        dashboard = json.loads(path.read_text())
        chosen = choose(base, dashboard)
        for panel in (it for it in dashboard["panels"] if it["type"] != "row"):
            total = 0
            for target in panel["targets"]:
                try:
                    count, took = timed(base, panel, target, chosen, now)
                    said = f"{count:>6} {took * 1000:>7.1f}" + ("  SLOW" if took >= SLOWEST_S else "")
                    wrong += took >= SLOWEST_S
                    total += count
                except ValueError as error:
                    said, wrong = f"FAILED: {error}\n    {put(target['expr'], chosen)}", wrong + 1
                print(f"{path.stem:<10} {panel['title'][:34]:<34} {target['refId']:<2} {said}")
            all_panels += 1
            shown += total > 0
            if total == 0:
                print(f"{'':<10} no data; shows: {panel['fieldConfig']['defaults']['noValue']}")
    print(f"{shown} of {all_panels} panels have data; {wrong} queries failed or are too slow")
    return 1 if wrong or shown * 2 < all_panels else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
