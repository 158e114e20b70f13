#!/usr/bin/env python3
"""Says what `inspect` must read from a recording: its forwarding, address and neighbour rows, what it must drop, and
its system group, interfaces and physical parts.

It reads the recording itself, not over SNMP, and follows the MIB definitions, not the product's code:

  forwarding  dot1qTpFdbTable (RFC 4363) and dot1dTpFdbTable (RFC 4188). A row counts when its address can be a
              card's (no group bit, not zero), its status is not invalid(2), its port is a bridge port that
              dot1dBasePortIfIndex leads to an interface. Where there is no dot1dBasePortTable at all, the port is
              taken for the ifIndex. The VLAN is the one whose dot1qVlanFdbId is the row's database; when several
              share it there is none; where the device does not say, the database's number if it numbers them alike.
              A dot1dTpFdbTable row with address and port of a dot1qTpFdbTable row says nothing new.
  addresses   ipNetToPhysicalTable and ipNetToMediaTable (RFC 4293) with an IP address and a card's address, not
              invalid or incomplete. A repeated row says nothing new.
  neighbours  lldpRemTable (IEEE 802.1AB) with a chassis; local ports by lldpLocPortTable; addresses by
              lldpRemManAddrTable.
  interfaces  ifTable and ifXTable (RFC 2863): ifName, else ifDescr; the 64-bit octets, else the 32-bit ones;
              ifHighSpeed where ifSpeed cannot hold the speed.

Usage: read_recording.py RECORDING   prints one JSON object in the form of `inspect`, with the fields it checks.
"""

import collections
import ipaddress
import json
import re
import sys

import read_standard
from recording import dotted, load

IF_DESCR, IF_PHYS = "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.6"
IF_NAME, IF_ALIAS = "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.18"
IF_ENTRY, IF_X_ENTRY = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
BASE_PORT = "1.3.6.1.2.1.17.1.4.1.2"
Q_FDB, D_FDB = "1.3.6.1.2.1.17.7.1.2.2.1", "1.3.6.1.2.1.17.4.3.1"
VLAN_FDB_ID = "1.3.6.1.2.1.17.7.1.4.2.1.3"
MEDIA, PHYSICAL = "1.3.6.1.2.1.4.22.1", "1.3.6.1.2.1.4.35.1"
LLDP = "1.0.8802.1.1.2.1"
LLDP_V2 = "1.3.111.2.802.1.1.13.1.4"
CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1"
DUPLEX = "1.3.6.1.2.1.10.7.2.1.19"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
# The fields of each table that this reader vouches for.
FIELDS = {
    "system": ("name", "description", "object_id", "uptime_s"),
    "interfaces": ("if_index", "name", "alias", "mac", "type_number", "mtu_bytes", "speed_bps", "duplex", "last_change_s",
                   "admin", "oper", "in_octets", "out_octets", "in_unicast_packets", "in_multicast_packets",
                   "in_broadcast_packets", "out_unicast_packets", "out_multicast_packets", "out_broadcast_packets",
                   "in_errors", "out_errors", "in_discards", "out_discards"),
    "entities": ("index", "contained_in", "class", "name", "description", "serial", "model", "manufacturer",
                 "hardware_revision", "firmware_revision", "software_revision"),
    "forwarding": ("mac", "vlan", "fdb_id", "bridge_port", "if_index", "interface", "status"),
    "addresses": ("ip", "zone", "mac", "if_index", "interface"),
    "neighbours": ("protocol", "local_port", "if_index", "local_port_number", "chassis_id", "port_id", "system_name",
                   "management_addresses", "platform"),
    "dropped": ("table", "row", "reason"),
    "quirks": ("quirk", "table", "count"),
} | read_standard.FIELDS
# The quirks that this reader vouches for; those of reading and answering are not in a recording.
QUIRKS = {"duplicate_names", "narrow_counters", "gbk_text"}
# The tables whose dropped rows this reader vouches for.
DROPPED_TABLES = {"dot1qTpFdbTable", "dot1dTpFdbTable", "ipNetToPhysicalTable", "ipNetToMediaTable", "lldpRemTable",
                  "lldpRemManAddrTable", "lldpV2RemTable", "lldpV2RemManAddrTable",
                  "cdpCacheTable"} | read_standard.DROPPED_TABLES

STATES = [None, "up", "down", "testing", "unknown", "dormant", "not_present", "lower_layer_down"]
CLASSES = [None, "other", "unknown", "chassis", "backplane", "container", "power_supply", "fan", "sensor", "module",
           "port", "stack", "cpu"]

TEXTS = {
    "ifTable": [IF_DESCR], "ifXTable": [IF_NAME, IF_ALIAS],
    "entPhysicalTable": [f"{ENTITY}.{number}" for number in (2, 7, 8, 9, 10, 11, 12, 13)],
    "lldpLocPortTable": [f"{LLDP}.3.7.1.4"], "lldpRemTable": [f"{LLDP}.4.1.1.{number}" for number in (8, 9, 10)],
    "dot1qVlanStaticTable": ["1.3.6.1.2.1.17.7.1.4.3.1.1"],
}

STATUS = {1: "other", 3: "learned", 4: "self", 5: "mgmt"}
CHASSIS = [None, "chassis_component", "interface_alias", "port_component", "mac_address", "network_address",
           "interface_name", "local"]
PORT = [None, "interface_alias", "port_component", "mac_address", "network_address", "interface_name",
        "agent_circuit_id", "local"]


class Drop(Exception):
    """The row cannot be used; the argument is the reason."""


def text(octets):
    octets = octets.rstrip(b"\0")
    for encoding in ("utf-8", "gb18030", "latin-1"):
        try:
            decoded = octets.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", decoded).split(" ")).strip() if decoded else ""


def squeezed(octets):
    return re.sub(r" +", " ", text(octets))


def mac_text(octets):
    return ":".join(f"{octet:02x}" for octet in octets)


def as_mac(value):
    """Returns the six bytes of an address, also when it was written as text, else None."""
    if len(value) == 6:
        return bytes(value)
    parts = re.split(rb"[:-]", value)
    if len(parts) == 6 and all(re.fullmatch(rb"[0-9a-fA-F]{1,2}", part) for part in parts):
        return bytes(int(part, 16) for part in parts)
    digits = re.sub(rb"[:.-]", b"", value)
    return bytes.fromhex(digits.decode()) if re.fullmatch(rb"[0-9a-fA-F]{12}", digits) else None


def card(octets):
    if octets == bytes(6):
        raise Drop("zero_mac")
    if octets[0] & 1:
        raise Drop("multicast_mac")
    return mac_text(octets)


def octets_of(arcs):
    if any(arc > 255 for arc in arcs):
        raise Drop("invalid_index_octet")
    return bytes(arcs)


class Device:
    def __init__(self, recording):
        self.recording = recording
        self.dropped = []
        get = recording.column
        names, descrs, aliases, cards = get(IF_NAME), get(IF_DESCR), get(IF_ALIAS), get(IF_PHYS)
        known = {index[1:] for entry in (IF_ENTRY, IF_X_ENTRY) for index in get(entry) if len(index) == 2}
        self.interfaces = {}
        for index in known:
            label = lambda table: squeezed(table[index]) if index in table else ""
            self.interfaces[index[0]] = {
                "name": label(names) or label(descrs) or None, "descr": label(descrs), "alias": label(aliases),
                "mac": as_mac(cards[index]) if index in cards else None,
            }
        self.ports = {index[0]: value for index, value in get(BASE_PORT).items()}

    def name(self, if_index):
        return self.interfaces.get(if_index, {}).get("name")

    def rows(self, table, entry, columns):
        """Yields (index, {column: value}) in order, of every index that one of the columns has."""
        cells = {}
        for number in columns:
            for index, value in self.recording.column(f"{entry}.{number}").items():
                cells.setdefault(index, {})[number] = value
        for index in sorted(cells):
            yield index, cells[index]

    def drop(self, table, index, reason):
        self.dropped.append({"table": table, "row": dotted(index), "reason": str(reason)})

    # System, interfaces, physical parts

    def system(self):
        at = lambda number: self.recording.get((1, 3, 6, 1, 2, 1, 1, number, 0))
        said = lambda value: None if value is None else squeezed(value)
        uptime = at(3)
        return {"name": said(at(5)), "description": said(at(1)), "object_id": dotted(at(2)) if at(2) else None,
                "uptime_s": None if uptime is None else uptime // 100}

    def interface_rows(self):
        get = lambda entry, number: self.recording.column(f"{entry}.{number}")
        base = {number: get(IF_ENTRY, number) for number in range(3, 21)}
        extended = {number: get(IF_X_ENTRY, number) for number in range(2, 19)}
        duplex = self.recording.column(DUPLEX)
        rows = []
        for if_index in sorted(self.interfaces):
            at = lambda table, number: table[number].get((if_index,))
            counted = lambda wide, table, narrow: at(table, narrow) if at(extended, wide) is None else at(extended, wide)
            # The 32-bit counts of groups are of use where an interface has none of the wider ones.
            wide_groups = any(at(extended, number) is not None for number in (8, 9, 12, 13))
            group = lambda wide, narrow: at(extended, wide if wide_groups else narrow)
            alias, changed = at(extended, 18), at(base, 9)
            label = self.interfaces[if_index]
            rows.append({
                "if_index": if_index, "name": label["name"], "alias": None if alias is None else squeezed(alias),
                "mac": mac_text(label["mac"]) if label["mac"] else None,
                "speed_bps": speed(at(base, 5), at(extended, 15)),
                "admin": named_number(STATES, at(base, 7)), "oper": named_number(STATES, at(base, 8)),
                "type_number": at(base, 3), "mtu_bytes": read_standard.positive(at(base, 4)),
                "duplex": named_number([None, "unknown", "half", "full"], duplex.get((if_index,))),
                "last_change_s": None if changed is None else changed // 100,
                "in_octets": counted(6, base, 10), "out_octets": counted(10, base, 16),
                "in_unicast_packets": counted(7, base, 11), "out_unicast_packets": counted(11, base, 17),
                "in_multicast_packets": group(8, 2), "out_multicast_packets": group(12, 4),
                "in_broadcast_packets": group(9, 3), "out_broadcast_packets": group(13, 5),
                "in_errors": at(base, 14), "out_errors": at(base, 20), "in_discards": at(base, 13),
                "out_discards": at(base, 19),
            })
        return rows

    def entities(self):
        columns = {2: "description", 7: "name", 8: "hardware_revision", 9: "firmware_revision",
                   10: "software_revision", 11: "serial", 12: "manufacturer", 13: "model"}
        rows = []
        for index, cells in self.rows("entPhysicalTable", ENTITY, (2, 4, 5, 7, 8, 9, 10, 11, 12, 13)):
            row = {name: None if cells.get(number) is None else squeezed(cells[number])
                   for number, name in columns.items()}
            rows.append(row | {"index": index[0], "class": named_number(CLASSES, cells.get(5)),
                               "contained_in": cells.get(4)})
        return rows

    # Quirks

    def quirks(self):
        """Returns what is peculiar about interfaces and texts."""
        names = collections.Counter(squeezed(name) for name in self.recording.column(IF_NAME).values())
        wide = self.recording.column(f"{IF_X_ENTRY}.6")
        found = {
            ("duplicate_names", "ifXTable"): sum(count for name, count in names.items() if name and count > 1),
            ("narrow_counters", "ifXTable"): len(set(self.recording.column(f"{IF_ENTRY}.10")) - set(wide)),
        }
        for table, columns in TEXTS.items():
            found["gbk_text", table] = max(sum(map(is_gbk, self.recording.column(column).values()))
                                           for column in columns)
        if any(is_gbk(self.recording.get((1, 3, 6, 1, 2, 1, 1, number, 0), b"")) for number in (1, 4, 5, 6)):
            found["gbk_text", "device"] = None
        return [{"quirk": quirk, "table": table, "count": count} for (quirk, table), count in found.items() if count != 0]

    # Forwarding

    def if_index_of(self, port):
        if not self.ports and port in self.interfaces:
            return port
        return self.ports.get(port)

    def forwarding_row(self, octets, cells):
        mac = card(octets)
        if cells.get(3) == 2:
            raise Drop("status_invalid")
        if 2 not in cells:
            raise Drop("port_missing")
        port = cells[2]
        if port == 0:
            raise Drop("port_zero")
        if_index = self.if_index_of(port)
        if if_index is None:
            raise Drop("bridge_port_unknown")
        if if_index not in self.interfaces:
            raise Drop("interface_unknown")
        status = STATUS.get(cells[3], "other") if 3 in cells else None
        return {"mac": mac, "bridge_port": port, "if_index": if_index, "interface": self.name(if_index),
                "status": status}

    def vlan_of(self, database):
        sharing = {}
        for index, fdb in self.recording.column(VLAN_FDB_ID).items():
            sharing.setdefault(fdb, set()).add(read_standard.marked_vlan(index))
        if database in sharing:
            return min(sharing[database]) if len(sharing[database]) == 1 else None
        alike = all(vlans == {fdb} for fdb, vlans in sharing.items())
        return database if alike and 1 <= database <= 4094 else None

    def forwarding(self):
        rows, told, vlans = [], set(), {}
        for index, cells in self.rows("dot1qTpFdbTable", Q_FDB, (2, 3)):
            try:
                if len(index) != 7:
                    raise Drop("invalid_index_length")
                row = self.forwarding_row(octets_of(index[1:]), cells)
            except Drop as reason:
                self.drop("dot1qTpFdbTable", index, reason)
                continue
            vlans.setdefault(index[0], self.vlan_of(index[0]) if index[0] not in vlans else vlans[index[0]])
            told.add((row["mac"], row["bridge_port"]))
            rows.append(row | {"vlan": vlans[index[0]], "fdb_id": index[0]})
        for index, cells in self.rows("dot1dTpFdbTable", D_FDB, (2, 3)):
            try:
                if len(index) != 6:
                    raise Drop("invalid_index_length")
                row = self.forwarding_row(octets_of(index), cells)
                if (row["mac"], row["bridge_port"]) in told:
                    raise Drop("also_in_q_bridge")
                rows.append(row | {"vlan": None, "fdb_id": None})
            except Drop as reason:
                self.drop("dot1dTpFdbTable", index, reason)
        return rows

    # Addresses

    def resolved(self, address, zone, if_index, octets, kind, state=None):
        if state == 5:
            raise Drop("mapping_invalid")
        if state == 7:
            raise Drop("mapping_incomplete")
        if kind == 2:
            raise Drop("mapping_invalid")
        if not octets:
            raise Drop("mac_missing")
        mac = as_mac(octets)
        if mac is None:
            raise Drop("invalid_mac_length")
        return {"ip": str(address), "zone": zone, "mac": card(mac), "if_index": if_index,
                "interface": self.name(if_index)}

    def physical_row(self, index, cells):
        if len(index) < 3 or len(index) < 3 + index[2]:
            raise Drop("invalid_index_length")
        kind, length = index[1], index[2]
        octets = octets_of(index[3:3 + length])
        sizes = {1: (4, 0), 2: (16, 0), 3: (4, 4), 4: (16, 4)}
        if kind not in sizes:
            raise Drop("unknown_address_type")
        size, zone_size = sizes[kind]
        if length != size + zone_size:
            raise Drop("invalid_address_length")
        if len(index) != 3 + length:
            raise Drop("invalid_index_length")
        zone = int.from_bytes(octets[size:], "big") if zone_size else None
        return self.resolved(ipaddress.ip_address(octets[:size]), zone, index[0], cells.get(4), cells.get(6),
                             cells.get(7))

    def addresses(self):
        rows, told = [], set()
        for index, cells in self.rows("ipNetToPhysicalTable", PHYSICAL, (4, 6, 7)):
            try:
                row = self.physical_row(index, cells)
                told.add((row["ip"], row["mac"], row["if_index"]))
                rows.append(row)
            except Drop as reason:
                self.drop("ipNetToPhysicalTable", index, reason)
        for index, cells in self.rows("ipNetToMediaTable", MEDIA, (2, 4)):
            try:
                if len(index) != 5:
                    raise Drop("invalid_index_length")
                address = ipaddress.ip_address(octets_of(index[1:]))
                if not cells.get(2):
                    raise Drop("mac_missing")
                if as_mac(cells[2]) is None:
                    raise Drop("invalid_mac_length")
                card(as_mac(cells[2]))
                row = self.resolved(address, None, index[0], cells[2], cells.get(4))
                if (row["ip"], row["mac"], row["if_index"]) in told:
                    raise Drop("also_in_ip_net_to_physical")
                rows.append(row)
            except Drop as reason:
                self.drop("ipNetToMediaTable", index, reason)
        return rows

    # Neighbours

    def only(self, **wanted):
        """Returns the one interface with these properties, None when there is none or several."""
        found = [index for index, label in self.interfaces.items()
                 if all(value and label[key] == value for key, value in wanted.items())]
        return found[0] if len(found) == 1 else None

    def named(self, wanted):
        found = [index for index, label in self.interfaces.items() if wanted in (label["name"], label["descr"])]
        return found[0] if len(found) == 1 else None

    def local_port(self, number):
        """Returns (name, ifIndex) of an LldpPortNumber."""
        entry = lambda column_number: self.recording.column(f"{LLDP}.3.7.1.{column_number}").get((number,))
        kind, octets, description = entry(2), entry(3) or b"", squeezed(entry(4) or b"")
        said, found = squeezed(octets), None
        if kind == 5:
            found = self.named(said)
        elif kind == 1:
            found = self.only(alias=said) or self.named(said)
        elif kind == 3 and as_mac(octets):
            found = self.only(mac=as_mac(octets))
        elif kind == 7:
            found = self.named(said)
            if found is None and said.isdigit() and int(said) in self.interfaces:
                found = int(said)
        if found is None and description:
            found = self.only(descr=description) or self.only(name=description) or self.only(alias=description)
        if found is None:
            port = self.if_index_of(number)
            found = port if port in self.interfaces else number if number in self.interfaces else None
        return (self.name(found) if found is not None else None) or readable(octets) or None, found

    def neighbours(self):
        rows = {}
        for index, cells in self.rows("lldpRemTable", f"{LLDP}.4.1.1", (4, 5, 6, 7, 8, 9, 10, 12)):
            try:
                if len(index) != 3:
                    raise Drop("invalid_index_length")
                if not cells.get(5):
                    raise Drop("chassis_id_missing")
            except Drop as reason:
                self.drop("lldpRemTable", index, reason)
                continue
            local_port, if_index = self.local_port(index[1])
            rows[index] = {
                "protocol": "lldp", "local_port": local_port, "if_index": if_index, "local_port_number": index[1],
                "chassis_id": identifier(CHASSIS, cells.get(4), cells[5]),
                "port_id": identifier(PORT, cells.get(6), cells[7]) if 7 in cells else None,
                "system_name": squeezed(cells[9]) if 9 in cells else None,
                "management_addresses": [],
            }
        for index, _ in self.rows("lldpRemManAddrTable", f"{LLDP}.4.2.1", (3,)):
            if not rows and not self.recording.column(f"{LLDP}.4.1.1"):
                break  # Without lldpRemTable there is nobody whose address it could be.
            try:
                if len(index) < 5 or len(index) != 5 + index[4]:
                    raise Drop("invalid_index_length")
                octets = octets_of(index[5:])
                if index[3] not in (1, 2):
                    raise Drop("unknown_address_type")
                if len(octets) != {1: 4, 2: 16}[index[3]]:
                    raise Drop("invalid_address_length")
                if index[:3] not in rows:
                    raise Drop("neighbour_unknown")
                rows[index[:3]]["management_addresses"].append(str(ipaddress.ip_address(octets)))
            except Drop as reason:
                self.drop("lldpRemManAddrTable", index, reason)
        found = list(rows.values())
        return (found or self.neighbours_v2()) + self.cdp_neighbours()

    def neighbours_v2(self):
        rows = {}
        for index, cells in self.rows("lldpV2RemTable", f"{LLDP_V2}.1.1", (5, 6, 7, 8, 9, 10, 11, 13)):
            if len(index) != 4 or not cells.get(6):
                self.drop("lldpV2RemTable", index, "chassis_id_missing" if len(index) == 4 else "invalid_index_length")
                continue
            if_index = index[1] if index[1] in self.interfaces else None
            rows[index] = {
                "protocol": "lldp", "local_port": self.name(if_index), "if_index": if_index,
                "local_port_number": index[1], "chassis_id": identifier(CHASSIS, cells.get(5), cells[6]),
                "port_id": identifier(PORT, cells.get(7), cells[8]) if 8 in cells else None,
                "system_name": squeezed(cells[10]) if 10 in cells else None, "management_addresses": [],
            }
        return list(rows.values())

    def cdp_neighbours(self):
        rows = []
        for index, cells in self.rows("cdpCacheTable", CDP, (3, 4, 5, 6, 7, 8, 9, 17)):
            if len(index) != 2 or not readable(cells.get(6, b"")):
                self.drop("cdpCacheTable", index, "chassis_id_missing" if len(index) == 2 else "invalid_index_length")
                continue
            if_index = index[0] if index[0] in self.interfaces else None
            address = cells.get(4, b"")
            size = {1: 4, 20: 16}.get(cells.get(3))
            rows.append({
                "protocol": "cdp", "local_port": self.name(if_index), "if_index": if_index,
                "local_port_number": index[0], "chassis_id": readable(cells[6]),
                "port_id": readable(cells[7]) if 7 in cells else None,
                "system_name": squeezed(cells.get(17, b"")) or None,
                "platform": squeezed(cells[8]) if 8 in cells else None,
                "management_addresses": [str(ipaddress.ip_address(address))] if len(address) == size and any(address)
                                        else [],
            })
        return rows


def is_gbk(octets):
    if not isinstance(octets, bytes):
        return False
    try:
        octets.decode("utf-8")
        return False
    except UnicodeDecodeError:
        pass
    try:
        octets.decode("gb18030")
        return True
    except UnicodeDecodeError:
        return False


def named_number(names, number):
    return names[number] if number is not None and 0 < number < len(names) else None


def speed(low, high_mbps):
    """ifSpeed in bits a second is right from 1 to 2^32 - 2; beyond it ifHighSpeed speaks."""
    if high_mbps and high_mbps * 10**6 >= 2**32:
        return high_mbps * 10**6
    if low is not None and 0 < low < 2**32 - 1:
        return low
    if high_mbps:
        return high_mbps * 10**6
    return 0 if low == 0 or high_mbps == 0 else low


def readable(octets):
    stripped = octets.rstrip(b"\0")
    if all(octet in b"\t\n\f\r " or not (octet < 32 or octet == 127) for octet in stripped):
        return squeezed(octets)
    return mac_text(octets)


def identifier(kinds, kind, octets):
    kind = kinds[kind] if kind is not None and 0 < kind < len(kinds) else None
    if kind == "mac_address" and as_mac(octets):
        return mac_text(as_mac(octets))
    if kind == "network_address" and (octets[0], len(octets)) in ((1, 5), (2, 17)):
        return str(ipaddress.ip_address(octets[1:]))
    return readable(octets)


def read(path):
    device = Device(load(path))
    return {"system": [device.system()], "interfaces": device.interface_rows(), "forwarding": device.forwarding(),
            "addresses": device.addresses(), "neighbours": device.neighbours(), "entities": device.entities(),
            **read_standard.Standard(device, squeezed, as_mac, mac_text).read(), "dropped": device.dropped,
            "quirks": device.quirks()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    json.dump(read(sys.argv[1]), sys.stdout, ensure_ascii=False, indent=1)
    print()
