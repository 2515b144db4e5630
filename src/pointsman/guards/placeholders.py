"""Placeholders such as ``[PERSON_1]``: how they are written, how they are recognised, what they stand for."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

import re2

from pointsman.pii import Finding, Label

LITERAL = "TEXT"
"""Kind of the placeholder for text that already looks like one."""
KINDS = (*(str(label) for label in Label), LITERAL)
LONGEST = max(map(len, KINDS)) + 12
"""Characters of the longest variant: a kind, a separator of two, eight digits, two brackets."""
_NAME = rf"(?:{'|'.join(sorted(KINDS, key=len, reverse=True))})"
_TAIL = r"(?:\\?_|[ -])\d{1,8}"
_INNER = "|".join(
    re.escape(kind).replace("_", r"(?:\\?_|[ -])") for kind in sorted(KINDS, key=len, reverse=True)
)
_VARIANT = rf"(?i:{_INNER}){_TAIL}"
PATTERN = re.compile(
    rf"\[{_VARIANT}\]|<{_VARIANT}>|\({_VARIANT}\)|\{{{_VARIANT}\}}|\u3010{_VARIANT}\u3011"
    rf"|(?<![A-Za-z0-9_]){_NAME}_\d{{1,8}}(?![A-Za-z0-9_])"
)
"""A placeholder as we write it, and as models rewrite it: other brackets, small letters, another separator,
an escaped underscore, or no brackets at all (then exactly as we spell it)."""
_OPENERS = "[<({\u3010"
_MOST_VALUES = 20_000
_SHORTEST_REPEATED = 3


class TooManyValues(ValueError):
    """More distinct values than one request may have."""


class Vault:
    """What the placeholders of one request stand for. Lives as long as the request; never logged."""

    def __init__(self) -> None:
        self._by_value: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} values>"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its placeholders, without repetition."""
        return tuple(self._counts)

    def placeholder(self, kind: str, value: str) -> str:
        """The placeholder for a value: the one it has, or the next number of this kind."""
        known = self._by_value.get(value)
        if known is not None:
            return known
        if len(self._by_value) >= _MOST_VALUES:
            raise TooManyValues(f"more than {_MOST_VALUES} distinct values in one request")
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        name = f"{kind}_{number}"
        self._by_name[name] = value
        self._by_value[value] = f"[{name}]"
        return self._by_value[value]

    def value(self, written: str) -> str | None:
        """What a placeholder, in whatever variant, stands for; ``None`` for one that is not ours."""
        return self._by_name.get(_canonical(written))

    def restored(self, text: str) -> str:
        """The text with every placeholder replaced by what it stands for."""
        return PATTERN.sub(lambda hit: self.value(hit[0]) or hit[0], text)

    def could_grow(self, tail: str, *, bare: bool) -> bool:
        """Whether ``tail`` may be the beginning of a placeholder; ``bare``: also of one without brackets."""
        if tail[0] in _OPENERS:
            # Half an escaped underscore is one.
            name = re.sub(r"\\?[_ -]|\\$", "_", tail[1:]).upper()
        elif bare:
            name = tail
        else:
            return False
        for kind in self._counts:
            if kind.startswith(name) or f"{kind}_" == name:
                return True
            if name.startswith(f"{kind}_") and name[len(kind) + 1 :].isdigit():
                return len(name) <= len(kind) + 9
        return False


def _canonical(written: str) -> str:
    name = written[1:-1] if written[0] in _OPENERS else written
    return re.sub(r"\\?[_ -]", "_", name).upper()


def masked(text: str, findings: Iterable[Finding], vault: Vault) -> str:
    """The text with findings (sorted, apart) replaced, and what looks like a placeholder made safe."""
    parts: list[str] = []
    end = 0
    for finding in findings:
        parts.append(_safe(text[end : finding.start], vault))
        parts.append(vault.placeholder(finding.label, text[finding.start : finding.end]))
        end = finding.end
    parts.append(_safe(text[end:], vault))
    return "".join(parts)


def _safe(text: str, vault: Vault) -> str:
    return PATTERN.sub(lambda hit: vault.placeholder(LITERAL, hit[0]), text)


class _Spans(Protocol):
    """What regular expressions of re2 offer here."""

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Every match, from left to right."""


class Repeats:
    """Finds values again, wherever else they stand as words: what was seen once is hidden always."""

    def __init__(self, values: dict[str, str]) -> None:
        self._labels = {value: label for value, label in values.items() if _worth_repeating(value)}
        longest_first = sorted(self._labels, key=len, reverse=True)[:_MOST_VALUES]
        self._patterns = [_compiled(longest_first[at : at + 500]) for at in range(0, len(longest_first), 500)]

    def find(self, text: str) -> Iterator[Finding]:
        """Occurrences in a text; they may overlap."""
        for pattern in self._patterns:
            for hit in pattern.finditer(text):
                start, end = hit.span()
                if not (_word(text, start - 1, start) or _word(text, end, end - 1)):
                    yield Finding(self._labels[text[start:end]], start, end, 1.0, ("repeated",))


def _compiled(values: list[str]) -> _Spans:
    pattern: _Spans = re2.compile("|".join(map(re2.escape, values)))
    return pattern


def _worth_repeating(value: str) -> bool:
    plain = value.encode("utf-8", "replace").decode() == value
    return plain and len(value) >= _SHORTEST_REPEATED


def _word(text: str, outside: int, inside: int) -> bool:
    """Whether the characters on both sides of an edge belong to one word; unspaced scripts have no edges."""
    if not 0 <= outside < len(text):
        return False
    out, within = text[outside], text[inside]
    return all((c.isalnum() or c == "_") and ord(c) < 0x2E80 for c in (out, within))
