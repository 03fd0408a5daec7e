"""All that the stand-in knows: plain data under one lock, so that it can be saved and restored at any moment."""

from __future__ import annotations

import argparse
import copy
import datetime
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
CLIENT = "33333333-3333-3333-3333-333333333333"
SECRET = "not-a-secret"

Document = dict[str, Any]


def utc(seconds: float | None = None) -> str:
    moment = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def fresh_state() -> Document:
    return {
        "resources": {},  # by id in lower case
        "operations": {},  # by id; what takes time
        "vms": {},  # power and boots, by the VM's id in lower case
        "principals": {CLIENT: {"name": "user", "actions": ["*"]}},
        "guest": {"cloud_init": {"seconds": 0.0, "verdict": "done", "errors": []}, "files": {}},
        "oidc": {"subject": "repo:example/project:ref:refs/heads/main", "seconds": 300.0},
    }


class World:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.lock = threading.RLock()
        self.due = threading.Condition(self.lock)
        self.state = fresh_state()
        self.saved: dict[str, Document] = {}
        self.finishers: dict[str, Callable[[World, Document], None]] = {}  # by kind of operation
        self.addresses: dict[str, str] = {}
        self.ended = threading.Event()

    @property
    def resources(self) -> dict[str, Document]:
        return self.state["resources"]

    def copy_of_state(self) -> Document:
        return {"at": time.time(), "state": copy.deepcopy(self.state)}

    def set_state(self, saved: Document) -> None:
        """Takes a saved state; what was under way has as long to go as it had then."""
        later = time.time() - saved["at"]
        self.state = copy.deepcopy(saved["state"])
        for operation in self.state["operations"].values():
            operation["ends"] += later
        for vm in self.state["vms"].values():
            for moment in ("booted", "first_boot"):
                if vm[moment] is not None:
                    vm[moment] += later
        self.due.notify_all()

    def append(self, file: str, line: Document) -> None:
        with self.lock, (self.folder / file).open("a") as out:
            out.write(json.dumps(line, separators=(",", ":")) + "\n")

    def name_of(self, principal: str) -> str:
        return self.state["principals"].get(principal, {}).get("name", principal)
