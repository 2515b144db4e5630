"""How near a request is to what is written of each candidate."""

from collections.abc import Mapping, Sequence

import msgspec

from pointsman.config.algorithms import RouterDC
from pointsman.core.model import Candidate
from pointsman.selection.embedder import Embedder, Floats
from pointsman.selection.facts import Facts


class Descriptions(msgspec.Struct, frozen=True):
    """The vectors of the descriptions, made once when the document is loaded."""

    encoder: Embedder
    vectors: Mapping[str, Floats]
    """By candidate; those without description are missing where descriptions are required."""

    async def similarities(self, text: str, candidates: Sequence[Candidate]) -> tuple[float | None, ...]:
        """Cosine of the text with each candidate's description, -1..1; ``None`` where there is none."""
        known = [self.vectors.get(candidate.target.name) for candidate in candidates]
        if not any(vector is not None for vector in known):
            return (None,) * len(known)
        asked = await self.encoder.embed(text)
        return tuple(None if vector is None else float(asked @ vector) for vector in known)


def describe(encoder: Embedder, facts: Mapping[str, Facts], settings: RouterDC) -> Descriptions:
    """Encode what is written; a candidate without description goes by its name unless one is required."""
    texts = {name: _text(name, fact, settings) for name, fact in facts.items()}
    return Descriptions(encoder, {name: encoder.embed_now(text) for name, text in texts.items() if text})


def _text(name: str, fact: Facts, settings: RouterDC) -> str:
    description = fact.description.strip()
    if not description and settings.require_descriptions:
        return ""
    words = ", ".join(fact.capabilities) if settings.use_capabilities else ""
    return ". ".join(part for part in (description or name, words) if part)
