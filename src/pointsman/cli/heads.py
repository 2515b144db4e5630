"""What the loaded model can tell, and how its word on personal data is joined with the recognisers'."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.encoder import Encoder
from pointsman.pii import Entity, Finding, merge, recognise

_PROBE = "What does this model have to say about a text?"


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads of a model folder beside the domain head, which every one has."""

    guards: bool
    """Whether it judges jailbreaks and names personal data."""
    complexity: bool
    dimension: int
    """Length of its vectors."""

    lacks_guards = "has no jailbreak and PII heads"

    @classmethod
    def of(cls, encoder: Encoder) -> "Heads":
        """Find out by one pass over a short text, about 2 ms."""
        encoding = encoder.encode_now(_PROBE)
        return cls(
            guards=not math.isnan(encoding.jailbreak),
            complexity=bool(encoding.complexity),
            dimension=int(encoding.embedding.shape[0]),
        )


def personal_data(text: str, entities: Sequence[Entity] = ()) -> tuple[Finding, ...]:
    """What recognisers and the model find together, of whatever score."""
    return merge(text, recognise(text), entities)
