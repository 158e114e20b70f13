#!/usr/bin/env python3
"""Checks `inspect` against recordings of real devices, served by snmpsim on free ports of the loopback.

Every recording of snmpsim-data is served as it is (put in order where it names an object twice), the named ones in
permuted copies too; what `inspect` says must equal what read_recording.py reads from the very file, row by row, dropped
rows and reasons included, and a permuted result must be the original one renamed. Prints what was read, dropped and
absent device by device, what snmpsim cannot serve and why, and a last line `N passed, N failed`; the exit status is 1
on any failure.

The largest recordings take minutes each, and are read with --all only. Where read_profiles.py stands beside this file,
what its expected(recording) returns, {table: rows}, is checked in the same way; its SUBTREES are served too.

Needs snmpsim 1.2 and snmpsim-data 1.0.1 from PyPI, in the Python that runs it or in $ONENET_VENV, as tests/run has it.

Usage: run.py [options] [-- INSPECT COMMAND...]
       such as: run.py -- target/debug/onenet-agent inspect
       The command is called with HOST:PORT --community NAME --json; without one it is $ONENET_BIN/onenet-agent inspect.
"""

import argparse
import collections
import concurrent.futures
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import permute_recording
import vlan_contexts
from read_recording import DROPPED_TABLES, FIELDS, QUIRKS, read
from serve import Simulator, all_recordings, find, prepare, without_ending

try:
    import read_profiles
except ImportError:
    read_profiles = None

PERMUTED = ["network/router/huawei-s5720", "network/switch/h3c-comware-7-1-075",
            "network/switch/ruijie-s5750-24gt12sfp", "network/switch/zte-zxr10-5250",
            "network/switch/hpe-procurve-516733-b21", "network/switch/cisco-n5000"]
# Read once more without its ipNetToMediaTable.
VENDOR_ADDRESSES = "network/router/huawei-s5720"
# Recordings that snmpsim cannot serve at all, and why; single objects that it cannot serve are in a device's note.
UNSERVABLE = {}
# Recordings that are packed into more bytes than this wait for --all.
LARGE_BYTES = 250_000
SEED = 20261123
INSPECT_SECONDS_MAX = 900
# Processes, each with a simulator: reading recordings and simulating is all that takes time.
WORKERS_MAX = 4
RENAMED = {"if_index": "if_index", "zone": "if_index", "local_port_number": "if_index", "bridge_port": "bridge_port",
           "mac": "mac", "chassis_id": "mac", "port_id": "mac", "partner_system": "mac"}
# Notes on tables that are no quirks.
UNREMARKABLE = ("missing", "named_by_description")
# Tables with identifiers inside of values: their permuted copies are held against the file only.
NESTED = ("bridge", "stp_ports")


def use_virtual_environment():
    """Starts this script anew in $ONENET_VENV when this Python lacks snmpsim."""
    python = pathlib.Path(os.environ.get("ONENET_VENV", ""), "bin", "python")
    lacking = importlib.util.find_spec("snmpsim_data") is None
    if lacking and python.exists() and pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), *sys.argv])


def inspect(command, port, community):
    arguments = [*command, f"127.0.0.1:{port}", "--community", community, "--json"]
    done = subprocess.run(arguments, capture_output=True, timeout=INSPECT_SECONDS_MAX)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return json.loads(done.stdout)


def canonical(rows, fields):
    """Returns rows as a sorted list of texts, with the named fields only."""
    return sorted(json.dumps({field: row.get(field) for field in fields}, sort_keys=True, ensure_ascii=False)
                  for row in rows)


def expectation(file):
    """Returns what the independent readers read of a recording, and the fields of each table that they vouch for."""
    expected, fields = read(file), dict(FIELDS)
    if read_profiles is not None:
        more = read_profiles.expected(file)
        told = lambda table: sorted({field for row in more[table] for field in row})
        fields |= {table: getattr(read_profiles, "FIELDS", {}).get(table) or told(table) for table in more}
        expected |= more
    return expected, fields


def flattened(said):
    """Returns a result whose parts are all tables: the ports of the spanning tree have one of their own."""
    bridge = said.get("bridge")
    return said | {"stp_ports": bridge["stp_ports"] if bridge else []}


def as_rows(table):
    """Returns a part of the result as rows: an object stands for one row, null for none."""
    return [] if table is None else table if isinstance(table, list) else [table]


def differences(expected, said, fields=FIELDS):
    """Returns what only one of two results has."""
    found = []
    for table, names in fields.items():
        wanted, got = canonical(as_rows(expected[table]), names), canonical(as_rows(said.get(table)), names)
        missing = collections.Counter(wanted) - collections.Counter(got)
        extra = collections.Counter(got) - collections.Counter(wanted)
        found += [f"{table}: not said: {row}" for row in missing.elements()]
        found += [f"{table}: not in the recording: {row}" for row in extra.elements()]
    return found


def renamed(result, renaming):
    """Returns a result with its numbers and addresses renamed as a permuted recording has them."""
    def new(field, value):
        kind = RENAMED.get(field) or ("if_index" if field.endswith("if_index") else None)
        if field.endswith("if_indexes"):
            return sorted(renaming["if_index"].get(number, number) for number in value)
        if isinstance(value, list) or kind is None:
            return value
        return renaming[kind].get(value, value)
    def renamed_row(row):
        # By CDP a device may call itself by a MAC address or by any text: those stay in the copy.
        kept = ("chassis_id", "port_id") if row.get("protocol") == "cdp" else ()
        return {field: value if field in kept else new(field, value) for field, value in row.items()}
    return {table: [renamed_row(row) for row in as_rows(result[table])]
            for table in FIELDS if table not in NESTED}


def check(command, port, case, originals):
    community, file, renaming, _ = case
    said = flattened(inspect(command, port, community))
    said["dropped"] = [row for row in said["dropped"] if row["table"] in DROPPED_TABLES]
    peculiar = said["quirks"]
    said["quirks"] = [row for row in peculiar if row["quirk"] in QUIRKS]
    expected, fields = expectation(file)
    problems = differences(expected, said, fields)
    if renaming is None:
        originals[community] = dict(said)
    else:
        original = originals[community.rsplit("-permuted-", 1)[0]]
        follows = renamed(original, renaming) | {"dropped": said["dropped"]}
        plain = {table: names for table, names in FIELDS.items() if table not in NESTED}
        problems += ["after renaming, " + problem for problem in differences(follows, said, plain)]
    said["quirks"] = peculiar
    return said, problems, [table for table in fields if table not in ("system", "dropped", "quirks")]


def check_contexts(command, port, community, whole, contexts):
    """Checks the forwarding of a switch that keeps it in a context a VLAN."""
    said = inspect(command, port, community)
    rows, dropped = vlan_contexts.expected(whole, contexts)
    tables = {"dot1dTpFdbTable", "dot1dTpFdbTable@vlan"}
    said["dropped"] = [row for row in said["dropped"] if row["table"] in tables]
    fields = {table: FIELDS[table] for table in ("forwarding", "dropped")}
    return said, differences({"forwarding": rows, "dropped": dropped}, said, fields), ["forwarding"]


def without_addresses(path, name, served):
    """Writes a copy of a recording without ipNetToMediaTable: its addresses are told by its vendor's table alone. Returns the case."""
    objects = permute_recording.objects_of(path)
    kept = {oid: value for oid, value in objects.items() if not permute_recording.below(oid, "1.3.6.1.2.1.4.22")}
    file = served / f"{name}.snmprec"
    permute_recording.write(file, kept)
    return name, file, None, "without ipNetToMediaTable"


def describe(said, tables):
    counts = "  ".join(f"{table} {len(as_rows(said.get(table)))}" for table in tables if said.get(table))
    reasons = collections.Counter(row["reason"] for row in said["dropped"])
    dropped = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) or "none"
    absent = ", ".join(size["table"] for size in said.get("tables", []) if size["rows"] == 0) or "none"
    quirks = {f"{row['quirk']} in {row['table']}" + (f" {row['count']}" if "count" in row else "")
              for row in said["quirks"]}
    errors = {f"{error['error']} in {error['table']}" for error in said["errors"] if error["error"] not in UNREMARKABLE}
    named = ", ".join(sorted(quirks | {error for error in errors if not any(quirk.startswith(error) for quirk in quirks)}))
    return (f"read: {counts or 'system only'}\n      dropped: {dropped}\n      quirks: {named or 'none'}\n"
            f"      absent: {absent}")


def check_devices(devices, command, permutations):
    """Checks some recordings with a simulator of their own. Returns [(passed, text)]."""
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="onenet-snmp-") as scratch:
        served, cache = pathlib.Path(scratch, "served"), pathlib.Path(scratch, "cache")
        served.mkdir()
        cases = [(device, case) for number, device in enumerate(devices)
                 for case in prepare(find(device), f"{number}-{without_ending(find(device))}", served,
                                     permutations if device in PERMUTED or permutations > 1 else 0, SEED)]
        if VENDOR_ADDRESSES in devices:
            case = without_addresses(find(VENDOR_ADDRESSES), "s5720-without-ipNetToMedia", served)
            cases.append((VENDOR_ADDRESSES, case))
        split = None
        if vlan_contexts.DEVICE in devices:
            split = vlan_contexts.split(find(vlan_contexts.DEVICE), "split", served)
            cases.append((vlan_contexts.DEVICE, ("split", split[0], None, f"a context for each of {len(split[1])} VLANs")))
        simulator = Simulator(served, cache, pathlib.Path(scratch, "snmpsim.log"))
        try:
            originals = {}
            for device, case in cases:
                began = time.monotonic()
                try:
                    simulator.wait_for(case[0])
                    if split and case[1] == split[0]:
                        said, problems, tables = check_contexts(command, simulator.port, case[0], *split)
                    else:
                        said, problems, tables = check(command, simulator.port, case, originals)
                    summary = describe(said, tables)
                except (RuntimeError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                    problems, summary = [f"{type(error).__name__}: {error}"], "nothing read"
                note = f" ({case[3]})" if case[3] else ""
                took = time.monotonic() - began
                lines = [f"{'FAIL' if problems else 'ok  '}  {device}{note}  {took:.1f} s", f"      {summary}"]
                lines += [f"      {problem}" for problem in problems[:10]]
                lines += [f"      and {len(problems) - 10} more"] if len(problems) > 10 else []
                verdicts.append((not problems, "\n".join(lines)))
        finally:
            simulator.stop()
    return verdicts


def chosen(options):
    """Returns the recordings to read, the largest first."""
    if options.device:
        return options.device
    sizes = {device: path.stat().st_size for device, path in all_recordings().items() if device not in UNSERVABLE}
    wanted = [device for device in sizes
              if options.all or sizes[device] <= LARGE_BYTES or device in PERMUTED]
    return sorted(wanted, key=lambda device: -sizes[device])


def shards(devices, workers):
    """Deals devices that come by size, so that each shard has large and small ones. Small shards keep all busy."""
    count = max(1, min(len(devices), workers * 4))
    return [devices[first::count] for first in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--permutations", type=int, default=1,
                        help="permuted copies of the named recordings (default 1); of every one from 2 on")
    parser.add_argument("--device", action="append", help="only this recording; may be repeated")
    parser.add_argument("--all", action="store_true", help="the largest recordings too")
    parser.add_argument("command", nargs="*", help="the inspect command")
    options = parser.parse_args()
    use_virtual_environment()
    command = options.command or [os.path.join(os.environ.get("ONENET_BIN", "target/debug"), "onenet-agent"), "inspect"]
    if read_profiles is not None:
        permute_recording.READ += [subtree for subtree in getattr(read_profiles, "SUBTREES", [])
                                   if subtree not in permute_recording.READ]
    devices, passed, failed = chosen(options), 0, 0
    workers = min(WORKERS_MAX, os.cpu_count() or 1)
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        parts = [pool.submit(check_devices, shard, command, options.permutations)
                 for shard in shards(devices, workers)]
        for part in concurrent.futures.as_completed(parts):
            for good, text in part.result():
                passed, failed = passed + good, failed + (not good)
                print(text, flush=True)
    if not options.device:
        print_unread(devices)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


def print_unread(devices):
    """Says which recordings were left out, and why."""
    for device in sorted(set(all_recordings()) - set(devices)):
        print(f"left out  {device}: {UNSERVABLE.get(device, 'large, read with --all')}")


if __name__ == "__main__":
    main()
