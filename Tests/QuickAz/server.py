"""Runs az for tests, each call in a fork of a process that has az's code loaded: that is most of a call's CPU time.

    server.py SOCKET        with the interpreter of az's own environment; ends when its standard input does

What az keeps of the environment while it is loaded, its configuration's folder, is set again for each call. A caller that is
gone ends its call, as the end of a real az would.
"""

import array
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import sys
import tempfile
import threading

# Stands for the caller's folder of configuration in what is loaded before the caller is known; az makes it where it is missing.
NOBODYS = tempfile.mkdtemp(prefix="cf-bench-quick-az-")

# A call of each kind that loads something of its own. None of them gets beyond the question who is signed in, or wants to be.
KINDS = """\
account show
account list
group show --name g
group delete --name g --yes
login --service-principal --tenant t
network nic create --name n --resource-group g --vnet-name v --subnet s
network nsg create --name n --resource-group g
network nsg rule list --nsg-name n --resource-group g
network public-ip create --name n --resource-group g
network vnet create --name n --resource-group g
resource list --resource-group g
resource show --ids /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/n
rest --method get --url /subscriptions
role assignment list
role definition list --name n
tag update --operation merge --resource-id /subscriptions/s --tags a=b
vm auto-shutdown --name n --resource-group g --time 1900
vm create --name n --resource-group g --image i
vm get-instance-view --name n --resource-group g
vm identity assign --name n --resource-group g
vm run-command invoke --name n --resource-group g --command-id RunShellScript --scripts true
vm show --name n --resource-group g --show-details
vm start --name n --resource-group g --no-wait
"""


def load_az():
    """Loads what calls load, and runs none of it here: the calls that tell run in forks of their own."""
    os.environ["AZURE_CONFIG_DIR"] = NOBODYS
    os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "no"
    importlib.import_module("azure.cli.core")
    for kind in KINDS.splitlines():
        for name in names_loaded_by(kind.split()):
            if name in sys.modules or name.endswith("__main__"):
                continue
            try:
                importlib.import_module(name)
            except ImportError:
                pass  # made by another module, such as one in C, and not by its name
    shutil.rmtree(NOBODYS)


def names_loaded_by(arguments):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        sys.argv = ["az", *arguments]
        try:
            runpy.run_module("azure.cli", run_name="__main__", alter_sys=False)
        except BaseException:
            pass  # it ends with an error, and what it loaded until then is what is asked
        with os.fdopen(writing, "w") as told:
            told.write("\n".join(sys.modules))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        names = told.read().split()
    os.waitpid(child, 0)
    return names


def take_callers_folder():
    """Sets what az derived from the folder of configuration while it was loaded."""
    folder = os.environ.get("AZURE_CONFIG_DIR") or os.path.expanduser("~/.azure")
    for name, module in list(sys.modules.items()):
        if name.startswith(("azure.cli.", "knack.")):
            for key, value in list(vars(module).items()):
                if isinstance(value, str) and value.startswith(NOBODYS):
                    setattr(module, key, folder + value.removeprefix(NOBODYS))
    importlib.reload(sys.modules["azure.cli.core.extension"])


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
    take_callers_folder()
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
    load_az()
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
