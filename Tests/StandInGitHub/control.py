"""What tests ask of the stand-in itself, at an address of its own."""

from __future__ import annotations

import json
from typing import Any

from faults import Faults, Gates
from web import Answer, Request
from world import World


class Control:
    def __init__(self, world: World, faults: Faults, gates: Gates) -> None:
        self.world, self.faults, self.gates = world, faults, gates

    def answer(self, request: Request) -> Answer:
        action = getattr(self, f"_{request.method.lower()}_{request.path.strip('/')}", None)
        if action is None:
            return Answer(404, {"error": f"{request.method} {request.path} is not known"})
        try:
            with self.world.lock:
                return Answer(200, action(json.loads(request.raw or b"{}"))).sealed()
        except (AttributeError, KeyError, ValueError, TypeError) as wrong:
            return Answer(400, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _get_world(self, _: Any) -> Any:
        return {**self.world.document(), "faults": self.faults.all(), "gates": self.gates.all()}

    def _post_world(self, given: Any) -> Any:
        self.world.set(given)
        return {}

    def _get_requests(self, _: Any) -> Any:
        return self.world.requests

    def _delete_requests(self, _: Any) -> Any:
        self.world.requests.clear()
        return {}

    def _post_faults(self, given: Any) -> Any:
        for fault in given if isinstance(given, list) else [given]:
            self.faults.add(fault)
        return {}

    def _delete_faults(self, _: Any) -> Any:
        self.faults.clear()
        return {}

    def _post_gate(self, given: Any) -> Any:
        self.gates.add(given)
        return {}

    def _delete_gate(self, _: Any) -> Any:
        self.gates.clear()
        return {}
