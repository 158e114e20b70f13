"""Reads from a recording what read_recording.py leaves: spanning tree, VLANs, aggregation, the device's own addresses, next
hops and connected prefixes, and neighbours by LLDP-V2-MIB and CDP; after the MIB definitions, not the product's code.

  vlans               dot1qVlanCurrentTable, else dot1qVlanStaticTable (RFC 4363), which also has the names. Bit n of a
                      PortList, the highest of the first byte being 1, is bridge port n. Without any: vtpVlanTable, with
                      the ports of vmMembershipTable and of trunks (vlanTrunkPortTable).
  port_vlans          dot1qPvid; without VLANs there vmVlan, or a trunk's native VLAN.
  lag_members         dot3adAggPortAttachedAggID, else SelectedAggID, neither 0 nor the port itself; for a port without
                      them ifStackTable, where an active row has an aggregate above and an Ethernet interface below.
  own_addresses       ipAddressTable, completed by ipAddrTable.
  next_hops           of remote (indirect) routes; connected_prefixes of local (direct) ones and of the own addresses; of
                      the first ROUTES routes by destination in inetCidrRouteTable, else ipCidrRouteTable, else ipRouteTable.
"""

import ipaddress

MODERN_ADDRESS, OLD_ADDRESS = "1.3.6.1.2.1.4.34.1", "1.3.6.1.2.1.4.20.1"
PREFIX_ORIGIN = (1, 3, 6, 1, 2, 1, 4, 32, 1, 5)
INET_ROUTE, CIDR_ROUTE, OLD_ROUTE = "1.3.6.1.2.1.4.24.7.1", "1.3.6.1.2.1.4.24.4.1", "1.3.6.1.2.1.4.21.1"
ROUTES = 8192
Q_VLAN = "1.3.6.1.2.1.17.7.1.4"
VTP, TRUNK, MEMBER = "1.3.6.1.4.1.9.9.46.1.3.1.1", "1.3.6.1.4.1.9.9.46.1.6.1.1", "1.3.6.1.4.1.9.9.68.1.2.2.1"
LAG, STACK = "1.2.840.10006.300.43.1.2.1.1", "1.3.6.1.2.1.31.1.2.1.3"
IF_TYPE = "1.3.6.1.2.1.2.2.1.3"
STP = "1.3.6.1.2.1.17.2"
STP_STATES = {1: "disabled", 2: "blocking", 3: "listening", 4: "learning", 5: "forwarding", 6: "broken"}

FIELDS = {
    "bridge": ("address", "stp_priority", "stp_topology_changes", "stp_root", "stp_root_cost", "stp_root_port"),
    "stp_ports": ("bridge_port", "if_index", "interface", "state", "path_cost", "designated_root", "designated_bridge",
                  "designated_port"),
    "vlans": ("vlan", "name", "fdb_id", "egress_if_indexes", "untagged_if_indexes", "source"),
    "port_vlans": ("if_index", "interface", "pvid", "source"),
    "lag_members": ("if_index", "interface", "aggregate_if_index", "aggregate", "attached", "partner_system",
                    "partner_key", "partner_port", "source"),
    "own_addresses": ("ip", "zone", "prefix_bits", "if_index", "interface", "source"),
    "next_hops": ("ip", "if_index", "interface", "routes", "default_route"),
    "connected_prefixes": ("prefix", "if_index", "interface", "source"),
}
DROPPED_TABLES = {"dot1qVlanCurrentTable", "dot1qVlanStaticTable", "dot1qPortVlanTable", "vtpVlanTable",
                  "vmMembershipTable", "vlanTrunkPortTable", "dot3adAggPortTable", "ifStackTable", "ipAddressTable",
                  "ipAddrTable", "inetCidrRouteTable", "ipCidrRouteTable", "ipRouteTable"}


class Drop(Exception):
    """The row cannot be used; the argument is the reason."""


class Standard:
    """The tables above, of a Device of read_recording.py."""

    def __init__(self, device, squeezed, as_mac, mac_text):
        self.device, self.squeezed, self.as_mac, self.mac_text = device, squeezed, as_mac, mac_text
        self.columns = device.recording.column

    def each(self, table, entry, numbers, decode, most=None):
        """Calls decode(index, cells) for the rows of a table; what it drops is noted."""
        found = []
        for index, cells in self.first(self.device.rows(table, entry, numbers), most, entry, numbers):
            try:
                row = decode(index, cells)
                if row is not None:
                    found.append(row)
            except Drop as reason:
                self.device.drop(table, index, reason)
        return found

    def first(self, rows, most, entry, numbers):
        """Of each column, only the first rows are read."""
        if most is None:
            return rows
        allowed = {number: set(sorted(self.columns(f"{entry}.{number}"))[:most]) for number in numbers}
        cut = ((index, {number: value for number, value in cells.items() if index in allowed[number]})
               for index, cells in rows)
        return [(index, cells) for index, cells in cut if cells]

    def known(self, if_index):
        if if_index not in self.device.interfaces:
            raise Drop("interface_unknown")
        return self.device.name(if_index)

    # Spanning tree

    def bridge_id(self, value):
        if not isinstance(value, bytes) or len(value) != 8:
            return None
        return {"priority": int.from_bytes(value[:2], "big"), "mac": self.mac_text(value[2:])}

    def bridge(self):
        at = lambda *arcs: self.device.recording.get((1, 3, 6, 1, 2, 1, 17, *arcs, 0))
        mac = self.as_mac(at(1, 1)) if isinstance(at(1, 1), bytes) else None
        row = {"address": self.mac_text(mac) if mac else None, "stp_priority": positive(at(2, 2)),
               "stp_topology_changes": at(2, 4), "stp_root": self.bridge_id(at(2, 5)),
               "stp_root_cost": positive(at(2, 6)), "stp_root_port": positive(at(2, 7))}
        ports = []
        for index, cells in self.device.rows("dot1dStpPortTable", f"{STP}.15.1", (3, 5, 6, 8, 9)):
            if len(index) != 1:
                continue
            if_index, port = self.device.if_index_of(index[0]), cells.get(9)
            ports.append({"bridge_port": index[0], "if_index": if_index, "interface": self.device.name(if_index),
                          "state": STP_STATES.get(cells.get(3)), "path_cost": positive(cells.get(5)),
                          "designated_root": self.bridge_id(cells.get(6)),
                          "designated_bridge": self.bridge_id(cells.get(8)),
                          "designated_port": int.from_bytes(port, "big") if port and len(port) == 2 else None})
        empty = not ports and all(value is None for value in row.values())
        return ([] if empty else [row]), ports

    # VLANs

    def port_list(self, octets):
        """Returns the interfaces of a PortList."""
        bits = [place for place in range(len(octets or b"") * 8) if octets[place // 8] & 0x80 >> place % 8]
        found = {self.device.if_index_of(bit + 1) for bit in bits}
        return sorted(if_index for if_index in found if if_index in self.device.interfaces)

    def vlans(self):
        found = {}

        def current(index, cells):
            found[vlan_in(index, (1, 2))] = {
                "name": None, "fdb_id": cells.get(3), "egress_if_indexes": self.port_list(cells.get(4)),
                "untagged_if_indexes": self.port_list(cells.get(5)), "source": "dot1qVlanCurrentTable"}

        def static(index, cells):
            vlan = vlan_in(index, (1,))
            row = found.setdefault(vlan, {
                "fdb_id": None, "egress_if_indexes": self.port_list(cells.get(2)),
                "untagged_if_indexes": self.port_list(cells.get(4)), "source": "dot1qVlanStaticTable"})
            row["name"] = self.squeezed(cells[1]) if 1 in cells else None

        def pvid(index, cells):
            if len(index) != 1:
                raise Drop("invalid_index_length")
            if_index = self.device.if_index_of(index[0])
            if if_index is None:
                raise Drop("bridge_port_unknown")
            vlan = a_vlan(cells.get(1))
            return {"if_index": if_index, "interface": self.known(if_index), "pvid": vlan,
                    "source": "dot1qPortVlanTable"}

        self.each("dot1qVlanCurrentTable", f"{Q_VLAN}.2.1", (3, 4, 5), current)
        self.each("dot1qVlanStaticTable", f"{Q_VLAN}.3.1", (1, 2, 4), static)
        ports = self.each("dot1qPortVlanTable", f"{Q_VLAN}.5.1", (1,), pvid)
        if not found:
            found, natives = self.cisco_vlans()
            ports += natives
        return [row | {"vlan": vlan} for vlan, row in found.items()], ports

    def cisco_vlans(self):
        found, ports = {}, {}

        def vtp(index, cells):
            if len(index) != 2:
                raise Drop("invalid_index_length")
            vlan = a_vlan(index[1])
            if cells.get(3, 1) != 1:
                raise Drop("not_ethernet")
            found[vlan] = {"name": self.squeezed(cells[4]) if 4 in cells else None, "fdb_id": None,
                           "egress_if_indexes": [], "untagged_if_indexes": [], "source": "vtpVlanTable"}

        def port(index):
            if len(index) != 1:
                raise Drop("invalid_index_length")
            self.known(index[0])
            return index[0]

        def member(index, cells):
            if_index = port(index)
            ports[if_index] = ("vmMembershipTable", a_vlan(cells.get(2)), set())

        def trunk(index, cells):
            if cells.get(14) != 1:
                return
            carried = set()
            for part, number in enumerate((4, 17, 18, 19)):
                octets = cells.get(number) or b""
                carried |= {part * 1024 + bit for bit in range(min(len(octets) * 8, 1024))
                            if octets[bit // 8] & 0x80 >> bit % 8}
            native = cells.get(5)
            ports[port(index)] = ("vlanTrunkPortTable", native if native and 1 <= native <= 4094 else None, carried)

        self.each("vtpVlanTable", VTP, (2, 3, 4), vtp)
        if self.any(VTP, (2, 3, 4)):
            self.each("vmMembershipTable", MEMBER, (2,), member)
            self.each("vlanTrunkPortTable", TRUNK, (4, 5, 14, 17, 18, 19), trunk)
        for if_index, (_, native, carried) in sorted(ports.items()):
            for vlan, row in found.items():
                if vlan == native:
                    row["untagged_if_indexes"].append(if_index)
                if vlan == native or vlan in carried:
                    row["egress_if_indexes"].append(if_index)
        return found, [{"if_index": if_index, "interface": self.device.name(if_index), "pvid": native, "source": source}
                       for if_index, (source, native, _) in ports.items() if native is not None]

    def any(self, entry, numbers):
        return any(self.columns(f"{entry}.{number}") for number in numbers)

    # Aggregation

    def lag_members(self):
        types = {index[0]: kind for index, kind in self.columns(IF_TYPE).items() if len(index) == 1}

        def aggregated(index, cells):
            if len(index) != 1:
                raise Drop("invalid_index_length")
            attached, selected = (cells.get(number) if cells.get(number) != index[0] else 0 for number in (13, 12))
            if not attached and not selected:
                raise Drop("not_aggregated")
            partner = self.as_mac(cells[9]) if isinstance(cells.get(9), bytes) else None
            partner = partner if partner and any(partner) else None
            return {"if_index": index[0], "interface": self.known(index[0]), "attached": bool(attached),
                    "aggregate_if_index": attached or selected, "aggregate": self.known(attached or selected),
                    "partner_system": self.mac_text(partner) if partner else None,
                    "partner_key": cells.get(11) if partner else None,
                    "partner_port": cells.get(17) if partner else None, "source": "dot3adAggPortTable"}

        def stacked(index, cells):
            if len(index) != 2:
                raise Drop("invalid_index_length")
            above, below = index
            if cells[3] != 1 or types.get(above) not in (54, 161) or types.get(below) not in (6, 62, 69, 117):
                return None
            return {"if_index": below, "interface": self.known(below), "attached": None, "aggregate_if_index": above,
                    "aggregate": self.known(above), "partner_system": None, "partner_key": None, "partner_port": None,
                    "source": "ifStackTable"}

        rows = self.each("dot3adAggPortTable", LAG, (9, 11, 12, 13, 17), aggregated)
        if {54, 161} & set(types.values()):
            told = {row["if_index"] for row in rows}
            for row in self.each("ifStackTable", STACK[:-2], (3,), stacked):
                if row["if_index"] not in told:
                    told.add(row["if_index"])
                    rows.append(row)
        return rows

    # Addresses and routes

    def own_addresses(self):
        found = {}

        def add(ip, zone, bits, if_index, source):
            if not if_index or if_index < 0:
                raise Drop("port_missing")
            row = found.setdefault((ip, zone), {
                "ip": str(ip), "zone": zone, "prefix_bits": bits, "if_index": if_index,
                "interface": self.device.name(if_index), "source": source})
            if row["prefix_bits"] is None:
                row["prefix_bits"] = bits

        def modern(index, cells):
            (ip, zone), rest = inet_address(index)
            if rest:
                raise Drop("invalid_index_length")
            if cells.get(4) == 3:
                raise Drop("not_unicast")
            pointer, bits = cells.get(5), None
            if isinstance(pointer, tuple) and pointer[:10] == PREFIX_ORIGIN and 0 <= pointer[-1] <= ip.max_prefixlen:
                bits = pointer[-1] if len(pointer) > 10 else None
            add(ip, zone, bits, cells.get(3), "ipAddressTable")

        def old(index, cells):
            if len(index) != 4:
                raise Drop("invalid_index_length")
            add(ipaddress.ip_address(octets_of(index)), None, mask_bits(cells.get(3)), cells.get(2), "ipAddrTable")

        self.each("ipAddressTable", MODERN_ADDRESS, (3, 4, 5), modern)
        self.each("ipAddrTable", OLD_ADDRESS, (2, 3), old)
        return list(found.values())

    def routes(self, own):
        """Returns (next hops, connected prefixes)."""
        hops, connected = {}, {}

        def connect(prefix, if_index, source):
            first = prefix.network_address
            if first.is_loopback or first.is_multicast or first.is_unspecified:
                return
            if 0 < prefix.prefixlen < prefix.max_prefixlen:
                connected.setdefault((prefix, if_index), {
                    "prefix": str(prefix), "if_index": if_index, "interface": self.device.name(if_index),
                    "source": source})

        for row in own:
            if row["prefix_bits"] is not None:
                connect(ipaddress.ip_network(f"{row['ip']}/{row['prefix_bits']}", strict=False), row["if_index"],
                        row["source"])

        def take(table, prefix, hop, if_index, kind):
            if_index = if_index if if_index and if_index > 0 else None
            if kind == 3 and prefix is not None:
                connect(prefix, if_index, table)
            if kind == 4 and hop and not (hop.is_unspecified or hop.is_loopback or hop.is_multicast):
                row = hops.setdefault((hop, if_index), {
                    "ip": str(hop), "if_index": if_index, "interface": self.device.name(if_index), "routes": 0,
                    "default_route": False})
                row["routes"] += 1
                row["default_route"] |= prefix is not None and prefix.prefixlen == 0

        def inet(index, cells):
            (destination, _), rest = inet_address(index)
            if len(rest) < 2 or len(rest) < 2 + rest[1]:
                raise Drop("invalid_index_length")
            bits, rest = rest[0], rest[2 + rest[1]:]
            if rest[:2] == (0, 0):
                hop, rest = None, rest[2:]
            else:
                (hop, _), rest = inet_address(rest)
            if rest:
                raise Drop("invalid_index_length")
            if bits > destination.max_prefixlen:
                raise Drop("invalid_address_length")
            take("inetCidrRouteTable", ipaddress.ip_network((destination, bits), strict=False), hop, cells.get(7),
                 cells.get(8))

        def cidr(index, cells):
            if len(index) != 13:
                raise Drop("invalid_index_length")
            octets = octets_of(index[:8]) + b"\0" + octets_of(index[9:])
            take("ipCidrRouteTable", masked(octets[:4], octets[4:8]), ipaddress.ip_address(octets[9:]), cells.get(5),
                 cells.get(6))

        def old(index, cells):
            if len(index) != 4:
                raise Drop("invalid_index_length")
            hop = cells.get(7)
            take("ipRouteTable", masked(octets_of(index), cells[11]) if 11 in cells else None,
                 ipaddress.ip_address(hop) if hop and len(hop) == 4 else None, cells.get(2), cells.get(8))

        for table, entry, numbers, decode in (("inetCidrRouteTable", INET_ROUTE, (7, 8), inet),
                                              ("ipCidrRouteTable", CIDR_ROUTE, (5, 6), cidr),
                                              ("ipRouteTable", OLD_ROUTE, (2, 7, 8, 11), old)):
            if self.any(entry, numbers):
                self.each(table, entry, numbers, decode, ROUTES)
                break
        return list(hops.values()), list(connected.values())

    def read(self):
        bridge, stp_ports = self.bridge()
        vlans, port_vlans = self.vlans()
        own = self.own_addresses()
        next_hops, connected = self.routes(own)
        return {"bridge": bridge, "stp_ports": stp_ports, "vlans": vlans, "port_vlans": port_vlans,
                "lag_members": self.lag_members(), "own_addresses": own, "next_hops": next_hops,
                "connected_prefixes": connected}


def positive(number):
    return number if isinstance(number, int) and number >= 0 else None


def octets_of(arcs):
    if any(arc > 255 for arc in arcs):
        raise Drop("invalid_index_octet")
    return bytes(arcs)


def a_vlan(number):
    if number is None or not 1 <= number <= 4094:
        raise Drop("invalid_vlan")
    return number


def vlan_in(index, lengths):
    if len(index) not in lengths:
        raise Drop("invalid_index_length")
    return a_vlan(marked_vlan(index))


def marked_vlan(index):
    """Returns the VLAN of an index with a time mark before it, none, or, as ZTE has it, one of 0 after it."""
    return index[0] if len(index) == 2 and index[1] == 0 else index[-1]


def inet_address(index):
    """Returns ((address, zone), the rest of the index) of an InetAddressType and InetAddress (RFC 4001)."""
    if len(index) < 2 or len(index) < 2 + index[1]:
        raise Drop("invalid_index_length")
    kind, length = index[0], index[1]
    octets = octets_of(index[2:2 + length])
    sizes = {1: (4, 0), 2: (16, 0), 3: (4, 4), 4: (16, 4)}
    if kind not in sizes:
        raise Drop("unknown_address_type")
    size, zone = sizes[kind]
    if length != size + zone:
        raise Drop("invalid_address_length")
    return (ipaddress.ip_address(octets[:size]), int.from_bytes(octets[size:], "big") if zone else None), \
        index[2 + length:]


def mask_bits(octets):
    """Returns how many bits a mask has; None for one that is no mask, and for one without bits."""
    if not octets or len(octets) != 4:
        return None
    bits = f"{int.from_bytes(octets, 'big'):032b}".rstrip("0")
    return len(bits) if bits and set(bits) == {"1"} else None


def masked(destination, mask):
    """Returns a prefix; only the default route has a mask without bits."""
    if mask == bytes(4):
        return ipaddress.ip_network("0.0.0.0/0") if destination == bytes(4) else None
    bits = mask_bits(mask)
    return ipaddress.ip_network((ipaddress.ip_address(destination), bits), strict=False) if bits else None
