#!/usr/bin/env python3
"""Writes a copy of a recording whose ifIndexes, bridge ports and MAC addresses are others, consistently.

The copy holds the subtrees that `inspect` reads and the object after each, in the order of their names. Names of interfaces, VLANs, IP addresses
and texts stay. With the same seed the copy is the same. The renaming is printed as JSON, or written to --map.

Usage: permute_recording.py RECORDING COPY.snmprec --seed N [--map FILE]
"""

import argparse
import json
import random
import re

from recording import is_snmprec, lines_of, parse_oid, snmprec_value

IF_TABLES = ["1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"]
READ = ["1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.4.20", "1.3.6.1.2.1.4.21.1.2", "1.3.6.1.2.1.4.21.1.7",
        "1.3.6.1.2.1.4.21.1.8", "1.3.6.1.2.1.4.21.1.11", "1.3.6.1.2.1.4.22", "1.3.6.1.2.1.4.24.4.1.5",
        "1.3.6.1.2.1.4.24.4.1.6", "1.3.6.1.2.1.4.24.7.1.7", "1.3.6.1.2.1.4.24.7.1.8", "1.3.6.1.2.1.4.34",
        "1.3.6.1.2.1.4.35", "1.3.6.1.2.1.10.7.2.1.19", "1.3.6.1.2.1.17", "1.3.6.1.2.1.31.1.1", "1.3.6.1.2.1.31.1.2",
        "1.3.6.1.2.1.47.1.1.1", "1.0.8802.1.1.2.1", "1.3.111.2.802.1.1.13.1.4", "1.2.840.10006.300.43.1.2.1",
        "1.3.6.1.4.1.9.9.23.1.2.1", "1.3.6.1.4.1.9.9.46.1.3.1", "1.3.6.1.4.1.9.9.46.1.6.1", "1.3.6.1.4.1.9.9.68.1.2.2"]

# Where a number of each kind stands: (column, place in the index). The place "value" is the value itself.
IF_INDEX_PLACES = [("1.3.6.1.2.1.17.1.4.1.2", "value"), ("1.3.6.1.2.1.4.22.1", 1), ("1.3.6.1.2.1.4.22.1.1", "value"),
                   ("1.3.6.1.2.1.4.35.1", 1), ("1.3.6.1.2.1.2.2.1", 1), ("1.3.6.1.2.1.2.2.1.1", "value"),
                   ("1.3.6.1.2.1.31.1.1.1", 1), ("1.3.6.1.2.1.31.1.2.1", 1), ("1.3.6.1.2.1.31.1.2.1", 2),
                   ("1.3.6.1.2.1.10.7.2.1", 1), ("1.3.6.1.2.1.4.20.1.2", "value"), ("1.3.6.1.2.1.4.34.1.3", "value"),
                   ("1.3.6.1.2.1.4.21.1.2", "value"), ("1.3.6.1.2.1.4.24.4.1.5", "value"),
                   ("1.3.6.1.2.1.4.24.7.1.7", "value"), ("1.2.840.10006.300.43.1.2.1.1", 1),
                   ("1.2.840.10006.300.43.1.2.1.1.12", "value"), ("1.2.840.10006.300.43.1.2.1.1.13", "value"),
                   ("1.3.6.1.4.1.9.9.23.1.2.1.1", 1), ("1.3.6.1.4.1.9.9.46.1.6.1.1", 1),
                   ("1.3.6.1.4.1.9.9.68.1.2.2.1", 1), ("1.3.111.2.802.1.1.13.1.4.1.1", 2),
                   # An LldpPortNumber is an ifIndex on the recorded devices.
                   ("1.0.8802.1.1.2.1.3.7.1", 1), ("1.0.8802.1.1.2.1.4.1.1", 2), ("1.0.8802.1.1.2.1.4.2.1", 2)]
PORT_LISTS = ["1.3.6.1.2.1.17.7.1.4.2.1.4", "1.3.6.1.2.1.17.7.1.4.2.1.5", "1.3.6.1.2.1.17.7.1.4.3.1.2",
              "1.3.6.1.2.1.17.7.1.4.3.1.4"]
PORT_PLACES = [("1.3.6.1.2.1.17.7.1.4.5.1", 1), ("1.3.6.1.2.1.17.1.4.1", 1), ("1.3.6.1.2.1.17.1.4.1.1", "value"), ("1.3.6.1.2.1.17.2.15.1", 1),
               ("1.3.6.1.2.1.17.2.15.1.1", "value"), ("1.3.6.1.2.1.17.4.3.1.2", "value"),
               ("1.3.6.1.2.1.17.7.1.2.2.1.2", "value"), ("1.3.6.1.2.1.17.2.7", "value")]
MAC_INDEX_PLACES = [("1.3.6.1.2.1.17.4.3.1", 1), ("1.3.6.1.2.1.17.7.1.2.2.1", 2)]
MAC_VALUES = ["1.3.6.1.2.1.2.2.1.6", "1.3.6.1.2.1.17.1.1", "1.3.6.1.2.1.17.4.3.1.1", "1.3.6.1.2.1.4.22.1.2",
              "1.3.6.1.2.1.4.35.1.4", "1.0.8802.1.1.2.1.3.7.1.3", "1.0.8802.1.1.2.1.4.1.1.5",
              "1.0.8802.1.1.2.1.4.1.1.7", "1.2.840.10006.300.43.1.2.1.1.9"]
BRIDGE_IDS = ["1.3.6.1.2.1.17.2.5", "1.3.6.1.2.1.17.2.15.1.6", "1.3.6.1.2.1.17.2.15.1.8"]


def below(name, oid):
    prefix = parse_oid(oid)
    return name[:len(prefix)] == prefix and len(name) > len(prefix)


class Renaming:
    """New numbers and addresses for old ones, given out in the order of asking."""

    def __init__(self, recording, seed):
        self.random = random.Random(seed)
        if_indexes = {name[len(parse_oid(table)) + 1] for table in IF_TABLES for name in recording
                      if below(name, table) and len(name) == len(parse_oid(table)) + 2}
        ports = {name[-1] for name in recording if below(name, "1.3.6.1.2.1.17.1.4.1.2")}
        mentioned = {value for name, value in recording.items() if isinstance(value, int)
                     and any(place == "value" and below(name, oid) for oid, place in IF_INDEX_PLACES + PORT_PLACES)}
        listed = {bit + 1 for name, value in recording.items() if any(below(name, oid) for oid in PORT_LISTS)
                  for bit in bits_of(value)}
        self.if_index = self.numbers(if_indexes, 2**31 - 1, mentioned)
        # A PortList has a bit for each number up to the highest, and a switch has as many lists as VLANs.
        self.port = self.numbers(ports, max(600, 4 * len(ports)) if listed else 65535, mentioned | listed)
        self.mac = {}

    def numbers(self, old, highest, taken):
        """Returns fresh numbers, none of which the recording knows, so that a number left unchanged leads nowhere."""
        new, taken = {}, set(old) | set(taken)
        for number in sorted(old):
            while (fresh := self.random.randint(1, highest)) in taken:
                pass
            taken.add(fresh)
            new[number] = fresh
        return new

    def new_ports(self, old):
        """Returns a PortList with the new numbers' bits."""
        bits = {self.port.get(bit + 1, bit + 1) - 1 for bit in bits_of(old)}
        new = bytearray(max([len(old), *(bit // 8 + 1 for bit in bits)]))
        for bit in bits:
            new[bit // 8] |= 0x80 >> bit % 8
        return bytes(new)

    def new_mac(self, old):
        """Returns the new address of a card; groups, zeros and redundancy addresses stay what they are."""
        if old == bytes(6) or old[0] & 1 or old[:5] in (b"\0\0\x5e\0\x01", b"\0\0\x0c\x07\xac"):
            return old
        if old not in self.mac:
            first = (self.random.randrange(256) & 0xfc) | (old[0] & 3)
            self.mac[old] = bytes([first]) + self.random.randbytes(5)
        return self.mac[old]


def bits_of(octets):
    """Returns the places of the bits that are set, the highest of the first byte being 0."""
    return [place for place in range(len(octets) * 8) if octets[place // 8] & 0x80 >> place % 8]


def rename(name, value, renaming):
    arcs = list(name)
    for places, table in ((IF_INDEX_PLACES, renaming.if_index), (PORT_PLACES, renaming.port)):
        for oid, place in places:
            if not below(name, oid):
                continue
            if place == "value":
                value = table.get(value, value)
            else:
                # Below a table's entry the column's number comes first, and then the index.
                position = len(parse_oid(oid)) + place
                if position < len(arcs):
                    arcs[position] = table.get(arcs[position], arcs[position])
    for oid, place in MAC_INDEX_PLACES:
        position = len(parse_oid(oid)) + place
        if below(name, oid) and len(arcs) == position + 6 and max(arcs[position:]) < 256:
            arcs[position:] = renaming.new_mac(bytes(arcs[position:]))
    if below(name, "1.3.6.1.2.1.4.35.1") and len(arcs) > 16 and arcs[11] in (3, 4):
        zone = int.from_bytes(bytes(arcs[-4:]), "big")
        arcs[-4:] = renaming.if_index.get(zone, zone).to_bytes(4, "big")
    if below(name, "1.3.6.1.2.1.4.34.1") and len(arcs) > 16 and arcs[10] in (3, 4):
        zone = int.from_bytes(bytes(arcs[-4:]), "big")
        arcs[-4:] = renaming.if_index.get(zone, zone).to_bytes(4, "big")
    if isinstance(value, bytes):
        value = rename_octets(name, value, renaming)
    return tuple(arcs), value


def rename_octets(name, value, renaming):
    if any(below(name, oid) for oid in BRIDGE_IDS) and len(value) == 8:
        return value[:2] + renaming.new_mac(value[2:])
    if any(below(name, oid) for oid in PORT_LISTS):
        return renaming.new_ports(value)
    if any(below(name, oid) for oid in MAC_VALUES):
        if len(value) == 6:
            return renaming.new_mac(value)
        parts = re.split(rb"[:-]", value)
        if len(parts) == 6 and all(re.fullmatch(rb"[0-9a-fA-F]{1,2}", part) for part in parts):
            return renaming.new_mac(bytes(int(part, 16) for part in parts)).hex(":").encode()
    return value


def objects_of(path):
    """Returns what inspect reads of a recording, {name: (type, value)}, without what snmpsim makes up as it goes."""
    found = {}
    for name, recorded in lines_of(path, READ):
        tag = recorded.split(b"|", 2)[1].decode()
        if ":" not in tag:
            found[name] = (tag.rstrip("x"), snmprec_value(recorded))
    return found


def line(name, tag, value):
    if isinstance(value, bytes):
        return f"{'.'.join(map(str, name))}|{tag}x|{value.hex()}\n"
    text = ".".join(map(str, value)) if isinstance(value, tuple) else value
    return f"{'.'.join(map(str, name))}|{tag}|{text}\n"


def write(path, objects):
    """Writes objects {name: (tag, value)} in the order of their names, as an agent answers."""
    with open(path, "w") as file:
        file.writelines(line(name, *objects[name]) for name in sorted(objects))


def permute(source, copy, seed):
    if not is_snmprec(source):
        raise SystemExit("only .snmprec recordings tell the types of values: convert the walk first")
    recorded = objects_of(source)
    renaming = Renaming({name: value for name, (_, value) in recorded.items()}, seed)
    objects = {}
    for name, (tag, value) in recorded.items():
        new_name, new_value = rename(name, value, renaming)
        objects[new_name] = (tag, new_value)
    write(copy, objects)
    return {"if_index": renaming.if_index, "bridge_port": renaming.port,
            "mac": {old.hex(":"): new.hex(":") for old, new in renaming.mac.items()}}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("recording")
    arguments.add_argument("copy")
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--map")
    options = arguments.parse_args()
    renamed = json.dumps(permute(options.recording, options.copy, options.seed), indent=1)
    if options.map:
        with open(options.map, "w") as file:
            file.write(renamed)
    else:
        print(renamed)


if __name__ == "__main__":
    main()
