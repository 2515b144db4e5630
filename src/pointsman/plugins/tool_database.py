"""A file of tools: ``[{"tool": {...}, "description", "category", "tags"}]``, the upstream router's format."""

from pathlib import Path
from typing import Final

import msgspec

from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.plugins.tool import Tool

BUILT_IN: Final = "builtin:"
"""What the names of tool sets in the package begin with: ``builtin:assistant``."""
MAX_TOOLS: Final = 2048
MAX_BYTES: Final = 8 * 2**20
_FOLDER: Final = Path(__file__).parents[1] / "examples" / "tools"


class _Function(msgspec.Struct):
    name: str
    description: str = ""


class _Definition(msgspec.Struct):
    function: _Function
    type: str = "function"


class _Entry(msgspec.Struct):
    tool: msgspec.Raw
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()


_ENTRIES = msgspec.json.Decoder(list[_Entry])
_DEFINITION = msgspec.json.Decoder(_Definition)


def read_tools(written: str, where: str) -> tuple[Tool, ...]:
    """The tools of a file, or of a set in the package.

    Raises ``ConfigError`` at the key path ``where`` for a file that is missing, too large or malformed.
    """
    path = (
        _FOLDER / f"{written.removeprefix(BUILT_IN)}.json" if written.startswith(BUILT_IN) else Path(written)
    )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused(where, written, f"is larger than {MAX_BYTES} bytes")
        entries = _ENTRIES.decode(path.read_bytes())
        tools = tuple(_tool(entry) for entry in entries)
    except OSError as error:
        raise _refused(where, written, f"cannot be read: {error.strerror or error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refused(where, written, f"is no list of tools: {error}") from error
    if len(tools) > MAX_TOOLS:
        raise _refused(where, written, f"has {len(tools)} tools; at most {MAX_TOOLS} are searched")
    names = [tool.name for tool in tools]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise _refused(where, written, f"has two tools named {double!r}")
    return tools


def _tool(entry: _Entry) -> Tool:
    function = _DEFINITION.decode(entry.tool).function
    return Tool(
        name=function.name,
        description=entry.description or function.description,
        category=entry.category,
        tags=entry.tags,
        definition=msgspec.Raw(bytes(entry.tool)),
    )


def _refused(where: str, written: str, message: str) -> ConfigError:
    remedy = f"name a JSON file of tools, or {BUILT_IN}assistant for those of the package"
    return ConfigError([Problem(Severity.ERROR, where, f"{written}: {message}", remedy)])
