"""The paths by which ARM names things."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceID:
    """`/subscriptions/S/resourceGroups/G/providers/NAMESPACE/TYPE/NAME/TYPE/NAME`, or a part of it.

    `rest` is a last word without a name: what a POST does, or the collection that a GET lists.
    """

    path: str
    type: str
    name: str
    group: str | None
    rest: str | None

    @property
    def key(self) -> str:
        return self.path.lower()

    @property
    def parent(self) -> str:
        return self.path.rsplit("/", 2)[0]


def parse(path: str) -> ResourceID:
    words = [word for word in path.split("/") if word]
    group = None
    for index, word in enumerate(words):
        if word.lower() == "resourcegroups":
            words[index] = "resourceGroups"
            group = words[index + 1] if index + 1 < len(words) else None
            break
    after = max((index for index, word in enumerate(words) if word == "providers"), default=None)
    rest = None
    if after is None:
        named = len(words) - len(words) % 2
        rest = words[named] if named < len(words) else None
        if group and named > 4:
            raise ValueError(path)
        kind = "Microsoft.Resources/subscriptions" + ("/resourceGroups" if named >= 4 else "")
        return ResourceID("/" + "/".join(words[:named]), kind, words[named - 1] if named else "", group, rest)
    namespace, *pairs = words[after + 1 :] or [""]
    if len(pairs) % 2:
        rest = pairs.pop()
        words = words[:-1]
    return ResourceID(
        "/" + "/".join(words), "/".join([namespace, *pairs[0::2]]), pairs[-1] if pairs else "", group, rest
    )
