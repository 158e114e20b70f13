#!/usr/bin/env python3
"""Checks `inspect` against recordings of real devices, served by snmpsim on a free port of the loopback.

Each recording is served as it is (put in order where it names an object twice) and in permuted copies; what `inspect`
says must equal what read_recording.py reads from the very file, row by row, dropped rows and reasons included, and
the permuted result must be the original one renamed. Prints a line a device and a last line `N passed, N failed`; the
exit status is 1 on any failure.

Needs snmpsim 1.2 and snmpsim-data 1.0.1 from PyPI, in the Python that runs it or in $ONENET_VENV, as tests/run has it.

Usage: run.py [options] [-- INSPECT COMMAND...]
       such as: run.py -- target/debug/onenet-agent inspect
       The command is called with HOST:PORT --community NAME --json; without one it is $ONENET_BIN/onenet-agent inspect.
"""

import argparse
import collections
import importlib.util
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import permute_recording
from read_recording import read
from recording import lines_of

DEVICES = ["network/router/huawei-s5720", "network/switch/h3c-comware-7-1-075",
           "network/switch/ruijie-s5750-24gt12sfp", "network/switch/zte-zxr10-5250",
           "network/switch/hpe-procurve-516733-b21", "network/switch/cisco-n5000"]
SEED = 20261123
TABLES = ("forwarding", "addresses", "neighbours", "interfaces", "entities")
INSPECT_SECONDS_MAX = 300
READY_SECONDS_MAX = 600
RENAMED = {"if_index": "if_index", "zone": "if_index", "local_port_number": "if_index", "bridge_port": "bridge_port",
           "mac": "mac", "chassis_id": "mac", "port_id": "mac"}


def use_virtual_environment():
    """Starts this script anew in $ONENET_VENV when this Python lacks snmpsim."""
    python = pathlib.Path(os.environ.get("ONENET_VENV", ""), "bin", "python")
    lacking = importlib.util.find_spec("snmpsim_data") is None
    if lacking and python.exists() and pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), *sys.argv])


def data_directory():
    try:
        import snmpsim_data
    except ImportError:
        sys.exit("snmpsim-data is not installed in this Python: pip install 'snmpsim==1.2.*' snmpsim-data==1.0.1")
    return pathlib.Path(snmpsim_data.__file__).parent / "data"


def find(device):
    if pathlib.Path(device).is_file():
        return pathlib.Path(device)
    for end in (".snmprec.bz2", ".snmprec"):
        path = data_directory() / (device + end)
        if path.is_file():
            return path
    sys.exit(f"no recording {device!r}: name a file, or one below snmpsim_data/data without its ending")


def prepare(path, name, served, permutations):
    """Writes what is to be served: what `inspect` may read, and the object after each part, where a walk must end;
    the rest would only cost snmpsim minutes of indexing. Returns [(community, file, renaming or None, note)]."""
    whole, note = served / f"{name}.snmprec", ""
    lines = [(oid, line) for oid, line in lines_of(path, permute_recording.READ) if not varies(line)]
    if len({oid for oid, _ in lines}) == len(lines):
        whole.write_bytes(b"".join(line for _, line in lines))
    else:
        note = "names objects twice, so it is put in order"
        permute_recording.write(whole, permute_recording.objects_of(path))
    cases = [(name, whole, None, note)]
    for number in range(permutations):
        copy = served / f"{name}-permuted-{number}.snmprec"
        renaming = permute_recording.permute(path, copy, SEED + number)
        cases.append((copy.stem, copy, renaming, f"seed {SEED + number}"))
    return cases


def varies(line):
    """Returns whether snmpsim makes the value up as it goes: such an object is not served."""
    return b":" in line.split(b"|", 2)[1]


class Simulator:
    """snmpsim-command-responder on a free port."""

    def __init__(self, served, cache, log):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = pathlib.Path(sys.executable).parent / "snmpsim-command-responder"
        if not command.exists():
            sys.exit("snmpsim is not installed in this Python: pip install 'snmpsim==1.2.*'")
        arguments = [str(command), f"--data-dir={served}", f"--cache-dir={cache}",
                     f"--agent-udpv4-endpoint=127.0.0.1:{self.port}", "--logging-method=null"]
        if os.geteuid() == 0:
            arguments += ["--process-user=root", "--process-group=root"]
        self.log = open(log, "wb")
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log, start_new_session=True)

    def wait_for(self, community):
        """Waits until the recording is indexed and answers."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(2)
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    sys.exit(f"snmpsim ended with status {self.process.returncode}: see {self.log.name}")
                asking.sendto(get_sys_uptime(community), ("127.0.0.1", self.port))
                try:
                    asking.recv(2048)
                    return
                except TimeoutError:
                    continue
        sys.exit(f"snmpsim did not serve {community} within {READY_SECONDS_MAX} s: see {self.log.name}")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()


def get_sys_uptime(community):
    """Returns an SNMPv2c GetRequest of sysUpTime.0."""
    tlv = lambda tag, content: bytes([tag, len(content)]) + content
    varbind = tlv(0x30, tlv(0x06, bytes([0x2b, 6, 1, 2, 1, 1, 3, 0])) + tlv(0x05, b""))
    pdu = tlv(0xa0, tlv(2, b"\x2a") + tlv(2, b"\0") + tlv(2, b"\0") + tlv(0x30, varbind))
    return tlv(0x30, tlv(2, b"\x01") + tlv(4, community.encode()) + pdu)


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


FIELDS = {
    "system": ("name", "description", "object_id", "uptime_s"),
    "interfaces": ("if_index", "name", "alias", "mac", "speed_bps", "admin", "oper", "in_octets", "out_octets",
                   "in_errors", "out_errors"),
    "entities": ("index", "class", "name", "description", "serial", "model"),
    "forwarding": ("mac", "vlan", "fdb_id", "bridge_port", "if_index", "interface", "status"),
    "addresses": ("ip", "zone", "mac", "if_index", "interface"),
    "neighbours": ("protocol", "local_port", "if_index", "local_port_number", "chassis_id", "port_id", "system_name",
                   "management_addresses"),
    "dropped": ("table", "row", "reason"),
}


def checked_dropped(rows):
    """Returns the dropped rows of the tables that read_recording.py reads."""
    known = {"dot1qTpFdbTable", "dot1dTpFdbTable", "ipNetToPhysicalTable", "ipNetToMediaTable", "lldpRemTable",
             "lldpRemManAddrTable"}
    return [row for row in rows if row["table"] in known]


def differences(expected, said):
    """Returns what only one of two results has."""
    found = []
    for table in FIELDS:
        wanted, got = canonical(expected[table], FIELDS[table]), canonical(said[table], FIELDS[table])
        missing = collections.Counter(wanted) - collections.Counter(got)
        extra = collections.Counter(got) - collections.Counter(wanted)
        found += [f"{table}: not said: {row}" for row in missing.elements()]
        found += [f"{table}: not in the recording: {row}" for row in extra.elements()]
    return found


def renamed(result, renaming):
    """Returns a result with its numbers and addresses renamed as a permuted recording has them."""
    def new(field, value):
        kind = RENAMED.get(field)
        table = renaming[kind] if kind else {}
        return table.get(value, value)
    return {table: [{field: new(field, value) if not isinstance(value, list) else value
                     for field, value in row.items()} for row in result[table]]
            for table in (*TABLES, "system")}


def check(command, port, case, originals):
    community, file, renaming, _ = case
    said = inspect(command, port, community)
    said |= {"dropped": checked_dropped(said["dropped"]), "system": [said["system"]]}
    problems = differences(read(file), said)
    if renaming is None:
        originals[community] = said
    else:
        original = originals[community.rsplit("-permuted-", 1)[0]]
        follows = renamed(original, renaming) | {"dropped": said["dropped"]}
        problems += ["after renaming, " + problem for problem in differences(follows, said)]
    return said, problems


def describe(said):
    counts = "  ".join(f"{table} {len(said[table])}" for table in TABLES)
    reasons = collections.Counter(row["reason"] for row in said["dropped"])
    dropped = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) or "none"
    absent = ", ".join(size["table"] for size in said.get("tables", []) if size["rows"] == 0) or "none"
    return f"read: {counts}\n      dropped: {dropped}\n      absent: {absent}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--permutations", type=int, default=1, help="permuted copies a recording (default 1)")
    parser.add_argument("--device", action="append", help="a recording instead of the default ones; may be repeated")
    parser.add_argument("command", nargs="*", help="the inspect command")
    options = parser.parse_args()
    use_virtual_environment()
    command = options.command or [os.path.join(os.environ.get("ONENET_BIN", "target/debug"), "onenet-agent"), "inspect"]
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="onenet-snmp-") as scratch:
        served, cache = pathlib.Path(scratch, "served"), pathlib.Path(scratch, "cache")
        served.mkdir()
        cases = [case for device in options.device or DEVICES
                 for case in prepare(find(device), pathlib.Path(device).name.split(".snmp")[0], served,
                                     options.permutations)]
        simulator = Simulator(served, cache, pathlib.Path(scratch, "snmpsim.log"))
        try:
            originals = {}
            for case in cases:
                simulator.wait_for(case[0])
                try:
                    said, problems = check(command, simulator.port, case, originals)
                    summary = describe(said)
                except (RuntimeError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                    problems, summary = [f"{type(error).__name__}: {error}"], "nothing read"
                passed, failed = passed + (not problems), failed + bool(problems)
                note = f" ({case[3]})" if case[3] else ""
                print(f"{'FAIL' if problems else 'ok  '}  {case[0]}{note}\n      {summary}", flush=True)
                for problem in problems[:10]:
                    print(f"      {problem}")
                if len(problems) > 10:
                    print(f"      and {len(problems) - 10} more")
        finally:
            simulator.stop()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
