"""A tree of nodes to plain data, with environment variables replaced and every key's line remembered."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pointsman.config.environment import expand
from pointsman.config.tree import MAX_DEPTH, Node, fault
from pointsman.core.problem import Problem

MAX_VALUES: Final = 100_000
"""Most values of a document with its aliases written out; a bomb of nested aliases stops here."""
_TEMPLATES: Final = frozenset({"tool_arguments", "request_template", "prompt_template"})
"""Keys whose ``${...}`` are placeholders of their own, filled in per request."""


class Plain(msgspec.Struct):
    """Plain data of a document and what was found on the way."""

    data: Any = None
    lines: dict[str, int] = {}
    """Line by dotted key path."""
    problems: list[Problem] = []
    secrets: set[str] = set()
    """Values of credential variables, to be kept out of every message."""


class _TooMany(Exception):
    """More values than a document may have."""


def to_written(root: Node) -> Plain:
    """Plain data under ``root`` as it is written: references to the environment stay references."""
    return _Converter({}).run(root, written=True)


def to_plain(root: Node, env: Mapping[str, str]) -> Plain:
    """Plain data under ``root``. Keys set to null are left out: they mean the default."""
    return _Converter(env).run(root)


class _Converter:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._count = 0
        self._out = Plain()

    def run(self, root: Node, *, written: bool = False) -> Plain:
        try:
            self._out.data = self._convert(root, "", 0, template=written)
        except _TooMany:
            remedy = "use fewer aliases, they multiply"
            self._out.problems.append(fault("", 0, f"describes more than {MAX_VALUES} values", remedy))
        return self._out

    def _convert(self, node: Node, path: str, depth: int, *, template: bool) -> Any:
        self._count += 1
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise _TooMany
        self._out.lines.setdefault(path, node.line)
        value = node.value
        if isinstance(value, str):
            return value if template else self._expand(value, path, node.line)
        if isinstance(value, list):
            return [
                self._convert(item, f"{path}[{index}]", depth + 1, template=template)
                for index, item in enumerate(value)
            ]
        if isinstance(value, dict):
            return {
                key: self._convert(
                    item, f"{path}.{key}" if path else key, depth + 1, template=template or key in _TEMPLATES
                )
                for key, item in value.items()
                if item.value is not None
            }
        return value

    def _expand(self, text: str, path: str, line: int) -> str:
        expansion = expand(text, self._env)
        self._out.secrets |= expansion.secrets
        self._out.problems.extend(
            fault(path, line, message, remedy) for message, remedy in expansion.complaints
        )
        return expansion.text
