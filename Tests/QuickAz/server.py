"""Runs az for tests, each call in a fork of a process that has loaded az's libraries: that is two thirds of a call's CPU time.

    server.py SOCKET        with the interpreter of az's own environment; ends when its standard input does

What is az's own is loaded after the fork, with the caller's environment, since it reads that while it is loaded. A caller that
is gone ends its call, as the end of a real az would.
"""

import array
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading


def load_libraries():
    import argcomplete  # noqa: F401
    import azure.core.exceptions  # noqa: F401
    import azure.core.pipeline.policies  # noqa: F401
    import azure.core.pipeline.transport  # noqa: F401
    import azure.mgmt.core.tools  # noqa: F401
    import azure.mgmt.imagebuilder  # noqa: F401
    import azure.mgmt.monitor  # noqa: F401
    import knack.commands  # noqa: F401
    import knack.invocation  # noqa: F401
    import msal  # noqa: F401
    import msrest  # noqa: F401
    import psutil  # noqa: F401
    import requests  # noqa: F401


def receive(line):
    streams = array.array("i")
    size, extra, _, _ = line.recvmsg(4, socket.CMSG_SPACE(3 * streams.itemsize))
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            streams.frombytes(data)
    left = int.from_bytes(size, "big")
    parts = []
    while left:
        part = line.recv(left)
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return json.loads(b"".join(parts)), list(streams)


def call(line):
    request, streams = receive(line)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ.setdefault("AZ_INSTALLER", "PIP")
    sys.argv = ["az", *request["arguments"]]
    worker = os.fork()
    if worker:
        watch(line, worker)
    line.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
    code = 1
    try:
        runpy.run_module("azure.cli", run_name="__main__", alter_sys=False)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else (0 if end.code is None else 1)
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                pass
        os._exit(code & 0xFF)


def watch(line, worker):
    """Passes the caller's signals on, ends the call with the caller, and tells it how the call ended."""

    def listen():
        while True:
            number = line.recv(1)
            try:
                os.kill(worker, number[0] if number else signal.SIGKILL)
            except ProcessLookupError:
                return
            if not number:
                return

    threading.Thread(target=listen, daemon=True).start()
    _, status = os.waitpid(worker, 0)
    code = os.waitstatus_to_exitcode(status)
    try:
        line.sendall(bytes([0, code]) if code >= 0 else bytes([1, -code]))
    except OSError:
        pass
    os._exit(0)


def main():
    load_libraries()
    gc.freeze()  # what is loaded is never looked at again, so that forks go on sharing its memory
    door = socket.socket(socket.AF_UNIX)
    door.bind(sys.argv[1] + ".new")
    door.listen(64)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    def leave():
        sys.stdin.buffer.read()
        os.unlink(sys.argv[1])
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
    while True:
        line, _ = door.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            door.close()
            call(line)
        line.close()


main()
