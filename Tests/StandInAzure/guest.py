"""Process 1 of a VM: keeps sshd, the uptime file and the watchdog's timer; at the end of its input, all of the VM ends.

Orphans of the VM become its children (PR_SET_CHILD_SUBREAPER), so that none escapes by a fork or a session of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time

from processes import descendants, end_all, end_marked

_SUBREAPER = 36  # prctl(2)


class Guest:
    def __init__(self, plan: dict) -> None:
        self.plan = plan
        self.open = plan["open"]
        self.sshd: subprocess.Popen[bytes] | None = None
        self.watchdog: subprocess.Popen[bytes] | None = None
        self.boot_at = time.monotonic() + plan["boot_seconds"]
        self.uptime_at = 0.0
        self.watchdog_at = self.boot_at

    def live(self) -> None:
        buffered = b""
        while True:
            now = time.monotonic()
            self._tick(now)
            pause = min(self.uptime_at, self.watchdog_at, self.boot_at if now < self.boot_at else now + 0.5) - now
            if not select.select([0], [], [], max(0.002, pause))[0]:
                continue
            if not (read := os.read(0, 4096)):
                return
            *words, buffered = (buffered + read).split(b"\n")
            for word in words:
                self.open = word == b"open"

    def _tick(self, now: float) -> None:
        if now >= self.uptime_at:
            self._write_uptime()
            self.uptime_at = now + 0.5
        if now >= self.boot_at:
            self._keep_sshd()
        if self.plan["watchdog"] and now >= self.watchdog_at:
            self._start_watchdog()
            self.watchdog_at = now + self.plan["every"]
        if not self.plan["watchdog"]:
            self.watchdog_at = now + 60
        self._reap()

    def _write_uptime(self) -> None:
        seconds = max(0.0, time.time() - self.plan["booted"])
        with open(self.plan["uptime_file"] + ".new", "w") as file:
            file.write(f"{seconds:.2f} {seconds:.2f}\n")
        os.replace(self.plan["uptime_file"] + ".new", self.plan["uptime_file"])

    def _keep_sshd(self) -> None:
        """Only who listens comes and goes with the rules: sessions that are open stay, as they do in Azure."""
        if self.plan["sshd"] is None:
            return
        if self.open and self.sshd is None:
            self.sshd = subprocess.Popen(self.plan["sshd"], stdin=subprocess.DEVNULL)
        if not self.open and self.sshd is not None:
            self.sshd.kill()
            self.sshd.wait()
            self.sshd = None

    def _start_watchdog(self) -> None:
        """As a systemd timer: not a second time while the first still runs."""
        if self.watchdog is not None and self.watchdog.poll() is None:
            return
        with open(self.plan["watchdog_log"], "a") as log:
            self.watchdog = subprocess.Popen(
                self.plan["watchdog"],
                env=self.plan["watchdog_environment"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _reap(self) -> None:
        """Orphans that ended; our own children are left to their Popen."""
        own = {process.pid for process in (self.sshd, self.watchdog) if process}
        try:
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in own:
                    return
                os.waitpid(found.si_pid, 0)
        except ChildProcessError:
            pass


def main() -> None:
    for unwanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(unwanted, lambda *_: None)  # not SIG_IGN, which all of the VM's processes would inherit
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    try:
        Guest(plan).live()
    finally:
        end_all(lambda: descendants(os.getpid()))
        end_marked(plan["marker"])


if __name__ == "__main__":
    main()
