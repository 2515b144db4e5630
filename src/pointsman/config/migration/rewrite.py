"""A flat file as text, rewritten as the text of a v0.3 file."""

import re
from typing import Any

import yaml

from pointsman.config.migration.flat import is_flat
from pointsman.config.migration.ledger import Migration
from pointsman.config.migration.migrate import migrate
from pointsman.config.plain import Plain, to_written
from pointsman.config.tree import fault, read
from pointsman.config.wrapping import unwrap
from pointsman.core.errors import ConfigError

_NUMERIC = re.compile(r"[-+.]?[0-9].*")


class _Dumper(yaml.SafeDumper):
    """Writes what our reader reads back as the same: no aliases, quotes where text looks like a number."""

    def ignore_aliases(self, data: Any) -> bool:
        """Whether a value is written out wherever it occurs; every value is."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 PyYAML's signature
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else "'" if _NUMERIC.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def rewrite(text: str, source: str, *, endpoint: str = "") -> tuple[str, Migration]:
    """The v0.3 file for a flat one, and what was changed. References to the environment stay references.

    Helm values stay Helm values. ``source`` names the file in comments and errors; ``endpoint``
    (``host:port``) serves models for which it names none. Raises ConfigError when it cannot be rewritten.
    """
    root, problems = read(text)
    whole = Plain(problems=problems) if root is None else to_written(root)
    inner = Plain() if root is None else to_written(unwrap(root))
    problems = [*problems, *inner.problems]
    if problems:
        raise ConfigError(problems, source)
    if not isinstance(inner.data, dict) or not is_flat(inner.data):
        message = "is no flat document from before v0.3, so there is nothing to migrate"
        raise ConfigError([fault("", 0, message, "pointsman check says what it is")], source)
    try:
        migration = migrate(inner.data, lines=inner.lines, endpoint=endpoint)
    except ConfigError as error:
        raise ConfigError(error.problems, source) from None
    wrapped = whole.data != inner.data
    document = {**whole.data, "config": migration.document} if wrapped else migration.document
    return _header(source, migration) + _dumped(document), migration


def _dumped(document: dict[str, Any]) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def _header(source: str, migration: Migration) -> str:
    name = "".join(char if char.isprintable() else "?" for char in source)
    return (
        f"# Migrated to v0.3 from {name}, a flat document of {migration.era}, by pointsman migrate.\n"
        f"# Keys left out: {sum(not change.path_new for change in migration.changes)}. "
        "What became of each key: pointsman migrate prints it, docs/migration.md explains it.\n"
    )
