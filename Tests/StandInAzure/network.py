"""What is particular to network resources: rules, addresses, and what keeps what from being deleted."""

from __future__ import annotations

import ipaddress
import json

from resource_id import ResourceID, parse
from web import Refusal
from world import Document, World

NSG = "Microsoft.Network/networkSecurityGroups"
RULE = NSG + "/securityRules"
NIC = "Microsoft.Network/networkInterfaces"
ADDRESS = "Microsoft.Network/publicIPAddresses"
NETWORK = "Microsoft.Network/virtualNetworks"
MACHINE = "Microsoft.Compute/virtualMachines"
DISK = "Microsoft.Compute/disks"

# The error for deleting something of the first type while something of the second types names it.
_IN_USE = {
    NIC: ("NicInUse", (MACHINE,)),
    NSG: ("InUseNetworkSecurityGroupCannotBeDeleted", (NIC, NETWORK)),
    ADDRESS: ("PublicIPAddressCannotBeDeleted", (NIC,)),
    NETWORK: ("InUseSubnetCannotBeDeleted", (NIC,)),
    DISK: ("OperationNotAllowed", (MACHINE,)),
}


def prepare(world: World, identifier: ResourceID, document: Document, parts: dict[str, list[Document]]) -> None:
    """Completes a network resource that is being put; refuses what Azure refuses."""
    kind, properties = identifier.type.lower(), document["properties"]
    if kind == RULE.lower():
        _check_rule(world, identifier, properties)
    elif kind == NSG.lower():
        parts["securityRules"] = properties.pop("securityRules", None) or []
    elif kind == NETWORK.lower():
        parts["subnets"] = properties.pop("subnets", None) or []
    elif kind == ADDRESS.lower() and "ipAddress" not in properties:
        if properties.get("publicIPAllocationMethod") != "Static":
            raise Refusal(400, "StaticPublicIpRequired", "Standard sku public IPs must have static allocation method.")
        properties["ipAddress"] = _free_address(world)
    elif kind == NIC.lower():
        _complete_nic(identifier, properties)


def _check_rule(world: World, identifier: ResourceID, properties: Document) -> None:
    if identifier.parent.lower() not in world.resources:
        group = identifier.parent.split("/")[-1]
        raise Refusal(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource(s) of type "
            f"'networkSecurityGroups/securityRules', because the parent resource "
            f"'/{identifier.parent.strip('/')}' ({group}) could not be found.",
        )
    for other in rules(world, identifier.parent):
        same = all(other["properties"].get(n) == properties.get(n) for n in ("priority", "direction"))
        if same and other["id"].lower() != identifier.key:
            raise Refusal(
                400,
                "SecurityRuleConflict",
                f"Security rule {identifier.name} conflicts with rule {other['name']}. Rules cannot have the same "
                f"Priority and Direction. To learn more, see aka.ms/nsgrules.",
            )
    if not 100 <= int(properties.get("priority") or 0) <= 4096:
        raise Refusal(
            400,
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {properties.get('priority')} Allowed range 100-4096.",
        )


def _complete_nic(identifier: ResourceID, properties: Document) -> None:
    for number, ip in enumerate(properties.get("ipConfigurations") or []):
        ip["id"] = f"{identifier.path}/ipConfigurations/{ip['name']}"
        ip.setdefault("properties", {}).setdefault("privateIPAddress", f"10.0.0.{4 + number}")
        ip["properties"].setdefault("privateIPAllocationMethod", "Dynamic")
        ip["properties"]["provisioningState"] = "Succeeded"
        ip["properties"].setdefault("primary", number == 0)


def _free_address(world: World) -> str:
    taken = {d["properties"].get("ipAddress") for d in world.resources.values() if d["type"] == ADDRESS}
    address = ipaddress.ip_address(world.options.public_ip)
    while str(address) in taken:
        address += 1
    return str(address)


def rules(world: World, group: str) -> list[Document]:
    prefix = group.lower() + "/securityrules/"
    return [d for key, d in world.resources.items() if key.startswith(prefix)]


def refuse_if_used(world: World, identifier: ResourceID) -> None:
    for kind, (code, holders) in _IN_USE.items():
        if kind.lower() != identifier.type.lower():
            continue
        for other in world.resources.values():
            text = json.dumps(other["properties"]).lower()
            names_it = any(f'"{identifier.key}{end}' in text for end in ('"', "/"))
            if other["type"] in holders and names_it:
                raise Refusal(
                    409 if kind == DISK else 400,
                    code,
                    f"{identifier.type.split('/')[-1]} {identifier.path} is in use by {other['id']} and cannot be deleted.",
                )


def public_address(world: World, machine: Document) -> str | None:
    for nic in _nics(world, machine):
        for ip in nic["properties"].get("ipConfigurations") or []:
            public = world.resources.get(((ip["properties"].get("publicIPAddress") or {}).get("id") or "").lower())
            if public:
                return public["properties"].get("ipAddress")
    return None


def allows_ssh(world: World, machine: Document) -> bool:
    """Whether the rules let the caller's address in at the ssh port: deny unless a rule says otherwise."""
    groups = {
        ((n["properties"].get("networkSecurityGroup") or {}).get("id") or "").lower() for n in _nics(world, machine)
    }
    for group in groups - {""}:
        for rule in sorted(rules(world, group), key=lambda rule: rule["properties"]["priority"]):
            given = rule["properties"]
            if given.get("direction") == "Inbound" and _concerns(world, given):
                return given.get("access") == "Allow"
        return False
    return not groups - {""}


def _concerns(world: World, rule: Document) -> bool:
    ports = rule.get("destinationPortRanges") or [rule.get("destinationPortRange")]
    sources = rule.get("sourceAddressPrefixes") or [rule.get("sourceAddressPrefix")]
    caller = ipaddress.ip_address(world.options.caller_ip)

    def covers(source: str | None) -> bool:
        if source in ("*", "Internet"):
            return True
        try:
            return caller in ipaddress.ip_network(source or "", strict=False)
        except ValueError:
            return False

    def has(port: str | None) -> bool:
        low, _, high = (port or "").partition("-")
        return port == "*" or (low.isdigit() and int(low) <= world.options.ssh_port <= int(high or low))

    return (
        any(map(covers, sources)) and any(map(has, ports)) and rule.get("protocol", "*") in ("*", "Tcp", "TCP", "tcp")
    )


def _nics(world: World, machine: Document) -> list[Document]:
    named = (machine["properties"].get("networkProfile") or {}).get("networkInterfaces") or []
    return [nic for n in named if (nic := world.resources.get(n["id"].lower()))]


def view(world: World, document: Document) -> Document:
    """A resource with the parts that have ids of their own."""
    key = document["id"].lower()
    if document["type"] == NSG:
        return {**document, "properties": {**document["properties"], "securityRules": rules(world, key)}}
    if document["type"] == NETWORK:
        subnets = [d for k, d in world.resources.items() if k.startswith(key + "/subnets/")]
        return {**document, "properties": {**document["properties"], "subnets": subnets}}
    return document


def children(identifier: ResourceID, parts: dict[str, list[Document]]) -> list[tuple[ResourceID, Document]]:
    return [
        (parse(f"{identifier.path}/{kind}/{part['name']}"), part) for kind, list_ in parts.items() for part in list_
    ]
