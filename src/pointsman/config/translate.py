"""pydantic's errors in plain words, with key paths as people write them."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pointsman.config.base import Part
from pointsman.config.credentials import CREDENTIAL_NAME, looks_secret
from pointsman.config.history import PLUGINS, replacement
from pointsman.config.shape import field_at, keys, parts_at
from pointsman.config.tree import fault
from pointsman.core.problem import Problem

Location = tuple[int | str, ...]
MOST_PROBLEMS: Final = 100
"""Problems described one by one; a document with more has one cause, or is none of ours."""

_MOST_NAMES: Final = 1000
"""Known names compared with a misspelt one."""

_WANTED: Final[Mapping[str, str]] = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
"""What each kind of type error wanted."""
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
    "string_too_short": ("at least this many characters:", "min_length"),
    "string_too_long": ("at most this many characters:", "max_length"),
    "too_short": ("at least this many items:", "min_length"),
    "too_long": ("at most this many items:", "max_length"),
}
"""Words and context key of each kind of bound."""


def key_path(location: Iterable[int | str]) -> str:
    """``routing.decisions[3].modelRefs`` for a location; tags of unions are left out."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not step.startswith("<"):
            path += f".{step}" if path else step
    return path


def translate(error: ValidationError, root: type[Part], lines: Mapping[str, int]) -> list[Problem]:
    """The problems behind a validation error, each once; beyond a hundred they are only counted."""
    errors = error.errors(include_url=False)
    problems = [_problem(details, root, lines) for details in errors[:MOST_PROBLEMS]]
    if len(errors) > MOST_PROBLEMS:
        problems.append(
            fault("", 0, f"has {len(errors) - MOST_PROBLEMS} further problems", "start with these")
        )
    return list(dict.fromkeys(problems))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like ``word``, if any is."""
    by_fold = {name.lower().replace("-", "_"): name for name in islice(known, _MOST_NAMES)}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def shown(value: Any, path: str) -> str:
    """A value as an error may quote it: short, and never one that could be a credential."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    leaf = path.rpartition(".")[2]
    if CREDENTIAL_NAME.search(leaf) or re.search(r"headers|\benv\b", path) or looks_secret(value):
        return "the given value"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= 60 else f"{text[:57]}...{text[-1]}"


def line_at(path: str, lines: Mapping[str, int]) -> int:
    """Line of a path, or of the nearest part above it; 0 when none is known."""
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get("", 0)


def _problem(details: ErrorDetails, root: type[Part], lines: Mapping[str, int]) -> Problem:
    location: Location = details["loc"]
    kind = details["type"]
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        location = (*location, "type")
    path = key_path(location)
    message, remedy = _words(details, location, path, root)
    return fault(path, line_at(path, lines), message, remedy)


def _words(details: ErrorDetails, location: Location, path: str, root: type[Part]) -> tuple[str, str]:
    """Message and remedy of one error."""
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "extra_forbidden":
        return _unknown_key(location, path, root)
    if kind.startswith("union_tag"):
        return _plugin_type(str(context.get("tag", "")).strip("<>"), str(context.get("expected_tags", "")))
    if kind in {"literal_error", "enum"}:
        return _not_among(value, path, str(context.get("expected", "")))
    if kind == "value_error":
        message, _, remedy = str(context.get("error", "is not valid")).partition(": ")
        return f"{shown(value, path)} {message}", remedy or "correct the value"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"is {shown(value, path)}, which is out of bounds", f"use {words} {context.get(key)}"
    return _not_of_type(kind, value, path, field_at(root, location))


def _not_of_type(kind: str, value: Any, path: str, info: FieldInfo | None) -> tuple[str, str]:
    meaning = f": {info.description}" if info and info.description else ""
    if kind == "missing":
        return "is missing", f"add it{meaning}"
    wanted = _WANTED.get(kind, "another value")
    quotes = kind == "string_type" and isinstance(value, (int, float))
    remedy = "write it in quotes" if quotes else f"use {wanted}{meaning}"
    return f"is {shown(value, path)} where {wanted} belongs", remedy


def _unknown_key(location: Location, path: str, root: type[Part]) -> tuple[str, str]:
    key = str(location[-1])[:60]
    gone = replacement(path)
    if gone:
        return f"the key {key} no longer exists", gone
    known = sorted({name for part in parts_at(root, location[:-1]) for name in keys(part)})
    near = nearest(key, known)
    if near:
        return f"the key {key} is not known", f"did you mean {near}?"
    return f"the key {key} is not known", f"use one of {', '.join(known)}" if known else "remove it"


def _plugin_type(kind: str, expected: str) -> tuple[str, str]:
    if not kind:
        return "is missing", "add the type of the plugin, such as type: system_prompt"
    if kind in PLUGINS:
        return f"the plugin {kind} no longer exists", PLUGINS[kind]
    known = re.findall(r"<(\w+)>", expected)
    near = nearest(kind, known)
    remedy = f"did you mean {near}?" if near else f"use one of {', '.join(known)}"
    return f"{kind[:60]!r} is no plugin", remedy


def _not_among(value: Any, path: str, expected: str) -> tuple[str, str]:
    known: Sequence[str] = re.findall(r"'([^']*)'", expected)
    gone = replacement(f"{path}.{value}") if path.endswith("algorithm.type") else None
    if gone:
        return f"the algorithm {value} no longer exists", gone
    near = nearest(value, known) if isinstance(value, str) else None
    listed = ", ".join(name or '""' for name in known)
    remedy = f"did you mean {near}? Possible: {listed}" if near and len(known) > 1 else f"use {listed}"
    return f"is {shown(value, path)}, which is not possible here", remedy
