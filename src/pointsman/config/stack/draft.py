"""A document in the making, and what is to be said about it."""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from pointsman.config.document import Settings
from pointsman.config.shape import field_at
from pointsman.core.problem import Problem, Severity


class Draft(msgspec.Struct):
    """Mutable while it is being filled; only ``translate`` holds it."""

    document: dict[str, Any] = msgspec.field(default_factory=dict)
    notes: list[Problem] = msgspec.field(default_factory=list)

    def put(self, path: str, value: Any, flag: str = "") -> bool:
        """Set a key by its path; where our schema has no such key, say that ``flag`` has no effect."""
        keys = path.split(".")
        if not known(path):
            self.note(flag, f"{path} is not implemented yet")
            return False
        here = self.document
        for key in keys[:-1]:
            here = here.setdefault(key, {})
        here[keys[-1]] = value
        return True

    def note(self, flag: str, meanwhile: str) -> None:
        """Say that a flag has no effect, and what happens instead."""
        message = f"is accepted and has no effect: {meanwhile}"
        self.notes.append(Problem(Severity.UNIMPLEMENTED, flag, message, "remove it, or live with that"))

    def tell(self, flag: str, message: str, remedy: str = "") -> None:
        """Say something else about a flag that one should know."""
        self.notes.append(Problem(Severity.WARNING, flag, message, remedy))


def known(path: str) -> bool:
    """Whether our schema has a key."""
    return field_at(Settings, tuple(path.split("."))) is not None


def values_of(path: str) -> tuple[str, ...]:
    """The words that a key of our schema takes; none where it takes any."""
    info = field_at(Settings, tuple(path.split(".")))
    found: tuple[str, ...] = get_args(info.annotation) if info else ()
    return found


Model = Mapping[str, Any]
"""One of ``providers.models``."""
