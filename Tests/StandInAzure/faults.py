"""Faults that a test asked for: each matches requests by method and path, a number of times or for some seconds."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from web import Answer, Dropped, Request
from world import World

KINDS = ("status", "async_error", "drop", "delay", "hang", "garbage")


class Faults:
    def __init__(self, world: World) -> None:
        self._world = world
        self._list: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._released = threading.Event()

    def add(self, fault: dict[str, Any]) -> dict[str, Any]:
        if fault.get("kind") not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        fault = {"method": ".*", "path": ".*", "skip": 0, "hits": 0, **fault}
        re.compile(fault["method"]), re.compile(fault["path"])
        if "seconds" in fault and fault["kind"] not in ("delay", "hang"):
            fault["until"] = time.time() + fault["seconds"]
        with self._lock:
            self._list.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._list.clear()
            self._released.set()
            self._released = threading.Event()

    def all(self) -> list[dict[str, Any]]:
        return list(self._list)

    def take(self, request: Request) -> dict[str, Any] | None:
        """The first fault that concerns this request, counted as used."""
        with self._lock:
            for fault in self._list:
                if not re.fullmatch(fault["method"], request.method) or not re.search(
                    fault["path"], request.path, re.I
                ):
                    continue
                if time.time() > fault.get("until", float("inf")) or fault["hits"] >= fault.get("times", float("inf")):
                    continue
                if fault["skip"] > 0:
                    fault["skip"] -= 1
                    continue
                fault["hits"] += 1
                return fault
        return None

    def before(self, fault: dict[str, Any], request: Request) -> Answer | None:
        """What takes the place of the real answer, if anything does."""
        kind = fault["kind"]
        if kind == "status":
            error = {"code": fault.get("code", "InternalServerError"), "message": fault.get("message", "It failed.")}
            headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            return Answer(fault.get("status", 500), {"error": error}, headers)
        if kind == "garbage":
            return Answer(fault.get("status", 200), fault.get("body", "<html>Service temporarily confused</html>"))
        if kind == "drop" and not fault.get("after"):
            raise Dropped
        if kind == "delay":
            self._world.ended.wait(fault.get("seconds", 1.0))
        if kind == "hang":
            self._released.wait(fault.get("seconds", 600.0))
            raise Dropped
        if kind == "async_error":
            request.planned_error = {
                "code": fault.get("code", "InternalOperationError"),
                "message": fault.get("message", "It failed."),
            }
        return None

    def after(self, fault: dict[str, Any]) -> None:
        if fault["kind"] == "drop":
            raise Dropped  # it was done, but nobody hears of it
