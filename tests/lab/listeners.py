"""Servers that no package of Debian's has, as far as the first words of a client need them: a camera, SQL Server, Oracle.

    listeners.py ADDRESS

The clients are real programs (curl, FreeTDS, python-oracledb). What answers them is made here after the specifications: RTSP after RFC
2326, TDS after MS-TDS (sections 2.2.3.1 and 2.2.6.5), TNS as a listener refuses who asks for a service that it does not know.
Nobody is let in. Shares no code with the product.
"""

import socketserver
import struct
import sys
import threading


class Camera(socketserver.StreamRequestHandler):
    """RTSP, port 554: tells what it can do, and shows nothing."""

    def handle(self):
        while self.rfile.readline():
            number = b"0"
            while line := self.rfile.readline().strip():
                name, _, value = line.partition(b":")
                number = value.strip() if name.lower() == b"cseq" else number
            head = b"RTSP/1.0 200 OK\r\nCSeq: " + number + b"\r\nServer: Camera of the lab\r\n"
            self.wfile.write(head + b"Public: OPTIONS, DESCRIBE\r\n\r\n")


class SqlServer(socketserver.StreamRequestHandler):
    """TDS, port 1433: answers what comes before a login, without encryption, and ends when somebody logs in."""

    def message(self):
        _kind, _status, length = struct.unpack("!BBH", self.rfile.read(4))
        self.rfile.read(length - 4)

    def handle(self):
        self.message()
        # Two options and the end of their list: version 16.0.4001, and that encryption is not supported (2).
        options = struct.pack("!BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF) + struct.pack("!BBHH", 16, 0, 4001, 0) + b"\x02"
        self.wfile.write(struct.pack("!BBHHBB", 4, 1, 8 + len(options), 0, 1, 0) + options)
        self.message()


class Oracle(socketserver.StreamRequestHandler):
    """TNS, port 1521: a listener that knows no service (ORA-12514)."""

    def handle(self):
        (length,) = struct.unpack("!H", self.rfile.read(2))
        self.rfile.read(length - 2)
        said = b"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))))"
        body = struct.pack("!BBH", 0x22, 0, len(said)) + said
        self.wfile.write(struct.pack("!HHBBH", 8 + len(body), 0, 4, 0, 0) + body)


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    ports = ((554, Camera), (1433, SqlServer), (1521, Oracle))
    threads = [threading.Thread(target=Listener((sys.argv[1], port), handler).serve_forever) for port, handler in ports]
    for thread in threads:
        thread.start()
    print("listening", flush=True)


if __name__ == "__main__":
    main()
