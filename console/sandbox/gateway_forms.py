"""Reads the forms that the training gateway is sent, and says in its words what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

_NAME: Final = re.compile(r"([A-Za-z0-9_.]+)((?:\[[A-Za-z0-9_.-]*\])*)")
_MOST_PAIRS: Final = 300
_DEEPEST: Final = 6


@dataclass(frozen=True)
class Said:
    """An answer before it goes on the wire."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    remembered: bool = True
    """Whether a key keeps it: what was refused before anything began is not kept."""

    def text(self) -> str:
        """Write the body as it is sent."""
        return json.dumps(self.body, indent=2)


class Fault(Exception):
    """The request is refused."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        remembered: bool = True,
    ) -> None:
        super().__init__(message)
        error = {"type": kind, "message": message, "code": code, "param": param}
        self.said = Said(
            status, {"error": {k: v for k, v in error.items() if v}}, remembered=remembered
        )


def invalid(message: str, param: str = "", code: str = "") -> Fault:
    """Refuse parameters; nothing began, so that no key remembers it."""
    return Fault(400, message, code=code, param=param, remembered=False)


def missing_object(what: str, thing_id: str, param: str = "id") -> Fault:
    """Refuse an id that nothing goes by."""
    status = 404 if param == "id" else 400
    return Fault(status, f"No such {what}: '{thing_id}'", code="resource_missing", param=param)


def tree(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn `a[b][0][c]=d` into what it means."""
    found: dict[str, Any] = {}
    for count, (name, value) in enumerate(pairs):
        match = _NAME.fullmatch(name)
        if match is None or count >= _MOST_PAIRS:
            raise invalid(f"Invalid request: cannot read the parameter {name[:40]!r}.")
        steps = [match[1], *re.findall(r"\[([^\]]*)\]", match[2])]
        if len(steps) > _DEEPEST:
            raise invalid("Invalid request: nested too deep.")
        _put(found, steps, value, name)
    return {name: _lists(inner) for name, inner in found.items()}


def _put(into: dict[str, Any], steps: list[str], value: str, name: str) -> None:
    for step, following in pairwise(steps):
        inner = into.setdefault(step or str(len(into)), {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid request: {name[:40]} is given in two forms.")
        into = inner
        if following == "" and steps[-1] != "":
            raise invalid(f"Invalid request: {name[:40]} needs numbers in its brackets.")
    last = steps[-1] or str(len(into))
    if last in into:
        raise invalid(f"Invalid request: {name[:40]} is given twice.")
    into[last] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(one) for name, one in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


class Params:
    """The parameters of one call; what nobody asks for is refused as unknown."""

    def __init__(self, found: dict[str, Any], path: str = "") -> None:
        self._found = dict(found)
        self._path = path
        self._inner: list[Params] = []

    def text(self, name: str, longest: int = 500) -> str | None:
        """Take a text; an empty one counts as none."""
        value = self._found.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {self.label(name)}", self.label(name))
        if len(value) > longest or "\0" in value:
            raise invalid(f"Invalid string: {self.label(name)} is too long.", self.label(name))
        return value

    def need(self, name: str, longest: int = 500) -> str:
        """Take a text that must be there."""
        value = self.text(name, longest)
        if value is None:
            label = self.label(name)
            raise invalid(f"Missing required param: {label}.", label, "parameter_missing")
        return value

    def whole(self, name: str, least: int = 0, most: int = 99_999_999) -> int | None:
        """Take a whole number."""
        value, label = self.text(name, 30), self.label(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise invalid(f"Invalid integer: {value}", label, "parameter_invalid_integer")
        number = int(value)
        if number < least:
            code = "amount_too_small" if "amount" in name else "parameter_invalid_integer"
            raise invalid(f"This value must be greater than or equal to {least}.", label, code)
        if number > most:
            code = "amount_too_large" if "amount" in name else "parameter_invalid_integer"
            raise invalid(f"This value must be less than or equal to {most}.", label, code)
        return number

    def flag(self, name: str) -> bool:
        """Take true or false; none is false."""
        value, label = self.text(name, 10), self.label(name)
        if value not in (None, "true", "false"):
            raise invalid(f"Invalid boolean: {value}", label)
        return value == "true"

    def choice(self, name: str, known: tuple[str, ...]) -> str | None:
        """Take one of a fixed set of words."""
        value, label = self.text(name), self.label(name)
        if value is not None and value not in known:
            raise invalid(f"Invalid {label}: must be one of {', '.join(known)}", label)
        return value

    def currency(self) -> str:
        """Take the currency, of which there is one."""
        currency = self.need("currency", 3).lower()
        if currency != "usd":
            label = self.label("currency")
            raise invalid(f"Invalid currency: {currency}. This account takes usd.", label)
        return currency

    def inner(self, name: str) -> Params | None:
        """Take a hash."""
        value = self._found.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise invalid(f"Invalid hash: {self.label(name)}", self.label(name))
        params = Params(value, self.label(name))
        self._inner.append(params)
        return params

    def each(self, name: str) -> list[Params]:
        """Take a list of hashes."""
        value = self._found.pop(name, None) or []
        if not isinstance(value, list) or any(not isinstance(one, dict) for one in value):
            raise invalid(f"Invalid array: {self.label(name)}", self.label(name))
        found = [Params(one, f"{self.label(name)}[{n}]") for n, one in enumerate(value)]
        self._inner += found
        return found

    def texts(self, name: str, most: int = 20) -> list[str]:
        """Take a list of texts."""
        value = self._found.pop(name, None) or []
        if (
            not isinstance(value, list)
            or len(value) > most
            or any(not isinstance(one, str) for one in value)
        ):
            raise invalid(f"Invalid array: {self.label(name)}", self.label(name))
        return value

    def metadata(self, name: str = "metadata") -> dict[str, str]:
        """Take up to fifty small texts."""
        value = self._found.pop(name, None) or {}
        fits = isinstance(value, dict) and len(value) <= 50
        if not fits or any(
            not isinstance(one, str) or len(one) > 500 or len(key) > 40
            for key, one in value.items()
        ):
            raise invalid(f"Invalid metadata: {self.label(name)}", self.label(name))
        return {key: one for key, one in value.items() if one != ""}

    def anything(self, *names: str) -> None:
        """Let parameters pass that change nothing here."""
        for name in names:
            self._found.pop(name, None)

    def nothing_else(self) -> None:
        """Refuse what nobody asked for."""
        for name in self._found:
            label = self.label(name)
            raise invalid(f"Received unknown parameter: {label}", label, "parameter_unknown")
        for params in self._inner:
            params.nothing_else()

    def label(self, name: str) -> str:
        """Say a parameter's name as it was sent."""
        return f"{self._path}[{name}]" if self._path else name
