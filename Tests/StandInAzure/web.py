"""Requests, answers and the small HTTP servers that carry them."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    raw: bytes
    principal: str = ""
    planned_error: dict[str, str] | None = None  # what the operation that this request begins will fail with

    @property
    def body(self) -> Any:
        """The JSON of the body, or its form fields, or its text."""
        text = self.raw.decode(errors="replace")
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        try:
            return json.loads(text) if text.strip() else {}
        except ValueError:
            return text


@dataclass
class Answer:
    status: int = 200
    body: Any = None  # text and bytes go as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)

    def sealed(self) -> Answer:
        """The same as bytes: what it was made of may change a moment later."""
        if isinstance(self.body, bytes):
            return self
        kind = "text/plain" if isinstance(self.body, str) else "application/json"
        text = self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)
        return Answer(self.status, text.encode(), {"Content-Type": kind, **self.headers})


class Refusal(Exception):
    """An error as ARM words it."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"error": {"code": code, "message": message}}, headers or {})


class Dropped(Exception):
    """The connection ends without an answer."""


Handler = Callable[[Request], Answer]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handle: Handler, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.handle = handle
        self.tls = tls

    @property
    def address(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is None:
            return super().finish_request(request, client_address)
        # In the connection's own thread: a client that is slow to shake hands keeps nobody else waiting.
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # clients that go away are no errors of ours


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    server: Server

    def _serve(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self.rfile.read(int(headers.get("content-length") or 0))
        query = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        request = Request(self.command, urllib.parse.unquote(address.path), query, headers, raw)
        try:
            answer = self.server.handle(request).sealed()
        except Dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = answer.body
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = _serve

    def log_message(self, *_: Any) -> None:
        pass
