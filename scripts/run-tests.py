#!/usr/bin/env python3
"""Runs the suite as CI does: a test that fails is run once more, alone.

    scripts/run-tests.py COMMAND [ARGUMENT ...]

COMMAND is a `swift test` with whatever stands before it. Everything goes straight through. When it fails, each test that
failed, and each that was running when the process died, runs again in a process of its own. Where all of these pass, the
run has passed: the last lines are then `FLAKY: name` for each and `N passed, 0 failed`. Exit status: that of COMMAND, or 0
after such a second run.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile


class Run:
    """What the event stream of one `swift test` says: ABI of Swift Testing, version 0."""

    def __init__(self):
        self.names = {}  # by id; only tests, no suites
        self.started, self.ended, self.failed = set(), set(), set()
        self.is_over = False

    def take(self, line):
        try:
            record = json.loads(line)
        except ValueError:
            return  # the process died while it wrote
        payload = record["payload"]
        if record["kind"] == "test":
            if payload["kind"] == "function":
                self.names[payload["id"]] = payload.get("displayName") or payload["name"]
            return
        kind, test = payload["kind"], payload.get("testID")
        if kind == "runEnded":
            self.is_over = True
        elif kind == "testStarted":
            self.started.add(test)
        elif kind == "testEnded":
            self.ended.add(test)
        elif kind == "issueRecorded" and not payload["issue"].get("isKnown"):
            if payload["issue"].get("isFailure", True):
                self.failed.add(test)

    @property
    def suspects(self):
        """Ids of the tests to run again; None when something failed that is no test's own."""
        died = set() if self.is_over else self.started - self.ended
        found = self.failed | died
        if not found or None in self.failed:
            return None
        return sorted(test for test in found if test in self.names) or None

    @property
    def passed(self):
        return len((self.ended & self.names.keys()) - self.failed)


def run(command, more=()):
    """Gives the exit status and what the run said of itself."""
    found = Run()
    with tempfile.TemporaryDirectory(prefix="cf-bench-events-") as folder:
        path = os.path.join(folder, "events")
        stream = ["--event-stream-output-path", path, "--event-stream-version", "0"]
        status = subprocess.run([*command, *stream, *more]).returncode
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    found.take(line)
    return status, found


def filter_of(test):
    """An id is `Target.Suite/function(labels:)/File.swift:line:column`."""
    name = re.escape(re.sub(r"/[^/]+\.swift:\d+:\d+$", "", test))
    return f"^{name}$|^{name}/"


def main():
    command = sys.argv[1:]
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    # The second run draws the same part of long tables as the first.
    os.environ.setdefault("CF_BENCH_TEST_SEED", str(random.randrange(1, 1_000_000)))
    status, first = run(command)
    if status == 0:
        return 0
    if not first.suspects:
        print("run-tests: no single test can be named that failed, so none is run again", file=sys.stderr)
        return status
    names = [first.names[test] for test in first.suspects]
    for test, name in zip(first.suspects, names):
        print(f"run-tests: once more, alone: {name}", flush=True)
        again, second = run(command, ["--filter", filter_of(test)])
        if again != 0 or second.passed == 0:
            print(f"run-tests: it failed twice: {name}", flush=True)
            return again or 1
    counted = first.passed + len(names)
    if not first.is_over:
        # Tests that had not begun when the process died have not run at all.
        print("run-tests: the process died; once more from the start", flush=True)
        status, second = run(command)
        if status != 0:
            return status
        counted = second.passed
    for name in names:
        print(f"FLAKY: {name}")
    print(f"{counted} passed, 0 failed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
