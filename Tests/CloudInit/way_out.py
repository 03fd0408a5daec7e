"""The only way out of the machine that try-cloud-init.sh boots: an HTTP proxy that knows a list of hosts.

`python3 way_out.py ADDRESS LOG HOST...` listens on ADDRESS (host:port); LOG gets a line for each new host, let through
or refused. Ends with its standard input.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PASSED_ON = ("Range", "If-Modified-Since", "If-Range", "Accept", "User-Agent", "Cache-Control")


class WayOut(BaseHTTPRequestHandler):
    allowed: frozenset[str]
    log: str
    seen: set[tuple[str, bool]] = set()

    def is_allowed(self, host: str) -> bool:
        allowed = host in self.allowed
        if (host, allowed) not in self.seen:
            self.seen.add((host, allowed))
            with open(self.log, "a") as log:
                log.write(f"{'let through' if allowed else 'refused'} {host}\n")
        return allowed

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if not self.is_allowed(host):
            return self.send_error(403)
        with socket.create_connection((host, int(port)), 30) as far:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: far, far: self.connection}
            while ready := select.select(list(ends), [], [], 300)[0]:
                for end in ready:
                    if not (data := end.recv(262144)):
                        return
                    ends[end].sendall(data)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if not address.hostname or not self.is_allowed(address.hostname):
            return self.send_error(403)
        far = HTTPConnection(address.hostname, address.port or 80, timeout=60)
        wanted = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        far.request("GET", address.path + (f"?{address.query}" if address.query else ""), headers=wanted)
        answer = far.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "keep-alive", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while data := answer.read(262144):
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    WayOut.log, WayOut.allowed = sys.argv[2], frozenset(sys.argv[3:])
    server = ThreadingHTTPServer((host, int(port)), WayOut)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while os.read(0, 4096):
        pass


if __name__ == "__main__":
    main()
