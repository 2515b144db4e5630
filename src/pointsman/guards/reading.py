"""Reading texts for guards: all of them, in full, within a bound on their length and under one deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol, TypeVar

import msgspec

from pointsman.pii import Finding, Label, confident, merge, recognise

T = TypeVar("T")

SLICE = 8000
"""Characters scanned at once: well under what a scan reads without leaving parts out."""
OVERLAP = 200
AT_ONCE = 8
"""Scans of one request under way; more would take every place in the encoder's queue."""
SMALL, BLOCK = 200, 2000
"""Texts shorter than the first, where they come in numbers, are read together in blocks of the second."""
_IN_LOOP = 4000
"""Characters up to which recognisers run in the event loop; a thread costs more than they do."""


class Peak(Protocol):
    """Where a text looks most like a jailbreak."""

    @property
    def probability(self) -> float:
        """Of the window that looks most like one."""


class Entity(Protocol):
    """A stretch of text that names something personal."""

    @property
    def label(self) -> str:
        """Kind of personal data."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last character."""

    @property
    def score(self) -> float:
        """Confidence, 0 to 1."""


class Scan(Protocol):
    """What guards read of a text."""

    @property
    def jailbreak(self) -> Peak:
        """Where it looks most like a jailbreak."""

    @property
    def entities(self) -> Sequence[Entity]:
        """What the token head found."""


class Scanner(Protocol):
    """The part of the encoder that guards use."""

    async def scan(self, text: str) -> Scan:
        """Read a text in small windows. Raises when the encoder is closed, broken, or has too much to do."""


class Wanted(msgspec.Struct, frozen=True):
    """Which personal data counts."""

    labels: frozenset[str] = frozenset()
    """Kinds; empty means all."""
    threshold: float | None = None
    """Least score; ``None``: each kind's own."""

    @classmethod
    def of(cls, types: Collection[str], allowed: Collection[str], threshold: float | None) -> "Wanted":
        """All of ``types`` (empty: every kind) but ``allowed``."""
        labels = frozenset(types or map(str, Label)) - frozenset(allowed)
        return cls(labels or frozenset({"-"}), threshold)

    def among(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Those that count."""
        return confident(findings, threshold=self.threshold, labels=self.labels)


async def jailbreak(scanner: Scanner, texts: Sequence[str], *, in_full: bool = True) -> float:
    """The highest probability of any part of any text; not ``in_full``: of samples of long texts."""
    found = await _each(
        [piece for text in texts for _, piece in (_slices(text) if in_full else [(0, text)])],
        lambda text: _probability(scanner, text),
    )
    return max(found, default=0.0)


async def personal(scanner: Scanner, texts: Sequence[str], wanted: Wanted) -> list[tuple[Finding, ...]]:
    """The findings in each text, sorted, apart."""
    blocks = _blocks(texts)
    read = await _each([block.text for block in blocks], lambda text: _findings(scanner, text, wanted))
    found: list[list[Finding]] = [[] for _ in texts]
    for block, findings in zip(blocks, read, strict=True):
        for finding in findings:
            for place, number in block.members:
                start, end = max(finding.start, place), min(finding.end, place + len(texts[number]))
                if start < end:
                    one = Finding(finding.label, start - place, end - place, finding.score, finding.evidence)
                    found[number].append(one)
    return [tuple(each) for each in found]


class _Block(msgspec.Struct, frozen=True):
    text: str
    members: tuple[tuple[int, int], ...]
    """Where each text begins in it, and its number."""


def _blocks(texts: Sequence[str]) -> list[_Block]:
    """Long texts alone; runs of small ones, such as the fields of a tool's answer, joined by lines."""
    blocks: list[_Block] = []
    members: list[tuple[int, int]] = []
    length = 0

    def close() -> None:
        nonlocal members, length
        if members:
            blocks.append(_Block("\n".join(texts[number] for _, number in members), tuple(members)))
        members, length = [], 0

    for number, text in enumerate(texts):
        if len(text) >= SMALL or length + len(text) > BLOCK:
            close()
        members.append((length, number))
        length += len(text) + 1
        if len(text) >= SMALL:
            close()
    close()
    return blocks


async def _each(texts: Sequence[str], work: Callable[[str], Awaitable[T]]) -> list[T]:
    """``work`` on every text, a few at once; the first failure ends it all."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(text: str) -> T:
        async with places:
            return await work(text)

    if len(texts) == 1:
        return [await work(texts[0])]
    tasks = [asyncio.ensure_future(one(text)) for text in texts]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


async def _probability(scanner: Scanner, text: str) -> float:
    scan = await scanner.scan(text)
    return scan.jailbreak.probability


async def _findings(scanner: Scanner, text: str, wanted: Wanted) -> tuple[Finding, ...]:
    entities: list[Entity] = []
    for start, piece in _slices(text):
        scan = await scanner.scan(piece)
        entities += [
            Finding(each.label, each.start + start, each.end + start, each.score, ())
            for each in scan.entities
        ]
    if len(text) <= _IN_LOOP:
        return wanted.among(merge(text, recognise(text), entities))
    return wanted.among(await asyncio.to_thread(lambda: merge(text, recognise(text), entities)))


def _slices(text: str) -> list[tuple[int, str]]:
    """A text in stretches short enough to be read in full, with where each begins."""
    if len(text) <= SLICE:
        return [(0, text)]
    return [(start, text[start : start + SLICE]) for start in range(0, len(text) - OVERLAP, SLICE - OVERLAP)]
