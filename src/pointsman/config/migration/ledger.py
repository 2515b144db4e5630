"""What a migration writes, and its account of every key."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True):
    """What became of a key of the old document, with everything below it."""

    path_old: str
    path_new: str
    """Key path in the v0.3 document; empty when nothing took the key's place."""
    note: str = ""
    """What differs, or what happens instead; empty when the value moved as it is."""


class Migration(msgspec.Struct, frozen=True):
    """A flat document as v0.3, and how it got there."""

    era: str
    """Which of the flat shapes it had, for people."""
    document: dict[str, Any]
    changes: tuple[Change, ...]


class Ledger:
    """The document being written. Whoever takes a key from the old one says so here."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"version": "v0.3"}
        self.changes: list[Change] = []

    def put(self, path_new: str, value: Any, path_old: str, note: str = "") -> None:
        """Write ``value`` at a path of mapping keys; lists and mappings there already are extended."""
        *parents, last = path_new.split(".")
        here = self.document
        for step in parents:
            here = here.setdefault(step, {})
        present = here.get(last)
        if isinstance(present, list) and isinstance(value, list):
            present.extend(value)
        elif isinstance(present, dict) and isinstance(value, dict):
            here[last] = {**present, **value}
        else:
            here[last] = value
        self.moved(path_old, path_new, note)

    def append(self, path_new: str, item: Any, path_old: str = "", note: str = "") -> str:
        """Add to a list at a path of mapping keys; returns the path of the item."""
        self._list(path_new).append(item)
        where = f"{path_new}[{len(self.at(path_new)) - 1}]"
        if path_old:
            self.moved(path_old, where, note)
        return where

    def _list(self, path: str) -> list[Any]:
        *parents, last = path.split(".")
        here = self.document
        for step in parents:
            here = here.setdefault(step, {})
        found: list[Any] = here.setdefault(last, [])
        return found

    def moved(self, path_old: str, path_new: str, note: str = "") -> None:
        """Record where a key went."""
        self.changes.append(Change(path_old, path_new, note))

    def left(self, path_old: str, note: str) -> None:
        """Record a key that nothing took the place of, and what happens instead."""
        self.changes.append(Change(path_old, "", note))

    def at(self, path: str) -> Any:
        """What was written at a path of mapping keys; ``None`` where nothing was."""
        here: Any = self.document
        for step in path.split("."):
            here = here.get(step) if isinstance(here, Mapping) else None
        return here
