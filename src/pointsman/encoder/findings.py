"""What passes of a model tell, and how windows become the scan of a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tokenizers import Encoding as Tokens

from pointsman.encoder.engine import Floats
from pointsman.encoder.entities import merged
from pointsman.encoder.normalise import Normalised
from pointsman.encoder.values import Encoding, Entity, Peak, Scan
from pointsman.encoder.windows import Slice, Window


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything one pass told about a text."""

    encoding: Encoding
    alone: bool
    """True when no other text shared the pass, so that the embedding can be reproduced."""

    scan: Scan | None
    """What a scan would find; None when the text is longer than one window."""

    features: Floats | None = None
    """What heads of the user's own may read, shape (3 x dimension,); taken away once they have."""

    plugged: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Label probabilities by the name of such a head."""


@dataclass(frozen=True, slots=True)
class Part:
    """What some windows of a scan told."""

    peak: Peak
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A text prepared for scanning: what will be read and where it came from."""

    slices: tuple[Slice, ...]
    texts: tuple[Normalised, ...]
    tokens: tuple[Tokens, ...]
    windows: tuple[Window, ...]
    sampled: bool

    def conclude(self, parts: Sequence[Part]) -> Scan:
        """Put the parts together."""
        return concluded(
            parts,
            tokens=sum(window.end - window.start for window in self.windows),
            sampled=self.sampled,
            disguised=any(text.disguised for text in self.texts),
        )

    def original(self, number: int, start: int, end: int) -> tuple[int, int]:
        """Give the characters of the whole original text behind those of a normalised slice."""
        first, last = self.texts[number].original(start, end)
        return first + self.slices[number].start, last + self.slices[number].start


def concluded(parts: Sequence[Part], *, tokens: int, sampled: bool, disguised: bool) -> Scan:
    """Make the scan of a text from what its windows told."""
    entities = merged(entity for part in parts for entity in part.entities)
    pii: dict[str, float] = {}
    for entity in entities:
        pii[entity.label] = max(entity.score, pii.get(entity.label, 0.0))
    return Scan(
        jailbreak=max((part.peak for part in parts), key=lambda peak: peak.probability),
        entities=entities,
        pii=MappingProxyType(pii),
        tokens=tokens,
        sampled=sampled,
        disguised=disguised,
    )
