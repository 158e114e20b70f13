"""Compares the TCP and UDP flows of `replay` with tshark's conversations, capture by capture.

tshark only decodes here: each of its packets is put into the stream it says (tcp.stream, udp.stream), and originator,
packets and bytes of the streams are compared with ours as multisets; of streams inside tunnels, packets alone, since tshark
does not tell the length of what is inside. Where they differ, the difference has to be one of
those explained in EXPLAINED, which names each capture; one that is explained and does not differ is a failure too.
Each community id that tshark gives to a packet that is not in a tunnel has to be one of ours, but for UNNAMED.
"""

import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys

# Why a capture's flows differ from tshark's conversations. The first word is the kind of difference.
EXPLAINED = {
    # tshark without reassembly leaves later fragments out of the conversation; ours joins them to it.
    "dns-edns-ecs.pcap": "fragments",
    "ipv4__fragmented-1.pcap": "fragments",
    "ipv4__fragmented-2.pcap": "fragments",
    "ipv4__fragmented-4.pcap": "fragments",
    "ipv6-fragmented-dns.pcap": "fragments",
    "tunnels__gtp__gtp2_different_udp_port.pcap": "fragments",
    "tunnels__gtp__gtp_ext_header.pcap": "fragments",
    # A TCP header whose data offset lies is no segment to us.
    "ipv4__fragmented-syn.pcap": "malformed",
    # The same addresses and ports in different VLANs are different flows, since address spaces overlap;
    # two of these captures have the two directions of a conversation in different VLANs.
    "dns__sshfp-trunc.pcap": "vlan",
    "ldap__gap-data-missing.pcapng": "vlan",
    "vlan-collisions.pcap": "vlan",
    "vlan-pcp-dei.pcapng": "vlan",
    # tshark widens conversations of protocols that answer from, or to, another port (portmapper, SNMP).
    "nfs__nfs_write_bad_stable_how.pcap": "wildcard",
    "rpc-portmap-sadmind.pcap": "wildcard",
    "snmp__leak_test.pcapng": "wildcard",
    "snmp__snmpv1_get_short.pcap": "wildcard",
    "snmp__snmpv2_get.pcap": "wildcard",
    "snmp__snmpv2_get_bulk.pcap": "wildcard",
    "snmp__snmpv2_get_next.pcap": "wildcard",
    # Tunnels that are not read: frames of 802.11 in GRE, GRE in UDP.
    "tunnels__gre-aruba-amsdu.pcap": "tunnel",
    "tunnels__gre-over-udp-4754.pcap": "tunnel",
    # Link types that are not read, and are counted as undecoded: FDDI, NFLOG, PPP, radiotap; and provider backbone
    # bridges, one within another without end.
    "llc.pcap": "unread",
    "nflog-http.pcap": "unread",
    "pbb-recursive-frames.pcapng": "unread",
    "quic__interop__quic-go_quic-go__retry.pcap": "unread",
    "radiotap.pcap": "unread",
}

# Captures in which tshark names a packet whose transport header lies or is cut off, which is no flow to us.
UNNAMED = {"ipv4__fragmented-syn.pcap", "trunc__icmp-header-trunc.pcap"}

# What quotes or hides packets that nobody reads as such: errors of ICMP, tunnels that are not read.
OPAQUE = {"icmp", "icmpv6", "teredo", "ayiya", "l2tp"}

NAMED = ("tcp", "udp", "sctp", "icmp", "icmpv6")
FIELDS = """communityid frame.protocols ip.src ip.dst ipv6.src ipv6.dst tcp.stream tcp.srcport tcp.dstport udp.stream udp.srcport
udp.dstport frame.len tcp.flags""".split()


def packets(row):
    """The packets in one of tshark's frames, outermost first: family, protocol, its stream, addresses and ports, and flags."""
    values = {field: iter(value.split(",")) for field, value in row.items() if value}
    take = lambda field: next(values.get(field, iter(())), "")
    family = source = target = ""
    for layer in row["frame.protocols"].split(":"):
        if layer in OPAQUE:
            return
        if layer in ("ip", "ipv6"):
            family, source, target = layer, take(layer + ".src"), take(layer + ".dst")
        elif layer in ("tcp", "udp") and family:
            ports = take(layer + ".srcport"), take(layer + ".dstport")
            stream, flags = take(layer + ".stream"), take("tcp.flags") if layer == "tcp" else "0"
            if all(ports):
                yield layer, stream, (source, int(ports[0])), (target, int(ports[1])), int(flags, 16)
            family = ""


def theirs(capture):
    """Conversations by tshark: {(protocol, originator, responder, packets out, in, bytes out, in): how many}, and the
    community ids of packets that are not in a tunnel. Bytes are None where a packet was in a tunnel."""
    command = ["tshark", "-n", "-r", str(capture), "--enable-protocol", "communityid", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    command += ["-T", "fields", "-E", "occurrence=a", *(part for field in FIELDS for part in ("-e", field))]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    streams, ids, inside = {}, set(), set()
    for line in lines:
        row = dict(zip(FIELDS, line.split("\t")))
        layers = row["frame.protocols"].split(":")
        families = [at for at, layer in enumerate(layers) if layer in ("ip", "ipv6")]
        if not families:
            continue
        behind = [layer for layer in layers[families[0] + 1 :] if not layer.startswith("ipv6.")]
        if behind and behind[0] in NAMED and len(families) == 1 and row["communityid"]:
            ids.add(row["communityid"].split(",")[0])
        outermost = True
        for protocol, number, source, target, flags in packets(row):
            outer = outermost and (not behind or behind[0] == protocol)
            outermost = False
            # SYN with ACK answers a SYN that the capture missed: its receiver is the originator.
            ends = (target, source) if flags & 0x12 == 0x12 else (source, target)
            stream = streams.setdefault((protocol, number), [*ends, 0, 0, 0, 0])
            back = int(source != stream[0])
            stream[2 + back] += 1
            stream[4 + back] += int(row["frame.len"])
            if not outer:
                inside.add((protocol, number))
    for stream in inside:
        streams[stream][4:] = None, None
    return collections.Counter((protocol, *stream) for (protocol, _), stream in streams.items()), ids


def ours(replay, capture):
    """The same by `replay`, with the community ids of all flows."""
    output = subprocess.run([replay, str(capture), "--json"], capture_output=True, text=True, check=True).stdout
    end = lambda end: (end["ip"], end["port"])
    flows = json.loads(output)["flows"]
    conversations = collections.Counter(
        (flow["protocol"], end(flow["originator"]), end(flow["responder"]))
        + (flow["packets_out"], flow["packets_in"], flow["bytes_out"], flow["bytes_in"])
        for flow in flows
        if flow["protocol"] in ("tcp", "udp")
    )
    return conversations, {flow["community_id"] for flow in flows}


def without_bytes(own, foreign):
    """Takes the bytes out of those of our conversations whose bytes tshark does not tell."""
    untold = {flow[:5] for flow in foreign if flow[5] is None}
    plain = collections.Counter()
    for flow, count in own.items():
        plain[(*flow[:5], None, None) if flow[:5] in untold else flow] += count
    return plain


def main(replay, corpus):
    captures = sorted(pathlib.Path(corpus).glob("*.pcap*"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda capture: (theirs(capture), ours(replay, capture)), captures))
    agreed = total = named = tunnelled = 0
    kinds = collections.Counter()
    failures = []
    for capture, ((foreign, foreign_ids), (own, own_ids)) in zip(captures, results):
        own = without_bytes(own, foreign)
        tunnelled += sum(count for flow, count in foreign.items() if flow[5] is None)
        unknown = foreign_ids - own_ids
        named += len(foreign_ids & own_ids)
        if bool(unknown) != (capture.name in UNNAMED) and EXPLAINED.get(capture.name) != "unread":
            failures.append(f"{capture.name}: {len(unknown)} community ids of tshark are none of ours: {sorted(unknown)[:3]}")
        agreed += sum((foreign & own).values())
        total += sum(foreign.values())
        kind = EXPLAINED.get(capture.name)
        if foreign != own and kind is None:
            failures.append(f"{capture.name}: differs")
            failures += [f"    only tshark: {flow}" for flow in list(foreign - own)[:3]]
            failures += [f"    only ours:   {flow}" for flow in list(own - foreign)[:3]]
        elif foreign == own and kind is not None:
            failures.append(f"{capture.name}: agrees, although it is explained as {kind}: take it off the list")
        elif kind is not None:
            kinds[kind] += 1
    print(f"{len(captures)} captures; of {total} conversations by tshark {agreed} agree in originator, packets and bytes")
    print(f"of these {tunnelled} are inside tunnels, where originator and packets are compared")
    print(f"{named} community ids agree")
    print("captures that differ, explained:", ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
