"""Who may do what: role definitions, their assignments, and the check of each request."""

from __future__ import annotations

import fnmatch
import re

from resource_id import ResourceID
from web import Answer, Refusal, Request
from world import SUBSCRIPTION, Document, World

DEFINITIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"

_BUILT_IN = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": ("Owner", ["*"]),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": ("Contributor", ["*"]),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": ("Reader", ["*/read"]),
}


def action_of(method: str, identifier: ResourceID) -> str:
    """The permission that a request needs, as Azure names it."""
    if method == "POST":
        return f"{identifier.type}/{identifier.rest}/action"
    kind = identifier.type
    if identifier.rest and "providers" in identifier.path.split("/"):
        kind = f"{identifier.type}/{identifier.rest}"
    return f"{kind}/{ {'GET': 'read', 'HEAD': 'read', 'DELETE': 'delete'}.get(method, 'write') }"


def check(world: World, principal: str, action: str, scope: str) -> None:
    if any(_matches(pattern, action) for pattern in allowed(world, principal, scope)):
        return
    raise Refusal(
        403,
        "AuthorizationFailed",
        f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials.",
    )


def allowed(world: World, principal: str, scope: str) -> list[str]:
    """What was set for the principal by the control address, and what its role assignments at or above `scope` give."""
    actions = list(world.state["principals"].get(principal, {}).get("actions") or [])
    for assignment in list(world.resources.values()):
        if assignment["type"] != "Microsoft.Authorization/roleAssignments":
            continue
        given = assignment["properties"]
        above = given["scope"].rstrip("/").lower()
        if given["principalId"] == principal and (scope.lower() + "/").startswith(above + "/"):
            definition = definitions(world).get(given["roleDefinitionId"].split("/")[-1].lower())
            for permission in (definition or {"properties": {"permissions": []}})["properties"]["permissions"]:
                actions += permission.get("actions", [])
    return actions


def _matches(pattern: str, action: str) -> bool:
    return fnmatch.fnmatchcase(action.lower(), pattern.lower())


def definitions(world: World) -> dict[str, Document]:
    found = {}
    for identifier, (name, actions) in _BUILT_IN.items():
        found[identifier] = {
            "id": DEFINITIONS + identifier,
            "name": identifier,
            "type": "Microsoft.Authorization/roleDefinitions",
            "properties": {
                "roleName": name,
                "type": "BuiltInRole",
                "description": name,
                "assignableScopes": ["/"],
                "permissions": [{"actions": actions, "notActions": [], "dataActions": [], "notDataActions": []}],
            },
        }
    for document in world.resources.values():
        if document["type"] == "Microsoft.Authorization/roleDefinitions":
            found[document["name"].lower()] = document
    return found


def route(world: World, request: Request, identifier: ResourceID) -> Answer | None:
    """Answers what is particular to Microsoft.Authorization; None for what any resource does."""
    kind = (identifier.rest if identifier.rest else identifier.type.split("/")[-1]).lower()
    scope = identifier.path.rsplit("/providers/", 1)[0]
    if kind == "permissions":
        actions = allowed(world, request.principal, scope)
        return Answer(200, {"value": [{"actions": actions, "notActions": [], "dataActions": []}]})
    if kind == "roledefinitions" and request.method in ("GET", "PUT", "DELETE"):
        return _definition(world, request, identifier)
    if kind == "roleassignments" and identifier.rest:
        found = [d for d in world.resources.values() if d["type"] == "Microsoft.Authorization/roleAssignments"]
        found = [d for d in found if _under(d["properties"]["scope"], scope)]
        return Answer(200, {"value": [d for d in found if _passes(d, request.query.get("$filter", ""))]})
    if kind == "roleassignments" and request.method == "PUT":
        return _assign(world, request, identifier, scope)
    return None


def _definition(world: World, request: Request, identifier: ResourceID) -> Answer:
    known = definitions(world)
    if identifier.rest:
        return Answer(200, {"value": [d for d in known.values() if _passes(d, request.query.get("$filter", ""))]})
    key = (DEFINITIONS + identifier.name).lower()
    if request.method == "PUT":
        given = request.body["properties"]
        for other in known.values():
            if (
                other["properties"]["roleName"] == given["roleName"]
                and other["name"].lower() != identifier.name.lower()
            ):
                raise Refusal(
                    409, "RoleDefinitionWithSameNameExists", f"A custom role named {given['roleName']} exists."
                )
        world.resources[key] = {
            "id": DEFINITIONS + identifier.name,
            "name": identifier.name,
            "type": "Microsoft.Authorization/roleDefinitions",
            "properties": {**given, "type": "CustomRole"},
        }
        return Answer(201, world.resources[key])
    found = known.get(identifier.name.lower())
    if found is None:
        if request.method == "DELETE":
            return Answer(204)
        raise Refusal(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{identifier.name}' does not exist.",
        )
    if request.method == "DELETE":
        used = [d for d in world.resources.values() if d["type"] == "Microsoft.Authorization/roleAssignments"]
        if any(d["properties"]["roleDefinitionId"].lower().endswith(identifier.name.lower()) for d in used):
            raise Refusal(400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role.")
        world.resources.pop(key, None)
    return Answer(200, found)


def _assign(world: World, request: Request, identifier: ResourceID, scope: str) -> Answer:
    given = {**request.body["properties"], "scope": scope}
    if given["roleDefinitionId"].split("/")[-1].lower() not in definitions(world):
        raise Refusal(400, "RoleDefinitionDoesNotExist", "The specified role definition does not exist.")
    for other in world.resources.values():
        same = other["type"] == "Microsoft.Authorization/roleAssignments" and all(
            str(other["properties"].get(name)).lower() == str(given.get(name)).lower()
            for name in ("principalId", "roleDefinitionId", "scope")
        )
        if same and other["id"].lower() != identifier.key:
            raise Refusal(409, "RoleAssignmentExists", "The role assignment already exists.")
    world.resources[identifier.key] = {
        "id": identifier.path,
        "name": identifier.name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": given,
    }
    return Answer(201, world.resources[identifier.key])


def _under(scope: str, above: str) -> bool:
    # ARM lists what is at the scope, above it and below it.
    one, other = scope.rstrip("/").lower() + "/", above.rstrip("/").lower() + "/"
    return one.startswith(other) or other.startswith(one)


def _passes(document: Document, filtered: str) -> bool:
    for name, value in re.findall(r"(\w+) eq '([^']*)'", filtered):
        if (
            name in ("roleName", "type", "principalId")
            and str(document["properties"].get(name, "")).lower() != value.lower()
        ):
            return False
    if assigned := re.search(r"assignedTo\('([^']*)'\)", filtered):
        return document["properties"].get("principalId") == assigned[1]
    return True
