"""One process of a step, as the runner has it: its output read line by line, its commands obeyed, its end forced.

Sources: actions/runner, ActionCommandManager.cs, ActionCommand.cs, FileCommandManager.cs, ProcessInvoker.cs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

GRACE = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 5.0))
SUMMARY_LIMIT = 1 << 20
ANNOTATIONS = 10
_ANNOTATION = ("error", "warning", "notice")
_KNOWN = {*_ANNOTATION, "add-mask", "group", "endgroup", "stop-commands", "debug", "echo"}
_V1 = re.compile(r"##\[([a-z-]+)[^\]]*\]")


class Masks:
    def __init__(self) -> None:
        self._words: set[str] = set()

    def add(self, word: str) -> None:
        self._words.update(line for line in (word, *word.splitlines()) if line.strip())

    def cover(self, text: str) -> str:
        for word in sorted(self._words, key=len, reverse=True):
            text = text.replace(word, "***")
        return text


class Cancel:
    """Asked for once, by a signal to us or by a line of output."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.at = 0.0

    def ask(self) -> None:
        if not self.event.is_set():
            self.at = time.monotonic()
            self.event.set()


@dataclass
class Heard:
    """What came of a step's output."""

    annotations: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    groups: int = 0


class Listener:
    """The runner's ear: one line at a time, from both streams."""

    def __init__(self, log: Path, masks: Masks) -> None:
        self.heard = Heard()
        self._masks, self._lock = masks, threading.Lock()
        self._log = log.open("w", encoding="utf-8")
        self._token: str | None = None
        self.watches: list[tuple[re.Pattern[str], Any]] = []

    def line(self, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        with self._lock:
            self._command(text)
            self._log.write(self._masks.cover(text) + "\n")
            self._log.flush()
        for pattern, action in self.watches:
            if pattern.search(text):
                action()

    def close(self, was_killed: bool) -> None:
        """Whoever was killed had no last word."""
        if self._token is not None and not was_killed:
            self.heard.complaints.append("commands were still stopped at the step's end")
        if self.heard.groups and not was_killed:
            self.heard.complaints.append(f"{self.heard.groups} groups were still open at the step's end")
        for kind in _ANNOTATION:
            count = sum(1 for known in self.heard.annotations if known["kind"] == kind)
            if count > ANNOTATIONS:
                self.heard.complaints.append(f"{count} annotations of the kind {kind}: GitHub shows {ANNOTATIONS}")
        self._log.close()

    def _command(self, text: str) -> None:
        stripped = text.lstrip()
        found = re.match(r"::([^\s:]+)(?: ((?:(?!::).)*))?::(.*)$", stripped)
        if self._token is not None:
            if found and found[1] == self._token:
                self._token = None
            return
        if found is None or found[1] not in _KNOWN:
            # The older form counts anywhere in a line.
            if stripped.startswith("::") or _V1.search(text):
                self.heard.unknown.append(text)
            return
        name, data = found[1], _unescaped(found[3])
        pairs = [part.split("=", 1) for part in (found[2] or "").split(",") if "=" in part]
        properties = {key.strip(): _unescaped(value, True) for key, value in pairs}
        if name == "add-mask":
            self._masks.add(data)
        elif name == "stop-commands":
            self._token = data
            if not data or data in _KNOWN:
                self.heard.complaints.append(f"{data!r} is no token for stop-commands")
        elif name in _ANNOTATION:
            extra = set(properties) - {"file", "line", "endLine", "col", "endColumn", "title"}
            if extra:
                self.heard.complaints.append(f"unknown properties of an annotation: {sorted(extra)}")
            self.heard.annotations.append({"kind": name, "message": self._masks.cover(data), **properties})
        elif name == "group":
            self.heard.groups += 1
        elif name == "endgroup":
            self.heard.groups = max(0, self.heard.groups - 1)


def _unescaped(text: str, is_property: bool = False) -> str:
    if is_property:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def run(
    command: list[str], environment: dict[str, str], folder: Path, listener: Listener, cancel: Cancel,
    ignores_cancel: bool, cancel_when: str | None, kill_when: str | None, limit: float,
) -> int:
    """Runs it to its end. `ignores_cancel`: the cancel is what this step runs after."""
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    if cancel_when:
        listener.watches.append((re.compile(cancel_when), cancel.ask))
    if kill_when:
        listener.watches.append((re.compile(kill_when), lambda: _send(process, signal.SIGKILL)))
    readers = [
        threading.Thread(target=_read, args=(stream, listener), daemon=True)
        for stream in (process.stdout, process.stderr)
        if stream is not None
    ]
    for reader in readers:
        reader.start()
    end = time.monotonic() + limit
    while process.poll() is None:
        if cancel.event.is_set() and not ignores_cancel:
            _end(process)
            break
        if time.monotonic() > end:
            listener.heard.complaints.append(f"the step did not end within {limit:g} s")
            _end(process)
            break
        time.sleep(0.01)
    status = process.wait()
    for reader in readers:
        reader.join(5)
    if any(reader.is_alive() for reader in readers):
        listener.heard.complaints.append("somebody held the step's output for 5 s after its end")
    return status if status >= 0 else 128 - status


def _end(process: subprocess.Popen[bytes]) -> None:
    """Only the first process hears of it."""
    for number, seconds in GRACE:
        _send(process, number)
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        os.kill(process.pid, number)


def _read(stream: BinaryIO, listener: Listener) -> None:
    for raw in stream:
        listener.line(raw)


def end_orphans(mark: str) -> list[str]:
    """What the runner does when a job ends: whoever still has its mark in the environment goes."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if f"RUNNER_TRACKING_ID={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                os.kill(int(entry.name), signal.SIGKILL)
                found.append(words or entry.name)
        except OSError:
            continue  # gone, or not ours
    return found


# Files through which a step hands things on


def pairs(path: Path) -> dict[str, str]:
    """GITHUB_OUTPUT and GITHUB_ENV: `name=value`, or `name<<END` to a line `END`.

    Raises ValueError where the runner fails the step.
    """
    text = path.read_bytes().decode("utf-8") if path.exists() else ""
    found, lines = {}, iter(re.split(r"\r?\n", text))
    for line in lines:
        if not line:
            continue
        equals, here = line.find("="), line.find("<<")
        if equals >= 0 and (here < 0 or equals < here):
            name, value = line[:equals], line[equals + 1 :]
        elif here > 0:
            name, end, value_lines = line[:here], line[here + 2 :], []
            if not end:
                raise ValueError(f"a delimiter is missing: {line!r}")
            for inner in lines:
                if inner == end:
                    break
                value_lines.append(inner)
            else:
                raise ValueError(f"matching delimiter not found: {end!r}")
            value = "\n".join(value_lines)
        else:
            raise ValueError(f"invalid format: {line!r}")
        if not name:
            raise ValueError(f"a name is missing: {line!r}")
        found[name] = value
    return found
