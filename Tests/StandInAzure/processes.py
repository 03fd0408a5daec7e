"""Finding and ending processes by what /proc tells of them (Linux only, as the VM is)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable


def descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/stat") as file:
                # The name stands in parentheses and may hold anything; what follows the last one is regular.
                state, parent = file.read().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[pid] = int(parent)
    found, frontier = [], [root]
    while frontier:
        frontier = [pid for pid, parent in parents.items() if parent in frontier]
        found += frontier
    return found


def marked(variable: str) -> list[int]:
    """The processes that were started with this `NAME=VALUE` in their environment."""
    found = []
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if variable.encode() in file.read().split(b"\0") and pid != os.getpid():
                    found.append(pid)
        except OSError:
            continue
    return found


def end_marked(variable: str, limit: float = 5.0) -> None:
    end_all(lambda: marked(variable), limit)


def end_all(find: Callable[[], list[int]], limit: float = 5.0) -> None:
    """Kills what `find` finds until it finds nothing: a process may be starting another one meanwhile."""
    deadline = time.monotonic() + limit
    while (pids := find()) and time.monotonic() < deadline:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.002)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
