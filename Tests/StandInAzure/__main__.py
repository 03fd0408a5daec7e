"""A stand-in for Azure on loopback: `python3 Tests/StandInAzure --folder DIR`. Ends when its standard input does.

DIR/ready.json tells where it listens and what a client's environment must hold; DIR/log.ndjson has every request,
DIR/events.ndjson every change of a VM's power.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import catalog
import client
import operations
from arm import ARM
from control import Control
from faults import Faults
from identity import Identity
from machine import Machines
from web import Answer, Dropped, Refusal, Request, Server
from world import CLIENT, SUBSCRIPTION, TENANT, World, utc


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A stand-in for Azure on loopback.")
    add = parser.add_argument
    add("--folder", required=True, type=Path)
    add("--public-ip", default="127.0.0.1", help="of the first VM; others get the addresses after it")
    add("--caller-ip", default="127.0.0.1", help="what the address page says of its callers")
    add("--ssh-port", type=int, default=0, help="of the VMs; 0: a free one")
    add("--start-seconds", type=float, default=1.0)
    add("--deallocate-seconds", type=float, default=1.0)
    add("--boot-seconds", type=float, default=0.3, help="from running to a listening sshd")
    add("--write-seconds", type=float, default=0.0, help="of creating, changing and deleting resources")
    add("--delete-seconds", type=float, default=0.2, help="of deleting a resource group")
    add("--run-command-seconds", type=float, default=0.0, help="at least")
    add("--eviction-seconds", type=float, default=1.0)
    # az takes fractions too, and 0 as if the server had said nothing: then it pauses for 30 seconds.
    add(
        "--retry-after", type=float, default=0.1, help="pause between polls that the server asks for; -1: asks for none"
    )
    add("--token-seconds", type=float, default=3600.0)
    add(
        "--federated-subject", default="repo:example/project:ref:refs/heads/main", help="which OIDC subject may sign in"
    )
    add("--quota-cores", type=int, default=100)
    add("--enforce-rules", action="store_true", help="sshd listens only while a rule lets the caller's address in")
    add("--authorized-key", action="append", default=[], help="a public key that every VM takes")
    add("--watchdog", help="a program that the VM runs as its timer would")
    add("--watchdog-every", type=float, default=60.0)
    add("--watchdog-env", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    options.retry_after = None if options.retry_after < 0 else options.retry_after
    return options


class StandIn:
    def __init__(self, options: argparse.Namespace) -> None:
        folder = options.folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        options.ssh_port = options.ssh_port or free_port()
        self.world = World(options, folder)
        self.machines = Machines(self.world)
        self.identity = Identity(self.world)
        self.arm = ARM(self.world, self.identity, self.machines)
        self.faults = Faults(self.world)
        self.control = Control(self.world, self.arm, self.faults)
        self.secure = Server(self._logged(self._secure), client.make_certificates(folder))
        self.plain = Server(self._logged(self._plain))
        self.metadata = Server(self._logged(self._metadata))
        self.world.addresses.update(
            arm=self.secure.address, plain=self.plain.address, imds=self.metadata.address, ca=f"{folder}/ca.pem"
        )

    def serve(self) -> None:
        for server in (self.secure, self.plain, self.metadata):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Thread(target=operations.keep_clock, args=(self.world,), daemon=True).start()
        config = self.world.folder / "azure"
        addresses = self.world.addresses
        client.write_config(config, addresses["arm"])
        ready = {
            "arm": addresses["arm"],
            "authority": addresses["arm"],
            "imds": addresses["imds"],
            "ca": addresses["ca"],
            "control": f"{addresses['plain']}/_fake/",
            "address_page": f"{addresses['plain']}/address",
            "prices": f"{addresses['plain']}/api/retail/prices",
            "ssh_port": self.world.options.ssh_port,
            "tenant": TENANT,
            "subscription": SUBSCRIPTION,
            "client": CLIENT,
            "pid": os.getpid(),
            "environment": client.environment(addresses, config, self.identity.oidc_bearer),
        }
        temporary = self.world.folder / "ready.json.new"
        temporary.write_text(json.dumps(ready, indent=2))
        temporary.rename(self.world.folder / "ready.json")

    def _logged(self, handle):  # type: ignore[no-untyped-def]
        """Faults before and after, refusals as answers, and one line of the log for each request."""

        def answer(request: Request) -> Answer:
            if request.path.startswith("/_fake/"):
                with self.world.lock:
                    return self.control.answer(request).sealed()
            begun, status, fault = time.time(), 0, self.faults.take(request)
            try:
                reply = self.faults.before(fault, request) if fault else None
                if reply is None:
                    try:
                        with self.world.lock:
                            reply = handle(request).sealed()
                    except Refusal as refusal:
                        reply = refusal.answer
                    if fault:
                        self.faults.after(fault)
                status = reply.status
                return reply
            except Dropped:
                status = -1
                raise
            finally:
                self.world.append(
                    "log.ndjson",
                    {
                        "time": utc(begun),
                        "method": request.method,
                        "path": request.path,
                        "query": request.query,
                        "status": status,
                        "principal": self.world.name_of(request.principal),
                        "body": _safe(request.body),
                        "fault": fault["kind"] if fault else None,
                    },
                )

        return answer

    def _secure(self, request: Request) -> Answer:
        path = request.path.lower()
        if path.endswith("/oauth2/v2.0/token") or path.endswith("/oauth2/token"):
            return self.identity.sign_in(request)
        if path.endswith("/.well-known/openid-configuration"):
            return self.identity.discovery()
        if path == "/metadata/endpoints":
            return self._endpoints()
        if path in ("/address", "/oidc", "/api/retail/prices"):
            return self._plain(request)
        return self.arm.answer(request)

    def _endpoints(self) -> Answer:
        arm = self.world.addresses["arm"]
        return Answer(
            200,
            {
                "name": "StandIn",
                "resourceManager": arm,
                "portal": arm,
                "graphAudience": arm + "/",
                "suffixes": {},
                "microsoftGraphResourceId": arm + "/",
                "authentication": {
                    "loginEndpoint": arm,
                    "audiences": [arm + "/"],
                    "tenant": "common",
                    "identityProvider": "AAD",
                },
            },
        )

    def _plain(self, request: Request) -> Answer:
        if request.path == "/address":
            return Answer(200, self.world.options.caller_ip)
        if request.path == "/oidc":
            return self.identity.github_token(request)
        if request.path == "/api/retail/prices":
            return catalog.prices(request)
        return Answer(404, {"error": f"There is nothing at {request.path}."})

    def _metadata(self, request: Request) -> Answer:
        return self.identity.metadata(request)

    def end(self) -> None:
        self.world.ended.set()
        self.machines.kill_all()


def _safe(body: object) -> object:
    """A body for the log: without what proves who somebody is."""
    if isinstance(body, dict):
        return {k: "(hidden)" if k in ("client_secret", "client_assertion") else v for k, v in body.items()}
    return body or None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    signal.pthread_sigmask(
        signal.SIG_SETMASK, []
    )  # a test program blocks signals, and the VM's processes would inherit that
    stand_in = StandIn(arguments())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is for the program that is tested
    stand_in.serve()
    try:
        while os.read(0, 4096):
            pass
    finally:
        stand_in.end()
        os._exit(0)  # threads that still answer are not waited for


if __name__ == "__main__":
    main()
