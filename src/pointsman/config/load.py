"""From text to ``Settings``, with every problem at once."""

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from pointsman.config.credentials import scrub
from pointsman.config.document import Settings
from pointsman.config.migration import at_origin, is_flat, lines_of, migrate
from pointsman.config.plain import Plain, to_plain
from pointsman.config.salvage import without_faults
from pointsman.config.translate import MOST_PROBLEMS, line_at, translate
from pointsman.config.tree import Node, fault, read
from pointsman.config.validate import validate
from pointsman.config.wrapping import unwrap
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem

VERSION = "v0.3"
"""The version of the document that this release reads."""


class Located(msgspec.Struct, frozen=True):
    """Settings, and where in the text each part of them stands."""

    settings: Settings
    lines: Mapping[str, int] = {}
    """Line (1-based) by key path of the v0.3 document."""

    def place(self, problem: Problem) -> Problem:
        """A problem with the line of its path, or of the nearest part above it that is written."""
        return _placed(problem, self.lines)


def parse(text: str | bytes, env: Mapping[str, str], source: str = "configuration") -> Settings:
    """The settings that a document describes, bare or under ``config:`` as Helm values carry it.

    A flat document from before v0.3 is migrated first; errors then name its own keys.
    ``env`` supplies what ``${VAR}`` refers to; ``source`` names the document in errors. Raises ConfigError
    with every problem found; no message contains a credential.
    """
    return locate(text, env, source).settings


def locate(text: str | bytes, env: Mapping[str, str], source: str = "configuration") -> Located:
    """``parse``, with the line of every part."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            message = f"is not UTF-8 text (byte {error.start})"
            raise ConfigError([fault("", 0, message, "save it as UTF-8")], source) from None
    root, problems = read(text)
    if root is None and not problems:
        problems.append(fault("", 0, "the document is empty", f"begin with version: {VERSION}"))
    plain = Plain(problems=problems) if root is None else _plain(root, env, problems)
    settings = None
    if isinstance(plain.data, dict):
        settings = _settings(plain)
    elif not plain.problems:
        plain.problems.append(fault("", 1, "the document is no mapping", "write keys and values"))
    if plain.problems or settings is None:
        raise ConfigError(_clean(plain.problems, frozenset(plain.secrets)), source)
    return Located(settings, plain.lines)


def load_file(path: Path | str, env: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file; ``env`` is the process environment unless given.

    Raises ConfigError with every problem found, also when the file cannot be read.
    """
    return locate_file(path, env).settings


def locate_file(path: Path | str, env: Mapping[str, str] | None = None) -> Located:
    """``load_file``, with the line of every part."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([fault("", 0, f"cannot be read: {reason}", "check the path")], str(path)) from None
    return locate(content, os.environ if env is None else env, str(path))


def _plain(root: Node, env: Mapping[str, str], problems: list[Problem]) -> Plain:
    plain = to_plain(unwrap(root), env)
    plain.problems[:0] = problems
    return plain


def _settings(plain: Plain) -> Settings | None:
    """Settings from plain data; adds problems to ``plain`` and gives ``None`` when they are unusable."""
    if not is_flat(plain.data):
        return _current(plain)
    known = {problem.path for problem in plain.problems}
    try:
        migration = migrate(plain.data, lines=plain.lines)
    except ConfigError as error:
        plain.problems.extend(problem for problem in error.problems if problem.path not in known)
        return None
    lines = lines_of(migration.changes, plain.lines)
    current = Plain(data=migration.document, lines=lines, problems=[], secrets=plain.secrets)
    settings = _current(current, migration.era)
    plain.lines = lines
    problems = (at_origin(problem, migration.changes) for problem in current.problems)
    plain.problems.extend(problem for problem in problems if problem.path not in known)
    return settings


def _current(plain: Plain, era: str = "") -> Settings | None:
    """``_settings`` of a v0.3 document; ``era`` is the one it was migrated from, if any."""
    data = _versioned(plain.data, plain)
    context = {"secrets": frozenset(plain.secrets), "era": era}
    try:
        settings: Settings | None = Settings.model_validate(
            data, by_alias=True, by_name=False, context=context
        )
    except ValidationError as error:
        # A value whose variable is not set is wrong for that reason alone.
        known = {problem.path for problem in plain.problems}
        found = translate(error, Settings, plain.lines)
        plain.problems.extend(problem for problem in found if problem.path not in known)
        settings = without_faults(data, error)
    if settings is not None:
        contradictions = islice(validate(settings), MOST_PROBLEMS)
        plain.problems.extend(_placed(problem, plain.lines) for problem in contradictions)
    return settings


def _versioned(data: dict[str, Any], plain: Plain) -> dict[str, Any]:
    """``data`` with a usable version, so that a wrong one does not hide other problems."""
    version = data.get("version")
    if version == VERSION:
        return data
    said = f"{version} cannot be read" if isinstance(version, str) and len(version) < 20 else "is not given"
    message = f"the document's version {said}"
    plain.problems.append(
        fault("version", plain.lines.get("version", 1), message, f"write version: {VERSION}")
    )
    return {**data, "version": VERSION}


def _placed(problem: Problem, lines: Mapping[str, int]) -> Problem:
    line = line_at(problem.path, lines)
    return msgspec.structs.replace(problem, message=f"{problem.message} (line {line})") if line else problem


def _clean(problems: list[Problem], secrets: frozenset[str]) -> list[Problem]:
    """The problems, each once, without credentials."""
    return [
        Problem(
            problem.severity,
            problem.path,
            scrub(problem.message, secrets),
            scrub(problem.remedy, secrets),
        )
        for problem in dict.fromkeys(problems)
    ]
