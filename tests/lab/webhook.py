#!/usr/bin/env python3
"""Takes Alertmanager's webhooks and writes each as one line into a file: the path, a tab, the body."""

import http.server
import json
import sys


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        # One write a line, so that whoever reads sees whole lines.
        with open(sys.argv[2], "a") as kept:
            kept.write(f"{self.path}\t{json.dumps(body)}\n")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Webhook)
print("listening", flush=True)
server.serve_forever()
