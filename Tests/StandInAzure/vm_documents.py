"""What is told of a virtual machine."""

from __future__ import annotations

import uuid

from resource_id import ResourceID
from world import TENANT, Document, utc


def complete(document: Document, identifier: ResourceID, is_new: bool) -> None:
    """Fills what Azure fills of a VM that was put."""
    properties = document["properties"]
    properties.setdefault("vmId", str(uuid.uuid4()))
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("networkProfile", {}).setdefault("networkInterfaces", [])
    disk = properties.setdefault("storageProfile", {}).setdefault("osDisk", {})
    disk.setdefault("name", f"{identifier.name}_OsDisk_1_{uuid.uuid4().hex}")
    disk["diskSizeGB"] = disk.get("diskSizeGB") or 30
    disk.setdefault("osType", "Linux")
    disk.setdefault("managedDisk", {}).setdefault("storageAccountType", "Premium_LRS")
    if is_new and "imageReference" in properties["storageProfile"]:
        image = properties["storageProfile"]["imageReference"]
        image["exactVersion"] = image.get("version")
    if "SystemAssigned" in (document.get("identity") or {}).get("type", ""):
        principal = str(uuid.uuid5(uuid.NAMESPACE_URL, identifier.key))
        document["identity"].update(principalId=principal, tenantId=TENANT)


def instance_view(vm: Document, document: Document) -> Document:
    """A VM's `instanceView`: its statuses, and its agent while it is on."""
    words = {"succeeded": "Provisioning succeeded", "updating": "Updating"}
    state: Document = {"code": vm["code"], "level": "Info", "time": utc(vm["since"])}
    state["displayStatus"] = words.get(vm["code"].split("/")[1], "Provisioning failed")
    if vm["message"] is not None:
        state.update(level="Error", message=vm["message"])
    power = {"code": f"PowerState/{vm['power']}", "level": "Info", "displayStatus": f"VM {vm['power']}"}
    view: Document = {"statuses": [state, power], "hyperVGeneration": "V2"}
    view["disks"] = [
        {
            "name": document["properties"]["storageProfile"]["osDisk"]["name"],
            "statuses": [
                {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}
            ],
        }
    ]
    if vm["power"] == "running":
        ready = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running",
            "time": utc(),
        }
        view.update(
            computerName=vm["name"],
            osName="ubuntu",
            osVersion="24.04",
            vmAgent={"vmAgentVersion": "2.11.1.4", "statuses": [ready], "extensionHandlers": []},
        )
    return view
