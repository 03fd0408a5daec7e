"""A whole VM as `provision` leaves it, switched off: for tests that are about what comes after."""

from __future__ import annotations

import json
import uuid
from typing import Any

import network
import vm_documents
from resource_id import parse
from web import Request
from world import CLIENT, SUBSCRIPTION, Document, utc


def provision(arm: Any, given: Document) -> Document:
    """`given`: name, group, public_key, and if wanted tags, size, role (false: the VM may not deallocate itself)."""
    name, group = given.get("name", "cf-bench"), given.get("group", "CF-BENCH-RG")
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"

    def put(path: str, **body: Any) -> str:
        identifier = parse(path if path.startswith("/") else f"{scope}/providers/{path}")
        request = Request("PUT", identifier.path, {}, {}, json.dumps({"location": "westus2", **body}).encode(), CLIENT)
        arm._route(request, identifier)
        return identifier.path

    put(scope)
    nsg = put(f"{network.NSG}/{name}-nsg", properties={})
    subnet = {"name": f"{name}-subnet", "properties": {"addressPrefix": "10.0.0.0/24"}}
    vnet = put(
        f"{network.NETWORK}/{name}-vnet",
        properties={"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]},
    )
    address = put(
        f"{network.ADDRESS}/{name}-ip", sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"}
    )
    nic = put(
        f"{network.NIC}/{name}-nic",
        properties={
            "networkSecurityGroup": {"id": nsg},
            "ipConfigurations": [
                {
                    "name": "ipconfig1",
                    "properties": {
                        "publicIPAddress": {"id": address},
                        "subnet": {"id": f"{vnet}/subnets/{name}-subnet"},
                    },
                }
            ],
        },
    )
    machine = f"{scope}/providers/{network.MACHINE}/{name}"
    already = machine.lower() in arm.world.resources
    identifier = parse(machine)
    document = _machine(identifier.path, name, nic, given)
    if not already:
        arm.world.resources[identifier.key] = document
        vm = arm.compute.vm(identifier)
        vm_documents.complete(document, identifier, is_new=True)
        arm.compute.make_disk(document, identifier)
        arm.machines.prepare(vm, document, None)
        arm.machines.write_files(vm, arm.world.state["guest"]["files"] | (given.get("files") or {}))
        vm.update(first_boot=0.0, cloud_init={"seconds": 0.0, "verdict": "done", "errors": []})
    vm = arm.compute.vm(identifier)
    key = arm.machines.host_key(vm)
    document["tags"] = {
        "cf-bench": given.get("version", "0.0.0"),
        "cf-bench-host-key": key,
        **(given.get("tags") or {}),
    }
    if given.get("role", True):
        _grant(put, machine, name, document["identity"]["principalId"])
    put(
        f"Microsoft.DevTestLab/schedules/shutdown-computevm-{name}",
        properties={
            "status": "Enabled",
            "taskType": "ComputeVmShutdownTask",
            "timeZoneId": "UTC",
            "targetResourceId": machine,
            "dailyRecurrence": {"time": "0300"},
        },
    )
    return {
        "id": machine,
        "host_key": key,
        "address": network.public_address(arm.world, document),
        "at": utc(),
        "folder": str(arm.machines.folder(vm)),
    }


def _machine(path: str, name: str, nic: str, given: Document) -> Document:
    keys = (
        [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": given["public_key"]}]
        if "public_key" in given
        else []
    )
    return {
        "id": path,
        "name": name,
        "type": network.MACHINE,
        "location": "westus2",
        "tags": {},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "hardwareProfile": {"vmSize": given.get("size", "Standard_D4s_v5")},
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "24.04.202603200",
                },
                "osDisk": {"name": f"{name}-disk", "diskSizeGB": 64, "createOption": "FromImage"},
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": "cfadmin",
                "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": keys}},
            },
            "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": True}}]},
        },
    }


def _grant(put: Any, machine: str, name: str, principal: str) -> None:
    role = str(uuid.uuid5(uuid.NAMESPACE_URL, machine.lower() + "/role"))
    definition = put(
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        properties={
            "roleName": f"cf-bench deallocate {name}",
            "assignableScopes": ["/".join(machine.split("/")[:5])],
            "permissions": [
                {
                    "actions": [
                        "Microsoft.Compute/virtualMachines/read",
                        "Microsoft.Compute/virtualMachines/deallocate/action",
                    ],
                    "notActions": [],
                }
            ],
        },
    )
    assignment = str(uuid.uuid5(uuid.NAMESPACE_URL, machine.lower() + "/assignment"))
    put(
        f"{machine}/providers/Microsoft.Authorization/roleAssignments/{assignment}",
        properties={"roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal"},
    )
