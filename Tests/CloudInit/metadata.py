"""What the watchdog talks to: a metadata service and Azure's resource manager, on one address.

`python3 metadata.py DIR [ADDRESS]` writes DIR/address once it listens, answers as DIR/answers.json says at that moment,
and appends each request to DIR/requests.ndjson. Ends with its standard input, or with SIGTERM.

answers.json: {"tags": {NAME: VALUE}, "fresh": {NAME: VALUE}?, "instance": ANSWER?, "token": ANSWER?, "look": ANSWER?,
"deallocate": [ANSWER...]?}, where ANSWER is {"status": 200, "body": TEXT, "missing": BYTES?} or "silent" (takes the request
and says nothing) or "drop". `missing`: so many bytes are announced and not sent. `fresh`: the tags that the resource manager has, when the metadata service has older ones. Of several answers
each holds for one request, the last for all that follow.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

VM = (
    "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/CF-BENCH-RG"
    "/providers/Microsoft.Compute/virtualMachines/cf-bench"
)
TOKEN = "eyJ0eXAiOiJKV1QifQ.only-root-may-have-this.c2lnbmF0dXJl"


class Service(BaseHTTPRequestHandler):
    folder: Path
    writing = threading.Lock()

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.respond()

    def respond(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        answers = json.loads((self.folder / "answers.json").read_text())
        what, answer = self.choose(address.path, query, answers)
        self.note(what, query)
        if answer == "silent":
            time.sleep(300)
        if answer in ("silent", "drop"):
            self.close_connection = True
            return
        self.send(answer["status"], answer["body"], answer.get("missing", 0))

    def choose(self, path: str, query: dict[str, str], answers: dict) -> tuple[str, dict | str]:
        own, named = VM.lower(), path.lower()  # Azure's names have no case
        if named.startswith(own):
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return "without token", error(401, "AuthenticationFailed")
            if self.command == "GET" and named == own:
                tags = answers.get("fresh", answers.get("tags", {}))
                return "look", answers.get("look") or {"status": 200, "body": json.dumps({"id": VM, "tags": tags})}
            if self.command == "POST" and named == own + "/deallocate":
                if self.headers.get("Content-Length") != "0" or "Content-Type" in self.headers:
                    return "not as az asks", error(411, "LengthRequired")
                return "deallocate", self.take(answers.get("deallocate") or [{"status": 202, "body": ""}])
        if self.headers.get("Metadata") != "true":
            return "refused", error(400, "invalid_request")
        if path == "/metadata/instance/compute":
            return "instance", answers.get("instance") or {"status": 200, "body": compute(answers.get("tags", {}))}
        if path == "/metadata/identity/oauth2/token" and query.get("resource"):
            return "token", answers.get("token") or {"status": 200, "body": json.dumps({"access_token": TOKEN})}
        return "unknown", error(404, "not_found")

    def take(self, list_of_answers: list) -> dict | str:
        made = sum(1 for line in self.requests() if json.loads(line)["what"] == "deallocate")
        return list_of_answers[min(made, len(list_of_answers) - 1)]

    def requests(self) -> list[str]:
        log = self.folder / "requests.ndjson"
        return log.read_text().splitlines() if log.exists() else []

    def note(self, what: str, query: dict[str, str]) -> None:
        # Who asks still runs: its arguments, which everybody may read, must not hold the token.
        entry = {"what": what, "query": query, "tokenInArguments": is_in_arguments(TOKEN)}
        with self.writing, (self.folder / "requests.ndjson").open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def send(self, status: int, body: str, missing: int) -> None:
        raw = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw) + missing))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


def is_in_arguments(text: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                return True
        except OSError:
            pass  # it has ended
    return False


def compute(tags: dict[str, str]) -> str:
    listed = [{"name": name, "value": value} for name, value in tags.items()]
    text = ";".join(f"{name}:{value}" for name, value in tags.items())
    return json.dumps({"name": "cf-bench", "resourceId": VM, "tags": text, "tagsList": listed})


def error(status: int, code: str) -> dict:
    return {"status": status, "body": json.dumps({"error": {"code": code, "message": "no"}})}


def main() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a test program blocks signals, and so would what it starts
    Service.folder = Path(sys.argv[1])
    host, _, port = (sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:0").partition(":")
    server = ThreadingHTTPServer((host, int(port)), Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = Service.folder / "address.new"
    address.write_text(f"http://{server.server_address[0]}:{server.server_port}")
    address.rename(Service.folder / "address")
    while os.read(0, 4096):
        pass


if __name__ == "__main__":
    main()
