"""Operations that take time: begun by a request, polled by the client, finished by a clock."""

from __future__ import annotations

import time
import uuid
from typing import Any

from web import Answer, Refusal, Request
from world import SUBSCRIPTION, Document, World, utc

_WHENEVER = 1e9  # seconds


def begin(
    world: World,
    kind: str,
    target: str,
    seconds: float,
    by: str = "",
    planned: dict[str, str] | None = None,
    **details: Any,
) -> Document:
    """A new operation; one of no seconds is finished at once."""
    now = time.time()
    operation = {
        "id": str(uuid.uuid4()),
        "kind": kind,
        "target": target,
        "by": by,
        "begun": now,
        "ends": now + seconds,
        "status": "InProgress",
        "error": None,
        "planned": planned,
        "result": None,
        **details,
    }
    world.state["operations"][operation["id"]] = operation
    if seconds <= 0:
        finish(world, operation)
    else:
        world.due.notify_all()
    return operation


def finish(world: World, operation: Document) -> None:
    if operation["planned"]:
        operation.update(status="Failed", error=operation["planned"])
    else:
        operation["status"] = "Succeeded"
    if finisher := world.finishers.get(operation["kind"]):
        finisher(world, operation)
    _tell_joined(world, operation)


def join(world: World, other: Document, by: str) -> Document:
    """One more request for what is under way already: it ends when that does, and as that does."""
    return begin(world, "joined", other["target"], _WHENEVER, by, joins=other["id"])


def preempt(world: World, identifier: str | None) -> None:
    if operation := in_progress(world, identifier):
        message = "Operation execution has been preempted by a more recent operation."
        operation.update(status="Failed", error={"code": "OperationPreempted", "message": message}, ends=time.time())
        _tell_joined(world, operation)


def _tell_joined(world: World, operation: Document) -> None:
    for other in world.state["operations"].values():
        if other.get("joins") == operation["id"]:
            other.update({name: operation[name] for name in ("status", "error", "ends")})


def in_progress(world: World, identifier: str | None) -> Document | None:
    operation = world.state["operations"].get(identifier)
    return operation if operation and operation["status"] == "InProgress" else None


def keep_clock(world: World) -> None:
    """Finishes what is due, until the end of the program."""
    with world.lock:
        while not world.ended.is_set():
            open_ones = [o for o in world.state["operations"].values() if o["status"] == "InProgress"]
            now = time.time()
            for operation in sorted(open_ones, key=lambda o: o["ends"]):
                if operation["ends"] <= now and operation["status"] == "InProgress":
                    finish(world, operation)
            rest = [o["ends"] for o in world.state["operations"].values() if o["status"] == "InProgress"]
            world.due.wait(max(0.001, min(rest) - time.time()) if rest else None)


def accepted(world: World, operation: Document, status: int = 202, body: Any = None, location: bool = True) -> Answer:
    """The answer to a request that began an operation."""
    namespace = (
        operation["target"].split("/providers/")[-1].split("/")[0] if "/providers/" in operation["target"] else ""
    )
    path = f"/subscriptions/{SUBSCRIPTION}/providers/{namespace or 'Microsoft.Resources'}/locations/westus2/operations"
    address = f"{world.addresses['arm']}{path}/{operation['id']}?api-version=2024-01-01"
    headers = {"Azure-AsyncOperation": address, **_pause(world)}
    if location:
        headers["Location"] = address + "&monitor=true"
    return Answer(status, body, headers)


def show(world: World, identifier: str, request: Request) -> Answer:
    operation = world.state["operations"].get(identifier)
    if operation is None:
        raise Refusal(404, "NotFound", f"The entity {identifier} was not found.")
    done = operation["status"] != "InProgress"
    if "monitor" in request.query:
        if not done:
            address = f"{world.addresses['arm']}{request.path}?api-version=2024-01-01&monitor=true"
            return Answer(202, None, {"Location": address, **_pause(world)})
        if operation["error"]:
            raise Refusal(409, operation["error"]["code"], operation["error"]["message"])
        return Answer(200, operation["result"]) if operation["result"] is not None else Answer(204)
    body = {"startTime": utc(operation["begun"]), "status": operation["status"], "name": operation["id"]}
    if done:
        body["endTime"] = utc(operation["ends"])
    if operation["error"]:
        body["error"] = operation["error"]
    if operation["result"] is not None:
        body["properties"] = {"output": operation["result"]}
    return Answer(200, body, {} if done else _pause(world))


def _pause(world: World) -> dict[str, str]:
    seconds = world.options.retry_after
    return {} if seconds is None else {"Retry-After": str(seconds)}
