#!/usr/bin/env python3
"""What a start and a stop cost beyond the measuring, beside `az vm start`, ssh in a loop and `az vm deallocate`.

Against the stand-in for Azure, whose VM takes as long as a real one (40 s to start, 30 s to deallocate), with the real
az, a real sshd and a real run. Azure sends no pause between polls as far as recordings show, so az looks every 30 seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START, STOP, BOOT = 40.0, 30.0, 2.0
PROJECT = {
    "pyproject.toml": '[project]\nname = "tiny"\nversion = "1.0"\nrequires-python = ">=3.9"\n[build-system]\n'
    'requires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[tool.setuptools]\npy-modules = ["tiny"]\n'
    '[project.scripts]\ntiny = "tiny:main"\n',
    "tiny.py": 'def main():\n    print("tiny 1.0")\n',
}


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
        (folder / "project").mkdir()
        for name, text in PROJECT.items():
            (folder / "project" / name).write_text(text)
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "Tests/StandInAzure"), "--folder", str(folder / "azure"), "--retry-after", "-1",
             "--boot-seconds", str(BOOT), "--authorized-key", (folder / "key.pub").read_text().strip()],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not (folder / "azure/ready.json").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("bench-azure: the stand-in for Azure does not come up")
            time.sleep(0.01)
        self.ready: dict[str, Any] = json.loads((folder / "azure/ready.json").read_text())
        vm = self.control("provisioned", {})
        port = self.ready["ssh_port"]
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {vm['host_key']}\n")
        self.environment = os.environ | self.ready["environment"] | {
            "CF_BENCH_STATE": str(folder / "state"), "CF_BENCH_AZURE_SSH_PORT": str(port),
            "CF_BENCH_SSH_IDENTITY": str(folder / "key"), "CF_BENCH_AZURE_USER": os.environ.get("USER") or "root",
            "CF_BENCH_AZURE_ADDRESS_SERVICE": self.ready["address_page"],
            "PATH": f"{ROOT}/.tools/bin:{os.environ['PATH']}", "AZURE_CORE_OUTPUT": "none"}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def control(self, word: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(self.ready["control"] + word, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")
        return json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10))

    def speed(self, start: float, stop: float) -> None:
        self.control("options", {"start_seconds": start, "deallocate_seconds": stop})

    def run(self, machine: str, results: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(ROOT / ".build/release/cf-bench"), "run", f"path:{self.folder}/project", "--machine", machine, "--layers",
             "startup", "--set", "target.package=tiny", "--set", "startup.blocks=2", "--set", "startup.import-runs=0",
             "--results", results, "--quiet", "--known-hosts", str(self.folder / "known_hosts")],
            env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL)

    def first_sample(self, results: str, process: subprocess.Popen[bytes]) -> float:
        """When the first sample was on this disk, as time.time() has it."""
        while process.poll() is None:
            for events in (self.folder / results).glob("*/events.ndjson"):
                if b'"type":"sample"' in events.read_bytes():
                    return time.time()
            time.sleep(0.02)
        raise SystemExit(f"bench-azure: the run ended with {process.returncode} before its first sample")

    def moment(self, name: str, power: str | None = None, suffix: str = "") -> float:
        """When the last request or change of that kind was, as time.time() has it."""
        lines = [json.loads(line) for line in (self.folder / "azure" / name).read_text().splitlines()]
        found = [x for x in lines if (x.get("power") == power if power else x.get("path", "").endswith(suffix))]
        from datetime import datetime

        return datetime.fromisoformat(found[-1]["time"].replace("Z", "+00:00")).timestamp()


def ended(process: subprocess.Popen[bytes]) -> None:
    if process.wait(timeout=300) != 0:
        raise SystemExit(f"bench-azure: the run ended with {process.returncode}")


def ours(bench: Bench) -> tuple[float, float]:
    process = bench.run("azure", "ours")
    sample = bench.first_sample("ours", process)
    ended(process)
    begun = bench.moment("log.ndjson", suffix="/start")
    return sample - begun, bench.moment("events.ndjson", power="deallocated") - begun


def peer(bench: Bench) -> tuple[float, float]:
    named = ["--resource-group", "CF-BENCH-RG", "--name", "cf-bench"]
    user, port = bench.environment["CF_BENCH_AZURE_USER"], bench.ready["ssh_port"]
    subprocess.run(["az", "vm", "start", *named], env=bench.environment, check=True)
    ssh = ["ssh", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={bench.folder}/known_hosts", "-i", f"{bench.folder}/key",
           "-o", "ConnectTimeout=5", "-p", str(port), f"{user}@127.0.0.1", "true"]
    for _ in range(120):
        if subprocess.run(ssh, capture_output=True).returncode == 0:
            break
        time.sleep(1)
    process = bench.run(f"ssh://{user}@127.0.0.1:{port}", "peer")
    sample = bench.first_sample("peer", process)
    ended(process)
    subprocess.run(["az", "vm", "deallocate", *named], env=bench.environment, check=True)
    begun = bench.moment("log.ndjson", suffix="/start")
    return sample - begun, bench.moment("events.ndjson", power="deallocated") - begun


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cf-bench-azure-") as name:
        bench = Bench(Path(name))
        try:
            # What is installed once a VM is installed before: programs, interpreter, environment.
            bench.speed(1, 1)
            ended(bench.run("azure", "warm"))
            bench.speed(START, STOP)
            (sample, bill), (peer_sample, peer_bill) = ours(bench), peer(bench)
        finally:
            if bench.process.stdin:
                bench.process.stdin.close()
            bench.process.wait(timeout=20)
    print(f"Azure VM: {START:.0f} s to start, {STOP:.0f} s to deallocate, {BOOT:.0f} s until its sshd listens (stand-in)")
    print(f"  first sample after the start was accepted   cf-bench {sample:6.1f} s   az and ssh {peer_sample:6.1f} s"
          f"   ratio {sample / peer_sample:.2f}   {peer_sample - sample:.1f} s less")
    print(f"  seconds on the bill                         cf-bench {bill:6.1f} s   az and ssh {peer_bill:6.1f} s"
          f"   ratio {bill / peer_bill:.2f}   {peer_bill - bill:.1f} s less")


if __name__ == "__main__":
    main()
