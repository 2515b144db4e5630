"""Text to a tree of plain values with line numbers: YAML as far as configuration needs it, and no further.

Only what is unambiguous is read. Anchors and aliases work; merge keys, tags, keys that are no text and
repeated keys are problems. Numbers, ``true``, ``false`` and ``null`` are read as in YAML 1.2, so ``no``,
``on`` and dates stay text. Size, depth and the number of values (aliases expanded) are bounded.
"""

import math
import re
from typing import Any, Final

import msgspec
import yaml

from pointsman.core.problem import Problem, Severity

MAX_BYTES: Final = 4 * 2**20
"""Largest document, bytes."""
MAX_DEPTH: Final = 64
"""Deepest nesting of lists and mappings."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS: Final = {"!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_INT: Final = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: Final = {"": None, "~": None, "true": True, "false": False, "null": None}
_CONSTANTS_CASED: Final = {
    spelling: value
    for word, value in _CONSTANTS.items()
    for spelling in (word, word.capitalize(), word.upper())
}


class Node(msgspec.Struct):
    """A value with the line it starts on (1-based): a scalar, a list of nodes, or nodes by key."""

    line: int
    value: Any
    """``None``, ``bool``, ``int``, ``float``, ``str``, ``list[Node]`` or ``dict[str, Node]``."""


class _Open(msgspec.Struct):
    """A list or mapping whose end has not been read."""

    node: Node
    path: str
    anchor: str | None
    key: str | None = None
    """Key whose value comes next; ``None`` in a list, or when a key comes next."""
    skip: bool = False
    """Whether the value that comes next belongs to a rejected key."""


def fault(path: str, line: int, message: str, remedy: str) -> Problem:
    """An error with its line."""
    where = f" (line {line})" if line else ""
    return Problem(Severity.ERROR, path, message + where, remedy)


def read(text: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a document (``None`` when it is empty or unreadable) and what is wrong with it."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return None, [fault("", 0, f"the document is larger than {MAX_BYTES} bytes", "split or shorten it")]
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not reader.take(event):
                break
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = error.problem or "the text cannot be read"
        line = mark.line + 1 if mark else 0
        return None, [*reader.problems, fault("", line, f"is no valid YAML: {problem}", "correct the syntax")]
    except (yaml.YAMLError, UnicodeError):
        reader.problems.append(
            fault("", 0, "has characters that YAML does not allow", "save it as plain UTF-8")
        )
        return None, reader.problems
    return reader.root, reader.problems


class _Reader:
    """Builds the tree from parser events, without recursion: deep nesting cannot exhaust the stack."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: yaml.Event) -> bool:
        """Use one event; False when reading must stop."""
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._fault(line, "has more than one document", "keep one, without further lines of ---")
                return False
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, line)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            return self._start(event, line)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            if done.anchor:
                # Only a finished value can be referred to, so no value can contain itself.
                self._anchors[done.anchor] = done.node
        return True

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            self._tag(event.tag, line)
            node = Node(line, None)
        elif event.implicit[0] and event.tag is None:
            node = Node(line, self._plain(event.value, line))
        else:
            node = Node(line, event.value)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._place(node)

    def _plain(self, text: str, line: int) -> Any:
        """What an unquoted word means."""
        if text in _CONSTANTS_CASED:
            return _CONSTANTS_CASED[text]
        if _INT.fullmatch(text):
            whole = int(text, 0) if text[:2] in {"0x", "0o"} else int(text) if len(text) <= 20 else 2**63
            if abs(whole) < 2**63:
                return whole
        elif _FLOAT.fullmatch(text):
            number = float(text) if len(text) <= 64 else math.inf
            if math.isfinite(number):
                return number
        elif not _NOT_FINITE.fullmatch(text):
            return text
        self._fault(line, "is a number beyond what can be computed with", "write a smaller, finite number")
        return None

    def _alias(self, anchor: str | None, line: int) -> None:
        node = self._anchors.get(anchor or "")
        if node is None:
            self._fault(
                line, f"refers to *{anchor or ''}, which is not defined before", "define the anchor first"
            )
            node = Node(line, None)
        self._place(node)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> bool:
        if len(self._open) >= MAX_DEPTH:
            self._fault(line, f"is nested more than {MAX_DEPTH} levels deep", "flatten the document")
            return False
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            self._tag(event.tag, line)
        path = self._next_path()
        node = Node(line, {} if isinstance(event, yaml.MappingStartEvent) else [])
        self._place(node, collection=True)
        self._open.append(_Open(node, path, event.anchor))
        return True

    def _place(self, node: Node, *, collection: bool = False) -> None:
        """Put a finished value, or a collection about to be filled, where it belongs."""
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif top.skip:
            top.skip = False
        elif top.key is None:
            self._key(top, node, collection=collection)
        else:
            top.node.value[top.key] = node
            top.key = None

    def _key(self, top: _Open, node: Node, *, collection: bool) -> None:
        key = node.value
        top.skip = True
        if collection or not isinstance(key, str):
            self._fault(node.line, "has a key that is not text", "write the key in quotes")
        elif key == "<<":
            self._fault(node.line, "uses a merge key (<<)", "write the merged keys out")
        elif key in top.node.value:
            first = top.node.value[key].line
            path = f"{top.path}.{key}" if top.path else key
            message = f"is given twice, first near line {first}"
            self.problems.append(fault(path, node.line, message, "keep one of the two"))
        else:
            top.skip = False
            top.key = key

    def _next_path(self) -> str:
        if not self._open:
            return ""
        top = self._open[-1]
        if isinstance(top.node.value, list):
            return f"{top.path}[{len(top.node.value)}]"
        return ".".join(filter(None, (top.path, top.key or "")))

    def _tag(self, tag: str, line: int) -> None:
        name = tag.replace("tag:yaml.org,2002:", "!!")[:40]
        self._fault(line, f"has the tag {name}", "remove the tag: the document is plain data")

    def _fault(self, line: int, message: str, remedy: str) -> None:
        self.problems.append(fault(self._next_path(), line, message, remedy))
