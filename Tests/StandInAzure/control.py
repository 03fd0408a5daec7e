"""What tests ask of the stand-in itself, under /_fake/."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import authorization
import client
import operations
import provisioned
from arm import ARM
from faults import Faults
from web import Answer, Request
from world import CLIENT, Document, World, fresh_state


class Control:
    def __init__(self, world: World, arm: ARM, faults: Faults) -> None:
        self.world, self.arm, self.faults = world, arm, faults

    def answer(self, request: Request) -> Answer:
        word = request.path.removeprefix("/_fake/")
        action = getattr(self, f"_{request.method.lower()}_{word}", None)
        if action is None:
            return Answer(404, {"error": f"{request.method} {word} is not known"})
        try:
            return Answer(200, action(request.body or {}))
        except (KeyError, ValueError, TypeError) as wrong:
            return Answer(400, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _get_state(self, _: Document) -> Document:
        world = self.world
        vms = []
        for key, vm in world.state["vms"].items():
            vms.append(
                {
                    **vm,
                    "tags": world.resources.get(key, {}).get("tags") or {},
                    "folder": str(self.arm.machines.folder(vm)),
                }
            )
        rules = [d for d in world.resources.values() if d["type"].endswith("/securityRules")]
        return {**world.state, "vms": vms, "rules": rules, "faults": self.faults.all(), "saved": list(world.saved)}

    def _post_fault(self, body: Document) -> Document:
        return self.faults.add(body)

    def _post_reset(self, body: Document) -> Document:
        """Ends all faults; with `all`, also forgets every resource and operation."""
        self.faults.clear()
        if body.get("all"):
            self.arm.machines.kill_all()
            shutil.rmtree(self.world.folder / "vm", ignore_errors=True)
            self.world.set_state({"at": time.time(), "state": fresh_state()})
        return {}

    def _post_role(self, body: Document) -> Document:
        """`actions`: all that `principal` (the signed-in one, or `vm NAME`) may do, besides its role assignments."""
        principal = body.get("principal", CLIENT)
        for vm in self.world.state["vms"].values():
            if principal == f"vm {vm['name']}":
                principal = self.world.resources[vm["id"].lower()]["identity"]["principalId"]
        known = self.world.state["principals"].setdefault(principal, {"name": principal})
        known["actions"] = list(body["actions"])
        return {"principal": principal, "allowed": authorization.allowed(self.world, principal, "/")}

    def _post_vm(self, body: Document) -> Document:
        """Sets one VM: `power` (at once), `failure` {code, message} of its instance view, `cloud_init`, `evict`."""
        vm = self._vm(body.get("name"))
        if "power" in body:
            operations.preempt(self.world, vm["operation"])
            self.arm.machines.kill(vm)
            vm.update(operation=None, code="ProvisioningState/succeeded", message=None)
            self.arm.compute.set_power(vm, body["power"], "control", "test")
            if body["power"] == "running":
                self.arm.compute.boot(vm)
        if "failure" in body:
            failure = body["failure"]
            vm.update(code=f"ProvisioningState/failed/{failure['code']}", message=failure.get("message", ""))
        if "cloud_init" in body:
            vm["first_boot"] = time.time()
            vm["cloud_init"] = {"seconds": 0.0, "verdict": "done", "errors": [], **body["cloud_init"]}
            self.arm.machines.write_cloud_init(vm)
        if body.get("evict"):
            self.arm.compute.evict(vm["id"].lower())
        if "files" in body:
            self.arm.machines.write_files(vm, body["files"])
        return vm

    def _post_guest(self, body: Document) -> Document:
        """What VMs to come are like: `cloud_init` {seconds, verdict, errors}, and the `files` that it leaves."""
        guest = self.world.state["guest"]
        guest["cloud_init"] |= body.get("cloud_init") or {}
        guest["files"] |= body.get("files") or {}
        return guest

    def _post_oidc(self, body: Document) -> Document:
        """The tokens that GitHub's address gives from now on: `subject`, `seconds` (negative: over already)."""
        self.world.state["oidc"] |= body
        return self.world.state["oidc"]

    def _post_options(self, body: Document) -> Document:
        """Changes options of the command line while it runs, such as `start_seconds`."""
        for name, value in body.items():
            if not hasattr(self.world.options, name):
                raise ValueError(f"there is no option {name}")
            setattr(self.world.options, name, value)
        return {name: vars(self.world.options)[name] for name in body}

    def _post_config(self, body: Document) -> Document:
        """Writes one more folder for az, in which `sign_in` (secret, oidc, none) holds."""
        sign_in = body.get("sign_in", "secret")
        assertion = None
        if sign_in == "oidc":
            oidc = self.world.state["oidc"] | {k: body[k] for k in ("subject", "seconds") if k in body}
            claims = {
                "iss": "https://token.actions.githubusercontent.com",
                "sub": oidc["subject"],
                "aud": "api://AzureADTokenExchange",
            }
            assertion = self.arm.identity.mint(claims, oidc["seconds"])
        client.write_config(Path(body["folder"]), self.world.addresses["arm"], sign_in, assertion)
        return {"folder": body["folder"], "assertion": assertion}

    def _post_provisioned(self, body: Document) -> Document:
        return provisioned.provision(self.arm, body)

    # Saving and restoring: the state, and the disks of the VMs

    def _post_save(self, body: Document) -> Document:
        self.world.saved[body["name"]] = self.world.copy_of_state()
        if body.get("disk", True):
            _copy(self.world.folder / "vm", self._disks(body["name"]))
        return {}

    def _post_restore(self, body: Document) -> Document:
        """Faults end; VMs that were on are on again, freshly booted: their processes of then can't come back."""
        saved = self.world.saved[body["name"]]
        self.faults.clear()
        self.arm.machines.kill_all()
        if self._disks(body["name"]).exists():
            _copy(self._disks(body["name"]), self.world.folder / "vm")
        self.world.set_state(saved)
        for key, vm in self.world.state["vms"].items():
            shutting_down = operations.in_progress(self.world, vm["shutdown"])
            if vm["power"] == "running" or (vm["power"] in ("deallocating", "stopping") and shutting_down):
                self.arm.machines.boot(vm, self.world.resources[key])
        return {}

    def _disks(self, name: str) -> Path:
        return self.world.folder / "saved" / name

    def _vm(self, name: Any) -> Document:
        for vm in self.world.state["vms"].values():
            if name in (None, vm["name"]):
                return vm
        raise ValueError(f"there is no VM {name or ''}")


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.exists():
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)
