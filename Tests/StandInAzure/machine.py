"""The VM's inside: a folder for its disk, and a process that keeps a real sshd and the watchdog while it is on."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import network
from processes import end_marked
from world import Document, World

HERE = Path(__file__).resolve().parent

# Paths of the real machine that lie in the VM's folder here.
INSIDE = re.compile(
    r"(?<![\w./-])(/etc/ssh|/etc/cf-bench|/var/lib/cf-bench|/var/lib/cloud|/var/log|/usr/local/lib/cf-bench|/run/cf-bench)\b"
)


class Machines:
    def __init__(self, world: World) -> None:
        self.world = world
        self._running: dict[str, subprocess.Popen[str]] = {}

    def folder(self, vm: Document) -> Path:
        return self.world.folder / "vm" / vm["name"].lower()

    def prepare(self, vm: Document, document: Document, custom_data: bytes | None) -> None:
        """A new disk: host keys, who may log in, what cloud-init was given."""
        root = self.folder(vm)
        for inner in ("etc/ssh", "var/lib/cf-bench", "var/lib/cloud", "var/log", "home", "bin", "tmp"):
            (root / inner).mkdir(parents=True, exist_ok=True)
        key = root / "etc/ssh/ssh_host_ed25519_key"
        if not key.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{vm['name']}", "-f", str(key)], check=True
            )
        profile = document["properties"].get("osProfile") or {}
        given = ((profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []
        keys = [k["keyData"].strip() for k in given] + [k.strip() for k in self.world.options.authorized_key]
        (root / "authorized_keys").write_text("\n".join(keys) + "\n")
        if custom_data is not None:
            (root / "var/lib/cloud/user-data").write_bytes(custom_data)
        tool = root / "bin/cloud-init"
        tool.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{HERE}/cloud_init.py" "{root}/var/lib/cloud/state.json" "$@"\n'
        )
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)

    def host_key(self, vm: Document) -> str:
        return " ".join((self.folder(vm) / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2])

    def environment(self, vm: Document) -> dict[str, str]:
        """What sessions and scripts of the VM see."""
        root = self.folder(vm)
        passed = {name: value for name, value in os.environ.items() if _is_passed_on(name)}
        path = f"{root}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"
        return passed | {
            "PATH": path, "CF_BENCH_HOME": f"{root}/home", "CF_BENCH_LOCK": f"{root}/run/lock", "CF_BENCH_BENCH": f"{root}/bench"}

    def boot(self, vm: Document, document: Document) -> None:
        self.kill(vm)
        root, options = self.folder(vm), self.world.options
        # As /run of a real machine, where locks are: empty at each boot.
        shutil.rmtree(root / "run", ignore_errors=True)
        (root / "run").mkdir(parents=True)
        self.write_cloud_init(vm)
        address = network.public_address(self.world, document)
        if address is not None:
            (root / "sshd_config").write_text(self._sshd_config(root, address, self.environment(vm)))
        plan = {
            "sshd": [find("sshd"), "-D", "-f", f"{root}/sshd_config", "-E", f"{root}/sshd.log"] if address else None,
            "boot_seconds": options.boot_seconds,
            "booted": vm["booted"],
            "uptime_file": f"{root}/uptime",
            "marker": f"CF_BENCH_HOME={root}/home",
            "open": self._is_open(document),
            "watchdog": [options.watchdog] if options.watchdog else None,
            "every": options.watchdog_every,
            "watchdog_environment": self.environment(vm) | self._watchdog_environment(vm),
            "watchdog_log": f"{root}/var/log/watchdog-output.log",
        }
        (root / "plan.json").write_text(json.dumps(plan))
        self._running[vm["name"]] = subprocess.Popen(
            [sys.executable, str(HERE / "guest.py"), str(root / "plan.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=(root / "guest.log").open("a"),
            text=True,
            start_new_session=True,
        )

    def kill(self, vm: Document) -> None:
        """Every process of the VM is gone when this returns."""
        process = self._running.pop(vm["name"], None)
        if process is not None:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        end_marked(f"CF_BENCH_HOME={self.folder(vm)}/home")

    def kill_all(self) -> None:
        with self.world.lock:
            for vm in list(self.world.state["vms"].values()):
                self.kill(vm)

    def remove(self, vm: Document) -> None:
        shutil.rmtree(self.folder(vm), ignore_errors=True)

    def follow_rules(self) -> None:
        """Opens and closes the doors of the VMs that are on, as the rules of their networks now say."""
        for key, vm in self.world.state["vms"].items():
            process, document = self._running.get(vm["name"]), self.world.resources.get(key)
            if process is not None and process.stdin and document:
                try:
                    process.stdin.write("open\n" if self._is_open(document) else "close\n")
                    process.stdin.flush()
                except BrokenPipeError:
                    pass  # it has just ended

    def write_files(self, vm: Document, files: dict[str, str]) -> None:
        for path, text in files.items():
            target = self.folder(vm) / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def write_cloud_init(self, vm: Document) -> None:
        state = {**(vm["cloud_init"] or {}), "first_boot": vm["first_boot"]}
        (self.folder(vm) / "var/lib/cloud/state.json").write_text(json.dumps(state))

    def run(
        self,
        vm: Document,
        script: list[str],
        arguments: dict[str, str],
        operation: str,
        ended: Callable[[str, str, str], None],
    ) -> None:
        """Runs a script as run-command does: with sh, its parameters as positions and as variables."""
        root = self.folder(vm)
        text = INSIDE.sub(lambda found: f"{root}{found[1]}", "\n".join(script))
        environment = self.environment(vm) | arguments

        def work() -> None:
            done = subprocess.run(
                ["/bin/sh", "-c", text, "script.sh", *arguments.values()],
                cwd=root,
                env=environment,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
            ended(operation, done.stdout, done.stderr)

        threading.Thread(target=work, daemon=True).start()

    def _is_open(self, document: Document) -> bool:
        return not self.world.options.enforce_rules or network.allows_ssh(self.world, document)

    def _sshd_config(self, root: Path, address: str, environment: dict[str, str]) -> str:
        os.makedirs("/run/sshd", exist_ok=True) if os.geteuid() == 0 else None
        # sshd reads the first SetEnv only, so all variables stand on one line; one with a quote or a line break can't.
        # SHLVL: bash then leaves the ~/.bashrc of whoever runs this alone; the VM's own login has the one of its image.
        environment = {"SHLVL": "1"} | environment
        variables = [f'"{n}={v}"' for n, v in sorted(environment.items()) if '"' not in v and "\n" not in v]
        return (
            "\n".join(
                [
                    f"Port {self.world.options.ssh_port}",
                    f"ListenAddress {address}",
                    "PidFile none",
                    "LogLevel VERBOSE",
                    "UsePAM no",
                    f"AuthorizedKeysFile {root}/authorized_keys",
                    "AuthenticationMethods publickey",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "PermitRootLogin prohibit-password",
                    f"AllowUsers {getpass.getuser()}",
                    "StrictModes no",
                    "PrintMotd no",
                    "X11Forwarding no",
                    "UseDNS no",
                    "MaxStartups 100",
                    f"HostKey {root}/etc/ssh/ssh_host_ed25519_key",
                    "SetEnv " + " ".join(variables),
                ]
            )
            + "\n"
        )

    def _watchdog_environment(self, vm: Document) -> dict[str, str]:
        root, world = self.folder(vm), self.world
        certificates = {n: world.addresses["ca"] for n in ("CURL_CA_BUNDLE", "SSL_CERT_FILE")}
        return (
            certificates
            | {
                "CF_BENCH_IMDS": f"{world.addresses['imds']}/vm/{vm['name']}",
                "CF_BENCH_ARM": world.addresses["arm"],
                "CF_BENCH_SSH_PORT": str(world.options.ssh_port),
                "CF_BENCH_STATE": f"{root}/var/lib/cf-bench",
                "CF_BENCH_HOMES": f"{root}/home",
                "CF_BENCH_UPTIME_FILE": f"{root}/uptime",
            }
            | dict(pair.split("=", 1) for pair in world.options.watchdog_env)
        )


def find(name: str) -> str:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/usr/bin:/bin"
    found = shutil.which(name, path=path)
    if found is None:
        raise SystemExit(f"stand-in: {name} is not installed")
    return found


def _is_passed_on(name: str) -> bool:
    # The same choice that the product makes for a machine on loopback.
    exact = (
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    )
    credential = any(word in name for word in ("TOKEN", "PASSWORD", "USERNAME", "CREDENTIAL"))
    return name in exact or name.lower() in exact[3:] or (name.startswith("UV_") and not credential)
