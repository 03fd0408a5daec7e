"""What somebody with the key of the one door may try, with OpenSSH's own programs.

Prints `held` or `worked`, a tab, and the attack's name, one line each. Arguments: the key, the file of known hosts, the login's name,
the port, the agent's home, and an empty folder.
"""

import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

key, known, login, at, home, folder = sys.argv[1:7]
LIMIT = 12  # seconds that an attack may take

OPTIONS = ["-F", "/dev/null", "-i", key]
for option in (
    "IdentitiesOnly=yes", "UserKnownHostsFile=" + known, "BatchMode=yes", "ConnectTimeout=20",
    "HostName=127.0.0.1", "User=" + login, "Port=" + at, "LogLevel=DEBUG1",
):
    OPTIONS += ["-o", option]

numbers = itertools.count()


class Attempt:
    """One attack: a canary that must not appear, and a port and a socket that nobody must reach."""

    def __init__(self, name):
        self.name = name
        number = next(numbers)
        # A port that is free here stays so: nobody else listens on this address.
        self.address = f"127.0.1.{number + 1}"
        self.folder = os.path.join(folder, str(number))
        os.mkdir(self.folder)
        self.canary = os.path.join(self.folder, "canary")
        self.reached = False
        self.traces = []
        self.port = socket.create_server(("127.0.0.1", 0))
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(os.path.join(self.folder, "door"))
        self.door.listen()
        for listener in (self.port, self.door):
            threading.Thread(target=self.wait, args=(listener,), daemon=True).start()

    def wait(self, listener):
        try:
            listener.accept()[0].close()
            self.reached = True
        except OSError:
            pass

    @property
    def target(self):
        return self.port.getsockname()[1]

    def run(self, program, *arguments, give=b"", environment=None):
        """Runs a client to its end; a client that is still there after its time has kept a forwarding open."""
        command = [program, *OPTIONS, *arguments]
        variables = {**os.environ, **(environment or {})}
        try:
            done = subprocess.run(command, input=give, capture_output=True, timeout=LIMIT, env=variables)
            return done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            return None, late.stdout or b"", late.stderr or b""

    def trace(self, found):
        if found:
            self.traces.append(found)

    def end(self):
        if os.path.exists(self.canary):
            self.traces.append("the canary is there")
        if self.reached:
            self.traces.append("the listener was reached")
        self.port.close()
        self.door.close()
        sys.stdout.write("\t".join(["worked" if self.traces else "held", self.name, *self.traces]) + "\n")
        sys.stdout.flush()


def command(name, *arguments, give=b"", trace=b"", program="ssh"):
    attempt = Attempt(name)
    filled = [text.replace("CANARY", attempt.canary).replace("BAIT", __file__) for text in arguments]
    _, output, words = attempt.run(program, *filled, give=give.replace(b"CANARY", attempt.canary.encode()))
    attempt.trace(trace and trace in output + words and "it was answered")
    attempt.end()


def through(name, option, forwarding, talk):
    """Opens a forwarding at this end and goes through it."""
    attempt = Attempt(name)
    with socket.create_server((attempt.address, 0)) as taken:
        local = taken.getsockname()[1]
    text = forwarding.format(local=f"{attempt.address}:{local}", port=attempt.target, socket=os.path.join(attempt.folder, "door"))
    client = subprocess.Popen(
        ["ssh", *OPTIONS, "-N", option, text, "door"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + LIMIT
    while time.monotonic() < until and client.poll() is None:
        try:
            line = socket.create_connection((attempt.address, local), 5)
        except OSError:
            time.sleep(0.05)
            continue
        line.settimeout(5)
        try:
            talk(line, attempt.target)
            line.recv(1)
        except OSError:
            pass
        break
    else:
        attempt.trace("the local end never listened: nothing was tried")
    client.kill()
    client.wait()
    attempt.end()


def to_port(name):
    attempt = Attempt(name)
    attempt.run("ssh", "-W", f"127.0.0.1:{attempt.target}", "door", give=b"hello")
    attempt.end()


def subsystem(name):
    """Says hello to an sftp server, and waits a moment for its version."""
    attempt = Attempt(name)
    client = subprocess.Popen(
        ["ssh", *OPTIONS, "-s", "door", "sftp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    threading.Timer(LIMIT, client.kill).start()
    client.stdin.write(b"\0\0\0\5\1\0\0\0\3")
    client.stdin.flush()
    threading.Timer(LIMIT / 2, client.stdin.close).start()
    attempt.trace(client.stdout.read(9)[4:] == b"\2\0\0\0\3" and "it was answered")
    client.kill()
    client.wait()
    attempt.end()


def remote(name, option, forwarding):
    """Asks for a forwarding on the benchmark host, and is not refused."""
    attempt = Attempt(name)
    text = forwarding.format(canary=attempt.canary, port=attempt.target)
    status, _, _ = attempt.run("ssh", "-N", "-o", "ExitOnForwardFailure=yes", option, text, "door")
    attempt.trace(status is None and "it stayed open")
    attempt.end()


def surroundings(name, variable, *arguments, environment=None):
    """Looks at what the agent behind the door was given, while the session waits for input."""
    attempt = Attempt(name)
    before = set(agents())
    client = subprocess.Popen(
        ["ssh", *OPTIONS, *arguments, "door", "env"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    until = time.monotonic() + LIMIT
    seen = None
    while seen is None and time.monotonic() < until and client.poll() is None:
        for pid in set(agents()) - before:
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    seen = file.read()
            except OSError:
                pass
        time.sleep(0.02)
    attempt.trace(not seen and "no agent was seen: nothing was tried")
    attempt.trace(seen and any(one.startswith(variable + b"=") for one in seen.split(b"\0")) and "it was given")
    client.kill()
    client.wait()
    attempt.end()


def agents():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(home + "/agents/"):
                yield pid
        except OSError:
            pass


def plainly(line, port):
    line.sendall(b"hello")


def by_socks(line, port):
    line.sendall(b"\x05\x01\x00")
    line.recv(2)
    line.sendall(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
    line.recv(10)


RENAMES = b"""{"v":1,"type":"receive","body":{"file":"../../canary","bytes":0,"kind":"upload"}}
{"v":1,"type":"attach","body":{"job":"../../../etc","after":0}}
{"v":1,"type":"upgrade","body":{"agent":"/bin/sh"}}
"""

# Most of an attack is waiting. Not more at a time: sshd turns away whom it can't log in soon (MaxStartups).
with ThreadPoolExecutor(8) as pool:
    attacks = []

    def at_once(attack, *arguments, **options):
        attacks.append(pool.submit(attack, *arguments, **options))

    at_once(command, "a shell", "door", give=b"touch CANARY\n")
    at_once(command, "another command", "door", "touch CANARY")
    at_once(command, "a command behind the agent's", "door", "serve; touch CANARY")
    at_once(command, "a substitution", "door", "$(touch CANARY)`touch CANARY`")
    at_once(command, "a second line", "door", "serve\ntouch CANARY")
    at_once(command, "another of the agent's commands", "door", "cf-bench-agent version", trace=b", sha256 ")
    at_once(command, "a terminal", "-tt", "door", give=b"touch CANARY\n", trace=b"PTY allocation request succeeded")
    at_once(command, "a shell with a terminal", "-tt", "door", "/bin/sh -i", give=b"touch CANARY\ntty\n", trace=b"/dev/pts")
    at_once(command, "scp by its old protocol", "-O", "BAIT", "door:CANARY", program="scp")
    at_once(command, "scp", "BAIT", "door:CANARY", program="scp")
    at_once(command, "scp of a file from there", "-O", "door:/etc/passwd", "CANARY", program="scp")
    at_once(command, "sftp", "-b", "-", "door", give=b"put " + __file__.encode() + b" CANARY\n", program="sftp")
    at_once(subsystem, "the sftp subsystem")
    at_once(command, "names that lead elsewhere", "door", give=RENAMES, trace=b'"received"')
    at_once(to_port, "a channel to a port (-W)")
    at_once(through, "a local forwarding (-L)", "-L", "{local}:127.0.0.1:{port}", plainly)
    at_once(through, "a forwarding to a socket there", "-L", "{local}:{socket}", plainly)
    at_once(through, "a SOCKS proxy (-D)", "-D", "{local}", by_socks)
    at_once(remote, "a remote forwarding (-R)", "-R", "127.0.0.1:0:127.0.0.1:{port}")
    at_once(remote, "a remote socket", "-R", "{canary}:127.0.0.1:{port}")
    at_once(remote, "a tunnel (-w)", "-w", "any:any")
for attack in attacks:
    attack.result()

# Each of these looks for the one agent that is new.
path = os.path.join(folder, "agent")
ssh_agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
surroundings("the caller's ssh-agent (-A)", b"SSH_AUTH_SOCK", "-A", environment={"SSH_AUTH_SOCK": path})
ssh_agent.terminate()
surroundings("a display (-Y)", b"DISPLAY", "-Y", environment={"DISPLAY": "127.0.0.1:7"})
surroundings("variables", b"LD_PRELOAD", "-o", "SetEnv=LD_PRELOAD=/tmp/none.so BASH_ENV=/tmp/none")
