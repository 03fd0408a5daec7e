"""Azure Resource Manager: which request goes where, and the resources of any type."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Iterable
from typing import Any

import authorization
import catalog
import deployments
import network
import operations
from compute import Compute
from identity import Identity
from machine import Machines
from resource_id import ResourceID, parse
from web import Answer, Refusal, Request
from world import SUBSCRIPTION, TENANT, Document, World

GROUP = "Microsoft.Resources/subscriptions/resourceGroups"
_OPERATION = re.compile(r"/subscriptions/[^/]+/providers/[^/]+/locations/[^/]+/operations/([^/]+)$", re.I)


class ARM:
    def __init__(self, world: World, identity: Identity, machines: Machines) -> None:
        self.world, self.identity, self.machines = world, identity, machines
        self.compute = Compute(world, machines)
        world.finishers.update({"put": self._was_put, "delete": self._was_deleted, "delete-group": self._group_deleted})
        deployments.register(self)

    def answer(self, request: Request) -> Answer:
        """Everything under /subscriptions; the caller holds the lock."""
        request.principal = self.identity.principal(request)
        if found := _OPERATION.search(request.path):
            return operations.show(self.world, found[1], request)
        words = [w for w in request.path.split("/") if w]
        if words == ["subscriptions"]:
            return self._subscriptions(request.principal)
        if words[0] == "tenants":
            return Answer(200, {"value": [{"id": f"/tenants/{TENANT}", "tenantId": TENANT}]})
        if words[0] != "subscriptions" and "Microsoft.Authorization" not in request.path:
            raise Refusal(404, "NotFound", f"There is nothing at {request.path}.")
        if words[0] == "subscriptions" and words[1].lower() != SUBSCRIPTION:
            raise Refusal(404, "SubscriptionNotFound", f"The subscription '{words[1]}' could not be found.")
        identifier = parse(request.path)
        # What one may do is told to anybody who is signed in.
        if not request.path.lower().endswith("microsoft.authorization/permissions"):
            action = authorization.action_of(request.method, identifier)
            authorization.check(self.world, request.principal, action, identifier.path)
        return self._route(request, identifier)

    def _route(self, request: Request, identifier: ResourceID) -> Answer:
        kind = identifier.type.lower()
        if kind.startswith("microsoft.authorization"):
            if answer := authorization.route(self.world, request, identifier):
                return answer
        if found := catalog.route(self.world, request):
            return found
        if identifier.type == "Microsoft.Resources/subscriptions":
            return self._subscription(request, identifier)
        if identifier.type == GROUP:
            return self._group(request, identifier)
        self._require_group(identifier.group)
        if kind == "microsoft.resources/tags":
            return self._tags(request, identifier)
        if kind.startswith("microsoft.resources/deployments"):
            return deployments.answer(self, request, identifier)
        if request.method == "POST":
            if kind == network.MACHINE.lower():
                return self.compute.act(request, identifier)
            raise Refusal(404, "InvalidResourceType", f"The action '{identifier.rest}' is not known.")
        if kind == network.MACHINE.lower() and (identifier.rest or "").lower() == "instanceview":
            return self.compute.act(request, identifier)
        if identifier.rest:
            return Answer(200, {"value": self._list(request, identifier)})
        if request.method in ("GET", "HEAD"):
            return Answer(200, self.view(self._existing(identifier), "expand" in str(request.query).lower()))
        if request.method == "DELETE":
            return self._delete(request, identifier)
        return self.put(request, identifier)

    # Subscriptions and groups

    def _subscriptions(self, principal: str) -> Answer:
        scope = f"/subscriptions/{SUBSCRIPTION}"
        seen = authorization.allowed(self.world, principal, scope) or any(
            d["type"] == "Microsoft.Authorization/roleAssignments" and d["properties"]["principalId"] == principal
            for d in self.world.resources.values()
        )
        return Answer(200, {"value": [self._subscription_document()] if seen else []})

    def _subscription_document(self) -> Document:
        return {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "displayName": "Stand-in",
            "state": "Enabled",
            "tenantId": TENANT,
            "authorizationSource": "RoleBased",
            "subscriptionPolicies": {"spendingLimit": "Off", "quotaId": "PayAsYouGo_2014-09-01"},
        }

    def _subscription(self, request: Request, identifier: ResourceID) -> Answer:
        if identifier.rest is None:
            return Answer(200, self._subscription_document())
        rest = identifier.rest.lower()
        if rest == "resourcegroups":
            return Answer(200, {"value": [d for d in self.world.resources.values() if d["type"] == GROUP]})
        if rest == "resources":
            return Answer(200, {"value": self._filtered(request, self.world.resources.values())})
        raise Refusal(404, "NotFound", f"There is nothing at {request.path}.")

    def _require_group(self, name: str | None) -> None:
        if name and f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{name.lower()}" not in self.world.resources:
            raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")

    def _group(self, request: Request, identifier: ResourceID) -> Answer:
        if request.method == "PUT":
            is_new = identifier.key not in self.world.resources
            self.world.resources[identifier.key] = {
                "id": identifier.path,
                "name": identifier.name,
                "type": GROUP,
                "location": request.body.get("location"),
                "tags": request.body.get("tags") or {},
                "properties": {"provisioningState": "Succeeded"},
            }
            return Answer(201 if is_new else 200, self.world.resources[identifier.key])
        if request.method == "HEAD":
            return Answer(204 if identifier.key in self.world.resources else 404)
        self._require_group(identifier.name)
        if (identifier.rest or "").lower() == "resources":
            prefix = identifier.key + "/"
            inside = [d for key, d in self.world.resources.items() if key.startswith(prefix)]
            return Answer(200, {"value": self._filtered(request, inside)})
        if request.method == "DELETE":
            by = self.world.name_of(request.principal)
            operation = operations.begin(
                self.world, "delete-group", identifier.key, self.world.options.delete_seconds, by, request.planned_error
            )
            return operations.accepted(self.world, operation)
        if request.method == "PATCH":
            self.world.resources[identifier.key]["tags"] = request.body.get("tags") or {}
        return Answer(200, self.world.resources[identifier.key])

    def _group_deleted(self, world: World, operation: Document) -> None:
        prefix = operation["target"] + "/"
        for key in [k for k in world.state["vms"] if k.startswith(prefix) and not operation["error"]]:
            self.compute.forget(key, operation["by"])
        for key in [k for k in world.resources if (k + "/").startswith(prefix) and not operation["error"]]:
            world.resources.pop(key, None)

    # Resources of any type

    def _existing(self, identifier: ResourceID) -> Document:
        document = self.world.resources.get(identifier.key)
        if document is None:
            raise Refusal(
                404,
                "ResourceNotFound" if identifier.type.count("/") == 1 else "NotFound",
                f"The Resource '{identifier.type}/{identifier.name}' under resource group '{identifier.group}' was not "
                "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            )
        return document

    def _list(self, request: Request, identifier: ResourceID) -> list[Document]:
        kind = f"{identifier.type}/{identifier.rest}".lower()
        prefix = identifier.path.lower().rsplit("/providers/", 1)[0] + "/"
        if identifier.type.count("/"):
            self._existing(identifier)
            prefix = identifier.key + "/"
        found = [d for k, d in self.world.resources.items() if d["type"].lower() == kind and k.startswith(prefix)]
        return [self.view(document, "expand" in str(request.query).lower()) for document in found]

    def _filtered(self, request: Request, documents: Iterable[Document]) -> list[Document]:
        given = dict(re.findall(r"(\w+) eq '([^']*)'", request.query.get("$filter", "")))
        found = []
        for document in documents:
            hidden = document["type"].startswith(("Microsoft.Authorization/", "Microsoft.Resources/"))
            if document["type"].count("/") != 1 or hidden:
                continue
            tags = document.get("tags") or {}
            if "tagName" in given or "tagname" in given:
                name = given.get("tagName") or given["tagname"]
                value = given.get("tagValue") or given.get("tagvalue")
                if name not in tags or (value is not None and tags[name] != value):
                    continue
            if document["type"].lower() == given.get("resourceType", document["type"]).lower():
                found.append({k: v for k, v in document.items() if k != "properties"})
        return found

    def view(self, document: Document, expanded: bool = False) -> Document:
        document = network.view(self.world, document)
        if expanded and document["type"] == network.MACHINE:
            view = self.compute.instance_view(document["id"].lower())
            return {**document, "properties": {**document["properties"], "instanceView": view}}
        return document

    def put(self, request: Request, identifier: ResourceID) -> Answer:
        """Creates, replaces or (PATCH) changes a resource; what takes time in Azure takes it here."""
        body, old = _without_nulls(request.body), self.world.resources.get(identifier.key)
        if request.method == "PATCH":
            old = self._existing(identifier)
        keep = old is not None and (request.method == "PATCH" or identifier.type == network.MACHINE)
        document: Document = copy.deepcopy(old) if keep and old else {"properties": {}}
        document.update({k: v for k, v in body.items() if k not in ("properties", "id", "name", "type", "resources")})
        document["properties"] = _merged(document["properties"], body.get("properties") or {})
        if old and identifier.type == network.ADDRESS and "ipAddress" in old["properties"]:
            document["properties"].setdefault("ipAddress", old["properties"]["ipAddress"])
        document.update(id=identifier.path, name=identifier.name, type=identifier.type, etag=f'W/"{uuid.uuid4()}"')
        parts: dict[str, list[Document]] = {}
        network.prepare(self.world, identifier, document, parts)
        document["properties"]["provisioningState"] = "Succeeded"
        self.world.resources[identifier.key] = document
        for child, part in network.children(identifier, parts):
            inner = Request("PUT", child.path, {}, {}, b"", request.principal)
            self._store(inner, child, part)
        status = 201 if old is None else 200
        if identifier.type == network.MACHINE:
            operation = self.compute.put(request, identifier, document, is_new=old is None)
        elif not identifier.type.startswith(("Microsoft.Network/", "Microsoft.Compute/")):
            return Answer(status, document)
        else:
            seconds, by = self.world.options.write_seconds, self.world.name_of(request.principal)
            operation = operations.begin(self.world, "put", identifier.key, seconds, by, request.planned_error)
        self.machines.follow_rules()
        return operations.accepted(self.world, operation, status, self.view(document), location=False)

    def _store(self, request: Request, identifier: ResourceID, part: Document) -> None:
        document = {**copy.deepcopy(part), "id": identifier.path, "name": identifier.name, "type": identifier.type}
        document.setdefault("properties", {})["provisioningState"] = "Succeeded"
        network.prepare(self.world, identifier, document, {})
        self.world.resources[identifier.key] = document

    def _was_put(self, world: World, operation: Document) -> None:
        if operation["error"] and (document := world.resources.get(operation["target"])):
            document["properties"]["provisioningState"] = "Failed"

    def _delete(self, request: Request, identifier: ResourceID) -> Answer:
        document = self.world.resources.get(identifier.key)
        if document is None:
            return Answer(204)
        network.refuse_if_used(self.world, identifier)
        if document["type"] == network.MACHINE:
            return self.compute.delete(request, identifier)
        by = self.world.name_of(request.principal)
        if not document["type"].startswith(("Microsoft.Network/", "Microsoft.Compute/")):
            self.world.resources.pop(identifier.key)
            return Answer(200, document)
        operation = operations.begin(
            self.world, "delete", identifier.key, self.world.options.write_seconds, by, request.planned_error
        )
        return operations.accepted(self.world, operation)

    def _was_deleted(self, world: World, operation: Document) -> None:
        if operation["error"]:
            return
        for key in [k for k in world.resources if (k + "/").startswith(operation["target"] + "/")]:
            world.resources.pop(key)
        self.machines.follow_rules()

    def _tags(self, request: Request, identifier: ResourceID) -> Answer:
        owner = parse(identifier.path.rsplit("/providers/", 1)[0])
        document = self._existing(owner)
        given = ((request.body or {}).get("properties") or {}).get("tags") or {} if request.method != "GET" else {}
        tags = dict(document.get("tags") or {})
        verb = (request.body or {}).get("operation", "") if request.method == "PATCH" else request.method
        if verb == "Merge":
            tags |= given
        elif verb in ("Replace", "PUT"):
            tags = dict(given)
        elif verb == "Delete":
            tags = {k: v for k, v in tags.items() if not (k in given and given[k] == v)}
        elif verb == "DELETE":
            tags = {}
        _check_tags(tags)
        document["tags"] = tags
        return Answer(
            200,
            {
                "id": identifier.path,
                "name": "default",
                "type": "Microsoft.Resources/tags",
                "properties": {"tags": tags},
            },
        )


def _check_tags(tags: dict[str, str]) -> None:
    """Azure's limits: 50 tags, names of 512 and values of 256 characters, some characters not in names."""
    if len(tags) > 50:
        raise Refusal(400, "TooManyTags", "The resource has more than 50 tags.")
    for name, value in tags.items():
        if len(name) > 512 or re.search(r"[<>%&\\?/]", name):
            raise Refusal(400, "InvalidTagNameCharacters", f"The tag name '{name}' is not valid.")
        if len(value) > 256:
            raise Refusal(400, "InvalidTagValueLength", f"The value of tag '{name}' exceeds 256 characters.")


def _without_nulls(value: Any) -> Any:
    """A copy of a body; az writes null for what is not given."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _merged(old: Document, new: Document) -> Document:
    merged = dict(old)
    for name, value in new.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged
