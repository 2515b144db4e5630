"""From a path of the migrated document back to what its author wrote."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from pointsman.config.migration.ledger import Change
from pointsman.config.translate import line_at
from pointsman.core.problem import Problem


def _below(path: str, prefix: str) -> bool:
    return path == prefix or (path.startswith(prefix) and path[len(prefix)] in ".[")


def origin(path: str, changes: Sequence[Change]) -> str:
    """The old path of a new one; empty when nothing in the old document stands for it."""
    found = max(
        (change for change in changes if change.path_new and _below(path, change.path_new)),
        key=lambda change: len(change.path_new),
        default=None,
    )
    return found.path_old + path[len(found.path_new) :] if found else ""


def at_origin(problem: Problem, changes: Sequence[Change]) -> Problem:
    """A problem of the migrated document as one of the old: where to look, and what it is called today."""
    old = origin(problem.path, changes)
    if not old or old == problem.path:
        return problem
    message = re.sub(r"(?= \(line \d+\)$)|$", f"; in v0.3 this is {problem.path}", problem.message, count=1)
    return msgspec.structs.replace(problem, path=old, message=message)


def lines_of(changes: Sequence[Change], lines: Mapping[str, int]) -> dict[str, int]:
    """Line by path of the migrated document: that of the old key each part came from."""
    found = {"": lines.get("", 1)}
    for change in changes:
        if change.path_new:
            found.setdefault(change.path_new, line_at(change.path_old, lines))
    return found
