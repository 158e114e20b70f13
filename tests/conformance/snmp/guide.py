#!/usr/bin/env python3
"""Follows the guide to writing a profile (collectors/snmp/profiles/README.md) on the device that it is told of, a recording
served by snmpsim: the files that it shows are written, the commands that it shows are run, and each must print the lines that it
shows, in their order; a line of dots stands for any number of lines, one within a line for the rest of it.

Usage: guide.py INSPECTING-PROGRAM, such as: guide.py target/debug/onenet-agent
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from serve import Simulator, find

GUIDE = pathlib.Path(__file__).resolve().parents[3] / "collectors/snmp/profiles/README.md"
DEVICE = "os/linux/unknown-007"
DRAFT, FILE = "# macrosan.toml, a first draft", "# macrosan.toml"
COMMAND_SECONDS_MAX = 120


def steps(text):
    """Returns the blocks of the guide between its headings that are files of the device or commands, in their order."""
    guide = text[text.index("## Adding a vendor"):text.index("## The format")]
    blocks = re.findall(r"^```(toml|console)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    return [(kind, block) for kind, block in blocks if kind == "console" or block.startswith(FILE)]


def shows(line, printed):
    """Returns whether the guide's line shows a printed one."""
    begin, dots, _ = line.rstrip().partition("…")
    return printed.startswith(begin.rstrip()) if dots else printed.rstrip() == begin


def missing(shown, printed):
    """Returns the first line that is shown and not printed where it should be; None when all is as shown."""
    lines, anywhere = iter(printed.splitlines()), True
    for line in shown.splitlines():
        if line.strip() == "…":
            anywhere = True
            continue
        if not any(shows(line, said) for said in (lines if anywhere else [next(lines, "")])):
            return line
        anywhere = False
    return None


def follow(program, place, simulator):
    """Follows the guide in an empty folder. Returns what is not as it says."""
    folder, file = place / "profiles", place / "agent.toml"
    folder.mkdir()
    file.write_text(f'[snmp]\nprofiles_dir = "{folder}"\n')
    real = [("192.0.2.20:161", f"127.0.0.1:{simulator.port}"), ("192.0.2.20", f"127.0.0.1:{simulator.port}"),
            ("/etc/onenet/profiles", str(folder)), ("/etc/onenet/agent.toml", str(file)),
            ("onenet-agent", program), ("-c public", "-c macrosan"), ("--community public", "--community macrosan")]
    wrong, commands = [], 0
    for kind, block in steps(GUIDE.read_text()):
        if kind == "toml":
            (folder / "macrosan.toml").write_text(block)
            continue
        command, _, shown = block.removeprefix("$ ").partition("\n")
        actual = command
        for told, stands_for in real:
            # The longer form stands first; only one of the two is in a command.
            actual = actual if stands_for in actual else actual.replace(told, stands_for)
        done = subprocess.run(actual.split(), capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX)
        printed = done.stdout + done.stderr
        for told, stands_for in real[:4]:
            if told != "192.0.2.20":
                printed = printed.replace(stands_for, told)
        commands += 1
        line = missing(shown, printed)
        if line is not None:
            wrong.append(f"{command}\n  does not print, where the guide shows it:\n  {line}\n  but:\n{printed}")
    if commands < 5:
        wrong.append(f"the guide has only {commands} commands: was it rewritten?")
    return wrong


def main():
    program = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    if shutil.which("snmpbulkwalk") is None:
        sys.exit("snmpbulkwalk is missing: install net-snmp's programs (Debian: snmp)")
    with tempfile.TemporaryDirectory(prefix="onenet-guide-") as scratch:
        place = pathlib.Path(scratch)
        served = place / "served"
        served.mkdir()
        source = find(DEVICE)
        shutil.copy(source, served / f"macrosan{''.join(source.suffixes)}")
        simulator = Simulator(served, place / "cache", place / "snmpsim.log")
        try:
            simulator.wait_for("macrosan")
            wrong = follow(str(pathlib.Path(program).absolute()), place, simulator)
        finally:
            simulator.stop()
    print("\n".join(wrong) if wrong else "ok    the guide to writing a profile does what it shows")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
