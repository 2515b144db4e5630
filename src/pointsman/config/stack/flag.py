"""One flag of that router: what it takes, and what it is called in our document."""

import math
from enum import StrEnum
from typing import Any

import msgspec

from pointsman.config.faults import error
from pointsman.config.translate import nearest, shown
from pointsman.core.errors import ConfigError


class Kind(StrEnum):
    """What a flag takes."""

    TEXT = "text"
    WHOLE = "number"
    SHARE = "number from 0 to 1"
    LIST = "list by comma"
    SWITCH = "switch"


class Flag(msgspec.Struct, frozen=True):
    """A flag. Its name in files is the same with underscores."""

    name: str
    """Without the dashes in front."""
    help: str
    kind: Kind = Kind.TEXT
    default: Any = None
    """What holds when it is not given; ``None``: nothing does."""
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = math.inf
    ours: str = ""
    """The key, or keys, of our document that it becomes."""
    meanwhile: str = ""
    """Of a flag without effect: what happens instead. Empty where it has its effect."""

    @property
    def key(self) -> str:
        """Its name in files."""
        return self.name.replace("-", "_")

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return f"--{self.name}"

    def read(self, value: Any, where: str) -> Any:
        """What was given, as a value of the flag's kind.

        Raises ConfigError, which calls the flag ``where``, for what is none.
        """
        if self.kind is Kind.LIST:
            return _listed(value, where)
        if self.kind is Kind.SWITCH:
            return _switch(value, where)
        if self.kind is Kind.TEXT:
            return self._text(value, where)
        return self._number(value, where)

    def _text(self, value: Any, where: str) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise _wrong(where, value, "text")
        text = str(value)
        if self.choices and text not in self.choices:
            near = nearest(text, self.choices)
            remedy = f"did you mean {near}?" if near else f"use one of {', '.join(self.choices)}"
            raise ConfigError([error(where, f"{shown(value, where)} is none of its values", remedy)])
        return text

    def _number(self, value: Any, where: str) -> int | float:
        number = int if self.kind is Kind.WHOLE else float
        try:
            read = number(str(value).strip())
        except ValueError:
            what = "a whole number" if self.kind is Kind.WHOLE else "a number"
            raise _wrong(where, value, what) from None
        if not self.least <= read <= self.most:
            bound = f"at least {self.least}" if read < self.least else f"at most {self.most}"
            raise ConfigError([error(where, f"is {read}, which is out of bounds", f"use {bound}")])
        return read


def _listed(value: Any, where: str) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise _wrong(where, value, "a list, or text with commas")
    return tuple(item.strip() for item in items)


def _switch(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "true or false")
    return value


def _wrong(where: str, value: Any, wanted: str) -> ConfigError:
    return ConfigError([error(where, f"is {shown(value, where)}", f"give {wanted}")])
