"""Virtual machines: power, and what takes it time to change."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

import network
import operations
import vm_documents
from resource_id import ResourceID, parse
from web import Answer, Refusal, Request
from world import Document, World, utc

# How long the guest has between the request and its end; whoever asked from inside still gets the answer.
SHUTDOWN_SECONDS = 0.15

ACTIONS = ("start", "deallocate", "powerOff", "restart", "runCommand", "instanceView", "simulateEviction")


class Compute:
    def __init__(self, world: World, machines: Any) -> None:
        self.world = world
        self.machines = machines
        world.finishers.update(
            {
                "start": self._started,
                "deallocate": self._deallocated,
                "powerOff": self._powered_off,
                "shutdown": self._shut_down,
                "runCommand": self._ran,
                "evict": self._evicted,
                "cloud-init": self._initialised,
                "delete-vm": self._deleted,
            }
        )

    # Requests

    def act(self, request: Request, identifier: ResourceID) -> Answer:
        document = self._document(identifier)
        vm, action = self.vm(identifier), next((a for a in ACTIONS if a.lower() == (identifier.rest or "").lower()), "")
        if action == "instanceView":
            return Answer(200, self.instance_view(identifier.key))
        if action == "runCommand":
            return self._run_command(request, identifier, vm)
        if action == "simulateEviction":
            if document["properties"].get("priority") != "Spot":
                raise Refusal(400, "OperationNotAllowed", "The eviction of a VM that is not Spot can't be simulated.")
            self.evict(identifier.key)
            return Answer(204)
        if not action:
            raise Refusal(404, "InvalidResourceType", f"The action '{identifier.rest}' is not known.")
        change = {
            "start": self.start,
            "deallocate": self.deallocate,
            "powerOff": self.power_off,
            "restart": self.restart,
        }
        by = self.world.name_of(request.principal)
        return operations.accepted(self.world, change[action](identifier.key, by, request.planned_error))

    def _document(self, identifier: ResourceID) -> Document:
        document = self.world.resources.get(identifier.key)
        if document is None:
            raise Refusal(
                404,
                "ResourceNotFound",
                f"The Resource 'Microsoft.Compute/virtualMachines/{identifier.name}' under "
                f"resource group '{identifier.group}' was not found. For more details please go to "
                "https://aka.ms/ARMResourceNotFoundFix",
            )
        return document

    def vm(self, identifier: ResourceID) -> Document:
        return self.world.state["vms"].setdefault(
            identifier.key,
            {
                "id": identifier.path,
                "name": identifier.name,
                "power": "deallocated",
                "code": "ProvisioningState/succeeded",
                "message": None,
                "operation": None,
                "shutdown": None,
                "boots": 0,
                "booted": None,
                "first_boot": None,
                "cloud_init": None,
                "notice": None,
                "since": time.time(),
            },
        )

    def set_power(self, vm: Document, power: str, why: str, by: str) -> None:
        if vm["power"] == power:
            return
        vm.update(power=power, since=time.time())
        self.world.append("events.ndjson", {"time": utc(), "vm": vm["name"], "power": power, "why": why, "by": by})

    # Changes of power; each gives the operation that makes it

    def start(self, key: str, by: str, planned: dict[str, str] | None = None) -> Document:
        vm = self.world.state["vms"][key]
        if current := self._under_way(vm, "start"):
            return operations.join(self.world, current, by)
        if vm["power"] == "running" and not planned:
            return operations.begin(self.world, "nothing", key, 0, by)
        self._replace(vm)
        self._finish_shutdown(vm)
        self.set_power(vm, "starting", "start", by)
        vm.update(code="ProvisioningState/updating", message=None)
        return self._begin(vm, "start", key, self.world.options.start_seconds, by, planned)

    def deallocate(self, key: str, by: str, planned: dict[str, str] | None = None) -> Document:
        vm = self.world.state["vms"][key]
        if current := self._under_way(vm, "deallocate"):
            return operations.join(self.world, current, by)
        if vm["power"] == "deallocated" and not planned:
            return operations.begin(self.world, "nothing", key, 0, by)
        self._replace(vm)
        if not planned:
            vm["shutdown"] = operations.begin(self.world, "shutdown", key, SHUTDOWN_SECONDS, by)["id"]
        before = vm["power"]
        self.set_power(vm, "deallocating", "deallocate", by)
        vm.update(code="ProvisioningState/updating", message=None)
        seconds = max(self.world.options.deallocate_seconds, SHUTDOWN_SECONDS)
        return self._begin(vm, "deallocate", key, seconds, by, planned, before=before)

    def power_off(self, key: str, by: str, planned: dict[str, str] | None = None) -> Document:
        vm = self.world.state["vms"][key]
        if vm["power"] == "deallocated":
            return operations.begin(self.world, "nothing", key, 0, by, planned)
        if current := self._under_way(vm, "powerOff"):
            return operations.join(self.world, current, by)
        self._replace(vm)
        if not planned:
            vm["shutdown"] = operations.begin(self.world, "shutdown", key, SHUTDOWN_SECONDS, by)["id"]
        before = vm["power"]
        self.set_power(vm, "stopping", "powerOff", by)
        seconds = max(self.world.options.deallocate_seconds, SHUTDOWN_SECONDS)
        return self._begin(vm, "powerOff", key, seconds, by, planned, before=before)

    def restart(self, key: str, by: str, planned: dict[str, str] | None = None) -> Document:
        vm = self.world.state["vms"][key]
        if vm["power"] != "running":
            raise Refusal(409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).")
        self.machines.kill(vm)
        self.boot(vm)
        return operations.begin(self.world, "nothing", key, self.world.options.start_seconds, by, planned)

    def evict(self, key: str) -> None:
        """Azure takes a Spot VM: a notice in the scheduled events, then it is deallocated."""
        vm = self.world.state["vms"][key]
        seconds = self.world.options.eviction_seconds
        vm["notice"] = {"id": str(uuid.uuid4()).upper(), "before": time.time() + seconds}
        operations.begin(self.world, "evict", key, seconds, "azure")

    def _begin(self, vm: Document, kind: str, key: str, *rest: Any, **details: Any) -> Document:
        operation = operations.begin(self.world, kind, key, *rest, **details)
        if operation["status"] == "InProgress":
            vm["operation"] = operation["id"]
        return operation

    def _under_way(self, vm: Document, kind: str) -> Document | None:
        current = operations.in_progress(self.world, vm["operation"])
        return current if current and current["kind"] == kind else None

    def _replace(self, vm: Document) -> None:
        """A newer request about power takes the place of the older one."""
        operations.preempt(self.world, vm["operation"])
        vm["operation"] = None

    # What happens at their ends

    def _started(self, world: World, operation: Document) -> None:
        vm = world.state["vms"][operation["target"]]
        vm["operation"] = None
        if operation["error"]:
            self.machines.kill(vm)
            self.set_power(vm, "deallocated", operation["error"]["code"], "azure")
            self._fail(vm, operation)
            return
        vm["code"] = "ProvisioningState/succeeded"
        self.set_power(vm, "running", "start", operation["by"])
        self.boot(vm)

    def _deallocated(self, world: World, operation: Document) -> None:
        self._ended(operation, "deallocated")

    def _powered_off(self, world: World, operation: Document) -> None:
        self._ended(operation, "stopped")

    def _ended(self, operation: Document, power: str) -> None:
        vm = self.world.state["vms"][operation["target"]]
        vm["operation"] = None
        if operation["error"]:
            self.set_power(vm, operation["before"], operation["error"]["code"], "azure")
            self._fail(vm, operation)
            return
        self._finish_shutdown(vm)
        self.machines.kill(vm)
        vm.update(code="ProvisioningState/succeeded", message=None, booted=None, notice=None)
        self.set_power(vm, power, operation["kind"], operation["by"])

    def _fail(self, vm: Document, operation: Document) -> None:
        error = operation["error"]
        vm.update(code=f"ProvisioningState/failed/{error['code']}", message=error["message"])

    def _finish_shutdown(self, vm: Document) -> None:
        if pending := operations.in_progress(self.world, vm["shutdown"]):
            operations.finish(self.world, pending)

    def _shut_down(self, world: World, operation: Document) -> None:
        self.machines.kill(world.state["vms"][operation["target"]])

    def _evicted(self, world: World, operation: Document) -> None:
        self.deallocate(operation["target"], "azure eviction")

    def boot(self, vm: Document) -> None:
        vm.update(boots=vm["boots"] + 1, booted=time.time(), notice=None)
        if vm["first_boot"] is None:
            vm["first_boot"] = time.time()
            vm["cloud_init"] = dict(self.world.state["guest"]["cloud_init"])
            operations.begin(self.world, "cloud-init", vm["id"].lower(), vm["cloud_init"]["seconds"], "cloud-init")
        self.machines.boot(vm, self.world.resources[vm["id"].lower()])

    def _initialised(self, world: World, operation: Document) -> None:
        vm = world.state["vms"].get(operation["target"])
        if vm:
            self.machines.write_files(vm, world.state["guest"]["files"])

    # run-command

    def _run_command(self, request: Request, identifier: ResourceID, vm: Document) -> Answer:
        if vm["power"] != "running":
            raise Refusal(409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).")
        busy = [o for o in self.world.state["operations"].values() if o["kind"] == "runCommand"]
        if any(o["status"] == "InProgress" and o["target"] == identifier.key for o in busy):
            raise Refusal(
                409,
                "Conflict",
                "Run command extension execution is in progress. Please wait for completion before "
                "invoking a run command.",
            )
        if request.body.get("commandId") != "RunShellScript":
            raise Refusal(404, "NotFound", f"The entity was not found: {request.body.get('commandId')}")
        # Until the script itself has ended, whatever that takes; the machine calls `script_ended`.
        operation = operations.begin(
            self.world,
            "runCommand",
            identifier.key,
            5400.0,
            self.world.name_of(request.principal),
            request.planned_error,
        )
        arguments = {p["name"]: p.get("value", "") for p in request.body.get("parameters") or []}
        self.machines.run(vm, request.body.get("script") or [], arguments, operation["id"], self.script_ended)
        return operations.accepted(self.world, operation)

    def script_ended(self, identifier: str, stdout: str, stderr: str) -> None:
        with self.world.lock:
            operation = operations.in_progress(self.world, identifier)
            if operation is None:
                return
            message = f"Enable succeeded: \n[stdout]\n{stdout[-4096:]}\n[stderr]\n{stderr[-4096:]}"
            operation["result"] = {
                "value": [
                    {
                        "code": "ProvisioningState/succeeded",
                        "level": "Info",
                        "displayStatus": "Provisioning succeeded",
                        "message": message,
                    }
                ]
            }
            # The script and its result both need a moment to travel.
            operation["ends"] = max(time.time(), operation["begun"] + self.world.options.run_command_seconds)
            self.world.due.notify_all()

    def _ran(self, world: World, operation: Document) -> None:
        if operation["error"] or operation["result"] is None:
            operation["result"] = None

    # Creating and deleting

    def put(self, request: Request, identifier: ResourceID, document: Document, is_new: bool) -> Document:
        """Completes a VM that was put; gives the operation of doing so."""
        properties = document["properties"]
        vm_documents.complete(document, identifier, is_new)
        if is_new:
            self.make_disk(document, identifier)
        vm = self.vm(identifier)
        by = self.world.name_of(request.principal)
        if not is_new:
            return operations.begin(
                self.world, "put", identifier.key, self.world.options.write_seconds, by, request.planned_error
            )
        custom = (properties.get("osProfile") or {}).pop("customData", None)  # never shown again, as in Azure
        self.machines.prepare(vm, document, base64.b64decode(custom) if custom else None)
        return self.start(identifier.key, by, request.planned_error)

    def make_disk(self, document: Document, identifier: ResourceID) -> None:
        given = document["properties"]["storageProfile"]["osDisk"]
        disk = parse(f"{identifier.parent.rsplit('/providers/', 1)[0]}/providers/{network.DISK}/{given['name']}")
        given["managedDisk"]["id"] = disk.path
        self.world.resources[disk.key] = {
            "id": disk.path,
            "name": disk.name,
            "type": network.DISK,
            "location": document["location"],
            "tags": {},
            "sku": {"name": given["managedDisk"].get("storageAccountType", "Premium_LRS")},
            "properties": {"diskSizeGB": given["diskSizeGB"], "osType": "Linux", "provisioningState": "Succeeded"},
        }

    def delete(self, request: Request, identifier: ResourceID) -> Answer:
        vm = self.vm(identifier)
        self._replace(vm)
        seconds = max(self.world.options.deallocate_seconds, SHUTDOWN_SECONDS)
        operation = self._begin(
            vm, "delete-vm", identifier.key, seconds, self.world.name_of(request.principal), request.planned_error
        )
        return operations.accepted(self.world, operation)

    def _deleted(self, world: World, operation: Document) -> None:
        if not operation["error"]:
            self.forget(operation["target"], operation["by"])

    def forget(self, key: str, by: str) -> None:
        vm, document = self.world.state["vms"].pop(key, None), self.world.resources.pop(key, None)
        if vm:
            self.machines.kill(vm)
            self.set_power(vm, "deleted", "delete", by)
            self.machines.remove(vm)
        for inner in [k for k in self.world.resources if k.startswith(key + "/")]:
            self.world.resources.pop(inner)  # what was granted on it
        if document:
            profile = document["properties"]
            parts = [profile["storageProfile"]["osDisk"]["managedDisk"] | profile["storageProfile"]["osDisk"]]
            parts += [{**n, **(n.get("properties") or {})} for n in profile["networkProfile"]["networkInterfaces"]]
            for part in parts:
                if part.get("deleteOption") == "Delete":
                    self.world.resources.pop(part["id"].lower(), None)

    def instance_view(self, key: str) -> Document:
        vm, document = self.world.state["vms"][key], self.world.resources[key]
        return vm_documents.instance_view(vm, document)
