"""Sends frames that a lab needs in great numbers, on eth0, as fast as the kernel takes them.

    frames.py connections N            N whole TCP connections of 8 packets, between 200 addresses and one
    frames.py macs N                   N frames, each with a link address and an IP address of its own that nobody has
    frames.py sources N                N TCP openings, each from an IP address that nobody has, by one link address
    frames.py clocks N                 N TCP openings of 10.77.0.31, whose timestamps are of two clocks by turns

With SECONDS behind N they are spread over that time; with FROM behind that, numbering begins there: other addresses. Prints how
many frames were sent. What it sends is not random: the same each time.
"""

import socket
import struct
import sys
import time

SERVER_MAC = bytes.fromhex("00259e0000fe")
HOST_MAC = bytes.fromhex("00259e000001")
SYN, ACK, PUSH, FIN = 2, 16, 8, 1


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ipv4(source, destination, protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0, source, destination)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def tcp(ports, flags, numbers, payload=b""):
    return struct.pack("!HHIIBBHHH", *ports, *numbers, 0x50, flags, 64_000, 0, 0) + payload


def connection(number):
    """Yields the frames of a connection that asks and is answered in a few bytes."""
    client, server = bytes([10, 99, 0, 1 + number % 200]), bytes([10, 99, 1, 1])
    ports = (1_024 + number // 200, 8_080)
    ask, answer = b"ask %08d" % number, b"answer %08d" % number
    a, b = 1_000, 2_000
    told_a, told_b = a + 1 + len(ask), b + 1 + len(answer)
    for out, flags, numbers, payload in (
        (True, SYN, (a, 0), b""),
        (False, SYN | ACK, (b, a + 1), b""),
        (True, ACK | PUSH, (a + 1, b + 1), ask),
        (False, ACK | PUSH, (b + 1, told_a), answer),
        (True, ACK, (told_a, told_b), b""),
        (True, FIN | ACK, (told_a, told_b), b""),
        (False, FIN | ACK, (told_b, told_a + 1), b""),
        (True, ACK, (told_a + 1, told_b + 1), b""),
    ):
        ends = (client, server) if out else (server, client)
        macs = SERVER_MAC + HOST_MAC if out else HOST_MAC + SERVER_MAC
        yield macs + b"\x08\x00" + ipv4(*ends, 6, tcp(ports if out else ports[::-1], flags, numbers, payload))


def forged_mac(number):
    source = b"\x00\x1b\x21" + struct.pack("!I", number)[1:]
    ip = bytes([10, 77]) + struct.pack("!H", number % 0xFFFF)
    arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, source, ip, bytes(6), bytes([10, 77, 0, 1]))
    yield b"\xff" * 6 + source + b"\x08\x06" + arp + bytes(18)


def forged_source(number):
    ip = struct.pack("!I", 0x0B000000 + number * 7)
    opening = tcp((1_024 + number % 60_000, 80), SYN, (number, 0))
    yield SERVER_MAC + HOST_MAC + b"\x08\x00" + ipv4(ip, bytes([10, 77, 0, 10]), 6, opening)


def two_clocks(number):
    """An opening with the timestamps option (RFC 7323, section 3.2); before the first, who has the address is told."""
    address = bytes([10, 77, 0, 31])
    if number == 0:
        arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, HOST_MAC, address, bytes(6), address)
        yield b"\xff" * 6 + HOST_MAC + b"\x08\x06" + arp + bytes(18)
    clock = (5_000, 90_000_000)[number % 2] + 10 * number
    head = struct.pack("!HHIIBBHHH", 20_000 + number, 80, number, 0, 0x80, SYN, 64_000, 0, 0)
    opening = head + struct.pack("!BBBBII", 1, 1, 8, 10, clock, 0)
    yield SERVER_MAC + HOST_MAC + b"\x08\x00" + ipv4(address, bytes([10, 77, 0, 10]), 6, opening)


def main():
    kinds = {"connections": connection, "macs": forged_mac, "sources": forged_source, "clocks": two_clocks}
    kind, count = kinds[sys.argv[1]], int(sys.argv[2])
    pace_s = float(sys.argv[3]) / count if len(sys.argv) > 3 else 0
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind(("eth0", 0))
    sent, begun = 0, time.monotonic()
    for number in range(count):
        if pace_s and number % 64 == 0:
            time.sleep(max(0, begun + number * pace_s - time.monotonic()))
        for frame in kind(first + number):
            sender.send(frame)
            sent += 1
    print(sent)


if __name__ == "__main__":
    main()
