"""A tool: what a model may call, and what is known about it for choosing."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.dialects.body import Body


class Tool(msgspec.Struct, frozen=True):
    """One tool in the words of its definition."""

    name: str
    """Empty for a kind of tool we do not know."""
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    definition: msgspec.Raw = msgspec.Raw(b"{}")
    """The element of ``tools`` as it was written, which is how it reaches the engine."""

    @property
    def text(self) -> str:
        """What its meaning is read from."""
        words = self.name.replace("_", " ").replace("-", " ").replace(".", " ")
        return f"{words}: {self.description} {', '.join(self.tags)}".strip()


def offered(body: Body) -> tuple[Tool, ...]:
    """The tools a request brings, in order."""
    return tuple(_tool(raw) for raw in body.items("tools"))


def _tool(raw: msgspec.Raw) -> Tool:
    written = msgspec.json.decode(raw)
    if not isinstance(written, Mapping):
        return Tool("", definition=raw)
    return Tool(tool_name(written), str(_inner(written).get("description") or ""), definition=raw)


def tool_name(written: Mapping[str, Any]) -> str:
    """Name of a tool or of a choice: of its function, of its own, or the type of one the engine hosts."""
    inner = _inner(written)
    if inner is not written:
        return str(inner.get("name") or "")
    return str(written.get("name") or written.get("type") or "")


def _inner(written: Mapping[str, Any]) -> Mapping[str, Any]:
    for kind in ("function", "custom"):
        inner = written.get(kind)
        if isinstance(inner, Mapping):
            return inner
    return written
