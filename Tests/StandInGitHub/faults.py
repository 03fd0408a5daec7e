"""Faults and gates that a test asked for: each concerns requests by method and path, a number of times."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from web import DOCS, Answer, Request

GATE_SECONDS = 10.0
_MESSAGES = {
    401: "Bad credentials",
    403: "Resource not accessible by integration",
    404: "Not Found",
    422: "Validation Failed",
    429: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
}

Fault = dict[str, Any]


class Faults:
    def __init__(self) -> None:
        self._list: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        what = {"status", "cut", "delay", "garbage"} & set(fault)
        if not what:
            raise ValueError("a fault has a status, cut, delay or garbage")
        if fault.get("cut", "before") not in ("before", "middle", "after"):
            raise ValueError("cut is before, middle or after")
        fault = {"method": ".*", "path": ".*", "skip": 0, "hits": 0, **fault}
        re.compile(fault["method"]), re.compile(fault["path"])
        with self._lock:
            self._list.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def all(self) -> list[Fault]:
        with self._lock:
            return [dict(fault) for fault in self._list]

    def take(self, request: Request) -> Fault:
        """The first fault that concerns this request, counted as used; empty if none does."""
        with self._lock:
            for fault in self._list:
                if not _concerns(fault, request) or fault["hits"] >= fault.get("times", float("inf")):
                    continue
                if fault["skip"] > 0:
                    fault["skip"] -= 1
                    continue
                fault["hits"] += 1
                return fault
        return {}


def answer_of(fault: Fault) -> Answer:
    """What the client hears instead."""
    if fault.get("garbage"):
        return Answer(200, "<html>Service temporarily confused</html>", {"Content-Type": "text/html; charset=utf-8"})
    status = fault["status"]
    default = {"message": _MESSAGES.get(status, "Server Error"), "documentation_url": DOCS, "status": str(status)}
    return Answer(status, fault.get("body", default), fault.get("headers", {}))


class Gates:
    """Each holds its next requests until all have arrived.

    A GET is answered first and the answer held, so that all of them tell the same moment; anything else is held first.
    """

    def __init__(self) -> None:
        self._list: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def add(self, gate: dict[str, Any]) -> None:
        gate = {"method": ".*", "path": ".*", "seconds": GATE_SECONDS, **gate, "arrived": 0, "opened": None}
        re.compile(gate["method"]), re.compile(gate["path"])
        if int(gate.get("count", 0)) < 1:
            raise ValueError("count is how many requests the gate holds")
        with self._changed:
            self._list.append(gate)

    def clear(self) -> None:
        with self._changed:
            for gate in self._list:
                gate["opened"] = gate["opened"] or "cleared"
            self._list.clear()
            self._changed.notify_all()

    def all(self) -> list[dict[str, Any]]:
        with self._changed:
            return [dict(gate) for gate in self._list]

    def take(self, request: Request) -> dict[str, Any] | None:
        with self._changed:
            return next((g for g in self._list if g["opened"] is None and _concerns(g, request)), None)

    def hold(self, gate: dict[str, Any]) -> None:
        """Until the gate is full, cleared or late."""
        with self._changed:
            gate["arrived"] += 1
            if gate["opened"] is None and gate["arrived"] >= gate["count"]:
                gate["opened"] = "full"
                self._changed.notify_all()
            deadline = time.monotonic() + gate["seconds"]
            while gate["opened"] is None and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
            if gate["opened"] is None:
                gate["opened"] = "late"
                self._changed.notify_all()


def _concerns(rule: dict[str, Any], request: Request) -> bool:
    return bool(re.fullmatch(rule["method"], request.method) and re.search(rule["path"], request.path))
