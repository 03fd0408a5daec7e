"""Template deployments, as far as `az vm create` makes them."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

import operations
from resource_id import ResourceID, parse
from web import Answer, Refusal, Request
from world import SUBSCRIPTION, Document, World

_STATES = {"InProgress": "Running", "Succeeded": "Succeeded", "Failed": "Failed"}


def register(arm: Any) -> None:
    arm.world.finishers["deployment"] = _deployed


def answer(arm: Any, request: Request, identifier: ResourceID) -> Answer:
    world: World = arm.world
    if identifier.type.lower().endswith("/operationstatuses"):
        return _status(world, identifier)
    if identifier.rest:
        listed = [d for d in world.resources.values() if d["type"] == "Microsoft.Resources/deployments"]
        if identifier.rest.lower() == "operations":
            listed = []
        return Answer(200, {"value": listed})
    if request.method == "PUT":
        return _deploy(arm, request, identifier)
    document = world.resources.get(identifier.key)
    if document is None:
        raise Refusal(404, "DeploymentNotFound", f"Deployment '{identifier.name}' could not be found.")
    if request.method == "DELETE":
        world.resources.pop(identifier.key)
        return Answer(204)
    return Answer(200, document)


def _deploy(arm: Any, request: Request, identifier: ResourceID) -> Answer:
    world: World = arm.world
    given = request.body["properties"]
    template = given["template"]
    values = {name: spec.get("defaultValue") for name, spec in (template.get("parameters") or {}).items()}
    values |= {name: spec.get("value") for name, spec in (given.get("parameters") or {}).items()}
    evaluate = _Expressions(identifier, values, template.get("variables") or {})
    waits, error, made = 0.0, None, []
    for resource in template["resources"]:
        resource = evaluate.all_of({k: v for k, v in resource.items() if k not in ("dependsOn", "apiVersion")})
        target = parse(evaluate.id_of(resource))
        try:
            inner = Request("PUT", target.path, {}, {}, json.dumps(resource).encode(), request.principal)
            inner.planned_error = request.planned_error if "virtualMachines" in target.type else None
            reply = arm._route(inner, target)
            begun = world.state["operations"].get(
                reply.headers.get("Azure-AsyncOperation", "").split("?")[0].split("/")[-1]
            )
            waits = max(waits, begun["ends"] - time.time()) if begun else waits
            made.append({"id": target.path})
            error = error or (begun or {}).get("planned")
        except Refusal as refusal:
            error = refusal.answer.body["error"]
            break
    world.resources[identifier.key] = {
        "id": identifier.path,
        "name": identifier.name,
        "type": "Microsoft.Resources/deployments",
        "tags": {},
        "properties": {"provisioningState": "Running", "mode": "Incremental", "outputs": {}, "outputResources": made},
    }
    planned = (
        None
        if error is None
        else {
            "code": "DeploymentFailed",
            "message": "At least one resource deployment operation failed. Please list deployment "
            "operations for details.",
            "details": [error],
        }
    )
    by = world.name_of(request.principal)
    operation = operations.begin(world, "deployment", identifier.key, waits + 0.02, by, planned)
    address = f"{world.addresses['arm']}{identifier.path}/operationStatuses/{operation['id']}?api-version=2024-01-01"
    pause = world.options.retry_after
    headers = {"Azure-AsyncOperation": address} | ({} if pause is None else {"Retry-After": str(pause)})
    return Answer(201, world.resources[identifier.key], headers)


def _status(world: World, identifier: ResourceID) -> Answer:
    operation = world.state["operations"].get(identifier.name)
    if operation is None:
        raise Refusal(404, "NotFound", f"The operation {identifier.name} was not found.")
    body: Document = {"status": _STATES[operation["status"]]}
    if operation["error"]:
        body["error"] = operation["error"]
    pause = world.options.retry_after
    waiting = operation["status"] == "InProgress" and pause is not None
    return Answer(200, body, {"Retry-After": str(pause)} if waiting else {})


def _deployed(world: World, operation: Document) -> None:
    if document := world.resources.get(operation["target"]):
        document["properties"]["provisioningState"] = operation["status"]
        if operation["error"]:
            document["properties"]["error"] = operation["error"]


class _Expressions:
    """The template language's `[…]`, as far as az uses it: parameters, variables, resourceId, concat, uniqueString."""

    def __init__(self, deployment: ResourceID, parameters: Document, variables: Document) -> None:
        self._scope = deployment.path.rsplit("/providers/", 1)[0]
        self._parameters, self._variables = parameters, variables

    def all_of(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.all_of(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.all_of(inner) for inner in value]
        if isinstance(value, str) and re.fullmatch(r"\[[^\[].*\]", value, re.S):
            return self._value(value[1:-1].strip())
        return value

    def id_of(self, resource: Document) -> str:
        namespace, *kinds = resource["type"].split("/")
        pairs = zip(kinds, resource["name"].split("/"))
        scope = resource.get("scope") or self._scope
        return f"{scope}/providers/{namespace}/" + "/".join(f"{kind}/{name}" for kind, name in pairs)

    def _value(self, text: str) -> Any:
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        called = re.fullmatch(r"(\w+)\((.*)\)((?:\.\w+)*)", text, re.S)
        if called is None:
            raise Refusal(400, "InvalidTemplate", f"The stand-in can't evaluate the template expression '{text}'.")
        value = self._call(called[1], [self._value(part) for part in _arguments(called[2])])
        for name in [word for word in called[3].split(".") if word]:
            value = value[name]
        return value

    def _call(self, name: str, given: list[Any]) -> Any:
        match name.lower():
            case "parameters":
                return self._parameters[given[0]]
            case "variables":
                return self.all_of(self._variables[given[0]])
            case "concat":
                return "".join(map(str, given))
            case "resourceid":
                namespace, *kinds = given[0].split("/")
                return f"{self._scope}/providers/{namespace}/" + "/".join(f"{k}/{n}" for k, n in zip(kinds, given[1:]))
            case "resourcegroup":
                return {"id": self._scope, "name": self._scope.split("/")[-1], "location": "westus2"}
            case "subscription":
                return {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION}
            case "uniquestring" | "guid":
                return str(uuid.uuid5(uuid.NAMESPACE_URL, "".join(map(str, given))))
        raise Refusal(400, "InvalidTemplate", f"The stand-in does not know the template function '{name}'.")


def _arguments(text: str) -> list[str]:
    parts, depth, quoted, begin = [], 0, False, 0
    for index, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0 and not quoted:
            parts.append(text[begin:index].strip())
            begin = index + 1
    return [*parts, text[begin:].strip()] if text.strip() else []
