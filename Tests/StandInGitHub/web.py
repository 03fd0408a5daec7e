"""Requests, answers and the small HTTP servers that carry them."""

from __future__ import annotations

import http.server
import json
import re
import socket
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

API_HOST = "api.github.localhost"
DOCS = "https://docs.github.com/rest"


@dataclass
class Request:
    method: str
    host: str  # of an absolute address, as a proxy gets it; else of the Host header
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    raw: bytes

    def document(self) -> dict[str, Any]:
        """The JSON object of the body."""
        try:
            found = json.loads(self.raw or b"{}")
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None
        if not isinstance(found, dict):
            raise Refusal(400, "Body should be a JSON object")
        return found


@dataclass
class Answer:
    status: int = 200
    body: Any = None  # text and bytes go as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False  # half of the body is sent, then the connection is closed

    def sealed(self) -> Answer:
        """The same as bytes: what it was made of may change a moment later."""
        if isinstance(self.body, bytes):
            return self
        kind = "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json; charset=utf-8"
        text = self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)
        headers = {"Content-Type": kind, **self.headers} if self.status != 204 else self.headers
        return Answer(self.status, text.encode(), headers)


class Refusal(Exception):
    """An error as GitHub words it."""

    def __init__(self, status: int, message: str, *errors: dict[str, str], docs: str = "") -> None:
        super().__init__(message)
        body: dict[str, Any] = {"message": message}
        if errors:
            body["errors"] = list(errors)
        self.answer = Answer(status, {**body, "documentation_url": DOCS + docs, "status": str(status)})


class Dropped(Exception):
    """The connection ends without an answer."""


Handler = Callable[[Request], Answer]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handle: Handler) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.handle = handle

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # clients that go away are no errors of ours


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "GitHub.com"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    server: Server

    def _serve(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self._content(headers)
        query = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        host = address.netloc or headers.get("host", "")
        request = Request(self.command, host.lower(), urllib.parse.unquote(address.path), query, headers, raw)
        try:
            answer = self.server.handle(request).sealed()
        except Dropped:
            self._close()
            return
        content = answer.body
        self.send_response(answer.status)
        length = {} if answer.status == 204 else {"Content-Length": str(len(content))}
        for name, value in {**answer.headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.truncated:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self._close()
        elif self.command != "HEAD" and answer.status != 204:
            self.wfile.write(content)

    def _content(self, headers: dict[str, str]) -> bytes:
        """The body; one of unknown length, such as what gh reads from a pipe, comes in chunks."""
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

    def _close(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = _serve

    def log_message(self, *_: Any) -> None:
        pass


def page(request: Request, items: list[Any], address: str) -> tuple[list[Any], dict[str, str]]:
    """The page that was asked for, and the `Link` header to the others."""
    size = min(_number(request.query.get("per_page")) or 30, 100)
    number = _number(request.query.get("page")) or 1
    last = max((len(items) + size - 1) // size, 1)
    targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number <= 1:
        del targets["prev"], targets["first"]
    if number >= last:
        del targets["next"], targets["last"]
    links = []
    for name, target in targets.items():
        query = urllib.parse.urlencode({**request.query, "page": target})
        links.append(f'<{address}?{query}>; rel="{name}"')
    return items[(number - 1) * size : number * size], {"Link": ", ".join(links)} if links else {}


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else 0
