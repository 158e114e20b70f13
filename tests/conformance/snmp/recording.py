"""Reads recordings of SNMP agents: .snmprec (of snmpsim) and .snmpwalk (of `snmpwalk -On`), plain or .bz2.

A recording is a dictionary from names (tuples of integers) to values: int, bytes, or a tuple for an object
identifier. Where a name is there twice, the last value wins, as an agent has one value for a name.
"""

import bisect
import bz2
import re


def open_recording(path):
    return bz2.open(path, "rb") if str(path).endswith(".bz2") else open(path, "rb")


def lines_of(path, subtrees=None):
    """Yields (name, line) of every line that holds an object, in the order of the file: of all, or of those below the
    subtrees and of the one object after each run of them, at which a walk must end."""
    wanted = tuple(f"{subtree}.".encode() for subtree in subtrees) if subtrees else (b"",)
    inside = False
    with open_recording(path) as file:
        for line in file:
            was_inside, inside = inside, line.lstrip(b".").startswith(wanted)
            if inside or was_inside:
                head = re.match(rb"\.?([0-9]+(?:\.[0-9]+)*)(?:\||\s=\s)", line)
                if head:
                    yield tuple(map(int, head.group(1).split(b"."))), line


def is_snmprec(path):
    return ".snmprec" in str(path)


class Recording(dict):
    """The objects of a recording by name."""

    def column(self, oid):
        """Returns what is below an object identifier, by the rest of the name."""
        if not hasattr(self, "names"):
            self.names = sorted(self)
        prefix = parse_oid(oid)
        found = {}
        for place in range(bisect.bisect_left(self.names, prefix), len(self.names)):
            name = self.names[place]
            if name[:len(prefix)] != prefix:
                break
            found[name[len(prefix):]] = self[name]
        return found


def load(path, subtrees=None):
    parse = snmprec_value if is_snmprec(path) else snmpwalk_value
    return Recording((name, parse(line)) for name, line in lines_of(path, subtrees))


INTEGERS = {"2", "65", "66", "67", "70"}


def snmprec_value(line):
    _, tag, text = line.rstrip(b"\r\n").split(b"|", 2)
    tag = tag.decode().split(":")[0]
    raw = bytes.fromhex(text.decode()) if tag.endswith("x") else text
    hexadecimal, tag = tag.endswith("x"), tag.rstrip("x")
    if tag == "64" and not hexadecimal:
        return bytes(map(int, raw.split(b".")))
    if tag in INTEGERS:
        return int(raw)
    if tag == "6":
        return tuple(int(arc) for arc in raw.decode().strip(".").split(".") if arc)
    return raw


def snmpwalk_value(line):
    kind, _, text = line.split(b" = ", 1)[1].rstrip(b"\r\n").partition(b": ")
    kind = kind.strip().decode()
    if kind in ("INTEGER", "Gauge32", "Counter32", "Counter64", "Timeticks"):
        return int(re.search(rb"-?[0-9]+", text).group())
    if kind == "Hex-STRING":
        return bytes.fromhex(text.decode())
    if kind == "OID":
        return tuple(int(arc) for arc in text.decode().strip(".").split("."))
    return text.strip(b'"')


def parse_oid(text):
    return tuple(int(arc) for arc in text.split("."))


def dotted(index):
    return ".".join(map(str, index))
