"""An afternoon of an office in half a minute, for the pictures: serves HTTP and TLS on one side, asks for pages on the other.

    traffic.py serve ADDRESS FOLDER      needs FOLDER/cert.pem and FOLDER/key.pem; serves until it is killed
    traffic.py ask ADDRESS               a few requests, then ends
"""

import http.client
import http.server
import socket
import ssl
import sys
import threading

PAGES = {"/": 2_000, "/notices": 18_000, "/forms/2026.pdf": 700_000, "/meeting": 90_000}
NAMES = ["oa.example", "mail.example", "video.example"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = bytes(PAGES.get(self.path, 0))
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(address, folder):
    plain = http.server.ThreadingHTTPServer((address, 80), Handler)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    secure = http.server.ThreadingHTTPServer((address, 443), Handler)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    secure.serve_forever()


def get(connection, name, path, **headers):
    connection.request("GET", path, headers={"Host": name, **headers})
    connection.getresponse().read()


def ask(address):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name in NAMES:
        connection = http.client.HTTPConnection(address)
        get(connection, name, "/")
        connection.close()
        with context.wrap_socket(socket.create_connection((address, 443)), server_hostname=name) as wire:
            connection = http.client.HTTPConnection(address)
            connection.sock = wire
            for path in PAGES:
                get(connection, name, path)
            # The server ends it, and all that it says is read: nothing is broken off.
            get(connection, name, "/notices", Connection="close")
    # Nobody listens here.
    try:
        socket.create_connection((address, 3389)).close()
    except ConnectionRefusedError:
        pass


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
