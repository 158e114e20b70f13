"""Splits a recording into those of a switch that keeps a forwarding table a VLAN, each in a context of its own, as Cisco's
do: the addresses are dealt out to the first VLANs in use, and each VLAN's bridge has its share, served as NAME@VLAN."""

import permute_recording
from read_recording import Device, DROPPED_TABLES
from recording import Recording, load

DEVICE = "network/router/cisco-unmarked-0"
VLANS_MAX = 6
VTP_STATE, VTP = "1.3.6.1.4.1.9.9.46.1.3.1.1.2", "1.3.6.1.4.1.9.9.46.1.3.1.1"
FDB, BASE_PORT, SYSTEM = "1.3.6.1.2.1.17.4.3.1", "1.3.6.1.2.1.17.1.4.1", "1.3.6.1.2.1.1"
below = permute_recording.below


def split(path, name, served):
    """Writes the recordings. Returns (the device's own, {VLAN: its context's})."""
    objects = permute_recording.objects_of(path)
    vlans = sorted(oid[-1] for oid, (_, value) in objects.items()
                   if below(oid, VTP_STATE) and value == 1 and oid[-1] < 1002)[:VLANS_MAX]
    cards = sorted({oid[-6:] for oid in objects if below(oid, FDB)})
    vlan_of = {card: vlans[place % len(vlans)] for place, card in enumerate(cards)}
    contexts = {}
    for vlan in vlans:
        kept = {oid: value for oid, value in objects.items()
                if below(oid, BASE_PORT) or below(oid, SYSTEM) or below(oid, FDB) and vlan_of[oid[-6:]] == vlan}
        contexts[vlan] = served / f"{name}@{vlan}.snmprec"
        permute_recording.write(contexts[vlan], kept)
    # The default context is the bridge of the first VLAN.
    own = {oid: value for oid, value in objects.items()
           if not (below(oid, FDB) and vlan_of[oid[-6:]] != vlans[0] or below(oid, VTP) and oid[-1] not in vlans)}
    whole = served / f"{name}.snmprec"
    permute_recording.write(whole, own)
    return whole, contexts


def expected(whole, contexts):
    """Returns the forwarding rows, and the rows dropped of the forwarding tables."""
    own = load(whole)
    interfaces = {oid: value for oid, value in own.items() if not below(oid, FDB) and not below(oid, BASE_PORT)}
    rows, dropped, told = [], [], set()
    for vlan, file in contexts.items():
        device = Device(Recording(interfaces | load(file)))
        found = device.forwarding()
        rows += [row | {"vlan": vlan} for row in found]
        dropped += [row | {"table": "dot1dTpFdbTable@vlan"} for row in device.dropped]
        told |= {(row["mac"], row["if_index"]) for row in found}
    device = Device(own)
    for row in device.forwarding():
        if (row["mac"], row["if_index"]) in told:
            index = ".".join(str(int(octet, 16)) for octet in row["mac"].split(":"))
            device.drop("dot1dTpFdbTable", tuple(map(int, index.split("."))), "also_in_vlan_context")
        else:
            rows.append(row)
    return rows, dropped + [row for row in device.dropped if row["table"] in DROPPED_TABLES]
