"""A stand-in for GitHub's REST API on loopback: `python3 Tests/StandInGitHub --folder DIR`. Ends when its input does.

It is a proxy for plain HTTP that knows one host, so that the real gh talks to it. One line of JSON on standard output,
and DIR/ready.json, tell where it listens and what a client's environment must hold.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from actions import STORAGE, Actions
from api import API
from control import Control
from faults import Faults, Gates, answer_of
from web import Answer, Dropped, Refusal, Request, Server
from world import Document, World, utc


class StandIn:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.world = World()
        self.faults, self.gates = Faults(), Gates()
        self.api, self.actions = API(self.world), Actions(self.world)
        self.server = Server(self._answer)
        self.steering = Server(Control(self.world, self.faults, self.gates).answer)
        self.world.storage = self.server.address

    def serve(self) -> None:
        for server in (self.server, self.steering):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        config = self.folder / "gh"
        config.mkdir(parents=True, exist_ok=True)
        ready = {
            "port": self.server.server_port,
            "control": self.steering.address,
            "environment": self._environment(config),
            "pid": os.getpid(),
        }
        temporary = self.folder / "ready.json.new"
        temporary.write_text(json.dumps(ready, indent=2))
        temporary.rename(self.folder / "ready.json")
        print(json.dumps(ready), flush=True)

    def _environment(self, config: Path) -> dict[str, str]:
        """For gh to come here and nowhere else, whatever else the environment says of proxies."""
        address = self.server.address
        return {
            "GH_HOST": "github.localhost",
            "GH_TOKEN": "stand-in-token",
            "http_proxy": address,
            "HTTP_PROXY": address,
            "no_proxy": "",
            "NO_PROXY": "",
            "GH_CONFIG_DIR": str(config),
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_PROMPT_DISABLED": "1",
        }

    def _answer(self, request: Request) -> Answer:
        """Faults and gates, refusals as answers, and one entry of the log for each request."""
        entry: Document = {
            "time": utc(),
            "at": time.time(),
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "status": 0,
            "body": request.raw.decode(errors="replace"),
        }
        with self.world.lock:
            self.world.requests.append(entry)
        try:
            reply = self._faulty(request).sealed()
            entry["status"] = reply.status
        except Dropped:
            entry["status"] = -1
            raise
        if request.path.startswith(STORAGE):
            return reply
        reply.headers = {**self.world.rate_headers(), **reply.headers}
        return reply

    def _faulty(self, request: Request) -> Answer:
        gate = self.gates.take(request)
        reads = request.method in ("GET", "HEAD")
        if gate and not reads:
            self.gates.hold(gate)
        try:
            return self._with_fault(self.faults.take(request), request)
        finally:
            if gate and reads:
                self.gates.hold(gate)

    def _with_fault(self, fault: Document, request: Request) -> Answer:
        after = bool(fault.get("after"))
        if not after:
            self.world.ended.wait(fault.get("delay", 0))
        if fault.get("cut") == "before":
            raise Dropped
        replaced = "status" in fault or fault.get("garbage")
        if replaced and not after:
            return answer_of(fault)
        reply = self._done(request)
        if after:
            self.world.ended.wait(fault.get("delay", 0))
        if fault.get("cut") == "after":
            raise Dropped  # it was done, but nobody hears of it
        if fault.get("cut") == "middle":
            reply.truncated = True
        return answer_of(fault) if replaced else reply

    def _done(self, request: Request) -> Answer:
        with self.world.lock:
            if request.path.startswith(STORAGE):
                return self.actions.stored(request).sealed()
            try:
                return self.api.answer(request).sealed()
            except Refusal as refusal:
                return refusal.answer.sealed()

    def end(self) -> None:
        self.world.ended.set()


def main() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a test program blocks signals, and this is its child
    parser = argparse.ArgumentParser(description="A stand-in for GitHub's REST API on loopback.")
    parser.add_argument("--folder", required=True, type=Path)
    stand_in = StandIn(parser.parse_args().folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is for the program that is tested
    stand_in.serve()
    try:
        while os.read(0, 4096):
            pass
    finally:
        stand_in.end()
        os._exit(0)  # threads that still answer are not waited for


if __name__ == "__main__":
    main()
