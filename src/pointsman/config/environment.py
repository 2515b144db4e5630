"""``${VAR}`` in values: replaced from the environment, after the document was parsed.

Replacing values rather than text means that nothing in a variable can change the document's structure.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from pointsman.config.credentials import variable_holds_secret

_REFERENCE: Final = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([^{}]*)\})")
_BRACED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?-)(.*))?", re.DOTALL)


class Expansion(msgspec.Struct, frozen=True):
    """A value with its references replaced, and what was wrong with them."""

    text: str
    complaints: tuple[tuple[str, str], ...] = ()
    """Message and remedy of each reference that could not be replaced."""
    secrets: frozenset[str] = frozenset()
    """Replaced values of variables that are named like credentials."""


def expand(text: str, env: Mapping[str, str]) -> Expansion:
    """Replace ``${VAR}``, ``${VAR:-default}``, ``${VAR-default}``, ``$VAR`` and ``$$`` in ``text``.

    ``:-`` takes the default for an unset or empty variable, ``-`` only for an unset one. Any other dollar
    sign stays as it is.
    """
    if "$" not in text:
        return Expansion(text)
    complaints: list[tuple[str, str]] = []
    secrets: set[str] = set()

    def replace(found: re.Match[str]) -> str:
        name, braced = found.groups()
        if name is None and braced is None:
            return "$"
        parts = _BRACED.fullmatch(braced) if name is None else None
        if name is None and parts is None:
            literal = "write ${NAME} or ${NAME:-default}, and $$ for a dollar sign"
            complaints.append(("has a ${...} that names no variable", literal))
            return ""
        name, operator, default = parts.groups() if parts else (name, None, None)
        value = env.get(name)
        if value is None or (not value and operator == ":-"):
            if default is not None:
                return str(default)
            remedy = f"set {name}, give a default as ${{{name}:-value}}, or write $$ for a dollar sign"
            complaints.append((f"needs the environment variable {name}, which is not set", remedy))
            return ""
        if variable_holds_secret(name, value):
            secrets.add(value)
        return value

    return Expansion(_REFERENCE.sub(replace, text), tuple(complaints), frozenset(secrets))
