"""What flows of the shared corpus carry, by `onenet-capture` and by tshark: applications.py APPLICATIONS CORPUS.

tshark dissects by port first, ours by payload, so that each names flows that the other does not. What tshark names and ours
does not, and where they disagree, must be in the list below, with the reason; whatever is in it and agrees is an error too.
JA4 is computed here once more, after the published specification, from the fields that tshark reads.
"""

import collections
import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys

# Our names, and tshark's for the same.
SAME = {
    "bgp": "bgp", "bittorrent": "bittorrent bt-dht", "dhcp": "dhcp", "dhcpv6": "dhcpv6", "dnp3": "dnp3", "dns": "dns",
    "flow_export": "cflow sflow", "ftp": "ftp", "h323": "q931 h225 h245", "http": "http http2", "iec104": "iec60870_104",
    "ike": "isakmp", "imap": "imap", "kerberos": "kerberos", "l2tp": "l2tp", "ldap": "ldap cldap", "llmnr": "llmnr",
    "mdns": "mdns", "modbus": "mbtcp", "mqtt": "mqtt", "mssql": "tds", "mysql": "mysql", "netbios": "nbns nbdgm", "nfs": "rpc",
    "ntp": "ntp", "openvpn": "openvpn", "oracle_tns": "tns", "pop3": "pop", "postgresql": "pgsql", "pptp": "pptp",
    "quic": "quic gquic", "radius": "radius", "redis": "redis", "rtcp": "rtcp", "rtp": "rtp", "rtsp": "rtsp", "sip": "sip",
    "smb": "nbss", "smtp": "smtp", "snmp": "snmp", "socks": "socks", "ssdp": "ssdp", "ssh": "ssh", "stun": "stun classicstun",
    "syslog": "syslog", "tacacs": "tacplus", "telnet": "telnet", "tftp": "tftp", "tls": "tls dtls", "vnc": "vnc", "vxlan": "vxlan",
    "wireguard": "wg", "ws_discovery": "xml",
}
OURS = {theirs: ours for ours, names in SAME.items() for theirs in names.split()}
OURS["tpkt"] = "rdp"

# (capture, tshark's, ours): why. Empty for a flow that one of them does not name.
EXPLAINED = {
    # Middles of TLS connections on ports that suggest nothing, seen from one side alone.
    ("contentline__contentline-irc-5k-line.pcap", "tls", ""): "middle",
    # Messages that are none: cut short, without a question, without a version, of one byte.
    ("dns__conn-count-too-large.pcap", "dns", ""): "malformed",
    ("dns__dns-invalid-names.pcap", "dns", ""): "malformed",
    ("fake-syslog-with-padding.pcap", "syslog", ""): "malformed",
    ("krb__error-preauth-padata.pcap", "kerberos", ""): "malformed",
    # Fragments, which are in flows and not put together.
    ("dns-edns-ecs.pcap", "dns", ""): "fragments",
    ("ipv4__fragmented-1.pcap", "ntp", ""): "fragments",
    # A web client speaks to an SSH server: whoever spoke first names the flow.
    ("http__get-to-ssh-server.pcap", "ssh", "http"): "both",
    # Industrial messages over ISO transport, which is all that tshark says of RDP.
    ("mmsX.pcap", "rdp", ""): "transport",
    # Link types that are not read.
    ("nflog-http.pcap", "http", ""): "unread",
    ("pbb-recursive-frames.pcapng", "dns", ""): "unread",
    ("quic__interop__quic-go_quic-go__retry.pcap", "quic", ""): "unread",
    ("radiotap.pcap", "dns", ""): "unread",
    ("radiotap.pcap", "mdns", ""): "unread",
    # Remote procedures that do not go with a network file system.
    ("rpc-portmap-sadmind.pcap", "nfs", ""): "procedures",
    # A proxy is the proxy to us, whatever it carries.
    ("socks.pcap", "http", "socks"): "proxy",
    # tshark goes by the port, and the payload says otherwise.
    ("http__zeek-image-post-1080-8000-x.pcap", "socks", "http"): "port",
    ("postgresql__mysql-on-port-5432.pcap", "postgresql", "mysql"): "port",
    # Found by payload on a port that tshark does not know.
    ("dnp3__dnp3_read_p20001.pcap", "", "dnp3"): "payload",
    ("globus-url-copy-bad-encoding.pcap", "", "ftp"): "payload",
    ("pop3__redis-50-pings.pcap", "", "redis"): "payload",
    ("postgresql__http-on-port-5432.pcap", "", "http"): "payload",
    ("postgresql__psql-aws-ssl-disable-15432.pcap", "", "postgresql"): "payload",
    ("socks-auth-10080.pcap", "", "socks"): "payload",
    ("ssh__ssh1-ssh2-fingerprints.pcap", "", "ssh"): "payload",
    ("tcp-syslog-nontransparent.pcap", "", "syslog"): "payload",
    ("tcp-syslog.pcap", "", "syslog"): "payload",
    ("tls__https-to-http.pcap", "", "tls"): "payload",
    # tshark 4.0 has no dissector that finds these.
    ("redis__array-element-object-exhaustion.pcap", "", "redis"): "undissected",
    ("redis__attr.pcap", "", "redis"): "undissected",
    ("redis__bulk-loading.pcap", "", "redis"): "undissected",
    ("redis__client-skip-while-off.pcap", "", "redis"): "undissected",
    ("redis__large-requests-responses.pcap", "", "redis"): "undissected",
    ("redis__pipeline-quotes.pcap", "", "redis"): "undissected",
    ("redis__pipeline-with-commands.pcap", "", "redis"): "undissected",
    ("redis__reply-off-on-2conn.pcap", "", "redis"): "undissected",
    ("redis__reply-off-on.pcap", "", "redis"): "undissected",
}

# A hello on a port where tshark looks for HTTP.
NO_HELLO = {"tls__https-to-http.pcap"}


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def fields(capture, names, *more):
    command = ["tshark", "-n", "-r", str(capture), *more, "-T", "fields", "-E", "occurrence=a"]
    lines = run(command + [part for name in names for part in ("-e", name)])
    return [dict(zip(names, line.split("\t"))) for line in lines]


def theirs(capture):
    """{(transport, both ends): applications} by tshark, as the layer over the outermost TCP or UDP that lies in no tunnel."""
    names = "frame.protocols ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport".split()
    found = collections.defaultdict(set)
    for row in fields(capture, names):
        layers = row["frame.protocols"].split(":")
        transport = next((layer for layer in layers if layer in ("tcp", "udp")), None)
        if transport is None:
            continue
        before, after = layers[: layers.index(transport)], layers[layers.index(transport) + 1 :]
        if sum(layer in ("ip", "ipv6") for layer in before) != 1 or "icmp" in before or "icmpv6" in before:
            continue
        family = next(layer for layer in before if layer in ("ip", "ipv6"))
        first = lambda name: row[name].split(",")[0]
        ends = [(first(family + ".src"), first(transport + ".srcport")), (first(family + ".dst"), first(transport + ".dstport"))]
        known = [OURS[layer] for layer in after[:1] if layer in OURS]
        found[(transport, *sorted(ends))].update(known)
    return found


def ours(program, capture):
    """The same by ours, and the fingerprints of TLS clients."""
    found, fingerprints = collections.defaultdict(set), set()
    for line in run([program, str(capture)]):
        flow = json.loads(line)
        split = lambda end: (end.rsplit(":", 1)[0].strip("[]"), end.rsplit(":", 1)[1])
        key = ({6: "tcp", 17: "udp"}[flow["protocol"]], *sorted((split(flow["originator"]), split(flow["responder"]))))
        found[key].update([flow["application"]] if flow["by_payload"] else [])
        fingerprints.update([flow["details"]["ja4"]] if "ja4" in flow["details"] else [])
    return found, fingerprints


VERSIONS = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10", 0x300: "s3", 0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3"}


def ja4(capture):
    """Fingerprints of the clients' hellos that tshark reads."""
    found = set()
    for layer in ("tls", "dtls"):
        hello = layer + ".handshake."
        names = ["frame.protocols"] + [hello + name for name in (
            "version", "extensions.supported_version", "extension.type", "ciphersuite", "sig_hash_alg", "extensions_alpn_str")]
        for row in fields(capture, names, "-Y", hello + "type == 1"):
            number = lambda text: int(text, 0)
            values = lambda name: [number(part) for part in row[hello + name].split(",") if part]
            real = lambda values: [value for value in values if value & 0x0F0F != 0x0A0A]
            ciphers, kinds = real(values("ciphersuite")), real(values("extension.type"))
            offered = real(values("extensions.supported_version"))
            best = (min if layer == "dtls" else max)(offered) if offered else values("version")[0]
            carrier = "d" if layer == "dtls" else "q" if "quic" in row["frame.protocols"] else "t"
            alpn = (row[hello + "extensions_alpn_str"] or "").split(",")[0]
            told = lambda values: ",".join(f"{value:04x}" for value in values)
            digits = lambda text: hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12
            listed = told(sorted(kind for kind in kinds if kind not in (0, 16)))
            algorithms = told(real(values("sig_hash_alg")))
            head = carrier + VERSIONS.get(best, "00") + ("d" if 0 in kinds else "i")
            head += f"{min(len(ciphers), 99):02}{min(len(kinds), 99):02}" + (alpn[0] + alpn[-1] if alpn else "00")
            tail = digits(listed + ("_" + algorithms if algorithms else "")) if listed else "0" * 12
            found.add(f"{head}_{digits(told(sorted(ciphers)))}_{tail}")
    return found


def compare(program, capture):
    foreign, (own, fingerprints) = theirs(capture), ours(program, capture)
    agreed = collections.Counter()
    differing = set()
    for key in foreign.keys() | own.keys():
        one, other = foreign.get(key, set()), own.get(key, set())
        if one & other or not one and not other:
            agreed["both" if one else "neither"] += 1
        elif not one:
            agreed["only ours"] += 1
            differing.add((capture.name, "", "+".join(sorted(other))))
        else:
            differing.add((capture.name, "+".join(sorted(one)), "+".join(sorted(other))))
    looked_at = fingerprints and capture.name not in NO_HELLO
    strange = fingerprints - ja4(capture) if looked_at else set()
    compared = len(fingerprints) if looked_at else 0
    return agreed, differing, compared, {(capture.name, fingerprint) for fingerprint in strange}


def main(program, corpus):
    captures = sorted(pathlib.Path(corpus).glob("*.pcap*"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda capture: compare(program, capture), captures))
    agreed = sum((result[0] for result in results), collections.Counter())
    differing = set().union(*(result[1] for result in results))
    strange = set().union(*(result[3] for result in results))
    print(f"{len(captures)} captures; flows named by both alike {agreed['both']}, by neither {agreed['neither']}, by ours alone {agreed['only ours']}")
    print(f"{sum(result[2] for result in results) - len(strange)} JA4 fingerprints agree")
    kinds = collections.Counter(EXPLAINED[difference] for difference in differing & EXPLAINED.keys())
    print("differences, explained:", ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    failures = [f"{name}: tshark says {one or 'nothing'}, ours {other or 'nothing'}" for name, one, other in sorted(differing - EXPLAINED.keys())]
    failures += [f"{name}: explained, although it agrees: tshark {one}, ours {other}" for name, one, other in sorted(EXPLAINED.keys() - differing)]
    failures += [f"{name}: JA4 {fingerprint} is none of tshark's" for name, fingerprint in sorted(strange)]
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
