#!/usr/bin/env python3
"""An SNMP v2c agent of a switch whose counters are a known function of time.

Standard library only, and no code shared with the product: it is the truth that samples are checked against. See
tests/src/lab/sawtooth.rs for what each port counts.
"""

import argparse
import bisect
import socket
import time

INTEGER, OCTETS, NULL, OID = 0x02, 0x04, 0x05, 0x06
COUNTER32, GAUGE32, TICKS, COUNTER64 = 0x41, 0x42, 0x43, 0x46
NO_SUCH_OBJECT, END_OF_MIB = 0x80, 0x82
GET, GET_NEXT, RESPONSE, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5
# As the switches do: no answer is larger than fits an Ethernet frame.
LARGEST_ANSWER = 1400


def length(size):
    if size < 0x80:
        return bytes([size])
    body = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag, body):
    return bytes([tag]) + length(len(body)) + body


def number(tag, value):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid_body(oid):
    body = bytearray()
    for arc in (oid[0] * 40 + oid[1],) + oid[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | (arc & 0x7F))
        body.extend(reversed(groups))
    return bytes(body)


def read_tlv(data, at):
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    if at + size > len(data):
        raise ValueError("truncated")
    return tag, data[at : at + size], at + size


def read_oid(body):
    arcs, arc = [], 0
    for byte in body:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def dotted(text):
    return tuple(int(arc) for arc in text.split("."))


class Mib:
    """Rows as functions of the current time in milliseconds, in the order of their names."""

    def __init__(self, args):
        self.args = args
        self.started_ms = time.time_ns() // 1_000_000
        self.rows = {}
        self.system()
        for port in range(1, args.ports + 1):
            self.port(port)
        self.bridge()
        self.names = sorted(self.rows)

    def put(self, oid, tag, value):
        encode = {
            OCTETS: lambda v: tlv(OCTETS, v),
            OID: lambda v: tlv(OID, oid_body(v)),
        }.get(tag, lambda v: number(tag, v))
        function = value if callable(value) else lambda _now: value
        self.rows[dotted(oid)] = lambda now: encode(function(now))

    def system(self):
        s = "1.3.6.1.2.1.1."
        self.put(s + "1.0", OCTETS, b"Sawtooth test switch, counters follow the clock")
        self.put(s + "2.0", OID, dotted("1.3.6.1.4.1.2011.2.23.968"))
        self.put(s + "3.0", TICKS, lambda now: (now - self.started_ms) // 10 % 2**32)
        self.put(s + "4.0", OCTETS, b"network centre")
        self.put(s + "5.0", OCTETS, self.args.name.encode())
        self.put(s + "6.0", OCTETS, b"lab")
        self.put(s + "7.0", INTEGER, 2)
        self.put("1.3.6.1.2.1.2.1.0", INTEGER, self.args.ports)
        for column, value in ((2, b"Sawtooth chassis"), (7, b"chassis"), (11, b"SAW" + self.args.mac[-6:]), (13, b"S28")):
            self.put(f"1.3.6.1.2.1.47.1.1.1.1.{column}.1", OCTETS, value)
        self.put("1.3.6.1.2.1.47.1.1.1.1.4.1", INTEGER, 0)
        self.put("1.3.6.1.2.1.47.1.1.1.1.5.1", INTEGER, 3)

    def port(self, port):
        index, epoch, period = 100 + port, self.args.epoch_ms, self.args.period_ms
        count = (lambda now: (now - epoch) % period) if port == 1 else (lambda now: now - epoch)
        mac = self.args.mac[:-1] + bytes([(self.args.mac[-1] + port) & 0xFF])
        name = f"GigabitEthernet0/0/{port}".encode()
        entry, extended = "1.3.6.1.2.1.2.2.1.", "1.3.6.1.2.1.31.1.1.1."
        table = [
            (1, INTEGER, index), (2, OCTETS, name), (3, INTEGER, 6), (4, INTEGER, 1500), (5, GAUGE32, 10**9),
            (6, OCTETS, mac), (7, INTEGER, 1), (8, INTEGER, 1), (9, TICKS, 0),
            (10, COUNTER32, lambda now: count(now) % 2**32), (11, COUNTER32, lambda now: count(now) // 100 % 2**32),
            (13, COUNTER32, 0), (14, COUNTER32, 0), (16, COUNTER32, lambda now: 2 * count(now) % 2**32),
            (17, COUNTER32, lambda now: count(now) // 50 % 2**32), (19, COUNTER32, 0), (20, COUNTER32, 0),
        ]
        for column, tag, value in table:
            self.put(f"{entry}{column}.{index}", tag, value)
        table = [
            (1, OCTETS, name), (2, COUNTER32, 0), (3, COUNTER32, 0), (4, COUNTER32, 0), (5, COUNTER32, 0),
            (6, COUNTER64, count), (7, COUNTER64, lambda now: count(now) // 100), (8, COUNTER64, 0), (9, COUNTER64, 0),
            (10, COUNTER64, lambda now: 2 * count(now)), (11, COUNTER64, lambda now: count(now) // 50),
            (12, COUNTER64, 0), (13, COUNTER64, 0), (14, INTEGER, 1), (15, GAUGE32, 1000), (16, INTEGER, 2),
            (17, INTEGER, 1), (18, OCTETS, b"the way up #watch" if port == 2 else b""),
        ]
        for column, tag, value in table:
            self.put(f"{extended}{column}.{index}", tag, value)

    def bridge(self):
        b = "1.3.6.1.2.1.17."
        self.put(b + "1.1.0", OCTETS, self.args.mac)
        self.put(b + "1.2.0", INTEGER, self.args.ports)
        self.put(b + "1.3.0", INTEGER, 2)
        for port in range(1, self.args.ports + 1):
            self.put(f"{b}1.4.1.1.{port}", INTEGER, port)
            self.put(f"{b}1.4.1.2.{port}", INTEGER, 100 + port)
        self.put(b + "4.2.0", INTEGER, 300)
        for mac, port in self.args.forwarding:
            index = ".".join(str(byte) for byte in mac)
            self.put(f"{b}4.3.1.1.{index}", OCTETS, mac)
            self.put(f"{b}4.3.1.2.{index}", INTEGER, port)
            self.put(f"{b}4.3.1.3.{index}", INTEGER, 3)

    def varbind(self, oid, value):
        return tlv(0x30, tlv(OID, oid_body(oid)) + value)

    def get(self, oid, now):
        row = self.rows.get(oid)
        return self.varbind(oid, row(now) if row else tlv(NO_SUCH_OBJECT, b""))

    def after(self, oid, now):
        at = bisect.bisect_right(self.names, oid)
        if at == len(self.names):
            return oid, self.varbind(oid, tlv(END_OF_MIB, b"")), True
        name = self.names[at]
        return name, self.varbind(name, self.rows[name](now)), False


def bulk(mib, oids, non_repeaters, repetitions, now):
    answer, size = [], 0

    def room(varbind):
        nonlocal size
        size += len(varbind)
        return size <= LARGEST_ANSWER

    for oid in oids[:non_repeaters]:
        answer.append(mib.after(oid, now)[1])
        room(answer[-1])
    current = list(oids[non_repeaters:])
    for _ in range(repetitions):
        ended = True
        for column, oid in enumerate(current):
            current[column], varbind, end = mib.after(oid, now)
            ended = ended and end
            if not room(varbind) and answer:
                return answer
            answer.append(varbind)
        if ended:
            break
    return answer


def answer(mib, community, data):
    _, message, _ = read_tlv(data, 0)
    _, version, at = read_tlv(message, 0)
    _, asked, at = read_tlv(message, at)
    if version != b"\x01" or asked != community:
        return None
    kind, pdu, _ = read_tlv(message, at)
    _, request_id, at = read_tlv(pdu, 0)
    _, first, at = read_tlv(pdu, at)
    _, second, at = read_tlv(pdu, at)
    _, binds, _ = read_tlv(pdu, at)
    oids, at = [], 0
    while at < len(binds):
        _, bind, at = read_tlv(binds, at)
        oids.append(read_oid(read_tlv(bind, 0)[1]))
    now = time.time_ns() // 1_000_000
    if kind == GET:
        out = [mib.get(oid, now) for oid in oids]
    elif kind == GET_NEXT:
        out = [mib.after(oid, now)[1] for oid in oids]
    elif kind == GET_BULK:
        out = bulk(mib, oids, int.from_bytes(first, "big"), int.from_bytes(second, "big"), now)
    else:
        return None
    body = tlv(INTEGER, request_id) + number(INTEGER, 0) + number(INTEGER, 0) + tlv(0x30, b"".join(out))
    return tlv(0x30, tlv(INTEGER, version) + tlv(OCTETS, asked) + tlv(RESPONSE, body))


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def rows(text):
    return [(mac(row.split("=")[0]), int(row.split("=")[1])) for row in text.split(",") if row]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=161)
    parser.add_argument("--community", required=True, type=str.encode)
    parser.add_argument("--name", required=True)
    parser.add_argument("--mac", required=True, type=mac)
    parser.add_argument("--ports", required=True, type=int)
    parser.add_argument("--epoch-ms", required=True, type=int)
    parser.add_argument("--period-ms", required=True, type=int)
    parser.add_argument("--forwarding", default=[], type=rows)
    args = parser.parse_args()
    mib = Mib(args)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((args.address, args.port))
    print(f"listening on {args.address}:{args.port}")
    while True:
        data, peer = listener.recvfrom(65535)
        try:
            reply = answer(mib, args.community, data)
        except (ValueError, IndexError):
            continue
        if reply:
            listener.sendto(reply, peer)


main()
