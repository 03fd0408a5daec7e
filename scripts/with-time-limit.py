#!/usr/bin/env python3
"""Runs a command with a time limit, and leaves nothing of it behind.

    scripts/with-time-limit.py SECONDS COMMAND [ARGUMENT ...]

The command gets a session of its own. Test runners start children in groups and sessions of their own, which `timeout`
does not reach; on Linux this program adopts every orphan below it, so that it finds them all. It also gets a folder of
its own for temporary files (TMPDIR): what of ours is still there at a good end is told, and fails it. And python3 is this
one, not a shim of pyenv: each start of one, ours or uv's, takes a tenth of a second of CPU. Exit status: the
command's own; 128 + N when a signal N ended it; 124 when the time was up; 1 when it left files.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

GRACE_SECONDS = 5
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans():
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants():
    """The living processes below this one, as {pid: command line}."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    children, words, lister = {}, {}, set()
    for line in listing.stdout.splitlines():
        pid, parent, state, command = (line.split(None, 3) + [""])[:4]
        if state.startswith("Z"):
            continue
        if command.startswith("ps -A -o pid="):
            lister.add(int(pid))
        children.setdefault(int(parent), []).append(int(pid))
        words[int(pid)] = command
    found, todo = {}, [os.getpid()]
    while todo:
        for pid in children.get(todo.pop(), []):
            if pid not in lister:
                found[pid] = words[pid]
                todo.append(pid)
    return found


def send(signal_number, pids):
    for pid in pids:
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            pass  # it ended in the meantime, as asked


def reap():
    """Takes the exit statuses of all children that ended, adopted ones too, as {pid: status}: none stays as a zombie."""
    ended = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def end_all():
    """Ends everything below: asks first, then kills. Gives what had to be ended."""
    left = descendants()
    deadline = time.monotonic() + GRACE_SECONDS
    send(signal.SIGTERM, left)
    while descendants() and time.monotonic() < deadline:
        reap()
        time.sleep(0.1)
    send(signal.SIGKILL, descendants())
    reap()
    return left


def search_path():
    path = [os.path.dirname(sys.executable), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    return os.pathsep.join(folder for folder in path if os.path.basename(folder) != "shims")


def wait_for(child, limit):
    """Waits for `child`, for the limit in seconds, or for a signal. Gives its exit status and the signal, either may be None."""
    signals = []
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: signals.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    deadline = time.monotonic() + limit
    while True:
        ended = reap()
        if child.pid in ended:
            return ended[child.pid], None
        left = deadline - time.monotonic()
        if signals or left <= 0:
            return None, signals[0] if signals else None
        if select.select([awake], [], [], left)[0]:
            os.read(awake, 4096)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    limit, command = float(sys.argv[1]), sys.argv[2:]
    adopt_orphans()
    folder = tempfile.mkdtemp(prefix="cfb-")  # short: paths of sockets may have a hundred bytes
    child = subprocess.Popen(command, start_new_session=True, env=os.environ | {"TMPDIR": folder, "PATH": search_path()})
    status, stopped = wait_for(child, limit)
    left = end_all()
    # Others, such as the compiler, have names of their own.
    files = sorted(name for name in os.listdir(folder) if name.startswith("cf-bench"))
    contents = [os.path.join(at, name) for file in files for at, _, names in os.walk(os.path.join(folder, file)) for name in names]
    shutil.rmtree(folder, ignore_errors=True)
    if status is None:
        why = f"signal {stopped}" if stopped else f"the limit of {limit:g} s"
        print(f"with-time-limit: {why} ends {command[0]} and:", file=sys.stderr)
    elif left:
        print("with-time-limit: these were left behind, and are ended now:", file=sys.stderr)
    for pid, words in left.items():
        print(f"  {pid} {words[:150]}", file=sys.stderr)
    if status is None:
        return 128 + stopped if stopped else 124
    if status == 0 and files:
        print("with-time-limit: these files were left behind:", *(files + contents)[:40], sep="\n  ", file=sys.stderr)
        return 1
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
