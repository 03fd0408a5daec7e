"""GitHub's expression language, as far as our workflows use it. What is not known is an error, never an empty string.

Source: GitHub's "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

Functions = dict[str, Callable[..., Any]]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')
    |(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))
    |(?P<name>[A-Za-z_][A-Za-z0-9_-]*)
    |(?P<sign>==|!=|<=|>=|&&|\|\||[!<>().,]))""",
    re.VERBOSE,
)
STATUS = ("always", "success", "failure", "cancelled")


class Unknown(Exception):
    """Something that this evaluator, or the context it was given, does not know."""


class Open(dict[str, Any]):
    """An object of which a missing member is null, as in payloads and settings that nobody made."""


class Closed(dict[str, Any]):
    """An object whose members are all known: another name is a mistake of ours."""


def evaluate(text: str, contexts: dict[str, Any], functions: Functions) -> Any:
    return _Parser(text, contexts, functions).whole()


def condition(text: Any, contexts: dict[str, Any], functions: Functions) -> bool:
    """An `if:`, which may stand with or without its braces. Without a status function it also asks for success()."""
    if text is None:
        return bool(functions["success"]())
    if isinstance(text, bool):
        text = str(text).lower()
    text = str(text).strip()
    if found := re.fullmatch(r"\$\{\{(.*)\}\}", text, re.DOTALL):
        text = found[1]
    if "${{" in text:
        raise Unknown(f"a condition that is only partly an expression is always true: {text}")
    parser = _Parser(text, contexts, functions)
    value = truth(parser.whole())
    return value if parser.asked_status else value and bool(functions["success"]())


def fill(text: Any, contexts: dict[str, Any], functions: Functions) -> Any:
    """A value of a workflow with its expressions put in; one that is nothing else keeps its type."""
    if isinstance(text, bool):
        return str(text).lower()
    if isinstance(text, (int, float)):
        return words(text)
    if not isinstance(text, str):
        return "" if text is None else text
    parts = re.split(r"\$\{\{((?:'(?:[^']|'')*'|[^'}]|\}(?!\}))*)\}\}", text)
    if any("${{" in part for part in parts[::2]):
        raise Unknown(f"an expression without an end: {text}")
    return "".join(
        words(evaluate(part, contexts, functions)) if number % 2 else part for number, part in enumerate(parts)
    )


def truth(value: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return False
    return not (value is None or value is False or value == "" or (isinstance(value, (int, float)) and value == 0))


def words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.15g}"
    if isinstance(value, dict):
        return "Object"
    if isinstance(value, list):
        return "Array"
    return str(value)


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        text = value.strip()
        try:
            return float(int(text, 16)) if text.startswith("0x") else float(text or 0)
        except ValueError:
            return math.nan
    return math.nan


def _kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if isinstance(left, (dict, list)) and isinstance(right, (dict, list)):
        return left is right
    if _kind(left) == _kind(right):
        return bool(left == right)
    return _number(left) == _number(right)


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() < right.upper()
    return _number(left) < _number(right)


def _format(pattern: Any, *values: Any) -> str:
    def one(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise Unknown(f"format: {pattern!r} with {len(values)} values")
        return words(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|[{}]", one, words(pattern))


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(equal(entry, what) for entry in where)
    return words(what).lower() in words(where).lower()


_FUNCTIONS: Functions = {
    "format": _format,
    "startswith": lambda text, start: words(text).lower().startswith(words(start).lower()),
    "endswith": lambda text, end: words(text).lower().endswith(words(end).lower()),
    "contains": _contains,
}


class _Parser:
    def __init__(self, text: str, contexts: dict[str, Any], functions: Functions) -> None:
        self.text, self.contexts = text, contexts
        self.functions = {**_FUNCTIONS, **functions}
        self.tokens = self._tokens()
        self.asked_status = False

    def _tokens(self) -> list[tuple[str, str]]:
        found, position, text = [], 0, self.text.strip()
        while position < len(text):
            token = _TOKEN.match(text, position)
            if token is None or token.lastgroup is None:
                raise Unknown(f"cannot read {text[position:]!r} in the expression {text!r}")
            found.append((token.lastgroup, token[token.lastgroup]))
            position = token.end()
        return found

    def whole(self) -> Any:
        value = self._or()
        if self.tokens:
            raise Unknown(f"{self.tokens[0][1]!r} is too much in the expression {self.text!r}")
        return value

    def _take(self, *signs: str) -> str | None:
        if self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return None

    # Both sides are always read, so that an unknown name is found wherever it stands.

    def _or(self) -> Any:
        value = self._and()
        while self._take("||"):
            other = self._and()
            value = value if truth(value) else other
        return value

    def _and(self) -> Any:
        value = self._same()
        while self._take("&&"):
            other = self._same()
            value = other if truth(value) else value
        return value

    def _same(self) -> Any:
        value = self._order()
        while sign := self._take("==", "!="):
            value = equal(value, self._order()) == (sign == "==")
        return value

    def _order(self) -> Any:
        value = self._not()
        while sign := self._take("<", ">", "<=", ">="):
            other = self._not()
            strict = _less(value, other) if "<" in sign else _less(other, value)
            value = strict or ("=" in sign and equal(value, other))
        return value

    def _not(self) -> Any:
        return not truth(self._not()) if self._take("!") else self._one()

    def _one(self) -> Any:
        if self._take("("):
            value = self._or()
            self._need(")")
            return value
        if not self.tokens or self.tokens[0][0] == "sign":
            raise Unknown(f"a value is missing in the expression {self.text!r}")
        kind, text = self.tokens.pop(0)
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return _number(text)
        if text.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text.lower()]
        return self._call(text) if self._take("(") else self._path(text)

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise Unknown(f"{sign!r} is missing in the expression {self.text!r}")

    def _call(self, name: str) -> Any:
        values = []
        if not self._take(")"):
            values.append(self._or())
            while self._take(","):
                values.append(self._or())
            self._need(")")
        if name.lower() not in self.functions:
            raise Unknown(f"the function {name} is not known here, in the expression {self.text!r}")
        self.asked_status |= name.lower() in STATUS
        return self.functions[name.lower()](*values)

    def _path(self, name: str) -> Any:
        if name.lower() not in self.contexts:
            raise Unknown(f"there is no context {name} here, in the expression {self.text!r}")
        value, path = self.contexts[name.lower()], name
        while self._take("."):
            if not self.tokens or self.tokens[0][0] != "name":
                raise Unknown(f"a name is missing after {path} in the expression {self.text!r}")
            member = self.tokens.pop(0)[1]
            path += "." + member
            if isinstance(value, dict):
                known = {key.lower(): key for key in value}
                if member.lower() in known:
                    value = value[known[member.lower()]]
                    continue
                if isinstance(value, Closed):
                    raise Unknown(f"{path} is not known, in the expression {self.text!r}")
            value = None
        return value


def opened(value: Any) -> Any:
    """JSON of others, of which any member may be missing."""
    if isinstance(value, dict):
        return Open({name: opened(member) for name, member in value.items()})
    return [opened(entry) for entry in value] if isinstance(value, list) else value
